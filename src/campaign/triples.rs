//! Which kinds of objects were met in which phase of a collection, and what happened to them there: triples.
//!
//! Counts of runs say how much was done; triples say what was never done. They are noted for the scenarios that are
//! sampled for the invariants that need several runs, from the events and the scenario.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::{Code, Event, ObjId, Phase, Role, Spot};
use crate::scenario::{Scenario, Shape, TpClear};

macro_rules! features {
    ($($(#[$doc:meta])* $Name:ident $word:literal,)+) => {
        /// What happens to an object.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(super) enum Feature {
            $($(#[$doc])* $Name,)+
        }

        impl Feature {
            const ALL: [Feature; [$($word),+].len()] = [$(Feature::$Name),+];

            /// The word in reports and files.
            const fn word(self) -> &'static str {
                match self {
                    $(Feature::$Name => $word,)+
                }
            }
        }
    };
}

features! {
    /// The mutator makes it.
    Made "made",
    /// A script makes it.
    MadeByScript "made-by-script",
    /// A weak reference to it is made.
    Watched "watched",
    /// It is a weak reference that is made with a callback.
    Watching "watching",
    /// Its finalizer starts.
    Finalizer "finalizer",
    /// Its legacy finalizer starts.
    LegacyFinalizer "legacy-finalizer",
    /// Its callback starts.
    Callback "callback",
    /// It is called as a callback.
    CalledBack "called-back",
    /// It is called by an operation or by a `finalize`.
    Called "called",
    /// It is called as an entry of `gc.callbacks`.
    GcCallback "gc-callback",
    /// The action of its deallocator starts.
    DeallocAction "dealloc-action",
    /// Its script ends with an error.
    Raises "raises",
    /// A collection starts in its script.
    Collects "collects",
    /// User code reaches it by `look` or `scan`.
    Seen "seen",
    /// A weak reference answers with it.
    Answered "answered",
    /// It is a weak reference that answers with nothing.
    Denies "denies",
    /// `tp_clear` runs on it.
    Cleared "cleared",
    /// It dies.
    Dies "dies",
    /// One of its slots changes.
    Stored "stored",
    /// It is in the permanent generation.
    Frozen "frozen",
    /// It is a weak container that is iterated over.
    Iterated "iterated",
    /// It is a weak container whose length is asked for.
    Measured "measured",
    /// It is in `gc.garbage`.
    Garbage "garbage",
}

/// The phases that events tell apart.
const PHASES: [Phase; 5] = [Phase::Mutator, Phase::Ded, Phase::Cb, Phase::Fin, Phase::Del];

/// Whether something can happen to objects of a shape in a phase, as far as the table of shapes and the places where user
/// code starts say it. Code in the phase `DED` is that of `gc.callbacks`.
fn is_possible(shape: Shape, phase: Phase, feature: Feature) -> bool {
    let mutator = phase == Phase::Mutator;
    match feature {
        Feature::Made => mutator,
        Feature::MadeByScript | Feature::Seen | Feature::Dies | Feature::Frozen | Feature::Garbage => true,
        Feature::Watched | Feature::Answered => shape.is_weakrefable(),
        Feature::Watching | Feature::Callback | Feature::Denies => shape.is_weakref(),
        Feature::Finalizer => shape.can_finalize(),
        Feature::LegacyFinalizer | Feature::DeallocAction => shape.is_extension(),
        Feature::CalledBack => shape.can_call() || shape.is_finalize(),
        Feature::Called => shape.can_call(),
        Feature::GcCallback => shape.can_call() && !mutator,
        Feature::Raises => shape.can_call() || shape.can_finalize(),
        // One inside a collection is refused.
        Feature::Collects => (shape.can_call() || shape.can_finalize()) && mutator,
        Feature::Cleared => phase == Phase::Del && !matches!(shape.facts().clear, TpClear::Never),
        // What an object is made of is stored, too.
        Feature::Stored => !matches!(shape, Shape::Bare | Shape::Ref | Shape::Proxy),
        Feature::Iterated => shape.is_weak_container() && mutator,
        Feature::Measured => shape.is_weak_container(),
    }
}

/// Triples of kind (a shape), phase and feature that were reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Triples([[u32; PHASES.len()]; Feature::ALL.len()]);

const _: () = assert!(Shape::ALL.len() <= 32, "there is room for 32 shapes");

impl Triples {
    fn note(&mut self, shape: Shape, phase: usize, feature: Feature) {
        self.0[feature as usize][phase] |= 1 << shape as u8;
    }

    fn has(&self, shape: Shape, phase: usize, feature: Feature) -> bool {
        self.0[feature as usize][phase] >> shape as u8 & 1 != 0
    }

    /// Adds what others reached.
    pub fn add(&mut self, other: &Triples) {
        for (mine, theirs) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *mine |= theirs;
        }
    }

    /// True if nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.0.iter().flatten().all(|shapes| *shapes == 0)
    }

    /// All that are possible, each with whether it was reached.
    fn possible(&self) -> impl Iterator<Item = (Shape, Phase, Feature, bool)> {
        let phases = || PHASES.into_iter().enumerate();
        let all = Feature::ALL.into_iter().flat_map(move |f| phases().map(move |(at, phase)| (f, at, phase)));
        all.flat_map(|(feature, at, phase)| Shape::ALL.into_iter().map(move |shape| (shape, phase, at, feature)))
            .filter(|(shape, phase, _, feature)| is_possible(*shape, *phase, *feature))
            .map(|(shape, phase, at, feature)| (shape, phase, feature, self.has(shape, at, feature)))
    }

    /// How many of those that are possible were reached, and how many are possible.
    pub fn share(&self) -> (u64, u64) {
        self.possible().fold((0, 0), |(reached, all), (.., is_reached)| (reached + u64::from(is_reached), all + 1))
    }

    /// Those that are possible and were not reached, in words: `proxy FIN raises`.
    pub fn unreached(&self) -> Vec<String> {
        let words = |(shape, phase, feature, _): (Shape, Phase, Feature, bool)| {
            format!("{} {} {}", shape.word(), phase.word(), feature.word())
        };
        self.possible().filter(|(.., is_reached)| !is_reached).map(words).collect()
    }
}

/// As a list of feature, phase and a bit for each shape, by its number; zeros are left out.
impl Serialize for Triples {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = Feature::ALL.iter().flat_map(|feature| PHASES.iter().enumerate().map(move |row| (feature, row)));
        let rows = rows.map(|(feature, (at, phase))| (feature.word(), phase.word(), self.0[*feature as usize][at]));
        serializer.collect_seq(rows.filter(|(.., shapes)| *shapes != 0))
    }
}

impl<'de> Deserialize<'de> for Triples {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Triples, D::Error> {
        let mut triples = Triples::default();
        for (feature, phase, shapes) in Vec::<(String, String, u32)>::deserialize(deserializer)? {
            let unknown = || D::Error::custom(format!("nothing is called `{feature}` in phase `{phase}`"));
            let number = Feature::ALL.into_iter().find(|f| f.word() == feature).ok_or_else(unknown)?;
            let at = PHASES.into_iter().position(|p| p.word() == phase).ok_or_else(unknown)?;
            triples.0[number as usize][at] = shapes;
        }
        Ok(triples)
    }
}

/// Reads triples off runs; keeps the memory it needs from one run to the next.
#[derive(Debug, Default)]
pub(super) struct TripleReader {
    shapes: Vec<Shape>,
    code: Vec<ObjId>,
}

impl TripleReader {
    /// Notes what a run reached.
    pub(super) fn read(&mut self, scenario: &Scenario, events: &[Event], triples: &mut Triples) {
        self.shapes.clear();
        self.code.clear();
        let (mut phase, mut at) = (Phase::Mutator, 0);
        for event in events {
            let next = phase.after(event);
            if next != phase {
                (phase, at) = (next, PHASES.iter().position(|p| *p == next).unwrap_or_default());
            }
            self.event(scenario, event, at, triples);
        }
    }

    fn event(&mut self, scenario: &Scenario, event: &Event, at: usize, triples: &mut Triples) {
        let mut note = |object: ObjId, feature| {
            if let Some(shape) = self.shapes.get(object.index()) {
                triples.note(*shape, at, feature);
            }
        };
        match *event {
            Event::New { origin, role, .. } => {
                let shape = made(scenario, origin, role);
                let is_script = origin as usize >= scenario.main().len();
                if role == Role::Named {
                    triples.note(shape, at, if is_script { Feature::MadeByScript } else { Feature::Made });
                }
                self.shapes.push(shape);
            }
            Event::NewWeak { weak, referent, callback } => {
                note(referent, Feature::Watched);
                if callback.is_some() {
                    note(weak, Feature::Watching);
                }
            }
            Event::StoreSlot { holder, .. } => note(holder, Feature::Stored),
            Event::Enter { code, owner, arg } => {
                match code {
                    Code::Finalizer => note(owner, Feature::Finalizer),
                    Code::LegacyFinalizer => note(owner, Feature::LegacyFinalizer),
                    Code::Callback => {
                        note(owner, Feature::CalledBack);
                        arg.into_iter().for_each(|weak| note(weak, Feature::Callback));
                    }
                    Code::Dealloc => note(owner, Feature::DeallocAction),
                    Code::GcCallback => note(owner, Feature::GcCallback),
                    Code::Call => note(owner, Feature::Called),
                }
                self.code.push(owner);
            }
            Event::Leave => drop(self.code.pop()),
            Event::Unraisable { owner } => note(owner, Feature::Raises),
            Event::Saw { object, .. } => note(object, Feature::Seen),
            Event::Answer { referent: Some(referent), .. } => note(referent, Feature::Answered),
            Event::Answer { weak, referent: None } => note(weak, Feature::Denies),
            // It starts where the code ran: in no collection.
            Event::CollectStart { .. } => {
                if let Some(shape) = self.code.last().and_then(|owner| self.shapes.get(owner.index())) {
                    triples.note(*shape, 0, Feature::Collects);
                }
            }
            Event::Clear { object } => note(object, Feature::Cleared),
            Event::Dealloc { object } => note(object, Feature::Dies),
            Event::State { object, spot: Spot::Permanent, .. } => note(object, Feature::Frozen),
            Event::Yielded { container, .. } => note(container, Feature::Iterated),
            Event::Length { container, .. } => note(container, Feature::Measured),
            Event::Garbage { object } => note(object, Feature::Garbage),
            _ => {}
        }
    }
}

/// The shape of what was made.
fn made(scenario: &Scenario, origin: u32, role: Role) -> Shape {
    match role {
        Role::Named => scenario.ops().get(origin as usize).and_then(|op| op.kind()).map_or(Shape::Node, |k| k.shape),
        Role::InstanceDict | Role::ContainerData | Role::ContainerDict => Shape::Dict,
        Role::ContainerPending | Role::ContainerIterating => Shape::List,
        Role::ContainerRemove => Shape::Function,
        Role::ContainerEntry => match scenario.ops().get(origin as usize).and_then(|op| op.kind()) {
            Some(kind) if kind.shape.is_value_dict() => Shape::KeyedRef,
            _ => Shape::Ref,
        },
        Role::FinalizeRef | Role::ContainerSelf => Shape::Ref,
        Role::ContainerDefaults | Role::ContainerClosure => Shape::Tuple,
        Role::ContainerCell => Shape::Cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Generator, Profile, Seed, Size};
    use crate::scenario::text::parse;

    fn reached(text: &str, events: &[Event]) -> Triples {
        let (mut triples, scenario) = (Triples::default(), parse(text).unwrap().scenario);
        TripleReader::default().read(&scenario, events, &mut triples);
        triples
    }

    #[test]
    fn what_happens_is_noted_with_the_kind_and_the_phase() {
        let [node, proxy] = [0, 1].map(ObjId::from_index);
        let text = "coroner 1\n\ndef F():\n    p = proxy(self)\n\na = Node(finalizer=F)\n";
        let events = [
            Event::New { object: node, origin: 0, role: Role::Named },
            Event::CollectStart { generation: 2, automatic: false },
            Event::Enter { code: Code::Finalizer, owner: node, arg: None },
            Event::New { object: proxy, origin: 1, role: Role::Named },
            Event::NewWeak { weak: proxy, referent: node, callback: None },
            Event::Leave,
            Event::Clear { object: node },
            Event::Answer { weak: proxy, referent: None },
        ];
        let triples = reached(text, &events);
        let (all, possible) = triples.share();
        assert_eq!(all, 6);
        assert_eq!(triples.unreached().len() as u64, possible - 6);
        let unreached = triples.unreached();
        let is_reached = |words: &str| !unreached.iter().any(|triple| triple == words);
        for words in ["Node mutator made", "Node FIN finalizer", "proxy FIN made-by-script", "Node FIN watched"] {
            assert!(is_reached(words), "{words}");
        }
        assert!(is_reached("Node DEL cleared") && is_reached("proxy DEL denies"));
        assert!(!is_reached("proxy FIN watching") && !is_reached("Node CB finalizer"));
    }

    #[test]
    fn what_files_keep_is_what_was_noted() {
        let events = [Event::New { object: ObjId::from_index(0), origin: 0, role: Role::Named }];
        let triples = reached("coroner 1\na = list()\n", &events);
        let json = serde_json::to_string(&triples).unwrap();
        assert_eq!(json, r#"[["made","mutator",4]]"#);
        assert_eq!(serde_json::from_str::<Triples>(&json).unwrap(), triples);
        assert!(serde_json::from_str::<Triples>(r#"[["born","mutator",4]]"#).is_err());
        let mut both = Triples::default();
        assert!(both.is_empty());
        both.add(&triples);
        assert_eq!(both, triples);
    }

    /// What is called possible leaves out nothing that happens.
    #[test]
    fn what_is_reached_is_possible() {
        let (mut reader, mut triples) = (TripleReader::default(), Triples::default());
        let rows = crate::model::collector::Collector::all();
        let mut generator = Generator::new(Seed::from(3), Profile::named("default").unwrap(), Size::Small);
        for n in 0..2_000 {
            let scenario = generator.make(n);
            let row = &rows[n as usize % rows.len()];
            let events = crate::event::record(|out| crate::model::machine::Machine::new(row).run(&scenario, out));
            reader.read(&scenario, &events, &mut triples);
        }
        for (shape, phase, at, feature) in Shape::ALL.into_iter().flat_map(|shape| {
            PHASES.into_iter().enumerate().flat_map(move |(at, phase)| Feature::ALL.map(|f| (shape, phase, at, f)))
        }) {
            let impossible = triples.has(shape, at, feature) && !is_possible(shape, phase, feature);
            assert!(!impossible, "{} {phase} {}", shape.word(), feature.word());
        }
        let (reached, possible) = triples.share();
        println!("{reached} of {possible}");
        assert!(reached > 400 && possible < 1_500, "{reached} of {possible}");
    }
}
