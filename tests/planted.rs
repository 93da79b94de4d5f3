//! Every invariant can fail: for each there is a collector variant that breaks it on a scenario on which the collector
//! without the change does not.

use coroner::event::record;
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::{Class, Invariant, Judge};
use coroner::model::machine::Machine;
use coroner::planted::Pair;
use coroner::scenario::Scenario;
use coroner::scenario::text;
use coroner::subject::Declaration;

/// Scenarios that each variant may take.
const BUDGET: u64 = 20_000;
/// One scenario in so many is judged by the invariants that need several runs.
const SAMPLE: u64 = 16;

/// How an invariant is shown to fail.
enum Shown {
    /// By changes to a row, on a scenario of a profile, as the collector's fault.
    By(&'static str, &'static str, &'static str),
    /// The same on a scenario of medium size.
    InMedium(&'static str, &'static str, &'static str),
    /// The same as [`By`]; but CPython does not promise it, so the violation is documented.
    Documented(&'static str, &'static str, &'static str),
    /// Every row breaks it, the plain one too, on this regression file.
    Everywhere(&'static str),
}

use Shown::{By, Documented, Everywhere, InMedium};

const NEW: &str = "cpython-3.15";
const OLD: &str = "cpython-3.12";

/// In the order of [`Invariant::ALL`].
const TABLE: [(Invariant, Shown); Invariant::COUNT] = [
    (Invariant::I01, By(OLD, "+bug-keep-plain-weakrefs", "default")),
    (Invariant::I01b, Documented(NEW, "+bug-no-finalized-bit", "default")),
    (Invariant::I02, By(NEW, "+bug-no-resurrection-check", "default")),
    (Invariant::I03, By(NEW, "+bug-shallow-reachability", "default")),
    (Invariant::I04, By(NEW, "+bug-free-twice", "default")),
    (Invariant::I05, By(NEW, "+bug-weakref-stays-linked", "default")),
    (Invariant::I06, By(NEW, "+bug-store-leaks", "default")),
    (Invariant::I07, By(NEW, "+bug-no-finalized-bit", "default")),
    (Invariant::I08, By(NEW, "+bug-clear-before-finalizers", "default")),
    (Invariant::I09, By(OLD, "+bug-finalize-legacy-reachable", "default")),
    (Invariant::I10, By(NEW, "+bug-skip-dealloc-finalizers", "default")),
    (Invariant::I11, By(NEW, "+bug-callback-before-clear", "default")),
    (Invariant::I12, By(NEW, "+bug-clear-live-weakrefs", "default")),
    (Invariant::I13, By(OLD, "+bug-answer-dying", "planted")),
    (Invariant::I14, By(NEW, "+bug-callback-twice", "default")),
    (Invariant::I15, By(NEW, "+bug-call-trash-callbacks", "default")),
    (Invariant::I16, By(NEW, "+bug-callbacks-of-survivors", "default")),
    (Invariant::I17, By(NEW, "+bug-callbacks-oldest-first", "default")),
    (Invariant::I18, By(NEW, "+bug-skip-dealloc-finalizers", "default")),
    (Invariant::I19, By(NEW, "+bug-skip-first-clear", "default")),
    (Invariant::I20, By(NEW, "+bug-count-survivors", "default")),
    (Invariant::I21, By(OLD, "+bug-forget-garbage", "default")),
    (Invariant::I22, By(NEW, "-rescue-only-resurrected", "default")),
    (Invariant::I23, By(OLD, "+bug-never-track-containers", "builtin")),
    (Invariant::I24, By(NEW, "+bug-untrack-late", "default")),
    (Invariant::I25, By(NEW, "+bug-lose-resurrected", "default")),
    (Invariant::I26, By(NEW, "+bug-collection-leaks", "default")),
    (Invariant::I27, By(NEW, "-clear-weakrefs-after-finalizers+bug-keep-plain-weakrefs", "unsafe")),
    (Invariant::I30, By(OLD, "+bug-container-removes-new", "planted")),
    (Invariant::I31, By(NEW, "+bug-swallow-errors", "default")),
    (Invariant::I32, By(NEW, "+bug-survivors-get-younger", "default")),
    (Invariant::I37, By(OLD, "+bug-trashcan-forgets", "planted")),
    (Invariant::I38, By(NEW, "+bug-dealloc-leaks", "default")),
    (Invariant::I39, InMedium(NEW, "+bug-automatic-youngest", "modes")),
    (Invariant::I40, Everywhere(include_str!("../regressions/C26-bpo-44680.scn"))),
    (Invariant::I41, By(NEW, "+bug-nondeterministic", "default")),
    (Invariant::I52, By(OLD, "+bug-keep-plain-weakrefs", "default")),
];

/// How many scenarios it takes until the variant breaks the invariant and the row does not.
fn search(invariant: Invariant, row: &str, change: &str, profile: &str, size: Size, class: Class) -> Option<u64> {
    let mut pair = Pair::new(&format!("{row}{change}"), row).unwrap();
    let mut generator = Generator::new(Seed::from(1), Profile::named(profile).unwrap(), size);
    let several = matches!(invariant, Invariant::I18 | Invariant::I38 | Invariant::I41);
    let mut scenario = Scenario::new();
    (0..BUDGET).find_map(|n| {
        generator.fill(n, &mut scenario);
        let broken = pair.broken_by(&scenario, several && n.is_multiple_of(SAMPLE), class);
        broken.contains(&invariant).then_some(n + 1)
    })
}

#[test]
fn every_invariant_is_broken_by_a_variant_and_not_by_its_row() {
    let mut missing = Vec::new();
    for ((invariant, shown), expected) in TABLE.iter().zip(Invariant::ALL) {
        assert_eq!(invariant, expected);
        let (row, change, profile, size, class) = match shown {
            By(row, change, profile) => (row, change, profile, Size::Small, Class::Collector),
            InMedium(row, change, profile) => (row, change, profile, Size::Medium, Class::Collector),
            Documented(row, change, profile) => (row, change, profile, Size::Small, Class::Documented),
            Everywhere(_) => {
                println!("{invariant}: every row breaks it");
                continue;
            }
        };
        match search(*invariant, row, change, profile, size, class) {
            Some(scenarios) => println!("{invariant}: {row}{change} ({profile}), {scenarios} scenarios"),
            None => missing.push(format!("{invariant}: {row}{change} ({profile})")),
        }
    }
    assert!(missing.is_empty(), "no scenario found:\n{}", missing.join("\n"));
}

#[test]
fn what_every_row_breaks_is_broken_by_the_newest() {
    for (invariant, shown) in &TABLE {
        let Everywhere(source) = shown else { continue };
        let scenario = text::parse(source).unwrap().scenario;
        for collector in coroner::model::collector::Collector::all() {
            let events = record(|out| Machine::new(&collector).run(&scenario, out));
            let mut judge = Judge::new();
            let found = judge.judge(&scenario, &events, &Declaration::of_release(&collector.name, collector.release));
            assert!(found.iter().any(|v| v.invariant == *invariant), "{invariant} on {}", collector.name);
        }
    }
}

#[test]
fn a_change_that_changes_nothing_breaks_nothing() {
    // 3.15 has this switch anyway.
    for invariant in [Invariant::I01, Invariant::I15, Invariant::I38] {
        assert_eq!(search(invariant, NEW, "+pep442", "default", Size::Small, Class::Collector), None);
    }
}

#[test]
fn the_page_of_planted_bugs_has_all_of_them() {
    let page = include_str!("../docs/bugs.md");
    let listed: Vec<&str> = page
        .lines()
        .filter_map(|l| l.strip_prefix("| ")?.split(' ').next())
        .filter(|n| n.starts_with("bug-"))
        .collect();
    let planted: Vec<&str> = coroner::planted::planted().map(|bug| bug.name()).collect();
    assert_eq!(listed, planted, "make docs/bugs.md anew with the command at its top");
}
