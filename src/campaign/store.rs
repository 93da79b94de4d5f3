//! The store of a campaign: what was found and how far it is, as plain files.
//!
//! The files in `campaigns/` are the truth, and are safe on the disk before anything else happens to a finding. The
//! folders of bugs are made from them, and can be made from them again.

use std::path::{Path, PathBuf};

use super::engine::{Persist, Progress, Show};
use crate::findings::campaigns::{self, Campaigns};
use crate::findings::files::{Lock, StoreError, write_durably};
use crate::findings::folders::{self, Regressions};
use crate::findings::{CampaignIdentity, FindingKey, Position, Shard, ShardState, SubjectCounts};

/// The store of a shard of a campaign.
pub struct Store<'c, T: SubjectCounts, K: FindingKey> {
    root: PathBuf,
    folder: PathBuf,
    shard: Shard,
    /// How far the files are, if that is further than this process.
    further: Option<Position>,
    regressions: Regressions,
    /// Shows where the campaign is.
    show: Show<'c, T, K>,
    /// This process works in the store, and on the shard nobody else does.
    _locks: [Lock; 2],
}

/// A store, and the shard as far as it is.
pub type Opened<'c, T, K> = (Store<'c, T, K>, ShardState<T, K>);

impl<'c, T: SubjectCounts, K: FindingKey> Store<'c, T, K> {
    /// Opens the store in a folder, which is made if need be, for a shard. With `resume`, what the shard has done is
    /// returned; else the campaign begins anew, and its files are replaced when it has come as far as they are.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be used, or another process is running the shard.
    pub fn open(
        root: &Path,
        about: &CampaignIdentity,
        shard: Shard,
        resume: bool,
        regressions: Regressions,
        show: Show<'c, T, K>,
    ) -> Result<Opened<'c, T, K>, StoreError> {
        let folder = campaigns::folder(root, &about.id());
        let known = folders::known(root);
        let in_store = Lock::share(&campaigns::store_lock(root), &[root, &known, &folder])?;
        let on_folders = Lock::wait(&campaigns::folders_lock(root))?;
        campaigns::create(root, about)?;
        let on_shard = campaigns::reserve(&folder, shard)?;
        drop(on_folders);
        // What cannot be read at the end is better known now.
        Campaigns::read(root)?;
        let there = campaigns::read_shard(&folder, shard)?;
        let _locks = [in_store, on_shard];
        let mut store = Store { root: root.to_owned(), folder, shard, further: None, regressions, show, _locks };
        let state = match there {
            Some(state) if resume => state,
            other => {
                store.further = other.map(|state: ShardState<T, K>| state.position);
                ShardState::new(shard, about.subjects.len())
            }
        };
        Ok((store, state))
    }

    /// Renews every folder of a bug.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn renew(&self) -> Result<folders::Summary, StoreError> {
        let _alone = Lock::wait(&campaigns::folders_lock(&self.root))?;
        folders::renew(&self.root, &Campaigns::read(&self.root)?, &self.regressions)
    }

    fn write(&mut self, state: &ShardState<T, K>, findings: bool) -> Result<(), StoreError> {
        if self.further.is_some_and(|further| further > state.position) {
            return Ok(());
        }
        // The files are now at least as old as this campaign.
        let findings = findings || self.further.take().is_some();
        let (name, found) = campaigns::names(self.shard);
        if findings {
            let path = self.folder.join(found);
            let text = campaigns::findings(&state.records).map_err(StoreError::json(&path))?;
            write_durably(&path, text.as_bytes())?;
        }
        let path = self.folder.join(name);
        let text = campaigns::file(state).map_err(StoreError::json(&path))?;
        write_durably(&path, text.as_bytes())
    }
}

impl<T: SubjectCounts, K: FindingKey> Persist<T, K> for Store<'_, T, K> {
    fn keep(&mut self, state: &ShardState<T, K>, new: &[K]) -> Result<(), StoreError> {
        self.write(state, !new.is_empty())?;
        if new.is_empty() {
            return Ok(());
        }
        let _alone = Lock::wait(&campaigns::folders_lock(&self.root))?;
        for record in new.iter().filter_map(|kind| state.records.get(kind)).filter(|record| record.is_examined()) {
            folders::announce(&self.root, record)?;
        }
        Ok(())
    }

    fn progress(&mut self, progress: &Progress<'_, T, K>) {
        (self.show)(progress);
    }
}

/// Keeps nothing, for campaigns without a folder.
#[derive(Debug)]
pub struct Nowhere;

impl<T: SubjectCounts, K: FindingKey> Persist<T, K> for Nowhere {
    fn keep(&mut self, _lane: &ShardState<T, K>, _new: &[K]) -> Result<(), StoreError> {
        Ok(())
    }
}
