//! The engine with a toy: scenario `n` shows kind `n % 1000` if that is below 5, and weighs `n`.

use std::sync::atomic::AtomicU64;

use super::*;
use crate::campaign::store::Nowhere;
use crate::findings::Shard;
use crate::findings::{BugSignature, State};

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

impl SubjectCounts for Sum {
    fn absorb(&mut self, other: &Sum) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl FindingKey for u64 {
    fn is_urgent(self) -> bool {
        true
    }
}

fn record(first: First, state: State) -> Finding {
    Finding {
        first,
        what: BugSignature::default(),
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
    type Counts = Sum;
    type Key = u64;
    type Worker = ();

    fn worker(&self) {}

    fn run(&self, (): &mut (), numbers: Range<u64>) -> Counts<Sum, u64> {
        let mut part: Counts<Sum, u64> = Counts::new(1);
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

    fn found(&self, _kind: u64, first: First) -> Finding {
        record(first, State::Waiting)
    }

    fn reduce(&self, found: &Finding, kind: u64, _stop: &AtomicBool) -> Option<Finding> {
        self.reductions.fetch_add(1, Ordering::Relaxed);
        Some(record(found.first, if kind == 4 { State::Flaky } else { State::New }))
    }

    fn matters(&self, kind: u64) -> Option<u64> {
        (kind != 2).then_some(kind)
    }
}

fn bounds(scenarios: u64, jobs: usize) -> Bounds {
    let extent = Extent::Scenarios(scenarios);
    Bounds { extent, block: 10, time: None, findings: None, jobs, checkpoint: Duration::ZERO }
}

fn run(toy: &Toy, bounds: Bounds, state: ShardState<Sum, u64>) -> ShardState<Sum, u64> {
    drive(toy, &bounds, state, &toy.stop, &mut Nowhere).unwrap()
}

fn begin(shard: Shard) -> ShardState<Sum, u64> {
    ShardState::new(shard, 1)
}

fn same(a: &ShardState<Sum, u64>, b: &ShardState<Sum, u64>) {
    assert_eq!((a.position, &a.part, &a.records), (b.position, &b.part, &b.records));
}

#[test]
fn the_number_of_workers_and_their_speed_change_nothing() {
    let one = run(&Toy::default(), bounds(2_345, 1), begin(Shard::WHOLE));
    assert_eq!((one.part.scenarios, one.part.tallies[0].0), (2_345, 2_344 * 2_345 / 2));
    assert_eq!(one.part.kinds[&0].count, 3);
    assert_eq!(one.records[&4].state, State::Flaky);
    assert_eq!(one.end(10), 2_345);
    for jobs in [2, 5] {
        same(&one, &run(&Toy { slow: true, ..Toy::default() }, bounds(2_345, jobs), begin(Shard::WHOLE)));
    }
}

#[test]
fn the_time_is_that_of_the_clock_however_many_workers_there_are() {
    for jobs in [1, 200] {
        // One block, which takes two milliseconds at least.
        let state = run(&Toy { slow: true, ..Toy::default() }, bounds(10, jobs), begin(Shard::WHOLE));
        assert!(state.timing.running >= Duration::from_millis(1), "{jobs}: {:?}", state.timing);
        assert!(state.timing.running <= state.timing.elapsed, "{jobs}: {:?}", state.timing);
    }
}

#[test]
fn what_was_stopped_goes_on_as_if_it_had_not_been() {
    let whole = run(&Toy::default(), bounds(60_000, 2), begin(Shard::WHOLE));
    assert_eq!(whole.records[&3].first, First { secondary: false, scenario: 50_003 });
    let mut state = begin(Shard::WHOLE);
    for at in [1, 2_000, 30_000, 7] {
        let toy = Toy { stop_at: Some(at), ..Toy::default() };
        state = run(&toy, bounds(60_000, 2), state);
        assert_eq!(state.part.scenarios, state.end(10));
        assert_eq!(state.part.scenarios % 10, 0, "blocks are finished");
    }
    assert!(state.part.scenarios < 60_000);
    // An end in the middle of a block, too.
    state = run(&Toy::default(), bounds(state.part.scenarios + 13, 3), state);
    assert_eq!(state.position.extra, 3);
    let toy = Toy::default();
    state = run(&toy, bounds(60_000, 2), state);
    same(&whole, &state);
    assert!(toy.runs.load(Ordering::Relaxed) < 60_000);
}

#[test]
fn a_finding_that_another_replaces_is_reduced_once_and_late() {
    let toy = Toy::default();
    run(&toy, bounds(60_000, 2), begin(Shard::WHOLE));
    assert_eq!(toy.reductions.load(Ordering::Relaxed), 5);
}

#[test]
fn enough_is_the_same_for_any_number_of_workers() {
    let limited = |findings, jobs| {
        let bounds = Bounds { findings: Some(findings), ..bounds(u64::MAX, jobs) };
        run(&Toy { slow: true, ..Toy::default() }, bounds, begin(Shard { index: 1, count: 3 }))
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
        type Counts = Sum;
        type Key = u64;
        type Worker = ();
        fn worker(&self) {}
        fn run(&self, (): &mut (), numbers: Range<u64>) -> Counts<Sum, u64> {
            assert!(numbers.start != 500, "a bug");
            Counts::new(1)
        }
        fn found(&self, _kind: u64, first: First) -> Finding {
            record(first, State::Waiting)
        }
        fn reduce(&self, _: &Finding, _: u64, _: &AtomicBool) -> Option<Finding> {
            None
        }
        fn matters(&self, kind: u64) -> Option<u64> {
            Some(kind)
        }
    }
    let stop = AtomicBool::new(false);
    let ended = std::panic::catch_unwind(|| {
        let _ = drive(&Bad, &bounds(100_000, 2), ShardState::new(Shard::WHOLE, 1), &stop, &mut Nowhere);
    });
    assert!(ended.is_err());
}

#[test]
fn what_cannot_be_kept_ends_the_campaign() {
    struct Full;
    impl Persist<Sum, u64> for Full {
        fn keep(&mut self, state: &ShardState<Sum, u64>, _new: &[u64]) -> Result<(), StoreError> {
            match state.part.scenarios > 5_000 {
                true => Err(StoreError { path: "there".into(), why: "no space left".to_owned() }),
                false => Ok(()),
            }
        }
    }
    let toy = Toy::default();
    let ended = drive(&toy, &bounds(u64::MAX, 2), begin(Shard::WHOLE), &toy.stop, &mut Full);
    assert_eq!(ended.unwrap_err().to_string(), "there: no space left");
}

#[test]
fn shards_are_disjoint_and_together_everything() {
    let whole = run(&Toy::default(), bounds(12_345, 1), begin(Shard::WHOLE));
    for count in [1, 2, 3, 8, 50] {
        let mut all = Counts::new(1);
        for index in 0..count {
            all.absorb(&run(&Toy::default(), bounds(12_345, 1), begin(Shard { index, count })).part);
        }
        assert_eq!(all, whole.part, "{count} shards");
    }
    let shard = |index, count| Shard { index, count };
    assert!(shard(0, 2).overlaps(shard(2, 4)) && shard(0, 1).overlaps(shard(6, 7)));
    assert!(!shard(0, 2).overlaps(shard(1, 4)) && !shard(3, 8).overlaps(shard(4, 8)));
}
