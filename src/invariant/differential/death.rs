//! What events show of the death of one object, and how two deaths differ.

use super::super::shadow::Facts;
use super::super::violation::Class;
use super::super::violations::class_of;
use crate::event::{Code, Event, ObjId};
use crate::scenario::{Op, Scenario};
use crate::subject::{Expectation, Expectations};

/// A death.
#[derive(Debug, Default)]
pub(super) struct Death {
    /// What user code was entered on behalf of the object and what weak references to it answered, in no order.
    pub seen: Vec<Event>,
    freed: bool,
    finalizers: u32,
    /// Callbacks of weak references that are older than the death and outlived it.
    callbacks: u32,
    /// It was there when what had run user code for it was over.
    saved: bool,
    /// The trashcan keeps something.
    waits: bool,
}

impl Death {
    /// What happens to the object from the mutator's operation `from` on.
    pub fn of(events: &[Event], object: ObjId, from: u32) -> Death {
        let freed = |o: ObjId| events.contains(&Event::Free { object: o });
        let mut death = Death::default();
        // Weak references to it, and whether their callbacks count.
        let mut weaks: Vec<(ObjId, bool)> = Vec::new();
        let (mut counting, mut entered) = (false, false);
        for event in events {
            match *event {
                Event::Step { op } => {
                    counting |= op >= from;
                    death.saved |= entered && !death.freed;
                }
                Event::CollectEnd { .. } => death.saved |= entered && !death.freed,
                Event::NewWeak { weak, referent, .. } if referent == object => {
                    weaks.push((weak, !counting && !freed(weak)));
                }
                Event::Free { object: o } if o == object => death.freed = true,
                Event::State { refcount: 0, .. } => death.waits = true,
                Event::Enter { code, owner, arg } if counting => {
                    let watched = weaks.iter().find(|(weak, _)| Some(*weak) == arg);
                    if owner == object || watched.is_some() {
                        death.seen.push(*event);
                        entered = true;
                    }
                    let finalizes = matches!(code, Code::Finalizer | Code::LegacyFinalizer);
                    death.finalizers += u32::from(owner == object && finalizes);
                    death.callbacks += u32::from(code == Code::Callback && watched.is_some_and(|(_, counts)| *counts));
                }
                Event::Answer { weak, .. } if counting && weaks.iter().any(|(w, _)| *w == weak) => {
                    death.seen.push(*event);
                }
                _ => {}
            }
        }
        death.saved |= entered && !death.freed;
        death.seen.sort_by_key(|e| e.words());
        death
    }

    /// True if nothing but the order may be different.
    pub fn is_as(&self, other: &Death) -> bool {
        self.seen == other.seen && self.freed == other.freed
    }

    /// Who is to blame for the difference between a death by reference count and one in a collection.
    ///
    /// What is promised of a death is promised of both: that the finalizer runs, that the callback of a weak reference that
    /// is alive is called, and that the object goes. What weak references answer meanwhile follows from the order, and an
    /// object that was saved is one that a collection has found unreachable.
    pub fn blame(
        &self,
        other: &Death,
        facts: &Facts,
        scenario: &Scenario,
        expectations: &Expectations,
    ) -> (Class, Option<Expectation>) {
        let same = (self.freed, self.finalizers, self.callbacks) == (other.freed, other.finalizers, other.callbacks);
        let excused = |why: Expectation| expectations.holds(why).then_some((class_of(why), Some(why)));
        if same || self.saved || other.saved {
            let why = if same { Expectation::CallbacksFirst } else { Expectation::Resurrection };
            return excused(why).unwrap_or((Class::Collector, None));
        }
        // Nothing but itself holds the object: what other types do is no reason.
        let by_hand = |op: &Op| matches!(op, Op::Untrack { .. } | Op::Track { .. });
        if facts.is(Facts::FAULTY) || facts.shape().is_extension() && scenario.ops().iter().any(by_hand) {
            return (Class::TypeFault, None);
        }
        let reasons = [
            (facts.is(Facts::LEGACY), Expectation::LegacyFinalizer),
            (facts.is(Facts::FINALIZER), Expectation::DelUncollectable),
            (self.waits || other.waits, Expectation::TrashcanLeftover),
        ];
        let reason = reasons.into_iter().find_map(|(applies, why)| applies.then(|| excused(why)).flatten());
        reason.unwrap_or((Class::Collector, None))
    }
}
