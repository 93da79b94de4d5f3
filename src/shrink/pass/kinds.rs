//! Lowering what an object's type does to the plain node that takes part in everything.

use super::super::search::Search;
use super::super::size::shape_weight;
use crate::scenario::{Clear, Finalizer, Kind, Op, Shape, SlotSet, Tracking};

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
            if let Op::New { kind, .. } | Op::Build { kind, .. } = &mut copy {
                *kind = *other;
            }
            out.push(copy);
        }
    });
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
        if shape_weight(shape) < shape_weight(kind.shape) {
            push(&|k| k.shape = shape);
        }
    }
    push(&|k| k.finalizer = None);
    push(&|k| k.on_call = None);
    push(&|k| k.on_dealloc = None);
    if let Some(Finalizer::Legacy(script)) = kind.finalizer {
        push(&|k| k.finalizer = Some(Finalizer::Modern(script)));
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
    for bit in 0..8u8 {
        push(&|k| k.hidden.0 &= !(1 << bit));
        push(&|k| k.doubled.0 &= !(1 << bit));
        push(&|k| k.fickle.0 &= !(1 << bit));
        push(&|k| {
            if let Clear::Keeps(set) = &mut k.clear {
                set.0 &= !(1 << bit);
            }
        });
    }
}
