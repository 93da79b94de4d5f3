//! What verdicts depend on: of a subject's expectations, and of what its events show.

use std::collections::BTreeSet;

use super::*;
use crate::event::{Event, EventBuffer, Spot};
use crate::subject::{Expectation, Expectations, Needs, Questions};

/// A stream, what was run, and what the subject declares.
struct Run<'r> {
    scenario: &'r Scenario,
    events: &'r [Event],
    declaration: &'r Declaration,
}

/// Runs of profiles, of regression files and of planted bugs, and the streams that are written by hand.
fn each_run(number: u64, mut each: impl FnMut(&str, Run<'_>)) {
    let rows = ["cpython-2.7", "cpython-3.6", "cpython-3.9", "cpython-3.13.13", "cpython-3.14.0", "cpython-3.15"];
    let planted = crate::planted::planted().map(|bug| format!("cpython-3.15+{}", bug.name()));
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/regressions")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "scn") {
            let document = crate::scenario::text::parse_bytes(&std::fs::read(&path).unwrap()).unwrap();
            documents.push((path.display().to_string(), document.scenario));
        }
    }
    let mut events = Vec::new();
    for (at, name) in rows.map(str::to_owned).into_iter().chain(planted).enumerate() {
        let collector = Collector::parse(&name).unwrap();
        let declaration = &declared(Some(collector.release));
        let mut machine = Machine::new(&collector);
        let mut run = |place: &str, scenario: &Scenario| {
            machine.run(scenario, &mut EventBuffer::new(&mut events));
            each(&format!("{name}, {place}"), Run { scenario, events: &events, declaration });
        };
        for profile in PROFILES.iter().filter(|profile| !profile.is_huge()) {
            let mut generator = Generator::new(Seed::from(23), profile, Size::Small);
            let number = if at < rows.len() { number } else { number.div_ceil(10) };
            for n in number * at as u64..number * (at as u64 + 1) {
                run(&format!("{}, {n}", profile.name), &generator.make(n));
            }
        }
        documents.iter().for_each(|(file, scenario)| run(file, scenario));
    }
    for case in cases() {
        for broken in [true, false] {
            let mut stream = Stream::new();
            (case.write)(&mut stream, broken);
            let (scenario, declaration) = (&stream.scenario(), &case.declaration());
            let place = format!("{}, broken: {broken}", case.invariant);
            each(&place, Run { scenario, events: &stream.events, declaration });
        }
    }
}

/// What a judge says: its violations, and how often each invariant was judged.
#[derive(PartialEq)]
struct Verdicts {
    found: Vec<Violation>,
    judged: Vec<Judged>,
}

impl Verdicts {
    fn of(judge: &mut Judge, run: &Run<'_>, declaration: &Declaration) -> Verdicts {
        let found = judge.judge(run.scenario, run.events, declaration).to_vec();
        Verdicts { found, judged: Invariant::ALL.iter().map(|i| judge.judged(*i)).collect() }
    }

    /// The invariants on which others say something else.
    fn differ<'v>(&'v self, other: &'v Verdicts) -> impl Iterator<Item = Invariant> + 'v {
        let of = |found: &[Violation], i| found.iter().filter(|v| v.invariant == i).copied().collect::<Vec<_>>();
        let differs = move |i: &Invariant| {
            self.judged[*i as usize] != other.judged[*i as usize] || of(&self.found, *i) != of(&other.found, *i)
        };
        Invariant::ALL.iter().copied().filter(differs)
    }
}

#[test]
fn releases_that_are_judged_alike_are() {
    let rows = Collector::all();
    let declarations: Vec<Declaration> = rows.iter().map(|c| declared(Some(c.release))).collect();
    let mut machines: Vec<Machine> = rows.iter().map(Machine::new).collect();
    let (mut judge, mut events, mut scenario) = (Judge::new(), Vec::<Event>::new(), Scenario::new());
    let (mut always, mut alike, mut different) = (0, 0, 0);
    for profile in PROFILES.iter().filter(|profile| !profile.is_huge()) {
        let mut generator = Generator::new(Seed::from(5), profile, Size::default());
        for n in 0..40 {
            generator.fill(n, &mut scenario);
            // Streams of a few collectors are enough: every release judges each.
            for machine in machines.iter_mut().step_by(4) {
                machine.run(&scenario, &mut EventBuffer::new(&mut events));
                type Outcome = (Vec<Violation>, Coverage, Questions);
                let mut judged = |d: &Declaration| -> Outcome {
                    let violations = judge.judge(&scenario, &events, d).to_vec();
                    (violations, judge.reached(), judge.asked())
                };
                let outcomes: Vec<Outcome> = declarations.iter().map(&mut judged).collect();
                for (a, of_a) in declarations.iter().zip(&outcomes) {
                    for (b, of_b) in declarations.iter().zip(&outcomes) {
                        let agree = |asked| a.expectations.agree(b.expectations, asked);
                        let same = (&of_a.0, of_a.1) == (&of_b.0, of_b.1);
                        assert!(same || !agree(of_a.2), "{} and {}: {scenario:?}", a.name, b.name);
                        alike += u32::from(agree(of_a.2));
                        different += u32::from(!same);
                        always += u32::from(agree(Questions::ALL));
                    }
                }
            }
        }
    }
    assert!(alike > 2 * always && different > 100, "{always} of {alike}, {different}");
}

/// Questions whose answers make no difference to a stream of [`each_run`]: other tests ask some of them.
const RARE: &[(Invariant, Expectation)] = &[
    (Invariant::I12, Expectation::LegacyFinalizer),
    (Invariant::I12, Expectation::FunctionClear),
    (Invariant::I14, Expectation::SaveAll),
    (Invariant::I14, Expectation::Resurrection),
    (Invariant::I16, Expectation::LegacyFinalizer),
    (Invariant::I16, Expectation::ClearedEarly),
    (Invariant::I16, Expectation::FunctionClear),
    (Invariant::I20, Expectation::LegacyFinalizer),
    (Invariant::I21, Expectation::LegacyFinalizer),
    (Invariant::I21, Expectation::TrashcanLeftover),
    (Invariant::I30, Expectation::SaveAll),
];

/// Each entry of the table is answered in another way; whose verdict changes must declare that it asks.
#[test]
fn an_invariant_depends_on_what_it_asks_and_on_nothing_else() {
    let mut judge = Judge::new();
    let mut seen = BTreeSet::new();
    let mut undeclared = std::collections::BTreeMap::new();
    each_run(400, |place, run| {
        let verdicts = Verdicts::of(&mut judge, &run, run.declaration);
        let asked = judge.asked();
        let base = run.declaration.expectations;
        for entry in Expectation::ALL.iter().copied() {
            let mut others: Vec<Expectations> = Vec::new();
            if asked.covers(Questions::value_of(entry)) {
                others.extend((0..entry.count()).map(|value| base.with(entry, value)));
            }
            if asked.covers(Questions::knowledge_of(entry)) && entry.excuses().is_some() {
                others.push(base.without(entry));
            }
            for expectations in others {
                let declaration = Declaration { expectations, ..run.declaration.clone() };
                for invariant in Verdicts::of(&mut judge, &run, &declaration).differ(&verdicts) {
                    seen.insert((invariant, entry));
                    if invariant.about().all_asks().all(|e| e != entry) {
                        undeclared.entry((invariant, entry)).or_insert_with(|| place.to_owned());
                    }
                }
            }
        }
    });
    assert!(undeclared.is_empty(), "not declared: {undeclared:#?}");
    // What is declared is asked: in these streams, or as a line of code says that is hard to come by.
    let several_runs = [Invariant::I18, Invariant::I38, Invariant::I41];
    let declared = Invariant::ALL.iter().filter(|i| !several_runs.contains(i));
    let declared = declared.flat_map(|i| i.about().asks.iter().map(|entry| (*i, *entry)));
    let idle: Vec<(Invariant, Expectation)> = declared.filter(|pair| !seen.contains(pair)).collect();
    assert_eq!(idle, RARE, "on the left, what nothing depends on");
    for entry in super::shadow::ASKS {
        let needs = |i: &Invariant| i.about().needs.covers(Needs::UNREACHABLE);
        assert!(seen.iter().filter(|(i, e)| e == entry && needs(i)).count() > 3, "{entry:?}");
    }
}

#[test]
fn what_cannot_be_asked_is_not_judged() {
    let mut judge = Judge::new();
    for case in cases() {
        let (invariant, declaration) = (case.invariant, case.declaration());
        let mut stream = Stream::new();
        (case.write)(&mut stream, true);
        let mut is_silent = |declaration: &Declaration, what: &str| {
            let found = judge.judge(&stream.scenario(), &stream.events, declaration);
            assert!(found.iter().all(|v| v.invariant != invariant), "{invariant} without {what}: {found:?}");
            let Judged { passed, violated, not_judged } = judge.judged(invariant);
            assert!(
                passed == 0 && violated == 0 && not_judged > 0,
                "{invariant} without {what}: {:?}",
                judge.judged(invariant)
            );
        };
        let needs = invariant.about().needs;
        for need in Needs::EACH.into_iter().filter(|need| needs.covers(*need)) {
            is_silent(&Declaration { observes: Needs::ALL.without(need), ..declaration.clone() }, &format!("{need:?}"));
        }
        for choice in invariant.about().all_asks().filter(|entry| entry.excuses().is_none()) {
            let expectations = declaration.expectations.without(choice);
            is_silent(&Declaration { expectations, ..declaration.clone() }, choice.word());
        }
    }
}

/// A stream as it would be if the subject did not show something.
fn hide(need: Needs, events: &[Event]) -> Vec<Event> {
    let mut shown = Vec::new();
    for event in events.iter().copied() {
        let line = matches!(event, Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. });
        shown.extend(match (need, event) {
            (Needs::SNAPSHOTS, _) if line || event == Event::Snapshot => None,
            (Needs::COUNTS, Event::State { object, spot, finalized, .. }) => {
                Some(Event::State { object, refcount: 1, spot, finalized })
            }
            (Needs::LISTS, Event::State { object, refcount, finalized, .. }) => {
                Some(Event::State { object, refcount, spot: Spot::NoHeader, finalized })
            }
            (Needs::GENERATIONS, Event::State { object, refcount, spot, finalized }) => {
                let spot = if spot <= Spot::Permanent { Spot::Gen0 } else { spot };
                Some(Event::State { object, refcount, spot, finalized })
            }
            (Needs::WEAKREFS, Event::Weak { .. }) | (Needs::GARBAGE, Event::Garbage { .. }) => None,
            (Needs::TOTALS, Event::CollectEnd { generation, .. }) => {
                Some(Event::CollectEnd { generation, returned: 0, uncollectable: 0 })
            }
            (Needs::ERRORS, Event::Unraisable { .. }) => None,
            _ => Some(event),
        });
    }
    shown
}

/// Who shows less is blamed for nothing that was no fault before.
#[test]
fn what_is_not_shown_is_nobodys_fault() {
    let mut judge = Judge::new();
    let mut wrong = std::collections::BTreeMap::new();
    let mut asked = 0;
    each_run(40, |place, run| {
        let fault = |v: &Violation| (v.class == Class::Collector).then_some(v.invariant);
        let whole: BTreeSet<Invariant> =
            judge.judge(run.scenario, run.events, run.declaration).iter().filter_map(fault).collect();
        for (at, need) in Needs::EACH.into_iter().enumerate() {
            let events = hide(need, run.events);
            let declaration = Declaration { observes: Needs::ALL.without(need), ..run.declaration.clone() };
            for invariant in judge.judge(run.scenario, &events, &declaration).iter().filter_map(fault) {
                if !whole.contains(&invariant) {
                    wrong.entry((invariant, at)).or_insert_with(|| place.to_owned());
                }
            }
            asked += judge.judged(Invariant::I04).passed;
        }
    });
    let words = ["SNAPSHOTS", "COUNTS", "LISTS", "GENERATIONS", "WEAKREFS", "GARBAGE", "TOTALS", "ERRORS"];
    let wrong: Vec<_> = wrong.into_iter().map(|((i, at), place)| (i.code(), words[at], place)).collect();
    assert!(wrong.is_empty(), "blamed: {wrong:#?}");
    assert!(asked > 10_000, "{asked}");
}
