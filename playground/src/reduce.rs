//! Makes a scenario small.

use std::cell::RefCell;

use coroner::campaign::Examiner;
use coroner::findings::Baseline;
use coroner::lookup::Collectors;
use coroner::model::collector::Collector;
use coroner::model::rows::Rows;
use coroner::regression::Goal;
use coroner::report::subject;
use coroner::scenario::Scenario;
use coroner::scenario::text::Document;
use coroner::shrink::{Budget, Minimality, minimize};
use serde_json::{Value, json};

use crate::find::invariant;

/// After how much work the best so far is told: a try weighs as much as the objects that its scenario creates, and ten more.
const TOLD: u64 = 2_000;

/// The smallest scenario that shows the same on a collector; `tell` gets the best so far, now and then.
///
/// # Errors
/// If a name means nothing, or the scenario shows no violation.
pub fn reduced(
    document: &Document,
    collector: &str,
    code: Option<&str>,
    tries: u64,
    baseline: &Baseline,
    tell: &mut dyn FnMut(&str),
) -> Result<Value, String> {
    let target = code.map(invariant).transpose()?;
    let collector = Collector::parse(collector).map_err(|error| error.to_string())?;
    let examiner = Examiner::new(&Rows::one(&collector), baseline);
    let goal = Goal::shown(vec![examiner], target, &document.scenario).map_err(|nothing| nothing.to_string())?;
    let goal = RefCell::new(goal);
    let text = |scenario: &Scenario, claim: &Minimality| {
        goal.borrow().document(document, scenario, claim, &Collectors, subject).print()
    };
    let (mut improved, mut work) = (false, 0);
    let minimized = minimize(
        &document.scenario,
        &mut |candidate| goal.borrow_mut().holds(candidate),
        Budget { tries },
        &mut |progress| {
            improved |= progress.improved;
            work += progress.best.planned().objects + 10;
            if work >= TOLD {
                work = 0;
                let best = improved.then(|| text(progress.best, &Minimality::new(false, progress.tries)));
                improved = false;
                tell(&json!({ "tries": progress.tries, "best": best }).to_string());
            }
        },
    );
    let objects = goal.borrow_mut().objects(&minimized.scenario);
    Ok(json!({
        "text": text(&minimized.scenario, &minimized.claim()),
        "minimal": minimized.minimal,
        "tries": minimized.tries,
        "objects": objects,
        "operations": minimized.scenario.ops().len(),
    }))
}
