//! What a campaign shows while it runs: a bar on a terminal, and lines of JSON in a file.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::campaign::Options;
use crate::campaign::{Budget, Progress};
use crate::findings::{Counts, FindingKey, SubjectCounts};

use crate::report::{count, grouped};

/// How often a line is written.
const EVERY: Duration = Duration::from_secs(5);
/// The bar's length.
const FULL: u64 = 1_000;

/// Shows where a campaign is.
pub struct Monitor<R> {
    bar: ProgressBar,
    budget: Budget,
    shards: u64,
    /// What has been reached, by name.
    reached: R,
    metrics: Option<File>,
    /// What has been found that somebody should know, in the order in which it was found.
    found: Vec<String>,
    written: Option<Instant>,
    error: Option<anyhow::Error>,
}

impl<R> Monitor<R> {
    /// A monitor for a campaign.
    ///
    /// # Errors
    /// If the file for lines cannot be opened.
    pub fn new(options: &Options, budget: Budget, reached: R) -> anyhow::Result<Monitor<R>> {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(FULL) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{bar:24} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let open = |path: &std::path::PathBuf| {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            OpenOptions::new().create(true).append(true).open(path)
        };
        let metrics =
            options.metrics.as_ref().map(|path| open(path).with_context(|| format!("cannot write {}", path.display())));
        let (metrics, shards) = (metrics.transpose()?, options.shard.count);
        Ok(Monitor { bar, budget, shards, reached, metrics, found: Vec::new(), written: None, error: None })
    }

    /// Shows where the campaign is.
    pub fn show<T: SubjectCounts, K: FindingKey>(&mut self, progress: &Progress<'_, T, K>)
    where
        R: Fn(&Counts<T, K>) -> Vec<(&'static str, u64)>,
    {
        let reached = (self.reached)(&progress.state.part);
        self.tell(progress);
        if !self.bar.is_hidden() {
            self.draw(progress, &reached);
        }
        if progress.done || self.written.is_none_or(|written| written.elapsed() >= EVERY) {
            self.written = Some(Instant::now());
            let line = line(progress, &reached, &self.found);
            if let Some(file) = &mut self.metrics
                && let Err(error) = file.write_all(line.as_bytes())
            {
                self.error.get_or_insert(error.into());
            }
        }
    }

    /// Says what has been found since it was asked last, above the bar.
    fn tell<T: SubjectCounts, K: FindingKey>(&mut self, progress: &Progress<'_, T, K>) {
        let state = progress.state;
        for kind in state.part.kinds.keys().filter(|kind| kind.is_urgent()) {
            let Some(record) = state.records.get(kind) else { continue };
            let line = format!("found {} {} on {}", record.what.code, record.what.name, record.subject);
            if !self.found.contains(&line) {
                self.bar.println(format!("{line}: scenario {}", record.first.scenario));
                self.found.push(line);
            }
        }
    }

    fn draw<T: SubjectCounts, K: FindingKey>(&self, progress: &Progress<'_, T, K>, reached: &[(&str, u64)]) {
        let state = progress.state;
        let scenarios = state.part.scenarios;
        let waiting = state.waiting() as u64;
        if progress.over {
            self.bar.set_message(format!("{} scenarios; reducing: {waiting} left", grouped(scenarios)));
            return;
        }
        let rate = progress.run as f64 / progress.elapsed.as_secs_f64().max(1e-3);
        let (part, left) = match self.budget {
            Budget::Time(time) => {
                let elapsed = state.timing.elapsed;
                (elapsed.as_secs_f64() / time.as_secs_f64().max(1e-3), Some(time.saturating_sub(elapsed)))
            }
            Budget::Scenarios(total) if total < u64::MAX => {
                let total = total as f64 / self.shards as f64;
                let left = (total - scenarios as f64).max(0.0) / rate.max(1e-3);
                (scenarios as f64 / total.max(1.0), Duration::try_from_secs_f64(left).ok())
            }
            _ => (0.0, None),
        };
        self.bar.set_position((part.clamp(0.0, 1.0) * FULL as f64) as u64);
        let left = left.map_or_else(String::new, |left| {
            format!(", {} left", humantime::format_duration(Duration::from_secs(left.as_secs())))
        });
        let reached_now = reached.iter().filter(|(_, count)| *count > 0).count();
        self.bar.set_message(format!(
            "{} scenarios, {}/s, reached {reached_now} of {}, {}, {waiting} to reduce{left}",
            grouped(scenarios),
            grouped(rate as u64),
            reached.len(),
            count(state.part.kinds.len() as u64, "finding"),
        ));
    }

    /// Takes the bar away.
    ///
    /// # Errors
    /// If a line could not be written.
    pub fn finish(self) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        self.error.map_or(Ok(()), |error| Err(error.context("cannot write the metrics")))
    }
}

/// A line of metrics.
fn line<T: SubjectCounts, K: FindingKey>(
    progress: &Progress<'_, T, K>,
    reached: &[(&'static str, u64)],
    found: &[String],
) -> String {
    let state = progress.state;
    let reached: serde_json::Map<_, _> = reached.iter().map(|(name, n)| ((*name).to_owned(), (*n).into())).collect();
    let waiting = state.waiting();
    let line = json!({
        "schema": 1,
        "shard": state.shard.to_string(),
        "scenarios": state.part.scenarios,
        "scenarios_of_process": progress.run,
        "seconds": state.timing.elapsed.as_secs_f64(),
        "seconds_of_process": progress.elapsed.as_secs_f64(),
        "kinds": state.part.kinds.len(),
        "reduced": state.part.kinds.len() - waiting,
        "waiting": waiting,
        "reached": reached,
        "resident_bytes": resident(),
        "found": found,
        "done": progress.done,
    });
    format!("{line}\n")
}

/// Memory that the process uses, where the system says so.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
