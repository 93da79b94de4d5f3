use super::*;

/// Everything that is said about a file.
fn messages(source: &str) -> String {
    let diagnostics = match parse(source) {
        Ok(document) => document.warnings,
        Err(errors) => errors,
    };
    diagnostics.iter().map(|d| d.render("x.scn", source, false)).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(source: &str, expected: &str) {
    let found = messages(source);
    assert_eq!(found.trim_end(), expected.trim(), "\n{found}");
}
