//! Pictures as files: what the command line writes and refuses, the same bytes in every process, and the page in a browser.

mod program;

use std::path::{Path, PathBuf};
use std::process::Command;

use program::{coroner, folder};

const FOUNDING: &str = "regressions/C01-bpo-38006-founding-chain.scn --collector cpython-3.7.6";
const LATE: &str = "regressions/C06b-gh-91636.scn";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

#[test]
fn one_run_is_the_same_bytes_in_two_processes() {
    let home = folder();
    let write = |name: &str| {
        let out = |ending: &str| home.path().join(format!("{name}.{ending}"));
        let (html, svg, dot) = (out("html"), out("svg"), out("dot"));
        let files = format!("--html {} --svg {} --dot {}", path(&html), path(&svg), path(&dot));
        let ran = coroner(root(), &format!("explain {FOUNDING} --against cpython-3.8.0 {files}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert_eq!(ran.out.lines().collect::<Vec<_>>(), [path(&html), path(&svg), path(&dot)]);
        [html, svg, dot].map(|file| std::fs::read_to_string(file).unwrap())
    };
    let (first, second) = (write("first"), write("second"));
    assert!(first == second);
    let [html, svg, dot] = first;
    assert!(html.starts_with("<!DOCTYPE html>") && html.len() < 300 * 1024);
    for outside in ["http://", "https://", "src=", "@import", "url(/", "<link"] {
        let inside = html.replace("http://www.w3.org/", "");
        assert!(!inside.contains(outside), "{outside}");
    }
    assert!(roxmltree::Document::parse(&svg).is_ok() && dot.starts_with("digraph heap {"));
}

#[test]
fn a_picture_goes_to_standard_output() {
    let page = coroner(root(), &format!("explain {LATE} --html -"));
    assert!(page.code == 0 && page.out.starts_with("<!DOCTYPE html>") && page.err.is_empty());
    let drawing = coroner(root(), &format!("explain {LATE} --svg -"));
    assert!(roxmltree::Document::parse(&drawing.out).is_ok());
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_run() {
    let home = folder();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (here, file) = (path(home.path()), path(&file));
    for (options, message) in [
        (format!("--html {here}"), "is a folder, and a file is needed"),
        (format!("--html {here}/out.svg"), "that ending is what --svg writes"),
        (format!("--dot {here}/out.html"), "that ending is what --html writes"),
        (format!("--html {here}/a --svg {here}/a"), "--html and --svg go to the same place"),
        ("--html - --svg -".to_owned(), "--html and --svg go to the same place, -"),
        (format!("--html {file}/out.html"), "cannot create"),
        ("--against cpython-3.7".to_owned(), "or the second collector of a picture (--html, --svg or --dot)"),
    ] {
        let ran = coroner(root(), &format!("explain {LATE} {options}"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{options}: {}", ran.err);
        assert!(ran.err.contains(message), "{options}: {}", ran.err);
    }
    let ran = coroner(root(), &format!("run --scenarios 1 --html {file} --out {here}/findings"));
    assert!(ran.code == 2 && ran.err.contains("is a file, and a folder is needed"), "{}", ran.err);
}

#[test]
fn a_campaign_has_a_page_with_one_for_each_finding() {
    let home = folder();
    let line = "run --collector cpython-3.7,cpython-3.8 --scenarios 600 --jobs 1 --html pages";
    let ran = coroner(home.path(), line);
    assert!(ran.out.contains("pages: pages/index.html"), "{}{}", ran.out, ran.err);
    let index = std::fs::read_to_string(home.path().join("pages/index.html")).unwrap();
    let links: Vec<&str> = index.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() >= 6, "{index}");
    for link in links {
        let page = std::fs::read_to_string(home.path().join("pages").join(link)).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.len() <= 300 * 1024, "{link}");
        let name = link.trim_end_matches(".html");
        let is_there = |folder: &str| home.path().join(folder).join(name).is_dir();
        assert!(is_there("findings") || is_there("findings/known"), "{link} is a finding of the store");
    }
    let again = folder();
    coroner(again.path(), line);
    assert!(index == std::fs::read_to_string(again.path().join("pages/index.html")).unwrap());
}

/// A browser, if there is one.
fn browser() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&folders).flat_map(|folder| names.map(|name| folder.join(name)));
    found.into_iter().find(|program| program.is_file())
}

/// What a page is after a script of the test has run in it, with a width.
fn dom(browser: &Path, page: &str, script: &str, width: u32) -> String {
    let home = folder();
    let file = home.path().join("page.html");
    let script = format!("<script>\"use strict\";{script}</script></body>");
    std::fs::write(&file, page.replace("</body>", &script)).unwrap();
    let profile = format!("--user-data-dir={}", path(&home.path().join("profile")));
    let size = format!("--window-size={width},900");
    let flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--virtual-time-budget=2000",
        "--dump-dom",
    ];
    let mut command = Command::new("timeout");
    command.arg("60").arg(browser).args(flags).args([&profile, &size]).arg(format!("file://{}", path(&file)));
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// Presses keys and notes after each what the page shows, in an element of its own.
const PRESS: &str = r##"
const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const notes = [];
const note = () => {
  const at = (name) => { const b = document.getElementById(name).getBoundingClientRect(); return [b.x + scrollX, b.y + scrollY].map(Math.round).join(","); };
  const objects = [...document.querySelectorAll("#s0 .object")];
  notes.push([
    document.body.dataset.row, document.querySelector("#s0 .title").textContent,
    [...document.querySelectorAll(".source .lit,.source .run")].map((line) => line.value).join(" "),
    objects.filter((o) => getComputedStyle(o).visibility === "visible").map((o) => o.querySelector(".name").textContent).join(" "),
    objects.map((o) => at(o.id)).join(" "),
    [...document.querySelectorAll("#s0 figcaption .broken li")].map((line) => line.textContent).join(";"),
    document.querySelector("#s0 .changes ul").textContent,
  ].join("|"));
};
const finish = () => { const out = document.createElement("pre"); out.id = "notes"; out.textContent = notes.join("\n"); document.body.append(out); };
"##;

/// The lines that a script has noted.
fn notes(dom: &str) -> Vec<Vec<String>> {
    let from = dom.find("<pre id=\"notes\">").unwrap_or_else(|| panic!("the script has not ended: {dom}"));
    let text = &dom[from + "<pre id=\"notes\">".len()..];
    let text = &text[..text.find("</pre>").unwrap()];
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

#[test]
fn a_page_is_stepped_through_by_keys() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no chromium is here, which pages are tried in");
        return;
    };
    let page = coroner(root(), &format!("explain {LATE} --collector cpython-3.13.0 --html -")).out;
    let script = format!(
        "{PRESS} note(); for (const key of [\"Home\", \"ArrowRight\", \"PageDown\", \"PageDown\", \"PageUp\", \"End\", \"ArrowRight\", \
         \"b\"]) {{ press(key); note(); }} document.getElementById(\"slider\").value = 3; \
         document.getElementById(\"slider\").dispatchEvent(new Event(\"input\")); note(); \
         document.querySelector(\"#story li[data-row='9']\").click(); note(); finish();"
    );
    for width in [400, 1400] {
        let notes = notes(&dom(&browser, &page, &script, width));
        let column = |at: usize| notes.iter().map(|note| note[at].as_str()).collect::<Vec<_>>();
        let titles = column(1);
        assert_eq!(titles[0], "late answers x");
        assert!(notes[0][5].starts_with("I01 no-insane"), "{notes:?}");
        assert_eq!(titles[1..3], ["x = Instance(finalizer=DelX)", "box = Node(gc=no)"]);
        assert!(titles[3].starts_with("start:") && titles[4].starts_with("deduced:") && titles[5] == titles[3]);
        assert_eq!(titles[6..8], ["the end", "the end"]);
        assert_eq!(notes[8][..2], notes[0][..2], "b leads to what broke");
        assert_eq!([&notes[9][0], &notes[10][0]], ["3", "9"], "the slider, the story");
        assert_eq!(column(2)[0..3], ["31 32 43", "34", "35"], "the lines that are lit");
        assert_eq!(column(3)[1..3], ["x", "x box"], "the objects that are there");
        let places = column(4);
        assert!(places.iter().all(|place| *place == places[0]), "{width}: objects move: {places:#?}");
    }
}

#[test]
fn two_sides_stand_beside_each_other_and_the_difference_is_marked() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no chromium is here, which pages are tried in");
        return;
    };
    let line = format!("explain {LATE} --collector cpython-3.14.0 --against cpython-3.15.0 --html -");
    let script = format!(
        "{PRESS} const marked = () => [...document.querySelectorAll(\".object.differs\")].map((o) => o.id + o.querySelector(\".name\").textContent).join(\" \"); \
         const write = () => notes.push([document.body.dataset.row, marked()].join(\"|\")); write(); press(\"ArrowLeft\"); write(); press(\"d\"); \
         write(); const [a, b] = [0, 1].map((s) => document.getElementById(\"s\" + s + \"-o0\").getBoundingClientRect()); \
         notes.push([a.y === b.y, b.x > a.x + 100].join(\"|\")); finish();"
    );
    let notes = notes(&dom(&browser, &coroner(root(), &line).out, &script, 1400));
    let first = &notes[0];
    assert!(first[1].starts_with("s0-o") && first[1].matches("late").count() == 2, "{notes:?}");
    assert_eq!((notes[1][1].as_str(), &notes[2]), ("", first), "before it nothing differs, and d leads to it");
    assert_eq!(notes[3], ["true", "true"], "side by side, at one height");
}

#[test]
fn a_page_shows_where_it_broke_without_script() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no chromium is here, which pages are tried in");
        return;
    };
    let page = coroner(root(), &format!("explain {LATE} --collector cpython-3.13.0 --html -")).out;
    // What has no script of its own: the page's is taken out.
    let from = page.rfind("<script>").unwrap();
    let still = format!("{}</body></html>", &page[..from]);
    let notes = notes(&dom(&browser, &still, &format!("{PRESS} note(); finish();"), 1000));
    assert_eq!(notes[0][1], "late answers x");
    assert!(notes[0][3].contains("late") && notes[0][3].contains('x') && !notes[0][5].is_empty(), "{notes:?}");
}
