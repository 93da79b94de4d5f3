//! The store of a campaign: what was found and how far it is, as plain files.
//!
//! The files in `campaigns/` are the truth, and are safe on the disk before anything else happens to a finding. The
//! folders of bugs are made from them, and can be made from them again.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::campaigns::{self, Campaigns};
use super::counts::{FindingKey, SubjectCounts};
use super::engine::{Persist, Progress, Show};
use super::finding::Finding;
use super::folders;
use super::identity::CampaignIdentity;
use super::shard::{Position, Shard, ShardState};

/// A store cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct StoreError {
    /// Which file or folder.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

impl StoreError {
    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
        let path = path.to_owned();
        move |error| StoreError { path: path.clone(), why: error.to_string() }
    }

    pub(super) fn json(path: &Path) -> impl Fn(serde_json::Error) -> StoreError {
        let path = path.to_owned();
        move |error| StoreError { path: path.clone(), why: error.to_string() }
    }

    pub(super) fn strange(path: &Path, why: String) -> StoreError {
        StoreError { path: path.to_owned(), why }
    }
}

/// The names of scenarios that are known, by the digest of their normal form.
pub type Regressions = BTreeMap<u64, String>;

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
}

/// A store, and the shard as far as it is.
pub type Opened<'c, T, K> = (Store<'c, T, K>, ShardState<T, K>);

impl<'c, T: SubjectCounts, K: FindingKey> Store<'c, T, K> {
    /// Opens the store in a folder, which is made if need be, for a shard. With `resume`, what the shard has done is
    /// returned; else the campaign begins anew, and its files are replaced when it has come as far as they are.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be used.
    pub fn open(
        root: &Path,
        about: &CampaignIdentity,
        shard: Shard,
        resume: bool,
        regressions: Regressions,
        show: Show<'c, T, K>,
    ) -> Result<Opened<'c, T, K>, StoreError> {
        let folder = campaigns::create(root, about)?;
        sweep(root)?;
        sweep(&folder)?;
        // What cannot be read at the end is better known now.
        Campaigns::read(root)?;
        let there = campaigns::read_lane(&folder, shard)?;
        let mut store = Store { root: root.to_owned(), folder, shard, further: None, regressions, show };
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

/// What temporary files and folders begin with.
pub(super) const TEMPORARY: &str = ".coroner-";

/// Removes what a process that was killed left half written.
fn sweep(folder: &Path) -> Result<(), StoreError> {
    for path in campaigns::children(folder)? {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let Some(owner) = name.strip_prefix(TEMPORARY).and_then(|rest| rest.split('.').next()) else { continue };
        // Of this machine's processes, those that live may still need theirs.
        if owner != std::process::id().to_string() && !Path::new("/proc").join(owner).is_dir() {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            // Another process may have done it.
            let _ = removed;
        }
    }
    Ok(())
}

/// The temporary name for a file or folder: of this process.
pub(super) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{TEMPORARY}{}.{name}", std::process::id()))
}

/// Replaces a file by way of a temporary one in the same folder, so that nobody ever sees half of it.
///
/// # Errors
/// As the file system says.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, true)
}

/// As [`write_atomically`]; when it returns, the file has its name on the disk as well.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path, bytes, true).map_err(StoreError::at(path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // Not every file system can do this to a folder, and it has no other way.
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// As [`write_atomically`], for what can be made again.
pub(super) fn write_again(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path, bytes, false).map_err(StoreError::at(path))
}

fn replace(path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let temporary = temporary(path);
    let written = fs::File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            if sync { file.sync_all() } else { Ok(()) }
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// The text of a file, or nothing if there is none.
pub(super) fn read_if_any(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::at(path)(error)),
    }
}

/// The records of a shard that say something of the scenarios counted, in the order of their kinds.
pub(super) fn current<T: SubjectCounts, K: FindingKey>(
    state: &ShardState<T, K>,
) -> impl Iterator<Item = (&K, &Finding)> {
    let kinds = &state.part.kinds;
    state.records.iter().filter(|(kind, record)| kinds.get(kind).is_some_and(|seen| seen.first == record.first))
}
