//! One child process with the probe in it, and the file in which its copies leave their events.
//!
//! The process itself runs no scenario: it makes a copy of itself (`fork`) that does, and another one when that has ended.
//! So a fresh process costs a twentieth of the start of an interpreter. Copies share the address layout of the process.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::compile::{SetupError, probe, sanitizers};
use super::complaints::{Complaints, last_line};
use super::identity::Interpreter;
use crate::subject::Needs;
use crate::supervise::{Child, FileExt, Limits, describe, from_raw, signal, unique};

const HEADER: usize = 64;
/// How long a worker may be silent beyond the limit of a scenario: it was not able to end itself.
const GRACE: Duration = Duration::from_secs(1);
/// How long a process may take to end that has closed its pipes.
const DYING: Duration = Duration::from_secs(10);
/// With sanitizers it may take so many times as long to start.
const SANITIZED_START: u32 = 2;
/// How often a worker is started that is killed or stopped meanwhile.
const ATTEMPTS: u32 = 3;
/// How often one that was silent until its time was over: somebody may have stopped it.
const SILENT_ATTEMPTS: u32 = 2;
/// The same for one with sanitizers.
const SANITIZED_ATTEMPTS: u32 = 20;
/// What the interpreter has imported already is imported again if there is another folder for it.
pub(super) const START: &str = "import sys; sys.path.insert(0, sys.argv[1]); sys.path[:0] = sys.argv[7:]; \
    [sys.modules.pop(name, None) for name in sys.argv[7:] and ('weakref', '_weakrefset')]; import coroner_probe; \
    coroner_probe.serve(0, 1, sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))";

/// The first word of an answer that says how a copy died: the second is its status, 0 if there could be none.
const COPY_DIED: u32 = u32::MAX;

/// How a batch ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// Some of the scenarios were run, at least one.
    Ran,
    /// The process that ran them died.
    Died(ExitStatus),
    /// It did not answer and was killed.
    Silent,
    /// The worker could not make a copy of itself.
    NoCopy,
}

/// What is heard of a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    Answer([u32; 2]),
    /// The process has ended. What it started may still have its pipes.
    Ended,
}

#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<Word>,
    /// Scenarios to run. A pipe of this size would block the parent of a stopped worker.
    batch: File,
    events: File,
    complaints: Complaints,
    /// What its events show.
    observes: Needs,
    /// How many copies it has made of itself.
    copies: u64,
    /// The last copy waits for the next batch.
    has_copy: bool,
    /// It can run another batch.
    usable: bool,
}

/// A file that is in memory where possible.
#[derive(Debug)]
struct Shared {
    file: File,
    name: Name,
}

impl Shared {
    fn new(suffix: &str, size: u64) -> Result<Shared, SetupError> {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let path = folder.join(format!("coroner-{}-{}.{suffix}", std::process::id(), unique()));
        let failed = |error| SetupError::File { what: path.display().to_string(), error };
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).map_err(failed)?;
        let sized = file.set_len(size);
        let name = Name(path.clone());
        sized.map_err(failed).map(|()| Shared { file, name })
    }

    fn path(&self) -> &Path {
        &self.name.0
    }

    /// Takes the name away.
    fn unlink(self) -> File {
        self.file
    }
}

/// The name of a file, which lasts as long as this value.
#[derive(Debug)]
struct Name(PathBuf);

impl Drop for Name {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A worker that ended before it was ready.
struct Stillborn {
    /// How; `None` if it did not answer.
    status: Option<ExitStatus>,
    said: String,
}

impl Worker {
    /// Starts a worker; again if somebody kills or stops it meanwhile.
    pub(super) fn start(interpreter: &Interpreter, limits: &Limits) -> Result<Worker, SetupError> {
        Worker::start_with(&probe(interpreter)?, interpreter, limits)
    }

    /// Starts one with the probe in this folder.
    fn start_with(folder: &Path, interpreter: &Interpreter, limits: &Limits) -> Result<Worker, SetupError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match Worker::attempt(folder, interpreter, limits)? {
                Ok(worker) => return Ok(worker),
                Err(s) if s.status.is_some_and(killed) && attempts < ATTEMPTS => {}
                Err(s) if s.status.is_none() && attempts < SILENT_ATTEMPTS => {}
                // Now and then the address space is laid out so that the sanitizer's shadow has no room.
                Err(s) if interpreter.sanitized && s.said.contains("ABORTING") && attempts < SANITIZED_ATTEMPTS => {}
                Err(s) => return Err(SetupError::Start { name: interpreter.name(), message: s.said }),
            }
        }
    }

    fn attempt(
        folder: &Path,
        interpreter: &Interpreter,
        limits: &Limits,
    ) -> Result<Result<Worker, Stillborn>, SetupError> {
        let (batch, events) = (Shared::new("batch", 0)?, Shared::new("events", limits.event_bytes)?);
        let mut command = Command::new(&interpreter.program);
        command.args(arguments(interpreter));
        let mut memory = limits.memory_bytes;
        if interpreter.sanitized {
            // Their shadow takes more address space than any limit allows.
            memory = 0;
            sanitize(&mut command, limits.memory_bytes)?;
        }
        command.args(["-W", "ignore", "-c", START]).arg(folder).arg(batch.path()).arg(events.path());
        command.args([limits.event_bytes, memory, limits.stack_bytes].map(|n| n.to_string()));
        command.args(&interpreter.library);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |message: String| SetupError::Start { name: interpreter.name(), message };
        let mut child = Child::start(&mut command).map_err(|e| failed(e.to_string()))?;
        let (Some(stdin), Some(mut stdout), Some(stderr)) =
            (child.take_stdin(), child.take_stdout(), child.take_stderr())
        else {
            return Err(failed("no pipes".into()));
        };
        let (send, answers) = channel();
        let ended = send.clone();
        child.when_ended(move || _ = ended.send(Word::Ended));
        std::thread::spawn(move || {
            let mut bytes = [0; 8];
            while stdout.read_exact(&mut bytes).is_ok() {
                let word = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
                if send.send(Word::Answer([word(0), word(4)])).is_err() {
                    break;
                }
            }
        });
        let (start, patience) = (limits.start, if interpreter.sanitized { SANITIZED_START } else { 1 });
        let (complaints, observes) = match answers.recv_timeout(start.saturating_mul(patience)) {
            Ok(Word::Answer([blind, 0])) => {
                // What the collector's lists show, if the probe did not find them, is all that it cannot see.
                let observes = if blind == 0 { Needs::ALL } else { Needs::ALL.without(Needs::GENERATIONS) };
                // From here on nothing may fill the pipe and block the child.
                (Complaints::listen(stderr), observes)
            }
            other => {
                let silent = other == Err(RecvTimeoutError::Timeout) && !child.has_ended();
                let status = if silent { None } else { child.end_within(GRACE) };
                child.end();
                let how = || match status {
                    Some(status) => describe(status),
                    None if silent => format!("it did not answer within {} s", start.as_secs_f32()),
                    None => "its answer means nothing".to_owned(),
                };
                return Ok(Err(Stillborn { status, said: last_line(stderr, GRACE).unwrap_or_else(how) }));
            }
        };
        // The child has them open: no name is left behind, whatever happens.
        let (batch, events) = (batch.unlink(), events.unlink());
        let (copies, has_copy, usable) = (0, false, true);
        Ok(Ok(Worker { child, stdin, answers, batch, events, complaints, observes, copies, has_copy, usable }))
    }

    /// Sends a batch and waits for the answer, as long as there is progress: an event or the end of a scenario at
    /// least every `limit`.
    pub(super) fn run(&mut self, batch: &[u8], limit: Duration) -> Answer {
        let size = (batch.len() as u32).to_le_bytes();
        // A worker that dies before it starts the batch must not leave the events of the one before.
        let forgotten = self.events.write_all_at(&[0; 8], 8).and_then(|()| self.batch.write_all_at(batch, 0));
        if !self.has_copy {
            self.copies += 1;
            self.has_copy = true;
        }
        let answer = match forgotten.and_then(|()| self.stdin.write_all(&size)) {
            Ok(()) => self.answer(limit + GRACE),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        };
        match answer {
            Ok([COPY_DIED, status]) => {
                self.has_copy = false;
                self.usable = status != 0;
                if self.usable { Answer::Died(from_raw(status as i32)) } else { Answer::NoCopy }
            }
            Ok([_, last]) => {
                self.has_copy = last == 0;
                Answer::Ran
            }
            // It is dying, or has closed its end and goes on. What it left behind may still have its end.
            Err(error) => {
                self.usable = false;
                let grace = if error == RecvTimeoutError::Disconnected { DYING } else { Duration::ZERO };
                self.child.end_within(grace).map_or(Answer::Silent, Answer::Died)
            }
        }
    }

    /// Has the next batch run in a fresh copy; false if only another worker can run it.
    pub(super) fn renew(&mut self) -> bool {
        if self.usable && std::mem::replace(&mut self.has_copy, false) {
            self.usable = self.stdin.write_all(&0u32.to_le_bytes()).is_ok();
        }
        self.usable
    }

    /// How many copies it has made of itself.
    pub(super) fn copies(&self) -> u64 {
        self.copies
    }

    /// True if the next batch runs in the copy that ran the last one.
    pub(super) fn has_copy(&self) -> bool {
        self.has_copy
    }

    fn answer(&mut self, patience: Duration) -> Result<[u32; 2], RecvTimeoutError> {
        let mut before = self.event_bytes().ok();
        loop {
            match self.answers.recv_timeout(patience) {
                Err(RecvTimeoutError::Timeout) => match self.event_bytes().ok() {
                    now if now == before => return Err(RecvTimeoutError::Timeout),
                    now => before = now,
                },
                Err(error) => return Err(error),
                Ok(Word::Answer(answer)) => return Ok(answer),
                // Its last answer may still be on the way.
                Ok(Word::Ended) => {
                    self.child.end();
                    return match self.answers.recv_timeout(GRACE) {
                        Ok(Word::Answer(answer)) => Ok(answer),
                        _ => Err(RecvTimeoutError::Disconnected),
                    };
                }
            }
        }
    }

    fn event_bytes(&self) -> std::io::Result<u64> {
        let mut word = [0; 8];
        self.events.read_exact_at(&mut word, 8)?;
        Ok(u64::from_le_bytes(word))
    }

    /// Reads the events of the last batch, also after the child's death.
    pub(super) fn read_events(&self, bytes: &mut Vec<u8>) -> std::io::Result<()> {
        let mut header = [0; HEADER];
        self.events.read_exact_at(&mut header, 0)?;
        let word = |i: usize| header[8 * i..8 * i + 8].iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b));
        bytes.resize(word(1) as usize / 16 * 16, 0);
        self.events.read_exact_at(bytes, HEADER as u64)
    }

    /// What the copy that died last said about it on standard error, if it said anything that explains it.
    pub(super) fn last_words(&self) -> Option<String> {
        self.complaints.of(self.copies)
    }

    /// What its events show.
    pub(super) fn observes(&self) -> Needs {
        self.observes
    }

    /// The child's process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

/// What keeps an interpreter from loading anything of the user's.
pub(super) fn arguments(interpreter: &Interpreter) -> &'static [&'static str] {
    match (interpreter.sanitized, interpreter.release.major) {
        (true, _) => &["-s", "-S"],
        (false, 2) => &["-E", "-s", "-S"],
        (false, _) => &["-I", "-S"],
    }
}

/// Makes a process load the sanitizers first, and take its objects from `malloc`, which they watch.
fn sanitize(command: &mut Command, memory_bytes: u64) -> Result<(), SetupError> {
    let libraries = sanitizers()?;
    let libraries: Vec<String> = libraries.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PYTHON") {
            command.env_remove(name);
        }
    }
    let memory = match memory_bytes >> 20 {
        0 => String::new(),
        megabytes => format!(":hard_rss_limit_mb={megabytes}"),
    };
    command.env("PYTHONMALLOC", "malloc").env("LD_PRELOAD", libraries.join(" "));
    command.env("ASAN_OPTIONS", format!("detect_leaks=0:abort_on_error=1:allocator_may_return_null=1{memory}"));
    command.env("UBSAN_OPTIONS", "halt_on_error=1:abort_on_error=1:print_summary=1");
    Ok(())
}

/// True if the limit of time ended the process.
pub(super) fn timed_out(status: ExitStatus) -> bool {
    signal(status) == Some(14)
}

/// True if SIGKILL did it: a user, or the system short of memory.
pub(super) fn killed(status: ExitStatus) -> bool {
    signal(status) == Some(9)
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::find::tests::script;
    use super::*;
    use crate::subject::Release;

    /// Why a program is no worker.
    fn refused(text: &str, start: Duration) -> String {
        let (folder, program) = script(text);
        let interpreter = Interpreter::of_release(program, Release::new(3, 13, 0));
        let limits = Limits { start, event_bytes: 1 << 16, ..Limits::default() };
        Worker::start_with(folder.path(), &interpreter, &limits).unwrap_err().to_string()
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_worker_that_never_answers_is_given_up() {
        let said = refused("while :; do :; done", Duration::from_millis(30));
        assert_eq!(said, "python-3.13.0 does not start with the probe: it did not answer within 0.03 s");
    }

    #[test]
    fn a_worker_that_prints_nonsense_is_given_up() {
        let said = refused("while :; do echo again; done", LONG);
        assert_eq!(said, "python-3.13.0 does not start with the probe: its answer means nothing");
    }

    #[test]
    fn a_worker_that_fails_says_why_whoever_has_its_pipes() {
        for rest in ["", "sleep 1000000 &"] {
            let said = refused(&format!("{rest}\necho no such module >&2; exit 1"), LONG);
            assert_eq!(said, "python-3.13.0 does not start with the probe: no such module", "{rest}");
        }
    }
}
