//! Looks at a file that could be read for what was hardly meant.

use std::ops::Range;

use super::super::{Base, MAX_VARS, Op, Place, Scenario, Stands};
use super::MAX_DIAGNOSTICS;
use super::diagnostic::{Code, Diagnostic};
use super::document::{Document, origin};

/// Operations that say nothing or probably not what was meant, up to the limit.
pub(super) fn warnings(source: &str, spans: &[Range<usize>], scenario: &Scenario, kept: &[u32]) -> Vec<Diagnostic> {
    let mut gone = vec![true; spans.len()];
    kept.iter().for_each(|op| gone[*op as usize] = false);
    let mut vain: Vec<(Range<usize>, bool, Op)> = Vec::new();
    let weakrefs = weakref_vars(scenario);
    for (index, gone) in gone.into_iter().enumerate() {
        let calls_weakref = match scenario.ops()[index] {
            Op::Call { callable } => bare_var(callable).is_some_and(|var| weakrefs[var as usize]),
            _ => false,
        };
        if gone || calls_weakref {
            vain.push((spans[index].clone(), gone, scenario.ops()[index]));
        }
        if vain.len() == MAX_DIAGNOSTICS {
            break;
        }
    }
    vain.sort_by_key(|(span, _, _)| span.start);
    let warning = |(span, gone, op): (_, bool, Op)| {
        let message =
            if gone { "this operation can never have an effect" } else { "a weak reference cannot be called" };
        let advice = match op {
            _ if !gone => "to read it, write `deref(...)`",
            op if op.operation().stands == Stands::Main => {
                "it is dropped: `repeat` and `iterate` need a script that does something, and work in the main body and \
                 in scripts that they run there"
            }
            _ => "it is dropped: what it names is never created, nothing runs it, or the script has ended before",
        };
        Diagnostic::new(Code::NoEffect, source, span, message).suggesting(advice)
    };
    vain.into_iter().map(warning).collect()
}

/// The variables that only ever hold weak references.
fn weakref_vars(scenario: &Scenario) -> Vec<bool> {
    let mut weak = vec![false; MAX_VARS as usize];
    let mut other = weak.clone();
    for op in scenario.ops() {
        let Some(var) = op.target().and_then(bare_var) else { continue };
        match op {
            Op::New { kind, .. } if kind.shape.is_weakref() => weak[var as usize] = true,
            Op::Set { src, .. } if src.is_nothing() => {}
            _ => other[var as usize] = true,
        }
    }
    weak.iter().zip(other).map(|(weak, other)| *weak && !other).collect()
}

fn bare_var(place: Place) -> Option<u16> {
    match (place.base, place.path()) {
        (Base::Var(var), []) => Some(var),
        _ => None,
    }
}

/// Every fact must be about an object that some operation creates.
pub(super) fn check_facts(source: &str, document: &Document) -> Result<(), Vec<Diagnostic>> {
    let facts = document.expectations.iter().flat_map(|e| &e.facts);
    let mut vars: Vec<u16> = facts.filter_map(|f| f.var()).collect();
    vars.sort_unstable();
    vars.dedup();
    let homeless = vars.into_iter().find(|var| origin(&document.scenario, *var).is_none());
    let Some(var) = homeless else { return Ok(()) };
    let name = document.names.var(var);
    let at = source.find(&format!("({name})")).map_or(0, |at| at + 1);
    let message = format!("no operation creates an object in the variable `{name}`");
    Err(vec![Diagnostic::new(Code::UnknownName, source, at..at + name.len(), message)])
}
