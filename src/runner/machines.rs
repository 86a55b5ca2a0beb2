//! A run that other machines play: its agents are called, get the plan, and are conducted from here.

use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::local_agents::SharedAgents;
use super::package::{Package, Packing, number};
use super::server::{Place, is_local};
use super::{Error, ServerConfig};
use crate::agents::{BrokerConfig, Fleet, MOST_AGENTS, Member, NotGathered, Wanted, gather};
use crate::engine::{self, Crew, EngineConfig, Ran, Report, RunProgress};
use crate::plan::{Plan, RunOptions};
use crate::report::course::{AgentResult, clocks_apart};
use crate::scenario::Scenario;
use crate::server::Nodes;
use crate::units::micros;
use crate::verdict::Status;

/// How long agents may take to come.
const COME: Duration = Duration::from_secs(30);

/// How long before its beginning a run is announced.
const AHEAD: Duration = Duration::from_millis(300);

/// If an agent has several workers, each has at least this number of clients.
const CLIENTS_A_WORKER: u32 = 50;

/// The most agents on one machine.
const MOST_LOCAL: u16 = 64;

/// Which machines play the clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MachinesConfig {
    /// So many of those that wait for work at this broker.
    Agents(BrokerConfig, u16),
    /// So many agents, started here with a broker of their own.
    Local(u16),
    /// So many agents that were started here for several runs.
    Started(SharedAgents, u16),
}

/// How many agents are asked for: those that wait somewhere, or `local:4` on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AgentCount {
    /// So many of those that wait at a broker.
    Elsewhere(u16),
    /// So many that are started here.
    Here(u16),
}

impl FromStr for AgentCount {
    type Err = String;

    fn from_str(text: &str) -> Result<AgentCount, String> {
        let (number, of, most): (_, fn(u16) -> AgentCount, _) = match text.strip_prefix("local:") {
            Some(number) => (number, AgentCount::Here, MOST_LOCAL),
            None => (text, AgentCount::Elsewhere, MOST_AGENTS),
        };
        let number = number.parse().ok().filter(|number| (1..=most).contains(number));
        number.map(of).ok_or_else(|| format!("write how many, from 1 to {most}, like `4` or `local:4`"))
    }
}

impl MachinesConfig {
    /// Which machines these are, if others play. A broker alone, out of the environment say, asks for nothing.
    ///
    /// # Errors
    /// A sentence, when agents are to come that wait nowhere.
    pub(crate) fn asked(
        count: Option<AgentCount>,
        broker: Option<BrokerConfig>,
    ) -> Result<Option<MachinesConfig>, Error> {
        match (count, broker) {
            (None, _) => Ok(None),
            (Some(AgentCount::Here(number)), _) => Ok(Some(MachinesConfig::Local(number))),
            (Some(AgentCount::Elsewhere(number)), Some(broker)) => {
                Ok(Some(MachinesConfig::Agents(broker, number)))
            }
            (Some(AgentCount::Elsewhere(number)), None) => Err(Error::because(format!(
                "`--agents {number}` needs the broker at which they wait: add `--nats nats://HOST:4222`, or say \
                 `--agents local:{number}` to start them on this machine"
            ))),
        }
    }

    /// Starts agents and a broker that are to be started here, for several runs. They are ended when nobody has them any more.
    ///
    /// # Errors
    /// A sentence, when they cannot be started.
    pub(super) fn start(
        config: Option<MachinesConfig>,
        stop: &AtomicBool,
    ) -> Result<Option<MachinesConfig>, Error> {
        match config {
            Some(MachinesConfig::Local(count)) => {
                Ok(Some(MachinesConfig::Started(SharedAgents::start(count, stop).map_err(not_there)?, count)))
            }
            others => Ok(others),
        }
    }

    /// Where the agents wait, how many are wanted, and those that were started here.
    fn broker(&self, stop: &AtomicBool) -> Result<(BrokerConfig, u16, Option<SharedAgents>), Error> {
        match self {
            MachinesConfig::Agents(broker, count) => Ok((broker.clone(), *count, None)),
            MachinesConfig::Started(local, count) => {
                Ok((local.lock().broker().clone(), *count, Some(local.clone())))
            }
            MachinesConfig::Local(count) => {
                let local = SharedAgents::start(*count, stop).map_err(not_there)?;
                let broker = local.lock().broker().clone();
                Ok((broker, *count, Some(local)))
            }
        }
    }
}

/// See the module's head.
pub(super) struct Machines {
    fleet: Fleet,
    /// What agents report, and what operators here do.
    inbox: Mutex<(Option<Sender<Report>>, Receiver<Report>)>,
    run: u16,
    /// Stopped when everything else is over, unless others have them, too.
    local: Option<SharedAgents>,
}

impl Machines {
    /// Calls the agents, and waits until all are ready.
    ///
    /// # Errors
    /// One sentence for each thing that is wrong.
    pub(super) fn gather(
        config: &MachinesConfig,
        packing: &Packing<'_>,
        scenario: &Scenario,
        (running, places): (&Nodes, &[Place]),
        workers: Option<u16>,
        stop: &AtomicBool,
    ) -> Result<Machines, Error> {
        check(config, packing.server, scenario).map_err(Error::because)?;
        let is_secure = places.iter().all(|place| place.peer.tls.is_some() || is_local(place));
        let number = number();
        let package = Package::of(packing, running, places, is_secure, number);
        let package = package.encode().map_err(Error::because)?;
        let (broker, count, local) = config.broker(stop)?;
        let plan = Plan::new(scenario, RunOptions::usual(Instant::now()));
        let few = scenario.clients().div_ceil(CLIENTS_A_WORKER).div_ceil(u32::from(count).max(1));
        let workers = workers.unwrap_or_else(|| u16::try_from(few.max(1)).unwrap_or(u16::MAX));
        let wanted = Wanted { agents: count, within: COME, workers, acts: plan.acts.len() };
        let mut lost = || local.as_ref().and_then(|local| local.lock().lost());
        let gathered = gather(&broker, &wanted, package, &packing.server.secrets, &mut lost, stop);
        let (fleet, operations, inbox) = gathered.map_err(not_there)?;
        // Nobody else here reports.
        let operations = Some(operations).filter(|_| local.is_some() || engine::has_operations(&plan));
        Ok(Machines { fleet, inbox: Mutex::new((operations, inbox)), run: number, local })
    }

    /// The number of the run.
    pub(super) fn run(&self) -> u16 {
        self.run
    }

    /// How many workers the agents have together.
    pub(super) fn workers(&self) -> usize {
        self.fleet.workers()
    }

    /// Announces the beginning of the run. Gives when it is.
    pub(super) fn start(&self) -> Instant {
        let epoch = Instant::now() + AHEAD;
        self.fleet.start(epoch);
        epoch
    }

    /// Plays the plan.
    pub(super) fn conduct<'p>(
        &self,
        plan: &'p Plan<'p>,
        config: &EngineConfig<'_>,
        tell: &mut dyn FnMut(RunProgress<'_>),
    ) -> Result<Ran, String> {
        let reports = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        thread::sleep(plan.context.epoch.saturating_duration_since(Instant::now()));
        let (from_here, inbox) = &*reports;
        let operations = from_here.clone().filter(|_| engine::has_operations(plan));
        // Dropped when that is over, however it ends.
        let (playing, over) = mpsc::channel();
        thread::scope(|scope| {
            let _playing: Sender<()> = playing;
            if let Some(reports) = from_here.clone() {
                let _ = thread::Builder::new().spawn_scoped(scope, || self.watch(reports, over));
            }
            engine::conduct(plan, &self.fleet, (operations, inbox), config, tell)
        })
    }

    /// Nobody has to wait for what was started here and has ended.
    fn watch(&self, reports: Sender<Report>, over: Receiver<()>) {
        if let Some(why) = self.local.as_ref().and_then(|local| local.lock().watch(&over)) {
            // A conductor that is gone has stopped the run.
            let _ = reports.send(Report::Lost(why));
        }
    }

    /// What the agents did, of so many clients.
    pub(super) fn results(&self, clients: u64) -> Vec<AgentResult> {
        let all = self.fleet.workers().max(1) as u64;
        let result = |member: Member| {
            // Client by client, one worker after the other: [`crate::audit::home`].
            let (rounds, more) = (clients / all, clients % all);
            let (from, own) = (member.workers.start as u64, member.workers.len() as u64);
            let own = rounds * own + more.saturating_sub(from).min(own);
            AgentResult {
                name: member.offer.name.clone(),
                labels: member.offer.labels.clone(),
                workers: u32::try_from(member.workers.len()).unwrap_or(u32::MAX),
                clients: own,
                connected: member.live.iter().sum(),
                due: member.due,
                begun: member.begun,
                lag_p99_us: member.lag.quantile(0.99).flatten().map(micros),
                cpu_us: micros(member.cpu),
                clock_doubt_us: micros(member.worst),
            }
        };
        self.fleet.members().into_iter().map(result).collect()
    }

    /// How far the clocks of two agents may have been apart at worst. None where there is one.
    pub(super) fn clocks(&self) -> Option<Duration> {
        clocks_apart(self.fleet.members().iter().map(|member| member.worst))
    }
}

fn not_there(not_gathered: NotGathered) -> Error {
    match not_gathered {
        NotGathered::Interrupted(awaited) => {
            Error::interrupted(&format!("interrupted before the agents were ready: {awaited}"))
        }
        NotGathered::Because(why) => Error { status: Some(Status::Invalid), ..Error::because(why) },
    }
}

/// Refuses what several machines cannot play.
fn check(config: &MachinesConfig, server: &ServerConfig, scenario: &Scenario) -> Result<(), String> {
    let is_started = !server.is_found();
    let is_far = matches!(config, MachinesConfig::Agents(..));
    let led = scenario.links.iter().find(|link| server.nodes.iter().any(|node| node.name == link.to));
    match led {
        _ if is_far && is_started => Err(
            "agents on other machines cannot reach a server that is started here: name one that runs with `--url`"
                .to_owned(),
        ),
        Some(link) if is_far => Err(format!(
            "clients go to node {} through the link {}, which is open on this machine alone, and they are on others: leave \
             `--agents` out, or use `--agents local:N`",
            link.to, link.name
        )),
        _ if !server.sources.is_empty() => {
            Err("`--source` names addresses of this machine, and the clients are on others".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_elsewhere_or_here_and_at_least_one() {
        let read = str::parse::<AgentCount>;
        assert_eq!(read("8"), Ok(AgentCount::Elsewhere(8)));
        assert_eq!(read("local:4"), Ok(AgentCount::Here(4)));
        for wrong in ["", "0", "local:", "local:0", "local:65", "1001", "four", "-1"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
