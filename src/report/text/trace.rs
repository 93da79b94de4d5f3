//! The event stream in words.

use crate::event::Event;
use crate::explain::{Line, Run, words};
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
    /// Where an interpreter does something else than its row, until that has been said.
    parts_at: Option<usize>,
}

impl<'t> TraceWriter<'t> {
    fn new(run: &'t Run<'_>, style: Style, show: ShowPicture<'t>, out: &'t mut String) -> TraceWriter<'t> {
        let mut violations: Vec<usize> = (0..run.violations.len()).collect();
        violations.sort_by_key(|i| run.violations[*i].0.event.unwrap_or(u32::MAX));
        TraceWriter {
            run,
            style,
            show,
            out,
            depth: 0,
            violations,
            told: 0,
            shown: 0,
            left_out: 0,
            parts_at: run.parts_at(),
        }
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
        if self.parts_at.is_some_and(|parts| parts <= at) {
            self.parts_at = None;
            let text = "-- from here on no pictures of the heap: only the events are known";
            line(self.out, self.depth, &self.style.note(text));
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
