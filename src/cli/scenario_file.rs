//! The options that say where a scenario goes that a verb writes, and what is told once it is there.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{complain, put, say};
use crate::runner::{Error, is_stdout};
use crate::verdict::Status;

/// Where the scenario goes
#[derive(Debug, Args)]
pub(super) struct ScenarioFileArgs {
    /// Write the scenario to this file; `-` is standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite a file that is there
    #[arg(long)]
    pub(super) force: bool,
}

impl ScenarioFileArgs {
    /// The file, or the usual one.
    pub(super) fn or(&self, usual: impl FnOnce() -> PathBuf) -> PathBuf {
        self.output.clone().unwrap_or_else(usual)
    }
}

/// Writes a scenario, says what is to be known of it, and how it is played: at this url, if one is known.
pub(super) fn put_scenario(
    file: &Path,
    text: &str,
    remarks: &[String],
    words: &str,
    url: Option<&str>,
) -> Result<Status, Error> {
    put(file, "scenario", text)?;
    remarks.iter().for_each(|remark| complain(remark));
    if !is_stdout(file) {
        let name = file.display();
        let run = url.map(|url| format!("\n  sockrates run {name} --url {url}")).unwrap_or_default();
        say(&format!("{name} is written. {words}\n\n  sockrates check {name}{run}"));
    }
    Ok(Status::Passed)
}
