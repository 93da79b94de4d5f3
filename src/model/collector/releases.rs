//! The releases: a row of switches each. Nothing outside asks "which version is this?".

use super::attestation::Attestation;
use super::rules::Rules;
use super::switches::{Switch, Switch::*};
use super::table::NoChange;
use crate::subject::{Declaration, Release};

/// One release family: all patch releases from `first` to the next row of the same minor behave alike.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The first release the row covers.
    pub first: Release,
    /// Last patch number the row covers, if a later row follows or the minor has ended; `None` means the newest.
    pub last_patch: Option<u8>,
    /// True if a real interpreter confirmed the row: one that was at hand, or one that somebody else had.
    pub verified: bool,
    /// Where it comes from.
    pub source: &'static str,
    /// How it was compared elsewhere, if no release that it covers was at hand.
    pub attested: Option<Attestation>,
    /// What is new in this row against the one before it. A value of a choice replaces the one before.
    on: &'static [Switch],
    /// What ends with this row.
    off: &'static [Switch],
}

/// The row, compared elsewhere with a release. What is known of all of these: 100,000 scenarios at least, profile `unsafe`
/// among them, without a difference that the model has not been mended for since.
const fn attested(row: Row, release: (u8, u8, u8)) -> Row {
    let release = Release::new(release.0, release.1, release.2);
    let attested = Attestation { release, scenarios: 100_000, reported: "2026-11" };
    Row { verified: true, attested: Some(attested), ..row }
}

const fn row(
    first: (u8, u8, u8),
    last_patch: Option<u8>,
    verified: bool,
    source: &'static str,
    on: &'static [Switch],
    off: &'static [Switch],
) -> Row {
    Row { first: Release::new(first.0, first.1, first.2), last_patch, verified, source, attested: None, on, off }
}

/// The rows, oldest first. Each is the one before it with some switches turned on and off.
pub const ROWS: &[Row] = &[
    row(
        (2, 7, 0),
        Some(18),
        true,
        "observed on 2.7.18",
        &[
            ClearWeakrefsBeforeFinalizers,
            CountBeforeCallbacks,
            CollectInAllocation,
            LazyDictTracking,
            TrackEveryTuple,
            InstanceDict,
            ForgetCallbackLate,
            FunctionCallTuple,
            TrackedFrames,
            IgnoreStaticLegacy,
            TrashcanAt50,
            TrashcanCountsInstancesTwice,
            ContainerPending,
            ContainerLenCountsDead,
            SetReusesDummies,
            SetFillsTwoThirds,
        ],
        &[],
    ),
    attested(
        row(
            (3, 4, 0),
            Some(10),
            false,
            "PEP 442; between 2.7.18 and 3.6.15",
            &[Pep442, FinalizerBeforeWeakrefs, CheckResurrection, GcCallbacks, ContainerClosure],
            &[FunctionCallTuple, IgnoreStaticLegacy, ContainerLenCountsDead],
        ),
        (3, 4, 10),
    ),
    attested(row((3, 5, 0), Some(10), false, "between 3.4 and 3.6.15", &[], &[]), (3, 5, 10)),
    row((3, 6, 0), Some(15), true, "observed on 3.6.15", &[], &[]),
    attested(
        row(
            (3, 7, 0),
            Some(5),
            false,
            "freeze; gcmodule.c of 3.7",
            &[Freeze],
            &[ContainerClosure, TrackedFrames, SetFillsTwoThirds],
        ),
        (3, 7, 3),
    ),
    row((3, 7, 6), Some(17), true, "observed on 3.7.16", &[], &[CountBeforeCallbacks]),
    attested(
        row(
            (3, 8, 0),
            Some(6),
            false,
            "bpo-38006, bpo-33418; between 3.7.16 and 3.8.18",
            &[ClearTrashWeakrefs, FunctionClear],
            &[TrashcanCountsInstancesTwice],
        ),
        (3, 8, 3),
    ),
    row((3, 8, 7), Some(20), true, "observed on 3.8.18", &[AllClassesGc], &[]),
    row(
        (3, 9, 0),
        Some(25),
        true,
        "observed on 3.9.18",
        &[RescueOnlyResurrected, InstancesVisitType],
        &[SetReusesDummies],
    ),
    row((3, 10, 0), Some(20), true, "observed on 3.10.13", &[SetReusesDummies], &[]),
    row((3, 11, 0), None, true, "observed on 3.11.7", &[FunctionClearKeepsCode, FrameHoldsFunction], &[InstanceDict]),
    row((3, 12, 0), None, true, "observed on 3.12.1", &[ClearedInstanceGetsDict], &[CollectInAllocation]),
    row(
        (3, 13, 0),
        Some(12),
        true,
        "observed on 3.13.0",
        &[YoungThreshold2000, AlwaysCallbackTuple, TrashcanByBudget, InlineValuesVanish],
        &[TrashcanAt50, ForgetCallbackLate],
    ),
    row(
        (3, 13, 13),
        None,
        true,
        // gh-91636 on the 3.13 branch, PR 144214; the first patch number that has it is inferred.
        "observed on 3.13.18",
        &[ClearWeakrefsAfterFinalizers],
        &[],
    ),
    row(
        (3, 14, 0),
        Some(3),
        false,
        "incremental collector; source of the main branch before gh-142516",
        &[Incremental, TrashcanForAllTypes, FrameDropsLastFirst, StaticAttributesFirst],
        &[ClearWeakrefsAfterFinalizers, LazyDictTracking, TrackEveryTuple, TrashcanByBudget],
    ),
    row((3, 14, 4), Some(4), false, "incremental with gh-91636", &[ClearWeakrefsAfterFinalizers], &[]),
    row((3, 14, 5), None, true, "observed on 3.14.10", &[], &[Incremental, ContainerPending]),
    row((3, 15, 0), None, true, "observed on 3.15.2", &[], &[ClearWeakrefsBeforeFinalizers]),
];

/// A collector of the model: a row, perhaps with switches changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collector {
    /// The full name: `cpython-3.7.6`, `cpython-3.15.0+clear-weakrefs-before-finalizers`.
    pub name: String,
    /// The release it imitates: the first of its row, or the patch that was asked for.
    pub release: Release,
    /// The switches.
    pub rules: Rules,
    /// True if a real interpreter confirmed the row and no switch was changed.
    pub verified: bool,
}

/// Why a collector's name means nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnknownCollector {
    /// The part before the switches is no release.
    #[error("no collector is called `{name}`{}", hint(near))]
    Row {
        /// The part that is wrong.
        name: String,
        /// The names that are near, the nearest first.
        near: Vec<String>,
    },
    /// A switch does not exist.
    #[error("no switch is called `{name}`{}", hint(near))]
    Switch {
        /// The part that is wrong.
        name: String,
        /// The names that are near, the nearest first.
        near: Vec<String>,
    },
    /// A choice must have a value.
    #[error("`-{name}` leaves no choice: say with `+` what it should be instead")]
    Value {
        /// The value that was to be taken away.
        name: &'static str,
    },
}

fn hint(near: &[String]) -> String {
    format!("{}; `coroner list` shows all", did_you_mean(near))
}

impl Row {
    /// The name of the row: `cpython-3.7.6`.
    pub fn name(&self) -> String {
        let Release { major, minor, patch } = self.first;
        format!("cpython-{major}.{minor}.{patch}")
    }

    /// The releases covered, in words: `3.7.6 to 3.7.17`.
    pub fn covers(&self) -> String {
        let Release { major, minor, .. } = self.first;
        match self.last_patch {
            Some(last) if last == self.first.patch => self.first.to_string(),
            Some(last) => format!("{} to {major}.{minor}.{last}", self.first),
            None => format!("{} and later", self.first),
        }
    }

    /// The row with a name: `cpython-3.7.6`.
    pub fn named(name: &str) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.name() == name)
    }

    /// The word behind its name: `unverified`, `attested`, or nothing if it was observed.
    pub fn mark(&self) -> &'static str {
        match (self.verified, self.attested) {
            (false, _) => "unverified",
            (true, Some(_)) => "attested",
            (true, None) => "",
        }
    }

    /// Where it comes from, and what confirms it: a sentence of lists and documents.
    pub fn grounds(&self) -> String {
        match (self.verified, self.attested) {
            (false, _) => format!("unverified: {}", self.source),
            (true, Some(attested)) => format!("{attested}; {}", self.source),
            (true, None) => self.source.to_owned(),
        }
    }

    /// The release that the row was compared with, event by event: one that was at hand, or that somebody else had; none
    /// for a row that is unverified.
    pub fn observed(&self) -> Option<Release> {
        if let Some(attested) = self.attested {
            return Some(attested.release);
        }
        let mut numbers = self.source.strip_prefix("observed on ")?.split('.').map(|n| n.parse().ok());
        Some(Release::new(numbers.next()??, numbers.next()??, numbers.next()??))
    }

    /// The switches of the row.
    pub fn rules(&self) -> Rules {
        let mut rules = Rules::NONE;
        for row in ROWS {
            for switch in row.on {
                rules = rules.with(*switch);
            }
            for switch in row.off {
                rules = rules.without(*switch);
            }
            if row.first == self.first {
                break;
            }
        }
        rules
    }

    /// The row as a collector.
    pub fn collector(&self) -> Collector {
        Collector { name: self.name(), release: self.first, rules: self.rules(), verified: self.verified }
    }

    /// The newest row that is not newer than a release: the one that covers it, or, if none does, the one before it.
    pub fn fitting(release: Release) -> &'static Row {
        let fits = |row: &&Row| row.first <= release;
        Row::covering(release).or_else(|| ROWS.iter().rev().find(fits)).unwrap_or(&ROWS[0])
    }

    /// The row that covers a release, if there is one.
    pub fn covering(release: Release) -> Option<&'static Row> {
        ROWS.iter().rev().find(|row| {
            (row.first.major, row.first.minor) == (release.major, release.minor) && row.first.patch <= release.patch
        })
    }
}

impl Collector {
    /// Every row as a collector, oldest first.
    pub fn all() -> Vec<Collector> {
        ROWS.iter().map(Row::collector).collect()
    }

    /// The collector of the table for an interpreter of a release: of the row that covers it, or of the newest row that is
    /// not newer, whose release it then has.
    pub fn imitating(release: Release) -> Collector {
        let row = Row::fitting(release).collector();
        let release = if Row::covering(release).is_some() { release } else { row.release };
        Collector { release, ..row }
    }

    /// The name by which [`Collector::parse`] finds the rules, whatever the collector is called: its row, with the
    /// switches that differ.
    pub fn model_name(&self) -> String {
        let row = Row::fitting(self.release);
        let changed = self.rules.difference(row.rules());
        let change = |s: Switch| format!("{}{}", if self.rules.has(s) { '+' } else { '-' }, s.name());
        row.name() + &changed.map(change).collect::<String>()
    }

    /// What the collector is, from its release; its switches say nothing of what may be expected of it.
    pub fn declaration(&self) -> Declaration {
        let row = Row::covering(self.release).map(Row::name).unwrap_or_default();
        Declaration { row, verified: self.verified, ..Declaration::of_release(&self.name, self.release) }
    }

    /// The names of the rows, in order.
    pub fn row_names() -> Vec<String> {
        ROWS.iter().map(Row::name).collect()
    }

    /// Finds a collector by name: `cpython-X.Y` is the newest row of that minor, `cpython-X.Y.Z` the row that covers
    /// that patch; `+switch` and `-switch` change it, and so does `+choice=value`.
    ///
    /// # Errors
    /// [`UnknownCollector`] names the part that means nothing and the nearest name that would.
    pub fn parse(name: &str) -> Result<Collector, UnknownCollector> {
        let rest = name.strip_prefix("cpython-").unwrap_or(name);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let unknown = || UnknownCollector::Row { name: name.to_string(), near: near(name, ROWS.iter().map(Row::name)) };
        let mut numbers = rest[..end].split('.').map(str::parse::<u8>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return Err(unknown()) };
        let patch = match numbers.next() {
            None => u8::MAX,
            Some(Ok(patch)) => patch,
            Some(Err(_)) => return Err(unknown()),
        };
        if numbers.next().is_some() {
            return Err(unknown());
        }
        let row = Row::covering(Release::new(major, minor, patch)).ok_or_else(unknown)?;
        let mut collector = row.collector();
        let mut switches = &rest[end..];
        while !switches.is_empty() {
            if !switches.starts_with(['+', '-']) {
                return Err(unknown());
            }
            let (number, on, after) = Switch::TABLE.read_change(switches).map_err(|why| match why {
                NoChange::Unknown(word) => UnknownCollector::Switch {
                    name: word.to_string(),
                    near: near(word, Switch::ALL.iter().map(|s| s.name().to_string())),
                },
                NoChange::Value(name) => UnknownCollector::Value { name },
            })?;
            let switch = Switch::ALL[number];
            let changed = if on { collector.rules.with(switch) } else { collector.rules.without(switch) };
            if changed != collector.rules {
                collector.rules = changed;
                collector.verified = false;
            }
            collector.name.push(if on { '+' } else { '-' });
            collector.name.push_str(switch.name());
            switches = after;
        }
        Ok(collector)
    }
}

/// Names that are offered for one that means nothing.
const MOST_NEAR: usize = 4;

/// The names that a mistyped one may have meant: those that differ least, the nearest first, then those that it is a part of.
/// Not more than a reader looks at.
pub fn near(word: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let names: Vec<String> = names.collect();
    let mut near: Vec<(usize, &String)> = names.iter().map(|name| (distance(word, name), name)).collect();
    near.sort();
    let limit = near.first().map_or(0, |(least, _)| (least + 1).min(word.len() / 3 + 1));
    near.retain(|(distance, _)| *distance <= limit);
    let mut found: Vec<String> = near.into_iter().map(|(_, name)| name.clone()).collect();
    let parts = names.iter().filter(|name| word.len() >= 2 && name.contains(word));
    found.extend(parts.cloned());
    let mut unique: Vec<String> = Vec::new();
    for name in found {
        if !unique.contains(&name) && unique.len() < MOST_NEAR {
            unique.push(name);
        }
    }
    unique
}

/// The question whether one of these names is meant, after a semicolon; nothing if there are none.
pub fn did_you_mean(near: &[String]) -> String {
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => String::new(),
        Some((one, [])) => format!("; did you mean {one}?"),
        Some((last, others)) => format!("; did you mean {} or {last}?", others.join(", ")),
    }
}

/// [`did_you_mean`] of the names near to a word; if none is near, all names.
pub fn meant(word: &str, names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    match &near(word, names.iter().cloned())[..] {
        [] => format!("; there are {}", names.join(", ")),
        near => did_you_mean(near),
    }
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut line: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = line[0];
        line[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = line[j + 1];
            line[j + 1] = substituted.min(line[j] + 1).min(diagonal + 1);
        }
    }
    line[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verified_row_names_a_release_that_it_covers() {
        for row in ROWS {
            let observed = row.observed();
            assert_eq!(observed.is_some(), row.verified, "{}", row.name());
            let covering = observed.and_then(Row::covering).map(|r| r.first);
            assert!(observed.is_none() || covering == Some(row.first), "{}", row.name());
        }
    }

    #[test]
    fn only_rows_that_nobody_compared_are_unverified() {
        let marks = |mark| ROWS.iter().filter(|row| row.mark() == mark).map(Row::name).collect::<Vec<_>>();
        assert_eq!(marks("unverified"), ["cpython-3.14.0", "cpython-3.14.4"]);
        assert_eq!(marks("attested"), ["cpython-3.4.0", "cpython-3.5.0", "cpython-3.7.0", "cpython-3.8.0"]);
        let row = Row::named("cpython-3.4.0").unwrap();
        assert!(row.grounds().starts_with("attested: 100,000 scenarios or more on 3.4.10, reported 2026-11; PEP 442"));
    }

    #[test]
    fn a_minor_means_its_newest_row_and_a_patch_the_row_that_covers_it() {
        let name = |s| Collector::parse(s).map(|c| c.name);
        assert_eq!(name("cpython-3.7"), Ok("cpython-3.7.6".into()));
        assert_eq!(name("cpython-3.7.5"), Ok("cpython-3.7.0".into()));
        assert_eq!(name("3.14.4"), Ok("cpython-3.14.4".into()));
        assert_eq!(name("cpython-3.14.10"), Ok("cpython-3.14.5".into()));
        assert_eq!(name("cpython-3.13.0"), Ok("cpython-3.13.0".into()));
    }

    #[test]
    fn switches_are_added_and_taken_away() {
        let plain = Collector::parse("cpython-3.15").unwrap();
        let variant = Collector::parse("cpython-3.15+clear-weakrefs-before-finalizers-pep442").unwrap();
        let difference: Vec<_> = plain.rules.difference(variant.rules).collect();
        assert_eq!(difference, [Pep442, ClearWeakrefsBeforeFinalizers]);
        assert!(plain.verified && !variant.verified);
        assert_eq!(variant.name, "cpython-3.15.0+clear-weakrefs-before-finalizers-pep442");
    }

    #[test]
    fn an_interpreter_that_no_row_covers_has_the_newest_row_that_fits() {
        let imitating = |minor, patch| {
            let collector = Collector::imitating(Release::new(3, minor, patch));
            (collector.name, collector.release)
        };
        assert_eq!(imitating(16, 0), ("cpython-3.15.0".to_owned(), Release::new(3, 15, 0)));
        assert_eq!(imitating(7, 16), ("cpython-3.7.6".to_owned(), Release::new(3, 7, 16)));
        assert_eq!(imitating(3, 7).0, "cpython-2.7.0");
    }

    #[test]
    fn the_name_of_a_model_finds_it_again() {
        for name in ["cpython-3.8.0", "cpython-3.15.0-pep442+clear-weakrefs-before-finalizers"] {
            let collector = Collector { name: "python:x".to_owned(), ..Collector::parse(name).unwrap() };
            let again = Collector::parse(&collector.model_name()).unwrap();
            assert_eq!((again.rules, again.release), (collector.rules, collector.release), "{name}");
        }
    }

    #[test]
    fn what_means_nothing_is_named_with_the_nearest_that_does() {
        let error = |s| Collector::parse(s).unwrap_err().to_string();
        assert!(error("cpython-3.15+clear-weakrefs-before-finalizer").contains("clear-weakrefs-before-finalizers"));
        assert!(error("cpyton-3.7").contains("no collector"));
        assert!(error("cpython-3.3").contains("no collector"));
        assert!(error("cpython-3").contains("no collector"));
        assert!(error("cpython-3.7.6.1").contains("no collector"));
        assert!(error("cpython-3.7*").contains("no collector"));
    }

    #[test]
    fn a_name_that_means_nothing_gets_a_list_of_those_that_may_be_meant() {
        let names = || ["weakrefs", "weakdicts", "finalizers", "default"].map(str::to_owned).into_iter();
        assert_eq!(meant("weakref", names()), "; did you mean `weakrefs`?");
        assert_eq!(meant("weak", names()), "; did you mean `weakrefs` or `weakdicts`?");
        assert_eq!(meant("xyz", names()), "; there are weakrefs, weakdicts, finalizers, default");
    }

    #[test]
    fn every_row_has_one_value_of_each_choice() {
        let choice_of = |switch: Switch| Switch::TABLE.0[switch as usize].choice;
        for choice in Switch::ALL.iter().copied().filter_map(choice_of) {
            for row in ROWS {
                let values = row.rules().iter().filter(|switch| choice_of(*switch) == Some(choice));
                assert_eq!(values.count(), 1, "{choice} in {}", row.name());
            }
        }
    }

    #[test]
    fn neighbouring_rows_of_one_minor_do_not_overlap() {
        for pair in ROWS.windows(2) {
            assert!(pair[0].first < pair[1].first);
            if pair[0].first.minor == pair[1].first.minor {
                assert_eq!(pair[0].last_patch.map(|p| p + 1), Some(pair[1].first.patch));
            }
        }
    }
}
