//! A stream of events as one number.

use super::Event;

/// Digests a stream: XXH3-64 over [`Event::words`] in little-endian order.
#[derive(Clone, Default)]
pub struct Digest {
    state: xxhash_rust::xxh3::Xxh3,
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digest").finish_non_exhaustive()
    }
}

impl Digest {
    /// How many events are encoded at a time.
    const GATHERED: usize = 32;

    /// A digest of nothing.
    pub fn new() -> Digest {
        Digest::default()
    }

    /// The digest of these events alone.
    pub fn of(events: &[Event]) -> u64 {
        let mut digest = Digest::new();
        digest.take(events);
        digest.value()
    }

    /// Takes the next events.
    pub fn take(&mut self, events: &[Event]) {
        let mut bytes = [0; 16 * Digest::GATHERED];
        for events in events.chunks(Digest::GATHERED) {
            for (place, event) in bytes.as_chunks_mut::<16>().0.iter_mut().zip(events) {
                let [first, second] = event.words();
                place[..8].copy_from_slice(&first.to_le_bytes());
                place[8..].copy_from_slice(&second.to_le_bytes());
            }
            self.state.update(&bytes[..16 * events.len()]);
        }
    }

    /// The digest of all events so far.
    pub fn value(&self) -> u64 {
        self.state.digest()
    }

    /// Starts again.
    pub fn reset(&mut self) {
        self.state.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_does_not_depend_on_the_slices_it_gets_and_when_it_is_asked() {
        let events: Vec<Event> = (0..100).map(|op| Event::Step { op }).collect();
        let whole = Digest::of(&events);
        for size in [1, 7, 32, 50] {
            let mut digest = Digest::new();
            for events in events.chunks(size) {
                digest.take(events);
                digest.value();
            }
            assert_eq!(digest.value(), whole, "slices of {size}");
        }
        assert_ne!(Digest::of(&events[1..]), whole);
        assert_eq!(Digest::of(&[]), Digest::new().value());
    }
}
