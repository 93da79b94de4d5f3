//! The line that says how much was judged or compared, and the one that says that it was too little.

use super::style::grouped;
use crate::findings::RunCounts;

/// What became of a run that counts as whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// The invariants were asked.
    Judged,
    /// The streams were compared.
    Compared,
}

impl Word {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Word::Judged => "judged",
            Word::Compared => "compared",
        }
    }
}

/// What is said of an interpreter in which the probe has not found the collector's lists.
pub const WITHOUT_LISTS: &str =
    "the collector's lists were not found: which list an object is in was not observed, all else was";

/// How the runs of a subject ended, and why some were unsupported: each reason with its number.
pub type Reasoned<'s> = (RunCounts, Vec<(&'s str, u64)>);

/// How much was judged or compared: `1,990 of 2,000 runs judged, 10 undefined, 0 unsupported, 0 limited`.
pub fn in_words(counts: &RunCounts, word: Word) -> String {
    let RunCounts { runs, whole, undefined, unsupported, limited, died } = counts;
    let runs = format!("{} run{}", grouped(*runs), if *runs == 1 { "" } else { "s" });
    let mut text = format!("{} of {runs} {}", grouped(*whole), word.word());
    for (number, what) in [(undefined, "undefined"), (unsupported, "unsupported"), (limited, "limited")] {
        text += &format!(", {} {what}", grouped(*number));
    }
    if *died > 0 {
        text += &format!(", {} died", grouped(*died));
    }
    text
}

/// Says for which subjects too little was judged or compared, and why; nothing if it was enough everywhere. `meant` says
/// how many of so many runs were made to end in undefined behaviour.
pub fn not_compared<'s>(
    subjects: impl Iterator<Item = (&'s str, Reasoned<'s>)>,
    meant: impl Fn(u64) -> u64,
    word: Word,
) -> Option<String> {
    let mut parts = Vec::new();
    let mut any = false;
    for (name, (counts, mut why)) in subjects {
        any = true;
        if counts.is_enough(meant(counts.runs)) {
            continue;
        }
        if counts.runs == 0 {
            parts.push(format!("{name}: nothing was run"));
            continue;
        }
        why.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        let why = why.first().map_or_else(String::new, |(what, _)| format!(" ({what})"));
        parts.push(format!("{name}: {}{why}", in_words(&counts, word)));
    }
    match (any, parts.is_empty()) {
        (true, true) => None,
        (false, _) => Some("not compared: nothing was run".to_owned()),
        (true, false) => Some(format!("not compared: {}", parts.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_is_said_with_the_reason() {
        let whole = RunCounts { runs: 20, whole: 20, ..RunCounts::default() };
        let part = RunCounts { runs: 2_000, whole: 1_207, unsupported: 793, ..RunCounts::default() };
        let of = |counts: &[RunCounts]| {
            let subjects = counts.iter().map(|c| ("a", (*c, vec![("rare", 1), ("frequent", 792)])));
            not_compared(subjects, |_| 0, Word::Compared)
        };
        assert_eq!(of(&[whole, whole]), None);
        let text = "not compared: a: 1,207 of 2,000 runs compared, 0 undefined, 793 unsupported, 0 limited (frequent)";
        assert_eq!(of(&[whole, part]).as_deref(), Some(text));
        assert_eq!(of(&[RunCounts::default()]).as_deref(), Some("not compared: a: nothing was run"));
        assert_eq!(of(&[]).as_deref(), Some("not compared: nothing was run"));
    }
}
