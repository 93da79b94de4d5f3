//! Events in words.

use super::Run;
use crate::event::{Code, Event, ObjId, Spot, Undefined};

/// An event in words; `None` for what snapshots are made of.
pub fn words(run: &Run<'_>, event: &Event) -> Option<String> {
    let name = |object: ObjId| run.names.label(object);
    let maybe = |object: Option<ObjId>| object.map_or_else(|| "None".to_owned(), name);
    Some(match *event {
        Event::Step { .. } | Event::Snapshot | Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. } => {
            return None;
        }
        Event::NoEffect => "nothing happens".to_owned(),
        Event::New { object, origin, .. } => {
            let kind = run.document.scenario.ops().get(origin as usize).and_then(|op| op.kind());
            let shape = kind.map_or("object", |k| k.shape.word());
            format!("{} ({object}) is created: {shape}", name(object))
        }
        Event::NewWeak { weak, referent, callback: None } => format!("{} refers to {}", name(weak), name(referent)),
        Event::NewWeak { weak, referent, callback: Some(callback) } => {
            format!("{} refers to {}, with callback {}", name(weak), name(referent), name(callback))
        }
        Event::StoreVar { var, object: Some(object) } => {
            format!("the variable {} holds {}", run.document.names.var(var), name(object))
        }
        Event::StoreVar { var, object: None } => format!("the variable {} is empty", run.document.names.var(var)),
        Event::StoreSlot { holder, slot: 0xff, .. } => format!("all slots of {} are empty", name(holder)),
        Event::StoreSlot { holder, slot, object: Some(object) } => {
            format!("{}[{slot}] holds {}", name(holder), name(object))
        }
        Event::StoreSlot { holder, slot, object: None } => format!("{}[{slot}] is empty", name(holder)),
        Event::Enter { code, owner, arg } => match (code, arg) {
            (Code::Callback, Some(weak)) => format!("callback {} is called with {}", name(owner), name(weak)),
            _ => format!("{} of {} starts", code_word(code), name(owner)),
        },
        Event::Leave => "returns".to_owned(),
        Event::Saw { object, introspection } => {
            let how = if introspection { "finds" } else { "sees" };
            format!("{how} {}", name(object))
        }
        Event::Answer { weak, referent } => format!("{} answers {}", name(weak), maybe(referent)),
        Event::CollectStart { generation, automatic } => {
            let how = if automatic { ", by itself" } else { "" };
            format!("collection of generation {generation} starts{how}")
        }
        Event::CollectEnd { returned, uncollectable: 0, .. } => format!("collection ends and returns {returned}"),
        Event::CollectEnd { returned, uncollectable, .. } => {
            format!("collection ends and returns {returned}, {uncollectable} of them uncollectable")
        }
        Event::Refused => "a collection is running already: returns 0".to_owned(),
        Event::Clear { object } => format!("tp_clear of {}", name(object)),
        Event::Dealloc { object } => format!("{} dies", name(object)),
        Event::Free { object } => format!("{} is freed", name(object)),
        Event::Unraisable { owner } => format!("an exception from the code of {} is reported", name(owner)),
        Event::Length { container, len, raw } => {
            format!("len({}) is {len}; {raw} entries in its dict", name(container))
        }
        Event::Yielded { container, entry } => format!("iteration over {} yields {}", name(container), name(entry)),
        Event::Undefined { reason } => format!("behaviour is undefined from here on: {}", undefined(reason)),
        Event::End => "the end".to_owned(),
    })
}

/// Any event in words.
pub(super) fn words_of_any(run: &Run<'_>, event: &Event) -> String {
    let name = |object: ObjId| run.names.label(object);
    match *event {
        Event::Step { op } => match run.operation(op) {
            operation if operation.is_empty() => run.place(op),
            operation => format!("{}: {operation}", run.place(op)),
        },
        Event::Snapshot => "a snapshot".to_owned(),
        Event::State { object, refcount, spot, finalized } => {
            let finalized = if finalized { ", finalized" } else { "" };
            format!("snapshot: {} has {refcount} references and is {}{finalized}", name(object), spot_words(spot))
        }
        Event::Weak { weak, referent: Some(referent), callback } => {
            let callback = if callback { " and has a callback" } else { "" };
            format!("snapshot: {} refers to {}{callback}", name(weak), name(referent))
        }
        Event::Weak { weak, referent: None, .. } => format!("snapshot: {} refers to nothing", name(weak)),
        Event::Garbage { object } => format!("snapshot: {} is in gc.garbage", name(object)),
        _ => words(run, event).unwrap_or_default(),
    }
}

fn spot_words(spot: Spot) -> &'static str {
    match spot {
        Spot::Gen0 => "in generation 0",
        Spot::Gen1 => "in generation 1",
        Spot::Gen2 => "in generation 2",
        Spot::Permanent => "frozen",
        Spot::Collecting => "being collected",
        Spot::Untracked => "not tracked",
        Spot::NoHeader => "without a GC header",
    }
}

fn code_word(code: Code) -> &'static str {
    match code {
        Code::Finalizer => "finalizer",
        Code::LegacyFinalizer => "legacy finalizer",
        Code::Callback => "callback",
        Code::Dealloc => "deallocator's code",
        Code::GcCallback => "gc callback",
        Code::Call => "call",
    }
}

fn undefined(reason: Undefined) -> &'static str {
    match reason {
        Undefined::OverReported => "a traverse reported more references than there are",
        Undefined::DeadTracked => "the collection met a tracked object whose reference count is 0",
        Undefined::CalledCleared => "a function was called after tp_clear had emptied it",
        Undefined::KeptDying => "the code of a deallocator kept the object that is being freed",
        Undefined::DanglingWeakref => "a weak reference outlived the memory of its referent",
        Undefined::UseAfterFree => "memory was used after it had been freed",
        Undefined::MovedUntracked => "the callback of a weak reference that is being deallocated had to be called",
        Undefined::NullCallback => "a callback that is not there was released",
    }
}
