//! Each excuse with its cause on the object itself, and with the cause beside it: the one is excused, the other is the
//! collector's fault.

use super::super::differential::{path_independence, steady_state};
use super::cases_objects::i01b;
use super::cases_weakrefs::i17_finalizer;
use super::stream::{Stream, finalizable};
use super::type_excuses::TYPE_PAIRS;
use super::*;
use crate::event::{Code, Event, Spot};
use crate::scenario::{Finalizer, Kind, ScriptId, Shape, Tracking};
use crate::subject::Expectation;

/// What excuses a violation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cause {
    /// An entry of the table of expectations.
    Entry(Expectation),
    /// What a type does, or what is done to its objects.
    Type(&'static str),
}

use Cause::{Entry, Type};

/// Something that breaks an invariant.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// A collector of the model and a scenario.
    Once(&'static str, &'static str),
    /// The same in rounds: [`steady_state`].
    Rounds(&'static str, &'static str),
    /// The same with other deaths of what is left: [`path_independence`].
    Paths(&'static str, &'static str),
    /// Events that no collector of the model shows, as from a release.
    Events(Release, fn(&mut Stream)),
}

use Run::{Events, Once, Paths, Rounds};

impl Run {
    fn found(self) -> Vec<Violation> {
        let parse = |name: &str, text: &str| {
            let source = format!("coroner 1\n\n{text}");
            let scenario = crate::scenario::text::parse(&source).unwrap_or_else(|e| panic!("{source}: {e:?}")).scenario;
            let collector = Collector::parse(name).unwrap();
            (Machine::new(&collector), scenario, declared(Some(collector.release)))
        };
        match self {
            Once(name, text) => {
                let (mut machine, scenario, declaration) = parse(name, text);
                let events = record(|out| machine.run(&scenario, out));
                Judge::new().judge(&scenario, &events, &declaration).to_vec()
            }
            Rounds(name, text) => {
                let (mut machine, scenario, declaration) = parse(name, text);
                steady_state(&mut machine, &scenario, &declaration).unwrap().into_iter().collect()
            }
            Paths(name, text) => {
                let (mut machine, scenario, declaration) = parse(name, text);
                path_independence(&mut machine, &scenario, &declaration).unwrap()
            }
            Events(release, write) => {
                let mut stream = Stream::new();
                write(&mut stream);
                Judge::new().judge(&stream.scenario(), &stream.events, &declared(Some(release))).to_vec()
            }
        }
    }
}

/// One excuse.
pub(super) struct Pair {
    cause: Cause,
    invariant: Invariant,
    /// The cause is on the object, or holds it, in the collection in which it happens.
    own: Run,
    /// The cause is beside it, and the collector breaks the second invariant.
    beside: (Invariant, Run),
}

pub(super) const fn pair(cause: Cause, invariant: Invariant, own: Run, beside: Run) -> Pair {
    Pair { cause, invariant, own, beside: (invariant, beside) }
}

const R27: Release = Release::new(2, 7, 18);
const R37: Release = Release::new(3, 7, 16);
const R38: Release = Release::new(3, 8, 0);
const R312: Release = Release::new(3, 12, 1);
const R314: Release = Release::new(3, 14, 10);

const PAIRS: &[Pair] = &[
    Pair {
        cause: Entry(Expectation::Introspection),
        invariant: Invariant::I01b,
        own: Events(R314, |s| i01b(s, true)),
        // Cleared by a collection that is over: no state of the collector's between two.
        beside: (
            Invariant::I02,
            Once(
                "cpython-3.12+bug-no-resurrection-check",
                "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\ndel a\ncollect(2)\nscan()\n",
            ),
        ),
    },
    pair(
        Entry(Expectation::CallbacksFirst),
        Invariant::I17,
        Once(
            "cpython-3.12",
            "def A():\n    pass\n\nc = Node(call=A)\na = Node(finalizer=A)\nb = ref(a, c)\na[0] = a\ndel a\ncollect(2)\n",
        ),
        Events(R312, |s| i17_finalizer(s, true)),
    ),
    pair(
        Entry(Expectation::Resurrection),
        Invariant::I12,
        Once(
            "cpython-3.12",
            "def A():\n    b = self\n\na = Node(finalizer=A)\nc = ref(a)\na[0] = a\ndel a\ncollect(2)\n",
        ),
        // The object that was saved lives, and loses a weak reference that was made later.
        Once(
            "cpython-3.12+bug-clear-live-weakrefs",
            "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\ndel a\ncollect(2)\nc = ref(b)\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::DelAfterWeakrefs),
        Invariant::I12,
        Once("cpython-2.7", "def A():\n    b = self\n\na = Slotted(finalizer=A)\nc = ref(a)\ndel a\n"),
        // There is a finalizer, and it has not run.
        Once(
            "cpython-2.7+bug-clear-live-weakrefs",
            "def A():\n    b = self\n\na = Slotted(finalizer=A)\nc = ref(a)\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::SaveAll),
        Invariant::I22,
        Once(
            "cpython-3.12",
            "def A():\n    pass\n\na = Node(finalizer=A)\na[0] = a\ndel a\ngc.set_debug(DEBUG_SAVEALL)\ncollect(2)\n",
        ),
        // Set and unset before.
        Once(
            "cpython-3.12+bug-skip-first-clear",
            "def A():\n    pass\n\ngc.set_debug(DEBUG_SAVEALL)\ngc.set_debug(0)\na = Node(finalizer=A)\na[0] = a\ndel a\n\
             collect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::LegacyFinalizer),
        Invariant::I38,
        Rounds("cpython-3.12", "def A():\n    pass\n\na = Node(legacy=A)\na[0] = a\n"),
        Rounds(
            "cpython-3.12+bug-collection-leaks",
            "def A():\n    pass\n\na = Node(legacy=A)\nb = Node()\nb[0] = b\ndel b\ncollect(2)\n",
        ),
    ),
    Pair {
        cause: Entry(Expectation::DelUncollectable),
        invariant: Invariant::I38,
        own: Rounds("cpython-2.7", "def A():\n    pass\n\na = Slotted(finalizer=A)\na[0] = a\n"),
        beside: (
            Invariant::I19,
            Once(
                "cpython-2.7+bug-skip-first-clear",
                "def A():\n    pass\n\na = Node()\na[0] = a\nb = Slotted(finalizer=A)\nb[0] = b\ndel a\ndel b\ncollect(2)\n",
            ),
        ),
    },
    pair(
        Entry(Expectation::NoFinalizedBit),
        Invariant::I07,
        Once("cpython-3.12", "def A():\n    b = self\n\na = Node(gc=no, finalizer=A)\ndel a\ndel b\n"),
        Events(R312, |s| finalized_twice(s, Kind { tracking: Tracking::NoHeader, ..finalizable() }, Code::Finalizer)),
    ),
    pair(
        Entry(Expectation::NoBitBefore34),
        Invariant::I07,
        Once("cpython-2.7", "def A():\n    b = self\n\na = Slotted(finalizer=A)\ndel a\ndel b\n"),
        Events(R27, |s| finalized_twice(s, finalizable(), Code::Finalizer)),
    ),
    pair(
        Entry(Expectation::LegacyEachTime),
        Invariant::I07,
        Once("cpython-3.12", "def A():\n    b = self\n\na = Node(legacy=A)\ndel a\ndel b\n"),
        Events(R312, |s| {
            let kind = Kind { finalizer: Some(Finalizer::Legacy(ScriptId(0))), ..Kind::new(Shape::Node) };
            finalized_twice(s, kind, Code::LegacyFinalizer);
        }),
    ),
    pair(
        Entry(Expectation::EmptySlots),
        Invariant::I07,
        Once("cpython-3.8.0", "def A():\n    b = self\n\na = Bare(finalizer=A)\ndel a\ndel b\n"),
        Events(R38, |s| {
            let kind = Kind { finalizer: Some(Finalizer::Modern(ScriptId(0))), ..Kind::new(Shape::Bare) };
            finalized_twice(s, kind, Code::Finalizer);
        }),
    ),
    pair(
        Entry(Expectation::TypeEdge),
        Invariant::I19,
        Once("cpython-3.8", "a = Typed()\na[3] = a\ndel a\ncollect(2)\n"),
        Once(
            "cpython-3.8+bug-skip-first-clear",
            "a = Node()\na[0] = a\nb = Typed()\nb[3] = b\ndel a\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::TrashWeakrefCleared),
        Invariant::I12,
        Once(
            "cpython-3.12",
            "def A():\n    b = self[1]\n\na = Node(finalizer=A)\nc = Node()\na[1] = ref(c)\na[0] = a\ndel a\ncollect(2)\n",
        ),
        Events(R312, trash_weakref_dies_later),
    ),
    pair(
        Entry(Expectation::CountedEarly),
        Invariant::I21,
        Once("cpython-3.7.0", "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\ndel a\ncollect(2)\n"),
        Once(
            "cpython-3.7.0+bug-count-one-more",
            "def A():\n    pass\n\na = Node(finalizer=A)\na[0] = a\ndel a\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::BeforeClearOld),
        Invariant::I15,
        Once("cpython-3.7", REFERENT_DROPPED),
        Once("cpython-3.7+bug-call-trash-callbacks", REFERENT_KEPT),
    ),
    pair(
        Entry(Expectation::BeforeClearNew),
        Invariant::I15,
        Once("cpython-3.15", REFERENT_DROPPED),
        Once("cpython-3.15+bug-call-trash-callbacks", REFERENT_KEPT),
    ),
    pair(
        Entry(Expectation::RetrackedYoung),
        Invariant::I32,
        Once("cpython-3.12", "def A():\n    b = self\n\na = Slotted(finalizer=A)\ncollect(2)\ndel a\ncollect(0)\n"),
        // Saved so, long ago.
        Once(
            "cpython-3.12+bug-survivors-get-younger",
            "def A():\n    b = self\n\na = Slotted(finalizer=A)\ndel a\ncollect(2)\ncollect(2)\ncollect(2)\n",
        ),
    ),
    Pair {
        cause: Entry(Expectation::TrashcanLeftover),
        invariant: Invariant::I37,
        own: Once(
            "cpython-3.7",
            "def A():\n    a = Instance()\n    a[0] = b\n    b = a\n\nrepeat(60, A)\ndel a\ndel b\n",
        ),
        // What is being deallocated does not wait.
        beside: (Invariant::I37, Events(R37, dies_for_ever)),
    },
    Pair {
        cause: Entry(Expectation::NoEphemerons),
        invariant: Invariant::I40,
        own: Once("cpython-3.12", "a = WeakKeyDictionary()\nb = Node()\nb[0] = b\na[0] = b\ndel b\ncollect(2)\n"),
        // An empty dictionary keeps nothing.
        beside: (
            Invariant::I38,
            Rounds(
                "cpython-3.12+bug-collection-leaks",
                "a = WeakKeyDictionary()\nb = Node()\nb[0] = b\ndel b\ncollect(2)\n",
            ),
        ),
    },
    pair(
        Entry(Expectation::FinalizeOwns),
        Invariant::I38,
        Rounds("cpython-3.12", "def A():\n    pass\n\na = Node(call=A)\nfinalize(a, a)\n"),
        // A `finalize` whose function does not own its object.
        Rounds(
            "cpython-3.12+bug-collection-leaks",
            "def A():\n    pass\n\na = Node(call=A)\nb = Node()\nfinalize(b, a)\ndel b\nb = Node()\nb[0] = b\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::IsolateSaved),
        Invariant::I22,
        Once(
            "cpython-3.7",
            "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\nc = Node()\nc[0] = c\ndel a\ndel c\ncollect(2)\n",
        ),
        // Nothing was saved.
        Once(
            "cpython-3.7+bug-skip-first-clear",
            "def A():\n    pass\n\nc = Node()\nc[0] = c\na = Node(finalizer=A)\na[0] = a\ndel a\ndel c\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::AnswersUntilDestroyed),
        Invariant::I52,
        // The first finalizer makes the weak reference.
        Once(
            "cpython-3.12",
            "def A():\n    w = ref(self)\n\ndef B():\n    x = deref(w)\n\na = Node(finalizer=A)\na[0] = a\nb = Node(finalizer=B)\n\
             b[0] = b\ndel a\ndel b\ncollect(2)\n",
        ),
        // It is older than the collection.
        Once(
            "cpython-3.12+bug-keep-plain-weakrefs",
            "def A():\n    pass\n\ndef B():\n    x = deref(w)\n\na = Node(finalizer=A)\na[0] = a\nb = Node(finalizer=B)\n\
             b[0] = b\nw = ref(a)\ndel a\ndel b\ncollect(2)\n",
        ),
    ),
];

/// A callback releases the referent of a weak reference in the trash.
const REFERENT_DROPPED: &str = "def A():\n    pass\n\ndef B():\n    del a[0]\n\na = Node(call=B)\na[0] = Node()\n\
    b = Node(call=A)\nb[0] = ref(a[0], b)\nc = ref(b, a)\ndel b\ncollect(2)\n";

/// It does not release that of another one.
const REFERENT_KEPT: &str = "def A():\n    pass\n\ndef B():\n    del a[0]\n\na = Node(call=B)\na[0] = Node()\n\
    b = Node(call=A)\nb[0] = ref(b, b)\nc = ref(b, a)\ndel b\ncollect(2)\n";

/// The finalizer of an object that nothing saves runs a second time; another object's was saved by its own.
fn finalized_twice(s: &mut Stream, kind: Kind, code: Code) {
    let a = s.held(0, kind);
    s.var(0, None);
    for _ in 0..2 {
        s.enter(code, a, None);
        s.leave();
    }
    s.die(a);
}

/// A deallocation begins and does not end.
fn dies_for_ever(s: &mut Stream) {
    let a = s.node(0);
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.end(&[(a, 0, Spot::Untracked)], &[]);
}

/// A weak reference is found in trash, saved, and lives; a later collection kills it.
fn trash_weakref_dies_later(s: &mut Stream) {
    let a = s.finalizable(0);
    let x = s.node(1);
    let w = s.weak(2, x, None);
    s.slot(a, 0, Some(a));
    s.slot(a, 1, Some(w));
    s.var(0, None);
    s.var(2, None);
    let live = [(w, Some(x), false)];
    s.collect(&[(a, 1, Spot::Gen0), (x, 1, Spot::Gen0), (w, 1, Spot::Gen0)], &live);
    s.enter(Code::Finalizer, a, None);
    s.snapshot(&[(x, 1, Spot::Gen2), (a, 2, Spot::Collecting), (w, 1, Spot::Collecting)], &live);
    s.var(2, Some(w));
    s.leave();
    s.snapshot(&[(x, 1, Spot::Gen2), (a, 2, Spot::Collecting), (w, 2, Spot::Collecting)], &live);
    s.clear(a);
    s.die(a);
    s.collected(1, &[(x, 1, Spot::Gen2), (w, 1, Spot::Gen2)], &live);
    let lines = [(x, 1, Spot::Gen2), (w, 1, Spot::Gen2)];
    s.collect(&lines, &live);
    s.collected(0, &lines, &[(w, None, false)]);
}

#[test]
fn a_cause_excuses_its_own_object_and_none_beside_it() {
    let mut wrong = Vec::new();
    for pair in PAIRS.iter().chain(TYPE_PAIRS) {
        let (class, why) = match pair.cause {
            Entry(why) => (crate::invariant::violations::class_of(why), Some(why)),
            Type(_) => (Class::TypeFault, None),
        };
        let own = pair.own.found();
        // What no text forbids before 3.8 is not reported at all.
        let is_silent = pair.cause == Entry(Expectation::BeforeClearOld);
        let is_excused = |v: &Violation| (v.class, v.why) == (class, why);
        let mut same = own.iter().filter(|v| v.invariant == pair.invariant);
        let excused = same.clone().count() > 0 && same.all(is_excused);
        if is_silent != own.iter().all(|v| v.invariant != pair.invariant) || excused == is_silent {
            wrong.push(format!("{:?} does not excuse {}: {own:#?}", pair.cause, pair.invariant));
        }
        let (invariant, beside) = pair.beside;
        let beside = beside.found();
        let unexcused = |v: &&Violation| matches!(v.class, Class::Collector | Class::Unpromised) && v.why.is_none();
        if !beside.iter().filter(unexcused).any(|v| v.invariant == invariant) {
            wrong.push(format!("{:?} excuses {invariant} beside it: {beside:#?}", pair.cause));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_excuse_has_a_pair() {
    for excuse in Expectation::ALL.iter().filter(|entry| entry.excuses().is_some()) {
        assert!(PAIRS.iter().any(|pair| pair.cause == Entry(*excuse)), "{excuse:?}");
    }
}
