//! Which interpreters there are. Each is identified by asking it, never by its name.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::identity::{ANSWER, FindError, Interpreter, tell_apart};
use crate::supervise::Bounds;

/// Programs worth asking: `CORONER_PYTHONS` (separated like `PATH`), pyenv's versions, `PATH`.
fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut add = |path: PathBuf| {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if path.is_file() && !found.iter().any(|(_, seen)| *seen == real) {
            found.push((path, real));
        }
    };
    if let Some(list) = std::env::var_os("CORONER_PYTHONS") {
        std::env::split_paths(&list).for_each(&mut add);
    }
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    if let Some(versions) = pyenv.and_then(|root| std::fs::read_dir(root.join("versions")).ok()) {
        let mut versions: Vec<PathBuf> = versions.flatten().map(|entry| entry.path()).collect();
        versions.sort_unstable();
        versions.into_iter().for_each(|version| add(version.join("bin/python")));
    }
    if let Some(path) = std::env::var_os("PATH") {
        for folder in std::env::split_paths(&path).filter(|folder| !folder.ends_with("shims")) {
            let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.file_name().is_some_and(|name| is_python(&name.to_string_lossy())))
                .collect();
            names.sort_unstable();
            names.into_iter().for_each(&mut add);
        }
    }
    found.into_iter().map(|(path, _)| path).collect()
}

/// `python`, `python3`, `python3.12`, `python3.15d`, `python3.13t`; not `python3-config`.
fn is_python(name: &str) -> bool {
    let is_version = |rest: &str| rest.trim_end_matches(['t', 'd']).chars().all(|c| c.is_ascii_digit() || c == '.');
    name.strip_prefix("python").is_some_and(is_version)
}

/// Every interpreter that `CORONER_PYTHONS`, pyenv and `PATH` have, oldest first, and why others are not usable. They
/// are asked once in the life of this process.
pub fn installed() -> Vec<Result<Interpreter, FindError>> {
    static INSTALLED: OnceLock<Vec<Result<Interpreter, FindError>>> = OnceLock::new();
    INSTALLED.get_or_init(|| among(&candidates(), ANSWER)).clone()
}

/// The levels of `sys.version_info`, oldest first.
const RANKS: [&str; 4] = ["alpha", "beta", "candidate", "final"];

/// These programs, asked at the same time: those that do not answer cost the time of one.
fn among(programs: &[PathBuf], bounds: Bounds) -> Vec<Result<Interpreter, FindError>> {
    let mut found: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            programs.iter().map(|path| scope.spawn(move || Interpreter::ask_within(path, bounds))).collect();
        asked.into_iter().map(|answer| answer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    found.sort_by_key(|found| match found {
        Ok(i) => (0, Some((i.release, RANKS.iter().position(|r| *r == i.level), i.serial, i.debug))),
        Err(_) => (1, None),
    });
    found
}

/// What a list of interpreters means.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resolved {
    /// The interpreters, each once.
    pub interpreters: Vec<Interpreter>,
    /// Programs that reached a limit instead of saying what they are: any of them may have been meant.
    pub skipped: Vec<FindError>,
}

/// The interpreters that a comma-separated list of paths, versions (`3.7`, `3.7.16`, `3.14d` for a debug build) or `all` means.
///
/// # Errors
/// [`FindError`] for the first entry that is no usable interpreter. `all` leaves unusable ones out. One that reaches a
/// limit is no error but skipped.
pub fn resolve(list: &str) -> Result<Resolved, FindError> {
    resolve_among(list, installed, ANSWER)
}

fn resolve_among(
    list: &str,
    installed: impl Fn() -> Vec<Result<Interpreter, FindError>>,
    bounds: Bounds,
) -> Result<Resolved, FindError> {
    let mut resolved = Resolved::default();
    let mut add = |found: Result<Interpreter, FindError>| match found {
        Ok(interpreter) if !resolved.interpreters.contains(&interpreter) => resolved.interpreters.push(interpreter),
        Err(limit @ FindError::Limit { .. }) if !resolved.skipped.contains(&limit) => resolved.skipped.push(limit),
        _ => {}
    };
    for wanted in list.split(',').map(str::trim).filter(|wanted| !wanted.is_empty()) {
        if wanted == "all" {
            installed().into_iter().for_each(&mut add);
        } else if wanted.contains('/') {
            match Interpreter::ask_within(Path::new(wanted), bounds) {
                Err(error) if !matches!(error, FindError::Limit { .. }) => return Err(error),
                found => add(found),
            }
        } else {
            // The newest; a debug build only if it is asked for, or nothing else is there.
            let found = installed();
            let meant = found.iter().flatten().filter(|i| i.is_meant(wanted));
            let rank = |i: &Interpreter| RANKS.iter().position(|level| *level == i.level);
            match meant.max_by_key(|i| (!i.debug, i.release, rank(i), i.serial)) {
                Some(i) => add(Ok(i.clone())),
                None => {
                    let refused = found.iter().filter_map(|found| found.as_ref().err()).find(|e| e.is_meant(wanted));
                    return Err(refused.cloned().unwrap_or(FindError::NotFound {
                        wanted: wanted.to_string(),
                        there: found.iter().flatten().map(Interpreter::option).collect(),
                    }));
                }
            }
            found.into_iter().filter(Result::is_err).for_each(&mut add);
        }
    }
    tell_apart(&mut resolved.interpreters);
    Ok(resolved)
}

#[cfg(all(test, unix))]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::subject::Release;

    /// A shell script, as long as its folder is there.
    pub(in crate::cpython) fn script(text: &str) -> (tempfile::TempDir, PathBuf) {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, path)
    }

    /// The answer of an interpreter.
    const ANSWERS: &str = "for a in major=3 minor=13 patch=0 level=final serial=0 implementation=cpython debug=0 free_threaded=0 \
         include=/nowhere version=3; do echo $a; done";
    const HANGS: &str = "while :; do :; done";
    /// Enough for a script that answers, and no time for one that hangs.
    const SHORT: Bounds = Bounds { time: Duration::from_millis(100), ..ANSWER };
    const LONG: Bounds = Bounds { time: Duration::from_secs(3600), ..ANSWER };

    #[test]
    fn what_hangs_or_prints_for_ever_reaches_a_limit() {
        for (text, bounds, limit) in [
            (HANGS, SHORT, "it did not end within 100ms"),
            ("exec sleep 1000000", SHORT, "it did not end within 100ms"),
            ("while :; do echo major=3; done", LONG, "it wrote more than 65536 bytes"),
            ("while :; do echo major=3 >&2; done", LONG, "it wrote more than 65536 bytes"),
        ] {
            let (_folder, program) = script(text);
            let error = Interpreter::ask_within(&program, bounds).unwrap_err();
            let said = format!("{}: it was asked what it is, and {limit}", program.display());
            assert_eq!(error.to_string(), said);
        }
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_does_not_keep_the_answer() {
        let (_folder, program) = script(&format!("sleep 1000000 &\n{ANSWERS}"));
        let interpreter = Interpreter::ask_within(&program, LONG).unwrap();
        assert_eq!(interpreter.release, Release::new(3, 13, 0));
    }

    #[test]
    fn the_others_go_on() {
        let ((_a, hangs), (_b, answers)) = (script(HANGS), script(ANSWERS));
        // Long enough for a script that answers: what is tried again was slow for other reasons.
        let found = (0..12).map(|n| Bounds { time: Duration::from_millis(100 << n), ..ANSWER }).find_map(|bounds| {
            let found = among(&[hangs.clone(), answers.clone()], bounds);
            found.iter().any(Result::is_ok).then_some(found)
        });
        let found = found.expect("one that answers");
        assert!(matches!(&found[..], [Ok(_), Err(FindError::Limit { .. })]), "{found:?}");

        let installed = || found.clone();
        for list in ["all", "3.13", "3.13,all"] {
            let resolved = resolve_among(list, installed, SHORT).unwrap();
            assert_eq!((resolved.interpreters.len(), resolved.skipped.len()), (1, 1), "{list}");
        }
        // One that is named by its path is skipped like the others, never taken for one that is not there.
        let resolved = resolve_among(&format!("{},3.13", hangs.display()), installed, SHORT).unwrap();
        assert_eq!(resolved.interpreters.len(), 1);
        let named = |error: &FindError| error.to_string().starts_with(&hangs.display().to_string());
        assert!(!resolved.skipped.is_empty() && resolved.skipped.iter().all(named), "{:?}", resolved.skipped);
    }
}
