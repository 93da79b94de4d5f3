//! Ctrl-C and requests to terminate: the first asks a command for an orderly end, the second ends the process.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::Exit;

/// The signals that end a command early.
const SIGNALS: [(i32, Exit); 3] = [(SIGHUP, Exit::HungUp), (SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)];

/// What the handlers set.
#[derive(Default)]
struct Watch {
    asked: Arc<AtomicBool>,
    /// The number of the signal that came last.
    signal: Arc<AtomicUsize>,
}

static WATCH: OnceLock<Watch> = OnceLock::new();

/// From now on a signal asks for an orderly end instead of ending the process. The flag says whether one has.
///
/// Only commands that look at the flag may call this. Where no handler can be installed, signals go on to end the
/// process.
pub fn watch() -> &'static AtomicBool {
    let watch = WATCH.get_or_init(|| {
        let watch = Watch::default();
        for (signal, exit) in SIGNALS {
            // In this order: the second signal ends the process, the first says which it is before it is heard.
            let _ = flag::register_conditional_shutdown(signal, exit.code().into(), watch.asked.clone());
            let _ = flag::register_usize(signal, watch.signal.clone(), signal as usize);
            let _ = flag::register(signal, watch.asked.clone());
        }
        watch
    });
    &watch.asked
}

/// Says how a campaign goes on that a signal has ended.
pub fn hint() {
    if asked() {
        eprintln!("stopped: the same command with --resume goes on");
    }
}

/// True if a signal has asked for an orderly end.
pub fn asked() -> bool {
    WATCH.get().is_some_and(|watch| watch.asked.load(Ordering::Relaxed))
}

/// The end that a signal has asked for, or, if none has, the one that the command came to.
pub fn exit(otherwise: Exit) -> Exit {
    let Some(watch) = WATCH.get().filter(|_| asked()) else { return otherwise };
    let signal = watch.signal.load(Ordering::Relaxed);
    let found = SIGNALS.iter().find(|(number, _)| *number as usize == signal);
    found.map_or(Exit::Interrupted, |(_, exit)| *exit)
}
