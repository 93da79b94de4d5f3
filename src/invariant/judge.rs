//! The judge: hands every event to the shadow heap and to the invariants it concerns.

use super::coverage::Coverage;
use super::shadow::{After, Facts, Object, Shadow, pack};
use super::violation::Violation;
use super::violations::{Judged, Violations};
use super::*;
use crate::event::{Code, Event, ObjId, Undefined};
use crate::scenario::Scenario;
use crate::subject::{Declaration, Questions};

/// Judges runs, one after the other, and keeps its memory between them.
#[derive(Debug)]
pub struct Judge {
    pub(super) s: Shadow,
    pub(super) out: Violations,
    reached: Coverage,
    iteration: i30_weakmap_coherent::Iteration,
    raised: i31_exc_preserved::Pending,
    /// The collection whose unreachable set has been looked at.
    examined: u32,
    /// Something waits for the next event that is not of a snapshot: see [`Judge::prepare`].
    pending: bool,
    over: bool,
}

impl Default for Judge {
    fn default() -> Self {
        Judge::new()
    }
}

impl Judge {
    /// A judge with no run to judge.
    pub fn new() -> Judge {
        Judge {
            s: Shadow::new(),
            out: Violations::new(),
            reached: Coverage::default(),
            iteration: Default::default(),
            raised: Default::default(),
            examined: 0,
            pending: false,
            over: false,
        }
    }

    /// Judges one run: all violations in order, the first is primary.
    pub fn judge(&mut self, scenario: &Scenario, events: &[Event], declaration: &Declaration) -> &[Violation] {
        self.start(scenario, declaration);
        self.take(events);
        self.finish()
    }

    /// Judges the beginning of a run: what is settled by its last event.
    pub fn judge_beginning(
        &mut self,
        scenario: &Scenario,
        events: &[Event],
        declaration: &Declaration,
    ) -> &[Violation] {
        self.start(scenario, declaration);
        self.take(events);
        self.out.finish();
        &self.out.violations
    }

    /// Starts a run whose events follow through [`Judge::take`], in any number of slices.
    pub fn start(&mut self, scenario: &Scenario, declaration: &Declaration) {
        self.s.start(scenario, declaration);
        self.out.start(declaration);
        self.reached = Coverage { runs: 1, ..Coverage::default() };
        self.iteration.stop();
        self.raised.start();
        self.examined = 0;
        self.pending = false;
        self.over = false;
    }

    /// Ends the run: all violations in order, the first is primary.
    pub fn finish(&mut self) -> &[Violation] {
        if self.s.after != After::Nothing {
            self.settle_early();
        }
        self.out.finish();
        &self.out.violations
    }

    /// The violations so far.
    pub fn violations(&self) -> &[Violation] {
        &self.out.violations
    }

    /// How often an invariant was judged in this run.
    pub fn judged(&self, invariant: Invariant) -> Judged {
        self.out.judged[invariant as usize]
    }

    /// What was asked of the declaration in this run.
    pub fn asked(&self) -> Questions {
        self.s.expectations.asked()
    }

    /// The shadow heap as it stands.
    pub(crate) fn shadow(&self) -> &Shadow {
        &self.s
    }

    /// What this run reached.
    pub fn reached(&self) -> Coverage {
        self.reached
    }

    /// The snapshot that followed an event is complete, or there was none.
    #[inline(always)]
    fn settle(&mut self) {
        let after = std::mem::replace(&mut self.s.after, After::Nothing);
        let observed = std::mem::replace(&mut self.s.reading, false);
        let (s, out) = (&mut self.s, &mut self.out);
        if observed {
            // Lines that broke it were reported as they came.
            out.pass(Invariant::I24);
            i25_list_integrity::snapshot(s, out);
            if !s.untracked.is_empty() {
                i23_tracked::snapshot(s, out);
            }
        }
        match after {
            After::Nothing | After::Leave | After::CollectStart => {}
            After::Enter => self.settle_enter(observed),
            After::CollectEnd { returned, uncollectable, automatic } => {
                self.settle_collection(observed, returned, uncollectable, automatic);
            }
            After::End => {
                if observed {
                    at_rest(s, out, true);
                }
            }
        }
    }

    /// The same where no event follows that would.
    #[inline(never)]
    fn settle_early(&mut self) {
        self.settle();
    }

    #[inline(never)]
    fn settle_enter(&mut self, observed: bool) {
        let (s, out) = (&mut self.s, &mut self.out);
        let Some(frame) = s.frames.last().copied() else { return };
        let Some(owner) = shadow::unpack(frame.owner) else { return };
        match frame.code {
            Code::Finalizer | Code::LegacyFinalizer => {
                i07_fin_once::entered(s, out, frame.code, owner);
                i09_fin_only_garbage::entered(s, out, owner);
                i17_callback_order::finalizer(s, out, owner);
            }
            Code::Callback => {
                if let Some(weak) = shadow::unpack(frame.arg) {
                    i11_ref_dead_in_callback::entered(s, out, weak, observed);
                    i14_callback_once::entered(s, out, weak);
                    i15_no_callback_from_trash::entered(s, out, weak);
                    i17_callback_order::callback(s, out, weak);
                }
            }
            Code::Dealloc => i08_fin_before_clear::dealloc_action(s, out, owner),
            Code::GcCallback | Code::Call => {}
        }
        if frame.code != Code::Dealloc {
            i01_no_insane::obtained(s, out, owner, "was started on it");
        }
    }

    #[inline(never)]
    fn settle_collection(&mut self, observed: bool, returned: u32, uncollectable: u32, automatic: bool) {
        let (s, out) = (&mut self.s, &mut self.out);
        i02_no_insane_after::collected(s, out);
        if observed {
            i19_complete::collected(s, out);
            i21_counts::collected(s, out, returned, uncollectable);
            i22_resurrect_local::collected(s, out);
            i26_traverse_faithful::collected(s, out);
            i32_generation::collected(s, out);
        }
        i20_converge::collected(s, out, returned, uncollectable, automatic);
        let c = &s.col;
        if c.trash.meets(&s.present) {
            let saved = |i: &usize| s.objects[*i].lives() && !c.doomed.has(*i);
            self.reached.resurrections += c.trash.iter().filter(saved).count() as u64;
        }
        let ours = c.depth == 0;
        s.col.active = false;
        s.version += 1;
        if observed && ours && s.quiescent() {
            at_rest(s, out, !automatic);
            i40_ephemeron::collected(s, out);
        }
    }

    /// Looks at the unreachable set once it is known.
    #[inline(always)]
    fn examine(&mut self) {
        let c = &self.s.col;
        if c.ready && c.number != self.examined {
            self.examined = c.number;
            self.reached.collections_with_trash += u64::from(c.found > 0);
            i26_traverse_faithful::examined(&self.s, &mut self.out);
        }
    }

    #[inline(never)]
    fn enter(&mut self, code: Code, owner: ObjId, arg: Option<ObjId>) {
        self.used(Some(owner));
        self.used(arg);
        self.s.apply_enter(code, owner, arg);
        if self.s.col.clears > 0 {
            self.s.expose(code);
        }
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
        r.surprises += u64::from(user && self.s.col.active && self.s.col.clears > 0);
    }

    fn leave(&mut self) {
        self.pending = true;
        let Some(frame) = self.s.apply_leave() else { return };
        if frame.code == Code::Finalizer
            && let Some(o) = self.s.at(frame.owner)
        {
            let collected = self.s.col.is_trash(frame.owner as usize - 1);
            self.reached.resurrections += u64::from(o.lives() && o.in_edges > 0 && !collected);
        }
        self.raised.left(&self.s, &frame);
    }

    #[inline(never)]
    fn clear(&mut self, object: ObjId) {
        self.used(Some(object));
        let (s, out) = (&mut self.s, &mut self.out);
        s.settle_collection();
        i27_clear_safe::clear(s, out, object);
        i03_clear_sound::clear(s, out, object);
        i08_fin_before_clear::clear(s, out, object);
        i32_generation::clear(s, out, object);
        self.examine();
        self.s.apply_clear(object);
        self.reached.clears += 1;
    }

    #[inline(never)]
    fn no_effect(&mut self) {
        self.reached.dropped_ops += 1;
        if self.s.frames.is_empty() {
            self.reached.effective_ops = self.reached.effective_ops.saturating_sub(1);
        }
        self.s.apply_no_effect();
    }

    #[inline(never)]
    fn collect_start(&mut self, generation: u8, automatic: bool) {
        self.reached.collections += 1;
        self.reached.automatic_collections += u64::from(automatic);
        self.s.apply_collect_start(generation, automatic);
        self.pending = true;
    }

    #[inline(never)]
    fn collect_end(&mut self, returned: u32, uncollectable: u32) {
        self.s.close_collection();
        self.examine();
        let automatic = self.s.col.automatic;
        self.s.after = After::CollectEnd { returned, uncollectable, automatic };
        self.pending = true;
    }

    #[inline(always)]
    fn dealloc(&mut self, object: ObjId) {
        i04_free_once::dealloc(&self.s, &mut self.out, object);
        let left = std::mem::replace(&mut self.s.just_left, shadow::NONE);
        self.s.col.refs_freed += u32::from(left == pack(Some(object)));
        self.s.ready_by_death();
        self.examine();
        self.s.apply_dealloc(object);
    }

    #[inline(always)]
    fn free(&mut self, object: ObjId) {
        let (s, out) = (&mut self.s, &mut self.out);
        self.reached.freed += 1;
        if let Some(o) = s.get(object) {
            // Most objects: whole, held by nothing, without finalizer and weak references.
            let plain = !o.is(Object::FREED | Object::CLEARED | Object::UNKNOWN_HOLDERS)
                && o.in_edges | o.weak_head == 0
                && !o.facts.is(Facts::FINALIZER | Facts::LEGACY);
            if plain && !s.stream_unclear {
                out.pass(Invariant::I04);
                out.pass(Invariant::I05);
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
        i04_free_once::free(s, out, object);
        i05_no_dangling::free(s, out, object);
        i10_fin_not_lost::free(s, out, object);
        if o.weak_head != 0 {
            i14_callback_once::free(s, out, object);
            self.reached.callbacks_suppressed += i14_callback_once::suppressed(s, object);
        }
    }

    #[inline(always)]
    fn saw(&mut self, object: ObjId, introspection: bool) {
        let (s, out) = (&mut self.s, &mut self.out);
        let Some(o) = s.get(object) else { return };
        let sane = !o.is(Object::FREED | Object::CLEARED);
        if sane && s.frames.is_empty() && !introspection {
            return out.pass(Invariant::I02);
        }
        if !sane {
            i05_no_dangling::used(s, out, object);
            self.reached.insane_seen += u64::from(s.get(object).is_some_and(|o| o.is(Object::CLEARED)));
            if s.col.clears > 0 && !introspection {
                s.expose_seen(object);
            }
        }
        if introspection {
            i01b_no_insane_introspect::scanned(s, out, object);
        } else {
            i01_no_insane::obtained(s, out, object, "reached it");
            i02_no_insane_after::saw(s, out, object);
        }
    }

    #[inline(never)]
    fn answer(&mut self, weak: ObjId, referent: Option<ObjId>) {
        let (s, out) = (&self.s, &mut self.out);
        i05_no_dangling::used(s, out, weak);
        i11_ref_dead_in_callback::answer(s, out, weak, referent);
        i12_ref_dead_implies_dying::answer(s, out, weak, referent);
        i13_no_zombie_deref::answer(s, out, weak, referent);
        if let Some(object) = referent {
            i05_no_dangling::used(s, out, object);
            i01_no_insane::obtained(s, out, object, "got it from a weak reference");
            i02_no_insane_after::saw(s, out, object);
        }
    }

    #[inline]
    pub(super) fn used(&mut self, object: Option<ObjId>) {
        if let Some(object) = object
            && self.s.get(object).is_some_and(|o| o.is(Object::FREED))
        {
            i05_no_dangling::used(&self.s, &mut self.out, object);
        }
    }

    /// Takes the next events of the run that [`Judge::start`] has announced: in slices of any size, all at once is fastest.
    pub fn take(&mut self, mut events: &[Event]) {
        if self.over {
            return;
        }
        while let [event, rest @ ..] = events {
            let from = std::mem::replace(&mut events, rest);
            self.s.at = self.s.at.wrapping_add(1);
            if self.pending && !matches!(event, Event::Snapshot) {
                self.prepare(event);
            }
            match *event {
                Event::Step { op } => {
                    self.reached.effective_ops += 1;
                    let iterates = self.s.apply_step(op);
                    if iterates || self.iteration.is_under_way() {
                        self.iteration.step(&self.s, &mut self.out);
                    }
                }
                Event::NoEffect => self.no_effect(),
                Event::New { object, origin, role } => {
                    self.reached.objects += 1;
                    self.s.apply_new(object, origin, role);
                }
                Event::NewWeak { weak, referent, callback } => {
                    self.used(Some(referent));
                    self.used(callback);
                    self.s.apply_new_weak(weak, referent, callback);
                }
                Event::StoreVar { var, object } => {
                    self.used(object);
                    self.s.apply_store_var(var, object);
                }
                Event::StoreSlot { holder, slot, object } => {
                    self.used(Some(holder));
                    self.used(object);
                    if !self.s.frames.is_empty() {
                        i30_weakmap_coherent::removed(&self.s, &mut self.out, holder, slot, object);
                    }
                    self.s.apply_store_slot(holder, slot, object);
                }
                Event::Enter { code, owner, arg } => self.enter(code, owner, arg),
                Event::Leave => self.leave(),
                Event::Saw { object, introspection } => self.saw(object, introspection),
                Event::Answer { weak, referent } => self.answer(weak, referent),
                Event::CollectStart { generation, automatic } => self.collect_start(generation, automatic),
                Event::CollectEnd { returned, uncollectable, .. } => self.collect_end(returned, uncollectable),
                Event::Refused => self.reached.nested_collections += 1,
                Event::Clear { object } => self.clear(object),
                Event::Dealloc { object } => self.dealloc(object),
                Event::Free { object } => self.free(object),
                Event::Unraisable { owner } => {
                    self.reached.exceptions += 1;
                    self.raised.unraisable(&self.s, &mut self.out, owner);
                    self.pending = true;
                }
                Event::Length { container, len, raw } => {
                    i30_weakmap_coherent::length(&self.s, &mut self.out, container, len, raw);
                }
                Event::Yielded { container, entry } => {
                    self.s.iter_arg = pack(Some(entry));
                    self.iteration.yielded(&self.s, &mut self.out, container, entry);
                }
                Event::Snapshot => {
                    if self.s.reading {
                        self.settle_early();
                    }
                    self.pending = true;
                    self.s.apply_snapshot();
                    events = self.lines(events);
                }
                // Of a snapshot that began in an earlier slice.
                Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. } => {
                    self.s.at = self.s.at.wrapping_sub(1);
                    events = self.lines(from);
                }
                Event::Undefined { reason } => return self.undefined(reason),
                Event::End => {
                    self.iteration.end(&self.s, &mut self.out);
                    self.s.end_steps();
                    self.s.after = After::End;
                    self.pending = true;
                }
            }
        }
    }

    /// What is to be done before an event that is not of a snapshot: what followed the last one is complete.
    #[inline(never)]
    fn prepare(&mut self, event: &Event) {
        if matches!(event, Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. }) {
            return;
        }
        if self.s.after != After::Nothing || self.s.reading {
            self.settle();
        }
        if matches!(event, Event::Unraisable { .. }) {
            return;
        }
        self.pending = false;
        if self.raised.is_waiting() {
            let dying = if let Event::Dealloc { object } = event { Some(*object) } else { None };
            let last = matches!(event, Event::Step { .. } | Event::End);
            self.raised.next(&self.s, &mut self.out, dying, last);
            self.pending = self.raised.is_waiting();
        }
        if !matches!(event, Event::Leave | Event::Dealloc { .. }) {
            self.s.just_left = shadow::NONE;
        }
    }

    #[cold]
    fn undefined(&mut self, reason: Undefined) {
        self.reached.undefined += 1;
        i05_no_dangling::undefined(&self.s, &mut self.out, reason);
        i24_publish_complete::undefined(&self.s, &mut self.out, reason);
        i26_traverse_faithful::undefined(&self.s, &mut self.out, reason);
        i27_clear_safe::undefined(&self.s, &mut self.out, reason);
        self.over = true;
    }
}

/// What is judged when nothing runs.
#[inline(never)]
fn at_rest(s: &mut Shadow, out: &mut Violations, explicit: bool) {
    if explicit {
        i06_refcount_exact::at_rest(s, out);
    }
    i12_ref_dead_implies_dying::at_rest(s, out);
    i16_no_callback_if_alive::at_rest(s, out);
    i37_bounded_depth::at_rest(s, out);
}
