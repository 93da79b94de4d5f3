//! Scripts: who runs them, and whether they need be scripts at all.

use super::super::edit;
use super::super::search::Search;
use super::relocate::skip;
use super::remove::without;
use crate::scenario::{Base, Finalizer, NODE_SLOTS, Op, Place, ScriptId};

/// Removes an object that only lends its script to others: another object gets the script as its finalizer.
pub(in crate::shrink) fn transfer(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let lender = position - 1;
        position = lender.min(search.best().ops().len());
        let Some(Op::New { kind, dst, .. }) = search.best().ops().get(lender).copied() else { continue };
        let script = kind.on_call.or(kind.on_dealloc).or(match kind.finalizer {
            Some(Finalizer::Modern(script) | Finalizer::Legacy(script)) => Some(script),
            None => None,
        });
        let Some(script) = script else { continue };
        for heir in 0..search.best().ops().len() {
            let fits = heir != lender
                && search.best().ops()[heir].kind().is_some_and(|k| k.finalizer.is_none() && k.shape.can_finalize());
            let accepted = fits
                && search.attempt_map(|i, mut op| {
                    if i == lender {
                        return None;
                    }
                    if let (true, Some(kind)) = (i == heir, op.kind_mut()) {
                        kind.finalizer = Some(Finalizer::Modern(script));
                    }
                    without(op, |place| dst.path().is_empty() && place.base == dst.base && !dst.is_nothing(), true)
                });
            if accepted {
                break;
            }
        }
    }
}

/// Gives the finalizer of one object to another instead. In the script `self` is as it was, or the object that was one
/// step away.
pub(in crate::shrink) fn rehost(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let host = position - 1;
        position = host.min(search.best().ops().len());
        let Some(finalizer) = search.best().ops().get(host).and_then(|op| op.kind()?.finalizer) else { continue };
        let (Finalizer::Modern(script) | Finalizer::Legacy(script)) = finalizer;
        for heir in (0..search.best().ops().len()).rev() {
            let fits = heir != host
                && search.best().ops()[heir].kind().is_some_and(|k| k.finalizer.is_none() && k.shape.can_finalize());
            let body = search.best().script_range(script);
            let accepted = fits
                && std::iter::once(None).chain((0..NODE_SLOTS).map(Some)).any(|step| {
                    search.attempt_map(|i, mut op| {
                        if let Some(kind) = op.kind_mut() {
                            if i == host {
                                kind.finalizer = None;
                            } else if i == heir {
                                kind.finalizer = Some(finalizer);
                            }
                        }
                        if let (true, Some(slot)) = (body.contains(&i), step) {
                            op.for_each_place(|place| *place = skip(*place, Place::of(Base::Owner), slot));
                        }
                        Some(op)
                    })
                });
            if accepted {
                break;
            }
        }
    }
}

/// Replaces an operation by the operations of a script: the operation that runs it, or any other. Once as they are, once with
/// a full collection after them, which looks at the heap as the end of a script does.
pub(in crate::shrink) fn inline(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let index = position - 1;
        position = index.min(search.best().ops().len());
        let owner = match search.best().ops()[index] {
            Op::Call { callable } => callable,
            op => op.target().unwrap_or(Place::NOTHING),
        };
        for script in 0..search.best().scripts() {
            let script = ScriptId(script as u8);
            let own = search.best().script_range(script).contains(&index);
            if !own && [false, true].into_iter().any(|collects| splice(search, index, script, owner, collects)) {
                break;
            }
        }
    }
}

/// Puts a script's operations in place of one operation; `owner` stands for `self` in them.
fn splice(search: &mut Search, index: usize, script: ScriptId, owner: Place, collects: bool) -> bool {
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
            if collects {
                out.push(Op::Collect { generation: 2 });
            }
        });
    })
}
