//! From an input to a file that people read: the way of a crash, and the committed corpus.

use coroner::cli::{Exit, run_with};
use coroner::corpus::{Reach, Reading, Survey, cover, file_name, load, state};
use coroner::fuzzing::{CANARY, Compare, Crash, Scenarios, Setting, Stage, VARIABLES, crossover, mutate};
use coroner::generate::{Generator, PROFILES, Seed, Size};
use coroner::invariant::Invariant;
use coroner::scenario::{Bulk, Kind, Op, Place, Scenario, ScriptId, Shape, binary, text};
use std::cell::RefCell;
use std::path::Path;

fn coroner(arguments: &[&str]) -> Exit {
    run_with(std::iter::once("coroner").chain(arguments.iter().copied()).map(Into::into))
}

/// What libFuzzer does, without its coverage: mutate one of the inputs that had an effect, run it, keep it.
fn fuzz(setting: &Setting, executions: u32) -> Option<(Vec<u8>, Crash)> {
    let mut target = Scenarios::new(setting).unwrap();
    let mut inputs: Vec<Vec<u8>> = vec![Vec::new()];
    for seed in 0..executions {
        let pick = |n: u32| (seed.wrapping_mul(2_654_435_761).rotate_left(n) as usize) % inputs.len();
        let mut data = inputs[pick(7)].clone();
        let size = data.len();
        data.resize(512, 0);
        let size = if seed % 5 == 0 {
            let (a, b) = (inputs[pick(3)].clone(), inputs[pick(11)].clone());
            crossover(&a, &b, &mut data, seed)
        } else {
            mutate(&mut data, size, 512, seed, |_, size, _| size)
        };
        data.truncate(size);
        let ran = target.run(&data);
        if let Some(crash) = ran.crash {
            return Some((data, crash));
        }
        if ran.has_effect() && inputs.len() < 500 {
            inputs.push(data);
        }
    }
    None
}

#[test]
fn a_run_with_too_many_events_ends_early_and_is_not_kept() {
    let mut target = Scenarios::new(&Setting::default()).unwrap();
    let kind = Kind::new(Shape::Node);
    let inputs = [1, 255].map(|times| {
        let build = Op::Build { dst: Place::var(0), bulk: Bulk::Chain, kind, count: 40 };
        let bodies = [vec![build, Op::Repeat { times, script: ScriptId(0) }], vec![Op::Collect { generation: 2 }]];
        binary::encode_to_vec(&Scenario::from_bodies(&bodies))
    });
    let [short, long] = inputs.map(|input| target.run(&input));
    assert!(short.has_effect() && target.is_worth_keeping(&short), "{short:?}");
    assert!(long.has_effect() && !target.is_worth_keeping(&long), "{long:?}");
    assert!((2_000..2_200).contains(&long.events), "{} events", long.events);
}

#[test]
fn the_canary_goes_all_the_way_from_nothing_to_a_text_file() {
    let setting = Setting { collectors: vec![CANARY.to_owned()], ..Setting::default() };
    let (bytes, crash) = fuzz(&setting, 100_000).expect("the canary lives");
    assert_eq!(crash.collector, CANARY);
    assert!(crash.to_string().contains(&format!("coroner replay CRASH-FILE --collector {CANARY}\n")), "{crash}");
    assert!(crash.sentences[0].starts_with("I"), "{crash}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crash-canary");
    std::fs::write(&file, &bytes).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(coroner(&["replay", file, "--collector", CANARY]), Exit::Violation);
    assert_eq!(coroner(&["replay", file, "--collector", "cpython-3.15"]), Exit::Clean);

    let small = folder.path().join("canary.scn");
    let small = small.to_str().unwrap();
    assert_eq!(coroner(&["shrink", file, "--collector", CANARY, "-o", small]), Exit::Clean);
    let document = text::parse(&std::fs::read_to_string(small).unwrap()).unwrap();
    assert!(document.scenario.ops().len() <= 4, "{}", document.print());
    assert_eq!(coroner(&["replay", small, "--collector", CANARY]), Exit::Violation);
}

#[test]
fn collectors_that_differ_are_told_apart_and_others_are_not() {
    let founding = std::fs::read_to_string("regressions/C01c-bpo-38006-smallest.scn").unwrap();
    let bytes = binary::encode_to_vec(&text::parse(&founding).unwrap().scenario);
    let compare = |a: &str, b: &str| {
        let setting = Setting { compare: Some((a.to_owned(), b.to_owned())), ..Setting::default() };
        Compare::new(&setting).map(|mut compare| compare.run(&bytes))
    };
    let difference = compare("cpython-3.7", "cpython-3.8").unwrap().unwrap_err();
    assert!(difference.to_string().contains("cpython-3.7.6 and cpython-3.8.7 differ at event"), "{difference}");
    assert_eq!(compare("cpython-3.6", "cpython-3.7").unwrap(), Ok(true));
    assert!(compare("cpython-3.8.7", "cpython-3.8").unwrap_err().to_string().contains("the same collector"));
}

#[test]
fn the_environment_is_read_or_refused() {
    let read = |name: &'static str, value: &'static str| {
        Setting::read(move |variable| (variable == name).then(|| value.to_owned()))
    };
    assert_eq!(read("CORONER_COLLECTOR", "3.7, 3.8").unwrap().collectors, ["3.7", "3.8"]);
    assert!(read("CORONER_STRICT", "1").unwrap().strict);
    assert!(read("CORONER_STRICT", "yes").is_err());
    assert!(read("CORONER_BASELINE", "0").unwrap().ignore_baseline);
    assert!(!read("CORONER_BASELINE", "1").unwrap().ignore_baseline);
    assert!(read("CORONER_COUNTERS", "0").unwrap().hide_states);
    assert_eq!(read("CORONER_STAGE", "decode").unwrap().stage, Stage::Decode);
    assert!(read("CORONER_STAGE", "half").is_err());
    assert_eq!(read("CORONER_INVARIANT", "I15, i01").unwrap().invariants, [Invariant::I15, Invariant::I01]);
    assert!(read("CORONER_INVARIANT", "I99").is_err());
    assert!(read("CORONER_COMPARE", "3.7").is_err());
    let unknown = read("CORONER_COLLECTOR", "cpython-3.99x").unwrap();
    assert!(Scenarios::new(&unknown).unwrap_err().to_string().starts_with("CORONER_COLLECTOR: "));
}

#[test]
fn every_variable_that_is_read_is_listed() {
    let asked = RefCell::new(Vec::new());
    Setting::read(|variable| {
        asked.borrow_mut().push(variable.to_owned());
        None
    })
    .unwrap();
    let mut asked = asked.into_inner();
    let mut listed: Vec<&str> = VARIABLES.iter().filter_map(|(usage, _)| usage.split('=').next()).collect();
    asked.sort();
    listed.sort();
    assert_eq!(asked, listed);
}

#[test]
fn what_is_known_is_a_crash_only_if_somebody_asks_for_it() {
    let founding = std::fs::read_to_string("regressions/C01c-bpo-38006-smallest.scn").unwrap();
    let bytes = binary::encode_to_vec(&text::parse(&founding).unwrap().scenario);
    let on = |collector: &str, ignore_baseline: bool, invariants: &[Invariant]| {
        let collectors = vec![collector.to_owned()];
        let setting = Setting { collectors, ignore_baseline, invariants: invariants.to_vec(), ..Setting::default() };
        Scenarios::new(&setting).unwrap().run(&bytes).crash
    };
    assert_eq!(on("cpython-3.7", false, &[]), None);
    assert_eq!(on("cpython-3.7", true, &[Invariant::I22]), None);
    assert_eq!(on("cpython-3.8", true, &[]), None);
    let crash = on("cpython-3.7", true, &[Invariant::I15]).unwrap();
    assert!(crash.sentences[0].starts_with("I15 ") && crash.strict, "{crash}");
    // A variant is excused only where its row does the same.
    assert_eq!(on("cpython-3.7+bug-count-one-more", false, &[Invariant::I15]), None);
    assert!(on("cpython-3.15-clear-weakrefs-after-finalizers+bug-call-trash-callbacks", true, &[]).is_some());
}

#[test]
fn what_is_no_fault_of_the_collector_is_no_crash() {
    // Found by fuzzing and campaigns: a deallocator's action that tracks its object again; a type that reports what it
    // likes; a callback that comes after its referent has died of another one; entries of gc.callbacks between which
    // something dies.
    let sources = [
        "coroner 1\n\ndef A():\n    del d\n\na = Node()\nb = Node(call=A)\nb[0] = ref(a, b)\nc = Node(call=A)\nd = KeyedRef(a, b)\n\
         a[0] = ref(d, c)\nc[0] = a\ndel a\ndel c\ncollect(2)\n",
        "coroner 1\n\ndef A():\n    collect(2)\n    track(self)\n\na = Node(dealloc=A)\ndel a\n",
        "coroner 1\n\na = Node(fickle=[0])\na[0] = a\ncollect(2)\n",
        "coroner 1\n\ndef A():\n    a = Node(call=A)\n    b = Node(call=B)\n    self[0] = ref(b, self)\n    gc.set_debug(DEBUG_SAVEALL)\n    \
         gc.callbacks.append(a)\n    gc.callbacks.append(b)\n    collect(2)\n\ndef B():\n    del gc.callbacks[:]\n\nNode(finalizer=A)\n\
         gc.callbacks.append(a)\ncollect(2)\n",
    ];
    for source in sources {
        let scenario = text::parse(source).unwrap().scenario;
        let bytes = binary::encode_to_vec(&scenario);
        let mut target = Scenarios::new(&Setting::default()).unwrap();
        let mut judged = 0;
        target.run_on_all(&bytes, |collector, _, ran| {
            judged += 1;
            assert_eq!(ran.crash, None, "{}", collector.name);
        });
        assert!(judged > 10);
    }
}

/// The way of a real crash, if `CORONER_FUZZ` is set: it builds the instrumented target. `.ci/run` does.
#[test]
fn libfuzzers_own_canary_goes_all_the_way() {
    if std::env::var_os("CORONER_FUZZ").is_none() {
        println!("skipped: CORONER_FUZZ is not set");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let [fresh, artifacts, findings] = ["fresh", "artifacts", "findings"].map(path);
    let fuzz = ["fuzz", "canary", "--seed", "1", "--fresh", &fresh, "--artifacts", &artifacts];
    assert_eq!(coroner(&[&fuzz[..], &["--runs", "1000000"]].concat()), Exit::Violation);
    let crash = std::fs::read_dir(&artifacts).unwrap().next().unwrap().unwrap().path();
    let crash = crash.to_str().unwrap();
    assert_eq!(coroner(&["replay", crash, "--collector", CANARY]), Exit::Violation);
    let small = path("canary.scn");
    assert_eq!(coroner(&["shrink", crash, "--collector", CANARY, "-o", &small]), Exit::Clean);
    assert_eq!(coroner(&["replay", &small, "--collector", CANARY]), Exit::Violation);
    let document = text::parse(&std::fs::read_to_string(&small).unwrap()).unwrap();
    assert!(document.scenario.ops().len() <= 4, "{}", document.print());

    // Going on after crashes keeps one file, however often the bug is met.
    std::fs::remove_dir_all(&artifacts).unwrap();
    let time = ["--time", "30s", "--findings", &findings];
    assert_eq!(coroner(&[&fuzz[..], &time].concat()), Exit::Violation);
    let kept = load(Path::new(&findings), Reading::Strict).unwrap();
    assert!((1..=4).contains(&kept.len()), "{}", kept.len());
    assert!(std::fs::read_dir(&artifacts).unwrap().count() > kept.len());
}

/// The states that the committed corpus reached when it was made, less a margin for changes of the model.
const STATES: usize = 370;

/// States that a few hundred random scenarios may reach and the corpus not.
const LACKING: usize = 3;

#[test]
fn every_committed_input_is_read_and_together_they_reach_the_states() {
    let folder = Path::new("corpus/scenario");
    let inputs = load(folder, Reading::Strict).unwrap();
    println!("{} files in {}", inputs.len(), folder.display());
    assert!(inputs.len() >= 200, "{}", inputs.len());
    assert_eq!(inputs.len(), std::fs::read_dir(folder).unwrap().count());
    let mut survey = Survey::new().unwrap();
    let (mut reach, mut measured) = (Reach::default(), Vec::new());
    for input in &inputs {
        assert_eq!(input.path.file_name().unwrap().to_str(), Some(file_name(&input.bytes).as_str()));
        let features = survey.features(&input.bytes);
        assert!(survey.is_clean(), "{} fails: it would end every run at once", input.path.display());
        reach.add(&features);
        measured.push((input.bytes.len(), features));
    }
    println!("{} states, {} features", reach.states(), reach.features());
    assert!(reach.states() >= STATES, "{}", reach.states());
    // What can be reached: scenarios of every profile reach next to nothing that the corpus lacks.
    let (mut drawn, mut missing) = (0, std::collections::BTreeSet::new());
    for profile in PROFILES.iter().filter(|profile| !profile.is_huge()) {
        let mut generator = Generator::new(Seed::from(9), profile, Size::Small);
        for n in 0..25 {
            let features = survey.features(&binary::encode_to_vec(&generator.make(n)));
            drawn += 1;
            missing.extend(reach.clone().add(&features).into_iter().map(state).filter(|s| !reach.has_state(*s)));
        }
    }
    println!("{drawn} scenarios drawn reach {} states that the corpus lacks: {missing:?}", missing.len());
    assert!(missing.len() <= LACKING, "{}: coroner corpus grow", missing.len());
    let kept = cover(&measured).len();
    assert!(kept * 10 >= inputs.len() * 9, "{kept} of {} add something: prune", inputs.len());
}
