//! Replays every regression file on every collector, and proves that each stored outcome is compared.

use std::path::Path;

use coroner::lookup::Collectors;
use coroner::model::collector::Collector;
use coroner::regression::{Case, Mismatch, Runner, Topic, compare, load};
use coroner::scenario::text::{Class, Document, ExpectedViolation, Fact, FieldName};

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    load(&folder).into_iter().map(|case| case.unwrap_or_else(|e| panic!("{e}"))).collect()
}

fn name(case: &Case) -> String {
    case.path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned())
}

#[test]
fn every_file_has_the_outcome_it_states() {
    let cases = cases();
    let mut runner = Runner::new(&Collectors);
    let mut wrong = Vec::new();
    let mut outcomes = 0;
    for case in &cases {
        outcomes += case.document.expectations.len();
        for mismatch in runner.check(&case.document) {
            wrong.push(format!("{}: {mismatch}", name(case)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 40, "only {} files", cases.len());
    assert!(outcomes >= cases.len() * Collector::all().len(), "only {outcomes} outcomes");
}

#[test]
fn every_file_says_where_it_comes_from_and_is_formatted() {
    for case in cases() {
        for field in [FieldName::Bug, FieldName::Source, FieldName::Note] {
            assert!(case.document.field(field).is_some(), "{}: no `{}:`", name(&case), field.word());
        }
        let bug = case.document.field(FieldName::Bug).unwrap_or_default();
        let source = case.document.field(FieldName::Source).unwrap_or_default();
        let start = name(&case).split('-').next().unwrap_or_default().to_owned();
        let named = [bug, source].iter().any(|text| text.contains(&start));
        assert!(named, "{}: neither bug nor source name {start}", name(&case));
        let text = std::fs::read_to_string(&case.path).expect("it was read before");
        assert_eq!(case.document.print(), text, "{}: not formatted", name(&case));
    }
}

/// The document with each stored outcome changed in turn, and what was changed.
fn flipped(document: &Document) -> Vec<(String, Document)> {
    let rows = Collector::all();
    let mut all = Vec::new();
    for at in 0..document.expectations.len() {
        let collector = &document.expectations[at].collector;
        let mut change = |what: &str, edit: &dyn Fn(&mut Document)| {
            let mut other = document.clone();
            edit(&mut other);
            all.push((format!("{collector}: {what}"), other));
        };
        change("one bit of the digest", &|d| {
            d.expectations[at].digest = d.expectations[at].digest.map(|digest| digest ^ 1 << (at % 64));
        });
        change("no digest", &|d| d.expectations[at].digest = None);
        change("no violations stated", &|d| d.expectations[at].violations = None);
        change("a violation more", &|d| {
            let added = ExpectedViolation { code: "I99".to_owned(), class: Class::Collector };
            d.expectations[at].violations.get_or_insert_default().push(added);
        });
        let violations = document.expectations[at].violations.clone().unwrap_or_default();
        for (index, violation) in violations.iter().enumerate() {
            change(&format!("no {}", violation.code), &|d| {
                if let Some(stated) = &mut d.expectations[at].violations {
                    stated.remove(index);
                }
            });
            change(&format!("another class of {}", violation.code), &|d| {
                if let Some(stated) = &mut d.expectations[at].violations {
                    stated[index].class = match stated[index].class {
                        Class::Collector => Class::TypeFault,
                        _ => Class::Collector,
                    };
                }
            });
        }
        for (index, fact) in document.expectations[at].facts.iter().enumerate() {
            let (what, new) = match *fact {
                Fact::Alive(var) => ("freed", Some(Fact::Freed(var))),
                Fact::Freed(var) => ("alive", Some(Fact::Alive(var))),
                Fact::Returned(n) => ("another return value", Some(Fact::Returned(n + 1))),
                Fact::Garbage(n) => ("more garbage", Some(Fact::Garbage(n + 1))),
                Fact::Cleared(_) | Fact::Finalized(_) | Fact::Undefined => ("without a fact", None),
            };
            let topic = Topic::of(*fact);
            let elsewhere = document.expectations.iter().enumerate();
            let mut elsewhere = elsewhere.filter(|(other, _)| *other != at).flat_map(|(_, e)| &e.facts);
            // A fact that no other line is about can only be left out together with its topic.
            if new.is_none() && !elsewhere.any(|f| Topic::of(*f) == topic) {
                continue;
            }
            change(what, &|d| match new {
                Some(new) => d.expectations[at].facts[index] = new,
                None => {
                    d.expectations[at].facts.remove(index);
                }
            });
        }
        for var in 0..document.scenario.vars() {
            for fact in [Fact::Cleared(var), Fact::Finalized(var)] {
                // On a topic of the file every line is complete: one fact more is not so.
                let topical = document.expectations.iter().any(|e| e.facts.contains(&fact));
                if topical && !document.expectations[at].facts.contains(&fact) {
                    change("a fact more", &|d| d.expectations[at].facts.push(fact));
                }
            }
        }
        if rows.iter().any(|row| row.name == *collector) {
            change("the line of a row left out", &|d| {
                d.expectations.remove(at);
            });
        }
    }
    all
}

#[test]
fn every_flipped_outcome_is_noticed() {
    let mut runner = Runner::new(&Collectors);
    let mut missed = Vec::new();
    let mut flips = 0;
    for case in &cases() {
        let outcomes = runner.outcomes(&case.document);
        assert!(compare(&case.document, &outcomes, &Collectors).is_empty(), "{}", name(case));
        for (what, document) in flipped(&case.document) {
            flips += 1;
            if compare(&document, &outcomes, &Collectors).is_empty() {
                missed.push(format!("{}: {what}", name(case)));
            }
        }
    }
    assert!(missed.is_empty(), "{} of {flips} not noticed:\n{}", missed.len(), missed.join("\n"));
    assert!(flips >= 5000, "only {flips} flips");
}

#[test]
fn a_file_for_a_collector_that_does_not_exist_fails() {
    let mut document = cases().remove(0).document;
    document.expectations[0].collector = "cpython-3.99".to_owned();
    assert!(Runner::new(&Collectors).check(&document).iter().any(|m| matches!(m, Mismatch::Collector(_))));
}

#[test]
fn a_folder_with_one_bad_file_checks_the_rest_and_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    for case in cases().iter().take(2) {
        let to = folder.path().join(case.path.file_name().expect("a name"));
        std::fs::copy(&case.path, to).expect("copied");
    }
    let clean = Runner::new(&Collectors).check_all(&load(folder.path()));
    assert!(clean.is_clean() && clean.files == 2 && clean.outcomes >= 2 * Collector::all().len());
    std::fs::write(folder.path().join("B00-bad.scn"), "coroner 1\na = Nod()\n").expect("written");
    let report = Runner::new(&Collectors).check_all(&load(folder.path()));
    assert!(!report.is_clean());
    assert_eq!((report.files, report.outcomes, report.unreadable.len()), (3, clean.outcomes, 1));
}
