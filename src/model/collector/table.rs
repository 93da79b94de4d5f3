//! A table of switches as data, and what sets of its lines can do: where lines are values of one choice, only one of
//! them is on.

use crate::bits::Bits;

/// What a switch is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum SwitchClass {
    /// Separates releases.
    Rule,
    /// No release has it: a bug planted to prove that the oracle sees it.
    Bug,
}

/// A line of a table: something that is on or off, or a value of a choice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The name on the command line; of a value `choice=word`.
    pub name: &'static str,
    /// The choice of which it is a value; nothing for what is on or off.
    pub choice: Option<&'static str>,
    /// What it is for.
    pub class: SwitchClass,
    /// Where it comes from.
    pub source: &'static str,
    /// What it means when it is on.
    pub meaning: &'static str,
}

/// The lines of a table. Sets have them by their numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table(pub &'static [Entry]);

/// Why `+name` or `-name` changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoChange<'t> {
    /// No line has the name.
    Unknown(&'t str),
    /// A value of a choice cannot be turned off.
    Value(&'static str),
}

impl Table {
    /// A set with one line more. A value takes the place of the other values of its choice.
    #[inline]
    pub const fn with(self, mut set: Bits<4>, number: usize) -> Bits<4> {
        if let Some(choice) = self.0[number].choice {
            let mut i = 0;
            while i < self.0.len() {
                if let Some(other) = self.0[i].choice
                    && same(choice, other)
                {
                    set = set.without(i);
                }
                i += 1;
            }
        }
        set.with(number)
    }

    /// A set with one line turned over; with a value of a choice, if it is one.
    pub const fn flip(self, set: Bits<4>, number: usize) -> Bits<4> {
        if self.0[number].choice.is_none() && set.has(number) { set.without(number) } else { self.with(set, number) }
    }

    /// The lines that turn `other` into `set` when they are flipped, in order.
    pub fn difference(self, set: Bits<4>, other: Bits<4>) -> impl Iterator<Item = usize> {
        let differs = move |i: usize| set.has(i) != other.has(i);
        (0..self.0.len()).filter(move |i| differs(*i) && (self.0[*i].choice.is_none() || set.has(*i)))
    }

    /// Reads a change at the beginning of a text, `+name` or `-name`: which line, whether it is turned on, and the rest of the
    /// text, which begins with the next change. Names may have signs in them: the longest one is meant.
    pub fn read_change(self, text: &str) -> Result<(usize, bool, &str), NoChange<'_>> {
        let on = text.starts_with('+');
        let rest = |name: &str| text[1..].strip_prefix(name).filter(|r| r.is_empty() || r.starts_with(['+', '-']));
        let fitting = self.0.iter().enumerate().filter_map(|(i, entry)| Some((i, entry, rest(entry.name)?)));
        match fitting.max_by_key(|(_, entry, _)| entry.name.len()) {
            Some((_, Entry { name, choice: Some(_), .. }, _)) if !on => Err(NoChange::Value(name)),
            Some((number, _, rest)) => Ok((number, on, rest)),
            None => Err(NoChange::Unknown(text[1..].split('+').next().unwrap_or_default())),
        }
    }
}

/// Equality of texts where constants are made.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}
