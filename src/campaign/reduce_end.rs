//! Reduces a scenario that an interpreter died of, or did not end within its limits.

use std::cell::Cell;

use super::Examiner;
use crate::scenario::Scenario;
use crate::shrink::{self, Budget, Minimized};
use crate::subject::{End, Fatal};
use crate::supervise::Limits;

/// Makes a scenario small that an interpreter dies of, or reaches a limit with, while candidates end in the same way.
pub fn reduce_fatal(
    examiner: &mut Examiner,
    scenario: &Scenario,
    fatal: Fatal,
    tries: u64,
    progress: &mut dyn FnMut(&shrink::Progress<'_>),
) -> Minimized {
    let limits = examiner.limits();
    if fatal == Fatal::Limit {
        examiner.set_limits(limits.hurried());
    }
    let slow = Cell::new(0);
    let mut holds = |candidate: &Scenario| {
        let end = examiner.examine(candidate, false).end;
        slow.set(slow.get() + u64::from(matches!(end, End::Limit(_))));
        end.fatal() == Some(fatal)
    };
    let minimized = shrink::minimize(scenario, &mut holds, Budget { tries }, &mut |p| {
        if slow.get() >= Limits::SLOW_CANDIDATES {
            p.stop();
        }
        progress(p);
    });
    examiner.set_limits(limits);
    minimized
}
