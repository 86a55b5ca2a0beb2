//! Three official servers as the nodes of one: with an adapter between them the suite passes on all together, without any it fails.

#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use std::process::Command;

use peers::{Missing, Peer, found};
use support::{Played, conform};

/// Heartbeats that no case waits for.
const PATIENT: [(&str, &str); 4] = [
    ("PING_INTERVAL", "25000"),
    ("PING_TIMEOUT", "20000"),
    ("CONNECT_TIMEOUT", "45000"),
    ("UPGRADE_TIMEOUT", "10000"),
];

/// The command of a node with this adapter, where that and Redis are here.
fn node(adapter: &str) -> Option<String> {
    let redis = Command::new("redis-server")
        .arg("--version")
        .output()
        .map_err(|_| Missing::new("Redis", "there is no `redis-server` on this machine"));
    found(redis)?;
    let server = Peer::NodeFixture.command_line()?;
    Some(format!("ADAPTER={adapter} REDIS_PORT=$SERVICE_REDIS_PORT {server}"))
}

fn play(command: &str, only: &str) -> Played {
    let services = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/cluster/redis.yaml");
    let arguments = ["--nodes", "3", "--server", command, "--services", services, "--only", only];
    conform(arguments, PATIENT)
}

#[test]
fn three_official_servers_with_an_adapter_for_redis_do_what_a_call_promises_across_nodes() {
    for adapter in ["redis", "redis-sharded", "redis-streams"] {
        let Some(command) = node(adapter) else { return };
        let played = play(&command, "needs:nodes");
        assert_eq!(played.code, Some(0), "{adapter}\n{}", played.output);
    }
}

#[test]
fn three_official_servers_without_an_adapter_do_not() {
    let Some(command) = node("none") else { return };
    let only =
        ["nodes/broadcast-spares-sender", "nodes/room", "nodes/sockets-disconnect", "nodes/acks-of-all"];
    let played = play(&command, &only.join(","));
    assert_eq!(played.code, Some(1), "{}", played.output);
    for case in only {
        assert!(played.output.contains(&format!("✗ fail {case}")), "{case}\n{}", played.output);
    }
}
