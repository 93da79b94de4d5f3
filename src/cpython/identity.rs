//! What an interpreter is: its release, its build, and what it is called beside others.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::subject::{Needs, Release};
use crate::supervise::{Bounds, NoAnswer, ask};

/// What an interpreter may take to say what it is: a hundred times what one on a slow disk takes.
pub(super) const ANSWER: Bounds = Bounds { time: Duration::from_secs(20), output: 64 << 10 };

/// Asks for everything that matters, one `key=value` per line; runs on 2.7 to 3.15. A build without the GIL says so in
/// its configuration, in its ABI flags (PEP 703), or, where it is older than the PEP, in `sys.flags`.
const QUESTION: &str = "\
import sys, sysconfig
print('major=%d' % sys.version_info[0])
print('minor=%d' % sys.version_info[1])
print('patch=%d' % sys.version_info[2])
print('level=%s' % sys.version_info[3])
print('serial=%d' % sys.version_info[4])
print('implementation=%s' % getattr(getattr(sys, 'implementation', None), 'name', 'cpython'))
print('debug=%d' % int(hasattr(sys, 'gettotalrefcount')))
print('free_threaded=%d' % int(bool(sysconfig.get_config_var('Py_GIL_DISABLED')) or
    't' in getattr(sys, 'abiflags', '') or hasattr(sys.flags, 'nogil')))
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
    /// It is a build without the GIL (PEP 703), whose collector is another one.
    #[error("{program}: CPython {version} is a free-threaded build, whose collector coroner does not know")]
    FreeThreaded {
        /// The program.
        program: String,
        /// Its version, with a `t` and, for a debug build, a `d`.
        version: String,
    },
    /// Nothing matches what was asked for.
    #[error(
        "no Python interpreter matches `{wanted}`: pass a path, or a version that pyenv, PATH or CORONER_PYTHONS has{}",
        listed(there)
    )]
    NotFound {
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: Vec<String>,
    },
}

fn listed(there: &[String]) -> String {
    if there.is_empty() { String::new() } else { format!(": {}", there.join(", ")) }
}

impl FindError {
    /// True if an entry such as `3.13t` or `3.13.0t` may mean this free-threaded build.
    pub(super) fn is_meant(&self, entry: &str) -> bool {
        let FindError::FreeThreaded { version, .. } = self else { return false };
        entry.contains('t') && covers(version, entry, &['d', 't'])
    }
}

/// True if a version such as `3.14.0a1d` is one that an entry such as `3`, `3.14`, `3.14.0a1` or `3.14d` means, whatever
/// marks of a build either ends with.
fn covers(version: &str, entry: &str, marks: &[char]) -> bool {
    let (version, wanted) = (version.trim_end_matches(marks), entry.trim_end_matches(marks));
    version == wanted || version.strip_prefix(wanted).is_some_and(|rest| rest.starts_with(['.', 'a', 'b', 'r']))
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
    /// Which alpha, beta or candidate; 0 for a final release.
    pub serial: u8,
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
    /// Another interpreter beside it has the same version: it is called by its path.
    pub by_path: bool,
    /// What the probe sees in it, as far as that is known: everything, until it has been started.
    pub observes: Needs,
}

impl Interpreter {
    /// An interpreter of a release of which nothing else is known.
    pub fn of_release(program: impl Into<PathBuf>, release: Release) -> Interpreter {
        Interpreter {
            program: program.into(),
            release,
            level: "final".to_owned(),
            serial: 0,
            debug: false,
            include: Vec::new(),
            version: String::new(),
            sanitized: false,
            library: None,
            by_path: false,
            observes: Needs::ALL,
        }
    }

    /// Asks a program what it is.
    ///
    /// # Errors
    /// [`FindError`] if it is no CPython from 2.7 on, or a free-threaded build, or has not answered within 20 s and
    /// 64 KiB.
    pub fn ask(program: &Path) -> Result<Interpreter, FindError> {
        Interpreter::ask_within(program, ANSWER)
    }

    pub(super) fn ask_within(program: &Path, bounds: Bounds) -> Result<Interpreter, FindError> {
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
        let mut include: Vec<PathBuf> = vec![get("include").into()];
        if !get("platform_include").is_empty() && get("platform_include") != get("include") {
            include.push(get("platform_include").into());
        }
        let interpreter = Interpreter {
            level: get("level"),
            serial: number("serial")?,
            debug: get("debug") == "1",
            include,
            version: get("version"),
            ..Interpreter::of_release(program, release)
        };
        if get("free_threaded") == "1" {
            let version = format!("{}t{}", interpreter.version(), if interpreter.debug { "d" } else { "" });
            return Err(FindError::FreeThreaded { program: name, version });
        }
        let covered = match release.major {
            2 => release.minor == 7,
            3 => release.minor >= 4,
            _ => false,
        };
        if !covered {
            return unusable(format!("CPython {release} is not covered (2.7, 3.4 and later are)"));
        }
        Ok(interpreter)
    }

    /// The name for reports: the version, with a `d` for debug builds, and with `+sanitizers`; with the path, if another
    /// one beside it has the same version.
    pub fn name(&self) -> String {
        let path = if self.by_path { format!(" ({})", self.program.display()) } else { String::new() };
        format!("python-{}{}{path}", self.short(), if self.sanitized { "+sanitizers" } else { "" })
    }

    /// The version: `3.14.10`, `3.15.0a1`.
    pub fn version(&self) -> String {
        let level = match self.level.as_str() {
            "alpha" => "a",
            "beta" => "b",
            "candidate" => "rc",
            _ => return self.release.to_string(),
        };
        format!("{}{level}{}", self.release, self.serial)
    }

    /// The version with a `d` for a debug build: the entry of a list for [`resolve`](super::resolve) that means it if it is
    /// [`installed`](super::installed), and no other one has the same.
    pub fn short(&self) -> String {
        format!("{}{}", self.version(), if self.debug { "d" } else { "" })
    }

    /// What a command line calls it: its path, if it is called by that, and [`Interpreter::short`] otherwise.
    pub fn option(&self) -> String {
        if self.by_path { self.program.to_string_lossy().into_owned() } else { self.short() }
    }

    /// The id of the commit that it was built from, as `sys.version` has it (`3.13.0 (tags/v3.13.0:60403a5409f, ...)`);
    /// nothing if it was not built from a repository.
    pub fn git_id(&self) -> Option<&str> {
        let build = self.version.split_once('(')?.1.split([',', ')']).next()?;
        let id = build.rsplit_once(':')?.1.trim();
        id.starts_with(|c: char| c.is_ascii_hexdigit()).then_some(id)
    }

    /// True if it is a release that was published: not an alpha, beta or candidate, nor a build between two releases, whose
    /// version ends with `+`.
    pub fn is_release(&self) -> bool {
        self.level == "final" && !self.version.split_whitespace().next().is_some_and(|word| word.ends_with('+'))
    }

    /// True if an entry such as `3`, `3.14`, `3.14.10`, `3.15.0a1` or `3.14d` may mean it.
    pub(super) fn is_meant(&self, entry: &str) -> bool {
        covers(&self.version(), entry, &['d']) && (self.debug || !entry.ends_with('d'))
    }
}

/// Lets interpreters of the same version that stand beside each other be called by their paths.
pub fn tell_apart(interpreters: &mut [Interpreter]) {
    let all: Vec<(String, PathBuf)> = interpreters.iter().map(|i| (i.short(), i.program.clone())).collect();
    for interpreter in interpreters {
        let same =
            |(short, program): &(String, PathBuf)| *short == interpreter.short() && *program != interpreter.program;
        interpreter.by_path |= all.iter().any(same);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(version: &str, level: &str, serial: u8, debug: bool) -> Interpreter {
        let (level, version) = (level.to_owned(), version.to_owned());
        Interpreter { level, serial, debug, version, ..Interpreter::of_release("/python", Release::new(3, 14, 1)) }
    }

    #[test]
    fn an_entry_ending_in_d_means_a_debug_build() {
        let (plain, debug) = (build("", "final", 0, false), build("", "final", 0, true));
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

    #[test]
    fn a_pre_release_has_its_level_in_its_name() {
        for (level, serial, debug, name) in [
            ("alpha", 4, false, "python-3.14.1a4"),
            ("beta", 1, true, "python-3.14.1b1d"),
            ("candidate", 2, false, "python-3.14.1rc2"),
            ("final", 0, false, "python-3.14.1"),
        ] {
            let interpreter = build("3.14.1", level, serial, debug);
            assert_eq!((interpreter.name().as_str(), interpreter.is_release()), (name, level == "final"));
            assert!(["3.14", "3.14.1", interpreter.short().as_str()].iter().all(|entry| interpreter.is_meant(entry)));
        }
        let between = build("3.14.1+ (heads/3.14-dirty:0123abc, Jan  1 2026, 00:00:00) [GCC]", "final", 0, false);
        assert!(!between.is_release());
        assert!(
            !build("", "alpha", 4, false).is_meant("3.14.1a1") && !build("", "alpha", 4, false).is_meant("3.14.1b")
        );
    }

    #[test]
    fn the_git_id_is_that_of_the_version() {
        for (version, id) in [
            ("3.13.0 (tags/v3.13.0:60403a5409f, Oct  7 2024, 09:38:07) [GCC 13]", Some("60403a5409f")),
            ("3.15.0a1+ (heads/main-dirty:0123abc, Jan  1 2026, 00:00:00) [GCC]", Some("0123abc")),
            ("3.8.0a4 (default, Nov 30 2026, 21:40:00) [GCC 14]", None),
            ("3.13.0", None),
        ] {
            assert_eq!(build(version, "final", 0, false).git_id(), id, "{version}");
        }
    }

    #[test]
    fn two_builds_of_one_version_have_different_names() {
        let other = |path: &str, debug| Interpreter { program: path.into(), ..build("", "final", 0, debug) };
        let mut all = [other("/a/python", false), other("/b/python", false), other("/c/python", true)];
        tell_apart(&mut all);
        assert_eq!(
            all.each_ref().map(Interpreter::name),
            ["python-3.14.1 (/a/python)", "python-3.14.1 (/b/python)", "python-3.14.1d"]
        );
        assert_eq!(all.each_ref().map(Interpreter::option), ["/a/python", "/b/python", "3.14.1d"]);
    }

    #[test]
    fn a_free_threaded_build_is_meant_by_its_version_with_t() {
        let error = FindError::FreeThreaded { program: "p".to_owned(), version: "3.13.0t".to_owned() };
        assert!(["3.13t", "3.13.0t", "3t"].iter().all(|entry| error.is_meant(entry)));
        assert!(["3.13", "3.1t", "3.13.1t", "t"].iter().all(|entry| !error.is_meant(entry)));
    }
}
