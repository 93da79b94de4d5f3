//! What a campaign is: everything that its outcome depends on but how far it went.

use serde::{Deserialize, Serialize};

use super::quoting::quoted;
use crate::generate::Profile;
use crate::supervise::Limits;

/// Version of the files in a store.
pub const SCHEMA: u32 = 1;

/// What a campaign is. Two processes with the same `CampaignIdentity` work on the same campaign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CampaignIdentity {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of the program.
    pub program: String,
    /// `run`, `test` or `diff`.
    pub command: String,
    /// Where all randomness comes from.
    pub seed: String,
    /// Names of the profiles, in turn.
    pub profiles: Vec<String>,
    /// How large scenarios are.
    pub size: String,
    /// Who runs the scenarios.
    pub subjects: Vec<SubjectIdentity>,
    /// The only scenario, if there is one.
    pub only: Option<u64>,
    /// How many scenarios a block has.
    pub block: u64,
    /// One scenario of so many is examined more closely.
    pub sample: u64,
    /// How many candidates a reduction may try.
    pub tries: u64,
    /// Interpreters run with sanitizers.
    pub sanitize: bool,
    /// The model that interpreters are compared with, if somebody chose it; nothing if each has the row of its own version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// Milliseconds that an interpreter has for one scenario; nothing if there is none.
    pub limit_ms: Option<u64>,
    /// Digest of what the first scenarios are and do: another version of generator, model or baseline is another
    /// campaign.
    pub fingerprint: String,
}

/// Who runs scenarios.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SubjectIdentity {
    /// Its name.
    pub name: String,
    /// A real interpreter confirmed it.
    pub verified: bool,
    /// What it is called on a command line.
    pub option: String,
    /// Which build it is, if it is an interpreter.
    pub build: String,
    /// What it is compared with, if it is.
    pub collector: String,
    /// Where the collector has an object is not observed: the probe does not find the lists of this interpreter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_lists: bool,
}

impl CampaignIdentity {
    /// The name of the campaign's folder.
    pub fn id(&self) -> String {
        // A struct of strings and numbers always has a JSON form.
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
    }

    /// How many of so many runs are made to show undefined behaviour: those of the profile for it.
    pub fn meant_undefined(&self, runs: u64) -> u64 {
        let is_meant = |name: &&String| Profile::named(name).is_some_and(Profile::is_unsafe);
        let meant = self.profiles.iter().filter(is_meant).count() as u64;
        runs.saturating_mul(meant) / (self.profiles.len() as u64).max(1)
    }

    /// The command that runs scenarios of the campaign on some of its subjects, all if none is given; `which` says how
    /// many or which scenarios, `default` whom `coroner run` takes if nobody is named.
    pub fn repeat(&self, subjects: &[&str], which: &str, default: &[String]) -> String {
        let mut command = format!("coroner {}", self.command);
        let is_meant = |subject: &&SubjectIdentity| subjects.is_empty() || subjects.contains(&subject.name.as_str());
        let names: Vec<&str> = self.subjects.iter().filter(is_meant).map(|s| s.option.as_str()).collect();
        if self.command != "run" {
            command += &format!(" --python {}", quoted(&names.join(",")));
        }
        command += &format!(" --seed {} {which}", self.seed);
        if self.profiles != ["default"] {
            command += &format!(" --profile {}", self.profiles.join(","));
        }
        if self.size != crate::generate::Size::default().word() {
            command += &format!(" --size {}", self.size);
        }
        if let Some(limit) = self.limit_ms.filter(|ms| u128::from(*ms) != Limits::default().scenario.as_millis()) {
            command += &format!(" --limit {limit}ms");
        }
        if self.sanitize {
            command += " --sanitize";
        }
        if let Some(row) = &self.against {
            command += &format!(" --against {}", quoted(row));
        }
        if self.command == "run" && names != default {
            command += &format!(" --collector {}", quoted(&names.join(",")));
        }
        command
    }
}
