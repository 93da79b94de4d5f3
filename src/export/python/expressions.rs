//! How places are written.

use super::{Context, Printer};
use crate::export::instrument::{Path, Root};
use crate::scenario::{Base, Place, Shape};

/// One step from a holder of this shape.
fn step(shape: Option<Shape>, slot: u8) -> String {
    match (shape, slot) {
        (Some(Shape::List | Shape::Tuple | Shape::Dict), _) => format!("[{slot}]"),
        (Some(Shape::WeakValueDict | Shape::LibraryValueDict), _) => format!("[{slot}]"),
        (Some(Shape::Cell), _) => ".cell_contents".to_owned(),
        (Some(Shape::Function), 0) => ".__closure__".to_owned(),
        (Some(Shape::Function), 1) => ".__defaults__".to_owned(),
        (Some(Shape::Function), _) => ".__dict__".to_owned(),
        (Some(Shape::Method), 0) => ".__func__".to_owned(),
        (Some(Shape::Method), _) => ".__self__".to_owned(),
        _ => format!(".s{slot}"),
    }
}

impl Printer<'_> {
    /// A place as an expression.
    pub(super) fn expression(&self, place: Place, context: Context) -> String {
        match place.split() {
            Some((holder, slot)) => self.expression(holder, context) + &step(self.shape(holder), slot),
            None => match place.base {
                Base::Nothing => "None".to_owned(),
                Base::Var(var) => self.names.var(var).to_owned(),
                Base::Owner if context.is_function => "None".to_owned(),
                Base::Owner => "self".to_owned(),
                Base::Arg => "arg".to_owned(),
            },
        }
    }

    /// A path as an expression. What the closure of a function owns has a name inside it.
    ///
    /// # Errors
    /// If it starts with a function that has no name for itself.
    pub(super) fn path(&self, path: &Path, context: Context) -> Result<String, String> {
        let (mut text, mut rest) = match path.root {
            Root::Var(var) => (self.names.var(var).to_owned(), path.steps.as_slice()),
            Root::Owner => ("self".to_owned(), path.steps.as_slice()),
        };
        if path.root == Root::Owner && context.is_function {
            match rest {
                [(Shape::Function, 0), (Shape::Tuple, _), (Shape::Cell, _), more @ ..] => {
                    text = "owned".to_owned();
                    rest = more;
                }
                _ => return Err("a function has no name for itself".to_owned()),
            }
        }
        Ok(rest.iter().fold(text, |text, (shape, slot)| text + &step(Some(*shape), *slot)))
    }

    /// The variable of a place that may hold nothing.
    pub(super) fn may_be_unset(&self, place: Place) -> Option<&str> {
        match place.base {
            Base::Var(var) if self.unset.contains(&var) => Some(self.names.var(var)),
            _ => None,
        }
    }
}
