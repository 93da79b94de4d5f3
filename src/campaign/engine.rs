//! Drives a campaign over many workers: hands out blocks, counts them in order, has findings kept and reduced.
//!
//! Workers share one lock, which they take once per block, and send what they counted to the thread that drives. That
//! thread adds up the blocks in the order of their numbers: what is counted is always a prefix of the shard, whoever
//! was faster, so a campaign that is stopped at any point equals one of that many scenarios, and where a campaign
//! stops because enough was found does not depend on the number of workers. How far workers may run ahead is bounded,
//! so memory is too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lane::{Extent, Lane, Position, Shard, Stretch, Timing};
use super::part::{Count, First, Kind, Part};
use super::record::Record;
use super::store::StoreError;

/// How often progress is reported.
const TICK: Duration = Duration::from_millis(100);
/// How many blocks per worker may be run before the oldest is counted.
const AHEAD: u64 = 64;
/// While there are scenarios to run, reducing may take one part in so many of the time.
const SHARE: u32 = 8;

/// What a campaign does with its scenarios.
pub trait Work: Sync {
    /// What is counted.
    type Count: Count;
    /// What findings are told apart by.
    type Kind: Kind;
    /// What a worker uses again and again.
    type Worker;

    /// Something to work with.
    fn worker(&self) -> Self::Worker;

    /// Runs scenarios. A pure function of the numbers.
    fn run(&self, worker: &mut Self::Worker, numbers: Range<u64>) -> Part<Self::Count, Self::Kind>;

    /// A finding that was just made, unreduced.
    fn found(&self, kind: Self::Kind, first: First) -> Record;

    /// Reduces a finding; nothing if `stop` became true. A pure function of the finding.
    fn reduce(&self, found: &Record, kind: Self::Kind, stop: &AtomicBool) -> Option<Record>;

    /// What findings are counted by, if they end a campaign; nothing if this kind does not matter.
    fn matters(&self, kind: Self::Kind) -> Option<Self::Kind>;

    /// True if no scenario can be run any more.
    fn is_over(&self) -> bool {
        false
    }
}

/// When a campaign is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Course {
    /// The scenarios that there are.
    pub extent: Extent,
    /// How many scenarios a block has; at least 1.
    pub block: u64,
    /// When the time is over; what has been started is finished.
    pub time: Option<Duration>,
    /// When so many kinds of findings that matter have been made.
    pub findings: Option<u64>,
    /// Number of workers, from 1.
    pub jobs: usize,
    /// How often the state is kept.
    pub checkpoint: Duration,
}

/// Where a campaign is.
#[derive(Debug)]
pub struct Progress<'l, T: Count, K: Kind> {
    /// What is counted.
    pub lane: &'l Lane<T, K>,
    /// Scenarios that this process has run.
    pub run: u64,
    /// Time since this process started.
    pub elapsed: Duration,
    /// There are no more scenarios to run.
    pub over: bool,
    /// There is nothing more to do.
    pub done: bool,
}

/// Shows where a campaign is.
pub type Show<'s, T, K> = &'s mut dyn FnMut(&Progress<'_, T, K>);

/// Keeps what a campaign finds and how far it is.
pub trait Keeper<T: Count, K: Kind> {
    /// Called with new records, which have to be safe when it returns, and with none now and then.
    ///
    /// # Errors
    /// If the state cannot be kept: the campaign ends.
    fn keep(&mut self, lane: &Lane<T, K>, new: &[K]) -> Result<(), StoreError>;

    /// Called about ten times a second.
    fn progress(&mut self, _progress: &Progress<'_, T, K>) {}
}

enum Message<T: Count, K: Kind> {
    Ran {
        block: u64,
        stretch: Stretch,
        part: Part<T, K>,
    },
    Reduced {
        kind: K,
        record: Option<Box<Record>>,
    },
    /// There are no more blocks to be handed out.
    Over,
}

enum Task<K> {
    Run { block: u64, stretch: Stretch },
    Reduce(K, Box<Record>),
    Tell,
    Leave,
}

struct Shared<K> {
    /// The next block to be handed out.
    next: u64,
    /// The next block to be counted.
    counted: u64,
    /// No more blocks are handed out.
    over: bool,
    /// The driver has been told.
    told: bool,
    /// Nothing more will be queued.
    closed: bool,
    queue: VecDeque<(K, Box<Record>)>,
    running: Duration,
    reducing: Duration,
}

/// Runs a campaign from where `lane` is. When `stop` becomes true, no new scenario is started and nothing more is
/// reduced.
///
/// # Errors
/// If the state cannot be kept.
pub fn drive<W: Work>(
    work: &W,
    course: &Course,
    lane: Lane<W::Count, W::Kind>,
    stop: &AtomicBool,
    keeper: &mut dyn Keeper<W::Count, W::Kind>,
) -> Result<Lane<W::Count, W::Kind>, StoreError> {
    let start = Instant::now();
    let deadline = course.time.and_then(|time| start.checked_add(time.saturating_sub(lane.timing.elapsed)));
    let shared = Mutex::new(Shared {
        next: lane.position.blocks,
        counted: lane.position.blocks,
        over: false,
        told: false,
        closed: false,
        queue: VecDeque::new(),
        running: Duration::ZERO,
        reducing: Duration::ZERO,
    });
    let (changed, abandoned) = (Condvar::new(), AtomicBool::new(false));
    let (shard, position) = (lane.shard, lane.position);
    let hall = Hall { shared, changed, abandoned, stop, course: *course, shard, position, deadline };
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..course.jobs.max(1) {
            let sender = sender.clone();
            let hall = &hall;
            scope.spawn(move || hall.work(work, &sender));
        }
        drop(sender);
        let (early, asked, counted) = (BTreeMap::new(), BTreeSet::new(), position.blocks);
        let mut driver = Driver { work, course, lane, early, counted, asked, start, run: 0 };
        let result = driver.drive(&hall, &receiver, keeper);
        hall.abandoned.store(true, Ordering::Relaxed);
        hall.changed.notify_all();
        result.map(|()| driver.lane)
    })
}

/// Where the workers meet.
struct Hall<'s, K> {
    shared: Mutex<Shared<K>>,
    changed: Condvar,
    /// The driver has left.
    abandoned: AtomicBool,
    stop: &'s AtomicBool,
    course: Course,
    shard: Shard,
    position: Position,
    deadline: Option<Instant>,
}

/// Lets the others go if a worker panics: what it had taken will never be counted.
struct Guard<'h>(&'h AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl<K: Kind> Hall<'_, K> {
    fn lock(&self) -> MutexGuard<'_, Shared<K>> {
        // A worker that panics ends the scope with its panic; what it left behind is never used.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work<W: Work<Kind = K>>(&self, work: &W, sender: &Sender<Message<W::Count, K>>) {
        let _guard = Guard(&self.abandoned);
        let mut worker = None;
        loop {
            let task = self.take(work.is_over());
            let start = Instant::now();
            let message = match task {
                Task::Leave => return,
                Task::Tell => Message::Over,
                Task::Run { block, stretch } => {
                    let part = work.run(worker.get_or_insert_with(|| work.worker()), stretch.numbers.clone());
                    self.lock().running += start.elapsed();
                    Message::Ran { block, stretch, part }
                }
                Task::Reduce(kind, found) => {
                    let record = work.reduce(&found, kind, self.stop).map(Box::new);
                    self.lock().reducing += start.elapsed();
                    Message::Reduced { kind, record }
                }
            };
            if sender.send(message).is_err() {
                return;
            }
        }
    }

    fn take(&self, is_over: bool) -> Task<K> {
        let course = &self.course;
        let mut shared = self.lock();
        loop {
            if self.abandoned.load(Ordering::Relaxed) {
                return Task::Leave;
            }
            let stopped = self.stop.load(Ordering::Relaxed);
            shared.over |= is_over || stopped || self.deadline.is_some_and(|d| Instant::now() >= d);
            let ahead = shared.next - shared.counted >= AHEAD * course.jobs as u64;
            let stretch = match shared.over {
                true => None,
                false => self.position.stretch(course.extent, self.shard, course.block, shared.next),
            };
            shared.over |= stretch.is_none();
            if shared.over && !shared.told {
                shared.told = true;
                return Task::Tell;
            }
            let turn = ahead || shared.over || shared.reducing * SHARE < shared.running;
            if turn
                && !stopped
                && let Some((kind, found)) = shared.queue.pop_front()
            {
                return Task::Reduce(kind, found);
            }
            if let Some(stretch) = stretch.filter(|_| !ahead) {
                let block = shared.next;
                shared.next += 1;
                return Task::Run { block, stretch };
            }
            if shared.closed {
                return Task::Leave;
            }
            let waited = self.changed.wait_timeout(shared, TICK);
            shared = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard);
        }
    }
}

/// A block that was run.
type Ran<W> = (Stretch, Part<<W as Work>::Count, <W as Work>::Kind>);

/// The part of a time that went into running scenarios, not into reducing. Measured by the clock and not by adding up
/// what workers took: a worker is no core, and may wait for one.
fn share(elapsed: Duration, running: Duration, reducing: Duration) -> Duration {
    let both = (running + reducing).as_secs_f64();
    if both > 0.0 { elapsed.mul_f64(running.as_secs_f64() / both) } else { Duration::ZERO }
}

/// The thread that counts.
struct Driver<'w, W: Work> {
    work: &'w W,
    course: &'w Course,
    lane: Lane<W::Count, W::Kind>,
    /// Blocks that were run before their predecessors.
    early: BTreeMap<u64, Ran<W>>,
    /// The next block to be counted.
    counted: u64,
    /// Findings that are queued or being reduced.
    asked: BTreeSet<W::Kind>,
    start: Instant,
    run: u64,
}

impl<W: Work> Driver<'_, W> {
    fn drive(
        &mut self,
        hall: &Hall<'_, W::Kind>,
        receiver: &Receiver<Message<W::Count, W::Kind>>,
        keeper: &mut dyn Keeper<W::Count, W::Kind>,
    ) -> Result<(), StoreError> {
        let before = self.lane.timing;
        let mut running = Duration::ZERO;
        let mut kept = Instant::now();
        let mut shown = Instant::now();
        // What was found by a process that was killed.
        self.find(hall, keeper)?;
        let mut enough = self.enough();
        loop {
            let message = receiver.recv_timeout(TICK);
            let gone = matches!(message, Err(RecvTimeoutError::Disconnected));
            let (mut new, mut ran) = (Vec::new(), false);
            let mut next = message.ok();
            while let Some(message) = next {
                match message {
                    Message::Over => {}
                    Message::Ran { block, stretch, part } => {
                        ran = true;
                        self.early.insert(block, (stretch, part));
                    }
                    Message::Reduced { kind, record } => {
                        self.asked.remove(&kind);
                        if let Some(record) = record {
                            self.lane.records.insert(kind, *record);
                            new.push(kind);
                        }
                    }
                }
                next = receiver.try_recv().ok();
            }
            while !enough && let Some((stretch, part)) = self.early.remove(&self.counted) {
                self.run += part.scenarios;
                self.lane.part.absorb(&part);
                self.lane.position = stretch.then;
                self.counted += 1;
                enough = self.enough();
            }
            let elapsed = self.start.elapsed();
            let over = {
                let mut shared = hall.lock();
                if ran {
                    running = share(elapsed, shared.running, shared.reducing);
                }
                shared.over |= enough;
                // Nothing that was handed out will be counted any more if there is enough.
                shared.counted = if enough { shared.next } else { self.counted };
                shared.over
            };
            self.lane.timing = Timing {
                elapsed: before.elapsed + elapsed,
                running: before.running + running,
                reducing: before.reducing + elapsed.saturating_sub(running),
            };
            if !new.is_empty() {
                keeper.keep(&self.lane, &new)?;
            }
            self.find(hall, keeper)?;
            self.close(hall);
            hall.changed.notify_all();
            if kept.elapsed() >= self.course.checkpoint {
                keeper.keep(&self.lane, &[])?;
                kept = Instant::now();
            }
            if gone || shown.elapsed() >= TICK {
                let (run, elapsed) = (self.run, self.start.elapsed());
                keeper.progress(&Progress { lane: &self.lane, run, elapsed, over, done: gone });
                shown = Instant::now();
            }
            if gone {
                return keeper.keep(&self.lane, &[]);
            }
        }
    }

    /// True if enough was found to end the campaign.
    fn enough(&self) -> bool {
        let Some(wanted) = self.course.findings else { return false };
        let mut found: Vec<W::Kind> = self.lane.part.kinds.keys().filter_map(|k| self.work.matters(*k)).collect();
        found.sort_unstable();
        found.dedup();
        found.len() as u64 >= wanted
    }

    /// Has what was found kept, then queues it to be reduced. A finding that another may replace is reduced when all
    /// scenarios have been counted.
    fn find(&mut self, hall: &Hall<'_, W::Kind>, keeper: &mut dyn Keeper<W::Count, W::Kind>) -> Result<(), StoreError> {
        let all_counted = {
            let shared = hall.lock();
            shared.over && shared.counted == shared.next
        };
        let mut new = Vec::new();
        for (kind, seen) in &self.lane.part.kinds {
            if self.lane.records.get(kind).is_none_or(|record| record.first != seen.first) {
                new.push(*kind);
                self.lane.records.insert(*kind, self.work.found(*kind, seen.first));
            }
        }
        if !new.is_empty() {
            keeper.keep(&self.lane, &new)?;
        }
        let ready = |record: &Record| !record.is_examined() && (all_counted || !record.first.secondary);
        for (kind, record) in self.lane.records.iter().filter(|(_, record)| ready(record)) {
            if self.asked.insert(*kind) {
                hall.lock().queue.push_back((*kind, Box::new(record.clone())));
            }
        }
        Ok(())
    }

    /// Lets the workers go when everything is done.
    fn close(&self, hall: &Hall<'_, W::Kind>) {
        let mut shared = hall.lock();
        let all_counted = shared.over && shared.counted == shared.next;
        let stopped = hall.stop.load(Ordering::Relaxed);
        shared.closed |= all_counted && (stopped || self.asked.is_empty());
    }
}

#[cfg(test)]
mod tests;
