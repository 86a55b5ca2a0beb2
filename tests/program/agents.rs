//! Many machines: agents, a broker, and a coordinator, all on this one.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

pub(crate) use crate::peers::nats_server;
use crate::support::{Folder, Reference, Started, results, sockrates};

/// A broker at a port of its own. Ended when dropped.
pub(crate) struct Broker {
    program: PathBuf,
    port: u16,
    /// Its configuration, if it has one.
    config: Option<PathBuf>,
    child: Child,
}

impl Broker {
    pub(crate) fn start() -> Option<Broker> {
        Broker::configured(None)
    }

    /// With this configuration.
    pub(crate) fn configured(config: Option<PathBuf>) -> Option<Broker> {
        let program = nats_server()?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = free.local_addr().expect("it listens").port();
        drop(free);
        let child = Broker::spawn(&program, port, config.as_deref());
        Some(Broker { program, port, config, child })
    }

    fn spawn(program: &Path, port: u16, config: Option<&Path>) -> Child {
        let mut command = Command::new(program);
        command.args(["-a", "127.0.0.1", "-p", &port.to_string()]).stdin(Stdio::null());
        command.args(config.iter().flat_map(|config| [Path::new("-c"), config]));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started");
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < until, "the broker does not listen");
            thread::park_timeout(Duration::from_millis(5));
        }
        child
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it can be waited for");
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = Broker::spawn(&self.program, self.port, self.config.as_deref());
    }

    /// Hears what is said under these subjects from here on.
    pub(crate) fn listen(&self, subjects: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        write!(stream, "CONNECT {{\"verbose\":false}}\r\nSUB {subjects} 1\r\nPING\r\n").expect("it listens");
        let mut heard = BufReader::new(stream);
        read_line_with(&mut heard, "PONG");
        heard
    }

    /// An agent that waits for work.
    pub(crate) fn agent(&self, name: &str, more: &[&str]) -> Started {
        let url = self.url();
        let mut agent =
            sockrates(["agent", "--nats", &url, "--name", name, "--workers", "1"]).args(more).start();
        agent.told("waits for work at ");
        agent
    }
}

/// Reads what a broker says until a line begins so.
pub(crate) fn read_line_with(heard: &mut BufReader<TcpStream>, beginning: &str) {
    let mut line = Vec::new();
    while !line.starts_with(beginning.as_bytes()) {
        line.clear();
        let read = heard.read_until(b'\n', &mut line).expect("it can be read");
        assert!(read > 0, "no {beginning:?} before its end");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn counter(result: &Value, name: &str) -> u64 {
    let counters = result["counters"].as_array().expect("there are counters");
    let found = counters.iter().find(|counter| counter["name"] == name);
    found.and_then(|counter| counter["value"].as_u64()).unwrap_or_else(|| panic!("no {name}"))
}

/// What has to be the same however many machines there are.
fn counts(result: &Value) -> Value {
    let of = |name: &str| counter(result, name);
    let checks: Vec<Value> = result["checks"]
        .as_array()
        .expect("there are checks")
        .iter()
        .map(|check| serde_json::json!([check["step"], check["passed"], check["failed"], check["missed"]]))
        .collect();
    let deliveries = &result["deliveries"];
    serde_json::json!({
        "sent": of("sent"), "connects": of("connect ok"), "acks": of("ack received"), "received": of("delivery received"),
        "due": of("rounds due"), "checks": checks, "messages": deliveries["messages"], "pairs": deliveries["expected"],
        "forbidden": deliveries["forbidden"], "undecided": deliveries["undecided"], "missing": deliveries["missing"],
    })
}

/// Everybody joins, shows what it is, and speaks at its own pace.
const TALK: &str = "- all: connect
    - all: { join: \"room-${n % 3}\" }
    - crowd: { emit: { event: message-with-ack, args: [\"${host[0].sid}\"], ack: true } }
    - all: { repeat: { times: 6, every: 100ms, steps: [ { broadcast: { to: \"room-${n % 3}\", event: said } } ] } }
    - all: { emit: { event: message-with-ack, ack: true } }
    - all: disconnect";

#[test]
fn a_run_counts_the_same_however_many_agents_play_it() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 24, host: 2 }", TALK);
    let played = |agents: Option<&str>| {
        let json = folder.path(&format!("{}.json", agents.unwrap_or("here").replace(':', "-")));
        let run = sockrates(["run", "--seed", "7", "--workers", "1", "--json"]).args([&json, &scenario]);
        let ended = run.args(agents.iter().flat_map(|agents| ["--agents", agents])).run().code(0);
        (results(&json)["body"][0].clone(), ended)
    };
    let (here, _) = played(None);
    assert_eq!(here["deliveries"]["messages"], 26 * 6);
    for agents in ["local:1", "local:2", "local:4", "local:8"] {
        let (there, ended) = played(Some(agents));
        assert_eq!(counts(&there), counts(&here), "{agents}: {ended}");
        let of_agents = there["agents"].as_array().expect("there are agents");
        assert_eq!(of_agents.len().to_string(), agents["local:".len()..]);
        let clients: u64 = of_agents.iter().filter_map(|agent| agent["clients"].as_u64()).sum();
        let connected: u64 = of_agents.iter().filter_map(|agent| agent["connected"].as_u64()).sum();
        assert_eq!((clients, connected), (26, 26), "{ended}");
    }
}

#[test]
fn what_a_server_loses_between_clients_of_two_agents_is_missing() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let scenario = folder.scenario(
        "{ crowd: 6 }",
        "- all: connect
         - all: { join: hall }
         - all: { repeat: { times: 20, every: 50ms, steps: [ { broadcast: { to: hall, event: said } } ] } }",
    );
    let json = folder.path("r.json");
    let run = sockrates(["run", "--fault", "newest-rarely-skipped", "--agents", "local:2", "--json"]);
    let ended = run.args([&json, &scenario]).run().code(1).says("delivery missing");
    let missing = results(&json)["body"][0]["deliveries"]["missing"].as_u64();
    assert!(missing > Some(0), "{ended}");
}

#[test]
fn the_highest_load_is_searched_for_with_agents() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let scenario = folder.scenario_with(
        "{ crowd: 4 }",
        "- all: connect
         - crowd: { join: hall }
         - all: { repeat: { times: 10, every: 50ms, steps: [ { broadcast: { to: hall, event: said } } ] } }",
        "thresholds: [delivery missing == 0]",
    );
    let json = folder.path("c.json");
    let search = sockrates([
        "capacity", "--agents", "local:2", "--from", "4", "--to", "8", "--settle", "0s", "--json",
    ]);
    let ended = search.args([&json, &scenario]).args(["--repeats", "1", "--min-samples", "10"]).run().code(0);
    let ended = ended.says("8 clients");
    assert!(results(&json)["body"]["points"].as_array().is_some_and(|points| points.len() > 1), "{ended}");
}

#[test]
fn servers_are_compared_with_agents() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let scenario = folder.scenario(
        "{ crowd: 4 }",
        "- all: connect
         - crowd: { join: hall }
         - all: { repeat: { times: 10, every: 20ms, steps: [ { broadcast: { to: hall, event: said } } ] } }",
    );
    let (one, other) = (Reference::start(), Reference::start());
    let json = folder.path("c.json");
    let compare =
        sockrates(["compare", "--agents", "local:2", "--blocks", "2", "--json"]).args([&json, &scenario]);
    let urls = [format!("one={}", one.url()), format!("other={}", other.url())];
    let ended = compare.args(["--url", &urls[0], "--url", &urls[1]]).run();
    assert!([Some(0), Some(1)].contains(&ended.code), "{ended}");
    let compare =
        sockrates(["compare", "--agents", "local:2", "--pin", "--url", &urls[0], "--url", &urls[1]]);
    compare.args([&scenario]).run().code(2).complains("`--pin` is for clients of this process");
}

#[test]
fn agents_play_against_several_nodes_and_say_where_silence_is_weaker() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let scenario = folder.scenario(
        "{ crowd: 8 }",
        "- all: connect
         - all: { join: hall }
         - all: { wait: 1100ms } # until the joins are known at the other nodes
         - all: { repeat: { times: 10, every: 50ms, steps: [ { broadcast: { to: hall, event: said } } ] } }
         - all: { expect_none: { event: never } }",
    );
    let json = folder.path("r.json");
    let played = |nodes: &str| {
        let run = sockrates(["run", "--agents", "local:2", "--nodes", nodes, "--json"]);
        let ended = run.args([&json, &scenario]).run().code(0);
        let result = results(&json)["body"][0].clone();
        assert_eq!(result["deliveries"]["expected"], 8 * 10 * 7, "{ended}");
        (counter(&result, "fences of one node"), ended)
    };
    // With three nodes, each of two workers has clients at all of them.
    let (weaker, ended) = played("3");
    assert_eq!(weaker, 0, "{ended}");
    // With two, all clients of an agent are at one node.
    let (weaker, ended) = played("2");
    assert_eq!(weaker, 8, "{ended}");
    ended.says("or no client of the same agent was at another node");
}

/// Lasts long enough for something to happen meanwhile.
const LONG: &str = "- all: connect
    - all: { join: hall }
    - all: { repeat: { for: 8s, every: 200ms, steps: [ { broadcast: { to: hall, event: said } } ] } }";

#[test]
fn an_agent_that_dies_makes_the_run_invalid_and_the_others_wait_again() {
    let Some(broker) = Broker::start() else { return };
    let (folder, server) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ crowd: 8 }", &LONG.replace("8s", "60s"));
    let (doomed, mut other) = (broker.agent("doomed", &[]), broker.agent("other", &[]));
    let json = folder.path("r.json");
    let run = sockrates(["run", "--agents", "2", "--nats", &broker.url(), "--url", &server.url(), "--json"]);
    let mut run = run.args([&json, &scenario]).start();
    run.told("8 of 8 connected");
    kill(doomed.pid(), Signal::SIGKILL).expect("it is there");
    let ended = run.wait().code(4).says("the agent doomed is dead or cut off");
    let result = results(&json)["body"][0].clone();
    assert!(counter(&result, "sent") > 0, "{ended}");
    other.told(" a test");
    other.interrupt();
    other.wait().code(0);
}

#[test]
fn agents_let_their_clients_leave_when_the_coordinator_dies() {
    let Some(broker) = Broker::start() else { return };
    let (folder, server) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ crowd: 4 }", &LONG.replace("8s", "60s"));
    let mut agent = broker.agent("left-alone", &[]);
    let run = sockrates(["run", "--agents", "1", "--nats", &broker.url(), "--url", &server.url()]);
    let mut run = run.args([&scenario]).start();
    run.told("4 of 4 connected");
    kill(run.pid(), Signal::SIGKILL).expect("it is there");
    agent.told("broke off a test: nothing was heard of the coordinator for 5s");
    agent.interrupt();
    agent.wait().code(0);
}

#[test]
fn a_broker_that_restarts_costs_no_count() {
    let Some(mut broker) = Broker::start() else { return };
    let (folder, server) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ crowd: 4 }", LONG);
    let agents = ["one", "two"].map(|name| broker.agent(name, &[]));
    let json = folder.path("r.json");
    let run = sockrates(["run", "--agents", "2", "--nats", &broker.url(), "--url", &server.url(), "--json"]);
    let mut run = run.args([&json, &scenario]).start();
    run.told("4 of 4 connected");
    broker.restart();
    let ended = run.wait().code(0);
    let result = results(&json)["body"][0].clone();
    assert_eq!(counter(&result, "rounds due"), 4 * 40, "{ended}");
    assert_eq!(counter(&result, "rounds begun"), 4 * 40, "{ended}");
    assert_eq!(result["deliveries"]["messages"], 4 * 40, "{ended}");
    assert_eq!(result["deliveries"]["expected"], 4 * 40 * 3, "{ended}");
    for agent in agents {
        agent.interrupt();
        agent.wait().code(0);
    }
}

#[test]
fn a_broker_that_never_comes_back_ends_the_run_and_its_agents_wait_for_it() {
    let Some(mut broker) = Broker::start() else { return };
    let (folder, server) = (Folder::new(), Reference::start());
    // So much is said that nobody could say all of it before the broker is given up.
    let scenario = folder.scenario("{ crowd: 40 }", &LONG.replace("8s", "60s").replace("200ms", "20ms"));
    let mut agent = broker.agent("one", &[]);
    let run = sockrates(["run", "--agents", "1", "--nats", &broker.url(), "--url", &server.url()]);
    let mut run = run.args([&scenario]).start();
    run.told("40 of 40 connected");
    broker.kill();
    let gone = format!("the broker at {} is dead or cut off", broker.url());
    run.wait().code(4).says(&gone);
    agent.told(&format!("broke off a test: {gone}"));
    agent.told(&format!("{gone}: this agent tries to reach it again"));
    broker.restart();
    agent.told("the broker is there again");
    broker.kill();
    agent.interrupt();
    agent.wait().code(0);
}

#[test]
fn a_run_that_is_interrupted_ends_everywhere() {
    let Some(broker) = Broker::start() else { return };
    let (folder, server) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ crowd: 4 }", &LONG.replace("8s", "60s"));
    let mut agent = broker.agent("one", &[]);
    let run = sockrates(["run", "--agents", "1", "--nats", &broker.url(), "--url", &server.url()]);
    let mut run = run.args([&scenario]).start();
    run.told("4 of 4 connected");
    run.interrupt();
    run.wait().code(130).says("Every client received");
    agent.told("played a test to its end");
    agent.interrupt();
    agent.wait().code(0);
}

#[test]
fn an_agent_shows_what_it_is_and_loads_only_what_it_may() {
    let Some(broker) = Broker::start() else { return };
    let (folder, server) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ crowd: 1 }", "- all: connect");
    let mut agent = broker.agent("careful", &["--labels", "zone=eu", "--allow", "https://staging.example*"]);
    let shown = sockrates(["agents", "--nats", &broker.url()]).run().code(0);
    shown.says("careful sockrates 0.1.0/5 1 ").says(" ago waits zone=eu").says("± ");
    let run = sockrates(["run", "--agents", "1", "--nats", &broker.url(), "--url", &server.url()]);
    let refused = run.args([&scenario]).run().code(4);
    refused.complains(
        "the agent careful cannot take part: its `--allow` does not let it load http://127.0.0.1:",
    );
    agent.told("refused a run: its `--allow` does not let it load ");
    agent.interrupt();
    agent.wait().code(0);
}

#[test]
fn agents_that_are_called_alike_are_told_apart() {
    let Some(broker) = Broker::start() else { return };
    let (folder, server) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ crowd: 4 }", "- all: connect");
    let twins = [(); 2].map(|()| broker.agent("twin", &[]));
    sockrates(["agents", "--nats", &broker.url()]).run().code(0).says("twin#1 ").says("twin#2 ");
    let json = folder.path("r.json");
    let run = sockrates(["run", "--agents", "2", "--nats", &broker.url(), "--url", &server.url(), "--json"]);
    run.args([&json, &scenario]).run().code(0).says("twin#1").says("twin#2");
    let agents = results(&json)["body"][0]["agents"].clone();
    assert_eq!((&agents[0]["name"], &agents[1]["name"]), (&"twin#1".into(), &"twin#2".into()));
    for twin in twins {
        twin.interrupt();
        twin.wait().code(0);
    }
}

#[test]
fn what_cannot_be_is_said_before_anything_is_started() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 1 }", "- all: connect");
    let run = |arguments: &[&str]| sockrates(["run"]).args(arguments).args([&scenario]).run();
    run(&["--agents", "2"]).code(2).complains("`--agents 2` needs the broker at which they wait");
    run(&["--agents", "local:0"]).code(2).complains("write how many");
    let started = run(&["--agents", "2", "--nats", "nats://127.0.0.1:9"]).code(2);
    started.complains("agents on other machines cannot reach a server that is started here");
    sockrates(["agent"]).run().code(2).complains("name the broker with `--nats");
    let away = sockrates(["agents", "--nats", "nats://someone:hunter22@127.0.0.1:9"]).run().code(3);
    let away = away.complains("failed to reach the broker at nats://127.0.0.1:9");
    assert!(!away.stderr.contains("hunter22"), "{away}");
}
