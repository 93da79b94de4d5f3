//! Collectors of the model that run the same scenarios: what a run asked no switch for that two of them have differently, is
//! run once.

use super::collector::{Collector, Row};
use super::machine::Machine;
use crate::event::{Event, EventBuffer, MOST_KEPT};
use crate::scenario::Scenario;
use crate::subject::{At, Declaration, End, Group, Receiver, SetupError, Spec, Subject, Variants};
use crate::supervise::Limits;

/// Collectors of the model, in order.
#[derive(Clone, Debug)]
pub struct Rows {
    collectors: Vec<Collector>,
    declarations: Vec<Declaration>,
}

impl Rows {
    /// These collectors.
    pub fn new(collectors: Vec<Collector>) -> Rows {
        let declarations = collectors.iter().map(Collector::declaration).collect();
        Rows { collectors, declarations }
    }

    /// Every row of the table.
    pub fn all() -> Rows {
        Rows::new(Collector::all())
    }

    /// One collector.
    pub fn one(collector: &Collector) -> Rows {
        Rows::new(vec![collector.clone()])
    }
}

impl Spec for Rows {
    fn declarations(&self) -> &[Declaration] {
        &self.declarations
    }

    fn group(&self) -> Box<dyn Group> {
        let members = self.collectors.iter().map(Member::new).collect();
        Box::new(Running { members, leaders: Vec::with_capacity(self.collectors.len()), events: Vec::new() })
    }

    fn alone(&self, subject: usize) -> Box<dyn Spec> {
        Box::new(Rows::one(&self.collectors[subject]))
    }

    fn subject(&self, subject: usize, _limits: Limits) -> Result<Box<dyn Subject>, SetupError> {
        Ok(Box::new(Machine::new(&self.collectors[subject])))
    }

    fn variants(&self) -> Box<dyn Variants> {
        let row = |collector: &Collector| Row::covering(collector.release).map(Row::collector);
        Box::new(Repaired { rows: self.collectors.iter().map(row).collect(), machines: Vec::new() })
    }
}

/// Rows with switches changed, made when they are asked for.
struct Repaired {
    /// The row of each subject.
    rows: Vec<Option<Collector>>,
    /// Those that were made, each with its subject and its switches.
    machines: Vec<(usize, String, Option<Machine>)>,
}

impl Variants for Repaired {
    fn variant(&mut self, subject: usize, switches: &str) -> Option<&mut dyn Subject> {
        let made = |(of, with, _): &(usize, String, Option<Machine>)| *of == subject && with == switches;
        let at = self.machines.iter().position(made).unwrap_or_else(|| {
            let row = self.rows[subject].as_ref().map(|row| Collector::parse(&format!("{}{switches}", row.name)));
            let machine = row.and_then(Result::ok).map(|collector| Machine::new(&collector));
            self.machines.push((subject, switches.to_owned(), machine));
            self.machines.len() - 1
        });
        self.machines[at].2.as_mut().map(|machine| machine as &mut dyn Subject)
    }
}

/// A collector with its model.
struct Member {
    collector: Collector,
    machine: Machine,
    /// It has run the scenario, and remembers which switches that asked for.
    ran: bool,
    /// It is no row of the table, but a row with switches changed.
    is_variant: bool,
}

impl Member {
    fn new(collector: &Collector) -> Member {
        let row = Row::covering(collector.release);
        Member {
            collector: collector.clone(),
            machine: Machine::new(collector),
            ran: false,
            is_variant: row.is_some_and(|row| row.rules() != collector.rules),
        }
    }

    /// Remembers from now on which switches runs ask for, if it does not since it began with the scenario.
    fn begin(&mut self) -> &mut Member {
        if !std::mem::replace(&mut self.ran, true) {
            self.machine.forget_asked();
        }
        self
    }

    /// True if this collector does what another one did in all its runs of the scenario. Variants share with nobody.
    fn does_the_same_as(&self, other: &Member) -> bool {
        other.ran
            && !self.is_variant
            && !other.is_variant
            && self.collector.rules.agrees(other.collector.rules, other.machine.asked())
    }
}

/// The collectors at work.
struct Running {
    members: Vec<Member>,
    /// Those that ran the scenario themselves, in order.
    leaders: Vec<usize>,
    events: Vec<Event>,
}

impl Group for Running {
    fn run(&mut self, batch: &[&Scenario], to: &mut dyn Receiver) {
        for (scenario, program) in batch.iter().enumerate() {
            self.leaders.clear();
            self.members.iter_mut().for_each(|member| member.ran = false);
            for subject in 0..self.members.len() {
                let at = At { scenario, subject };
                // The last: neighbours have the most in common.
                let same = |leader: &&usize| self.members[subject].does_the_same_as(&self.members[**leader]);
                if let Some(leader) = self.leaders.iter().rev().find(same) {
                    to.ended(at, End::Complete, Some(*leader));
                    continue;
                }
                let Member { machine, collector, .. } = self.members[subject].begin();
                let mut pass = |events: &[Event]| to.events(at, events);
                let mut out = EventBuffer::new(&mut self.events).keep(MOST_KEPT).pass_to(&mut pass);
                machine.run(program, &mut out);
                let is_long = out.finish() > MOST_KEPT as u64;
                to.ended(at, End::Complete, None);
                if is_long {
                    // Let go of the memory: a score of collectors may take turns with a large graph.
                    let asked = machine.asked();
                    *machine = Machine::new(collector);
                    machine.remember_asked(asked);
                }
                self.leaders.push(subject);
            }
        }
    }

    fn one(&mut self, subject: usize) -> Option<&mut dyn Subject> {
        self.members.get_mut(subject).map(|member| &mut member.begin().machine as &mut dyn Subject)
    }

    fn is_alike(&self, subject: usize, other: usize) -> bool {
        self.members[subject].does_the_same_as(&self.members[other])
    }
}
