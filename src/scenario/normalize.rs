//! The one form of a scenario that is stored and printed.
//!
//! Normalization looks at the operations only; it runs nothing. It removes what can never have an effect, drops
//! what a shape ignores, and gives scripts and variables the numbers of their first use. Two scenarios that differ in
//! such things only become equal, and normalizing twice is normalizing once.
//!
//! An operation is *viable* if its operands may exist: a variable may hold something only if a viable operation of a
//! body that may run stores to it, and a script may run only if a viable operation names it. The smallest such sets
//! are computed by iteration; everything outside goes.

use super::{Base, MAX_OPS, MAX_SCRIPTS, MAX_VARS, Op, Operand, Place, Scenario, ScriptId, Shape, Stands};

/// Highest count of a [`Op::Build`].
pub const MAX_COUNT: u32 = 0xff_ffff;

/// A normalized scenario, and where each part of it was in the original.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Normalized {
    /// The result.
    pub scenario: Scenario,
    /// For each operation of the result, its index among the operations of the original.
    pub ops: Vec<u32>,
    /// For each variable of the result, its number in the original.
    pub vars: Vec<u16>,
    /// For each script of the result, its number in the original.
    pub scripts: Vec<ScriptId>,
}

impl Scenario {
    /// The normal form of this scenario.
    pub fn normalize(&self) -> Scenario {
        self.normalize_traced().scenario
    }

    /// The normal form of this scenario, and where its parts come from.
    pub fn normalize_traced(&self) -> Normalized {
        Analysis::of(self).build()
    }
}

/// What may exist, as far as it is known.
struct Analysis<'a> {
    scenario: &'a Scenario,
    scripts: usize,
    /// Variables that may hold something.
    live: Vec<bool>,
    /// Scripts that may run.
    used: Vec<bool>,
    /// Scripts that may run as part of the mutator's body, where `raise` has no effect and `repeat` and
    /// `iterate` have one.
    inlined: Vec<bool>,
    /// Scripts with an operation that is viable as part of the mutator's body.
    effective: Vec<bool>,
    changed: bool,
}

impl<'a> Analysis<'a> {
    fn of(scenario: &'a Scenario) -> Analysis<'a> {
        let scripts = scenario.scripts().min(MAX_SCRIPTS);
        let mut analysis = Analysis {
            scenario,
            scripts,
            live: vec![false; MAX_VARS as usize],
            used: vec![false; scripts],
            inlined: vec![false; scripts],
            effective: vec![false; scripts],
            changed: true,
        };
        while analysis.changed {
            analysis.changed = false;
            analysis.pass();
        }
        analysis
    }

    fn pass(&mut self) {
        for body in 0..self.scripts + 1 {
            let may_run = body == 0 || self.used[body - 1];
            for index in self.range(body) {
                let op = self.scenario.ops[index];
                if body > 0 && !self.effective[body - 1] && self.rewrite(op, body, true).is_some() {
                    mark(&mut self.effective, body - 1, &mut self.changed);
                }
                if !may_run && self.effective[body - 1] {
                    break;
                }
                let Some(op) = self.rewrite(op, body, self.in_mutator(body)).filter(|_| may_run) else { continue };
                if self.note(op, body) {
                    break;
                }
            }
        }
    }

    /// True if the body may run as part of the mutator's.
    fn in_mutator(&self, body: usize) -> bool {
        body == 0 || self.inlined[body - 1]
    }

    /// The operations of a body that count: those beyond the limit do not exist.
    fn range(&self, body: usize) -> std::ops::Range<usize> {
        let range = self.scenario.range(body);
        range.start.min(MAX_OPS)..range.end.min(MAX_OPS)
    }

    /// Records what a viable operation brings about; true if the body ends with it.
    fn note(&mut self, mut op: Op, body: usize) -> bool {
        let in_mutator = self.in_mutator(body);
        op.for_each_operand(|operand| match operand {
            Operand::Target(place) | Operand::Assigned(place) => {
                if let Base::Var(var) = place.base {
                    mark(&mut self.live, var as usize, &mut self.changed);
                }
            }
            Operand::Kind(kind) | Operand::Graph(kind) => kind.map_scripts(|script| {
                mark(&mut self.used, script.0 as usize, &mut self.changed);
                Some(script)
            }),
            Operand::Body(script) => {
                mark(&mut self.used, script.0 as usize, &mut self.changed);
                mark(&mut self.inlined, script.0 as usize, &mut self.changed);
            }
            _ => {}
        });
        op == Op::Raise && !in_mutator
    }

    /// The place, or nothing if nothing can be there.
    fn source(&self, place: Place, body: usize) -> Place {
        let exists = match place.base {
            Base::Nothing => false,
            Base::Var(var) => var < MAX_VARS && self.live[var as usize],
            Base::Owner | Base::Arg => body > 0,
        };
        if exists { place } else { Place::NOTHING }
    }

    /// The place as a target of something that is created or read. `self` and `arg` themselves cannot be assigned.
    fn destination(&self, place: Place, body: usize) -> Place {
        match place.base {
            Base::Var(var) if var < MAX_VARS && place.path().is_empty() => place,
            Base::Owner | Base::Arg if place.path().is_empty() => Place::NOTHING,
            _ => self.source(place, body),
        }
    }

    /// The operation in normal form but for numbers, or `None` if it cannot have an effect.
    ///
    /// `in_mutator`: the body may run as part of the mutator's.
    fn rewrite(&self, mut op: Op, body: usize, in_mutator: bool) -> Option<Op> {
        match op.operation().stands {
            Stands::Scripts if body == 0 => return None,
            Stands::Main if !in_mutator => return None,
            _ => {}
        }
        let existing = |script: ScriptId| Some(script).filter(|s| (s.0 as usize) < self.scripts);
        let mut shape = None;
        let viable = op.operands(|operand| {
            let viable = match operand {
                Operand::Target(place) | Operand::Assigned(place) => {
                    *place = self.destination(*place, body);
                    true
                }
                Operand::Source(place) => {
                    *place = self.source(*place, body);
                    true
                }
                Operand::Object(place) => {
                    *place = self.source(*place, body);
                    !place.is_nothing()
                }
                Operand::Kind(kind) => {
                    *kind = kind.canonical();
                    kind.map_scripts(existing);
                    shape = Some(kind.shape);
                    true
                }
                Operand::Graph(kind) => {
                    *kind = kind.canonical();
                    kind.map_scripts(existing);
                    kind.shape.is_extension()
                }
                Operand::Items(items) => {
                    *items = items.map(|item| self.source(item, body));
                    shape.is_none_or(|shape| settle_items(items, shape))
                }
                Operand::Count(count) => {
                    *count = (*count).clamp(1, MAX_COUNT);
                    true
                }
                Operand::Generation(generation) => {
                    *generation = (*generation).min(2);
                    true
                }
                Operand::Times(times) => *times > 0,
                Operand::Body(script) => existing(*script).is_some(),
                Operand::Bulk(_) | Operand::Allocation(_) | Operand::Thresholds(_) | Operand::SaveAll(_) => true,
            };
            if viable { Ok(()) } else { Err(()) }
        });
        viable.ok()?;
        let viable = match &mut op {
            Op::Set { dst, src } => {
                if src.is_nothing() && !mutant!(NormalizerKeepsVainDrops) {
                    *dst = self.source(*dst, body);
                }
                !dst.is_nothing()
            }
            Op::CollectAtAllocation { after: 0, generation } if !mutant!(NormalizerKeepsIdleGeneration) => {
                *generation = 0;
                true
            }
            Op::Repeat { .. } if mutant!(NormalizerKeepsVainRepeats) => true,
            Op::Repeat { script, .. } => self.effective[script.0 as usize],
            _ => true,
        };
        viable.then_some(op)
    }

    /// Puts the viable operations together and renumbers.
    fn build(&self) -> Normalized {
        let mut result =
            Normalized { scenario: Scenario::new(), ops: Vec::new(), vars: Vec::new(), scripts: Vec::new() };
        let mut script_numbers = vec![None; self.scripts];
        let mut var_numbers = vec![None; MAX_VARS as usize];
        let mut done = 0;
        while done <= result.scripts.len() {
            let body = if done == 0 { 0 } else { result.scripts[done - 1].0 as usize + 1 };
            result.scenario.start_body();
            for index in self.range(body) {
                let op = self.scenario.ops[index];
                let Some(mut op) = self.rewrite(op, body, self.in_mutator(body)) else { continue };
                op.map_scripts(|script| {
                    let number = script_numbers[script.0 as usize].get_or_insert_with(|| {
                        result.scripts.push(script);
                        ScriptId((result.scripts.len() - 1) as u8)
                    });
                    Some(*number)
                });
                op.for_each_place(|place| {
                    if let Base::Var(var) = &mut place.base {
                        *var = *var_numbers[*var as usize].get_or_insert_with(|| {
                            result.vars.push(*var);
                            (result.vars.len() - 1) as u16
                        });
                    }
                });
                result.scenario.push(op);
                result.ops.push(index as u32);
                if op == Op::Raise && !self.in_mutator(body) && !mutant!(NormalizerGoesOnAfterRaise) {
                    break;
                }
            }
            done += 1;
        }
        if result.scenario.ops.is_empty() {
            result.scenario.clear();
        }
        result
    }
}

/// Drops the items that a shape does not take; false if one is missing that it needs.
fn settle_items(items: &mut [Place; 2], shape: Shape) -> bool {
    if !mutant!(NormalizerKeepsItems) {
        items[shape.items()..].fill(Place::NOTHING);
    }
    if shape == Shape::Tuple && items[0].is_nothing() {
        items[1] = Place::NOTHING;
    }
    items[..shape.required_items()].iter().all(|item| !item.is_nothing())
}

fn mark(set: &mut [bool], index: usize, changed: &mut bool) {
    if !set[index] {
        set[index] = true;
        *changed = true;
    }
}
