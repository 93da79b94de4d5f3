//! The target `scenario`: one input is one run of one collector, judged by the invariants of single runs.

use super::mutation::read;
use super::state_counters::{COUNTERS, StateCounters};
use crate::campaign::Examiner;
use crate::event::{Event, EventBuffer};
use crate::findings::{Baseline, Verdict};

use crate::invariant::{Class, Coverage, Invariant, Judge, Violation};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::model::rows::Rows;
use crate::scenario::{Scenario, text};
use crate::subject::Declaration;

/// The variables that [`Setting::from_env`] reads, each with what it does.
pub const VARIABLES: [(&str, &str); 7] = [
    ("CORONER_COLLECTOR=NAME,...", "the collectors of `scenario` [default: all]"),
    ("CORONER_COMPARE=A,B", "the collectors of `compare` [default: the newest two]"),
    ("CORONER_STRICT=1", "violations of every class count, known ones included"),
    ("CORONER_BASELINE=0", "known `collector` violations count like others"),
    ("CORONER_INVARIANT=CODE,...", "only violations of these invariants count"),
    ("CORONER_COUNTERS=0", "hide the states of runs from the engine: for measuring"),
    ("CORONER_STAGE=WORD", "stop after this stage of an input: engine, decode, run or judge: for measuring"),
];

/// The stages of an input, to measure what each costs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Stage {
    /// The engine has made it, nothing else happens.
    Engine,
    /// It is decoded.
    Decode,
    /// It is run, and its states are counted.
    Run,
    /// It is judged: everything.
    #[default]
    Judge,
}

impl Stage {
    fn parse(word: &str) -> Option<Stage> {
        Some(match word {
            "engine" => Stage::Engine,
            "decode" => Stage::Decode,
            "run" => Stage::Run,
            "judge" => Stage::Judge,
            _ => return None,
        })
    }
}

/// What the environment asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Setting {
    /// `CORONER_COLLECTOR`: a list of names; nothing means every row.
    pub collectors: Vec<String>,
    /// `CORONER_STRICT=1`: violations of every class and known ones are crashes too.
    pub strict: bool,
    /// `CORONER_BASELINE=0`: `collector` violations that the baseline knows are crashes like others.
    pub ignore_baseline: bool,
    /// `CORONER_INVARIANT`: a list of codes; violations of no other invariant are crashes. Nothing means all.
    pub invariants: Vec<Invariant>,
    /// `CORONER_COMPARE=A,B`: the two collectors of the target `compare`.
    pub compare: Option<(String, String)>,
    /// `CORONER_COUNTERS=0`: the engine does not see the states of runs.
    pub hide_states: bool,
    /// `CORONER_STAGE`: where an input stops.
    pub stage: Stage,
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
        let flag = |name: &'static str, default: bool| match variable(name).as_deref() {
            None | Some("") => Ok(default),
            Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(other) => Err(SettingError::new(name, format!("`{other}` is neither 0 nor 1"))),
        };
        let strict = flag("CORONER_STRICT", false)?;
        let ignore_baseline = !flag("CORONER_BASELINE", true)?;
        let invariant = |code: &String| {
            let unknown = || SettingError::new("CORONER_INVARIANT", format!("no invariant is called `{code}`"));
            Invariant::parse(code).ok_or_else(unknown)
        };
        let invariants = variable("CORONER_INVARIANT").map(names).unwrap_or_default();
        let invariants = invariants.iter().map(invariant).collect::<Result<_, _>>()?;
        let compare = match variable("CORONER_COMPARE").map(names).as_deref() {
            None => None,
            Some([a, b]) => Some((a.clone(), b.clone())),
            Some(other) => {
                let message = format!("two collectors are needed, and {} are given", other.len());
                return Err(SettingError::new("CORONER_COMPARE", message));
            }
        };
        let hide_states = !flag("CORONER_COUNTERS", true)?;
        let stage = match variable("CORONER_STAGE") {
            None => Stage::default(),
            Some(word) => Stage::parse(&word)
                .ok_or_else(|| SettingError::new("CORONER_STAGE", format!("`{word}` is no stage")))?,
        };
        Ok(Setting { collectors, strict, ignore_baseline, invariants, compare, hide_states, stage })
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

/// Most events of an input that is kept. A scenario of 12 objects and 30 operations has about 200.
const MOST_EVENTS: u32 = 600;
/// A run ends after so many events, and what comes later is not judged. Some mutations repeat what snapshots
/// show in hundreds of lines: without a bound, such runs had three quarters of all events.
const MOST_RUN: usize = 2_000;

/// What became of one input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// What the run reached.
    pub reached: Coverage,
    /// What it broke, if that counts.
    pub crash: Option<Crash>,
    /// How many events it took.
    pub events: u32,
}

impl Ran {
    /// False if nothing happened.
    pub fn has_effect(&self) -> bool {
        self.reached.effective_ops > 0 && self.reached.objects > 0
    }
}

/// Runs inputs, one after the other, and keeps its memory between them.
#[derive(Debug)]
pub struct Scenarios {
    members: Vec<Member>,
    judge: Judge,
    states: StateCounters,
    scenario: Scenario,
    events: Vec<Event>,
    baseline: Baseline,
    strict: bool,
    ignores_baseline: bool,
    hides_states: bool,
    stage: Stage,
}

/// One collector, and what of its violations may be a crash.
#[derive(Debug)]
struct Member {
    machine: Machine,
    collector: Collector,
    declaration: Declaration,
    /// By invariant: what is asked for.
    wanted: [bool; Invariant::COUNT],
    /// Looks again at what is suspicious, and asks the baseline. Made when it is needed.
    examiner: Option<Examiner>,
}

impl Member {
    fn new(collector: Collector, setting: &Setting) -> Member {
        let wanted = |i: Invariant| setting.invariants.is_empty() || setting.invariants.contains(&i);
        Member {
            machine: Machine::new(&collector),
            wanted: std::array::from_fn(|i| wanted(Invariant::ALL[i])),
            declaration: Declaration::of_release(&collector.name, collector.release),
            examiner: None,
            collector,
        }
    }

    /// True if a violation may be a crash.
    fn is_suspicious(&self, violation: &Violation, strict: bool) -> bool {
        let invariant = violation.invariant as usize;
        self.wanted[invariant] && (strict || violation.class == Class::Collector)
    }
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
        let baseline = match setting.ignore_baseline {
            true => Baseline::empty(),
            false => Baseline::committed(&Collector::row_names()).map_err(|error| wrong(error.to_string()))?,
        };
        Ok(Scenarios {
            members: collectors.into_iter().map(|c| Member::new(c, setting)).collect(),
            judge: Judge::new(),
            states: StateCounters::new(),
            scenario: Scenario::new(),
            events: Vec::new(),
            baseline,
            strict: setting.strict,
            ignores_baseline: setting.ignore_baseline,
            hides_states: setting.hide_states,
            stage: setting.stage,
        })
    }

    /// Runs one input. Which collector runs it, if there are several, is a function of the bytes.
    pub fn run(&mut self, data: &[u8]) -> Ran {
        if self.stage < Stage::Run {
            return self.stop(data);
        }
        read(data, &mut self.scenario);
        let member = match self.members.len() {
            1 => 0,
            members => (xxhash_rust::xxh3::xxh3_64(data) % members as u64) as usize,
        };
        self.run_on(member)
    }

    /// What is done with an input that is not to be run.
    #[cold]
    fn stop(&mut self, data: &[u8]) -> Ran {
        if self.stage == Stage::Decode {
            read(data, &mut self.scenario);
        }
        Ran { reached: Coverage::default(), crash: None, events: 0 }
    }

    /// Runs one input on every collector, and adds up what happens: for measuring what an input is worth.
    pub fn run_on_all(&mut self, data: &[u8], mut each: impl FnMut(&Collector, &[u8; COUNTERS], &Ran)) {
        read(data, &mut self.scenario);
        for member in 0..self.members.len() {
            let ran = self.run_on(member);
            each(&self.members[member].collector, self.states.counters(), &ran);
        }
    }

    fn run_on(&mut self, member: usize) -> Ran {
        let here = &mut self.members[member];
        // The judge reads a snapshot in one loop, which it can only do if the events are all there.
        here.machine.run(&self.scenario, &mut EventBuffer::new(&mut self.events).end_at(MOST_RUN + 1));
        let events = self.events.len() as u32;
        self.states.start(&self.scenario);
        self.states.take(&self.events);
        if self.stage == Stage::Run {
            return Ran { reached: Coverage::default(), crash: None, events };
        }
        let (strict, declaration) = (self.strict, &here.declaration);
        let violations = match self.events.len() {
            whole if whole <= MOST_RUN => self.judge.judge(&self.scenario, &self.events, declaration),
            _ => self.judge.judge_beginning(&self.scenario, &self.events, declaration),
        };
        let suspicious = violations.iter().any(|v| here.is_suspicious(v, strict));
        let reached = self.judge.reached();
        let crash = if suspicious { self.crash(member) } else { None };
        Ran { reached, crash, events }
    }

    /// The states of the last run.
    pub fn counters(&self) -> &[u8; COUNTERS] {
        self.states.counters()
    }

    /// False if the input is not worth keeping: nothing happened, or so much that everything made of it would be slow.
    pub fn is_worth_keeping(&self, ran: &Ran) -> bool {
        // Whether it had an effect is known in the last stage.
        ran.events <= MOST_EVENTS && (self.stage < Stage::Judge || ran.has_effect())
    }

    /// True if the engine shall not see the states.
    pub fn hides_states(&self) -> bool {
        self.hides_states
    }

    /// Runs again, slowly, to know what counts and to say it.
    #[cold]
    fn crash(&mut self, member: usize) -> Option<Crash> {
        let Member { collector, wanted, examiner, .. } = &mut self.members[member];
        let examiner = examiner.get_or_insert_with(|| Examiner::new(&Rows::one(collector), &self.baseline));
        let run = examiner.examine(&self.scenario, false);
        let counts = |verdict: Verdict| self.strict || verdict == Verdict::New;
        let counts = run.violations.iter().filter(|(v, verdict)| wanted[v.invariant as usize] && counts(*verdict));
        let counts: Vec<_> = counts.collect();
        if counts.is_empty() {
            return None;
        }
        let document = text::Document::new(&self.scenario);
        let names = crate::object_names::ObjectNames::new(&document.names, run.events);
        Some(Crash {
            collector: collector.name.clone(),
            sentences: counts.iter().map(|(v, _)| v.describe(&|object| names.label(object))).collect(),
            text: document.print(),
            // What only the missing baseline makes new is known to everybody else.
            strict: self.ignores_baseline || !counts.iter().any(|(_, v)| *v == Verdict::New),
        })
    }
}
