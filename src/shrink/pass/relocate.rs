//! Where objects are created and what they are held by.

use super::super::measure::creates;
use super::super::search::Search;
use super::remove::without;
use crate::scenario::{Base, NODE_SLOTS, Op, Place, Tracking};

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
/// place from then on. Once with the creation where it was, once where the store was; and the same without GC support, which
/// keeps it out of the trash as the variable did. Where it is created into a slot and stored from there, creates it where it
/// is stored alone.
pub(in crate::shrink) fn fold(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let store = position - 1;
        position = store;
        let Some(Op::Set { dst, src }) = search.best().ops().get(store).copied() else { continue };
        let created =
            search.best().ops().iter().copied().position(|mut op| op.result_mut().is_some_and(|dst| *dst == src));
        let Some(create) = created else { continue };
        if !src.path().is_empty() {
            attempt_move(search, create, store, dst);
            continue;
        }
        let Base::Var(var) = src.base else { continue };
        if dst.base == src.base {
            continue;
        }
        for (late, header) in [(false, true), (true, true), (false, false), (true, false)] {
            if attempt_fold(search, create, store, (var, dst), late, header) {
                position = search.best().ops().len().min(position + 1);
                break;
            }
        }
    }
}

fn attempt_move(search: &mut Search, create: usize, store: usize, place: Place) {
    let mut creation = search.best().ops()[create];
    if let Some(dst) = creation.result_mut() {
        *dst = place;
    }
    search.attempt_map(|i, op| match i {
        i if i == create => Some(creation),
        i if i == store => None,
        _ => Some(op),
    });
}

fn attempt_fold(
    search: &mut Search,
    create: usize,
    store: usize,
    (var, place): (u16, Place),
    late: bool,
    header: bool,
) -> bool {
    let mut creation = search.best().ops()[create];
    if let (false, Some(kind)) = (header, creation.kind_mut()) {
        kind.tracking = Tracking::NoHeader;
    }
    if let Some(dst) = creation.result_mut() {
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

/// Takes an object out from between two others: it is not created, and what one of its slots would hold is put where it
/// would be. Once as it is, once with the slot hidden where the object was.
pub(in crate::shrink) fn bypass(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let create = position - 1;
        position = create.min(search.best().ops().len());
        let created = search.best().ops().get(create).filter(|op| op.kind().is_some());
        let Some(dst) = created.and_then(Op::target) else { continue };
        if dst.path().len() > 1 || !matches!(dst.base, Base::Var(_)) {
            continue;
        }
        for (slot, hidden) in (0..NODE_SLOTS).flat_map(|slot| [(slot, false), (slot, true)]) {
            let accepted = search.attempt_map(|i, mut op| {
                if i == create {
                    return None;
                }
                if let (true, [into]) = (hidden, dst.path())
                    && creates(&op).map(Base::Var) == Some(dst.base)
                    && let Some(kind) = op.kind_mut()
                {
                    kind.hidden.0 |= 1u8.checked_shl(u32::from(*into)).unwrap_or(0);
                }
                op.for_each_place(|place| *place = skip(*place, dst, slot));
                Some(op)
            });
            if accepted {
                break;
            }
        }
    }
}

/// The place without the step from `holder` through `slot`, if it takes that step.
pub(super) fn skip(place: Place, holder: Place, slot: u8) -> Place {
    let path = place.path();
    let steps = holder.path().len();
    if place.base == holder.base && path.len() > steps && path[..steps] == *holder.path() && path[steps] == slot {
        path[steps + 1..].iter().fold(holder, |place, slot| place.slot(*slot))
    } else {
        place
    }
}

/// Creates an object that has a variable of its own in a slot of another variable's object instead. What else is done
/// with the variable is done with the slot, or not at all.
pub(in crate::shrink) fn adopt(search: &mut Search) {
    let mut position = search.best().ops().len();
    while position > 0 && !search.ended() {
        let create = position - 1;
        position = create.min(search.best().ops().len());
        let Some(var) = search.best().ops().get(create).and_then(creates) else { continue };
        let holders = (0..search.best().vars()).filter(|holder| *holder != var);
        for (holder, slot) in holders.flat_map(|holder| (0..NODE_SLOTS).map(move |slot| (holder, slot))) {
            let place = Place::var(holder).slot(slot);
            let accepted = [true, false].into_iter().any(|dropped| {
                search.attempt_map(|i, mut op| {
                    if i == create {
                        if let Some(dst) = op.result_mut() {
                            *dst = place;
                        }
                        return Some(op);
                    }
                    let clears = op == Op::Set { dst: Place::var(var), src: Place::NOTHING };
                    if clears {
                        return None;
                    }
                    if dropped {
                        return without(op, |place| place.base == Base::Var(var), true);
                    }
                    let mut fits = true;
                    op.for_each_place(|p| match substitute(*p, var, place) {
                        Some(other) => *p = other,
                        None => fits = false,
                    });
                    fits.then_some(op)
                })
            });
            if accepted {
                break;
            }
        }
    }
}
