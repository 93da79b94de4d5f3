//! Scenarios as programs of other people's: Python scripts, with a C file where a type must lie, unit tests, reports.
//!
//! [`export`] translates a scenario into kinds that Python can make, judges the translation on every row of the model and
//! prints it. What the script prints is known before it runs: [`Expected`], one for each row. [`run::run`] compares.

mod boxes;
mod expected;
mod extension;
mod instrument;
mod issue;
mod names;
mod python;
pub mod run;
mod rust;
mod shapes;
mod tidy;
mod trace;
mod translate;
mod unittest;

pub use expected::{Expected, Outcome};
pub use issue::{MOST_LINES, issue};
pub use rust::rust_test;
pub use trace::Line;
pub use unittest::{passes, unit_test};

use crate::scenario::text::Document;
use expected::Judged;
use instrument::Instrument;
use translate::Strategy;

/// A scenario as a program.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The script.
    pub script: String,
    /// The C file that it needs, if a type must do what no Python class does.
    pub c: Option<String>,
    /// What it prints on each row.
    pub expected: Vec<Expected>,
    /// What it should be known of the translation.
    pub notes: Vec<String>,
}

/// What the C file and the module in it are called.
pub const MODULE: &str = "types_in_c";

/// Every translation of a scenario that shows what the scenario shows on the model, the shortest first; those in pure
/// Python before those that need a C file.
///
/// # Errors
/// Why there is none.
pub fn export(document: &Document) -> Result<Vec<Exported>, Vec<String>> {
    let original = Judged::new(&document.scenario);
    let (mut found, mut reasons): (Vec<Exported>, Vec<String>) = Default::default();
    for strategy in Strategy::ALL {
        match one(document, &original, strategy) {
            Ok(exported) => found.push(exported),
            Err(reason) if reasons.contains(&reason) => {}
            Err(reason) => reasons.push(reason),
        }
    }
    if found.is_empty() {
        return Err(reasons);
    }
    found.sort_by_key(|exported| (exported.c.is_some(), exported.script.lines().count()));
    if found[0].c.is_some() {
        let why: Vec<String> = reasons.iter().map(|r| format!("in C, because {r}")).collect();
        found.iter_mut().for_each(|exported| exported.notes.splice(..0, why.iter().cloned()).for_each(drop));
    }
    Ok(found)
}

fn one(document: &Document, original: &Judged, strategy: Strategy) -> Result<Exported, String> {
    let scenario = translate::translate(document, original, strategy)?;
    let scenario = tidy::tidy(scenario);
    let judged = Judged::new(&scenario);
    let is_exact = strategy == Strategy::InC;
    original.is_kept_by(&judged, is_exact)?;
    original.runs_as(&document.scenario, &judged, &scenario)?;
    let names = names::Names::new(document, &scenario);
    let mut reason = String::new();
    let candidates = Instrument::candidates(&scenario, &judged);
    // What is documented, or a type's fault, is shown where that can be; from what all rows without the violation print it
    // differs, if that can be.
    for (every, from_all) in [(true, true), (false, true), (false, false)] {
        for instrument in &candidates {
            let expected = judged.expected(&scenario, &names, instrument);
            if let Err(why) = judged.is_visible(&expected, instrument.left, every, from_all) {
                reason = why;
                continue;
            }
            match python::script(&scenario, &judged, &names, instrument, is_exact) {
                Err(why) => reason = why,
                Ok(script) => {
                    let c = is_exact.then(|| extension::source(&scenario, &names));
                    return Ok(Exported { script, c, expected, notes: original.differences(&judged) });
                }
            }
        }
    }
    Err(reason)
}
