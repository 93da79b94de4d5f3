//! What a file says about how far it was reduced.

use super::Reduction;
use std::fmt;

/// The `minimal:` line of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Minimality {
    /// `under 23 reductions, 1500 tries`: no reduction of so many families makes the scenario smaller.
    Minimal {
        /// Families of reductions.
        reductions: usize,
        /// Calls of the predicate that the search took.
        tries: u64,
    },
    /// `no, the search stopped after 1500 tries`.
    Stopped {
        /// Calls of the predicate.
        tries: u64,
    },
    /// `no, ` and a reason: the shape says something that a smaller one would not.
    Kept {
        /// Why, in words.
        why: String,
    },
}

impl Minimality {
    /// What a search found out.
    pub fn new(minimal: bool, tries: u64) -> Minimality {
        match minimal {
            true => Minimality::Minimal { reductions: Reduction::ALL.len(), tries },
            false => Minimality::Stopped { tries },
        }
    }

    /// True if no single reduction makes the scenario smaller.
    pub fn is_minimal(&self) -> bool {
        matches!(self, Minimality::Minimal { .. })
    }

    /// Reads the line; `None` if it says something else.
    pub fn parse(text: &str) -> Option<Minimality> {
        if let Some(rest) = text.strip_prefix("under ") {
            let (reductions, rest) = rest.split_once(" reductions, ")?;
            let tries = rest.strip_suffix(" tries")?.parse().ok()?;
            return Some(Minimality::Minimal { reductions: reductions.parse().ok()?, tries });
        }
        let why = text.strip_prefix("no, ")?;
        let stopped = why.strip_prefix("the search stopped after ").and_then(|w| w.strip_suffix(" tries"));
        match stopped.and_then(|tries| tries.parse().ok()) {
            Some(tries) => Some(Minimality::Stopped { tries }),
            None => Some(Minimality::Kept { why: why.to_owned() }),
        }
    }
}

impl fmt::Display for Minimality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Minimality::Minimal { reductions, tries } => write!(f, "under {reductions} reductions, {tries} tries"),
            Minimality::Stopped { tries } => write!(f, "no, the search stopped after {tries} tries"),
            Minimality::Kept { why } => write!(f, "no, {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let claims = [
            Minimality::new(true, 1500),
            Minimality::new(false, 0),
            Minimality::Kept { why: "the chain is the point".to_owned() },
        ];
        for claim in claims {
            assert_eq!(Minimality::parse(&claim.to_string()), Some(claim));
        }
        for nonsense in ["", "yes", "no", "under many reductions, 5 tries", "under 5 reductions"] {
            assert_eq!(Minimality::parse(nonsense), None, "{nonsense}");
        }
    }
}
