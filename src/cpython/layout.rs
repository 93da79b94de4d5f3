//! The header `layout.h` of the probe: everything that both sides must number and arrange alike, from the tables.

use crate::event::{Code, Role, Spot, Tag};
use crate::scenario::layout::{declarations, enumeration};
use crate::scenario::numbered;

numbered! {
    /// Marks of the probe among the events of a batch; nobody but the reader of a batch sees them.
    pub(super) enum Mark {
        /// A scenario begins; with its number in the batch.
        BeginScenario = 0xf0,
        /// It has ended; with a [`Status`], a detail, and the nanoseconds from the first operation to the last event.
        EndScenario,
        /// What the process holds: references (0) or blocks of memory (1), and how many. Before the end, if asked for.
        Memory,
        /// The interpreter's counts ask for a collection, and it may start one now: the counts, the first in the upper half
        /// of the first word, the others in the halves of the second.
        Moment,
    }
}

numbered! {
    /// How a scenario ended.
    pub(super) enum Status {
        /// To its end.
        Done,
        /// It asks for what this interpreter has not: 0x100 plus a shape.
        Unsupported,
        /// Broken off, for a reason of [`GaveUp`].
        GaveUp,
    }
}

numbered! {
    /// Why a scenario was broken off: what the probe has not room for, which is no fault of the interpreter, or an
    /// error that nobody expects (out of memory).
    pub(super) enum GaveUp {
        Not,
        Error,
        Events,
        Functions,
        Containers,
        Removals,
        Keys,
    }
}

/// The text of `layout.h`.
pub(super) fn header() -> String {
    let mut out = String::from("/* Written from the tables of coroner: not to be edited. */\n");
    out.push_str(&declarations());
    enumeration::<Tag>(&mut out, "EV");
    enumeration::<Mark>(&mut out, "EV");
    enumeration::<Code>(&mut out, "CODE");
    enumeration::<Role>(&mut out, "ROLE");
    enumeration::<Spot>(&mut out, "SPOT");
    enumeration::<Status>(&mut out, "STATUS");
    enumeration::<GaveUp>(&mut out, "GAVE_UP");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_files_and_digests() {
        let header = header();
        for line in [
            "    EV_STEP = 1,",
            "    EV_END = 25,",
            "    EV_BEGIN_SCENARIO = 240,",
            "    EV_MEMORY = 242,",
            "    EV_MOMENT = 243,",
            "    CODE_LEGACY_FINALIZER = 1,",
            "    ROLE_CONTAINER_CLOSURE = 9,",
            "    SPOT_NO_HEADER = 6,",
            "    STATUS_GAVE_UP = 2,",
            "    GAVE_UP_KEYS = 6,",
        ] {
            assert!(header.lines().any(|l| l == line), "{line} is not in\n{header}");
        }
    }
}
