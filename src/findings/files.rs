//! Files that are replaced as a whole: nobody ever sees half of one, and what is kept is safe on the disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

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
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
        let path = path.to_owned();
        move |error| StoreError { path: path.clone(), why: error.to_string() }
    }

    pub(crate) fn json(path: &Path) -> impl Fn(serde_json::Error) -> StoreError {
        let path = path.to_owned();
        move |error| StoreError { path: path.clone(), why: error.to_string() }
    }

    pub(crate) fn strange(path: &Path, why: String) -> StoreError {
        StoreError { path: path.to_owned(), why }
    }
}

/// What temporary files and folders of a store begin with.
const TEMPORARY: &str = ".coroner-";

/// The temporary folder for a folder, beside it; removed when it is dropped, unless it is renamed.
pub(crate) fn temporary_folder(path: &Path) -> Result<tempfile::TempDir, StoreError> {
    let parent = parent(path);
    fs::create_dir_all(parent).map_err(StoreError::at(parent))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(parent).map_err(StoreError::at(parent))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Replaces a file by way of a temporary one in the same folder, so that nobody ever sees half of it.
///
/// # Errors
/// As the file system says.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, ".writing-", true)
}

/// As [`write_atomically`], in a store; when it returns, the file has its name on the disk as well.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path, bytes, TEMPORARY, true).map_err(StoreError::at(path))?;
    // Not every file system can do this to a folder, and it has no other way.
    let _ = fs::File::open(parent(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// As [`write_durably`], for what can be made again.
pub(crate) fn write_again(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path, bytes, TEMPORARY, false).map_err(StoreError::at(path))
}

fn replace(path: &Path, bytes: &[u8], prefix: &str, sync: bool) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    // As any file: what the user's mask leaves.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(parent(path))?;
    file.write_all(bytes)?;
    if sync {
        file.as_file().sync_all()?;
    }
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Removes what processes that were killed have left half written in a folder. Only for who is alone in a store.
fn remove_left_over(folder: &Path) -> Result<(), StoreError> {
    for path in children(folder)? {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMPORARY)) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(StoreError::at(&path))?;
        }
    }
    Ok(())
}

/// A lock of the operating system on a file: it ends with the process, however that ends. On file systems without locks
/// it holds nobody back.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Holds the lock until it is closed.
    _file: fs::File,
}

impl Lock {
    fn open(path: &Path) -> Result<fs::File, StoreError> {
        let parent = parent(path);
        fs::create_dir_all(parent).map_err(StoreError::at(parent))?;
        let options = fs::OpenOptions::new().create(true).write(true).truncate(false).to_owned();
        options.open(path).map_err(StoreError::at(path))
    }

    /// Waits until nobody else has it.
    pub fn wait(path: &Path) -> Result<Lock, StoreError> {
        let file = Lock::open(path)?;
        supported(file.lock()).map_err(StoreError::at(path))?;
        Ok(Lock { _file: file })
    }

    /// The lock, or nothing if somebody else has it.
    pub fn try_now(path: &Path) -> Result<Option<Lock>, StoreError> {
        let file = Lock::open(path)?;
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => {
                supported(Err(error)).map_err(StoreError::at(path))?;
                Ok(Some(Lock { _file: file }))
            }
            Ok(()) => Ok(Some(Lock { _file: file })),
        }
    }

    /// Shares a store with others who do. Whoever is alone in it first removes from these folders what processes that were
    /// killed have left half written: nobody can still need it.
    pub fn share(path: &Path, folders: &[&Path]) -> Result<Lock, StoreError> {
        if let Some(alone) = Lock::try_now(path)? {
            for folder in folders {
                remove_left_over(folder)?;
            }
            drop(alone);
        }
        let file = Lock::open(path)?;
        supported(file.lock_shared()).map_err(StoreError::at(path))?;
        Ok(Lock { _file: file })
    }
}

/// That a file system has no locks is no error.
fn supported(locked: io::Result<()>) -> io::Result<()> {
    match locked {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        other => other,
    }
}

/// The text of a file, or nothing if there is none.
pub(crate) fn read_if_any(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::at(path)(error)),
    }
}

/// What is in a folder, sorted; nothing if there is no such folder.
pub(crate) fn children(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(StoreError::at(folder))? {
        paths.push(entry.map_err(StoreError::at(folder))?.path());
    }
    paths.sort_unstable();
    Ok(paths)
}
