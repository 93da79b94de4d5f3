//! Places: nothing, shorter, or simpler names for the same object.

use super::super::search::Search;
use crate::scenario::{Base, Op, Place};

/// Calls `push` with a copy of the operation for each of its places, changed by `change`.
fn each_place(op: Op, out: &mut Vec<Op>, mut change: impl FnMut(Place, &mut Vec<Place>)) {
    let mut places = Vec::new();
    let mut count = 0;
    let mut copy = op;
    copy.for_each_place(|_| count += 1);
    for which in 0..count {
        places.clear();
        let mut at = 0;
        copy.for_each_place(|place| {
            if at == which {
                change(*place, &mut places);
            }
            at += 1;
        });
        for other in &places {
            let mut changed = op;
            let mut at = 0;
            changed.for_each_place(|place| {
                if at == which {
                    *place = *other;
                }
                at += 1;
            });
            out.push(changed);
        }
    }
}

/// Replaces each place by nothing.
pub(in crate::shrink) fn empty(search: &mut Search) {
    search.replace_each(|best, index, out| {
        each_place(best.ops()[index], out, |place, places| {
            if !place.is_nothing() {
                places.push(Place::NOTHING);
            }
        });
    });
}

/// Drops the first or last step of each path, and tries every variable, `self` and `arg` in its place.
pub(in crate::shrink) fn simplify(search: &mut Search) {
    search.replace_each(|best, index, out| {
        let vars = best.vars();
        let in_script = index >= best.range(0).end;
        each_place(best.ops()[index], out, |place, places| {
            if place.is_nothing() {
                return;
            }
            if let Some((shorter, last)) = place.split() {
                places.push(shorter);
                if !shorter.path().is_empty() {
                    places.push(Place::of(place.base).slot(last));
                }
            }
            let bases =
                (0..vars).map(Base::Var).chain(in_script.then_some([Base::Owner, Base::Arg]).into_iter().flatten());
            for base in bases {
                if place.path().is_empty() {
                    places.push(Place::of(base));
                } else {
                    places.push(Place::of(base));
                    places.push(place.path().iter().fold(Place::of(base), |place, slot| place.slot(*slot)));
                }
            }
            places.retain(|other| *other != place);
        });
    });
}
