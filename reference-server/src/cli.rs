//! The command line of the server: arguments, signals, exit code.
//!
//! Another program can flatten [`ServeArgs`] into a verb of its own and call [`run`].

use std::io::{IsTerminal, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use owo_colors::OwoColorize;

use crate::bus;
use crate::capacity::Capacity;
use crate::config::{Config, Node, Origins, Parser};
use crate::faults::{self, Fault, Faults};
use crate::server::{self, Handle, Stopper};
use crate::signals::Signals;

/// Examples for the top of the help text.
pub const EXAMPLES: &str = "\
Examples:
  reference-server                               listen on http://127.0.0.1:3000
  reference-server --port 0 --fixture-timings    any free port, the timings of the official test suites
  reference-server --recovery=30s                with connection state recovery
  reference-server --nodes 3                     a cluster: three nodes on ports 3000, 3001 and 3002
  reference-server --fault ack-twice             broken on purpose; --list-faults shows the ways";

/// How long the server waits between asking clients to leave and leaving itself, when its parent is gone.
const GRACE: Duration = Duration::from_secs(3);

/// Arguments of the server.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address or name to listen on
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes any free one
    #[arg(long, short, value_name = "PORT", default_value_t = 3000)]
    pub port: u16,
    /// Path of the Socket.IO endpoint
    #[arg(long, value_name = "PATH", default_value = "/socket.io/", value_parser = parse_path)]
    pub path: String,
    /// From one pong to the next ping [default: 25s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub ping_interval: Option<Duration>,
    /// How long a client may take to answer a ping [default: 20s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub ping_timeout: Option<Duration>,
    /// How long an upgrade to WebSocket may take [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub upgrade_timeout: Option<Duration>,
    /// How long a client may take to join a namespace [default: 45s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub connect_timeout: Option<Duration>,
    /// Start from the timings of the official test suites: 300ms, 200ms, 1s, 1s
    #[arg(long)]
    pub fixture_timings: bool,
    /// Longest request body or WebSocket message, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1_000_000)]
    pub max_payload: usize,
    /// Connection state recovery: how long a lost client can come back
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, num_args = 0..=1, require_equals = true,
          default_missing_value = "2m")]
    pub recovery: Option<Duration>,
    /// Let clients of Socket.IO 2 connect, too, which speak Engine.IO 3
    #[arg(long)]
    pub allow_eio3: bool,
    /// The parser of packets, which clients have to use, too
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub parser: Parser,
    /// Web origins that may read responses, separated by commas; `*` for all, `none` for no CORS
    #[arg(long, value_name = "ORIGINS", default_value = "*")]
    pub origins: String,
    /// Most clients at a time
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    pub max_clients: usize,
    /// Handle at most so many events a second; others wait
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub capacity: Option<Capacity>,
    /// Handle one event after another, each for as long as the Universal Scalability Law says: λ,σ,κ
    #[arg(long, value_name = "LAW", value_parser = parse_law, conflicts_with = "capacity")]
    pub service_usl: Option<Capacity>,
    /// So many nodes of one cluster, on as many ports from --port on
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=26))]
    pub nodes: u16,
    /// The name of this node, for a cluster of several processes [default: a]
    #[arg(long, value_name = "NAME", requires = "bus", conflicts_with = "nodes", value_parser = parse_name)]
    pub node: Option<String>,
    /// The bus that joins the nodes of a cluster of several processes
    #[arg(long, value_name = "ADDRESS", value_parser = parse_bus)]
    pub bus: Option<SocketAddr>,
    /// Be that bus and nothing else
    #[arg(long, requires = "bus")]
    pub bus_only: bool,
    /// Say nothing about clients
    #[arg(long, short)]
    pub quiet: bool,
    /// Break the protocol in this way (repeatable)
    #[arg(long = "fault", value_name = "NAME")]
    pub faults: Vec<Fault>,
    /// Show the names of all faults and leave
    #[arg(long)]
    pub list_faults: bool,
    /// Leave when standard input is closed, so that no orphan survives the program that started this one
    #[arg(long, hide = true)]
    pub exit_with_stdin: bool,
}

impl ServeArgs {
    /// The settings these arguments ask for.
    ///
    /// # Errors
    /// When the host has no address.
    pub fn config(&self) -> Result<Config, String> {
        let base =
            if self.fixture_timings { Config::default().with_fixture_timings() } else { Config::default() };
        Ok(Config {
            host: resolve(&self.host)?,
            port: self.port,
            path: self.path.clone(),
            ping_interval: self.ping_interval.unwrap_or(base.ping_interval),
            ping_timeout: self.ping_timeout.unwrap_or(base.ping_timeout),
            upgrade_timeout: self.upgrade_timeout.unwrap_or(base.upgrade_timeout),
            connect_timeout: self.connect_timeout.unwrap_or(base.connect_timeout),
            max_payload: self.max_payload,
            recovery: self.recovery,
            allow_eio3: self.allow_eio3,
            parser: self.parser,
            origins: parse_origins(&self.origins),
            max_clients: self.max_clients,
            console: !self.quiet,
            capacity: self.capacity.or(self.service_usl),
            node: None,
            limits: base.limits,
        })
    }
}

/// Runs the server until it is told to stop: 0 after a polite end, 2 for wrong arguments, 3 when it cannot
/// listen, 130 when interrupted a second time.
pub fn run(args: ServeArgs) -> ExitCode {
    if args.list_faults {
        return list_faults();
    }
    let config = match args.config() {
        Ok(config) => config,
        Err(error) => return fail(2, &error),
    };
    // Signals are caught before anybody is told that the server listens.
    let signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(error) => return fail(3, &format!("cannot catch signals: {error}")),
    };
    if let (true, Some(address)) = (args.bus_only, args.bus) {
        return run_bus(address, signals, args.exit_with_stdin);
    }
    let faults: Faults = args.faults.iter().copied().collect();
    let nodes = match start(&args, &config, faults) {
        Ok(nodes) => nodes,
        Err(error) => return fail(3, &error),
    };
    if !args.quiet {
        nodes.iter().take(1).for_each(|node| announce(&node.page_url(), faults));
    }
    let stoppers: Vec<Stopper> = nodes.iter().map(Handle::stopper).collect();
    stop_on_signals(signals, stoppers.clone());
    if args.exit_with_stdin {
        stop_on_end_of_input(stoppers);
    }
    nodes.into_iter().for_each(Handle::wait);
    ExitCode::SUCCESS
}

/// Starts the server, or the nodes of a cluster one after the other, and tells where each listens.
fn start(args: &ServeArgs, config: &Config, faults: Faults) -> Result<Vec<Handle>, String> {
    if args.nodes == 1 {
        let node =
            args.bus.map(|bus| Node { name: args.node.clone().unwrap_or_else(|| "a".to_owned()), bus });
        let config = Config { node, ..config.clone() };
        let handle = start_one(config, faults)?;
        say(&format!("listening on {}", handle.url()));
        return Ok(vec![handle]);
    }
    let bus = match args.bus {
        Some(bus) => bus,
        None => {
            let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let bus = bus::spawn(free).map_err(|error| format!("cannot start the bus: {error}"))?;
            bus.local_addr()
        }
    };
    let mut handles = Vec::new();
    for (number, name) in (0..args.nodes).zip('a'..='z') {
        let port = match config.port {
            0 => 0,
            first => first.checked_add(number).ok_or("there are not so many ports from --port on")?,
        };
        let node = Some(Node { name: name.to_string(), bus });
        let handle = start_one(Config { port, node, ..config.clone() }, faults)?;
        say(&format!("{name} listening on {}", handle.url()));
        handles.push(handle);
    }
    say(&format!("bus on {bus}"));
    Ok(handles)
}

fn start_one(config: Config, faults: Faults) -> Result<Handle, String> {
    let (host, port, bus) = (config.host, config.port, config.node.as_ref().map(|node| node.bus));
    server::spawn(config, faults).map_err(|error| match (error.kind(), bus) {
        (std::io::ErrorKind::ConnectionRefused, Some(bus)) => {
            format!("there is no bus at {bus}: start one with --bus {bus} --bus-only")
        }
        _ => format!("cannot listen on {host} port {port}: {error}"),
    })
}

/// Runs the bus alone until it is told to stop.
fn run_bus(address: SocketAddr, signals: Signals, exit_with_stdin: bool) -> ExitCode {
    let bus = match bus::spawn(address) {
        Ok(bus) => bus,
        Err(error) => return fail(3, &format!("cannot listen on {address}: {error}")),
    };
    say(&format!("bus on {}", bus.local_addr()));
    let stoppers = vec![Stopper::of(bus.stop())];
    stop_on_signals(signals, stoppers.clone());
    if exit_with_stdin {
        stop_on_end_of_input(stoppers);
    }
    bus.wait();
    ExitCode::SUCCESS
}

/// A line for whoever started the server.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

fn announce(page: &str, faults: Faults) {
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "chat page at {page}");
    for name in faults.names() {
        let _ = writeln!(stderr, "{}", format!("broken on purpose: {name}").red());
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    let _ = writeln!(anstream::stderr(), "error: {message}");
    ExitCode::from(code)
}

fn list_faults() -> ExitCode {
    let width = faults::REGISTRY.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let mut stdout = anstream::stdout().lock();
    for entry in faults::REGISTRY {
        if writeln!(stdout, "{:width$}  {:12}  {}", entry.name, entry.breaks, entry.about).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn stop_on_signals(mut signals: Signals, stoppers: Vec<Stopper>) {
    std::thread::spawn(move || {
        let mut asked = false;
        loop {
            signals.wait();
            if asked {
                std::process::exit(130);
            }
            asked = true;
            if std::io::stderr().is_terminal() {
                eprintln!("saying goodbye to everybody; once more to leave at once");
            }
            stoppers.iter().for_each(Stopper::shutdown);
        }
    });
}

fn stop_on_end_of_input(stoppers: Vec<Stopper>) {
    std::thread::spawn(move || {
        let mut ignored = [0; 256];
        while matches!(std::io::stdin().read(&mut ignored), Ok(1..)) {}
        stoppers.iter().for_each(Stopper::shutdown);
        std::thread::sleep(GRACE);
        std::process::exit(0);
    });
}

fn resolve(host: &str) -> Result<IpAddr, String> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return Ok(address);
    }
    let mut addresses =
        (host, 0).to_socket_addrs().map_err(|error| format!("no address for {host:?}: {error}"))?;
    addresses.next().map(|address| address.ip()).ok_or_else(|| format!("no address for {host:?}"))
}

fn parse_origins(text: &str) -> Origins {
    match text.trim() {
        "*" => Origins::Any,
        "none" | "" => Origins::None,
        list => Origins::Listed(list.split(',').map(|origin| origin.trim().to_owned()).collect()),
    }
}

/// A path with a slash at both ends.
fn parse_path(text: &str) -> Result<String, String> {
    let path = format!("/{}/", text.trim_matches('/')).replace("//", "/");
    let plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'%' | b'"' | b'<' | b'>');
    match path.as_str() {
        "/" => {
            Err("the chat page is at /; give the endpoint a path of its own, such as /socket.io/".to_owned())
        }
        _ if path.bytes().all(plain) => Ok(path),
        _ => Err("only plain characters can be in a path".to_owned()),
    }
}

/// `127.0.0.1:7000`. Whoever reaches the bus can say anything, so only this machine does.
fn parse_bus(text: &str) -> Result<SocketAddr, String> {
    match text.trim().parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("the bus has no password: give it an address of this machine alone, such as \
                      127.0.0.1:7000"
            .to_owned()),
        Err(_) => Err("the bus is at an address with a port, such as 127.0.0.1:7000".to_owned()),
    }
}

/// `b`, `eu-1`.
fn parse_name(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match text.len() {
        1..=64 if text.bytes().all(plain) => Ok(text.to_owned()),
        _ => Err("the name of a node has up to 64 letters, digits, `-`, `_` and `.`".to_owned()),
    }
}

/// `500/s`.
fn parse_rate(text: &str) -> Result<Capacity, String> {
    let rate = text.trim().strip_suffix("/s").and_then(|number| number.trim().parse::<f64>().ok());
    match rate {
        Some(rate) if rate > 0.0 && rate <= 1e9 => Ok(Capacity::Rate(rate)),
        _ => Err("a rate is a number of events a second: 500/s".to_owned()),
    }
}

/// `20,0.01,0.0001`.
fn parse_law(text: &str) -> Result<Capacity, String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    match numbers.as_deref() {
        Ok(&[lambda, sigma, kappa])
            if lambda > 0.0
                && lambda <= 1e9
                && (0.0..=1.0).contains(&sigma)
                && (0.0..=1.0).contains(&kappa) =>
        {
            Ok(Capacity::Law { lambda, sigma, kappa })
        }
        _ => Err("the law has three numbers, λ above 0, σ and κ from 0 to 1: 20,0.01,0.0001".to_owned()),
    }
}

/// `300ms`, `25s`, `2m`, `1h`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits =
        text.find(|character: char| character != '.' && !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("a duration is a number and a unit: 300ms, 25s, 2m, 1h".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| format!("{number:?} is no number"))?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(duration) if !duration.is_zero() && duration <= Duration::from_secs(30 * 24 * 3600) => {
            Ok(duration)
        }
        _ => Err("a duration is longer than nothing and at most 30 days".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Wrapper {
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn config(args: &[&str]) -> Config {
        let args = std::iter::once("test").chain(args.iter().copied());
        Wrapper::try_parse_from(args).unwrap().serve.config().unwrap()
    }

    #[test]
    fn without_arguments_the_settings_are_those_of_the_official_server() {
        assert_eq!(config(&["-q"]), Config::default());
    }

    #[test]
    fn single_timings_override_the_preset() {
        let config = config(&["--fixture-timings", "--ping-interval", "2m", "--recovery"]);
        assert_eq!(config.ping_interval, Duration::from_secs(120));
        assert_eq!(config.ping_timeout, Duration::from_millis(200));
        assert_eq!(config.recovery, Some(Duration::from_secs(120)));
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        for wrong in ["", "5", "0s", "s", "-1s", "1 day", "1e9h", "99999h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_capacity_is_a_rate_or_a_law() {
        assert_eq!(config(&["-q", "--capacity", "500/s"]).capacity, Some(Capacity::Rate(500.0)));
        let law = Capacity::Law { lambda: 20.0, sigma: 0.01, kappa: 0.0001 };
        assert_eq!(config(&["-q", "--service-usl", "20,0.01,1e-4"]).capacity, Some(law));
        for wrong in ["500", "0/s", "-1/s", "NaN/s", "inf/s"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
        for wrong in ["20", "20,0.1", "0,0,0", "20,2,0", "20,0,-1", "20,0,NaN", "20,0,0,0"] {
            assert!(parse_law(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bus_is_on_this_machine_and_nodes_have_plain_names() {
        assert!(parse_bus("127.0.0.1:7000").is_ok() && parse_bus("[::1]:7000").is_ok());
        for wrong in ["", "7000", "localhost:7000", "10.0.0.1:7000", "0.0.0.0:7000"] {
            assert!(parse_bus(wrong).is_err(), "{wrong}");
        }
        assert!(parse_name("eu-1.b_2").is_ok());
        for wrong in ["", "a b", "a\"", &"a".repeat(65)] {
            assert!(parse_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_get_their_slashes() {
        assert_eq!(parse_path("engine.io"), Ok("/engine.io/".to_owned()));
        assert_eq!(parse_path("/a/b/"), Ok("/a/b/".to_owned()));
        assert!(parse_path("/").is_err());
        assert!(parse_path("/a?b/").is_err());
    }
}
