//! How a run ends, and which ends are findings by themselves.

use crate::event::Undefined;

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// With its last event.
    Complete,
    /// In undefined behaviour: nothing after it is judged.
    Undefined(Undefined),
    /// The interpreter died after the last event, while leftovers were dropped.
    Teardown,
    /// The interpreter cannot run the scenario, for this reason.
    Unsupported(String),
    /// The interpreter reached this limit of time or memory.
    Limit(String),
    /// The interpreter died, this way.
    Crashed(String),
}

/// An end that is a finding by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fatal {
    /// The interpreter died.
    Crash,
    /// The interpreter reached a limit.
    Limit,
}

impl Fatal {
    /// The word in names and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Fatal::Crash => "crash",
            Fatal::Limit => "limit",
        }
    }
}

impl End {
    /// What kind of finding it is, if it is one.
    pub const fn fatal(&self) -> Option<Fatal> {
        match self {
            End::Crashed(_) => Some(Fatal::Crash),
            End::Limit(_) => Some(Fatal::Limit),
            _ => None,
        }
    }
}
