//! What events show of the death of one object, and how two deaths differ.

use super::super::shadow::Facts;
use super::super::violation::Class;
use super::super::violations::class_of;
use crate::event::{Code, Event, ObjId};
use crate::subject::{Expectation, Expectations};

/// A death.
#[derive(Debug, Default)]
pub(super) struct Death {
    /// What user code was entered on behalf of the object and what weak references to it answered, in no order.
    pub seen: Vec<Event>,
    freed: bool,
    finalizers: u32,
    /// Weak references that are older than the death and outlived it, each with how often it was called.
    calls: Vec<(ObjId, u32)>,
    /// It was there when what had run user code for it was over.
    saved: bool,
    /// The trashcan keeps something.
    waits: bool,
    /// A finalizer ran, of whatever object.
    finalizing: bool,
}

impl Death {
    /// What happens to the object from the mutator's operation `from` on.
    pub fn of(events: &[Event], object: ObjId, from: u32) -> Death {
        let freed = |o: ObjId| events.contains(&Event::Free { object: o });
        let mut death = Death::default();
        let mut weaks: Vec<ObjId> = Vec::new();
        let (mut counting, mut entered) = (false, false);
        for event in events {
            match *event {
                Event::Step { op } => {
                    counting |= op >= from;
                    death.saved |= entered && !death.freed;
                }
                Event::CollectEnd { .. } => death.saved |= entered && !death.freed,
                Event::NewWeak { weak, referent, .. } if referent == object => {
                    weaks.push(weak);
                    if !counting && !freed(weak) {
                        death.calls.push((weak, 0));
                    }
                }
                Event::Free { object: o } if o == object => death.freed = true,
                Event::State { refcount: 0, .. } => death.waits = true,
                Event::Enter { code, owner, arg } if counting => {
                    if owner == object || arg.is_some_and(|weak| weaks.contains(&weak)) {
                        death.seen.push(*event);
                        entered = true;
                    }
                    let finalizes = matches!(code, Code::Finalizer | Code::LegacyFinalizer);
                    death.finalizing |= finalizes;
                    death.finalizers += u32::from(owner == object && finalizes);
                    let called =
                        death.calls.iter_mut().filter(|(weak, _)| code == Code::Callback && Some(*weak) == arg);
                    called.for_each(|(_, calls)| *calls += 1);
                }
                Event::Answer { weak, .. } if counting && weaks.contains(&weak) => {
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

    /// The weak references that this death called more often than the other one; none if anything else that is promised is
    /// different.
    pub fn silent_in(&self, other: &Death) -> Vec<ObjId> {
        let mut silent = Vec::new();
        for (weak, calls) in &self.calls {
            match other.calls.iter().find(|(w, _)| w == weak) {
                Some((_, n)) if n > calls => return Vec::new(),
                Some((_, n)) if n < calls => silent.push(*weak),
                _ => {}
            }
        }
        if (self.freed, self.finalizers) == (other.freed, other.finalizers) { silent } else { Vec::new() }
    }

    /// Who is to blame for the difference between a death by reference count and one in a collection.
    ///
    /// What is promised of a death is promised of both: that the finalizer runs, that the callback of a weak reference that
    /// is alive is called, and that the object goes. What weak references answer meanwhile follows from the order, and an
    /// object that was saved is one that a collection has found unreachable. `by_hand`: the object was tracked or untracked by
    /// hand, or a script may do so while it dies.
    pub fn blame(
        &self,
        other: &Death,
        facts: &Facts,
        by_hand: bool,
        expectations: &Expectations,
    ) -> (Class, Option<Expectation>) {
        // A weak reference that dies with its object in one of the deaths is garbage there, and silent.
        let called = |(weak, calls): &(ObjId, u32)| other.calls.iter().all(|(w, n)| w != weak || n == calls);
        let same = (self.freed, self.finalizers) == (other.freed, other.finalizers) && self.calls.iter().all(called);
        let excused = |why: Expectation| expectations.holds(why).then_some((class_of(why), Some(why)));
        if same || self.saved || other.saved {
            let why = if same { Expectation::CallbacksFirst } else { Expectation::Resurrection };
            return excused(why).unwrap_or((Class::Collector, None));
        }
        // Nothing but itself holds the object: what other types own is no reason.
        if facts.is(Facts::FAULTY) || facts.shape().is_extension() && by_hand {
            return (Class::TypeFault, None);
        }
        let reasons = [
            (facts.is(Facts::LEGACY), Expectation::LegacyFinalizer),
            (facts.is(Facts::FINALIZER), Expectation::DelUncollectable),
            // What was saved with it, by another object's finalizer.
            (self.freed && !other.freed && other.finalizing, Expectation::IsolateSaved),
            (self.waits || other.waits, Expectation::TrashcanLeftover),
        ];
        let reason = reasons.into_iter().find_map(|(applies, why)| applies.then(|| excused(why)).flatten());
        reason.unwrap_or((Class::Collector, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Silence is told apart from a call too many, from no difference, and from one of another kind.
    #[test]
    fn only_silence_is_silence() {
        let weak = ObjId::from_index;
        let death = |calls: &[u32], finalizers| Death {
            calls: calls.iter().enumerate().map(|(at, n)| (weak(at as u32), *n)).collect(),
            finalizers,
            ..Death::default()
        };
        assert_eq!(death(&[1, 1], 1).silent_in(&death(&[1, 0], 1)), [weak(1)]);
        for (other, finalizers) in [(&[1, 1], 1), (&[2, 0], 1), (&[1, 0], 0)] {
            assert_eq!(death(&[1, 1], 1).silent_in(&death(other, finalizers)), []);
        }
    }
}
