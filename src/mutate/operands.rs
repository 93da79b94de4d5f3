//! The parts of an operation that mutations change: places, scripts, kinds; and random new ones.

use crate::generate::Random;
use crate::scenario::{
    Base, Bulk, Clear, DeallocFlaws, Finalizer, Kind, MAX_VARS, Op, Operand, Place, ScriptId, Shape, SlotSet, Tracking,
};

/// Most objects that a changed `Build` makes, unless it makes more already.
const MOST_BUILT: u32 = 200;

/// What new parts may refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// Variables in use.
    pub vars: u16,
    /// Scripts that exist.
    pub scripts: u8,
    /// Whether the operation stands in a script.
    pub in_script: bool,
    /// Whether kinds with undefined behaviour may be made.
    pub unsafe_kinds: bool,
}

/// True if a type of this kind can lead to undefined behaviour.
pub(super) fn is_unsafe(kind: &Kind) -> bool {
    kind.doubled != SlotSet::NONE || kind.fickle != SlotSet::NONE || kind.flaws != DeallocFlaws::default()
}

/// Replaces the base of a place and keeps the path.
pub(super) fn rebase(place: Place, base: Base) -> Place {
    place.path().iter().fold(Place::of(base), |p, slot| p.slot(*slot))
}

/// A variable, rarely one that was not in use.
pub(super) fn any_var(random: &mut Random, scope: Scope) -> u16 {
    let new = random.chance(24) as u16;
    random.below((scope.vars + new).clamp(1, MAX_VARS) as u32) as u16
}

/// A place that likely exists.
pub(super) fn any_place(random: &mut Random, scope: Scope) -> Place {
    let base = match random.below(8) {
        0..=2 if scope.in_script => Base::Owner,
        3 if scope.in_script && random.chance(128) => Base::Arg,
        _ => Base::Var(any_var(random, scope)),
    };
    let mut place = Place::of(base);
    for _ in 0..[0, 0, 0, 1, 1, 1, 2, 2][random.index(8)] {
        place = place.slot(random.below(4) as u8);
    }
    place
}

/// A place or nothing.
pub(super) fn any_source(random: &mut Random, scope: Scope) -> Place {
    if random.chance(72) { Place::NOTHING } else { any_place(random, scope) }
}

/// A script that exists.
pub(super) fn any_script(random: &mut Random, scope: Scope) -> Option<ScriptId> {
    (scope.scripts > 0).then(|| ScriptId(random.below(scope.scripts as u32) as u8))
}

/// Changes one thing about how a type takes part.
pub(super) fn change_participation(random: &mut Random, scope: Scope, kind: &mut Kind) {
    let slots = match random.below(4) {
        0 => SlotSet::NONE,
        1 => SlotSet::ALL,
        _ => SlotSet(random.below(16) as u8),
    };
    if !kind.shape.is_extension() {
        kind.shape = Shape::Node;
    }
    match random.below(if scope.unsafe_kinds { 9 } else { 6 }) {
        0 => {
            kind.tracking = [Tracking::Tracked, Tracking::Untracked, Tracking::NoHeader][random.index(3)];
        }
        1 | 2 => kind.hidden = slots,
        3 => kind.clear = if random.chance(128) { Clear::Missing } else { Clear::Keeps(slots) },
        4 => kind.shape = if kind.shape == Shape::Node { Shape::Typed } else { Shape::Node },
        5 => *kind = Kind { finalizer: kind.finalizer, on_call: kind.on_call, ..Kind::new(Shape::Node) },
        6 => kind.doubled = slots,
        7 => kind.fickle = slots,
        _ => {
            kind.flaws = DeallocFlaws { keeps_tracked: random.chance(128), keeps_weakrefs: random.chance(128) };
        }
    }
}

/// Attaches, exchanges or detaches user code.
pub(super) fn change_code(random: &mut Random, scope: Scope, kind: &mut Kind) {
    let script = if random.chance(64) { None } else { any_script(random, scope) };
    match random.below(4) {
        0 | 1 => {
            let legacy = random.chance(32);
            kind.finalizer = script.map(|s| if legacy { Finalizer::Legacy(s) } else { Finalizer::Modern(s) });
        }
        2 => kind.on_call = script,
        _ => kind.on_dealloc = script,
    }
}

/// How many ways there are to change what an operation says besides places and kinds.
pub(super) fn ways(op: &Op) -> u32 {
    let (mut copy, mut ways) = (*op, 0);
    copy.for_each_operand(|operand| ways += ways_of(&operand));
    ways
}

fn ways_of(operand: &Operand<'_>) -> u32 {
    match operand {
        Operand::Count(_) => 3,
        Operand::Allocation(_) => 2,
        Operand::Bulk(_) | Operand::Generation(_) | Operand::Times(_) | Operand::Thresholds(_) => 1,
        Operand::SaveAll(_) | Operand::Body(_) => 1,
        _ => 0,
    }
}

/// Changes one operand in one of these ways, which are numbered from the last operand to the first; `None` if there is
/// no script to be named.
pub(super) fn change(op: &mut Op, way: u32, random: &mut Random, scope: Scope) -> Option<()> {
    let mut first = ways(op);
    let mut done = Some(());
    op.for_each_operand(|operand| {
        let ways = ways_of(&operand);
        first -= ways;
        if (first..first + ways).contains(&way) {
            done = change_operand(operand, way - first, random, scope);
        }
    });
    done
}

fn change_operand(operand: Operand<'_>, way: u32, random: &mut Random, scope: Scope) -> Option<()> {
    match operand {
        Operand::Generation(generation) => *generation = random.below(3) as u8,
        Operand::Allocation(after) if way == 0 => *after = after.saturating_add(1),
        Operand::Allocation(after) => *after = random.below(12) as u8,
        Operand::Times(times) => *times = random.below(8) as u8,
        Operand::Thresholds(thresholds) => thresholds[random.index(3)] = random.below(10) as u16,
        Operand::SaveAll(on) => *on = !*on,
        Operand::Body(script) => *script = any_script(random, scope)?,
        Operand::Bulk(bulk) => *bulk = Bulk::ALL[random.index(4)],
        Operand::Count(count) => {
            *count = match way {
                0 => (*count / 2).max(1),
                1 => (*count).max(MOST_BUILT.min(*count * 2)),
                _ => (*count + 1).min(MOST_BUILT.max(*count)),
            }
        }
        _ => {}
    }
    Some(())
}

/// A kind for a new object.
pub(super) fn any_kind(random: &mut Random, scope: Scope) -> Kind {
    let shape = if random.chance(128) { Shape::Node } else { Shape::ALL[random.index(Shape::ALL.len())] };
    let mut kind = Kind::new(shape);
    if shape.is_extension() && random.chance(96) {
        change_participation(random, scope, &mut kind);
    }
    if random.chance(96) {
        change_code(random, scope, &mut kind);
    }
    kind.canonical()
}

/// A new operation.
pub(super) fn any_op(random: &mut Random, scope: Scope) -> Op {
    let generation = random.below(3) as u8;
    match random.below(40) {
        0..=6 => Op::New {
            dst: any_place(random, scope),
            kind: any_kind(random, scope),
            items: [any_source(random, scope), any_source(random, scope)],
        },
        7..=10 => {
            let shape = [Shape::Ref, Shape::Ref, Shape::Proxy, Shape::KeyedRef][random.index(4)];
            Op::New {
                dst: any_place(random, scope),
                kind: Kind::new(shape),
                items: [any_place(random, scope), any_source(random, scope)],
            }
        }
        11..=18 => Op::Set { dst: any_place(random, scope), src: any_source(random, scope) },
        19..=20 => Op::Deref { dst: any_source(random, scope), weak: any_place(random, scope) },
        21..=22 => Op::Look,
        23 => Op::Scan,
        24..=26 => Op::Collect { generation },
        27 => Op::CollectAtAllocation { after: random.below(6) as u8, generation },
        28 => Op::Call { callable: any_place(random, scope) },
        29 if scope.in_script => Op::Raise,
        29 => Op::EmptyGarbage,
        30 => [Op::Enable, Op::Disable][random.index(2)],
        31 => Op::SetThreshold { thresholds: [1, 0, 0].map(|low| random.range(low, 8) as u16) },
        32 => [Op::Freeze, Op::Unfreeze][random.index(2)],
        33 => Op::SaveAll { on: random.chance(128) },
        34 => {
            if random.chance(192) {
                Op::AddGcCallback { callable: any_place(random, scope) }
            } else {
                Op::EmptyGcCallbacks
            }
        }
        35 => Op::Track { object: any_place(random, scope) },
        36 => Op::Untrack { object: any_place(random, scope) },
        37 => match any_script(random, scope) {
            Some(script) if !scope.in_script => Op::Repeat { times: random.range(1, 4) as u8, script },
            Some(script) => Op::Iterate { container: any_place(random, scope), script },
            None => Op::Look,
        },
        38 => Op::Len { container: any_place(random, scope) },
        _ => {
            let mut kind = any_kind(random, scope);
            if !kind.shape.is_extension() {
                kind = Kind::new(Shape::Node);
            }
            let bulk = Bulk::ALL[random.index(4)];
            Op::Build { dst: any_place(random, scope), bulk, kind, count: random.range(1, 8) }
        }
    }
}
