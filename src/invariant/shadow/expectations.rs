//! What is expected of the subject whose run is judged, and what of that its verdicts depended on.
//!
//! Every answer is noted before it is given, so that a run which asked nothing on which two subjects differ is judged once
//! for both. Facts of objects are made from expectations too: they are noted when an object is created whose facts differ.

use std::cell::Cell;

use super::object::Facts;
use crate::scenario::Shape;
use crate::subject::{Choice, Expectation, Expectations, Questions};

/// What a collection finds unreachable depends on these, and whether a type is to blame for it.
pub(crate) const ASKS: &[Expectation] =
    &[Expectation::DelUncollectable, Expectation::StaticFinalizer, Expectation::TypeEdge, Expectation::Collections];

/// The expectations that a run is judged by; they remember what was asked.
#[derive(Debug)]
pub(crate) struct AskedExpectations {
    expectations: Expectations,
    asked: Cell<Questions>,
    /// The facts of a plain kind of each shape.
    plain: [Facts; Shape::ALL.len()],
    /// Questions that the facts of functions depend on, and of instances of heap types: words of them at once.
    made: Cell<[bool; 2]>,
}

impl AskedExpectations {
    /// Of nobody, with nothing asked.
    pub fn new() -> AskedExpectations {
        let expectations = Expectations::UNKNOWN;
        let plain = Facts::plain(&expectations);
        AskedExpectations { expectations, asked: Cell::new(Questions::NONE), plain, made: Cell::new([false; 2]) }
    }

    /// Another run is judged.
    pub fn start(&mut self, expectations: &Expectations) {
        if self.expectations != *expectations {
            self.expectations = *expectations;
            self.plain = Facts::plain(expectations);
        }
        self.asked.set(Questions::NONE);
        self.made.set([false; 2]);
    }

    #[inline(always)]
    fn ask(&self, question: Questions) {
        self.asked.set(self.asked.get().and(question));
    }

    /// What was asked in this run.
    pub fn asked(&self) -> Questions {
        let [function, typed] = self.made.get();
        let mut asked = self.asked.get();
        for (made, entry) in [(function, Expectation::FunctionWithoutClear), (typed, Expectation::TypeEdge)] {
            if made {
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

    /// The facts of a plain kind of each shape.
    #[inline]
    pub fn plain_facts(&self) -> &[Facts; Shape::ALL.len()] {
        &self.plain
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

    /// An object was created whose facts follow from expectations if it is of one of these shapes.
    #[inline]
    pub fn made(&self, shape: Shape) {
        let [function, typed] = self.made.get();
        self.made.set([function | (shape == Shape::Function), typed | (shape == Shape::Typed)]);
    }
}
