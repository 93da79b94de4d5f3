//! What the judge does at each event, and which [moments](super::check::Check) that is for the invariants.

use super::i14_callback_once::suppressed;
use super::judge::Judge;
use super::shadow::{After, Facts, Object, unpack};
use crate::event::{Code, ObjId, Undefined};

impl Judge {
    /// The snapshot that followed an event is complete, or there was none.
    #[inline(always)]
    pub(super) fn settle(&mut self) {
        let (after, observed) = self.s.end_snapshot();
        let (s, out) = (&mut self.s, &mut self.out);
        if observed {
            ask!(listed(s, out));
            ask!(shown(s, out));
        }
        match after {
            After::Nothing | After::Leave | After::CollectStart => {}
            After::Enter => self.settle_enter(observed),
            After::CollectEnd { returned, uncollectable } => self.settle_collection(observed, returned, uncollectable),
            After::End if observed => self.at_rest(true),
            After::End => {}
        }
    }

    /// The same where no event follows that would.
    #[inline(never)]
    pub(super) fn settle_early(&mut self) {
        self.settle();
    }

    #[inline(never)]
    fn settle_enter(&mut self, observed: bool) {
        let (s, out) = (&mut self.s, &mut self.out);
        let Some(frame) = s.user_code().frames().last().copied() else { return };
        let Some(owner) = unpack(frame.owner()) else { return };
        match frame.code() {
            code @ (Code::Finalizer | Code::LegacyFinalizer) => ask!(finalizer_entered(s, out, code, owner)),
            Code::Callback => {
                if let Some(weak) = unpack(frame.arg()) {
                    ask!(callback_entered(s, out, weak, observed));
                }
            }
            Code::Dealloc => return ask!(action_entered(s, out, owner)),
            Code::GcCallback | Code::Call => {}
        }
        ask!(obtained(s, out, owner, "was started on it"));
    }

    #[inline(never)]
    fn settle_collection(&mut self, observed: bool, returned: u32, uncollectable: u32) {
        let (s, out) = (&mut self.s, &mut self.out);
        if observed {
            s.complete_collection();
        }
        ask!(collection_ended(s, out));
        if observed {
            ask!(collected(s, out, returned, uncollectable));
        }
        ask!(returned(s, out, returned, uncollectable));
        let (trash, doomed) = (s.collection().unreachable().trash(), s.collection().unreachable().doomed());
        if trash.meets(s.objects().present()) {
            let saved = |i: &usize| s.objects().all()[*i].lives() && !doomed.has(*i);
            self.reached.resurrections += trash.iter().filter(saved).count() as u64;
        }
        let ours = s.end_collection();
        if observed && ours && s.quiescent() {
            self.at_rest(!self.s.collection().is_automatic());
            let (s, out) = (&mut self.s, &mut self.out);
            ask!(collected_at_rest(s, out));
        }
    }

    /// Nothing runs.
    #[inline(never)]
    fn at_rest(&mut self, explicit: bool) {
        let (s, out) = (&mut self.s, &mut self.out);
        ask!(at_rest(s, out, explicit));
    }

    /// Looks at the unreachable set once it is known.
    #[inline(always)]
    fn examine(&mut self) {
        let (s, out) = (&self.s, &mut self.out);
        let c = s.collection();
        if c.unreachable().is_ready() && c.number() != self.examined {
            self.examined = c.number();
            self.reached.collections_with_trash += u64::from(c.unreachable().found() > 0);
            ask!(found(s, out));
        }
    }

    #[inline(never)]
    pub(super) fn enter(&mut self, code: Code, owner: ObjId, arg: Option<ObjId>) {
        self.used(Some(owner));
        self.used(arg);
        self.s.apply_enter(code, owner, arg);
        self.pending = true;
        self.examine();
        let r = &mut self.reached;
        match code {
            Code::Finalizer | Code::LegacyFinalizer => r.finalizers_run += 1,
            Code::Callback => r.callbacks_run += 1,
            Code::Dealloc => r.dealloc_actions += 1,
            Code::GcCallback | Code::Call => {}
        }
        let user = matches!(code, Code::Finalizer | Code::LegacyFinalizer | Code::Callback);
        let c = self.s.collection();
        r.surprises += u64::from(user && c.runs() && c.has_cleared());
    }

    pub(super) fn leave(&mut self) {
        self.pending = true;
        let Some(frame) = self.s.apply_leave() else { return };
        if frame.code() == Code::Finalizer
            && let Some(o) = self.s.at(frame.owner())
        {
            let collected = self.s.collection().is_trash(frame.owner() as usize - 1);
            self.reached.resurrections += u64::from(o.lives() && o.in_edges() > 0 && !collected);
        }
        self.raised.left(&self.s, &frame);
    }

    #[inline(never)]
    pub(super) fn clear(&mut self, object: ObjId) {
        self.used(Some(object));
        let (s, out) = (&mut self.s, &mut self.out);
        s.settle_collection();
        ask!(clear_called(s, out, object));
        ask!(clearing(s, out, object));
        self.examine();
        self.s.apply_clear(object);
        self.reached.clears += 1;
    }

    #[inline(never)]
    pub(super) fn no_effect(&mut self) {
        self.reached.dropped_ops += 1;
        if self.s.user_code().is_idle() {
            self.reached.effective_ops = self.reached.effective_ops.saturating_sub(1);
            // What a script could not do says nothing of the operation in which it runs.
            self.s.apply_no_effect();
        }
    }

    #[inline(never)]
    pub(super) fn collect_start(&mut self, generation: u8, automatic: bool) {
        self.reached.collections += 1;
        self.reached.automatic_collections += u64::from(automatic);
        self.s.apply_collect_start(generation, automatic);
        self.pending = true;
    }

    #[inline(never)]
    pub(super) fn collect_end(&mut self, returned: u32, uncollectable: u32) {
        self.s.apply_collect_end(returned, uncollectable);
        self.examine();
        self.pending = true;
    }

    #[inline(always)]
    pub(super) fn dealloc(&mut self, object: ObjId) {
        let (s, out) = (&mut self.s, &mut self.out);
        ask!(dealloc(s, out, object));
        if s.before_dealloc(object) {
            self.examine();
        }
        self.s.apply_dealloc(object);
    }

    #[inline(always)]
    pub(super) fn free(&mut self, object: ObjId) {
        let (s, out) = (&mut self.s, &mut self.out);
        self.reached.freed += 1;
        if let Some(o) = s.get(object) {
            // Most objects: whole, held by nothing, without finalizer and weak references.
            let plain = !o.is(Object::FREED | Object::CLEARED | Object::UNKNOWN_HOLDERS)
                && o.in_edges() == 0
                && !o.has_weakrefs()
                && !o.facts().is(Facts::FINALIZER | Facts::LEGACY);
            if plain && !s.confidence().is_stream_unclear() {
                ask!(freed_plainly(out));
            } else {
                self.free_other(object);
            }
        }
        self.s.apply_free(object);
    }

    /// The memory of an object is released about which there is more to judge.
    #[inline(never)]
    fn free_other(&mut self, object: ObjId) {
        let (s, out) = (&self.s, &mut self.out);
        let Some(o) = s.get(object) else { return };
        self.reached.freed_by_clear += u64::from(o.is(Object::CLEARED));
        ask!(freed(s, out, object));
        if o.has_weakrefs() {
            self.reached.callbacks_suppressed += suppressed(s, object);
        }
    }

    #[inline(always)]
    pub(super) fn saw(&mut self, object: ObjId, introspection: bool) {
        let (s, out) = (&mut self.s, &mut self.out);
        let Some(o) = s.get(object) else { return };
        let sane = !o.is(Object::FREED | Object::CLEARED);
        if sane && s.user_code().is_idle() && !introspection {
            return ask!(saw_plainly(out));
        }
        if !sane {
            self.saw_insane(object);
        }
        let (s, out) = (&self.s, &mut self.out);
        if introspection {
            ask!(scanned(s, out, object));
        } else {
            ask!(obtained(s, out, object, "reached it"));
            ask!(saw(s, out, object));
        }
    }

    /// Somebody saw an object that has been cleared or freed.
    #[cold]
    fn saw_insane(&mut self, object: ObjId) {
        self.used(Some(object));
        self.reached.insane_seen += u64::from(self.s.get(object).is_some_and(|o| o.is(Object::CLEARED)));
    }

    #[inline(never)]
    pub(super) fn answer(&mut self, weak: ObjId, referent: Option<ObjId>) {
        self.used(Some(weak));
        let (s, out) = (&mut self.s, &mut self.out);
        ask!(answered(s, out, weak, referent));
        if let Some(object) = referent {
            self.used(Some(object));
            self.s.note_answered(object);
            let (s, out) = (&self.s, &mut self.out);
            ask!(obtained(s, out, object, "got it from a weak reference"));
            ask!(saw(s, out, object));
        } else if !self.s.collection().runs() {
            let (s, out) = (&mut self.s, &mut self.out);
            ask!(denied(s, out, weak));
        }
    }

    #[inline]
    pub(super) fn store_slot(&mut self, holder: ObjId, slot: u8, object: Option<ObjId>) {
        self.used(Some(holder));
        self.used(object);
        let (s, out) = (&self.s, &mut self.out);
        if !s.user_code().is_idle() || s.some_containers() {
            ask!(storing(s, out, holder, slot, object));
        }
        self.s.apply_store_slot(holder, slot, object);
    }

    #[inline]
    pub(super) fn length(&mut self, container: ObjId, len: u32, raw: u32) {
        let (s, out) = (&self.s, &mut self.out);
        ask!(length(s, out, container, len, raw));
    }

    #[cold]
    pub(super) fn used_freed(&mut self, object: ObjId) {
        let (s, out) = (&self.s, &mut self.out);
        ask!(used(s, out, object));
    }

    #[cold]
    pub(super) fn undefined(&mut self, reason: Undefined) {
        self.reached.undefined += 1;
        let (s, out) = (&self.s, &mut self.out);
        ask!(undefined(s, out, reason));
        self.over = true;
    }
}
