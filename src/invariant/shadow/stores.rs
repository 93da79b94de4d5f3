//! New objects, and stores into their slots.

use super::Shadow;
use super::edge::{NONE, pack};
use super::facts::kind_of;
use super::object::Object;
use crate::event::{Code, ObjId, Role};
use crate::scenario::{Kind, Shape};
use crate::subject::Choice;

impl Shadow {
    /// An object is created.
    #[inline]
    pub(crate) fn apply_new(&mut self, object: ObjId, origin: u32, role: Role) {
        self.collection.disturb();
        if object.index() != self.objects.all.len() {
            self.confidence.lose_stream();
            return;
        }
        let facts = match kind_of(self.program.op(origin)) {
            Some(kind) => self.expectations.facts_of(kind, role),
            None => {
                self.confidence.lose_stream();
                self.expectations.facts_of(&Kind::new(Shape::Node), role)
            }
        };
        let Shadow { objects, expectations, .. } = self;
        objects.create(facts, || expectations.makes_legacy(&facts));
        self.reach.changed();
    }

    /// A deallocator's action that keeps trash which is being cleared does what only a finalizer may do.
    #[inline(always)]
    pub(super) fn note_saved(&mut self, new: u32) {
        if self.collection.runs() && self.collection.has_cleared() {
            self.note_saved_now(new);
        }
    }

    #[cold]
    fn note_saved_now(&mut self, new: u32) {
        if new != NONE && self.is_being_cleared(new as usize - 1) {
            let misleads = self.user_code.driver().is_some_and(|f| match f.code() {
                Code::Dealloc => true,
                // Objects of static types with tp_del are cleared like any other.
                Code::LegacyFinalizer => self.expectations.is(Choice::STATIC_FINALIZERS_UNSEEN),
                _ => false,
            });
            if misleads {
                self.mark_reached(new, Object::SPOILT);
                self.spoil_half_cleared();
            }
        }
    }

    /// True for what the collection which runs clears, or, where it cannot be told what that is, has cleared already and no
    /// root reaches.
    fn is_being_cleared(&mut self, index: usize) -> bool {
        if self.collection.unreachable().doomed().has(index) {
            return true;
        }
        let cleared = self.objects.all.get(index).is_some_and(|o| o.is(Object::CLEARED_NOW));
        cleared && {
            self.update_base();
            !self.reach.base().has(index)
        }
    }

    /// A slot changes; 0xff means that all become empty.
    #[inline]
    pub(crate) fn apply_store_slot(&mut self, holder: ObjId, slot: u8, object: Option<ObjId>) {
        self.collection.disturb();
        self.reach.changed();
        let new = pack(object);
        self.note_saved(new);
        let index = holder.index();
        let Some(status) = self.objects.all.get(index).map(|owner| owner.status) else { return };
        if status & Object::GONE != 0 {
            return;
        }
        if status & Object::CLEARED_NOW != 0 && self.collection.runs() {
            // The rest of the tp_clear that may still run drops it without a word.
            if !mutant!(StoresIntoClearedCount) {
                self.objects.loosen(new);
            }
        }
        if slot == 0xff && !mutant!(SlotsAreNotEmptied) {
            self.objects.drop_edges(index, 0, false);
        } else {
            self.objects.store(index, slot, new);
        }
        if !self.program.added_by_scripts().is_empty() {
            self.note_listed_by_scripts();
        }
    }
}
