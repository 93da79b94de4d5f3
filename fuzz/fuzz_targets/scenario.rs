#![no_main]
mod common;

use coroner::fuzzing::Scenarios;
use libfuzzer_sys::{Corpus, fuzz_target};
use std::cell::RefCell;

thread_local!(static SCENARIOS: RefCell<Scenarios> = RefCell::new(common::from_env(Scenarios::new)));

fuzz_target!(|data: &[u8]| -> Corpus { SCENARIOS.with_borrow_mut(|s| common::judge(s, data)) });
structured!();
