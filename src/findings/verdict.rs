//! What a violation means: for the exit code, in tables and in files.

use serde::{Deserialize, Serialize};

use crate::invariant::Class;

/// What a violation means for the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A `collector` violation that is not in the baseline.
    New,
    /// A `collector` violation that is in the baseline.
    Known,
    /// A `type-fault` violation.
    TypeFault,
    /// A `documented` violation.
    Documented,
    /// An `unpromised` violation: it never sets the exit code by itself and is no business of the baseline.
    Unpromised,
}

impl Verdict {
    /// Every verdict: those that say that something is wrong first, that for which nobody can cite a text last.
    pub const ALL: [Verdict; 5] =
        [Verdict::New, Verdict::Known, Verdict::TypeFault, Verdict::Documented, Verdict::Unpromised];

    /// The class of the violation.
    pub const fn class(self) -> Class {
        match self {
            Verdict::New | Verdict::Known => Class::Collector,
            Verdict::TypeFault => Class::TypeFault,
            Verdict::Documented => Class::Documented,
            Verdict::Unpromised => Class::Unpromised,
        }
    }

    /// The mark in tables.
    pub const fn mark(self) -> char {
        match self {
            Verdict::New => 'C',
            Verdict::Known => 'k',
            Verdict::TypeFault => 't',
            Verdict::Documented => 'd',
            Verdict::Unpromised => 'u',
        }
    }

    /// What the mark means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Verdict::New => "collector",
            Verdict::Known => "collector, known (baseline)",
            Verdict::TypeFault => "type-fault",
            Verdict::Documented => "documented",
            Verdict::Unpromised => "unpromised",
        }
    }
}
