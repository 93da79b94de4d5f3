//! The compact binary form of scenarios.
//!
//! A file is [`MAGIC`], the version byte, operations, and the tag `END`. An operation is a tag byte and its operands;
//! the tag `NEXT` starts the next body. Tags and the numbers of shapes are append-only.
//!
//! | operand | bytes |
//! | --- | --- |
//! | place | bits 0-1 base (nothing, variable, `self`, `arg`), bits 2-3 number of slots, bits 4-7 variable; 15 means that it follows as 16 bits, low byte first; then a byte per slot |
//! | script, generation, number of times | one byte |
//! | threshold | 16 bits, low byte first |
//! | count | 7 bits per byte, low bits first, bit 7 set on all but the last |
//! | kind of an extension shape | shape; flags (bits 0-1 tracking, 2 hidden, 3 clear, 4 finalizer, 5 call, 6 dealloc, 7 rare); rare flags if bit 7 (0 doubled, 1 fickle, 2 keeps tracked, 3 keeps weakrefs, 4 legacy finalizer); then what the flags announce, in the order hidden, doubled, fickle, clear (16: no `clear`), finalizer, call, dealloc |
//! | another kind | shape; if it can be finalized or called, one byte: 0 or the script plus 1 |
//! | items | as many places as the shape takes |
//!
//! There are two readers. [`decode`] is for files and refuses what it does not understand. [`decode_total`] is for
//! fuzzers: every byte string means a scenario. It reads what `decode` reads in the same way, and takes anything
//! else modulo what exists at that point: known variables, defined scripts, places where one is needed.

mod decode;
mod encode;
mod error;
mod likely;

#[cfg(test)]
mod tests;

pub use decode::{MAX_TOTAL_COUNT, decode, decode_into, decode_total, decode_total_into};
pub use encode::{encode, encode_to_vec};
pub use error::BinaryError;

/// The first bytes of a binary file; the first is not UTF-8, so no text starts like this.
pub const MAGIC: [u8; 4] = [0xc0, b'r', b'n', b'r'];
/// The version that is written, and the only one that is read.
pub const VERSION: u8 = 1;

/// Tags of what structures a file. Those of operations follow: [`Opcode`](super::Opcode).
mod tag {
    pub const NEXT: u8 = 0;
    pub const END: u8 = 1;
}

/// Bits of a kind's first flag byte; bits 0 and 1 are the tracking.
mod flag {
    pub const HIDDEN: u8 = 1 << 2;
    pub const CLEAR: u8 = 1 << 3;
    pub const FINALIZER: u8 = 1 << 4;
    pub const CALL: u8 = 1 << 5;
    pub const DEALLOC: u8 = 1 << 6;
    pub const RARE: u8 = 1 << 7;
}

/// Bits of a kind's second flag byte.
mod rare {
    pub const DOUBLED: u8 = 1;
    pub const FICKLE: u8 = 1 << 1;
    pub const KEEPS_TRACKED: u8 = 1 << 2;
    pub const KEEPS_WEAKREFS: u8 = 1 << 3;
    pub const LEGACY: u8 = 1 << 4;
    /// Every bit.
    pub const ALL: u8 = (1 << 5) - 1;
}

/// The byte that says that a type has no `clear`.
const CLEAR_MISSING: u8 = 16;
/// The four bits that say that a variable's number follows.
const WIDE_VAR: u16 = 15;
