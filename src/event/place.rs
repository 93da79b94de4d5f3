//! Where a run is, as far as its events show it.

use super::{Code, Event};

/// The phase of a collection in which something happened.
///
/// Events show when user code and `tp_clear` run; the phases between (`Leg`, `Wr1`, `Res`, `Wr2`) show no event of
/// their own, so a judge never reports them, but a subject that knows its phase can.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// No collection runs.
    Mutator,
    /// Entries of `gc.callbacks` run before the collection proper.
    Start,
    /// The unreachable set is found.
    Ded,
    /// Legacy finalizers are set aside.
    Leg,
    /// Weak references to and in the trash are handled.
    Wr1,
    /// Callbacks run.
    Cb,
    /// Finalizers run.
    Fin,
    /// Resurrected objects are found.
    Res,
    /// Weak references are cleared for the second time.
    Wr2,
    /// The trash is cleared.
    Del,
}

impl Phase {
    /// Every phase, in the order of a collection.
    pub const ALL: [Phase; 10] = [
        Phase::Mutator,
        Phase::Start,
        Phase::Ded,
        Phase::Leg,
        Phase::Wr1,
        Phase::Cb,
        Phase::Fin,
        Phase::Res,
        Phase::Wr2,
        Phase::Del,
    ];

    /// The word used in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Mutator => "mutator",
            Phase::Start => "START",
            Phase::Ded => "DED",
            Phase::Leg => "LEG",
            Phase::Wr1 => "WR1",
            Phase::Cb => "CB",
            Phase::Fin => "FIN",
            Phase::Res => "RES",
            Phase::Wr2 => "WR2",
            Phase::Del => "DEL",
        }
    }

    /// The phase that an event shows, after those before it showed this one.
    #[must_use]
    #[inline]
    pub const fn after(self, event: &Event) -> Phase {
        match (self, event) {
            (_, Event::CollectStart { .. }) => Phase::Ded,
            (_, Event::Step { .. } | Event::CollectEnd { .. }) | (Phase::Mutator, _) => Phase::Mutator,
            (Phase::Del, _) | (_, Event::Clear { .. } | Event::Dealloc { .. }) => Phase::Del,
            (_, Event::Enter { code: Code::Finalizer, .. }) => Phase::Fin,
            (Phase::Ded, Event::Enter { code: Code::Callback, .. }) => Phase::Cb,
            (phase, _) => phase,
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// Where a run is after its events so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The operation of the mutator that was running: an index into its body. Nothing before the first.
    pub step: Option<u32>,
    /// The collection that was running: its generation, and whether an allocation started it.
    pub collecting: Option<(u8, bool)>,
    /// The phase of that collection.
    pub phase: Phase,
    /// The scenario has ended: only what it has left over is dropped.
    pub is_over: bool,
}

impl Place {
    /// Where a run is after these events, which are its first.
    pub fn after(events: &[Event]) -> Place {
        let mut place = Place { step: None, collecting: None, phase: Phase::Mutator, is_over: false };
        for event in events {
            match *event {
                Event::Step { op } => (place.step, place.collecting) = (Some(op), None),
                Event::CollectStart { generation, automatic } => place.collecting = Some((generation, automatic)),
                Event::CollectEnd { .. } => place.collecting = None,
                Event::End => place.is_over = true,
                _ => {}
            }
            place.phase = place.phase.after(event);
        }
        place
    }
}

impl std::fmt::Display for Place {
    /// In words, steps counted from 1: `collect(2) of step 7, phase DEL`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_over {
            return f.write_str("leftovers were dropped, after the last event");
        }
        match self.collecting {
            Some((generation, false)) => write!(f, "collect({generation}) of ")?,
            Some((generation, true)) => write!(f, "an automatic collection of generation {generation} in ")?,
            None => {}
        }
        match self.step {
            Some(step) => write!(f, "step {}", u64::from(step) + 1)?,
            None => f.write_str("the time before the first step")?,
        }
        if self.collecting.is_some() { write!(f, ", phase {}", self.phase) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_has_begun_and_not_ended() {
        let object = crate::event::ObjId::from_index(0);
        let start = Event::CollectStart { generation: 2, automatic: false };
        let events = [
            Event::Step { op: 6 },
            start,
            Event::Enter { code: Code::Callback, owner: object, arg: None },
            Event::Leave,
            Event::Clear { object },
            Event::CollectEnd { generation: 2, returned: 1, uncollectable: 0 },
            Event::End,
        ];
        let words = |first: usize| Place::after(&events[..first]).to_string();
        assert_eq!(words(0), "the time before the first step");
        assert_eq!(words(1), "step 7");
        assert_eq!(words(2), "collect(2) of step 7, phase DED");
        assert_eq!(words(4), "collect(2) of step 7, phase CB");
        assert_eq!(words(5), "collect(2) of step 7, phase DEL");
        assert_eq!(words(6), "step 7");
        assert_eq!(words(7), "leftovers were dropped, after the last event");
    }
}
