//! Where built probes are kept, and how many: those that were not used for longest go when there are too many.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How many probes are kept: more builds of CPython than somebody works with, and each is built again within seconds.
pub const MOST_PROBES: usize = 64;

/// What the folder of a probe begins with.
const PROBE: &str = "probe-";
/// The file of a probe that says what it was built for.
const ABOUT: &str = "interpreter.txt";
/// After so long a folder in which something was built was left behind by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);

/// The cache folder: `CORONER_CACHE`, else `coroner` in the user's cache folder.
pub fn cache_dir() -> PathBuf {
    let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    var("CORONER_CACHE")
        .or_else(|| var("XDG_CACHE_HOME").map(|dir| dir.join("coroner")))
        .or_else(|| var("HOME").map(|dir| dir.join(".cache/coroner")))
        .unwrap_or_else(|| std::env::temp_dir().join("coroner"))
}

/// The folder of a probe with this digest.
pub(super) fn folder(digest: u128) -> PathBuf {
    cache_dir().join(format!("{PROBE}{digest:032x}"))
}

/// A probe in the cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CachedProbe {
    /// Its folder.
    pub folder: PathBuf,
    /// What it was built for, if that is known.
    pub about: Option<String>,
    /// Bytes of its files.
    pub bytes: u64,
    /// When it was used last, if the file system says so.
    pub used: Option<SystemTime>,
}

/// The probes in a folder, those that were used last first.
pub fn cached(cache: &Path) -> Vec<CachedProbe> {
    let entries = fs::read_dir(cache).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_probe = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_dir() && name.strip_prefix(PROBE).is_some_and(|digest| digest.chars().all(|c| c.is_ascii_hexdigit()))
    };
    let probe = |folder: PathBuf| CachedProbe {
        about: fs::read_to_string(folder.join(ABOUT)).ok().map(|text| text.trim().to_owned()),
        bytes: bytes(&folder),
        used: library(&folder).metadata().and_then(|m| m.modified()).ok(),
        folder,
    };
    let mut found: Vec<CachedProbe> = entries.filter(is_probe).map(probe).collect();
    found.sort_by(|a, b| (b.used, &a.folder).cmp(&(a.used, &b.folder)));
    found
}

/// The library of a folder, or the folder, if it has none.
fn library(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.find(|path| path.extension().is_some_and(|e| e == "so")).unwrap_or_else(|| folder.to_path_buf())
}

fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// Removes every probe of a folder; gives how many there were and their bytes. Processes that use one keep theirs, and
/// build it again when they start another worker.
///
/// # Errors
/// If one cannot be removed.
pub fn clear(cache: &Path) -> std::io::Result<(usize, u64)> {
    let probes = cached(cache);
    for probe in &probes {
        fs::remove_dir_all(&probe.folder)?;
    }
    Ok((probes.len(), probes.iter().map(|probe| probe.bytes).sum()))
}

/// Notes that a probe is used now.
pub(super) fn touch(library: &Path) {
    // A cache that cannot be written is still one.
    let _ = fs::OpenOptions::new().append(true).open(library).and_then(|file| file.set_modified(SystemTime::now()));
}

/// Notes what a probe was built for, and removes what is too much: of probes those that were not used for longest, and
/// what processes that were killed have left behind.
pub(super) fn note(folder: &Path, about: &str) {
    let _ = fs::write(folder.join(ABOUT), format!("{about}\n"));
    let Some(cache) = folder.parent() else { return };
    // Whatever cannot be removed stays: the probe that was asked for is there.
    for probe in cached(cache).into_iter().skip(MOST_PROBES).filter(|probe| probe.folder != folder) {
        let _ = fs::remove_dir_all(&probe.folder);
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if entry.path().is_dir() && age.is_some_and(|age| age > LEFT_BEHIND) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = "coroner_probe.so";

    #[test]
    fn the_probes_that_were_not_used_for_longest_go() {
        let cache = tempfile::tempdir().unwrap();
        let make = |n: usize| {
            let folder = cache.path().join(format!("{PROBE}{n:032x}"));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(LIBRARY), "12345").unwrap();
            let at = SystemTime::now() - Duration::from_secs(1000 - n as u64);
            let file = fs::OpenOptions::new().append(true).open(folder.join(LIBRARY)).unwrap();
            file.set_modified(at).unwrap();
            folder
        };
        fs::create_dir(cache.path().join("probe-notes")).unwrap();
        let folders: Vec<PathBuf> = (0..MOST_PROBES + 3).map(make).collect();
        // The oldest of all is used once more.
        touch(&folders[0].join(LIBRARY));
        note(&folders[MOST_PROBES + 2], "python-3.13.0 /usr/bin/python3.13");
        assert_eq!(cached(cache.path()).len(), MOST_PROBES);
        let there: Vec<bool> = folders[..5].iter().map(|folder| folder.is_dir()).collect();
        assert_eq!(there, [true, false, false, false, true]);
        assert!(cached(cache.path())[1].about.as_deref() == Some("python-3.13.0 /usr/bin/python3.13"));
        let (probes, bytes) = clear(cache.path()).unwrap();
        assert_eq!((probes, cached(cache.path()).len()), (MOST_PROBES, 0));
        assert!(bytes > 5 * MOST_PROBES as u64);
        assert!(cache.path().join("probe-notes").is_dir(), "nobody knows what that is");
    }
}
