//! The event stream in words.

use super::Run;
use crate::event::{Code, Event, ObjId, Undefined};
use crate::report::{Style, count};

/// Called with the number of events told so far, before the next one is told.
pub(super) type Between<'b> = &'b dyn Fn(usize, usize, &mut String);

/// Most events that are told of one step.
const TOLD_OF_STEP: usize = 500;
/// The same once [`TOLD`] events have been told.
const TOLD_LATE: usize = 10;
/// How many events are told before the rest is told in brief: what nobody would read to the end.
const TOLD: usize = 20_000;

/// Tells what happened, one event per line, with what is broken marked; `between` may add what belongs between events.
pub(super) fn tell(run: &Run<'_>, style: Style, between: Between<'_>, out: &mut String) {
    let mut depth = 0usize;
    let mut lines = Lines::default();
    // The violations still to come, the next one last.
    let mut next: Vec<usize> = (0..run.violations.len()).rev().collect();
    next.sort_by_key(|i| std::cmp::Reverse(run.violations[*i].0.event));
    for (at, event) in run.events.iter().enumerate() {
        between(at, depth, out);
        if matches!(event, Event::Leave | Event::CollectEnd { .. }) {
            depth = depth.saturating_sub(1);
        }
        match event {
            Event::Step { op } => {
                lines.end_step(out);
                let place = run.place(*op);
                out.push_str(&format!("{}  {}\n", style.faint(&place), style.head(&run.operation(*op))));
            }
            _ => {
                if is_told(event)
                    && lines.next()
                    && let Some(text) = words(run, event)
                {
                    line(out, depth, &text);
                }
            }
        }
        if matches!(event, Event::Enter { .. } | Event::CollectStart { .. }) {
            depth += 1;
        }
        while let Some(&i) = next.last().filter(|i| run.violations[**i].0.event as usize == at) {
            next.pop();
            let (violation, verdict) = &run.violations[i];
            let text = format!("  ^ {}", violation.describe(&|object| run.names.label(object)));
            let bad = verdict.class() == crate::invariant::Class::Collector;
            line(out, depth, &if bad { style.bad(&text) } else { style.note(&text) });
        }
    }
    lines.end_step(out);
    between(run.events.len(), depth, out);
    for &i in next.iter().rev() {
        let text = run.violations[i].0.describe(&|object| run.names.label(object));
        line(out, 0, &style.bad(&format!("^ {text}")));
    }
}

/// Counts what is told.
#[derive(Default)]
struct Lines {
    all: usize,
    of_step: usize,
    left_out: usize,
}

impl Lines {
    /// Whether the next event is told.
    fn next(&mut self) -> bool {
        let most = if self.all < TOLD { TOLD_OF_STEP } else { TOLD_LATE };
        let is_told = self.of_step < most;
        self.of_step += usize::from(is_told);
        self.all += usize::from(is_told);
        self.left_out += usize::from(!is_told);
        is_told
    }

    /// Says how many events of the step that ends were left out.
    fn end_step(&mut self, out: &mut String) {
        if self.left_out > 0 {
            line(out, 0, &format!("... and {} more", count(self.left_out as u64, "event")));
        }
        (self.of_step, self.left_out) = (0, 0);
    }
}

/// Whether there are words for an event: not for what snapshots are made of.
fn is_told(event: &Event) -> bool {
    !matches!(event, Event::Snapshot | Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. })
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
