//! `--against`: which row of the model an interpreter is compared with.

use crate::cpython::Interpreter;
use crate::lookup::{self, Imitation};
use crate::model::collector::Collector;

/// What interpreters are compared with.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Against {
    /// The row of the model to compare with, perhaps with switches changed (cpython-3.15-pep442) [default for
    /// interpreters: the newest whose version fits]
    #[arg(long = "against", value_name = "ROW", value_parser = collector)]
    row: Option<Collector>,
}

impl Against {
    /// The row, if one is named.
    pub fn row(&self) -> Option<&Collector> {
        self.row.as_ref()
    }

    /// Its name.
    pub fn name(&self) -> Option<String> {
        self.row.as_ref().map(|row| row.name.clone())
    }

    /// The option with its value, after a space; nothing if it is not given.
    pub fn option(&self) -> String {
        self.name().map_or_else(String::new, |name| format!(" --against {name}"))
    }
}

/// An interpreter with the row that it is compared with.
pub fn imitation(interpreter: Interpreter, against: Option<&Collector>) -> Imitation {
    match against {
        Some(row) => Imitation { interpreter, collector: row.clone() },
        None => {
            lookup::chosen_row(&interpreter).iter().for_each(|line| eprintln!("{line}"));
            Imitation::of(interpreter)
        }
    }
}

/// The collector with a name.
///
/// # Errors
/// A sentence that names what means nothing, and the nearest name.
fn collector(name: &str) -> Result<Collector, String> {
    Collector::parse(name.trim()).map_err(|error| error.to_string())
}
