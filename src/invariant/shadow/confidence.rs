//! How far what is known can be believed, and at which event.

use super::Shadow;

/// What may make a verdict wrong.
#[derive(Debug, Default)]
pub(crate) struct Confidence {
    stream_unclear: bool,
    type_misled: bool,
    at: u32,
}

impl Confidence {
    pub(super) fn start(&mut self) {
        self.stream_unclear = false;
        self.type_misled = false;
        self.at = u32::MAX;
    }

    /// The stream speaks of an object, or of a collection, in a way that has no place here.
    #[inline]
    pub fn is_stream_unclear(&self) -> bool {
        self.stream_unclear
    }

    /// A type has misled a collection: `traverse` of a candidate lied, a deallocator's action saved trash that was being
    /// cleared, or made a weak reference to its own object.
    #[inline]
    pub fn is_type_misled(&self) -> bool {
        self.type_misled
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

    pub(super) fn blame_type(&mut self) {
        self.type_misled = true;
    }
}

impl Shadow {
    /// Says which event is judged.
    #[inline]
    pub(crate) fn set_at(&mut self, at: u32) {
        self.confidence.set_at(at);
    }
}
