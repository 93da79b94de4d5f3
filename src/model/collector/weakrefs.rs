//! The collector's handling of weak references: which are cleared, and whose callbacks will be called.

use super::recorded_rules::AskedRules;
use super::switches::Switch;
use crate::event::Undefined;
use crate::model::heap::{Flag, Heap, Idx, List, NIL};

/// Clears a weak reference that may have outlived its referent.
///
/// # Errors
/// [`Undefined::DanglingWeakref`] if the memory of its referent is gone.
#[inline]
pub fn clear_one(heap: &mut Heap, weak: Idx) -> Result<(), Undefined> {
    if heap.dangles(weak) {
        return Err(Undefined::DanglingWeakref);
    }
    heap.clear_weak(weak);
    Ok(())
}

/// The first pass: clears weak references to (and, by release, in) the list, and moves those whose callbacks must
/// be called to [`List::CALLS`], each with one reference more.
///
/// # Errors
/// [`Undefined::MovedUntracked`] if one of the latter is in no list; [`Undefined::DanglingWeakref`] if one to be cleared
/// outlived its referent.
pub fn clear_before_finalizers(heap: &mut Heap, set: List, rules: &AskedRules) -> Result<(), Undefined> {
    if rules.has(Switch::BugNoWeakrefPass) {
        return Ok(());
    }
    let mut o = heap.object(set.head()).next;
    while o != set.head() {
        if heap.is_weak(o)
            && heap.weak(o).referent != NIL
            && rules.has(Switch::ClearTrashWeakrefs)
            && rules.has(Switch::ClearWeakrefsBeforeFinalizers)
        {
            clear_one(heap, o)?;
        }
        let mut entry = if heap.object(o).has(Flag::WATCHED) { heap.detail(o).weakrefs } else { NIL };
        while entry != NIL {
            let weak = heap.weaks[entry as usize];
            entry = weak.next;
            if weak.callback == NIL {
                if rules.has(Switch::ClearWeakrefsBeforeFinalizers) && !rules.has(Switch::BugKeepPlainWeakrefs) {
                    heap.clear_weak(weak.object);
                }
                continue;
            }
            if !rules.has(Switch::BugCallbackBeforeClear) {
                heap.clear_weak(weak.object);
            }
            let is_trash = heap.is_collecting(weak.object) && !rules.has(Switch::BugCallTrashCallbacks);
            if is_trash || rules.has(Switch::BugLoseCallbacks) {
                heap.clear_weak(weak.object);
                continue;
            }
            if !heap.object(weak.object).has(Flag::TRACKED) {
                return Err(Undefined::MovedUntracked);
            }
            if rules.has(Switch::CallbackKeepsList) {
                let list = heap.list_of(weak.object);
                heap.called_from.push((weak.object, list));
            }
            heap.add_reference(weak.object);
            heap.unset(weak.object, Flag::COLLECTING);
            heap.move_to(List::CALLS, weak.object);
        }
        o = heap.object(o).next;
    }
    Ok(())
}

/// True if a weak reference to or in the list has not been cleared.
pub fn remain(heap: &Heap, set: List) -> bool {
    let mut o = heap.object(set.head()).next;
    while o != set.head() {
        if heap.object(o).has(Flag::WATCHED) || heap.is_weak(o) && heap.weak(o).referent != NIL {
            return true;
        }
        o = heap.object(o).next;
    }
    false
}

/// The second pass: clears every weak reference to or in the list and calls nothing.
///
/// # Errors
/// [`Undefined::DanglingWeakref`] if one of those in the list outlived its referent.
pub fn clear_after_finalizers(heap: &mut Heap, set: List) -> Result<(), Undefined> {
    let mut o = heap.object(set.head()).next;
    while o != set.head() {
        if heap.is_weak(o) {
            clear_one(heap, o)?;
        }
        if heap.object(o).has(Flag::WATCHED) {
            heap.clear_all_weaks(o);
        }
        o = heap.object(o).next;
    }
    Ok(())
}
