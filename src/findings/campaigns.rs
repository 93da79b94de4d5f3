//! The campaigns of a store, as files: `campaigns/ID/` with `campaign.json`, and for each shard `shard-I-of-N.json`
//! (what was counted) and `shard-I-of-N.findings.json` (what was found).
//!
//! Stores are joined shard by shard: of one shard, what has come further contains what has not. So joining is
//! associative, commutative and idempotent, and nothing is counted twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::counts::{FindingKey, First, Seen, SubjectCounts};
use super::files::{Lock, StoreError, children, write_durably};
use super::finding::Finding;
use super::identity::{CampaignIdentity, SCHEMA};
use super::shard::{Position, Shard, ShardState};

/// The folder of the campaigns in a store.
const CAMPAIGNS: &str = "campaigns";
/// The file that says what a campaign is.
const ABOUT: &str = "campaign.json";

/// The campaigns of a store, by the names of their folders.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Campaigns {
    /// Each with its shards.
    pub campaigns: BTreeMap<String, Campaign>,
}

/// A campaign, as far as some shards have come.
#[derive(Clone, PartialEq, Debug)]
pub struct Campaign {
    /// What it is.
    pub about: CampaignIdentity,
    /// How far each shard has come.
    pub shards: BTreeMap<Shard, Progress>,
}

/// How far a shard has come, whatever is counted.
#[derive(Clone, PartialEq, Debug)]
pub struct Progress {
    position: Position,
    /// The content of its file.
    text: String,
    kinds: BTreeMap<String, Seen>,
    records: BTreeMap<String, Finding>,
}

/// A kind that a campaign found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Found<'s> {
    /// The campaign's folder.
    pub campaign: &'s str,
    /// Where it was seen, by all shards.
    pub seen: Seen,
    /// What is known of it.
    pub record: &'s Finding,
}

/// What shards of a campaign cannot be joined by.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("shards {0} and {1} of campaign {2} have scenarios in common: one campaign is cut into one number of shards")]
pub struct Overlap(pub Shard, pub Shard, pub String);

/// The part of a shard's file that does not depend on what is counted.
#[derive(Deserialize)]
struct Head {
    shard: Shard,
    position: Position,
    part: Kinds,
}

#[derive(Deserialize)]
struct Kinds {
    kinds: Vec<(Value, Seen)>,
}

impl Progress {
    /// The state of a shard, as its files have it.
    ///
    /// # Errors
    /// If the texts are no such files.
    fn parse(text: String, findings: &str) -> Result<(Shard, Progress), serde_json::Error> {
        let head: Head = serde_json::from_str(&text)?;
        let records: Vec<(Value, Finding)> = serde_json::from_str(findings)?;
        let kinds = head.part.kinds.into_iter().map(|(kind, seen)| (kind.to_string(), seen)).collect();
        let records = records.into_iter().map(|(kind, record)| (kind.to_string(), record)).collect();
        Ok((head.shard, Progress { position: head.position, text, kinds, records }))
    }

    /// The state of a shard.
    pub fn of<T: SubjectCounts, K: FindingKey>(state: &ShardState<T, K>) -> Result<Progress, serde_json::Error> {
        Ok(Progress::parse(file(state)?, &findings(&state.records)?)?.1)
    }

    fn is_current(&self, kind: &String, record: &Finding) -> bool {
        self.kinds.get(kind).is_some_and(|seen| seen.first == record.first)
    }

    fn join(&mut self, other: &Progress) {
        let greater = (other.position, &other.text) > (self.position, &self.text);
        let less = match greater {
            true => std::mem::replace(self, other.clone()),
            false => other.clone(),
        };
        let mut records = std::mem::take(&mut self.records);
        records.retain(|kind, record| self.is_current(kind, record));
        for (kind, record) in less.records.into_iter().filter(|(kind, record)| self.is_current(kind, record)) {
            match records.get_mut(&kind) {
                Some(mine) => mine.join(&record),
                None => _ = records.insert(kind, record),
            }
        }
        self.records = records;
    }
}

/// The text of a shard's file.
pub(crate) fn file<T: SubjectCounts, K: FindingKey>(state: &ShardState<T, K>) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(state)? + "\n")
}

/// The text of the file of a shard's findings: one per line.
pub(crate) fn findings<K: Serialize>(records: &BTreeMap<K, Finding>) -> Result<String, serde_json::Error> {
    let lines: Result<Vec<String>, _> = records.iter().map(|pair| serde_json::to_string(&pair)).collect();
    Ok(format!("[\n{}\n]\n", lines?.join(",\n")))
}

/// The names of a shard's files.
pub(crate) fn names(shard: Shard) -> (String, String) {
    let name = format!("shard-{}-of-{}", shard.index, shard.count);
    (format!("{name}.json"), format!("{name}.findings.json"))
}

/// The file whose lock those share who work in a store.
pub(crate) fn store_lock(root: &Path) -> PathBuf {
    root.join(CAMPAIGNS).join("store.lock")
}

/// The file whose lock one has who changes what several processes write: the folders of bugs.
pub(crate) fn folders_lock(root: &Path) -> PathBuf {
    root.join(CAMPAIGNS).join("folders.lock")
}

/// Reserves a shard of a campaign for this process.
pub(crate) fn reserve(folder: &Path, shard: Shard) -> Result<Lock, StoreError> {
    let path = folder.join(format!("shard-{}-of-{}.lock", shard.index, shard.count));
    let busy = "another process is running this campaign here: wait for its end, or give --out another folder";
    Lock::try_now(&path)?.ok_or_else(|| StoreError::strange(&path, busy.to_owned()))
}

/// The folder of a campaign.
pub(crate) fn folder(root: &Path, id: &str) -> PathBuf {
    root.join(CAMPAIGNS).join(id)
}

/// Makes the folder of a campaign.
pub(crate) fn create(root: &Path, about: &CampaignIdentity) -> Result<PathBuf, StoreError> {
    let folder = folder(root, &about.id());
    fs::create_dir_all(&folder).map_err(StoreError::at(&folder))?;
    let path = folder.join(ABOUT);
    if !path.is_file() {
        let text = serde_json::to_string_pretty(about).map_err(StoreError::json(&path))? + "\n";
        write_durably(&path, text.as_bytes())?;
    }
    Ok(folder)
}

/// Reads a shard; nothing if it has not begun.
pub(crate) fn read_shard<T: SubjectCounts, K: FindingKey>(
    folder: &Path,
    shard: Shard,
) -> Result<Option<ShardState<T, K>>, StoreError> {
    let (name, found) = names(shard);
    let (path, found) = (folder.join(name), folder.join(found));
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(StoreError::at(&path))?;
    let mut state: ShardState<T, K> = serde_json::from_str(&text).map_err(StoreError::json(&path))?;
    if found.is_file() {
        let text = fs::read_to_string(&found).map_err(StoreError::at(&found))?;
        let records: Vec<(K, Finding)> = serde_json::from_str(&text).map_err(StoreError::json(&found))?;
        state.records = records.into_iter().collect();
    }
    Ok(Some(state))
}

impl Campaigns {
    /// Reads the campaigns of a store; a folder without any has none.
    ///
    /// # Errors
    /// If a file cannot be read or means nothing.
    pub fn read(root: &Path) -> Result<Campaigns, StoreError> {
        let mut found = Campaigns::default();
        let all = root.join(CAMPAIGNS);
        for folder in children(&all)? {
            let path = folder.join(ABOUT);
            if !path.is_file() {
                continue;
            }
            let text = fs::read_to_string(&path).map_err(StoreError::at(&path))?;
            let about: CampaignIdentity = serde_json::from_str(&text).map_err(StoreError::json(&path))?;
            if about.schema != SCHEMA {
                return Err(StoreError::strange(&path, format!("schema {} is not {SCHEMA}", about.schema)));
            }
            let id = about.id();
            if folder.file_name().is_none_or(|name| *name != *id) {
                return Err(StoreError::strange(&path, format!("this is campaign {id}")));
            }
            let mut campaign = Campaign { about, shards: BTreeMap::new() };
            for path in children(&folder)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if !name.starts_with("shard-") || !name.ends_with(".json") || name.ends_with(".findings.json") {
                    continue;
                }
                let text = fs::read_to_string(&path).map_err(StoreError::at(&path))?;
                let found = path.with_file_name(name.replace(".json", ".findings.json"));
                let findings = match found.is_file() {
                    true => fs::read_to_string(&found).map_err(StoreError::at(&found))?,
                    false => "[]".to_owned(),
                };
                let (shard, progress) = Progress::parse(text, &findings).map_err(StoreError::json(&path))?;
                campaign.shards.insert(shard, progress);
            }
            found.campaigns.insert(id, campaign);
        }
        Ok(found)
    }

    /// Adds what another store has.
    pub fn join(&mut self, other: &Campaigns) {
        for (id, theirs) in &other.campaigns {
            let Some(mine) = self.campaigns.get_mut(id) else {
                self.campaigns.insert(id.clone(), theirs.clone());
                continue;
            };
            for (shard, progress) in &theirs.shards {
                match mine.shards.get_mut(shard) {
                    Some(mine) => mine.join(progress),
                    None => _ = mine.shards.insert(*shard, progress.clone()),
                }
            }
        }
    }

    /// That no scenario is in two shards.
    ///
    /// # Errors
    /// Two shards that have one in common.
    pub fn check(&self) -> Result<(), Overlap> {
        for (id, campaign) in &self.campaigns {
            let shards: Vec<Shard> = campaign.shards.keys().copied().collect();
            for (i, a) in shards.iter().enumerate() {
                if let Some(b) = shards[i + 1..].iter().find(|b| a.overlaps(**b)) {
                    return Err(Overlap(*a, *b, id.clone()));
                }
            }
        }
        Ok(())
    }

    /// Writes everything to a store.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), StoreError> {
        for campaign in self.campaigns.values() {
            let folder = create(root, &campaign.about)?;
            for (shard, progress) in &campaign.shards {
                let (name, found) = names(*shard);
                let path = folder.join(found);
                let records = progress.records.iter();
                let values: Result<Vec<(Value, &Finding)>, _> =
                    records.map(|(kind, record)| Ok((serde_json::from_str(kind)?, record))).collect();
                let lines = values.and_then(|pairs: Vec<(Value, &Finding)>| {
                    pairs.iter().map(serde_json::to_string).collect::<Result<Vec<String>, _>>()
                });
                let lines = lines.map_err(StoreError::json(&path))?;
                write_durably(&path, format!("[\n{}\n]\n", lines.join(",\n")).as_bytes())?;
                write_durably(&folder.join(name), progress.text.as_bytes())?;
            }
        }
        Ok(())
    }

    /// What the shards of each campaign together have found, in the order of campaigns.
    pub fn found(&self) -> Vec<Found<'_>> {
        let mut all = Vec::new();
        for (id, campaign) in &self.campaigns {
            let mut kinds: BTreeMap<&str, (Seen, Option<&Finding>)> = BTreeMap::new();
            for progress in campaign.shards.values() {
                for (kind, seen) in &progress.kinds {
                    let record = progress.records.get(kind).filter(|record| record.first == seen.first);
                    kinds
                        .entry(kind)
                        .and_modify(|(so_far, best)| {
                            so_far.count += seen.count;
                            if seen.first < so_far.first {
                                (so_far.first, *best) = (seen.first, record);
                            }
                        })
                        .or_insert((*seen, record));
                }
            }
            let known = kinds.into_values().filter_map(|(seen, record)| Some((seen, record?)));
            all.extend(known.map(|(seen, record)| Found { campaign: id, seen, record }));
        }
        all
    }
}

impl Campaign {
    /// The whole of what the shards have counted and found: as one shard.
    ///
    /// # Errors
    /// If a shard counted something else.
    pub fn total<T: SubjectCounts, K: FindingKey>(&self) -> Result<ShardState<T, K>, serde_json::Error> {
        let mut total: ShardState<T, K> = ShardState::new(Shard::WHOLE, self.about.subjects.len());
        let mut firsts: BTreeMap<K, First> = BTreeMap::new();
        for progress in self.shards.values() {
            let state: ShardState<T, K> = serde_json::from_str(&progress.text)?;
            total.part.absorb(&state.part);
            total.timing.elapsed = total.timing.elapsed.max(state.timing.elapsed);
            total.timing.running += state.timing.running;
            total.timing.reducing += state.timing.reducing;
            for (text, record) in progress.records.iter().filter(|(kind, record)| progress.is_current(kind, record)) {
                let kind: K = serde_json::from_str(text)?;
                if firsts.get(&kind).is_none_or(|first| record.first < *first) {
                    firsts.insert(kind, record.first);
                    total.records.insert(kind, record.clone());
                }
            }
        }
        let kinds = &total.part.kinds;
        total.records.retain(|kind, record| kinds.get(kind).is_some_and(|seen| seen.first == record.first));
        Ok(total)
    }

    /// The number of scenarios, if they are the first so many of the campaign.
    pub fn contiguous(&self) -> Option<u64> {
        let block = self.about.block;
        let count = self.shards.keys().next()?.count;
        if self.shards.len() as u64 != count {
            return None;
        }
        let positions = || self.shards.iter().map(|(shard, progress)| (shard.index, progress.position));
        let next = positions().map(|(index, p)| (p.blocks * count + index) * block + p.extra).min()?;
        let total: u64 = positions().map(|(_, p)| p.blocks * block + p.extra).sum();
        (total == next).then_some(next)
    }
}
