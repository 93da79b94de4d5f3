//! Snapshots: the state that a subject shows at every quiescent point and around user code.

use super::Execution;
use crate::event::{Event, EventBuffer, Observation, Spot};
use crate::model::heap::{Flag, Idx, List, NIL, Object, Weak};

impl Execution<'_, '_> {
    /// Emits a snapshot in the order that [`crate::event`] gives.
    #[inline]
    pub(super) fn snapshot(&mut self) {
        if self.process.containers.has_changed() {
            self.tell_deleted(true);
        }
        if self.sink.observation() == Observation::Full {
            self.take_snapshot();
        }
    }

    fn take_snapshot(&mut self) {
        let Execution { process, sink, .. } = self;
        let (heap, sink) = (&mut process.heap, &mut **sink);
        sink.event(Event::Snapshot);
        heap.tidy_live_objects();
        let number = heap.next_snapshot();
        // How many objects are shown, how many of them have weak references, and the flags that any of them has.
        let (mut shown, mut linked, mut flags) = (0, 0, Flag::NONE);
        for (list, spot) in [
            (List::GEN0, Spot::Gen0),
            (List::GEN1, Spot::Gen1),
            (List::GEN2, Spot::Gen2),
            (List::PERMANENT, Spot::Permanent),
        ] {
            heap.show_members(list, number, |object| {
                flags = flags.and(object.flags());
                linked += u32::from(object.has(Flag::WATCHED));
                shown += show_state(sink, object, spot);
            });
        }
        // Where a deallocator forgets to untrack, the lists have freed members: they are shown as well.
        let freed = if flags.has(Flag::FREED) { heap.freed_and_shown(number) } else { 0 };
        let mut left = heap.live() - (shown - freed);
        if heap.balance() != shown && left > 0 {
            heap.walk_live(|_, object| {
                if object.is_shown(number) {
                    return true;
                }
                linked += u32::from(object.has(Flag::WATCHED));
                let spot = if !object.has(Flag::HEADER) {
                    Spot::NoHeader
                } else if object.has(Flag::TRACKED) {
                    Spot::Collecting
                } else {
                    Spot::Untracked
                };
                left -= show_state(sink, object, spot);
                left > 0
            });
        }
        if self.process.heap.live_weaks() > 0 || linked > 0 {
            self.weak_states(linked);
        }
        for &o in &self.process.interp.gc.garbage {
            // A planted bug takes an argument tuple for trash.
            if let Some(object) = self.process.heap.object(o).id {
                self.sink.event(Event::Garbage { object });
            }
        }
    }

    /// `linked` is the number of objects that have weak references.
    fn weak_states(&mut self, mut linked: u32) {
        let Execution { process, sink, .. } = self;
        let heap = &process.heap;
        // Those in no list of a living referent, or not met there.
        let mut missing = heap.live_weaks();
        let mut show_list = |referent: Idx, object: &Object| {
            let mut entry = heap.detail(referent).weakrefs;
            while entry != NIL {
                let weak = &heap.weaks[entry as usize];
                let own = heap.object(weak.object);
                missing -= u32::from(!own.has(Flag::FREED));
                let callback = weak.callback != NIL;
                sink.event(Event::Weak { weak: own.identity(), referent: object.id, callback });
                entry = weak.next;
            }
        };
        // Few weak references are looked through more quickly than many objects.
        let walk = heap.length_of_walk();
        if linked as usize * heap.weaks.len() < walk {
            let mut next = 0;
            for _ in 0..linked {
                let referents = heap.weaks.iter().map(|weak| weak.referent).filter(|r| *r != NIL && *r >= next);
                let living = referents.filter(|r| !heap.object(*r).has(Flag::FREED));
                let Some(referent) = living.min() else { break };
                show_list(referent, heap.object(referent));
                next = referent + 1;
            }
        } else if linked > 0 {
            heap.walk_live(|o, object| {
                if !object.has(Flag::WATCHED) {
                    return true;
                }
                show_list(o, object);
                linked -= 1;
                linked > 0
            });
        }
        if missing == 0 {
            return;
        }
        let mut show_unlinked = |weak: &Weak| {
            // A referent that is there has been freed: its deallocator forgot the weak reference.
            if weak.referent == NIL || heap.object(weak.referent).has(Flag::FREED) {
                let referent = if weak.referent == NIL { None } else { heap.object(weak.referent).id };
                sink.event(Event::Weak { weak: heap.id(weak.object), referent, callback: weak.callback != NIL });
                missing -= 1;
            }
            missing > 0
        };
        if heap.weaks.len() < walk {
            // They are in order of creation too.
            let mut living = heap.weaks.iter().filter(|weak| !heap.object(weak.object).has(Flag::FREED));
            living.all(&mut show_unlinked);
        } else {
            heap.walk_live(|o, _| !heap.is_weak(o) || show_unlinked(heap.weak(o)));
        }
    }
}

/// Shows an object, unless it is a temporary tuple. How many have been shown.
#[inline(always)]
fn show_state(sink: &mut EventBuffer<'_>, object: &Object, spot: Spot) -> u32 {
    let Some(id) = object.id else { return 0 };
    let finalized = object.has(Flag::FINALIZED.and(Flag::HEADER));
    sink.event(Event::State { object: id, refcount: object.refcount, spot, finalized });
    1
}

#[cfg(test)]
mod tests {
    use crate::event::{Event, ObjId, record};
    use crate::model::collector::Collector;
    use crate::model::machine::Machine;
    use crate::scenario::{Kind, Op, Place, Scenario, Shape};

    /// The weak references of the last snapshot, after `plain` objects and `dead` weak references more.
    fn weak_states(plain: u16, dead: u16) -> Vec<Event> {
        let var = |n: u16| Place::var(n);
        let new = |dst, shape, of| Op::New { dst, kind: Kind::new(shape), items: [of, Place::NOTHING] };
        let drop = |dst| Op::Set { dst, src: Place::NOTHING };
        let mut ops: Vec<Op> = (0..plain).map(|n| new(var(10 + n), Shape::Node, Place::NOTHING)).collect();
        ops.push(new(var(0), Shape::Node, Place::NOTHING));
        for _ in 0..dead {
            ops.extend([new(var(1), Shape::Ref, var(0)), drop(var(1))]);
        }
        ops.extend([2, 3].map(|n| new(var(n), Shape::Node, Place::NOTHING)));
        ops.extend([
            new(var(4), Shape::Ref, var(2)),
            new(var(5), Shape::Proxy, var(0)),
            new(var(6), Shape::Ref, var(3)),
        ]);
        ops.push(drop(var(3)));
        let collector = Collector::parse("cpython-3.15").unwrap();
        let mut events = record(|out| Machine::new(&collector).run(&Scenario::from_bodies(&[ops]), out));
        let last = events.iter().rposition(|event| *event == Event::Snapshot).unwrap();
        events.drain(last..).filter(|event| matches!(event, Event::Weak { .. })).collect()
    }

    #[test]
    fn weak_references_are_shown_in_order_however_they_are_found() {
        for (plain, dead) in [(0, 0), (50, 0), (0, 200), (50, 200), (200, 20)] {
            let id = |n: u16| ObjId::from_index(u32::from(n));
            let (first, rest) = (id(plain), plain + dead + 1);
            let weak = |weak, referent| Event::Weak { weak, referent, callback: false };
            let expected =
                [weak(id(rest + 3), Some(first)), weak(id(rest + 2), Some(id(rest))), weak(id(rest + 4), None)];
            assert_eq!(weak_states(plain, dead), expected, "{plain} and {dead}");
        }
    }

    #[test]
    fn an_argument_tuple_that_a_planted_bug_takes_for_trash_is_not_shown() {
        let text = "\
coroner 1

def again():
    collect(2)

gc.set_debug(DEBUG_SAVEALL)
f = Node(call=again)
a = Node()
w = ref(a, f)
del a
";
        let scenario = crate::scenario::text::parse(text).unwrap().scenario;
        let collector = Collector::parse("cpython-3.15+bug-ignore-outer-reference").unwrap();
        let mut machine = Machine::new(&collector);
        let events = record(|out| machine.run(&scenario, out));
        assert!(!machine.process.interp.gc.garbage.is_empty());
        assert!(!events.iter().any(|event| matches!(event, Event::Garbage { .. })));
        assert_eq!(events.iter().rfind(|event| matches!(event, Event::End)), Some(&Event::End));
    }
}
