//! Services: what the nodes of a server need beside them. Each is started before them, one after another, is awaited until it
//! is ready, and is stopped after them, the last one first.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::group::{Group, LAST_WORDS};
use super::held::Held;
use super::running::free_port;
use super::{Exit, Leave, NotReady, Starting, Target};
use crate::scenario::ServiceRule;

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a connection to a port of this machine may take.
const ONE_LOOK: Duration = Duration::from_millis(500);

/// The addresses at which a service may listen.
const HERE: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A service.
#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    port: u16,
    launch: Launch,
    held: Held,
}

/// How it is started.
#[derive(Debug)]
enum Launch {
    /// By the command of a rule, with these variables in its environment.
    Command(ServiceRule, Vec<(String, String)>),
    /// It is the bus of the reference server.
    Bus,
}

/// All services of a run. Those that are started are stopped when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Services(Vec<Service>);

impl Services {
    /// Gives each its port. None is started.
    ///
    /// # Errors
    /// Where there is no free port.
    pub(crate) fn place(rules: &[ServiceRule]) -> Result<Services, NotReady> {
        let mut services = Services::default();
        for rule in rules {
            let launch = Launch::Command(rule.clone(), Vec::new());
            services.add(&rule.name, rule.port, launch)?;
        }
        Ok(services)
    }

    /// The same with the bus of the reference server.
    ///
    /// # Errors
    /// Where there is no free port.
    pub(super) fn with_bus(mut self, name: &str) -> Result<Services, NotReady> {
        self.add(name, None, Launch::Bus)?;
        Ok(self)
    }

    fn add(&mut self, name: &str, port: Option<u16>, launch: Launch) -> Result<(), NotReady> {
        let not_started = |error| NotReady::NotStarted { server: format!("the service {name}"), error };
        let port = match port {
            Some(port) => port,
            None => loop {
                let port = free_port().map_err(not_started)?;
                if self.0.iter().all(|other| other.port != port) {
                    break port;
                }
            },
        };
        self.0.push(Service { name: name.to_owned(), port, launch, held: Held::new(None) });
        Ok(())
    }

    /// Where each service is, for the environment of commands: `SERVICE_REDIS`, `SERVICE_REDIS_PORT`.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let of = |service: &Service| {
            let variable = format!("SERVICE_{}", service.name.to_ascii_uppercase());
            let port = service.port.to_string();
            [(variable.clone(), service.address().to_string()), (format!("{variable}_PORT"), port)]
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Starts all of them, with these variables in the environment of each and where the others are.
    ///
    /// # Errors
    /// Why the first of them is not ready that is not. The others are stopped.
    pub(crate) fn start(
        mut self,
        further: &[(String, String)],
        starting: &Starting,
    ) -> Result<Services, NotReady> {
        let all: Vec<(String, String)> = self.environment().into_iter().chain(further.to_vec()).collect();
        for service in &mut self.0 {
            if let Launch::Command(_, environment) = &mut service.launch {
                environment.clone_from(&all);
            }
            service.begin(starting)?;
        }
        Ok(self)
    }

    /// The service of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Service> {
        self.0.iter().find(|service| service.name == name)
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Service> {
        self.0.iter()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first service that has ended by itself, and how.
    pub(crate) fn exit(&self) -> Option<(&Service, Exit)> {
        self.0.iter().find_map(|service| Some((service, Exit::of(service.held.exit()?))))
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        while let Some(service) = self.0.pop() {
            drop(service);
        }
    }
}

impl Service {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The command that starts it, where it has one.
    pub(crate) fn command(&self) -> Option<&str> {
        match &self.launch {
            Launch::Command(rule, _) => Some(&rule.command),
            Launch::Bus => None,
        }
    }

    /// Where it listens, unless it goes its own ways.
    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The last lines that it printed, as they came; not safe for a terminal.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.held.last_words()
    }

    /// Ends it on purpose, and returns when it is gone. Says whether it lived until then.
    pub(crate) fn end(&self, leave: Leave) -> bool {
        self.held.end(leave)
    }

    /// Lets it stand still, or go on.
    ///
    /// # Errors
    /// In words, where it does not run.
    pub(crate) fn pause(&self, is_still: bool) -> Result<(), String> {
        self.held.pause(is_still)
    }

    /// Starts it, and waits until it is ready. Where it runs, nothing happens. Says whether it was started.
    ///
    /// # Errors
    /// Why it is not ready.
    pub(crate) fn begin(&self, starting: &Starting) -> Result<bool, NotReady> {
        if self.held.lives() {
            return Ok(false);
        }
        self.held.clear();
        let group = self.launch().map_err(|error| NotReady::NotStarted { server: self.in_words(), error })?;
        self.held.put(self.wait(group, starting)?);
        Ok(true)
    }

    fn launch(&self) -> io::Result<Group> {
        if in_use(self.port) {
            return Err(io::Error::other(format!("something else listens at port {} already", self.port)));
        }
        match &self.launch {
            Launch::Command(rule, environment) => {
                let port = ("PORT".to_owned(), self.port.to_string());
                let environment = environment.iter().cloned().chain([port]);
                let group = Group::start_line(&rule.command, environment, rule.ready.as_deref())?;
                Ok(group.stopped_by(rule.stop_by))
            }
            Launch::Bus => {
                let address = self.address().to_string();
                Target::reference_server(&["--bus", &address, "--bus-only"]).and_then(Group::start)
            }
        }
    }

    fn in_words(&self) -> String {
        format!("the service {}", self.name)
    }

    fn awaited(&self) -> Option<&str> {
        match &self.launch {
            Launch::Command(rule, _) => rule.ready.as_deref(),
            Launch::Bus => None,
        }
    }

    fn wait(&self, mut group: Group, starting: &Starting) -> Result<Group, NotReady> {
        let patience = match &self.launch {
            Launch::Command(rule, _) => rule.within.unwrap_or(starting.timeout),
            Launch::Bus => starting.timeout,
        };
        let deadline = Instant::now() + patience;
        loop {
            let is_ready = match self.awaited() {
                Some(_) => group.output().is_ready(),
                None => listens(self.port, &starting.cancelled),
            };
            if let Some(status) = group.ended() {
                group.output().settle(LAST_WORDS);
                return Err(NotReady::Ended { server: self.in_words(), status, tail: group.output().tail() });
            }
            if is_ready {
                return Ok(group);
            }
            let missing = || match self.awaited() {
                Some(text) => format!("it printed no line with `{text}`"),
                None => format!("nothing listens at port {} of this machine", self.port),
            };
            if starting.is_given_up() {
                return Err(NotReady::cancelled(&self.in_words(), &missing(), group.last_words()));
            }
            if Instant::now() >= deadline {
                let (missing, tail) = (missing(), group.last_words());
                return Err(NotReady::Unready { service: self.in_words(), waited: patience, missing, tail });
            }
            thread::sleep(LOOK_AGAIN);
        }
    }
}

/// Whether somebody listens at this port of this machine.
fn listens(port: u16, cancelled: &AtomicBool) -> bool {
    let reaches = |address: IpAddr| TcpStream::connect_timeout(&(address, port).into(), ONE_LOOK).is_ok();
    !cancelled.load(Ordering::Relaxed) && HERE.into_iter().any(reaches)
}

/// Whether a port of this machine is taken.
fn in_use(port: u16) -> bool {
    matches!(
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse
    )
}

// Their commands are lines for `sh`.
#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::scenario::StopSignal;

    fn rule(command: &str, ready: Option<&str>) -> ServiceRule {
        ServiceRule {
            name: "db".to_owned(),
            command: command.to_owned(),
            port: None,
            ready: ready.map(str::to_owned),
            within: Some(Duration::from_secs(20)),
            stop_by: StopSignal::Term,
        }
    }

    fn started(rule: ServiceRule) -> Result<Services, NotReady> {
        Services::place(&[rule])?.start(&[("MORE".to_owned(), "1".to_owned())], &Starting::default())
    }

    #[test]
    fn a_service_is_awaited_until_it_says_so_and_knows_where_it_is() {
        let command = "test \"$SERVICE_DB\" = \"127.0.0.1:$PORT\" && test \"$MORE\" = 1 && echo all is well; sleep 1000";
        let services = started(rule(command, Some("is well"))).expect("it is ready");
        assert!(services.exit().is_none());
        let service = services.get("db").expect("it is there");
        service.end(Leave::Politely);
        assert!(services.exit().is_none(), "it was ended on purpose");
        service.begin(&Starting::default()).expect("it comes back");
    }

    #[test]
    fn a_service_that_dies_at_its_start_is_told_with_its_last_lines() {
        let flood =
            "i=0; while [ $i -lt 3000 ]; do echo a line of no use $i; i=$((i+1)); done; echo no disk; exit 3";
        let why = started(rule(flood, None)).expect_err("it ends");
        assert_eq!(why.sentence(), "the service db ended with exit code 3");
        assert!(why.tail().len() <= 20 && why.tail().iter().any(|line| line == "no disk"), "{why}");
    }

    #[test]
    fn a_service_that_never_comes_up_is_given_up_after_its_time_with_what_was_awaited() {
        let short =
            |ready| ServiceRule { within: Some(Duration::from_millis(1)), ..rule("sleep 1000", ready) };
        let why = started(short(Some("ready"))).expect_err("it says nothing").sentence();
        assert_eq!(why, "the service db was not ready within 1 ms: it printed no line with `ready`");
        let why = started(short(None)).expect_err("it listens nowhere").sentence();
        assert!(why.contains("nothing listens at port "), "{why}");
    }

    #[test]
    fn a_service_whose_port_is_taken_is_not_taken_for_another() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
        let port = taken.local_addr().ok().map(|address| address.port());
        let why = started(ServiceRule { port, ..rule("sleep 1000", None) }).expect_err("it is taken");
        assert!(why.sentence().contains("something else listens at port "), "{why}");
    }
}
