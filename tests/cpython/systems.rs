//! The probe as it is compiled where there is no `/proc` and no `process_vm_readv`.

use std::process::{Command, Stdio};

use super::program::{Place, interpreters};

/// gcc, and clang where it is installed.
fn compilers() -> Vec<&'static str> {
    let works = |name: &&str| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
    };
    let found: Vec<&str> = ["gcc", "clang"].into_iter().filter(works).collect();
    if !found.contains(&"clang") {
        eprintln!("skipped: no clang");
    }
    found
}

/// Where the collector's counters are not found it is listened to, as on 3.15: model and interpreters agree all the same.
#[test]
fn interpreters_agree_where_nothing_tells_of_memory() {
    if interpreters().is_empty() {
        return;
    }
    for compiler in compilers() {
        let place = Place::not_linux(compiler);
        for profile in ["default", "modes"] {
            let ran = place.coroner(&format!("diff --python all --profile {profile} --scenarios 300 --jobs 2"));
            assert_eq!(ran.code, 0, "{compiler}, {profile}: {}{}", ran.out, ran.err);
            assert!(ran.out.contains("agree"), "{compiler}, {profile}: {}", ran.out);
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/regressions");
        let ran = place.coroner(&format!("replay {folder} --python all"));
        assert!(ran.code == 0 && ran.out.contains(" 0 failed"), "{compiler}: {}{}", ran.out, ran.err);
    }
}
