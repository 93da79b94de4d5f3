//! Which interpreters there are. Each is identified by asking it, never by its name.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::subject::Release;
use crate::supervise::{Bounds, NoAnswer, ask};

/// What an interpreter may take to say what it is: a hundred times what one on a slow disk takes.
const ANSWER: Bounds = Bounds { time: Duration::from_secs(20), output: 64 << 10 };

/// Asks for everything that matters, one `key=value` per line; runs on 2.7 to 3.15.
const QUESTION: &str = "\
import sys, sysconfig
print('major=%d' % sys.version_info[0])
print('minor=%d' % sys.version_info[1])
print('patch=%d' % sys.version_info[2])
print('level=%s' % sys.version_info[3])
print('implementation=%s' % getattr(getattr(sys, 'implementation', None), 'name', 'cpython'))
print('debug=%d' % int(hasattr(sys, 'gettotalrefcount')))
print('free_threaded=%s' % int(sysconfig.get_config_var('Py_GIL_DISABLED') or 0))
print('include=%s' % sysconfig.get_paths()['include'])
print('platform_include=%s' % sysconfig.get_paths().get('platinclude', ''))
print('program=%s' % sys.executable)
print('version=%s' % sys.version.replace('\\n', ' '))
";

/// Why a program is no interpreter that can be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FindError {
    /// It could not be started or did not answer.
    #[error("{program}: not a Python interpreter ({why})")]
    NoAnswer {
        /// The program.
        program: String,
        /// What happened.
        why: String,
    },
    /// It was started and reached a limit before it had answered.
    #[error("{program}: it was asked what it is, and {why}")]
    Limit {
        /// The program.
        program: String,
        /// Which limit.
        why: String,
    },
    /// It answered, and cannot be a subject.
    #[error("{program}: {why}")]
    Unusable {
        /// The program.
        program: String,
        /// Why not.
        why: String,
    },
    /// Nothing matches what was asked for.
    #[error(
        "no Python interpreter matches `{wanted}`: pass a path, or a version that pyenv, PATH or CORONER_PYTHONS has"
    )]
    NotFound {
        /// What was asked for.
        wanted: String,
    },
}

/// One interpreter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interpreter {
    /// The program to run.
    pub program: PathBuf,
    /// Its version.
    pub release: Release,
    /// `alpha`, `beta`, `candidate` or `final`.
    pub level: String,
    /// Built with `Py_DEBUG`.
    pub debug: bool,
    /// Folders with its C headers.
    pub include: Vec<PathBuf>,
    /// Its own description, build included.
    pub version: String,
    /// Run with a probe that was built with the sanitizers of gcc (address, undefined): what they report ends the
    /// process, as an assertion does.
    pub sanitized: bool,
    /// A folder that comes first on the path of its workers, whatever the environment says: modules that are taken
    /// instead of those of its own library.
    pub library: Option<PathBuf>,
}

impl Interpreter {
    /// Asks a program what it is.
    ///
    /// # Errors
    /// [`FindError`] if it is no CPython from 2.7 on, or a free-threaded build, or has not answered within 20 s and
    /// 64 KiB.
    pub fn ask(program: &Path) -> Result<Interpreter, FindError> {
        Interpreter::ask_within(program, ANSWER)
    }

    fn ask_within(program: &Path, bounds: Bounds) -> Result<Interpreter, FindError> {
        let name = program.display().to_string();
        let no_answer = |why: String| FindError::NoAnswer { program: name.clone(), why };
        let output = ask(Command::new(program).args(["-E", "-s", "-S", "-c", QUESTION]), bounds);
        let output = output.map_err(|error| match error {
            NoAnswer::Start(error) => no_answer(error.to_string()),
            limit => FindError::Limit { program: name.clone(), why: limit.to_string() },
        })?;
        if !output.status.success() {
            return Err(no_answer(output.status.to_string()));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let get = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default().to_string()
        };
        let number = |key: &str| get(key).parse::<u8>().map_err(|_| no_answer(format!("no {key} in its answer")));
        let release = Release::new(number("major")?, number("minor")?, number("patch")?);
        let unusable = |why: String| Err(FindError::Unusable { program: name.clone(), why });
        if get("implementation") != "cpython" {
            return unusable(format!("{} is not CPython", get("implementation")));
        }
        if get("free_threaded") == "1" {
            return unusable("a free-threaded build, whose collector coroner does not know".into());
        }
        let covered = match release.major {
            2 => release.minor == 7,
            3 => release.minor >= 4,
            _ => false,
        };
        if !covered {
            return unusable(format!("CPython {release} is not covered (2.7, 3.4 and later are)"));
        }
        let mut include: Vec<PathBuf> = vec![get("include").into()];
        if !get("platform_include").is_empty() && get("platform_include") != get("include") {
            include.push(get("platform_include").into());
        }
        Ok(Interpreter {
            program: program.to_path_buf(),
            release,
            level: get("level"),
            debug: get("debug") == "1",
            include,
            version: get("version"),
            sanitized: false,
            library: None,
        })
    }

    /// The name for reports: the version, with a `d` for debug builds, and with `+sanitizers`.
    pub fn name(&self) -> String {
        format!("python-{}{}", self.short(), if self.sanitized { "+sanitizers" } else { "" })
    }

    /// The entry of a list for [`resolve`] that means it if it is [`installed`]: `3.14.10`, or `3.14.10d` for a debug build.
    pub fn short(&self) -> String {
        format!("{}{}", self.release, if self.debug { "d" } else { "" })
    }

    /// True if an entry such as `3`, `3.14`, `3.14.10` or `3.14d` may mean it.
    fn is_meant(&self, entry: &str) -> bool {
        let version = self.release.to_string();
        let wanted = entry.strip_suffix('d').unwrap_or(entry);
        let covers = version == wanted || version.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'));
        covers && (self.debug || wanted == entry)
    }
}

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

/// `python`, `python3`, `python3.12`, `python3.15d`; not `python3-config`.
fn is_python(name: &str) -> bool {
    name.strip_prefix("python")
        .is_some_and(|rest| rest.strip_suffix('d').unwrap_or(rest).chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// Every interpreter that `CORONER_PYTHONS`, pyenv and `PATH` have, oldest first, and why others are not usable. They
/// are asked once in the life of this process.
pub fn installed() -> Vec<Result<Interpreter, FindError>> {
    static INSTALLED: OnceLock<Vec<Result<Interpreter, FindError>>> = OnceLock::new();
    INSTALLED.get_or_init(|| among(&candidates(), ANSWER)).clone()
}

/// These programs, asked at the same time: those that do not answer cost the time of one.
fn among(programs: &[PathBuf], bounds: Bounds) -> Vec<Result<Interpreter, FindError>> {
    let mut found: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            programs.iter().map(|path| scope.spawn(move || Interpreter::ask_within(path, bounds))).collect();
        asked.into_iter().map(|answer| answer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    found.sort_by_key(|found| match found {
        Ok(i) => (0, Some((i.release, i.debug))),
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
            let meant = installed().into_iter().flatten().filter(|i| i.is_meant(wanted));
            match meant.max_by_key(|i| (!i.debug, i.release)) {
                Some(i) => add(Ok(i)),
                None => return Err(FindError::NotFound { wanted: wanted.to_string() }),
            }
            installed().into_iter().filter(Result::is_err).for_each(&mut add);
        }
    }
    Ok(resolved)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

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
    const ANSWERS: &str = "for a in major=3 minor=13 patch=0 level=final implementation=cpython debug=0 free_threaded=0 \
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

    #[test]
    fn an_entry_ending_in_d_means_a_debug_build() {
        let build = |debug| Interpreter {
            program: PathBuf::new(),
            release: Release::new(3, 14, 1),
            level: "final".into(),
            debug,
            include: Vec::new(),
            version: String::new(),
            sanitized: false,
            library: None,
        };
        let (plain, debug) = (build(false), build(true));
        assert_eq!([plain.short(), debug.short()], ["3.14.1", "3.14.1d"]);
        for (entry, plain_is, debug_is) in [
            ("3", true, true),
            ("3.14", true, true),
            ("3.14.1", true, true),
            ("3.14d", false, true),
            ("3.14.1d", false, true),
            ("3.1", false, false),
            ("3.14.10", false, false),
            ("d", false, false),
        ] {
            assert_eq!((plain.is_meant(entry), debug.is_meant(entry)), (plain_is, debug_is), "{entry}");
        }
    }
}
