//! What happens on a collector and why, beside another one if that is asked for.

use coroner::campaign::Examiner;
use coroner::design::{Visible, differences};
use coroner::explain::{Judged, explain, record};
use coroner::findings::Baseline;
use coroner::model::collector::Collector;
use coroner::model::rows::Rows;
use coroner::picture::{Picture, Source, Taken, page, svg};
use coroner::report::text::explanation;
use coroner::scenario::text::Document;
use serde_json::{Value, json};

/// The collectors that are asked for.
pub struct Asked(Vec<Collector>);

impl Asked {
    /// One, and perhaps one beside it.
    ///
    /// # Errors
    /// If a name means nothing.
    pub fn new(collector: &str, against: Option<&str>) -> Result<Asked, String> {
        let names = std::iter::once(collector).chain(against);
        let all: Result<Vec<Collector>, _> = names.map(Collector::parse).collect();
        all.map(Asked).map_err(|error| error.to_string())
    }
}

/// The explanation of the first one's run, and the picture of all.
pub fn explained(document: &Document, source: &str, asked: &Asked, baseline: &Baseline) -> Value {
    let (mut runs, mut seen) = (Vec::new(), Vec::new());
    for collector in &asked.0 {
        let mut examiner = Examiner::new(&Rows::one(collector), baseline);
        let examined = examiner.examine(&document.scenario, true);
        seen.push(Visible::of(examined.events, &document.names));
        let judged = Judged { violations: examined.violations, digest: examined.digest, real: None };
        runs.push(record(document, collector, judged));
    }
    let explanations: Vec<_> = runs.iter().map(explain).collect();
    let taken = |at: usize| Taken { run: &runs[at], explanation: &explanations[at], real: None };
    let against = (runs.len() > 1).then(|| taken(1));
    let picture = Picture::new("scenario", Source::of(document, Some(source)), taken(0), against);
    let differing: Vec<Value> = match &seen[..] {
        [first, second] => differences(first, second)
            .iter()
            .map(|d| json!({ "what": d.aspect.sentence(), "first": d.old, "second": d.new }))
            .collect(),
        _ => Vec::new(),
    };
    json!({
        "collector": runs[0].collector.name,
        "digest": format!("{:016x}", runs[0].digest),
        "text": explanation::text(&runs[0], &explanations[0], false, false),
        "explanation": explanations[0],
        "against": explanations.get(1),
        "differences": differing,
        "rows": picture.rows.len(),
        "start": picture.start,
        "svg": svg(&picture, picture.start),
        "page": page(&picture),
    })
}
