#![no_main]
mod common;

use coroner::fuzzing::{CANARY, Scenarios, Setting};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::cell::RefCell;

thread_local!(static SCENARIOS: RefCell<Scenarios> = RefCell::new(common::from_env(|setting| {
    Scenarios::new(&Setting { collectors: vec![CANARY.to_owned()], ..setting.clone() })
})));

fuzz_target!(|data: &[u8]| -> Corpus { SCENARIOS.with_borrow_mut(|s| common::judge(s, data)) });
structured!();
