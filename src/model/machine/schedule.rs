//! When automatic collections start: by the model's own counts, or where somebody else's schedule has a moment for one.

use super::Execution;
use crate::model::collector::Switch;

impl Execution<'_, '_> {
    /// A collection requested from outside the running operation, at a safe point.
    pub(super) fn serve_due(&mut self, due: Option<u8>) {
        let generation = match due {
            Some(generation) => Some(generation),
            None if self.process.interp.gc.wants_collection(&self.process.rules) => {
                self.process.interp.gc.select_generation(&self.process.rules)
            }
            None => None,
        };
        if let Some(generation) = generation
            && !self.process.interp.gc.collecting
        {
            self.start_collection(generation, true);
        }
    }

    /// Counts the allocation of an object with GC header; the generation of the collection that starts inside it.
    pub(super) fn count_allocation(&mut self) -> Option<u8> {
        let (gc, rules) = (&mut self.process.interp.gc, &self.process.rules);
        gc.count[0] += 1;
        if let Some((after, generation)) = gc.at_allocation {
            if after > 1 {
                gc.at_allocation = Some((after - 1, generation));
            } else {
                gc.at_allocation = None;
                if gc.collecting {
                    return None;
                }
                if rules.has(Switch::CollectInAllocation) {
                    return Some(generation);
                }
                gc.due = Some(Some(generation));
                return None;
            }
        }
        if self.told.is_some() {
            return if rules.has(Switch::CollectInAllocation) { self.told_now() } else { None };
        }
        if !gc.wants_collection(rules) {
            return None;
        }
        if rules.has(Switch::CollectInAllocation) {
            return gc.select_generation(rules);
        }
        gc.due.get_or_insert(None);
        None
    }

    /// The generation of the collection that must start here by the schedule that is told, if there is a moment for one.
    fn told_now(&mut self) -> Option<u8> {
        let (told, count) = (self.told?, self.sink.count());
        let passed = told.iter().take_while(|moment| moment.at < count).count();
        let moment = told.get(passed).filter(|moment| moment.at == count);
        // Each moment is for one collection at most.
        self.told = Some(&told[passed + usize::from(moment.is_some())..]);
        self.process.interp.gc.select_told(moment?.counts, &self.process.rules)
    }

    /// The same at a safe point between operations of the mutator, where collections start that do not in an allocation.
    pub(super) fn told_between_operations(&mut self) -> Option<u8> {
        if self.has(Switch::CollectInAllocation) { None } else { self.told_now() }
    }
}
