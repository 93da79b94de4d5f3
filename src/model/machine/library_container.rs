//! Weak containers as releases ship them (`Lib/weakref.py`, `Lib/_weakrefset.py`): an instance whose attributes are the
//! data, the removal callback and, up to 3.13, a list of removals put off and a set of iterations. Their code runs unseen:
//! what it has done is told before the next snapshot, and before the next weak reference dies.

use super::Execution;
use super::container::Container;
use super::frame::Frame;
use super::set_table::SetRules;
use crate::event::{Event, Role, Undefined};
use crate::model::collector::Switch;
use crate::model::heap::{DictEntry, Flag, Idx, NIL, RareFlag};
use crate::scenario::{MAX_ITEMS, Shape};

/// Attributes: removal callback, removals put off, iterations, data; a `WeakSet` has the data first.
const ATTRIBUTES: usize = 4;

impl Execution<'_, '_> {
    /// Creates a weak container of the library, part after part as its constructor does.
    pub(super) fn new_library_container(&mut self, origin: u32, shape: Shape) -> Idx {
        let puts_off = self.has(Switch::ContainerPending);
        let own_dict = self.has(Switch::InstanceDict);
        let keyed = shape == Shape::LibraryValueDict;
        let attributes = if puts_off { ATTRIBUTES } else { ATTRIBUTES - 2 };
        let slots = if own_dict { 1 } else { attributes };
        let object = self.part(origin, shape, Role::Named, &[NIL; ATTRIBUTES][..slots]);
        let (mut data, mut dict) = (NIL, NIL);
        if !keyed {
            data = self.part(origin, Shape::Dict, Role::ContainerData, &[]);
            self.make_set(data);
            dict = self.attribute_dict(origin);
        }
        let closed = keyed && self.has(Switch::ContainerClosure);
        let cell = if closed { self.part(origin, Shape::Cell, Role::ContainerCell, &[NIL]) } else { NIL };
        let selfref = self.part(origin, Shape::Ref, Role::ContainerSelf, &[]);
        self.bind_weakref(selfref, object, NIL);
        let defaults = self.part(origin, Shape::Tuple, Role::ContainerDefaults, &[selfref]);
        let closure = if closed { self.part(origin, Shape::Tuple, Role::ContainerClosure, &[cell]) } else { NIL };
        let function = self.part(origin, Shape::Function, Role::ContainerRemove, &[closure, defaults, NIL]);
        if keyed {
            dict = self.attribute_dict(origin);
        }
        let mut lists = [NIL; 2];
        if puts_off {
            lists = [Role::ContainerPending, Role::ContainerIterating]
                .map(|role| self.part(origin, Shape::List, role, &[]));
        }
        let mut parts = [data, function, lists[0], lists[1]];
        if keyed {
            data = self.part(origin, Shape::Dict, Role::ContainerData, &[]);
            parts = [function, lists[0], lists[1], data];
        }
        if self.has(Switch::StaticAttributesFirst) {
            parts = [lists[1], lists[0], function, data];
        }
        for (slot, part) in parts.into_iter().filter(|part| *part != NIL).enumerate() {
            if own_dict {
                self.process.heap.push_entry(dict, DictEntry { key: slot as u32, value: part });
            } else {
                self.process.heap.set_raw(object, slot, part);
            }
        }
        if closed {
            self.incref(data);
            self.process.heap.set_raw(cell, 0, data);
            self.report_store(cell, 0, data);
        }
        self.report_store(object, 0, data);
        self.report_store(object, 1, function);
        let (holder, first) = if own_dict { (dict, 0) } else { (object, 2) };
        if own_dict {
            self.process.heap.set_raw(object, 0, dict);
            self.report_store(object, 2, dict);
        }
        for (slot, list) in lists.into_iter().enumerate().filter(|(_, list)| *list != NIL) {
            self.report_store(holder, first + slot as u8, list);
        }
        let mut container = Container::new(object, data, function);
        container.put_off = lists[0];
        self.process.containers.add_library(&mut self.process.heap, container, !keyed);
        object
    }

    /// The dict of an instance, up to 3.10; `NIL` where it has none.
    fn attribute_dict(&mut self, origin: u32) -> Idx {
        if !self.has(Switch::InstanceDict) {
            return NIL;
        }
        let dict = self.part(origin, Shape::Dict, Role::ContainerDict, &[]);
        if !self.process.heap.object(dict).has(Flag::TRACKED) {
            self.process.heap.track(dict);
        }
        dict
    }

    /// A set stands in the model as a dict that is tracked from its beginning to its end.
    fn make_set(&mut self, data: Idx) {
        self.process.heap.set_rare(data, RareFlag::SET);
        if !self.process.heap.object(data).has(Flag::TRACKED) {
            self.process.heap.track(data);
        }
    }

    /// The number of the library's container whose removal callback a function is, gone or not.
    pub(super) fn library_remover(&self, function: Idx) -> Option<usize> {
        let number = self.process.heap.detail(function).entry as usize;
        self.process.containers.is_library(number).then_some(number)
    }

    /// Adds or deletes an entry; `store`'s contract.
    pub(super) fn store_library_entry(&mut self, object: Idx, slot: u8, value: Idx) -> bool {
        let Some(at) = self.container_of(object) else { return false };
        let container = self.process.containers.at(at);
        // While it is iterated over its iterator would end with an error.
        if slot >= MAX_ITEMS || container.iterated || self.process.heap.object(object).has(Flag::CLEARED) {
            return false;
        }
        let keyed = self.process.heap.object(object).shape == Shape::LibraryValueDict;
        let found = if keyed { self.process.heap.find_key(container.data, slot.into()) } else { None };
        let old = found.map_or(NIL, |entry| self.process.heap.entry(container.data, entry).value);
        if value == NIL {
            if old != NIL {
                self.drop_entry(at, found.unwrap_or(0), slot);
            }
            return old != NIL;
        }
        if !self.process.heap.object(value).shape.is_weakrefable() {
            return false;
        }
        if !keyed {
            return self.add_element(at, value);
        }
        let weak = self.library_weak(&container, value, slot, Shape::KeyedRef);
        self.maintain_tracking(container.data, weak);
        // The dictionary holds the object weakly. The old entry dies before the new one can be told of.
        self.push(Frame::Drop { o: value });
        self.push(Frame::LibraryEntry { weak, container: object });
        match found {
            Some(entry) => {
                self.process.heap.set_raw(container.data, 2 * entry + 1, weak);
                if old != NIL {
                    self.process.containers.changed(at, slot);
                    self.decref(old);
                }
            }
            None => self.process.heap.push_entry(container.data, DictEntry { key: slot.into(), value: weak }),
        }
        true
    }

    /// The weak reference of a new entry, untold.
    fn library_weak(&mut self, container: &Container, referent: Idx, key: u8, shape: Shape) -> Idx {
        let flags = Flag::HEADER.and(Flag::CLEARABLE);
        let slots = u32::from(shape == Shape::KeyedRef);
        let weak = self.process.heap.create(shape as u32, shape, flags, slots);
        self.process.interp.gc.count[0] += 1;
        self.process.heap.detail_mut(weak).origin = self.origin(container.object);
        self.process.heap.track(weak);
        self.incref(container.function);
        self.process.heap.link_weak(weak, referent, container.function);
        self.process.heap.weak_mut(weak).key = key;
        weak
    }

    /// `WeakSet.add()`: nothing for an element that is there; elements are numbered in the order of their coming.
    fn add_element(&mut self, at: usize, value: Idx) -> bool {
        let container = self.process.containers.at(at);
        if container.numbers >= MAX_ITEMS {
            return false;
        }
        self.push(Frame::Drop { o: value });
        if self.find_entry(&container, value).is_some() {
            return true;
        }
        let number = self.process.containers.take_number(at);
        let weak = self.library_weak(&container, value, number, Shape::Ref);
        let hash = self.process.heap.id(value).index() as u32 + 1;
        let rules = SetRules::of(|switch| self.has(switch));
        self.process.containers.table_mut(at).add(hash, weak, rules);
        self.process.heap.push_entry(container.data, DictEntry { key: number.into(), value: weak });
        self.order_set(at, container.data);
        self.tell_library_entry(weak, container.object);
        true
    }

    /// Brings the entries of a set's data into the order of its table; deleted ones come last.
    fn order_set(&mut self, at: usize, data: Idx) {
        let table = self.process.containers.table(at);
        for (position, element) in table.elements().enumerate() {
            let heap = &mut self.process.heap;
            let found = (position..heap.entries(data)).find(|i| heap.entry(data, *i).value == element);
            for half in 0..2 {
                let from = 2 * found.unwrap_or(position) + half;
                let (this, other) = (heap.raw(data, 2 * position + half), heap.raw(data, from));
                heap.set_raw(data, from, this);
                heap.set_raw(data, 2 * position + half, other);
            }
        }
    }

    /// Tells of a new entry.
    pub(super) fn tell_library_entry(&mut self, weak: Idx, object: Idx) {
        let Some(at) = self.container_of(object) else { return };
        let container = self.process.containers.at(at);
        let heap = &self.process.heap;
        let record = heap.weak(weak);
        let (id, key, origin) = (heap.id(weak), record.key, heap.detail(weak).origin);
        let (referent, callback) = (heap.id(record.referent), Some(heap.id(container.function)));
        self.sink.event(Event::New { object: id, origin, role: Role::ContainerEntry });
        self.sink.event(Event::NewWeak { weak: id, referent, callback });
        self.process.containers.told(at, key);
        self.report_store(container.data, key, weak);
    }

    fn drop_entry(&mut self, at: usize, entry: usize, slot: u8) {
        let container = self.process.containers.at(at);
        let weak = self.process.heap.set_raw(container.data, 2 * entry + 1, NIL);
        if container.has_table() {
            self.process.containers.table_mut(at).discard(weak);
        }
        self.process.containers.changed(at, slot);
        self.decref(weak);
    }

    /// The removal callback: deletes the entry under the key of a weak reference if that is dead, or the entry that a weak
    /// reference is; or puts that off.
    pub(super) fn library_removal(&mut self, at: usize, function: Idx, weak: Idx) {
        if self.container_of(function).is_none() {
            return;
        }
        let (container, heap) = (self.process.containers.at(at), &self.process.heap);
        let gone = heap.object(container.object);
        let closure = heap.raw(function, 0);
        let lacks_cell = closure != NIL && heap.raw(heap.raw(closure, 0), 0) == NIL;
        if gone.has(Flag::FREED) || gone.has(Flag::CLEARED) || gone.refcount == 0 || heap.raw(function, 1) == NIL {
            return;
        }
        if lacks_cell || !self.self_reference_answers(&container) {
            return;
        }
        let key = heap.weak(weak).key;
        match (container.iterating > 0, container.has_table()) {
            (false, false) => self.remove_dead(at, key),
            (false, true) => self.discard(at, weak),
            (true, false) => self.process.containers.put_off(container.function, key.into()),
            (true, true) => {
                self.incref(weak);
                self.process.heap.push_raw(container.put_off, weak);
                self.process.containers.has_put_off();
            }
        }
    }

    /// Deletes the entry under a key if that is dead.
    fn remove_dead(&mut self, at: usize, key: u8) {
        let (container, heap) = (self.process.containers.at(at), &self.process.heap);
        let Some(entry) = heap.find_key(container.data, key.into()) else { return };
        let value = heap.entry(container.data, entry).value;
        if heap.dangles(value) {
            self.stop = Some(Undefined::DanglingWeakref);
        } else if heap.answer(value).is_none() {
            self.drop_entry(at, entry, key);
        }
    }

    /// Takes an element out of a set.
    fn discard(&mut self, at: usize, weak: Idx) {
        let (container, heap) = (self.process.containers.at(at), &self.process.heap);
        let found = (0..heap.entries(container.data)).find(|i| heap.entry(container.data, *i).value == weak);
        if let Some(entry) = found {
            let number = heap.entry(container.data, entry).key as u8;
            self.drop_entry(at, entry, number);
        }
    }

    /// Makes the removal that was put off last, and so on.
    pub(super) fn commit_library(&mut self, at: usize) {
        let container = self.process.containers.at(at);
        if container.has_table() {
            let Some(weak) = self.process.heap.pop_raw(container.put_off) else { return };
            self.push(Frame::Commit { container: container.object });
            self.push(Frame::Drop { o: weak });
            self.discard(at, weak);
            return;
        }
        let Some(key) = self.process.containers.take_pending(container.function) else { return };
        self.push(Frame::Commit { container: container.object });
        self.remove_dead(at, key as u8);
    }

    /// Tells of what the library has deleted, and, with everything, of what it has put off.
    #[cold]
    pub(super) fn tell_deleted(&mut self, everything: bool) {
        self.process.containers.tells(everything);
        for at in 0..self.process.containers.len() {
            let container = self.process.containers.at(at);
            if !container.library {
                continue;
            }
            let data = self.process.heap.object(container.data);
            if data.refcount == 0 || data.has(Flag::CLEARED) || data.has(Flag::FREED) {
                // What is emptied as a whole is told of as that.
                self.process.containers.take_changed(at);
                continue;
            }
            if everything && container.has_table() && container.put_off != NIL {
                self.tell_put_off(at);
            }
            let mut slots = self.process.containers.take_changed(at);
            while slots != 0 {
                let slot = slots.trailing_zeros() as u8;
                slots &= slots - 1;
                if let Some(position) = self.process.containers.forget_put_off(at, slot) {
                    self.report_store(container.put_off, position, NIL);
                }
                self.report_store(container.data, slot, NIL);
            }
        }
    }

    /// Tells of weak references that are new in the list of removals put off.
    fn tell_put_off(&mut self, at: usize) {
        let list = self.process.containers.at(at).put_off;
        if self.process.heap.object(list).has(Flag::FREED) {
            return;
        }
        for position in self.process.containers.told_put_off(at)..self.process.heap.object(list).len as usize {
            let weak = self.process.heap.raw(list, position);
            let number = self.process.heap.weak(weak).key;
            self.process.containers.tell_put_off(at, number, position as u8);
            self.report_store(list, position as u8, weak);
        }
    }

    /// `len()`: not of a container that has lost its attributes. A dictionary makes removals that were put off first.
    pub(super) fn library_length(&mut self, at: usize) -> bool {
        let container = self.process.containers.at(at);
        if self.process.heap.object(container.object).has(Flag::CLEARED) {
            return false;
        }
        self.push(Frame::Length { container: container.object });
        if !container.has_table() {
            self.push(Frame::Commit { container: container.object });
        }
        true
    }
}
