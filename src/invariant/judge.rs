//! The judge: takes the events of a run, keeps the shadow heap up to date, and asks the invariants at their
//! [moments](super::check::Check).

use super::coverage::Coverage;
use super::description::Description;
use super::shadow::Shadow;
use super::violation::Violation;
use super::violations::{Judged, Violations};
use super::{Invariant, i30_weakmap_coherent, i31_exc_preserved, i39_progress};
use crate::bits::Bits;
use crate::event::{Event, ObjId};
use crate::scenario::Scenario;
use crate::subject::{Declaration, Expectations, Needs, Questions};

/// Judges runs, one after the other, and keeps its memory between them.
#[derive(Debug)]
pub struct Judge {
    pub(super) s: Shadow,
    pub(super) out: Violations,
    pub(super) reached: Coverage,
    /// What three invariants keep from one event to the next.
    pub(super) iteration: i30_weakmap_coherent::Iteration,
    pub(super) raised: i31_exc_preserved::Pending,
    pub(super) clock: i39_progress::Clock,
    /// The collection whose unreachable set has been looked at.
    pub(super) examined: u32,
    /// Something waits for the next event that is not of a snapshot: see [`Judge::prepare`].
    pub(super) pending: bool,
    /// Nothing after undefined behaviour is judged.
    pub(super) over: bool,
    /// Whose runs are judged: what they show, and what is known of the subject.
    subject: (Needs, Expectations),
}

impl Default for Judge {
    fn default() -> Self {
        Judge::new()
    }
}

macro_rules! description {
    (one $module:ident $code:ident) => {
        Some(&<super::$module::$code as super::check::Check>::DESCRIPTION)
    };
    (several $module:ident $code:ident) => {
        None
    };
}

macro_rules! of_one_run {
    (=> $($code:ident $name:literal $runs:ident $module:ident;)*) => {
        /// What the invariants of single runs say of themselves, by number.
        static OF_ONE_RUN: [Option<&Description>; Invariant::COUNT] = [$(description!($runs $module $code)),*];
    };
}

invariants! { of_one_run! }

impl Judge {
    /// A judge with no run to judge.
    pub fn new() -> Judge {
        Judge {
            s: Shadow::default(),
            out: Violations::new(),
            reached: Coverage::default(),
            iteration: Default::default(),
            raised: Default::default(),
            clock: Default::default(),
            examined: 0,
            pending: false,
            over: false,
            subject: (Needs::ALL, Expectations::UNKNOWN),
        }
    }

    /// A judge that reports up to `limit` violations of one invariant in full, and not [`MAX_PER_INVARIANT`].
    ///
    /// [`MAX_PER_INVARIANT`]: super::MAX_PER_INVARIANT
    pub(crate) fn keeping(limit: u32) -> Judge {
        let mut judge = Judge::new();
        judge.out.keep(limit);
        judge
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
        if self.subject != (declaration.observes, declaration.expectations) {
            self.change_subject(declaration);
        }
        self.s.start(scenario);
        self.out.start();
        self.reached = Coverage { runs: 1, ..Coverage::default() };
        self.iteration.stop();
        self.raised.start();
        self.clock.start();
        self.examined = 0;
        self.pending = false;
        self.over = false;
    }

    #[cold]
    fn change_subject(&mut self, declaration: &Declaration) {
        self.subject = (declaration.observes, declaration.expectations);
        self.s.expect(&declaration.expectations);
        let cannot = |number: &usize| OF_ONE_RUN[*number].is_some_and(|about| !about.fits(declaration));
        self.out.leave_out((0..Invariant::COUNT).filter(cannot).fold(Bits::NONE, Bits::with));
    }

    /// Ends the run: all violations in order, the first is primary.
    pub fn finish(&mut self) -> &[Violation] {
        if self.s.snapshot().is_awaited() {
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
        self.s.expectations().asked()
    }

    /// The shadow heap as it stands.
    pub(super) fn shadow(&self) -> &Shadow {
        &self.s
    }

    /// The same, to look through it.
    pub(super) fn shadow_mut(&mut self) -> &mut Shadow {
        &mut self.s
    }

    /// What this run reached.
    pub fn reached(&self) -> Coverage {
        self.reached
    }

    /// Takes the next events of the run that [`Judge::start`] has announced: in slices of any size, all at once is fastest.
    pub fn take(&mut self, events: &[Event]) {
        #[cfg(feature = "mutants")]
        let heard = crate::mutants::heard(events);
        #[cfg(feature = "mutants")]
        let events = &*heard;
        let mut rest = events.iter();
        if self.over {
            return;
        }
        loop {
            let from = rest.as_slice();
            let Some(event) = rest.next() else { return };
            self.s.set_at(self.s.confidence().at().wrapping_add(1));
            if self.pending && !matches!(event, Event::Snapshot) {
                self.prepare(event);
            }
            match *event {
                Event::Step { op } => {
                    self.reached.effective_ops += 1;
                    let iterates = self.s.apply_step(op);
                    self.clock.step(&mut self.s, &mut self.out);
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
                Event::StoreSlot { holder, slot, object } => self.store_slot(holder, slot, object),
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
                Event::Length { container, len, raw } => self.length(container, len, raw),
                Event::Yielded { container, entry } => {
                    self.s.apply_yielded(entry);
                    self.iteration.yielded(&self.s, &mut self.out, container, entry);
                }
                Event::Snapshot => {
                    if self.s.snapshot().is_reading() {
                        self.settle_early();
                    }
                    self.pending = true;
                    self.s.apply_snapshot();
                    rest = self.lines(rest.as_slice()).iter();
                }
                // Of a snapshot that began in an earlier slice.
                Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. } => {
                    self.s.set_at(self.s.confidence().at().wrapping_sub(1));
                    rest = self.lines(from).iter();
                }
                Event::Undefined { reason } => return self.undefined(reason),
                Event::End => {
                    self.iteration.end(&self.s, &mut self.out);
                    self.s.apply_end();
                    self.clock.step(&mut self.s, &mut self.out);
                    self.pending = true;
                }
            }
        }
    }

    /// What is to be done before an event that is not of a snapshot: what followed the last one is complete.
    #[inline(always)]
    fn prepare(&mut self, event: &Event) {
        if matches!(event, Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. }) {
            return;
        }
        if self.s.snapshot().is_awaited() || self.s.snapshot().is_reading() {
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
            self.s.forget_just_left();
        }
    }

    /// An event speaks of an object, perhaps of a freed one.
    #[inline]
    pub(super) fn used(&mut self, object: Option<ObjId>) {
        if let Some(object) = object
            && self.s.objects().is_freed(object)
        {
            self.used_freed(object);
        }
    }
}
