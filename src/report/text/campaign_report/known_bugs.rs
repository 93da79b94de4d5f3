//! What is known: a line per bug of the baseline.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::CampaignReport;
use crate::findings::SubjectIdentity;
use crate::report::text::style::Style;

pub(super) fn write(out: &mut String, page: &CampaignReport<'_>, width: usize, style: Style) -> fmt::Result {
    let mut bugs: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for key in page.outcome.part.kinds.keys() {
        let Some(bug) = key.known_bug() else { continue };
        bugs.entry(bug).or_default().insert(key.collector());
    }
    if bugs.is_empty() {
        return Ok(());
    }
    let subjects = &page.about.subjects;
    let line = |(bug, showing): (&usize, &BTreeSet<usize>), is_short: bool| {
        let known = page.baseline.bugs().get(*bug)?;
        let place = match (subjects.len(), is_short) {
            (0 | 1, _) => String::new(),
            (all, true) => format!("{:>2} of {all}", showing.len()),
            (_, false) => ranges(subjects, showing),
        };
        Some([known.id.clone(), place, known.title.clone()])
    };
    let lines = |is_short| bugs.iter().filter_map(|pair| line(pair, is_short)).collect::<Vec<[String; 3]>>();
    let widest =
        |lines: &[[String; 3]], column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let total = |lines: &[[String; 3]]| (0..3).map(|column| widest(lines, column) + 2).sum::<usize>();
    let long = lines(false);
    let lines = if total(&long) > width { lines(true) } else { long };
    let (ids, places) = (widest(&lines, 0), widest(&lines, 1));
    writeln!(out, "\n{} (`coroner list known` has reports and regressions)", style.head("known bugs"))?;
    for [id, place, title] in &lines {
        let place = if places == 0 { String::new() } else { format!("{place:places$}  ") };
        writeln!(out, "  {}  {place}{title}", style.note(&format!("{id:ids$}")))?;
    }
    Ok(())
}

/// The names of subjects, those that follow each other as first and last: `2.7.0-3.7.6`.
fn ranges(all: &[SubjectIdentity], some: &BTreeSet<usize>) -> String {
    let name = |at: usize| all.get(at).map_or("", |subject| subject.name.trim_start_matches("cpython-"));
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for at in some {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *at => *last = *at,
            _ => parts.push((*at, *at)),
        }
    }
    let range = |(first, last): &(usize, usize)| match first == last {
        true => name(*first).to_owned(),
        false => format!("{}-{}", name(*first), name(*last)),
    };
    parts.iter().map(range).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_a_range() {
        let subject = |name: &str| SubjectIdentity {
            name: name.to_owned(),
            option: name.to_owned(),
            build: String::new(),
            collector: name.to_owned(),
            verified: true,
            without_lists: false,
        };
        let all = ["cpython-2.7.0", "cpython-3.4.0", "cpython-3.5.0", "python-3.6.15"].map(subject);
        assert_eq!(ranges(&all, &BTreeSet::from([0, 1, 3])), "2.7.0-3.4.0, python-3.6.15");
        assert_eq!(ranges(&all, &BTreeSet::from([2])), "3.5.0");
    }
}
