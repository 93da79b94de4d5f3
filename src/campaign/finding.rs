//! A finding: the first scenario that showed a kind of violation, reduced.

use std::fmt::Write as _;

use super::Plan;
use super::tally::{First, Key, Verdict};
use crate::event::{Event, Role};
use crate::invariant::Violation;
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName, print};
use crate::shrink::Claim;

/// One kind of violation of one collector, with the scenario that shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What it is.
    pub key: Key,
    /// Which scenario of the campaign showed it.
    pub first: First,
    /// The name of the collector.
    pub collector: String,
    /// A real interpreter confirmed the collector.
    pub verified: bool,
    /// The reduced scenario, in normal form.
    pub scenario: Scenario,
    /// The violation that the reduced scenario shows.
    pub violation: Violation,
    /// The same in words, with the names that the printed scenario has.
    pub sentence: String,
    /// Objects of the reduced scenario: see [`count_objects`].
    pub objects: u32,
    /// How far it is reduced.
    pub claim: Claim,
}

/// How many objects a run created that the scenario names, weak references included and the callbacks of weak
/// references not.
pub fn count_objects(events: &[Event]) -> u32 {
    let mut named = Vec::new();
    for event in events {
        match *event {
            Event::New { object, role, .. } => {
                named.resize(object.index() + 1, false);
                named[object.index()] = role == Role::Named;
            }
            Event::NewWeak { callback: Some(callback), .. } => named[callback.index()] = false,
            _ => {}
        }
    }
    named.iter().filter(|n| **n).count() as u32
}

impl Finding {
    /// The name of its file: what it is, and a digest of the reduced scenario, so that different scenarios do not
    /// replace each other.
    pub fn file_name(&self) -> String {
        let mut name = self.collector.replace(['/', ':'], "-");
        if name.len() > 100 {
            let digest = xxhash_rust::xxh3::xxh3_64(name.as_bytes());
            let end = (0..=100).rev().find(|i| name.is_char_boundary(*i)).unwrap_or(0);
            name.truncate(end);
            let _ = write!(name, "~{:08x}", digest as u32);
        }
        let digest = xxhash_rust::xxh3::xxh3_64(print(&self.scenario).as_bytes());
        let class = self.key.verdict.class().word();
        let phase = self.violation.phase.word().to_lowercase();
        format!("{}-{name}-{class}-{phase}-{:08x}.scn", self.key.invariant.code(), digest as u32)
    }

    /// The text of its file.
    pub fn text(&self, plan: &Plan) -> String {
        let mut document = Document::new(&self.scenario);
        let (invariant, class) = (self.key.invariant, self.key.verdict.class().word());
        let unverified = if self.verified { "" } else { " (unverified)" };
        let fields = [
            (FieldName::Collector, format!("{}{unverified}", self.collector)),
            (FieldName::Invariant, format!("{} {} ({class})", invariant.code(), invariant.name())),
            (FieldName::Note, self.sentence.clone()),
            (FieldName::Minimal, self.claim.to_string()),
            (FieldName::Seed, plan.draw.seed.to_string()),
            (FieldName::Repeat, self.repeat(plan)),
        ];
        document.fields = fields.into_iter().map(|(name, text)| Field { name, text }).collect();
        document.print()
    }

    /// The command that makes the unreduced scenario again and fails.
    pub fn repeat(&self, plan: &Plan) -> String {
        let drawn = plan.draw.options(self.first.scenario);
        format!("coroner run{drawn} --collector {}{}", self.collector, self.strict())
    }

    /// The option that a command needs to fail because of this finding.
    pub fn strict(&self) -> &'static str {
        if self.key.verdict == Verdict::New { "" } else { " --strict" }
    }
}
