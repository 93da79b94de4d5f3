//! From the deaths of one object to the faults that they show.

use super::facts::{Death, Record, Sample, flag};
use super::words::{Fault, Proof, Severity};
use crate::subject::Release;

/// References of the library's own to each object that it knows: `HELD` of `audit.h`.
const HELD: i64 = 16;

/// A fault that one object shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// What is wrong.
    pub fault: Fault,
    /// How bad it is.
    pub severity: Severity,
    /// How well it is shown.
    pub proof: Proof,
    /// Where the reference was; nothing if it is not known, or the fault is about none.
    pub place: Option<String>,
    /// The type of the target; nothing if the fault is about none.
    pub target: Option<String>,
    /// References that the deallocator released.
    pub released: i64,
    /// References that traverse reported.
    pub visits: i64,
}

/// What one object says of its type.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judged {
    /// The faults.
    pub shown: Vec<Shown>,
    /// Why something cannot be told of it.
    pub inconclusive: Option<String>,
}

/// What the deaths of an object show, by the rules of a release.
pub fn judge(sample: &Sample, release: Release) -> Judged {
    let mut judged = Judged::default();
    let Some(death) = sample.ways.get("death") else { return judged };
    if let Some(why) = not_told(death) {
        judged.inconclusive = Some(why);
        return judged;
    }
    let own = OwnType { python: death.is_python != 0, release, heap: death.is_heap != 0, gc: death.is_gc != 0 };
    if death.unstable != 0 {
        judged.shown.push(Shown::of_type(Fault::Unstable, Severity::Memory));
    } else {
        references(&mut judged, death, own);
    }
    tracking(&mut judged, sample, death);
    // Both show after tp_clear, too, where they say nothing new.
    let is_said = judged.shown.iter().any(|s| matches!(s.fault, Fault::DoubleRelease | Fault::OverReport));
    if let Some(clear) = sample.ways.get("clear").filter(|_| !is_said && death.unstable == 0) {
        after_clear(&mut judged, clear);
    }
    if sample.ways.get("weak").is_some_and(|weak| weak.done && weak.weak_left != 0 && weak.revived == 0) {
        judged.shown.push(Shown::of_type(Fault::Weakrefs, Severity::Memory));
    }
    if let Some(inside) = sample.ways.get("inside").filter(|inside| not_told(inside).is_none()) {
        in_finalizer(&mut judged, inside, death);
    }
    let untold = |(way, death): (&String, &Death)| not_told(death).map(|why| format!("{way}: {why}"));
    if judged.inconclusive.is_none() {
        let others = sample.ways.iter().filter(|(way, _)| !matches!(way.as_str(), "death" | "clear"));
        judged.inconclusive = others.filter_map(untold).next();
    }
    judged
}

fn not_told(death: &Death) -> Option<String> {
    match death {
        Death { status: -1, .. } => Some("it took too long".to_owned()),
        Death { immortal: 1, .. } => Some("it never dies (PEP 683)".to_owned()),
        Death { done: false, status, .. } => Some(format!("the copy of the process died (status {status})")),
        Death { revived: 1, .. } => Some("its finalizer brings it back to life".to_owned()),
        Death { too_many: 1, .. } => Some("it has too many members".to_owned()),
        _ => None,
    }
}

impl Shown {
    fn of_type(fault: Fault, severity: Severity) -> Shown {
        Shown { fault, severity, proof: Proof::Proven, place: None, target: None, released: 0, visits: 0 }
    }

    fn of(record: &Record, fault: Fault, severity: Severity) -> Shown {
        Shown {
            fault,
            severity,
            proof: if record.place == 0 { Proof::Released } else { Proof::Proven },
            place: record.place(),
            target: Some(record.type_name.clone()),
            released: record.released,
            visits: record.visits,
        }
    }
}

/// How bad it is that a target is owned and not reported.
fn of_target(record: &Record) -> Severity {
    if record.is(flag::INERT) {
        Severity::Harmless
    } else if record.is(flag::REACHES_BACK) {
        Severity::Leak
    } else if record.is(flag::TYPE | flag::MODULE | flag::BUILTIN_FUNCTION) {
        Severity::Private
    } else if record.is(flag::SHARED | flag::PYTHON | flag::LEADS_ON) {
        Severity::Leak
    } else {
        Severity::Private
    }
}

/// What the rules about an object's own type depend on.
#[derive(Clone, Copy)]
struct OwnType {
    python: bool,
    release: Release,
    heap: bool,
    gc: bool,
}

/// True if the death left fewer references than others report, and there were enough before: if not, another one reports too
/// much.
fn is_short(record: &Record) -> bool {
    let Record { before, released, explained, visits, .. } = *record;
    before >= explained + visits && before - released < explained
}

fn references(judged: &mut Judged, death: &Death, own: OwnType) {
    // What is released twice may take its members along.
    let twice = death.records.iter().find(|r| !r.is(flag::OWN_TYPE) && is_short(r));
    // An object without a header may leave it to its owner to report what it has, as the links of functools.lru_cache do.
    let is_reported_by_others = |r: &Record| death.is_gc == 0 && r.released <= r.explained - HELD;
    if let Some(record) = twice.filter(|r| r.released > r.visits && !is_reported_by_others(r)) {
        judged.shown.push(Shown::of(record, Fault::DoubleRelease, Severity::Memory));
        return;
    }
    for record in &death.records {
        if record.is(flag::OWN_TYPE) {
            judged.shown.extend(own_type(record, own));
        } else if record.released > record.visits && record.before - record.released < record.explained {
            // Reported by others.
        } else if record.released > record.visits {
            let fault = if death.is_gc != 0 { Fault::Hide } else { Fault::NoGc };
            judged.shown.push(Shown::of(record, fault, of_target(record)));
        } else if record.visits > record.released {
            // All references to the target, less those of others: what is left belongs to the dying object, or to nobody
            // who is known.
            match record.before - record.explained - record.visits {
                ..0 => judged.shown.push(Shown::of(record, Fault::OverReport, Severity::Memory)),
                0 if matches!(record.place, 1 | 2) => {
                    judged.shown.push(Shown::of(record, Fault::DeallocLeaks, of_target(record)));
                }
                _ => {
                    let target = &record.type_name;
                    let why = format!("it reports a {target} that its death does not release, and others may own it");
                    judged.inconclusive.get_or_insert(why);
                }
            }
        }
    }
}

fn own_type(record: &Record, own: OwnType) -> Option<Shown> {
    let since = |minor| own.release >= Release::new(3, minor, 0);
    if own.python || !own.heap {
        None
    } else if record.released == 0 && since(8) {
        Some(Shown::of(record, Fault::KeepsType, Severity::Count))
    } else if own.gc && record.visits == 0 && record.released > 0 && since(9) {
        Some(Shown::of(record, Fault::Type, Severity::Count))
    } else {
        None
    }
}

fn tracking(judged: &mut Judged, sample: &Sample, death: &Death) {
    // Tuples and dictionaries are untracked by the collector itself as long as they hold nothing that it tracks.
    let is_exempt = ["tuple", "dict"].contains(&sample.type_name.as_str());
    if death.is_gc != 0 && death.is_tracked == 0 && !is_exempt {
        let lively = |r: &&Record| r.visits > 0 && r.is(flag::TRACKED) && !r.is(flag::OWN_TYPE | flag::INERT);
        let worst = death.records.iter().filter(lively).min_by_key(|r| of_target(r));
        judged.shown.extend(worst.map(|r| Shown::of(r, Fault::Untracked, of_target(r))));
    }
    if death.is_tracked != 0 && death.freed_tracked != 0 {
        judged.shown.push(Shown::of_type(Fault::Untrack, Severity::Memory));
    } else if let Some(order) = sample.ways.get("order").filter(|order| order.done && order.untracked_late != 0) {
        let target = Some(order.late_type.clone());
        judged.shown.push(Shown { target, ..Shown::of_type(Fault::LateUntrack, Severity::Memory) });
    }
}

fn after_clear(judged: &mut Judged, clear: &Death) {
    if !clear.done && clear.status > 0 {
        judged.shown.push(Shown::of_type(Fault::ClearCrash, Severity::Memory));
        return;
    }
    if let Some(why) = not_told(clear) {
        judged.inconclusive.get_or_insert(format!("clear: {why}"));
        return;
    }
    for record in clear.records.iter().filter(|r| !r.is(flag::OWN_TYPE) && r.cleared > 0) {
        if is_short(record) {
            judged.shown.push(Shown::of(record, Fault::DoubleRelease, Severity::Memory));
        } else if record.after_clear > record.released - record.cleared {
            judged.shown.push(Shown::of(record, Fault::VisitsAfterClear, Severity::Memory));
        }
    }
}

/// What only shows if the finalizer runs in the deallocator: otherwise it has released it before.
fn in_finalizer(judged: &mut Judged, inside: &Death, death: &Death) {
    let is_seen =
        |record: &Record| death.records.iter().any(|r| r.type_name == record.type_name && r.place() == record.place());
    for record in inside.records.iter().filter(|r| r.released > r.visits && !r.is(flag::OWN_TYPE) && r.place != 0) {
        if !is_seen(record) {
            let fault = if inside.is_gc != 0 { Fault::Hide } else { Fault::NoGc };
            let proof = Proof::Finalizer;
            judged.shown.push(Shown { proof, ..Shown::of(record, fault, of_target(record)) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(death: Death) -> Vec<Fault> {
        let ways = [("death".to_owned(), Death { done: true, ..death })].into();
        let sample = Sample { type_name: "x".to_owned(), source: "heap".to_owned(), made: String::new(), ways };
        judge(&sample, Release::new(3, 13, 0)).shown.iter().map(|shown| shown.fault).collect()
    }

    fn one(released: i64, visits: i64, explained: i64, place: u8) -> Vec<Record> {
        vec![Record { released, visits, before: HELD + 1, explained, place, ..Record::default() }]
    }

    #[test]
    fn what_the_owner_of_an_object_reports_for_it_is_no_fault() {
        assert_eq!(faults(Death { records: one(1, 0, HELD + 1, 1), ..Death::default() }), []);
        assert_eq!(faults(Death { records: one(1, 0, HELD, 1), ..Death::default() }), [Fault::NoGc]);
        // The owner, in whose memory it is not.
        let owner = |place| Death { is_gc: 1, is_tracked: 1, records: one(0, 1, HELD, place), ..Death::default() };
        assert_eq!((faults(owner(0)), faults(owner(1))), (vec![], vec![Fault::DeallocLeaks]));
    }

    #[test]
    fn the_balance_tells_what_is_released_or_reported_too_often() {
        let gc = |records| Death { is_gc: 1, is_tracked: 1, records, ..Death::default() };
        assert_eq!(faults(gc(one(2, 1, HELD, 1))), [Fault::DoubleRelease]);
        // Another object reports too much.
        assert_eq!(faults(gc(one(1, 1, HELD + 1, 1))), []);
        assert_eq!(faults(gc(one(1, 2, HELD, 1))), [Fault::OverReport]);
        assert_eq!(faults(gc(one(1, 0, HELD, 1))), [Fault::Hide]);
        assert_eq!(faults(gc(one(1, 1, HELD, 1))), []);
    }

    #[test]
    fn what_never_dies_or_comes_back_tells_nothing() {
        let records = || one(1, 0, HELD, 1);
        assert_eq!(faults(Death { immortal: 1, records: records(), ..Death::default() }), []);
        assert_eq!(faults(Death { revived: 1, records: records(), ..Death::default() }), []);
    }
}
