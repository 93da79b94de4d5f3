//! A child process with a process group of its own, which ends with it.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long a process that was sent SIGKILL may take to end; one that waits for a device may take for ever.
const DYING: Duration = Duration::from_secs(5);

/// A child process. When it is ended or dropped, so is every process of its group: what it started itself, as far as
/// that did not leave the group.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    group: Pid,
    /// It was waited for: its number may be another process's by now.
    ended: bool,
    status: Option<ExitStatus>,
}

impl Child {
    /// Starts a command, with the pipes that it asks for.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Child> {
        let child = command.process_group(0).spawn()?;
        let group = Pid::from_child(&child);
        Ok(Child { child, group, ended: false, status: None })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of its standard input, once, if it was asked for.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The end of its standard output, once, if it was asked for.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The end of its standard error, once, if it was asked for.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// True if the process has ended, whatever became of those that it started.
    pub fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        self.ended || !matches!(waitid(WaitId::Pid(self.group), options), Ok(None))
    }

    /// Waits for so long, then ends what is left of the group: how the process ended by itself, or nothing if it did
    /// not.
    pub fn end_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let by_itself = self.has_ended() || self.watched().recv_timeout(time).is_ok();
        let status = self.end();
        status.filter(|_| by_itself)
    }

    /// Ends the group and waits for the process: how it ended, or nothing if the system does not let it go.
    pub fn end(&mut self) -> Option<ExitStatus> {
        if !self.ended {
            // Before it is waited for: until then nobody else has the number of the group.
            let _ = kill_process_group(self.group, Signal::KILL);
            if self.has_ended() || self.watched().recv_timeout(DYING).is_ok() {
                self.status = self.child.wait().ok();
                self.ended = true;
            }
        }
        self.status
    }

    /// Hears when the process ends.
    fn watched(&self) -> Receiver<()> {
        let (send, ended) = sync_channel(1);
        self.when_ended(move || _ = send.send(()));
        ended
    }

    /// Calls a function when the process ends, whatever became of those that it started. It is still to be waited for.
    pub fn when_ended(&self, tell: impl FnOnce() + Send + 'static) {
        let id = self.group;
        std::thread::spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(id), options), Err(Errno::INTR)) {}
            tell();
        });
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
