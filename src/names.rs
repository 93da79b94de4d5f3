//! What the objects of a run are called: by the variable or slot that they were created in.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::event::{Event, ObjId, Role};
use crate::scenario::text::Names;
use crate::scenario::{Base, Op, Place, Scenario};

/// The names of a run's objects.
///
/// An object is called as the variable that it was stored in when it was created; a later one of the same name gets
/// a number (`a`, `a#2`). Objects of a graph are numbered (`a.0`, `a.1`), and the parts of a composed object are called
/// after it (`a.data`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ObjectNames {
    names: Vec<String>,
}

impl ObjectNames {
    /// The names of all objects that the events of a run of the scenario create.
    pub fn of(scenario: &Scenario, names: &Names, events: &[Event]) -> ObjectNames {
        let mut used: BTreeMap<String, u32> = BTreeMap::new();
        let mut built: BTreeMap<u32, u32> = BTreeMap::new();
        let mut result = ObjectNames::default();
        for event in events {
            let Event::New { object, origin, role } = *event else { continue };
            let op = scenario.ops().get(origin as usize);
            let mut name = op.map_or_else(|| "object".to_owned(), |op| base_name(op, names));
            match role {
                Role::Named => {}
                _ => name.push_str(part(role)),
            }
            if let (Some(Op::Build { .. }), Role::Named) = (op, role) {
                let count = built.entry(origin).or_default();
                let _ = write!(name, ".{count}");
                *count += 1;
            }
            let count = used.entry(name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                let _ = write!(name, "#{count}");
            }
            result.names.resize(object.index() + 1, String::new());
            result.names[object.index()] = name;
        }
        result
    }

    /// The name of an object.
    pub fn name(&self, object: ObjId) -> String {
        match self.names.get(object.index()) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => object.to_string(),
        }
    }
}

fn base_name(op: &Op, names: &Names) -> String {
    match op.target() {
        Some(place) if !place.is_nothing() => place_name(place, names),
        _ => op.kind().map_or_else(|| "object".to_owned(), |kind| kind.shape.word().to_lowercase()),
    }
}

/// A place as the text form writes it.
pub fn place_name(place: Place, names: &Names) -> String {
    let mut name = match place.base {
        Base::Nothing => "None".to_owned(),
        Base::Var(var) => names.var(var).into_owned(),
        Base::Owner => "self".to_owned(),
        Base::Arg => "arg".to_owned(),
    };
    for slot in place.path() {
        let _ = write!(name, "[{slot}]");
    }
    name
}

fn part(role: Role) -> &'static str {
    match role {
        Role::Named => "",
        Role::InstanceDict => ".__dict__",
        Role::ContainerData => ".data",
        Role::ContainerRemove => ".remove",
        Role::ContainerEntry => ".entry",
        Role::FinalizeRef => ".ref",
        Role::ContainerSelf => ".self",
        Role::ContainerDefaults => ".defaults",
        Role::ContainerCell => ".cell",
        Role::ContainerClosure => ".closure",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::Collector;
    use crate::run::Machine;
    use crate::scenario::text;

    #[test]
    fn objects_are_called_as_their_variables_and_later_ones_are_numbered() {
        let document = text::parse(
            "coroner 1\nroot = Node()\nroot[1] = Node()\nroot = Node()\nc = chain(2, Node())\nw = WeakSet()\n",
        );
        let document = document.unwrap();
        let mut events = Vec::new();
        Machine::new(&Collector::parse("3.12").unwrap()).run(&document.scenario, &mut events);
        let names = ObjectNames::of(&document.scenario, &document.names, &events);
        assert_eq!(names.names[..5], ["root", "root[1]", "root#2", "c.0", "c.1"]);
        assert!(names.names.iter().any(|n| n == "w.data"));
        assert_eq!(names.name(ObjId::from_index(999)), "#1000");
    }
}
