//! Comparisons that somebody made elsewhere.

use crate::subject::Release;

/// A comparison in lockstep, event by event, with this program, on a machine of somebody else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attestation {
    /// The build that was compared with: that of this release.
    pub release: Release,
    /// How many scenarios were the same, at least.
    pub scenarios: u32,
    /// Year and month in which it was reported.
    pub reported: &'static str,
}

impl std::fmt::Display for Attestation {
    /// `attested: 100,000 scenarios or more on 3.4.10, reported 2026-11`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Attestation { release, scenarios, reported } = self;
        let (thousands, rest) = (scenarios / 1000, scenarios % 1000);
        write!(f, "attested: {thousands},{rest:03} scenarios or more on {release}, reported {reported}")
    }
}
