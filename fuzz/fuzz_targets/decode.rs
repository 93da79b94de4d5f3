#![no_main]
#[allow(dead_code, reason = "nothing is run here")]
mod common;

use coroner::scenario::Scenario;
use libfuzzer_sys::{Corpus, fuzz_target};
use std::cell::RefCell;

thread_local!(static SCENARIO: RefCell<Scenario> = RefCell::new(Scenario::new()));

// Only decodes: what the speed of `scenario` is measured against.
fuzz_target!(|data: &[u8]| -> Corpus {
    SCENARIO.with_borrow_mut(|scenario| {
        coroner::fuzzing::read(data, scenario);
        if scenario.ops().is_empty() { Corpus::Reject } else { Corpus::Keep }
    })
});
structured!();
