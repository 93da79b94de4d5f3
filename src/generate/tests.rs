use super::*;
use crate::scenario::{Clear, Finalizer, Kind, MAX_SCRIPTS, MAX_VARS, Op, Shape, Tracking};
use std::collections::BTreeSet;
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
    ("default", [0x7c41_4de8_ae36_22c2, 0xfb63_e6c0_bd4b_a21f, 0x001e_77f1_5f60_fd29]),
    ("plain", [0x6081_a9c5_e125_21bc, 0xb3c9_f8f3_635b_8517, 0xb6f1_28ae_a325_b46a]),
    ("mixed", [0x9504_5710_72b5_6788, 0x210e_d789_9fcd_774b, 0xebb2_8187_1d6f_22c6]),
    ("weakrefs", [0x93fe_96ef_fe44_3329, 0xb373_f266_3079_0563, 0x2f07_75a0_2db4_bbdb]),
    ("resurrection", [0xb6d0_7c20_a5ac_8a30, 0x9838_1e11_bed2_8734, 0xa6f6_a602_9436_958f]),
    ("nested", [0x4fe2_ab10_cfbe_8e07, 0x651c_ed91_a32c_93e9, 0x4b74_0534_6525_d3b8]),
    ("builtin", [0xa36a_eb33_24dd_71cc, 0xa5cd_3af6_9cae_eabe, 0x51ff_1ca6_4b8a_3658]),
    ("containers", [0x2c08_ceaf_af8f_7486, 0x7ef4_8c04_c4b1_0dd7, 0x7224_35d0_3105_1635]),
    ("modes", [0x5af9_e5f4_903a_f978, 0xa029_000f_4fa9_5bb9, 0x2e2f_c363_af2d_baa0]),
    ("planted", [0x59c6_7b09_0c75_d5c6, 0xc6e6_e4f8_91db_74ce, 0xae53_4635_ec71_099f]),
    ("unsafe", [0x1268_c5c7_b289_2b0b, 0x0a85_bcbb_aba7_471e, 0x16cf_d38c_545e_8e48]),
    ("huge", [0x14b7_605a_bbc1_c95c, 0x8a6c_af41_dfb8_4680, 0xc9c5_8a41_8dcf_4596]),
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

fn kind_of(op: &Op) -> Option<&Kind> {
    match op {
        Op::New { kind, .. } | Op::Build { kind, .. } => Some(kind),
        _ => None,
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

/// Number of operations, which the compiler makes whoever adds one come here to change.
const OPERATIONS: usize = 24;

fn word(op: &Op) -> &'static str {
    match op {
        Op::New { .. } => "new",
        Op::Set { .. } => "set",
        Op::Deref { .. } => "deref",
        Op::Look => "look",
        Op::Scan => "scan",
        Op::Collect { .. } => "collect",
        Op::CollectAtAllocation { .. } => "collect at allocation",
        Op::Call { .. } => "call",
        Op::Raise => "raise",
        Op::Enable => "enable",
        Op::Disable => "disable",
        Op::SetThreshold { .. } => "set threshold",
        Op::Freeze => "freeze",
        Op::Unfreeze => "unfreeze",
        Op::SaveAll { .. } => "save all",
        Op::EmptyGarbage => "empty garbage",
        Op::AddGcCallback { .. } => "add gc callback",
        Op::EmptyGcCallbacks => "empty gc callbacks",
        Op::Track { .. } => "track",
        Op::Untrack { .. } => "untrack",
        Op::Repeat { .. } => "repeat",
        Op::Build { .. } => "build",
        Op::Len { .. } => "len",
        Op::Iterate { .. } => "iterate",
    }
}

#[test]
fn every_operation_and_kind_is_generated() {
    let mut ops = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    every_op(|_, op| {
        ops.insert(word(op));
        if let Some(kind) = kind_of(op) {
            facts(kind, &mut kinds);
        }
    });
    assert_eq!(ops.len(), OPERATIONS, "{ops:?}");
    assert_eq!(kinds.len(), Shape::ALL.len() + 13, "{kinds:?}");
}

#[test]
fn every_feature_is_used() {
    let mut seen = Features::NONE;
    for profile in PROFILES {
        let mut generator = Generator::new(Seed::from(6), profile, Size::Small);
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
        if let Some(kind) = kind_of(op)
            && profile.name != "unsafe"
        {
            assert_eq!((kind.doubled.0, kind.fickle.0, kind.flaws), (0, 0, Default::default()), "{}", profile.name);
        }
    });
}

#[test]
fn kinds_are_canonical() {
    every_op(|_, op| {
        if let Some(kind) = kind_of(op) {
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
                assert!(generator.sketch.vars() <= MAX_VARS as usize);
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
