//! Compares two event streams of one scenario: the model's and an interpreter's.

use crate::event::{Event, Phase, Place, Undefined};
use crate::subject::{Failure, Needs};

/// How many common events a difference keeps.
const BEFORE: usize = 12;
/// How many events of each side a difference keeps.
const AFTER: usize = 4;

/// What came of comparing one run of an interpreter with the model's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// The same events, from the first to the last.
    Same,
    /// The same events up to where the model says that behaviour is undefined; what came then is not compared.
    Undefined(Undefined),
    /// The interpreter (or its probe) cannot run the scenario, for this reason.
    Unsupported(String),
    /// The same events, but for something that is not promised.
    Loose(Looseness),
    /// Something else happened.
    Different(Box<Difference>),
}

/// What may differ without being a disagreement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Looseness {
    /// The interpreter died after its last event, while the probe dropped what the scenario had left over.
    Teardown,
}

impl Looseness {
    /// Every value, in the order of the enum.
    pub const ALL: [Looseness; 1] = [Looseness::Teardown];

    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Looseness::Teardown => "teardown",
        }
    }

    /// Why it is no disagreement.
    pub const fn reason(self) -> &'static str {
        match self {
            Looseness::Teardown => "died after the last event, when leftovers were dropped: the scenario has ended",
        }
    }
}

/// What differences are told apart by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DifferenceKind {
    /// The interpreter died where the model goes on.
    Crash,
    /// The interpreter reached a limit of time or memory where the model goes on.
    Limit,
    /// Another event, by the words of both ([`word`]).
    Events(&'static str, &'static str),
}

impl std::fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DifferenceKind::Crash => f.write_str("crash"),
            DifferenceKind::Limit => f.write_str("limit"),
            DifferenceKind::Events(model, real) => write!(f, "{model}/{real}"),
        }
    }
}

/// The first difference between two streams.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// What it is.
    pub kind: DifferenceKind,
    /// How many events are the same.
    pub at: usize,
    /// The operation of the mutator that was running: an index into its body.
    pub step: Option<u32>,
    /// The phase of the collection that was running.
    pub phase: Phase,
    /// The last common events.
    pub before: Vec<Event>,
    /// The model's first events from there on; none if its stream has ended.
    pub model: Vec<Event>,
    /// The interpreter's first events from there on; none if its stream has ended.
    pub real: Vec<Event>,
    /// Why the interpreter did not come to the end.
    pub failure: Option<Failure>,
}

/// As [`compare`], with a subject that may not see everything: only what it observes is compared.
pub fn compare_observed(model: &[Event], real: &[Event], failure: Option<&Failure>, observes: Needs) -> Comparison {
    if observes.shows_lists() {
        return compare(model, real, failure);
    }
    let mut model = model.to_vec();
    observes.restrict(&mut model);
    compare(&model, real, failure)
}

/// Compares the streams of one scenario. `failure` says why the interpreter broke off, if it did.
pub fn compare(model: &[Event], real: &[Event], failure: Option<&Failure>) -> Comparison {
    let (model, undefined) = match model.split_last() {
        Some((Event::Undefined { reason }, before)) => (before, Some(*reason)),
        _ => (model, None),
    };
    let at = model.iter().zip(real).take_while(|(m, r)| m == r || pass_for_equal(m, r)).count();
    let kind = match (model.get(at), real.get(at), undefined, failure) {
        (None, _, Some(reason), _) => return Comparison::Undefined(reason),
        (_, None, _, Some(Failure::Unsupported { what, .. })) => return Comparison::Unsupported(what.clone()),
        (None, None, None, None) => return Comparison::Same,
        (None, None, None, Some(Failure::Died { .. })) => return Comparison::Loose(Looseness::Teardown),
        (_, None, _, Some(Failure::Died { .. })) => DifferenceKind::Crash,
        (_, None, _, Some(Failure::Limit { .. })) => DifferenceKind::Limit,
        (model, real, ..) => DifferenceKind::Events(model.map_or("nothing", word), real.map_or("nothing", word)),
    };
    let Place { step, phase, .. } = Place::after(&model[..at]);
    let next = |events: &[Event]| events[at.min(events.len())..].iter().take(AFTER).copied().collect();
    Comparison::Different(Box::new(Difference {
        kind,
        at,
        step,
        phase,
        before: model[at.saturating_sub(BEFORE)..at].to_vec(),
        model: next(model),
        real: next(real),
        failure: failure.cloned(),
    }))
}

/// True if a mutant does not compare that in which two events differ.
#[inline(always)]
fn pass_for_equal(model: &Event, real: &Event) -> bool {
    match (*model, *real) {
        (Event::State { finalized, .. }, Event::State { object, refcount, spot, .. }) => {
            mutant!(FinalizedNotCompared) && *model == Event::State { object, refcount, spot, finalized }
        }
        (Event::Length { raw, .. }, Event::Length { container, len, .. }) => {
            mutant!(RawLengthNotCompared) && *model == Event::Length { container, len, raw }
        }
        (Event::Unraisable { .. }, Event::Unraisable { .. }) => mutant!(OwnerNotCompared),
        (Event::CollectEnd { uncollectable, .. }, Event::CollectEnd { generation, returned, .. }) => {
            mutant!(UncollectableNotCompared) && *model == Event::CollectEnd { generation, returned, uncollectable }
        }
        (Event::Garbage { .. }, Event::Garbage { .. }) => mutant!(GarbageNotCompared),
        _ => false,
    }
}

macro_rules! words {
    ($($event:pat => $word:literal,)*) => {
        /// The word for an event in reports.
        pub const fn word(event: &Event) -> &'static str {
            match event {
                $($event => $word,)*
            }
        }

        /// Every word that a difference may have for a side.
        const WORDS: &[&str] = &["nothing", $($word),*];
    };
}

words! {
    Event::Step { .. } => "step",
    Event::NoEffect => "no-effect",
    Event::New { .. } => "new",
    Event::NewWeak { .. } => "new-weak",
    Event::StoreVar { .. } => "store-var",
    Event::StoreSlot { .. } => "store-slot",
    Event::Enter { .. } => "enter",
    Event::Leave => "leave",
    Event::Saw { .. } => "saw",
    Event::Answer { .. } => "answer",
    Event::CollectStart { .. } => "collect-start",
    Event::CollectEnd { .. } => "collect-end",
    Event::Refused => "refused",
    Event::Clear { .. } => "clear",
    Event::Dealloc { .. } => "dealloc",
    Event::Free { .. } => "free",
    Event::Unraisable { .. } => "unraisable",
    Event::Length { .. } => "length",
    Event::Yielded { .. } => "yielded",
    Event::Snapshot => "snapshot",
    Event::State { .. } => "state",
    Event::Weak { .. } => "weak",
    Event::Garbage { .. } => "garbage",
    Event::Undefined { .. } => "undefined",
    Event::End => "end",
}

impl serde::Serialize for DifferenceKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for DifferenceKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<DifferenceKind, D::Error> {
        let text = String::deserialize(deserializer)?;
        let word = |text: &str| WORDS.iter().find(|word| **word == text);
        let kind = match (text.as_str(), text.split_once('/')) {
            ("crash", _) => Some(DifferenceKind::Crash),
            ("limit", _) => Some(DifferenceKind::Limit),
            (_, Some((model, real))) => word(model).zip(word(real)).map(|(m, r)| DifferenceKind::Events(m, r)),
            _ => None,
        };
        kind.ok_or_else(|| serde::de::Error::custom(format!("no difference is called `{text}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Code, ObjId, Role, Spot};

    fn stream() -> Vec<Event> {
        let object = ObjId::from_index(0);
        vec![
            Event::Step { op: 3 },
            Event::CollectStart { generation: 2, automatic: false },
            Event::Clear { object },
            Event::CollectEnd { generation: 2, returned: 1, uncollectable: 0 },
            Event::End,
        ]
    }

    fn died() -> Option<Failure> {
        Some(Failure::Died { subject: "p".into(), how: "signal 11 (SIGSEGV)".into() })
    }

    fn kind(model: &[Event], real: &[Event], failure: Option<Failure>) -> Option<(DifferenceKind, usize)> {
        match compare(model, real, failure.as_ref()) {
            Comparison::Different(d) => Some((d.kind, d.at)),
            _ => None,
        }
    }

    #[test]
    fn every_changed_missing_or_additional_event_is_a_difference() {
        let model = stream();
        assert_eq!(compare(&model, &model, None), Comparison::Same);
        for at in 0..model.len() {
            let mut other = model.clone();
            other[at] = Event::Refused;
            assert_eq!(kind(&model, &other, None), Some((DifferenceKind::Events(word(&model[at]), "refused"), at)));
            other.remove(at);
            assert_eq!(kind(&model, &other, None).map(|k| k.1), Some(at));
            assert_eq!(kind(&other, &model, None).map(|k| k.1), Some(at));
        }
    }

    #[test]
    fn every_bit_of_every_event_is_compared() {
        let [a, b, c] = [1, 2, 3].map(ObjId::from_index);
        let (role, code, spot) = (Role::Named, Code::Callback, Spot::Gen1);
        let events = [
            Event::Step { op: 5 },
            Event::NoEffect,
            Event::New { object: a, origin: 2, role },
            Event::NewWeak { weak: a, referent: b, callback: Some(c) },
            Event::StoreVar { var: 3, object: Some(a) },
            Event::StoreSlot { holder: a, slot: 1, object: Some(b) },
            Event::Enter { code, owner: a, arg: Some(b) },
            Event::Leave,
            Event::Saw { object: a, introspection: true },
            Event::Answer { weak: a, referent: Some(b) },
            Event::CollectStart { generation: 1, automatic: true },
            Event::CollectEnd { generation: 1, returned: 3, uncollectable: 2 },
            Event::Refused,
            Event::Clear { object: a },
            Event::Dealloc { object: a },
            Event::Free { object: a },
            Event::Unraisable { owner: a },
            Event::Length { container: a, len: 2, raw: 3 },
            Event::Yielded { container: a, entry: b },
            Event::Snapshot,
            Event::State { object: a, refcount: 2, spot, finalized: true },
            Event::Weak { weak: a, referent: Some(b), callback: true },
            Event::Garbage { object: a },
            Event::Undefined { reason: Undefined::UseAfterFree },
            Event::End,
        ];
        let seen: std::collections::BTreeSet<&str> = events.iter().map(word).collect();
        assert_eq!(seen.len(), WORDS.len() - 1, "an event of each kind");
        let mut compared = 0;
        for event in events {
            for bit in 0..128 {
                let mut words = event.words();
                words[bit / 64] ^= 1 << (bit % 64);
                let Some(other) = Event::from_words(words).filter(|other| *other != event) else { continue };
                for (model, real) in [(event, other), (other, event)] {
                    let found = kind(&[model, Event::Leave], &[real, Event::Leave], None);
                    assert_eq!(found.map(|(_, at)| at), Some(0), "{model:?} and {real:?}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 1_500, "{compared}");
    }

    #[test]
    fn a_kind_survives_its_text() {
        let kinds = [
            DifferenceKind::Crash,
            DifferenceKind::Limit,
            DifferenceKind::Events("nothing", "clear"),
            DifferenceKind::Events("no-effect", "end"),
        ];
        let text = serde_json::to_string(&kinds).unwrap();
        assert_eq!(serde_json::from_str::<[DifferenceKind; 4]>(&text).unwrap(), kinds);
        assert!(serde_json::from_str::<DifferenceKind>("\"clear/eaten\"").is_err());
    }

    #[test]
    fn a_difference_knows_where_it_is() {
        let (model, mut real) = (stream(), stream());
        real[3] = Event::CollectEnd { generation: 2, returned: 2, uncollectable: 0 };
        let Comparison::Different(d) = compare(&model, &real, None) else { panic!("they differ") };
        assert_eq!((d.step, d.phase, d.before.len()), (Some(3), Phase::Del, 3));
        assert_eq!((d.model[0], d.real[0]), (model[3], real[3]));
    }

    #[test]
    fn a_death_is_a_crash_unless_the_stream_was_complete_or_undefined_there() {
        let mut model = stream();
        assert_eq!(compare(&model, &model, died().as_ref()), Comparison::Loose(Looseness::Teardown));
        assert_eq!(kind(&model, &model[..2], died()), Some((DifferenceKind::Crash, 2)));
        let whole = stream();
        model.truncate(3);
        model.push(Event::Undefined { reason: Undefined::NullCallback });
        let undefined = Comparison::Undefined(Undefined::NullCallback);
        for (events, failure) in [(&whole[..3], died()), (&whole[..], None), (&whole[..4], died())] {
            assert_eq!(compare(&model, events, failure.as_ref()), undefined);
        }
        assert_eq!(kind(&model, &whole[..2], died()), Some((DifferenceKind::Crash, 2)));
        assert_eq!(kind(&model, &[Event::Refused], None).map(|k| k.1), Some(0));
    }

    #[test]
    fn what_is_unsupported_is_compared_up_to_there() {
        let unsupported = Some(Failure::Unsupported { subject: "p".into(), what: "x".into() });
        let model = stream();
        assert_eq!(compare(&model, &model[..1], unsupported.as_ref()), Comparison::Unsupported("x".into()));
        assert_eq!(kind(&model, &[Event::Refused], unsupported).map(|k| k.1), Some(0));
    }
}
