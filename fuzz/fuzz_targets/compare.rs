#![no_main]
#[allow(dead_code, reason = "a comparison judges nothing and counts no states")]
mod common;

use coroner::fuzzing::Compare;
use libfuzzer_sys::{Corpus, fuzz_target};
use std::cell::RefCell;

thread_local!(static COMPARE: RefCell<Compare> = RefCell::new(common::from_env(Compare::new)));

fuzz_target!(|data: &[u8]| -> Corpus {
    match COMPARE.with_borrow_mut(|compare| compare.run(data)) {
        Ok(true) => Corpus::Keep,
        Ok(false) => Corpus::Reject,
        Err(difference) => panic!("{difference}"),
    }
});
structured!();
