//! `--native`: the C stack of the place where an interpreter dies.

use crate::cpython::{Interpreter, native_stack};
use crate::report::{Style, wrapped};
use crate::scenario::Scenario;
use crate::supervise::Limits;

use super::options;

/// The stack in lines for people, or why there is none.
///
/// # Errors
/// If the probe cannot be built.
pub fn text(interpreter: &Interpreter, scenario: &Scenario) -> anyhow::Result<String> {
    let style = Style { color: options::color() };
    Ok(match native_stack(interpreter, scenario, &Limits::default())? {
        Ok(stack) => {
            let head = style.head(&format!("C stack of {}, by {}", interpreter.name(), stack.tool));
            let room = options::width();
            let lines = stack.frames.iter().flat_map(|frame| wrapped(frame, room, "      "));
            format!("\n{head}\n{}\n", lines.collect::<Vec<_>>().join("\n"))
        }
        Err(why) => format!("\nno C stack of {}: {why}\n", interpreter.name()),
    })
}
