use super::*;
use crate::generate::{Generator, PROFILES, Seed, Size};
use crate::scenario::{Clear, Kind, Place, Shape, SlotSet};

/// True if every name of a scenario is within the limits of the format.
fn is_within_limits(scenario: &Scenario) -> bool {
    let mut good = scenario.scripts() <= MAX_SCRIPTS && scenario.ops().len() <= MAX_OPS;
    for op in scenario.ops() {
        let mut op = *op;
        op.for_each_place(|place: &mut Place| good &= !matches!(place.base, Base::Var(var) if var >= MAX_VARS));
        op.map_scripts(|script| {
            good &= (script.0 as usize) < MAX_SCRIPTS;
            Some(script)
        });
    }
    good
}

#[test]
fn mutation_keeps_the_limits_and_mostly_changes_something() {
    let mut random = Seed::from(1).stream("mutate");
    let (mut tried, mut changed) = (0, 0);
    for profile in PROFILES {
        let mut generator = Generator::new(Seed::from(2), profile, Size::Small);
        for n in 0..60 {
            let mut scenario = generator.make(n);
            for max_ops in [0, 5, 60, 60, 60, MAX_OPS] {
                let before = scenario.clone();
                mutate(&mut scenario, &mut random, max_ops);
                assert!(scenario.ops().len() <= max_ops.max(before.ops().len()));
                assert!(is_within_limits(&scenario), "{scenario:?}");
                tried += 1;
                changed += (scenario != before) as u32;
            }
        }
    }
    assert!(changed * 100 > tried * 95, "{changed} of {tried}");
}

#[test]
fn mutation_of_anything_does_not_panic() {
    let mut random = Seed::from(3).stream("mutate");
    let far = Place::var(MAX_VARS - 1);
    let many: Vec<Vec<Op>> = (0..=MAX_SCRIPTS).map(|_| vec![Op::Look, Op::Set { dst: far, src: far }]).collect();
    let huge =
        Op::Build { dst: far, bulk: crate::scenario::Bulk::Ring, kind: Kind::new(Shape::Node), count: 0xff_ffff };
    let seeds = [
        Scenario::new(),
        Scenario::from_bodies(&[vec![]]),
        Scenario::from_bodies(&[vec![], vec![], vec![Op::Raise]]),
        Scenario::from_bodies(&[vec![huge, Op::Repeat { times: 255, script: crate::scenario::ScriptId(255) }]]),
        Scenario::from_bodies(&many),
    ];
    for seed in &seeds {
        let mut scenario = seed.clone();
        for _ in 0..2000 {
            mutate(&mut scenario, &mut random, 200);
            assert!(scenario.ops().len() <= 200.max(seed.ops().len()));
            if scenario.ops().len() > 150 {
                scenario = seed.clone();
            }
        }
        for other in &seeds {
            let mut out = Scenario::new();
            for _ in 0..50 {
                crossover(seed, other, &mut out, &mut random, 50);
                assert!(out.ops().len() <= 50.max(seed.ops().len()));
                assert!(out.scripts() <= MAX_SCRIPTS);
            }
        }
    }
}

#[test]
fn every_mutation_happens() {
    let mut random = Seed::from(4).stream("mutate");
    let profile = &PROFILES[0];
    let mut generator = Generator::new(Seed::from(5), profile, Size::Small);
    for (mutation, _) in MUTATIONS {
        let mut done = 0;
        for n in 0..100 {
            let scenario = generator.make(n);
            let mut editor = Editor::new(&scenario, &mut random, 200);
            if editor.apply(mutation).is_some() {
                done += 1;
                let mut result = Scenario::new();
                write(&editor.bodies, &mut result);
                if !matches!(mutation, Mutation::Move | Mutation::Duplicate) {
                    assert_ne!(result, scenario, "{mutation:?}");
                }
            }
        }
        assert!(done >= 25, "{mutation:?} {done}");
    }
}

#[test]
fn mutation_makes_no_unsafe_types_of_its_own() {
    let mut random = Seed::from(6).stream("mutate");
    let mut generator = Generator::new(Seed::from(7), &PROFILES[0], Size::Small);
    let mut lied = false;
    for n in 0..100 {
        let mut scenario = generator.make(n);
        for _ in 0..20 {
            mutate(&mut scenario, &mut random, 80);
            for op in scenario.ops_mut() {
                assert!(!op.kind().is_some_and(is_unsafe));
            }
        }
        // One liar allows others.
        let mut kind = Kind::new(Shape::Node);
        kind.doubled = SlotSet::ALL;
        kind.clear = Clear::Missing;
        scenario.push(Op::New { dst: Place::var(0), kind, items: [Place::NOTHING; 2] });
        for _ in 0..20 {
            mutate(&mut scenario, &mut random, 80);
        }
        lied |= scenario.ops().iter().any(|op| op.kind().is_some_and(|k| k.fickle != SlotSet::NONE));
    }
    assert!(lied);
}

#[test]
fn crossover_takes_from_both() {
    let mut random = Seed::from(8).stream("crossover");
    let mut generator = Generator::new(Seed::from(9), &PROFILES[0], Size::Small);
    let mut out = Scenario::new();
    let mut both = 0;
    for n in 0..500 {
        let (a, b) = (generator.make(2 * n), generator.make(2 * n + 1));
        crossover(&a, &b, &mut out, &mut random, 100);
        assert!(is_within_limits(&out));
        assert!(out.ops().len() <= 100.max(a.ops().len()));
        both += (out != a && out != b) as u32;
    }
    assert!(both > 400, "{both}");
}

#[test]
fn spliced_scripts_keep_their_bodies() {
    let mut random = Seed::from(10).stream("crossover");
    let script = crate::scenario::ScriptId(0);
    let empty = Scenario::from_bodies(&[vec![], vec![Op::Scan]]);
    let donor = Scenario::from_bodies(&[vec![Op::Repeat { times: 1, script }], vec![Op::Look]]);
    let mut spliced = 0;
    for _ in 0..100 {
        let mut out = Scenario::new();
        crossover(&empty, &donor, &mut out, &mut random, 100);
        if let [Op::Repeat { script, .. }] = out.main() {
            assert_eq!(&out.ops()[out.script_range(*script)], [Op::Look]);
            spliced += 1;
        }
    }
    assert!(spliced > 20, "{spliced}");
}

#[test]
fn mutation_is_deterministic() {
    let run = || {
        let mut random = Seed::from(11).stream("mutate");
        let mut scenario = Generator::new(Seed::from(12), &PROFILES[0], Size::Small).make(0);
        for _ in 0..200 {
            mutate(&mut scenario, &mut random, 80);
        }
        scenario
    };
    assert_eq!(run(), run());
}
