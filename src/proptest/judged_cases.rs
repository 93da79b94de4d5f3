//! What the cases of a property were judged by.

use std::fmt;

use crate::invariant::{Invariant, Judge};
use crate::subject::Needs;

/// What a subject was judged by, in all cases of a property together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JudgedCases {
    /// Cases that were drawn.
    pub cases: u32,
    /// Kept failures of earlier runs, which go first.
    pub kept: u32,
    /// Cases, kept ones too, that the subject said it cannot run: nothing was judged.
    pub unsupported: u32,
    /// Cases, kept ones too, that were run and in which no operation had an effect.
    pub without_effect: u32,
    /// Why the first one could not be run.
    why: Option<String>,
    occasions: [Occasions; Invariant::COUNT],
}

/// How often an invariant was judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Occasions {
    /// Occasions on which it was judged.
    pub judged: u64,
    /// Occasions on which an observation was missing, or user code interfered.
    pub not_judged: u64,
}

impl Default for JudgedCases {
    fn default() -> Self {
        let occasions = [Occasions::default(); Invariant::COUNT];
        JudgedCases { cases: 0, kept: 0, unsupported: 0, without_effect: 0, why: None, occasions }
    }
}

impl JudgedCases {
    /// How often an invariant was judged.
    pub fn occasions(&self, invariant: Invariant) -> Occasions {
        self.occasions[invariant as usize]
    }

    /// Each invariant that was judged, or would have been, in order.
    pub fn invariants(&self) -> impl Iterator<Item = (Invariant, Occasions)> {
        let each = Invariant::ALL.iter().map(|invariant| (*invariant, self.occasions(*invariant)));
        each.filter(|(_, occasions)| *occasions != Occasions::default())
    }

    /// Adds a run that was judged.
    pub(super) fn add(&mut self, judge: &Judge) {
        self.without_effect += u32::from(judge.reached().effective_ops == 0);
        for invariant in Invariant::ALL {
            let judged = judge.judged(*invariant);
            let occasions = &mut self.occasions[*invariant as usize];
            occasions.judged += u64::from(judged.passed) + u64::from(judged.violated);
            occasions.not_judged += u64::from(judged.not_judged);
        }
    }

    /// Adds a case that the subject cannot run.
    pub(super) fn add_unsupported(&mut self, why: String) {
        self.unsupported += 1;
        self.why.get_or_insert(why);
    }

    /// Those of some invariants that were never judged.
    pub(super) fn never(&self, required: &[Invariant]) -> Vec<Invariant> {
        required.iter().copied().filter(|invariant| self.occasions(*invariant).judged == 0).collect()
    }

    /// Says that these were never judged, and what the subject has to show.
    pub(super) fn complaint(&self, never: &[Invariant]) -> String {
        let mut text = String::new();
        for invariant in never {
            let missed = match self.occasions(*invariant).not_judged {
                0 => String::new(),
                times => format!(" (on {times} occasions something was missing or interfered)"),
            };
            text += &format!("{invariant} was never judged{missed}: the subject has to show {}\n", shown(*invariant));
        }
        text + &self.to_string()
    }
}

/// What events must show for an invariant to be judged.
fn shown(invariant: Invariant) -> String {
    let words = Needs::EACH.into_iter().filter(|need| invariant.about().needs.covers(*need)).map(Needs::words);
    let words: Vec<&str> = words.collect();
    match &words[..] {
        [] => "operations, new objects, stores, collections and that objects are freed".to_owned(),
        words => words.join(", "),
    }
}

impl fmt::Display for JudgedCases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let JudgedCases { cases, kept, unsupported, without_effect, why, .. } = self;
        write!(f, "{cases} cases and {kept} kept ones: {unsupported} could not be run")?;
        if let Some(why) = why {
            write!(f, " (the first: {why})")?;
        }
        write!(f, ", {without_effect} had no effect")?;
        let judged: Vec<String> = self
            .invariants()
            .filter(|(_, occasions)| occasions.judged > 0)
            .map(|(invariant, occasions)| format!("{} {} times", invariant.code(), occasions.judged))
            .collect();
        match &judged[..] {
            [] => write!(f, "; no invariant was judged"),
            judged => write!(f, "; judged: {}", judged.join(", ")),
        }
    }
}
