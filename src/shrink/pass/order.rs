//! Canonical order: moves operations within their body.

use super::super::edit;
use super::super::search::Search;

/// In longer bodies only neighbours are exchanged.
const MAX_MOVED: usize = 40;

/// Moves each operation to every other position of its body that makes the scenario smaller.
pub(in crate::shrink) fn reorder(search: &mut Search) {
    let mut body = search.best().bodies();
    while body > 0 {
        body = (body - 1).min(search.best().bodies().saturating_sub(1));
        let mut from = 0;
        while from < search.best().body(body).len() && !search.ended() {
            let len = search.best().body(body).len();
            let reach = if len > MAX_MOVED { 1 } else { len };
            let start = search.best().range(body).start;
            let targets = (from.saturating_sub(reach)..from).chain(from + 1..len.min(from + 1 + reach));
            for to in targets {
                if relocate(search, start + from, start + to) {
                    break;
                }
            }
            from += 1;
        }
    }
}

/// Takes the operation at `from` out and puts it back so that it ends at `to`.
fn relocate(search: &mut Search, from: usize, to: usize) -> bool {
    search.attempt(|best, out| {
        let moved = best.ops()[from];
        edit::flat_map(best, out, &mut |i, op, out| {
            if i == to && to < from {
                out.push(moved);
            }
            if i != from {
                out.push(op);
            }
            if i == to && to > from {
                out.push(moved);
            }
        });
    })
}
