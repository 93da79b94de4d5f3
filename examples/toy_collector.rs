//! A collector from outside, tested in ten lines.
//!
//! The toy knows one kind of object, with four slots and no finalizer, frees nothing before a collection, and finds garbage by marking
//! from the variables. `Toy::new(true)` forgets to follow references out of objects that it reaches from others:
//! the property test finds a live object that it frees, reduces the scenario and keeps it as a text file.

use coroner::event::{Event, EventBuffer, ObjId, Role};
use coroner::generate::{Profile, Size};
use coroner::invariant::Invariant;
use coroner::proptest::{JudgedCases, Property, PropertyError, scenarios};
use coroner::scenario::{Base, Kind, Op, Place, Scenario, Shape};
use coroner::subject::{Declaration, Failure, Subject};

struct Toy {
    declaration: Declaration,
    flawed: bool,
    vars: Vec<Option<usize>>,
    /// Slots of each object; nothing once it was freed.
    heap: Vec<Option<[Option<usize>; 4]>>,
}

impl Toy {
    fn new(flawed: bool) -> Toy {
        Toy { declaration: Declaration::of_no_release("toy"), flawed, vars: Vec::new(), heap: Vec::new() }
    }

    fn read(&self, place: Place) -> Option<usize> {
        let Base::Var(var) = place.base else { return None };
        let start = self.vars.get(var as usize).copied().flatten()?;
        place.path().iter().try_fold(start, |o, slot| *self.heap[o]?.get(*slot as usize)?)
    }

    fn store(&mut self, dst: Place, value: Option<usize>, out: &mut EventBuffer<'_>) -> bool {
        let object = value.map(|o| ObjId::from_index(o as u32));
        match dst.split() {
            Some((holder, slot)) => {
                let Some(holder) = self.read(holder).filter(|_| slot < 4) else { return false };
                let Some(slots) = &mut self.heap[holder] else { return false };
                slots[slot as usize] = value;
                out.event(Event::StoreSlot { holder: ObjId::from_index(holder as u32), slot, object });
            }
            None => {
                let Base::Var(var) = dst.base else { return false };
                self.vars.resize(self.vars.len().max(var as usize + 1), None);
                self.vars[var as usize] = value;
                out.event(Event::StoreVar { var, object });
            }
        }
        true
    }

    fn collect(&mut self, generation: u8, out: &mut EventBuffer<'_>) {
        out.event(Event::CollectStart { generation, automatic: false });
        let mut marked = vec![false; self.heap.len()];
        let mut todo: Vec<(usize, u32)> = self.vars.iter().flatten().map(|o| (*o, 0)).collect();
        while let Some((o, depth)) = todo.pop() {
            let seen = std::mem::replace(&mut marked[o], true);
            if !seen && (depth == 0 || !self.flawed) {
                todo.extend(self.heap[o].iter().flatten().flatten().map(|o| (*o, depth + 1)));
            }
        }
        let dead: Vec<usize> = (0..self.heap.len()).filter(|o| self.heap[*o].is_some() && !marked[*o]).collect();
        let object = |o: &usize| ObjId::from_index(*o as u32);
        // A sweep calls nothing that the events know as `tp_clear`: the references between dead objects just go.
        dead.iter().for_each(|o| out.event(Event::StoreSlot { holder: object(o), slot: 0xff, object: None }));
        for o in &dead {
            out.event(Event::Dealloc { object: object(o) });
            out.event(Event::Free { object: object(o) });
            self.heap[*o] = None;
        }
        let returned = dead.len() as u32;
        out.event(Event::CollectEnd { generation, returned, uncollectable: 0 });
    }

    fn step(&mut self, op: Op, origin: u32, out: &mut EventBuffer<'_>) -> bool {
        match op {
            Op::New { dst, kind, .. } if kind == Kind::new(Shape::Node) => {
                let index = self.heap.len();
                self.heap.push(Some([None; 4]));
                out.event(Event::New { object: ObjId::from_index(index as u32), origin, role: Role::Named });
                self.store(dst, Some(index), out)
            }
            Op::Set { dst, src } if src.is_nothing() => self.store(dst, None, out),
            Op::Set { dst, src } => self.read(src).is_some_and(|o| self.store(dst, Some(o), out)),
            Op::Collect { generation } => {
                self.collect(generation, out);
                true
            }
            _ => false,
        }
    }
}

impl Subject for Toy {
    fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    fn run(&mut self, scenario: &Scenario, out: &mut EventBuffer<'_>) -> Result<(), Failure> {
        (self.vars, self.heap) = Default::default();
        for (index, op) in scenario.main().iter().enumerate() {
            out.event(Event::Step { op: index as u32 });
            if !self.step(*op, index as u32, out) {
                out.event(Event::NoEffect);
            }
        }
        out.event(Event::End);
        Ok(())
    }
}

/// The ten lines.
fn test(flawed: bool, folder: &std::path::Path) -> Result<JudgedCases, PropertyError> {
    let plain = scenarios(Profile::named("plain").expect("the profile exists"), Size::Small);
    // It shows no snapshots: that garbage goes is not verified, only that what goes was garbage, and goes once.
    let property = Property::new("toy", folder).cases(1_000).seed(1).require(&[Invariant::I04]);
    property.judge(plain, || Toy::new(flawed))
}

fn main() {
    let folder = std::env::temp_dir().join("coroner-toy");
    match test(false, &folder.join("sound")) {
        Ok(passed) => println!("the toy passed {passed}"),
        Err(error) => println!("the toy fails: {error}"),
    }
    match test(true, &folder.join("flawed")) {
        Ok(passed) => println!("the flaw was not found in {passed}"),
        Err(error) => println!("the flawed toy fails: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sound_toy_passes_and_the_flaw_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let passed = test(false, folder.path()).unwrap();
        assert!(passed.cases == 1_000 && passed.occasions(Invariant::I04).judged > 100, "{passed}");
        match test(true, folder.path()).unwrap_err() {
            PropertyError::Failed(failed) => {
                assert!(failed.scenario.ops().len() <= 8, "{failed:?}");
                assert!(failed.file.is_file());
            }
            other => panic!("{other}"),
        }
    }
}
