//! Bug reports about what one case of the suite finds: at a server that is played, or in a stored result.

use std::path::Path;
use std::slice;
use std::sync::atomic::AtomicBool;

use super::secrets::clean;
use super::{Cases, Error, Listener, NamedServer, Stored, Suite, SuitesConfig};
use crate::conformance::{CaseResult, SuiteResult};
use crate::document::hint_at;
use crate::matrix::Confirmed;
use crate::matrix::issue::issue;
use crate::report::file::Kind;

/// What there is to report about.
pub(crate) struct Found {
    /// What was played.
    suites: Vec<SuiteResult>,
    /// What raw clients have shown of these servers.
    confirmed: Vec<Confirmed>,
}

impl Found {
    /// What stands in a file of `conform --json`.
    ///
    /// # Errors
    /// When it cannot be read, or is of another kind.
    fn stored(file: &Path) -> Result<Found, Error> {
        match Stored::read(slice::from_ref(&file.to_owned()))? {
            Stored::Suites(suites) => Ok(Found { suites, confirmed: Vec::new() }),
            Stored::Servers(all) => Ok(Found {
                suites: all.servers.into_iter().filter_map(|one| one.suite).collect(),
                confirmed: all.confirmed,
            }),
            _ => Err(Error::because(format!(
                "{} is no result of the kind {} or {}: `sockrates conform … --json FILE` writes one",
                file.display(),
                Kind::Suite.name(),
                Kind::Servers.name()
            ))),
        }
    }

    /// What stands in a file of `conform --json`, or else what comes of the case at a server.
    ///
    /// # Errors
    /// When the file cannot be read, there is no such case, or not one server, or it cannot be played.
    pub(crate) fn find(
        case: &str,
        stored: Option<&Path>,
        config: &SuitesConfig,
        stop: impl FnOnce() -> Result<std::sync::Arc<AtomicBool>, Error>,
        listener: &mut Listener<'_>,
    ) -> Result<Found, Error> {
        if let Some(file) = stored {
            return Found::stored(file);
        }
        let SuitesConfig { given, suite: config, .. } = config;
        let cases = Cases::read(config.folder.as_deref())?;
        let chosen = cases.choose(&[case.to_owned()], &[])?;
        let suite = Suite::new(config.clone(), &cases, &chosen);
        let servers = NamedServer::by_node(given.each()?).into_iter().filter(|server| suite.concerns(server));
        let [server] = &servers.collect::<Vec<_>>()[..] else {
            return Err(Error::because("a bug report is about one server: give one"));
        };
        let played = suite.run(server, &stop()?, listener)?;
        Ok(Found { suites: clean(vec![played.result], &given.secrets)?, confirmed: Vec::new() })
    }

    /// The reports, one for each server that deviates in the case, as Markdown.
    ///
    /// # Errors
    /// When the case is not there, or there is nothing to report.
    pub(crate) fn issues(&self, case: &str) -> Result<Vec<String>, Error> {
        let cases = || self.suites.iter().flat_map(|suite| &suite.cases);
        if !cases().any(|one| is_it(one, case)) {
            let hint = hint_at(case, cases().map(|one| one.id.as_str()), || {
                "`sockrates list --conformance` shows all cases".to_owned()
            });
            return Err(Error::because(format!("the result has no case `{case}`\nhelp: {hint}")));
        }
        let reports: Vec<String> =
            self.suites.iter().filter_map(|suite| self.issue_of(suite, case)).collect();
        if reports.is_empty() {
            let seen: Vec<&str> =
                cases().filter(|one| is_it(one, case)).map(|one| one.verdict.name()).collect();
            let seen = seen.join(", ");
            return Err(Error::because(format!("there is nothing to report: `{case}` came to {seen}")));
        }
        Ok(reports)
    }

    fn issue_of(&self, suite: &SuiteResult, case: &str) -> Option<String> {
        let found = suite.cases.iter().find(|one| is_it(one, case) && one.verdict.is_deviation())?;
        let is_shown =
            |one: &&Confirmed| found.clause.contains(&one.rule) && one.servers.contains(&suite.name);
        Some(issue(suite, found, self.confirmed.iter().find(is_shown)))
    }
}

fn is_it(one: &CaseResult, case: &str) -> bool {
    one.id == case || one.label() == case
}
