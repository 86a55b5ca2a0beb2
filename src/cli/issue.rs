//! `sockrates conform --issue CASE`: a bug report for the maintainers of a server.

use std::path::PathBuf;

use clap::Args;

use super::display::Display;
use super::say;
use super::secrets::clean_each;
use crate::conformance::{CaseResult, SuiteResult};
use crate::document::closest;
use crate::matrix::Confirmed;
use crate::matrix::issue::issue;
use crate::report::file::Kind;
use crate::runner::{Cases, Error, GivenServer, NamedServer, Stored, Suite, SuiteConfig, stop_on_signals};
use crate::verdict::Status;

/// A bug report
#[derive(Debug, Args)]
#[command(next_help_heading = "A bug report")]
pub(super) struct IssueArgs {
    /// Play this case, and print a bug report about what it finds, as Markdown for the maintainers of the server
    #[arg(long, value_name = "CASE", conflicts_with_all = ["only", "exclude", "servers", "baseline", "write_baseline"])]
    pub(super) issue: Option<String>,
    /// Of --issue: take what it finds from this file of `conform --json`, and play nothing
    #[arg(long, value_name = "FILE", requires = "issue", conflicts_with_all = ["url", "server", "fault"])]
    result: Option<PathBuf>,
}

/// Prints the report, one for each server that deviates in the case.
pub(super) fn write_issue(
    args: &IssueArgs,
    case: &str,
    given: &GivenServer,
    config: SuiteConfig,
    quiet: bool,
) -> Result<Status, Error> {
    let (suites, confirmed) = match &args.result {
        Some(file) => match Stored::read(std::slice::from_ref(file))? {
            Stored::Suites(suites) => (suites, Vec::new()),
            Stored::Servers(all) => {
                (all.servers.into_iter().filter_map(|one| one.suite).collect(), all.confirmed)
            }
            _ => {
                return Err(Error::because(format!(
                    "{} is no result of the kind {} or {}: `sockrates conform … --json FILE` writes one",
                    file.display(),
                    Kind::Suite.name(),
                    Kind::Servers.name()
                )));
            }
        },
        None => (vec![play(case, given, config, quiet)?], Vec::new()),
    };
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    if !cases().any(|one| is_it(one, case)) {
        let near = closest(case, cases().map(|one| one.id.as_str()));
        let hint = near.map_or_else(
            || "`sockrates list --conformance` shows all cases".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Error::because(format!("the result has no case `{case}`\nhelp: {hint}")));
    }
    let reports: Vec<String> = suites.iter().filter_map(|suite| of(suite, case, &confirmed)).collect();
    match reports.is_empty() {
        true => {
            let seen: Vec<&str> =
                cases().filter(|one| is_it(one, case)).map(|one| one.verdict.name()).collect();
            Err(Error::because(format!("there is nothing to report: `{case}` came to {}", seen.join(", "))))
        }
        false => {
            say(reports.join("\n---\n\n").trim_end());
            Ok(Status::Failed)
        }
    }
}

fn is_it(one: &CaseResult, case: &str) -> bool {
    one.id == case || one.label() == case
}

fn of(suite: &SuiteResult, case: &str, confirmed: &[Confirmed]) -> Option<String> {
    let found = suite.cases.iter().find(|one| is_it(one, case) && one.verdict.is_deviation())?;
    let is_shown = |one: &&Confirmed| found.clause.contains(&one.rule) && one.servers.contains(&suite.name);
    Some(issue(suite, found, confirmed.iter().find(is_shown)))
}

fn play(case: &str, given: &GivenServer, config: SuiteConfig, quiet: bool) -> Result<SuiteResult, Error> {
    let cases = Cases::read(config.folder.as_deref())?;
    let chosen = cases.choose(&[case.to_owned()], &[])?;
    let suite = Suite::new(config, &cases, &chosen);
    let servers = NamedServer::by_node(given.each()?).into_iter().filter(|server| suite.concerns(server));
    let [server] = &servers.collect::<Vec<_>>()[..] else {
        return Err(Error::because("a bug report is about one server: give one"));
    };
    let stop = stop_on_signals()?;
    let mut display = Display::new(quiet);
    let played = suite.run(server, &stop, &mut |event| {
        display.show(&event);
        Ok(())
    })?;
    clean_each(played.result)
}
