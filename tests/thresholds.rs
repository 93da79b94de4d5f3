//! Rows D14 to D17 and I20 of the behaviour table: when automatic collections start, and of which generation.

use coroner::event::{Event, record};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::text;

/// Enables automatic collection with these thresholds, then creates so many objects that all live.
fn events(collector: &str, thresholds: &str, objects: usize) -> Vec<Event> {
    let mut source = format!("coroner 1\ngc.set_threshold({thresholds})\ngc.enable()\n");
    for n in 0..objects {
        source.push_str(&format!("v{n} = Node()\n"));
    }
    let document = text::parse(&source).expect("the text is valid");
    record(|out| Machine::new(&Collector::parse(collector).expect("a row")).run(&document.scenario, out))
}

fn generations(events: &[Event]) -> String {
    let started = events.iter().filter_map(|e| match e {
        Event::CollectStart { generation, automatic: true } => Some(char::from(b'0' + generation)),
        _ => None,
    });
    started.collect()
}

const INSIDE: [&str; 7] = [
    "cpython-2.7.18",
    "cpython-3.6.15",
    "cpython-3.7.16",
    "cpython-3.8.18",
    "cpython-3.9.18",
    "cpython-3.10.13",
    "cpython-3.11.7",
];
const AFTER: [&str; 4] = ["cpython-3.12.1", "cpython-3.13.0", "cpython-3.14.10", "cpython-3.15.2"];

#[test]
fn the_51st_object_starts_a_collection_with_threshold_50() {
    for (collectors, before) in [(&INSIDE[..], 50), (&AFTER[..], 51)] {
        for collector in collectors {
            let events = events(collector, "50, 1000, 1000", 60);
            let start = events.iter().position(|e| matches!(e, Event::CollectStart { .. })).expect("a collection");
            let created = events[..start].iter().filter(|e| matches!(e, Event::New { .. })).count();
            assert_eq!(created, before, "rows D14, D15, D15b on {collector}");
        }
    }
}

#[test]
fn generations_follow_the_table() {
    for collector in INSIDE.iter().chain(&AFTER).skip(2) {
        let sequence = generations(&events(collector, "20, 2, 2", 400));
        assert_eq!(sequence.get(..16), Some("0001000100012000"), "row I20 on {collector}");
    }
}

#[test]
fn a_threshold_of_zero_disables_automatic_collection() {
    for collector in INSIDE.iter().chain(&AFTER) {
        assert_eq!(generations(&events(collector, "0, 10, 10", 1000)), "", "row D17 on {collector}");
    }
}
