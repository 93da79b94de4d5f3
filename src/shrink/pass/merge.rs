//! Making one thing of two: variables, scripts; and two variables of one that names two objects.

use super::super::edit;
use super::super::measure::creates;
use super::super::search::Search;
use crate::scenario::{Base, MAX_VARS, Op, Place, ScriptId};

/// What becomes of the creation of an object whose variable is renamed to that of another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Creation {
    /// It goes.
    Removed,
    /// It goes, and the other object gets its kind.
    KindKept,
    /// It goes, and the other object gets those of its scripts that it has none of its own for.
    ScriptsKept,
    /// It stays.
    Kept,
}

/// Renames each variable to each other one, without the creation of its object if that is accepted.
pub(in crate::shrink) fn variables(search: &mut Search) {
    let mut from = search.best().vars();
    while from > 0 && !search.ended() {
        from = (from - 1).min(search.best().vars().saturating_sub(1));
        for to in 0..search.best().vars() {
            let ways = [Creation::Removed, Creation::KindKept, Creation::ScriptsKept, Creation::Kept];
            if to != from && ways.into_iter().any(|way| rename(search, from, to, way)) {
                break;
            }
        }
    }
}

fn rename(search: &mut Search, from: u16, to: u16, creation: Creation) -> bool {
    let gone = search.best().ops().iter().find(|op| creates(op) == Some(from)).and_then(|op| op.kind().copied());
    search.attempt_map(|_, mut op| {
        if creation != Creation::Kept && creates(&op) == Some(from) {
            return None;
        }
        if creates(&op) == Some(to)
            && let Some(kind) = op.kind_mut()
            && let Some(gone) = gone
        {
            if creation == Creation::KindKept {
                *kind = gone;
            } else if creation == Creation::ScriptsKept {
                kind.finalizer = kind.finalizer.or(gone.finalizer);
                kind.on_call = kind.on_call.or(gone.on_call);
                kind.on_dealloc = kind.on_dealloc.or(gone.on_dealloc);
            }
        }
        op.for_each_place(|place| {
            if place.base == Base::Var(from) {
                place.base = Base::Var(to);
            }
        });
        Some(op)
    })
}

/// Where a variable is created into for the second time, renames it from there on: with or without dropping the old
/// content first, with the scripts meaning the new name or the old.
pub(in crate::shrink) fn split(search: &mut Search) {
    let mut position = search.best().range(0).end;
    while position > 0 && !search.ended() {
        let index = position - 1;
        position = index.min(search.best().range(0).end);
        let main = search.best().main();
        let Some(var) = main.get(index).and_then(creates) else { continue };
        let (fresh, end) = (search.best().vars(), main.len());
        if fresh >= MAX_VARS || !main[..index].iter().any(|op| creates(op) == Some(var)) {
            continue;
        }
        for (dropped, scripts) in [(false, true), (false, false), (true, true), (true, false)] {
            let accepted = search.attempt(|best, out| {
                edit::flat_map(best, out, &mut |i, mut op, out| {
                    if i >= index && (i < end || scripts) {
                        let mut which = 0;
                        op.for_each_place(|place| {
                            // The items of the creation itself still mean the old object.
                            if place.base == Base::Var(var) && (i > index || which == 0) {
                                place.base = Base::Var(fresh);
                            }
                            which += 1;
                        });
                    }
                    out.push(op);
                    if i == index && dropped {
                        out.push(Op::Set { dst: Place::var(var), src: Place::NOTHING });
                    }
                });
            });
            if accepted {
                break;
            }
        }
    }
}

/// Replaces each script by each other one.
pub(in crate::shrink) fn scripts(search: &mut Search) {
    let mut from = search.best().scripts();
    while from > 0 && !search.ended() {
        from = (from - 1).min(search.best().scripts().saturating_sub(1));
        for to in 0..search.best().scripts() {
            let (old, new) = (ScriptId(from as u8), ScriptId(to as u8));
            let accepted = to != from
                && search.attempt_map(|_, mut op| {
                    op.map_scripts(|s| Some(if s == old { new } else { s }));
                    Some(op)
                });
            if accepted {
                break;
            }
        }
    }
}
