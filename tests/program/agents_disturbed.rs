//! Many machines, and what the script does to the server meanwhile.

use serde_json::Value;

use crate::agents::nats_server;
use crate::support::{Folder, results, sockrates};

/// Some talk at the first node while something is done to the server, and the others come back.
fn disturbed(more: &str, act: &str) -> String {
    format!(
        r#"name: disturbed
clients: {{ talkers: {{ count: 4, node: a }}, guests: {{ count: 4, node: b }} }}
audit: {{ window: 2s, spread: 100ms }}
{more}
script:
  - all: [ connect, {{ join: hall }} ]
  - together:
      - talkers: {{ repeat: {{ times: 20, every: 50ms, steps: [ {{ broadcast: {{ to: hall, event: said, bytes: 64 }} }} ] }} }}
      - - {act}
        - guests: [ {{ expect_closed: {{ within: 20s }} }}, {{ reconnect: {{ recover: false }} }}, {{ join: hall }}, {{ wait: 1100ms }} ]
        - await: {{ node: b, answers: true, within: 30s }}
  - all: {{ broadcast: {{ to: hall, event: said, bytes: 64 }} }}
  - all: {{ wait: 200ms }}
thresholds: [ delivery missing outside disturbances == 0 ]
"#
    )
}

fn done(result: &Value) -> Vec<&str> {
    let done = result["operations"].as_array().expect("something was done");
    done.iter().filter_map(|one| one["what"].as_str()).collect()
}

#[test]
fn what_the_script_does_to_a_node_is_done_while_agents_play_and_the_faults_of_that_time_are_told_apart() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let act = "server: [ { kill: b }, { start: b }, { pause: b, for: 50ms } ]";
    let scenario = folder.file("disturbed.yaml", &disturbed("", act));
    let json = folder.path("r.json");
    let run = sockrates(["run", "--nodes", "2", "--agents", "local:2", "--workers", "1", "--json"]);
    let ended = run.args([&json, &scenario]).run().code(0);
    let result = results(&json)["body"][0].clone();
    let what =
        ["kill node b", "start node b", "pause node b for 50ms", "await that node b answers within 30s"];
    assert_eq!(done(&result), what, "{ended}");
    let spans = result["disturbed"].as_array().expect("it was disturbed");
    assert_eq!(spans.len(), 1, "{ended}");
    assert_eq!(spans[0]["to_us"], result["operations"][3]["to_us"], "{ended}");
    // Nobody but the agents has judged a delivery: they have heard of the disturbed time, and of its end.
    let inside = result["deliveries"]["disturbed"]["expected"].as_u64();
    let all = result["deliveries"]["expected"].as_u64();
    assert!(inside > Some(0) && inside < all, "{ended}");
    ended.says("outside of disturbances");
}

#[test]
fn clients_of_agents_go_to_their_node_through_its_link_and_are_put_out_by_a_reset() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let scenario =
        folder.file("link.yaml", &disturbed("links: { wire: b }", "link: { wire: { reset: true } }"));
    let json = folder.path("r.json");
    let run = sockrates(["run", "--nodes", "2", "--agents", "local:2", "--workers", "1", "--json"]);
    let ended = run.args([&json, &scenario]).run().code(0);
    assert_eq!(done(&results(&json)["body"][0])[0], "reset link wire", "{ended}");
}

/// The clients of one agent are all at node a, and those of the other at node b.
const APART: &str = "name: apart
clients: { crowd: { count: 6, node: \"${n % nodes}\" } }
script:
  - all: connect
  - await: { whole: true, within: 30s }
  - together:
      - crowd: { expect_closed: { within: 60s } }
      - server: [ { restart: a }, { restart: b } ]
  - all: { reconnect: { recover: false } }
  - await: { whole: true, within: 30s }
  - all: { wait: 2s }
thresholds: [ time to whole after restart of b < 30 s ]
";

#[test]
fn agents_whose_clients_are_at_one_node_each_see_together_when_all_nodes_hear_each_other_again() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let (scenario, json) = (folder.file("apart.yaml", APART), folder.path("r.json"));
    let run = || {
        let run = sockrates(["run", "--nodes", "2", "--agents", "local:2", "--workers", "1", "--json"]);
        run.args([&json, &scenario])
    };
    let ended = run().run().code(0);
    let result = results(&json)["body"][0].clone();
    let all = "await that all nodes hear each other within 30s";
    assert_eq!(done(&result), [all, "restart node a", "restart node b", all], "{ended}");
    let threshold = result["thresholds"][0].clone();
    assert_eq!(threshold["outcome"], "met", "{threshold}");
}

#[test]
fn agents_whose_clients_are_at_one_node_each_see_that_their_nodes_never_hear_each_other() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let scenario = folder.file("apart.yaml", &APART.replace("30s", "1s"));
    let alone = format!("{} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"));
    let run = sockrates(["run", "--nodes", "2", "--agents", "local:2", "--workers", "1", "--server", &alone]);
    let ended = run.args([&scenario]).run().code(1);
    ended.says("the nodes did not hear each other within 1s: no broadcast from node ");
}

#[test]
fn what_agents_cannot_reach_is_refused_before_the_first_connection() {
    let folder = Folder::new();
    let run = |more: &str, act: &str, arguments: &[&str]| {
        let text =
            format!("name: x\nclients: {{ crowd: 2 }}\n{more}\nscript: [ {{ all: connect }}, {act} ]\n");
        let scenario = folder.file("x.yaml", &text);
        sockrates(["run"]).args(arguments).args([&scenario]).run().code(2)
    };
    let server = crate::support::Reference::start();
    let url = format!("a={}", server.url());
    let far = ["--agents", "2", "--nats", "nats://127.0.0.1:9", "--url", &url];
    run("links: { wire: a }", "{ link: { wire: { reset: true } } }", &far)
        .complains("clients go to node a through the link wire, which is open on this machine alone");
}
