//! How far what is known can be believed, and at which event.

use super::Shadow;

/// What may make a verdict wrong.
#[derive(Debug, Default)]
pub(crate) struct Confidence {
    stream_unclear: bool,
    at: u32,
}

impl Confidence {
    pub(super) fn start(&mut self) {
        self.stream_unclear = false;
        self.at = u32::MAX;
    }

    /// The stream speaks of an object, or of a collection, in a way that has no place here.
    #[inline]
    pub fn is_stream_unclear(&self) -> bool {
        self.stream_unclear
    }

    /// Index of the event being judged.
    #[inline]
    pub fn at(&self) -> u32 {
        self.at
    }

    #[inline]
    pub(super) fn set_at(&mut self, at: u32) {
        self.at = at;
    }

    pub(super) fn lose_stream(&mut self) {
        self.stream_unclear = true;
    }
}

impl Shadow {
    /// Says which event is judged.
    #[inline]
    pub(crate) fn set_at(&mut self, at: u32) {
        self.confidence.set_at(at);
    }
}
