//! Operations: everything that a mutator or a script can do, one entry each.
//!
//! Every operation is total. An operation whose operands do not exist does nothing and is counted
//! ([`crate::event::Event::NoEffect`]).
//!
//! From an entry follow both forms of files, the record that the probe reads, the normal form, what reductions and
//! mutations do to it, and the tables in `coroner list operations` and `docs/format.md`. What it means is written in
//! `run/ops.rs` and in the probe.

use super::numbered::numbered;
use super::operand::{Bulk, Form, Operand, OperandType, Operation, Stands, Usage};
use super::{Kind, Place, ScriptId};

/// Declares the operations. An entry says: tag of the binary form, name, how it is written (and another word that is
/// read for it), operands (name, type, role), weight, where it stands; and examples with what they do.
macro_rules! operations {
    ($(
        $(#[$meta:meta])*
        $tag:literal $Name:ident: $Form:ident $(($word:literal))? $(or $alias:literal)?
        $({ $($(#[$operand_meta:meta])* $operand:ident: $Type:ty as $Role:ident $(($what:literal))?,)+ })?
        weight $weight:literal, $Stands:ident, $($example:literal => $meaning:literal),+;
    )+) => {
        /// One operation. Ordered as the entries of the table are.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Op {
            $($(#[$meta])* $Name $({ $($(#[$operand_meta])* $operand: $Type,)+ })?,)+
        }

        numbered! {
            /// An operation without its operands. The number is its tag in the binary form.
            pub enum Opcode {
                $(#[doc = concat!("[`Op::", stringify!($Name), "`]")] $Name = $tag,)+
            }
        }

        /// The table, in the order of the tags.
        pub static OPERATIONS: [Operation; Opcode::ALL.len()] = [$(Operation {
            opcode: Opcode::$Name,
            form: Form::$Form $(($word))?,
            alias: [$(Some($alias),)? None][0],
            weight: $weight,
            stands: Stands::$Stands,
            objects: &[$($($($what,)?)+)?],
            usages: &[$(Usage { form: $example, meaning: $meaning }),+],
            blank: Op::$Name $({ $($operand: OperandType::BLANK),+ })?,
        }),+];

        impl Op {
            /// Which operation it is.
            #[inline]
            pub const fn opcode(&self) -> Opcode {
                match self {
                    $(Op::$Name { .. } => Opcode::$Name,)+
                }
            }

            /// The kind of what the operation creates, if it creates something.
            #[inline]
            pub fn kind(&self) -> Option<&Kind> {
                match self {
                    $(Op::$Name $({ $($operand),+ })? => None$($(.or(OperandType::kind($operand)))+)?,)+
                }
            }

            /// Calls `change` on every place of the operation, in the order of the text form: target first.
            #[inline]
            pub fn for_each_place(&mut self, mut change: impl FnMut(&mut Place)) {
                match self {
                    $(Op::$Name $({ $($operand),+ })? => {
                        $($(OperandType::places($operand).iter_mut().for_each(&mut change);)+)?
                    })+
                }
            }

            /// Calls `change` on every script the operation names, in the order of the text form. An operation that
            /// cannot be without its script (`repeat`, `iterate`) keeps it when the answer is `None`, and the result is
            /// false.
            #[inline]
            pub fn map_scripts(&mut self, mut change: impl FnMut(ScriptId) -> Option<ScriptId>) -> bool {
                match self {
                    $(Op::$Name $({ $($operand),+ })? => {
                        true $($(& OperandType::map_scripts($operand, &mut change))+)?
                    })+
                }
            }

            /// Calls `visit` with the operands in the order of the table, up to the first error.
            ///
            /// # Errors
            /// The error.
            #[inline]
            pub(crate) fn operands<'a, E>(
                &'a mut self,
                mut visit: impl FnMut(Operand<'a>) -> Result<(), E>,
            ) -> Result<(), E> {
                match self {
                    $(Op::$Name $({ $($operand),+ })? => {
                        $($(visit(Operand::$Role($operand))?;)+)?
                    })+
                }
                Ok(())
            }
        }
    };
}

operations! {
    /// `dst = Kind(items...)`: creates an object and stores it. Items by shape: tuple, its items up to the first
    /// nothing; function, closure and defaults; method, function and self; cell, content; weak reference, referent
    /// and callback (nothing: none); finalize, referent and callable. Without effect if a required item is nothing
    /// (referent of a weak reference or finalize; function and self of a method) or has the wrong shape (referent not
    /// weakly referenceable, callback not callable, closure or defaults not a tuple: the last two become empty
    /// instead).
    2 New: Grammar {
        /// Where the new object goes. If the place does not exist the object is created and dropped.
        dst: Place as Target,
        /// The type of the object.
        kind: Kind as Kind,
        /// What it is made of.
        items: [Place; 2] as Items,
    } weight 0, Anywhere,
    "a = Node()" => "create an object and store it";

    /// `dst = src`: stores a new strong reference, then drops the old content. `src` may be nothing: `del dst`.
    /// Without effect if both contents are nothing, if `dst` does not exist or is immutable, or a non-empty `src`
    /// names nothing.
    3 Set: Grammar {
        /// A variable or a slot.
        dst: Place as Assigned,
        /// The object to store.
        src: Place as Source,
    } weight 1, Anywhere,
    "a = b" => "store a strong reference in a variable or slot",
    "del a" => "empty a variable or slot";

    /// `dst = weak()`: calls a weak reference (for a proxy: asks it for its referent). If it answers, the result
    /// is stored as by `Set`; if it answers `None` nothing is stored. A `dst` of nothing drops the result.
    4 Deref: Function("deref") {
        /// Where a live referent goes.
        dst: Place as Target,
        /// The weak reference.
        weak: Place as Object("a weak reference"),
    } weight 2, Anywhere,
    "a = deref(w)" => "read a weak reference and store what it answers";

    /// `look()`: walks everything reachable from `self`, `arg` and the variables by strong references, hidden ones
    /// included, depth first in slot order, and reports each object once.
    5 Look: Function("look") weight 0, Anywhere,
    "look()" => "walk everything reachable and report each object";

    /// `scan()`: reports every object that `gc.get_objects()` returns, in its order.
    6 Scan: Function("scan") weight 3, Anywhere,
    "scan()" => "report every object of gc.get_objects()";

    /// `collect(generation)`: an explicit collection of generation 0, 1 or 2.
    7 Collect: Function("collect") or "gc.collect" {
        /// 0 to 2.
        generation: u8 as Generation,
    } weight 1, Anywhere,
    "collect(2)" => "collect generation 0, 1 or 2";

    /// `collect_at_allocation(after, generation)`: the `after`-th allocation of a GC object from now (1 = the next)
    /// starts a collection as automatic ones start: inside the allocation up to 3.11, at the end of the running
    /// mutator operation from 3.12 on. Replaces an earlier request that is still waiting.
    8 CollectAtAllocation: Function("collect_at_allocation") {
        /// 1 to 255; 0 cancels.
        after: u8 as Allocation,
        /// 0 to 2.
        generation: u8 as Generation,
    } weight 3, Anywhere,
    "collect_at_allocation(3, 0)" => "start a collection at the third allocation from now (0 cancels)";

    /// `place()`: calls a callable object with no argument.
    9 Call: Grammar or "call" {
        /// The object to call.
        callable: Place as Object("a callable object"),
    } weight 1, Anywhere,
    "f()" => "call a callable object";

    /// `raise`: ends the running script with an exception, which is reported as unraisable. Without effect in the
    /// mutator's body.
    10 Raise: Phrase("raise") weight 1, Scripts,
    "raise" => "end the script with an exception";

    /// `gc.enable()`
    11 Enable: Function("gc.enable") weight 3, Anywhere,
    "gc.enable()" => "enable automatic collection";

    /// `gc.disable()`: the state in which every scenario starts.
    12 Disable: Function("gc.disable") weight 3, Anywhere,
    "gc.disable()" => "disable automatic collection (the initial state)";

    /// `gc.set_threshold(a, b, c)`.
    13 SetThreshold: Function("gc.set_threshold") {
        /// The three thresholds.
        thresholds: [u16; 3] as Thresholds,
    } weight 4, Anywhere,
    "gc.set_threshold(700, 10, 10)" => "set the thresholds";

    /// `gc.freeze()`. Without effect before 3.7.
    14 Freeze: Function("gc.freeze") weight 3, Anywhere,
    "gc.freeze()" => "move all tracked objects to the permanent generation";

    /// `gc.unfreeze()`. Without effect before 3.7.
    15 Unfreeze: Function("gc.unfreeze") weight 3, Anywhere,
    "gc.unfreeze()" => "move them back";

    /// `gc.set_debug(DEBUG_SAVEALL)` or `gc.set_debug(0)`.
    16 SaveAll: Function("gc.set_debug") {
        /// On or off.
        on: bool as SaveAll,
    } weight 3, Anywhere,
    "gc.set_debug(DEBUG_SAVEALL)" => "keep trash in gc.garbage; gc.set_debug(0) ends it";

    /// `del gc.garbage[:]`: from the last item to the first.
    17 EmptyGarbage: Phrase("del gc.garbage[:]") weight 2, Anywhere,
    "del gc.garbage[:]" => "empty gc.garbage";

    /// `gc.callbacks.append(callable)`. Its script runs at the start and at the end of each collection.
    /// Without effect before 3.3.
    18 AddGcCallback: Function("gc.callbacks.append") {
        /// The object to call.
        callable: Place as Object("a callable object"),
    } weight 3, Anywhere,
    "gc.callbacks.append(f)" => "call an object at the start and end of each collection";

    /// `del gc.callbacks[:]`.
    19 EmptyGcCallbacks: Phrase("del gc.callbacks[:]") weight 2, Anywhere,
    "del gc.callbacks[:]" => "remove all of them";

    /// `track(place)`: tracks an untracked extension object (tail of generation 0).
    20 Track: Function("track") {
        /// The object.
        object: Place as Object("an object"),
    } weight 3, Anywhere,
    "track(a)" => "track an extension object";

    /// `untrack(place)`: untracks a tracked extension object.
    21 Untrack: Function("untrack") {
        /// The object.
        object: Place as Object("an object"),
    } weight 3, Anywhere,
    "untrack(a)" => "untrack an extension object";

    /// `repeat(times, SCRIPT)`: runs a script's body as part of this one, with the same `self` and `arg`.
    /// Without effect outside the mutator's own body, so that it cannot nest.
    22 Repeat: Function("repeat") {
        /// 0 to 255.
        times: u8 as Times,
        /// The body to run.
        script: ScriptId as Body,
    } weight 4, Main,
    "repeat(3, S)" => "run a script's body several times as part of this one";

    /// `dst = shape(count, Kind(...))`: builds a graph of `count` objects of one kind (an extension shape).
    23 Build: Grammar {
        /// Where the graph's handle goes.
        dst: Place as Target,
        /// The graph.
        bulk: Bulk as Bulk,
        /// The type of the objects.
        kind: Kind as Graph,
        /// 1 to 16,777,215.
        count: u32 as Count,
    } weight 4, Anywhere,
    "a = chain(1000, Node())" => "build a chain, ring, tree or knots of many objects";

    /// `len(place)`: reports the length of a weak container.
    24 Len: Function("len") {
        /// The container.
        container: Place as Object("a weak container"),
    } weight 2, Anywhere,
    "len(d)" => "report the length of a weak container";

    /// `iterate(container, SCRIPT)`: iterates over the live entries of a weak container and runs the body once per
    /// entry, with the entry as `arg`, as part of this operation. The container's guard against removal is in force
    /// meanwhile. Without effect outside the mutator's own body.
    25 Iterate: Function("iterate") {
        /// The container.
        container: Place as Object("a weak container"),
        /// The body to run.
        script: ScriptId as Body,
    } weight 5, Main,
    "iterate(d, S)" => "run a script's body for each live entry, the entry as arg";
}

// A scenario of 100,000 operations is 3.6 MB, and the machine reads them one after the other.
const _: () = assert!(size_of::<Op>() == 36);

const _: () = {
    let mut i = 0;
    while i < OPERATIONS.len() {
        assert!(OPERATIONS[i].opcode as usize == Opcode::ALL[0] as usize + i, "tags follow each other");
        i += 1;
    }
};
