//! The rules of a collector that remember which of its switches were asked for.
//!
//! A run is a function of the scenario and of the answers to the switches it asks for. So another collector that gives
//! the same answers to these runs the scenario in the same way, whatever else it differs in.

use std::cell::Cell;

use super::rules::Rules;
use super::switches::Switch;

/// Rules that remember the questions.
#[derive(Clone, Debug, Default)]
pub struct AskedRules {
    rules: Rules,
    /// The words of the set of what was asked for.
    asked: [Cell<u64>; 4],
}

impl AskedRules {
    /// Rules that have not been asked for anything.
    pub fn new(rules: Rules) -> AskedRules {
        AskedRules { rules, asked: Default::default() }
    }

    /// True if the switch is on.
    #[inline(always)]
    pub fn has(&self, switch: Switch) -> bool {
        let word = &self.asked[switch as usize / 64];
        word.set(word.get() | 1 << (switch as usize % 64));
        self.rules.has(switch)
    }

    /// [`Rules::has_bugs`]: every planted bug has been asked for.
    #[inline(always)]
    pub fn has_bugs(&self) -> bool {
        self.ask(Rules::BUGS);
        self.rules.has_bugs()
    }

    /// These switches count as asked for.
    #[inline(always)]
    pub fn ask(&self, switches: Rules) {
        for (word, more) in self.asked.iter().zip(switches.words()) {
            word.set(word.get() | more);
        }
    }

    /// The rules themselves, unasked.
    pub fn plain(&self) -> Rules {
        self.rules
    }

    /// What has been asked for.
    pub fn asked(&self) -> Rules {
        Rules::from_words(self.asked.each_ref().map(Cell::get))
    }

    /// Nothing has been asked for.
    pub fn forget(&self) {
        self.asked.iter().for_each(|word| word.set(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_remembered_until_it_is_forgotten() {
        let rules = AskedRules::new(Rules::NONE.with(Switch::Pep442));
        assert!(rules.has(Switch::Pep442) && !rules.has(Switch::Freeze));
        assert_eq!(rules.asked(), Rules::NONE.with(Switch::Pep442).with(Switch::Freeze));
        assert!(!rules.has_bugs());
        assert!(rules.asked().has_bugs());
        rules.forget();
        assert_eq!((rules.asked(), rules.plain()), (Rules::NONE, Rules::NONE.with(Switch::Pep442)));
    }
}
