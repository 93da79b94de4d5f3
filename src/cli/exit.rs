//! What a command ends with: one table for the code, the help and the documents.

/// What a command ends with. Where several hold, the greatest in this order counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// Nothing to complain about.
    Clean,
    /// Too little was judged or compared to say that there is nothing to complain about.
    NotCompared,
    /// A violation that counts, or an outcome that is not the expected one.
    Violation,
    /// An interpreter crashed, or did not come to its end, where the model defines an outcome.
    Crash,
    /// Model and interpreter disagree.
    Disagreement,
    /// The same scenario gave different events.
    Nondeterminism,
    /// The command line or a file makes no sense.
    BadInput,
    /// `check` cannot tell whether the bug is there.
    CannotTell,
    /// A terminal that was closed (SIGHUP) ended the command early.
    HungUp,
    /// Ctrl-C (SIGINT) ended the command early.
    Interrupted,
    /// A request to terminate (SIGTERM) ended the command early.
    Terminated,
}

impl Exit {
    /// Every end, in the order of the numbers.
    pub const ALL: [Exit; 11] = [
        Exit::Clean,
        Exit::Violation,
        Exit::BadInput,
        Exit::Nondeterminism,
        Exit::Crash,
        Exit::Disagreement,
        Exit::NotCompared,
        Exit::CannotTell,
        Exit::HungUp,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// The number that the process returns. After a signal it is 128 and the signal's number, as shells have it.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Violation => 1,
            Exit::BadInput => 2,
            Exit::Nondeterminism => 3,
            Exit::Crash => 4,
            Exit::Disagreement => 5,
            Exit::NotCompared => 6,
            Exit::CannotTell => 125,
            Exit::HungUp => 129,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }

    /// What it means, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Clean => "clean",
            Exit::Violation => "a violation that counts, or an outcome that is not the expected one",
            Exit::BadInput => "bad usage or input",
            Exit::Nondeterminism => "nondeterminism: the same scenario gave different events",
            Exit::Crash => "an interpreter died or did not come to its end, where the outcome is defined or expected",
            Exit::Disagreement => "model and interpreter disagree, or a change of rule can be noticed",
            Exit::NotCompared => "not compared: nothing else holds, but too little was run to say that all is well",
            Exit::CannotTell => "of `check`: it cannot tell whether the bug is there",
            Exit::HungUp => "ended early by SIGHUP, whatever was found",
            Exit::Interrupted => "ended early by SIGINT (Ctrl-C), whatever was found",
            Exit::Terminated => "ended early by SIGTERM, whatever was found",
        }
    }

    /// True if a signal ended the command early.
    pub const fn is_interrupted(self) -> bool {
        matches!(self, Exit::HungUp | Exit::Interrupted | Exit::Terminated)
    }
}

/// The variables of the environment that the program looks at, besides those of cargo and fuzzers.
pub const VARIABLES: [(&str, &str); 8] = [
    (
        "CORONER_PYTHONS",
        "interpreters that `all` and versions mean besides those of pyenv and PATH (separated like PATH)",
    ),
    ("CORONER_CACHE", "where probes are kept [default: coroner in XDG_CACHE_HOME or ~/.cache]"),
    ("CC", "the C compiler that builds probes [default: cc]"),
    ("PYENV_ROOT", "where pyenv's versions are [default: ~/.pyenv]"),
    ("NO_COLOR", "no colours, if it is set and not empty"),
    ("TERM", "no colours, if it is dumb"),
    ("COLUMNS", "how wide output on a terminal is, 60 to 160 [default: 80]"),
    ("CORONER_INVARIANT", "of `fuzz` and its targets: the invariant that is looked for (`coroner fuzz --help`)"),
];

/// The exit codes and the environment for the end of the help.
pub(super) fn help() -> String {
    let lines = Exit::ALL.iter().map(|exit| format!("{:>5}  {}\n", exit.code(), exit.meaning()));
    let variables = VARIABLES.iter().map(|(name, meaning)| format!("  {name}  {meaning}\n"));
    format!("Exit codes:\n{}\nEnvironment:\n{}", lines.collect::<String>(), variables.collect::<String>())
}

/// The exit codes as a table of a document.
pub fn exit_table() -> String {
    let lines = Exit::ALL.iter().map(|exit| format!("| {} | {} |\n", exit.code(), exit.meaning()));
    format!("| exit code | meaning |\n| --- | --- |\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_a_number_of_its_own() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 125, 129, 130, 143]);
    }

    #[test]
    fn not_compared_holds_where_nothing_else_does_and_a_signal_above_all() {
        let rest = || Exit::ALL.into_iter().filter(|exit| *exit != Exit::Clean && *exit != Exit::NotCompared);
        assert!(rest().all(|exit| exit > Exit::NotCompared && Exit::NotCompared > Exit::Clean));
        assert!(rest().filter(|exit| !exit.is_interrupted()).all(|exit| exit < Exit::HungUp));
    }
}
