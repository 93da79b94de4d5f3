//! What users would notice of a change of rule.

mod program;

use coroner::design::{Aspect, Change, Kind, Pair, Survey};
use coroner::enumerate::{Enumeration, Scope};
use coroner::event::record;
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::text;
use program::{coroner, folder, json};

fn collector(name: &str) -> Collector {
    Collector::parse(name).unwrap()
}

/// What changes for a scenario from the old rule to the new one.
fn change(source: &str, old: &str, new: &str) -> Change {
    let document = text::parse(source).unwrap();
    Pair::new(&collector(old), &collector(new)).change(&document.scenario)
}

fn words(source: &str, old: &str, new: &str) -> Vec<(Aspect, String, String)> {
    match change(source, old, new) {
        Change::Visible(found) => found.into_iter().map(|d| (d.aspect, d.old, d.new)).collect(),
        _ => Vec::new(),
    }
}

/// A finalizer that asks a weak reference to its object, which is in a cycle.
const ASKS: &str =
    "coroner 1\n\ndef F():\n    deref(r)\n\na = Node(finalizer=F)\na[0] = a\nr = ref(a)\ndel a\ncollect(2)\n";

#[test]
fn a_weak_reference_answers_in_a_finalizer_since_3_15() {
    let found = words(ASKS, "cpython-3.14", "cpython-3.15");
    let [(aspect, old, new)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*aspect, Aspect::AnswersMore);
    assert_eq!(old, "in the finalizer of a, b answers None");
    assert_eq!(new, "in the finalizer of a, b answers a");
    let back = words(ASKS, "cpython-3.15", "cpython-3.14");
    assert_eq!(back[0], (Aspect::AnswersLess, new.clone(), old.clone()));
}

#[test]
fn a_lost_callback_and_one_in_addition_are_told_apart() {
    let source = "coroner 1\n\ndef F():\n    look()\n\nf = Node(call=F)\na = Node()\na[0] = a\nr = ref(a, f)\ndel a\ncollect(2)\n";
    let lost = "cpython-3.15+bug-lose-callbacks";
    let found = words(source, "cpython-3.15", lost);
    let is = |aspect, old: &str, new: &str| (aspect, old.to_owned(), new.to_owned());
    assert_eq!(found[0], is(Aspect::CallbackLost, "callback a of c runs", "callback a of c does not run"));
    assert_eq!(words(source, lost, "cpython-3.15")[0].0, Aspect::CallbackMore);
}

#[test]
fn what_only_the_collector_sees_is_no_difference() {
    // Without the switch a collection takes the survivors to the next list at another place.
    let source = "coroner 1\na = Node()\ncollect(0)\ncollect(1)\n";
    let change = change(source, "cpython-3.15", "cpython-3.15+bug-survivors-get-younger");
    assert!(matches!(change, Change::Inside), "{change:?}");
}

#[test]
fn what_is_never_asked_for_changes_nothing() {
    let source = "coroner 1\na = Node()\ndel a\n";
    assert_eq!(change(source, "cpython-3.8", "cpython-3.8+rescue-only-resurrected"), Change::NotAsked);
}

#[test]
fn undefined_behaviour_is_a_difference_of_its_own() {
    let source = include_str!("../regressions/C06b-gh-91636-closure.scn");
    let (bad, good) = ("cpython-3.13.0", "cpython-3.13.13");
    let ends = |old, new| words(source, old, new).into_iter().map(|found| found.0).collect::<Vec<_>>();
    assert_eq!((ends(bad, good), ends(good, bad)), (vec![Aspect::Defined], vec![Aspect::Undefined]));
}

#[test]
fn every_scenario_that_is_taken_for_the_same_is_the_same() {
    let (old, new) = (collector("cpython-3.8"), collector("cpython-3.8+rescue-only-resurrected"));
    let (mut pair, mut counted) = (Pair::new(&old, &new), [0; 2]);
    for (_, scenario) in Enumeration::new(Scope { decorations: 2, ..Scope::new(2) }) {
        let events = |collector: &Collector| record(|out| Machine::new(collector).run(&scenario, out));
        let same = events(&old) == events(&new);
        let change = pair.change(&scenario);
        assert_eq!(same, matches!(change, Change::NotAsked | Change::Nothing), "{change:?}");
        counted[usize::from(same)] += 1;
    }
    assert!(counted.iter().all(|n| *n > 100), "{counted:?}");
}

#[test]
fn parts_add_up_to_the_whole_and_each_kind_shows_what_it_is_named_after() {
    let (old, new) = (collector("cpython-3.14"), collector("cpython-3.15"));
    let mut pair = Pair::new(&old, &new);
    let (mut whole, mut parts) = (Survey::default(), [Survey::default(), Survey::default()]);
    for (index, scenario) in Enumeration::new(Scope { decorations: 2, ..Scope::new(2) }) {
        whole.add(&mut pair, index, &scenario);
        parts[index as usize % 2].add(&mut pair, index, &scenario);
    }
    let [mut one, two] = parts;
    one.merge(two);
    let numbers = |s: &Survey| [s.scenarios, s.not_asked, s.same, s.inside, s.visible, s.too_long];
    assert_eq!(numbers(&one), numbers(&whole));
    assert_eq!(whole.scenarios, whole.not_asked + whole.same + whole.inside + whole.visible + whole.too_long);
    let kinds = whole.kinds(&mut pair, 4_000);
    let texts = |kinds: &[Kind]| kinds.iter().map(|k| k.example.document.print()).collect::<Vec<_>>();
    assert_eq!(texts(&kinds), texts(&one.kinds(&mut pair, 4_000)));
    for kind in &kinds {
        let shown: Vec<Aspect> = kind.example.differences.iter().map(|d| d.aspect).collect();
        assert!(kind.aspects.iter().all(|(aspect, ..)| shown.contains(aspect)), "{kind:?}");
        assert!(kind.example.minimal);
    }
    assert!(kinds.iter().flat_map(|k| &k.aspects).any(|(aspect, ..)| *aspect == Aspect::AnswersMore));
}

/// The pages of `docs/design.md`: the commands that make them.
const DOCUMENT: &str = "docs/design.md";

/// Each command of the document, with where its output begins and ends.
fn pages(document: &str) -> Vec<(String, std::ops::Range<usize>)> {
    let start = "<!-- design: generated by `coroner ";
    let starts = document.match_indices(start).map(|(at, _)| at + start.len());
    let page = |at: usize| {
        let command = document[at..].split('`').next().unwrap().to_owned();
        let from = at + document[at..].find("-->\n").unwrap() + 4;
        (command, from..from + document[from..].find("<!-- end -->").unwrap())
    };
    starts.map(page).collect()
}

fn document() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    std::fs::read_to_string(path).unwrap()
}

/// What a command prints, up to the line that repeats it.
fn printed(command: &str) -> String {
    let ran = coroner(folder().path(), command);
    assert_eq!(ran.code, 5, "{}", ran.err);
    let page = ran.out.split("\nrepeat with").next().unwrap();
    format!("```\n{}\n```\n", page.trim_end())
}

#[test]
fn the_page_has_every_kind_that_two_objects_show_with_its_scenario() {
    let document = document();
    let pages = pages(&document);
    assert_eq!(pages.len(), 2);
    for (command, range) in pages {
        let page = &document[range];
        assert!(page.contains("complete up to 3 objects"), "{command}: bless it");
        let folder = folder();
        let ran = coroner(folder.path(), &format!("{} --json d.json", command.replace("--objects 3", "--objects 2")));
        assert_eq!(ran.code, 5, "{}", ran.err);
        let design = json(folder.path(), "d.json")["result"]["design"].clone();
        assert_eq!(design["complete"], 2);
        let kinds = design["kinds"].as_array().unwrap();
        assert!(!kinds.is_empty());
        for kind in kinds {
            let scenario = kind["scenario"].as_str().unwrap();
            let lines = scenario.lines().skip(1).skip_while(|line| line.is_empty());
            let shown: String =
                lines.map(|line| if line.is_empty() { "\n".to_owned() } else { format!("       {line}\n") }).collect();
            assert!(page.contains(&shown), "{command}: the page lacks\n{shown}");
            for aspect in kind["aspects"].as_array().unwrap() {
                let line = format!("   {}: ", aspect["aspect"].as_str().unwrap());
                assert!(page.contains(&line), "{command}: the page lacks {line}");
            }
        }
    }
}

/// Half a minute in a build for tests.
#[test]
#[ignore = "every scenario of three objects, twice"]
fn the_page_is_what_the_command_prints() {
    let mut document = document();
    for number in 0..pages(&document).len() {
        let (command, range) = pages(&document)[number].clone();
        let page = printed(&command);
        if std::env::var_os("CORONER_BLESS").is_some() {
            document.replace_range(range, &page);
            continue;
        }
        assert_eq!(document[range], page, "CORONER_BLESS=1 writes {DOCUMENT}");
    }
    if std::env::var_os("CORONER_BLESS").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
        std::fs::write(path, document).unwrap();
    }
}

#[test]
fn a_design_diff_is_the_same_whatever_the_number_of_workers_and_its_files_are_scenarios() {
    let folder = folder();
    let line = "diff --collector cpython-3.15 --against cpython-3.14 --scenarios 9000 --profile weakrefs";
    for (jobs, name) in [(1, "one"), (3, "three")] {
        let ran = coroner(folder.path(), &format!("{line} --jobs {jobs} --json {name}.json --out {name}"));
        assert_eq!(ran.code, 5, "{}", ran.err);
        assert!(ran.out.contains("a weak reference answers that was dead"), "{}", ran.out);
        assert!(ran.out.lines().all(|line| line.chars().count() <= 80 || line.starts_with("repeat")), "{}", ran.out);
    }
    let [one, three] = ["one", "three"].map(|name| json(folder.path(), &format!("{name}.json")));
    assert_eq!(one["result"], three["result"]);
    assert_eq!((&one["scenarios"], &one["exit"]), (&9000.into(), &5.into()));
    let files = one["timing"]["files"].as_array().unwrap();
    assert_eq!(files.len(), one["result"]["design"]["kinds"].as_array().unwrap().len());
    let file = files.iter().map(|file| file.as_str().unwrap()).find(|file| file.contains("answers-more")).unwrap();
    assert_eq!(coroner(folder.path(), &format!("explain {file}")).code, 0);
    assert!(!one["repeat"].as_str().unwrap().contains("--jobs"));
}

#[test]
fn a_rule_that_nothing_comes_to_is_not_compared_and_one_that_users_do_not_see_is_clean() {
    let folder = folder();
    let run = |line: &str| coroner(folder.path(), line);
    let none = run("diff --collector cpython-3.15-freeze --against cpython-3.15 --scenarios 1");
    assert_eq!(none.code, 6, "{}", none.out);
    assert!(none.out.contains("not compared: none of 1 scenario"), "{}", none.out);
    let clean = run("enumerate --objects 1 --collector cpython-3.15+bug-survivors-get-younger --against cpython-3.15");
    assert_eq!(clean.code, 0, "{}{}", clean.out, clean.err);
    assert!(clean.out.contains("complete up to 1 object: 0 kinds of difference, and no other"), "{}", clean.out);
    for wrong in [
        "diff --collector cpython-3.15 --against cpython-3.15.1 --scenarios 1",
        "diff --collector all --against cpython-3.15 --scenarios 1",
        "diff --collector cpython-3.15+nonsense --against cpython-3.15",
        "diff --collector cpython-3.15+freeze --scenarios 1",
        "enumerate --objects 1 --against cpython-3.15",
        "enumerate --objects 1 --against cpython-3.15 --collector cpython-3.14 --strict",
        "diff --scenarios 1",
    ] {
        let ran = run(wrong);
        assert_eq!(ran.code, 2, "{wrong}: {}{}", ran.out, ran.err);
        assert!(!ran.err.is_empty(), "{wrong}");
    }
}
