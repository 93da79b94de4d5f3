//! Written by `coroner export --to rust`: see tests/export.rs.

use coroner::event::record;
use coroner::invariant::Judge;
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::text;

#[test]
fn c01c_bpo_38006_smallest() {
    let scenario = text::parse(SOURCE).expect("a scenario").scenario;
    let collector = Collector::parse("cpython-3.7.6").expect("a row");
    // Another subject: `subject.run(&scenario, out)`, and its own declaration below.
    let events = record(|out| Machine::new(&collector).run(&scenario, out));
    let mut judge = Judge::new();
    let violations = judge.judge(&scenario, &events, &collector.declaration());
    let mut found: Vec<[&str; 2]> = violations.iter().map(|v| [v.invariant.code(), v.class.word()]).collect();
    found.sort();
    found.dedup();
    let expected: &[[&str; 2]] = &[["I01", "collector"], ["I15", "collector"]];
    assert_eq!(found, expected);
}

const SOURCE: &str = r#"coroner 1

def A():
    pass

a = Node(call=A)
a[0] = Node(gc=no)
a[1] = ref(a[0], a)
del a
collect(2)
"#;
