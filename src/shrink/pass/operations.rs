//! Replacing operations by simpler ones, and numbers by lower ones.

use super::super::edit;
use super::super::measure::creates;
use super::super::search::Search;
use super::relocate::skip;
use crate::scenario::{Bulk, NODE_SLOTS, Op, Operand, Place};

/// Replaces operations: a store of what there is for the creation of an object, `look` for what reads, `del` for what
/// stores, `collect(2)` for what brings a collection about, one object for a graph of them.
pub(in crate::shrink) fn simplify(search: &mut Search) {
    search.replace_each(|best, index, out| {
        let op = best.ops()[index];
        match op {
            Op::New { dst, items, .. } => {
                let vars = (0..best.vars()).map(Place::var);
                let sources = items.into_iter().filter(|item| !item.is_nothing()).chain(vars);
                out.extend(sources.map(|src| Op::Set { dst, src }));
            }
            Op::Look => {}
            Op::Set { src, .. } if src.is_nothing() => out.push(Op::Look),
            Op::Set { dst, .. } => out.extend([Op::Look, Op::Set { dst, src: Place::NOTHING }]),
            Op::Build { dst, kind, .. } => out.push(Op::New { dst, kind, items: [Place::NOTHING; 2] }),
            Op::Deref { dst, weak } => {
                out.extend([Op::Look, Op::Set { dst: weak, src: Place::NOTHING }, Op::Set { dst, src: Place::NOTHING }])
            }
            Op::Iterate { container, .. } => out.extend([Op::Look, Op::Len { container }]),
            Op::Collect { .. } => out.push(Op::Look),
            _ => out.extend([Op::Look, Op::Collect { generation: 2 }]),
        }
    });
}

/// Has a full collection for what only makes the heap be looked at: an object that is created and dropped at once, or one
/// with user code of its own that holds what matters; what it held is named by its name then. Removes what brings about a
/// collection later, and has a full one instead of or after some other operation.
pub(in crate::shrink) fn collections(search: &mut Search) {
    instead_of_objects(search);
    let collect = Op::Collect { generation: 2 };
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let index = position - 1;
        position = index.min(search.best().ops().len());
        let op = search.best().ops().get(index);
        if !matches!(op, Some(Op::CollectAtAllocation { .. } | Op::SetThreshold { .. } | Op::Enable)) {
            continue;
        }
        for (other, instead) in (0..search.best().ops().len()).flat_map(|other| [(other, true), (other, false)]) {
            let accepted = other != index
                && search.attempt(|best, out| {
                    edit::flat_map(best, out, &mut |i, op, out| {
                        if i != index && (i != other || !instead) {
                            out.push(op);
                        }
                        if i == other {
                            out.push(collect);
                        }
                    });
                });
            if accepted {
                break;
            }
        }
    }
}

/// Has a full collection somewhere for each object with user code that runs when it dies.
fn instead_of_objects(search: &mut Search) {
    let collect = Op::Collect { generation: 2 };
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let create = position - 1;
        position = create.min(search.best().ops().len());
        let Some(op @ Op::New { kind, dst, .. }) = search.best().ops().get(create).copied() else { continue };
        if kind.finalizer.is_none() && kind.on_dealloc.is_none() {
            continue;
        }
        if dst.is_nothing() {
            search.attempt_map(|i, op| Some(if i == create { collect } else { op }));
            continue;
        }
        if creates(&op).is_none() {
            continue;
        }
        let end = search.best().main().len();
        for (slot, after) in (0..NODE_SLOTS).flat_map(|slot| (0..end).map(move |at| (slot, at))) {
            let accepted = search.attempt(|best, out| {
                edit::flat_map(best, out, &mut |i, mut op, out| {
                    if i != create {
                        op.for_each_place(|place| *place = skip(*place, dst, slot));
                        out.push(op);
                    }
                    if i == after {
                        out.push(collect);
                    }
                });
            });
            if accepted {
                break;
            }
        }
    }
}

/// Lowers every number of every operation.
pub(in crate::shrink) fn numbers(search: &mut Search) {
    search.replace_each(|best, index, out| {
        let op = best.ops()[index];
        if let Op::Build { dst, bulk, kind, count } = op {
            out.extend(lower(count, 1).map(|count| Op::Build { dst, bulk, kind, count }));
            out.extend(Bulk::ALL.map(|bulk| Op::Build { dst, bulk, kind, count }));
            return;
        }
        let (mut copy, mut which) = (op, 0);
        each_number(&mut copy, |number, lowest| {
            let better: Vec<u32> = match lowest {
                Some(floor) => lower(number, floor).collect(),
                None => (number + 1..=2).rev().collect(),
            };
            for other in better {
                let (mut changed, mut at) = (op, 0);
                each_number(&mut changed, |number, _| {
                    at += 1;
                    if at == which + 1 { other } else { number }
                });
                out.push(changed);
            }
            which += 1;
            number
        });
    });
}

/// Replaces each number of an operation by what `change` makes of it. It is told the lowest that it can be; `None` for
/// generations, where more is simpler.
fn each_number(op: &mut Op, mut change: impl FnMut(u32, Option<u32>) -> u32) {
    op.for_each_operand(|operand| match operand {
        Operand::Generation(generation) => *generation = change((*generation).into(), None) as u8,
        Operand::Allocation(after) => *after = change((*after).into(), Some(0)) as u8,
        Operand::Times(times) => *times = change((*times).into(), Some(1)) as u8,
        Operand::Thresholds(all) => all.iter_mut().for_each(|t| *t = change((*t).into(), Some(0)) as u16),
        Operand::SaveAll(on) => *on = change((*on).into(), Some(0)) != 0,
        _ => {}
    });
}

/// Lower numbers, the lowest first, then ever closer to `n`.
fn lower(n: u32, floor: u32) -> impl Iterator<Item = u32> {
    let mut distance = n.saturating_sub(floor);
    std::iter::from_fn(move || {
        let result = (distance > 0).then(|| n - distance);
        distance /= 2;
        result
    })
}
