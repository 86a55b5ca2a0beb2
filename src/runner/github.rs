//! What GitHub Actions shows of a run: a summary of the job, and mistakes beside the lines of the scenario. Both only
//! where its environment says so.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

/// Appends Markdown to the summary of the job, where there is one, and gives lines for standard error, which the runner reads:
/// these commands, and what went wrong, which changes no verdict.
pub(crate) fn github_lines(
    commands: impl FnOnce() -> Vec<String>,
    page: impl FnOnce() -> String,
) -> Vec<String> {
    let is_here = env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    let mut lines = if is_here { commands() } else { Vec::new() };
    let summary = env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty());
    lines.extend(summary.and_then(|file| {
        let opened = OpenOptions::new().append(true).create(true).open(&file);
        let error = opened.and_then(|mut summary| summary.write_all(page().as_bytes())).err()?;
        Some(format!("warning: failed to write the summary of the job to {}: {error}", file.display()))
    }));
    lines
}
