//! `probe_dump PYTHON [ROW]`: runs a scenario on real interpreters and prints what happened. The scenario is a row of
//! the behaviour table (`tests/cpython/rows.rs`), or comes in its text form on standard input.

#[path = "../tests/cpython/rows.rs"]
#[allow(dead_code)]
mod rows;

use coroner::cpython::{Python, resolve};
use coroner::event::{Event, EventBuffer};
use coroner::scenario::text::parse;
use coroner::subject::Subject;
use coroner::supervise::Limits;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let Some(wanted) = args.next() else { anyhow::bail!("usage: probe_dump PYTHON [ROW] [< SCENARIO]") };
    let scenario = match args.next() {
        Some(row) => rows::scenario(&row).ok_or_else(|| anyhow::anyhow!("no row {row}"))?,
        None => {
            let source = std::io::read_to_string(std::io::stdin())?;
            parse(&source).map_err(|list| anyhow::anyhow!("{}", list[0].render("stdin", &source, false)))?.scenario
        }
    };
    for interpreter in resolve(&wanted)?.interpreters {
        println!("== {}", interpreter.name());
        let mut python = Python::new(interpreter, Limits::default())?;
        let mut events: Vec<Event> = Vec::new();
        let result = python.run(&scenario, &mut EventBuffer::new(&mut events));
        events.iter().for_each(|event| println!("{event:?}"));
        if let Err(failure) = result {
            println!("{failure}");
        }
    }
    Ok(())
}
