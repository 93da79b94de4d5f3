//! The order of scenarios: what "smaller" means.

use crate::scenario::{
    Base, Clear, DeallocFlaws, Finalizer, Kind, MAX_VARS, Op, Operand, Place, Scenario, SlotSet, Tracking,
};
use std::cmp::Ordering;

/// How large a scenario is. Compared field by field; scenarios of equal size are ordered by their operations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Measure {
    /// Objects that `New` and `Build` operations name, as if each operation ran once.
    pub objects: u64,
    /// Operations of all bodies, and two more for each creation into a variable that another creation stores to:
    /// a name for two objects saves a `del` and is hard to read.
    pub operations: u32,
    /// Scripts.
    pub scripts: u32,
    /// What the kinds deviate from a plain node.
    pub kinds: u32,
    /// Operands: paths, slots, counts, and which operations.
    pub operands: u64,
}

impl Measure {
    /// The size of a scenario.
    pub fn of(scenario: &Scenario) -> Measure {
        let mut size = Measure {
            operations: scenario.ops().len() as u32,
            scripts: scenario.scripts() as u32,
            ..Measure::default()
        };
        let mut named = Named::default();
        for op in scenario.ops() {
            if creates(op).is_some_and(|var| !named.insert(var)) {
                size.operations += 2;
            }
            if let Some(kind) = op.kind() {
                size.kinds += kind_weight(kind);
                size.objects += match op {
                    Op::Build { count, .. } => u64::from(*count).max(1),
                    _ => 1,
                };
            }
            size.operands += operation_weight(op);
        }
        size
    }
}

/// A set of variables.
struct Named([u64; MAX_VARS as usize / 64]);

impl Default for Named {
    fn default() -> Named {
        Named([0; MAX_VARS as usize / 64])
    }
}

impl Named {
    /// False if the variable was in the set.
    fn insert(&mut self, var: u16) -> bool {
        let (word, bit) = (usize::from(var % MAX_VARS) / 64, 1 << (var % 64));
        let fresh = self.0[word] & bit == 0;
        self.0[word] |= bit;
        fresh
    }
}

/// The variable that the operation creates an object into.
pub(super) fn creates(op: &Op) -> Option<u16> {
    op.kind()?;
    let target = op.target().filter(Place::is_bare)?;
    match target.base {
        Base::Var(var) => Some(var),
        _ => None,
    }
}

/// Compares two scenarios whose sizes are known.
pub(super) fn compare(a: (&Measure, &Scenario), b: (&Measure, &Scenario)) -> Ordering {
    a.0.cmp(b.0).then_with(|| a.1.ops().cmp(b.1.ops())).then_with(|| {
        let ends = |s: &Scenario| (0..s.bodies()).map(|body| s.range(body).end).collect::<Vec<_>>();
        ends(a.1).cmp(&ends(b.1))
    })
}

fn set_weight(set: SlotSet) -> u32 {
    2 * set.0.count_ones() + (0..8).filter(|slot| set.has(*slot)).sum::<usize>() as u32
}

fn kind_weight(kind: &Kind) -> u32 {
    let tracking = match kind.tracking {
        Tracking::Tracked => 0,
        Tracking::NoHeader => 2,
        Tracking::Untracked => 3,
    };
    let clear = match kind.clear {
        Clear::Keeps(set) => 2 * set_weight(set),
        Clear::Missing => 3,
    };
    let finalizer = match kind.finalizer {
        None => 0,
        Some(Finalizer::Modern(_)) => 6,
        Some(Finalizer::Legacy(_)) => 9,
    };
    let DeallocFlaws { keeps_tracked, keeps_weakrefs } = kind.flaws;
    3 * kind.shape.facts().weight
        + tracking
        + clear
        + finalizer
        + 2 * set_weight(kind.hidden)
        + 4 * set_weight(kind.doubled)
        + 5 * set_weight(kind.fickle)
        + 4 * u32::from(kind.on_call.is_some())
        + 8 * u32::from(kind.on_dealloc.is_some())
        + 5 * u32::from(keeps_tracked)
        + 5 * u32::from(keeps_weakrefs)
}

fn place_weight(place: &Place) -> u64 {
    let base = match place.base {
        Base::Nothing => 0,
        Base::Var(_) => 1,
        Base::Owner | Base::Arg => 2,
    };
    base + place.path().iter().map(|slot| 2 + u64::from(*slot)).sum::<u64>()
}

/// The weight of an operation without its kind and scripts: that of the table, and those of its operands.
fn operation_weight(op: &Op) -> u64 {
    let mut weight = u64::from(op.operation().weight);
    let mut copy = *op;
    copy.for_each_place(|place| weight += place_weight(place));
    copy.for_each_operand(|operand| {
        weight += match operand {
            Operand::Generation(generation) => u64::from(2 - (*generation).min(2)),
            Operand::Allocation(number) | Operand::Times(number) => u64::from(*number),
            Operand::Thresholds(thresholds) => thresholds.iter().map(|t| u64::from(*t)).sum(),
            Operand::SaveAll(on) => u64::from(*on),
            Operand::Bulk(bulk) => *bulk as u64,
            _ => 0,
        };
    });
    weight
}
