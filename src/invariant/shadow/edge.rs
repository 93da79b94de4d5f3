//! Edges: the object that a slot, a variable or a root holds, as one number.

use crate::event::ObjId;

/// No object; every other edge is the index of the object plus 1.
pub(crate) const NONE: u32 = 0;

/// The edge to an object.
#[inline]
pub(crate) fn pack(object: Option<ObjId>) -> u32 {
    match object {
        Some(o) => o.index() as u32 + 1,
        None => NONE,
    }
}

/// The object that an edge leads to.
#[inline]
pub(crate) fn unpack(edge: u32) -> Option<ObjId> {
    (edge != NONE).then(|| ObjId::from_index(edge - 1))
}
