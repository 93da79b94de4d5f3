//! What the objects of a run are called.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::event::{Event, ObjId, Role};
use crate::scenario::text::Names;

/// The names of the objects of one run: the variable that first held an object, else `#7`.
///
/// The second object that a variable gave its name is `a#7`. A part that came with another object is named after
/// its holder: `d.data`, `p.__dict__`.
#[derive(Clone, Debug, Default)]
pub struct ObjectNames {
    names: Vec<Option<String>>,
    /// For objects without a name: the slot that first held them.
    places: Vec<Option<(ObjId, u8)>>,
}

impl ObjectNames {
    /// The names for a run, from its events and the names of variables.
    pub fn new(variables: &Names, events: &[Event]) -> ObjectNames {
        let mut naming = Naming::new(variables);
        naming.take(events);
        naming.finish()
    }

    /// The name of an object.
    pub fn get(&self, object: ObjId) -> Cow<'_, str> {
        match self.named(object) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(object.to_string()),
        }
    }

    /// What people call an object: its name, or the slot that first held it (`a[0]`), or its number.
    pub fn label(&self, object: ObjId) -> String {
        let mut path = Vec::new();
        let mut holder = object;
        // Three steps are as much as a reader follows; and objects may hold each other.
        while path.len() < 3 {
            if let Some(name) = self.named(holder) {
                return path.iter().rev().fold(name.to_owned(), |label, slot| format!("{label}[{slot}]"));
            }
            let Some((next, slot)) = self.places.get(holder.index()).copied().flatten() else { break };
            path.push(slot);
            holder = next;
        }
        object.to_string()
    }

    /// The name of an object, if it has a better one than its number.
    pub fn named(&self, object: ObjId) -> Option<&str> {
        self.names.get(object.index())?.as_deref()
    }
}

/// Finds names while events come.
#[derive(Debug)]
pub struct Naming<'n> {
    variables: &'n Names,
    names: Vec<Option<String>>,
    places: Vec<Option<(ObjId, u8)>>,
    /// What else must be known of each object.
    others: Vec<Other>,
    /// The variables whose own name an object has.
    taken: BTreeSet<u16>,
}

#[derive(Clone, Copy, Debug)]
struct Other {
    role: Role,
    /// What held it last.
    holder: Option<ObjId>,
}

impl<'n> Naming<'n> {
    /// No names yet.
    pub fn new(variables: &'n Names) -> Naming<'n> {
        Naming { variables, names: Vec::new(), places: Vec::new(), others: Vec::new(), taken: BTreeSet::new() }
    }

    /// Takes the next events.
    pub fn take(&mut self, events: &[Event]) {
        events.iter().for_each(|event| self.event(*event));
    }

    /// The names.
    pub fn finish(self) -> ObjectNames {
        let Naming { mut names, places, others, .. } = self;
        // A part is created before its holder has a name, and may hold a part itself, three deep.
        for _ in 0..3 {
            for (o, other) in others.iter().enumerate() {
                let Some(word) = word(other.role).filter(|_| names[o].is_none()) else { continue };
                if let Some(holder) = other.holder.and_then(|h| names.get(h.index())?.as_deref()) {
                    names[o] = Some(format!("{holder}.{word}"));
                }
            }
        }
        ObjectNames { names, places }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::New { object, role, .. } => {
                let needed = object.index() + 1;
                if self.names.len() < needed {
                    self.names.resize(needed, None);
                    self.places.resize(needed, None);
                    self.others.resize(needed, Other { role: Role::Named, holder: None });
                }
                self.others[object.index()].role = role;
            }
            Event::StoreVar { var, object: Some(object) } => {
                let Some(name) = self.names.get_mut(object.index()) else { return };
                if name.is_none() && self.others[object.index()].role == Role::Named {
                    let variable = self.variables.var(var);
                    *name = Some(match self.taken.insert(var) {
                        true => variable.into_owned(),
                        false => format!("{variable}{object}"),
                    });
                }
            }
            Event::StoreSlot { holder, slot, object: Some(object) } => {
                if let (Some(other), Some(place)) =
                    (self.others.get_mut(object.index()), self.places.get_mut(object.index()))
                {
                    other.holder = Some(holder);
                    place.get_or_insert((holder, slot));
                }
            }
            _ => {}
        }
    }
}

fn word(role: Role) -> Option<&'static str> {
    match role {
        Role::Named => None,
        Role::InstanceDict => Some("__dict__"),
        Role::ContainerData => Some("data"),
        Role::ContainerRemove => Some("remove"),
        Role::ContainerEntry => Some("entry"),
        Role::FinalizeRef => Some("ref"),
        Role::ContainerSelf => Some("selfref"),
        Role::ContainerDefaults => Some("defaults"),
        Role::ContainerCell => Some("cell"),
        Role::ContainerClosure => Some("closure"),
        Role::ContainerDict => Some("dict"),
        Role::ContainerPending => Some("pending"),
        Role::ContainerIterating => Some("iterating"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::record;
    use crate::model::collector::Collector;
    use crate::model::machine::Machine;
    use crate::scenario::text;

    fn names(source: &str, collector: &str) -> Vec<String> {
        let document = text::parse(source).expect("the text is valid");
        let events =
            record(|out| Machine::new(&Collector::parse(collector).expect("a row")).run(&document.scenario, out));
        let names = ObjectNames::new(&document.names, &events);
        let objects = events.iter().filter_map(|e| match e {
            Event::New { object, .. } => Some(names.get(*object).into_owned()),
            _ => None,
        });
        objects.collect()
    }

    #[test]
    fn an_object_has_the_name_of_the_variable_that_first_held_it() {
        let source = "coroner 1\nfirst = Node()\nfirst[0] = Node()\nother = first\nfirst = Node()\n";
        assert_eq!(names(source, "cpython-3.15"), ["first", "#2", "first#3"]);
    }

    #[test]
    fn a_label_falls_back_to_the_slot_that_first_held_an_object() {
        let document = text::parse("coroner 1\na = Node()\na[1] = Node()\na[1][2] = Node()\nNode()\n").unwrap();
        let events = record(|out| Machine::new(&Collector::parse("3.15").unwrap()).run(&document.scenario, out));
        let names = ObjectNames::new(&document.names, &events);
        assert_eq!([0, 1, 2, 3].map(|i| names.label(ObjId::from_index(i))), ["a", "a[1]", "a[1][2]", "#4"]);
    }

    #[test]
    fn a_part_is_named_after_its_holder() {
        let source = "coroner 1\np = Instance()\np[0] = p\n";
        assert_eq!(names(source, "cpython-3.10"), ["p", "p.__dict__"]);
        assert_eq!(names(source, "cpython-3.11"), ["p"]);
    }
}
