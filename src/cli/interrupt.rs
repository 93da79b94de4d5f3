//! Ctrl-C and requests to terminate: the first asks a command for an orderly end, the second ends the process.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a process returns that ends on the second signal: 128 and the number of SIGINT, as shells have it.
const ABANDONED: i32 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on a signal asks for an orderly end instead of ending the process. The flag says whether one has.
///
/// Only commands that look at the flag may call this. Where no handler can be installed, signals go on to end the
/// process.
pub fn watch() -> &'static AtomicBool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let handler = || {
            if ASKED.swap(true, Ordering::Relaxed) {
                std::process::exit(ABANDONED);
            }
        };
        ctrlc::set_handler(handler).is_ok()
    });
    &ASKED
}

/// Says how a campaign goes on that a signal has ended.
pub fn hint() {
    if asked() {
        eprintln!("stopped: the same command with --resume goes on");
    }
}

/// True if a signal has asked for an orderly end.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
