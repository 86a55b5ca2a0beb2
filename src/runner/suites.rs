//! The conformance suite against servers in turn: what is known of them before, and what came of each.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::secrets::clean_each;
use super::{
    Baselines, Cases, Error, Event, GivenServer, Listener, NamedServer, Suite, SuiteConfig, own_contract,
};
use crate::conformance::{SuiteResult, Versions};
use crate::verdict::Status;

/// Which cases are played against which servers, and with what the results are compared.
#[derive(Clone, Debug)]
pub(crate) struct SuitesConfig {
    /// The servers.
    pub given: GivenServer,
    /// How the suite is played.
    pub suite: SuiteConfig,
    /// Which cases are played.
    pub only: Vec<String>,
    /// Which of them are not.
    pub exclude: Vec<String>,
    /// The file with the contract of the application.
    pub contract: Option<PathBuf>,
    /// The versions of the one server, each with the name of the package.
    pub versions: Vec<(String, String)>,
    /// The baseline with which the one result is compared.
    pub baseline: Option<PathBuf>,
    /// The baseline that is going to be written.
    pub write_baseline: Option<PathBuf>,
    /// Whether warnings fail the suite.
    pub is_strict: bool,
}

/// Servers against which the suite can be played.
pub(crate) struct Suites {
    suite: Suite,
    cases: Cases,
    baselines: Baselines,
    servers: Vec<NamedServer>,
    is_strict: bool,
}

/// What came of all of them.
#[derive(Default)]
pub(crate) struct PlayedSuites {
    /// The results of those that were reached.
    pub results: Vec<SuiteResult>,
    /// The text of the baseline that is going to be written.
    pub baseline: Option<String>,
    statuses: Vec<Status>,
}

impl Suites {
    /// Reads the files, and looks whether all of it goes together. Starts nothing.
    ///
    /// # Errors
    /// What is wrong with the cases, a file or the servers.
    pub(crate) fn read(config: SuitesConfig) -> Result<Suites, Error> {
        let cases = Cases::read(config.suite.folder.as_deref())?;
        let chosen = cases.choose(&config.only, &config.exclude)?;
        let mut versions = Versions::default();
        config.versions.iter().for_each(|(name, version)| versions.note(name, version));
        let contract = config.contract.as_deref().map(own_contract).transpose()?.map(Arc::new);
        let suite = Suite::new(SuiteConfig { versions, contract, ..config.suite }, &cases, &chosen);
        let (baseline, write_baseline) = (config.baseline.as_deref(), config.write_baseline.as_deref());
        let baselines = Baselines::read(baseline, write_baseline, &cases)?;
        let named = config.given.each()?;
        let is_one = named.len() == 1;
        let servers: Vec<NamedServer> =
            NamedServer::by_node(named).into_iter().filter(|server| suite.concerns(server)).collect();
        if servers.len() > 1 && (baseline.is_some() || write_baseline.is_some()) {
            return Err(Error::because(match is_one {
                true => {
                    "a baseline is about one node, or about all together: give one node, choose `--only needs:nodes`, or \
                     leave the baseline out"
                }
                false => "a baseline is about one server: give one, or leave the baseline out",
            }));
        }
        if !is_one && !config.versions.is_empty() {
            return Err(Error::because("`--server-version` is about one server: give one, or leave it out"));
        }
        Ok(Suites { suite, cases, baselines, servers, is_strict: config.is_strict })
    }

    /// Plays the suite against each of them in turn. What the results say is clean of secrets.
    ///
    /// # Errors
    /// Why nothing could be run. Of several servers, the others are played where one is not there.
    pub(crate) fn run(
        &self,
        stop: &Arc<AtomicBool>,
        listener: &mut Listener<'_>,
    ) -> Result<PlayedSuites, Error> {
        let mut played = PlayedSuites::default();
        for server in &self.servers {
            if self.servers.len() > 1 {
                let name = &server.config.secrets.redact(&server.name);
                listener(Event::ServerBegins { server: name, is_first: played.statuses.is_empty() })?;
            }
            let mut result = match self.play(server, stop, &mut played.baseline, listener) {
                Ok(result) => result,
                Err(error) if error.status == Some(Status::Unreachable) && self.servers.len() > 1 => {
                    listener(Event::Warned(error.words.trim_end()))?;
                    played.statuses.push(Status::Unreachable);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let status = match stop.load(Ordering::Relaxed) {
                true => Status::Interrupted,
                false => result.status(self.is_strict),
            };
            result.target.notes.iter().try_for_each(|note| listener(Event::Noted(note)))?;
            result.exit_code = status.exit_code();
            played.statuses.push(status);
            played.results.push(result);
            listener(Event::ServerEnded(&played.results))?;
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(played)
    }

    /// Plays it against one of them, and compares what came of it with what is known.
    fn play(
        &self,
        server: &NamedServer,
        stop: &Arc<AtomicBool>,
        baseline: &mut Option<String>,
        listener: &mut Listener<'_>,
    ) -> Result<SuiteResult, Error> {
        let started = SystemTime::now();
        let mut result = match self.suite.run(server, stop, listener) {
            Ok(played) => clean_each(played.result, &server.config.secrets)?,
            // What was waited for is a result, too.
            Err(error) if error.is_interrupted() => {
                return clean_each(self.suite.not_begun(server, started, &error), &server.config.secrets);
            }
            Err(error) => return Err(error),
        };
        *baseline = self.baselines.compare(&mut result);
        if result.baseline.is_none() {
            result.like = Baselines::like(&self.cases, &result);
        }
        Ok(result)
    }
}

impl PlayedSuites {
    /// The status of all of them together.
    pub(crate) fn status(&self) -> Status {
        Status::gravest(&self.statuses)
    }
}
