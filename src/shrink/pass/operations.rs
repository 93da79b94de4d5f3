//! Replacing operations by simpler ones, and numbers by lower ones.

use super::super::search::Search;
use crate::scenario::{Op, Place};

/// Replaces operations: `look` for what reads, `del` for what stores, `collect(2)` for what brings a collection about,
/// one object for a graph of them.
pub(in crate::shrink) fn simplify(search: &mut Search) {
    search.replace_each(|best, index, out| {
        let op = best.ops()[index];
        match op {
            Op::New { .. } | Op::Look => {}
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
