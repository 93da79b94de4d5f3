//! What of a scenario the events of a real interpreter do not show, though its run is compared to the end.

use crate::scenario::{Scenario, Shape};

/// Something of the interpreter's that no event shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum NotObserved {
    /// The object that the registry of the library's `finalize` keeps under it (`_Info`), and the frame of its call.
    FinalizeEntry,
    /// The library's `WeakKeyDictionary`: scenarios have a composed one instead.
    LibraryContainers,
    /// Calls of the removal callback of a library's weak container, and the moment of a removal.
    RemovalCallbacks,
}

impl NotObserved {
    /// Every value, in the order of the enum.
    pub const ALL: [NotObserved; 3] =
        [NotObserved::FinalizeEntry, NotObserved::LibraryContainers, NotObserved::RemovalCallbacks];

    /// The words in reports.
    pub const fn word(self) -> &'static str {
        match self {
            NotObserved::FinalizeEntry => "entries of the registry of finalize",
            NotObserved::LibraryContainers => "WeakKeyDictionary of the library",
            NotObserved::RemovalCallbacks => "removal callbacks of weak containers",
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
                "it is composed by the probe of dicts, functions and weak references, so that each step is an event: a \
                 change in the library does not show"
            }
            NotObserved::RemovalCallbacks => {
                "their code is the library's: what a call has deleted or put off is told before the next snapshot, what it has \
                 deleted before the next weak reference dies, too"
            }
        }
    }

    /// What is not observed of a scenario, by number.
    pub fn of(scenario: &Scenario) -> [bool; NotObserved::ALL.len()] {
        let mut found = [false; NotObserved::ALL.len()];
        for shape in scenario.ops().iter().filter_map(|op| op.kind()).map(|kind| kind.shape) {
            found[NotObserved::FinalizeEntry as usize] |= shape == Shape::Finalize;
            let own = shape.is_library_container();
            found[NotObserved::RemovalCallbacks as usize] |= own;
            found[NotObserved::LibraryContainers as usize] |= shape == Shape::WeakKeyDict;
        }
        found
    }
}
