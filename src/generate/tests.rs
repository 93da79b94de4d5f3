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
    ("default", [0xf689_92e8_7e18_a5a1, 0x8cc0_ba5e_9d81_e858, 0x179e_6380_0f89_0e8e]),
    ("plain", [0xfbff_3eab_133b_b50e, 0x3fe3_1d37_dbe1_8d4b, 0xe124_bfda_ecc9_d55b]),
    ("mixed", [0xbb49_d334_1ffd_c978, 0x1dac_7b2e_8c40_ec99, 0xc521_8dd9_6e1d_3d4f]),
    ("weakrefs", [0xa09f_0811_f562_72c2, 0x723e_207b_01ef_ec48, 0x29a5_fcff_e1fb_6e5a]),
    ("resurrection", [0xc938_87b5_9de7_63fb, 0x51be_5404_3b79_eee9, 0xfa7d_58d7_06bd_5877]),
    ("nested", [0xa796_49d0_7827_547f, 0x9c95_b4e6_cc0b_a6b6, 0x0b16_8b30_d736_f3d9]),
    ("builtin", [0x8779_f9d6_c2d6_89a9, 0xdd3c_ae2a_fbea_f1a0, 0x7cec_62df_82e9_c26e]),
    ("containers", [0xef1c_373e_bc65_cc2e, 0xe6a3_6a9b_0935_fdae, 0xfc86_95a8_461e_6af3]),
    ("modes", [0x8592_4900_f0c8_a624, 0xde30_5a4b_71ac_4f19, 0x57d3_2c5f_cde3_31ab]),
    ("planted", [0x2cff_9940_f9d6_d402, 0x55c7_aac3_e04f_3066, 0x8722_ed04_b89f_e2b2]),
    ("unsafe", [0x9dc5_b3bd_d2f4_6fe7, 0x764f_9816_e7aa_ddfb, 0xcb11_9093_2e42_28db]),
    ("huge", [0xf984_48b8_62ce_ad39, 0xc17f_5e8f_bed4_dc5d, 0x197e_738d_cd3c_3a93]),
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
