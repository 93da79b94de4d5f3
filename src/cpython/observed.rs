//! What of a real run is the interpreter's own, what the probe makes itself, and what nobody sees: the source of
//! `docs/lockstep.md`.

use std::fmt::Write;

use crate::subject::{NotObserved, Release};

/// Whose word an event or field of a real run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The interpreter's: read from its memory, or told when it calls a slot, a hook or user code.
    Interpreter,
    /// An operation of the scenario, which the probe carries out: it could be nothing else.
    Operation,
    /// The probe's, though an interpreter has its own: that is not compared.
    Probe,
}

impl Source {
    const fn word(self) -> &'static str {
        match self {
            Source::Interpreter => "the interpreter",
            Source::Operation => "the operation",
            Source::Probe => "**the probe**",
        }
    }
}

/// Releases by major and minor number: from the first on, and up to but not including the second if there is one.
type Releases = ((u8, u8), Option<(u8, u8)>);

const ALL: Releases = ((2, 7), None);
const OLD: Releases = ((2, 7), Some((3, 4)));
const PEP_442: Releases = ((3, 4), None);

/// Whose word an event (`New`) or one of its fields (`New.origin`) is, in some releases, release and debug builds alike.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// The event, or event and field.
    pub what: &'static str,
    /// In which releases.
    pub releases: Releases,
    /// Whose word it is.
    pub source: Source,
    /// How it is come by.
    pub how: &'static str,
    /// For an event: the files of the probe that write it.
    pub files: &'static [&'static str],
}

const fn event(what: &'static str, source: Source, how: &'static str, files: &'static [&'static str]) -> Observed {
    Observed { what, releases: ALL, source, how, files }
}

const fn field(what: &'static str, source: Source, how: &'static str) -> Observed {
    Observed { what, releases: ALL, source, how, files: &[] }
}

const fn some(what: &'static str, releases: Releases, source: Source, how: &'static str) -> Observed {
    Observed { what, releases, source, how, files: &[] }
}

use Source::{Interpreter as Own, Operation as Op, Probe};

const ID: &str = "the number that the probe has given the object, found by its address";

/// Every event and field.
pub static OBSERVED: &[Observed] = &[
    event("Step", Op, "before each operation of the main body", &["run.c"]),
    field("Step.op", Op, "its number"),
    event("NoEffect", Op, "the probe finds that the operation cannot do anything", &["run.c"]),
    event("New", Own, "after the constructor has returned; what it has done meanwhile comes before", &["run.c"]),
    field("New.object", Own, ID),
    field("New.origin", Op, "the operation"),
    field("New.role", Probe, "why the probe knows the object: it made it, or found it in another"),
    event("NewWeak", Own, "after the constructor has returned", &["run.c"]),
    field("NewWeak.weak", Own, ID),
    field("NewWeak.referent", Op, "what the constructor was given; of the reference of a `finalize` what it refers to"),
    field("NewWeak.callback", Op, "what the constructor was given; of the reference of a `finalize` what it has"),
    event("StoreVar", Op, "a variable of the probe", &["place.c"]),
    field("StoreVar.var", Op, "its number"),
    field("StoreVar.object", Op, "its new content"),
    event(
        "StoreSlot",
        Op,
        "after the store. What a container of the library has let go of is told before the next snapshot, and before the \
         next weak reference dies. Of a `finalize`: its registry's entry is asked after creation and after each call; that a call takes \
         it away is said before the call, and taken back if it was not so",
        &["place.c", "run.c"],
    ),
    field("StoreSlot.holder", Op, ID),
    field("StoreSlot.slot", Op, "its number; of a `finalize` 0 for `func`, 1 for `weakref`"),
    field("StoreSlot.object", Op, "its new content"),
    event(
        "Enter",
        Own,
        "the interpreter calls the probe's slot, or a function whose code calls the probe, or a `finalize`. Of composed \
         containers and `ComposedFinalize` the code is the probe's",
        &["container.c", "library.c", "run.c"],
    ),
    field("Enter.code", Own, "which slot was called; of callables, what has called it"),
    field("Enter.owner", Own, ID),
    field("Enter.arg", Own, "the argument of the call"),
    event("Leave", Own, "before the slot returns", &["container.c", "library.c", "run.c"]),
    event("Saw", Own, "`scan`: what `gc.get_objects()` returned; `look`: what the probe finds in slots", &["run.c"]),
    field("Saw.object", Own, ID),
    field("Saw.introspection", Op, "the operation"),
    event("Answer", Own, "what the weak reference was asked for", &["run.c"]),
    field("Answer.weak", Own, ID),
    field("Answer.referent", Own, "what it answered"),
    event(
        "CollectStart",
        Own,
        "an operation calls `gc.collect()`; or the interpreter starts one by its own counts, in a window: the allocation before \
         that of a new object, from 3.12 on one between two operations. Outside of windows it is kept from it",
        &["collect.c"],
    ),
    some("CollectStart.generation", OLD, Own, "of an automatic one: what `DEBUG_STATS` says"),
    some("CollectStart.generation", PEP_442, Own, "of an automatic one: whose statistics have changed"),
    field("CollectStart.automatic", Own, "no operation has asked for it"),
    event("CollectEnd", Own, "the call or the window is over", &["collect.c"]),
    field("CollectEnd.generation", Own, "as `CollectStart`"),
    some("CollectEnd.returned", OLD, Own, "what `gc.collect()` returned; of an automatic one what `DEBUG_STATS` says"),
    some("CollectEnd.returned", PEP_442, Own, "what `gc.collect()` returned; of an automatic one from the statistics"),
    some("CollectEnd.uncollectable", OLD, Own, "how many objects `DEBUG_UNCOLLECTABLE` has named"),
    some("CollectEnd.uncollectable", ((3, 4), Some((3, 15))), Own, "the statistics"),
    some("CollectEnd.uncollectable", ((3, 15), None), Own, "how many objects `DEBUG_UNCOLLECTABLE` has named"),
    event(
        "Refused",
        Probe,
        "said because a collection of the probe runs; `gc.collect()` is called, its answer not compared",
        &["collect.c"],
    ),
    event(
        "Clear",
        Own,
        "a wrapper around `tp_clear` of the type, before the original",
        &["builtin.c", "node.c", "pyclass.c", "weak.c"],
    ),
    field("Clear.object", Own, ID),
    event(
        "Dealloc",
        Own,
        "a wrapper around `tp_dealloc` of the type; of classes with a finalizer when that has returned and nobody has kept the \
         object",
        &["builtin.c", "node.c", "pyclass.c", "weak.c"],
    ),
    field("Dealloc.object", Own, ID),
    event(
        "Free",
        Own,
        "the original `tp_dealloc` has returned, or calls `tp_free`",
        &["builtin.c", "node.c", "pyclass.c", "weak.c"],
    ),
    field("Free.object", Own, ID),
    Observed {
        files: &["module.c"],
        ..some("Unraisable", ((2, 7), Some((3, 8))), Own, "the interpreter writes \"Exception\" to `sys.stderr`")
    },
    Observed { files: &["module.c"], ..some("Unraisable", ((3, 8), None), Own, "`sys.unraisablehook` is called") },
    field("Unraisable.owner", Probe, "the script that has raised last"),
    event(
        "Length",
        Own,
        "`len()` has returned; that of composed containers is the probe's",
        &["container.c", "libcontainer.c"],
    ),
    field("Length.container", Op, ID),
    field("Length.len", Own, "what it has returned; of composed containers the probe's count"),
    field("Length.raw", Own, "the size of its data"),
    event(
        "Yielded",
        Own,
        "the library's generator has given out an object; the iteration over a composed container is the probe's",
        &["container.c", "libcontainer.c"],
    ),
    field("Yielded.container", Op, ID),
    field(
        "Yielded.entry",
        Own,
        "what it has given out; of composed containers what the entry's weak reference answers",
    ),
    event("Snapshot", Probe, "the probe looks", &["events.c"]),
    event("State", Own, "the lists of the collector; then what is in none", &["events.c"]),
    field("State.object", Own, ID),
    field(
        "State.refcount",
        Own,
        "`ob_refcnt` less what frames, stacks and argument tuples of calls in progress hold beyond the model's: measured \
         once when the probe starts",
    ),
    field("State.spot", Own, "in which list it is; which list that is was found when the probe started"),
    some("State.finalized", OLD, Probe, "false: there is no such bit"),
    some("State.finalized", PEP_442, Own, "the bit in the GC header"),
    event("Weak", Own, "the lists of weak references of the objects; then what is in none", &["events.c"]),
    field("Weak.weak", Own, ID),
    field("Weak.referent", Own, "whether `wr_object` is None; which object it was is known since it was made"),
    field("Weak.callback", Own, "whether `wr_callback` is NULL"),
    event("Garbage", Own, "`gc.garbage`", &["events.c"]),
    field("Garbage.object", Own, ID),
    event("Undefined", Probe, "of no interpreter: the model says it, and the comparison ends there", &[]),
    field("Undefined.reason", Probe, "as the event"),
    event("End", Op, "after the last operation", &["run.c"]),
];

/// Something that is there, that the model has without a number, and of which no event tells.
#[derive(Clone, Copy, Debug)]
pub struct Hidden {
    /// What it is.
    pub what: &'static str,
    /// In which releases.
    pub releases: Releases,
    /// Why it is not seen, and what of it is compared all the same.
    pub reason: &'static str,
    /// File of the model, and how many places of it make such an object.
    pub made: (&'static str, usize),
}

/// Everything of the kind.
pub static HIDDEN: &[Hidden] = &[
    Hidden {
        what: "entry of the registry of `finalize` (`_Info`)",
        releases: PEP_442,
        reason: NotObserved::FinalizeEntry.reason(),
        made: ("finalize.rs", 1),
    },
    Hidden {
        what: "frame of a call of `finalize`",
        releases: ((3, 4), Some((3, 11))),
        reason: "no object of a scenario; what it holds counts as references from outside, from 3.11 on without an object",
        made: ("finalize.rs", 1),
    },
    Hidden {
        what: "frame of a function",
        releases: ((2, 7), Some((3, 11))),
        reason: "no object of a scenario; what it holds counts as references from outside, from 3.11 on without an object",
        made: ("user_code.rs", 1),
    },
    Hidden {
        what: "tuple of arguments of a call",
        releases: ALL,
        reason: "the interpreter's own, gone when the call is over; its references are in the counts",
        made: ("user_code.rs", 1),
    },
    Hidden {
        what: "tuple of arguments of `gc.callbacks`",
        releases: ((2, 7), Some((3, 8))),
        reason: "its end empties the trashcan, which shows",
        made: ("user_code.rs", 1),
    },
    Hidden {
        what: "tuple of arguments of the report of an error",
        releases: OLD,
        reason: "its end empties the trashcan, which shows",
        made: ("user_code.rs", 1),
    },
    Hidden {
        what: "tuple of weak references and callbacks of a dying object",
        releases: ALL,
        reason: "the interpreter's own, gone when they have been called; its references are in the counts",
        made: ("dealloc.rs", 1),
    },
    Hidden {
        what: "list that `gc.get_objects()` returns",
        releases: ALL,
        reason: "dropped when it has been read",
        made: ("introspection.rs", 1),
    },
    Hidden {
        what: "tuple of the entries of an iteration over a composed container",
        releases: ALL,
        reason: "the probe's own",
        made: ("container.rs", 1),
    },
    Hidden {
        what: "generator of an iteration over a container of the library, its frame, guard, iterator and copy of the data",
        releases: ((3, 6), None),
        reason: "taken out of the collector's lists when they have been made; what they hold counts as references from outside",
        made: ("library_iteration.rs", 1),
    },
];

/// What an interpreter has, that the probe does itself or changes, and no event shows.
pub static REPLACED: &[(&str, Releases, &str)] = &[
    ("`gc.enable`, `gc.disable`", ALL, "called, but between windows automatic collection is off"),
    (
        "`gc.get_count`",
        ALL,
        "told to the model before each window in which a collection is due; not compared with the model's",
    ),
    ("`WeakKeyDictionary`", ALL, NotObserved::LibraryContainers.reason()),
    ("hash of `weakref.ref`", ((3, 6), None), "the number of its object, so that the order of a set of them is known"),
    ("hash and equality of `KeyedRef` and methods", ((3, 6), None), "by identity, so that every object can be a key"),
    (
        "keys of dicts",
        ((2, 7), Some((3, 6))),
        "numbers of insertion, so that the order of the table is that of insertion",
    ),
    ("the empty tuple", ALL, "one of its own instead of the shared one"),
    (
        "when the trashcan puts an object off",
        ((2, 7), Some((3, 14))),
        "the probe decides by the interpreter's own counter",
    ),
];

const fn reaches(releases: Releases, release: (u8, u8)) -> bool {
    let ((major, minor), until) = releases;
    let at_least = release.0 > major || release.0 == major && release.1 >= minor;
    let before = match until {
        Some((major, minor)) => release.0 < major || release.0 == major && release.1 < minor,
        None => true,
    };
    at_least && before
}

/// The lines of [`OBSERVED`] that hold for a release.
pub fn observed_on(release: Release) -> impl Iterator<Item = &'static Observed> {
    OBSERVED.iter().filter(move |line| reaches(line.releases, (release.major, release.minor)))
}

fn released(releases: Releases) -> String {
    let number = |(major, minor): (u8, u8)| format!("{major}.{minor}");
    match releases {
        ALL => "all".to_owned(),
        OLD => "2.7".to_owned(),
        (since, None) => format!("{} on", number(since)),
        ((2, 7), Some(until)) => format!("before {}", number(until)),
        (since, Some(until)) => format!("{} on, before {}", number(since), number(until)),
    }
}

/// The generated part of `docs/lockstep.md`.
pub fn observed_markdown() -> String {
    let mut out = String::from("| event, field | releases | whose word | how |\n| --- | --- | --- | --- |\n");
    for line in OBSERVED {
        let (releases, source) = (released(line.releases), line.source.word());
        _ = writeln!(out, "| `{}` | {releases} | {source} | {} |", line.what, line.how);
    }
    out += "\nWhat is there, and no event tells of:\n\n| what | releases | reason |\n| --- | --- | --- |\n";
    for hidden in HIDDEN {
        _ = writeln!(out, "| {} | {} | {} |", hidden.what, released(hidden.releases), hidden.reason);
    }
    out += "\nWhat the interpreter has, and the probe does itself or changes:\n\n| what | releases | how |\n| --- | --- | --- |\n";
    for (what, releases, how) in REPLACED {
        _ = writeln!(out, "| {what} | {} | {how} |", released(*releases));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cpython::compile::SOURCES;

    /// Every event and field, from the source of the vocabulary.
    fn vocabulary() -> Vec<(String, Vec<String>)> {
        let source = include_str!("../event/mod.rs");
        let body = source.split_once("pub enum Event {\n").unwrap().1.split_once("\n}\n").unwrap().0;
        let mut events: Vec<(String, Vec<String>)> = Vec::new();
        for line in body.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let word: String = line.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            match line.len() - line.trim_start().len() {
                4 if !word.is_empty() => events.push((word, Vec::new())),
                8 if !word.is_empty() => events.last_mut().unwrap().1.push(word),
                _ => {}
            }
        }
        events
    }

    fn releases() -> impl Iterator<Item = (u8, u8)> {
        std::iter::once((2, 7)).chain((4..=15).map(|minor| (3, minor)))
    }

    #[test]
    fn every_event_and_field_has_one_line_in_every_release() {
        let events = vocabulary();
        assert!(events.len() >= 24 && events.iter().any(|(event, _)| event == "Yielded"), "{events:?}");
        let words = events.iter().flat_map(|(event, fields)| {
            let fields = fields.iter().map(move |field| format!("{event}.{field}"));
            std::iter::once(event.clone()).chain(fields)
        });
        let words: BTreeSet<String> = words.collect();
        for release in releases() {
            let mut lines: Vec<&str> =
                OBSERVED.iter().filter(|line| reaches(line.releases, release)).map(|line| line.what).collect();
            lines.sort_unstable();
            assert_eq!(lines, words.iter().map(String::as_str).collect::<Vec<_>>(), "{release:?}");
        }
    }

    /// `StoreSlot` as the probe writes it: `STORE_SLOT`.
    fn screaming(event: &str) -> String {
        let mut word = String::new();
        for (at, c) in event.char_indices() {
            if c.is_uppercase() && at > 0 {
                word.push('_');
            }
            word.extend(c.to_uppercase());
        }
        word
    }

    #[test]
    fn the_probe_writes_events_where_the_list_says() {
        for (event, _) in vocabulary() {
            let call = format!("emit(EV_{},", screaming(&event));
            let writes = |(name, text): &(&'static str, &str)| text.contains(&call).then_some(*name);
            let found: BTreeSet<&str> = SOURCES.iter().filter_map(writes).collect();
            let lines = OBSERVED.iter().filter(|line| line.what == event).flat_map(|line| line.files);
            let told: BTreeSet<&str> = lines.copied().collect();
            assert_eq!(found, told, "{event}");
        }
    }

    #[test]
    fn every_object_of_the_model_without_a_number_is_listed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model/machine");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let places = [".create_temporary(", ".create_unnamed("].map(|call| text.matches(call).count());
            let listed = HIDDEN.iter().filter(|hidden| hidden.made.0 == name).map(|hidden| hidden.made.1);
            assert_eq!(places.into_iter().sum::<usize>(), listed.sum::<usize>(), "{name}");
        }
    }
}
