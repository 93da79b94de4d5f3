//! Starting material for fuzzing: folders of inputs, what each input reaches, and which of them are worth keeping.
//!
//! What an input reaches is measured in *features*: a state of [`crate::fuzzing::StateCounters`] together with how often it
//! was met (once, twice, up to four times, more), on any row of the model. A feature is a number.

use std::fs;
use std::path::{Path, PathBuf};

use crate::findings::write_atomically;
use crate::fuzzing::{COUNTERS, Scenarios, Setting, canonical};
use crate::generate::{Generator, PROFILES, Seed, Size};
use crate::scenario::Scenario;
use crate::scenario::binary::{BinaryError, MAGIC, decode, encode_to_vec};
use crate::scenario::text;
use crate::shrink::{Budget, minimize};

/// How many numbers of times are told apart.
const TIMES: usize = 4;
/// Candidates that the reduction of one generated input may try.
const TRIES: u64 = 150;
/// Largest file that is read.
const MAX_SIZE: u64 = 1 << 20;
/// How deep folders in folders are read.
const MAX_DEPTH: u32 = 8;

/// A folder of inputs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The file system says no.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// A file is no scenario.
    #[error("{}: {message}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A folder has no file.
    #[error("{}: the folder has no file", path.display())]
    Empty {
        /// Which folder.
        path: PathBuf,
    },
}

impl CorpusError {
    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> CorpusError {
        let path = path.to_owned();
        move |reason| CorpusError::File { path, reason }
    }

    fn unreadable(path: &Path, message: impl ToString) -> CorpusError {
        CorpusError::Unreadable { path: path.to_owned(), message: message.to_string() }
    }
}

/// How the bytes of files are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// A file must be a valid scenario, binary or text.
    Strict,
    /// Bytes that are no valid scenario mean one, as they do for the fuzz targets.
    Raw,
}

/// One input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// Where it was read.
    pub path: PathBuf,
    /// The scenario in binary form.
    pub bytes: Vec<u8>,
}

/// The name of an input's file: a digest of its content.
pub fn file_name(bytes: &[u8]) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(bytes))
}

/// Reads every file of a folder, sorted by name.
///
/// # Errors
/// If the folder has none, or any file cannot be read: nothing is skipped.
pub fn load(folder: &Path, reading: Reading) -> Result<Vec<Input>, CorpusError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(CorpusError::file(folder))? {
        paths.push(entry.map_err(CorpusError::file(folder))?.path());
    }
    paths.sort_unstable();
    if paths.is_empty() {
        return Err(CorpusError::Empty { path: folder.to_owned() });
    }
    paths.into_iter().map(|path| load_file(path, reading)).collect()
}

/// Reads one file.
///
/// # Errors
/// If it cannot be read.
pub fn load_file(path: PathBuf, reading: Reading) -> Result<Input, CorpusError> {
    let size = fs::metadata(&path).map_err(CorpusError::file(&path))?.len();
    if size > MAX_SIZE {
        return Err(CorpusError::unreadable(&path, format!("{size} bytes are more than an input may have")));
    }
    let bytes = fs::read(&path).map_err(CorpusError::file(&path))?;
    let scenario = match decode(&bytes) {
        Ok(_) => return Ok(Input { path, bytes }),
        Err(BinaryError::NoScenario) if !bytes.starts_with(&MAGIC[..1]) => text::parse_bytes(&bytes)
            .map(|document| encode_to_vec(&document.scenario))
            .map_err(|errors| errors.first().map_or_else(String::new, |e| format!("line {}: {}", e.line, e.message))),
        Err(error) => Err(error.to_string()),
    };
    match (scenario, reading) {
        (Ok(bytes), _) => Ok(Input { path, bytes }),
        (Err(_), Reading::Raw) => Ok(Input { path, bytes: canonical(&bytes) }),
        (Err(message), Reading::Strict) => Err(CorpusError::unreadable(&path, message)),
    }
}

/// Writes an input to a folder under the name of its content; `None` if it is there already.
///
/// # Errors
/// As the file system says.
pub fn store(bytes: &[u8], folder: &Path) -> Result<Option<PathBuf>, CorpusError> {
    fs::create_dir_all(folder).map_err(CorpusError::file(folder))?;
    let path = folder.join(file_name(bytes));
    if path.exists() {
        return Ok(None);
    }
    write_atomically(&path, bytes).map_err(CorpusError::file(&path))?;
    Ok(Some(path))
}

/// Adds the inputs of a folder, and of the folders in it, to another under the names of their contents, and returns how
/// many are new. Adding is associative, commutative and idempotent; nothing is read and nothing is left out.
///
/// # Errors
/// As the file system says; a folder that does not exist has no inputs.
pub fn join(from: &Path, into: &Path) -> Result<u64, CorpusError> {
    join_to_depth(from, into, MAX_DEPTH)
}

fn join_to_depth(from: &Path, into: &Path, depth: u32) -> Result<u64, CorpusError> {
    let mut new = 0;
    if !from.is_dir() {
        return Ok(new);
    }
    for entry in fs::read_dir(from).map_err(CorpusError::file(from))? {
        let path = entry.map_err(CorpusError::file(from))?.path();
        if path.is_dir() {
            if depth > 0 {
                new += join_to_depth(&path, &into.join(path.file_name().unwrap_or_default()), depth - 1)?;
            }
            continue;
        }
        let bytes = fs::read(&path).map_err(CorpusError::file(&path))?;
        new += u64::from(store(&bytes, into)?.is_some());
    }
    Ok(new)
}

/// Measures what inputs reach.
#[derive(Debug)]
pub struct Survey {
    scenarios: Scenarios,
    most: Box<[u8; COUNTERS]>,
    clean: bool,
}

impl Survey {
    /// A survey over every row of the model; `None` if the program's own tables are wrong, which its tests exclude.
    pub fn new() -> Option<Survey> {
        let scenarios = Scenarios::new(&Setting::default()).ok()?;
        Some(Survey { scenarios, most: Box::new([0; COUNTERS]), clean: true })
    }

    /// The features of an input, in ascending order.
    pub fn features(&mut self, bytes: &[u8]) -> Vec<u32> {
        self.most.fill(0);
        self.clean = self.scenarios.run(bytes).crash.is_none();
        let most = &mut self.most;
        self.scenarios.run_on_all(bytes, |_, counters, _| {
            most.iter_mut().zip(counters).for_each(|(most, count)| *most = (*most).max(*count));
        });
        let mut features = Vec::new();
        for (state, count) in self.most.iter().enumerate().filter(|(_, count)| **count > 0) {
            let times = match count {
                1 => 0,
                2 => 1,
                3..=4 => 2,
                _ => 3,
            };
            // Who meets a state often has met it less often before.
            features.extend((0..=times).map(|t| (state * TIMES + t) as u32));
        }
        features
    }

    /// False if the input measured last fails on the collector that it draws: as a start it would end every run of a
    /// fuzzer at once.
    pub fn is_clean(&self) -> bool {
        self.clean
    }
}

/// The state that a feature is about.
pub fn state(feature: u32) -> usize {
    feature as usize / TIMES
}

/// A set of features.
#[derive(Clone, Debug)]
pub struct Reach(Vec<bool>);

impl Default for Reach {
    fn default() -> Reach {
        Reach(vec![false; COUNTERS * TIMES])
    }
}

impl Reach {
    /// Adds features; those that are new are returned.
    pub fn add(&mut self, features: &[u32]) -> Vec<u32> {
        let new: Vec<u32> = features.iter().copied().filter(|f| !self.0[*f as usize]).collect();
        new.iter().for_each(|f| self.0[*f as usize] = true);
        new
    }

    /// True if a feature is about this state.
    pub fn has_state(&self, state: usize) -> bool {
        self.0.chunks(TIMES).nth(state).is_some_and(|times| times.contains(&true))
    }

    /// How many features there are.
    pub fn features(&self) -> usize {
        self.0.iter().filter(|reached| **reached).count()
    }

    /// How many states they are about.
    pub fn states(&self) -> usize {
        self.0.chunks(TIMES).filter(|times| times.contains(&true)).count()
    }
}

/// Which inputs to keep so that every feature stays reached: small ones first, then whoever adds most.
///
/// `inputs` are sizes and features; the result is indices in ascending order.
pub fn cover(inputs: &[(usize, Vec<u32>)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by_key(|i| (inputs[*i].0, *i));
    let mut reach = Reach::default();
    let mut kept: Vec<usize> = order.into_iter().filter(|i| !reach.add(&inputs[*i].1).is_empty()).collect();
    // Whoever came early may have become superfluous.
    let mut times = vec![0u32; COUNTERS * TIMES];
    kept.iter().flat_map(|i| &inputs[*i].1).for_each(|f| times[*f as usize] += 1);
    kept.retain(|i| {
        let needed = inputs[*i].1.iter().any(|f| times[*f as usize] == 1);
        if !needed {
            inputs[*i].1.iter().for_each(|f| times[*f as usize] -= 1);
        }
        needed
    });
    kept.sort_unstable();
    kept
}

/// Generates scenarios of all profiles and reduces each that reaches something new, and does not fail, to what shows
/// that; `each` gets the bytes of every result and how many scenarios have been looked at.
pub fn grow(seed: Seed, scenarios: u64, reach: &mut Reach, mut each: impl FnMut(Option<&[u8]>, u64)) {
    let Some(mut survey) = Survey::new() else { return };
    let profiles = PROFILES.iter().filter(|p| !p.is_huge());
    let mut generators: Vec<Generator> =
        profiles.flat_map(|p| [Size::Tiny, Size::Small].map(|size| Generator::new(seed, p, size))).collect();
    let mut scenario = Scenario::new();
    for n in 0..scenarios {
        let count = generators.len() as u64;
        generators[(n % count) as usize].fill(n / count, &mut scenario);
        let features = survey.features(&encode_to_vec(&scenario));
        let new = if survey.is_clean() { reach.add(&features) } else { Vec::new() };
        if new.is_empty() {
            each(None, n + 1);
            continue;
        }
        let mut shows = |candidate: &Scenario| {
            let features = survey.features(&encode_to_vec(candidate));
            survey.is_clean() && new.iter().all(|f| features.binary_search(f).is_ok())
        };
        let small = minimize(&scenario, &mut shows, Budget { tries: TRIES }, &mut |_| {}).scenario;
        let bytes = encode_to_vec(&small);
        reach.add(&survey.features(&bytes));
        each(Some(&bytes), n + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reaches_everything_and_nothing_is_superfluous() {
        let inputs = [(9, vec![1, 2, 3]), (2, vec![1]), (3, vec![2]), (4, vec![2, 5]), (1, vec![])];
        let kept = cover(&inputs);
        assert_eq!(kept, [0, 3]);
    }

    #[test]
    fn features_are_sorted_and_growing_finds_more() {
        let mut reach = Reach::default();
        let (mut found, mut largest) = (Vec::new(), 0);
        grow(Seed::from(1), 60, &mut reach, |bytes, _| {
            found.extend(bytes.map(<[u8]>::to_vec));
            largest = largest.max(bytes.map_or(0, <[u8]>::len));
        });
        assert!(found.len() >= 3, "{}", found.len());
        assert!(reach.states() > 40 && reach.features() > reach.states(), "{}", reach.states());
        let features = Survey::new().unwrap().features(&found[0]);
        assert!(features.is_sorted() && !features.is_empty());
    }

    #[test]
    fn a_folder_with_a_file_that_cannot_be_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(load(folder.path(), Reading::Strict), Err(CorpusError::Empty { .. })));
        let good = canonical(&[2, 3, 5, 7, 11]);
        assert!(store(&good, folder.path()).unwrap().is_some());
        assert_eq!(store(&good, folder.path()).unwrap(), None);
        fs::write(folder.path().join("text.scn"), "coroner 1\n\na = Node()\n").unwrap();
        assert_eq!(load(folder.path(), Reading::Strict).unwrap().len(), 2);
        fs::write(folder.path().join("bad"), [0xc0, b'r', b'n', b'r', 9]).unwrap();
        let error = load(folder.path(), Reading::Strict).unwrap_err().to_string();
        assert!(error.contains("bad: version 9"), "{error}");
        assert_eq!(load(folder.path(), Reading::Raw).unwrap().len(), 3);
    }
}
