//! What the page of the playground asks the model: a question in JSON, an answer in JSON.
//!
//! [`ask`] is the whole interface. It is the same function in the page, where `exports` carries texts into a WebAssembly module
//! and out of it, and in the native program that the tests compare the module with. An answer is a function of the
//! questions so far: it holds no times and no addresses, so that both give the same bytes.
//!
//! ```
//! let answer = playground::ask(r#"{"do":"check","text":"coroner 1\na = Nod()\n"}"#, &mut |_| {});
//! assert!(answer.contains(r#""line":2"#));
//! ```
#![deny(unsafe_code)]

mod check;
mod explained;
#[cfg(target_arch = "wasm32")]
pub mod exports;
mod find;
mod matrix;
mod question;
mod reduce;
mod words;

use std::cell::RefCell;

use serde_json::{Value, json};

use coroner::findings::Baseline;
use coroner::model::collector::Collector;
use question::Question;

/// Most objects that a scenario of the page may create: a row of the model takes a tenth of a second and 40 MB for so many.
pub const MOST_OBJECTS: u64 = 100_000;

/// What is kept from one question to the next.
struct Playground {
    baseline: Baseline,
    matrix: Option<matrix::Kept>,
    search: Option<find::Search>,
}

thread_local! {
    static PLAYGROUND: RefCell<Playground> = RefCell::new(Playground {
        // The baseline of a program whose tests have passed can be read.
        baseline: Baseline::committed(&Collector::row_names()).unwrap_or_default(),
        matrix: None,
        search: None,
    });
}

/// Answers a question. `tell` gets what there is to say before the answer: the best so far of a reduction.
///
/// A question is an object with `do` and what that needs; every answer is an object, with `error` if the question means nothing and
/// with `diagnostics` if the text of its scenario does not.
pub fn ask(question: &str, tell: &mut dyn FnMut(&str)) -> String {
    let answer = match serde_json::from_str::<Question>(question) {
        Ok(question) => PLAYGROUND.with_borrow_mut(|playground| playground.answer(question, tell)),
        Err(error) => Err(error.to_string()),
    };
    answer.unwrap_or_else(|error| json!({ "error": error })).to_string()
}

impl Playground {
    fn answer(&mut self, question: Question, tell: &mut dyn FnMut(&str)) -> Result<Value, String> {
        let Playground { baseline, matrix, search } = self;
        Ok(match question {
            Question::About => words::about(),
            Question::Check { text } => check::check(&text),
            Question::Rows { text, variants, closely } => match check::read(&text) {
                Err(answer) => answer,
                Ok(document) => matrix::Kept::of(matrix, &variants, baseline)?.rows(&document, closely),
            },
            Question::Explain { text, collector, against } => match check::read(&text) {
                Err(answer) => answer,
                Ok(document) => {
                    let collectors = explained::Asked::new(&collector, against.as_deref())?;
                    explained::explained(&document, &text, &collectors, baseline)
                }
            },
            Question::Find(wanted) => find::Search::of(search, &wanted, baseline)?.go_on(wanted.from, wanted.count),
            Question::Shrink { text, collector, invariant, tries } => match check::read(&text) {
                Err(answer) => answer,
                Ok(document) => reduce::reduced(&document, &collector, invariant.as_deref(), tries, baseline, tell)?,
            },
            Question::Markdown { text, variants, collector } => match check::read(&text) {
                Err(answer) => answer,
                Ok(document) => {
                    let rows = matrix::Kept::of(matrix, &variants, baseline)?.rows(&document, false);
                    words::markdown(&document, &rows, &collector, baseline)?
                }
            },
            Question::Python { text } => match check::read(&text) {
                Err(answer) => answer,
                Ok(document) => words::python(&document),
            },
        })
    }
}
