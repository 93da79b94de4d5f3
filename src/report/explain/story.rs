//! The event stream in words.

use super::Run;
use crate::event::{Code, Event, ObjId, Undefined};
use crate::report::Style;

/// Called with the number of events told so far, before the next one is told.
pub(super) type Between<'b> = &'b dyn Fn(usize, usize, &mut String);

/// Tells what happened, one event per line, with what is broken marked; `between` may add what belongs between events.
pub(super) fn tell(run: &Run<'_>, style: Style, between: Between<'_>, out: &mut String) {
    let mut depth = 0usize;
    let mut told = vec![false; run.violations.len()];
    for (at, event) in run.events.iter().enumerate() {
        between(at, depth, out);
        if matches!(event, Event::Leave | Event::CollectEnd { .. }) {
            depth = depth.saturating_sub(1);
        }
        match event {
            Event::Step { op } => {
                let place = run.place(*op);
                out.push_str(&format!("{}  {}\n", style.faint(&place), style.head(&run.operation(*op))));
            }
            _ => {
                if let Some(text) = words(run, event) {
                    line(out, depth, &text);
                }
            }
        }
        if matches!(event, Event::Enter { .. } | Event::CollectStart { .. }) {
            depth += 1;
        }
        for (i, (violation, verdict)) in run.violations.iter().enumerate() {
            if violation.event as usize == at {
                told[i] = true;
                let text = violation.describe(&|object| run.names.label(object));
                let text = format!("  ^ {text}");
                let text = if verdict.class() == crate::invariant::Class::Collector {
                    style.bad(&text)
                } else {
                    style.note(&text)
                };
                line(out, depth, &text);
            }
        }
    }
    between(run.events.len(), depth, out);
    for ((violation, _), _) in run.violations.iter().zip(&told).filter(|(_, told)| !**told) {
        let text = violation.describe(&|object| run.names.label(object));
        line(out, 0, &style.bad(&format!("^ {text}")));
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    out.push_str(&"  ".repeat(depth.min(24) + 1));
    out.push_str(text);
    out.push('\n');
}

/// An event in words; `None` for what snapshots are made of.
fn words(run: &Run<'_>, event: &Event) -> Option<String> {
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
