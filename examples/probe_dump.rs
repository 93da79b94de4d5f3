//! `probe_dump PYTHON ROW`: runs a scenario of the behaviour table on a real interpreter and prints what happened.

#[path = "../tests/cpython/rows.rs"]
#[allow(dead_code)]
mod rows;

use coroner::cpython::{Limits, Python, resolve};
use coroner::event::Event;
use coroner::subject::Subject;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(wanted), Some(row)) = (args.next(), args.next()) else {
        anyhow::bail!("usage: probe_dump PYTHON ROW");
    };
    let Some(scenario) = rows::scenario(&row) else { anyhow::bail!("no row {row}") };
    for interpreter in resolve(&wanted)? {
        println!("== {} on {}", row, interpreter.name());
        let mut python = Python::new(interpreter, Limits::default())?;
        let mut events: Vec<Event> = Vec::new();
        let result = python.run(&scenario, &mut events);
        events.iter().for_each(|event| println!("{event:?}"));
        if let Err(failure) = result {
            println!("{failure}");
        }
    }
    Ok(())
}
