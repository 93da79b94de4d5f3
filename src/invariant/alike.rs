//! Which releases the invariants cannot tell apart.

use super::documented::Why;
use crate::subject::Release;

/// Releases from which on the judge knows something else, besides the bounds of [`Why`]: 3.0 (no `__del__` that runs
/// late), 3.8 (functions have `tp_clear`), 3.9 (instances report their type), 3.14.0 to 3.14.4 (incremental collector),
/// 3.15 (weak references in the trash).
const BOUNDS: [Release; 6] = [
    Release::new(3, 0, 0),
    Release::new(3, 8, 0),
    Release::new(3, 9, 0),
    Release::new(3, 14, 0),
    Release::new(3, 14, 5),
    Release::new(3, 15, 0),
];

/// True if the same events of the two releases are the same violations.
pub fn judged_alike(a: Release, b: Release) -> bool {
    let documented = Why::ALL.iter().map(|why| why.releases());
    let mut bounds = documented.flat_map(|(from, to)| [from, to]).flatten().chain(BOUNDS);
    bounds.all(|bound| (a >= bound) == (b >= bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::Collector;
    use crate::event::Event;
    use crate::generate::{Generator, Profile, Seed, Size};
    use crate::invariant::{Judge, Violation};
    use crate::run::Machine;
    use crate::scenario::Scenario;

    #[test]
    fn releases_that_are_judged_alike_are() {
        let rows = Collector::all();
        let mut machines: Vec<Machine> = rows.iter().map(Machine::new).collect();
        let (mut judge, mut events, mut scenario) = (Judge::new(), Vec::<Event>::new(), Scenario::new());
        let (mut alike, mut different) = (0, 0);
        for profile in ["default", "weakrefs", "builtin"] {
            let profile = Profile::named(profile).unwrap();
            let mut generator = Generator::new(Seed::from(5), profile, Size::default());
            for n in 0..60 {
                generator.fill(n, &mut scenario);
                // Streams of a few collectors are enough: every release judges each.
                for machine in machines.iter_mut().step_by(4) {
                    events.clear();
                    machine.run(&scenario, &mut events);
                    let mut judge = |c: &Collector| judge.judge(&scenario, &events, Some(c.release)).to_vec();
                    let verdicts: Vec<Vec<Violation>> = rows.iter().map(&mut judge).collect();
                    for (at, a) in rows.iter().enumerate() {
                        for (b, of_b) in rows[..at].iter().zip(&verdicts) {
                            if judged_alike(a.release, b.release) {
                                assert_eq!(verdicts[at], *of_b, "{} and {}", a.name, b.name);
                                alike += 1;
                            } else {
                                different += u32::from(verdicts[at] != *of_b);
                            }
                        }
                    }
                }
            }
        }
        assert!(alike > 10_000 && different > 100, "{alike}, {different}");
    }
}
