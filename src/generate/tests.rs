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
    ("default", [0x3258_3325_2c2f_8992, 0xb4a9_e4b7_8229_7788, 0xb900_55ab_cba0_781e]),
    ("plain", [0xd802_53e0_a389_0786, 0x5549_01fa_02e3_08b9, 0xa7fc_c373_4188_cf7e]),
    ("mixed", [0xd5a5_fd18_a5e8_0092, 0x8f0b_3f38_5dc9_5bbd, 0x57ab_a1ba_d9bf_1ec3]),
    ("weakrefs", [0x1cb4_ca99_1537_f5fa, 0x632c_32d5_656f_8e17, 0xa568_98d9_cc5d_0302]),
    ("resurrection", [0xe710_05e0_9c58_df2e, 0xfdda_6ea7_968a_1c92, 0xe2fa_a12a_5ca8_0498]),
    ("nested", [0xf34a_58de_c910_758c, 0x0888_eb23_f2bb_38c6, 0x611e_8f2b_0a4c_388c]),
    ("builtin", [0xbf62_ff54_69db_760c, 0x7c79_846b_0cae_17a2, 0xc0b0_8337_07c0_b591]),
    ("containers", [0x12da_fd4b_2888_7465, 0x269b_02cf_098b_443f, 0xec5c_a2b8_3277_2a49]),
    ("modes", [0xc99e_2b52_7628_1f29, 0x298c_27e1_832f_43e1, 0x182c_8da1_8e1f_2b4e]),
    ("planted", [0x3587_8dcb_b2f3_9ad5, 0x6250_cc19_b29c_933c, 0xde3c_05fb_f1e0_8a42]),
    ("unsafe", [0x3846_262a_57e3_f348, 0xc5fc_c0e2_e250_2381, 0x4a2f_63cc_7568_7f34]),
    ("huge", [0x7d42_c6c4_6690_9cf0, 0x84e3_90df_c135_482c, 0xcb8f_4605_db43_b9af]),
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
