//! What was found, and where it is kept: findings, the folders of bugs, the files of campaigns, what is known already.
//!
//! A finding is data from the moment it is made. Everything here can be written, read, joined and made again; nothing here
//! runs a scenario.

mod baseline;
pub(crate) mod campaigns;
mod counts;
pub(crate) mod files;
mod finding;
pub(crate) mod folders;
mod identity;
mod merge;
mod parts;
mod quoting;
mod run_counts;
mod shard;
mod verdict;

pub use baseline::{Baseline, BaselineError, KnownBug, Sign};
pub use campaigns::{Campaign, Campaigns, Overlap};
pub use counts::{Counts, FindingKey, First, Seen, SubjectCounts};
pub use files::{StoreError, write_atomically};
pub use finding::{BugSignature, Finding, State};
pub use folders::{Bug, Mark, REDUCED, Regressions, Summary, all as bugs, set_mark};
pub use identity::{CampaignIdentity, SCHEMA, SubjectIdentity};
pub use merge::{MergeError, Merged, merge};
pub use parts::{count_objects, digest};
pub use quoting::quoted;
pub use run_counts::RunCounts;
pub use shard::{Extent, Position, Shard, ShardState, Stretch, Timing};
pub use verdict::Verdict;

pub(crate) use counts::mix;
pub(crate) use finding::waiting;
pub(crate) use parts::{document, lines};
