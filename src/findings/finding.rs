//! What is kept of a finding: everything that its files say, so that they can be written again anywhere.

use serde::{Deserialize, Serialize};

use super::counts::First;
use super::parts::digest;
use crate::scenario::text::Document;

/// How far a finding has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Nothing and nobody knows about it.
    New,
    /// The baseline, a regression file, documentation or the class of the violation says what it is.
    Known,
    /// It did not occur again when it was to be reduced.
    Flaky,
    /// It was found and kept, and is not reduced yet.
    Waiting,
    /// Nobody that once showed it does so any more.
    Fixed,
}

impl State {
    /// Every state, in the order of reports.
    pub const ALL: [State; 5] = [State::New, State::Flaky, State::Waiting, State::Known, State::Fixed];

    /// The word in files and reports.
    pub const fn word(self) -> &'static str {
        match self {
            State::New => "NEW",
            State::Known => "KNOWN",
            State::Flaky => "FLAKY",
            State::Waiting => "WAITING",
            State::Fixed => "FIXED",
        }
    }
}

/// What a finding violates: with the reduced scenario, what findings of different subjects are one bug by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct BugSignature {
    /// Code of the invariant, `crash`, or `diff`.
    pub code: String,
    /// Name of the invariant, how the interpreter died, or the kind of difference.
    pub name: String,
    /// Class of the violation; empty if it has none.
    pub class: String,
    /// Phase of the collection; empty if it is not known.
    pub phase: String,
    /// The same in one word, for names of folders.
    pub slug: String,
}

/// A finding.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Which scenario of the campaign it is.
    pub first: First,
    /// What is violated.
    pub what: BugSignature,
    /// Who showed it.
    pub subject: String,
    /// A real interpreter confirmed the subject.
    pub verified: bool,
    /// How far it has come.
    pub state: State,
    /// By what it is known, if it is.
    pub known: Option<String>,
    /// What happened, in one sentence.
    pub sentence: String,
    /// Objects of the reduced scenario: see [`super::count_objects`].
    pub objects: u32,
    /// Operations of the reduced scenario.
    pub operations: usize,
    /// No single reduction makes it smaller.
    pub minimal: bool,
    /// How far it is reduced, in words.
    pub claim: String,
    /// The command that makes the scenario again.
    pub repeat: String,
    /// Digest of the reduced scenario's text, without header.
    pub digest: u64,
    /// The scenario as it was made, as the text of a file.
    pub scenario: String,
    /// The reduced scenario in normal form, as the text of a file.
    pub reduced: String,
    /// The events of the reduced scenario, one per line.
    pub events: String,
    /// What happened in the reduced scenario, and why.
    pub explanation: String,
    /// What else a command has to say, for programs.
    #[serde(default)]
    pub details: serde_json::Map<String, serde_json::Value>,
    /// When it was seen first, in seconds since 1970.
    pub seen_at: u64,
}

impl Finding {
    /// The folder of the bug that this is.
    pub fn folder(&self) -> String {
        format!("{}-{:08x}", self.what.slug, self.digest as u32)
    }

    /// True if it is known whether it occurs again.
    pub fn is_examined(&self) -> bool {
        self.state != State::Waiting
    }

    /// The better of two records of one finding: the one that has come further, seen first.
    pub fn join(&mut self, other: &Finding) {
        let seen_at = self.seen_at.min(other.seen_at);
        if !self.is_examined() && other.is_examined() {
            self.clone_from(other);
        }
        self.seen_at = seen_at;
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A finding that was just made and waits to be reduced; `who` showed it, and whether a real interpreter confirmed that.
pub(crate) fn waiting(
    first: First,
    what: BugSignature,
    who: (String, bool),
    repeat: String,
    document: Document,
) -> Finding {
    let (subject, verified) = who;
    Finding {
        first,
        what,
        subject,
        verified,
        state: State::Waiting,
        known: None,
        sentence: String::new(),
        objects: 0,
        operations: document.scenario.ops().len(),
        minimal: false,
        claim: String::new(),
        repeat,
        digest: digest(&document.scenario),
        scenario: document.print(),
        reduced: String::new(),
        events: String::new(),
        explanation: String::new(),
        details: serde_json::Map::new(),
        seen_at: now(),
    }
}
