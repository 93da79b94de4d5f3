//! The vocabulary of the text form, and the search for the word that was meant.

use super::super::{Bulk, Shape};

/// Words that cannot be names because they are part of the grammar.
const KEYWORDS: [&str; 8] = ["def", "pass", "del", "raise", "self", "arg", "None", "gc"];

/// An operation as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// An example of the operation.
    pub form: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// Every form of an operation, in the order of [`Op`](crate::scenario::Op).
pub const OPERATIONS: &[Usage] = &[
    Usage { form: "a = Node()", meaning: "create an object and store it" },
    Usage { form: "a = b", meaning: "store a strong reference in a variable or slot" },
    Usage { form: "del a", meaning: "empty a variable or slot" },
    Usage { form: "a = deref(w)", meaning: "read a weak reference and store what it answers" },
    Usage { form: "look()", meaning: "walk everything reachable and report each object" },
    Usage { form: "scan()", meaning: "report every object of gc.get_objects()" },
    Usage { form: "collect(2)", meaning: "collect generation 0, 1 or 2" },
    Usage {
        form: "collect_at_allocation(3, 0)",
        meaning: "start a collection at the third allocation from now (0 cancels)",
    },
    Usage { form: "f()", meaning: "call a callable object" },
    Usage { form: "raise", meaning: "end the script with an exception" },
    Usage { form: "gc.enable()", meaning: "enable automatic collection" },
    Usage { form: "gc.disable()", meaning: "disable automatic collection (the initial state)" },
    Usage { form: "gc.set_threshold(700, 10, 10)", meaning: "set the thresholds" },
    Usage { form: "gc.freeze()", meaning: "move all tracked objects to the permanent generation" },
    Usage { form: "gc.unfreeze()", meaning: "move them back" },
    Usage { form: "gc.set_debug(DEBUG_SAVEALL)", meaning: "keep trash in gc.garbage; gc.set_debug(0) ends it" },
    Usage { form: "del gc.garbage[:]", meaning: "empty gc.garbage" },
    Usage { form: "gc.callbacks.append(f)", meaning: "call an object at the start and end of each collection" },
    Usage { form: "del gc.callbacks[:]", meaning: "remove all of them" },
    Usage { form: "track(a)", meaning: "track an extension object" },
    Usage { form: "untrack(a)", meaning: "untrack an extension object" },
    Usage { form: "repeat(3, S)", meaning: "run a script's body several times as part of this one" },
    Usage { form: "a = chain(1000, Node())", meaning: "build a chain, ring, tree or knots of many objects" },
    Usage { form: "len(d)", meaning: "report the length of a weak container" },
    Usage { form: "iterate(d, S)", meaning: "run a script's body for each live entry, the entry as arg" },
];

/// The functions that can start a statement.
pub(super) const FUNCTIONS: [&str; 11] = [
    "deref",
    "look",
    "scan",
    "collect",
    "collect_at_allocation",
    "call",
    "track",
    "untrack",
    "repeat",
    "len",
    "iterate",
];

/// What can follow `gc.`.
pub(super) const GC_MEMBERS: [&str; 10] = [
    "collect",
    "enable",
    "disable",
    "set_threshold",
    "freeze",
    "unfreeze",
    "set_debug",
    "saveall",
    "callbacks",
    "garbage",
];

/// The options of an extension kind, in the order they are printed.
pub(super) const OPTIONS: [&str; 11] =
    ["gc", "hide", "twice", "fickle", "clear", "keep", "finalizer", "legacy", "call", "dealloc", "flaw"];

/// The shape with this word.
pub(super) fn shape(word: &str) -> Option<Shape> {
    Shape::ALL.into_iter().find(|s| s.word() == word)
}

/// The bulk shape with this word.
pub(super) fn bulk(word: &str) -> Option<Bulk> {
    Bulk::ALL.into_iter().find(|b| b.word() == word)
}

/// Every word that makes an object.
pub(super) fn makers() -> impl Iterator<Item = &'static str> + Clone {
    Shape::ALL.into_iter().map(Shape::word).chain(Bulk::ALL.into_iter().map(Bulk::word))
}

/// True if the word cannot be the name of a variable or script.
pub fn is_reserved(word: &str) -> bool {
    KEYWORDS.contains(&word) || FUNCTIONS.contains(&word) || makers().any(|m| m == word)
}

/// True if the word can be the name of a variable or script.
pub fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(starts_name) && chars.all(continues_name) && word.len() <= MAX_NAME && !is_reserved(word)
}

/// Longest name, in bytes.
pub(super) const MAX_NAME: usize = 64;

pub(super) fn starts_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

pub(super) fn continues_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// The candidate that differs least from `word`, if it is near enough to have been meant. Ties go to the first.
pub(super) fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > MAX_NAME {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let limit = (word.len() / 3).clamp(1, 3);
    candidates
        .filter(|c| *c != word)
        .map(|c| {
            let same_letters = c.eq_ignore_ascii_case(word);
            (if same_letters { 0 } else { strsim::osa_distance(&lower, &c.to_ascii_lowercase()) }, c)
        })
        .filter(|(distance, c)| *distance <= limit && *distance < c.len().min(word.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}
