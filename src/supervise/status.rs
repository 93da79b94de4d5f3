//! What became of a process, in words.

use std::process::ExitStatus;

use super::signal;

/// An exit status in words: `signal 11 (SIGSEGV)`, `exit code 1`.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (signal(status), status.code()) {
        (Some(signal), _) => match signal_name(signal) {
            Some(name) => format!("signal {signal} ({name})"),
            None => format!("signal {signal}"),
        },
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => status.to_string(),
    }
}

/// The name of a signal, by the number that it has on this system.
fn signal_name(signal: i32) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use rustix::process::Signal;
        let names = [
            (Signal::ILL, "SIGILL"),
            (Signal::ABORT, "SIGABRT"),
            (Signal::BUS, "SIGBUS"),
            (Signal::FPE, "SIGFPE"),
            (Signal::KILL, "SIGKILL"),
            (Signal::SEGV, "SIGSEGV"),
            (Signal::ALARM, "SIGALRM"),
            (Signal::TERM, "SIGTERM"),
        ];
        names.into_iter().find(|(number, _)| number.as_raw() == signal).map(|(_, name)| name)
    }
    #[cfg(not(unix))]
    {
        let _ = signal;
        None
    }
}
