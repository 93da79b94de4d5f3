//! Several interpreters and actors on one heap: each does what it would do alone.

use std::collections::BTreeMap;
use std::ops::Range;

use super::actor::ActorId;
use super::frame::Frame;
use super::interpreter::InterpreterId;
use super::{Execution, Machine};
use crate::event::{Event, EventBuffer};
use crate::generate::Seed;
use crate::model::collector::{Collector, GcState};
use crate::model::heap::List;
use crate::scenario::Scenario;
use crate::scenario::text;

/// The scripts of a program and its operations; its names begin with a letter of its own.
const PROGRAM: [&str; 2] = [
    "
def #called():
    #t = Node()
    #t[0] = #t
    del #t
    collect(1)

def #again():
    #kept = self
    collect(0)
    #u = Instance(finalizer=#called)
    #u[0] = #u
    del #u

def #started():
    #v = Node()
    #v[0] = #v
    #w = ref(#v)
    del #v
",
    "
gc.set_threshold(3, 2, 2)
#f = Node(call=#called)
#x = Node(finalizer=#again)
#x[0] = #x
#x[1] = #f
#r = ref(#x, #f)
#y = Instance(finalizer=#again)
#y[0] = #x
gc.enable()
#l = list()
#l[0] = #l
#d = dict()
#d[1] = #l
#l[1] = #d
#q = ref(#l, #f)
del #d
del #l
del #x
del #y
collect(0)
#c = ComposedWeakValueDictionary()
#g = function(#called)
#c[2] = #g
gc.freeze()
del #g
#m = Node()
#m[0] = #m
del #m
gc.unfreeze()
gc.disable()
gc.callbacks.append(#f)
collect(1)
del gc.callbacks[:]
gc.set_debug(DEBUG_SAVEALL)
#n = Node(finalizer=#started)
#n[0] = #n
del #n
collect(2)
gc.set_debug(0)
del gc.garbage[:]
del #kept
collect(2)
",
];

/// A scenario and the number of its body `other`, which the mutator must mention.
fn parse(source: &str) -> (Scenario, usize) {
    let document = text::parse(source).unwrap_or_else(|errors| panic!("{errors:?}"));
    let other = document.names.scripts.iter().position(|name| name == "other").unwrap();
    (document.scenario, other + 1)
}

/// Two programs in one scenario: the first is the mutator's body, the second the body `other`.
fn two_programs() -> (Scenario, usize) {
    let [scripts, main] = PROGRAM;
    let indented: String = main.lines().filter(|line| !line.is_empty()).map(|line| format!("    {line}\n")).collect();
    parse(&format!(
        "coroner 1\n{}{}\ndef other():\n{}{}mention = Node(call=other)\n",
        scripts.replace('#', "a"),
        scripts.replace('#', "b"),
        indented.replace('#', "b"),
        main.replace('#', "a")
    ))
}

impl Execution<'_, '_> {
    /// The running actor starts with a body of the scenario.
    fn start_body(&mut self, body: usize) {
        let range = self.scenario.range(body);
        self.process.start_body(range.start as u32, range.end as u32);
    }

    /// Goes on with the running actor up to the next point where user code runs or nothing does; false at its end.
    fn run_to_user_code(&mut self) -> bool {
        while let Some(frame) = self.process.actor.frames.last().copied() {
            self.turn(frame);
            assert_eq!(self.stop, None);
            if let Some(Frame::Body { .. }) = self.process.actor.frames.last() {
                return true;
            }
        }
        false
    }
}

/// Events as they are on a heap on which nobody else makes objects: those are numbered among themselves, and the state of
/// others is left out.
fn own(events: &[Event]) -> Vec<String> {
    let mut numbers = BTreeMap::new();
    let mut lines = Vec::new();
    for event in events {
        if let Event::New { object, .. } = event {
            numbers.insert(format!("{object:?}"), numbers.len());
        }
        let debug = format!("{event:?}");
        let line = debug.split_inclusive(')').map(|part| match part.find("ObjId(") {
            Some(at) => numbers.get(&part[at..]).map(|number| format!("{}#{number}", &part[..at])),
            None => Some(part.to_owned()),
        });
        match line.collect::<Option<String>>() {
            Some(line) => lines.push(line),
            None => assert!(matches!(event, Event::State { .. } | Event::Weak { .. }), "{debug}"),
        }
    }
    lines
}

/// What a body does with nobody else on the heap, and the state of its collector at the end.
fn alone(collector: &Collector, scenario: &Scenario, body: usize) -> (Vec<String>, String) {
    let (mut machine, mut memory) = (Machine::new(collector), Vec::new());
    let mut out = EventBuffer::new(&mut memory);
    let mut execution = machine.start(scenario, &mut out, None);
    execution.start_body(body);
    while execution.run_to_user_code() {}
    let state = counters(&execution);
    out.finish();
    (own(&memory), state)
}

/// What the collector of the current interpreter remembers that is not about single objects.
fn counters(execution: &Execution<'_, '_>) -> String {
    let GcState { count, threshold, enabled, collecting, save_all, garbage, callbacks, .. } =
        &execution.process.interp.gc;
    let lists = [List::GEN0, List::GEN1, List::GEN2, List::PERMANENT].map(|list| execution.process.heap.count(list));
    format!("{count:?} {threshold:?} {enabled} {collecting} {save_all} {} {} {lists:?}", garbage.len(), callbacks.len())
}

#[test]
fn two_interpreters_in_turn_do_what_each_does_alone() {
    let (scenario, other) = two_programs();
    let bodies = [0, other];
    let mut inside = [0; 2];
    for collector in Collector::all() {
        let expected = bodies.map(|body| alone(&collector, &scenario, body));
        let mut machine = Machine::new(&collector);
        for seed in 0..16 {
            let mut random = Seed::from(seed).stream("turns");
            let (mut memory, mut turns) = (Vec::new(), Vec::new());
            let mut out = EventBuffer::new(&mut memory);
            let mut execution = machine.start(&scenario, &mut out, None);
            let interpreter = execution.process.add_interpreter();
            let actors = [ActorId(0), execution.process.add_actor(interpreter)];
            let mut running = [true; 2];
            for (actor, body) in actors.into_iter().zip(bodies) {
                execution.process.switch_to(actor);
                execution.start_body(body);
            }
            while running.contains(&true) {
                let who = random.index(2);
                // It is no switch if the actor runs already.
                inside[1 - who] += u32::from(execution.process.interp.gc.collecting);
                execution.process.switch_to(actors[who]);
                let from = execution.sink.count() as usize;
                running[who] = execution.run_to_user_code();
                turns.push((who, from..execution.sink.count() as usize));
            }
            let states = actors.map(|actor| {
                execution.process.switch_to(actor);
                counters(&execution)
            });
            out.finish();
            for (who, (events, state)) in expected.iter().enumerate() {
                let mine = turns.iter().filter(|(whose, _)| *whose == who).map(|(_, range)| range.clone());
                let mine: Vec<Event> = mine.flat_map(|range: Range<usize>| memory[range].to_vec()).collect();
                assert_eq!(&own(&mine), events, "{} {seed} {who}", collector.name);
                assert_eq!(&states[who], state, "{} {seed} {who}", collector.name);
            }
        }
    }
    assert!(inside.iter().all(|switches| *switches > 100), "turns inside a collection: {inside:?}");
}

#[test]
fn actors_of_one_interpreter_share_its_collector() {
    let source = "\
coroner 1
def slow():
    look()

def other():
    collect(2)

mention = Node(call=other)
x = Node(finalizer=slow)
x[0] = x
del x
collect(2)
";
    let (scenario, other) = parse(source);
    let (mut machine, mut memory) = (Machine::new(&Collector::parse("cpython-3.13").unwrap()), Vec::new());
    let mut out = EventBuffer::new(&mut memory);
    let mut execution = machine.start(&scenario, &mut out, None);
    execution.start_body(0);
    while !execution.process.interp.gc.collecting {
        assert!(execution.run_to_user_code());
    }
    let first = execution.process.actor.id;
    let second = execution.process.add_actor(execution.process.interp.id);
    let collect = |execution: &mut Execution<'_, '_>| {
        execution.process.switch_to(second);
        execution.start_body(other);
        let from = execution.sink.count();
        while execution.run_to_user_code() {}
        execution.process.switch_to(first);
        execution.sink.count() - from
    };
    // A collection runs already; then none does.
    let refused = collect(&mut execution);
    while execution.run_to_user_code() {}
    let collected = collect(&mut execution);
    out.finish();
    assert!(refused == 2 && collected > 2, "{refused} {collected}");
    assert_eq!(memory.iter().filter(|event| **event == Event::Refused).count(), 1);
    assert_eq!(memory.iter().filter(|event| matches!(event, Event::CollectEnd { .. })).count(), 2);
}

#[test]
fn who_does_not_exist_is_not_switched_to() {
    let (scenario, _) = two_programs();
    let (mut machine, mut memory) = (Machine::new(&Collector::parse("cpython-3.13").unwrap()), Vec::new());
    let mut out = EventBuffer::new(&mut memory);
    let process = machine.start(&scenario, &mut out, None).process;
    process.switch_to(ActorId(1));
    process.enter_interpreter(InterpreterId(1));
    assert_eq!((process.actor.id, process.interp.id), (ActorId(0), InterpreterId(0)));
    let second = process.add_interpreter();
    let actor = process.add_actor(second);
    process.enter_interpreter(second);
    assert_eq!((process.actor.interp, process.interp.id), (second, second));
    process.switch_to(actor);
    process.enter_interpreter(InterpreterId(0));
    process.switch_to(ActorId(7));
    process.switch_to(ActorId(0));
    assert_eq!((process.actor.id, process.interp.id), (ActorId(0), second));
    process.reset(0);
    process.switch_to(actor);
    assert_eq!((process.actor.id, process.interp.id), (ActorId(0), InterpreterId(0)));
}
