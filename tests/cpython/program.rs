//! The program from outside, with real interpreters: what the tests of this folder share.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use coroner::cpython::{Interpreter, Python, installed};
use coroner::supervise::Limits;
use serde_json::Value;

/// Where a test works, and how it calls the program.
pub struct Place {
    folder: tempfile::TempDir,
    compiler: Option<PathBuf>,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap(), compiler: None }
    }

    /// A place where the probe is compiled from a copy in which `from`, a part of a line of `file`, is `to`.
    pub fn with_broken_probe(file: &str, from: &str, to: &str) -> Place {
        let mut place = Place::new();
        let script = format!(
            "#!/bin/sh\nfor a; do case $a in *{file})\n\
             grep -qF '{from}' \"$a\" || {{ echo 'error: {file} has no such text' >&2; exit 1; }}\n\
             sed -i 's|{from}|{to}|' \"$a\";; esac; done\nexec cc \"$@\"\n"
        );
        place.compiler = Some(place.program("broken-cc", &script));
        place
    }

    /// A place where the probe is compiled by this compiler, as on a system of another kind: nothing tells where a process may
    /// read and write its memory.
    pub fn not_linux(compiler: &str) -> Place {
        let mut place = Place::new();
        let script = format!("#!/bin/sh\nexec {compiler} -DCORONER_NOT_LINUX \"$@\"\n");
        place.compiler = Some(place.program("other-cc", &script));
        place
    }

    /// An executable file.
    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coroner"));
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        if let Some(compiler) = &self.compiler {
            command.env("CC", compiler).env("CORONER_CACHE", self.path("cache"));
        }
        command
    }

    pub fn coroner(&self, line: &str) -> Ran {
        ran(self.command(line).output().unwrap())
    }

    pub fn start(&self, line: &str) -> Child {
        self.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A result without what depends on time, machine and paths.
    pub fn json(&self, name: &str) -> Value {
        let mut value: Value = serde_json::from_str(&std::fs::read_to_string(self.path(name)).unwrap()).unwrap();
        value.as_object_mut().unwrap().remove("timing").unwrap();
        value
    }

    /// What depends on time, machine and paths.
    pub fn timing(&self, name: &str) -> Value {
        let value: Value = serde_json::from_str(&std::fs::read_to_string(self.path(name)).unwrap()).unwrap();
        value["timing"].clone()
    }

    /// The reduced scenarios of a folder of findings whose names start so.
    pub fn files(&self, folder: &str, start: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten();
        let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
        files.retain(|f| f.file_name().unwrap().to_string_lossy().starts_with(start));
        files.sort();
        files.into_iter().map(|folder| folder.join("reduced.scn")).collect()
    }
}

pub fn ran(output: Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Every usable interpreter; one line if there is none.
pub fn interpreters() -> Vec<Interpreter> {
    let found: Vec<Interpreter> = installed().into_iter().flatten().collect();
    if found.is_empty() {
        eprintln!("skipped: no CPython found (pyenv, PATH, CORONER_PYTHONS)");
    }
    found
}

pub fn start(interpreter: Interpreter) -> Option<Python> {
    match Python::new(interpreter, Limits::default()) {
        Ok(python) => Some(python),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// The newest interpreter that can run the probe.
pub fn newest() -> Option<Python> {
    interpreters().into_iter().rev().find_map(start)
}

/// Its path.
pub fn newest_path() -> Option<String> {
    newest().map(|python| python.interpreter().program.to_string_lossy().into_owned())
}

/// The repository's regression files whose names start so.
pub fn regression(start: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    found.retain(|f| f.file_name().unwrap().to_string_lossy().starts_with(start));
    found.pop().unwrap()
}
