//! `coroner cache`: the probes that were built, and how to get rid of them.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::{Exit, options};
use crate::cpython::{CachedProbe, MOST_PROBES, cache_dir, cached, clear};
use crate::report::{Style, count, json};

/// Show the probes that were built for interpreters, or remove them
///
/// They are in CORONER_CACHE, else in coroner/ of the user's cache folder. Those that were not used for longest go by
/// themselves when there are too many.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Remove all of them: each is built again when it is needed
    #[arg(long)]
    clear: bool,
}

/// Runs the command.
///
/// # Errors
/// If a probe cannot be removed.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let cache = cache_dir();
    let probes = cached(&cache);
    let bytes: u64 = probes.iter().map(|probe| probe.bytes).sum();
    let sum = format!("{}, {}", count(probes.len() as u64, "probe"), size(bytes));
    if args.clear {
        clear(&cache).with_context(|| format!("cannot clear {}", cache.display()))?;
        super::print(&format!("removed from {}: {sum}\n", cache.display()))?;
    } else {
        let style = Style { color: options::color() };
        let lines: String = probes.iter().map(|probe| line(probe, style)).collect();
        super::print(&format!("{}: {sum}; at most {MOST_PROBES} are kept\n{lines}", cache.display()))?;
    }
    if let Some(path) = json {
        let mut result = json::JsonReport::new("cache", Exit::Clean.code());
        let value = |probe: &CachedProbe| {
            json!({
                "folder": probe.folder.to_string_lossy(),
                "about": probe.about,
                "bytes": probe.bytes,
                "age": age(probe).map(|age| age.as_secs()),
            })
        };
        result.result.insert("most".to_owned(), MOST_PROBES.into());
        result.result.insert("cleared".to_owned(), args.clear.into());
        result.timing.insert("folder".to_owned(), cache.to_string_lossy().into());
        result.timing.insert("probes".to_owned(), probes.iter().map(value).collect());
        json::write(path, &result)?;
    }
    Ok(Exit::Clean)
}

fn age(probe: &CachedProbe) -> Option<Duration> {
    probe.used.and_then(|used| used.elapsed().ok())
}

fn line(probe: &CachedProbe, style: Style) -> String {
    let about = probe.about.as_deref().unwrap_or("built before this was noted");
    let used = match age(probe) {
        // Coarse is enough.
        Some(age) if age.as_secs() >= 60 => {
            let age = Duration::from_secs(age.as_secs() / 60 * 60);
            format!("used {} ago", humantime::format_duration(age))
        }
        _ => "used just now".to_owned(),
    };
    format!("  {}\n    {}, {used}\n", style.head(about), size(probe.bytes))
}

/// Bytes, for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => count(bytes, "byte"),
        10_000..=9_999_999 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
