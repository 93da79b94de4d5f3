//! Compiles a library for an interpreter, once: the result is kept by digest of interpreter and source. The probe of scenarios
//! is one, the library of the audit and its controls are others; no two of them are loaded together, but for the last two.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use super::cache;
use super::identity::Interpreter;
use super::layout;
use crate::supervise::{Bounds, NoAnswer, ask, unique};

/// What the compiler may take: a hundred times what it takes on an idle machine.
const COMPILER: Bounds = Bounds { time: Duration::from_secs(300), output: 4 << 20 };

const HEADER: (&str, &str) = ("probe.h", include_str!("probe/probe.h"));
/// The layer "core": what all libraries know of an interpreter's collector.
pub(super) const CORE: (&str, &str) = ("heads.h", include_str!("core/heads.h"));
/// The header that [`layout::header`] writes.
const LAYOUT: &str = "layout.h";

/// What is compiled to one extension module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Library {
    /// The name of the module.
    pub(super) module: &'static str,
    /// C files, by their names.
    pub(super) sources: &'static [(&'static str, &'static str)],
    /// Headers, by their names; those that are made here come to them.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// Sanitizers, where the interpreter is to be run with them.
    pub(super) may_be_sanitized: bool,
}

/// The probe of scenarios.
const PROBE: Library =
    Library { module: "coroner_probe", sources: &SOURCES, headers: &[HEADER, CORE], may_be_sanitized: true };

impl Library {
    fn file(&self) -> String {
        format!("{}.so", self.module)
    }

    fn flags(self, interpreter: &Interpreter) -> impl Iterator<Item = &'static str> {
        let sanitized = interpreter.sanitized && self.may_be_sanitized;
        // What the interpreter brings is found when it loads the library.
        let of_system: &[&str] = if cfg!(target_os = "macos") { &["-undefined", "dynamic_lookup"] } else { &[] };
        FLAGS.into_iter().chain(of_system.iter().copied()).chain(SANITIZERS.into_iter().filter(move |_| sanitized))
    }
}

pub(super) const SOURCES: [(&str, &str); 17] = [
    ("table.c", include_str!("probe/table.c")),
    ("events.c", include_str!("probe/events.c")),
    ("gclists.c", include_str!("probe/gclists.c")),
    ("node.c", include_str!("probe/node.c")),
    ("weak.c", include_str!("probe/weak.c")),
    ("builtin.c", include_str!("probe/builtin.c")),
    ("trashcan.c", include_str!("probe/trashcan.c")),
    ("pyclass.c", include_str!("probe/pyclass.c")),
    ("function.c", include_str!("probe/function.c")),
    ("place.c", include_str!("probe/place.c")),
    ("collect.c", include_str!("probe/collect.c")),
    ("container.c", include_str!("probe/container.c")),
    ("library.c", include_str!("probe/library.c")),
    ("libcontainer.c", include_str!("probe/libcontainer.c")),
    ("memory.c", include_str!("probe/memory.c")),
    ("run.c", include_str!("probe/run.c")),
    ("module.c", include_str!("probe/module.c")),
];
/// The header that says which of [`FEATURES`] there are.
const FEATURES_HEADER: &str = "features.h";
/// Names that the probe asks the interpreter's headers for: the header has `HAS_` and the name with 1 if they have it.
/// Macros are not among them, which the probe can ask for itself.
const FEATURES: [&str; 14] = [
    // PEP 442.
    "tp_finalize",
    // The head of a tracked object up to 3.7, and what says the same in words from 3.9 on.
    "gc_refs",
    "PyObject_GC_IsTracked",
    "PyObject_GC_IsFinalized",
    // The trashcan: its counter (up to 3.11, 3.12), its function (3.9), the budget that it goes by in 3.13.
    "trash_delete_nesting",
    "delete_nesting",
    "_PyTrash_begin",
    "c_recursion_remaining",
    // Frames up to 3.6, and from 3.11 on.
    "f_exc_type",
    "_PyInterpreterFrame",
    // Functions with other names before and after.
    "PyObject_GenericGetDict",
    "PyObject_GetOptionalAttr",
    "PyWeakref_GetRef",
    "PyEval_InitThreads",
];
const FLAGS: [&str; 6] = ["-O2", "-g1", "-fPIC", "-shared", "-w", "-pthread"];
const SANITIZERS: [&str; 3] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
/// What must be loaded before anything else.
const RUNTIMES: [&str; 2] = ["libasan.so", "libubsan.so"];

/// Why there is no probe for an interpreter.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No compiler.
    #[error("no C compiler (`{compiler}`): install gcc, or set CC")]
    NoCompiler {
        /// What was tried.
        compiler: String,
    },
    /// The compiler reached a limit.
    #[error("the C compiler (`{compiler}`) was started, and {limit}")]
    Compiler {
        /// The compiler.
        compiler: String,
        /// Which limit.
        limit: NoAnswer,
    },
    /// No headers.
    #[error("{name} has no Python.h in {folder}: install {package}")]
    NoHeader {
        /// The interpreter.
        name: String,
        /// Where it said its headers are.
        folder: String,
        /// The package that usually holds them.
        package: String,
    },
    /// No sanitizers.
    #[error("`{compiler}` has no {library}: install the sanitizers of gcc (libasan, libubsan), or set CC to gcc")]
    NoSanitizer {
        /// The compiler.
        compiler: String,
        /// The library that is missing.
        library: &'static str,
    },
    /// The compiler refused the source.
    #[error("the library of coroner does not compile for {name}: {message}")]
    Compile {
        /// The interpreter.
        name: String,
        /// The compiler's first error.
        message: String,
    },
    /// A file could not be written or read.
    #[error("{what}: {error}")]
    File {
        /// Which file.
        what: String,
        /// What happened.
        error: std::io::Error,
    },
    /// The interpreter could not be started with the probe.
    #[error("{name} does not start with the probe: {message}")]
    Start {
        /// The interpreter.
        name: String,
        /// What it said.
        message: String,
    },
}

fn compiler() -> OsString {
    std::env::var_os("CC").filter(|v| !v.is_empty()).unwrap_or_else(|| OsString::from("cc"))
}

/// The libraries that a process with a sanitized probe must load first.
pub(super) fn sanitizers() -> Result<Vec<PathBuf>, SetupError> {
    let compiler = compiler();
    let find = |library: &'static str| {
        let output = compile(Command::new(&compiler).arg(format!("-print-file-name={library}")), COMPILER)?;
        // A compiler that does not know the library answers with its bare name.
        let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let path = path.canonicalize().ok().filter(|_| path.is_absolute());
        path.ok_or_else(|| SetupError::NoSanitizer { compiler: compiler.to_string_lossy().into_owned(), library })
    };
    RUNTIMES.into_iter().map(find).collect()
}

/// Runs the compiler.
fn compile(command: &mut Command, bounds: Bounds) -> Result<Output, SetupError> {
    ask(command, bounds).map_err(|error| {
        let compiler = command.get_program().to_string_lossy().into_owned();
        match error {
            NoAnswer::Start(_) => SetupError::NoCompiler { compiler },
            limit => SetupError::Compiler { compiler, limit },
        }
    })
}

/// The folder with the probe for this interpreter, compiled if it is not in the cache.
///
/// # Errors
/// [`SetupError`] if it cannot be built.
pub fn probe(interpreter: &Interpreter) -> Result<PathBuf, SetupError> {
    library(interpreter, PROBE)
}

/// The folder with a library for this interpreter, compiled if it is not in the cache.
pub(super) fn library(interpreter: &Interpreter, library: Library) -> Result<PathBuf, SetupError> {
    let file = |path: &Path, error| SetupError::File { what: path.display().to_string(), error };
    let compiler = compiler();
    let folder = cache::folder(digest(interpreter, &compiler, library));
    let made = folder.join(library.file());
    if made.is_file() {
        cache::touch(&made);
        return Ok(folder);
    }
    if !interpreter.include.iter().any(|dir| dir.join("Python.h").is_file()) {
        let release = interpreter.release;
        return Err(SetupError::NoHeader {
            name: interpreter.name(),
            folder: interpreter.include.first().map(|dir| dir.display().to_string()).unwrap_or_default(),
            package: match release.major {
                2 => "python2-dev".to_string(),
                _ => format!("python{}.{}-dev", release.major, release.minor),
            },
        });
    }
    let work = folder.join(format!("build-{}-{}", std::process::id(), unique()));
    fs::create_dir_all(&work).map_err(|e| file(&work, e))?;
    let work = work.canonicalize().map_err(|e| file(&work, e))?;
    let built = build(interpreter, &compiler, library, &work, COMPILER)
        .and_then(|built| fs::rename(&built, &made).map_err(|e| file(&made, e)));
    let _ = fs::remove_dir_all(&work);
    built?;
    cache::note(&folder, &format!("{} {}", interpreter.name(), interpreter.program.display()));
    Ok(folder)
}

fn build(
    interpreter: &Interpreter,
    compiler: &OsString,
    library: Library,
    work: &Path,
    bounds: Bounds,
) -> Result<PathBuf, SetupError> {
    let layout = layout::header();
    for (name, text) in library.sources.iter().chain(library.headers).chain(&[(LAYOUT, layout.as_str())]) {
        write(work.join(name), text)?;
    }
    let features = features(interpreter, compiler, work, bounds)?;
    write(work.join(FEATURES_HEADER), &features)?;
    let made = work.join(library.file());
    let mut command = with_headers(interpreter, compiler, work);
    let sources = library.sources.iter().map(|(name, _)| name);
    command.args(library.flags(interpreter)).arg("-o").arg(&made).args(sources);
    let output = compile(&mut command, bounds)?;
    if output.status.success() { Ok(made) } else { Err(refused(interpreter, &output)) }
}

/// The compiler, in the folder with the sources: names without folders, so that the sanitizers' reports do not depend on where
/// the copy was. It finds the interpreter's headers.
fn with_headers(interpreter: &Interpreter, compiler: &OsString, work: &Path) -> Command {
    let mut command = Command::new(compiler);
    command.current_dir(work);
    for dir in &interpreter.include {
        command.arg("-I").arg(dir);
        // Debian's pyconfig.h includes another one by its path below the folder of all headers.
        if let Some(parent) = dir.parent() {
            command.arg("-idirafter").arg(parent);
        }
    }
    command
}

/// The text of [`FEATURES_HEADER`]: which names are in the headers, once the preprocessor has gone through them.
fn features(interpreter: &Interpreter, compiler: &OsString, work: &Path, bounds: Bounds) -> Result<String, SetupError> {
    const ASKED: (&str, &str) = ("asked.c", "#include <Python.h>\n#include <frameobject.h>\n");
    write(work.join(ASKED.0), ASKED.1)?;
    let output = compile(with_headers(interpreter, compiler, work).args(["-E", "-P", "-w", ASKED.0]), bounds)?;
    if !output.status.success() {
        return Err(refused(interpreter, &output));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let words: HashSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let line = |name: &&str| format!("#define HAS_{name} {}\n", u8::from(words.contains(name)));
    Ok(FEATURES.iter().map(line).collect())
}

fn write(path: PathBuf, text: &str) -> Result<(), SetupError> {
    fs::write(&path, text).map_err(|error| SetupError::File { what: path.display().to_string(), error })
}

fn refused(interpreter: &Interpreter, output: &Output) -> SetupError {
    let text = String::from_utf8_lossy(&output.stderr);
    let message = text.lines().find(|line| line.contains("error")).or(text.lines().next()).unwrap_or("no message");
    SetupError::Compile { name: interpreter.name(), message: message.trim().to_string() }
}

fn digest(interpreter: &Interpreter, compiler: &OsString, library: Library) -> u128 {
    let mut state = xxhash_rust::xxh3::Xxh3::new();
    let mut part = |bytes: &[u8]| {
        state.update(&(bytes.len() as u64).to_le_bytes());
        state.update(bytes);
    };
    part(interpreter.program.as_os_str().as_encoded_bytes());
    part(interpreter.version.as_bytes());
    interpreter.include.iter().for_each(|dir| part(dir.as_os_str().as_encoded_bytes()));
    part(compiler.as_encoded_bytes());
    library.flags(interpreter).for_each(|flag| part(flag.as_bytes()));
    library.sources.iter().chain(library.headers).for_each(|(_, text)| part(text.as_bytes()));
    part(layout::header().as_bytes());
    FEATURES.iter().for_each(|name| part(name.as_bytes()));
    state.digest128()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::scenario::{Opcode, Shape};

    /// The names of an enum of `layout.h`.
    fn names(prefix: &str) -> Vec<String> {
        let header = layout::header();
        let words = header.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.filter(|word| word.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty())).map(str::to_owned).collect()
    }

    #[test]
    fn the_probe_knows_every_operation_and_shape() {
        let (operations, shapes) = (names("OP_"), names("SHAPE_"));
        assert_eq!((operations.len(), shapes.len()), (Opcode::ALL.len(), Shape::ALL.len()));
        for name in operations.iter().chain(&shapes) {
            let case = |line: &str| line.trim_start().starts_with(&format!("case {name}:"));
            assert!(SOURCES.iter().any(|(_, text)| text.lines().any(case)), "no file of the probe has `case {name}:`");
        }
    }

    #[test]
    fn the_probe_asks_for_features_that_are_looked_for() {
        for (name, text) in SOURCES.iter().chain(PROBE.headers) {
            let asked = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| w.starts_with("HAS_"));
            for word in asked.filter(|word| !["HAS_FINALIZE", "HAS_CLOSURE", "HAS_"].contains(word)) {
                assert!(FEATURES.contains(&&word["HAS_".len()..]), "{name}: {word}");
            }
        }
        let all: String = SOURCES.iter().chain(PROBE.headers).map(|(_, text)| *text).collect();
        assert!(FEATURES.iter().all(|name| all.contains(&format!("HAS_{name}"))));
    }

    #[test]
    fn a_compiler_that_never_ends_reaches_a_limit() {
        use super::super::find::tests::script;
        let (folder, compiler) = script("while :; do :; done");
        let interpreter = Interpreter::of_release("python", crate::subject::Release::new(3, 13, 0));
        let bounds = Bounds { time: Duration::from_millis(30), ..COMPILER };
        let error = build(&interpreter, &compiler.clone().into_os_string(), PROBE, folder.path(), bounds).unwrap_err();
        let said = format!("the C compiler (`{}`) was started, and it did not end within 30ms", compiler.display());
        assert_eq!(error.to_string(), said);
    }
}
