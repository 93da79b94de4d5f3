//! What the collector remembers between collections: counts, thresholds, switches, `gc.garbage`, `gc.callbacks`.

use super::recorded_rules::AskedRules;
use super::rules::Rules;
use super::switches::Switch;
use crate::model::heap::{Heap, Idx, List};

/// The state of one interpreter's collector.
#[derive(Clone, Debug, Default)]
pub struct GcState {
    /// Net allocations since the last collection, then collections of the younger generation.
    pub count: [u32; 3],
    /// When to start: generation i if `count[i] > threshold[i]`; a first threshold of 0 means never.
    pub threshold: [u32; 3],
    /// Automatic collections may start.
    pub enabled: bool,
    /// A collection is running.
    pub collecting: bool,
    /// `DEBUG_SAVEALL` is set.
    pub save_all: bool,
    /// Objects that survived collections of generation 1 since the last full one.
    pub long_lived_pending: u32,
    /// Objects that survived the last full collection.
    pub long_lived_total: u32,
    /// `gc.garbage`.
    pub garbage: Vec<Idx>,
    /// `gc.callbacks`.
    pub callbacks: Vec<Idx>,
    /// A collection was requested at an allocation: allocations still to come, then its generation.
    pub at_allocation: Option<(u8, u8)>,
    /// A collection is due at the next safe point: its generation, or `None` for the one that the counts select.
    pub due: Option<Option<u8>>,
}

/// The least default threshold of generation 0 of any release.
const LEAST_YOUNG_THRESHOLD: u32 = 700;

impl GcState {
    /// Back to the state in which scenarios start: collector disabled, thresholds of the release.
    pub fn reset(&mut self, rules: &AskedRules) {
        // Asked for by whoever allocates so much that it matters.
        let young = if rules.plain().has(Switch::YoungThreshold2000) { 2000 } else { LEAST_YOUNG_THRESHOLD };
        let oldest = if rules.has(Switch::Incremental) { 0 } else { 10 };
        self.count = [0; 3];
        self.threshold = [young, 10, oldest];
        self.enabled = false;
        self.collecting = false;
        self.save_all = false;
        self.long_lived_pending = 0;
        self.long_lived_total = 0;
        self.garbage.clear();
        self.callbacks.clear();
        self.at_allocation = None;
        self.due = None;
    }

    /// True if the counts ask for an automatic collection now.
    pub fn wants_collection(&self, rules: &AskedRules) -> bool {
        if self.count[0] > LEAST_YOUNG_THRESHOLD {
            rules.ask(Rules::NONE.with(Switch::YoungThreshold2000));
        }
        (self.enabled || mutant!(DisabledCollects))
            && (self.threshold[0] != 0 || mutant!(ZeroIsAThreshold))
            && self.count[0] > self.threshold[0]
            && !self.collecting
    }

    /// The generation that an automatic collection takes, if the counts still ask for one.
    pub fn select_generation(&self, rules: &AskedRules) -> Option<u8> {
        self.select_by(self.count, rules)
    }

    /// The generation of the collection that must start at an allocation which somebody else counts and finds these counts
    /// before it; none may start if this is `None`.
    pub fn select_told(&self, [young, middle, old]: [u32; 3], rules: &AskedRules) -> Option<u8> {
        let may = (self.enabled || mutant!(ToldWhileDisabled))
            && (self.threshold[0] != 0 || mutant!(ToldAtZero))
            && (young >= self.threshold[0] || mutant!(ToldBelowThreshold))
            && !self.collecting;
        if !may || mutant!(ToldInVain) {
            return None;
        }
        self.select_by(if mutant!(ToldIsYoung) { [young + 1, 0, 0] } else { [young + 1, middle, old] }, rules)
    }

    fn select_by(&self, count: [u32; 3], rules: &AskedRules) -> Option<u8> {
        let oldest = if rules.has(Switch::BugAutomaticYoungest) { 0 } else { 2 };
        (0..=oldest).rev().find(|&g| {
            let over = count[g as usize] > self.threshold[g as usize];
            over && (g < 2 || mutant!(OldestAreNotSpared) || self.long_lived_pending >= self.long_lived_total / 4)
        })
    }

    /// An object with GC header was freed.
    pub fn freed(&mut self) {
        self.count[0] = self.count[0].saturating_sub(u32::from(!mutant!(DeathsAreNotCounted)));
    }

    /// `gc.freeze()`: everything moves to the permanent generation, in the order of the generations.
    pub fn freeze(&mut self, heap: &mut Heap) {
        for list in [List::GEN0, List::GEN1, List::GEN2] {
            heap.merge(list, List::PERMANENT);
        }
        if mutant!(FreezeKeepsCounts) {
            return;
        }
        self.count = [0; 3];
    }

    /// `gc.unfreeze()`: the permanent generation moves to the oldest.
    pub fn unfreeze(&mut self, heap: &mut Heap) {
        heap.merge(List::PERMANENT, if mutant!(UnfreezeMakesYoung) { List::GEN0 } else { List::GEN2 });
    }

    /// Counters and lists at the start of a collection: younger generations are merged into the one collected.
    pub fn begin(&mut self, heap: &mut Heap, generation: u8, automatic: bool, rules: &AskedRules) {
        if generation < 2 {
            self.count[generation as usize + 1] += 1;
        }
        if automatic || generation == 2 || !rules.has(Switch::ExplicitKeepsCounts) {
            self.count[..=generation as usize].fill(0);
        }
        if !rules.has(Switch::BugNoMerge) {
            for younger in 0..generation {
                heap.merge(List::generation(younger), List::generation(generation));
            }
        }
        if rules.has(Switch::BugFrozenAreCollected) && generation == 2 {
            heap.merge(List::PERMANENT, List::GEN2);
        }
    }
}
