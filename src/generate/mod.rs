//! From a seed to scenarios.
//!
//! Scenario `n` of a seed is a pure function of seed, profile, size and `n`: it is the same made alone or in
//! sequence. It is drawn in three steps with a stream of random numbers each: a [`Configuration`] (which features
//! are on, how much of everything), the mutator's body, and last the scripts that the body promised, when all
//! variables are known.
//!
//! Scenarios are interesting by construction. While the body is written, an estimate of the heap says which variables
//! hold what and which slots are filled, so that most operations have an effect; the typical life is build, link,
//! watch, drop, collect, once or a few times.

mod builder;
mod feature;
mod feature_sampling;
mod heap_estimate;
mod historic_shapes;
mod large_graphs;
mod mutator_body;
mod mutator_end;
mod pending_scripts;
mod profile;
mod random;
mod script_bodies;
mod script_objects;
mod weighted;

#[cfg(test)]
mod tests;

pub use feature::{Feature, Features};
pub use large_graphs::Large;
pub use profile::{Configuration, PROFILES, Profile, Size};
pub use random::{Random, Seed, SeedError};

use crate::scenario::Scenario;
use builder::{Builder, CHOICES, Choice};
use heap_estimate::HeapEstimate;
use pending_scripts::PendingScripts;
use weighted::Offer;

/// Makes the scenarios of one seed, profile and size.
#[derive(Debug)]
pub struct Generator {
    profile: &'static Profile,
    size: Size,
    configurations: Random,
    graphs: Random,
    scripts: Random,
    heap: HeapEstimate,
    plans: PendingScripts,
    kinds: Offer<Choice>,
}

impl Generator {
    /// A generator; it keeps the memory it needs from one scenario to the next.
    pub fn new(seed: Seed, profile: &'static Profile, size: Size) -> Generator {
        Generator {
            profile,
            size,
            configurations: seed.stream("configuration"),
            graphs: seed.stream("graph"),
            scripts: seed.stream("scripts"),
            heap: HeapEstimate::default(),
            plans: PendingScripts::default(),
            kinds: Offer::only(Choice::Node),
        }
    }

    /// What scenario `n` is drawn from.
    pub fn configuration(&self, n: u64) -> Configuration {
        Configuration::draw(self.profile, self.size, &mut self.configurations.part(n))
    }

    /// Replaces the content of `scenario` by scenario `n`.
    pub fn fill(&mut self, n: u64, scenario: &mut Scenario) {
        let configuration = self.configuration(n);
        scenario.clear();
        scenario.start_body();
        self.heap.clear();
        self.plans.clear();
        CHOICES.offer(configuration.features, &mut self.kinds);
        let mut builder = Builder {
            configuration,
            random: self.graphs.part(n),
            heap: &mut self.heap,
            plans: &mut self.plans,
            out: scenario,
            kinds: &self.kinds,
            limit: self.size.most_operations_of_mutator(),
        };
        if self.profile.is_huge() {
            builder.live_huge();
        } else {
            builder.live();
        }
        if builder.plans.is_empty() {
            return;
        }
        builder.random = self.scripts.part(n);
        // The body of a large graph has more operations than a scenario of this size, and scripts build its objects.
        let written = if self.profile.is_huge() { builder.out.ops().len() } else { 0 };
        builder.limit = written + self.size.most_operations();
        builder.scripts();
    }

    /// Scenario `n` in memory of its own.
    pub fn make(&mut self, n: u64) -> Scenario {
        let mut scenario = Scenario::new();
        self.fill(n, &mut scenario);
        scenario
    }
}

/// Writes one planted shape (safe ones only) with the operations that drop and collect it, as a scenario of its own.
pub fn planted(random: &mut Random, scenario: &mut Scenario) {
    let features = [Feature::Planted, Feature::Weakrefs, Feature::Callbacks, Feature::Finalizers];
    let configuration = Configuration {
        profile: "planted",
        features: features.into_iter().fold(Features::NONE, Features::with),
        objects: 0,
        operations: 0,
        rounds: 1,
        loose: false,
        user_code: 96,
        inner: 128,
        survival: 16,
        callbacks: 160,
    };
    scenario.clear();
    scenario.start_body();
    let mut kinds = Offer::only(Choice::Node);
    CHOICES.offer(configuration.features, &mut kinds);
    let (mut heap, mut plans) = (HeapEstimate::default(), PendingScripts::default());
    let mut builder = Builder {
        configuration,
        random: random.clone(),
        heap: &mut heap,
        plans: &mut plans,
        out: scenario,
        kinds: &kinds,
        limit: Size::Small.most_operations(),
    };
    builder.shape();
    builder.drop_roots();
    builder.op(crate::scenario::Op::Collect { generation: 2 });
    builder.scripts();
    *random = builder.random;
}
