//! `weakref.WeakValueDictionary` as releases ship it (`Lib/weakref.py`): an instance whose attributes are the removal
//! callback, up to 3.13 a list of removals put off and a set of iterations, and the data dict. Its code runs unseen: what
//! it has done is told before the next snapshot, and before the next `KeyedRef` dies.

use super::Execution;
use super::container::Container;
use super::frame::Frame;
use crate::event::{Event, Role, Undefined};
use crate::model::collector::Switch;
use crate::model::heap::{DictEntry, Flag, Idx, NIL};
use crate::scenario::{MAX_ITEMS, Shape};

/// Attributes: removal callback, removals put off, iterations, data.
const ATTRIBUTES: usize = 4;

impl Execution<'_, '_> {
    /// Creates a weak value dictionary of the library, part after part as its constructor does.
    pub(super) fn new_library_dict(&mut self, origin: u32) -> Idx {
        let puts_off = self.has(Switch::ContainerPending);
        let own_dict = self.has(Switch::InstanceDict);
        let attributes = if puts_off { ATTRIBUTES } else { ATTRIBUTES - 2 };
        let slots = if own_dict { 1 } else { attributes };
        let object = self.part(origin, Shape::LibraryValueDict, Role::Named, &[NIL; ATTRIBUTES][..slots]);
        let closed = self.has(Switch::ContainerClosure);
        let cell = if closed { self.part(origin, Shape::Cell, Role::ContainerCell, &[NIL]) } else { NIL };
        let selfref = self.part(origin, Shape::Ref, Role::ContainerSelf, &[]);
        self.bind_weakref(selfref, object, NIL);
        let defaults = self.part(origin, Shape::Tuple, Role::ContainerDefaults, &[selfref]);
        let closure = if closed { self.part(origin, Shape::Tuple, Role::ContainerClosure, &[cell]) } else { NIL };
        let function = self.part(origin, Shape::Function, Role::ContainerRemove, &[closure, defaults, NIL]);
        let dict = if own_dict { self.part(origin, Shape::Dict, Role::ContainerDict, &[]) } else { NIL };
        if own_dict && !self.process.heap.object(dict).has(Flag::TRACKED) {
            self.process.heap.track(dict);
        }
        let mut lists = [NIL; 2];
        if puts_off {
            lists = [Role::ContainerPending, Role::ContainerIterating]
                .map(|role| self.part(origin, Shape::List, role, &[]));
        }
        let data = self.part(origin, Shape::Dict, Role::ContainerData, &[]);
        let parts = [function, lists[0], lists[1], data];
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
        self.process.containers.add_library(&mut self.process.heap, Container::new(object, data, function));
        object
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
        // An iterator would end with an error.
        if slot >= MAX_ITEMS || container.iterated || self.process.heap.object(object).has(Flag::CLEARED) {
            return false;
        }
        let found = self.process.heap.find_key(container.data, slot.into());
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
        let flags = Flag::HEADER.and(Flag::CLEARABLE);
        let weak = self.process.heap.create(Shape::KeyedRef as u32, Shape::KeyedRef, flags, 1);
        self.process.interp.gc.count[0] += 1;
        self.process.heap.detail_mut(weak).origin = self.origin(object);
        self.process.heap.track(weak);
        self.incref(container.function);
        self.process.heap.link_weak(weak, value, container.function);
        self.process.heap.weak_mut(weak).key = slot;
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
        let data = self.process.containers.at(at).data;
        let weak = self.process.heap.set_raw(data, 2 * entry + 1, NIL);
        self.process.containers.changed(at, slot);
        self.decref(weak);
    }

    /// The removal callback: deletes the entry under the key of a weak reference if that is dead.
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
        if container.iterating > 0 {
            self.process.containers.put_off(container.function, key.into());
            return;
        }
        self.remove_dead(at, key);
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

    /// Makes the removal that was put off last, and so on.
    pub(super) fn commit_library(&mut self, at: usize) {
        let container = self.process.containers.at(at);
        let Some(key) = self.process.containers.take_pending(container.function) else { return };
        self.push(Frame::Commit { container: container.object });
        self.remove_dead(at, key as u8);
    }

    /// Tells of what the library has deleted.
    #[cold]
    pub(super) fn tell_deleted(&mut self) {
        for at in 0..self.process.containers.len() {
            let (data, mut slots) = self.process.containers.take_changed(at);
            while slots != 0 {
                let slot = slots.trailing_zeros() as u8;
                slots &= slots - 1;
                if !self.process.heap.object(data).has(Flag::FREED) {
                    self.report_store(data, slot, NIL);
                }
            }
        }
    }

    /// `len()`: not of a dictionary that has lost its attributes.
    pub(super) fn library_length(&mut self, at: usize) -> bool {
        let container = self.process.containers.at(at);
        if self.process.heap.object(container.object).has(Flag::CLEARED) {
            return false;
        }
        self.push(Frame::Length { container: container.object });
        self.push(Frame::Commit { container: container.object });
        true
    }
}
