//! Removing operations, scripts and variables.

use super::super::search::Search;
use crate::scenario::{Base, Op, Place, ScriptId};

/// Above this number of operations pairs are not tried.
const MAX_PAIRED: usize = 32;

/// Removes the end of the mutator's body: half of it, a quarter, ..., one operation.
pub(in crate::shrink) fn tail(search: &mut Search) {
    let mut size = search.best().main().len();
    while size > 0 && !search.ended() {
        let keep = search.best().main().len().saturating_sub(size);
        let end = search.best().range(0).end;
        if search.attempt_map(|i, op| (i < keep || i >= end).then_some(op)) {
            size = size.min(search.best().main().len());
        } else {
            size /= 2;
        }
    }
}

/// Removes runs of operations of each body: the whole body, halves, quarters, ..., single operations.
pub(in crate::shrink) fn runs(search: &mut Search) {
    let mut body = search.best().bodies();
    while body > 0 {
        body = (body - 1).min(search.best().bodies().saturating_sub(1));
        let mut size = search.best().body(body).len();
        while size > 0 && !search.ended() {
            let mut end = search.best().body(body).len();
            while end > 0 && !search.ended() {
                let from = search.best().range(body).start + end.saturating_sub(size);
                let to = search.best().range(body).start + end;
                search.attempt_map(|i, op| (i < from || i >= to).then_some(op));
                end = end.saturating_sub(size).min(search.best().body(body).len());
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
}

/// Removes two operations at once.
pub(in crate::shrink) fn pairs(search: &mut Search) {
    if search.best().ops().len() > MAX_PAIRED {
        return;
    }
    let mut late = search.best().ops().len();
    while late > 1 && !search.ended() {
        late = (late - 1).min(search.best().ops().len().saturating_sub(1));
        for early in (0..late).rev() {
            if search.attempt_map(|i, op| (i != early && i != late).then_some(op)) {
                break;
            }
        }
    }
}

/// Takes each script from everything that names it.
pub(in crate::shrink) fn scripts(search: &mut Search) {
    let mut script = search.best().scripts();
    while script > 0 && !search.ended() {
        script = (script - 1).min(search.best().scripts().saturating_sub(1));
        let gone = ScriptId(script as u8);
        search.attempt_map(|_, mut op| op.map_scripts(|s| (s != gone).then_some(s)).then_some(op));
    }
}

/// Removes each variable: its objects with all that is done to them, then only the name.
pub(in crate::shrink) fn variables(search: &mut Search) {
    let mut var = search.best().vars();
    while var > 0 && !search.ended() {
        var = (var - 1).min(search.best().vars().saturating_sub(1));
        let names = |place: Place| place.base == Base::Var(var);
        if search.attempt_map(|_, op| without(op, names, true)) {
            continue;
        }
        search.attempt_map(|_, op| without(op, names, false));
    }
}

/// The operation without places that `gone` accepts; `None` if it is about such a place. `created` decides whether
/// objects that are created there go too, or are created and dropped.
pub(super) fn without(mut op: Op, gone: impl Fn(Place) -> bool, created: bool) -> Option<Op> {
    if let Op::New { dst, items, .. } = &mut op {
        if gone(*dst) {
            if created {
                return None;
            }
            *dst = Place::NOTHING;
        }
        items.iter_mut().filter(|item| gone(**item)).for_each(|item| *item = Place::NOTHING);
        return Some(op);
    }
    let mut named = false;
    op.for_each_place(|place| named |= gone(*place));
    (!named).then_some(op)
}
