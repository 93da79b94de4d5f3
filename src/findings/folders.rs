//! The folders of a store, one for each distinct bug: what has the same reduced scenario and the same violation is one,
//! whoever showed it. What somebody should look at is in the store itself; what is known or fixed is in `known/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::campaigns::{Campaigns, Found, folders_lock};
use super::files::{Lock, StoreError, children, read_if_any, temporary_folder, write_again};
use super::finding::{BugSignature, Finding, State, now};

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
/// The file that says what somebody has marked it as.
const MARKED: &str = "marked.json";
/// The folder of those that are known or fixed.
const KNOWN: &str = "known";

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
    /// What somebody has marked it as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// What somebody says about a bug: it counts more than what the program has found out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When it was said, in seconds since 1970.
    pub at: u64,
    /// What it is. Of what is marked as fixed and shows in another campaign, it does not hold any more.
    pub state: State,
    /// Why.
    pub note: Option<String>,
    /// The campaigns that had seen it by then.
    pub campaigns: Vec<String>,
}

impl Mark {
    /// True if it still holds for a bug that was seen by these campaigns.
    fn holds(&self, seen: &[Seen]) -> bool {
        self.state != State::Fixed || seen.iter().all(|one| self.campaigns.contains(&one.campaign))
    }
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

/// Where those are that are known or fixed.
pub(crate) fn known(root: &Path) -> PathBuf {
    root.join(KNOWN)
}

/// Where bugs of a state are.
fn home(root: &Path, state: State) -> PathBuf {
    match state {
        State::Known | State::Fixed => known(root),
        State::New | State::Flaky | State::Waiting => root.to_owned(),
    }
}

/// The folder of a bug with this name, if it is there.
fn find(root: &Path, name: &str) -> Option<PathBuf> {
    [root.to_owned(), known(root)].into_iter().map(|home| home.join(name)).find(|folder| folder.is_dir())
}

/// The folder of a finding: where it is, or where it will be.
pub(crate) fn place(root: &Path, record: &Finding) -> PathBuf {
    find(root, &record.folder()).unwrap_or_else(|| home(root, record.state).join(record.folder()))
}

/// Takes a bug's folder to where bugs of its state are.
fn go_home(root: &Path, folder: &Path, state: State) -> Result<PathBuf, StoreError> {
    let home = home(root, state);
    let target = home.join(folder.file_name().unwrap_or_default());
    if folder != target {
        fs::create_dir_all(&home).map_err(StoreError::at(&home))?;
        fs::rename(folder, &target).map_err(StoreError::at(&target))?;
    }
    Ok(target)
}

/// Writes the folder of a bug that was just found; its counts come when the campaign ends.
pub(crate) fn announce(root: &Path, record: &Finding) -> Result<(), StoreError> {
    if find(root, &record.folder()).is_some() {
        return Ok(());
    }
    let bug = bug(&[(record, None)], &BTreeMap::new(), None, &Regressions::new());
    write(&home(root, bug.state).join(record.folder()), record, &bug, record.seen_at)
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
        let there = find(root, &name);
        let campaign = |found: &Option<Found<'_>>| found.map_or(String::new(), |f| f.campaign.to_owned());
        members.sort_by_cached_key(|(record, found)| (record.first.scenario, campaign(found), record.subject.clone()));
        let (replayed, mark) = match &there {
            Some(folder) => (replayed(folder)?, mark(folder)?),
            None => Default::default(),
        };
        let bug = bug(&members, &replayed, mark, regressions);
        *summary.0.entry(bug.state).or_default() += 1;
        let seen_at = members.iter().map(|(record, _)| record.seen_at).min().unwrap_or_default();
        let Some((record, _)) = members.first() else { continue };
        let folder = match there {
            Some(folder) => go_home(root, &folder, bug.state)?,
            None => home(root, bug.state).join(&name),
        };
        write(&folder, record, &bug, seen_at)?;
    }
    let waiting = found.iter().filter(|found| !found.record.is_examined()).count() as u64;
    if waiting > 0 {
        summary.0.insert(State::Waiting, waiting);
    }
    Ok(summary)
}

fn bug(
    members: &[(&Finding, Option<Found<'_>>)],
    replayed: &BTreeMap<String, bool>,
    mark: Option<Mark>,
    regressions: &Regressions,
) -> Bug {
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
    let (state, known) = match &mark {
        Some(mark) if mark.holds(&seen) => (mark.state, mark.note.clone().filter(|_| mark.state == State::Known)),
        _ => (state, known),
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
        mark,
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
    let temporary = temporary_folder(folder)?;
    for (name, text) in files {
        let path = temporary.path().join(name);
        fs::write(&path, text).map_err(StoreError::at(&path))?;
    }
    match fs::rename(temporary.path(), folder) {
        Ok(()) => {
            // There is nothing left to remove.
            let _ = temporary.keep();
            Ok(())
        }
        // Another process was faster.
        Err(_) if folder.is_dir() => Ok(()),
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
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let Some(mine) = find(root, &name) else { continue };
        let mut replays = replayed(&mine)?;
        for (subject, shows) in replayed(&folder)? {
            replays.entry(subject).and_modify(|mine| *mine |= shows).or_insert(shows);
        }
        set_replayed(&mine, &replays)?;
    }
    Ok(())
}

/// What somebody has marked a bug as.
fn mark(folder: &Path) -> Result<Option<Mark>, StoreError> {
    let path = folder.join(MARKED);
    read_if_any(&path)?.map(|text| serde_json::from_str(&text).map_err(StoreError::json(&path))).transpose()
}

fn write_mark(folder: &Path, mark: &Mark) -> Result<(), StoreError> {
    let path = folder.join(MARKED);
    let text = serde_json::to_string(mark).map_err(StoreError::json(&path))? + "\n";
    write_again(&path, text.as_bytes())
}

/// Adds to the folders of a store what was marked in another: what was said last holds.
pub(crate) fn join_marks(root: &Path, other: &Path) -> Result<(), StoreError> {
    for (folder, _) in all(other)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let (Some(theirs), Some(mine)) = (mark(&folder)?, find(root, &name)) else { continue };
        if mark(&mine)?.is_none_or(|mark| mark < theirs) {
            write_mark(&mine, &theirs)?;
        }
    }
    Ok(())
}

/// Marks a bug of a store, by its folder; gives the folder where it is then.
///
/// # Errors
/// If a file cannot be read or written.
pub fn set_mark(root: &Path, folder: &Path, state: State, note: Option<String>) -> Result<PathBuf, StoreError> {
    let _alone = Lock::wait(&folders_lock(root))?;
    let path = folder.join(FINDING);
    let text = fs::read_to_string(&path).map_err(StoreError::at(&path))?;
    let mut bug: Bug = serde_json::from_str(&text).map_err(StoreError::json(&path))?;
    let campaigns: BTreeSet<String> = bug.seen.iter().map(|seen| seen.campaign.clone()).collect();
    let mark = Mark { at: now(), state, note, campaigns: campaigns.into_iter().collect() };
    write_mark(folder, &mark)?;
    bug.known = mark.note.clone().filter(|_| state == State::Known);
    (bug.state, bug.mark) = (state, Some(mark));
    let text = serde_json::to_string_pretty(&bug).map_err(StoreError::json(&path))? + "\n";
    write_again(&path, text.as_bytes())?;
    go_home(root, folder, state)
}

/// The bugs of a store, in the order of their folders, those that are known or fixed last.
///
/// # Errors
/// If one cannot be read.
pub fn all(root: &Path) -> Result<Vec<(PathBuf, Bug)>, StoreError> {
    let mut bugs = Vec::new();
    for folder in children(root)?.into_iter().chain(children(&known(root))?) {
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
        // Another process may have taken it elsewhere meanwhile.
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if let Some(folder) = find(root, &name) {
            set_replayed(&folder, &replays)?;
        }
    }
    Ok(())
}
