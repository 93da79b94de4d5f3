//! Looking: a walk by strong references, and introspection.

use super::Execution;
use crate::event::Event;
use crate::model::heap::{Flag, Idx, List, NIL, Object};
use crate::scenario::Shape;

/// Memory of walks by references.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    stack: Vec<Idx>,
    seen: Vec<Idx>,
}

impl Walk {
    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        (self.stack.capacity() + self.seen.capacity()) * size_of::<Idx>()
    }
}

impl Execution<'_, '_> {
    /// Reports everything reachable from `self`, `arg` and the variables, each object once, depth first.
    pub(super) fn look(&mut self) {
        let mut stack = std::mem::take(&mut self.walk.stack);
        stack.clear();
        stack.extend(self.process.vars.iter().rev().copied());
        stack.push(self.process.actor.arg);
        stack.push(self.process.actor.owner);
        let mut seen = std::mem::take(&mut self.walk.seen);
        while let Some(o) = stack.pop() {
            if o == NIL || self.process.heap.object(o).has(Flag::MARK) {
                continue;
            }
            self.process.heap.set(o, Flag::MARK);
            seen.push(o);
            self.sink.event(Event::Saw { object: self.process.heap.id(o), introspection: false });
            let from = stack.len();
            self.process.heap.for_each_edge(o, |child| stack.push(child));
            stack[from..].reverse();
        }
        for o in seen.drain(..) {
            self.process.heap.unset(o, Flag::MARK);
        }
        self.walk.stack = stack;
        self.walk.seen = seen;
    }

    /// Reports every object that `gc.get_objects()` returns, in its order.
    pub(super) fn scan(&mut self) {
        for list in [List::GEN0, List::GEN1, List::GEN2] {
            let mut o = self.process.heap.object(list.head()).next;
            while o != list.head() {
                let object = self.process.heap.object(o);
                if let Some(object) = object.id {
                    self.sink.event(Event::Saw { object, introspection: true });
                }
                o = object.next;
            }
        }
    }

    /// Drops the list that `gc.get_objects()` has returned. It holds what is in it until its deallocator has run, which
    /// can be told only where the trashcan puts that off.
    pub(super) fn drop_scanned(&mut self) {
        let put_off = self.process.actor.trash.puts_off(&Object::new(Shape::Tuple, Flag::HEADER));
        let lists = if put_off { &[List::GEN0, List::GEN1, List::GEN2][..] } else { &[] };
        let count: u32 = lists.iter().map(|from| self.process.heap.count(*from)).sum();
        let list = self.process.heap.create_temporary(count.max(1));
        let mut item = 0;
        for from in lists {
            let mut o = self.process.heap.object(from.head()).next;
            while o != from.head() {
                self.incref(o);
                self.process.heap.set_raw(list, item, o);
                (item, o) = (item + 1, self.process.heap.object(o).next);
            }
        }
        self.decref(list);
    }
}
