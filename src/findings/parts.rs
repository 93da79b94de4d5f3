//! What the files of a finding are made of: documents with a header, events as lines, digests, counts of objects.

use std::fmt::Write as _;

use crate::event::{Event, Role};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName, print};

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

/// The digest of a scenario's normal form: what findings are the same bug by.
pub fn digest(scenario: &Scenario) -> u64 {
    xxhash_rust::xxh3::xxh3_64(print(scenario).as_bytes())
}

/// A document of a scenario with a header of these fields.
pub(crate) fn document(scenario: &Scenario, fields: Vec<(FieldName, String)>) -> Document {
    let mut document = Document::new(scenario);
    document.fields = fields.into_iter().map(|(name, text)| Field { name, text }).collect();
    document
}

/// Events, one per line.
pub(crate) fn lines(events: &[Event]) -> String {
    events.iter().fold(String::new(), |mut text, event| {
        let _ = writeln!(text, "{event:?}");
        text
    })
}
