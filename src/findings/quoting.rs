//! Commands as a shell takes them.

/// An argument as a shell takes it. Lists and paths stay as people type them: `a,b`, `name=value`.
pub fn quoted(argument: &str) -> String {
    // The quoting library is more careful than a shell asks for: it would put quotes around each list.
    let plain = |c: char| c.is_alphanumeric() || "/._-+,=@%:".contains(c);
    match !argument.is_empty() && argument.chars().all(plain) {
        true => argument.to_owned(),
        // No argument of a process has the byte 0, which is all that cannot be quoted.
        false => shlex::try_quote(argument).map_or_else(|_| argument.to_owned(), |text| text.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        for argument in ["", "a b", "it's", "~x", "a\nb", "$HOME", "a,b", "x=1", "*.scn", "!", "caf\u{e9}"] {
            assert_eq!(shlex::split(&quoted(argument)), Some(vec![argument.to_owned()]), "{argument}");
        }
        assert_eq!(["a,b", "cpython-3.15+x", "~x"].map(quoted), ["a,b", "cpython-3.15+x", "'~x'"]);
    }
}
