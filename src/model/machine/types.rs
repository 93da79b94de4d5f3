//! What a release makes of a kind: the flags its objects are born with, their slots, whether they are tracked.

use crate::model::collector::{AskedRules, Switch};
use crate::model::heap::{Flag, Type};
use crate::scenario::{Clear, DeallocFlaws, Finalizer, Kind, Shape, SlotSet, TpClear, Tracking};

/// True if objects of the kind have a GC header.
#[inline]
pub(super) fn has_header(kind: &Kind, rules: &AskedRules) -> bool {
    match kind.shape {
        Shape::Bare | Shape::Finalize => rules.has(Switch::AllClassesGc),
        _ => kind.tracking != Tracking::NoHeader,
    }
}

/// True if types of the shape have `tp_clear`, unless their kind says otherwise.
pub(super) fn has_clear(shape: Shape, rules: &AskedRules) -> bool {
    match shape.facts().clear {
        TpClear::Always => true,
        // Functions: asked for when the collector comes to clear one.
        TpClear::Since(_) => rules.plain().has(Switch::FunctionClear),
        TpClear::Never => false,
    }
}

/// The type of the objects of a kind.
pub(super) fn of(mut kind: Kind, rules: &AskedRules) -> Type {
    let shape = kind.shape;
    let own_dict = shape == Shape::Instance && rules.has(Switch::InstanceDict);
    if shape == Shape::Typed && !rules.has(Switch::InstancesVisitType) {
        kind.hidden = SlotSet(kind.hidden.0 | 1 << 3);
    }
    let slots = if own_dict { 1 } else { shape.facts().slots };
    let tracked = match shape {
        Shape::Dict => !rules.has(Switch::LazyDictTracking),
        _ => kind.tracking == Tracking::Tracked,
    };
    Type { kind, flags: flags(&kind, own_dict, rules), slots, tracked }
}

fn flags(kind: &Kind, own_dict: bool, rules: &AskedRules) -> Flag {
    let header = has_header(kind, rules);
    let clearable = has_clear(kind.shape, rules) && kind.clear != Clear::Missing;
    let (modern, legacy) = match kind.finalizer {
        Some(Finalizer::Modern(_)) => (true, !kind.shape.is_extension() && !rules.has(Switch::Pep442)),
        Some(Finalizer::Legacy(_)) => (false, !rules.has(Switch::IgnoreStaticLegacy)),
        None => (false, false),
    };
    let unfaithful = kind.hidden.0 | kind.doubled.0 | kind.fickle.0 != 0;
    let special = kind.finalizer.is_some()
        || kind.on_dealloc.is_some()
        || kind.flaws != DeallocFlaws::default()
        || !matches!(kind.clear, Clear::Keeps(SlotSet::NONE));
    Flag::HEADER
        .when(header)
        .and(Flag::FINALIZED.when(rules.has(Switch::BugFinalizedAtBirth)))
        .and(Flag::FINALIZES.when(modern))
        .and(Flag::LEGACY.when(legacy))
        .and(Flag::CLEARABLE.when(clearable && header))
        .and(Flag::UNFAITHFUL.when(unfaithful))
        .and(Flag::OWN_DICT.when(own_dict))
        .and(Flag::SPECIAL.when(special))
}
