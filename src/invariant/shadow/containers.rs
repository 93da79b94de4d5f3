//! What weak containers and the registry of `finalize` hold: entries, and what is still to be called.
//!
//! Told by the contents of a container's data and of a `finalize`, not by the callbacks that change them: a subject whose
//! containers are made in one piece shows those, and not these.

use super::edge::NONE;
use super::objects::Objects;
use super::{Shadow, Trait, WeakRec, unpack};
use crate::event::{Code, ObjId, Role};
use crate::scenario::{Op, Shape};

/// What a weak reference is to a weak container or a `finalize`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keeps {
    /// Nothing: it is an object of the scenario, or the container's own reference to itself.
    Nothing,
    /// The entry of a container that lives and has it.
    Entry,
    /// It was the entry of a container that has it no longer, or is gone.
    FormerEntry,
    /// It tells a `finalize` when to be called, and the registry holds that.
    Registered,
    /// It told a `finalize` that the registry holds no longer.
    Unregistered,
}

impl Shadow {
    /// True if the scenario makes weak containers or `finalize` objects.
    #[inline]
    pub(crate) fn some_containers(&self) -> bool {
        self.program.has(Trait::Contains) || self.program.has(Trait::Finalizes)
    }

    /// What a weak reference is to a weak container or a `finalize`.
    pub(crate) fn keeps(&self, record: &WeakRec) -> Keeps {
        match self.at(record.weak()).map(|weak| weak.facts.role) {
            Some(Role::ContainerEntry) if self.has_entry(record) => Keeps::Entry,
            Some(Role::ContainerEntry) => Keeps::FormerEntry,
            Some(Role::FinalizeRef) if self.is_registered(record.callback()) => Keeps::Registered,
            Some(Role::FinalizeRef) => Keeps::Unregistered,
            _ => Keeps::Nothing,
        }
    }

    /// True if a weak reference is an entry in the data of its container, which lives.
    fn has_entry(&self, record: &WeakRec) -> bool {
        let data = self.at(record.container()).filter(|c| c.lives()).and_then(|c| self.at(c.slots[0]));
        let mut found = false;
        if let Some(data) = data {
            self.for_edges(data, |_, edge| found |= edge == record.weak());
        }
        found
    }

    /// True if the registry holds a `finalize`, which has something to call then.
    pub(crate) fn is_registered(&self, finalize: u32) -> bool {
        self.at(finalize).is_some_and(|f| f.facts.shape.is_finalize() && f.lives() && f.slots[0] != NONE)
    }

    /// A weak-key dictionary that holds a value under no key, and the value, if there is one.
    pub(crate) fn value_without_key(&self) -> Option<(usize, u32)> {
        let dicts = self.objects.present.iter().filter(|index| {
            let object = &self.objects.all[*index];
            object.facts.shape == Shape::WeakKeyDict && object.lives()
        });
        for index in dicts {
            let Some(data) = self.at(self.objects.all[index].slots[0]) else { continue };
            let (mut key, mut alone) = (u8::MAX, NONE);
            self.for_edges(data, |slot, edge| match slot % 2 {
                0 => key = slot,
                _ if key != slot - 1 => alone = edge,
                _ => {}
            });
            if alone != NONE {
                return Some((index, alone));
            }
        }
        None
    }

    /// The container's weak reference to itself, by which its removal callback finds it.
    pub(crate) fn reference_to_itself(&self, container: u32) -> Option<&WeakRec> {
        self.weaks_of(container).find(|r| self.at(r.weak()).is_some_and(|w| w.facts.role == Role::ContainerSelf))
    }

    /// The entry that is about to leave the data of a weak container without anybody having asked for that: because it is
    /// dead. Nothing if the mutator or a script may have asked.
    pub(crate) fn leaves_by_itself(&self, holder: ObjId, slot: u8) -> Option<&WeakRec> {
        let data = self.get(holder).filter(|o| o.facts.role == Role::ContainerData)?;
        let mut old = NONE;
        self.for_edges(data, |at, edge| old = if at == slot { edge } else { old });
        let record = self.weak(unpack(old)?)?;
        let container = self.at(record.container()).filter(|c| c.slots[0] as usize == holder.index() + 1)?;
        // The calls of a library's removal callback are not seen, nor is the moment of a removal.
        if container.facts.shape.is_library_container() {
            return None;
        }
        let frame = self.user_code.frames().last();
        let removes = |f: &super::Frame| {
            let remove = self.at(f.owner()).filter(|o| o.facts.shape == Shape::Function);
            f.code() == Code::Callback && remove.is_some_and(|o| o.removes_from() == record.container())
        };
        // Only the entries of a weak-value dictionary can be deleted; its length makes removals that were put off.
        let asked =
            container.facts.shape.is_value_dict() && (frame.is_some() || !matches!(self.op(), Some(Op::Len { .. })));
        (frame.is_some_and(removes) || !asked).then_some(record)
    }

    /// A script begins: if it is what a `finalize` calls, that is counted.
    #[cold]
    pub(super) fn note_finalize_call(&mut self) {
        let Some(caller) = self.user_code.frames().last().map(|frame| frame.owner()) else { return };
        if self.at(caller).is_none_or(|o| !o.facts.shape.is_finalize()) {
            return;
        }
        let objects = &self.objects;
        let of = |weak: u32| objects.at(weak).is_some_and(|o| o.facts.role == Role::FinalizeRef);
        if let Some(record) = self.weakrefs.records.iter_mut().find(|r| r.callback() == caller && of(r.weak())) {
            record.note_run();
        }
    }

    /// True if a root reaches `target` when what this object holds is left out: an entry of the registry, if it is a
    /// `finalize`.
    pub(crate) fn reaches_beside(&mut self, target: u32, object: u32) -> bool {
        Objects::without_edges(self, object as usize - 1, |s| s.is_reached(target))
    }
}
