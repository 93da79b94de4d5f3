//! What scripts make: objects of every kind, weak references, entries of weak containers.

use super::builder::Builder;
use super::feature::Feature;
use super::heap_estimate::Traits;
use super::pending_scripts::{PendingScript, ScriptRole};
use super::script_bodies::{ARG, OWNER};
use super::weighted::{Row, Weighted, total};
use crate::scenario::{Kind, Op, Place, ScriptId, Shape};

/// Shapes that scripts make; a node stands for all extension objects.
static SHAPES: Weighted<Shape, { total(ROWS) }> = Weighted::new(ROWS);

/// Shapes with the feature that allows them and their weight.
const ROWS: &[Row<Shape>] = &[
    (Shape::Node, None, 16),
    (Shape::Typed, Some(Feature::Typed), 5),
    (Shape::List, Some(Feature::Lists), 5),
    (Shape::Dict, Some(Feature::Dicts), 8),
    (Shape::Tuple, Some(Feature::Tuples), 8),
    (Shape::Cell, Some(Feature::Cells), 8),
    (Shape::Function, Some(Feature::Functions), 6),
    (Shape::Method, Some(Feature::Methods), 12),
    (Shape::Instance, Some(Feature::Instances), 5),
    (Shape::Slotted, Some(Feature::Slotted), 6),
    (Shape::Bare, Some(Feature::Bare), 8),
    (Shape::KeyedRef, Some(Feature::KeyedRefs), 6),
    (Shape::Proxy, Some(Feature::Proxies), 6),
    (Shape::WeakValueDict, Some(Feature::WeakDicts), 6),
    (Shape::WeakKeyDict, Some(Feature::WeakDicts), 6),
    (Shape::WeakSet, Some(Feature::WeakSets), 6),
    (Shape::Finalize, Some(Feature::Finalize), 12),
];

impl Builder<'_> {
    /// Makes an object of any kind that the scenario may have.
    pub(super) fn create_in_script(&mut self, number: usize, plan: &PendingScript) -> Option<()> {
        let shape = SHAPES.among(self.configuration.features).draw(&mut self.random);
        let mut kind = match shape {
            Shape::Node => self.draw_extension(),
            Shape::Finalize => self.finalize_kind(),
            _ => self.container_kind(shape),
        };
        let mut items = [Place::NOTHING; 2];
        match kind.shape {
            Shape::KeyedRef | Shape::Proxy => return self.watch_in_script(number, plan),
            Shape::Tuple => items = [self.item_in_script(plan)?, self.item_in_script(plan)?],
            Shape::Cell => items[0] = self.item_in_script(plan)?,
            Shape::Function => {
                kind.on_call = self.script_before(number, ScriptRole::Callable);
                items[0] = self.var(Traits::TUPLE).unwrap_or(Place::NOTHING);
            }
            Shape::Method => {
                // Variables are mostly dropped by the time scripts run.
                let function = Place::var(self.keep());
                self.op(Op::New { dst: function, kind: Kind::new(Shape::Function), items });
                items = [function, self.item_in_script(plan)?];
            }
            Shape::Finalize | Shape::ComposedFinalize => {
                items = [self.referent_in_script(plan)?, self.callable_in_script(number)?];
            }
            _ => {}
        }
        if kind.shape.can_finalize() && self.random.chance(96) {
            self.reuse_code(number, &mut kind);
        }
        let dst = self.store_place(plan);
        self.op(Op::New { dst, kind: kind.canonical(), items });
        Some(())
    }

    /// Makes a weak reference, mostly to `self`.
    pub(super) fn watch_in_script(&mut self, number: usize, plan: &PendingScript) -> Option<()> {
        let referent = self.referent_in_script(plan)?;
        // A function may have been cleared by the time it is called; an extension object can stand that.
        let callback = if !mutant!(ScriptsMakeNoCallbacks) && self.has(Feature::Callbacks) && self.random.chance(128) {
            self.callable_in_script(number).unwrap_or(Place::NOTHING)
        } else {
            Place::NOTHING
        };
        let shape = match self.random.below(8) {
            0 | 1 if self.has(Feature::Proxies) => Shape::Proxy,
            2 | 3 if self.has(Feature::KeyedRefs) => Shape::KeyedRef,
            _ => Shape::Ref,
        };
        let dst = if self.random.chance(216) { Place::var(self.keep()) } else { self.store_place(plan) };
        self.op(Op::New { dst, kind: Kind::new(shape), items: [referent, callback] });
        Some(())
    }

    /// Adds an entry to a weak container, or asks for its length.
    pub(super) fn store_in_script(&mut self, plan: &PendingScript) -> Option<()> {
        let container = self.var(Traits::WEAK_CONTAINER)?;
        if self.random.chance(80) {
            self.op(Op::Len { container });
            return Some(());
        }
        let member = self.referent_in_script(plan)?;
        let slot = self.random.below(2) as u8;
        self.assign(container.slot(slot), member);
        Some(())
    }

    /// What a weak reference made by a script refers to: an object that dies for good is left alone.
    fn referent_in_script(&mut self, plan: &PendingScript) -> Option<Place> {
        match self.random.below(8) {
            0 => Some(self.part(plan)),
            1 => self.var(Traits::WEAKREFABLE),
            _ => match plan.role {
                ScriptRole::Finalizer | ScriptRole::Callable => Some(OWNER),
                ScriptRole::Entry => Some(ARG),
                ScriptRole::Dealloc if self.has(Feature::KeptDying) => Some(OWNER),
                ScriptRole::Dealloc | ScriptRole::Body | ScriptRole::Builder => self.var(Traits::WEAKREFABLE),
            },
        }
    }

    /// What an object made by a script is made of. What is finalized at every death is not saved that way.
    fn item_in_script(&mut self, plan: &PendingScript) -> Option<Place> {
        let saves = self.has(Feature::Resurrection) && !plan.again && plan.role == ScriptRole::Finalizer;
        match self.random.below(4) {
            0 => self.var(Traits::STRONG),
            1 if saves => Some(OWNER),
            _ => Some(self.part(plan)),
        }
    }

    /// An extension object that can be called: made by the running script, or one of the mutator.
    fn callable_in_script(&mut self, number: usize) -> Option<Place> {
        if self.has(Feature::Creation)
            && self.random.chance(160)
            && let Some(script) = self.script_before(number, ScriptRole::Callable)
        {
            let kind = Kind { on_call: Some(script), ..Kind::new(Shape::Node) };
            let dst = Place::var(self.keep());
            self.op(Op::New { dst, kind, items: [Place::NOTHING; 2] });
            return Some(dst);
        }
        self.callable_var(number)
    }

    /// A script that was promised before the running one.
    fn script_before(&mut self, number: usize, role: ScriptRole) -> Option<ScriptId> {
        let start = self.random.index(number);
        let found = |script: &usize| self.plans.plan(*script).role == role;
        let script = (start..number).find(found).or_else(|| (0..start).find(found))?;
        Some(ScriptId(script as u8))
    }
}
