//! The target `scenario`: one input is one run of one collector, judged by the invariants of single runs.

use super::mutation::read;
use super::states::{COUNTERS, States};
use crate::campaign::{Baseline, Examiner, Verdict};
use crate::collector::Collector;
use crate::event::{Event, Sink};
use crate::invariant::{Class, Judge, Reached};
use crate::run::Machine;
use crate::scenario::{Scenario, text};

/// What the environment asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Setting {
    /// `CORONER_COLLECTOR`: a list of names; nothing means every row.
    pub collectors: Vec<String>,
    /// `CORONER_STRICT=1`: violations of every class and known ones are crashes too.
    pub strict: bool,
    /// `CORONER_COMPARE=A,B`: the two collectors of the target `compare`.
    pub compare: Option<(String, String)>,
}

/// The environment asks for something that makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{variable}: {message}")]
pub struct SettingError {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl SettingError {
    pub(super) fn new(variable: &'static str, message: impl ToString) -> SettingError {
        SettingError { variable, message: message.to_string() }
    }
}

impl Setting {
    /// What the environment of this process asks for.
    ///
    /// # Errors
    /// If a variable has a value that means nothing.
    pub fn from_env() -> Result<Setting, SettingError> {
        Setting::read(|name| std::env::var(name).ok())
    }

    /// The same with variables from elsewhere.
    ///
    /// # Errors
    /// If a variable has a value that means nothing.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Setting, SettingError> {
        let names = |text: String| text.split(',').map(|n| n.trim().to_owned()).collect::<Vec<_>>();
        let collectors = variable("CORONER_COLLECTOR").map(names).unwrap_or_default();
        let strict = match variable("CORONER_STRICT").as_deref() {
            None | Some("" | "0") => false,
            Some("1") => true,
            Some(other) => return Err(SettingError::new("CORONER_STRICT", format!("`{other}` is neither 0 nor 1"))),
        };
        let compare = match variable("CORONER_COMPARE").map(names).as_deref() {
            None => None,
            Some([a, b]) => Some((a.clone(), b.clone())),
            Some(other) => {
                let message = format!("two collectors are needed, and {} are given", other.len());
                return Err(SettingError::new("CORONER_COMPARE", message));
            }
        };
        Ok(Setting { collectors, strict, compare })
    }
}

/// A run that breaks an invariant: what a fuzz target panics with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// The name of the collector.
    pub collector: String,
    /// The broken invariants, primary first, each as a sentence.
    pub sentences: Vec<String>,
    /// The scenario as text.
    pub text: String,
    /// Only `--strict` makes it fail.
    pub strict: bool,
}

impl std::fmt::Display for Crash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} breaks an invariant:", self.collector)?;
        for sentence in &self.sentences {
            writeln!(f, "    {sentence}")?;
        }
        let strict = if self.strict { " --strict" } else { "" };
        writeln!(f, "replay with: coroner replay CRASH-FILE --collector {}{strict}", self.collector)?;
        write!(f, "the scenario:\n{}", self.text)
    }
}

/// What became of one input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// What the run reached.
    pub reached: Reached,
    /// What it broke, if that counts.
    pub crash: Option<Crash>,
}

impl Ran {
    /// False if nothing happened, so that the input is not worth keeping.
    pub fn has_effect(&self) -> bool {
        self.reached.effective_ops > 0 && self.reached.objects > 0
    }
}

/// Hands events to the judge and the counters.
struct Both<'a>(&'a mut Judge, &'a mut States);

impl Sink for Both<'_> {
    #[inline]
    fn event(&mut self, event: Event) {
        self.0.event(event);
        self.1.event(event);
    }
}

/// Runs inputs, one after the other, and keeps its memory between them.
#[derive(Debug)]
pub struct Scenarios {
    lanes: Vec<(Machine, Collector)>,
    judge: Judge,
    states: States,
    scenario: Scenario,
    baseline: Baseline,
    strict: bool,
}

impl Scenarios {
    /// Runs inputs on the collectors that a setting names.
    ///
    /// # Errors
    /// If a name means nothing.
    pub fn new(setting: &Setting) -> Result<Scenarios, SettingError> {
        let wrong = |message: String| SettingError::new("CORONER_COLLECTOR", message);
        let mut collectors = Vec::new();
        for name in &setting.collectors {
            match name.as_str() {
                "all" => collectors.extend(Collector::all()),
                name => collectors.push(Collector::parse(name).map_err(|error| wrong(error.to_string()))?),
            }
        }
        if collectors.is_empty() {
            collectors = Collector::all();
        }
        Ok(Scenarios {
            lanes: collectors.into_iter().map(|c| (Machine::new(&c), c)).collect(),
            judge: Judge::new(),
            states: States::new(),
            scenario: Scenario::new(),
            baseline: Baseline::committed().map_err(|error| wrong(error.to_string()))?,
            strict: setting.strict,
        })
    }

    /// Runs one input. Which collector runs it, if there are several, is a function of the bytes.
    pub fn run(&mut self, data: &[u8]) -> Ran {
        read(data, &mut self.scenario);
        let lane = match self.lanes.len() {
            1 => 0,
            lanes => (xxhash_rust::xxh3::xxh3_64(data) % lanes as u64) as usize,
        };
        self.run_on(lane)
    }

    /// Runs one input on every collector, and adds up what happens: for measuring what an input is worth.
    pub fn run_on_all(&mut self, data: &[u8], mut each: impl FnMut(&Collector, &[u8; COUNTERS], &Ran)) {
        read(data, &mut self.scenario);
        for lane in 0..self.lanes.len() {
            let ran = self.run_on(lane);
            each(&self.lanes[lane].1, self.states.counters(), &ran);
        }
    }

    fn run_on(&mut self, lane: usize) -> Ran {
        let (machine, collector) = &mut self.lanes[lane];
        self.judge.start(&self.scenario, Some(collector.release));
        self.states.start(&self.scenario);
        machine.run(&self.scenario, &mut Both(&mut self.judge, &mut self.states));
        let strict = self.strict;
        let suspicious = self.judge.finish().iter().any(|v| strict || v.class == Class::Collector);
        let reached = self.judge.reached();
        let crash = if suspicious { self.crash(lane) } else { None };
        Ran { reached, crash }
    }

    /// The states of the last run.
    pub fn counters(&self) -> &[u8; COUNTERS] {
        self.states.counters()
    }

    /// Runs again, slowly, to know what counts and to say it.
    #[cold]
    fn crash(&self, lane: usize) -> Option<Crash> {
        let collector = &self.lanes[lane].1;
        let mut examiner = Examiner::new(collector, &self.baseline);
        let run = examiner.examine(&self.scenario, false);
        let counts: Vec<_> = run.violations.iter().filter(|(_, v)| self.strict || *v == Verdict::New).collect();
        if counts.is_empty() {
            return None;
        }
        let document = text::Document::new(&self.scenario);
        let names = crate::names::ObjectNames::new(&document.names, run.events);
        Some(Crash {
            collector: collector.name.clone(),
            sentences: counts.iter().map(|(v, _)| v.describe(&|object| names.label(object))).collect(),
            text: document.print(),
            strict: !counts.iter().any(|(_, v)| *v == Verdict::New),
        })
    }
}
