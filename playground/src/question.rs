//! What can be asked.

use serde::Deserialize;

/// A question; `do` says which.
#[derive(Deserialize, Debug)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Question {
    /// What there is: version, rows, switches, invariants, profiles.
    About,
    /// What is wrong with a text, and the text without its header.
    Check {
        /// The scenario.
        text: String,
    },
    /// What every row does with it.
    Rows {
        /// The scenario.
        text: String,
        /// Names of variants that stand beside the rows.
        #[serde(default)]
        variants: Vec<String>,
        /// The invariants that need several runs are judged too.
        #[serde(default)]
        closely: bool,
    },
    /// What happens on one collector and why, as text and as a page with the picture.
    Explain {
        /// The scenario.
        text: String,
        /// The collector.
        collector: String,
        /// The collector on the right side of the picture.
        #[serde(default)]
        against: Option<String>,
    },
    /// The next scenarios of a search.
    Find(Wanted),
    /// A smaller scenario that shows the same.
    Shrink {
        /// The scenario.
        text: String,
        /// The collector.
        collector: String,
        /// The code of the invariant whose violation is kept; nothing for the primary one.
        #[serde(default)]
        invariant: Option<String>,
        /// Most candidates.
        tries: u64,
    },
    /// The scenario and its outcome as Markdown.
    Markdown {
        /// The scenario.
        text: String,
        /// Names of variants.
        #[serde(default)]
        variants: Vec<String>,
        /// The collector that is explained.
        collector: String,
    },
    /// The scenario as a Python script.
    Python {
        /// The scenario.
        text: String,
    },
}

/// What a search looks for, and which scenarios it runs now.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The code of the invariant.
    pub invariant: String,
    /// The class of the violation; nothing for any.
    #[serde(default)]
    pub class: Option<String>,
    /// The collector.
    pub collector: String,
    /// The seed: a number, as on the command line.
    pub seed: String,
    /// The name of the profile.
    pub profile: String,
    /// The number of the first scenario.
    pub from: u64,
    /// How many are run, at most.
    pub count: u64,
}
