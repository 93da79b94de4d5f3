//! Changes of one operation: its places, its kind, its numbers; and one that makes an object refer to itself.

use super::operands::{
    any_place, any_script, any_source, any_var, change, change_code, change_participation, rebase, ways,
};
use super::{Editor, Mutation};
use crate::scenario::{Base, Kind, Op, Shape};

impl Editor<'_> {
    pub(super) fn change_place(&mut self) -> Option<()> {
        let (body, index) = self.find_op(|op| {
            let mut any = false;
            op.for_each_place(|_| any = true);
            any
        })?;
        let scope = self.scope(body);
        let random = &mut *self.random;
        let op = &mut self.bodies[body][index];
        let mut places = 0;
        op.for_each_place(|_| places += 1);
        let chosen = random.index(places);
        let mut i = 0;
        let before = *op;
        op.for_each_place(|place| {
            if i == chosen {
                *place = match random.below(8) {
                    0 => any_source(random, scope),
                    1 | 2 => rebase(*place, Base::Var(any_var(random, scope))),
                    3 => place.slot(random.below(4) as u8),
                    4 => match place.split() {
                        Some((holder, _)) => holder,
                        None => any_place(random, scope),
                    },
                    5 | 6 => match place.split() {
                        Some((holder, _)) => holder.slot(random.below(4) as u8),
                        None => rebase(*place, any_place(random, scope).base),
                    },
                    _ => any_place(random, scope),
                };
            }
            i += 1;
        });
        (before != *op).then_some(())
    }

    /// Two variables change places, in one body or in all, from some point on.
    pub(super) fn exchange_vars(&mut self) -> Option<()> {
        let scope = self.scope(0);
        let (a, b) = (any_var(self.random, scope), any_var(self.random, scope));
        if a == b {
            return None;
        }
        let everywhere = self.random.chance(64);
        let body = self.any_body();
        let start = self.random.index(self.bodies[body].len());
        let mut changed = false;
        for (i, ops) in self.bodies.iter_mut().enumerate() {
            if i != body && !everywhere {
                continue;
            }
            let start = if i == body { start } else { 0 };
            for op in ops.iter_mut().skip(start) {
                op.for_each_place(|place| {
                    let other = match place.base {
                        Base::Var(var) if var == a => b,
                        Base::Var(var) if var == b => a,
                        _ => return,
                    };
                    *place = rebase(*place, Base::Var(other));
                    changed = true;
                });
            }
        }
        changed.then_some(())
    }

    pub(super) fn change_kind(&mut self, mutation: Mutation) -> Option<()> {
        let participation = mutation == Mutation::ChangeParticipation;
        let (body, index) = self.find_op(|op| {
            op.kind().is_some_and(|k| {
                let shape = k.shape;
                if participation { shape.is_extension() } else { shape.can_finalize() || shape.can_call() }
            })
        })?;
        let scope = self.scope(body);
        let kind = self.bodies[body][index].kind_mut()?;
        let before = *kind;
        if participation {
            change_participation(self.random, scope, kind);
        } else {
            change_code(self.random, scope, kind);
        }
        *kind = kind.canonical();
        (before != *kind).then_some(())
    }

    /// Another number, script, flag or shape of a graph.
    pub(super) fn change_number(&mut self) -> Option<()> {
        let (body, index) = self.find_op(|op| ways(op) > 0)?;
        let scope = self.scope(body);
        let random = &mut *self.random;
        let op = &mut self.bodies[body][index];
        let before = *op;
        if let Op::Repeat { times, script } = op {
            match any_script(random, scope) {
                Some(other) if random.chance(96) => *script = other,
                _ => *times = random.below(8) as u8,
            }
        } else {
            let ways = ways(op);
            let way = if ways > 1 { random.below(ways) } else { 0 };
            change(op, way, random, scope)?;
        }
        (before != *op).then_some(())
    }

    /// An object of the mutator gets a weak reference or a cycle right after it was created.
    pub(super) fn make_reference(&mut self) -> Option<()> {
        let (body, index) = self.find_op(|op| matches!(op, Op::New { dst, .. } if dst.path().len() < 2))?;
        let Op::New { dst, kind, .. } = self.bodies[body][index] else { return None };
        let scope = self.scope(body);
        let op = if kind.shape.is_weakrefable() && self.random.chance(160) {
            let callback = any_source(self.random, scope);
            let to = any_place(self.random, scope);
            Op::New { dst: to, kind: Kind::new(Shape::Ref), items: [dst, callback] }
        } else {
            Op::Set { dst: dst.slot(self.random.below(3) as u8), src: dst }
        };
        self.insert(body, index + 1, op)
    }
}
