//! Determinism: the same scenario on the same collector gives the same events, alone or in sequence, twice in one
//! process and in another one. The golden digests change only when scenarios, the model or the event encoding change.

use coroner::event::{Digest, record};
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::Scenario;

const SCENARIOS: u64 = 300;

fn digests(collector: &str, profile: &str, seed: u64) -> Vec<u64> {
    let mut machine = Machine::new(&Collector::parse(collector).unwrap());
    let mut generator = Generator::new(Seed::from(seed), Profile::named(profile).unwrap(), Size::Small);
    let mut scenario = Scenario::new();
    (0..SCENARIOS)
        .map(|n| {
            generator.fill(n, &mut scenario);
            Digest::of(&record(|out| machine.run(&scenario, out)))
        })
        .collect()
}

fn folded(collector: &str, profile: &str, seed: u64) -> u64 {
    digests(collector, profile, seed).into_iter().fold(0, |all, d| all.rotate_left(7) ^ d)
}

#[test]
fn golden_digests_of_three_seeds() {
    let golden: [(&str, &str, u64, u64); 9] = [
        ("cpython-2.7", "default", 1, 0x4d743bece238acba),
        ("cpython-3.7", "default", 1, 0xb55a1c8311fb29f7),
        ("cpython-3.7", "planted", 2, 0xa3c3fe290409d155),
        ("cpython-3.8", "default", 2, 0x51d5a2962500fd7c),
        ("cpython-3.9", "builtin", 3, 0x92c433e2874841e7),
        ("cpython-3.13.0", "containers", 1, 0xa0ad0c6f0e5e6a6f),
        ("cpython-3.14.0", "default", 3, 0x23690f49f6efdcc0),
        ("cpython-3.14", "modes", 2, 0x574df3dc233d3393),
        ("cpython-3.15", "default", 3, 0xac37f474df39832f),
    ];
    let mut wrong = Vec::new();
    for (collector, profile, seed, expected) in golden {
        let found = folded(collector, profile, seed);
        if found != expected {
            wrong.push(format!("(\"{collector}\", \"{profile}\", {seed}, {found:#018x})"));
        }
    }
    assert!(wrong.is_empty(), "changed:\n{}", wrong.join(",\n"));
}

#[test]
fn twice_in_one_process() {
    for collector in ["cpython-3.7", "cpython-3.15"] {
        assert_eq!(digests(collector, "default", 9), digests(collector, "default", 9));
    }
}

#[test]
fn alone_as_in_sequence() {
    let sequence = digests("cpython-3.14", "default", 5);
    for n in (0..SCENARIOS).step_by(23) {
        let mut machine = Machine::new(&Collector::parse("cpython-3.14").unwrap());
        let scenario = Generator::new(Seed::from(5), Profile::named("default").unwrap(), Size::Small).make(n);
        let digest = Digest::of(&record(|out| machine.run(&scenario, out)));
        assert_eq!(digest, sequence[n as usize], "scenario {n}");
    }
}

/// The comparison can fail: a collector that is not deterministic is seen.
#[test]
fn a_nondeterministic_collector_differs_from_itself() {
    let mut machine = Machine::new(&Collector::parse("cpython-3.15+bug-nondeterministic").unwrap());
    let mut generator = Generator::new(Seed::from(5), Profile::named("weakrefs").unwrap(), Size::Small);
    let mut scenario = Scenario::new();
    let differs = (0..5_000).any(|n| {
        generator.fill(n, &mut scenario);
        let [one, two] = [(); 2].map(|()| Digest::of(&record(|out| machine.run(&scenario, out))));
        one != two
    });
    assert!(differs);
}
