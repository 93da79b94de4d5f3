//! Subjects that are wrong in ways that a property test must not take for right.

use coroner::event::{Event, EventBuffer, ObjId, Role, Spot};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::{Base, Kind, Op, Place, Scenario, Shape};
use coroner::subject::{Declaration, Failure, Subject};

/// What is wrong with a toy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// It emits nothing at all.
    Silent,
    /// It can run no scenario.
    Refuses,
    /// It never frees anything, and shows no snapshots.
    Hoards,
    /// It frees what nothing refers to, and no cycle, as its snapshots show.
    LeavesCycles,
    /// A sound collector that panics, and for any other scenario if it is used after that.
    PanicsAtTheSecondCollection,
    /// A sound collector whose process dies of a collection.
    Dies,
    /// A sound collector that reaches a limit of time in a collection.
    IsSlow,
    /// A sound collector, but for what it answers when a weak reference is read.
    ForgetsWeakReferences,
}

pub struct Toy {
    way: Way,
    declaration: Declaration,
    model: Machine,
    events: Vec<Event>,
    broken: bool,
    hoard: Hoard,
}

impl Toy {
    pub fn new(way: Way) -> Toy {
        let collector = Collector::parse("cpython-3.15").unwrap();
        let declaration = Declaration { name: "toy".to_owned(), ..collector.declaration() };
        let (model, hoard) = (Machine::new(&collector), Hoard::default());
        Toy { way, declaration, model, events: Vec::new(), broken: false, hoard }
    }

    /// Runs the model and changes what it says.
    fn model(&mut self, scenario: &Scenario, out: &mut EventBuffer<'_>) -> Result<(), Failure> {
        self.model.run(scenario, &mut EventBuffer::new(&mut self.events));
        for event in &self.events {
            out.event(match *event {
                Event::Answer { weak, .. } if self.way == Way::ForgetsWeakReferences => {
                    Event::Answer { weak, referent: None }
                }
                event => event,
            });
        }
        Ok(())
    }
}

impl Subject for Toy {
    fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    fn run(&mut self, scenario: &Scenario, out: &mut EventBuffer<'_>) -> Result<(), Failure> {
        let subject = || "toy".to_owned();
        let collections = scenario.main().iter().filter(|op| matches!(op, Op::Collect { .. })).count();
        match self.way {
            Way::Silent => Ok(()),
            Way::Refuses => Err(Failure::Unsupported { subject: subject(), what: "anything".to_owned() }),
            Way::Hoards => self.hoard.run(scenario, false, out),
            Way::LeavesCycles => self.hoard.run(scenario, true, out),
            Way::PanicsAtTheSecondCollection => {
                assert!(!self.broken, "used after a panic");
                if collections > 1 {
                    self.broken = true;
                    panic!("the second collection");
                }
                self.model(scenario, out)
            }
            Way::Dies if collections > 0 => Err(Failure::Died { subject: subject(), how: "signal 11".to_owned() }),
            Way::IsSlow if collections > 0 => Err(Failure::Limit { subject: subject(), limit: "1 s".to_owned() }),
            _ => self.model(scenario, out),
        }
    }
}

/// Objects without any collector. Where they are counted, snapshots show that, and what nothing refers to is freed.
#[derive(Default)]
struct Hoard {
    counted: bool,
    vars: Vec<Option<usize>>,
    /// Slots of each object; nothing once it was freed.
    heap: Vec<Option<[Option<usize>; 4]>>,
}

impl Hoard {
    fn run(&mut self, scenario: &Scenario, counted: bool, out: &mut EventBuffer<'_>) -> Result<(), Failure> {
        *self = Hoard { counted, ..Hoard::default() };
        for (index, op) in scenario.main().iter().enumerate() {
            out.event(Event::Step { op: index as u32 });
            if !self.step(*op, index as u32, out) {
                out.event(Event::NoEffect);
            }
        }
        out.event(Event::End);
        self.snapshot(out);
        Ok(())
    }

    fn step(&mut self, op: Op, origin: u32, out: &mut EventBuffer<'_>) -> bool {
        match op {
            Op::New { dst, kind, .. } if kind == Kind::new(Shape::Node) => {
                let object = self.heap.len();
                self.heap.push(Some([None; 4]));
                out.event(Event::New { object: id(object), origin, role: Role::Named });
                let stored = self.store(dst, Some(object), out);
                self.release(object, out);
                stored
            }
            Op::Set { dst, src } if src.is_nothing() => self.store(dst, None, out),
            Op::Set { dst, src } => self.read(src).is_some_and(|object| self.store(dst, Some(object), out)),
            Op::Collect { generation } => {
                out.event(Event::CollectStart { generation, automatic: false });
                self.snapshot(out);
                out.event(Event::CollectEnd { generation, returned: 0, uncollectable: 0 });
                self.snapshot(out);
                true
            }
            _ => false,
        }
    }

    fn read(&self, place: Place) -> Option<usize> {
        let Base::Var(var) = place.base else { return None };
        let start = self.vars.get(var as usize).copied().flatten()?;
        place.path().iter().try_fold(start, |object, slot| *self.heap[object]?.get(*slot as usize)?)
    }

    fn store(&mut self, dst: Place, value: Option<usize>, out: &mut EventBuffer<'_>) -> bool {
        let object = value.map(id);
        let old = match dst.split() {
            Some((holder, slot)) => {
                let Some(holder) = self.read(holder).filter(|_| slot < 4) else { return false };
                let Some(slots) = &mut self.heap[holder] else { return false };
                out.event(Event::StoreSlot { holder: id(holder), slot, object });
                std::mem::replace(&mut slots[slot as usize], value)
            }
            None => {
                let Base::Var(var) = dst.base else { return false };
                self.vars.resize(self.vars.len().max(var as usize + 1), None);
                out.event(Event::StoreVar { var, object });
                std::mem::replace(&mut self.vars[var as usize], value)
            }
        };
        if let Some(old) = old {
            self.release(old, out);
        }
        true
    }

    fn count(&self, object: usize) -> u32 {
        let holders = self.vars.iter().chain(self.heap.iter().flatten().flatten());
        holders.filter(|held| **held == Some(object)).count() as u32
    }

    fn release(&mut self, object: usize, out: &mut EventBuffer<'_>) {
        if !self.counted || self.count(object) > 0 {
            return;
        }
        let Some(slots) = self.heap[object].take() else { return };
        out.event(Event::Dealloc { object: id(object) });
        out.event(Event::Free { object: id(object) });
        slots.into_iter().flatten().for_each(|held| self.release(held, out));
    }

    fn snapshot(&self, out: &mut EventBuffer<'_>) {
        if !self.counted {
            return;
        }
        out.event(Event::Snapshot);
        for object in (0..self.heap.len()).filter(|object| self.heap[*object].is_some()) {
            let (object, refcount) = (id(object), self.count(object));
            out.event(Event::State { object, refcount, spot: Spot::Gen0, finalized: false });
        }
    }
}

fn id(object: usize) -> ObjId {
    ObjId::from_index(object as u32)
}
