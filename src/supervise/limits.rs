//! What a child process may take.

use std::time::Duration;

/// Bounds for a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Size of the file for events; one scenario has at least half of it. An event takes 16 bytes.
    pub event_bytes: u64,
    /// Address space of the process; 0 means no limit.
    pub memory_bytes: u64,
    /// Stack of the thread that runs the scenarios.
    pub stack_bytes: u64,
    /// Time for a process to start, until it is ready for the first scenario: a moment, but many on a loaded machine.
    pub start: Duration,
    /// Time for one scenario.
    pub scenario: Duration,
    /// A process is replaced after this many scenarios.
    pub recycle_after: u32,
}

impl Limits {
    /// Of the candidates tried while a scenario that reaches a limit is reduced, so many may reach it: each takes that
    /// long.
    pub const SLOW_CANDIDATES: u64 = 50;

    /// The events of one scenario that there may be room for: none after them is ever compared.
    pub fn events(&self) -> usize {
        (self.event_bytes / 16) as usize
    }

    /// The bounds for such candidates: a part of the time, still thousands of times what most scenarios need.
    pub fn hurried(self) -> Limits {
        Limits { scenario: (self.scenario / 20).max(Duration::from_millis(20)), ..self }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            event_bytes: 64 << 20,
            memory_bytes: 4 << 30,
            stack_bytes: 256 << 20,
            start: Duration::from_secs(30),
            scenario: Duration::from_secs(5),
            recycle_after: 10_000,
        }
    }
}
