//! The controls: types with one planted fault each, and types without, as `cpython/audit/controls/controls.c` has them.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::Outcome;
use super::words::Fault;
use crate::subject::Release;

/// The types of the controls: name, the fault, and the first release of which that is a fault.
pub const CONTROLS: &[(&str, Option<Fault>, u8)] = &[
    ("Plain", None, 0),
    ("Vector", None, 0),
    ("Borrowed", None, 0),
    ("Registered", None, 0),
    ("Ring", None, 0),
    ("Weakly", None, 0),
    ("Heap", None, 0),
    ("Text", None, 0),
    ("Numbers", None, 0),
    ("Twice", None, 0),
    ("Spare", None, 0),
    ("Finalizer", None, 0),
    ("HideMember", Some(Fault::Hide), 0),
    ("HideBlock", Some(Fault::Hide), 0),
    ("HideTagged", Some(Fault::Hide), 0),
    ("HideList", Some(Fault::Hide), 0),
    ("HideSecond", Some(Fault::Hide), 0),
    ("HideFinalizer", Some(Fault::Hide), 0),
    ("NoGc", Some(Fault::NoGc), 0),
    ("NoGcHeap", Some(Fault::NoGc), 0),
    ("OverReport", Some(Fault::OverReport), 0),
    ("Fickle", Some(Fault::Unstable), 0),
    ("TypeNotVisited", Some(Fault::Type), 9),
    ("TypeNotReleased", Some(Fault::KeepsType), 8),
    ("DropsTwice", Some(Fault::DoubleRelease), 0),
    ("ClearsAndDrops", Some(Fault::DoubleRelease), 0),
    ("VisitsAfterClear", Some(Fault::VisitsAfterClear), 0),
    ("NoUntrack", Some(Fault::Untrack), 0),
    ("NoUntrackFree", Some(Fault::Untrack), 0),
    ("LateUntrack", Some(Fault::LateUntrack), 0),
    ("Weakrefs", Some(Fault::Weakrefs), 0),
    ("DeallocLeaks", Some(Fault::DeallocLeaks), 0),
    ("CrashAfterClear", Some(Fault::ClearCrash), 0),
    ("Untracked", Some(Fault::Untracked), 0),
    ("SpareUntracked", Some(Fault::Untracked), 0),
];

/// What became of the controls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// Types of which exactly what is planted was found.
    pub right: usize,
    /// All types.
    pub all: usize,
    /// The others, each in a sentence.
    pub wrong: Vec<String>,
}

/// Compares what was found with what is planted. A fault of no consequence is none: only what is printed by default, and the
/// words about types, count.
pub fn check(outcome: &Outcome, release: Release) -> Checked {
    let mut found: BTreeMap<&str, BTreeSet<Fault>> = BTreeMap::new();
    for finding in &outcome.findings {
        let name = finding.type_name.trim_start_matches("coroner_controls.");
        let is_about_types = matches!(finding.fault, Fault::Type | Fault::KeepsType);
        if finding.severity.counts() || is_about_types {
            found.entry(name).or_default().insert(finding.fault);
        }
    }
    let mut checked = Checked { all: CONTROLS.len(), ..Checked::default() };
    let words = |faults: &BTreeSet<Fault>| match faults.is_empty() {
        true => "nothing".to_owned(),
        false => faults.iter().map(|fault| fault.word()).collect::<Vec<_>>().join(", "),
    };
    for (name, planted, since) in CONTROLS {
        let planted: BTreeSet<Fault> =
            planted.iter().copied().filter(|_| release >= Release::new(3, *since, 0)).collect();
        let seen = found.remove(name).unwrap_or_default();
        let is_seen = !outcome.not_seen.iter().any(|n| n.ends_with(&format!(".{name}")));
        if seen == planted && is_seen {
            checked.right += 1;
        } else {
            checked.wrong.push(format!("{name}: {} is planted, {} was found", words(&planted), words(&seen)));
        }
    }
    checked.wrong.extend(found.iter().map(|(name, faults)| format!("{name}: no control, {}", words(faults))));
    checked
}
