//! Replacing operations by simpler ones, and numbers by lower ones.

use super::super::edit;
use super::super::search::Search;
use crate::scenario::{Op, Place};

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

/// Removes what brings about a collection later, and has a full one instead of or after some other operation.
pub(in crate::shrink) fn collections(search: &mut Search) {
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

/// Lowers every number of every operation.
pub(in crate::shrink) fn numbers(search: &mut Search) {
    search.replace_each(|best, index, out| match best.ops()[index] {
        Op::Collect { generation } => {
            out.extend((generation + 1..=2).rev().map(|generation| Op::Collect { generation }));
        }
        Op::CollectAtAllocation { after, generation } => {
            out.extend(lower(after.into(), 0).map(|n| Op::CollectAtAllocation { after: n as u8, generation }));
            out.extend((generation + 1..=2).rev().map(|generation| Op::CollectAtAllocation { after, generation }));
        }
        Op::SetThreshold { thresholds } => {
            for place in 0..3 {
                out.extend(lower(thresholds[place].into(), 0).map(|n| {
                    let mut thresholds = thresholds;
                    thresholds[place] = n as u16;
                    Op::SetThreshold { thresholds }
                }));
            }
        }
        Op::SaveAll { on: true } => out.push(Op::SaveAll { on: false }),
        Op::Repeat { times, script } => {
            out.extend(lower(times.into(), 1).map(|n| Op::Repeat { times: n as u8, script }));
        }
        Op::Build { dst, bulk, kind, count } => {
            out.extend(lower(count, 1).map(|count| Op::Build { dst, bulk, kind, count }));
            out.extend(crate::scenario::Bulk::ALL.map(|bulk| Op::Build { dst, bulk, kind, count }));
        }
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
