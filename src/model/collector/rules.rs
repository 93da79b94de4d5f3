//! Sets of switches: everything that makes one collector of the model different from another.

use std::fmt;

use super::switches::Switch;
use super::table::SwitchClass;
use crate::bits::Bits;

/// The switches that are on. Of each choice one value is on in a collector's rules; in [`Rules::NONE`] none is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rules {
    bits: Bits<4>,
}

impl Rules {
    /// No switch is on.
    pub const NONE: Rules = Rules { bits: Bits::NONE };

    /// Every planted bug is on, and nothing else.
    pub const BUGS: Rules = {
        let (mut bits, mut i) = (Bits::NONE, 0);
        while i < Switch::ALL.len() {
            if matches!(Switch::ALL[i].class(), SwitchClass::Bug) {
                bits = bits.with(i);
            }
            i += 1;
        }
        Rules { bits }
    };

    /// True if the switch is on.
    #[inline]
    pub const fn has(self, switch: Switch) -> bool {
        self.bits.has(switch as usize)
    }

    /// True if a planted bug is on: what holds for every release need not hold.
    #[inline]
    pub const fn has_bugs(self) -> bool {
        !self.bits.agrees(Bits::NONE, Rules::BUGS.bits)
    }

    /// The switches of both.
    #[must_use]
    pub const fn union(self, other: Rules) -> Rules {
        Rules { bits: self.bits.union(other.bits) }
    }

    /// True if the two have the same of these switches on.
    pub const fn agrees(self, other: Rules, switches: Rules) -> bool {
        self.bits.agrees(other.bits, switches.bits)
    }

    /// The same rules with a switch on. A value of a choice takes the place of the one that was on.
    #[must_use]
    #[inline]
    pub const fn with(self, switch: Switch) -> Rules {
        Rules { bits: Switch::TABLE.with(self.bits, switch as usize) }
    }

    /// The same rules with a switch off. A choice of which a value is taken away has none.
    #[must_use]
    #[inline]
    pub const fn without(self, switch: Switch) -> Rules {
        Rules { bits: self.bits.without(switch as usize) }
    }

    /// The same rules with a switch turned over. For a value of a choice: with this value, whatever it was.
    #[must_use]
    pub const fn flip(self, switch: Switch) -> Rules {
        Rules { bits: Switch::TABLE.flip(self.bits, switch as usize) }
    }

    /// The switches that are on, in the order of the enum.
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        self.bits.iter().map(|number| Switch::ALL[number])
    }

    /// The switches in which two rules differ, in the order of the enum: flipped in `other`, each makes it more like
    /// this one. Of a choice it is the value of this one.
    pub fn difference(self, other: Rules) -> impl Iterator<Item = Switch> {
        Switch::TABLE.difference(self.bits, other.bits).map(|number| Switch::ALL[number])
    }

    /// The words of the set, in the order of the enum.
    #[inline]
    pub(super) const fn words(self) -> [u64; 4] {
        self.bits.words()
    }

    /// The set with these words.
    #[inline]
    pub(super) const fn from_words(words: [u64; 4]) -> Rules {
        Rules { bits: Bits::from_words(words) }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_switch_is_the_difference() {
        let rules = Rules::NONE.with(Switch::Pep442);
        let flipped = rules.flip(Switch::Freeze);
        assert_eq!(rules.difference(flipped).collect::<Vec<_>>(), [Switch::Freeze]);
        assert_eq!(flipped.flip(Switch::Freeze), rules);
        assert_eq!(format!("{:?}", flipped.without(Switch::Pep442)), "{Freeze}");
    }

    #[test]
    fn bugs_are_what_no_release_has() {
        assert!(Rules::BUGS.iter().all(|switch| switch.class() == SwitchClass::Bug));
        assert!(Rules::BUGS.has(Switch::BugFreeTwice) && !Rules::BUGS.has(Switch::Freeze));
        assert!(Rules::NONE.with(Switch::BugForgetGarbage).has_bugs() && !Rules::NONE.with(Switch::Freeze).has_bugs());
    }
}
