//! Runs as pictures: the heap as a graph that a reader steps through, for one collector or two side by side.
//!
//! A [`Picture`] is made of values only and knows nothing of files or processes: the command line writes it as a page
//! ([`page`]), as a drawing ([`svg`]) or for Graphviz ([`dot`]). Every object and reference that any frame has is placed once; a
//! frame only hides and colours.

mod alignment;
mod dot;
mod drawing;
mod frames;
mod heap_state;
mod layout;
mod looks;
mod page;
mod reasons;
mod source;
mod svg;
mod tables;
mod union;

#[cfg(test)]
mod tests;

pub use dot::dot;
pub use drawing::{Arrow, DrawnFrame, Object, Picture, Row, Side, Taken};
pub use frames::{Frame, FrameKind, MOST_FRAMES};
pub use heap_state::{HeapState, Life, Link, ObjectState, Part};
pub use layout::{Path, Point, Rect};
pub use looks::{ArrowLook, ObjectLook};
pub use page::{MOST_BYTES, page};
pub use source::Source;
pub use svg::svg;
pub use tables::{Broken, Table};
pub use union::{EdgeKind, MOST_EDGES, MOST_OBJECTS};
