//! Is it a scenario, and one that is not too large?

use coroner::scenario::text::{self, Code, Diagnostic, Document};
use serde_json::{Value, json};

use crate::MOST_OBJECTS;

/// What to do about a scenario that creates too many objects.
const SMALLER: &str = "build less: the program on the command line has an option for more";

/// Reads a text that is to be run.
///
/// # Errors
/// The answer that says what is wrong with it.
pub fn read(source: &str) -> Result<Document, Value> {
    let document = text::parse(source).map_err(|diagnostics| refused(&diagnostics, source))?;
    match document.too_large(source, MOST_OBJECTS, SMALLER) {
        Some(diagnostic) => Err(refused(&[diagnostic], source)),
        None => Ok(document),
    }
}

/// What is to be said about a text, and the text as it is printed: whole, and without header.
pub fn check(source: &str) -> Value {
    match read(source) {
        Err(answer) => answer,
        Ok(document) => {
            let mut body = document.clone();
            body.fields.clear();
            body.expectations.clear();
            json!({
                "diagnostics": diagnostics(&document.warnings, source),
                "printed": document.print(),
                "body": body.print(),
                "operations": document.scenario.ops().len(),
                "objects": document.scenario.planned().objects,
            })
        }
    }
}

fn refused(all: &[Diagnostic], source: &str) -> Value {
    json!({ "diagnostics": diagnostics(all, source) })
}

fn diagnostics(all: &[Diagnostic], source: &str) -> Vec<Value> {
    let one = |d: &Diagnostic| {
        json!({
            "line": d.line,
            "column": d.column,
            "code": Code::word(d.code),
            "warning": d.code.is_warning(),
            "message": d.message,
            "expected": d.expected,
            "help": d.suggestion,
            "rendered": d.render("scenario", source, false),
        })
    };
    all.iter().map(one).collect()
}
