//! Situations in which collectors have been wrong, or could be: how many of 20,000 scenarios of the default profile reach
//! each, and how many of the files that are committed.
//!
//! A campaign that never reaches a situation proves nothing about it, however long it is. What is written below is the
//! floor; what was reached is printed.

use std::path::Path;

use coroner::corpus::{Reading, load as load_corpus};
use coroner::event::{Code, Event, EventBuffer, ObjId, Role, Spot, Undefined};
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::regression::load;
use coroner::scenario::{Finalizer, Kind, Op, Scenario, Shape, SlotSet, binary};

/// The rows that everything is run on: the last before the weak references of the trash were cleared late, and the newest.
/// A situation is reached if it is on one of them.
const ROWS: [&str; 2] = ["cpython-3.12", "cpython-3.15"];
const SCENARIOS: u64 = 20_000;

/// A part of a collection, as far as events tell parts apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Search,
    Callbacks,
    Finalizers,
    Clearing,
}

/// User code that runs.
#[derive(Clone, Copy)]
struct Running {
    code: Code,
    owner: ObjId,
    arg: Option<ObjId>,
}

struct Object {
    role: Role,
    kind: Kind,
    spot: Spot,
}

/// Where a run is.
struct Context<'s> {
    scenario: &'s Scenario,
    objects: Vec<Object>,
    code: Vec<Running>,
    /// The part of the running collection, and how much code ran when it started.
    collection: Option<(Part, usize)>,
    step: Option<Op>,
    /// How many objects there were when `freeze` ran, if nothing was unfrozen since.
    frozen: usize,
}

impl<'s> Context<'s> {
    fn new(scenario: &'s Scenario) -> Context<'s> {
        Context { scenario, objects: Vec::new(), code: Vec::new(), collection: None, step: None, frozen: 0 }
    }

    fn object(&self, object: ObjId) -> &Object {
        &self.objects[object.index()]
    }

    fn part(&self) -> Option<Part> {
        self.collection.map(|(part, _)| part)
    }

    /// True if code of this kind runs, called by whatever code runs besides.
    fn runs(&self, code: Code) -> bool {
        self.code.iter().any(|running| running.code == code)
    }

    /// True if a callback of a weak reference of this shape runs.
    fn calls_back(&self, shape: Shape) -> bool {
        self.code.iter().any(|running| running.code == Code::Callback && self.is_named(running.arg, shape))
    }

    /// True for an object of this shape that an operation names.
    fn is_named(&self, object: Option<ObjId>, shape: Shape) -> bool {
        object.map(|object| self.object(object)).is_some_and(|o| o.role == Role::Named && o.kind.shape == shape)
    }

    /// True if the script that an event starts has such an operation.
    fn script_has(&self, event: &Event, wanted: impl Fn(&Op) -> bool) -> bool {
        let Event::Enter { code, owner, .. } = *event else { return false };
        let kind = &self.object(owner).kind;
        let script = match code {
            Code::Finalizer | Code::LegacyFinalizer => kind.finalizer.map(|finalizer| match finalizer {
                Finalizer::Modern(script) | Finalizer::Legacy(script) => script,
            }),
            Code::Dealloc => kind.on_dealloc,
            Code::Callback | Code::GcCallback | Code::Call => kind.on_call,
        };
        script.is_some_and(|script| self.scenario.body(script.0 as usize + 1).iter().any(wanted))
    }

    fn take(&mut self, event: &Event) {
        match *event {
            Event::Step { op } => {
                let op = self.scenario.ops()[op as usize];
                match op {
                    Op::Freeze => self.frozen = self.objects.len(),
                    Op::Unfreeze => self.frozen = 0,
                    _ => {}
                }
                self.step = Some(op);
            }
            Event::New { origin, role, .. } => {
                let shape = |shape| Kind::new(shape);
                let kind = match role {
                    Role::Named => *self.scenario.ops()[origin as usize].kind().expect("what is made has a kind"),
                    Role::InstanceDict | Role::ContainerData | Role::ContainerDict => shape(Shape::Dict),
                    Role::ContainerPending | Role::ContainerIterating => shape(Shape::List),
                    Role::ContainerRemove => shape(Shape::Function),
                    Role::ContainerEntry | Role::FinalizeRef | Role::ContainerSelf => shape(Shape::Ref),
                    Role::ContainerDefaults | Role::ContainerClosure => shape(Shape::Tuple),
                    Role::ContainerCell => shape(Shape::Cell),
                };
                self.objects.push(Object { role, kind, spot: Spot::Untracked });
            }
            Event::State { object, spot, .. } => self.objects[object.index()].spot = spot,
            Event::Enter { code, owner, arg } => {
                if let Some((part, depth)) = &mut self.collection
                    && *depth == self.code.len()
                    && *part != Part::Clearing
                {
                    match code {
                        Code::Callback if *part == Part::Search => *part = Part::Callbacks,
                        Code::Finalizer => *part = Part::Finalizers,
                        _ => {}
                    }
                }
                self.code.push(Running { code, owner, arg });
            }
            Event::Leave => {
                self.code.pop();
            }
            Event::CollectStart { .. } => self.collection = Some((Part::Search, self.code.len())),
            Event::CollectEnd { .. } => self.collection = None,
            Event::Clear { .. } => {
                if let Some((part, _)) = &mut self.collection {
                    *part = Part::Clearing;
                }
            }
            _ => {}
        }
    }
}

/// A situation: asked before each event, with where the run is.
struct Situation {
    name: &'static str,
    /// The profile whose scenarios are counted.
    profile: &'static str,
    /// How many of its scenarios reach it at least.
    scenarios: u64,
    /// How many committed files reach it at least.
    files: u64,
    is_reached: fn(&Context<'_>, &Event) -> bool,
}

const fn of(name: &'static str, scenarios: u64, files: u64, is_reached: fn(&Context<'_>, &Event) -> bool) -> Situation {
    Situation { name, profile: "default", scenarios, files, is_reached }
}

/// Types that lie about what they own make behaviour undefined: the profile `default` leaves them out, `unsafe` is theirs.
const fn of_unsafe(
    name: &'static str,
    scenarios: u64,
    files: u64,
    is_reached: fn(&Context<'_>, &Event) -> bool,
) -> Situation {
    Situation { name, profile: "unsafe", scenarios, files, is_reached }
}

/// A script makes an object of a shape.
macro_rules! made_by_script {
    ($shape:ident) => {
        |c, e| {
            matches!(*e, Event::New { origin, role: Role::Named, .. }
                if origin as usize >= c.scenario.main().len()
                    && c.scenario.ops()[origin as usize].kind().is_some_and(|k| k.shape == Shape::$shape))
        }
    };
}

/// A weak reference of a shape with a callback is made while a collection runs.
macro_rules! watched_in_collection {
    ($shape:ident) => {
        |c, e| {
            c.collection.is_some()
                && matches!(*e, Event::NewWeak { weak, callback: Some(_), .. } if c.is_named(Some(weak), Shape::$shape))
        }
    };
}

/// A collection starts while code runs.
macro_rules! collection_in {
    (|$c:ident| $condition:expr) => {
        |$c, e| matches!(e, Event::CollectStart { .. }) && $condition
    };
}

/// An object of a shape is in the permanent generation.
macro_rules! frozen {
    ($shape:ident) => {
        |c, e| matches!(*e, Event::State { object, spot: Spot::Permanent, .. } if c.is_named(Some(object), Shape::$shape))
    };
}

/// A script that has an operation runs.
macro_rules! script_with {
    ($op:pat) => {
        |c, e| c.script_has(e, |op| matches!(op, $op))
    };
}

/// Code of a kind starts, in a part of a collection.
macro_rules! starts_in {
    ($part:ident, $code:ident) => {
        |c, e| c.part() == Some(Part::$part) && matches!(e, Event::Enter { code: Code::$code, .. })
    };
}

fn made(c: &Context<'_>, e: &Event) -> Option<Kind> {
    match *e {
        Event::New { origin, role: Role::Named, .. } => c.scenario.ops()[origin as usize].kind().copied(),
        _ => None,
    }
}

fn calls_during_clearing(c: &Context<'_>, e: &Event, wanted: impl Fn(&Object) -> bool) -> bool {
    c.part() == Some(Part::Clearing)
        && matches!(*e, Event::Enter { code: Code::Callback, owner, .. } if wanted(c.object(owner)))
}

/// Every situation.
static SITUATIONS: &[Situation] = &[
    of("a script makes a Node", 500, 1, made_by_script!(Node)),
    of("a script makes an object of a heap type", 8, 0, made_by_script!(Typed)),
    of("a script makes a list", 20, 0, made_by_script!(List)),
    of("a script makes a tuple", 15, 0, made_by_script!(Tuple)),
    of("a script makes a dict", 20, 0, made_by_script!(Dict)),
    of("a script makes a cell", 15, 0, made_by_script!(Cell)),
    of("a script makes a function", 30, 0, made_by_script!(Function)),
    of("a script makes a method", 8, 0, made_by_script!(Method)),
    of("a script makes an instance", 40, 0, made_by_script!(Instance)),
    of("a script makes an instance with slots", 20, 0, made_by_script!(Slotted)),
    of("a script makes an instance without slots", 20, 0, made_by_script!(Bare)),
    of("a script makes a plain reference", 500, 1, made_by_script!(Ref)),
    of("a script makes a proxy", 50, 1, made_by_script!(Proxy)),
    of("a script makes a KeyedRef", 40, 1, made_by_script!(KeyedRef)),
    of("a script makes a WeakValueDictionary", 7, 0, made_by_script!(LibraryValueDict)),
    of("a script makes a composed WeakValueDictionary", 7, 0, made_by_script!(WeakValueDict)),
    of("a script makes a WeakKeyDictionary", 10, 0, made_by_script!(WeakKeyDict)),
    of("a script makes a WeakSet", 4, 0, made_by_script!(LibrarySet)),
    of("a script makes a composed WeakSet", 4, 0, made_by_script!(WeakSet)),
    of("a script makes a finalize", 5, 1, made_by_script!(Finalize)),
    of("a script makes a composed finalize", 5, 1, made_by_script!(ComposedFinalize)),
    of("an error during an iteration", 4, 1, |c, e| {
        matches!(c.step, Some(Op::Iterate { .. })) && matches!(e, Event::Unraisable { .. })
    }),
    of("an iteration over a frozen WeakSet", 5, 1, |c, e| {
        matches!(*e, Event::Yielded { container, .. } if [Shape::WeakSet, Shape::LibrarySet].into_iter().any(|shape| c.is_named(Some(container), shape))
            && (container.index() < c.frozen || c.object(container).spot == Spot::Permanent))
    }),
    of("user code nests eight deep", 30, 1, |c, e| matches!(e, Event::Enter { .. }) && c.code.len() >= 7),
    of("a legacy finalizer in a callback", 20, 1, |c, e| {
        c.runs(Code::Callback) && matches!(e, Event::Enter { code: Code::LegacyFinalizer, .. })
    }),
    of("a legacy finalizer among the finalizers of a collection", 15, 1, starts_in!(Finalizers, LegacyFinalizer)),
    of("a finalize is called while trash is cleared", 30, 1, |c, e| {
        calls_during_clearing(c, e, |o| o.kind.shape.is_finalize())
    }),
    of("a call while trash is cleared", 30, 1, starts_in!(Clearing, Call)),
    of("a container removes an entry while trash is cleared", 30, 1, |c, e| {
        calls_during_clearing(c, e, |o| o.role == Role::ContainerRemove)
    }),
    of("an error among the finalizers of a collection", 50, 1, |c, e| {
        c.part() == Some(Part::Finalizers) && matches!(e, Event::Unraisable { .. })
    }),
    of("an error while trash is cleared", 30, 0, |c, e| {
        c.part() == Some(Part::Clearing) && matches!(e, Event::Unraisable { .. })
    }),
    of("a frozen proxy", 15, 1, frozen!(Proxy)),
    of("a frozen KeyedRef", 8, 0, frozen!(KeyedRef)),
    of("a frozen finalize", 15, 1, frozen!(Finalize)),
    of("a frozen composed finalize", 15, 1, frozen!(ComposedFinalize)),
    of("a collection in the callback of a proxy", 8, 1, collection_in!(|c| c.calls_back(Shape::Proxy))),
    of("a collection in the callback of a KeyedRef", 15, 1, collection_in!(|c| c.calls_back(Shape::KeyedRef))),
    of("a collection in a legacy finalizer", 30, 1, collection_in!(|c| c.runs(Code::LegacyFinalizer))),
    of(
        "a collection in what a finalize calls",
        10,
        0,
        collection_in!(|c| { c.code.iter().any(|running| c.object(running.owner).kind.shape.is_finalize()) }),
    ),
    of("a plain reference with callback is made in a collection", 40, 1, watched_in_collection!(Ref)),
    of("a KeyedRef with callback is made in a collection", 15, 1, watched_in_collection!(KeyedRef)),
    of("a proxy with callback is made in a collection", 20, 1, watched_in_collection!(Proxy)),
    of(
        "the callback of a proxy",
        100,
        1,
        |c, e| matches!(*e, Event::Enter { code: Code::Callback, arg, .. } if c.is_named(arg, Shape::Proxy)),
    ),
    of(
        "the callback of a KeyedRef",
        200,
        1,
        |c, e| matches!(*e, Event::Enter { code: Code::Callback, arg, .. } if c.is_named(arg, Shape::KeyedRef)),
    ),
    of("a script with track", 50, 0, script_with!(Op::Track { .. })),
    of("a script with untrack", 100, 1, script_with!(Op::Untrack { .. })),
    of("a script with enable", 50, 0, script_with!(Op::Enable)),
    of("a script with disable", 100, 1, script_with!(Op::Disable)),
    of("a script with set_threshold", 50, 0, script_with!(Op::SetThreshold { .. })),
    of("a script with del gc.garbage[:]", 100, 1, script_with!(Op::EmptyGarbage)),
    of("a script with freeze", 50, 1, script_with!(Op::Freeze)),
    of("a script with unfreeze", 100, 1, script_with!(Op::Unfreeze)),
    of("a script with set_debug", 30, 0, script_with!(Op::SaveAll { .. })),
    of("a script with len", 50, 0, script_with!(Op::Len { .. })),
    of("a script stores in a weak container", 50, 0, |c, e| {
        !c.code.is_empty() && matches!(*e, Event::New { role: Role::ContainerEntry, .. })
    }),
    of_unsafe("a type that reports twice", 2000, 1, |c, e| made(c, e).is_some_and(|k| k.doubled != SlotSet::NONE)),
    of_unsafe("a type that reports now and then", 2000, 1, |c, e| {
        made(c, e).is_some_and(|k| k.fickle != SlotSet::NONE)
    }),
    of_unsafe("a deallocator that does not untrack", 3000, 1, |c, e| made(c, e).is_some_and(|k| k.flaws.keeps_tracked)),
    of_unsafe("a deallocator that keeps weak references", 2000, 1, |c, e| {
        made(c, e).is_some_and(|k| k.flaws.keeps_weakrefs)
    }),
];

/// Which situations a scenario reaches, a bit each.
struct Reacher {
    machines: Vec<Machine>,
    events: Vec<Event>,
}

impl Reacher {
    fn new() -> Reacher {
        let machine = |row: &&str| Machine::new(&Collector::parse(row).unwrap());
        Reacher { machines: ROWS.iter().map(machine).collect(), events: Vec::new() }
    }

    fn reached(&mut self, scenario: &Scenario) -> u128 {
        let mut reached = 0;
        for machine in &mut self.machines {
            machine.run(scenario, &mut EventBuffer::new(&mut self.events));
            let mut context = Context::new(scenario);
            for event in &self.events {
                for (number, situation) in SITUATIONS.iter().enumerate() {
                    if reached >> number & 1 == 0 && (situation.is_reached)(&context, event) {
                        reached |= 1 << number;
                    }
                }
                context.take(event);
            }
        }
        reached
    }
}

fn count(counts: &mut [u64], reached: u128) {
    counts.iter_mut().enumerate().for_each(|(number, count)| *count += (reached >> number & 1) as u64);
}

/// How many scenarios of a profile reach each situation.
fn of_scenarios(profile: &str) -> Vec<u64> {
    let mut generator = Generator::new(Seed::from(12), Profile::named(profile).unwrap(), Size::Small);
    let (mut reacher, mut scenario) = (Reacher::new(), Scenario::new());
    let mut counts = vec![0; SITUATIONS.len()];
    for n in 0..SCENARIOS {
        generator.fill(n, &mut scenario);
        count(&mut counts, reacher.reached(&scenario));
    }
    counts
}

/// Every scenario that is committed.
fn committed() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scenarios: Vec<Scenario> =
        load(&root.join("regressions")).into_iter().map(|case| case.unwrap().document.scenario).collect();
    let corpus = load_corpus(&root.join("corpus/scenario"), Reading::Strict).unwrap();
    scenarios.extend(corpus.iter().map(|input| binary::decode(&input.bytes).unwrap()));
    scenarios
}

fn check(what: &str, counts: &[u64], floor: impl Fn(&Situation) -> Option<u64>) {
    let mut missed = Vec::new();
    for (situation, count) in SITUATIONS.iter().zip(counts) {
        let Some(floor) = floor(situation) else { continue };
        println!("{:<60} {count:>6}, floor {floor}", situation.name);
        if *count < floor {
            missed.push(format!("{}: {count}, floor {floor}", situation.name));
        }
    }
    assert!(missed.is_empty(), "{what}:\n{}", missed.join("\n"));
}

#[test]
fn the_default_profile_reaches_every_situation() {
    check("scenarios of the default profile", &of_scenarios("default"), |situation| {
        (situation.profile == "default").then_some(situation.scenarios)
    });
}

#[test]
fn the_unsafe_profile_reaches_what_the_default_one_leaves_out() {
    check("scenarios of the profile unsafe", &of_scenarios("unsafe"), |situation| {
        (situation.profile == "unsafe").then_some(situation.scenarios)
    });
}

#[test]
fn the_committed_files_reach_every_situation() {
    let mut reacher = Reacher::new();
    let mut counts = vec![0; SITUATIONS.len()];
    for scenario in committed() {
        count(&mut counts, reacher.reached(&scenario));
    }
    check("committed files", &counts, |situation| Some(situation.files));
}

#[test]
fn the_corpus_has_every_operation_that_lasts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = load_corpus(&root.join("corpus/scenario"), Reading::Strict).unwrap();
    let scenarios: Vec<Scenario> = corpus.iter().map(|input| binary::decode(&input.bytes).unwrap()).collect();
    let missing: Vec<String> = coroner::scenario::OPERATIONS
        .iter()
        .filter(|operation| !scenarios.iter().any(|s| s.ops().iter().any(|op| op.opcode() == operation.opcode)))
        .map(|operation| format!("{:?}", operation.opcode))
        .collect();
    assert!(missing.is_empty(), "no input has {missing:?}");
}

/// The crashes of real interpreters that were found by chance come by purpose.
#[test]
fn dying_weak_references_that_are_met_come_in_ten_thousand_scenarios() {
    let mut generator = Generator::new(Seed::from(0), Profile::named("planted").unwrap(), Size::Small);
    let (mut reacher, mut scenario, mut found) = (Reacher::new(), Scenario::new(), [0; 2]);
    for n in 0..10_000 {
        generator.fill(n, &mut scenario);
        let mut seen = [false; 2];
        for machine in &mut reacher.machines {
            machine.run(&scenario, &mut EventBuffer::new(&mut reacher.events));
            let Some(Event::Undefined { reason }) = reacher.events.last() else { continue };
            for (seen, wanted) in seen.iter_mut().zip([Undefined::MovedUntracked, Undefined::NullCallback]) {
                *seen |= *reason == wanted;
            }
        }
        found.iter_mut().zip(seen).for_each(|(count, seen)| *count += u64::from(seen));
    }
    println!("N01 {}, N02 {}", found[0], found[1]);
    assert!(found[0] > 0 && found[1] > 0, "N01 {}, N02 {}", found[0], found[1]);
}
