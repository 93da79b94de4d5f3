//! The model and the interpreters of this machine in lockstep: they agree, and a wrong row is caught.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use coroner::campaign::{self, Budget, Scenarios};
use coroner::cpython::{Python, installed};
use coroner::diagnose::{self, Flip};
use coroner::event::{Event, record};
use coroner::findings::Baseline;
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::{Invariant, Judge};
use coroner::lockstep::{self, Comparison, ComparisonPlan, DifferenceKind, Lockstep};
use coroner::lookup::{Imitation, campaign_subjects};
use coroner::model::collector::{Collector, Switch};
use coroner::model::machine::Machine;
use coroner::model::rows::Rows;
use coroner::scenario::Scenario;
use coroner::subject::{SetupError, Subject};
use coroner::supervise::Limits;

/// The interpreters that rows cover; one line if there are none.
fn targets() -> Vec<Imitation> {
    let usable = installed().into_iter().flatten();
    let targets: Vec<Imitation> = usable.map(Imitation::of).collect();
    if targets.is_empty() {
        eprintln!("skipped: no CPython found (pyenv, PATH, CORONER_PYTHONS)");
    }
    targets
}

fn lockstep_of(target: &Imitation) -> Result<Lockstep, SetupError> {
    let target = target.target(String::new());
    Lockstep::new(target.real, target.model.as_ref(), Limits::default())
}

fn draw(profile: &str) -> Scenarios {
    Scenarios { seed: Seed::default(), profiles: vec![Profile::named(profile).unwrap()], size: Size::Small }
}

fn plan(targets: &[Imitation], profile: &str, scenarios: u64, jobs: usize) -> ComparisonPlan {
    let collectors = targets.iter().map(|target| target.collector.clone()).collect();
    ComparisonPlan {
        draw: draw(profile),
        targets: targets.iter().map(|target| target.target(target.interpreter.short())).collect(),
        model: Arc::new(Rows::new(collectors)),
        sanitize: false,
        against: None,
        budget: Budget::Scenarios(scenarios),
        jobs,
        sample: 64,
        limits: Limits::default(),
        tries: 500,
    }
}

fn run(plan: &ComparisonPlan) -> lockstep::ComparisonOutcome {
    lockstep::run(plan, &AtomicBool::new(false))
}

#[test]
fn every_interpreter_does_what_its_row_does() {
    let targets = targets();
    for profile in ["plain", "mixed", "weakrefs", "resurrection", "builtin"] {
        let plan = plan(&targets, profile, 500, 2);
        let outcome = run(&plan);
        for skipped in &outcome.skipped {
            eprintln!("skipped: {}: {}", plan.targets[skipped.target].identity.name, skipped.why);
        }
        for (_, record) in &outcome.campaign.findings {
            eprintln!("{profile}: {}\n{}", record.sentence, record.reduced);
        }
        for (index, (target, tally)) in plan.targets.iter().zip(&outcome.campaign.part.tallies).enumerate() {
            let name = &target.identity.name;
            assert!(tally.agrees(), "{profile} on {name}: {tally:?}");
            if outcome.skipped.iter().all(|s| s.target != index) {
                assert!(tally.scenarios == 500 && tally.same > 250, "{profile} on {name}: {tally:?}");
            }
        }
    }
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let Some(target) = targets().pop() else { return };
    let counts = |jobs| run(&plan(std::slice::from_ref(&target), "default", 1000, jobs)).campaign.part;
    assert_eq!(counts(1), counts(2));
}

/// Rules in which interpreters at hand may differ and which cannot be shown on them, and why.
const NOT_SHOWN: &[(&str, &str)] = &[];
/// How many scenarios may be needed to show that a switch is wrong.
const SCENARIOS: u64 = 20_000;

/// Generated scenarios, and in front of them one for each rule that random ones hardly show: `tests/switches`.
fn scenarios_for_switches() -> Vec<Scenario> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/switches");
    let directed = coroner::regression::load(&folder).into_iter().map(|case| case.unwrap());
    let named = |case: &coroner::regression::Case| {
        let name = case.path.file_stem().and_then(|s| s.to_str()).unwrap().to_owned();
        assert!(Switch::find(&name).is_some(), "{name} is no switch");
    };
    let mut scenarios: Vec<Scenario> = directed.inspect(named).map(|case| case.document.scenario).collect();
    let mut generator = Generator::new(Seed::default(), Profile::named("default").unwrap(), Size::Small);
    scenarios.extend((scenarios.len() as u64..SCENARIOS).map(|n| generator.make(n)));
    scenarios
}

#[test]
fn every_wrong_switch_is_caught() {
    let targets = targets();
    let found = diagnose::flip_each_switch(&targets, &scenarios_for_switches()).unwrap();
    eprintln!("{:40} {:16} {:18} {:>8}  first difference", "switch turned over", "row", "interpreter", "scenario");
    for (switch, flip) in &found {
        if let Flip::Caught { row, interpreter, scenario, kind } = flip {
            eprintln!("{:40} {row:16} {interpreter:18} {scenario:>8}  {kind}", switch.name());
        }
    }
    eprintln!("not proved here:");
    let mut wrong = Vec::new();
    for (switch, flip) in &found {
        let name = switch.name();
        let known = NOT_SHOWN.iter().find(|(known, _)| *known == name).map(|(_, why)| *why);
        let why = match flip {
            Flip::Caught { .. } => {
                assert!(known.is_none(), "{name} is caught: it is none of those that cannot be shown");
                continue;
            }
            Flip::NotSeparated => {
                eprintln!("{name:40} no two of the interpreters that were found differ in it");
                continue;
            }
            Flip::Unsupported(what) => format!("the probe cannot run what shows it: {what}"),
            Flip::Disagrees(n) => format!("the row itself disagrees on scenario {n}"),
            Flip::Missed => format!("none of {SCENARIOS} scenarios shows it"),
        };
        eprintln!("{name:40} {}", known.unwrap_or(&why));
        if known.is_none() {
            wrong.push(format!("{name}: {why}"));
        }
    }
    let missing = Collector::all().into_iter().filter(|row| targets.iter().all(|t| t.collector.name != row.name));
    let missing: Vec<String> = missing.map(|row| row.name).collect();
    eprintln!("rows without an interpreter here: {}", missing.join(" "));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_wrong_row_is_found_and_reduced() {
    // Where the first pass does not clear at all, that switch means nothing.
    let means = |t: &Imitation| t.collector.rules.has(Switch::ClearWeakrefsBeforeFinalizers);
    let Some(mut target) = targets().into_iter().rfind(means) else { return };
    target.collector.rules = target.collector.rules.flip(Switch::ClearTrashWeakrefs);
    let plan = plan(&[target], "weakrefs", 2000, 2);
    let outcome = run(&plan);
    assert!(outcome.campaign.part.tallies[0].differ > 0);
    let (_, record) = &outcome.campaign.findings[0];
    assert!(record.objects <= 4, "{}", record.reduced);
    assert!(record.details["model"] != record.details["real"]);
    coroner::scenario::text::parse(&record.reduced).unwrap();
}

#[test]
fn a_killed_worker_costs_nothing() {
    let Some(target) = targets().pop() else { return };
    let mut lockstep = lockstep_of(&target).unwrap();
    let mut generator = Generator::new(Seed::default(), Profile::named("mixed").unwrap(), Size::Small);
    let batch: Vec<Scenario> = (0..40_000).map(|n| generator.make(n)).collect();
    let id = lockstep.real().process_id().unwrap();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        std::process::Command::new("kill").args(["-9", &id.to_string()]).status().unwrap().success()
    });
    let (mut outcomes, mut disagreements) = (0, 0);
    let start = Instant::now();
    for part in batch.chunks(2000) {
        lockstep
            .compare_batch(
                part,
                |_| false,
                |compared| {
                    outcomes += 1;
                    disagreements += u32::from(matches!(compared.comparison, Comparison::Different(_)));
                },
            )
            .unwrap();
    }
    let in_time = start.elapsed() > Duration::from_millis(100);
    assert!(killer.join().unwrap() || !in_time, "the worker was there to be killed");
    assert_eq!((outcomes, disagreements), (batch.len(), 0));
    assert!(lockstep.real().process_id() != Some(id) || !in_time);
}

/// What the probe itself holds or calls: the argument of a function whose frame the collector visits (up to 3.6), and
/// the report of uncollectable objects (2.7) while instances are in the trashcan.
const PROBE: [&str; 2] = [
    "def A():\n    collect(2)\n\na = function(A)\nb = Instance()\nb[0] = ref(b, a)\ndel b\n",
    "def A():\n    b = Slotted()\n    b[0] = a\n    a = b\ndef D():\n    pass\n\nrepeat(50, A)\n\
     a = Slotted(finalizer=D)\na[0] = a\ndel a\ndel b\ncollect(0)\n",
];

#[test]
fn the_probe_changes_no_order() {
    let old = |target: &Imitation| (target.interpreter.release.major, target.interpreter.release.minor) < (3, 7);
    for target in targets().into_iter().filter(old) {
        let mut lockstep = lockstep_of(&target).unwrap();
        for text in PROBE {
            let document = coroner::scenario::text::parse_bytes(format!("coroner 1\n{text}").as_bytes()).unwrap();
            assert_eq!(lockstep.compare(&document.scenario).unwrap(), Comparison::Same, "{text}");
        }
    }
}

/// A `finalize` that is called because its object dies, one by the collector, and one that calls what dies of it.
const FINALIZE: &str = "coroner 1\n\ndef C():\n    look()\n\nf = function(C)\na = Node()\nz = finalize(a, f)\ndel a\n\
     b = Instance()\nb[0] = b\ny = finalize(b, f)\ndel b\ncollect(2)\nc = Node()\ng = Node(call=C)\nfinalize(c, g)\n\
     del g\ndel c\n";

/// What can be changed in a line of `Lib/weakref.py`: the entry stays in the registry, the callable is not called, the weak
/// reference has no callback, somebody else holds the callable.
const CHANGES: [(&str, &str); 4] = [
    ("info = self._registry.pop(self, None)", "info = self._registry.get(self, None)"),
    ("return info.func(*info.args, **(info.kwargs or {}))", "return None"),
    ("info.weakref = ref(obj, self)", "info.weakref = ref(obj)"),
    ("info.func = func", "info.func = finalize.last = func"),
];

/// The source of a module of an interpreter's own library.
fn library_source(target: &Imitation, module: &str) -> String {
    let question = format!("import {module}; print({module}.__file__)");
    let output = std::process::Command::new(&target.interpreter.program).args(["-I", "-S", "-c", &question]).output();
    let path = String::from_utf8(output.unwrap().stdout).unwrap();
    std::fs::read_to_string(path.trim()).unwrap()
}

#[test]
fn finalize_is_the_class_of_the_library() {
    let document = coroner::scenario::text::parse_bytes(FINALIZE.as_bytes()).unwrap();
    for mut target in targets().into_iter().filter(|t| t.interpreter.release.major == 3) {
        let source = library_source(&target, "weakref");
        let mut compare = |text: &str| {
            // Another folder each time: what is compiled is kept by size and time of the source.
            let folder = tempfile::tempdir().unwrap();
            target.interpreter.library = Some(folder.path().to_owned());
            std::fs::write(folder.path().join("weakref.py"), text).unwrap();
            lockstep_of(&target).unwrap().compare(&document.scenario).unwrap()
        };
        assert_eq!(compare(&source), Comparison::Same, "a copy");
        for (line, changed) in CHANGES {
            assert_eq!(source.matches(line).count(), 1, "{line}");
            let comparison = compare(&source.replace(line, changed));
            assert!(matches!(comparison, Comparison::Different(_)), "{changed}: {comparison:?}");
        }
    }
}

/// Entries that go because their object dies, by the collector too, and while they are iterated over, that are stored
/// again, and that are deleted.
const VALUES: &str = "coroner 1\n\ndef S():\n    del b\n    len(d)\n\nd = WeakValueDictionary()\na = Node()\nb = Node()\nd[0] = a\n\
     d[1] = b\nlen(d)\ndel a\nlen(d)\nd[1] = b\nd[2] = b\nd[1] = None\nb[0] = b\ndel b\ncollect(2)\nlen(d)\nb = Node()\n\
     c = Node()\nd[0] = b\nd[1] = c\niterate(d, S)\nlen(d)\ndel d\n";

/// The same for a set.
const ELEMENTS: &str = "coroner 1\n\ndef S():\n    del b\n    len(d)\n\nd = WeakSet()\na = Node()\nb = Node()\nd[0] = a\n\
     d[0] = b\nlen(d)\ndel a\nlen(d)\nd[0] = b\nb[0] = b\ndel b\ncollect(2)\nlen(d)\nb = Node()\nc = Node()\nd[0] = b\n\
     d[0] = c\niterate(d, S)\nlen(d)\ndel d\n";

/// What can be changed in a line or two of `Lib/weakref.py`: the callback does nothing, an entry has no callback, its key
/// is another, no removal is put off.
const VALUE_CHANGES: [(&str, &str); 5] = [
    (
        "            if self is not None:\n                if self._iterating:",
        "            if self is None:\n                if self._iterating:",
    ),
    (
        "            if self is not None:\n                # Atomic",
        "            if self is None:\n                # Atomic",
    ),
    (
        "        self.data[key] = KeyedRef(value, self._remove, key)",
        "        self.data[key] = KeyedRef(value, None, key)",
    ),
    ("        self.key = key\n", "        self.key = 7\n"),
    (
        "                    self._pending_removals.append(wr.key)",
        "                    _atomic_removal(self.data, wr.key)",
    ),
];

/// The same of `Lib/_weakrefset.py`.
const ELEMENT_CHANGES: [(&str, &str); 4] = [
    ("self.data.discard(item)", "pass"),
    ("        self.data.add(ref(item, self._remove))", "        self.data.add(ref(item))"),
    ("                    self._pending_removals.append(item)", "                    self.data.discard(item)"),
    ("w._iterating.add(self)", "pass"),
];

/// A line of the library, and what stands there instead.
type Change = (&'static str, &'static str);

/// The module of the library, a scenario that uses it, what can be changed in it.
const CONTAINERS: [(&str, &str, &[Change]); 2] =
    [("weakref", VALUES, &VALUE_CHANGES), ("_weakrefset", ELEMENTS, &ELEMENT_CHANGES)];

#[test]
fn weak_containers_are_classes_of_the_library() {
    for (module, scenario, changes) in CONTAINERS {
        let document = coroner::scenario::text::parse_bytes(scenario.as_bytes()).unwrap();
        for mut target in targets().into_iter().filter(|t| t.interpreter.release.major == 3) {
            let source = library_source(&target, module);
            let mut compare = |text: &str| {
                let folder = tempfile::tempdir().unwrap();
                target.interpreter.library = Some(folder.path().to_owned());
                std::fs::write(folder.path().join(module).with_extension("py"), text).unwrap();
                lockstep_of(&target).unwrap().compare(&document.scenario).unwrap()
            };
            assert_eq!(compare(&source), Comparison::Same, "a copy of {module}");
            let there: Vec<_> = changes.iter().filter(|(line, _)| source.contains(*line)).collect();
            assert!(there.len() >= 2, "{module}");
            for (line, changed) in there {
                let comparison = compare(&source.replace(line, changed));
                assert!(matches!(comparison, Comparison::Different(_)), "{changed}: {comparison:?}");
            }
        }
    }
}

/// The invariants that a run of an interpreter breaks.
fn violated(target: &Imitation, scenario: &Scenario) -> Vec<Invariant> {
    let mut python = Python::new(target.interpreter.clone(), Limits::default()).unwrap();
    let events = record(|out| python.run(scenario, out).unwrap());
    let mut judge = Judge::new();
    let violations = judge.judge(scenario, &events, python.declaration());
    violations.iter().map(|violation| violation.invariant).collect()
}

/// An entry that stays breaks an invariant, whatever the model says.
#[test]
fn a_library_that_keeps_dead_entries_breaks_an_invariant() {
    let (module, scenario, changes) = CONTAINERS[1];
    let document = coroner::scenario::text::parse_bytes(scenario.as_bytes()).unwrap();
    for mut target in targets().into_iter().filter(|t| t.interpreter.release.major == 3) {
        let folder = tempfile::tempdir().unwrap();
        let source = library_source(&target, module);
        target.interpreter.library = Some(folder.path().to_owned());
        std::fs::write(folder.path().join("_weakrefset.py"), source.replace(changes[0].0, changes[0].1)).unwrap();
        let broken = violated(&target, &document.scenario);
        assert!(broken.contains(&Invariant::I30), "{}: {broken:?}", target.collector.name);
    }
}

#[test]
fn what_is_undefined_may_kill_the_interpreter_and_the_next_scenario_runs() {
    let Some(target) = targets().pop() else { return };
    let mut lockstep = lockstep_of(&target).unwrap();
    let mut generator = Generator::new(Seed::default(), Profile::named("unsafe").unwrap(), Size::Small);
    let mut machine = Machine::new(&target.collector);
    let undefined = |scenario: &Scenario| {
        let events = record(|out| machine.run(scenario, out));
        matches!(events.last(), Some(Event::Undefined { .. }))
    };
    let mut batch: Vec<Scenario> = (0..3000).map(|n| generator.make(n)).filter(undefined).take(50).collect();
    assert_eq!(batch.len(), 50);
    let mut mixed = Generator::new(Seed::default(), Profile::named("plain").unwrap(), Size::Small);
    batch.extend((0..50).map(|n| mixed.make(n)));
    let (mut same, mut agreed, mut crashes) = (0, 0, Vec::new());
    lockstep
        .compare_batch(
            &batch,
            |_| false,
            |compared| match compared.comparison {
                Comparison::Same => same += 1,
                Comparison::Undefined(_) => agreed += 1,
                Comparison::Different(d) if d.kind == DifferenceKind::Crash => crashes.push(d),
                _ => {}
            },
        )
        .unwrap();
    assert_eq!(crashes, []);
    assert!(same >= 40 && agreed > 0, "{same} {agreed}");
}

#[test]
fn a_death_that_no_rule_explains_is_a_crash() {
    let Some(target) = targets().pop() else { return };
    let mut lockstep = lockstep_of(&target).unwrap();
    // The model of a release without the switch goes on where this interpreter's process ends.
    let mut generator = Generator::new(Seed::default(), Profile::named("unsafe").unwrap(), Size::Small);
    let mut machine = Machine::new(&target.collector);
    for n in 0..3000 {
        let scenario = generator.make(n);
        let mut events = record(|out| machine.run(&scenario, out));
        let Some(Event::Undefined { .. }) = events.pop() else { continue };
        let mut crash = None;
        lockstep.real().restart();
        lockstep
            .real()
            .run_batch(&[&scenario], &mut |_, real, failure| {
                // A model that does not know of the undefined behaviour expects the end.
                let mut expected = events.clone();
                expected.extend([Event::NoEffect; 2]);
                if real.len() == events.len() {
                    crash = Some(lockstep::compare(&expected, real, failure));
                }
            })
            .unwrap();
        if let Some(Comparison::Different(difference)) = crash
            && difference.kind == DifferenceKind::Crash
        {
            assert_eq!(difference.at, events.len());
            return;
        }
    }
    panic!("no undefined scenario kills this interpreter");
}

#[test]
fn invariants_alone_find_bpo_38006() {
    let Some(target) = targets().into_iter().find(|t| t.collector.name == "cpython-3.7.6") else {
        eprintln!("skipped: no CPython 3.7.6 or later of that minor");
        return;
    };
    let name = "python:3.7".to_owned();
    let plan = campaign::CampaignPlan {
        draw: draw("weakrefs"),
        subjects: campaign_subjects(
            &[Collector { name: name.clone(), ..target.collector }],
            &[(name, target.interpreter)].into(),
            Limits::default(),
        ),
        budget: Budget::Scenarios(3000),
        jobs: 2,
        sample: 64,
        baseline: Baseline::empty(),
        tries: 1000,
    };
    let outcome = campaign::run(&plan, &AtomicBool::new(false));
    let found = outcome.findings.iter().filter(|(key, _)| key.verdict() == Some(coroner::findings::Verdict::New));
    let smallest = found.filter(|(_, r)| ["I15", "I01"].contains(&r.what.code.as_str())).map(|(_, r)| r.objects).min();
    assert!(smallest.is_some_and(|objects| objects <= 6), "{smallest:?}");
}
