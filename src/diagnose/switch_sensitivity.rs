//! Is the comparison able to see a wrong row? Turns over one switch after the other and looks for the scenario that
//! shows it.

use crate::event::{Digest, Event, EventBuffer};
use crate::lockstep::Lockstep;
use crate::lockstep::{Comparison, DifferenceKind};
use crate::lookup::Imitation;
use crate::model::collector::{Collector, Switch, SwitchClass};
use crate::model::machine::Machine;
use crate::model::rows::Rows;
use crate::scenario::Scenario;
use crate::subject::SetupError;
use crate::supervise::Limits;

/// What became of one switch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flip {
    /// With the switch turned over in this row, the interpreter disagrees on this scenario; with the row as it is, it
    /// agrees.
    Caught {
        /// The row.
        row: String,
        /// The interpreter.
        interpreter: String,
        /// The position of the scenario.
        scenario: usize,
        /// How they disagree.
        kind: DifferenceKind,
    },
    /// Scenarios show it on the model, but the interpreter's probe cannot run them, for this reason.
    Unsupported(String),
    /// Scenarios show it on the model, and on the first of them, by its position, the interpreter does not do what the
    /// row does either.
    Disagrees(usize),
    /// No scenario showed it.
    Missed,
    /// No two interpreters at hand differ in it.
    NotSeparated,
}

/// A row with its interpreter, and what the row does with each scenario.
struct Base<'t> {
    target: &'t Imitation,
    lockstep: Option<Lockstep>,
    digests: Vec<u64>,
}

impl Base<'_> {
    fn lockstep(&mut self) -> Result<&mut Lockstep, SetupError> {
        match &mut self.lockstep {
            Some(lockstep) => Ok(lockstep),
            none => {
                let target = self.target.target(String::new());
                Ok(none.insert(Lockstep::new(target.real, target.model.as_ref(), Limits::default())?))
            }
        }
    }
}

/// Turns over each rule in a row on each side of the border that it makes between interpreters, oldest first, and runs
/// the first of the scenarios that show it on the model.
///
/// # Errors
/// [`SetupError`] if an interpreter cannot be set up.
pub fn flip_each_switch(targets: &[Imitation], scenarios: &[Scenario]) -> Result<Vec<(Switch, Flip)>, SetupError> {
    let mut bases: Vec<Base<'_>> = Vec::new();
    for target in targets {
        if bases.iter().all(|b| b.target.collector.rules != target.collector.rules) {
            bases.push(Base { target, lockstep: None, digests: Vec::new() });
        }
    }
    bases.sort_by_key(|b| b.target.collector.release);
    let mut found = Vec::new();
    for switch in Switch::ALL.iter().copied().filter(|s| s.class() == SwitchClass::Rule) {
        let differs = |pair: &[Base<'_>]| {
            let [a, b] = [0, 1].map(|i| pair[i].target.collector.rules.has(switch));
            a != b
        };
        let borders: Vec<usize> = bases.windows(2).enumerate().filter(|(_, p)| differs(p)).map(|(i, _)| i).collect();
        let mut rows: Vec<usize> = borders.iter().flat_map(|i| [*i, i + 1]).collect();
        rows.dedup();
        let mut result = if rows.is_empty() { Flip::NotSeparated } else { Flip::Missed };
        for row in rows {
            match flip(&mut bases[row], switch, scenarios)? {
                Flip::Missed => {}
                flip @ Flip::Caught { .. } => {
                    result = flip;
                    break;
                }
                flip => result = flip,
            }
        }
        found.push((switch, result));
    }
    Ok(found)
}

fn flip(base: &mut Base<'_>, switch: Switch, scenarios: &[Scenario]) -> Result<Flip, SetupError> {
    /// A probe that refuses so many scenarios refuses what shows the switch.
    const REFUSALS: u32 = 200;
    let right = base.target.collector.clone();
    let wrong = Collector { rules: right.rules.flip(switch), ..right.clone() };
    let (mut machine, mut flipped) = (Machine::new(&right), Machine::new(&wrong));
    let mut memory = Vec::new();
    let (mut refused, mut why, mut disagrees) = (0, String::new(), None);
    for (n, scenario) in scenarios.iter().enumerate() {
        if base.digests.len() == n {
            base.digests.push(digest(&mut machine, scenario, &mut memory));
        }
        if base.digests[n] == digest(&mut flipped, scenario, &mut memory) {
            continue;
        }
        let interpreter = base.target.interpreter.name();
        let lockstep = base.lockstep()?;
        lockstep.set_model(&Rows::one(&wrong))?;
        let against_wrong = lockstep.compare(scenario)?;
        if let Comparison::Unsupported(what) = against_wrong {
            (refused, why) = (refused + 1, what);
            if refused >= REFUSALS {
                break;
            }
            continue;
        }
        let Comparison::Different(difference) = lockstep.compare_fresh(scenario)? else { continue };
        lockstep.set_model(&Rows::one(&right))?;
        match lockstep.compare_fresh(scenario)? {
            Comparison::Same | Comparison::Undefined(_) => {
                return Ok(Flip::Caught { row: right.name, interpreter, scenario: n, kind: difference.kind });
            }
            Comparison::Different(_) => disagrees = disagrees.or(Some(n)),
            _ => {}
        }
        // What is undefined on the one may have run in the worker of what is defined on the other.
        lockstep.real().restart();
    }
    Ok(match disagrees {
        Some(n) => Flip::Disagrees(n),
        None if refused > 0 => Flip::Unsupported(why),
        None => Flip::Missed,
    })
}

fn digest(machine: &mut Machine, scenario: &Scenario, memory: &mut Vec<Event>) -> u64 {
    let mut digest = Digest::new();
    let mut take = |events: &[Event]| digest.take(events);
    machine.run(scenario, &mut EventBuffer::new(memory).keep(0).pass_to(&mut take));
    digest.value()
}
