//! How much a subject shows of its state.

/// What the one who runs a subject wants to see besides what happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Observation {
    /// Nothing: no snapshot is taken.
    Nothing,
    /// All of the state: each snapshot shows every object.
    #[default]
    Full,
}
