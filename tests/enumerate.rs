//! The number of scenarios of a scope, counted a second time from its description alone: every choice is made
//! independently, what the description leaves out is thrown away, and copies are found by writing each scenario in a form
//! that does not say when objects that are in no list were created.

use std::collections::HashSet;

use coroner::enumerate::{Enumeration, Scope};

/// What the description calls full, hides its edges, no GC header, no clear, untracked.
const PARTICIPATION: usize = 5;
const NO_HEADER: usize = 2;
const UNTRACKED: usize = 4;
/// None, look, resurrect, make a weak reference, drop a root.
const FINALIZERS: usize = 5;
const DROP_ROOT: usize = 4;
/// None, look, collect.
const CALLBACKS: usize = 3;

const EDGES: usize = 3;
const DECORATIONS: usize = 3;

/// A weak reference: referent, holder (the number of objects stands for a variable), callback.
type Weak = (usize, usize, usize);

struct Choice {
    participation: Vec<usize>,
    finalizer: Vec<usize>,
    edges: Vec<Vec<usize>>,
    root: Option<usize>,
    weakrefs: Vec<Weak>,
}

/// All lists of `len` numbers below `base`.
fn lists(len: usize, base: usize) -> Vec<Vec<usize>> {
    let longer = |all: Vec<Vec<usize>>| -> Vec<Vec<usize>> {
        all.iter().flat_map(|list| (0..base).map(move |n| [&list[..], &[n]].concat())).collect()
    };
    (0..len).fold(vec![Vec::new()], |all, _| longer(all))
}

/// Everything that `from` reaches in one step or more.
fn reached(edges: &[Vec<usize>], from: usize) -> HashSet<usize> {
    let (mut seen, mut next) = (HashSet::new(), vec![from]);
    while let Some(object) = next.pop() {
        next.extend(edges[object].iter().filter(|target| seen.insert(**target)));
    }
    seen
}

fn is_graph(edges: &[Vec<usize>], root: Option<usize>) -> bool {
    let objects = edges.len();
    if edges.iter().map(Vec::len).sum::<usize>() > EDGES {
        return false;
    }
    let mut both = edges.to_vec();
    for (from, targets) in edges.iter().enumerate() {
        targets.iter().for_each(|to| both[*to].push(from));
    }
    let connected = (0..objects).all(|object| object == 0 || reached(&both, 0).contains(&object));
    let mut live = root.map_or_else(HashSet::new, |root| reached(edges, root));
    live.extend(root);
    connected && (0..objects).any(|object| !live.contains(&object) && reached(edges, object).contains(&object))
}

fn is_wanted(choice: &Choice) -> bool {
    let objects = choice.participation.len();
    let decorated = |list: &[usize]| list.iter().filter(|n| **n > 0).count();
    let decorations = decorated(&choice.participation) + decorated(&choice.finalizer) + choice.weakrefs.len();
    let holds = |object: usize| !choice.edges[object].is_empty() || choice.weakrefs.iter().any(|weak| weak.1 == object);
    let pointless = |object: usize| {
        matches!(choice.participation[object], 1 | 3) && !holds(object)
            || choice.finalizer[object] == DROP_ROOT && choice.root.is_none()
    };
    let in_order = match choice.weakrefs[..] {
        // Two without callback are one object if one place holds both, and their order is nothing.
        [(a, one, 0), (b, two, 0)] if a == b => (one + 1) % (objects + 1) < (two + 1) % (objects + 1),
        [(a, ..), (b, ..)] => a <= b,
        _ => true,
    };
    decorations <= DECORATIONS && in_order && !(0..objects).any(pointless)
}

/// The scenario with objects numbered anew: those in a list first, each in the order that it has.
fn form(choice: &Choice) -> Vec<usize> {
    let objects = choice.participation.len();
    let unlisted = |object: &usize| matches!(choice.participation[*object], NO_HEADER | UNTRACKED);
    let mut order: Vec<usize> = (0..objects).collect();
    order.sort_by_key(unlisted);
    let new = |object: usize| order.iter().position(|old| *old == object).unwrap_or(objects);
    let mut form = vec![choice.root.map_or(objects, new)];
    for old in &order {
        form.extend([choice.participation[*old], choice.finalizer[*old], choice.edges[*old].len()]);
        form.extend(choice.edges[*old].iter().map(|target| new(*target)));
    }
    for (referent, holder, callback) in &choice.weakrefs {
        form.extend([new(*referent), new(*holder), *callback]);
    }
    form
}

fn count(objects: usize) -> usize {
    let mut targets: Vec<Vec<usize>> = (0..3).flat_map(|len| lists(len, objects)).collect();
    targets.retain(|list| list.len() < 2 || list[0] != list[1]);
    let weak = lists(3, objects.max(CALLBACKS) + 1);
    let weak: Vec<Weak> = weak.iter().map(|w| (w[0], w[1], w[2])).collect();
    let weak: Vec<Weak> = weak.into_iter().filter(|w| w.0 < objects && w.1 <= objects && w.2 < CALLBACKS).collect();
    let mut weakrefs: Vec<Vec<Weak>> = vec![Vec::new()];
    weakrefs.extend(weak.iter().map(|one| vec![*one]));
    weakrefs.extend(weak.iter().flat_map(|one| weak.iter().map(|two| vec![*one, *two])));
    let mut forms = HashSet::new();
    for which in lists(objects, targets.len()) {
        let edges: Vec<Vec<usize>> = which.iter().map(|n| targets[*n].clone()).collect();
        for root in (0..objects).map(Some).chain([None]).filter(|root| is_graph(&edges, *root)) {
            for participation in lists(objects, PARTICIPATION) {
                for finalizer in lists(objects, FINALIZERS) {
                    let decorated = participation.iter().chain(&finalizer).filter(|n| **n > 0).count();
                    for weakrefs in weakrefs.iter().filter(|weakrefs| decorated + weakrefs.len() <= DECORATIONS) {
                        let (participation, finalizer) = (participation.clone(), finalizer.clone());
                        let weakrefs = weakrefs.clone();
                        let choice = Choice { participation, finalizer, edges: edges.clone(), root, weakrefs };
                        if is_wanted(&choice) {
                            forms.insert(form(&choice));
                        }
                    }
                }
            }
        }
    }
    forms.len()
}

#[test]
fn scopes_of_one_and_two_objects_have_as_many_scenarios_as_their_description() {
    let (one, two) = (count(1), count(2));
    assert_eq!(one as u64, Enumeration::new(Scope::new(1)).total());
    assert_eq!((one + two) as u64, Enumeration::new(Scope::new(2)).total());
}
