//! Making one thing of two: variables, scripts, a creation and a store, a call and what it runs.

use super::super::edit;
use super::super::search::Search;
use super::super::size::creates;
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
            && let Op::New { kind, .. } | Op::Build { kind, .. } = &mut op
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

/// The place reached from `place` if the variable `var` is written as `other`. A path grows to two slots at most: what
/// would be longer is `None`.
fn substitute(place: Place, var: u16, other: Place) -> Option<Place> {
    if place.base != Base::Var(var) {
        return Some(place);
    }
    if other.path().len() + place.path().len() > 2 {
        return None;
    }
    Some(place.path().iter().fold(other, |place, slot| place.slot(*slot)))
}

/// Where an object is created into a variable and stored from it elsewhere, creates it there and names it by that
/// place from then on. Once with the creation where it was, once where the store was.
pub(in crate::shrink) fn fold(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let store = position - 1;
        position = store;
        let Some(Op::Set { dst, src }) = search.best().ops().get(store).copied() else { continue };
        let Base::Var(var) = src.base else { continue };
        if !src.path().is_empty() || dst.base == src.base {
            continue;
        }
        let created = search.best().ops().iter().position(
            |op| matches!(op, Op::New { dst, .. } | Op::Build { dst, .. } | Op::Deref { dst, .. } if *dst == src),
        );
        let Some(create) = created else { continue };
        for late in [false, true] {
            if attempt_fold(search, create, store, var, dst, late) {
                position = search.best().ops().len().min(position + 1);
                break;
            }
        }
    }
}

fn attempt_fold(search: &mut Search, create: usize, store: usize, var: u16, place: Place, late: bool) -> bool {
    let mut creation = search.best().ops()[create];
    if let Op::New { dst, .. } | Op::Build { dst, .. } | Op::Deref { dst, .. } = &mut creation {
        *dst = place;
    }
    search.attempt_map(|i, mut op| {
        if i == if late { store } else { create } {
            return Some(creation);
        }
        if i == create || i == store {
            return None;
        }
        if op == (Op::Set { dst: Place::var(var), src: Place::NOTHING }) {
            return None;
        }
        let mut fits = true;
        op.for_each_place(|p| match substitute(*p, var, place) {
            Some(other) => *p = other,
            None => fits = false,
        });
        fits.then_some(op)
    })
}

/// Replaces an operation that runs a script (`repeat`, `iterate`, `call`) by the script's operations.
pub(in crate::shrink) fn inline(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let index = position - 1;
        position = index;
        match search.best().ops().get(index) {
            Some(Op::Repeat { script, .. } | Op::Iterate { script, .. }) => {
                let script = *script;
                splice(search, index, script, Place::NOTHING);
            }
            Some(Op::Call { callable }) => {
                let callable = *callable;
                for script in 0..search.best().scripts() {
                    if splice(search, index, ScriptId(script as u8), callable) {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}

/// Puts a script's operations in place of one operation; `owner` stands for `self` in them.
fn splice(search: &mut Search, index: usize, script: ScriptId, owner: Place) -> bool {
    search.attempt(|best, out| {
        edit::flat_map(best, out, &mut |i, op, out| {
            if i != index {
                out.push(op);
                return;
            }
            for op in &best.ops()[best.script_range(script)] {
                let mut op = *op;
                op.for_each_place(|place| {
                    *place = match place.base {
                        Base::Owner if place.path().len() + owner.path().len() <= 2 => {
                            place.path().iter().fold(owner, |place, slot| place.slot(*slot))
                        }
                        Base::Owner | Base::Arg => Place::NOTHING,
                        _ => *place,
                    }
                });
                out.push(op);
            }
        });
    })
}
