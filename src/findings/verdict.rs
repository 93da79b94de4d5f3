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
}

impl Verdict {
    /// Every verdict, the most serious first.
    pub const ALL: [Verdict; 4] = [Verdict::New, Verdict::Known, Verdict::TypeFault, Verdict::Documented];

    /// The class of the violation.
    pub const fn class(self) -> Class {
        match self {
            Verdict::New | Verdict::Known => Class::Collector,
            Verdict::TypeFault => Class::TypeFault,
            Verdict::Documented => Class::Documented,
        }
    }

    /// The mark in tables.
    pub const fn mark(self) -> char {
        match self {
            Verdict::New => 'C',
            Verdict::Known => 'k',
            Verdict::TypeFault => 't',
            Verdict::Documented => 'd',
        }
    }

    /// What the mark means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Verdict::New => "collector",
            Verdict::Known => "collector, known (baseline)",
            Verdict::TypeFault => "type-fault",
            Verdict::Documented => "documented",
        }
    }
}
