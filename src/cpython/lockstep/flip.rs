//! Is the comparison able to see a wrong row? Turns over one switch after the other and looks for the scenario that
//! shows it.

use super::difference::{Comparison, Kind};
use super::{Lockstep, Target};
use crate::collector::{Collector, Switch, SwitchClass};
use crate::cpython::{Limits, SetupError};
use crate::event::{Digest, Event};
use crate::generate::Generator;
use crate::run::Machine;
use crate::scenario::Scenario;

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
        /// The number of the scenario.
        scenario: u64,
        /// How they disagree.
        kind: Kind,
    },
    /// Scenarios show it on the model, but the interpreter's probe cannot run them, for this reason.
    Unsupported(String),
    /// No scenario showed it.
    Missed,
    /// No two interpreters at hand differ in it.
    NotSeparated,
}

/// A row with its interpreter, and what the row does with each scenario.
struct Base<'t> {
    target: &'t Target,
    lockstep: Option<Lockstep>,
    digests: Vec<u64>,
}

impl Base<'_> {
    fn lockstep(&mut self) -> Result<&mut Lockstep, SetupError> {
        match &mut self.lockstep {
            Some(lockstep) => Ok(lockstep),
            none => {
                let Target { interpreter, collector } = self.target;
                Ok(none.insert(Lockstep::new(interpreter.clone(), collector, Limits::default())?))
            }
        }
    }
}

/// Turns over each rule in a row on each side of the border that it makes between interpreters, oldest first, and runs
/// the first scenarios, of at most `scenarios`, that show it on the model.
///
/// # Errors
/// [`SetupError`] if an interpreter cannot be set up.
pub fn flip_each_switch(
    targets: &[Target],
    generator: &mut Generator,
    scenarios: u64,
) -> Result<Vec<(Switch, Flip)>, SetupError> {
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
            match flip(&mut bases[row], switch, generator, scenarios)? {
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

fn flip(base: &mut Base<'_>, switch: Switch, generator: &mut Generator, scenarios: u64) -> Result<Flip, SetupError> {
    /// A probe that refuses so many scenarios in a row refuses what shows the switch.
    const REFUSALS: u32 = 200;
    let right = base.target.collector.clone();
    let wrong = Collector { rules: right.rules.flip(switch), ..right.clone() };
    let (mut machine, mut flipped) = (Machine::new(&right), Machine::new(&wrong));
    let (mut scenario, mut events) = (Scenario::new(), Vec::new());
    let mut digest = |machine: &mut Machine, scenario: &Scenario| {
        events.clear();
        machine.run(scenario, &mut events);
        if let Some(Event::Undefined { .. }) = events.last() {
            return None;
        }
        let mut digest = Digest::new();
        events.iter().for_each(|event| crate::event::Sink::event(&mut digest, *event));
        Some(digest.value())
    };
    let mut refused = (0, String::new());
    for n in 0..scenarios {
        generator.fill(n, &mut scenario);
        if base.digests.len() as u64 == n {
            // No stream has the digest 0, short of an accident: such a scenario is left out.
            base.digests.push(digest(&mut machine, &scenario).unwrap_or(0));
        }
        let expected = base.digests[n as usize];
        if expected == 0 || digest(&mut flipped, &scenario).is_none_or(|d| d == expected) {
            continue;
        }
        let lockstep = base.lockstep()?;
        lockstep.set_collector(&wrong);
        let against_wrong = lockstep.compare(&scenario)?;
        lockstep.set_collector(&right);
        match against_wrong {
            Comparison::Different(difference) if lockstep.compare(&scenario)? == Comparison::Same => {
                return Ok(Flip::Caught {
                    row: right.name,
                    interpreter: base.target.interpreter.name(),
                    scenario: n,
                    kind: difference.kind,
                });
            }
            Comparison::Unsupported(what) => refused = (refused.0 + 1, what),
            _ => {}
        }
        if refused.0 >= REFUSALS {
            break;
        }
    }
    Ok(if refused.0 > 0 { Flip::Unsupported(refused.1) } else { Flip::Missed })
}
