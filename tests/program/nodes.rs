//! A server of several nodes.

use serde_json::Value;

use crate::capacity::Mortal;
use crate::support::{Folder, Reference, results, sockrates};

fn node() -> String {
    format!("{} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"))
}

fn names(nodes: &Value) -> Vec<&str> {
    nodes.as_array().expect("there are several").iter().filter_map(|node| node["name"].as_str()).collect()
}

#[test]
fn a_command_is_started_as_several_nodes_and_clients_choose_among_them() {
    let folder = Folder::new();
    let place = r#"test "$PORTS" = "${PORTS%,*},${PORTS#*,}" && test "$NODE" != "" && "#;
    let script = "- all: connect
        - at_b: { assert: { value: \"${node}\", is: b } }
        - spread: { assert: { value: \"${node}\", is: a } }
        - spread: { assert: { value: \"${nodes}\", is: 2 } }";
    let scenario =
        folder.scenario("{ spread: 1, at_b: { count: 2, node: b }, last: { node: \"${n + 1}\" } }", script);
    let json = folder.path("r.json");
    let run = sockrates(["run", "--nodes", "2", "--server", &format!("{place}{}", node()), "--json"]);
    let ended = run.args([&json, &scenario]).run().code(0);
    let result = results(&json)["body"][0].clone();
    assert_eq!(names(&result["target"]["nodes"]), ["a", "b"], "{ended}");
    assert_eq!(names(&result["server"]["nodes"]), ["a", "b"], "{ended}");
    ended.says("2 nodes, a at http://127.0.0.1:");
}

#[test]
fn urls_are_nodes_and_one_of_them_alone_can_be_out_of_reach() {
    let (folder, one, two) = (Folder::new(), Reference::start(), Reference::start());
    let scenario = folder.scenario("{ crowd: 4 }", "- all: connect");
    let both = format!("left={},right={}", one.url(), two.url());
    let ended = sockrates(["run", "--url", &both]).args([&scenario]).run().code(0);
    ended.says("2 nodes, left at ");
    let half =
        sockrates(["run", "--url", &one.url(), "--url", "b=http://127.0.0.1:9"]).args([&scenario]).run();
    half.code(3).complains("nothing listens at 127.0.0.1:9");
}

#[test]
fn a_node_that_dies_is_named_with_its_last_words() {
    let folder = Folder::new();
    let (mortal, _reference) = Mortal::start(&folder, 1);
    let scenario = folder.scenario(
        "{ crowd: { count: 20, node: shaky } }",
        "- all: connect
         - all: { repeat: { times: 15, every: 100ms, steps: [ { emit: { event: message-with-ack, ack: true } } ] } }",
    );
    let nodes = ["--server", &format!("calm={}", node()), "--server", &format!("shaky={mortal}")];
    let ended = sockrates(["run"]).args(nodes).args([&scenario]).run().code(1);
    ended.says("node shaky ended with signal SIGKILL after ").says("The last lines that node shaky printed");
}

#[test]
fn nodes_that_cannot_be_told_apart_or_are_not_there_are_refused() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: { count: 4, node: c } }", "- all: connect");
    let run = |arguments: &[&str]| sockrates(["run"]).args(arguments).args([&scenario]).run().code(2);
    run(&["--url", "http://127.0.0.1:9", "--nodes", "2"])
        .complains("`--nodes` starts the command of one `--server`");
    run(&["--url", "b=http://h:1", "--url", "b=http://h:2"]).complains("two nodes are called `b`");
    run(&["--nodes", "33", "--server", "x"]).complains("33");
    let two = run(&["--nodes", "2", "--server", &node()]);
    two.complains("failed to find the node \"c\" of `crowd`: the target's nodes are a, b");
    let one = sockrates(["run"]).args([&scenario]).run().code(2);
    one.complains("the target has one node; name several with `--url b=…`");
}
