//! Events as words: a stable encoding for digests and files.

use std::num::NonZeroU32;

use super::codes::Tag;
use super::{Code, Event, ObjId, Role, Spot, Undefined};
use crate::scenario::Numbered;

impl Event {
    /// True for the lines of a snapshot, its first one included.
    pub const fn is_part_of_snapshot(&self) -> bool {
        matches!(self, Event::Snapshot | Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. })
    }

    /// The event as two words: a stable encoding for digests and files. Tags are append-only.
    #[inline(always)]
    pub fn words(self) -> [u64; 2] {
        const fn id(o: ObjId) -> u64 {
            o.index() as u64 + 1
        }
        const fn opt(o: Option<ObjId>) -> u64 {
            match o {
                Some(o) => id(o),
                None => 0,
            }
        }
        let pack = |tag: Tag, small: u64, a: u64, b: u64| [tag as u64 | small << 8 | a << 32, b];
        match self {
            Event::Step { op } => pack(Tag::Step, 0, op as u64, 0),
            Event::NoEffect => pack(Tag::NoEffect, 0, 0, 0),
            Event::New { object, origin, role } => pack(Tag::New, role as u64, id(object), origin as u64),
            Event::NewWeak { weak, referent, callback } => {
                pack(Tag::NewWeak, 0, id(weak), id(referent) | opt(callback) << 32)
            }
            Event::StoreVar { var, object } => pack(Tag::StoreVar, var as u64, opt(object), 0),
            Event::StoreSlot { holder, slot, object } => pack(Tag::StoreSlot, slot as u64, id(holder), opt(object)),
            Event::Enter { code, owner, arg } => pack(Tag::Enter, code as u64, id(owner), opt(arg)),
            Event::Leave => pack(Tag::Leave, 0, 0, 0),
            Event::Saw { object, introspection } => {
                pack(Tag::Saw, (introspection && !mutant!(IntrospectionNotEncoded)) as u64, id(object), 0)
            }
            Event::Answer { weak, referent } => pack(Tag::Answer, 0, id(weak), opt(referent)),
            Event::CollectStart { generation, automatic } => {
                pack(Tag::CollectStart, generation as u64, automatic as u64, 0)
            }
            Event::CollectEnd { generation, returned, uncollectable } => {
                pack(Tag::CollectEnd, generation as u64, returned as u64, uncollectable as u64)
            }
            Event::Refused => pack(Tag::Refused, 0, 0, 0),
            Event::Clear { object } => pack(Tag::Clear, 0, id(object), 0),
            Event::Dealloc { object } => pack(Tag::Dealloc, 0, id(object), 0),
            Event::Free { object } => pack(Tag::Free, 0, id(object), 0),
            Event::Unraisable { owner } => pack(Tag::Unraisable, 0, id(owner), 0),
            Event::Length { container, len, raw } => {
                pack(Tag::Length, 0, id(container), len as u64 | (raw as u64) << 32)
            }
            Event::Yielded { container, entry } => pack(Tag::Yielded, 0, id(container), id(entry)),
            Event::Snapshot => pack(Tag::Snapshot, 0, 0, 0),
            Event::State { object, refcount, spot, finalized } => {
                pack(Tag::State, spot as u64 | (finalized as u64) << 8, id(object), refcount as u64)
            }
            Event::Weak { weak, referent, callback } => pack(Tag::Weak, callback as u64, id(weak), opt(referent)),
            Event::Garbage { object } => pack(Tag::Garbage, 0, id(object), 0),
            Event::Undefined { reason } => pack(Tag::Undefined, reason as u64, 0, 0),
            Event::End => pack(Tag::End, 0, 0, 0),
        }
    }

    /// The event that [`Event::words`] encodes as these words; `None` if they encode none.
    pub fn from_words([first, second]: [u64; 2]) -> Option<Event> {
        fn id(n: u64) -> Option<ObjId> {
            NonZeroU32::new(u32::try_from(n).ok()?).map(ObjId)
        }
        fn opt(n: u64) -> Option<Option<ObjId>> {
            if n == 0 { Some(None) } else { id(n).map(Some) }
        }
        let small = (first >> 8) as u32 & 0xff_ffff;
        let (a, low, high) = (first >> 32, second as u32, second >> 32);
        Some(match Tag::from_number(first as u8)? {
            Tag::Step => Event::Step { op: a as u32 },
            Tag::NoEffect => Event::NoEffect,
            Tag::New => Event::New { object: id(a)?, origin: low, role: *Role::ALL.get(small as usize)? },
            Tag::NewWeak => Event::NewWeak { weak: id(a)?, referent: id(low.into())?, callback: opt(high)? },
            Tag::StoreVar => Event::StoreVar { var: u16::try_from(small).ok()?, object: opt(a)? },
            Tag::StoreSlot => {
                Event::StoreSlot { holder: id(a)?, slot: u8::try_from(small).ok()?, object: opt(second)? }
            }
            Tag::Enter => Event::Enter { code: *Code::ALL.get(small as usize)?, owner: id(a)?, arg: opt(second)? },
            Tag::Leave => Event::Leave,
            Tag::Saw => Event::Saw { object: id(a)?, introspection: small != 0 },
            Tag::Answer => Event::Answer { weak: id(a)?, referent: opt(second)? },
            Tag::CollectStart => Event::CollectStart { generation: u8::try_from(small).ok()?, automatic: a != 0 },
            Tag::CollectEnd => Event::CollectEnd {
                generation: u8::try_from(small).ok()?,
                returned: a as u32,
                uncollectable: u32::try_from(second).ok()?,
            },
            Tag::Refused => Event::Refused,
            Tag::Clear => Event::Clear { object: id(a)? },
            Tag::Dealloc => Event::Dealloc { object: id(a)? },
            Tag::Free => Event::Free { object: id(a)? },
            Tag::Unraisable => Event::Unraisable { owner: id(a)? },
            Tag::Length => Event::Length { container: id(a)?, len: low, raw: high as u32 },
            Tag::Yielded => Event::Yielded { container: id(a)?, entry: id(second)? },
            Tag::Snapshot => Event::Snapshot,
            Tag::State => Event::State {
                object: id(a)?,
                refcount: u32::try_from(second).ok()?,
                spot: *Spot::ALL.get(small as usize & 0xff)?,
                finalized: small >> 8 != 0 && !mutant!(FinalizedNotDecoded),
            },
            Tag::Weak => Event::Weak { weak: id(a)?, referent: opt(second)?, callback: small != 0 },
            Tag::Garbage => Event::Garbage { object: id(a)? },
            Tag::Undefined => Event::Undefined { reason: *Undefined::ALL.get(small as usize)? },
            Tag::End => Event::End,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decode_to_the_event_they_came_from() {
        let (a, b) = (ObjId::from_index(0), ObjId::from_index(u32::MAX - 1));
        let mut events = vec![
            Event::Step { op: 99_999 },
            Event::NoEffect,
            Event::NewWeak { weak: a, referent: b, callback: None },
            Event::NewWeak { weak: a, referent: b, callback: Some(b) },
            Event::StoreVar { var: 1023, object: Some(b) },
            Event::StoreVar { var: 0, object: None },
            Event::StoreSlot { holder: a, slot: 0xff, object: None },
            Event::StoreSlot { holder: b, slot: 3, object: Some(b) },
            Event::Leave,
            Event::Saw { object: b, introspection: true },
            Event::Answer { weak: a, referent: Some(b) },
            Event::CollectStart { generation: 2, automatic: true },
            Event::CollectEnd { generation: 1, returned: u32::MAX, uncollectable: 7 },
            Event::Refused,
            Event::Clear { object: b },
            Event::Dealloc { object: b },
            Event::Free { object: b },
            Event::Unraisable { owner: b },
            Event::Length { container: b, len: 3, raw: u32::MAX },
            Event::Yielded { container: a, entry: b },
            Event::Snapshot,
            Event::Weak { weak: b, referent: None, callback: true },
            Event::Garbage { object: b },
            Event::End,
        ];
        events.extend(Role::ALL.map(|role| Event::New { object: b, origin: u32::MAX, role }));
        events.extend(Code::ALL.map(|code| Event::Enter { code, owner: b, arg: Some(a) }));
        events.extend(Spot::ALL.map(|spot| Event::State { object: b, refcount: u32::MAX, spot, finalized: true }));
        events.extend(Undefined::ALL.map(|reason| Event::Undefined { reason }));
        for event in events {
            assert_eq!(Event::from_words(event.words()), Some(event));
        }
        assert_eq!(Event::from_words([0, 0]), None);
        assert_eq!(Event::from_words([14, 0]), None);
        assert_eq!(Event::from_words([0xf0, 0]), None);
    }
}
