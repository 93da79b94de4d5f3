//! Events as words: a stable encoding for digests and files.

use std::num::NonZeroU32;

use super::{Code, Event, ObjId, Role, Spot, Undefined};

impl Event {
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
        let pack = |tag: u64, small: u64, a: u64, b: u64| [tag | small << 8 | a << 32, b];
        match self {
            Event::Step { op } => pack(1, 0, op as u64, 0),
            Event::NoEffect => pack(2, 0, 0, 0),
            Event::New { object, origin, role } => pack(3, role as u64, id(object), origin as u64),
            Event::NewWeak { weak, referent, callback } => pack(4, 0, id(weak), id(referent) | opt(callback) << 32),
            Event::StoreVar { var, object } => pack(5, var as u64, opt(object), 0),
            Event::StoreSlot { holder, slot, object } => pack(6, slot as u64, id(holder), opt(object)),
            Event::Enter { code, owner, arg } => pack(7, code as u64, id(owner), opt(arg)),
            Event::Leave => pack(8, 0, 0, 0),
            Event::Saw { object, introspection } => pack(9, introspection as u64, id(object), 0),
            Event::Answer { weak, referent } => pack(10, 0, id(weak), opt(referent)),
            Event::CollectStart { generation, automatic } => pack(11, generation as u64, automatic as u64, 0),
            Event::CollectEnd { generation, returned, uncollectable } => {
                pack(12, generation as u64, returned as u64, uncollectable as u64)
            }
            Event::Refused => pack(13, 0, 0, 0),
            Event::Clear { object } => pack(14, 0, id(object), 0),
            Event::Dealloc { object } => pack(15, 0, id(object), 0),
            Event::Free { object } => pack(16, 0, id(object), 0),
            Event::Unraisable { owner } => pack(17, 0, id(owner), 0),
            Event::Length { container, len, raw } => pack(18, 0, id(container), len as u64 | (raw as u64) << 32),
            Event::Yielded { container, entry } => pack(19, 0, id(container), id(entry)),
            Event::Snapshot => pack(20, 0, 0, 0),
            Event::State { object, refcount, spot, finalized } => {
                pack(21, spot as u64 | (finalized as u64) << 8, id(object), refcount as u64)
            }
            Event::Weak { weak, referent, callback } => pack(22, callback as u64, id(weak), opt(referent)),
            Event::Garbage { object } => pack(23, 0, id(object), 0),
            Event::Undefined { reason } => pack(24, reason as u64, 0, 0),
            Event::End => pack(25, 0, 0, 0),
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
        Some(match first & 0xff {
            1 => Event::Step { op: a as u32 },
            2 => Event::NoEffect,
            3 => Event::New { object: id(a)?, origin: low, role: *Role::ALL.get(small as usize)? },
            4 => Event::NewWeak { weak: id(a)?, referent: id(low.into())?, callback: opt(high)? },
            5 => Event::StoreVar { var: u16::try_from(small).ok()?, object: opt(a)? },
            6 => Event::StoreSlot { holder: id(a)?, slot: u8::try_from(small).ok()?, object: opt(second)? },
            7 => Event::Enter { code: *Code::ALL.get(small as usize)?, owner: id(a)?, arg: opt(second)? },
            8 => Event::Leave,
            9 => Event::Saw { object: id(a)?, introspection: small != 0 },
            10 => Event::Answer { weak: id(a)?, referent: opt(second)? },
            11 => Event::CollectStart { generation: u8::try_from(small).ok()?, automatic: a != 0 },
            12 => Event::CollectEnd {
                generation: u8::try_from(small).ok()?,
                returned: a as u32,
                uncollectable: u32::try_from(second).ok()?,
            },
            13 => Event::Refused,
            14 => Event::Clear { object: id(a)? },
            15 => Event::Dealloc { object: id(a)? },
            16 => Event::Free { object: id(a)? },
            17 => Event::Unraisable { owner: id(a)? },
            18 => Event::Length { container: id(a)?, len: low, raw: high as u32 },
            19 => Event::Yielded { container: id(a)?, entry: id(second)? },
            20 => Event::Snapshot,
            21 => Event::State {
                object: id(a)?,
                refcount: u32::try_from(second).ok()?,
                spot: *Spot::ALL.get(small as usize & 0xff)?,
                finalized: small >> 8 != 0,
            },
            22 => Event::Weak { weak: id(a)?, referent: opt(second)?, callback: small != 0 },
            23 => Event::Garbage { object: id(a)? },
            24 => Event::Undefined { reason: *Undefined::ALL.get(small as usize)? },
            25 => Event::End,
            _ => return None,
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
