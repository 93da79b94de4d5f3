//! Answers say what the library says.

use serde_json::{Value, json};

fn ask(question: Value) -> Value {
    serde_json::from_str(&playground::ask(&question.to_string(), &mut |_| {})).expect("an answer is JSON")
}

fn founding() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../regressions/C01c-bpo-38006-smallest.scn");
    std::fs::read_to_string(path).expect("the regression is there")
}

/// The codes of the violations that a row has of class `collector`, and whether all of them are known.
fn of_collector(row: &Value) -> (Vec<&str>, bool) {
    let all = row["violations"].as_array().unwrap().iter().filter(|v| v["class"] == "collector");
    (all.clone().map(|v| v["code"].as_str().unwrap()).collect(), all.clone().all(|v| v["known"] == true))
}

#[test]
fn a_mistake_has_its_line_and_its_message() {
    let answer = ask(json!({ "do": "check", "text": "coroner 1\na = Node()\nb = Nod()\n" }));
    let first = &answer["diagnostics"][0];
    assert_eq!((&first["line"], &first["warning"]), (&json!(3), &json!(false)));
    assert!(first["rendered"].as_str().unwrap().contains("Nod"), "{first}");
    assert_eq!(answer["body"], Value::Null);
    // Whatever is asked of such a text, the answer is the same.
    assert_eq!(ask(json!({ "do": "rows", "text": "coroner 1\na = Node()\nb = Nod()\n" })), answer);
}

#[test]
fn the_text_without_header_says_the_same() {
    let text = founding();
    let answer = ask(json!({ "do": "check", "text": text }));
    let body = answer["body"].as_str().unwrap();
    assert!(body.len() < text.len() / 2 && !body.contains("expect") && !body.contains("bug:"), "{body}");
    let digests = |text: &str| -> Vec<Value> {
        let answer = ask(json!({ "do": "rows", "text": text }));
        answer["rows"].as_array().unwrap().iter().map(|row| row["digest"].clone()).collect()
    };
    assert_eq!(digests(body), digests(&text));
}

/// The digests and violations are those that the regression expects; what is known is marked.
#[test]
fn the_rows_are_what_the_regression_expects() {
    let text = founding();
    let document = coroner::scenario::text::parse(&text).unwrap();
    let answer = ask(json!({ "do": "rows", "text": text }));
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows.len(), coroner::model::collector::Collector::all().len());
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let expected = document.expectation(name).unwrap_or_else(|| panic!("{name} is expected"));
        assert_eq!(row["digest"], format!("{:016x}", expected.digest.unwrap()), "{name}");
        let (codes, known) = of_collector(row);
        let old = rows.iter().position(|r| r["name"] == "cpython-3.8.0") > rows.iter().position(|r| r == row);
        assert_eq!((codes.contains(&"I15"), known), (old, true), "{name}: {codes:?}");
    }
}

/// In 2.7 the object of the first line is not freed; what all rows say is not told.
#[test]
fn the_facts_that_differ_are_told_of_every_row() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../regressions/C01-bpo-38006-A05.scn");
    let text = std::fs::read_to_string(path).expect("the regression is there");
    let answer = ask(json!({ "do": "rows", "text": text }));
    let rows = answer["rows"].as_array().unwrap();
    let says = |row: &Value, fact: &str| row["facts"].as_array().unwrap().contains(&json!(fact));
    assert!(says(&rows[0], "alive(z)") && rows[1..].iter().all(|row| says(row, "freed(z)")), "{answer}");
    let wanted = |fact: &Value| fact.as_str().unwrap().starts_with("garbage");
    assert!(rows.iter().all(|row| row["facts"].as_array().unwrap().iter().any(wanted)));
}

#[test]
fn a_variant_stands_beside_the_rows_and_is_new() {
    let variant = "cpython-3.8.7-clear-trash-weakrefs";
    let answer = ask(json!({ "do": "rows", "text": founding(), "variants": [variant] }));
    let row = answer["rows"].as_array().unwrap().last().unwrap();
    assert_eq!(row["name"], variant);
    assert!(of_collector(row).0.contains(&"I15"), "{row}");
    let answer = ask(json!({ "do": "rows", "text": founding(), "variants": ["cpython-3.8+nothing"] }));
    assert!(answer["error"].as_str().unwrap().contains("no switch"), "{answer}");
}

#[test]
fn an_explanation_has_text_and_picture_and_says_what_differs() {
    let asked =
        json!({ "do": "explain", "text": founding(), "collector": "cpython-3.7.6", "against": "cpython-3.8.0" });
    let answer = ask(asked);
    assert!(answer["text"].as_str().unwrap().contains("I15"));
    assert!(answer["page"].as_str().unwrap().contains("<svg") && answer["svg"].as_str().unwrap().contains("<svg"));
    let start = answer["start"].as_u64().unwrap();
    assert!(start > 0 && start < answer["rows"].as_u64().unwrap());
    assert!(!answer["differences"].as_array().unwrap().is_empty());
    let alone = ask(json!({ "do": "explain", "text": founding(), "collector": "cpython-3.7.6" }));
    assert_eq!((&alone["against"], &alone["text"]), (&Value::Null, &answer["text"]));
}

#[test]
fn what_is_found_is_the_scenario_of_that_number_and_gets_small() {
    let wanted = |from: u64, count: u64| {
        ask(json!({ "do": "find", "invariant": "I15", "class": "collector", "collector": "cpython-3.7.6", "seed": "1",
            "profile": "default", "from": from, "count": count }))
    };
    let found = wanted(0, 2000);
    let number = found["number"].as_u64().expect("I15 is not rare on 3.7");
    // In parts it is the same one.
    assert_eq!(wanted(number, 1), found);
    assert_eq!(wanted(0, number), json!({ "found": null, "next": number }));
    let mut told = 0;
    let question = json!({ "do": "shrink", "text": found["found"], "collector": "cpython-3.7.6", "invariant": "I15",
        "tries": 20_000 });
    let small: Value = serde_json::from_str(&playground::ask(&question.to_string(), &mut |_| told += 1)).unwrap();
    assert_eq!((&small["minimal"], told > 0), (&json!(true), true), "{small}");
    let operations = |text: &Value| ask(json!({ "do": "check", "text": text }))["operations"].as_u64().unwrap();
    assert!(operations(&small["text"]) < operations(&found["found"]));
    let rows = ask(json!({ "do": "rows", "text": small["text"] }));
    let row = rows["rows"].as_array().unwrap().iter().find(|row| row["name"] == "cpython-3.7.6").unwrap();
    assert!(of_collector(row).0.contains(&"I15"), "{row}");
}

#[test]
fn a_text_that_would_create_too_much_is_refused_at_its_line_before_it_runs() {
    let text = "coroner 1\nb = Node()\na = knots(10000000, Node())\ncollect(2)\n";
    for question in ["check", "rows", "python"] {
        let answer = ask(json!({ "do": question, "text": text }));
        assert_eq!(answer["diagnostics"][0]["line"], 3, "{question}: {answer}");
    }
}

#[test]
fn markdown_cannot_be_left_by_the_text() {
    let text = "coroner 1\n# ```` <script>alert(1)</script>\na = Node()\n";
    let answer = ask(json!({ "do": "markdown", "text": text, "collector": "cpython-3.15" }));
    let markdown = answer["markdown"].as_str().unwrap();
    assert!(markdown.starts_with("`````\ncoroner 1\n") && markdown.contains("| cpython-2.7.0,"), "{markdown}");
}

#[test]
fn a_scenario_becomes_python_or_says_why_not() {
    let answer = ask(json!({ "do": "python", "text": founding() }));
    assert!(answer["script"].as_str().is_some_and(|script| script.contains("import gc")), "{answer}");
}

#[test]
fn a_question_without_meaning_has_an_error_for_an_answer() {
    for question in ["", "{}", r#"{"do":"nothing"}"#, r#"{"do":"explain","text":"coroner 1\n","collector":"jython"}"#] {
        let answer: Value = serde_json::from_str(&playground::ask(question, &mut |_| {})).unwrap();
        assert!(answer["error"].is_string(), "{question}: {answer}");
    }
}
