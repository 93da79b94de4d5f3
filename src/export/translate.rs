//! From the kinds of a scenario to kinds that Python can make.

use super::boxes;
use super::expected::Judged;
use crate::scenario::text::Document;
use crate::scenario::{Base, Clear, DeallocFlaws, Finalizer, Kind, Op, Place, Scenario, Shape, SlotSet, Tracking};

/// What objects of C types become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// What is called becomes a function or an instance with `__call__`; the rest instances of this shape, and so does what has
    /// a dict.
    Pure {
        /// Functions, where the script does not ask for itself.
        functions: bool,
        /// [`Shape::Instance`] or [`Shape::Slotted`].
        object: Shape,
    },
    /// Nothing changes: C types stay C types.
    InC,
}

impl Strategy {
    /// Every one, those that read best first.
    pub const ALL: [Strategy; 5] = [
        Strategy::Pure { functions: true, object: Shape::Instance },
        Strategy::Pure { functions: true, object: Shape::Slotted },
        Strategy::Pure { functions: false, object: Shape::Instance },
        Strategy::Pure { functions: false, object: Shape::Slotted },
        Strategy::InC,
    ];
}

/// The scenario with the kinds of a strategy. Operations of the main body that have no effect on any row are gone.
///
/// # Errors
/// What Python cannot make.
pub fn translate(document: &Document, original: &Judged, strategy: Strategy) -> Result<Scenario, String> {
    let mut bodies = document.scenario.to_bodies();
    if bodies.is_empty() {
        return Err("the scenario is empty".to_owned());
    }
    let idle = original.idle();
    let mut step = 0;
    bodies[0].retain(|_| {
        step += 1;
        !idle.contains(&(step - 1))
    });
    if let Some(op) = bodies.iter().flatten().find(|op| matches!(op, Op::CollectAtAllocation { after: 1.., .. })) {
        return Err(format!("a script cannot start a collection at a certain allocation ({:?})", op.opcode()));
    }
    let Strategy::Pure { functions, object } = strategy else { return Ok(Scenario::from_bodies(&bodies)) };
    let mut next = document.scenario.vars();
    if let Some(op) = bodies.iter().flatten().find(|op| matches!(op, Op::Track { .. } | Op::Untrack { .. })) {
        return Err(format!("Python cannot track and untrack objects ({:?})", op.opcode()));
    }
    boxes::make(&mut bodies, object, &mut next)?;
    let called: Vec<bool> = bodies.iter().map(|body| !asks_for_itself(body)).collect();
    let stored_to = stored_to(&bodies);
    for op in bodies.iter_mut().flatten() {
        let target = op.target();
        let Some(kind) = op.kind_mut() else { continue };
        // Before 3.6 an instance's dict is not cleared in the order in which it was filled.
        if kind.shape == Shape::Instance {
            kind.shape = object;
        }
        if !kind.shape.is_extension() {
            continue;
        }
        if *kind == boxes::kind() {
            continue;
        }
        check(kind)?;
        let is_simple = |script: crate::scenario::ScriptId| {
            kind.finalizer.is_none() && called[script.0 as usize + 1] && target.is_none_or(|t| !stored_to.contains(&t))
        };
        let shape = match kind.on_call {
            Some(script) if functions && is_simple(script) => Shape::Function,
            Some(_) => Shape::Node,
            None => object,
        };
        *kind = Kind { finalizer: kind.finalizer, on_call: kind.on_call, ..Kind::new(shape) };
    }
    Ok(Scenario::from_bodies(&bodies))
}

/// True if a script names its own object.
fn asks_for_itself(body: &[Op]) -> bool {
    let mut found = false;
    body.iter().for_each(|op| { *op }.for_each_place(|place| found |= place.base == Base::Owner));
    found
}

/// The places whose slots are stored to.
fn stored_to(bodies: &[Vec<Op>]) -> Vec<Place> {
    let targets = bodies.iter().flatten().filter_map(Op::target);
    targets.filter_map(|target| target.split().map(|(holder, _)| holder)).collect()
}

/// What no Python class does.
fn check(kind: &Kind) -> Result<(), String> {
    let why = match kind {
        _ if kind.hidden != SlotSet::NONE => "`tp_traverse` leaves out a part of what the object owns",
        _ if kind.doubled != SlotSet::NONE => "`tp_traverse` reports an edge twice",
        _ if kind.fickle != SlotSet::NONE => "`tp_traverse` reports an edge at times",
        _ if kind.tracking != Tracking::Tracked => "an object with a GC header is not tracked",
        _ if kind.clear == Clear::Missing => "a type that can be part of cycles has no `tp_clear`",
        _ if kind.clear != Clear::Keeps(SlotSet::NONE) => "`tp_clear` keeps something",
        _ if matches!(kind.finalizer, Some(Finalizer::Legacy(_))) => "a type has a `tp_del`",
        _ if kind.on_dealloc.is_some() => "a deallocator runs code",
        _ if kind.flaws != DeallocFlaws::default() => "a deallocator leaves something out",
        _ => return Ok(()),
    };
    Err(why.to_owned())
}
