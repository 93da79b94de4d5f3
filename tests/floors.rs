//! A campaign that reaches nothing proves nothing: floors on what the generator's scenarios reach when they run.

use coroner::event::{Event, EventBuffer};
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::{Coverage, Judge};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::Scenario;
use coroner::subject::Declaration;

/// What one profile's scenarios reached, and in how many of them.
#[derive(Default)]
struct Shares {
    total: Coverage,
    trash: u64,
    delivered: u64,
    suppressed: u64,
    resurrection: u64,
    surprise: u64,
    nested: u64,
}

const SCENARIOS: u64 = 3_000;

fn shares(profile: &str, collector: &str) -> Shares {
    let collector = Collector::parse(collector).unwrap();
    let mut generator = Generator::new(Seed::from(2026), Profile::named(profile).unwrap(), Size::Small);
    let declaration = Declaration::of_release(&collector.name, collector.release);
    let mut machine = Machine::new(&collector);
    let mut judge = Judge::new();
    let mut scenario = Scenario::new();
    let mut events: Vec<Event> = Vec::new();
    let mut shares = Shares::default();
    for n in 0..SCENARIOS {
        generator.fill(n, &mut scenario);
        machine.run(&scenario, &mut EventBuffer::new(&mut events));
        judge.judge(&scenario, &events, &declaration);
        let reached = judge.reached();
        shares.trash += u64::from(reached.collections_with_trash > 0);
        shares.delivered += u64::from(reached.callbacks_run > 0);
        shares.suppressed += u64::from(reached.callbacks_suppressed > 0);
        shares.resurrection += u64::from(reached.resurrections > 0);
        shares.surprise += u64::from(reached.surprises > 0);
        shares.nested += u64::from(reached.nested_collections > 0);
        shares.total.add(&reached);
    }
    shares
}

/// Asserts that at least `percent` of the scenarios reached something.
fn floor(what: &str, reached: u64, percent: f64) {
    let share = 100.0 * reached as f64 / SCENARIOS as f64;
    println!("{what}: {share:.1} % of {SCENARIOS} scenarios, floor {percent} %");
    assert!(share >= percent, "{what}: {share:.1} %, floor {percent} %");
}

#[test]
fn the_default_profile_reaches_every_state() {
    let shares = shares("default", "cpython-3.14");
    floor("collections with trash", shares.trash, 50.0);
    floor("delivered callbacks", shares.delivered, 10.0);
    floor("suppressed callbacks", shares.suppressed, 2.0);
    floor("resurrections", shares.resurrection, 4.0);
    floor("surprise finalizers and callbacks", shares.surprise, 2.0);
    floor("nested collections", shares.nested, 2.0);
}

#[test]
fn each_profile_reaches_what_it_is_for() {
    floor("resurrection: resurrections", shares("resurrection", "cpython-3.14").resurrection, 25.0);
    floor("nested: nested collections", shares("nested", "cpython-3.14").nested, 10.0);
    let weakrefs = shares("weakrefs", "cpython-3.7");
    floor("weakrefs: delivered callbacks", weakrefs.delivered, 25.0);
    floor("weakrefs: suppressed callbacks", weakrefs.suppressed, 5.0);
    let planted = shares("planted", "cpython-3.7");
    floor("planted: surprises", planted.surprise, 10.0);
    floor("plain: trash", shares("plain", "cpython-3.14").trash, 50.0);
    floor("builtin: trash", shares("builtin", "cpython-3.14").trash, 40.0);
}

#[test]
fn few_operations_are_without_effect() {
    for profile in ["default", "plain", "mixed", "weakrefs", "resurrection", "builtin", "planted"] {
        let total = shares(profile, "cpython-3.14").total;
        let share = 100.0 * total.dropped_ops as f64 / (total.dropped_ops + total.effective_ops) as f64;
        println!("{profile}: {share:.1} % of the operations did nothing");
        assert!(share < 15.0, "{profile}: {share:.1} % of the operations did nothing");
    }
}

#[test]
fn safe_profiles_stay_clear_of_undefined_behaviour_but_for_dying_weak_references() {
    for collector in ["cpython-2.7", "cpython-3.10", "cpython-3.15"] {
        let total = shares("default", collector).total;
        assert!(total.undefined * 500 <= SCENARIOS, "{collector}: {} runs undefined", total.undefined);
    }
    assert!(shares("unsafe", "cpython-3.15").total.undefined > SCENARIOS / 50);
}

/// The report of a longer campaign, if `CORONER_REPORT` names one: `.ci/run` makes it and checks it here.
#[test]
fn the_report_of_a_campaign_holds_the_floors_too() {
    let Some(path) = std::env::var_os("CORONER_REPORT") else {
        println!("skipped: CORONER_REPORT names no report");
        return;
    };
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let reached = |name: &str| report["reached"][name].as_u64().unwrap_or_else(|| panic!("no count {name}")) as f64;
    let runs = reached("runs");
    assert!(runs >= 100_000.0, "{runs} runs");
    for (name, per_run) in [
        ("collections_with_trash", 0.5),
        ("callbacks_run", 0.1),
        ("callbacks_suppressed", 0.01),
        ("resurrections", 0.05),
        ("surprises", 0.02),
        ("nested_collections", 0.01),
        ("finalizers_run", 0.3),
    ] {
        let share = reached(name) / runs;
        assert!(share >= per_run, "{name}: {share:.3} per run, floor {per_run}");
    }
    let dropped = reached("dropped_ops") / (reached("dropped_ops") + reached("effective_ops"));
    assert!(dropped < 0.15, "{dropped:.3} of the operations did nothing");
}
