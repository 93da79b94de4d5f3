//! The scenario: operations, scripts, and what they could do. It does not change during a run.

use crate::scenario::{Op, Place, Scenario};

/// Something that operations of a scenario do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trait {
    /// A script changes `gc.callbacks`.
    ScriptsChangeCallbacks,
    /// A script empties `gc.garbage`.
    ScriptsEmptyGarbage,
    /// `gc.DEBUG_SAVEALL` is switched on.
    SavesAll,
    /// `gc.unfreeze` is called.
    Unfreezes,
    /// Something tracks or untracks by hand.
    Tracks,
    /// A script tracks by hand.
    ScriptsTrack,
    /// Something raises.
    Raises,
    /// There are `weakref.finalize` objects.
    Finalizes,
    /// There are weak containers.
    Contains,
    /// The mutator sets thresholds and enables collections.
    SetsThresholds,
    /// A script sets thresholds, enables, disables or freezes.
    ScriptsSchedule,
    /// There are weak containers of the library, whose code runs unseen.
    LibraryContainers,
}

/// A scenario as far as it matters to a judge.
#[derive(Debug, Default)]
pub(crate) struct Program {
    ops: Vec<Op>,
    /// Length of each script.
    script_lens: Vec<u32>,
    /// Scripts that raise by themselves, as bits.
    raising: u64,
    /// Bits by the number of the [`Trait`].
    traits: u16,
    /// What each script does, in the same way; empty if none does anything of it.
    script_traits: Vec<u16>,
    /// What scripts add to `gc.callbacks`: the script, and the place that names it.
    added_by_scripts: Vec<(u8, Place)>,
}

/// What it is asked of single scripts.
const OF_SCRIPTS: u16 = USES_CALLBACKS
    | USES_GARBAGE
    | USES_SAVE_ALL
    | USES_UNFREEZE
    | USES_TRACK
    | USES_UNTRACK
    | USES_SCHEDULE
    | USES_THRESHOLD;

const USES_CALLBACKS: u16 = 1;
const USES_GARBAGE: u16 = 2;
const USES_SAVE_ALL: u16 = 4;
const USES_UNFREEZE: u16 = 16;
const USES_TRACK: u16 = 32;
const USES_UNTRACK: u16 = 64;
const USES_RAISE: u16 = 128;
const USES_FINALIZE: u16 = 256;
const USES_THRESHOLD: u16 = 512;
const USES_ENABLE: u16 = 1024;
/// Enables, disables or freezes.
const USES_SCHEDULE: u16 = 2048;
const USES_CONTAINER: u16 = 4096;
const USES_LIBRARY: u16 = 8192;

/// What operations use, as bits: a table's look-up for each.
fn uses(ops: &[Op]) -> u16 {
    let mut all = 0;
    for op in ops {
        all |= match op {
            Op::AddGcCallback { .. } | Op::EmptyGcCallbacks => USES_CALLBACKS,
            Op::EmptyGarbage => USES_GARBAGE,
            Op::SaveAll { .. } => USES_SAVE_ALL,
            Op::Unfreeze => USES_UNFREEZE,
            Op::Track { .. } => USES_TRACK,
            Op::Untrack { .. } => USES_UNTRACK,
            Op::Raise => USES_RAISE,
            Op::SetThreshold { .. } => USES_THRESHOLD,
            Op::Enable => USES_ENABLE | USES_SCHEDULE,
            Op::Disable | Op::Freeze => USES_SCHEDULE,
            _ => 0,
        };
        if let Op::New { kind, .. } = op {
            all |= match kind.shape {
                shape if shape.is_finalize() => USES_FINALIZE,
                shape if shape.is_weak_container() => USES_CONTAINER,
                _ => 0,
            };
            all |= if kind.shape.is_library_container() { USES_LIBRARY } else { 0 };
        }
    }
    all
}

impl Program {
    /// Takes over a scenario.
    pub(super) fn start(&mut self, scenario: &Scenario) {
        self.ops.clear();
        self.ops.extend_from_slice(scenario.ops());
        self.script_lens.clear();
        self.script_lens.extend((1..scenario.bodies()).map(|b| scenario.range(b).len() as u32));
        let (main, scripts) = scenario.ops().split_at(scenario.range(0).end);
        let (in_main, in_scripts) = (uses(main), uses(scripts));
        let all = in_main | in_scripts;
        let saves = |op: &Op| matches!(op, Op::SaveAll { on: true });
        let saves_all = all & USES_SAVE_ALL != 0 && scenario.ops().iter().any(saves);
        let bit = |a: Trait, on: bool| u16::from(on) << a as u16;
        self.traits = bit(Trait::ScriptsChangeCallbacks, in_scripts & USES_CALLBACKS != 0)
            | bit(Trait::ScriptsEmptyGarbage, in_scripts & USES_GARBAGE != 0)
            | bit(Trait::SavesAll, saves_all)
            | bit(Trait::Unfreezes, all & USES_UNFREEZE != 0)
            | bit(Trait::Tracks, all & (USES_TRACK | USES_UNTRACK) != 0)
            | bit(Trait::ScriptsTrack, in_scripts & USES_TRACK != 0)
            | bit(Trait::Raises, all & USES_RAISE != 0)
            | bit(Trait::Finalizes, all & USES_FINALIZE != 0)
            | bit(Trait::Contains, all & USES_CONTAINER != 0)
            | bit(Trait::SetsThresholds, in_main & USES_THRESHOLD != 0 && in_main & USES_ENABLE != 0)
            | bit(Trait::LibraryContainers, all & USES_LIBRARY != 0)
            | bit(Trait::ScriptsSchedule, in_scripts & (USES_THRESHOLD | USES_SCHEDULE) != 0);
        self.script_traits.clear();
        self.added_by_scripts.clear();
        if in_scripts & OF_SCRIPTS != 0 {
            self.note_scripts(scenario);
        }
        self.raising = 0;
        if self.has(Trait::Raises) {
            for script in 0..scenario.scripts().min(64) {
                let raises = scenario.body(script + 1).contains(&Op::Raise);
                self.raising |= u64::from(raises) << script;
            }
        }
    }

    #[cold]
    fn note_scripts(&mut self, scenario: &Scenario) {
        let bit = |a: Trait, on: bool| u16::from(on) << a as u16;
        self.script_traits.extend((1..scenario.bodies()).map(|body| {
            let ops = scenario.body(body);
            let all = uses(ops);
            bit(Trait::ScriptsChangeCallbacks, all & USES_CALLBACKS != 0)
                | bit(Trait::ScriptsEmptyGarbage, all & USES_GARBAGE != 0)
                | bit(Trait::ScriptsSchedule, all & (USES_THRESHOLD | USES_SCHEDULE) != 0)
                | bit(Trait::SavesAll, ops.contains(&Op::SaveAll { on: true }))
                | bit(Trait::Unfreezes, all & USES_UNFREEZE != 0)
                | bit(Trait::Tracks, all & (USES_TRACK | USES_UNTRACK) != 0)
                | bit(Trait::ScriptsTrack, all & USES_TRACK != 0)
        }));
        for body in 1..scenario.bodies() {
            let added = scenario.body(body).iter().filter_map(|op| match op {
                Op::AddGcCallback { callable } => Some((body as u8 - 1, *callable)),
                _ => None,
            });
            self.added_by_scripts.extend(added);
        }
    }

    /// What scripts add to `gc.callbacks`: the script, and the place that names it.
    #[inline]
    pub(super) fn added_by_scripts(&self) -> &[(u8, Place)] {
        &self.added_by_scripts
    }

    /// True if some script does what [`Program::script_has`] can be asked for.
    #[inline]
    pub(super) fn has_rare_scripts(&self) -> bool {
        !self.script_traits.is_empty()
    }

    /// True if a script does this: saves all, unfreezes, tracks or untracks by hand ([`Trait::Tracks`]), tracks
    /// ([`Trait::ScriptsTrack`]), changes `gc.callbacks`, empties `gc.garbage`, or changes when collections start. Of other
    /// traits nothing is known.
    pub(super) fn script_has(&self, script: u8, what: Trait) -> bool {
        self.script_traits.get(script as usize).is_some_and(|traits| traits >> what as u16 & 1 != 0)
    }

    /// True if something in the scenario does this.
    #[inline]
    pub fn has(&self, what: Trait) -> bool {
        self.traits >> what as u16 & 1 != 0
    }

    /// An operation of the scenario.
    #[inline]
    pub fn op(&self, index: u32) -> Option<&Op> {
        self.ops.get(index as usize)
    }

    /// Number of operations of a script.
    #[inline]
    pub(super) fn script_len(&self, script: u8) -> u32 {
        self.script_lens.get(script as usize).copied().unwrap_or(0)
    }

    /// True if a script raises by itself.
    pub(super) fn raises(&self, script: u8) -> bool {
        script < 64 && self.raising >> script & 1 != 0
    }
}
