//! The folders of a store, one for each distinct bug: what has the same reduced scenario and the same violation is one,
//! whoever showed it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::campaigns::{Campaigns, Found};
use super::files::{StoreError, children, read_if_any, temporary, write_again};
use super::finding::{BugSignature, Finding, State};

const SCENARIO: &str = "scenario.scn";
/// The file with the reduced scenario.
pub const REDUCED: &str = "reduced.scn";
const EVENTS: &str = "events.txt";
const EXPLANATION: &str = "explanation.txt";
const REPEAT: &str = "repeat.txt";
const FIRST_SEEN: &str = "first-seen.txt";
/// The file for programs.
const FINDING: &str = "finding.json";
/// The file that says who does not show it any more.
const REPLAYED: &str = "replayed.json";

/// What `finding.json` says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bug {
    /// Version of the file.
    pub schema: u32,
    /// What it is.
    pub state: State,
    /// By what it is known, if it is.
    pub known: Option<String>,
    /// What is violated.
    pub what: BugSignature,
    /// What happened, in one sentence.
    pub sentence: String,
    /// Objects of the reduced scenario.
    pub objects: u32,
    /// Operations of the reduced scenario.
    pub operations: usize,
    /// How far it is reduced.
    pub claim: String,
    /// How many scenarios showed its kind, on all subjects and in all campaigns together.
    pub count: u64,
    /// Where it was seen.
    pub seen: Vec<Seen>,
    /// Subjects that showed it once and do not any more.
    pub gone: Vec<String>,
}

/// Where a bug was seen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// The campaign.
    pub campaign: String,
    /// Who showed it.
    pub subject: String,
    /// The first scenario that did.
    pub scenario: u64,
    /// How many scenarios showed its kind on this subject.
    pub count: u64,
    /// The command that makes it again.
    pub repeat: String,
}

/// The names of scenarios that are known, by the digest of their normal form.
pub type Regressions = BTreeMap<u64, String>;

/// How many bugs of each state a store has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary(pub BTreeMap<State, u64>);

impl Summary {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

/// Writes the folder of a bug that was just found; its counts come when the campaign ends.
pub(crate) fn announce(root: &Path, record: &Finding) -> Result<(), StoreError> {
    let folder = root.join(record.folder());
    if folder.is_dir() {
        return Ok(());
    }
    let bug = bug(&[(record, None)], &BTreeMap::new(), &Regressions::new());
    write(&folder, record, &bug, record.seen_at)
}

/// Writes the folders of all bugs of a store, from what its campaigns have found.
pub(crate) fn renew(root: &Path, campaigns: &Campaigns, regressions: &Regressions) -> Result<Summary, StoreError> {
    let found = campaigns.found();
    let mut folders: BTreeMap<String, Vec<(&Finding, Option<Found<'_>>)>> = BTreeMap::new();
    for one in found.iter().filter(|found| found.record.is_examined()) {
        folders.entry(one.record.folder()).or_default().push((one.record, Some(*one)));
    }
    let mut summary = Summary::default();
    for (name, mut members) in folders {
        let folder = root.join(&name);
        let campaign = |found: &Option<Found<'_>>| found.map_or(String::new(), |f| f.campaign.to_owned());
        members.sort_by_cached_key(|(record, found)| (record.first.scenario, campaign(found), record.subject.clone()));
        let replayed = replayed(&folder)?;
        let bug = bug(&members, &replayed, regressions);
        *summary.0.entry(bug.state).or_default() += 1;
        let seen_at = members.iter().map(|(record, _)| record.seen_at).min().unwrap_or_default();
        let Some((record, _)) = members.first() else { continue };
        write(&folder, record, &bug, seen_at)?;
    }
    let waiting = found.iter().filter(|found| !found.record.is_examined()).count() as u64;
    if waiting > 0 {
        summary.0.insert(State::Waiting, waiting);
    }
    Ok(summary)
}

fn bug(members: &[(&Finding, Option<Found<'_>>)], replayed: &BTreeMap<String, bool>, regressions: &Regressions) -> Bug {
    let record = members[0].0;
    let seen = members.iter().map(|(record, found)| Seen {
        campaign: found.map_or(String::new(), |f| f.campaign.to_owned()),
        subject: record.subject.clone(),
        scenario: record.first.scenario,
        count: found.map_or(1, |f| f.seen.count),
        repeat: record.repeat.clone(),
    });
    let seen: Vec<Seen> = seen.collect();
    let subjects: BTreeSet<&str> = seen.iter().map(|s| s.subject.as_str()).collect();
    let gone = |subject: &&&str| replayed.get(**subject) == Some(&false);
    let gone: Vec<String> = subjects.iter().filter(gone).map(|s| (*s).to_owned()).collect();
    let is = |state| members.iter().any(|(record, _)| record.state == state);
    let regression = regressions.get(&record.digest).filter(|_| !is(State::Flaky));
    let (state, known) = if gone.len() == subjects.len() {
        (State::Fixed, None)
    } else if let Some(regression) = regression {
        (State::Known, Some(regression.clone()))
    } else if is(State::New) {
        (State::New, None)
    } else if is(State::Known) {
        (State::Known, members.iter().find_map(|(record, _)| record.known.clone()))
    } else {
        (State::Flaky, None)
    };
    Bug {
        schema: super::identity::SCHEMA,
        state,
        known,
        what: record.what.clone(),
        sentence: record.sentence.clone(),
        objects: record.objects,
        operations: record.operations,
        claim: record.claim.clone(),
        count: seen.iter().map(|s| s.count).sum(),
        seen,
        gone,
    }
}

/// Writes a folder in one piece if it is new; else the files that have changed, each in one piece.
fn write(folder: &Path, record: &Finding, bug: &Bug, seen_at: u64) -> Result<(), StoreError> {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seen_at);
    let first_seen = format!("{}\n", humantime::format_rfc3339_seconds(time));
    let bug = serde_json::to_string_pretty(bug).map_err(StoreError::json(folder))? + "\n";
    let repeat = format!("{}\n", record.repeat);
    let files = [
        (SCENARIO, &record.scenario),
        (REDUCED, &record.reduced),
        (EVENTS, &record.events),
        (EXPLANATION, &record.explanation),
        (REPEAT, &repeat),
        (FIRST_SEEN, &first_seen),
        (FINDING, &bug),
    ];
    let files = files.into_iter().filter(|(_, text)| !text.is_empty());
    if folder.is_dir() {
        for (name, text) in files {
            let path = folder.join(name);
            if read_if_any(&path)?.as_ref() != Some(text) {
                write_again(&path, text.as_bytes())?;
            }
        }
        return Ok(());
    }
    let temporary = temporary(folder);
    fs::create_dir_all(&temporary).map_err(StoreError::at(&temporary))?;
    for (name, text) in files {
        let path = temporary.join(name);
        fs::write(&path, text).map_err(StoreError::at(&path))?;
    }
    match fs::rename(&temporary, folder) {
        Ok(()) => Ok(()),
        // Another process was faster.
        Err(_) if folder.is_dir() => fs::remove_dir_all(&temporary).map_err(StoreError::at(&temporary)),
        Err(error) => Err(StoreError::at(folder)(error)),
    }
}

/// Who showed a bug when it was replayed last; only kept of bugs that somebody does not show any more.
fn replayed(folder: &Path) -> Result<BTreeMap<String, bool>, StoreError> {
    let path = folder.join(REPLAYED);
    match read_if_any(&path)? {
        Some(text) => serde_json::from_str(&text).map_err(StoreError::json(&path)),
        None => Ok(BTreeMap::new()),
    }
}

fn set_replayed(folder: &Path, replayed: &BTreeMap<String, bool>) -> Result<(), StoreError> {
    let path = folder.join(REPLAYED);
    if replayed.values().all(|shows| *shows) && !path.is_file() {
        return Ok(());
    }
    let text = serde_json::to_string(replayed).map_err(StoreError::json(&path))? + "\n";
    write_again(&path, text.as_bytes())
}

/// Adds to the folders of a store what replaying showed in another: who shows a bug anywhere shows it.
pub(crate) fn join_replayed(root: &Path, other: &Path) -> Result<(), StoreError> {
    for (folder, _) in all(other)? {
        let Some(name) = folder.file_name() else { continue };
        let mine = root.join(name);
        let mut replays = replayed(&mine)?;
        for (subject, shows) in replayed(&folder)? {
            replays.entry(subject).and_modify(|mine| *mine |= shows).or_insert(shows);
        }
        if mine.is_dir() {
            set_replayed(&mine, &replays)?;
        }
    }
    Ok(())
}

/// The bugs of a store, in the order of their folders.
///
/// # Errors
/// If one cannot be read.
pub fn all(root: &Path) -> Result<Vec<(PathBuf, Bug)>, StoreError> {
    let mut bugs = Vec::new();
    for folder in children(root)? {
        let path = folder.join(FINDING);
        if let Some(text) = if folder.is_dir() { read_if_any(&path)? } else { None } {
            bugs.push((folder, serde_json::from_str(&text).map_err(StoreError::json(&path))?));
        }
    }
    Ok(bugs)
}

/// Replays the bugs of a store: `shows` says whether a subject shows one, or nothing if it cannot be asked.
///
/// # Errors
/// If a file cannot be read or written.
pub fn replay(root: &Path, shows: &mut dyn FnMut(&Path, &Bug, &str) -> Option<bool>) -> Result<(), StoreError> {
    for (folder, bug) in all(root)? {
        if bug.state == State::Flaky {
            continue;
        }
        let mut replays = replayed(&folder)?;
        let subjects: BTreeSet<&str> = bug.seen.iter().map(|s| s.subject.as_str()).collect();
        for subject in subjects {
            if let Some(shows) = shows(&folder.join(REDUCED), &bug, subject) {
                replays.insert(subject.to_owned(), shows);
            }
        }
        set_replayed(&folder, &replays)?;
    }
    Ok(())
}
