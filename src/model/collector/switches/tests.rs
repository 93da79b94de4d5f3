//! The table of the product, and what the same macro makes of a table with choices.

use super::*;
use crate::bits::Bits;
use crate::model::collector::table::NoChange;

/// A table with choices.
mod small {
    use super::super::{Entry, SwitchClass, Table};

    switches! {
        /// It freezes.
        Freeze = "freeze", Rule, "3.7";
        /// It freezes late.
        FreezeLate = "freeze-late", Rule, "3.8";
        /// It forgets.
        BugForget = "bug-forget", Bug, "I06";

        one_of "exit", Rule, "row exit" {
            /// Modules last.
            ExitOld = "2.7";
            /// Modules in order.
            /// Then the rest.
            ExitInOrder = "3.4";
            /// As in a debug build.
            ExitDebug = "3.4-debug";
        }

        one_of "limit", Bug, "E09" {
            /// A small one.
            Limit50 = "50";
            /// None.
            NoLimit = "none";
        }
    }
}
use small::Switch as Small;

const TABLE: Table = Small::TABLE;

fn set(switches: &[Small]) -> Bits<4> {
    switches.iter().fold(Bits::NONE, |set, switch| TABLE.with(set, *switch as usize))
}

fn names(numbers: impl Iterator<Item = usize>) -> Vec<&'static str> {
    numbers.map(|number| TABLE.0[number].name).collect()
}

/// The first set with the changes of a text, and the text again as it is printed.
fn changed(mut set: Bits<4>, mut text: &str) -> Result<(Bits<4>, String), NoChange<'_>> {
    let mut printed = String::new();
    while !text.is_empty() {
        let (number, on, rest) = TABLE.read_change(text)?;
        set = if on { TABLE.with(set, number) } else { set.without(number) };
        printed.push(if on { '+' } else { '-' });
        printed.push_str(TABLE.0[number].name);
        text = rest;
    }
    Ok((set, printed))
}

#[test]
fn names_are_unique_and_found() {
    for switch in Switch::ALL {
        assert_eq!(Switch::find(switch.name()), Some(*switch));
        assert_eq!(switch.name().starts_with("bug-"), switch.class() == SwitchClass::Bug);
    }
}

#[test]
fn values_of_a_choice_are_listed_like_switches() {
    let lines: Vec<_> = TABLE.0.iter().map(|e| (e.name, e.choice, e.class, e.source, e.meaning)).collect();
    assert_eq!(lines.len(), Small::ALL.len());
    assert_eq!(lines[0], ("freeze", None, SwitchClass::Rule, "3.7", " It freezes.\n"));
    let meaning = " Modules in order.\n Then the rest.\n";
    assert_eq!(lines[4], ("exit=3.4", Some("exit"), SwitchClass::Rule, "row exit", meaning));
    assert_eq!(lines[7], ("limit=none", Some("limit"), SwitchClass::Bug, "E09", " None.\n"));
}

#[test]
fn one_value_of_a_choice_is_on() {
    let old = set(&[Small::Freeze, Small::ExitOld, Small::NoLimit]);
    assert_eq!(names(old.iter()), ["freeze", "exit=2.7", "limit=none"]);
    let new = TABLE.with(old, Small::ExitDebug as usize);
    assert_eq!(names(new.iter()), ["freeze", "exit=3.4-debug", "limit=none"]);
}

#[test]
fn changes_of_values_are_read_and_printed() {
    let start = set(&[Small::Freeze, Small::ExitOld, Small::Limit50]);
    for (text, then) in [
        ("+exit=3.4", vec!["freeze", "exit=3.4", "limit=50"]),
        ("-freeze+exit=3.4-debug+bug-forget", vec!["bug-forget", "exit=3.4-debug", "limit=50"]),
        ("+exit=3.4-freeze", vec!["exit=3.4", "limit=50"]),
        ("+freeze-late-freeze+limit=none+exit=3.4+exit=2.7", vec!["freeze-late", "exit=2.7", "limit=none"]),
    ] {
        let (set, printed) = changed(start, text).unwrap();
        assert_eq!((names(set.iter()), printed.as_str()), (then, text));
    }
    for (text, word) in [("+exit", "exit"), ("+exit=4", "exit=4"), ("-lim+freeze", "lim"), ("+freeze-lat", "lat")] {
        assert_eq!(changed(start, text), Err(NoChange::Unknown(word)));
    }
    assert_eq!(changed(start, "+freeze-exit=2.7"), Err(NoChange::Value("exit=2.7")));
}

#[test]
fn every_flip_gives_other_rules_but_that_to_the_value_that_is_on() {
    let start = set(&[Small::Freeze, Small::ExitInOrder, Small::Limit50]);
    for number in 0..Small::ALL.len() {
        let flipped = TABLE.flip(start, number);
        let is_value = TABLE.0[number].choice.is_some();
        assert_eq!(flipped == start, is_value && start.has(number));
        assert_eq!(flipped.has(number), is_value || !start.has(number));
        for choice in ["exit", "limit"] {
            let on = flipped.iter().filter(|n| TABLE.0[*n].choice == Some(choice)).count();
            assert_eq!(on, 1, "{number} {choice}");
        }
    }
}

#[test]
fn the_difference_flips_one_set_into_the_other() {
    let a = set(&[Small::Freeze, Small::ExitInOrder, Small::Limit50]);
    let b = set(&[Small::BugForget, Small::ExitDebug, Small::Limit50]);
    assert_eq!(names(TABLE.difference(a, b)), ["freeze", "bug-forget", "exit=3.4"]);
    assert_eq!(names(TABLE.difference(b, a)), ["freeze", "bug-forget", "exit=3.4-debug"]);
    assert_eq!(TABLE.difference(a, b).fold(b, |set, number| TABLE.flip(set, number)), a);
    assert_eq!(TABLE.difference(a, a).next(), None);
}
