//! The vocabulary of the text form, and the search for the word that was meant.

use super::super::{Bulk, OPERATIONS, Operation, Shape, Usage};

/// Words that cannot be names because they are part of the grammar.
const KEYWORDS: [&str; 8] = ["def", "pass", "del", "raise", "self", "arg", "None", "gc"];

/// Every form of an operation, in the order of [`OPERATIONS`].
pub fn usages() -> impl Iterator<Item = &'static Usage> + Clone {
    OPERATIONS.iter().flat_map(|operation| operation.usages)
}

/// The operation that is written with this word and a parenthesis, or with this member of `gc` (`gc.enable`).
pub(super) fn operation(word: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.words().any(|w| w == word))
}

/// The functions that can start a statement.
pub(super) fn functions() -> impl Iterator<Item = &'static str> + Clone {
    OPERATIONS.iter().flat_map(Operation::words).filter(|word| !word.contains('.'))
}

/// What can follow `gc.` and is called, with the operation.
pub(super) fn gc_members() -> impl Iterator<Item = (&'static str, &'static Operation)> + Clone {
    let words = OPERATIONS.iter().flat_map(|operation| operation.words().map(move |word| (word, operation)));
    words.filter_map(|(word, operation)| {
        let member = word.strip_prefix("gc.").filter(|member| !member.contains('.'));
        member.map(|member| (member, operation))
    })
}

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
    KEYWORDS.contains(&word) || functions().any(|f| f == word) || makers().any(|m| m == word)
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
