use super::*;
use crate::scenario::{Clear, Finalizer, Kind, MAX_SCRIPTS, MAX_VARS, Op, Opcode, Shape, Tracking};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// XXH3-64 of the debug form of scenarios 0 to 63 of a seed.
fn digest(seed: u64, profile: &'static Profile) -> u64 {
    let mut generator = Generator::new(Seed::from(seed), profile, Size::Small);
    let mut text = String::new();
    let mut state = xxhash_rust::xxh3::Xxh3::new();
    for n in 0..64 {
        text.clear();
        write!(text, "{:?}", generator.make(n)).unwrap();
        state.update(text.as_bytes());
    }
    state.digest()
}

/// Three seeds per profile. A change here means that every seed means something else: say so in the change log.
const GOLDEN: [(&str, [u64; 3]); 12] = [
    ("default", [0xb4079c404ad0d57f, 0x4e727af4a052584b, 0x7fa092773975058c]),
    ("plain", [0x25f70c8fe0f98bb2, 0xbaf4349c259ba3fa, 0xa3b65703be86e08b]),
    ("mixed", [0x2686625ee2a14a99, 0x97124cbb1e06f09e, 0xc771fb1ed1b0133f]),
    ("weakrefs", [0x43ac6767a97a007f, 0x4d78a9c9dd7eee42, 0x8a0e116f95b0cacb]),
    ("resurrection", [0xfdcf9606cfc34c17, 0xf0577f01f1808233, 0x405c306ca3588a2a]),
    ("nested", [0x0a9085bd168a1803, 0xdadc0d77ff4ba0f6, 0xcf7b88a84e702ab9]),
    ("builtin", [0x9c488c6b401198fb, 0x09db29b1784fd4be, 0x5a0bc50541b85cf8]),
    ("containers", [0x06626e55d0c47850, 0x4e508318e53527bf, 0x5785e76627064c45]),
    ("modes", [0xc0e9fcb46ce6ad35, 0x2973991fd787c530, 0x08b7141597476b24]),
    ("planted", [0x6db1e881c757c10a, 0xc4800cb9dae94a3f, 0xdd8c8b9f28732cb9]),
    ("unsafe", [0xf61e000fb3e8679e, 0x8e822b1329723621, 0xa4a464b92eb3aebe]),
    ("huge", [0x4e5bc066773320cc, 0x0d6723e364499090, 0xe34f8f08e978983c]),
];

#[test]
fn seeds_keep_their_meaning() {
    let found: Vec<(&str, [u64; 3])> = PROFILES.iter().map(|p| (p.name, [1, 2, 3].map(|s| digest(s, p)))).collect();
    for (name, [a, b, c]) in &found {
        println!("    (\"{name}\", [{a:#018x}, {b:#018x}, {c:#018x}]),");
    }
    assert_eq!(found, GOLDEN);
}

#[test]
fn alone_is_the_same_as_in_sequence() {
    for profile in PROFILES {
        let mut sequence = Generator::new(Seed::from(9), profile, Size::Small);
        let mut scenario = Scenario::new();
        for n in 0..50 {
            sequence.fill(n, &mut scenario);
            let mut alone = Generator::new(Seed::from(9), profile, Size::Small);
            assert_eq!(scenario, alone.make(n), "{} {n}", profile.name);
            assert_eq!(alone.configuration(n), sequence.configuration(n));
        }
    }
}

#[test]
fn scenarios_differ() {
    for profile in PROFILES.iter().filter(|p| !p.is_huge()) {
        let mut generator = Generator::new(Seed::from(4), profile, Size::Small);
        let distinct: BTreeSet<String> = (0..200).map(|n| format!("{:?}", generator.make(n))).collect();
        assert!(distinct.len() >= 198, "{}: {}", profile.name, distinct.len());
    }
}

/// Calls a closure with every operation of some scenarios of every profile.
fn every_op(mut f: impl FnMut(&'static Profile, &Op)) {
    for profile in PROFILES {
        let mut generator = Generator::new(Seed::from(5), profile, Size::Small);
        let mut scenario = Scenario::new();
        for n in 0..3000 {
            generator.fill(n, &mut scenario);
            scenario.ops().iter().for_each(|op| f(profile, op));
        }
    }
}

/// Everything that kinds can say, in words.
fn facts(kind: &Kind, found: &mut BTreeSet<&'static str>) {
    found.insert(kind.shape.word());
    for (fact, word) in [
        (kind.tracking == Tracking::NoHeader, "no header"),
        (kind.tracking == Tracking::Untracked, "untracked"),
        (kind.hidden.0 != 0, "hidden"),
        (kind.doubled.0 != 0, "doubled"),
        (kind.fickle.0 != 0, "fickle"),
        (kind.clear == Clear::Missing, "no clear"),
        (matches!(kind.clear, Clear::Keeps(s) if s.0 != 0), "partial clear"),
        (matches!(kind.finalizer, Some(Finalizer::Modern(_))), "finalizer"),
        (matches!(kind.finalizer, Some(Finalizer::Legacy(_))), "legacy finalizer"),
        (kind.on_call.is_some(), "on call"),
        (kind.on_dealloc.is_some(), "on dealloc"),
        (kind.flaws.keeps_tracked, "keeps tracked"),
        (kind.flaws.keeps_weakrefs, "keeps weakrefs"),
    ] {
        if fact {
            found.insert(word);
        }
    }
}

#[test]
fn every_operation_and_kind_is_generated() {
    let mut ops = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    every_op(|_, op| {
        ops.insert(op.opcode());
        if let Some(kind) = op.kind() {
            facts(kind, &mut kinds);
        }
    });
    assert_eq!(ops.len(), Opcode::ALL.len(), "{ops:?}");
    assert_eq!(kinds.len(), Shape::ALL.len() + 13, "{kinds:?}");
}

/// What a body does, in words: its operations, and what the objects that it makes are. `here` is where the body stands.
fn combinations(here: &str, op: &Op, found: &mut BTreeMap<String, u32>) {
    let mut count = |what: String| *found.entry(format!("{here}: {what}")).or_default() += 1;
    count(format!("{:?}", op.opcode()));
    let Some(kind) = op.kind() else { return };
    count(kind.shape.word().to_owned());
    match kind.finalizer {
        Some(Finalizer::Modern(_)) => count("finalizer".to_owned()),
        Some(Finalizer::Legacy(_)) => count("legacy finalizer".to_owned()),
        None => {}
    }
    if let Op::New { items: [_, callback], .. } = op
        && kind.shape.is_weakref()
        && !callback.is_nothing()
    {
        count(format!("{} with callback", kind.shape.word()));
    }
}

/// What chance draws, without the shapes of historic bugs: each at least ten times.
#[test]
fn every_combination_is_drawn() {
    let mut found = BTreeMap::new();
    for profile in PROFILES.iter().filter(|profile| !profile.is_huge()) {
        let mut generator = Generator::new(Seed::from(5), profile, Size::Small);
        let mut scenario = Scenario::new();
        for n in (0..3000).filter(|n| !generator.configuration(*n).features.has(Feature::Planted)).collect::<Vec<_>>() {
            generator.fill(n, &mut scenario);
            for body in 0..scenario.bodies() {
                let here = if body == 0 { "main" } else { "script" };
                scenario.body(body).iter().for_each(|op| combinations(here, op, &mut found));
            }
        }
    }
    let mut wanted: Vec<String> = Vec::new();
    wanted.extend(Opcode::ALL.iter().filter(|op| **op != Opcode::Raise).map(|op| format!("main: {op:?}")));
    wanted.extend(Shape::ALL.iter().map(|shape| format!("main: {}", shape.word())));
    for weak in [Shape::Ref, Shape::Proxy, Shape::KeyedRef] {
        wanted.push(format!("main: {} with callback", weak.word()));
    }
    wanted.extend(["main: finalizer", "main: legacy finalizer", "script: finalizer"].map(str::to_owned));
    use Opcode::*;
    let scripts = [
        Look,
        Set,
        Deref,
        New,
        Collect,
        CollectAtAllocation,
        Scan,
        Call,
        Raise,
        Freeze,
        Unfreeze,
        AddGcCallback,
        EmptyGcCallbacks,
        Len,
    ];
    wanted.extend(scripts.map(|op| format!("script: {op:?}")));
    wanted.extend([Shape::Node, Shape::Ref].map(|shape| format!("script: {}", shape.word())));
    wanted.push(format!("script: {} with callback", Shape::Ref.word()));
    let rare: Vec<_> = wanted.iter().filter(|what| found.get(*what).is_none_or(|times| *times < 10)).collect();
    assert!(rare.is_empty(), "rare: {rare:?} of {found:#?}");
}

#[test]
fn every_feature_is_used() {
    let mut seen = Features::NONE;
    for profile in PROFILES {
        let generator = Generator::new(Seed::from(6), profile, Size::Small);
        for n in 0..500 {
            for feature in generator.configuration(n).features.iter() {
                assert!(!feature.is_unsafe() || profile.name == "unsafe", "{} {feature:?}", profile.name);
                seen = seen.with(feature);
            }
        }
    }
    assert_eq!(seen.iter().count(), Feature::ALL.len(), "{seen}");
}

#[test]
fn only_the_profile_unsafe_makes_unsafe_types() {
    every_op(|profile, op| {
        if let Some(kind) = op.kind()
            && profile.name != "unsafe"
        {
            assert_eq!((kind.doubled.0, kind.fickle.0, kind.flaws), (0, 0, Default::default()), "{}", profile.name);
        }
    });
}

#[test]
fn kinds_are_canonical() {
    every_op(|_, op| {
        if let Some(kind) = op.kind() {
            assert_eq!(*kind, kind.canonical());
        }
    });
}

#[test]
fn limits_are_kept() {
    for profile in PROFILES.iter().filter(|p| !p.is_huge()) {
        for size in Size::ALL {
            let mut generator = Generator::new(Seed::from(8), profile, size);
            let mut scenario = Scenario::new();
            for n in 0..300 {
                generator.fill(n, &mut scenario);
                assert!(scenario.ops().len() <= size.most_operations(), "{} {}", profile.name, scenario.ops().len());
                assert!(scenario.scripts() <= MAX_SCRIPTS);
                assert!(generator.heap.vars() <= MAX_VARS as usize);
                assert!(generator.configuration(n).objects <= size.objects());
                assert_eq!(scenario.scripts(), generator.plans.len());
                assert!(scenario.main().iter().any(|op| matches!(op, Op::Collect { generation: 2 })));
            }
        }
    }
}

#[test]
fn the_default_size_is_about_thirty_operations() {
    for profile in PROFILES.iter().filter(|p| !p.is_huge()) {
        let mut generator = Generator::new(Seed::from(10), profile, Size::default());
        let total: usize = (0..500).map(|n| generator.make(n).ops().len()).sum();
        let mean = total / 500;
        assert!((22..=40).contains(&mean), "{} {mean}", profile.name);
    }
}

#[test]
fn huge_graphs_are_within_their_range() {
    let profile = Profile::named("huge").unwrap();
    let mut generator = Generator::new(Seed::from(1), profile, Size::Small);
    let mut counts = Vec::new();
    for n in 0..300 {
        for op in generator.make(n).main() {
            if let Op::Build { count, .. } = op {
                counts.push(*count);
            }
        }
    }
    assert!(counts.iter().all(|c| (100_000..=10_000_000).contains(c)));
    assert!(counts.iter().any(|c| *c < 300_000) && counts.iter().any(|c| *c > 5_000_000));
}

#[test]
fn scripts_that_build_huge_graphs_are_written() {
    let mut generator = Generator::new(Seed::from(1), Profile::named("huge").unwrap(), Size::Small);
    let mut written = 0;
    for n in 0..60 {
        let scenario = generator.make(n);
        for op in scenario.main() {
            if let Op::Repeat { script, .. } = op {
                let made =
                    scenario.body(script.0 as usize + 1).iter().filter(|op| matches!(op, Op::New { .. })).count();
                assert!(made > 0, "scenario {n} repeats a script that creates nothing");
                written += 1;
            }
        }
    }
    assert!(written > 10_000, "{written}");
}

#[test]
fn profiles_have_names_of_their_own() {
    let names: BTreeSet<&str> = PROFILES.iter().map(|p| p.name).collect();
    assert_eq!(names.len(), PROFILES.len());
    assert_eq!(Profile::named("planted").map(|p| p.name), Some("planted"));
    assert!(Profile::named("nonsense").is_none());
}

#[test]
fn the_parts_of_the_default_profile_stand_together() {
    for (i, profile) in PROFILES.iter().enumerate() {
        assert_eq!(profile.in_default, profile::PARTS.contains(&i), "{}", profile.name);
    }
}
