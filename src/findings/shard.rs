//! How far a shard of a campaign has come.
//!
//! The scenarios of a campaign are cut into blocks; shard `I` of `N` has every block whose number is `I` modulo `N`, so
//! shards are disjoint and together they are the campaign, whatever `N` is. A shard counts its blocks in order: what
//! it has covered is always its first so many blocks, and a longer prefix contains a shorter one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counts::{Counts, FindingKey, SubjectCounts};
use super::finding::Finding;

/// Shard `index` of `count`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Shard {
    /// Which one, from 0.
    pub index: u64,
    /// Of how many; at least 1.
    pub count: u64,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Shard = Shard { index: 0, count: 1 };

    /// True if two shards, of whatever numbers, have a block in common.
    pub fn overlaps(self, other: Shard) -> bool {
        let (mut a, mut b) = (self.count, other.count);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        self.index % a == other.index % a
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let wrong = || "a shard is I/N with I below N, such as 0/8".to_owned();
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        let shard = Shard { index: number(index)?, count: number(count)? };
        if shard.index < shard.count && shard.count <= 1 << 32 { Ok(shard) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Which scenarios a campaign has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// So many from number 0.
    Scenarios(u64),
    /// One.
    Only(u64),
}

impl Extent {
    /// The scenarios of a shard's block, the shard's first being number 0; nothing if there is no such block.
    pub fn block(self, shard: Shard, size: u64, number: u64) -> Option<Range<u64>> {
        match self {
            Extent::Only(n) => (shard.index == 0 && number == 0).then(|| n..n.saturating_add(1)),
            Extent::Scenarios(total) => {
                let start = number.checked_mul(shard.count)?.checked_add(shard.index)?.checked_mul(size)?;
                (start < total).then(|| start..start.saturating_add(size).min(total))
            }
        }
    }
}

/// Times of a shard, over all the processes that worked on it.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Timing {
    /// From start to end.
    pub elapsed: Duration,
    /// What of it went into running scenarios.
    pub running: Duration,
    /// The rest, in which findings were reduced.
    pub reducing: Duration,
}

/// How far a shard has come. Of one shard, more is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Position {
    /// How many of its blocks are complete.
    pub blocks: u64,
    /// How many scenarios of the next block are done.
    pub extra: u64,
}

/// Scenarios that a worker runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Which ones.
    pub numbers: Range<u64>,
    /// Where the shard is when they are done.
    pub then: Position,
}

impl Position {
    /// What is to be run of a block, of `size` scenarios, from here on; nothing if there is no such block.
    pub fn stretch(self, extent: Extent, shard: Shard, size: u64, block: u64) -> Option<Stretch> {
        let numbers = extent.block(shard, size, block)?;
        let done = if block == self.blocks { self.extra } else { 0 };
        let here = numbers.end - numbers.start;
        // The end of the campaign may cut the last block, and a longer campaign goes on there.
        let whole = matches!(extent, Extent::Only(_)) || here == size;
        let then = match whole {
            true => Position { blocks: block + 1, extra: 0 },
            false => Position { blocks: block, extra: here },
        };
        (done < here).then(|| Stretch { numbers: numbers.start + done..numbers.end, then })
    }
}

/// What a shard has counted and found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ShardState<T: SubjectCounts, K: FindingKey> {
    /// Which shard.
    pub shard: Shard,
    /// How far it has come.
    pub position: Position,
    /// What was counted and found.
    pub part: Counts<T, K>,
    /// How long it took.
    pub timing: Timing,
    /// What is known of each kind that was found.
    #[serde(skip)]
    pub records: BTreeMap<K, Finding>,
}

impl<T: SubjectCounts, K: FindingKey> ShardState<T, K> {
    /// A shard that has not begun.
    pub fn new(shard: Shard, subjects: usize) -> ShardState<T, K> {
        let position = Position { blocks: 0, extra: 0 };
        let (part, timing) = (Counts::new(subjects), Timing::default());
        ShardState { shard, position, part, timing, records: BTreeMap::new() }
    }

    /// The kinds that have not been reduced.
    pub fn waiting(&self) -> usize {
        self.part.kinds.len() - self.records.values().filter(|record| record.is_examined()).count()
    }

    /// The records of a shard that say something of the scenarios counted, in the order of their kinds.
    pub fn current(&self) -> impl Iterator<Item = (&K, &Finding)> {
        let kinds = &self.part.kinds;
        self.records.iter().filter(|(kind, record)| kinds.get(kind).is_some_and(|seen| seen.first == record.first))
    }

    /// The number of scenarios of the campaign of which this shard has run all that are its own.
    pub fn end(&self, block: u64) -> u64 {
        let Position { blocks, extra } = self.position;
        let first = |number: u64| (number * self.shard.count + self.shard.index) * block;
        match (blocks, extra) {
            (0, 0) => 0,
            (_, 0) => first(blocks - 1) + block,
            _ => first(blocks) + extra,
        }
    }
}
