//! Drives a campaign over many workers: hands out blocks, counts them in order, has findings kept and reduced.
//!
//! Workers share one lock, which they take once per block, and send what they counted to the thread that drives. That
//! thread adds up the blocks in the order of their numbers: what is counted is always a prefix of the shard, whoever
//! was faster, so a campaign that is stopped at any point equals one of that many scenarios, and where a campaign
//! stops because enough was found does not depend on the number of workers. How far workers may run ahead is bounded,
//! so memory is too.

use crate::findings::{
    Counts, Extent, Finding, FindingKey, First, Position, Shard, ShardState, StoreError, Stretch, SubjectCounts, Timing,
};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often progress is reported.
const TICK: Duration = Duration::from_millis(100);
/// How many blocks per worker may be run before the oldest is counted.
const AHEAD: u64 = 64;
/// While there are scenarios to run, reducing may take one part in so many of the time.
const SHARE: u32 = 8;

/// What a campaign does with its scenarios.
pub trait Work: Sync {
    /// What is counted.
    type Counts: SubjectCounts;
    /// What findings are told apart by.
    type Key: FindingKey;
    /// What a worker uses again and again.
    type Worker;

    /// Something to work with.
    fn worker(&self) -> Self::Worker;

    /// Runs scenarios. A pure function of the numbers.
    fn run(&self, worker: &mut Self::Worker, numbers: Range<u64>) -> Counts<Self::Counts, Self::Key>;

    /// A finding that was just made, unreduced.
    fn found(&self, kind: Self::Key, first: First) -> Finding;

    /// Reduces a finding; nothing if `stop` became true. A pure function of the finding.
    fn reduce(&self, found: &Finding, kind: Self::Key, stop: &AtomicBool) -> Option<Finding>;

    /// What findings are counted by, if they end a campaign; nothing if this kind does not matter.
    fn matters(&self, kind: Self::Key) -> Option<Self::Key>;

    /// True if no scenario can be run any more.
    fn is_over(&self) -> bool {
        false
    }
}

/// When a campaign is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
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
pub struct Progress<'l, T: SubjectCounts, K: FindingKey> {
    /// What is counted.
    pub state: &'l ShardState<T, K>,
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
pub trait Persist<T: SubjectCounts, K: FindingKey> {
    /// Called with new records, which have to be safe when it returns, and with none now and then.
    ///
    /// # Errors
    /// If the state cannot be kept: the campaign ends.
    fn keep(&mut self, state: &ShardState<T, K>, new: &[K]) -> Result<(), StoreError>;

    /// Called about ten times a second.
    fn progress(&mut self, _progress: &Progress<'_, T, K>) {}
}

enum Message<T: SubjectCounts, K: FindingKey> {
    Ran {
        block: u64,
        stretch: Stretch,
        part: Counts<T, K>,
    },
    Reduced {
        kind: K,
        record: Option<Box<Finding>>,
    },
    /// There are no more blocks to be handed out.
    Over,
}

enum Task<K> {
    Run { block: u64, stretch: Stretch },
    Reduce(K, Box<Finding>),
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
    queue: VecDeque<(K, Box<Finding>)>,
    running: Duration,
    reducing: Duration,
}

/// Runs a campaign from where its state is. When `stop` becomes true, no new scenario is started and nothing more is
/// reduced.
///
/// # Errors
/// If the state cannot be kept.
pub fn drive<W: Work>(
    work: &W,
    bounds: &Bounds,
    state: ShardState<W::Counts, W::Key>,
    stop: &AtomicBool,
    keeper: &mut dyn Persist<W::Counts, W::Key>,
) -> Result<ShardState<W::Counts, W::Key>, StoreError> {
    let start = Instant::now();
    let deadline = bounds.time.and_then(|time| start.checked_add(time.saturating_sub(state.timing.elapsed)));
    let shared = Mutex::new(Shared {
        next: state.position.blocks,
        counted: state.position.blocks,
        over: false,
        told: false,
        closed: false,
        queue: VecDeque::new(),
        running: Duration::ZERO,
        reducing: Duration::ZERO,
    });
    let (changed, abandoned) = (Condvar::new(), AtomicBool::new(false));
    let (shard, position) = (state.shard, state.position);
    let queue = WorkQueue { shared, changed, abandoned, stop, bounds: *bounds, shard, position, deadline };
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..bounds.jobs.max(1) {
            let sender = sender.clone();
            let queue = &queue;
            scope.spawn(move || queue.work(work, &sender));
        }
        drop(sender);
        let (early, asked, counted) = (BTreeMap::new(), BTreeSet::new(), position.blocks);
        let mut driver = Driver { work, bounds, state, early, counted, asked, start, run: 0 };
        let result = driver.drive(&queue, &receiver, keeper);
        queue.abandoned.store(true, Ordering::Relaxed);
        queue.changed.notify_all();
        result.map(|()| driver.state)
    })
}

/// Where the workers meet.
struct WorkQueue<'s, K> {
    shared: Mutex<Shared<K>>,
    changed: Condvar,
    /// The driver has left.
    abandoned: AtomicBool,
    stop: &'s AtomicBool,
    bounds: Bounds,
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

impl<K: FindingKey> WorkQueue<'_, K> {
    fn lock(&self) -> MutexGuard<'_, Shared<K>> {
        // A worker that panics ends the scope with its panic; what it left behind is never used.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work<W: Work<Key = K>>(&self, work: &W, sender: &Sender<Message<W::Counts, K>>) {
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
        let bounds = &self.bounds;
        let mut shared = self.lock();
        loop {
            if self.abandoned.load(Ordering::Relaxed) {
                return Task::Leave;
            }
            let stopped = self.stop.load(Ordering::Relaxed);
            shared.over |= is_over || stopped || self.deadline.is_some_and(|d| Instant::now() >= d);
            let ahead = shared.next - shared.counted >= AHEAD * bounds.jobs as u64;
            let stretch = match shared.over {
                true => None,
                false => self.position.stretch(bounds.extent, self.shard, bounds.block, shared.next),
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
type Ran<W> = (Stretch, Counts<<W as Work>::Counts, <W as Work>::Key>);

/// The part of a time that went into running scenarios, not into reducing. Measured by the clock and not by adding up
/// what workers took: a worker is no core, and may wait for one.
fn share(elapsed: Duration, running: Duration, reducing: Duration) -> Duration {
    let both = (running + reducing).as_secs_f64();
    if both > 0.0 { elapsed.mul_f64(running.as_secs_f64() / both) } else { Duration::ZERO }
}

/// The thread that counts.
struct Driver<'w, W: Work> {
    work: &'w W,
    bounds: &'w Bounds,
    state: ShardState<W::Counts, W::Key>,
    /// Blocks that were run before their predecessors.
    early: BTreeMap<u64, Ran<W>>,
    /// The next block to be counted.
    counted: u64,
    /// Findings that are queued or being reduced.
    asked: BTreeSet<W::Key>,
    start: Instant,
    run: u64,
}

impl<W: Work> Driver<'_, W> {
    fn drive(
        &mut self,
        queue: &WorkQueue<'_, W::Key>,
        receiver: &Receiver<Message<W::Counts, W::Key>>,
        keeper: &mut dyn Persist<W::Counts, W::Key>,
    ) -> Result<(), StoreError> {
        let before = self.state.timing;
        let mut running = Duration::ZERO;
        let mut kept = Instant::now();
        let mut shown = Instant::now();
        // What was found by a process that was killed.
        self.find(queue, keeper)?;
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
                            self.state.records.insert(kind, *record);
                            new.push(kind);
                        }
                    }
                }
                next = receiver.try_recv().ok();
            }
            while !enough && let Some((stretch, part)) = self.early.remove(&self.counted) {
                self.run += part.scenarios;
                self.state.part.absorb(&part);
                self.state.position = stretch.then;
                self.counted += 1;
                enough = self.enough();
            }
            let elapsed = self.start.elapsed();
            let over = {
                let mut shared = queue.lock();
                if ran {
                    running = share(elapsed, shared.running, shared.reducing);
                }
                shared.over |= enough;
                // Nothing that was handed out will be counted any more if there is enough.
                shared.counted = if enough { shared.next } else { self.counted };
                shared.over
            };
            self.state.timing = Timing {
                elapsed: before.elapsed + elapsed,
                running: before.running + running,
                reducing: before.reducing + elapsed.saturating_sub(running),
            };
            if !new.is_empty() {
                keeper.keep(&self.state, &new)?;
            }
            self.find(queue, keeper)?;
            self.close(queue);
            queue.changed.notify_all();
            if kept.elapsed() >= self.bounds.checkpoint {
                keeper.keep(&self.state, &[])?;
                kept = Instant::now();
            }
            if gone || shown.elapsed() >= TICK {
                let (run, elapsed) = (self.run, self.start.elapsed());
                keeper.progress(&Progress { state: &self.state, run, elapsed, over, done: gone });
                shown = Instant::now();
            }
            if gone {
                return keeper.keep(&self.state, &[]);
            }
        }
    }

    /// True if enough was found to end the campaign.
    fn enough(&self) -> bool {
        let Some(wanted) = self.bounds.findings else { return false };
        let mut found: Vec<W::Key> = self.state.part.kinds.keys().filter_map(|k| self.work.matters(*k)).collect();
        found.sort_unstable();
        found.dedup();
        found.len() as u64 >= wanted
    }

    /// Has what was found kept, then queues it to be reduced. A finding that another may replace is reduced when all
    /// scenarios have been counted.
    fn find(
        &mut self,
        queue: &WorkQueue<'_, W::Key>,
        keeper: &mut dyn Persist<W::Counts, W::Key>,
    ) -> Result<(), StoreError> {
        let all_counted = {
            let shared = queue.lock();
            shared.over && shared.counted == shared.next
        };
        let mut new = Vec::new();
        for (kind, seen) in &self.state.part.kinds {
            if self.state.records.get(kind).is_none_or(|record| record.first != seen.first) {
                new.push(*kind);
                self.state.records.insert(*kind, self.work.found(*kind, seen.first));
            }
        }
        if !new.is_empty() {
            keeper.keep(&self.state, &new)?;
        }
        let ready = |record: &Finding| !record.is_examined() && (all_counted || !record.first.secondary);
        for (kind, record) in self.state.records.iter().filter(|(_, record)| ready(record)) {
            if self.asked.insert(*kind) {
                queue.lock().queue.push_back((*kind, Box::new(record.clone())));
            }
        }
        Ok(())
    }

    /// Lets the workers go when everything is done.
    fn close(&self, queue: &WorkQueue<'_, W::Key>) {
        let mut shared = queue.lock();
        let all_counted = shared.over && shared.counted == shared.next;
        let stopped = queue.stop.load(Ordering::Relaxed);
        shared.closed |= all_counted && (stopped || self.asked.is_empty());
    }
}

#[cfg(test)]
mod tests;
