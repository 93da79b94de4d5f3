//! `coroner check`: is a bug there or not, as an exit code for programs that search.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::{Exit, campaign, input, native, options};
use crate::cpython::Python;
use crate::event::{Event, EventBuffer, record};
use crate::invariant::{Class, Invariant, Judge, differential};
use crate::lookup::Imitation;
use crate::model::machine::Machine;
use crate::report::json;
use crate::scenario::text::Document;
use crate::subject::{Declaration, End, Failure, Subject};
use crate::supervise::Limits;

/// How often a scenario runs, each time in a fresh process, on an interpreter whose row says that it is undefined: memory
/// that is corrupted does not show every time.
const UNDEFINED_RUNS: usize = 5;

/// Say by the exit code whether a bug is there: for `git bisect run`, and for programs that reduce
///
/// Runs one scenario on one interpreter and judges what it does by the invariants. 0: good. 1: bad, an invariant is violated
/// by the interpreter's fault, or the process died or did not end. 125: cannot tell, because the interpreter does not
/// start or cannot run the scenario, or the file is none.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The interpreter: a path, or a version
    #[arg(long, value_name = "P")]
    python: String,
    /// Only violations of this invariant are bad, of whatever class; a death that is not one of them cannot be told
    #[arg(long, value_name = "I", value_parser = options::invariant)]
    invariant: Option<Invariant>,
    /// The other way round, as programs that reduce have it: 0, the bug is there; 1, it is not
    #[arg(long)]
    interesting: bool,
    /// If it is bad, run it once more for the C stack of the place where the process dies: by gdb, or by faulthandler (3.14)
    #[arg(long)]
    native: bool,
}

/// What one run says.
enum Verdict {
    Good(String),
    Bad(String),
    CannotTell(String),
}

impl Verdict {
    fn word(&self) -> &'static str {
        match self {
            Verdict::Good(_) => "good",
            Verdict::Bad(_) => "bad",
            Verdict::CannotTell(_) => "cannot tell",
        }
    }

    fn why(&self) -> &str {
        match self {
            Verdict::Good(why) | Verdict::Bad(why) | Verdict::CannotTell(why) => why,
        }
    }
}

/// Runs the command. Whatever goes wrong cannot be told: no error is taken for a bug.
///
/// # Errors
/// If a result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let read = input::runnable(&args.file);
    let verdict = match &read {
        Err(unreadable) => Verdict::CannotTell(unreadable.message()),
        Ok(document) => verdict(args, document).unwrap_or_else(|e| Verdict::CannotTell(format!("{e:#}"))),
    };
    let exit = match (&verdict, args.interesting) {
        (Verdict::Good(_), false) | (Verdict::Bad(_), true) => Exit::Clean,
        (Verdict::Bad(_), false) | (Verdict::Good(_), true) => Exit::Violation,
        (Verdict::CannotTell(_), _) => Exit::CannotTell,
    };
    super::print(&format!("{}: {}: {}\n", args.file.display(), verdict.word(), verdict.why()))?;
    if let (true, Verdict::Bad(_), Ok(document)) = (args.native, &verdict, &read) {
        let interpreters = campaign::interpreters(&args.python)?;
        let stacks: Result<Vec<String>, _> =
            interpreters.iter().map(|interpreter| native::text(interpreter, &document.scenario)).collect();
        super::print(&stacks?.concat())?;
    }
    if let Some(path) = json {
        let mut report = json::JsonReport::new("check", exit.code());
        report.result.insert("verdict".to_owned(), verdict.word().into());
        report.result.insert("why".to_owned(), verdict.why().into());
        json::write(path, &report)?;
    }
    Ok(exit)
}

fn verdict(args: &Args, document: &Document) -> anyhow::Result<Verdict> {
    let mut found = campaign::interpreters(&args.python)?;
    let Some(interpreter) = found.pop().filter(|_| found.is_empty()) else {
        bail!("one interpreter is checked at a time, and `{}` names several", args.python);
    };
    let mut checking = Checking::new(Imitation::of(interpreter), document)?;
    if let Some(invariant) = args.invariant.filter(|i| differential::judges(*i)) {
        return checking.several_runs(invariant);
    }
    let (runs, mut verdict) = (checking.runs(), Verdict::CannotTell("nothing was run".to_owned()));
    for _ in 0..runs {
        verdict = checking.one_run(args.invariant)?;
        if !matches!(verdict, Verdict::Good(_)) {
            break;
        }
    }
    Ok(match verdict {
        Verdict::Good(_) if runs > 1 => Verdict::Good(format!(
            "no violation in {runs} runs, though {} is undefined here",
            checking.target.collector.name
        )),
        other => other,
    })
}

/// A scenario and the interpreter that it is checked on.
struct Checking<'d> {
    document: &'d Document,
    target: Imitation,
    python: Python,
    judge: Judge,
}

impl Checking<'_> {
    fn new(target: Imitation, document: &Document) -> anyhow::Result<Checking<'_>> {
        let python = Python::new(target.interpreter.clone(), Limits::default())?;
        Ok(Checking { document, target, python, judge: Judge::new() })
    }

    /// How often it has to run.
    fn runs(&self) -> usize {
        let events = record(|out| Machine::new(&self.target.collector).run(&self.document.scenario, out));
        let is_undefined = matches!(events.last(), Some(Event::Undefined { .. }));
        if is_undefined { UNDEFINED_RUNS } else { 1 }
    }

    /// One run in a fresh process, judged to where it ends: the interpreter may have the fix that its row has not.
    fn one_run(&mut self, wanted: Option<Invariant>) -> anyhow::Result<Verdict> {
        self.python.restart();
        let mut events: Vec<Event> = Vec::new();
        let failure = self.python.run(&self.document.scenario, &mut EventBuffer::new(&mut events)).err();
        let end = End::of(&events, failure.as_ref());
        let is_whole = matches!(end, End::Complete | End::Teardown);
        let declaration: Declaration = self.python.declaration().clone();
        let violations = match is_whole {
            true => self.judge.judge(&self.document.scenario, &events, &declaration),
            false => self.judge.judge_beginning(&self.document.scenario, &events, &declaration),
        };
        let counts = |i: Invariant, class| wanted.map_or(class == Class::Collector, |wanted| wanted == i);
        if let Some(v) = violations.iter().find(|v| counts(v.invariant, v.class)) {
            return Ok(Verdict::Bad(format!("{} ({}), {}", v.invariant.code(), v.invariant.name(), v.class.word())));
        }
        let died = |how: String| match wanted {
            Some(wanted) if wanted != Invariant::I05 => {
                Verdict::CannotTell(format!("no violation of {} before {how}", wanted.code()))
            }
            _ => Verdict::Bad(how),
        };
        Ok(match (end, failure) {
            (End::Unsupported(what), _) => Verdict::CannotTell(what),
            (End::Limit(limit), _) => died(format!("it did not come to its end: {limit}")),
            (End::Crashed(death), _) => died(death.to_string()),
            (End::Teardown, Some(Failure::Died { how, .. })) => died(format!("it died at its end: {how}")),
            _ => Verdict::Good("no violation".to_owned()),
        })
    }

    /// Invariants that compare several runs.
    fn several_runs(&mut self, invariant: Invariant) -> anyhow::Result<Verdict> {
        let list = self.target.interpreter.program.to_string_lossy().into_owned();
        let subjects = options::pythons(&list, None)?;
        let mut examiners = options::examiners(&subjects, &options::baseline()?);
        let Some(examiner) = examiners.first_mut() else { bail!("the interpreter cannot be set up") };
        let examined = examiner.examine_fresh(&self.document.scenario, true);
        let found = examined.violations.iter().find(|(v, _)| v.invariant == invariant);
        Ok(match (found, examined.end) {
            (Some((v, _)), _) => {
                Verdict::Bad(format!("{} ({}), {}", v.invariant.code(), v.invariant.name(), v.class.word()))
            }
            (None, End::Complete) if examined.differential => Verdict::Good("no violation".to_owned()),
            (None, end) => Verdict::CannotTell(format!("{} was not judged: {end:?}", invariant.code())),
        })
    }
}
