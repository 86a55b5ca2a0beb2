//! An agent: a machine that waits for work and plays a part of the clients of runs that are conducted elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::available_parallelism;

use globset::{Glob, GlobMatcher};

use super::package::Package;
use super::{Error, limits, secrets, webtransport};
use crate::agents::{Agent, BrokerConfig, Job, Played, SeenAgent, no_run, who_is_there};
use crate::engine;
use crate::plan::{Plan, RunOptions};
use crate::server::Nodes;
use crate::system::{self, open_files};
use crate::verdict::Status;

/// How an agent waits for work.
#[derive(Clone, Debug, Default)]
pub(crate) struct AgentConfig {
    /// Where.
    pub broker: BrokerConfig,
    /// Its name; without one, that of the machine.
    pub name: Option<String>,
    /// What its user says of it, like `zone=eu`.
    pub labels: Vec<String>,
    /// How many threads play the clients; without it, one for each processor.
    pub workers: Option<u16>,
    /// Which URLs it may load, as patterns; none allows all.
    pub allowed: Vec<String>,
}

/// Everybody who is there.
///
/// # Errors
/// When the broker cannot be reached.
pub(crate) fn show_agents(broker: &BrokerConfig) -> Result<Vec<SeenAgent>, Error> {
    who_is_there(broker).map_err(unreachable)
}

fn unreachable(why: String) -> Error {
    Error { status: Some(Status::Unreachable), ..Error::because(why) }
}

/// Waits for work and plays, until the user wants no more. `tell` gets a line about whatever happens.
///
/// # Errors
/// When the broker cannot be reached, or a pattern is wrong.
pub(crate) fn serve_runs(
    config: &AgentConfig,
    stop: &Arc<AtomicBool>,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let allowed: Vec<GlobMatcher> = config
        .allowed
        .iter()
        .map(|pattern| matcher(pattern))
        .collect::<Result<_, _>>()
        .map_err(Error::because)?;
    let name = config.name.clone().unwrap_or_else(machine_name);
    let workers = config.workers.unwrap_or_else(|| {
        available_parallelism().map_or(1, |count| u16::try_from(count.get()).unwrap_or(u16::MAX))
    });
    let agent = Agent::new(
        &config.broker,
        name.clone(),
        config.labels.clone(),
        workers,
        open_files().map(|files| files.most),
    )
    .map_err(unreachable)?;
    tell(&format!("the agent {name} waits for work at {}", config.broker.shown()));
    while let Some(job) = agent.wait(stop, tell) {
        match play(job, &allowed, stop) {
            Ok(played) => {
                tell(&played);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            Err(NotPlayed::Refused(why)) => tell(&format!("refused a run: {why}")),
            Err(NotPlayed::CalledOff(why)) => tell(&no_run(&why)),
        }
    }
    Ok(())
}

fn matcher(pattern: &str) -> Result<GlobMatcher, String> {
    Glob::new(pattern)
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`--allow {pattern}` is no pattern of URLs: {error}"))
}

fn machine_name() -> String {
    system::machine_name().filter(|name| !name.is_empty()).unwrap_or_else(|| "unnamed".to_owned())
}

/// Why a part of a run was not played: a sentence without its full stop.
enum NotPlayed {
    /// This agent cannot, or may not.
    Refused(String),
    /// The run did not begin.
    CalledOff(String),
}

/// Plays a part of a run. Gives how it ended, in words.
fn play(mut job: Job<'_>, allowed: &[GlobMatcher], stop: &AtomicBool) -> Result<String, NotPlayed> {
    let share = job.share();
    let prepared = job.prepare(stop, |package, unwanted| {
        let package = Package::decode(package).filter(Package::is_sound);
        package.ok_or_else(|| "the plan cannot be read".to_owned()).and_then(|package| {
            let refused = package
                .urls()
                .find(|url| !allowed.is_empty() && !allowed.iter().any(|pattern| pattern.is_match(url)));
            if let Some(url) = refused {
                return Err(format!("its `--allow` does not let it load {url}"));
            }
            let scenario = package.scenario()?;
            let part = share.own.len() as f64 / share.all.max(1) as f64;
            webtransport::check_build(&scenario, package.transport)?;
            limits::prepare(&scenario, package.transport, 0, &[], part)?;
            let server = package.server()?;
            let starting = server.starting(server.manners(&scenario), unwanted.clone());
            let nodes = Nodes::start(server.targets(&scenario), &[], &[], &starting)
                .map_err(|not_ready| not_ready.sentence())?;
            let mut places = server.places(&nodes)?;
            package.lead(&mut places);
            webtransport::check_ways(&scenario, package.transport, &places)?;
            Ok((package, scenario, server, places))
        })
    });
    let (package, scenario, server, places) = match prepared.map_err(NotPlayed::CalledOff)? {
        Ok(prepared) => prepared,
        Err(why) => {
            job.refuse(&why, stop);
            return Err(NotPlayed::Refused(why));
        }
    };
    let secrets = secrets::of(&package.source(), &scenario, &server.secrets);
    let epoch = job.ready(stop).map_err(NotPlayed::CalledOff)?;
    let plan = Plan::new(
        &scenario,
        RunOptions {
            nodes: package.node_names(),
            origins: places.iter().map(|place| place.peer.origin()).collect(),
            path: package.path.clone(),
            query: server.query.clone(),
            headers: server.headers.clone(),
            is_secure: package.is_secure,
            auth: server.auth.clone(),
            secrets: secrets.clone(),
            namespace: package.namespace.clone(),
            protocol: package.spoken,
            transport: package.transport,
            compression: package.compression,
            traces: package.traces,
            seed: package.seed,
            run: package.run,
            epoch,
            audit: true,
            machine: Some(job.place()),
        },
    );
    let peers: Vec<_> = places.iter().map(|place| place.peer.clone()).collect();
    let (reports, inbox) = mpsc::channel();
    let played = engine::play_share(&plan, &peers, &share, reports, |threads| {
        job.relay(&plan, threads, inbox, &secrets, stop)
    });
    let played = match played {
        Ok(played) => played,
        Err(why) => {
            job.refuse(&why, stop);
            return Err(NotPlayed::Refused(why));
        }
    };
    Ok(match played {
        Played::Whole => format!("played {} to its end", scenario.name),
        Played::Cut(why) => {
            job.explain(stop);
            format!("broke off {}: {why}", scenario.name)
        }
    })
}
