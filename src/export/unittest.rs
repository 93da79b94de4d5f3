//! An exported script as a test in the manner of CPython's `test_gc`.

use super::trace::ARROW;
use super::{Expected, Exported, Line, Outcome};

/// What a script prints at its end.
const END: &str = "end";

/// A file with one test method. The script runs in a process of its own; the test passes where it prints what rows without
/// the bug print, and ends by itself.
pub fn unit_test(exported: &Exported, name: &str) -> String {
    let method: String = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let wanted = good(&exported.expected).and_then(|expected| values(&expected.outcome));
    let mut lines: Vec<String> =
        ["import subprocess", "import sys", "import textwrap", "import unittest", "", ""].map(str::to_owned).to_vec();
    lines.push("class GCTests(unittest.TestCase):".to_owned());
    lines.push(String::new());
    lines.push(format!("    def test_{}(self):", method.trim_matches('_')));
    lines.push("        code = textwrap.dedent('''\\".to_owned());
    lines.extend(exported.script.lines().map(|line| {
        let line = line.replace('\\', "\\\\");
        if line.is_empty() { line } else { format!("            {line}") }
    }));
    lines.push(format!("            print(\"{END}\")"));
    lines.push("            ''')".to_owned());
    lines.push("        process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)".to_owned());
    lines.push("        out = process.communicate()[0].decode()".to_owned());
    lines.push("        self.assertEqual(process.returncode, 0)".to_owned());
    if let Some(wanted) = wanted {
        // What is printed after the end is of no account.
        lines.push(format!("        values = [line.split(\"{ARROW}\")[-1] for line in out.splitlines()]"));
        let wanted: Vec<String> = wanted.iter().map(|value| format!("\"{value}\"")).collect();
        lines.push(format!("        self.assertEqual(values[:values.index(\"{END}\")], [{}])", wanted.join(", ")));
    }
    lines.extend(["", "", "if __name__ == '__main__':", "    unittest.main()"].map(str::to_owned));
    lines.join("\n") + "\n"
}

/// The newest row on which nothing is wrong.
pub fn good(expected: &[Expected]) -> Option<&Expected> {
    expected.iter().rev().find(|e| !e.is_bad() && e.outcome.undefined.is_none())
}

/// What is printed, without what it is about; nothing if a row may print one of several.
fn values(outcome: &Outcome) -> Option<Vec<String>> {
    let value = |line: &Line| match line {
        Line::Entered(text) | Line::Value(text) => Some(text.clone()),
        Line::PartOf(_) => None,
    };
    outcome.lines.iter().map(value).collect()
}

/// True if the test of an exported script passes where this is what the script does.
pub fn passes(exported: &Exported, outcome: &Outcome) -> bool {
    let wanted = good(&exported.expected).and_then(|expected| values(&expected.outcome));
    outcome.undefined.is_none() && (wanted.is_none() || values(outcome) == wanted)
}
