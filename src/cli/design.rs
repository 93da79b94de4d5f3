//! `diff` and `enumerate` with two collectors of the model: what users would notice of a change of rule.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow, bail};

use super::{Exit, interrupt, options};
use crate::campaign::{Budget, Scenarios};
use crate::design::{Kind, Pair, Survey};
use crate::enumerate::{Enumeration, Scope};
use crate::findings::write_atomically;
use crate::model::collector::Collector;
use crate::report::text::design_report::{self, DesignReport};
use crate::report::{count, json as report, quoted};
use crate::scenario::Scenario;
use crate::scenario::text::{Field, FieldName};

/// Candidates that the reduction of one example may try.
const TRIES: u64 = 4_000;

/// Scenarios that a worker takes between two looks at the clock.
const STEP: u64 = 1024;

/// Two collectors of the model.
#[derive(Debug)]
pub struct Design {
    /// The collector as it is.
    pub old: Collector,
    /// The collector as it would be.
    pub new: Collector,
    /// Number of workers, from 1.
    pub jobs: usize,
    /// Where the reduced scenarios go, if anywhere.
    pub out: Option<PathBuf>,
}

impl Design {
    /// The collector that a name means, against another.
    ///
    /// # Errors
    /// If the name means nothing, several collectors, or the same rules.
    pub fn new(name: &str, old: &Collector, jobs: usize, out: Option<PathBuf>) -> anyhow::Result<Design> {
        let Ok([new]) = <[Collector; 1]>::try_from(options::collectors(&[name.to_owned()])?) else {
            bail!("--against compares two collectors: name one with --collector");
        };
        if new.rules == old.rules {
            bail!("{} and {} have the same rules: add a switch, such as +rescue-only-resurrected", new.name, old.name);
        }
        Ok(Design { old: old.clone(), new, jobs, out })
    }

    /// Runs `diff`: scenarios of a campaign.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn diff(&self, draw: &Scenarios, budget: Budget, repeat: &str, json: Option<&Path>) -> anyhow::Result<Exit> {
        interrupt::watch();
        let (first, end, time) = match budget {
            Budget::Scenarios(n) => (0, n, None),
            Budget::Only(n) => (n, n + 1, None),
            Budget::Time(time) => (0, u64::MAX, Some(time)),
        };
        let (started, mut next, mut survey) = (Instant::now(), first, Survey::default());
        let bar = options::bar((end != u64::MAX).then_some(end - first));
        // Large scenarios are taken one by one.
        let step = if draw.block() == 1 { 1 } else { STEP };
        while next < end && !interrupt::asked() && time.is_none_or(|time| started.elapsed() < time) {
            let until = end.min(next.saturating_add(step * self.jobs as u64));
            let blocks = (next..until).step_by(step as usize).map(|from| from..until.min(from + step));
            for part in in_parallel(blocks, &|block: std::ops::Range<u64>| self.drawn(draw, block)) {
                survey.merge(part);
            }
            next = until;
            bar.set_position(next - first);
            bar.set_message(found(&survey));
        }
        bar.finish_and_clear();
        let profiles = draw.profile_names();
        let of = if draw.profiles.len() == 1 { "profile" } else { "profiles" };
        let scenarios = format!("{} of {of} {profiles}, seed {}", count(survey.scenarios, "scenario"), draw.seed);
        let which = match budget {
            Budget::Only(n) => format!("--only {n}"),
            _ => format!("--scenarios {}", survey.scenarios),
        };
        self.finish("diff", &survey, (scenarios, None), &format!("{repeat} {which}"), json)
    }

    fn drawn(&self, draw: &Scenarios, block: std::ops::Range<u64>) -> Survey {
        let (mut source, mut pair) = (draw.source(), Pair::new(&self.old, &self.new));
        let (mut survey, mut scenario) = (Survey::default(), Scenario::new());
        for n in block {
            source.fill(n, &mut scenario);
            survey.add(&mut pair, n, &scenario);
        }
        survey
    }

    /// Runs `enumerate`: every scenario of a scope whose index is not less than `from`, at most so many.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn enumerate(
        &self,
        scope: Scope,
        (from, most): (u64, u64),
        repeat: &str,
        json: Option<&Path>,
    ) -> anyhow::Result<Exit> {
        interrupt::watch();
        let end = Enumeration::new(scope).end();
        let bar = options::bar(Some(end));
        let jobs = self.jobs as u64;
        let mut workers: Vec<(Enumeration, Pair)> =
            (0..jobs).map(|_| (Enumeration::new(scope), Pair::new(&self.old, &self.new))).collect();
        let (mut next, mut survey) = (from, Survey::default());
        while next < end && survey.scenarios < most && !interrupt::asked() {
            // One worker counts exactly.
            let bounded = most != u64::MAX;
            let step = if bounded { STEP } else { STEP * 64 };
            let used = if bounded { 1 } else { workers.len() };
            let starts = (0..used as u64).map(|i| next + i * step);
            let parts = workers.iter_mut().zip(starts).map(|((all, pair), start)| (all, pair, start));
            let left = most - survey.scenarios;
            let run = |(all, pair, start): (&mut Enumeration, &mut Pair, u64)| {
                let (mut part, mut scenario) = (Survey::default(), Scenario::new());
                all.seek(start);
                while Enumeration::position(all) < start + step && part.scenarios < left {
                    match all.fill(&mut scenario) {
                        // The next index that has a scenario may be in the next step.
                        Some(index) if index < start + step => part.add(pair, index, &scenario),
                        _ => break,
                    }
                }
                part
            };
            for part in in_parallel(parts, &run) {
                survey.merge(part);
            }
            next += step * used as u64;
            bar.set_position(next.min(end));
            bar.set_message(found(&survey));
        }
        bar.finish_and_clear();
        let Scope { objects, edges, decorations } = scope;
        let is_whole = from == 0 && next >= end && survey.scenarios < most;
        let scenarios = format!(
            "{} of at most {}, {} and {}{}",
            count(survey.scenarios, "scenario"),
            count(objects.into(), "object"),
            count(edges.into(), "edge"),
            count(decorations.into(), "decoration"),
            if is_whole { ", which are all there are" } else { "" },
        );
        self.finish("enumerate", &survey, (scenarios, is_whole.then_some(objects)), repeat, json)
    }

    fn finish(
        &self,
        command: &str,
        survey: &Survey,
        (scenarios, complete): (String, Option<u8>),
        repeat: &str,
        json: Option<&Path>,
    ) -> anyhow::Result<Exit> {
        let kinds = survey.kinds(&mut Pair::new(&self.old, &self.new), TRIES);
        let little = not_compared(survey);
        let exit = interrupt::exit(match (kinds.is_empty(), &little) {
            (false, _) => Exit::Disagreement,
            (true, Some(_)) => Exit::NotCompared,
            (true, None) => Exit::Clean,
        });
        let (old, new) = (&self.old, &self.new);
        let page = DesignReport { old, new, scenarios, complete, survey, kinds: &kinds };
        super::print(&design_report::text(&page, options::width()))?;
        let files = match &self.out {
            Some(out) => self.write(out, &kinds)?,
            None => Vec::new(),
        };
        if let Some(path) = json {
            let mut result = report::JsonReport::new(command, exit.code());
            result.scenarios = Some(survey.scenarios);
            result.repeat = Some(repeat.to_owned());
            result.result.insert("design".to_owned(), design_report::json(&page));
            result.timing.insert("files".to_owned(), files.into());
            report::write(path, &result)?;
        }
        super::print_end(exit, Some(repeat), little.as_deref())?;
        Ok(exit)
    }

    /// Writes the smallest scenario of each kind into a folder of these two.
    fn write(&self, out: &Path, kinds: &[Kind]) -> anyhow::Result<Vec<String>> {
        let folder = out.join("design").join(format!("{}...{}", self.old.name, self.new.name));
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut files = Vec::new();
        for kind in kinds {
            let Some((aspect, ..)) = kind.aspects.first() else { continue };
            let mut document = kind.example.document.clone();
            let title = format!("{}: {} where {} was", aspect.sentence(), self.new.name, self.old.name);
            document.fields = [(FieldName::Note, title), (FieldName::Collector, self.new.name.clone())]
                .into_iter()
                .map(|(name, text)| Field { name, text })
                .collect();
            let path = folder.join(format!("{}.scn", aspect.word()));
            write_atomically(&path, document.print().as_bytes())
                .map_err(|error| anyhow!(error).context(format!("cannot write {}", path.display())))?;
            files.push(path.to_string_lossy().into_owned());
        }
        super::print(&format!("\nwritten: {}\n", quoted(&folder.to_string_lossy())))?;
        Ok(files)
    }
}

/// What was found so far, for the line of progress.
fn found(survey: &Survey) -> String {
    let words: Vec<&str> = survey.aspects().map(|aspect| aspect.word()).collect();
    words.join(" ")
}

/// Says that too little was compared, if it was.
fn not_compared(survey: &Survey) -> Option<String> {
    let compared = survey.scenarios - survey.not_asked - survey.too_long;
    (compared == 0).then(|| {
        format!(
            "not compared: none of {} comes to where the two differ; try another profile (`coroner list profiles`)",
            count(survey.scenarios, "scenario")
        )
    })
}

/// Runs parts at the same time, and gives what came of them in their order.
fn in_parallel<P: Send, R: Send>(parts: impl Iterator<Item = P>, run: &(dyn Fn(P) -> R + Sync)) -> Vec<R> {
    let parts: Vec<P> = parts.collect();
    std::thread::scope(|scope| {
        let running: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || run(part))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
