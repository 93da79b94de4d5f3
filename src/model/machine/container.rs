//! Weak containers: compositions of dict, weak references and a removal callback.

use super::Execution;
use super::frame::Frame;
use super::library_iteration::LibraryIteration;
use super::set_table::SetTable;
use super::types;
use crate::event::{Event, Role, Undefined};
use crate::model::collector::Switch;
use crate::model::heap::{DictEntry, Flag, Heap, Idx, NIL};
use crate::scenario::{MAX_ITEMS, Place, ScriptId, Shape};

/// What a weak container remembers besides its objects. Its number is in the details of object and function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container {
    /// The container's object, `NIL` once it has been freed.
    pub(super) object: Idx,
    pub(super) data: Idx,
    pub(super) function: Idx,
    /// Iterations in progress.
    pub(super) iterating: u32,
    /// One of the library.
    pub(super) library: bool,
    /// One of the library over which the mutator iterates.
    pub(super) iterated: bool,
    /// Slots whose content the library has changed, untold.
    changed: u64,
    /// Number of the table of a set, plus 1, or 0.
    table: u32,
    /// Elements that have come so far, of a set.
    pub(super) numbers: u8,
    /// The list of removals put off, of one of the library; or `NIL`.
    pub(super) put_off: Idx,
}

impl Container {
    /// True for a set of the library.
    pub(super) fn has_table(&self) -> bool {
        self.table != 0
    }

    pub(super) fn new(object: Idx, data: Idx, function: Idx) -> Container {
        Container {
            object,
            data,
            function,
            iterating: 0,
            library: false,
            iterated: false,
            changed: 0,
            table: 0,
            numbers: 0,
            put_off: NIL,
        }
    }
}

/// All weak containers of a run, and the removals they have put off.
#[derive(Clone, Debug, Default)]
pub(super) struct Containers {
    all: Vec<Container>,
    /// Container's removal callback and the weak reference (by key, or itself) to be removed.
    pending: Vec<(Idx, u32)>,
    /// Something that the library has changed is untold.
    has_changed: bool,
    /// Removals of sets that the library has put off, as far as they are told: container, number and position.
    told_put_off: Vec<(u32, u8, u8)>,
    /// Tables of sets; those from `tables_used` on are kept for their memory.
    tables: Vec<SetTable>,
    tables_used: usize,
    /// The copy of one of them.
    copy: SetTable,
    /// The iteration over one of the library.
    pub(super) iteration: LibraryIteration,
}

impl Containers {
    pub(super) fn reset(&mut self) {
        self.all.clear();
        self.pending.clear();
        self.told_put_off.clear();
        self.tables_used = 0;
        self.has_changed = false;
    }

    fn add(&mut self, heap: &mut Heap, container: Container) {
        let number = self.all.len() as u32;
        for part in [container.object, container.function] {
            heap.detail_mut(part).entry = number;
        }
        self.all.push(container);
    }

    /// Adds one of the library.
    pub(super) fn add_library(&mut self, heap: &mut Heap, container: Container, is_set: bool) {
        let mut table = 0;
        if is_set {
            if self.tables_used == self.tables.len() {
                self.tables.push(SetTable::default());
            }
            self.tables[self.tables_used].reset();
            self.tables_used += 1;
            table = self.tables_used as u32;
        }
        self.add(heap, Container { library: true, table, ..container });
    }

    pub(super) fn table(&self, number: usize) -> &SetTable {
        &self.tables[self.all[number].table as usize - 1]
    }

    pub(super) fn table_mut(&mut self, number: usize) -> &mut SetTable {
        &mut self.tables[self.all[number].table as usize - 1]
    }

    /// Copies the table of a set, as iterations from 3.14 on do.
    pub(super) fn copy_table(&mut self, number: usize) {
        let mut copy = std::mem::take(&mut self.copy);
        self.table(number).copy_to(&mut copy);
        self.copy = copy;
    }

    pub(super) fn copied_table(&self) -> &SetTable {
        &self.copy
    }

    /// The number of a new element.
    pub(super) fn take_number(&mut self, number: usize) -> u8 {
        self.all[number].numbers += 1;
        self.all[number].numbers - 1
    }

    /// The library has put a removal off, untold.
    pub(super) fn has_put_off(&mut self) {
        self.has_changed = true;
    }

    /// How many removals that a set has put off are told.
    pub(super) fn told_put_off(&self, number: usize) -> usize {
        self.told_put_off.iter().filter(|told| told.0 as usize == number).count()
    }

    pub(super) fn tell_put_off(&mut self, number: usize, element: u8, position: u8) {
        self.told_put_off.push((number as u32, element, position));
    }

    /// The position of a removal that was told, which has been made now.
    pub(super) fn forget_put_off(&mut self, number: usize, element: u8) -> Option<u8> {
        let found = self.told_put_off.iter().position(|told| (told.0 as usize, told.1) == (number, element))?;
        Some(self.told_put_off.swap_remove(found).2)
    }

    /// What is untold is going to be told; removals put off only with everything.
    pub(super) fn tells(&mut self, everything: bool) {
        self.has_changed = !everything;
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn set_iterated(&mut self, number: usize, on: bool) {
        self.all[number].iterated = on;
    }

    pub(super) fn set_iterating(&mut self, number: usize, times: u32) {
        self.all[number].iterating = times;
    }

    /// Puts a removal off; the container's removal callback stands for it.
    pub(super) fn put_off(&mut self, function: Idx, token: u32) {
        self.pending.push((function, token));
    }

    /// The removal that a container has put off last, if there is one left.
    pub(super) fn take_pending(&mut self, function: Idx) -> Option<u32> {
        let last = self.pending.iter().rposition(|p| p.0 == function)?;
        Some(self.pending.remove(last).1)
    }

    pub(super) fn at(&self, number: usize) -> Container {
        self.all[number]
    }

    /// True if the container of this number, if there is one, is the library's.
    pub(super) fn is_library(&self, number: usize) -> bool {
        self.all.get(number).is_some_and(|container| container.library)
    }

    /// The library has deleted what was in a slot.
    pub(super) fn changed(&mut self, number: usize, slot: u8) {
        self.all[number].changed |= 1 << slot;
        self.has_changed = true;
    }

    /// The content of a slot is told of.
    pub(super) fn told(&mut self, number: usize, slot: u8) {
        self.all[number].changed &= !(1 << slot);
    }

    /// The slots of a container's data that are to be told of.
    pub(super) fn take_changed(&mut self, number: usize) -> u64 {
        std::mem::take(&mut self.all[number].changed)
    }

    #[inline]
    pub(super) fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl Execution<'_, '_> {
    /// The number of the weak container that an object is, or whose removal callback it is; not if that is gone.
    #[inline]
    pub(super) fn container_of(&self, o: Idx) -> Option<usize> {
        let shape = self.process.heap.object(o).shape;
        let is_part = shape.is_weak_container() || shape == Shape::Function;
        let number = if is_part { self.process.heap.detail(o).entry } else { NIL };
        let container = self.process.containers.all.get(number as usize)?;
        (container.object != NIL).then_some(number as usize)
    }

    /// Creates a part of a composed object, with one reference.
    pub(super) fn part(&mut self, origin: u32, shape: Shape, role: Role, slots: &[Idx]) -> Idx {
        let flags = Flag::HEADER.and(Flag::CLEARABLE.when(types::has_clear(shape, &self.process.rules)));
        let o = self.process.heap.create(shape as u32, shape, flags, slots.len() as u32);
        self.process.interp.gc.count[0] += 1;
        self.process.heap.detail_mut(o).origin = origin;
        for (i, content) in slots.iter().enumerate() {
            self.process.heap.set_raw(o, i, *content);
        }
        let lazy = shape == Shape::Dict && self.has(Switch::LazyDictTracking);
        if !lazy {
            self.process.heap.track(o);
        }
        let object = self.process.heap.id(o);
        self.sink.event(Event::New { object, origin, role });
        for (slot, content) in slots.iter().enumerate().filter(|(_, c)| **c != NIL) {
            self.report_store(o, slot as u8, *content);
        }
        o
    }

    /// Creates a weak container. Its parts are created in the order: object, data dict, weak reference to the
    /// object, defaults, (cell, closure), removal callback.
    pub(super) fn new_container(&mut self, origin: u32, shape: Shape) -> Idx {
        let object = self.part(origin, shape, Role::Named, &[NIL, NIL]);
        let data = self.part(origin, Shape::Dict, Role::ContainerData, &[]);
        let selfref = self.part(origin, Shape::Ref, Role::ContainerSelf, &[]);
        self.bind_weakref(selfref, object, NIL);
        let defaults = self.part(origin, Shape::Tuple, Role::ContainerDefaults, &[selfref]);
        let mut closure = NIL;
        if self.has(Switch::ContainerClosure) {
            self.incref(data);
            let cell = self.part(origin, Shape::Cell, Role::ContainerCell, &[data]);
            closure = self.part(origin, Shape::Tuple, Role::ContainerClosure, &[cell]);
        }
        let function = self.part(origin, Shape::Function, Role::ContainerRemove, &[closure, defaults, NIL]);
        for (slot, part) in [(0, data), (1, function)] {
            self.process.heap.set_raw(object, slot as usize, part);
            self.report_store(object, slot, part);
        }
        self.process.containers.add(&mut self.process.heap, Container::new(object, data, function));
        object
    }

    /// Adds (or, for a weak value dictionary, deletes) an entry; `store`'s contract.
    pub(super) fn store_entry(&mut self, object: Idx, slot: u8, value: Idx) -> bool {
        let Some(at) = self.container_of(object) else { return false };
        let container = self.process.containers.all[at];
        let shape = self.process.heap.object(object).shape;
        let cleared = self.process.heap.raw(object, 0) != container.data;
        if cleared || slot >= MAX_ITEMS {
            return false;
        }
        if value == NIL {
            return shape == Shape::WeakValueDict && self.store_key(container.data, slot as u32, slot, NIL);
        }
        let full = self.process.heap.entries(container.data) >= MAX_ITEMS as usize;
        if !self.process.heap.object(value).shape.is_weakrefable() || full {
            return false;
        }
        let content = self.process.heap.get(value, slot).unwrap_or(NIL);
        if shape == Shape::WeakKeyDict && content == NIL {
            return false;
        }
        self.push(Frame::AddEntry { container: object, slot, value });
        if shape != Shape::WeakKeyDict {
            self.push(Frame::Commit { container: object });
        }
        true
    }

    /// Adds an entry, after removals that were put off have been made.
    pub(super) fn add_entry(&mut self, object: Idx, slot: u8, value: Idx) {
        let Some(at) = self.container_of(object) else {
            self.decref(value);
            return;
        };
        let container = self.process.containers.all[at];
        let shape = self.process.heap.object(object).shape;
        let content = self.process.heap.get(value, slot).unwrap_or(NIL);
        // The reference that the caller counted is not kept: the container holds the object weakly.
        self.push(Frame::Drop { o: value });
        if shape != Shape::WeakValueDict
            && let Some(found) = self.find_entry(&container, value)
        {
            // An equal key is there: only its value changes.
            if shape == Shape::WeakKeyDict {
                self.store_value(&container, found, content);
            }
            return;
        }
        // A new key may be where a dead one was, and have its hash: the dict compares the two.
        if shape == Shape::WeakKeyDict && self.has_dangling_key(&container) {
            self.stop = Some(Undefined::DanglingWeakref);
            return;
        }
        let origin = self.origin(object);
        let keyed = shape == Shape::WeakValueDict;
        let weak = if keyed {
            self.part(origin, Shape::KeyedRef, Role::ContainerEntry, &[NIL])
        } else {
            self.part(origin, Shape::Ref, Role::ContainerEntry, &[])
        };
        self.bind_weakref(weak, value, container.function);
        self.process.heap.weak_mut(weak).key = slot;
        if keyed {
            self.store_key(container.data, slot as u32, slot, weak);
            return;
        }
        self.maintain_tracking(container.data, weak);
        let number = self.process.heap.entries(container.data) as u8;
        if shape == Shape::WeakSet {
            self.process.heap.push_entry(container.data, DictEntry { key: number as u32, value: weak });
            self.report_store(container.data, number, weak);
        } else {
            self.incref(content);
            self.process.heap.push_entry(container.data, DictEntry { key: DictEntry::OBJECT + weak, value: content });
            self.report_store(container.data, 2 * number, weak);
            self.report_store(container.data, 2 * number + 1, content);
        }
    }

    /// The entry of a weak key dictionary or weak set whose weak reference is live and refers to `referent`.
    pub(super) fn find_entry(&self, container: &Container, referent: Idx) -> Option<usize> {
        (0..self.process.heap.entries(container.data)).find(|&i| {
            let entry = self.process.heap.entry(container.data, i);
            let weak = entry.key_object().unwrap_or(entry.value);
            entry.value != NIL && self.process.heap.weak(weak).referent == referent
        })
    }

    /// True if a key of a weak key dictionary refers to memory that is gone.
    fn has_dangling_key(&self, container: &Container) -> bool {
        let heap = &self.process.heap;
        (0..heap.entries(container.data)).any(|i| {
            let entry = heap.entry(container.data, i);
            entry.value != NIL && entry.key_object().is_some_and(|weak| heap.dangles(weak))
        })
    }

    fn store_value(&mut self, container: &Container, entry: usize, content: Idx) {
        self.incref(content);
        let old = self.process.heap.set_raw(container.data, 2 * entry + 1, content);
        self.report_store(container.data, 2 * entry as u8 + 1, content);
        self.decref(old);
    }

    /// The removal callback: puts the removal off while its container is iterated (until 3.13), else removes.
    pub(super) fn remove_entry(&mut self, function: Idx, weak: Idx) {
        if let Some(at) = self.library_remover(function) {
            self.library_removal(at, function, weak);
            return;
        }
        let Some(at) = self.container_of(function) else { return };
        let container = self.process.containers.all[at];
        let gone = self.process.heap.object(container.object);
        if gone.has(Flag::FREED) || gone.refcount == 0 || !self.self_reference_answers(&container) {
            return;
        }
        if self.has(Switch::BugContainerKeepsDead) {
            return;
        }
        self.incref(container.object);
        self.push(Frame::Drop { o: container.object });
        let key = self.process.heap.weak(weak).key as u32;
        let keyed = self.process.heap.object(weak).shape == Shape::KeyedRef;
        let token = if keyed { key } else { DictEntry::OBJECT + weak };
        if container.iterating > 0 && self.has(Switch::ContainerPending) {
            self.process.containers.pending.push((function, token));
            return;
        }
        self.remove_token(&container, token);
    }

    pub(super) fn self_reference_answers(&self, container: &Container) -> bool {
        let mut entry = self.process.heap.detail(container.object).weakrefs;
        while entry != NIL {
            let weak = self.process.heap.weaks[entry as usize];
            if weak.callback == NIL && self.process.heap.object(weak.object).shape == Shape::Ref {
                return true;
            }
            entry = weak.next;
        }
        false
    }

    /// Removes the entry under a key if it is dead, or the entry of a weak reference.
    fn remove_token(&mut self, container: &Container, token: u32) {
        let data = container.data;
        let found = (0..self.process.heap.entries(data)).find(|&i| {
            let entry = self.process.heap.entry(data, i);
            let own = entry.key_object().unwrap_or(entry.value);
            entry.value != NIL && (entry.key == token || DictEntry::OBJECT + own == token)
        });
        let Some(i) = found else { return };
        let entry = self.process.heap.entry(data, i);
        let keyed = token < DictEntry::OBJECT;
        if keyed && self.process.heap.dangles(entry.value) {
            self.stop = Some(Undefined::DanglingWeakref);
            return;
        }
        if keyed && self.process.heap.answer(entry.value).is_some() && !self.has(Switch::BugContainerRemovesNew) {
            return;
        }
        self.process.heap.set_raw(data, 2 * i + 1, NIL);
        match entry.key_object() {
            Some(weak) => {
                let number = i as u8;
                self.report_store(data, 2 * number, NIL);
                self.report_store(data, 2 * number + 1, NIL);
                self.push(Frame::Drop { o: entry.value });
                self.decref(weak);
            }
            None => {
                self.report_store(data, entry.key as u8, NIL);
                self.decref(entry.value);
            }
        }
    }

    /// A weak container was freed.
    #[inline]
    pub(super) fn container_freed(&mut self, o: Idx, shape: Shape) {
        if shape.is_weak_container()
            && let Some(at) = self.container_of(o)
        {
            self.process.containers.all[at].object = NIL;
        }
    }

    /// `len()` of a weak container.
    pub(super) fn length(&mut self, place: Place) -> bool {
        let Some(object) = self.resolve(place) else { return false };
        let Some(at) = self.container_of(object) else { return false };
        let container = self.process.containers.all[at];
        if container.library {
            return self.library_length(at);
        }
        let shape = self.process.heap.object(object).shape;
        if shape == Shape::WeakValueDict && !self.has(Switch::ContainerLenCountsDead) {
            self.push(Frame::Length { container: object });
            self.push(Frame::Commit { container: object });
            return true;
        }
        let raw = self.raw_length(&container);
        let counts_dead = shape != Shape::WeakSet && self.has(Switch::ContainerLenCountsDead);
        let waiting = self.process.containers.pending.iter().filter(|p| p.0 == container.function).count() as u32;
        let len = if counts_dead || mutant!(LengthCountsPending) { raw } else { raw - waiting.min(raw) };
        self.sink.event(Event::Length { container: self.process.heap.id(object), len, raw });
        true
    }

    /// `len()` of a weak value dictionary after removals that were put off have been made.
    pub(super) fn report_length(&mut self, object: Idx) {
        let Some(at) = self.container_of(object) else { return };
        let container = self.process.containers.all[at];
        if self.process.containers.has_changed() {
            self.tell_deleted(true);
        }
        let raw = self.raw_length(&container);
        let put_off = if container.has_table() && container.put_off != NIL {
            self.process.heap.object(container.put_off).len
        } else {
            0
        };
        let len = raw - put_off.min(raw);
        self.sink.event(Event::Length { container: self.process.heap.id(object), len, raw });
    }

    pub(super) fn raw_length(&self, container: &Container) -> u32 {
        let live = |i: &usize| self.process.heap.entry(container.data, *i).value != NIL;
        (0..self.process.heap.entries(container.data)).filter(live).count() as u32
    }

    /// Makes the removal that was put off last, and so on.
    pub(super) fn commit_step(&mut self, object: Idx) {
        let Some(at) = self.container_of(object) else { return };
        let container = self.process.containers.all[at];
        if container.library {
            self.commit_library(at);
            return;
        }
        let mut pending = self.process.containers.pending.iter();
        let own = |p: &(Idx, u32)| p.0 == container.function;
        let last = if mutant!(PendingFirstIn) { pending.position(own) } else { pending.rposition(own) };
        let Some(last) = last else { return };
        let (_, token) = self.process.containers.pending.remove(last);
        self.push(Frame::Commit { container: object });
        self.remove_token(&container, token);
    }

    /// Starts an iteration over the live entries of a weak container.
    pub(super) fn iterate(&mut self, place: Place, script: ScriptId) -> bool {
        let Some(object) = self.resolve(place) else { return false };
        let Some(at) = self.container_of(object) else { return false };
        let container = self.process.containers.all[at];
        if container.library {
            return self.iterate_library(at, script);
        }
        self.process.containers.all[at].iterating += 1;
        self.incref(object);
        let live = self.process.heap.entries(container.data);
        let tuple = self.process.heap.create_temporary(live as u32);
        for i in 0..live {
            let entry = self.process.heap.entry(container.data, i);
            if entry.value != NIL {
                let weak = entry.key_object().unwrap_or(entry.value);
                self.incref(weak);
                self.process.heap.set_raw(tuple, i, weak);
            }
        }
        self.process.heap.track(tuple);
        self.push(Frame::IterateDone { container: object });
        self.push(Frame::Drop { o: tuple });
        self.push(Frame::Iterate { container: object, entries: tuple, script, next: 0 });
        true
    }

    /// One round of an iteration.
    pub(super) fn iterate_step(&mut self, container: Idx, entries: Idx, script: ScriptId, mut next: u32) {
        while next < self.process.heap.object(entries).len {
            let weak = self.process.heap.raw(entries, next as usize);
            next += 1;
            if weak == NIL {
                continue;
            }
            if self.process.heap.dangles(weak) {
                self.stop = Some(Undefined::DanglingWeakref);
                return;
            }
            let Some(entry) = self.process.heap.answer(weak) else { continue };
            self.incref(entry);
            let ids = (self.process.heap.id(container), self.process.heap.id(entry));
            self.sink.event(Event::Yielded { container: ids.0, entry: ids.1 });
            self.push(Frame::Iterate { container, entries, script, next });
            self.push(Frame::Drop { o: entry });
            self.push_body(script, entry);
            return;
        }
    }

    /// The end of an iteration: removals that were put off are made.
    pub(super) fn iterate_done(&mut self, object: Idx) {
        self.push(Frame::Drop { o: object });
        let Some(at) = self.container_of(object) else { return };
        self.process.containers.all[at].iterating -= 1;
        if self.process.containers.all[at].iterating == 0 {
            self.push(Frame::Commit { container: object });
        }
    }
}
