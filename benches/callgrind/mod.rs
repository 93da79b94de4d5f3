//! Runs this program once more under callgrind and reads how many instructions its functions took.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// The argument that makes the program do the work instead of measuring it.
pub const CHILD: &str = "--child";

/// Instructions of each function whose name ends in one of `names`, with all that they called. Nothing if valgrind is not
/// there.
///
/// # Panics
/// If the program fails under valgrind: then there is nothing to measure.
pub fn count(names: &[&str], extra: &[&str]) -> Option<BTreeMap<String, u64>> {
    let there = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return None;
    }
    let file = std::env::temp_dir().join(format!("coroner-callgrind-{}.{}", std::process::id(), extra.concat().len()));
    let program = std::env::current_exe().expect("the program knows its own file");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", file.display())])
        .arg(program)
        .arg(CHILD)
        .args(extra)
        .output()
        .expect("valgrind starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counted = read(&file, names);
    let _ = std::fs::remove_file(&file);
    Some(counted)
}

/// Sums up the costs of calls of the functions in a file that callgrind wrote.
fn read(file: &Path, names: &[&str]) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(file).expect("callgrind writes its file");
    // Names are given once, with a number, and then by number.
    let mut wanted: BTreeMap<&str, &str> = BTreeMap::new();
    let mut counted: BTreeMap<String, u64> = names.iter().map(|name| ((*name).to_owned(), 0)).collect();
    let (mut called, mut is_cost) = ("", false);
    for line in text.lines() {
        let function = line.strip_prefix("cfn=").or_else(|| line.strip_prefix("fn="));
        if let Some(function) = function {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            if let Some(name) = names.iter().find(|wanted| name.ends_with(&format!("::{wanted}"))) {
                wanted.insert(number, name);
            }
            if line.starts_with('c') {
                called = number;
            }
        } else if line.starts_with("calls=") {
            is_cost = true;
        } else if is_cost {
            is_cost = false;
            if let Some(name) = wanted.get(called)
                && let Some(cost) = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok())
            {
                *counted.entry((*name).to_owned()).or_default() += cost;
            }
        }
    }
    counted
}
