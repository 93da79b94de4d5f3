//! Merges stores: of shards, of nights, of machines. Associative, commutative and idempotent.

use std::fs;
use std::path::{Path, PathBuf};

use super::campaigns::{self, Campaigns, Overlap};
use super::files::{Lock, StoreError};
use super::folders::{self, Regressions, Summary};

/// Stores cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A file or folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Shards have scenarios in common.
    #[error(transparent)]
    Overlap(#[from] Overlap),
}

/// What a merged store has.
#[derive(Debug)]
pub struct Merged {
    /// Its campaigns.
    pub campaigns: Campaigns,
    /// How many bugs it has.
    pub bugs: Summary,
}

/// Merges stores into one, which may have something in it already and may be one of them.
///
/// # Errors
/// If a store cannot be read, if shards overlap, if another process is working in `into`, or if the result cannot be written.
pub fn merge(from: &[PathBuf], into: &Path, regressions: &Regressions) -> Result<Merged, MergeError> {
    let path = campaigns::store_lock(into);
    let busy = "another process is working in this folder: wait for its end";
    let _alone = Lock::try_now(&path)?.ok_or_else(|| StoreError::strange(into, busy.to_owned()))?;
    let mut merged = Campaigns::read(into)?;
    for root in from {
        let other = Campaigns::read(root)?;
        merged.join(&other);
    }
    merged.check()?;
    fs::create_dir_all(into).map_err(StoreError::at(into))?;
    merged.write(into)?;
    folders::renew(into, &merged, regressions)?;
    for root in from {
        folders::join_replayed(into, root)?;
        folders::join_marks(into, root)?;
    }
    let bugs = folders::renew(into, &merged, regressions)?;
    Ok(Merged { campaigns: merged, bugs })
}
