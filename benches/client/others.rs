//! What other clients cost: Artillery, socket.io-client in Node, and rust_socketio, beside this one.
//!
//! Each plays the same exchange against the reference server in a process of its own, once with few rounds and once
//! with many: the difference is what the exchanges cost, without the start, the connects and the end. All in turn, every
//! second block in the reverse order.
//!
//! The clients in Node come with `npm ci --ignore-scripts` in `benches/node`, rust_socketio with `.ci/peers install`. Who
//! is missing is told of and left out.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::support::process::{Server, cpu_of_children};
use crate::support::statistics::median;

const BLOCKS: usize = 3;

/// As fast as it goes.
pub fn flat() {
    compare("200 clients flat out", Load { clients: 200, pace: 0, few: 20, many: 120 });
}

/// At a pace.
pub fn paced() {
    let load = Load { clients: 1000, pace: 1000, few: 2, many: 8 };
    compare("1,000 clients, one exchange a second each", load);
}

#[derive(Clone, Copy)]
struct Load {
    clients: u64,
    /// In milliseconds, from one exchange to the next of the same client; 0: at once.
    pace: u64,
    few: u64,
    many: u64,
}

/// A client library or tool.
struct Client {
    name: &'static str,
    /// What brings it here, if it is not.
    missing: fn() -> Option<String>,
    /// The program that plays so many rounds.
    program: fn(SocketAddr, Load, u64, &Path) -> Command,
    /// Whether it went well, by what it wrote to a file or to standard output.
    is_well: fn(&str, u64) -> bool,
    /// More rounds flat out, for a quick one; 0 for one that does not finish.
    stamina: u64,
}

const ALL: [Client; 4] = [
    Client { name: "sockrates", missing: || None, program: ours, is_well: |_, _| true, stamina: 10 },
    Client {
        name: "rust_socketio",
        missing: || (!rust_socketio_program().exists()).then(|| "run `.ci/peers install`".to_owned()),
        program: rust_socketio,
        is_well: |said, acks| said.trim() == acks.to_string(),
        // Its sockets have Nagle's algorithm on, and its acknowledgement ids are drawn below 1,000.
        stamina: 0,
    },
    Client {
        name: "socket.io-client",
        missing: || package_missing("socket.io-client"),
        program: socket_io_client,
        is_well: |said, acks| said.trim() == acks.to_string(),
        stamina: 4,
    },
    Client {
        name: "Artillery",
        missing: || package_missing("artillery"),
        program: artillery,
        is_well: artillery_is_well,
        stamina: 6,
    },
];

impl Client {
    fn is_here(&self) -> bool {
        let missing = (self.missing)();
        if let Some(why) = &missing {
            eprintln!("SKIPPED {}: {why}", self.name);
        }
        missing.is_none()
    }

    /// Microseconds of CPU per exchange.
    fn cost(&self, server: &Server, load: Load) -> Result<f64, String> {
        let few = self.run(server, load, load.few)?;
        let many = self.run(server, load, load.many)?;
        Ok((many - few) / ((load.many - load.few) * load.clients) as f64)
    }

    /// Microseconds of CPU for so many rounds.
    fn run(&self, server: &Server, load: Load, rounds: u64) -> Result<f64, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let before = cpu_of_children();
        let ran = (self.program)(server.address, load, rounds, folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("start {}: {error}", self.name))?;
        let used = cpu_of_children() - before;
        let said = std::fs::read_to_string(folder.path().join("report.json"))
            .unwrap_or_else(|_| String::from_utf8_lossy(&ran.stdout).into_owned());
        match ran.status.success() && (self.is_well)(&said, rounds * load.clients) {
            true => Ok(used),
            false => Err(format!("{} did not make {rounds} exchanges with each client", self.name)),
        }
    }
}

fn compare(title: &str, load: Load) {
    let clients: Vec<&Client> = ALL.iter().filter(|client| client.is_here()).collect();
    let server = Server::reference();
    let mut costs: Vec<Result<Vec<f64>, String>> = clients.iter().map(|_| Ok(Vec::new())).collect();
    for block in 0..BLOCKS {
        let mut order: Vec<usize> = (0..clients.len()).collect();
        if block % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let client = clients[index];
            let mut load = load;
            if load.pace == 0 {
                load.many *= client.stamina;
            }
            let cost = match load.many {
                0 => Err("it does not finish".to_owned()),
                _ => client.cost(&server, load),
            };
            match (&mut costs[index], cost) {
                (Ok(taken), Ok(cost)) => taken.push(cost),
                (taken, Err(why)) => *taken = Err(why),
                (Err(_), _) => {}
            }
        }
    }
    println!("{title}: CPU of the client's process per acknowledged exchange");
    let ours = costs[0].as_ref().map(|costs| median(costs));
    for (client, costs) in clients.iter().zip(&costs) {
        match (costs, &ours) {
            (Ok(costs), Ok(ours)) => {
                let cost = median(costs);
                println!("  {:<18}{cost:>9.1} µs   ours is {:.2} of it", client.name, ours / cost);
            }
            (Err(why), _) => println!("  {:<18}left out: {why}", client.name),
            (Ok(_), Err(_)) => println!("  {:<18}nothing to compare it with", client.name),
        }
    }
}

fn ours(address: SocketAddr, load: Load, rounds: u64, folder: &Path) -> Command {
    let Load { clients, pace, .. } = load;
    let every = if pace > 0 { format!("every: {pace}ms, jitter: 100%,") } else { String::new() };
    let text = format!(
        "name: exchange
clients: {{ c: {{ count: {clients}, arrive: 1000/s }} }}
script:
  - all: connect
  - all: {{ repeat: {{ times: {rounds}, {every} steps: [ {{ emit: {{ event: message-with-ack, args: [hello], ack: true }} }} ] }} }}
"
    );
    let file = folder.join("exchange.yaml");
    std::fs::write(&file, text).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockrates"));
    command.arg("run").arg(file).args(["--url", &format!("http://{address}"), "--workers", "1", "--quiet"]);
    command
}

fn rust_socketio(address: SocketAddr, load: Load, rounds: u64, _: &Path) -> Command {
    let mut command = Command::new(rust_socketio_program());
    let numbers = [load.clients, rounds, load.pace].map(|number| number.to_string());
    command.args(["exchange", &format!("http://{address}")]).args(numbers);
    command
}

fn rust_socketio_program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers/rust_socketio/target/release/rust-socketio-client")
}

fn socket_io_client(address: SocketAddr, load: Load, rounds: u64, _: &Path) -> Command {
    let mut command = Command::new("node");
    let numbers = [load.clients, rounds, load.pace].map(|number| number.to_string());
    command.arg(node().join("client.js")).arg(format!("http://{address}")).args(numbers);
    command
}

fn artillery(address: SocketAddr, load: Load, rounds: u64, folder: &Path) -> Command {
    let Load { clients, pace, .. } = load;
    let think =
        if pace > 0 { format!("          - think: {}\n", pace as f64 / 1000.0) } else { String::new() };
    let text = format!(
        "config:
  target: http://{address}
  socketio: {{ transports: [websocket] }}
  phases: [ {{ duration: 2, arrivalCount: {clients} }} ]
scenarios:
  - engine: socketio
    flow:
      - loop:
          - emit: [ message-with-ack, hello ]
            acknowledge: {{ data: hello }}
{think}        count: {rounds}
"
    );
    let file = folder.join("exchange.yaml");
    std::fs::write(&file, text).expect("a file");
    let mut command = Command::new("node");
    command
        .arg(node().join("node_modules/artillery/bin/run"))
        .args(["run", "--quiet", "--output"])
        .arg(folder.join("report.json"))
        .arg(file)
        .env("ARTILLERY_DISABLE_TELEMETRY", "true")
        .current_dir(folder);
    command
}

fn artillery_is_well(report: &str, acks: u64) -> bool {
    let report: Json = serde_json::from_str(report).unwrap_or(Json::Null);
    let counters = &report["aggregate"]["counters"];
    counters["socketio.emit"] == acks && counters["vusers.failed"] == 0
}

fn package_missing(package: &str) -> Option<String> {
    let runs = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !runs.is_ok_and(|status| status.success()) {
        return Some("there is no `node` on this machine".to_owned());
    }
    let is_there = node().join("node_modules").join(package).exists();
    (!is_there).then(|| "run `npm ci --ignore-scripts` in benches/node".to_owned())
}

fn node() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/node")
}
