//! The guard against slow changes: instructions per scenario of generate, run and judge, counted by callgrind and compared
//! with the numbers in `benches/instructions.txt`. Times would say more and mean less: they differ from run to run.
//!
//! `cargo bench --bench instructions` compares; `-- --bless` writes what it counted; `-- --planted` makes the work 10 %
//! longer and succeeds if the comparison sees it. Without valgrind there is one line and no failure.

mod callgrind;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use coroner::event::{Event, EventBuffer};
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::Judge;
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::Scenario;
use coroner::subject::Declaration;

/// Scenarios that are measured for each profile.
const SCENARIOS: u64 = 500;
/// A count may be so much above the committed one, in percent.
const TOLERANCE: f64 = 5.0;
/// The same if another compiler built the program.
const OTHER_COMPILER: f64 = 20.0;

/// A profile's scenarios, made and run once, so that the memory is warm.
struct Work {
    generator: Generator,
    machine: Machine,
    declaration: Declaration,
    judge: Judge,
    scenarios: Vec<Scenario>,
    events: Vec<Vec<Event>>,
    /// Every tenth scenario is done twice.
    slow: bool,
}

impl Work {
    fn new(profile: &str, slow: bool) -> Work {
        let collector = Collector::parse("cpython-3.15").expect("a collector of the table");
        let profile = Profile::named(profile).expect("a profile of the table");
        let mut work = Work {
            generator: Generator::new(Seed::from(7), profile, Size::Small),
            machine: Machine::new(&collector),
            declaration: Declaration::of_release(&collector.name, collector.release),
            judge: Judge::new(),
            scenarios: vec![Scenario::new(); SCENARIOS as usize],
            events: vec![Vec::new(); SCENARIOS as usize],
            slow: false,
        };
        work.generate();
        work.run();
        work.judge();
        Work { slow, ..work }
    }

    fn each(&mut self, mut phase: impl FnMut(&mut Work, usize)) {
        for n in 0..SCENARIOS as usize {
            phase(self, n);
            if self.slow && n.is_multiple_of(10) {
                phase(self, n);
            }
        }
    }

    fn generate(&mut self) {
        self.each(|work, n| work.generator.fill(n as u64, &mut work.scenarios[n]));
    }

    fn run(&mut self) {
        self.each(|work, n| {
            work.machine.run(&work.scenarios[n], &mut EventBuffer::new(&mut work.events[n]));
        });
    }

    fn judge(&mut self) {
        self.each(|work, n| {
            black_box(work.judge.judge(&work.scenarios[n], &work.events[n], &work.declaration).len());
        });
    }
}

/// A function of its own for each count, whose name callgrind knows.
macro_rules! counted {
    ($($profile:literal: $generate:ident $run:ident $judge:ident,)*) => {
        $(
            #[inline(never)]
            fn $generate(work: &mut Work) { black_box(stringify!($generate)); work.generate(); }
            #[inline(never)]
            fn $run(work: &mut Work) { black_box(stringify!($run)); work.run(); }
            #[inline(never)]
            fn $judge(work: &mut Work) { black_box(stringify!($judge)); work.judge(); }
        )*

        const NAMES: &[&str] = &[$(stringify!($generate), stringify!($run), stringify!($judge),)*];

        fn work(slow: bool) {
            $(
                let mut work = Work::new($profile, slow);
                $generate(&mut work);
                $run(&mut work);
                $judge(&mut work);
            )*
        }
    };
}

counted! {
    "default": generate_default run_default judge_default,
    "plain": generate_plain run_plain judge_plain,
    "builtin": generate_builtin run_builtin judge_builtin,
    "containers": generate_containers run_containers judge_containers,
    "planted": generate_planted run_planted judge_planted,
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt")
}

/// The compiler's version, without commit and date.
fn compiler() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = std::process::Command::new(rustc).arg("--version").output();
    let text = output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// The counts as committed: the compiler, then a name and a number per line.
fn print(counts: &BTreeMap<String, u64>) -> String {
    let mut text = format!(
        "# Instructions per scenario of 12 objects: `cargo bench --bench instructions -- --bless` writes them.\n{}\n",
        compiler()
    );
    for name in NAMES {
        text += &format!("{name} {}\n", counts[*name] / SCENARIOS);
    }
    text
}

/// Compares with what is committed and says what is more than it may be; and, `if_stale`, what is so much less that the
/// committed number would hide the next slow change.
fn too_slow(counts: &BTreeMap<String, u64>, committed: &str, if_stale: bool) -> Vec<String> {
    let mut lines = committed.lines().filter(|line| !line.starts_with('#'));
    let same_compiler = lines.next() == Some(compiler().as_str());
    let tolerance = if same_compiler { TOLERANCE } else { OTHER_COMPILER };
    let committed: BTreeMap<&str, f64> =
        lines.filter_map(|line| line.split_once(' ')).filter_map(|(name, n)| Some((name, n.parse().ok()?))).collect();
    let mut slow = Vec::new();
    for name in NAMES {
        let counted = counts[*name] as f64 / SCENARIOS as f64;
        let Some(before) = committed.get(name) else {
            slow.push(format!("{name}: not in the file"));
            continue;
        };
        let more = (counted / before - 1.0) * 100.0;
        println!("{name:<20} {counted:>9.0} {before:>9.0} {more:>+7.1} %");
        if more > tolerance {
            slow.push(format!(
                "slower: {name}: {counted:.0} instructions per scenario, {more:.1} % more than {before:.0}"
            ));
        } else if if_stale && more < -tolerance {
            slow.push(format!(
                "stale: {name}: {counted:.0} instructions per scenario, {more:.1} % against {before:.0}"
            ));
        }
    }
    slow
}

fn main() -> ExitCode {
    let has = |word: &str| std::env::args().any(|a| a == word);
    if has(callgrind::CHILD) {
        work(has("--slow"));
        return ExitCode::SUCCESS;
    }
    if has("--test") {
        println!("skipped: a step of its own");
        return ExitCode::SUCCESS;
    }
    let planted = has("--planted");
    let Some(counts) = callgrind::count(NAMES, if planted { &["--slow"] } else { &[] }) else {
        println!("skipped: valgrind is not installed");
        return ExitCode::SUCCESS;
    };
    assert!(counts.values().all(|count| *count > 0), "callgrind missed a function: {counts:?}");
    if has("--bless") {
        std::fs::write(file(), print(&counts)).expect("the file can be written");
        print!("{}", print(&counts));
        return ExitCode::SUCCESS;
    }
    let committed = std::fs::read_to_string(file()).expect("the committed numbers are there");
    let slow = too_slow(&counts, &committed, !planted);
    if planted {
        println!("{} of {} counts are seen to be too high, as planted", slow.len(), NAMES.len());
        return ExitCode::from(u8::from(slow.len() != NAMES.len()));
    }
    for line in &slow {
        println!("{line}");
    }
    if !slow.is_empty() {
        println!("if that is meant: cargo bench --bench instructions -- --bless");
    }
    ExitCode::from(u8::from(!slow.is_empty()))
}
