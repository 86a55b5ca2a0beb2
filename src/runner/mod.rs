//! Runs plans against servers: a configuration in, [`Event`]s while it goes on, a result out.
//!
//! Takes plain configuration and never the types of a command line, prints nothing, and knows no exit code. Whoever runs
//! something passes a [`Listener`], which shows the events, stores what they bring, or drops them.
//!
//! | file | job |
//! |---|---|
//! | `once` | a plan, the engine, a result: one run of one scenario |
//! | `commands` | which commands of a scenario are started, and whether the user allows it |
//! | `operate` | what the script does to the nodes of the server |
//! | `run`, `runs` | one scenario against one server, which it starts or finds; several, one after the other |
//! | `agents` | a machine that plays a part of the clients of a run, and who is there |
//! | `machines`, `package` | a run by several machines, and all that its plan is made of |
//! | `local_agents` | agents and a broker on this machine |
//! | `suite/`, `suites` | the conformance suite against one server, and against several in turn |
//! | `servers/` | many servers out of a folder that describes them |
//! | `search`, `growth`, `highest` | the search for the highest load: at one server, with more and more nodes, and which of both is asked for |
//! | `comparison` | servers side by side, block by block |
//! | `given/` | a server as commands and urls name it, and which nodes or servers they mean |
//! | `server`, `tls` | which server is tested, and how it is reached |
//! | `scenarios`, `bundled` | which scenarios some words mean, and those inside the binary |
//! | `secrets` | what of a scenario must not stand in any output, and results without it |
//! | `watch`, `samples` | what is sampled during a run, and when a threshold ends it |
//! | `limits`, `machine`, `pin` | files, ports, processors and memory of this machine |
//! | `webtransport` | whether clients can use it here |
//! | `files`, `forms` | files that are put in place whole, and the forms of results that go there |
//! | `stored`, `single`, `importing` | files of stored results, those that hold one result, and files of other tools |
//! | `schemas` | the published JSON Schemas of what is stored |
//! | `issue` | bug reports about what a case of the suite finds |
//! | `github` | what GitHub Actions shows of a run |
//! | `interrupt` | Ctrl-C and SIGTERM |
//! | `event` | what is reported while something runs |

mod agents;
mod bundled;
mod collector;
mod commands;
mod comparison;
mod event;
mod files;
mod forms;
mod github;
mod given;
mod growth;
mod highest;
mod importing;
mod interrupt;
mod issue;
mod limits;
mod local_agents;
mod looking;
mod machine;
mod machines;
mod once;
mod operate;
mod package;
mod pin;
mod published;
mod recording;
mod run;
mod runs;
mod samples;
mod scenarios;
pub(crate) mod schemas;
mod search;
mod secrets;
mod server;
mod servers;
mod single;
mod stored;
mod suite;
mod suites;
mod tls;
mod trend;
mod unanswered;
mod watch;
mod ways;
mod webtransport;

use crate::report::RunResult;
use crate::verdict::Status;

pub(crate) use agents::{AgentConfig, serve_runs, show_agents};
pub(crate) use bundled::Bundled;
pub(crate) use comparison::{Compared, Comparison, ComparisonConfig, compare_files};
pub(crate) use event::{Event, Listener};
pub(crate) use files::{is_stdout, refuse_to_overwrite, write_whole};
use files::{prove_writable, prove_writable_folder};
pub(crate) use forms::{Forms, Paths, When};
pub(crate) use github::github_lines;
pub(crate) use given::{GivenServer, NodeCounts};
pub(crate) use highest::HighestLoad;
pub(crate) use importing::{ImportSource, import, write_rows};
pub(crate) use interrupt::stop_on_signals;
pub(crate) use issue::Found;
pub(crate) use looking::FirstScenario;
pub(crate) use machines::{AgentCount, MachinesConfig};
pub(crate) use published::{PublishConfig, published};
pub(crate) use recording::{RecordConfig, record};
pub(crate) use run::RunConfig;
use run::ScenarioRun;
pub(crate) use runs::ScenarioRuns;
pub(crate) use scenarios::{Selected, select, select_one};
pub(crate) use search::SearchConfig;
use server::NodeConfig;
pub(crate) use server::{NamedServer, ServerConfig, read_auth, read_header, read_parameter};
pub(crate) use servers::{Servers, ServersConfig, status as servers_status, write_site};
pub(crate) use single::Single;
pub(crate) use stored::Stored;
use suite::{Baselines, Cases, PlayedSuite, Suite, own_contract};
pub(crate) use suite::{JOBS, SuiteConfig};
pub(crate) use suites::{Suites, SuitesConfig};
use tls::TlsFiles;
pub(crate) use tls::{Shown, Trust};
pub(crate) use trend::trend_of;
pub(crate) use ways::Ways;

/// Why nothing could be run.
#[derive(Debug)]
pub(crate) struct Error {
    /// The status of the whole command. None if the scenario or the configuration is wrong.
    pub status: Option<Status>,
    /// What is wrong and what to do, ready to be shown.
    pub words: String,
    /// The result that says so, where a run was about to begin.
    pub result: Option<Box<RunResult>>,
}

impl Error {
    /// The configuration or the scenario is wrong, and this is the whole report.
    pub(crate) fn wrong(words: impl Into<String>) -> Error {
        Error { status: None, words: words.into(), result: None }
    }

    /// The same, with the reason as a sentence.
    pub(crate) fn because(why: impl std::fmt::Display) -> Error {
        Error::wrong(format!("error: {why}"))
    }

    /// The user interrupted before anything was played.
    fn interrupted(words: &str) -> Error {
        Error { status: Some(Status::Interrupted), ..Error::wrong(words) }
    }

    fn is_interrupted(&self) -> bool {
        self.status == Some(Status::Interrupted)
    }

    /// What went wrong, in a line.
    fn line(&self) -> String {
        self.words.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    }
}
