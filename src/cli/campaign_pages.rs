//! `run --html DIR`: a page for the campaign, and one for each thing that was found.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::campaign::judged;
use super::options::{self, Subjects};
use super::pictures::put_quietly;
use crate::explain::{explain, record};
use crate::findings::Finding;
use crate::pages::{self, Links};
use crate::picture::{Picture, Source, Taken, page};
use crate::report::quoted;
use crate::report::text::campaign_report::CampaignReport;
use crate::scenario::text;

/// The page that the others are found from.
const INDEX: &str = "index.html";
/// Findings that are drawn at most: of each more there is the folder.
const MOST_PAGES: usize = 500;

/// Where the pages of a campaign go.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Pages {
    /// Write pages to the folder DIR: which collector breaks what, and each finding step by step
    #[arg(long, value_name = "DIR")]
    html: Option<PathBuf>,
}

impl Pages {
    /// Says what is wrong before anything is run, and makes the folder.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn check(&self) -> anyhow::Result<()> {
        let Some(folder) = &self.html else { return Ok(()) };
        if folder.exists() && !folder.is_dir() {
            bail!("--html {}: is a file, and a folder is needed", quoted(&folder.to_string_lossy()));
        }
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
    }

    /// Writes the pages, if they are asked for.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn write(&self, report: &CampaignReport<'_>, subjects: &Subjects) -> anyhow::Result<()> {
        let Some(folder) = &self.html else { return Ok(()) };
        let mut links = Links::new();
        let mut examiners = options::examiners(subjects, report.baseline);
        for (key, finding) in &report.outcome.findings {
            let name = finding.folder();
            if links.contains_key(&name) || links.len() >= MOST_PAGES {
                continue;
            }
            let (Some(examiner), Some(collector)) =
                (examiners.get_mut(key.collector()), subjects.0.get(key.collector()))
            else {
                continue;
            };
            if let Some(page) = finding_page(finding, examiner, collector) {
                let file = format!("{name}.html");
                put_quietly(&folder.join(&file), &page)?;
                links.insert(name, file);
            }
        }
        let index = folder.join(INDEX);
        put_quietly(&index, &pages::campaign(report, &links))?;
        super::print(&format!("pages: {}\n", quoted(&shown(&index))))
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The page of a finding's reduced scenario, on the subject that showed it.
fn finding_page(
    finding: &Finding,
    examiner: &mut crate::campaign::Examiner,
    collector: &crate::model::collector::Collector,
) -> Option<String> {
    let document = text::parse(&finding.reduced).ok().filter(|document| !document.scenario.ops().is_empty())?;
    let is_process = examiner.is_process();
    let examined = examiner.examine(&document.scenario, true);
    let run = record(&document, collector, judged(&examined, is_process));
    let explanation = explain(&run);
    let first = Taken { run: &run, explanation: &explanation, real: is_process.then_some(examined.events) };
    let source = Source::of(&document, Some(&finding.reduced));
    Some(page(&Picture::new(&format!("{}: {}", finding.folder(), finding.sentence), source, first, None)))
}
