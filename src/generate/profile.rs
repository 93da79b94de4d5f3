//! Profiles: which features a scenario may have, and how likely each is.
//!
//! Generation is in the swarm manner: a scenario first draws a [`Configuration`] from its profile, then its
//! operations. What one configuration leaves out cannot crowd out what it contains.

use super::feature::{Feature, Features};
use super::feature_sampling::FeatureOdds;
use super::random::Random;
use std::fmt;

/// A named distribution of configurations.
#[derive(Debug)]
pub struct Profile {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is for, in one line.
    pub meaning: &'static str,
    /// Whether the profile `default` draws from it.
    pub in_default: bool,
    odds: Odds,
}

#[derive(Debug)]
enum Odds {
    Table(FeatureOdds),
    /// One of the profiles with `in_default`, or a mixture of all their features.
    Mixture,
    /// The life of [`super::huge`].
    Huge,
}

/// Always.
const ON: u16 = 256;

use Feature as F;

/// The profiles with `in_default`.
pub(super) const PARTS: std::ops::Range<usize> = 1..10;

/// How likely each feature is where all of them are mixed.
static MIXTURE: FeatureOdds = {
    let mut odds = [(Feature::ALL[0], 0); Feature::ALL.len()];
    let mut i = 0;
    while i < odds.len() {
        let feature = Feature::ALL[i];
        odds[i] = match feature {
            f if f.is_unsafe() => (feature, 0),
            F::Weakrefs | F::Callbacks | F::Finalizers => (feature, 176),
            F::Repeats | F::Bulk | F::SaveAll | F::Legacy => (feature, 20),
            _ => (feature, 56),
        };
        i += 1;
    }
    FeatureOdds::new(&odds)
};

/// Every profile. `coroner list profiles` prints this table.
pub static PROFILES: &[Profile] = &[
    Profile {
        name: "default",
        meaning: "a swarm of all the others except unsafe and huge",
        in_default: false,
        odds: Odds::Mixture,
    },
    Profile {
        name: "plain",
        meaning: "full protocol, weak references, callbacks and finalizers, nothing else",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::Weakrefs, 192),
            (F::Callbacks, 160),
            (F::Finalizers, 128),
            (F::Resurrection, 48),
            (F::RootDrops, 48),
            (F::Bulk, 24),
        ])),
    },
    Profile {
        name: "mixed",
        meaning: "objects that take part in collection partly or not at all",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::NoHeader, 144),
            (F::Hidden, 144),
            (F::ClearMissing, 96),
            (F::ClearPartial, 96),
            (F::Untracked, 64),
            (F::Typed, 64),
            (F::Weakrefs, 192),
            (F::Callbacks, 192),
            (F::Finalizers, 128),
            (F::RootDrops, 64),
            (F::DeallocActions, 64),
            (F::LateWeakrefs, 48),
            (F::Resurrection, 48),
            (F::Scans, 48),
            (F::Bulk, 16),
            (F::Creation, 32),
        ])),
    },
    Profile {
        name: "weakrefs",
        meaning: "many weak references: shared, with callbacks, proxies, subclasses, inside and outside the trash",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::Weakrefs, ON),
            (F::Callbacks, 224),
            (F::Proxies, 96),
            (F::KeyedRefs, 128),
            (F::LateWeakrefs, 96),
            (F::NoHeader, 96),
            (F::Hidden, 64),
            (F::Finalizers, 96),
            (F::RootDrops, 96),
            (F::Slotted, 48),
            (F::AtAllocation, 32),
            (F::Nested, 48),
            (F::Creation, 48),
        ])),
    },
    Profile {
        name: "resurrection",
        meaning: "finalizers that store, link and unlink what is about to die",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::Finalizers, ON),
            (F::Resurrection, ON),
            (F::Weakrefs, 176),
            (F::Callbacks, 128),
            (F::LateWeakrefs, 128),
            (F::RootDrops, 128),
            (F::Creation, 96),
            (F::NoHeader, 80),
            (F::Hidden, 64),
            (F::ClearMissing, 32),
            (F::Instances, 64),
            (F::Bare, 48),
            (F::Slotted, 48),
            (F::Nested, 48),
            (F::Legacy, 24),
        ])),
    },
    Profile {
        name: "nested",
        meaning: "collections inside user code, at an allocation and by threshold",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::Nested, 224),
            (F::AtAllocation, 160),
            (F::Automatic, 128),
            (F::Finalizers, 192),
            (F::Weakrefs, 192),
            (F::Callbacks, 208),
            (F::Creation, 160),
            (F::Resurrection, 64),
            (F::RootDrops, 128),
            (F::LateWeakrefs, 64),
            (F::DeallocActions, 96),
            (F::NoHeader, 64),
            (F::Hidden, 64),
            (F::Scans, 48),
            (F::GcCallbacks, 32),
            (F::Repeats, 24),
            (F::Lists, 48),
            (F::Instances, 48),
            (F::KeyedRefs, 32),
            (F::Proxies, 32),
            (F::Legacy, 24),
        ])),
    },
    Profile {
        name: "builtin",
        meaning: "lists, dicts, tuples, cells, functions, methods and instances of Python classes",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::Lists, 112),
            (F::Dicts, 112),
            (F::Tuples, 112),
            (F::Cells, 112),
            (F::Functions, 144),
            (F::Methods, 96),
            (F::Instances, 144),
            (F::Slotted, 96),
            (F::Bare, 80),
            (F::KeyedRefs, 112),
            (F::Proxies, 64),
            (F::Weakrefs, 208),
            (F::Callbacks, 208),
            (F::Finalizers, 128),
            (F::Resurrection, 48),
            (F::RootDrops, 48),
            (F::NoHeader, 64),
            (F::Hidden, 64),
            (F::Typed, 32),
            (F::Calls, 48),
            (F::Creation, 144),
            (F::LateWeakrefs, 48),
        ])),
    },
    Profile {
        name: "containers",
        meaning: "weak dictionaries, weak sets and weakref.finalize, also while they are iterated over",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::WeakDicts, 208),
            (F::WeakSets, 128),
            (F::Finalize, 128),
            (F::Iteration, 160),
            (F::Weakrefs, 128),
            (F::Callbacks, 128),
            (F::Finalizers, 128),
            (F::Resurrection, 64),
            (F::RootDrops, 160),
            (F::Functions, 64),
            (F::Instances, 96),
            (F::Slotted, 48),
            (F::NoHeader, 48),
            (F::Hidden, 64),
            (F::Nested, 64),
            (F::AtAllocation, 32),
            (F::Calls, 48),
            (F::Creation, 128),
            (F::LateWeakrefs, 48),
            (F::Raises, 96),
            (F::Freeze, 72),
        ])),
    },
    Profile {
        name: "modes",
        meaning: "saveall, freeze, legacy finalizers, gc.callbacks, gc.garbage, thresholds, enable and disable",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::SaveAll, 96),
            (F::Freeze, 128),
            (F::Legacy, 112),
            (F::GcCallbacks, 112),
            (F::Automatic, 112),
            (F::Untracked, 64),
            (F::Weakrefs, 176),
            (F::Callbacks, 160),
            (F::Finalizers, 144),
            (F::Resurrection, 64),
            (F::RootDrops, 64),
            (F::Creation, 64),
            (F::NoHeader, 64),
            (F::Hidden, 48),
            (F::ClearMissing, 48),
            (F::Scans, 48),
            (F::Raises, 64),
            (F::Calls, 32),
            (F::Repeats, 48),
            (F::Proxies, 48),
            (F::KeyedRefs, 48),
            (F::Finalize, 48),
            (F::Nested, 40),
        ])),
    },
    Profile {
        name: "planted",
        meaning: "shapes of historic bugs that random weights miss, each with random decoration",
        in_default: true,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::Planted, ON),
            (F::Weakrefs, 160),
            (F::Callbacks, 160),
            (F::Finalizers, 112),
            (F::Resurrection, 48),
            (F::RootDrops, 64),
            (F::LateWeakrefs, 64),
            (F::DeallocActions, 48),
            (F::NoHeader, 96),
            (F::Hidden, 96),
            (F::ClearMissing, 24),
            (F::Typed, 24),
            (F::Functions, 32),
            (F::Instances, 48),
            (F::Lists, 32),
            (F::Nested, 32),
            (F::Scans, 32),
            (F::Repeats, 16),
        ])),
    },
    Profile {
        name: "unsafe",
        meaning: "types and user code with undefined behaviour: over-reporting, fickle traverse, dealloc flaws",
        in_default: false,
        odds: Odds::Table(FeatureOdds::new(&[
            (F::OverReporting, 96),
            (F::Fickle, 96),
            (F::DeallocFlaws, 128),
            (F::KeptDying, 64),
            (F::ClearedCalls, 96),
            (F::Functions, 96),
            (F::Tuples, 64),
            (F::Calls, 128),
            (F::DeallocActions, 144),
            (F::Planted, 96),
            (F::Weakrefs, 208),
            (F::Callbacks, 192),
            (F::Finalizers, 144),
            (F::Resurrection, 64),
            (F::RootDrops, 64),
            (F::LateWeakrefs, 96),
            (F::Nested, 96),
            (F::NoHeader, 96),
            (F::Hidden, 96),
        ])),
    },
    Profile {
        name: "huge",
        meaning: "graphs of 100,000 to 10,000,000 objects, observed by weak references, dropped and collected",
        in_default: false,
        odds: Odds::Huge,
    },
];

impl Profile {
    /// The profile of that name.
    pub fn named(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|p| p.name == name)
    }

    /// True for the profile whose scenarios are made to show undefined behaviour.
    pub fn is_unsafe(&self) -> bool {
        self.name == "unsafe"
    }

    /// True for the profile whose graphs are too large for anything but a campaign of their own.
    pub fn is_huge(&self) -> bool {
        matches!(self.odds, Odds::Huge)
    }

    fn draw_features(&self, random: &mut Random) -> (&'static str, Features) {
        match &self.odds {
            Odds::Table(table) => (self.name, table.draw(random)),
            Odds::Mixture => {
                // A quarter of all scenarios mixes what no single profile has together.
                let choice = random.below(PARTS.len() as u32 * 4 / 3) as usize;
                match PROFILES[PARTS].get(choice) {
                    Some(part) => part.draw_features(random),
                    None => (self.name, MIXTURE.draw(random)),
                }
            }
            Odds::Huge => (self.name, Features::NONE.with(F::Bulk)),
        }
    }
}

/// How large scenarios are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Size {
    /// Up to 6 objects besides weak references.
    Tiny,
    /// Up to 12 objects, about 30 operations.
    #[default]
    Small,
    /// Up to 30 objects.
    Medium,
    /// Up to 100 objects.
    Large,
}

impl Size {
    /// Every size.
    pub const ALL: [Size; 4] = [Size::Tiny, Size::Small, Size::Medium, Size::Large];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Size::Tiny => "tiny",
            Size::Small => "small",
            Size::Medium => "medium",
            Size::Large => "large",
        }
    }

    /// The most objects that a scenario plans, weak references, callables and planted shapes not counted.
    pub const fn objects(self) -> u32 {
        match self {
            Size::Tiny => 6,
            Size::Small => 12,
            Size::Medium => 30,
            Size::Large => 100,
        }
    }

    /// The most operations that all bodies of a scenario have together.
    pub const fn most_operations(self) -> usize {
        self.objects() as usize * 5 + 44
    }

    /// The most operations of the mutator's body before the last collections.
    pub(super) const fn most_operations_of_mutator(self) -> usize {
        self.objects() as usize * 4 + 10
    }
}

/// What one scenario is drawn from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// The profile; for `default`, the one that was drawn.
    pub profile: &'static str,
    /// What may occur.
    pub features: Features,
    /// Objects to build, weak references not counted.
    pub objects: u32,
    /// Operations of the mutator before the last collections, about.
    pub operations: u32,
    /// How often objects are built, dropped and collected: 1 to 3.
    pub rounds: u32,
    /// Operations in any order instead of the order build, drop, collect.
    pub loose: bool,
    /// Probability (of 256) that an object gets user code where it can.
    pub user_code: u16,
    /// Probability (of 256) that a new object goes into a slot rather than into a variable.
    pub inner: u16,
    /// Probability (of 256) that a variable outlives a round.
    pub survival: u16,
    /// Probability (of 256) that a weak reference has a callback.
    pub callbacks: u16,
}

impl Configuration {
    /// Draws a configuration.
    pub(super) fn draw(profile: &Profile, size: Size, random: &mut Random) -> Configuration {
        let (name, features) = profile.draw_features(random);
        let most = size.objects();
        let objects = random.range(most * 5 / 12, most * 3 / 4);
        let (rounds, rest) = random.below_and_rest(5);
        // The highest bits are left: two for each choice of one in four.
        let choose = |of: [u16; 4], nth: u32| of[(rest >> (30 - 2 * nth)) as usize & 3];
        Configuration {
            profile: name,
            features,
            objects,
            operations: objects * 5 / 2 + random.below(objects) + 2,
            rounds: [1, 1, 2, 2, 3][rounds as usize].min((objects / 3).max(1)),
            loose: random.chance(40),
            user_code: choose([64, 96, 144, 208], 0),
            inner: choose([32, 80, 128, 176], 1),
            survival: choose([0, 0, 16, 48], 2),
            callbacks: choose([96, 144, 192, 240], 3),
        }
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} objects, {} operations, {} rounds{}, user code {}/256, inner {}/256, survival {}/256, \
             callbacks {}/256; {}",
            self.profile,
            self.objects,
            self.operations,
            self.rounds,
            if self.loose { " in any order" } else { "" },
            self.user_code,
            self.inner,
            self.survival,
            self.callbacks,
            self.features,
        )
    }
}
