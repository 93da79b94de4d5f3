//! Structure-aware mutation and crossover of scenarios.
//!
//! The kind of mutation is chosen first and then the place, so that no kind starves the others. Every scenario is
//! valid, so nothing can fail; what a mutation must see to are the limits of the format and the limit of operations
//! that the caller gives. Types with undefined behaviour are only made if the scenario has one already.

mod changes;
mod operands;

#[cfg(test)]
mod tests;

use crate::generate::{Random, planted};
use crate::scenario::{Base, MAX_OPS, MAX_SCRIPTS, MAX_VARS, Op, Scenario, ScriptId};
use operands::{Scope, any_op, is_unsafe, rebase};

/// A kind of mutation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mutation {
    Insert,
    InsertCollection,
    Remove,
    RemoveRange,
    Duplicate,
    Swap,
    Move,
    ChangePlace,
    ExchangeVars,
    ChangeParticipation,
    ChangeCode,
    ChangeNumber,
    MakeReference,
    NewScript,
    CopyScript,
    EmptyScript,
    Plant,
}

/// Kinds of mutation with their weights.
const MUTATIONS: [(Mutation, u8); 17] = [
    (Mutation::Insert, 16),
    (Mutation::InsertCollection, 8),
    (Mutation::Remove, 12),
    (Mutation::RemoveRange, 4),
    (Mutation::Duplicate, 6),
    (Mutation::Swap, 8),
    (Mutation::Move, 8),
    (Mutation::ChangePlace, 18),
    (Mutation::ExchangeVars, 4),
    (Mutation::ChangeParticipation, 12),
    (Mutation::ChangeCode, 10),
    (Mutation::ChangeNumber, 8),
    (Mutation::MakeReference, 8),
    (Mutation::NewScript, 6),
    (Mutation::CopyScript, 3),
    (Mutation::EmptyScript, 2),
    (Mutation::Plant, 6),
];

/// Bodies to be edited; the first is the mutator's.
struct Editor<'a> {
    bodies: Vec<Vec<Op>>,
    vars: u16,
    unsafe_kinds: bool,
    max_ops: usize,
    random: &'a mut Random,
}

/// Changes a scenario in one to four ways.
///
/// The result has at most `max_ops` operations, or no more than before if it had more. No scenario makes it fail.
pub fn mutate(scenario: &mut Scenario, random: &mut Random, max_ops: usize) {
    let weights = MUTATIONS.map(|(_, weight)| weight);
    let mut editor = Editor::new(scenario, random, max_ops.min(MAX_OPS));
    for _ in 0..[1, 1, 1, 2, 2, 3, 3, 4][editor.random.index(8)] {
        // A mutation that finds nothing to change gives way to another.
        for _ in 0..8 {
            let (mutation, _) = MUTATIONS[editor.random.weighted(&weights)];
            if editor.apply(mutation).is_some() {
                break;
            }
        }
    }
    write(&editor.bodies, scenario);
}

/// Makes a scenario out of two: the beginning of `a`'s mutator and the end of `b`'s, or one inside the other.
///
/// The result has at most `max_ops` operations, or no more than `a` if it had more. Variables keep their names, so
/// what `b` does happens to what `a` built; sometimes `b` gets variables of its own.
pub fn crossover(a: &Scenario, b: &Scenario, out: &mut Scenario, random: &mut Random, max_ops: usize) {
    let mut editor = Editor::new(a, random, max_ops.min(MAX_OPS));
    let donor = b.to_bodies();
    let length = editor.bodies[0].len();
    let from = editor.random.index(length + 1);
    let other = donor.first().map_or(0, Vec::len);
    let start = editor.random.index(other + 1);
    let end = start + editor.random.index(other - start + 1);
    match editor.random.below(3) {
        0 => {
            editor.bodies[0].truncate(from);
            editor.splice(&donor, start..other, from);
        }
        1 => {
            let to = from + editor.random.index(length - from + 1);
            editor.bodies[0].drain(from..to);
            editor.splice(&donor, start..end, from);
        }
        _ => {
            editor.splice(&donor, start..end, from);
        }
    }
    write(&editor.bodies, out);
}

fn write(bodies: &[Vec<Op>], out: &mut Scenario) {
    out.clear();
    for body in bodies {
        out.start_body();
        body.iter().for_each(|op| out.push(*op));
    }
}

/// One more than the highest variable of some bodies.
fn count_vars(bodies: &mut [Vec<Op>]) -> u16 {
    let mut vars = 0;
    for op in bodies.iter_mut().flatten() {
        op.for_each_place(|place| {
            if let Base::Var(var) = place.base {
                vars = vars.max(var.saturating_add(1));
            }
        });
    }
    vars
}

impl<'a> Editor<'a> {
    fn new(scenario: &Scenario, random: &'a mut Random, max_ops: usize) -> Editor<'a> {
        let mut bodies = scenario.to_bodies();
        if bodies.is_empty() {
            bodies.push(Vec::new());
        }
        let vars = count_vars(&mut bodies);
        let unsafe_kinds = bodies.iter().flatten().any(|op| op.kind().is_some_and(is_unsafe));
        Editor { bodies, vars, unsafe_kinds, max_ops, random }
    }

    fn len(&self) -> usize {
        self.bodies.iter().map(Vec::len).sum()
    }

    /// How many operations may still be added.
    fn room(&self) -> usize {
        self.max_ops.saturating_sub(self.len())
    }

    fn scope(&self, body: usize) -> Scope {
        Scope {
            vars: self.vars,
            scripts: (self.bodies.len() - 1).min(MAX_SCRIPTS) as u8,
            in_script: body > 0,
            unsafe_kinds: self.unsafe_kinds,
        }
    }

    /// The mutator's body, or one of the scripts.
    fn any_body(&mut self) -> usize {
        if self.bodies.len() > 1 && self.random.chance(96) { 1 + self.random.index(self.bodies.len() - 1) } else { 0 }
    }

    /// A body with operations, and one of them.
    fn any_op_at(&mut self) -> Option<(usize, usize)> {
        for _ in 0..4 {
            let body = self.any_body();
            if !self.bodies[body].is_empty() {
                return Some((body, self.random.index(self.bodies[body].len())));
            }
        }
        None
    }

    /// An operation with a property: the first one from a random place on.
    fn find_op(&mut self, mut wanted: impl FnMut(&mut Op) -> bool) -> Option<(usize, usize)> {
        let total = self.len();
        let start = self.random.index(total);
        let places: usize = total;
        let at = |n: usize, bodies: &[Vec<Op>]| {
            let mut n = n % total;
            for (b, body) in bodies.iter().enumerate() {
                if n < body.len() {
                    return Some((b, n));
                }
                n -= body.len();
            }
            None
        };
        for i in 0..places {
            let (body, index) = at(start + i, &self.bodies)?;
            if wanted(&mut self.bodies[body][index]) {
                return Some((body, index));
            }
        }
        None
    }

    fn insert(&mut self, body: usize, index: usize, op: Op) -> Option<()> {
        if self.room() == 0 {
            return None;
        }
        self.bodies[body].insert(index, op);
        Some(())
    }

    /// Applies a mutation; `None` if it found nothing to change.
    fn apply(&mut self, mutation: Mutation) -> Option<()> {
        match mutation {
            Mutation::Insert => {
                let body = self.any_body();
                let index = self.random.index(self.bodies[body].len() + 1);
                let scope = self.scope(body);
                let op = any_op(self.random, scope);
                self.insert(body, index, op)
            }
            Mutation::InsertCollection => {
                let body = self.any_body();
                let index = self.random.index(self.bodies[body].len() + 1);
                let generation = self.random.below(3) as u8;
                let op = if self.random.chance(64) {
                    Op::CollectAtAllocation { after: self.random.range(1, 4) as u8, generation }
                } else {
                    Op::Collect { generation }
                };
                self.insert(body, index, op)
            }
            Mutation::Remove => {
                let (body, index) = self.any_op_at()?;
                self.bodies[body].remove(index);
                Some(())
            }
            Mutation::RemoveRange => {
                let (body, index) = self.any_op_at()?;
                let length = self.bodies[body].len();
                let end = (index + self.random.range(2, 8) as usize).min(length);
                self.bodies[body].drain(index..end);
                Some(())
            }
            Mutation::Duplicate => {
                let (body, index) = self.any_op_at()?;
                let op = self.bodies[body][index];
                let to = self.random.index(self.bodies[body].len() + 1);
                self.insert(body, to, op)
            }
            Mutation::Swap => {
                let (body, index) = self.any_op_at()?;
                let other =
                    if self.random.chance(128) { index + 1 } else { self.random.index(self.bodies[body].len()) };
                let ops = &mut self.bodies[body];
                if other >= ops.len() || ops[other] == ops[index] {
                    return None;
                }
                ops.swap(index, other);
                Some(())
            }
            Mutation::Move => {
                let (body, index) = self.any_op_at()?;
                let op = self.bodies[body].remove(index);
                let to = self.any_body();
                let index = self.random.index(self.bodies[to].len() + 1);
                self.bodies[to].insert(index, op);
                Some(())
            }
            Mutation::ChangePlace => self.change_place(),
            Mutation::ExchangeVars => self.exchange_vars(),
            Mutation::ChangeParticipation | Mutation::ChangeCode => self.change_kind(mutation),
            Mutation::ChangeNumber => self.change_number(),
            Mutation::MakeReference => self.make_reference(),
            Mutation::NewScript => {
                if self.bodies.len() > MAX_SCRIPTS {
                    return None;
                }
                let count = self.random.range(1, 3).min(self.room() as u32);
                let scope = self.scope(1);
                let body = (0..count).map(|_| any_op(self.random, scope)).collect();
                self.bodies.push(body);
                self.change_kind(Mutation::ChangeCode);
                Some(())
            }
            Mutation::CopyScript => {
                let scripts = self.bodies.len() - 1;
                if scripts == 0 || scripts >= MAX_SCRIPTS {
                    return None;
                }
                let copy = self.bodies[1 + self.random.index(scripts)].clone();
                if copy.is_empty() || copy.len() > self.room() {
                    return None;
                }
                self.bodies.push(copy);
                self.change_kind(Mutation::ChangeCode);
                Some(())
            }
            Mutation::EmptyScript => {
                let scripts = self.bodies.len() - 1;
                let script = 1 + self.random.index(scripts);
                let body = self.bodies.get_mut(script).filter(|b| !b.is_empty())?;
                body.clear();
                Some(())
            }
            Mutation::Plant => {
                let mut shape = Scenario::new();
                planted(self.random, &mut shape);
                let donor = shape.to_bodies();
                let at = self.random.index(self.bodies[0].len() + 1);
                self.splice(&donor, 0..shape.main().len(), at)
            }
        }
    }

    /// Inserts part of another mutator's body with the scripts it names; `None` if there is no room.
    fn splice(&mut self, donor: &[Vec<Op>], range: std::ops::Range<usize>, at: usize) -> Option<()> {
        let mut ops: Vec<Op> = donor.first()?.get(range)?.to_vec();
        ops.truncate(self.room());
        if ops.is_empty() {
            return None;
        }
        // Scripts that are named, by number in the donor: where they go here.
        let mut moved: Vec<Option<u8>> = vec![None; donor.len().saturating_sub(1)];
        let mut queue = Vec::new();
        let first = self.bodies.len() - 1;
        let room = MAX_SCRIPTS.saturating_sub(first);
        let own_vars = self.random.chance(128);
        let shift = if own_vars { self.vars } else { 0 };
        let mut adopt = |op: &mut Op, queue: &mut Vec<usize>| {
            op.for_each_place(|place| {
                if let Base::Var(var) = place.base {
                    let shifted = var.saturating_add(shift);
                    *place = rebase(*place, Base::Var(if shifted < MAX_VARS { shifted } else { var }));
                }
            });
            op.map_scripts(|script| {
                let Some(entry) = moved.get_mut(script.0 as usize) else { return Some(script) };
                if entry.is_none() && queue.len() < room {
                    *entry = Some((first + queue.len()) as u8);
                    queue.push(script.0 as usize);
                }
                Some(ScriptId(entry.unwrap_or(script.0 % MAX_SCRIPTS as u8)))
            });
        };
        ops.iter_mut().for_each(|op| adopt(op, &mut queue));
        let mut bodies = Vec::new();
        let mut left = self.room() - ops.len();
        let mut next = 0;
        while let Some(&script) = queue.get(next) {
            let mut body = donor.get(script + 1).cloned().unwrap_or_default();
            body.truncate(left);
            left -= body.len();
            body.iter_mut().for_each(|op| adopt(op, &mut queue));
            bodies.push(body);
            next += 1;
        }
        self.bodies[0].splice(at..at, ops);
        self.bodies.append(&mut bodies);
        self.vars = count_vars(&mut self.bodies);
        Some(())
    }
}
