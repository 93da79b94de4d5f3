//! What the total reader takes bytes for that mean nothing where they stand.

use super::super::{Opcode, Shape};

/// What a tag stands for.
#[derive(Clone, Copy)]
pub(super) enum Tag {
    Next,
    End,
    Operation(Opcode),
}

/// What the total reader takes a byte for that is no tag. Never changed: corpora of fuzzers are read by it.
pub(super) const LIKELY_TAGS: [Tag; 32] = {
    use Opcode::{Call, Collect, CollectAtAllocation, Deref, Iterate, Len, Look, New, Set, Track, Untrack};
    [
        Tag::Operation(New),
        Tag::Operation(New),
        Tag::Operation(New),
        Tag::Operation(New),
        Tag::Operation(New),
        Tag::Operation(New),
        Tag::Operation(New),
        Tag::Operation(New),
        Tag::Operation(Set),
        Tag::Operation(Set),
        Tag::Operation(Set),
        Tag::Operation(Set),
        Tag::Operation(Set),
        Tag::Operation(Set),
        Tag::Operation(Set),
        Tag::Operation(Set),
        Tag::Operation(Deref),
        Tag::Operation(Deref),
        Tag::Operation(Deref),
        Tag::Operation(Look),
        Tag::Operation(Collect),
        Tag::Operation(Collect),
        Tag::Operation(Collect),
        Tag::Operation(CollectAtAllocation),
        Tag::Operation(Call),
        Tag::Operation(Call),
        Tag::Operation(Track),
        Tag::Operation(Untrack),
        Tag::Operation(Iterate),
        Tag::Operation(Len),
        Tag::Next,
        Tag::Operation(New),
    ]
};

/// What the total reader takes a byte for that is no shape. Never changed, as [`LIKELY_TAGS`].
pub(super) const LIKELY_SHAPES: [Shape; 16] = [
    Shape::Node,
    Shape::Node,
    Shape::Node,
    Shape::Node,
    Shape::Node,
    Shape::Typed,
    Shape::Ref,
    Shape::Ref,
    Shape::Ref,
    Shape::KeyedRef,
    Shape::Function,
    Shape::Tuple,
    Shape::List,
    Shape::Instance,
    Shape::Dict,
    Shape::WeakValueDict,
];
