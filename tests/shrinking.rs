//! `shrink` from outside: what is kept, what is written, what an interruption leaves.

mod program;

use std::process::Stdio;

use coroner::campaign::Examiner;
use coroner::findings::Baseline;
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::{Class, Invariant, Phase};
use coroner::lookup::Collectors;
use coroner::model::collector::Collector;
use coroner::model::rows::Rows;
use coroner::regression::PreservedOutcome;
use coroner::scenario::Scenario;
use coroner::scenario::text::{Document, FieldName, parse, print};
use coroner::shrink::Minimality;
use program::{command, coroner, folder};

fn read(path: &std::path::Path) -> Document {
    parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

type Primary = Option<(Invariant, Class, Option<Phase>)>;

/// The primary violation on each collector.
fn primary(examiners: &mut [Examiner], scenario: &Scenario) -> Vec<Primary> {
    let first = |e: &mut Examiner| {
        let v = e.examine(scenario, false).violations.first()?.0;
        Some((v.invariant, v.class, (v.class == Class::Collector).then_some(v.phase)))
    };
    examiners.iter_mut().map(first).collect()
}

#[test]
fn with_several_collectors_the_same_ones_go_on_to_fail() {
    let folder = folder();
    let names = ["cpython-2.7", "cpython-3.7.0", "cpython-3.7.6", "cpython-3.8", "cpython-3.13.0", "cpython-3.15"];
    let baseline = Baseline::empty();
    let examiner = |name: &&str| Examiner::new(&Rows::one(&Collector::parse(name).unwrap()), &baseline);
    let mut examiners: Vec<Examiner> = names.iter().map(examiner).collect();
    let mut generator = Generator::new(Seed::from(3), Profile::named("resurrection").unwrap(), Size::default());
    let mut scenario = Scenario::new();
    let (mut shrunk, mut alone_differs) = (0, 0);
    for n in 0..4_000 {
        generator.fill(n, &mut scenario);
        let wanted = primary(&mut examiners, &scenario);
        let failing = wanted.iter().flatten().count();
        // Interesting are those that fail here and not there, and not everywhere in the same way.
        let Some(first) = wanted.iter().position(Option::is_some) else { continue };
        if failing == names.len() || wanted.iter().flatten().all(|p| p.1 != Class::Collector) {
            continue;
        }
        std::fs::write(folder.path().join("a.scn"), print(&scenario)).unwrap();
        let shrink = |names: &str| {
            let ran = coroner(folder.path(), &format!("shrink a.scn --collector {names} -o b.scn"));
            assert_eq!(ran.code, 0, "{}", ran.err);
            read(&folder.path().join("b.scn"))
        };
        let together = shrink(&names.join(","));
        assert_eq!(primary(&mut examiners, &together.scenario), wanted, "{}", together.print());
        assert!(together.field(FieldName::Minimal).and_then(Minimality::parse).unwrap().is_minimal());
        let alone = shrink(names[first]);
        alone_differs += u32::from(primary(&mut examiners, &alone.scenario) != wanted);
        shrunk += 1;
        if shrunk == 12 {
            break;
        }
    }
    // Reduced for one collector alone, some fail on others than before: it is the option that keeps them.
    assert!(shrunk == 12 && alone_differs > 0, "{shrunk}, {alone_differs}");
}

#[test]
fn a_file_with_expectations_is_reduced_for_its_own_outcome() {
    let folder = folder();
    let regressions = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let minimal = regressions.join("C01c-bpo-38006-smallest.scn");
    let ran = coroner(folder.path(), &format!("shrink {}", minimal.display()));
    assert_eq!((ran.code, ran.out), (0, std::fs::read_to_string(&minimal).unwrap()));
    for name in ["C03-sf-1055820.scn", "C14-resurrection-by-gc.scn"] {
        let ran = coroner(folder.path(), &format!("shrink {} -o out.scn", regressions.join(name).display()));
        assert_eq!(ran.code, 0, "{}", ran.err);
        let (old, new) = (read(&regressions.join(name)), read(&folder.path().join("out.scn")));
        assert!(new.scenario.ops().len() < old.scenario.ops().len());
        assert!(PreservedOutcome::new(&old, &Collectors).unwrap().holds(&new.scenario), "{name}");
        assert_eq!(new.field(FieldName::Bug), old.field(FieldName::Bug));
        assert_eq!(new.expectations.len(), old.expectations.len());
        assert_eq!(coroner(folder.path(), "replay out.scn").code, 0, "{name}");
        assert_eq!(PreservedOutcome::new(&old, &Collectors).unwrap().check_minimal(&new.scenario).map(drop), Ok(()));
    }
    let nothing = "coroner 1\n\na = Node()\n";
    std::fs::write(folder.path().join("nothing.scn"), nothing).unwrap();
    assert_eq!(coroner(folder.path(), "shrink nothing.scn").code, 2);
}

/// A file whose outcome needs many objects, so that every candidate takes its time.
fn slow(folder: &std::path::Path) {
    let mut text = "coroner 1\nsame: a ring\n".to_owned();
    for row in Collector::all() {
        text += &format!("expect {}: facts=returned=8000\n", row.name);
    }
    text += "\nb = Node()\nc = Node()\na = ring(8000, Node())\nb[0] = c\ndel a\ncollect(2)\ndel b\n";
    std::fs::write(folder.join("slow.scn"), text).unwrap();
}

#[test]
fn a_search_that_runs_out_of_time_leaves_the_best_so_far() {
    let folder = folder();
    slow(folder.path());
    let ran = coroner(folder.path(), "shrink slow.scn --time 0s -o out.scn");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let claim = read(&folder.path().join("out.scn")).field(FieldName::Minimal).and_then(Minimality::parse);
    assert!(matches!(claim, Some(Minimality::Stopped { tries: 1..=3 })), "{claim:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_search_that_is_interrupted_leaves_the_best_so_far() {
    let folder = folder();
    slow(folder.path());
    let mut child = command(folder.path(), "shrink slow.scn -o out.scn").stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    // From when on the process catches SIGINT.
    let catches = || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 2 != 0)
    };
    while !catches() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let document = read(&folder.path().join("out.scn"));
    let claim = document.field(FieldName::Minimal).and_then(Minimality::parse);
    assert!(matches!(claim, Some(Minimality::Stopped { .. })), "{claim:?}");
    assert!(
        PreservedOutcome::new(&read(&folder.path().join("slow.scn")), &Collectors).unwrap().holds(&document.scenario)
    );
}
