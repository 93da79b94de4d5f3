//! Commands that are run for what they print, and for no longer than they may.

use std::io::{self, Read};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::Child;

/// How long pipes of a process that has ended may stay open: a process that left its group may have them.
const OPEN: Duration = Duration::from_secs(1);
/// How often it is looked whether a command in the foreground has ended, or is to be ended.
const LOOK: Duration = Duration::from_millis(50);

/// What a command may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Time until it has ended.
    pub time: Duration,
    /// Bytes that it may write, to standard output and to standard error each.
    pub output: usize,
}

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// It could not be started.
    #[error(transparent)]
    Start(io::Error),
    /// It did not end in time.
    #[error("it did not end within {}", humantime::format_duration(*.0))]
    Time(Duration),
    /// It wrote too much.
    #[error("it wrote more than {0} bytes")]
    Output(usize),
    /// The system does not tell how it ended.
    #[error("it does not end")]
    Unending,
}

impl NoAnswer {
    /// True if the command was started, and reached a limit.
    pub fn is_limit(&self) -> bool {
        !matches!(self, NoAnswer::Start(_))
    }
}

/// Runs a command to its end, with nothing to read.
///
/// # Errors
/// [`NoAnswer`] if it cannot be started or reaches a limit. Nothing of its process group is left then.
pub fn ask(command: &mut Command, bounds: Bounds) -> Result<Output, NoAnswer> {
    Asked::start(command)?.answer(bounds)
}

/// A command that runs.
#[derive(Debug)]
pub struct Asked {
    child: Child,
    messages: Receiver<Message>,
    started: Instant,
}

#[derive(Debug)]
enum Message {
    /// More of standard output (0) or standard error (1).
    Part(usize, Vec<u8>),
    /// One of the two has ended.
    Closed,
    /// The process has ended.
    Ended,
}

impl Asked {
    /// Starts a command, with nothing to read.
    ///
    /// # Errors
    /// [`NoAnswer::Start`].
    pub fn start(command: &mut Command) -> Result<Asked, NoAnswer> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::start(command).map_err(NoAnswer::Start)?;
        // Few parts at a time: one that prints for ever is stopped by the pipe.
        let (send, messages) = sync_channel(4);
        if let (Some(out), Some(err)) = (child.take_stdout(), child.take_stderr()) {
            let (first, second) = (send.clone(), send.clone());
            std::thread::spawn(move || forward(out, 0, &first));
            std::thread::spawn(move || forward(err, 1, &second));
        }
        child.when_ended(move || _ = send.send(Message::Ended));
        Ok(Asked { child, messages, started: Instant::now() })
    }

    /// What it printed and how it ended. The time counts from its start.
    ///
    /// # Errors
    /// [`NoAnswer`] if it reaches a limit.
    pub fn answer(mut self, bounds: Bounds) -> Result<Output, NoAnswer> {
        let mut texts = [Vec::new(), Vec::new()];
        let (mut open, mut status): (usize, Option<ExitStatus>) = (2, None);
        let mut deadline = self.started.checked_add(bounds.time);
        while open > 0 || status.is_none() {
            let left = deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            match self.messages.recv_timeout(left) {
                Ok(Message::Part(which, part)) => {
                    texts[which].extend_from_slice(&part);
                    if texts[which].len() > bounds.output {
                        return Err(NoAnswer::Output(bounds.output));
                    }
                }
                Ok(Message::Closed) => open -= 1,
                Ok(Message::Ended) => {
                    // What it started and left behind is not waited for.
                    status = Some(self.child.end().ok_or(NoAnswer::Unending)?);
                    deadline = Some(Instant::now() + OPEN);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) if status.is_some() => break,
                Err(_) => return Err(NoAnswer::Time(bounds.time)),
            }
        }
        let [stdout, stderr] = texts;
        status.map(|status| Output { status, stdout, stderr }).ok_or(NoAnswer::Unending)
    }
}

/// Sends what a pipe has until it ends or nobody listens.
fn forward(mut pipe: impl Read, which: usize, send: &SyncSender<Message>) {
    let mut buffer = [0; 8192];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) if send.send(Message::Part(which, buffer[..count].to_vec())).is_err() => return,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
            _ => {}
        }
    }
    let _ = send.send(Message::Closed);
}

/// Runs a command in the foreground, as the user would: it has this process's terminal and group, so that Ctrl-C
/// reaches it, and no limit but the user's patience and the bounds among its own arguments. It is killed once `stop` says so.
///
/// # Errors
/// If it cannot be started or waited for.
pub fn attend(command: &mut Command, stop: &dyn Fn() -> bool) -> io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if stop() {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A shell script with these bounds; none of these tests waits for the time of the first.
    fn shell(script: &str, bounds: Bounds) -> Result<Output, NoAnswer> {
        ask(Command::new("/bin/sh").args(["-c", script]), bounds)
    }

    const LONG: Bounds = Bounds { time: Duration::from_secs(3600), output: 1 << 16 };
    const SHORT: Bounds = Bounds { time: Duration::from_millis(50), ..LONG };

    /// True if no process of the group is left, or what is left are zombies that others have to wait for.
    fn is_gone(id: u32) -> bool {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { return true };
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'))
    }

    /// Waits as long as it takes.
    fn wait_until_gone(id: u32) {
        while !is_gone(id) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn an_answer_has_both_texts_and_the_status() {
        let output = shell("echo out; echo err >&2; exit 3", LONG).unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn what_never_ends_is_stopped() {
        assert!(matches!(shell("while :; do :; done", SHORT), Err(NoAnswer::Time(time)) if time == SHORT.time));
        assert!(matches!(shell("exec sleep 1000000", SHORT), Err(NoAnswer::Time(_))));
        // Its pipes are closed, and it goes on.
        assert!(matches!(shell("exec >&- 2>&-; while :; do :; done", SHORT), Err(NoAnswer::Time(_))));
    }

    #[test]
    fn what_prints_for_ever_is_stopped_at_the_limit() {
        for redirect in ["", ">&2"] {
            let script = format!("while :; do echo again {redirect}; done");
            assert!(matches!(shell(&script, LONG), Err(NoAnswer::Output(size)) if size == LONG.output));
        }
    }

    #[test]
    fn a_grandchild_with_the_pipes_is_not_waited_for_and_ends_too() {
        let output = shell("sleep 1000000 & echo $!", LONG).unwrap();
        let id = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        wait_until_gone(id);
    }

    #[test]
    fn the_whole_group_ends_at_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("id");
        let script = format!("sleep 1000000 & echo $! > {}; yes", file.display());
        assert!(matches!(shell(&script, LONG), Err(NoAnswer::Output(_))));
        wait_until_gone(std::fs::read_to_string(file).unwrap().trim().parse().unwrap());
    }

    #[test]
    fn what_cannot_be_started_reached_no_limit() {
        let error = ask(&mut Command::new("/nowhere/at/all"), LONG).unwrap_err();
        assert!(matches!(error, NoAnswer::Start(_)) && !error.is_limit());
    }
}
