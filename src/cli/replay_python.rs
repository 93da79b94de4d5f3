//! `coroner replay --python`: scenario files on real interpreters.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::against::Against;
use super::junit::{JunitFile, Outcome, Suite};
use super::on_interpreters::{Replayer, counts, remark};
use super::{Exit, campaign, input, options};
use crate::findings::RunCounts;
use crate::lookup::Collectors;
use crate::regression::{Replayed, Runner};
use crate::report::text::lockstep_report::matrix;
use crate::report::text::run_counts::{self, Word};
use crate::report::{Style, count, json, quoted};

/// Runs files on interpreters and compares with what they expect of the rows that cover these.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(
    paths: &[PathBuf],
    list: &str,
    against: &Against,
    junit: &JunitFile,
    json: Option<&Path>,
) -> anyhow::Result<Exit> {
    let style = Style { color: options::color() };
    let cases = input::runnable_all(paths);
    let mut exit = Exit::Clean;
    let mut readable = Vec::new();
    for case in &cases {
        match case {
            Ok(case) => readable.push(case),
            Err(unreadable) => {
                eprintln!("{}\n", unreadable.render(options::error_color()));
                exit = Exit::BadInput;
            }
        }
    }
    let (mut titles, mut rows) = (Vec::new(), Vec::new());
    let mut columns: Vec<Vec<Replayed>> = Vec::new();
    let mut skipped = Vec::new();
    let mut runner = Runner::new(&Collectors);
    let targets = campaign::targets(list, against.row())?;
    for target in &targets {
        let name = target.interpreter.name();
        let column = Replayer::new(&target.interpreter, &target.collector).and_then(|mut replayer| {
            let run = |case: &&crate::regression::Case| replayer.replay(&mut runner, &case.document);
            readable.iter().map(run).collect::<Result<Vec<Replayed>, _>>()
        });
        match column {
            Ok(column) => {
                titles.push(name);
                rows.push(target.collector.name.clone());
                columns.push(column);
            }
            Err(error) => skipped.push((name, error.to_string())),
        }
    }
    if columns.is_empty() {
        exit = Exit::BadInput;
    }
    let file = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lines: Vec<(String, Vec<String>)> = readable
        .iter()
        .enumerate()
        .map(|(i, case)| (file(&case.path), columns.iter().map(|c| c[i].word().to_owned()).collect()))
        .collect();
    let short: Vec<String> = titles.iter().map(|t| t.trim_start_matches("python-").to_owned()).collect();
    let mut out = matrix(&short, &lines, options::width(), style);
    let mut details = Vec::new();
    for (column, title) in columns.iter().zip(&titles) {
        for (replayed, case) in column.iter().zip(&readable) {
            let Some((this, what)) = remark(replayed) else { continue };
            exit = exit.max(this);
            details.push((this, title.clone(), file(&case.path), what));
        }
    }
    for (this, title, file, what) in &details {
        let mark = if *this == Exit::Clean { style.faint("-") } else { style.bad("FAIL") };
        out += &format!("{mark} {title} {file}: {what}\n");
    }
    let all = || columns.iter().flatten();
    let mut reasons: Vec<&str> =
        all().filter_map(|r| if let Replayed::Unsupported(what) = r { Some(what.as_str()) } else { None }).collect();
    let left_out = reasons.len();
    reasons.sort_unstable();
    reasons.dedup();
    if left_out > 0 {
        out += &format!("- {} left out: {}\n", count(left_out as u64, "run"), reasons.join(", "));
    }
    for (name, why) in &skipped {
        out += &format!("skipped {name}: {why}\n");
    }
    out += &format!(
        "{} on {}: {} run, {} failed\n",
        count(readable.len() as u64, "file"),
        count(columns.len() as u64, "interpreter"),
        all().count() - left_out,
        details.iter().filter(|d| d.0 != Exit::Clean).count(),
    );
    let each = || columns.iter().zip(&titles).map(|(column, title)| (title.as_str(), counts(column.iter())));
    // What a file expects to be undefined was meant to be.
    let not_compared = run_counts::not_compared(each(), |runs| runs, Word::Compared);
    if not_compared.is_some() {
        exit = exit.max(Exit::NotCompared);
    }
    let total = each().fold(RunCounts::default(), |mut all, (_, (counts, _))| {
        all.add(&counts);
        all
    });
    out += &format!("{}\n", run_counts::in_words(&total, Word::Compared));
    super::print(&out)?;
    let quoted_paths: Vec<String> = paths.iter().map(|p| quoted(&p.to_string_lossy())).collect();
    let repeat = format!("coroner replay {} --python {}{}", quoted_paths.join(" "), quoted(list), against.option());
    super::print_end(exit, Some(&repeat), not_compared.as_deref())?;
    junit.write("replay", || {
        let suite = |(column, name): (&Vec<Replayed>, &String)| Suite {
            name: name.clone(),
            cases: column.iter().zip(&readable).map(|(r, case)| (file(&case.path), outcome(r))).collect(),
        };
        columns.iter().zip(&titles).map(suite).collect()
    })?;
    if let Some(path) = json {
        let mut report = json::JsonReport::new("replay", exit.code());
        report.counts = Some(json::JsonRunCounts::new(&total, Word::Compared));
        let interpreters = titles.iter().zip(&rows).zip(&columns).map(|((name, row), column)| {
            let files = readable.iter().zip(column).map(|(case, r)| (file(&case.path), r.word().into()));
            json!({ "interpreter": name, "row": row, "files": files.collect::<serde_json::Map<_, _>>() })
        });
        report.result.insert("interpreters".to_owned(), interpreters.collect());
        let failures = details.iter().filter(|d| d.0 != Exit::Clean);
        let failures =
            failures.map(|(_, name, file, what)| json!({ "interpreter": name, "file": file, "message": what }));
        report.result.insert("failures".to_owned(), failures.collect());
        report.timing.insert("skipped".to_owned(), skipped.iter().map(|(name, _)| name.clone()).collect());
        json::write(path, &report)?;
    }
    Ok(exit)
}

/// What became of a file, for a CI server.
fn outcome(replayed: &Replayed) -> Outcome {
    match (replayed, remark(replayed)) {
        (Replayed::Unsupported(what), _) => Outcome::Skipped(what.clone()),
        (_, Some((exit, message))) if exit != Exit::Clean => {
            Outcome::Failed { what: replayed.word().to_owned(), message, details: exit.meaning().to_owned() }
        }
        _ => Outcome::Passed,
    }
}
