//! The reference server, the official Node server and socketioxide side by side, by `sockrates compare`.
//!
//! Every scenario beside this file is a comparison: an exchange of everybody with the server, many small rooms, one big
//! room, a storm of connects. The load is one that all of them bear, so what differs is what they cost and how quickly they answer.
//!
//! `cargo bench --bench servers` plays all of them, `-- echo` one, and a number sets the blocks: `-- echo 20`. The tables
//! are printed as Markdown, as in `docs/performance.md`; the pages and the results are kept in `target/servers`. Peers that are not here
//! are told of and left out; `.ci/peers install` brings them.

#[path = "../../tests/support/peers.rs"]
mod peers;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use peers::Peer;

/// In the order in which they are played.
const SCENARIOS: [&str; 4] = ["echo", "small-rooms", "big-room", "connect-storm"];

/// Enough for a difference to be claimed in as many figures as there are.
const BLOCKS: u16 = 10;

/// What the reference server has without being told.
const SETTINGS: &str = "PING_INTERVAL=25000 PING_TIMEOUT=20000 CONNECT_TIMEOUT=45000 UPGRADE_TIMEOUT=10000";

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let blocks = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(BLOCKS);
    let words: Vec<&String> = args.iter().filter(|arg| arg.parse::<u16>().is_err()).collect();
    let servers = servers();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers");
    fs::create_dir_all(&folder).expect("a folder for the results");
    for scenario in SCENARIOS {
        if words.is_empty() || words.iter().any(|word| *word == scenario) {
            println!("{}", compare(scenario, &servers, blocks, &folder.join(scenario)));
        }
    }
}

/// The names of the servers that this machine has, and how each is started.
fn servers() -> Vec<String> {
    let reference = shlex::try_quote(env!("CARGO_BIN_EXE_sockrates")).expect("a path contains no NUL");
    let reference = format!("reference=exec {reference} serve --quiet --port \"$PORT\"");
    let peers = [("Node", Peer::NodeFixture), ("socketioxide", Peer::Socketioxide)];
    let peers = peers
        .into_iter()
        .filter_map(|(name, peer)| Some(format!("{name}={SETTINGS} exec {}", peer.command_line()?)));
    [reference].into_iter().chain(peers).collect()
}

/// Compares the servers in a scenario: the table as Markdown.
fn compare(scenario: &str, servers: &[String], blocks: u16, out: &Path) -> String {
    let file: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/servers").join(scenario).with_extension("yaml");
    let markdown = out.with_extension("md");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockrates"));
    command.arg("compare").arg(file).args([
        "--pin",
        "--workers",
        "1",
        "--quiet",
        "--blocks",
        &blocks.to_string(),
    ]);
    for server in servers {
        command.args(["--server", server]);
    }
    command.arg("--markdown").arg(&markdown);
    command.arg("--html").arg(out.with_extension("html")).arg("--json").arg(out.with_extension("json"));
    let ended = command.output().expect("sockrates");
    match fs::read_to_string(&markdown) {
        Ok(table) if ended.status.success() => table,
        _ => format!("{scenario}: {}", String::from_utf8_lossy(&ended.stderr)),
    }
}
