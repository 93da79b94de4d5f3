//! What is special about the objects of a graph.

use super::MAX_OBJECTS;
use super::graph::Graph;

const N: usize = MAX_OBJECTS as usize;

/// How an object's type takes part in garbage collection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Participation {
    /// Fully.
    Full,
    /// `traverse` reports none of its edges.
    HidesEdges,
    /// It has no GC header.
    NoHeader,
    /// It has no `clear`.
    NoClear,
    /// It is not tracked.
    Untracked,
}

impl Participation {
    /// Every one.
    pub const ALL: [Participation; 5] = [
        Participation::Full,
        Participation::HidesEdges,
        Participation::NoHeader,
        Participation::NoClear,
        Participation::Untracked,
    ];

    /// True if the object is in no list of the collector.
    pub(super) fn is_unlisted(self) -> bool {
        matches!(self, Participation::NoHeader | Participation::Untracked)
    }
}

/// What an object's finalizer does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Finalizing {
    /// There is none.
    None,
    /// Reads every weak reference that a variable holds, then looks at all it can reach.
    Look,
    /// Stores the object in a variable.
    Resurrect,
    /// Makes a weak reference to the object and stores it in a variable.
    MakeWeakref,
    /// Drops the root that is left.
    DropRoot,
}

impl Finalizing {
    /// Every one.
    pub const ALL: [Finalizing; 5] =
        [Finalizing::None, Finalizing::Look, Finalizing::Resurrect, Finalizing::MakeWeakref, Finalizing::DropRoot];
}

/// What a weak reference's callback does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Callback {
    /// There is none.
    None,
    /// As [`Finalizing::Look`].
    Look,
    /// Starts a full collection.
    Collect,
}

impl Callback {
    /// Every one.
    pub const ALL: [Callback; 3] = [Callback::None, Callback::Look, Callback::Collect];
}

/// A weak reference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Weak {
    pub referent: u8,
    /// The object that holds it; `None` for a variable.
    pub holder: Option<u8>,
    pub callback: Callback,
}

/// The decorations of a graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Decorations {
    pub participation: [Participation; N],
    pub finalizing: [Finalizing; N],
    /// In order of creation; the second is used only if the first is.
    pub weakrefs: [Option<Weak>; 2],
}

impl Decorations {
    const PLAIN: Decorations =
        Decorations { participation: [Participation::Full; N], finalizing: [Finalizing::None; N], weakrefs: [None; 2] };

    /// True if a weak reference is held by this object.
    fn holds(&self, object: usize) -> bool {
        self.weakrefs.iter().flatten().any(|weak| weak.holder == Some(object as u8))
    }

    /// False if a decoration cannot make a difference on this graph.
    pub fn means_something_on(&self, graph: &Graph) -> bool {
        (0..graph.objects as usize).all(|object| {
            let edges = graph.edges[object][0].is_some() || self.holds(object);
            let needs_edges = matches!(self.participation[object], Participation::HidesEdges | Participation::NoClear);
            let needs_root = self.finalizing[object] == Finalizing::DropRoot;
            (edges || !needs_edges) && (graph.root.is_some() || !needs_root)
        })
    }

    /// False if creating objects that are in no list at another time gives a smaller scenario of the scope.
    pub fn is_smallest_on(&self, graph: &Graph) -> bool {
        self.copies(graph).all(|(other, graph_of_other)| (other, graph_of_other) >= (*self, *graph))
    }

    /// The scenarios of the scope that differ from this one only in when objects that are in no list are created. One of
    /// them is this one.
    pub fn copies(&self, graph: &Graph) -> impl Iterator<Item = (Decorations, Graph)> {
        let objects = graph.objects as usize;
        let any = self.participation[..objects].iter().any(|p| p.is_unlisted());
        permutations(objects, any)
            .filter(move |to| self.keeps_order(to, objects))
            .map(move |to| (self.renumbered(to, objects), graph.renumbered(to)))
            .filter(|(other, _)| other.is_in_order())
    }

    /// True if objects that are in a list keep their order, and so do the others.
    fn keeps_order(&self, to: &[u8; N], objects: usize) -> bool {
        [false, true].into_iter().all(|unlisted| {
            let mut last = None;
            (0..objects).filter(|object| self.participation[*object].is_unlisted() == unlisted).all(|object| {
                let before = last.replace(to[object]);
                before.is_none_or(|before| before < to[object])
            })
        })
    }

    fn renumbered(&self, to: &[u8; N], objects: usize) -> Decorations {
        let mut other = *self;
        for (object, new) in to.iter().enumerate().take(objects) {
            other.participation[*new as usize] = self.participation[object];
            other.finalizing[*new as usize] = self.finalizing[object];
        }
        for weak in other.weakrefs.iter_mut().flatten() {
            weak.referent = to[weak.referent as usize];
            weak.holder = weak.holder.map(|holder| to[holder as usize]);
        }
        other
    }

    /// True if weak references are in the order that the scope gives them: by referent. Two without callback to one
    /// object are one object, so their order is that of their holders, which differ.
    fn is_in_order(&self) -> bool {
        match self.weakrefs {
            [Some(one), Some(two)] if one.referent == two.referent => {
                one.callback != Callback::None || two.callback != Callback::None || one.holder < two.holder
            }
            [Some(one), Some(two)] => one.referent < two.referent,
            _ => true,
        }
    }
}

/// Every renumbering of this number of objects; only the one that changes nothing if there is no reason for `any`.
fn permutations(objects: usize, any: bool) -> impl Iterator<Item = &'static [u8; N]> {
    const ALL: [[u8; N]; 6] = [[0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    ALL[..if any { ALL.len() } else { 1 }]
        .iter()
        .filter(move |to| (objects..N).all(|object| to[object] == object as u8))
}

/// Every set of at most `most` decorations of this number of objects.
pub(super) fn decorations(objects: u8, most: u8) -> Vec<Decorations> {
    let mut found = vec![(Decorations::PLAIN, 0u8)];
    for object in 0..objects as usize {
        extend(&mut found, most, |plain, out| {
            out.extend(Participation::ALL[1..].iter().map(|participation| {
                let mut other = *plain;
                other.participation[object] = *participation;
                other
            }));
        });
        extend(&mut found, most, |plain, out| {
            out.extend(Finalizing::ALL[1..].iter().map(|finalizing| {
                let mut other = *plain;
                other.finalizing[object] = *finalizing;
                other
            }));
        });
    }
    let holders = || std::iter::once(None).chain((0..objects).map(Some));
    let mut weakrefs = Vec::new();
    for referent in 0..objects {
        for holder in holders() {
            weakrefs.extend(Callback::ALL.map(|callback| Weak { referent, holder, callback }));
        }
    }
    for which in 0..2 {
        extend(&mut found, most, |plain, out| {
            if which == 1 && plain.weakrefs[0].is_none() {
                return;
            }
            for weak in &weakrefs {
                let mut other = *plain;
                other.weakrefs[which] = Some(*weak);
                if other.is_in_order() {
                    out.push(other);
                }
            }
        });
    }
    found.into_iter().map(|(decorations, _)| decorations).collect()
}

/// Adds to the sets all those with one decoration more that `more` finds.
fn extend(found: &mut Vec<(Decorations, u8)>, most: u8, more: impl Fn(&Decorations, &mut Vec<Decorations>)) {
    let mut out = Vec::new();
    for at in 0..found.len() {
        let (plain, count) = found[at];
        if count < most {
            more(&plain, &mut out);
            found.extend(out.drain(..).map(|other| (other, count + 1)));
        }
    }
}
