//! What of a scenario the events of a real interpreter do not show, though its run is compared to the end.

use crate::scenario::{Scenario, Shape};

/// Something of the interpreter's that no event shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum NotObserved {
    /// The object that the registry of the library's `finalize` keeps under it (`_Info`), and the frame of its call.
    FinalizeEntry,
    /// The library's weak containers: scenarios have composed ones instead.
    LibraryContainers,
}

impl NotObserved {
    /// Every value, in the order of the enum.
    pub const ALL: [NotObserved; 2] = [NotObserved::FinalizeEntry, NotObserved::LibraryContainers];

    /// The words in reports.
    pub const fn word(self) -> &'static str {
        match self {
            NotObserved::FinalizeEntry => "entries of the registry of finalize",
            NotObserved::LibraryContainers => "weak containers of the library",
        }
    }

    /// Why no event shows it, and what of it is compared all the same.
    pub const fn reason(self) -> &'static str {
        match self {
            NotObserved::FinalizeEntry => {
                "their class is the library's and not watched; callable and weak reference are told as slots of the \
                 `finalize`, the moment of an entry's death by what dies of it. The arguments that it keeps, one `None`, \
                 hold nothing"
            }
            NotObserved::LibraryContainers => {
                "they are composed by the probe of dicts, functions and weak references, so that each step is an event: a \
                 change in the library does not show"
            }
        }
    }

    /// What is not observed of a scenario, by number.
    pub fn of(scenario: &Scenario) -> [bool; NotObserved::ALL.len()] {
        let mut found = [false; NotObserved::ALL.len()];
        for shape in scenario.ops().iter().filter_map(|op| op.kind()).map(|kind| kind.shape) {
            found[NotObserved::FinalizeEntry as usize] |= shape == Shape::Finalize;
            found[NotObserved::LibraryContainers as usize] |= shape.is_weak_container();
        }
        found
    }
}
