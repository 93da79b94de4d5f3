//! `docs/behaviour` and `docs/history.md` are made of the observed rows and of the regressions, and nothing cites what is in
//! neither. `CORONER_BLESS=1 cargo test --test behaviour` writes the pages.

mod rows_file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use rows_file::{COLUMNS, Row, rows};

/// A page: its file, its title, the rows' file, its text.
const PAGES: [(&str, &str, &str, &str); 8] = [
    ("hidden-objects", "Hidden objects and bpo-38006", "a", include_str!("rows/a.rows")),
    ("weak-references", "Weak references", "b", include_str!("rows/b.rows")),
    ("finalizers", "Finalizers and resurrection", "c", include_str!("rows/c.rows")),
    ("lists-and-counts", "Lists, counts, tracking, debug flags", "d", include_str!("rows/d.rows")),
    ("deallocation", "Order of deallocation", "e", include_str!("rows/e.rows")),
    ("weak-containers", "Weak containers and finalize", "h", include_str!("rows/h.rows")),
    ("combinations", "Combinations", "i", include_str!("rows/i.rows")),
    ("list-order", "List order and teardown", "j", include_str!("rows/j.rows")),
];

/// Rows that a test shows which counts instead of listing events: name, what it is about, the test.
const COUNTED: [(&str, &str, &str); 10] = [
    (
        "D14",
        "With a first threshold of 50, the 51st object of generation 0 starts a collection: inside of the allocation.",
        THRESHOLDS,
    ),
    ("D15", "The same since 3.12, where the collection starts after the allocation.", THRESHOLDS),
    ("D15b", "The same on 3.14 and 3.15.", THRESHOLDS),
    ("I20", "The generations of the first 16 automatic collections with thresholds of 20, 2 and 2.", THRESHOLDS),
    (
        "E09",
        "120 tuples, each in the next: up to 3.7 the trashcan puts off what is deeper than 47, up to 3.12 than 48; later releases go down to the end.",
        TRASHCAN,
    ),
    ("E10", "The same with 3,000 tuples.", TRASHCAN),
    ("E11", "The same with 120 lists.", TRASHCAN),
    ("E12", "120 instances, each an attribute of the next: up to 3.7 each counts twice.", TRASHCAN),
    ("E12b", "Up to 3.7, 72 of these 120 instances wait in the trashcan until another container dies.", TRASHCAN),
    ("E13", "12,000 tuples on 3.13: the trashcan begins near the 9,946th.", TRASHCAN),
];

const THRESHOLDS: &str = "tests/thresholds.rs";
const TRASHCAN: &str = "tests/trashcan.rs";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn version(column: usize) -> &'static str {
    COLUMNS[column].trim_start_matches("cpython-")
}

/// The names of those of all for which something holds, neighbours as first and last.
fn ranges<'n>(all: impl Iterator<Item = (&'n str, bool)>) -> String {
    let mut parts: Vec<(&str, &str)> = Vec::new();
    let mut before = false;
    for (name, holds) in all {
        match parts.last_mut() {
            Some((_, last)) if holds && before => *last = name,
            _ if holds => parts.push((name, name)),
            _ => {}
        }
        before = holds;
    }
    let range = |(first, last): &(&str, &str)| match first == last {
        true => (*first).to_owned(),
        false => format!("{first} to {last}"),
    };
    parts.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// The releases that have a letter.
fn releases(row: &Row<'_>, letter: char) -> String {
    ranges(row.cells.chars().enumerate().map(|(at, cell)| (version(at), cell == letter)))
}

fn page(title: &str, file: &str, text: &str) -> String {
    let mut out = format!(
        "# {title}\n\nGenerated from `tests/rows/{file}.rows`, which has the scenario of each row; `tests/behaviour.rs` compares. \
         The notation is explained in [README.md](README.md).\n"
    );
    for row in rows(text) {
        let left_out = match row.show.first() {
            Some(&"quiet") => " What is returned is not shown.",
            Some(&"last") => " The first collection's result is not shown.",
            Some(&"list") => " Only the order of the lists at the end is shown.",
            Some(&"end") => " Where the objects are at the end is shown.",
            _ => "",
        };
        let _ = write!(out, "\n## {}\n\n{}{left_out}\n\n", row.name, row.says);
        let letters: BTreeSet<char> = row.cells.chars().filter(|cell| *cell != '.').collect();
        for letter in letters {
            let value = row.values.iter().find(|(l, _)| *l == letter).map_or("", |(_, value)| value);
            let _ = writeln!(out, "- {}: `{value}`", releases(&row, letter));
        }
    }
    let counted: Vec<_> = COUNTED.iter().filter(|(name, ..)| name.to_lowercase().starts_with(file)).collect();
    for (name, says, test) in counted {
        let _ = write!(out, "\n## {name}\n\n{says}\n\nShown by `{test}`.\n");
    }
    out
}

fn map() -> String {
    let all: Vec<&str> = (0..COLUMNS.len()).map(version).collect();
    let mut out = format!(
        "# What each release does\n\n\
         What real interpreters did, row by row; the model does the same on each of them (`cargo test --test rows`). \
         Code, documents and regressions cite a row by its name.\n\n\
         Columns: CPython {}. Generated; `tests/behaviour.rs` compares.\n\n| page | rows |\n| --- | --- |\n",
        all.join(", ")
    );
    for (name, title, _, text) in PAGES {
        let rows = rows(text);
        let names = || rows.iter().map(|row| row.name);
        let (first, last) = (names().min().unwrap_or_default(), names().max().unwrap_or_default());
        let _ = writeln!(out, "| [{title}]({name}.md) | {} rows, {first} to {last} |", rows.len());
    }
    out + "\n## Notation\n\n\
        - `clear:x dealloc:x free:x`: `tp_clear` of an object of a C type is called; its deallocation begins, and ends.\n\
        - `fin:x`: the finalizer of an object of a C type; `del:x`: `__del__` of an instance, or `tp_del`; `wf`: a `finalize` \
        object is called; another name: a callback of that name.\n\
        - `w=x`, `w=None`: what a weak reference answers; `saw:x`: user code obtains an object that has been cleared; \
        `scan[x y]`: what `gc.get_objects()` returns, in order (`!` if it has been cleared).\n\
        - `n=2`: what `gc.collect()` returns; `refused`: a collection inside of a collection; `gc0`: an automatic \
        collection; `len=1/2`: length of a weak container, and of its data.\n\
        - `at[x=1 y=u]`: the generation of an object at the end, `u` untracked, `p` permanent, `-` freed; `g[x]`: what \
        `gc.garbage` holds; `list[x y]`: the order of the collector's lists; `weak[r p]`: weak references in the order of \
        their list.\n\
        - `undefined`: the interpreter dies.\n"
}

/// The header lines of a regression with a name.
fn header<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let lines = text.lines().take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim).collect()
}

fn regressions() -> Files {
    let folder = std::fs::read_dir(root().join("regressions")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "scn"));
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    let mut all: Vec<_> = paths.map(read).collect();
    all.sort();
    all
}

/// The collectors on which a file expects a violation that is the collector's fault.
fn broken_on(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.strip_prefix("expect cpython-")?.split_once(':'));
    ranges(lines.map(|(row, rest)| (row, rest.contains(":collector"))))
}

/// The names of files, with their texts.
type Files = Vec<(String, String)>;

fn history() -> String {
    // By letter and number: the reports, and the files with their texts.
    let mut bugs: BTreeMap<String, (BTreeSet<String>, Files)> = BTreeMap::new();
    for (file, text) in regressions() {
        let bug = header(&text, "bug").first().copied().unwrap_or_default().to_owned();
        let (id, reports) = bug.split_once(' ').unwrap_or((&bug, ""));
        let entry = bugs.entry(id.to_owned()).or_default();
        if !reports.is_empty() {
            entry.0.insert(reports.to_owned());
        }
        entry.1.push((file, text));
    }
    let mut out = "# The bugs behind the regressions\n\nGenerated from the headers of `regressions/*.scn`; \
        `tests/behaviour.rs` compares. *Breaks* names the rows of the model on which the file expects a violation of class \
        `collector`. Letters: C bugs of CPython, S and X of extension types, N found by this harness, K public reports tried \
        later, J R V other runtimes, M what only scripts do.\n"
        .to_owned();
    for (id, (reports, files)) in bugs {
        let reports = distinct(&reports);
        let reports = if reports.is_empty() { String::new() } else { format!(": {}", reports.join("; ")) };
        let _ = write!(out, "\n## {id}{reports}\n");
        for (file, text) in files {
            let note = header(&text, "note").join(" ");
            let broken = broken_on(&text);
            let broken = if broken.is_empty() { String::new() } else { format!(" *Breaks* {broken}.") };
            let source = header(&text, "source").join("; ");
            let _ = write!(out, "\n- [`{file}`](../regressions/{file}): {note}{broken} Source: {source}.\n");
        }
    }
    out
}

/// Numbers of reports each once; what is no number stays as it is.
fn distinct(reports: &BTreeSet<String>) -> Vec<String> {
    let is_number = |word: &str| ["bpo-", "gh-", "GH-"].iter().any(|start| word.starts_with(start));
    let mut all = Vec::new();
    for report in reports {
        let words: Vec<&str> = report.split_whitespace().collect();
        let parts = if words.iter().all(|word| is_number(word)) { words } else { vec![report.as_str()] };
        all.extend(parts.into_iter().map(str::to_owned));
    }
    let mut seen = BTreeSet::new();
    all.retain(|report| seen.insert(report.clone()));
    all
}

#[test]
fn the_pages_are_what_rows_and_regressions_say() {
    let folder = root().join("docs/behaviour");
    let mut pages = vec![(folder.join("README.md"), map()), (root().join("docs/history.md"), history())];
    pages.extend(PAGES.map(|(name, title, file, text)| (folder.join(format!("{name}.md")), page(title, file, text))));
    for (path, page) in pages {
        if std::env::var_os("CORONER_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == page, "{} is out of date: CORONER_BLESS=1 cargo test --test behaviour", path.display());
    }
}

#[test]
fn every_row_says_what_it_is_about() {
    for (.., text) in PAGES {
        for row in rows(text) {
            assert!(row.says.len() > 20 && row.says.ends_with('.'), "{}: {:?}", row.name, row.says);
        }
    }
}

/// The names that follow the word `row` or `rows`, as `row B08`, `rows B08 and D04`, `rows E09 to E13`.
fn cited_rows(text: &str) -> Vec<String> {
    let mut cited = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if !["row", "rows", "Row", "Rows"].contains(&word.trim_start_matches(['(', '`'])) {
            continue;
        }
        while let Some(next) = words.peek() {
            let name = next.trim_matches(|c: char| !c.is_alphanumeric());
            if is_id(name) {
                cited.push(name.to_owned());
            } else if !["and", "to", "or"].contains(next) {
                break;
            }
            words.next();
        }
    }
    cited
}

/// True for a letter, two digits and perhaps a small letter.
fn is_id(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_uppercase())
        && chars.by_ref().take(2).filter(char::is_ascii_digit).count() == 2
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn texts(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["target", ".git", "corpus"].contains(&name.as_str()) {
            texts(&path, found);
        } else if ["rs", "md", "scn", "c", "h", "toml", "rows"]
            .iter()
            .any(|e| path.extension().is_some_and(|x| x == *e))
        {
            found.push(path);
        }
    }
}

#[test]
fn nothing_cites_what_is_not_there() {
    let mut names: BTreeSet<String> = COUNTED.iter().map(|(name, ..)| (*name).to_owned()).collect();
    for (.., text) in PAGES {
        names.extend(rows(text).iter().map(|row| row.name.to_owned()));
    }
    // A row that has several lines is cited by what they have in common.
    let common: BTreeSet<String> = names.iter().filter_map(|name| Some(name.split_once('-')?.0.to_owned())).collect();
    names.extend(common);
    let mut files = Vec::new();
    texts(&root(), &mut files);
    let (mut cited, mut dangling) = (0, Vec::new());
    for path in files.iter().filter(|path| !path.ends_with("tests/behaviour.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        for name in cited_rows(&text) {
            cited += 1;
            if !names.contains(&name) {
                dangling.push(format!("{}: row {name}", path.display()));
            }
        }
        for word in ["known-bugs", "semantics 0", "semantics 2", "semantics trap", "semantics row"] {
            if text.contains(word) {
                dangling.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(cited > 100 && dangling.is_empty(), "{cited} citations, these lead nowhere: {dangling:#?}");
}

#[test]
fn citations_are_found() {
    assert_eq!(
        cited_rows("(row B08), rows C01, C03 and D04: row by row; Rows E09 to E13"),
        ["B08", "C01", "C03", "D04", "E09", "E13"]
    );
}
