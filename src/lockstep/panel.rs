//! The models of several targets on a batch of scenarios: what does the same is run once.

use std::ops::Range;

use crate::event::Event;
use crate::scenario::Scenario;
use crate::subject::{At, End, Group, Receiver, Spec};

/// How many events of a batch are kept, 16 MiB of them. What has no room is run again by whom it concerns.
const MOST: usize = 1 << 20;

/// The models at work, and what they did last.
pub(super) struct Panel {
    group: Box<dyn Group>,
    subjects: usize,
    events: Vec<Event>,
    /// Where the events of each run are, by scenario and subject; nothing if they are not kept.
    runs: Vec<Option<Range<usize>>>,
}

impl Panel {
    pub(super) fn new(models: &dyn Spec) -> Panel {
        Panel { group: models.group(), subjects: models.declarations().len(), events: Vec::new(), runs: Vec::new() }
    }

    /// Runs scenarios on every model.
    pub(super) fn run(&mut self, scenarios: &[Scenario]) {
        let Panel { group, subjects, events, runs } = self;
        events.clear();
        runs.clear();
        runs.resize(scenarios.len() * *subjects, None);
        let batch: Vec<&Scenario> = scenarios.iter().collect();
        group.run(&batch, &mut Keeping { subjects: *subjects, events, runs, slices: 0 });
    }

    /// All events of a model's run of a scenario of the last batch, if they are kept.
    pub(super) fn events(&self, scenario: usize, subject: usize) -> Option<&[Event]> {
        self.runs[scenario * self.subjects + subject].clone().map(|run| &self.events[run])
    }
}

/// Takes the runs.
struct Keeping<'p> {
    subjects: usize,
    events: &'p mut Vec<Event>,
    runs: &'p mut [Option<Range<usize>>],
    /// How many slices of the present run have come.
    slices: u32,
}

impl Keeping<'_> {
    fn run(&mut self, at: At) -> &mut Option<Range<usize>> {
        &mut self.runs[at.scenario * self.subjects + at.subject]
    }
}

impl Receiver for Keeping<'_> {
    fn events(&mut self, at: At, events: &[Event]) {
        self.slices += 1;
        let from = self.events.len();
        // A long run comes in several slices, the first of which is in vain.
        let first = self.run(at).take().filter(|_| self.slices > 1);
        self.events.truncate(first.map_or(from, |first| first.start));
        let has_room = self.slices == 1 && from + events.len() <= MOST;
        let range = has_room.then_some(from..from + events.len());
        if has_room {
            self.events.extend_from_slice(events);
        }
        *self.run(at) = range;
    }

    fn ended(&mut self, at: At, _end: End, same_as: Option<usize>) {
        self.slices = 0;
        if let Some(other) = same_as {
            *self.run(at) = self.run(At { subject: other, ..at }).clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::record;
    use crate::generate::{Generator, Profile, Seed, Size};
    use crate::model::collector::Collector;
    use crate::model::machine::Machine;
    use crate::model::rows::Rows;

    #[test]
    fn a_panel_says_of_each_row_what_it_does_alone() {
        let collectors = Collector::all();
        let mut panel = Panel::new(&Rows::new(collectors.clone()));
        let mut generator = Generator::new(Seed::from(3), Profile::named("default").unwrap(), Size::Small);
        for from in [0, 40] {
            let mut batch: Vec<Scenario> = (from..from + 40).map(|n| generator.make(n)).collect();
            let long = "coroner 1\na = ring(300_000, Node())\ndel a\n";
            batch.push(crate::scenario::text::parse(long).unwrap().scenario);
            panel.run(&batch);
            for (subject, collector) in collectors.iter().enumerate() {
                let mut machine = Machine::new(collector);
                for (number, scenario) in batch.iter().enumerate().take(40) {
                    let alone = record(|out| machine.run(scenario, out));
                    assert_eq!(panel.events(number, subject), Some(&alone[..]), "{} {number}", collector.name);
                }
                assert_eq!(panel.events(40, subject), None, "a long run is not kept");
            }
            // Rows that do the same share their events.
            let kept: usize = (0..40)
                .flat_map(|n| (0..18).map(move |s| (n, s)))
                .map(|(n, s)| panel.events(n, s).unwrap().len())
                .sum();
            assert!(panel.events.len() * 2 < kept, "{} of {kept}", panel.events.len());
        }
    }
}
