//! `coroner list pythons`: the interpreters of this machine, what each is compared with, and which rows have none.

use super::listed::Item;
use crate::cpython::{self, FindError, Interpreter};
use crate::lookup;
use crate::model::collector::{ROWS, Row};
use crate::report::subject;

/// The names of the columns between name and text.
pub const HEADS: &[&str] = &["build", "level", "git", "row"];

/// The interpreters, those that cannot be used, and the rows that have none here.
pub fn items() -> Vec<Item> {
    let (mut usable, mut refused) = (Vec::new(), Vec::new());
    for found in cpython::installed() {
        match found {
            Ok(interpreter) => usable.push(interpreter),
            Err(error) => refused.push(error),
        }
    }
    cpython::tell_apart(&mut usable);
    let covered: Vec<&Row> = usable.iter().filter_map(|python| Row::covering(python.release)).collect();
    let missing = ROWS.iter().filter(|row| row.observed().is_some() && covered.iter().all(|c| c.first != row.first));
    let missing: Vec<Item> = missing.map(missing_row).collect();
    usable.iter().map(usable_item).chain(refused.iter().map(refused_item)).chain(missing).collect()
}

fn usable_item(python: &Interpreter) -> Item {
    let row = lookup::row_of(python);
    let build = if python.debug { "debug" } else { "release" };
    let columns =
        [build.to_owned(), level(python), python.git_id().unwrap_or("-").to_owned(), subject(&row.name, row.verified)];
    let path = python.program.to_string_lossy();
    let observed = Row::covering(python.release).map(Row::observed);
    let remark = match observed {
        _ if !python.is_release() => ": no release (`--against` names the row to compare with)".to_owned(),
        None => ": no row covers it (`--against` names the row to compare with)".to_owned(),
        Some(Some(observed)) if python.release > observed => {
            let news = "the last release that its row was compared with (`coroner diff` compares)";
            format!(": newer than {observed}, {news}")
        }
        Some(_) => String::new(),
    };
    Item::new(python.name(), columns.to_vec(), &format!("{path}{remark}"))
}

/// `final`, `alpha 4`, `candidate 1`; with a `+` for a build between two of them.
fn level(python: &Interpreter) -> String {
    let is_between = python.version.split_whitespace().next().is_some_and(|version| version.ends_with('+'));
    let mark = if is_between { "+" } else { "" };
    match python.level.as_str() {
        "final" => format!("final{mark}"),
        level => format!("{level} {}{mark}", python.serial),
    }
}

fn refused_item(error: &FindError) -> Item {
    let name = match error {
        FindError::FreeThreaded { version, .. } => format!("python-{version}"),
        _ => "-".to_owned(),
    };
    Item::new(name, ["unusable", "", "", ""].map(str::to_owned).to_vec(), &error.to_string())
}

fn missing_row(row: &Row) -> Item {
    let text = row.observed().map_or_else(String::new, |r| format!("no interpreter here; {r} will do"));
    Item::new("-", ["missing", "", "", &row.name()].map(str::to_owned).to_vec(), &text)
}
