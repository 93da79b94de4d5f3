//! What is expected of the subject whose run is judged, and what of that its verdicts depended on.
//!
//! Every answer is noted before it is given, so that a run which asked nothing on which two subjects differ is judged once
//! for both. Facts of objects are made from expectations too: they are noted when an object is created whose facts differ.

use std::cell::Cell;

use super::facts::{Facts, PlainFacts};
use crate::event::Role;
use crate::scenario::{Kind, Shape};
use crate::subject::{Choice, Expectation, Expectations, Questions};

/// What a collection finds unreachable depends on these, and whether a type is to blame for it.
pub(crate) const ASKS: &[Expectation] = &[
    Expectation::DelUncollectable,
    Expectation::StaticFinalizers,
    Expectation::TypeEdge,
    Expectation::Collections,
    Expectation::IsolateSaved,
];

const _: () = assert!(Shape::ALL.len() <= u32::BITS as usize);

/// The expectations that a run is judged by; they remember what was asked.
#[derive(Debug)]
pub(crate) struct AskedExpectations {
    expectations: Expectations,
    asked: Cell<Questions>,
    /// The facts of a plain kind of each shape.
    plain: PlainFacts,
    /// The shapes of which objects were made, as bits: the facts of two of them depend on a question each.
    made: Cell<u32>,
}

impl Default for AskedExpectations {
    fn default() -> Self {
        AskedExpectations::new(&Expectations::UNKNOWN)
    }
}

impl AskedExpectations {
    /// Nothing has been asked of these.
    pub(super) fn new(expectations: &Expectations) -> AskedExpectations {
        AskedExpectations {
            expectations: *expectations,
            asked: Cell::new(Questions::NONE),
            plain: Facts::plain(expectations),
            made: Cell::new(0),
        }
    }

    /// Another run is judged.
    pub(super) fn start(&mut self) {
        self.asked.set(Questions::NONE);
        self.made.set(0);
    }

    #[inline(always)]
    fn ask(&self, question: Questions) {
        self.asked.set(self.asked.get().and(question));
    }

    /// What was asked in this run.
    pub fn asked(&self) -> Questions {
        let mut asked = self.asked.get();
        for (shape, entry) in [(Shape::Function, Expectation::FunctionClear), (Shape::Typed, Expectation::TypeEdge)] {
            if self.made.get() & 1 << shape as u32 != 0 {
                asked = asked.and(Questions::value_of(entry));
            }
        }
        asked
    }

    /// The expectations themselves, for what no verdict depends on.
    #[inline]
    pub fn unasked(&self) -> &Expectations {
        &self.expectations
    }

    /// The facts of an object that a kind describes, or that belongs to one.
    #[inline(always)]
    pub(super) fn facts_of(&self, kind: &Kind, role: Role) -> Facts {
        let facts = Facts::new(kind, role, &self.expectations, &self.plain);
        self.made.set(self.made.get() | 1 << facts.shape as u32);
        facts
    }

    /// The collector sets an object aside as uncollectable because it has a finalizer.
    pub(super) fn makes_legacy(&self, facts: &Facts) -> bool {
        facts.is(Facts::FINALIZER) && facts.is_python_class() && self.holds(Expectation::DelUncollectable)
            || facts.is(Facts::LEGACY) && !self.is(Choice::STATIC_FINALIZERS_UNSEEN)
    }

    /// True if an excuse holds.
    #[inline]
    pub fn holds(&self, excuse: Expectation) -> bool {
        self.ask(Questions::value_of(excuse));
        self.expectations.holds(excuse)
    }

    /// True if this value of a choice is the one.
    #[inline]
    pub fn is(&self, choice: Choice) -> bool {
        self.ask(Questions::value_of(choice.of()));
        self.expectations.is(choice)
    }

    /// True if it is known whether an excuse holds.
    #[inline]
    pub fn knows(&self, excuse: Expectation) -> bool {
        self.ask(Questions::knowledge_of(excuse));
        self.expectations.knows(excuse)
    }
}
