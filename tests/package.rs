//! What users get besides the program: a small package, completions, manual pages, results for CI servers.

mod program;

use std::path::Path;
use std::process::Command;

use program::{coroner, files, folder};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What `cargo package` puts into the package.
#[test]
fn the_package_has_what_users_need_and_no_more() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["package", "--package", "coroner", "--list", "--allow-dirty", "--offline", "--no-verify"]);
    let output = command.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).unwrap();
    let list: Vec<&str> = list.lines().collect();
    for file in [
        "Cargo.lock",
        "README.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "askama.toml",
        "baseline.toml",
        "src/main.rs",
        "src/cpython/probe/probe.h",
        "docs/cpython.md",
        "docs/behaviour/README.md",
        "docs/ci.yml",
        "examples/toy_collector.rs",
        "regressions/C01-bpo-38006.scn",
    ] {
        assert!(list.contains(&file), "{file} is missing");
    }
    let foreign = ["tests/", "benches/", "corpus/", "fuzz/", "recipes/", "scripts/", ".ci", ".clusterfuzzlite"];
    let foreign: Vec<&&str> = list.iter().filter(|file| foreign.iter().any(|start| file.starts_with(start))).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let size: u64 = list.iter().filter_map(|file| root().join(file).metadata().ok()).map(|data| data.len()).sum();
    assert!(size < 6_000_000, "{size} bytes, before they are compressed");
    // Whatever a source includes is there.
    for file in list.iter().filter(|file| file.ends_with(".rs")) {
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        for included in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let path = root().join(file).parent().unwrap().join(included).canonicalize();
            let path = path.unwrap_or_else(|error| panic!("{file} includes {included}: {error}"));
            let path = path.strip_prefix(root().canonicalize().unwrap()).unwrap().to_string_lossy().into_owned();
            assert!(list.contains(&path.as_str()), "{file} includes {path}, which is not in the package");
        }
    }
}

#[test]
fn shells_and_man_know_every_command() {
    let folder = folder();
    let commands = ["run", "test", "diff", "findings", "cache", "export"];
    for (shell, part) in [("bash", "complete -F"), ("zsh", "#compdef coroner"), ("fish", "complete -c coroner")] {
        let ran = coroner(folder.path(), &format!("completions {shell}"));
        assert!(ran.code == 0 && ran.out.contains(part), "{shell}: {}", ran.err);
        assert!(commands.iter().all(|command| ran.out.contains(command)), "{shell}");
    }
    let page = coroner(folder.path(), "man").out;
    for part in [".TH coroner 1", "Exit codes", "CORONER_PYTHONS", "coroner\\-findings"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(coroner(folder.path(), "man --out pages").code, 0);
    let pages = files(&folder.path().join("pages"));
    let names: Vec<String> = pages.iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    for command in commands {
        assert!(names.contains(&format!("coroner-{command}.1")), "{names:?}");
    }
    assert!(std::fs::read_to_string(folder.path().join("pages/coroner-test.1")).unwrap().contains("junit"));
}

#[test]
fn the_help_has_exit_codes_and_the_environment() {
    let help = coroner(folder().path(), "--help").out;
    for part in ["Exit codes:", "  125  of `check`", "Environment:", "CORONER_CACHE", "NO_COLOR"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn ci_servers_see_what_failed() {
    let folder = folder();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let line = "run --scenarios 600 --collector cpython-3.15+bug-call-trash-callbacks,cpython-3.7 --junit x/run.xml";
    assert_eq!(coroner(folder.path(), line).code, 1);
    let run = read("x/run.xml");
    assert!(run.starts_with("<?xml") && run.matches("<testsuite ").count() == 2, "{run}");
    let case = |suite: &str, name: &str| {
        let of_suite = run.split("<testsuite ").find(|part| part.starts_with(&format!("name=\"{suite}\""))).unwrap();
        of_suite.split("<testcase ").find(|part| part.contains(&format!("name=\"{name}\""))).unwrap().to_owned()
    };
    let bad = case("cpython-3.15.0+bug-call-trash-callbacks", "I15 no-callback-from-trash");
    assert!(
        bad.contains("<failure") && bad.contains("repeat with: coroner run") && bad.contains("reduced.scn"),
        "{bad}"
    );
    assert!(!case("cpython-3.15.0+bug-call-trash-callbacks", "I01 no-insane").contains("<failure"));
    assert!(!case("cpython-3.7.6", "I15 no-callback-from-trash").contains("<failure"), "it is known");

    let good = "coroner 1\nexpect cpython-3.15.0: digest=0000000000000000 violations=none\n\na = Node()\ndel a\n";
    std::fs::write(folder.path().join("wrong.scn"), good).unwrap();
    std::fs::write(folder.path().join("right.scn"), "coroner 1\na = Node()\ndel a\n").unwrap();
    std::fs::write(folder.path().join("bad.scn"), "coroner 1\na = Nod()\n").unwrap();
    assert_eq!(coroner(folder.path(), "replay wrong.scn right.scn bad.scn --junit replay.xml").code, 2);
    let replay = read("replay.xml");
    assert!(replay.contains("tests=\"3\" failures=\"2\"") || replay.contains("failures=\"2\""), "{replay}");
    let ran = coroner(folder.path(), "run --time 1h --junit /proc/x/y.xml");
    assert!(ran.code == 2 && ran.err.contains("cannot write /proc/x/y.xml"), "{}", ran.err);
}

/// Every command and option of the workflows that are to be copied exists.
#[test]
fn the_workflows_say_what_the_program_understands() {
    let folder = folder();
    let mut commands = 0;
    for name in ["ci.yml", "fuzz-nightly.yml"] {
        let text = std::fs::read_to_string(root().join("docs").join(name)).unwrap();
        let lines = text.lines().filter_map(|line| {
            let start = line.find("coroner ").filter(|at| !line[..*at].contains('#'))?;
            Some(line[start..].split("||").next().unwrap().split_whitespace().collect::<Vec<&str>>())
        });
        for words in lines.filter(|words| words.len() > 1 && words[1] != "--locked") {
            let help = coroner(folder.path(), &format!("{} --help", words[1]));
            assert_eq!(help.code, 0, "{name}: {words:?}");
            for option in words[2..].iter().filter(|word| word.starts_with("--") && word.len() > 2) {
                assert!(help.out.contains(option) || words[1] == "corpus", "{name}: {words:?}: {option}");
            }
            commands += 1;
        }
    }
    assert!(commands >= 4, "{commands}");
}
