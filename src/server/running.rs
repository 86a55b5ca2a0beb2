//! Starts a target and waits until it answers; holds it while it runs.

use std::fmt::{self, Write};
use std::io;
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::format;

use super::group::{GRACE, Group, LAST_WORDS, Leave, Process, in_words};
use super::held::Held;
use super::{Endpoint, Found, NotThere, Probing, Resources, Seen, probe};

const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The same where something answers, if not as it should: it may write a log line for every look.
const LOOK_LATER: Duration = Duration::from_millis(250);
/// A server that is starting may take a connection and keep it waiting: do not wait along.
const ONE_LOOK: Duration = Duration::from_secs(2);

/// What answers for so long with success, and with something that is no handshake, is ready, and something else.
const STRANGE: Duration = Duration::from_millis(1500);

/// Which server to test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The reference server, started as a child process of this same program.
    Bundled {
        /// What `serve` gets beside what makes it a child: `--fault NAME`, say.
        args: Vec<String>,
    },
    /// A command line for `sh`, which is to start a server at the port in `PORT`, or to print where it listens.
    Command {
        /// The command line.
        line: String,
        /// Where it will be, if the user says so. `PORT` is then the port of this url.
        url: Option<Endpoint>,
        /// What it is told, where it is one of several nodes.
        node: Option<NodePlace>,
        /// Further variables of its environment: where the links are.
        environment: Vec<(String, String)>,
    },
    /// A server that runs already.
    Url(Endpoint),
}

/// What a command is told that starts one of several nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlace {
    /// Its name: `NODE`.
    pub name: String,
    /// Its port: `PORT`.
    pub port: u16,
    /// The ports of all nodes, in their order: `PORTS`.
    pub ports: Vec<u16>,
}

impl NodePlace {
    /// The ports of all nodes as a command reads them: `3001,3002`.
    pub(super) fn list(&self) -> String {
        let mut list = String::new();
        for port in &self.ports {
            let comma = if list.is_empty() { "" } else { "," };
            // Writing into a text cannot fail.
            let _ = write!(list, "{comma}{port}");
        }
        list
    }
}

/// How to start and to look.
#[derive(Clone, Debug)]
pub struct Starting {
    /// How long a server that we start may take until it answers.
    pub timeout: Duration,
    /// How to look whether it answers.
    pub probing: Probing,
    /// How long a server that should be running already may take until it answers: a balancer that has just been started
    /// has to find its nodes.
    pub patience: Duration,
    /// The path at which a server that we start answers, whatever it prints, if the user says so.
    pub path: Option<String>,
    /// Set from elsewhere to give up: by the handler of Ctrl-C.
    pub cancelled: Arc<AtomicBool>,
    /// Set where the others need not be waited for, because one of them is not there.
    pub(crate) is_futile: Arc<AtomicBool>,
}

impl Starting {
    /// Whether nobody waits any more for what is started.
    pub(super) fn is_given_up(&self) -> bool {
        [&self.cancelled, &self.is_futile].iter().any(|flag| flag.load(Ordering::Relaxed))
    }
}

impl Default for Starting {
    fn default() -> Self {
        let cancelled = Arc::default();
        let (timeout, patience) = (Duration::from_secs(30), Duration::ZERO);
        let (probing, path, is_futile) = (Probing::default(), None, Arc::default());
        Self { timeout, probing, patience, path, cancelled, is_futile }
    }
}

/// A server that answered. One that we started is stopped, with all its children, when this is dropped.
#[derive(Debug)]
pub struct Running {
    target: Target,
    found: Found,
    /// The process that we started; none inside while it is ended on purpose.
    group: Option<Held>,
    /// A process that is sampled in the place of one that we started.
    watched: Option<Process>,
}

impl Target {
    /// Starts the server if it is one to be started, and waits until it answers an Engine.IO handshake. A server that
    /// should be running already is looked at once.
    pub fn start(&self, starting: &Starting) -> Result<Running, NotReady> {
        match self {
            Target::Url(endpoint) => {
                let found = look(endpoint, starting)?;
                Ok(Running { target: self.clone(), found, group: None, watched: None })
            }
            Target::Bundled { .. } => {
                let group = self.launch(None)?;
                self.wait(group, &Places::Announced { otherwise: None }, starting)
            }
            Target::Command { url, node, .. } => {
                let port = match (node, url) {
                    (Some(node), _) => node.port,
                    (None, Some(url)) => url.port,
                    (None, None) => free_port().map_err(|error| self.not_started(error))?,
                };
                let group = self.launch(Some(port))?;
                let places = url.clone().map_or(Places::Announced { otherwise: Some(port) }, Places::Known);
                self.wait(group, &places, starting)
            }
        }
    }

    /// What it is told, where it is a command and one of several nodes.
    pub(super) fn node(&self) -> Option<&NodePlace> {
        match self {
            Target::Command { node, .. } => node.as_ref(),
            Target::Bundled { .. } | Target::Url(_) => None,
        }
    }

    /// The command that starts the reference server, or a part of it, as a child of this process.
    pub(super) fn reference_server(args: &[&str]) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--quiet", "--exit-with-stdin"]).args(args);
        Ok(command)
    }

    /// Starts the process of a server, at this port where one is given.
    fn launch(&self, port: Option<u16>) -> Result<Group, NotReady> {
        let started = match self {
            Target::Bundled { args } => {
                let port = port.unwrap_or(0).to_string();
                Target::reference_server(&["--port", &port]).and_then(|mut command| {
                    command.args(args);
                    Group::start(command)
                })
            }
            Target::Command { line, node, environment, .. } => {
                let named = |(name, value): (&str, String)| (name.to_owned(), value);
                let node = node.iter().flat_map(|node| [("NODE", node.name.clone()), ("PORTS", node.list())]);
                let port = ("PORT".to_owned(), port.unwrap_or(0).to_string());
                let environment = node.map(named).chain(environment.iter().cloned()).chain([port]);
                Group::start_line(line, environment, None)
            }
            Target::Url(_) => Err(io::Error::other("it was running already")),
        };
        started.map_err(|error| self.not_started(error))
    }

    pub(super) fn not_started(&self, error: io::Error) -> NotReady {
        NotReady::NotStarted { server: self.in_words(), error }
    }

    fn ended(&self, group: &Group, status: ExitStatus) -> NotReady {
        group.output().settle(LAST_WORDS);
        NotReady::Ended { server: self.in_words(), status, tail: group.output().tail() }
    }

    fn in_words(&self) -> String {
        match self {
            Target::Bundled { .. } => "the reference server".to_owned(),
            Target::Command { line, node, .. } => {
                let line = format::printable(line);
                let node = node.as_ref().map_or_else(String::new, |node| format!(" (node {})", node.name));
                format!("the server command `{line}`{node}")
            }
            Target::Url(endpoint) => at(endpoint),
        }
    }

    fn is_there(&self, found: Found, group: Group) -> Running {
        Running { target: self.clone(), found, group: Some(Held::new(Some(group))), watched: None }
    }

    fn wait(&self, mut group: Group, places: &Places, starting: &Starting) -> Result<Running, NotReady> {
        let server = self.in_words();
        let deadline = Instant::now() + starting.timeout;
        let mut last = None;
        let mut strange_since = None;
        loop {
            let mut refused = None;
            let mut strangers = Vec::new();
            for endpoint in places.now(&group, starting.path.as_deref()) {
                let left = deadline.saturating_duration_since(Instant::now());
                let timeout = starting.probing.timeout.min(ONE_LOOK).min(left.max(LOOK_AGAIN));
                match probe(&endpoint, &Probing { timeout, ..starting.probing.clone() }) {
                    // Another of its places may let us in, or it may be a page for which one has to log in.
                    Ok(found) if found.is_refusal => refused = refused.or(Some(found)),
                    // Another server may sit at the port that ours wanted: ours has to live.
                    Ok(found) if group.ended().is_none() => return Ok(self.is_there(found, group)),
                    Ok(_) => {}
                    // That nothing listens at one place tells less than what was seen at another.
                    Err(NotThere { seen: Seen::Refused, .. }) if last.is_some() => {}
                    // It has answered, and waiting makes no other protocol of it.
                    Err(not_there) if not_there.seen.is_other_version() && group.ended().is_none() => {
                        return Err(NotReady::NotThere(not_there));
                    }
                    Err(not_there) => {
                        strangers.push(matches!(not_there.seen, Seen::Other(_)));
                        last = Some(Box::new(not_there));
                    }
                }
            }
            let is_strange = !strangers.is_empty() && strangers.iter().all(|is_one| *is_one);
            strange_since = strange_since.filter(|_| is_strange).or(is_strange.then(Instant::now));
            let is_stranger = strange_since.is_some_and(|since| since.elapsed() >= STRANGE);
            if let Some(not_there) = last.take_if(|_| is_stranger && group.ended().is_none()) {
                return Err(NotReady::NotThere(*not_there));
            }
            if let Some(found) = refused.filter(|_| group.ended().is_none()) {
                return Ok(self.is_there(found, group));
            }
            if let Some(status) = group.ended() {
                return Err(self.ended(&group, status));
            }
            if starting.is_given_up() {
                let seen = last
                    .map_or_else(|| "it did not say where it listens".to_owned(), |last| last.to_string());
                return Err(NotReady::cancelled(&server, &seen, group.last_words()));
            }
            if Instant::now() >= deadline {
                let tail = group.last_words();
                return Err(NotReady::TimedOut { server, waited: starting.timeout, last, tail });
            }
            let nobody = last.as_ref().is_none_or(|last| matches!(last.seen, Seen::Refused));
            thread::sleep(if nobody { LOOK_AGAIN } else { LOOK_LATER });
        }
    }
}

/// Looks at a server that should be running, as often as there is patience for.
fn look(endpoint: &Endpoint, starting: &Starting) -> Result<Found, NotReady> {
    let deadline = Instant::now() + starting.patience;
    loop {
        match look_once(endpoint, starting) {
            Err(NotReady::NotThere(seen)) if Instant::now() < deadline => {
                thread::sleep(LOOK_LATER);
                if starting.is_given_up() {
                    return Err(NotReady::cancelled(&at(endpoint), &seen.to_string(), Vec::new()));
                }
            }
            outcome => return outcome,
        }
    }
}

/// Whoever gives up does not wait for the end of the look.
fn look_once(endpoint: &Endpoint, starting: &Starting) -> Result<Found, NotReady> {
    let (tell, told) = mpsc::channel();
    let (place, probing) = (endpoint.clone(), starting.probing.clone());
    // Nobody listens any more after a cancellation.
    thread::spawn(move || tell.send(probe(&place, &probing)).is_ok());
    loop {
        match told.recv_timeout(LOOK_AGAIN) {
            Ok(outcome) => return outcome.map_err(NotReady::NotThere),
            Err(RecvTimeoutError::Timeout) if !starting.is_given_up() => {}
            // Or the thread broke off, which is told by its panic.
            Err(_) => return Err(NotReady::cancelled(&at(endpoint), "it did not answer yet", Vec::new())),
        }
    }
}

fn at(endpoint: &Endpoint) -> String {
    format!("the server at {endpoint}")
}

/// Where a server that we started is looked for.
enum Places {
    /// There and nowhere else.
    Known(Endpoint),
    /// Where its output says that it is, and at this port.
    Announced { otherwise: Option<u16> },
}

impl Places {
    fn now(&self, group: &Group, path: Option<&str>) -> Vec<Endpoint> {
        match self {
            Places::Known(endpoint) => vec![endpoint.clone()],
            Places::Announced { otherwise } => {
                // What it prints may be the address of some page: no namespace, and nothing to guess.
                let announced = candidates(group.output().announced(), *otherwise, path);
                announced.into_iter().map(|place| Endpoint { is_open: false, ..place }).collect()
            }
        }
    }
}

/// Each announced place, the same with the default path (a server may announce its web page), and the port. With a path that is
/// known, all of them there.
fn candidates(announced: Vec<Endpoint>, otherwise: Option<u16>, path: Option<&str>) -> Vec<Endpoint> {
    let mut places: Vec<Endpoint> = Vec::new();
    let there = |place: Endpoint| match path {
        Some(path) => Endpoint { path: path.to_owned(), query: None, ..place },
        None => place,
    };
    let plain = announced.iter().map(|place| Endpoint {
        path: Endpoint::local(place.port).path,
        query: None,
        ..place.clone()
    });
    for place in announced.iter().cloned().chain(plain).chain(otherwise.map(Endpoint::local)).map(there) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// Ports that systems do not give to outgoing connections (Linux begins at 32,768, others higher).
const QUIET_PORTS: RangeInclusive<u16> = 10_000..=32_000;

/// A port at which nobody listens at this moment. One that the system chose would be among those that it gives to
/// outgoing connections, so that any client could take it before the server is there.
pub(super) fn free_port() -> io::Result<u16> {
    let mut drawn = iter::repeat_with(|| fastrand::u16(QUIET_PORTS)).take(20);
    match drawn.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()) {
        Some(port) => Ok(port),
        None => Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port()),
    }
}

impl Running {
    /// What was asked for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Where it answers.
    pub fn endpoint(&self) -> &Endpoint {
        &self.found.endpoint
    }

    /// What it said of itself.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// CPU time and memory of a server that we started, with its children, or of the process that is to be watched. None for
    /// others, and where the system does not tell.
    pub fn resources(&self) -> Option<Resources> {
        match (&self.group, self.watched) {
            (Some(held), _) => held.resources(),
            (None, process) => process?.resources(),
        }
    }

    /// Takes this process for the server, to sample it, where we did not start one.
    pub fn watch(&mut self, process: Process) {
        self.watched = Some(process);
    }

    /// How a server has ended meanwhile that we started, or whose process is watched. Its last words may still be on
    /// their way.
    pub fn exit(&self) -> Option<Exit> {
        match &self.group {
            Some(held) => held.exit().map(Exit::of),
            None => self.watched?.resources().is_none().then_some(Exit(None)),
        }
    }

    /// The last lines that a server printed that has ended, as they came; not safe for a terminal.
    pub fn last_words(&self) -> Vec<String> {
        self.group.as_ref().map(Held::last_words).unwrap_or_default()
    }

    /// That a server that we started has ended meanwhile, as a sentence with its last output.
    pub fn ended(&self) -> Option<NotReady> {
        let mut group = self.group.as_ref()?.group();
        let group = group.as_mut()?;
        let status = group.ended()?;
        Some(self.target.ended(group, status))
    }

    /// The same, where its end may take so long to be known.
    pub fn ended_within(&self, patience: Duration) -> Option<NotReady> {
        self.group.as_ref()?;
        let deadline = Instant::now() + patience;
        loop {
            match self.ended() {
                None if Instant::now() < deadline => thread::sleep(LOOK_AGAIN),
                ended => return ended,
            }
        }
    }

    /// Stops a server that we started, and returns when it is gone. Dropping does the same.
    pub fn stop(mut self) {
        if let Some(mut group) = self.group.take().and_then(Held::into_group) {
            group.stop(GRACE);
        }
    }

    /// Whether we started it.
    pub fn is_started(&self) -> bool {
        self.group.is_some()
    }

    /// Ends it on purpose, and returns when it is gone. Says whether it lived until then.
    ///
    /// # Errors
    /// In words, where we did not start it.
    pub fn end(&self, leave: Leave) -> Result<bool, String> {
        Ok(self.group.as_ref().ok_or("sockrates did not start it")?.end(leave))
    }

    /// Starts it again where it was, and waits until it answers. Where it runs, nothing happens. Says whether it was started.
    ///
    /// # Errors
    /// Why it does not answer.
    pub fn begin(&self, starting: &Starting) -> Result<bool, NotReady> {
        let Some(held) = self.group.as_ref().filter(|held| !held.lives()) else { return Ok(false) };
        held.clear();
        let endpoint = self.endpoint();
        let group = self.target.launch(Some(endpoint.port))?;
        let begun = self.target.wait(group, &Places::Known(endpoint.clone()), starting)?;
        begun.group.and_then(Held::into_group).into_iter().for_each(|group| held.put(group));
        Ok(true)
    }

    /// Lets it stand still, or go on.
    ///
    /// # Errors
    /// In words, where it does not run or we did not start it.
    pub fn pause(&self, is_still: bool) -> Result<(), String> {
        self.group.as_ref().ok_or("sockrates did not start it")?.pause(is_still)
    }

    /// Whether it answers now.
    pub fn answers(&self, starting: &Starting) -> bool {
        probe(self.endpoint(), &Probing { timeout: ONE_LOOK, ..starting.probing.clone() }).is_ok()
    }
}

/// How a process ended, where that is known: of our own children. Displayed as `exit code 1` or `signal SIGKILL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(Option<ExitStatus>);

impl Exit {
    pub(super) fn of(status: ExitStatus) -> Exit {
        Exit(Some(status))
    }

    /// Whether the process said that all was well.
    pub fn is_success(self) -> bool {
        self.0.is_some_and(|status| status.success())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map_or_else(|| "an unknown exit code".to_owned(), in_words))
    }
}

/// Why there is no server to test. Displayed as a sentence without its full stop, and the last output of a server
/// that we started on lines of their own.
#[derive(Debug)]
pub enum NotReady {
    /// No Engine.IO server answers at the url.
    NotThere(NotThere),
    /// The process could not be started.
    NotStarted {
        /// The server in words.
        server: String,
        /// What the system said.
        error: io::Error,
    },
    /// The process ended.
    Ended {
        /// The server in words.
        server: String,
        /// How.
        status: ExitStatus,
        /// Its last lines.
        tail: Vec<String>,
    },
    /// The process runs, but nothing answers.
    TimedOut {
        /// The server in words.
        server: String,
        /// How long it was waited for.
        waited: Duration,
        /// What was seen last, if there was a place to look at.
        last: Option<Box<NotThere>>,
        /// Its last lines.
        tail: Vec<String>,
    },
    /// A service runs, but is not ready.
    Unready {
        /// The service in words.
        service: String,
        /// How long it was waited for.
        waited: Duration,
        /// What did not happen, in words.
        missing: String,
        /// Its last lines.
        tail: Vec<String>,
    },
    /// The user gave up.
    Cancelled {
        /// What was waited for, and what was missing, as a fragment.
        awaited: String,
        /// The last lines of what was waited for.
        tail: Vec<String>,
    },
}

impl NotReady {
    /// The user gave up waiting for this, of which this was seen last.
    pub(super) fn cancelled(what: &str, seen: &str, tail: Vec<String>) -> NotReady {
        NotReady::Cancelled { awaited: format!("{what} was awaited ({seen})"), tail }
    }

    /// The sentence alone.
    pub fn sentence(&self) -> String {
        match self {
            NotReady::NotThere(not_there) => not_there.to_string(),
            NotReady::NotStarted { server, error } => format!("{server} could not be started: {error}"),
            NotReady::Ended { server, status, .. } => format!("{server} ended with {}", in_words(*status)),
            NotReady::TimedOut { server, waited, last: Some(last), .. } => {
                format!("{server} did not answer within {}: {last}", format::duration(*waited))
            }
            NotReady::TimedOut { server, waited, last: None, .. } => {
                format!("{server} did not say within {} where it listens", format::duration(*waited))
            }
            NotReady::Unready { service, waited, missing, .. } => {
                format!("{service} was not ready within {}: {missing}", format::duration(*waited))
            }
            NotReady::Cancelled { awaited, .. } => {
                format!("interrupted before the server answered: {awaited}")
            }
        }
    }

    /// The last lines that the server printed, as they came; not safe for a terminal.
    pub fn tail(&self) -> &[String] {
        match self {
            NotReady::Ended { tail, .. }
            | NotReady::TimedOut { tail, .. }
            | NotReady::Unready { tail, .. }
            | NotReady::Cancelled { tail, .. } => tail,
            NotReady::NotThere(_) | NotReady::NotStarted { .. } => &[],
        }
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        if !self.tail().is_empty() {
            f.write_str("\nits last output:")?;
        }
        self.tail().iter().try_for_each(|line| write!(f, "\n  | {}", format::printable(line)))
    }
}

impl std::error::Error for NotReady {}

// Their commands are lines for `sh`.
#[cfg(all(test, unix))]
mod tests;
