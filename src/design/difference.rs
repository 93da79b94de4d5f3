//! Two outcomes, and what differs between them, in words.

use std::collections::{BTreeMap, BTreeSet};

use super::Aspect;
use super::visible::{Context, Fate, Key, Ran, Visible};
use crate::event::Code;

/// One thing that differs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Difference {
    /// What kind of thing.
    pub aspect: Aspect,
    /// What happens with the old rule.
    pub old: String,
    /// What happens with the new rule.
    pub new: String,
}

/// Everything that differs, by aspect; nothing if users notice nothing.
pub fn differences(old: &Visible, new: &Visible) -> Vec<Difference> {
    if old.undefined != new.undefined {
        // Up to where the one goes wrong they may be alike, and what follows on the other is no difference.
        let words = |run: &Visible| match run.undefined {
            Some(_) => "behaviour is undefined: the process may die".to_owned(),
            None => "the run comes to its end".to_owned(),
        };
        let aspect = if new.undefined.is_some() { Aspect::Undefined } else { Aspect::Defined };
        let same = words(old) == words(new);
        return if same { Vec::new() } else { vec![Difference { aspect, old: words(old), new: words(new) }] };
    }
    let mut found = Found { old, new, differences: Vec::new() };
    found.code();
    found.answers();
    found.reached();
    found.fates();
    found.counts();
    found.containers();
    found.differences.sort();
    found.differences.dedup();
    found.differences
}

struct Found<'v> {
    old: &'v Visible,
    new: &'v Visible,
    differences: Vec<Difference>,
}

impl Found<'_> {
    fn push(&mut self, aspect: Aspect, old: String, new: String) {
        self.differences.push(Difference { aspect, old, new });
    }

    /// What an object is called, in the run that knows it.
    fn label(&self, key: Key) -> &str {
        if self.old.labels.contains_key(&key) { self.old.label(key) } else { self.new.label(key) }
    }

    fn ran(&self, ran: Ran) -> String {
        let owner = self.label(ran.owner);
        match (ran.code, ran.weak) {
            (Code::Callback, Some(weak)) => format!("callback {owner} of {}", self.label(weak)),
            (Code::Callback, None) => format!("callback {owner}"),
            (Code::Finalizer, _) => format!("the finalizer of {owner}"),
            (Code::LegacyFinalizer, _) => format!("tp_del of {owner}"),
            (Code::Dealloc, _) => format!("the deallocator's code of {owner}"),
            (Code::GcCallback, _) => format!("{owner} in gc.callbacks"),
            (Code::Call, _) => format!("the call of {owner}"),
        }
    }

    fn place(&self, context: Context) -> String {
        match context {
            Context::Body(None) => "before the first step".to_owned(),
            Context::Body(Some(step)) => format!("in step {}", u64::from(step) + 1),
            Context::Code(ran, 0) => format!("in {}", self.ran(ran)),
            Context::Code(ran, nth) => format!("in {}, run {}", self.ran(ran), u64::from(nth) + 1),
        }
    }

    /// What runs, and in which order.
    fn code(&mut self) {
        let counted = |run: &Visible| {
            let mut counts: BTreeMap<Ran, usize> = BTreeMap::new();
            run.ran.iter().for_each(|ran| *counts.entry(*ran).or_default() += 1);
            counts
        };
        let (old, new) = (counted(self.old), counted(self.new));
        let times = |count: usize| match count {
            0 => "does not run".to_owned(),
            1 => "runs".to_owned(),
            2 => "runs twice".to_owned(),
            n => format!("runs {n} times"),
        };
        let count = |of: &BTreeMap<Ran, usize>, ran: &Ran| of.get(ran).copied().unwrap_or_default();
        for ran in old.keys().chain(new.keys()).copied().collect::<BTreeSet<Ran>>() {
            let (before, after) = (count(&old, &ran), count(&new, &ran));
            if before == after {
                continue;
            }
            let aspect = match (ran.code, after < before) {
                (Code::Callback, true) => Aspect::CallbackLost,
                (Code::Callback, false) => Aspect::CallbackMore,
                (Code::Finalizer | Code::LegacyFinalizer, true) => Aspect::FinalizerLost,
                (Code::Finalizer | Code::LegacyFinalizer, false) => Aspect::FinalizerMore,
                (_, true) => Aspect::CodeLost,
                (_, false) => Aspect::CodeMore,
            };
            let words = self.ran(ran);
            self.push(aspect, format!("{words} {}", times(before)), format!("{words} {}", times(after)));
        }
        let common = |run: &Visible| {
            let mut left: BTreeMap<Ran, usize> =
                old.iter().map(|(ran, n)| (*ran, (*n).min(count(&new, ran)))).collect();
            let mut kept = Vec::new();
            for ran in &run.ran {
                if let Some(left) = left.get_mut(ran).filter(|left| **left > 0) {
                    *left -= 1;
                    kept.push(*ran);
                }
            }
            kept
        };
        let orders = [common(self.old), common(self.new)];
        if let Some(at) = orders[0].iter().zip(&orders[1]).position(|(old, new)| old != new) {
            // What has changed places begins there.
            let next = |order: &[Ran], other: &[Ran]| {
                let until = order[at..].iter().position(|ran| *ran == other[at]).unwrap_or_default();
                let words: Vec<String> = order[at..=at + until.min(3)].iter().map(|ran| self.ran(*ran)).collect();
                words.join(", then ")
            };
            let (before, after) = (next(&orders[0], &orders[1]), next(&orders[1], &orders[0]));
            self.push(Aspect::Order, before, after);
        }
    }

    /// What weak references answer while code runs and at the end.
    fn answers(&mut self) {
        let (old, new) = (self.old, self.new);
        for ((context, weak, nth), before) in &old.answers {
            let Some(after) = new.answers.get(&(*context, *weak, *nth)) else { continue };
            self.answer(&self.place(*context), *weak, (*before, *after));
        }
        for (weak, before) in &old.referents {
            let Some(after) = new.referents.get(weak) else { continue };
            self.answer("at the end", *weak, (*before, *after));
        }
    }

    fn answer(&mut self, place: &str, weak: Key, (before, after): (Option<Key>, Option<Key>)) {
        let aspect = match (before, after) {
            _ if before == after => return,
            (None, _) => Aspect::AnswersMore,
            (_, None) => Aspect::AnswersLess,
            _ => Aspect::AnswersOther,
        };
        let words = |referent: Option<Key>| {
            let referent = referent.map_or("None", |key| self.label(key));
            format!("{place}, {} answers {referent}", self.label(weak))
        };
        let (before, after) = (words(before), words(after));
        self.push(aspect, before, after);
    }

    /// What code reaches, where it runs with both rules.
    fn reached(&mut self) {
        let nothing = BTreeSet::new();
        let (old, new) = (self.old, self.new);
        let ran = |run: &Visible, context: &Context| match context {
            Context::Code(ran, nth) => run.ran.iter().filter(|other| *other == ran).count() > *nth as usize,
            Context::Body(_) => true,
        };
        let places: BTreeSet<&(Context, bool)> = old.reached.keys().chain(new.reached.keys()).collect();
        for place in places {
            let (context, introspection) = place;
            if !ran(old, context) || !ran(new, context) {
                continue;
            }
            let [before, after] = [old, new].map(|run| run.reached.get(place).unwrap_or(&nothing));
            let how = if *introspection { "gc.get_objects() has" } else { "code sees" };
            let at = self.place(*context);
            for object in before.symmetric_difference(after) {
                let name = self.label(*object);
                let no = if *introspection { "gc.get_objects() lacks" } else { "code does not see" };
                let (yes, no) = (format!("{at}, {how} {name}"), format!("{at}, {no} {name}"));
                match after.contains(object) {
                    true => self.push(Aspect::ReachesMore, no, yes),
                    false => self.push(Aspect::ReachesLess, yes, no),
                }
            }
        }
    }

    /// What is left at the end.
    fn fates(&mut self) {
        let words = |fate: Fate| match fate {
            Fate::Dead => "is dead",
            Fate::Emptied => "is alive, and tp_clear has emptied it",
            Fate::Alive => "is alive",
        };
        let (old, new) = (self.old, self.new);
        for (object, before) in &old.fates {
            let Some(after) = new.fates.get(object) else { continue };
            let aspect = match (before, after) {
                _ if before == after => continue,
                (Fate::Dead, _) => Aspect::Saved,
                (_, Fate::Dead) => Aspect::NotSaved,
                (_, Fate::Emptied) => Aspect::Emptied,
                (_, Fate::Alive) => Aspect::NotEmptied,
            };
            let name = self.label(*object).to_owned();
            let words = |fate| format!("at the end {name} {}", words(fate));
            self.push(aspect, words(*before), words(*after));
        }
        if old.garbage != new.garbage {
            let words = |run: &Visible| {
                let names: Vec<&str> = run.garbage.iter().map(|key| self.label(*key)).collect();
                if names.is_empty() {
                    "gc.garbage is empty".to_owned()
                } else {
                    format!("gc.garbage holds {}", names.join(", "))
                }
            };
            self.push(Aspect::Garbage, words(old), words(new));
        }
    }

    /// What collections return, and whose errors are reported.
    fn counts(&mut self) {
        let (old, new) = (self.old, self.new);
        if old.returned != new.returned {
            let at = old.returned.iter().zip(&new.returned).take_while(|(old, new)| old == new).count();
            let words = |run: &Visible| match run.returned.get(at) {
                Some((step, returned)) => {
                    format!("{}, a collection returns {returned}", self.place(Context::Body(*step)))
                }
                None => "no further collection runs".to_owned(),
            };
            self.push(Aspect::Counts, words(old), words(new));
        }
        if old.errors != new.errors {
            let words = |run: &Visible| match run.errors.len() {
                0 => "no error is reported".to_owned(),
                _ => {
                    let owners: Vec<&str> = run.errors.iter().map(|key| self.label(*key)).collect();
                    format!("errors are reported of the code of {}", owners.join(", "))
                }
            };
            self.push(Aspect::Errors, words(old), words(new));
        }
    }

    /// What weak containers hold.
    fn containers(&mut self) {
        let (old, new) = (self.old, self.new);
        for ((context, container, nth), before) in &old.lengths {
            let after = new.lengths.get(&(*context, *container, *nth));
            let Some(after) = after.filter(|after| *after != before) else { continue };
            let (at, name) = (self.place(*context), self.label(*container));
            let words = |len: &u32| format!("{at}, len({name}) is {len}");
            let (before, after) = (words(before), words(after));
            self.push(Aspect::Containers, before, after);
        }
        for (place, before) in &old.yielded {
            let after = new.yielded.get(place).filter(|after| *after != before);
            let Some(after) = after else { continue };
            let (at, name) = (self.place(place.0), self.label(place.1));
            let words = |entries: &[Key]| {
                let entries: Vec<&str> = entries.iter().map(|key| self.label(*key)).collect();
                format!("{at}, iteration over {name} yields {}", entries.join(", "))
            };
            let (before, after) = (words(before), words(after));
            self.push(Aspect::Containers, before, after);
        }
    }
}
