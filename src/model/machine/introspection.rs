//! Looking: a walk by strong references, and introspection.

use super::Execution;
use crate::event::Event;
use crate::model::heap::{Flag, List, NIL};

impl Execution<'_, '_> {
    /// Reports everything reachable from `self`, `arg` and the variables, each object once, depth first.
    pub(super) fn look(&mut self) {
        let mut stack = std::mem::take(&mut self.m.walk);
        stack.clear();
        stack.extend(self.m.vars.iter().rev().copied());
        stack.push(self.arg);
        stack.push(self.owner);
        let mut seen = std::mem::take(&mut self.m.seen);
        while let Some(o) = stack.pop() {
            if o == NIL || self.m.heap.object(o).has(Flag::MARK) {
                continue;
            }
            self.m.heap.object_mut(o).set(Flag::MARK);
            seen.push(o);
            self.sink.event(Event::Saw { object: self.m.heap.id(o), introspection: false });
            let from = stack.len();
            self.m.heap.for_each_edge(o, |child| stack.push(child));
            stack[from..].reverse();
        }
        for o in seen.drain(..) {
            self.m.heap.object_mut(o).unset(Flag::MARK);
        }
        self.m.walk = stack;
        self.m.seen = seen;
    }

    /// Reports every object that `gc.get_objects()` returns, in its order.
    pub(super) fn scan(&mut self) {
        for list in [List::GEN0, List::GEN1, List::GEN2] {
            let mut o = self.m.heap.object(list.head()).next;
            while o != list.head() {
                let object = self.m.heap.object(o);
                if let Some(object) = object.id {
                    self.sink.event(Event::Saw { object, introspection: true });
                }
                o = object.next;
            }
        }
    }
}
