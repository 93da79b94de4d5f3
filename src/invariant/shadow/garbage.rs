//! What `gc.garbage` lists, as the last snapshot has it.

use super::{Shadow, pack};
use crate::event::ObjId;

impl Shadow {
    #[cold]
    pub(super) fn forget_garbage(&mut self) {
        for edge in self.garbage.drain(..) {
            if let Some(times) = self.listings.get_mut((edge as usize).wrapping_sub(1)) {
                *times = 0;
            }
        }
    }

    pub(crate) fn apply_garbage(&mut self, object: ObjId) {
        self.garbage.push(pack(Some(object)));
        self.version += 1;
        // The stream may name what it never created: nobody asks for that, and it may be far away.
        let index = object.index();
        if index < self.objects.len() {
            if self.listings.len() <= index {
                self.listings.resize(index + 1, 0);
            }
            self.listings[index] += 1;
        }
    }

    /// How often `gc.garbage` lists the object.
    #[inline]
    pub(crate) fn times_listed(&self, index: usize) -> u32 {
        self.listings.get(index).copied().unwrap_or(0)
    }
}
