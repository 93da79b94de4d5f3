//! Every regression file says whether it is minimal for its own outcome, and what it says is true.

use std::path::Path;

use coroner::regression::{PreservedOutcome, load};
use coroner::scenario::text::FieldName;
use coroner::shrink::{Minimality, Reduction};

/// The longest reason that is read as one.
const MAX_REASON: usize = 110;

#[test]
fn every_claim_of_minimality_is_true() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let (mut minimal, mut kept_as_they_are, mut wrong) = (0, 0, Vec::new());
    for case in load(&folder) {
        let case = case.unwrap_or_else(|e| panic!("{e}"));
        let name = case.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut kept = PreservedOutcome::new(&case.document, &coroner::lookup::Collectors).expect("known collectors");
        assert!(kept.holds(&case.document.scenario), "{name} has its own outcome");
        let claim = case.document.field(FieldName::Minimal).and_then(Minimality::parse);
        let checked = kept.check_minimal(&case.document.scenario);
        match (claim, checked) {
            (Some(Minimality::Minimal { reductions, tries }), Ok(checked)) => {
                minimal += 1;
                if (reductions, tries) != (Reduction::ALL.len(), checked) {
                    wrong.push(format!("{name}: {checked} tries; `coroner replay --bless` renews the numbers"));
                }
            }
            (Some(Minimality::Minimal { .. }), Err(smaller)) => {
                let smaller = coroner::scenario::text::print(&smaller);
                wrong.push(format!("{name} is not minimal: the same outcome has\n{smaller}"));
            }
            (Some(Minimality::Kept { why }), Err(_)) => {
                kept_as_they_are += 1;
                if !(20..=MAX_REASON).contains(&why.len()) {
                    wrong.push(format!("{name}: a reason of {} characters", why.len()));
                }
            }
            (Some(Minimality::Kept { .. }), Ok(_)) => wrong.push(format!("{name} is minimal and says that it is not")),
            (Some(Minimality::Stopped { .. }) | None, _) => {
                wrong.push(format!("{name} does not say whether it is minimal"))
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(minimal >= 15 && minimal + kept_as_they_are >= 70, "{minimal} and {kept_as_they_are}");
}
