//! Scripts: what user code does while objects die. They are written last, when every variable is known.

use super::builder::Builder;
use super::feature::Feature;
use super::heap_estimate::{Thing, Traits};
use super::pending_scripts::{PendingScript, ScriptRole};
use super::weighted::{Among, Row, Weighted, total};
use crate::scenario::{Base, Finalizer, Kind, Op, Place, ScriptId};

/// What a script can do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
    Look,
    Deref,
    Keep,
    KeepPart,
    Link,
    Unlink,
    DropVar,
    Create,
    Watch,
    Store,
    Collect,
    AtAllocation,
    Scan,
    Call,
    Raise,
    Modes,
    Tracking,
    Automatic,
    Garbage,
    EntryDies,
}

static ACTS: Weighted<Act, { total(ROWS) }> = Weighted::new(ROWS);

/// Acts with the feature that allows them and their weight.
const ROWS: &[Row<Act>] = &[
    (Act::Look, None, 34),
    (Act::Link, None, 7),
    (Act::Unlink, None, 8),
    (Act::Deref, Some(Feature::Weakrefs), 22),
    (Act::Keep, Some(Feature::Resurrection), 22),
    (Act::KeepPart, Some(Feature::Resurrection), 16),
    (Act::DropVar, Some(Feature::RootDrops), 26),
    (Act::Create, Some(Feature::Creation), 18),
    (Act::Watch, Some(Feature::LateWeakrefs), 26),
    (Act::Collect, Some(Feature::Nested), 26),
    (Act::AtAllocation, Some(Feature::AtAllocation), 10),
    (Act::Scan, Some(Feature::Scans), 14),
    (Act::Call, Some(Feature::Calls), 12),
    (Act::Raise, Some(Feature::Raises), 12),
    (Act::Modes, Some(Feature::GcCallbacks), 6),
    (Act::Modes, Some(Feature::Freeze), 8),
    (Act::Store, Some(Feature::WeakDicts), 8),
    (Act::Store, Some(Feature::WeakSets), 6),
    (Act::Tracking, Some(Feature::Untracked), 8),
    (Act::Automatic, Some(Feature::Automatic), 8),
    (Act::Garbage, Some(Feature::SaveAll), 10),
    (Act::Garbage, Some(Feature::Legacy), 6),
];

pub(super) const OWNER: Place = Place::of(Base::Owner);
pub(super) const ARG: Place = Place::of(Base::Arg);

impl Builder<'_> {
    /// Writes every promised script.
    pub fn scripts(&mut self) {
        for number in 0..self.plans.len() {
            let plan = *self.plans.plan(number);
            self.out.start_body();
            self.script(number, &plan);
        }
    }

    /// What a script does next. What its role adds comes first; what its role cannot do is drawn again.
    fn draw_act(&mut self, role: ScriptRole, acts: &Among<Act>) -> Act {
        let kept_dying = self.has(Feature::KeptDying);
        match role {
            ScriptRole::Dealloc if kept_dying && self.random.chance(64) => return Act::Keep,
            ScriptRole::Entry if self.random.chance(96) => return Act::EntryDies,
            _ => {}
        }
        loop {
            let act = acts.draw(&mut self.random);
            let impossible = match role {
                ScriptRole::Dealloc => matches!(act, Act::Keep | Act::Watch) && !kept_dying,
                ScriptRole::Body | ScriptRole::Entry | ScriptRole::Builder => {
                    matches!(act, Act::Keep | Act::KeepPart | Act::Raise | Act::Watch)
                }
                ScriptRole::Finalizer | ScriptRole::Callable => false,
            };
            if !impossible {
                return act;
            }
        }
    }

    fn script(&mut self, number: usize, plan: &PendingScript) {
        // What is prescribed comes first, last or alone; the random rest decorates it.
        let fixed = self.plans.fixed(plan).len();
        let (before, after) = if plan.role == ScriptRole::Builder {
            (0, 0)
        } else if fixed == 0 {
            ([0, 1, 1, 1, 2, 2, 3, 4][self.random.index(8)], 0)
        } else {
            match self.random.below(8) {
                0 => (1, 0),
                1 | 2 => (0, 1),
                _ => (0, 0),
            }
        };
        if before > 0 {
            self.acts(number, plan, before);
        }
        for i in 0..fixed {
            let op = self.plans.fixed(plan)[i];
            self.op(op);
        }
        if after > 0 {
            self.acts(number, plan, after);
        }
    }

    fn acts(&mut self, number: usize, plan: &PendingScript, count: u32) {
        let acts = ACTS.among(self.configuration.features);
        for _ in 0..count {
            let act = self.draw_act(plan.role, &acts);
            // What has nothing to act on writes nothing.
            let _ = self.act(number, plan, act);
            if act == Act::Raise {
                return;
            }
        }
    }

    fn act(&mut self, number: usize, plan: &PendingScript, act: Act) -> Option<()> {
        match act {
            Act::Look => self.op(Op::Look),
            Act::Deref => {
                let weak = match self.random.below(4) {
                    0 if plan.role == ScriptRole::Callable => ARG,
                    1 => self.part(plan),
                    _ => self.var(Traits::WEAKREF).or_else(|| self.keep_var())?,
                };
                let dst = if self.has(Feature::Resurrection) && self.random.chance(96) {
                    Place::var(self.keep())
                } else {
                    Place::NOTHING
                };
                self.op(Op::Deref { dst, weak });
            }
            Act::Keep => {
                // An object that is finalized at every death gets a variable that nothing else is stored to: two of
                // them in turn in one variable would kill each other for ever.
                let var = match plan.keep {
                    Some(own) if !(plan.again && plan.shared) => own,
                    _ if plan.again => return None,
                    _ => self.keep(),
                };
                self.assign(Place::var(var), OWNER);
            }
            Act::KeepPart => {
                let dst = Place::var(self.keep());
                let src = self.part(plan);
                self.assign(dst, src);
            }
            Act::Link => self.link_parts(plan)?,
            Act::Unlink => {
                let dst = if self.random.chance(160) {
                    self.part(plan)
                } else {
                    let slot = self.random.below(3) as u8;
                    self.var(Traits::STRONG)?.slot(slot)
                };
                self.assign(dst, Place::NOTHING);
            }
            Act::DropVar => {
                let place = if plan.keep.is_none() && self.random.chance(40) { self.keep_var() } else { None };
                let dst = place.or_else(|| self.var(Traits::ANY))?;
                self.assign(dst, Place::NOTHING);
            }
            Act::Create => self.create_in_script(number, plan)?,
            Act::Watch => self.watch_in_script(number, plan)?,
            Act::Store => self.store_in_script(plan)?,
            Act::Collect => {
                let generation = [0, 1, 2, 2][self.random.index(4)];
                self.op(Op::Collect { generation });
            }
            Act::AtAllocation => {
                let generation = self.random.below(3) as u8;
                self.op(Op::CollectAtAllocation { after: 1, generation });
            }
            Act::Scan => self.op(Op::Scan),
            Act::Call => {
                let callable = if self.has(Feature::ClearedCalls) && self.random.chance(176) {
                    self.part(plan)
                } else {
                    self.callable_var(number)?
                };
                self.op(Op::Call { callable });
            }
            Act::Raise if mutant!(ScriptsDoNotRaise) => {}
            Act::Raise => self.op(Op::Raise),
            Act::Modes => {
                let op = match self.random.below(4) {
                    0 if self.has(Feature::GcCallbacks) => Op::EmptyGcCallbacks,
                    1 if self.has(Feature::GcCallbacks) => Op::AddGcCallback { callable: self.callable_var(number)? },
                    2 if self.has(Feature::Freeze) && !mutant!(ScriptsDoNotFreeze) => Op::Freeze,
                    _ if self.has(Feature::Freeze) => Op::Unfreeze,
                    _ => Op::Look,
                };
                self.op(op);
            }
            Act::Tracking => {
                let object = match self.random.below(4) {
                    0 => self.part(plan),
                    1 if plan.role == ScriptRole::Finalizer || plan.role == ScriptRole::Callable => OWNER,
                    _ => self.var(Traits::EXTENSION)?,
                };
                let untracks = self.random.chance(160);
                self.op(if untracks { Op::Untrack { object } } else { Op::Track { object } });
            }
            Act::Automatic => match self.random.below(4) {
                0 => self.op(Op::Enable),
                1 => self.thresholds(),
                _ => self.op(Op::Disable),
            },
            Act::Garbage => {
                let on = self.random.chance(128);
                let modes = self.has(Feature::SaveAll) && self.random.chance(96);
                self.op(if modes { Op::SaveAll { on } } else { Op::EmptyGarbage });
            }
            Act::EntryDies => match self.random.below(4) {
                0 => self.op(Op::Collect { generation: 2 }),
                1 => {
                    let container = self.var(Traits::WEAK_CONTAINER)?;
                    let src = self.var(Traits::WEAKREFABLE)?;
                    let slot = self.random.below(2) as u8;
                    self.assign(container.slot(slot), src);
                }
                2 => {
                    let container = self.var(Traits::VALUE_DICT)?;
                    self.op(Op::Len { container });
                }
                _ => {
                    let dst = self.var(Traits::WEAKREFABLE)?;
                    self.assign(dst, Place::NOTHING);
                }
            },
        }
        Some(())
    }

    /// `dst = src` at the time when the script runs.
    pub(super) fn assign(&mut self, dst: Place, src: Place) {
        self.op(Op::Set { dst, src });
    }

    /// An edge made by a script. A dealloc action never links to its own object.
    fn link_parts(&mut self, plan: &PendingScript) -> Option<()> {
        let part = self.part(plan);
        let other = self.var(Traits::STRONG);
        let own = plan.role != ScriptRole::Dealloc;
        match self.random.below(4) {
            0 if own => self.assign(part, OWNER),
            1 => {
                let slot = self.random.below(3) as u8;
                self.assign(other?.slot(slot), part);
            }
            2 if own && !plan.again && self.has(Feature::Resurrection) => {
                let slot = self.random.below(3) as u8;
                self.assign(other?.slot(slot), OWNER);
            }
            _ => self.assign(part, other?),
        }
        Some(())
    }

    /// A slot of `self`, mostly one that was filled; `arg` for an iteration.
    pub(super) fn part(&mut self, plan: &PendingScript) -> Place {
        if plan.role == ScriptRole::Entry {
            return ARG;
        }
        if plan.role == ScriptRole::Body {
            return self.keep_var().unwrap_or(Place::NOTHING);
        }
        let filled = plan.owner.and_then(|owner| self.heap.filled_slot(owner, &mut self.random));
        let slot = match filled {
            Some(slot) if !self.random.chance(48) => slot,
            _ => self.random.below(4) as u8,
        };
        let part = OWNER.slot(slot);
        if self.random.chance(40) { part.slot(self.random.below(2) as u8) } else { part }
    }

    /// Where a script stores something new.
    pub(super) fn store_place(&mut self, plan: &PendingScript) -> Place {
        if plan.role != ScriptRole::Body && plan.role != ScriptRole::Entry && self.random.chance(96) {
            OWNER.slot(self.random.below(4) as u8)
        } else {
            Place::var(self.keep())
        }
    }

    fn keep_var(&mut self) -> Option<Place> {
        self.random.pick(&self.heap.keeps).map(Place::var)
    }

    /// A variable that held, last, an object with a property.
    pub(super) fn var(&mut self, wanted: Traits) -> Option<Place> {
        self.heap.find_last(&mut self.random, wanted).map(Place::var)
    }

    /// A variable that held, last, an extension object whose call script was promised before the running script, so
    /// that no script calls itself.
    pub(super) fn callable_var(&mut self, number: usize) -> Option<Place> {
        let found = |t: &Thing| t.is(Traits::EXTENSION) && t.on_call.is_some_and(|s| (s.0 as usize) < number);
        self.heap.find_last_with(&mut self.random, found).map(Place::var)
    }

    /// Gives an object made by a script user code that was promised before.
    ///
    /// Only what was promised before the running script: then no chain of scripts makes objects for ever.
    pub(super) fn reuse_code(&mut self, number: usize, kind: &mut Kind) {
        if number == 0 || !self.has(Feature::Finalizers) {
            return;
        }
        let i = self.random.index(number);
        if self.plans.plan(i).role == ScriptRole::Finalizer {
            kind.finalizer = Some(Finalizer::Modern(ScriptId(i as u8)));
        }
    }
}
