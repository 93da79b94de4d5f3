//! Why a file is refused.

/// Why bytes are not a binary scenario.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BinaryError {
    /// The first bytes are not [`MAGIC`](super::MAGIC).
    #[error("this is no binary scenario: it does not start with c0 72 6e 72")]
    NoScenario,
    /// The version is not known.
    #[error("version {version} of the binary form is unknown; known: 1")]
    UnknownVersion {
        /// The version in the file.
        version: u8,
    },
    /// The bytes end too early.
    #[error("the file ends at byte {offset}, inside the scenario")]
    Truncated {
        /// Length of the file.
        offset: usize,
    },
    /// A value that means nothing.
    #[error("byte {offset}: {value} is no {what}")]
    Invalid {
        /// Where.
        offset: usize,
        /// What it should be.
        what: &'static str,
        /// What it is.
        value: u32,
    },
    /// An operation in a body where it has no meaning.
    #[error("byte {offset}: {value} is no operation of the mutator ({word})")]
    Misplaced {
        /// Where.
        offset: usize,
        /// Its tag.
        value: u8,
        /// The operation.
        word: &'static str,
    },
    /// More than a scenario may contain.
    #[error("byte {offset}: more than {limit} {what}")]
    Limit {
        /// Where.
        offset: usize,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Something follows the end.
    #[error("byte {offset}: the scenario has ended, but bytes follow")]
    Trailing {
        /// The first byte after the end.
        offset: usize,
    },
}
