//! A scenario as a test in Rust: of the model, or of a subject of one's own.

use crate::event::record;
use crate::invariant::Judge;
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::scenario::text::{self, Document};

/// A test that runs the scenario on a row of the model and holds what is violated there. With another `Subject` instead of
/// the machine it is a test of that.
pub fn rust_test(document: &Document, name: &str, collector: &Collector) -> String {
    let scenario = &document.scenario;
    let events = record(|out| Machine::new(collector).run(scenario, out));
    let mut judge = Judge::new();
    let violations = judge.judge(scenario, &events, &collector.declaration());
    let mut codes: Vec<String> =
        violations.iter().map(|v| format!("[\"{}\", \"{}\"]", v.invariant.code(), v.class.word())).collect();
    codes.sort();
    codes.dedup();
    let method: String = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let text = text::print(scenario);
    let source: String = text.lines().map(|line| format!("{line}\n")).collect();
    format!(
        "\
use coroner::event::record;
use coroner::invariant::Judge;
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::text;

#[test]
fn {method}() {{
    let scenario = text::parse(SOURCE).expect(\"a scenario\").scenario;
    let collector = Collector::parse(\"{collector}\").expect(\"a row\");
    // Another subject: `subject.run(&scenario, out)`, and its own declaration below.
    let events = record(|out| Machine::new(&collector).run(&scenario, out));
    let mut judge = Judge::new();
    let violations = judge.judge(&scenario, &events, &collector.declaration());
    let mut found: Vec<[&str; 2]> = violations.iter().map(|v| [v.invariant.code(), v.class.word()]).collect();
    found.sort();
    found.dedup();
    let expected: &[[&str; 2]] = &[{codes}];
    assert_eq!(found, expected);
}}

const SOURCE: &str = r#\"{source}\"#;
",
        method = method.trim_matches('_'),
        collector = collector.name,
        codes = codes.join(", "),
    )
}
