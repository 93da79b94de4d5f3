//! Folds events into the shadow heap. Checks happen elsewhere.

use super::object::UNUSUAL;
use super::object::kind_of;
use super::{After, Facts, Frame, NO_SCRIPT, NONE, OVERFLOW, Object, Shadow, WeakRec, pack};
use crate::event::{Code, ObjId, Role, Spot};
use crate::scenario::{Kind, Op, Shape};
use crate::subject::Expectation;

impl Shadow {
    #[inline]
    fn count(&mut self, edge: u32, by: i32) {
        if let Some(object) = self.objects.get_mut((edge as usize).wrapping_sub(1)) {
            object.in_edges = object.in_edges.saturating_add_signed(by);
        } else if edge != NONE {
            self.wild = true;
        }
    }

    fn loosen(&mut self, edge: u32) {
        if let Some(object) = self.objects.get_mut((edge as usize).wrapping_sub(1)) {
            object.status |= Object::UNKNOWN_HOLDERS;
            self.some_loose = true;
        }
    }

    /// An operation of the mutator starts; true if it is an iteration.
    #[inline]
    pub(crate) fn apply_step(&mut self, op: u32) -> bool {
        self.step = op;
        self.iter_arg = NONE;
        self.undo_callback = false;
        match self.ops.get(op as usize) {
            Some(Op::Collect { .. }) => return false,
            // If scripts change the list too, what it holds is not known.
            Some(Op::AddGcCallback { callable }) if !self.traits.scripts_change_callbacks => {
                let callable = self.resolve(*callable);
                if callable != NONE {
                    self.gc_callbacks.push(callable);
                    self.count(callable, 1);
                    self.undo_callback = true;
                    self.version += 1;
                }
            }
            Some(Op::EmptyGcCallbacks) => {
                while let Some(callable) = self.gc_callbacks.pop() {
                    self.count(callable, -1);
                }
                self.version += 1;
            }
            Some(Op::EmptyGarbage) => {
                self.garbage_sure = false;
                self.version += 1;
            }
            Some(Op::Iterate { .. }) => {
                self.quiet = 0;
                return true;
            }
            _ => {}
        }
        self.quiet = 0;
        false
    }

    /// The operation turned out to do nothing.
    pub(crate) fn apply_no_effect(&mut self) {
        if self.undo_callback
            && let Some(callable) = self.gc_callbacks.pop()
        {
            self.count(callable, -1);
            self.version += 1;
        }
        self.undo_callback = false;
    }

    #[inline]
    fn facts_of(&self, kind: &Kind, role: Role) -> Facts {
        Facts::new(kind, role, self.expectations.unasked(), self.expectations.plain_facts())
    }

    #[inline]
    pub(crate) fn apply_new(&mut self, object: ObjId, origin: u32, role: Role) {
        self.quiet = 0;
        let index = self.objects.len();
        if object.index() != index {
            self.stream_unclear = true;
            return;
        }
        let facts = match kind_of(self.ops.get(origin as usize)) {
            Some(kind) => self.facts_of(kind, role),
            None => {
                self.stream_unclear = true;
                self.facts_of(&Kind::new(Shape::Node), role)
            }
        };
        self.expectations.made(facts.shape);
        let object = Object::new(facts);
        if object.facts.is(Facts::PECULIAR | Facts::LEGACY | Facts::FINALIZER | Facts::UNFAITHFUL) {
            self.some_unfaithful |= object.facts.is(Facts::UNFAITHFUL);
            let legacy = self.is_legacy(&object);
            self.some_legacy |= legacy;
            self.peculiar |= legacy || object.facts.is(Facts::PECULIAR | Facts::LEGACY);
        }
        self.objects.push(object);
        self.present.put(index);
        self.live += 1;
        self.version += 1;
    }

    pub(crate) fn apply_new_weak(&mut self, weak: ObjId, referent: ObjId, callback: Option<ObjId>) {
        let (Some(object), Some(target)) = (self.get(weak), self.get(referent)) else {
            self.stream_unclear = true;
            return;
        };
        if !object.facts.shape.is_weakref() || object.aux != 0 {
            return;
        }
        let (role, gone) = (object.facts.role, object.is(Object::GONE));
        let next = target.weak_head;
        // Made after the deallocator has cleared the weak references: it will outlive the memory.
        let owner = pack(Some(referent));
        self.type_misled |= self.frames.iter().any(|f| f.code == Code::Dealloc && f.owner == owner);
        let callback = pack(callback);
        let container = match role {
            Role::ContainerEntry => self.at(callback).map_or(NONE, |remove| remove.aux),
            _ => NONE,
        };
        // What is gone holds nothing.
        self.wild |= gone;
        self.weaks.push(WeakRec {
            weak: pack(Some(weak)),
            referent: pack(Some(referent)),
            callback,
            next,
            live: true,
            seen_dead: false,
            born_in: if self.col.active { self.col.number } else { 0 },
            calls: 0,
            called_at: 0,
            container,
            live_at_start: false,
            armed: false,
            reported: [false; 2],
        });
        let record = self.weaks.len() as u32;
        self.objects[weak.index()].aux = record;
        self.objects[weak.index()].link = callback;
        self.objects[referent.index()].weak_head = record;
        self.count(callback, 1);
        self.version += 1;
    }

    /// The place of an edge, made if need be.
    #[inline]
    fn cell(&mut self, index: usize, slot: u8) -> Option<&mut u32> {
        let object = self.objects.get_mut(index)?;
        if slot < 4 {
            return object.slots.get_mut(slot as usize);
        }
        if !object.facts.shape.is_unbounded() {
            return None;
        }
        if object.aux == 0 {
            self.overflow.push([NONE; OVERFLOW]);
            object.aux = self.overflow.len() as u32;
        }
        let table = object.aux as usize - 1;
        self.overflow.get_mut(table)?.get_mut(slot as usize)
    }

    #[inline]
    pub(crate) fn apply_store_var(&mut self, var: u16, object: Option<ObjId>) {
        self.quiet = 0;
        let var = var as usize;
        if var >= self.vars.len() {
            self.vars.resize((var | 7) + 1, NONE);
        }
        let new = pack(object);
        self.note_saved(new);
        let old = std::mem::replace(&mut self.vars[var], new);
        self.count(new, 1);
        self.count(old, -1);
        self.version += 1;
    }

    /// A deallocator's action that keeps trash which is being cleared does what only a finalizer may do.
    #[inline]
    fn note_saved(&mut self, new: u32) {
        if self.col.active && self.col.clears > 0 && new != NONE && self.col.doomed.has(new as usize - 1) {
            self.type_misled |= self.driver().is_some_and(|f| match f.code {
                Code::Dealloc => true,
                // 2.7 clears objects of static types with tp_del like any other.
                Code::LegacyFinalizer => self.expectations.holds(Expectation::StaticFinalizer),
                _ => false,
            });
        }
    }

    #[inline]
    pub(crate) fn apply_store_slot(&mut self, holder: ObjId, slot: u8, object: Option<ObjId>) {
        self.quiet = 0;
        self.version += 1;
        let new = pack(object);
        self.note_saved(new);
        let index = holder.index();
        let Some(owner) = self.objects.get(index) else { return };
        let (status, shape) = (owner.status, owner.facts.shape);
        if status & Object::GONE != 0 {
            return;
        }
        if status & Object::CLEARED_NOW != 0 && self.col.active {
            // The rest of the tp_clear that may still run drops it without a word.
            self.loosen(new);
            self.peculiar = true;
        }
        if slot == 0xff {
            self.drop_edges(index, 0, false);
            return;
        }
        let Some(cell) = self.cell(index, slot) else { return };
        let old = std::mem::replace(cell, new);
        self.count(new, 1);
        self.count(old, -1);
        match shape {
            Shape::Finalize if slot == 0 && (new == NONE) != (old == NONE) => {
                // The registry holds the object as long as it has something to call.
                self.count(index as u32 + 1, if new == NONE { -1 } else { 1 });
            }
            shape if shape.is_weak_container() && slot == 1 => {
                if let Some(remove) = self.objects.get_mut((new as usize).wrapping_sub(1))
                    && remove.facts.shape == Shape::Function
                {
                    remove.aux = index as u32 + 1;
                }
            }
            _ => {}
        }
    }

    /// Empties the slots and the link of an object, if there is anything in them.
    #[inline]
    fn drop_all(&mut self, index: usize) {
        let object = &self.objects[index];
        let [a, b, c, d] = object.slots;
        let more = object.aux != 0 && object.facts.shape.is_unbounded();
        if a | b | c | d | object.link != NONE || more {
            self.drop_edges(index, 0, true);
        }
    }

    /// Empties the slots that are not in `keeps`, and the link if `link` says so.
    #[inline(never)]
    pub(crate) fn drop_edges(&mut self, index: usize, keeps: u8, link: bool) {
        let Some(object) = self.objects.get_mut(index) else { return };
        if object.slots != [NONE; 4] {
            let mut dropped = std::mem::replace(&mut object.slots, [NONE; 4]);
            if keeps != 0 {
                for (slot, edge) in dropped.iter_mut().enumerate().filter(|(slot, _)| keeps & 1 << slot != 0) {
                    object.slots[slot] = std::mem::replace(edge, NONE);
                }
            }
            for edge in dropped {
                self.count(edge, -1);
            }
        }
        let object = &mut self.objects[index];
        if link && object.link != NONE {
            let edge = std::mem::replace(&mut object.link, NONE);
            self.count(edge, -1);
        }
        let object = &self.objects[index];
        if object.aux != 0 && object.facts.shape.is_unbounded() {
            self.drop_overflow(object.aux as usize - 1);
        }
    }

    #[cold]
    fn drop_overflow(&mut self, table: usize) {
        for slot in 4..OVERFLOW {
            let edge = std::mem::replace(&mut self.overflow[table][slot], NONE);
            self.count(edge, -1);
        }
    }

    pub(crate) fn apply_enter(&mut self, code: Code, owner: ObjId, arg: Option<ObjId>) {
        self.quiet = 0;
        let edge = pack(Some(owner));
        if code == Code::GcCallback && self.col.active && !self.col.ready {
            self.col.late = true;
        } else if self.col.active {
            if code == Code::GcCallback {
                // It may be one more of the beginning.
                self.stream_unclear |= self.col.early && self.col.clears == 0;
                self.close_collection();
            } else {
                self.ready_collection();
                self.col.scripts += u32::from(self.col.ready);
            }
        }
        let mut script = NO_SCRIPT;
        if let Some(object) = self.objects.get_mut(owner.index()) {
            script = match code {
                Code::Finalizer | Code::LegacyFinalizer => object.facts.finalizer,
                Code::Callback | Code::GcCallback | Code::Call => object.facts.on_call,
                Code::Dealloc => object.facts.on_dealloc,
            };
            object.status |= if code == Code::Dealloc { Object::ACTED } else { 0 };
            if matches!(code, Code::Finalizer | Code::LegacyFinalizer) {
                object.fin_calls = object.fin_calls.saturating_add(1);
                if object.in_edges == 0 {
                    object.status |= Object::FIN_AT_ZERO;
                }
                self.col.finalizers += u32::from(self.col.active && self.col.ready);
            }
        }
        let mut by_collector = false;
        if code == Code::Callback {
            let existing = self.objects.len() as u32;
            let c = &self.col;
            let level = c.ready && c.active && self.frames.len() == c.depth && c.clears == 0;
            // A deallocator's callback comes when its referent is dying; the collector's, when that is whole, or when an earlier
            // callback has let it die.
            let referent = arg.and_then(|a| self.weak(a)).and_then(|r| self.at(r.referent));
            by_collector = level && referent.is_some_and(|o| o.lives() || o.is(Object::FREED));
            self.col.callbacks += u32::from(self.col.active && self.col.ready);
            if let Some(record) = arg.and_then(|a| self.weak_index(a)).and_then(|at| self.weaks.get_mut(at)) {
                record.calls = record.calls.saturating_add(1);
                self.some_called = true;
                record.called_at = existing;
            }
        }
        self.script_steps = self.script_steps.saturating_add(self.script_len(script));
        self.frames.push(Frame { code, owner: edge, arg: pack(arg), script, by_collector });
        self.after = After::Enter;
    }

    /// Position of a weak reference's record.
    pub(crate) fn weak_index(&self, weak: ObjId) -> Option<usize> {
        let object = self.get(weak)?;
        (object.facts.shape.is_weakref() && object.aux != 0).then(|| object.aux as usize - 1)
    }

    /// Ends the innermost script and returns it.
    pub(crate) fn apply_leave(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        self.after = After::Leave;
        let index = frame.owner as usize - 1;
        if matches!(frame.code, Code::Finalizer | Code::LegacyFinalizer)
            && let Some(object) = self.objects.get_mut(index)
        {
            object.fin_returns = object.fin_returns.saturating_add(1);
        }
        self.just_left = if frame.by_collector { frame.arg } else { NONE };
        if frame.by_collector && frame.arg != NONE {
            // It goes to the old generation even if it was set aside as uncollectable.
            self.col.legacy.remove(frame.arg as usize - 1);
        }
        Some(frame)
    }

    pub(crate) fn apply_collect_start(&mut self, generation: u8, automatic: bool) {
        self.after = After::CollectStart;
        self.version += 1;
        if self.col.active {
            self.stream_unclear = true;
            return;
        }
        self.col.forget();
        self.col.active = true;
        self.col.number += 1;
        self.col.generation = generation;
        self.col.automatic = automatic;
        self.col.depth = self.frames.len();
        self.col.live_at_start = self.live;
    }

    pub(crate) fn apply_clear(&mut self, object: ObjId) {
        self.settle_collection();
        self.col.clears += 1;
        let Some(facts) = self.get(object).map(|o| o.facts) else { return };
        let index = object.index();
        self.objects[index].status |= Object::CLEARED | Object::CLEARED_NOW;
        self.insane.put(index);
        self.uneven = 1;
        self.drop_edges(index, facts.keeps, true);
        if let Some(record) = self.weak_index(object) {
            self.weaks[record].live = false;
        }
    }

    #[inline]
    pub(crate) fn apply_dealloc(&mut self, object: ObjId) {
        let index = object.index();
        let Some(dying) = self.objects.get_mut(index) else { return };
        dying.usual = UNUSUAL;
        dying.status |= Object::DYING;
        self.uneven = 1;
        let (freed, referent) = (dying.is(Object::FREED), dying.weak_head != 0);
        if !freed {
            self.dying.put(index);
        }
        if referent {
            self.drop_weak_list(index);
        }
        self.drop_all(index);
    }

    /// The deallocator takes the callbacks of live weak references; those that keep theirs say so in a snapshot.
    fn drop_weak_list(&mut self, referent: usize) {
        let mut next = self.objects[referent].weak_head;
        while next != 0 {
            let record = &mut self.weaks[next as usize - 1];
            next = record.next;
            record.armed |= record.live || record.live_at_start && self.col.is_trash(referent);
            if std::mem::replace(&mut record.live, false) {
                let weak = record.weak as usize - 1;
                let callback = std::mem::replace(&mut self.objects[weak].link, NONE);
                self.count(callback, -1);
            }
        }
    }

    #[inline]
    pub(crate) fn apply_free(&mut self, object: ObjId) {
        let index = object.index();
        let Some(o) = self.objects.get_mut(index) else { return };
        if o.is(Object::FREED) {
            return;
        }
        let dropped = o.is(Object::DYING);
        o.usual = UNUSUAL;
        o.status |= Object::FREED;
        self.live -= 1;
        self.present.remove(index);
        self.dying.remove(index);
        if !dropped {
            self.uneven = 1;
            self.drop_all(index);
        }
    }

    pub(crate) fn apply_snapshot(&mut self) {
        self.stamp += 1;
        self.listed = 0;
        self.uneven = 0;
        self.youngest = u8::MAX;
        self.zero = false;
        self.list_order = 0;
        if !self.garbage.is_empty() || !self.garbage_sure {
            self.version += 1;
        }
        if !self.garbage.is_empty() {
            self.forget_garbage();
        }
        self.version_shown = self.version;
        self.garbage_sure = true;
        self.untracked.clear();
        self.reading = true;
    }

    /// A line of a snapshot that an invariant may have objected to.
    pub(crate) fn apply_odd_state(&mut self, index: usize, refcount: u32, spot: Spot, finalized: bool) {
        let object = &mut self.objects[index];
        object.refcount = refcount;
        object.spot = spot;
        object.stamp = self.stamp;
        object.usual = UNUSUAL;
        object.status |= if finalized { Object::FINALIZED } else { 0 };
        self.listed += 1;
        self.zero |= refcount == 0;
        if spot == Spot::Untracked {
            self.untracked.push(index as u32 + 1);
        }
    }

    /// A line for a weak reference: whether it has its referent, and its callback.
    #[inline]
    pub(crate) fn apply_weak(&mut self, weak: ObjId, live: bool, callback: bool) {
        let Some(object) = self.objects.get_mut(weak.index()) else { return };
        if !object.facts.shape.is_weakref() {
            return;
        }
        let Some(record) = self.weaks.get_mut((object.aux as usize).wrapping_sub(1)) else { return };
        record.live = live;
        record.seen_dead |= !live;
        // Up to 3.12 `tp_clear` forgets the callback only after it has dropped it.
        let new = if callback && !object.is(Object::CLEARED) { record.callback } else { NONE };
        if new != object.link && object.lives() {
            let old = std::mem::replace(&mut object.link, new);
            self.count(new, 1);
            self.count(old, -1);
            self.version += 1;
            self.uneven = 1;
        }
    }
}
