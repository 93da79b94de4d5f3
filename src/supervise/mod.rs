//! Child processes: the only place where they are started, what they may take, and names that no two of them share.

mod ask;
#[cfg(unix)]
mod child;
#[cfg(not(unix))]
#[path = "no_child.rs"]
mod child;
mod limits;
mod platform;
mod status;

use std::sync::atomic::{AtomicU64, Ordering};

pub use ask::{Asked, Bounds, NoAnswer, ask, attend};
pub use child::Child;
pub use limits::Limits;
pub(crate) use platform::{FileExt, from_raw, signal};
pub(crate) use status::describe;

/// A number that no other call in this process returns.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
