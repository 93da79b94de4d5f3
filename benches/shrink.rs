//! What it takes to make findings of the default profile small: tries and time, in the model and on an interpreter.
//!
//! Each finding is reduced once, as `coroner shrink` does it; medians and extremes are printed. No search may take more
//! than 5,000 tries.

use std::time::{Duration, Instant};

use coroner::campaign::{Examined, Examiner};
use coroner::cpython::installed;
use coroner::findings::Baseline;
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::{Class, Invariant, Phase};
use coroner::lookup::{self, row_of};
use coroner::model::collector::Collector;
use coroner::model::rows::Rows;
use coroner::scenario::Scenario;
use coroner::shrink::{Budget, minimize};
use coroner::supervise::Limits;

const MAX_TRIES: u64 = 5_000;

type Sign = (Invariant, Phase);

fn sign(run: &Examined<'_>) -> Option<Sign> {
    let (first, _) = run.violations.first()?;
    (first.class == Class::Collector).then_some((first.invariant, first.phase))
}

/// The first findings of the default profile, by what a model of the subject shows.
fn findings(model: &mut Examiner, count: usize) -> Vec<(Scenario, Sign)> {
    let profile = Profile::named("default").expect("a profile of the table");
    let mut generator = Generator::new(Seed::from(11), profile, Size::default());
    let mut scenario = Scenario::new();
    let mut found = Vec::new();
    for n in 0..200_000 {
        generator.fill(n, &mut scenario);
        found.extend(sign(&model.examine(&scenario, false)).map(|sign| (scenario.clone(), sign)));
        if found.len() == count {
            break;
        }
    }
    found
}

fn measure(name: &str, subject: &mut Examiner, findings: &[(Scenario, Sign)]) {
    let (mut times, mut tries): (Vec<Duration>, Vec<u64>) = (Vec::new(), Vec::new());
    for (scenario, wanted) in findings {
        let start = Instant::now();
        let mut holds = |candidate: &Scenario| sign(&subject.examine(candidate, false)) == Some(*wanted);
        let result = minimize(scenario, &mut holds, Budget { tries: MAX_TRIES }, &mut |_| {});
        if !result.confirmed {
            println!("{name}: a finding of the model is none here");
            continue;
        }
        assert!(result.minimal, "{name}: more than {MAX_TRIES} tries");
        times.push(start.elapsed());
        tries.push(result.tries);
    }
    times.sort();
    tries.sort();
    let (Some(most), Some(longest)) = (tries.last(), times.last()) else { return };
    let middle = times.len() / 2;
    println!(
        "{name}: {} findings; tries median {}, most {most}; time median {:.1?}, longest {longest:.1?}",
        times.len(),
        tries[middle],
        times[middle],
    );
}

fn main() {
    // `cargo bench -- --test` runs everything once, briefly.
    let brief = std::env::args().any(|argument| argument == "--test");
    let (in_model, on_interpreter) = if brief { (3, 1) } else { (200, 20) };
    let baseline = Baseline::empty();
    for name in ["cpython-2.7", "cpython-3.7", "cpython-3.8", "cpython-3.13.0"] {
        let collector = Collector::parse(name).expect("a collector of the table");
        let mut model = Examiner::new(&Rows::one(&collector), &baseline);
        let findings = findings(&mut model, in_model);
        measure(name, &mut model, &findings);
    }
    for interpreter in installed().into_iter().flatten() {
        let row = row_of(&interpreter);
        let findings = findings(&mut Examiner::new(&Rows::one(&row), &baseline), on_interpreter);
        let mut real = Examiner::new(&lookup::interpreter(&interpreter, &row, Limits::default()), &baseline);
        measure(&interpreter.name(), &mut real, &findings);
    }
}
