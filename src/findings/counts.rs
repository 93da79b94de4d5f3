//! The counts of some of a campaign's scenarios, and what was found in them. Adding up is commutative and associative,
//! so neither the order of the parts nor who counted them matters.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The counts of one subject.
pub trait SubjectCounts: Clone + Default + Send + Serialize + DeserializeOwned {
    /// Adds the counts of other scenarios.
    fn absorb(&mut self, other: &Self);
}

/// What findings are told apart by.
pub trait FindingKey: Copy + Ord + Send + std::fmt::Debug + Serialize + DeserializeOwned {
    /// True if somebody who waits for the end of a campaign should be told at once.
    fn is_urgent(self) -> bool;
}

/// The scenario that stands for a kind: the first in which the violation is the primary one, or, failing that, the
/// first in which it occurs. The order of the fields makes that the least value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct First {
    /// Another violation came before it in the same run.
    pub secondary: bool,
    /// Number of the scenario.
    pub scenario: u64,
}

/// Where a kind was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// The scenario that stands for it.
    #[serde(flatten)]
    pub first: First,
    /// How many scenarios showed it.
    pub count: u64,
}

/// Counts, and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Counts<T: SubjectCounts, K: FindingKey> {
    /// How many scenarios.
    pub scenarios: u64,
    /// By subject.
    pub tallies: Vec<T>,
    /// What was found.
    #[serde(with = "pairs")]
    pub kinds: BTreeMap<K, Seen>,
}

impl<T: SubjectCounts, K: FindingKey> Counts<T, K> {
    /// Nothing yet, for so many subjects.
    pub fn new(subjects: usize) -> Counts<T, K> {
        Counts { scenarios: 0, tallies: vec![T::default(); subjects], kinds: BTreeMap::new() }
    }

    /// Counts a scenario that shows a kind; to be called once for each.
    pub fn see(&mut self, kind: K, first: First) {
        self.merge(kind, Seen { first, count: 1 });
    }

    /// Adds the counts of other scenarios of the same campaign.
    pub fn absorb(&mut self, other: &Counts<T, K>) {
        self.scenarios += other.scenarios;
        for (mine, theirs) in self.tallies.iter_mut().zip(&other.tallies) {
            mine.absorb(theirs);
        }
        for (kind, seen) in &other.kinds {
            self.merge(*kind, *seen);
        }
    }

    fn merge(&mut self, kind: K, other: Seen) {
        let merged = |seen: &mut Seen| {
            seen.first = seen.first.min(other.first);
            seen.count += other.count;
        };
        self.kinds.entry(kind).and_modify(merged).or_insert(other);
    }
}

/// A map whose keys are no strings, as a list of pairs.
pub(super) mod pairs {
    use std::collections::BTreeMap;

    use serde::de::{Deserialize, DeserializeOwned, Deserializer};
    use serde::ser::{Serialize, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: DeserializeOwned + Ord,
        V: DeserializeOwned,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// One number out of two; not commutative.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&a.to_le_bytes());
    bytes[8..].copy_from_slice(&b.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&bytes)
}
