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
    ("default", [0xee98_a75b_bdb5_228b, 0x3749_9a05_f192_8a7c, 0x3c63_e4d6_c5f3_bbfe]),
    ("plain", [0x314a_045e_6114_c519, 0xe6f2_c22e_4287_2c1c, 0x83d0_1dd7_e148_aa9b]),
    ("mixed", [0x65c4_f93f_0cea_40e2, 0x7c1b_a074_e495_5903, 0x70a4_6617_5f42_29de]),
    ("weakrefs", [0x4997_c473_5b23_afa3, 0x756b_183f_0697_3488, 0x6da8_6e87_781b_d680]),
    ("resurrection", [0x4b81_e1ef_9c26_98f4, 0x2570_1195_8adc_b6cc, 0x034b_fbc1_41e5_6b41]),
    ("nested", [0x09ca_c853_50ee_364e, 0x1b68_f88b_7862_b392, 0x5e4e_ead4_108b_67bb]),
    ("builtin", [0x9894_fd0d_277e_7f71, 0x92f9_76af_7d9d_9ebe, 0xed1c_3079_e497_005f]),
    ("containers", [0xe565_94c0_a273_6316, 0x2aac_b098_5df9_ffa3, 0xb843_7279_43c6_8dd3]),
    ("modes", [0x1a21_2daa_78f4_899f, 0x7833_efb3_72b4_9a5d, 0xbbd2_ba47_fc83_33d1]),
    ("planted", [0xc9a5_d77e_947e_fe95, 0xfcfc_1649_fb28_be65, 0xeebb_962e_67c8_745b]),
    ("unsafe", [0xd34a_d176_a072_e291, 0xb299_2e3b_7e12_400f, 0x1c2b_b604_173c_2285]),
    ("huge", [0x4e5b_c066_7733_20cc, 0x0d67_23e3_6449_9090, 0xe34f_8f08_e978_983c]),
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
