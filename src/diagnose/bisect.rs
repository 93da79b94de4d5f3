//! Finds the releases at which the outcome of a scenario changes, and the switch that explains each change.

use crate::event::{Event, record};
use crate::invariant::Phase;
use crate::lockstep::{Comparison, compare};
use crate::lookup::Collectors;
use crate::model::collector::{Collector, Switch};
use crate::model::machine::Machine;
use crate::regression::{Outcome, Runner};
use crate::scenario::text::{Document, Fact};

/// A pair of rows, one after the other, with different outcomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The last row with the old outcome.
    pub before: Collector,
    /// The first row with the new outcome.
    pub after: Collector,
    /// The old outcome.
    pub old: Outcome,
    /// The new outcome.
    pub new: Outcome,
    /// How many events are the same.
    pub at: usize,
    /// The mutator's operation in which the streams differ first.
    pub step: Option<u32>,
    /// The phase of the collection in which they differ first.
    pub phase: Phase,
    /// The first event that differs, on both rows.
    pub events: (Option<Event>, Option<Event>),
    /// Every single switch that gives the new row the old outcome when it is turned over; pairs if no single one
    /// does. Verified in the model.
    pub explained: Vec<Vec<Switch>>,
}

/// What an outcome is compared by: violations without their class, which follows the documentation of a release, and
/// facts.
fn key(outcome: &Outcome) -> (Vec<&str>, &[Fact]) {
    let mut codes: Vec<&str> = outcome.violations.iter().map(|v| v.code.as_str()).collect();
    codes.dedup();
    (codes, &outcome.facts)
}

/// Every change of the outcome from row to row, oldest first.
pub fn bisect(document: &Document) -> Vec<Change> {
    let mut runner = Runner::new(&Collectors);
    let rows = Collector::all();
    let mut run = |collector: &Collector| {
        let events = record(|out| Machine::new(collector).run(&document.scenario, out));
        (runner.outcome_of(document, &collector.declaration(), &events), events)
    };
    let runs: Vec<(Outcome, Vec<Event>)> = rows.iter().map(&mut run).collect();
    let mut changes = Vec::new();
    for (pair, rows) in runs.windows(2).zip(rows.windows(2)) {
        let [(old, old_events), (new, new_events)] = pair else { continue };
        if key(old) == key(new) {
            continue;
        }
        let mut holds = |switches: &[Switch]| {
            let rules = switches.iter().fold(rows[1].rules, |rules, s| rules.flip(*s));
            key(&run(&Collector { rules, ..rows[1].clone() }).0) == key(old)
        };
        let switches: Vec<Switch> = rows[0].rules.difference(rows[1].rules).collect();
        let mut explained: Vec<Vec<Switch>> = switches.iter().map(|s| vec![*s]).filter(|s| holds(s)).collect();
        if explained.is_empty() {
            let pairs = switches.iter().enumerate().flat_map(|(i, a)| switches[i + 1..].iter().map(|b| vec![*a, *b]));
            explained = pairs.filter(|pair| holds(pair)).collect();
        }
        let (at, step, phase) = match compare(old_events, new_events, None) {
            Comparison::Different(d) => (d.at, d.step, d.phase),
            // One stream is the beginning of the other.
            _ => {
                let at = old_events.iter().zip(new_events).take_while(|(a, b)| a == b).count();
                let crate::event::Place { step, phase, .. } = crate::event::Place::after(&old_events[..at]);
                (at, step, phase)
            }
        };
        changes.push(Change {
            before: rows[0].clone(),
            after: rows[1].clone(),
            old: old.clone(),
            new: new.clone(),
            at,
            step,
            phase,
            events: (old_events.get(at).copied(), new_events.get(at).copied()),
            explained,
        });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::text;

    fn changes(source: &str) -> Vec<(String, Vec<Vec<Switch>>)> {
        let document = text::parse(source).unwrap();
        bisect(&document).into_iter().map(|c| (c.after.name, c.explained)).collect()
    }

    #[test]
    fn bpo_38006_is_explained_by_the_switch_that_fixed_it() {
        let source = include_str!("../../regressions/C01-bpo-38006.scn");
        let found = changes(source);
        let (_, explained) = found.iter().find(|(row, _)| row == "cpython-3.8.0").unwrap();
        assert!(explained.contains(&vec![Switch::ClearTrashWeakrefs]), "{found:?}");
    }

    #[test]
    fn what_is_the_same_everywhere_has_no_change() {
        assert_eq!(changes("coroner 1\na = Node()\ndel a\n"), []);
    }
}
