//! The event stream in words.

use crate::event::{Code, Event, ObjId, Undefined};
use crate::explain::{Line, Run};
use crate::report::{Style, count};

/// Shows a picture, by its number, at a depth.
pub(super) type ShowPicture<'b> = &'b dyn Fn(usize, usize, &mut String);

/// Tells what happened, one event per line, with what is broken marked; `show` adds the pictures between events.
pub(super) fn tell(run: &Run<'_>, style: Style, show: ShowPicture<'_>, out: &mut String) {
    let mut teller = TraceWriter::new(run, style, show, out);
    for line in run.log.lines() {
        teller.come_to(line.at);
        teller.line(line);
    }
    teller.come_to(run.log.total());
    teller.end();
}

/// Where the story is.
struct TraceWriter<'t> {
    run: &'t Run<'t>,
    style: Style,
    show: ShowPicture<'t>,
    out: &'t mut String,
    depth: usize,
    /// The violations in the order of events; last those that this run does not show.
    violations: Vec<usize>,
    /// How many of them have been told.
    told: usize,
    /// How many pictures have been shown.
    shown: usize,
    /// How many of the places where events are left out have been passed.
    left_out: usize,
}

impl<'t> TraceWriter<'t> {
    fn new(run: &'t Run<'_>, style: Style, show: ShowPicture<'t>, out: &'t mut String) -> TraceWriter<'t> {
        let mut violations: Vec<usize> = (0..run.violations.len()).collect();
        violations.sort_by_key(|i| run.violations[*i].0.event.unwrap_or(u32::MAX));
        TraceWriter { run, style, show, out, depth: 0, violations, told: 0, shown: 0, left_out: 0 }
    }

    fn next_violation(&self) -> Option<usize> {
        let next = *self.violations.get(self.told)?;
        self.run.violations[next].0.event.map(|event| event as usize)
    }

    /// What belongs between the line before and the event of this number: pictures, and what broke at events that
    /// are not told.
    fn come_to(&mut self, at: usize) {
        loop {
            let violation = self.next_violation().filter(|v| *v < at);
            let shot = self.run.shots.get(self.shown).map(|s| s.event).filter(|s| *s < at);
            match (shot, violation) {
                (Some(shot), v) if v.is_none_or(|v| shot <= v) => self.shot(),
                (_, Some(_)) => self.violation(),
                _ => break,
            }
        }
        if at < self.run.log.total() {
            self.shots_until(at);
        }
    }

    fn shots_until(&mut self, at: usize) {
        while self.run.shots.get(self.shown).is_some_and(|s| s.event <= at) {
            self.shot();
        }
    }

    fn shot(&mut self) {
        (self.show)(self.shown, self.depth, self.out);
        self.shown += 1;
    }

    fn violation(&mut self) {
        let (violation, verdict) = &self.run.violations[self.violations[self.told]];
        self.told += 1;
        let mark = if violation.event.is_some() { "  ^" } else { "not in this run:" };
        let text = format!("{mark} {}", violation.describe(&|object| self.run.names.label(object)));
        let bad = verdict.class() == crate::invariant::Class::Collector;
        line(self.out, self.depth, &if bad { self.style.bad(&text) } else { self.style.note(&text) });
    }

    fn line(&mut self, of: &Line) {
        if matches!(of.event, Event::Leave | Event::CollectEnd { .. }) {
            self.depth = self.depth.saturating_sub(1);
        }
        if let Event::Step { op } = of.event {
            self.end_step(of.at);
            let (place, operation) = (self.run.place(op), self.run.operation(op));
            self.out.push_str(&format!("{}  {}\n", self.style.faint(&place), self.style.head(&operation)));
        } else if of.is_told
            && let Some(text) = words(self.run, &of.event)
        {
            line(self.out, self.depth, &text);
        }
        if matches!(of.event, Event::Enter { .. } | Event::CollectStart { .. }) {
            self.depth += 1;
        }
        while self.next_violation() == Some(of.at) {
            self.violation();
        }
    }

    /// Says how many events of the step that ended before an event were left out.
    fn end_step(&mut self, at: usize) {
        while let Some((_, events)) = self.run.log.left_out().get(self.left_out).filter(|(end, _)| *end <= at) {
            self.left_out += 1;
            line(self.out, 0, &format!("... and {} more", count(*events as u64, "event")));
        }
    }

    fn end(&mut self) {
        self.end_step(self.run.log.total());
        self.shots_until(self.run.log.total());
        self.depth = 0;
        while self.told < self.violations.len() {
            self.violation();
        }
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
