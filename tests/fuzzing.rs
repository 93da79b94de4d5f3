//! From an input to a file that people read: the way of a crash, and the committed corpus.

use coroner::cli::{Exit, run_with};
use coroner::corpus::{Reach, Reading, Survey, cover, file_name, load};
use coroner::fuzzing::{CANARY, Compare, Crash, Scenarios, Setting, crossover, mutate};
use coroner::scenario::{binary, text};
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
    assert!(read("CORONER_COMPARE", "3.7").is_err());
    let unknown = read("CORONER_COLLECTOR", "cpython-3.99x").unwrap();
    assert!(Scenarios::new(&unknown).unwrap_err().to_string().starts_with("CORONER_COLLECTOR: "));
}

/// The states that the committed corpus reached when it was made, less a margin for changes of the model.
const STATES: usize = 340;

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
    let kept = cover(&measured).len();
    assert!(kept * 10 >= inputs.len() * 9, "{kept} of {} add something: prune", inputs.len());
}
