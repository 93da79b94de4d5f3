//! The engine with a toy: scenario `n` shows kind `n % 1000` if that is below 5, and weighs `n`.

use std::sync::atomic::AtomicU64;

use super::*;
use crate::campaign::lane::Shard;
use crate::campaign::record::{State, What};
use crate::campaign::store::Nowhere;

#[derive(Default)]
struct Toy {
    /// Workers are slow on these blocks.
    slow: bool,
    /// Asks for an end when so many scenarios have been run.
    stop_at: Option<u64>,
    stop: AtomicBool,
    runs: AtomicU64,
    reductions: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Sum(u64);

impl Count for Sum {
    fn absorb(&mut self, other: &Sum) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl Kind for u64 {}

fn record(first: First, state: State) -> Record {
    Record {
        first,
        what: What::default(),
        subject: String::new(),
        verified: true,
        state,
        known: None,
        sentence: String::new(),
        objects: 0,
        operations: 0,
        minimal: false,
        claim: String::new(),
        repeat: String::new(),
        digest: first.scenario,
        scenario: String::new(),
        reduced: String::new(),
        events: String::new(),
        explanation: String::new(),
        details: serde_json::Map::new(),
        seen_at: 0,
    }
}

impl Work for Toy {
    type Count = Sum;
    type Kind = u64;
    type Worker = ();

    fn worker(&self) {}

    fn run(&self, (): &mut (), numbers: Range<u64>) -> Part<Sum, u64> {
        let mut part: Part<Sum, u64> = Part::new(1);
        part.scenarios = numbers.end - numbers.start;
        if self.slow && numbers.start.is_multiple_of(30) {
            std::thread::sleep(Duration::from_millis(2));
        }
        for n in numbers {
            part.tallies[0].0 += n;
            if n % 1000 < 5 {
                // Kind 3 is primary from 50,000 on only.
                part.see(n % 1000, First { secondary: n % 1000 == 3 && n < 50_000, scenario: n });
            }
        }
        let runs = self.runs.fetch_add(part.scenarios, Ordering::Relaxed) + part.scenarios;
        if self.stop_at.is_some_and(|at| runs >= at) {
            self.stop.store(true, Ordering::Relaxed);
        }
        part
    }

    fn found(&self, _kind: u64, first: First) -> Record {
        record(first, State::Waiting)
    }

    fn reduce(&self, found: &Record, kind: u64, _stop: &AtomicBool) -> Option<Record> {
        self.reductions.fetch_add(1, Ordering::Relaxed);
        Some(record(found.first, if kind == 4 { State::Flaky } else { State::New }))
    }

    fn matters(&self, kind: u64) -> Option<u64> {
        (kind != 2).then_some(kind)
    }
}

fn course(scenarios: u64, jobs: usize) -> Course {
    let extent = Extent::Scenarios(scenarios);
    Course { extent, block: 10, time: None, findings: None, jobs, checkpoint: Duration::ZERO }
}

fn run(toy: &Toy, course: Course, lane: Lane<Sum, u64>) -> Lane<Sum, u64> {
    drive(toy, &course, lane, &toy.stop, &mut Nowhere).unwrap()
}

fn begin(shard: Shard) -> Lane<Sum, u64> {
    Lane::new(shard, 1)
}

fn same(a: &Lane<Sum, u64>, b: &Lane<Sum, u64>) {
    assert_eq!((a.position, &a.part, &a.records), (b.position, &b.part, &b.records));
}

#[test]
fn the_number_of_workers_and_their_speed_change_nothing() {
    let one = run(&Toy::default(), course(2_345, 1), begin(Shard::WHOLE));
    assert_eq!((one.part.scenarios, one.part.tallies[0].0), (2_345, 2_344 * 2_345 / 2));
    assert_eq!(one.part.kinds[&0].count, 3);
    assert_eq!(one.records[&4].state, State::Flaky);
    assert_eq!(one.end(10), 2_345);
    for jobs in [2, 5] {
        same(&one, &run(&Toy { slow: true, ..Toy::default() }, course(2_345, jobs), begin(Shard::WHOLE)));
    }
}

#[test]
fn the_time_is_that_of_the_clock_however_many_workers_there_are() {
    for jobs in [1, 200] {
        // One block, which takes two milliseconds at least.
        let lane = run(&Toy { slow: true, ..Toy::default() }, course(10, jobs), begin(Shard::WHOLE));
        assert!(lane.timing.running >= Duration::from_millis(1), "{jobs}: {:?}", lane.timing);
        assert!(lane.timing.running <= lane.timing.elapsed, "{jobs}: {:?}", lane.timing);
    }
}

#[test]
fn what_was_stopped_goes_on_as_if_it_had_not_been() {
    let whole = run(&Toy::default(), course(60_000, 2), begin(Shard::WHOLE));
    assert_eq!(whole.records[&3].first, First { secondary: false, scenario: 50_003 });
    let mut lane = begin(Shard::WHOLE);
    for at in [1, 2_000, 30_000, 7] {
        let toy = Toy { stop_at: Some(at), ..Toy::default() };
        lane = run(&toy, course(60_000, 2), lane);
        assert_eq!(lane.part.scenarios, lane.end(10));
        assert_eq!(lane.part.scenarios % 10, 0, "blocks are finished");
    }
    assert!(lane.part.scenarios < 60_000);
    // An end in the middle of a block, too.
    lane = run(&Toy::default(), course(lane.part.scenarios + 13, 3), lane);
    assert_eq!(lane.position.extra, 3);
    let toy = Toy::default();
    lane = run(&toy, course(60_000, 2), lane);
    same(&whole, &lane);
    assert!(toy.runs.load(Ordering::Relaxed) < 60_000);
}

#[test]
fn a_finding_that_another_replaces_is_reduced_once_and_late() {
    let toy = Toy::default();
    run(&toy, course(60_000, 2), begin(Shard::WHOLE));
    assert_eq!(toy.reductions.load(Ordering::Relaxed), 5);
}

#[test]
fn enough_is_the_same_for_any_number_of_workers() {
    let limited = |findings, jobs| {
        let course = Course { findings: Some(findings), ..course(u64::MAX, jobs) };
        run(&Toy { slow: true, ..Toy::default() }, course, begin(Shard { index: 1, count: 3 }))
    };
    let one = limited(4, 1);
    // Of the blocks 1, 4, 7 .. the hundredth is the first that shows anything, and kind 2 does not matter.
    assert_eq!(one.part.scenarios, 340);
    assert_eq!(one.part.kinds.len(), 5);
    same(&one, &limited(4, 4));
}

#[test]
fn a_worker_that_panics_ends_the_campaign() {
    struct Bad;
    impl Work for Bad {
        type Count = Sum;
        type Kind = u64;
        type Worker = ();
        fn worker(&self) {}
        fn run(&self, (): &mut (), numbers: Range<u64>) -> Part<Sum, u64> {
            assert!(numbers.start != 500, "a bug");
            Part::new(1)
        }
        fn found(&self, _kind: u64, first: First) -> Record {
            record(first, State::Waiting)
        }
        fn reduce(&self, _: &Record, _: u64, _: &AtomicBool) -> Option<Record> {
            None
        }
        fn matters(&self, kind: u64) -> Option<u64> {
            Some(kind)
        }
    }
    let stop = AtomicBool::new(false);
    let ended = std::panic::catch_unwind(|| {
        let _ = drive(&Bad, &course(100_000, 2), Lane::new(Shard::WHOLE, 1), &stop, &mut Nowhere);
    });
    assert!(ended.is_err());
}

#[test]
fn what_cannot_be_kept_ends_the_campaign() {
    struct Full;
    impl Keeper<Sum, u64> for Full {
        fn keep(&mut self, lane: &Lane<Sum, u64>, _new: &[u64]) -> Result<(), StoreError> {
            match lane.part.scenarios > 5_000 {
                true => Err(StoreError { path: "there".into(), why: "no space left".to_owned() }),
                false => Ok(()),
            }
        }
    }
    let toy = Toy::default();
    let ended = drive(&toy, &course(u64::MAX, 2), begin(Shard::WHOLE), &toy.stop, &mut Full);
    assert_eq!(ended.unwrap_err().to_string(), "there: no space left");
}

#[test]
fn shards_are_disjoint_and_together_everything() {
    let whole = run(&Toy::default(), course(12_345, 1), begin(Shard::WHOLE));
    for count in [1, 2, 3, 8, 50] {
        let mut all = Part::new(1);
        for index in 0..count {
            all.absorb(&run(&Toy::default(), course(12_345, 1), begin(Shard { index, count })).part);
        }
        assert_eq!(all, whole.part, "{count} shards");
    }
    let shard = |index, count| Shard { index, count };
    assert!(shard(0, 2).overlaps(shard(2, 4)) && shard(0, 1).overlaps(shard(6, 7)));
    assert!(!shard(0, 2).overlaps(shard(1, 4)) && !shard(3, 8).overlaps(shard(4, 8)));
}
