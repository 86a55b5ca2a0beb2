//! What GitHub Actions shows of a run: a summary of the job, and mistakes beside the lines of the scenario. Both only
//! where its environment says so.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

use super::complain;

/// Whether this is a job of GitHub Actions.
fn is_here() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Appends Markdown to the summary of the job, where there is one. What cannot be written is told and changes no
/// verdict.
pub(super) fn summarise(page: impl FnOnce() -> String) {
    let Some(file) = env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else { return };
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&file)
        .and_then(|mut summary| summary.write_all(page().as_bytes()));
    if let Err(error) = written {
        complain(&format!("warning: failed to write the summary of the job to {}: {error}", file.display()));
    }
}

/// Shows these commands to the runner, which reads standard error, too.
pub(super) fn annotate(commands: impl FnOnce() -> Vec<String>) {
    if is_here() {
        commands().iter().for_each(|command| complain(command));
    }
}
