//! Generate, run and judge: each alone and together, per profile and size, with the allocations of the steady state.
//!
//! `cargo bench --bench pipeline` prints Criterion's figures and, before them, allocations per scenario, which must
//! be none. Figures are for comparison inside one run: `together` against `decode only` and against each other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use coroner::event::{Digest, Event, EventBuffer};
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::Judge;
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::Scenario;
use coroner::subject::Declaration;
use criterion::{BenchmarkId, Criterion, Throughput};

/// Counts allocations, so that the claim "none per scenario" is measured.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Everything that a worker of a campaign reuses.
struct Worker {
    generator: Generator,
    scenario: Scenario,
    machine: Machine,
    events: Vec<Event>,
    judge: Judge,
    declaration: Declaration,
    next: u64,
}

impl Worker {
    fn new(profile: &str, size: Size, collector: &str) -> Worker {
        let collector = Collector::parse(collector).expect("a collector of the table");
        let profile = Profile::named(profile).expect("a profile of the table");
        Worker {
            generator: Generator::new(Seed::from(7), profile, size),
            scenario: Scenario::new(),
            machine: Machine::new(&collector),
            events: Vec::new(),
            judge: Judge::new(),
            declaration: Declaration::of_release(&collector.name, collector.release),
            next: 0,
        }
    }

    fn generate(&mut self) {
        self.generator.fill(self.next, &mut self.scenario);
        self.next = (self.next + 1) % 100_000;
    }

    fn run(&mut self) {
        self.machine.run(&self.scenario, &mut EventBuffer::new(&mut self.events));
    }

    fn judge(&mut self) -> usize {
        self.judge.judge(&self.scenario, &self.events, &self.declaration).len()
    }

    fn all(&mut self) -> usize {
        self.generate();
        self.run();
        self.judge()
    }
}

fn allocations(profile: &str, collector: &str) -> (u64, u64) {
    let mut worker = Worker::new(profile, Size::Small, collector);
    let (warm_up, counted) = (20_000, 20_000);
    for _ in 0..warm_up {
        worker.all();
    }
    worker.next = 0;
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..counted {
        black_box(worker.all());
    }
    (ALLOCATIONS.load(Ordering::Relaxed) - before, counted)
}

fn pipeline(c: &mut Criterion) {
    for profile in ["plain", "default"] {
        for (size, label) in [(Size::Tiny, 6), (Size::Small, 12), (Size::Medium, 30), (Size::Large, 100)] {
            let mut group = c.benchmark_group(format!("{profile}/{label} objects"));
            group.throughput(Throughput::Elements(1));
            let mut worker = Worker::new(profile, size, "cpython-3.14");
            group.bench_function(BenchmarkId::from_parameter("generate"), |b| b.iter(|| worker.generate()));
            group.bench_function(BenchmarkId::from_parameter("generate, run"), |b| {
                b.iter(|| {
                    worker.generate();
                    worker.run();
                });
            });
            group.bench_function(BenchmarkId::from_parameter("generate, run, digest"), |b| {
                b.iter(|| {
                    worker.generate();
                    worker.run();
                    black_box(Digest::of(&worker.events))
                });
            });
            group.bench_function(BenchmarkId::from_parameter("generate, run, judge"), |b| b.iter(|| worker.all()));
            group.finish();
        }
    }
}

fn main() {
    for (profile, collector) in [("plain", "cpython-3.7"), ("default", "cpython-3.14"), ("planted", "cpython-3.13.0")] {
        let (allocations, scenarios) = allocations(profile, collector);
        println!("{profile} on {collector}: {allocations} allocations in {scenarios} scenarios after warm-up");
        assert_eq!(allocations, 0, "generate, run and judge must not allocate in steady state");
    }
    let mut criterion = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(1))
        .sample_size(20)
        .configure_from_args();
    pipeline(&mut criterion);
    criterion.final_summary();
}
