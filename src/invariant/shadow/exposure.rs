//! What a finalizer could reach that the collector did not look for.
//!
//! On 2.7 that is the finalizer of an object of a static C type: the object is cleared like any other trash, and when it
//! dies of that its finalizer runs amid objects that have been cleared or will be.

use super::Shadow;
use super::object::Object;
use super::user_code::Frame;
use crate::event::{Code, ObjId};
use crate::subject::Choice;

impl Shadow {
    /// True if the innermost user code is the finalizer of an object of a static C type in the trash that is being cleared,
    /// and the collector does not look for it.
    fn is_unforeseen(&self) -> bool {
        let is = |f: &Frame| {
            matches!(f.code(), Code::Finalizer | Code::LegacyFinalizer)
                && self.collection.is_trash(f.owner() as usize - 1)
                && self.at(f.owner()).is_some_and(|o| o.facts.shape.is_extension())
        };
        self.collection.has_cleared()
            && self.user_code.driver().is_some_and(is)
            && self.expectations.is(Choice::STATIC_FINALIZERS_UNSEEN)
    }

    /// Marks what of the trash such a finalizer that starts can reach.
    #[cold]
    pub(crate) fn expose(&mut self, code: Code) {
        if let Some(owner) = self.user_code.frames().last().map(Frame::owner)
            && code != Code::Call
            && self.is_unforeseen()
        {
            self.follow(owner);
            let Shadow { objects, reach, collection, .. } = self;
            let trash = collection.unreachable().trash();
            let exposed = reach.found().iter().filter(|i| trash.has(*i));
            exposed.for_each(|i| objects.all[i].status |= Object::EXPOSED);
        }
    }

    /// The same for what it has reached, by the edges that a `tp_clear` was about to drop.
    #[cold]
    pub(crate) fn expose_seen(&mut self, object: ObjId) {
        if self.is_unforeseen() && self.collection.is_trash(object.index()) {
            self.objects.all[object.index()].status |= Object::EXPOSED;
        }
    }
}
