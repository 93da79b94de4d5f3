//! The way from a checkout to the first bad commit, as docs/cpython.md shows it: `git bisect run` with a build command.

use std::process::Command;

use super::program::{Place, interpreters, regression};

#[test]
fn git_bisect_finds_the_first_bad_commit_with_the_readers_build_command() {
    if Command::new("git").arg("--version").output().is_err() {
        return;
    }
    let mut programs: Vec<_> = interpreters().into_iter().map(|i| (i.release, i.program)).collect();
    programs.sort();
    let minor = |release: &coroner::subject::Release| (release.major, release.minor);
    // bpo-38006 was mended in 3.8: newest first, so that it comes back.
    programs.retain(|(release, _)| minor(release) >= (3, 4));
    programs.reverse();
    let Some(bad) = programs.iter().position(|(release, _)| minor(release) < (3, 8)) else { return };
    if bad == 0 {
        return;
    }
    let place = Place::new();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(place.path(".")).args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    git(&["init", "-q"]);
    for (at, (_, program)) in programs.iter().enumerate() {
        // One commit does not build.
        let text = if at == 1 && bad > 2 { "nowhere".to_owned() } else { program.display().to_string() };
        std::fs::write(place.path("program"), text).unwrap();
        git(&["add", "program"]);
        git(&["commit", "-q", "-m", &format!("commit {at}"), "--allow-empty"]);
        git(&["tag", &format!("c{at}")]);
    }
    std::fs::copy(regression("C01-bpo-38006.scn"), place.path("bug.scn")).unwrap();
    let build = "ln -sfn \"$(cat program)\" python && test -x python";
    let check = format!("{} check bug.scn --python ./python", env!("CARGO_BIN_EXE_coroner"));
    git(&["bisect", "start", "HEAD", "c0"]);
    let said = git(&["bisect", "run", "sh", "-c", &format!("({build}) >/dev/null 2>&1 || exit 125; exec {check}")]);
    assert!(said.contains("is the first bad commit"), "{said}");
    assert!(said.contains(&format!("    commit {bad}\n")), "{said}");
}
