//! What every row and some variants do with a scenario.

use coroner::campaign::{Examined, Examiner};
use coroner::findings::{Baseline, Verdict};
use coroner::model::collector::{Collector, Row};
use coroner::model::rows::Rows;
use coroner::regression::{Topic, facts};
use coroner::scenario::text::{Document, Fact};
use coroner::subject::End;
use serde_json::{Value, json};

/// Most variants beside the rows.
const MOST_VARIANTS: usize = 16;

/// The collectors of a matrix, ready to run.
pub struct Kept {
    variants: Vec<String>,
    collectors: Vec<Collector>,
    examiner: Examiner,
}

impl Kept {
    /// Those that were kept, if they are the ones that are asked for, else new ones.
    ///
    /// # Errors
    /// If a name means nothing, or there are too many.
    pub fn of<'k>(
        kept: &'k mut Option<Kept>,
        variants: &[String],
        baseline: &Baseline,
    ) -> Result<&'k mut Kept, String> {
        if kept.as_ref().is_none_or(|kept| kept.variants != variants) {
            if variants.len() > MOST_VARIANTS {
                return Err(format!("there are {} variants, and {MOST_VARIANTS} may be", variants.len()));
            }
            let mut collectors = Collector::all();
            for name in variants {
                collectors.push(Collector::parse(name).map_err(|error| error.to_string())?);
            }
            let examiner = Examiner::new(&Rows::new(collectors.clone()), baseline);
            *kept = Some(Kept { variants: variants.to_vec(), collectors, examiner });
        }
        kept.as_mut().ok_or_else(|| "no collector".to_owned())
    }

    /// What each does.
    pub fn rows(&mut self, document: &Document, closely: bool) -> Value {
        let Kept { collectors, examiner, .. } = self;
        let mut rows: Vec<Value> = Vec::new();
        let mut all_facts: Vec<Vec<Fact>> = Vec::new();
        examiner.examine_each(&document.scenario, closely, |at, run| {
            all_facts.push(facts(&document.scenario, run.events));
            rows.push(row(&collectors[at], run));
        });
        for (row, facts) in rows.iter_mut().zip(told(&all_facts)) {
            let words: Vec<String> = facts.iter().map(|fact| written(*fact, document)).collect();
            row["facts"] = words.into();
        }
        json!({ "rows": rows, "closely": closely })
    }
}

fn row(collector: &Collector, run: &Examined<'_>) -> Value {
    let mut violations: Vec<(&str, &str, bool, usize)> = Vec::new();
    for (violation, verdict) in run.violations {
        let (code, class) = (violation.invariant.code(), verdict.class().word());
        let is_known = *verdict == Verdict::Known;
        match violations.iter_mut().find(|v| (v.0, v.1, v.2) == (code, class, is_known)) {
            Some(same) => same.3 += 1,
            None => violations.push((code, class, is_known, 1)),
        }
    }
    let written = |(code, class, is_known, times): &(&str, &str, bool, usize)| json!({ "code": code, "class": class, "known": is_known, "times": times });
    json!({
        "name": collector.name,
        "verified": collector.verified,
        "covers": Row::named(&collector.name).map(Row::covers),
        "digest": format!("{:016x}", run.digest),
        "events": run.total,
        "violations": violations.iter().map(written).collect::<Vec<_>>(),
        "undefined": undefined(run.end),
    })
}

/// Why the rest of a run is undefined, if it is.
fn undefined(end: &End) -> Option<String> {
    match end {
        End::Undefined(reason, _) => Some(format!("{reason:?}")),
        _ => None,
    }
}

/// Of the facts of each collector those on topics on which not all say the same.
fn told(all: &[Vec<Fact>]) -> Vec<Vec<Fact>> {
    let is_common = |fact: &Fact| all.iter().all(|facts| facts.contains(fact));
    let differing: Vec<Topic> = all.iter().flatten().filter(|f| !is_common(f)).map(|f| Topic::of(*f)).collect();
    all.iter().map(|facts| facts.iter().copied().filter(|f| differing.contains(&Topic::of(*f))).collect()).collect()
}

fn written(fact: Fact, document: &Document) -> String {
    let mut words = String::new();
    // Writing to a string cannot fail.
    let _ = fact.write(&document.names, &mut words);
    words
}
