//! Where there are no process groups no child is started: nothing could end what it starts itself.

use std::io;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::time::Duration;

/// A child process, of which there is none.
#[derive(Debug)]
pub struct Child {
    none: std::convert::Infallible,
}

impl Child {
    /// Starts nothing.
    ///
    /// # Errors
    /// Always.
    pub fn start(_: &mut Command) -> io::Result<Child> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "interpreters and compilers are run on Unix only"))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        match self.none {}
    }

    /// The end of its standard input.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        match self.none {}
    }

    /// The end of its standard output.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        match self.none {}
    }

    /// The end of its standard error.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        match self.none {}
    }

    /// True if the process has ended.
    pub fn has_ended(&self) -> bool {
        match self.none {}
    }

    /// How the process ended by itself within the time.
    pub fn end_within(&mut self, _: Duration) -> Option<ExitStatus> {
        match self.none {}
    }

    /// Ends the process.
    pub fn end(&mut self) -> Option<ExitStatus> {
        match self.none {}
    }

    /// Calls a function when the process ends.
    pub fn when_ended(&self, _: impl FnOnce() + Send + 'static) {
        match self.none {}
    }
}
