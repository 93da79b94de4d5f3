//! `coroner audit` finds what is planted, and nothing else, on every interpreter of this machine.

use coroner::audit::controls::{CONTROLS, check};
use coroner::audit::outcome::{End, Outcome};
use coroner::cpython::audit::{Orders, audit};
use coroner::cpython::installed;
use coroner::subject::Release;
use std::time::Duration;

#[test]
fn every_planted_fault_is_found_and_every_clean_type_is_clean() {
    assert!(CONTROLS.len() >= 25);
    let orders = Orders { samples: 4, controls: true, ..Orders::default() };
    for interpreter in installed().into_iter().flatten().filter(|i| i.release >= Release::new(3, 6, 0)) {
        let name = interpreter.name();
        let left = match audit(&interpreter, &orders, Duration::from_secs(300)) {
            Ok(left) => left,
            Err(error) => {
                eprintln!("skipped: {error}");
                continue;
            }
        };
        let outcome = Outcome::read(&left, interpreter.release);
        assert_eq!(outcome.end, End::Whole, "{name}");
        let checked = check(&outcome, interpreter.release);
        assert_eq!((checked.right, checked.wrong), (checked.all, Vec::new()), "{name}");
        eprintln!("{name}: {} of {}", checked.right, checked.all);
    }
}
