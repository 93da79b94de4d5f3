//! Stores into variables and slots, and the dropping of slots by `tp_clear`.

use super::Execution;
use super::frame::Frame;
use crate::event::{Event, Role, Undefined};
use crate::model::collector::{Switch, untracking};
use crate::model::heap::{DictEntry, Flag, Heap, Idx, NIL, RareFlag};
use crate::scenario::{Base, Clear, MAX_ITEMS, MAX_VARS, NODE_SLOTS, Place, Shape, SlotSet};

impl Execution<'_, '_> {
    /// The object that a place names.
    #[inline]
    pub(super) fn resolve(&mut self, place: Place) -> Option<Idx> {
        let mut o = match place.base {
            Base::Nothing => NIL,
            Base::Var(var) => self.process.vars.get(var as usize).copied().unwrap_or(NIL),
            Base::Owner => self.process.actor.owner,
            Base::Arg => self.process.actor.arg,
        };
        if !place.is_bare() {
            o = self.follow(o, place);
        }
        if o == NIL {
            return None;
        }
        if self.process.heap.object(o).has(Flag::FREED) {
            self.stop = Some(Undefined::UseAfterFree);
            return None;
        }
        Some(o)
    }

    /// The object that the slots of a place lead to from an object, or `NIL`.
    #[inline(never)]
    fn follow(&self, mut o: Idx, place: Place) -> Idx {
        for &slot in place.path() {
            if o == NIL {
                return NIL;
            }
            o = self.process.heap.get(o, slot).unwrap_or(NIL);
        }
        o
    }

    /// Stores `value` (or nothing) into a place and drops the old content. The store owns one reference to `value`
    /// already. False if the place cannot take it: the reference is still the caller's then.
    #[inline]
    pub(super) fn store(&mut self, dst: Place, value: Idx) -> bool {
        if !dst.is_bare() {
            return self.store_below(dst, value);
        }
        let Base::Var(var) = dst.base else { return false };
        let index = var as usize;
        if index >= self.process.vars.len() && (value == NIL || !self.add_vars(var)) {
            return false;
        }
        if self.process.vars[index] == NIL && value == NIL {
            return false;
        }
        let old = std::mem::replace(&mut self.process.vars[index], value);
        let object = (value != NIL).then(|| self.process.heap.id(value));
        self.sink.event(Event::StoreVar { var, object });
        self.drop_old(old);
        true
    }

    /// The same for a place with a path.
    fn store_below(&mut self, dst: Place, value: Idx) -> bool {
        let Some((holder, slot)) = dst.split() else { return false };
        self.resolve(holder).is_some_and(|holder| self.store_slot(holder, slot, value))
    }

    /// Makes a variable exist, if there may be so many.
    #[cold]
    fn add_vars(&mut self, var: u16) -> bool {
        let fits = var < MAX_VARS;
        if fits {
            self.process.vars.resize(var as usize + 1, NIL);
        }
        fits
    }

    #[inline]
    fn drop_old(&mut self, old: Idx) {
        if old != NIL && !self.has(Switch::BugStoreLeaks) {
            self.drop_now(old);
        }
    }

    /// Stores into a slot of an object, as [`Self::store`] does.
    pub(super) fn store_slot(&mut self, holder: Idx, slot: u8, value: Idx) -> bool {
        let object = *self.process.heap.object(holder);
        let position = slot as usize;
        match object.shape {
            Shape::Node | Shape::Typed | Shape::Slotted | Shape::Cell | Shape::KeyedRef => {
                position < object.len as usize && self.replace(holder, slot, position, value)
            }
            Shape::Instance if !object.has(Flag::OWN_DICT) => {
                position < object.len as usize && self.replace(holder, slot, position, value)
            }
            Shape::Instance => {
                if position >= NODE_SLOTS as usize {
                    return false;
                }
                if self.process.heap.raw(holder, 0) == NIL {
                    if value == NIL {
                        return false;
                    }
                    self.create_instance_dict(holder);
                }
                let dict = self.process.heap.raw(holder, 0);
                self.store_key(dict, slot as u32, slot, value)
            }
            Shape::List => {
                if position < object.len as usize {
                    return self.replace(holder, slot, position, value);
                }
                if value == NIL || object.len >= MAX_ITEMS as u32 {
                    return false;
                }
                self.process.heap.push_raw(holder, value);
                self.report_store(holder, object.len as u8, value);
                true
            }
            Shape::Dict => position < MAX_ITEMS as usize && self.store_key(holder, slot as u32, slot, value),
            Shape::Function => {
                let fits = match (slot, value) {
                    (1, NIL) => true,
                    (1, v) => self.process.heap.object(v).shape == Shape::Tuple,
                    (2, v) if v != NIL => self.process.heap.object(v).shape == Shape::Dict,
                    _ => false,
                };
                fits && self.replace(holder, slot, position, value)
            }
            Shape::LibraryValueDict | Shape::LibrarySet => self.store_library_entry(holder, slot, value),
            Shape::WeakValueDict | Shape::WeakKeyDict | Shape::WeakSet => self.store_entry(holder, slot, value),
            Shape::Tuple | Shape::Method | Shape::Bare | Shape::Ref | Shape::Proxy => false,
            Shape::Finalize | Shape::ComposedFinalize => false,
        }
    }

    fn replace(&mut self, holder: Idx, slot: u8, position: usize, value: Idx) -> bool {
        if value == NIL && self.process.heap.raw(holder, position) == NIL {
            return false;
        }
        let old = self.process.heap.set_raw(holder, position, value);
        self.report_store(holder, slot, value);
        self.drop_old(old);
        true
    }

    pub(super) fn report_store(&mut self, holder: Idx, slot: u8, value: Idx) {
        let object = (value != NIL).then(|| self.process.heap.id(value));
        let holder = self.process.heap.id(holder);
        self.sink.event(Event::StoreSlot { holder, slot, object });
    }

    /// Stores under a key of a dict; keeps the dict's tracking as the release does.
    pub(super) fn store_key(&mut self, dict: Idx, key: u32, slot: u8, value: Idx) -> bool {
        let found = self.process.heap.find_key(dict, key);
        if value != NIL {
            self.maintain_tracking(dict, value);
        }
        let old = match found {
            Some(entry) => self.process.heap.set_raw(dict, 2 * entry + 1, value),
            None if value == NIL => return false,
            None => {
                self.process.heap.push_entry(dict, DictEntry { key, value });
                NIL
            }
        };
        self.report_store(dict, slot, value);
        self.drop_old(old);
        true
    }

    /// Up to 3.13 a dict is tracked when it first holds something that may be tracked.
    pub(super) fn maintain_tracking(&mut self, dict: Idx, value: Idx) {
        if !self.process.heap.object(dict).has(Flag::TRACKED)
            && !self.has(Switch::BugNeverTrackContainers)
            && untracking::may_be_tracked(&self.process.heap, value)
        {
            self.process.heap.track(dict);
        }
    }

    fn create_instance_dict(&mut self, instance: Idx) {
        let dict = self.process.heap.create(Shape::Dict as u32, Shape::Dict, Flag::HEADER.and(Flag::CLEARABLE), 0);
        self.process.interp.gc.count[0] += 1;
        if !self.has(Switch::LazyDictTracking) {
            self.process.heap.track(dict);
        }
        let object = self.process.heap.id(dict);
        let origin = self.origin(instance);
        self.sink.event(Event::New { object, origin, role: Role::InstanceDict });
        self.process.heap.set_raw(instance, 0, dict);
        self.report_store(instance, 0, dict);
    }

    /// Starts `tp_clear` of an object: what cannot be done at once is on top of the stack when it returns.
    pub(super) fn start_clear(&mut self, o: Idx) {
        self.process.heap.set(o, Flag::CLEARED);
        let object = *self.process.heap.object(o);
        match object.shape {
            Shape::List | Shape::Dict => {
                // These are emptied first, then what they held is dropped.
                let backwards = object.shape == Shape::List;
                self.process.heap.detach_slots(o);
                if !backwards {
                    self.detach_keys(object.slots, object.len);
                }
                self.drop_range(object.slots, object.len, 0, backwards);
            }
            Shape::Instance if !object.has(Flag::OWN_DICT) && self.has(Switch::InlineValuesVanish) => {
                let range = object.slots as usize..(object.slots + object.len) as usize;
                let start = self.process.heap.slots.len() as u32;
                self.process.heap.slots.extend_from_within(range.clone());
                self.process.heap.slots[range].fill(NIL);
                self.lose_inline_values(o);
                self.drop_range(start, object.len, 0, false);
            }
            shape
                if shape.is_library_container()
                    && !self.has(Switch::InstanceDict)
                    && self.has(Switch::InlineValuesVanish) =>
            {
                let range = object.slots as usize..(object.slots + object.len) as usize;
                let start = self.process.heap.slots.len() as u32;
                self.process.heap.slots.extend_from_within(range.clone());
                self.process.heap.slots[range].fill(NIL);
                self.drop_range(start, object.len, 0, false);
            }
            Shape::Function => {
                if self.process.heap.raw(o, 0) != NIL {
                    self.process.heap.set_rare(o, RareFlag::LOST_CLOSURE);
                }
                self.clear_slots(o, 0);
            }
            _ => self.clear_slots(o, 0),
        }
    }

    /// Makes the detached entries of a dict a plain run of references.
    fn detach_keys(&mut self, start: u32, len: u32) {
        for entry in 0..len as usize / 2 {
            let at = start as usize + 2 * entry;
            let value = self.process.heap.slots[at + 1];
            let key = DictEntry { key: self.process.heap.slots[at], value }.key_object();
            self.process.heap.slots[at] = if value == NIL { NIL } else { key.unwrap_or(NIL) };
        }
    }

    /// From 3.12 on an instance has no inline values any more after `tp_clear`. What was stored into them meanwhile is leaked.
    fn lose_inline_values(&mut self, o: Idx) {
        let object = *self.process.heap.object(o);
        let has_some = object.shape == Shape::Instance && !object.has(Flag::OWN_DICT) && object.len > 0;
        if has_some && self.has(Switch::ClearedInstanceGetsDict) {
            self.process.heap.set(o, Flag::OWN_DICT);
            self.process.heap.keep_one_slot(o);
        }
    }

    /// Drops the slots of an object whose `tp_clear` runs, from drop position `step` to the first whose object dies.
    pub(super) fn clear_slots(&mut self, o: Idx, mut step: u32) {
        let object = *self.process.heap.object(o);
        let kept = match self.process.heap.object(o).has(Flag::SPECIAL).then(|| self.process.heap.kind(o).clear) {
            Some(Clear::Keeps(set)) => set,
            _ => SlotSet::NONE,
        };
        let base = self.process.actor.frames.len();
        let (keeps_slots, leaks) = (self.has(Switch::BugClearKeepsSlots), self.has(Switch::BugClearLeaks));
        while step < object.len {
            let position = Heap::drop_position(&object, step) as usize;
            step += 1;
            if kept.has(position) {
                continue;
            }
            let at = object.slots as usize + position;
            let content = self.process.heap.slots[at];
            if content == NIL {
                continue;
            }
            if !keeps_slots {
                self.process.heap.slots[at] = NIL;
                if leaks {
                    continue;
                }
            }
            self.drop_now(content);
            if self.waits(base, Frame::Clear { o, step }) {
                return;
            }
        }
        self.lose_inline_values(o);
        if object.shape.is_weakref() {
            self.clear_weak(o);
            self.drop_callback(o);
        }
    }

    /// True if a step cannot go on: something was put on the stack above `base`, below which `rest` is put then, or
    /// behaviour is undefined.
    #[inline]
    pub(super) fn waits(&mut self, base: usize, rest: Frame) -> bool {
        let waits = self.process.actor.frames.len() != base;
        if waits {
            self.process.actor.frames.insert(base, rest);
        }
        waits || self.stop.is_some()
    }

    /// Drops detached references from number `step` to the first whose object dies. Their place in the arena is given
    /// back if nothing was put after it.
    pub(super) fn drop_range(&mut self, start: u32, len: u32, mut step: u32, backwards: bool) {
        let base = self.process.actor.frames.len();
        while step < len {
            let at = start + if backwards { len - 1 - step } else { step };
            step += 1;
            let content = self.process.heap.slots[at as usize];
            if content == NIL {
                continue;
            }
            self.drop_now(content);
            if self.waits(base, Frame::DropRange { start, len, step, backwards }) {
                return;
            }
        }
        if self.process.heap.slots.len() == (start + len) as usize {
            self.process.heap.slots.truncate(start as usize);
        }
    }
}
