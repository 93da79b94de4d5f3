//! Lowering what an object's type does to the plain node that takes part in everything.

use super::super::search::Search;
use crate::scenario::{Clear, Finalizer, Kind, NODE_SLOTS, Op, Shape, SlotSet, Tracking};

/// Lowers the kind of each object: all at once, then the shape, then field by field.
pub(in crate::shrink) fn lower(search: &mut Search) {
    let mut kinds = Vec::new();
    search.replace_each(|best, index, out| {
        let op = best.ops()[index];
        let Some(kind) = op.kind() else { return };
        kinds.clear();
        lowered(kind, &mut kinds);
        for other in &kinds {
            let mut copy = op;
            if let Some(kind) = copy.kind_mut() {
                *kind = *other;
            }
            out.push(copy);
        }
    });
}

/// Where edges of one object are hidden, makes another object's type one without GC support instead: the usual cause.
pub(in crate::shrink) fn exchange(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let liar = position - 1;
        position = liar.min(search.best().ops().len());
        let peculiar = |kind: &Kind| {
            kind.hidden != SlotSet::NONE || kind.fickle != SlotSet::NONE || kind.tracking == Tracking::Untracked
        };
        if !search.best().ops().get(liar).and_then(Op::kind).is_some_and(peculiar) {
            continue;
        }
        for other in (0..search.best().ops().len()).filter(|other| *other != liar) {
            let accepted = search.attempt_map(|i, mut op| {
                if let Some(kind) = op.kind_mut() {
                    if i == liar {
                        kind.hidden = SlotSet::NONE;
                        kind.fickle = SlotSet::NONE;
                        kind.tracking = Tracking::Tracked;
                    } else if i == other {
                        kind.tracking = Tracking::NoHeader;
                    }
                }
                Some(op)
            });
            if accepted {
                break;
            }
        }
    }
}

/// Kinds that may be simpler; the search drops those that are not.
fn lowered(kind: &Kind, out: &mut Vec<Kind>) {
    let mut push = |change: &dyn Fn(&mut Kind)| {
        let mut other = *kind;
        change(&mut other);
        if other.canonical() != *kind {
            out.push(other.canonical());
        }
    };
    push(&|k| *k = Kind::new(Shape::Node));
    push(&|k| *k = Kind::new(k.shape));
    for shape in Shape::ALL {
        if shape.facts().weight < kind.shape.facts().weight {
            push(&|k| k.shape = shape);
        }
    }
    push(&|k| k.finalizer = None);
    push(&|k| k.on_call = None);
    push(&|k| k.on_dealloc = None);
    if let Some(Finalizer::Legacy(script)) = kind.finalizer {
        push(&|k| k.finalizer = Some(Finalizer::Modern(script)));
    }
    if let (None, Some(script)) = (kind.finalizer, kind.on_dealloc) {
        push(&|k| {
            k.finalizer = Some(Finalizer::Modern(script));
            k.on_dealloc = None;
        });
    }
    push(&|k| k.tracking = Tracking::Tracked);
    push(&|k| k.tracking = Tracking::NoHeader);
    push(&|k| k.tracking = Tracking::Untracked);
    push(&|k| k.clear = Clear::default());
    push(&|k| k.clear = Clear::Missing);
    push(&|k| k.flaws.keeps_tracked = false);
    push(&|k| k.flaws.keeps_weakrefs = false);
    push(&|k| k.doubled = SlotSet::NONE);
    push(&|k| {
        k.hidden.0 |= k.fickle.0;
        k.fickle = SlotSet::NONE;
    });
    push(&|k| k.fickle = SlotSet::NONE);
    push(&|k| k.hidden = SlotSet::NONE);
    for bit in 0..NODE_SLOTS {
        push(&|k| {
            if let Clear::Keeps(set) = &mut k.clear {
                set.0 &= !(1 << bit);
            }
        });
        for lower in 0..bit {
            push(&|k| sets(k, &|set| lower_bit(set, bit, lower)));
        }
        push(&|k| k.hidden.0 &= !(1 << bit));
        push(&|k| k.doubled.0 &= !(1 << bit));
        push(&|k| k.fickle.0 &= !(1 << bit));
    }
}

/// Changes every set of slots of a kind.
fn sets(kind: &mut Kind, change: &dyn Fn(&mut SlotSet)) {
    change(&mut kind.hidden);
    change(&mut kind.doubled);
    change(&mut kind.fickle);
    if let Clear::Keeps(set) = &mut kind.clear {
        change(set);
    }
}

/// Has `lower` instead of `bit` in the set, if it has the one and not the other.
fn lower_bit(set: &mut SlotSet, bit: u8, lower: u8) {
    if set.has(bit.into()) && !set.has(lower.into()) {
        set.0 ^= 1 << bit | 1 << lower;
    }
}
