//! Facts about single collectors, each as the events that a short scenario must show.

use crate::event::{Code, Event, ObjId, Role, Spot, record};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::scenario::text;

/// The events of a text on CPython 3.12.
fn events(source: &str) -> Vec<Event> {
    let scenario = text::parse(&format!("coroner 1\n{source}")).unwrap_or_else(|errors| panic!("{errors:?}")).scenario;
    record(|out| Machine::new(&Collector::parse("cpython-3.12").unwrap()).run(&scenario, out))
}

/// The object with this number, counted from 0 in order of creation among those that operations name.
fn named(events: &[Event], number: usize) -> ObjId {
    let object = |event: &Event| match event {
        Event::New { object, role: Role::Named, .. } => Some(*object),
        _ => None,
    };
    events.iter().filter_map(object).nth(number).unwrap()
}

fn position(events: &[Event], event: Event) -> usize {
    events.iter().position(|other| *other == event).unwrap_or_else(|| panic!("{event:?} is not among {events:#?}"))
}

/// Where the last snapshot has an object.
fn last_spot(events: &[Event], wanted: ObjId) -> Option<Spot> {
    events.iter().rev().find_map(|event| match *event {
        Event::State { object, spot, .. } if object == wanted => Some(spot),
        _ => None,
    })
}

/// `_commit_removals` pops from the end of its list.
#[test]
fn removals_that_were_put_off_are_made_last_first() {
    let source = "
def A():
    del a
    del b

c = ComposedWeakValueDictionary()
a = Node()
b = Node()
d = Node()
c[0] = a
c[1] = b
c[2] = d
iterate(c, A)
";
    let events = events(source);
    let data = events.iter().find_map(|event| match event {
        Event::New { object, role: Role::ContainerData, .. } => Some(*object),
        _ => None,
    });
    let removed = |event: &Event| match *event {
        Event::StoreSlot { holder, slot, object: None } if Some(holder) == data => Some(slot),
        _ => None,
    };
    // `b` dies first, `a` when the iteration lets go of it.
    assert_eq!(events.iter().filter_map(removed).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn the_length_of_a_set_leaves_out_what_waits_to_be_removed() {
    let source = "
def A():
    del a
    len(c)

c = ComposedWeakSet()
a = Node()
b = Node()
c[0] = a
c[0] = b
iterate(c, A)
";
    let lengths = events(source).into_iter().filter_map(|event| match event {
        Event::Length { len, raw, .. } => Some((len, raw)),
        _ => None,
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [(2, 2), (1, 2)]);
}

#[test]
fn an_error_is_reported_after_the_death_of_the_arguments() {
    let source = "
def C():
    del w
    raise

f = Node(call=C)
x = Node()
w = ref(x, f)
del x
";
    let events = events(source);
    let (callable, weak) = (named(&events, 0), named(&events, 2));
    let [left, died, reported] = [Event::Leave, Event::Free { object: weak }, Event::Unraisable { owner: callable }]
        .map(|e| position(&events, e));
    assert!(left < died && died < reported, "{events:#?}");
}

/// A stale mark makes a later collection count references of an object that it does not examine.
fn is_out_of_the_next_collection(events: &[Event], survivor: ObjId) {
    let ended = events.iter().filter(|event| matches!(event, Event::CollectEnd { .. })).count();
    assert!(ended == 2 && events.contains(&Event::End), "{events:#?}");
    assert_eq!(last_spot(events, survivor), Some(Spot::Gen2));
}

#[test]
fn survivors_of_a_collection_are_not_part_of_the_next() {
    let source = "
def F():
    w = ref(self)

gc.set_debug(DEBUG_SAVEALL)
x = Node(finalizer=F)
x[0] = x
del x
collect(2)
y = deref(w)
n = Node()
n[0] = y
collect(0)
";
    let events = events(source);
    is_out_of_the_next_collection(&events, named(&events, 0));
}

#[test]
fn plain_survivors_of_a_collection_are_not_part_of_the_next() {
    let source = "
def F():
    w = ref(self[0])

def G():
    y = deref(w)

f = Node(finalizer=F)
p = Node()
f[0] = p
p[0] = p
f[1] = Node(gc=no, finalizer=G)
f[2] = f
del p
del f
collect(2)
n = Node()
n[0] = y
collect(0)
";
    let events = events(source);
    let survivor = named(&events, 1);
    assert!(position(&events, Event::Clear { object: survivor }) > 0);
    is_out_of_the_next_collection(&events, survivor);
}

#[test]
fn a_saved_object_saves_what_it_reaches() {
    let source = "
def S():
    g = self[0]

def N():
    pass

f = Node(finalizer=S)
t = Node()
u = tuple(t)
h = function(N, defaults=u)
f[0] = h
f[1] = f
del t
del u
del h
del f
collect(2)
";
    let events = events(source);
    let cleared = |event: &Event| if let Event::Clear { object } = event { Some(*object) } else { None };
    assert_eq!(events.iter().filter_map(cleared).collect::<Vec<_>>(), [named(&events, 0)]);
}

/// The bit is in the GC header, which untracking leaves alone.
#[test]
fn an_untracked_object_remembers_that_it_was_finalized() {
    let source = "
def F():
    k = self

a = Node(finalizer=F)
del a
untrack(k)
track(k)
del k
";
    let events = events(source);
    let finalized = |event: &&Event| matches!(event, Event::Enter { code: Code::Finalizer, .. });
    assert_eq!(events.iter().filter(finalized).count(), 1);
    assert!(events.contains(&Event::Free { object: named(&events, 0) }));
}

/// The generations of the automatic collections of a run.
fn automatic(events: &[Event]) -> Vec<u8> {
    let started = |event: &Event| match *event {
        Event::CollectStart { generation, automatic: true } => Some(generation),
        _ => None,
    };
    events.iter().filter_map(started).collect()
}

/// `long_lived_pending < long_lived_total / 4` puts it off.
#[test]
fn a_full_collection_waits_for_a_quarter_of_what_is_old() {
    for (old, full) in [(80, false), (4, true)] {
        let made: String = (0..16).map(|n| format!("b{n} = Node()\n")).collect();
        let events =
            events(&format!("\na = chain({old}, Node())\ncollect(2)\ngc.set_threshold(1, 0, 0)\ngc.enable()\n{made}"));
        let automatic = automatic(&events);
        assert!(automatic.contains(&1), "{old}: {automatic:?}");
        assert_eq!(automatic.contains(&2), full, "{old}: {automatic:?}");
    }
}

#[test]
fn allocations_count_less_deaths() {
    let start = "\ngc.set_threshold(2, 0, 0)\ngc.enable()\n";
    assert_eq!(automatic(&events(&format!("{start}{}", "Node()\n".repeat(8)))), [0; 0]);
    let kept: String = (0..4).map(|n| format!("a{n} = Node()\n")).collect();
    assert_eq!(automatic(&events(&format!("{start}{kept}"))), [0]);
}

#[test]
fn no_collection_starts_by_itself_unless_it_may() {
    let kept: String = (0..4).map(|n| format!("a{n} = Node()\n")).collect();
    for mode in ["gc.set_threshold(2, 0, 0)\n", "gc.set_threshold(0, 0, 0)\ngc.enable()\n"] {
        assert_eq!(automatic(&events(&format!("\n{mode}{kept}"))), [0; 0], "{mode}");
    }
}

#[test]
fn freezing_starts_to_count_anew() {
    let source = |between: &str| {
        format!("\ngc.set_threshold(2, 0, 0)\ngc.enable()\na = Node()\nb = Node()\n{between}c = Node()\nd = Node()\n")
    };
    assert_eq!(automatic(&events(&source(""))), [0]);
    assert_eq!(automatic(&events(&source("gc.freeze()\n"))), [0; 0]);
}

#[test]
fn what_is_unfrozen_is_old() {
    for (mode, spot) in [("", Spot::Permanent), ("gc.unfreeze()\n", Spot::Gen2)] {
        let events = events(&format!("\na = Node()\ngc.freeze()\n{mode}"));
        assert_eq!(last_spot(&events, named(&events, 0)), Some(spot));
    }
}

#[test]
fn a_collection_inside_of_another_one_is_refused() {
    let source = "
def F():
    collect(2)

a = Node(finalizer=F)
a[0] = a
del a
collect(2)
";
    let events = events(source);
    let [entered, refused, left] = [
        events.iter().position(|event| matches!(event, Event::Enter { code: Code::Finalizer, .. })).unwrap(),
        position(&events, Event::Refused),
        position(&events, Event::Leave),
    ];
    assert!(entered < refused && refused < left);
}
