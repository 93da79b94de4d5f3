//! The native side of the test that compares the module with the library.
//!
//! ```text
//! playground-native questions FOLDER N    questions about the scenarios of a folder and N generated ones of all profiles
//! playground-native                       answers questions: one a line on standard input, its answer a line on standard output
//! ```
//!
//! What is told before an answer is left out.

use std::io::{BufRead, Write};
use std::path::Path;

use coroner::generate::{Generator, PROFILES, Seed, Size};
use coroner::model::collector::Collector;
use coroner::scenario::text::Document;
use serde_json::{Value, json};

/// What stands for the answer where there is none.
const PANICKED: &str = r#"{"panicked":true}"#;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            for line in std::io::stdin().lock().lines() {
                let question = line?;
                // In the module a panic ends the instance, and the page starts another one.
                let answer = std::panic::catch_unwind(|| playground::ask(&question, &mut |_| {}));
                writeln!(out, "{}", answer.unwrap_or_else(|_| PANICKED.to_owned()))?;
            }
        }
        ["questions", folder, count] => {
            let count = count.parse().map_err(std::io::Error::other)?;
            let texts = regressions(Path::new(folder))?.into_iter().chain(generated(count));
            for (number, text) in texts.enumerate() {
                for question in questions(number, &text) {
                    writeln!(out, "{question}")?;
                }
            }
            let wanted = json!({ "do": "find", "invariant": "I15", "class": "collector", "collector": "cpython-3.7.6",
                "seed": "1", "profile": "default", "from": 0, "count": 500 });
            writeln!(out, "{wanted}\n{}", json!({ "do": "about" }))?;
        }
        _ => return Err(std::io::Error::other("what is asked for is in the documentation of this program")),
    }
    out.flush()
}

fn regressions(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder)?.collect();
    let mut files: Vec<_> = entries?.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "scn"));
    files.sort();
    files.iter().map(std::fs::read_to_string).collect()
}

/// Scenarios of all profiles but the one whose graphs the page refuses.
fn generated(count: u64) -> impl Iterator<Item = String> {
    let profiles: Vec<_> = PROFILES.iter().filter(|profile| !profile.is_huge()).collect();
    let mut generators: Vec<_> = profiles.iter().map(|p| Generator::new(Seed::default(), p, Size::Small)).collect();
    let each = generators.len() as u64;
    (0..count).map(move |n| Document::new(&generators[(n % each) as usize].make(n / each)).print())
}

/// What every scenario is asked, and what only some are, because it takes long: collectors and rows take turns.
fn questions(number: usize, text: &str) -> Vec<Value> {
    let rows = Collector::row_names();
    let (collector, against) = (&rows[number % rows.len()], &rows[(number / 3) % rows.len()]);
    let mut questions = vec![
        json!({ "do": "check", "text": text }),
        json!({ "do": "rows", "text": text, "variants": ["cpython-3.15+clear-weakrefs-before-finalizers"],
            "closely": number.is_multiple_of(8) }),
    ];
    questions.push(match number.is_multiple_of(4) {
        true => json!({ "do": "explain", "text": text, "collector": collector, "against": against }),
        false => json!({ "do": "explain", "text": text, "collector": collector }),
    });
    if number.is_multiple_of(16) {
        questions.push(json!({ "do": "shrink", "text": text, "collector": collector, "tries": 300 }));
        questions.push(json!({ "do": "markdown", "text": text, "collector": collector }));
        questions.push(json!({ "do": "python", "text": text }));
    }
    questions
}
