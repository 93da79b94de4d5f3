//! Slots: lower numbers first, everywhere at once, for one variable, and in one place.

use super::super::search::Search;
use crate::scenario::{Base, Clear, Kind, Op, Place, SlotSet};

/// Exchanges slots everywhere and per variable, then lowers them one by one.
pub(in crate::shrink) fn lower(search: &mut Search) {
    let (mut used, mut vars) = ([false; 64], search.best().vars());
    for op in search.best().ops() {
        let mut op = *op;
        op.for_each_place(|place| place.path().iter().for_each(|slot| used[*slot as usize & 63] = true));
    }
    for high in (1..64u8).rev().filter(|slot| used[*slot as usize]) {
        for low in 0..high {
            if search.attempt_map(|_, op| Some(exchange(op, None, low, high))) {
                break;
            }
        }
    }
    while vars > 0 && !search.ended() {
        vars -= 1;
        for high in (1..64u8).rev().filter(|slot| used[*slot as usize]) {
            for low in 0..high {
                if search.attempt_map(|_, op| Some(exchange(op, Some(vars), low, high))) {
                    break;
                }
            }
        }
    }
    search.replace_each(|best, index, out| {
        let op = best.ops()[index];
        let (mut slots, mut copy) = (0, op);
        copy.for_each_place(|place| slots += place.path().len());
        for which in 0..slots {
            for low in 0.. {
                let (mut at, mut changed, mut done) = (0, op, true);
                changed.for_each_place(|place| {
                    let mut other = Place::of(place.base);
                    for slot in place.path() {
                        let lowered = at == which && low < *slot;
                        done &= !lowered;
                        other = other.slot(if lowered { low } else { *slot });
                        at += 1;
                    }
                    *place = other;
                });
                if done {
                    break;
                }
                out.push(changed);
            }
        }
    });
}

/// Exchanges two slots: everywhere, or in the first step of paths from one variable. Sets of slots follow.
fn exchange(mut op: Op, var: Option<u16>, low: u8, high: u8) -> Op {
    let swapped = |slot: u8| match slot {
        s if s == low => high,
        s if s == high => low,
        s => s,
    };
    let about = |place: Place| var.is_none_or(|var| place.base == Base::Var(var));
    let follows = op.target().is_some_and(|dst| var.is_none() || (about(dst) && dst.path().is_empty()));
    op.for_each_place(|place| {
        if about(*place) {
            let mut other = Place::of(place.base);
            for (step, slot) in place.path().iter().enumerate() {
                other = other.slot(if step == 0 || var.is_none() { swapped(*slot) } else { *slot });
            }
            *place = other;
        }
    });
    if follows && let Some(kind) = op.kind_mut() {
        exchange_sets(kind, low, high);
    }
    op
}

fn exchange_sets(kind: &mut Kind, low: u8, high: u8) {
    let swap = |set: &mut SlotSet| {
        if high < 8 && set.has(low.into()) != set.has(high.into()) {
            set.0 ^= 1 << low | 1 << high;
        }
    };
    swap(&mut kind.hidden);
    swap(&mut kind.doubled);
    swap(&mut kind.fickle);
    if let Clear::Keeps(set) = &mut kind.clear {
        swap(set);
    }
}
