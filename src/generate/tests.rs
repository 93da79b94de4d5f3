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
    ("default", [0x4e97_c3a7_9314_db15, 0xefd3_2c74_4fda_eeae, 0x3ba7_745f_7130_0a48]),
    ("plain", [0xc570_b596_a96f_31c1, 0x276d_bb4a_37fc_6586, 0x6da5_f87f_0333_2589]),
    ("mixed", [0x53b4_f5d1_2bf4_a3a6, 0x56f8_e64e_6835_2fbc, 0xb73f_def8_1573_deef]),
    ("weakrefs", [0xa73a_17b8_042e_1f69, 0xb185_c6e2_af08_7fc3, 0xa349_eb8d_0c1a_5a13]),
    ("resurrection", [0x3b72_f204_6adb_0a43, 0xc672_3e69_5392_f6c8, 0x1ff1_5e78_8074_827c]),
    ("nested", [0x637e_d4da_989e_a46c, 0x02e1_90ed_fe3a_b14e, 0xa0d1_b656_26a7_4949]),
    ("builtin", [0x91fc_c76c_2e15_80d3, 0xb6d5_d059_42c9_37a3, 0x139c_70bc_21d7_a021]),
    ("containers", [0x7ed5_ebd2_167e_4bd6, 0x2d49_dced_f357_52e0, 0x12a5_2a0d_7489_81d0]),
    ("modes", [0x1b79_ecd0_61b6_c0f1, 0x7430_aa99_4150_7c1a, 0xf3c9_48ff_5fe1_c655]),
    ("planted", [0x12a2_b2e6_3984_59b5, 0x2708_a112_fabc_75fd, 0x1cba_a866_0293_3cf3]),
    ("unsafe", [0xf0e9_1ae4_a36d_0343, 0x3253_d4a9_248c_d8ba, 0x5e6b_52c2_4d28_54c3]),
    ("huge", [0xad02_3676_9a42_688f, 0xeba6_8cf1_2044_81bf, 0xc420_adcc_0292_aa71]),
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
