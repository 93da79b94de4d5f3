//! What this program has asked of interpreters: counts that are the same on every machine, as times are not.

use std::sync::atomic::{AtomicU64, Ordering};

static STARTS: AtomicU64 = AtomicU64::new(0);
static COPIES: AtomicU64 = AtomicU64::new(0);
static ROUND_TRIPS: AtomicU64 = AtomicU64::new(0);

/// How often all interpreters together were asked, since this program started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Asked {
    /// Interpreters that were started with the probe, some 12 ms of a processor each.
    pub starts: u64,
    /// Copies of these that ran scenarios, half a millisecond each.
    pub copies: u64,
    /// Batches of scenarios that were sent to one of them and answered.
    pub round_trips: u64,
}

impl Asked {
    /// The counts so far.
    pub fn so_far() -> Asked {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Asked { starts: count(&STARTS), copies: count(&COPIES), round_trips: count(&ROUND_TRIPS) }
    }
}

pub(super) fn count_start() {
    STARTS.fetch_add(1, Ordering::Relaxed);
}

/// Counts a batch, which runs in a fresh copy or not.
pub(super) fn count_round_trip(is_fresh: bool) {
    COPIES.fetch_add(u64::from(is_fresh), Ordering::Relaxed);
    ROUND_TRIPS.fetch_add(1, Ordering::Relaxed);
}
