//! The objects, the edges between them and the root that is left.

use super::MAX_OBJECTS;

const N: usize = MAX_OBJECTS as usize;

/// Objects with edges. Objects are numbered in order of creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Graph {
    /// Number of objects.
    pub objects: u8,
    /// For each object the targets of slots 0 and 1; slot 1 is used only if slot 0 is.
    pub edges: [[Option<u8>; 2]; N],
    /// The object whose root is not dropped.
    pub root: Option<u8>,
}

impl Graph {
    /// The graph with object `i` as object `to[i]`.
    pub fn renumbered(&self, to: &[u8; N]) -> Graph {
        let mut other = *self;
        for object in 0..self.objects as usize {
            other.edges[to[object] as usize] = self.edges[object].map(|edge| edge.map(|target| to[target as usize]));
        }
        other.root = self.root.map(|root| to[root as usize]);
        other
    }

    /// The objects that are reached from `from` in one step or more, as bits.
    fn reached(&self, from: u8) -> u8 {
        let mut seen = 0u8;
        let step = |of: u8, seen: &mut u8| {
            for target in self.edges[of as usize].into_iter().flatten() {
                *seen |= 1 << target;
            }
        };
        step(from, &mut seen);
        for _ in 0..N {
            for object in 0..self.objects {
                if seen >> object & 1 == 1 {
                    step(object, &mut seen);
                }
            }
        }
        seen
    }

    /// True if the objects that no root reaches contain a cycle.
    fn has_trash(&self) -> bool {
        let live = self.root.map_or(0, |root| self.reached(root) | 1 << root);
        (0..self.objects).any(|object| live >> object & 1 == 0 && self.reached(object) >> object & 1 == 1)
    }

    /// True if the edges, taken in both directions, connect all objects.
    fn is_connected(&self) -> bool {
        let mut seen = 1u8;
        for _ in 0..N {
            for object in 0..self.objects {
                for target in self.edges[object as usize].into_iter().flatten() {
                    if (seen >> object | seen >> target) & 1 == 1 {
                        seen |= 1 << object | 1 << target;
                    }
                }
            }
        }
        seen.count_ones() == u32::from(self.objects)
    }
}

/// Every graph of the scope with this number of objects.
pub(super) fn graphs(objects: u8, most: u8) -> Vec<Graph> {
    let mut lists: Vec<[Option<u8>; 2]> = vec![[None; 2]];
    lists.extend((0..objects).map(|target| [Some(target), None]));
    for one in 0..objects {
        lists.extend((0..objects).filter(|two| *two != one).map(|two| [Some(one), Some(two)]));
    }
    let mut found = vec![Graph { objects, edges: [[None; 2]; N], root: None }];
    for object in 0..objects as usize {
        let with = |graph: &Graph, list: &[Option<u8>; 2]| {
            let mut graph = *graph;
            graph.edges[object] = *list;
            graph
        };
        found = found.iter().flat_map(|graph| lists.iter().map(move |list| with(graph, list))).collect();
    }
    found.retain(|graph| graph.edges.iter().flatten().flatten().count() <= most as usize && graph.is_connected());
    let roots = || std::iter::once(None).chain((0..objects).map(Some));
    found.iter().flat_map(|graph| roots().map(|root| Graph { root, ..*graph })).filter(Graph::has_trash).collect()
}
