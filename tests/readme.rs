//! The README's generated parts and its commands are what the program says.

mod program;

use coroner::model::collector::ROWS;
use coroner::scenario::text::operations_table;

const README: &str = include_str!("../README.md");

const CAMPAIGNS: &str = include_str!("../docs/campaigns.md");

const CPYTHON: &str = include_str!("../docs/cpython.md");

const LOCKSTEP: &str = include_str!("../docs/lockstep.md");

const FORMAT: &str = include_str!("../docs/format.md");

#[test]
fn the_table_of_options_is_the_programs() {
    let start = "<!-- options: generated, tests/readme.rs compares -->\n";
    let from = CAMPAIGNS.find(start).expect("the table's start") + start.len();
    let len = CAMPAIGNS[from..].find("<!-- end -->").expect("the table's end");
    let table = coroner::cli::options_table("run");
    assert!(table.lines().count() > 15);
    assert_eq!(&CAMPAIGNS[from..from + len], table, "put this table into docs/campaigns.md");
}

#[test]
fn the_table_of_exit_codes_is_the_programs() {
    let start = "<!-- exit codes: generated, tests/readme.rs compares -->\n";
    let from = CPYTHON.find(start).expect("the table's start") + start.len();
    let len = CPYTHON[from..].find("<!-- end -->").expect("the table's end");
    assert_eq!(&CPYTHON[from..from + len], coroner::cli::exit_table(), "put this table into docs/cpython.md");
}

#[test]
fn the_table_of_operations_is_the_codes() {
    let start = "<!-- operations: generated, tests/readme.rs compares -->\n";
    let from = FORMAT.find(start).expect("the table's start") + start.len();
    let len = FORMAT[from..].find("<!-- end -->").expect("the table's end");
    assert_eq!(&FORMAT[from..from + len], operations_table(), "put this table into docs/format.md");
}

#[test]
fn the_table_of_what_is_observed_is_the_codes() {
    let start = "<!-- observed: generated, tests/readme.rs compares -->\n";
    let from = LOCKSTEP.find(start).expect("the table's start") + start.len();
    let len = LOCKSTEP[from..].find("<!-- end -->").expect("the table's end");
    assert_eq!(
        &LOCKSTEP[from..from + len],
        coroner::cpython::observed_markdown(),
        "put this table into docs/lockstep.md"
    );
}

fn table() -> String {
    let mut table = String::from("| collector | releases | confirmed by |\n| --- | --- | --- |\n");
    for row in ROWS {
        table.push_str(&format!("| `{}` | {} | {} |\n", row.name(), row.covers(), row.grounds()));
    }
    table
}

#[test]
fn the_table_of_collectors_is_the_codes() {
    let start = "<!-- collectors: generated, tests/readme.rs compares -->\n";
    let from = README.find(start).expect("the table's start") + start.len();
    let len = README[from..].find("<!-- end -->").expect("the table's end");
    assert_eq!(&README[from..from + len], table(), "put this table into the README");
}

#[test]
fn the_sources_that_documents_name_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents = documents.chain(["README.md", "CONTRIBUTING.md"].map(|name| root.join(name)));
    let (mut named, mut missing) = (0, Vec::new());
    for document in documents.filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(&document).unwrap();
        for path in text.split('`').skip(1).step_by(2).filter(|path| path.starts_with("src/") && path.ends_with(".rs"))
        {
            named += 1;
            // `iNN_name.rs` stands for a file that is to be written.
            if !root.join(path).is_file() && !path.contains("iNN_name") {
                missing.push(format!("{}: {path}", document.display()));
            }
        }
    }
    assert!(named > 10 && missing.is_empty(), "{named} are named, and these do not exist: {missing:#?}");
}

#[test]
fn the_documents_that_the_readme_links_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut links = 0;
    for link in README.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(root.join(link).is_file(), "{link} does not exist");
        links += 1;
    }
    assert!(links >= 5);
}

/// A line without the seconds that something took.
fn timeless(line: &str) -> String {
    match line.rsplit_once(", ") {
        Some((rest, seconds)) if seconds.strip_suffix(" s").is_some_and(|s| s.parse::<f64>().is_ok()) => {
            format!("{rest}, T s")
        }
        _ => line.to_owned(),
    }
}

/// The blocks of a document that begin with a command, with what it shows: `...` stands for lines that are left out.
fn shown(document: &str) -> Vec<(&str, Vec<&str>)> {
    let blocks = document.split("```").skip(1).step_by(2);
    let commands = blocks.filter_map(|block| block.trim_start().strip_prefix("$ coroner "));
    commands.map(|block| (block.lines().next().unwrap_or_default(), block.lines().skip(1).collect())).collect()
}

#[test]
fn what_the_readme_shows_is_what_the_program_says() {
    let folder = program::folder();
    let blocks = shown(README);
    assert!(blocks.len() >= 2, "{blocks:?}");
    for (command, expected) in blocks {
        let ran = program::coroner(folder.path(), command);
        let mut rest = ran.out.lines().map(timeless);
        let mut may_skip = true;
        for line in expected {
            if line == "..." {
                may_skip = true;
                continue;
            }
            let wanted = timeless(line);
            let is_there = if may_skip { rest.any(|l| l == wanted) } else { rest.next() == Some(wanted) };
            assert!(is_there, "`{line}` is not what `coroner {command}` says:\n{}{}", ran.out, ran.err);
            may_skip = false;
        }
    }
}
