//! Generate, run and judge: each alone and together, per profile and size, with the allocations of the steady state.
//!
//! `cargo bench --bench pipeline` prints Divan's figures and, before them, allocations per scenario, which must be
//! none. Figures are for comparison inside one run: `together` against `decode only` and against each other.

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
use divan::Bencher;
use divan::counter::ItemsCount;

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

/// What scenarios are drawn from.
#[derive(Clone, Copy)]
struct Draw {
    profile: &'static str,
    size: Size,
    objects: u32,
}

impl std::fmt::Display for Draw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} objects", self.profile, self.objects)
    }
}

fn draws() -> impl Iterator<Item = Draw> {
    const SIZES: [(Size, u32); 4] = [(Size::Tiny, 6), (Size::Small, 12), (Size::Medium, 30), (Size::Large, 100)];
    let of = |profile| SIZES.into_iter().map(move |(size, objects)| Draw { profile, size, objects });
    ["plain", "default"].into_iter().flat_map(of)
}

/// Measures what a worker does with each scenario.
fn measure<T>(bencher: Bencher<'_, '_>, draw: Draw, step: impl Fn(&mut Worker) -> T) {
    let mut worker = Worker::new(draw.profile, draw.size, "cpython-3.14");
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| step(&mut worker));
}

#[divan::bench(args = draws(), min_time = 0.3, max_time = 1)]
fn generate(bencher: Bencher<'_, '_>, draw: Draw) {
    measure(bencher, draw, Worker::generate);
}

#[divan::bench(args = draws(), min_time = 0.3, max_time = 1)]
fn generate_run(bencher: Bencher<'_, '_>, draw: Draw) {
    measure(bencher, draw, |worker| {
        worker.generate();
        worker.run();
    });
}

#[divan::bench(args = draws(), min_time = 0.3, max_time = 1)]
fn generate_run_digest(bencher: Bencher<'_, '_>, draw: Draw) {
    measure(bencher, draw, |worker| {
        worker.generate();
        worker.run();
        Digest::of(&worker.events)
    });
}

#[divan::bench(args = draws(), min_time = 0.3, max_time = 1)]
fn generate_run_judge(bencher: Bencher<'_, '_>, draw: Draw) {
    measure(bencher, draw, Worker::all);
}

fn main() {
    for (profile, collector) in [("plain", "cpython-3.7"), ("default", "cpython-3.14"), ("planted", "cpython-3.13.0")] {
        let (allocations, scenarios) = allocations(profile, collector);
        println!("{profile} on {collector}: {allocations} allocations in {scenarios} scenarios after warm-up");
        assert_eq!(allocations, 0, "generate, run and judge must not allocate in steady state");
    }
    divan::main();
}
