//! What a crate that uses the library alone pulls.

use std::path::Path;
use std::process::Command;

/// The crates of the command line, and no others, go with the feature `cli`.
#[test]
fn the_library_alone_pulls_nothing_of_the_command_line() {
    let crates = |features: &[&str]| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
        command.args(features).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
        let output = command.output().expect("cargo tree runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut names: Vec<String> = text.lines().filter_map(|l| l.split(' ').next()).map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let (all, alone) = (crates(&[]), crates(&["--no-default-features"]));
    for name in
        ["anstream", "anyhow", "clap", "clap_complete", "clap_mangen", "indicatif", "quick-junit", "signal-hook"]
    {
        assert!(all.iter().any(|c| c == name), "{name} is not there at all");
        assert!(alone.iter().all(|c| c != name), "the library pulls {name}");
    }
}
