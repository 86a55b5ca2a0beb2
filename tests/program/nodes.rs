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
    run(&["--url", "http://127.0.0.1:9", "--nodes", "2", "--server", "x"])
        .complains("let `--services` start the nodes and the balancer");
    run(&["--url", "b=http://h:1", "--url", "b=http://h:2"]).complains("two nodes are called `b`");
    run(&["--nodes", "33", "--server", "x"]).complains("33");
    let two = run(&["--nodes", "2", "--server", &node()]);
    two.complains("failed to find the node \"c\" of `crowd`: the target's nodes are a, b");
    let one = sockrates(["run"]).args([&scenario]).run().code(2);
    one.complains("the target has one node; name several with `--url b=…`");
}

#[test]
fn rooms_within_one_node_each_leave_what_passes_between_nodes_unjudged() {
    let folder = Folder::new();
    let scenario = |rooms: &str| {
        let script = format!(
            "- all: [ connect, {{ join: \"{rooms}\" }} ]
        - all: {{ wait: 1100ms }} # until the joins are known at the other node
        - all: {{ broadcast: {{ to: \"{rooms}\", event: said, bytes: 64 }} }}
        - all: {{ wait: 1100ms }}"
        );
        folder.scenario("{ crowd: 8 }", &script)
    };
    let within = scenario("r${n % 2}");
    let ended = sockrates(["run", "--nodes", "2", "--strict-audit", "90%"]).args([&within]).run().code(1);
    let ended = ended.says("none certainly had to go from one node to another");
    ended.says("Between nodes, nothing was judged.").says("clients with another `index % 2` are in them");
    let ended = sockrates(["run", "--nodes", "2"]).args([&within]).run().code(0);
    ended.says("but deliveries were not judged: none certainly had to go from one node to another");
    let across = scenario("r${n / 2 % 2}");
    let ended = sockrates(["run", "--nodes", "2", "--strict-audit", "90%"]).args([&across]).run().code(0);
    ended.says("Every client received what was for it, once and in order, and nothing else.");
}

#[test]
fn where_an_application_passes_on_no_marker_silence_is_weaker_and_not_red() {
    let folder = Folder::new();
    let contract =
        "contract: { broadcast: { emit: [unheard, \"${body}\"], arrives_as: unheard, reaches: others } }";
    let text = format!(
        "name: nobody passes on a marker\nclients: {{ crowd: 4 }}\n{contract}\nscript:\n  - all: connect\n  \
         - all: {{ expect_none: {{ event: never, within: 300ms }} }}\n  - all: {{ expect_none: {{ event: never, within: 1h }} }}\n"
    );
    let scenario = folder.file("mute.yaml", &text);
    let ended = sockrates(["run", "--nodes", "2"]).args([&scenario]).run().code(0);
    ended.says("weaker in 8 `expect_none`s: no broadcast of the contract reaches everyone, or the server does not pass on those");
}

#[test]
fn a_server_of_one_node_is_whole_when_it_answers() {
    let folder = Folder::new();
    let text = "name: the only node\nclients: { crowd: 2 }\nscript:\n  - all: connect\n  - server: { restart: a }\n  \
                - all: { reconnect: { recover: false } }\nthresholds: [ time to whole after restart of a < 20 s ]\n";
    let scenario = folder.file("alone.yaml", text);
    sockrates(["run", "--server", &node()]).args([&scenario]).run().code(0);
}

/// Some talk at the first node while something is done to the second, whose clients come back.
const DISTURBED: &str = r#"name: a node is disturbed
clients: { talkers: { count: 4, node: a }, guests: { count: 2, node: b } }
audit: { window: 1s, spread: 100ms }
script:
  - all: [ connect, { join: hall } ]
  - together:
      - talkers: { repeat: { times: 20, every: 50ms, steps: [ { broadcast: { to: hall, event: said, bytes: 64 } } ] } }
      - - server: [ { kill: b }, { start: b }, { pause: b, for: 50ms } ]
        - guests: [ { reconnect: { recover: false } }, { join: hall } ]
        - await: { whole: true, within: 30s }
  - all: { broadcast: { to: hall, event: said, bytes: 64 } }
  - all: { expect_none: { event: never } }
thresholds: [ delivery missing outside disturbances == 0 ]
"#;

#[test]
fn a_node_that_is_killed_on_purpose_comes_back_and_the_run_says_what_was_disturbed() {
    let folder = Folder::new();
    let scenario = folder.file("disturbed.yaml", DISTURBED);
    let json = folder.path("r.json");
    let ended = sockrates(["run", "--nodes", "2", "--json"]).args([&json, &scenario]).run().code(0);
    let result = results(&json)["body"][0].clone();
    let done = result["operations"].as_array().expect("something was done");
    let what: Vec<&str> = done.iter().filter_map(|one| one["what"].as_str()).collect();
    let awaited = "await that all nodes hear each other within 30s";
    assert_eq!(what, ["kill node b", "start node b", "pause node b for 50ms", awaited], "{ended}");
    let disturbed = result["disturbed"].as_array().expect("it was disturbed");
    assert_eq!(disturbed.len(), 1, "{ended}");
    assert_eq!(disturbed[0]["to_us"], done[3]["to_us"].clone(), "{ended}");
    assert!(result["deliveries"]["disturbed"]["expected"].as_u64().is_some_and(|pairs| pairs > 0), "{ended}");
    assert!(result["server_end"].is_null(), "its end was no accident: {ended}");
    ended.says("What was done to the server").says("outside of disturbances");
}

#[test]
fn what_needs_not_be_done_to_a_node_is_said_and_nothing_is_concluded_from_it() {
    let folder = Folder::new();
    let scenario = folder.file(
        "needless.yaml",
        r#"name: b runs
clients: { crowd: 4 }
script:
  - all: [ connect, { join: hall } ]
  - server: [ { start: b }, { stop: b }, { kill: b } ]
thresholds: [ time to whole after start of b < 9 s ]
"#,
    );
    let json = folder.path("r.json");
    let ended = sockrates(["run", "--nodes", "2", "--json"]).args([&json, &scenario]).run().code(1);
    let result = results(&json)["body"][0].clone();
    let done = result["operations"].as_array().expect("something was done");
    let needless: Vec<Option<&str>> = done.iter().map(|one| one["needless"].as_str()).collect();
    assert_eq!(needless, [Some("it ran already"), None, Some("it did not run")], "{ended}");
    ended.says("nothing to do: it ran already").says("time to whole after start of b < 9 s: no data");
}

#[test]
fn a_node_that_has_ended_by_itself_is_started_again_and_its_end_is_still_told() {
    let folder = Folder::new();
    let scenario = folder.file(
        "crash.yaml",
        r#"name: b ends by itself
clients: { talkers: { count: 2, node: a }, guests: { count: 2, node: b } }
script:
  - talkers: connect
  - shell: "kill -9 $(cat pid-b); while kill -0 $(cat pid-b); do :; done"
  - server: { start: b }
  - guests: connect
  - all: disconnect
"#,
    );
    let command = format!(
        "cd {}; echo $$ > pid-$NODE; echo node $NODE is there; exec {}",
        folder.path("").display(),
        node()
    );
    let run = sockrates(["run", "--nodes", "2", "--allow-commands", "--server", &command])
        .inside(&folder)
        .args([&scenario]);
    run.run().code(1).says("node b").says("SIGKILL").says("node b is there").says("start node b");
}

#[test]
fn a_deaf_node_is_the_first_that_is_said() {
    let folder = Folder::new();
    let scenario = folder
        .file("disturbed.yaml", &DISTURBED.replace("kill: b", "wait: 1ms").replace("{ start: b }, ", ""));
    let script = std::fs::read_to_string(&scenario).expect("it was written");
    let script: String = script
        .lines()
        .filter(|line| !line.contains("await") && !line.contains("reconnect"))
        .fold(String::new(), |text, line| text + line + "\n");
    let scenario = folder.file(
        "deaf.yaml",
        &script.replace("expect_none: { event: never }", "expect_none: { event: never, within: 1s }"),
    );
    let ended = sockrates(["run", "--nodes", "2", "--fault", "node-deaf"]).args([&scenario]).run().code(1);
    ended
        .says("node b hears nothing from a")
        .says("no broadcast from node a arrived within 1s")
        .says("✗ 0 of");
}

#[test]
fn a_node_that_never_comes_back_fails_the_run_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let scenario = folder.scenario(
        "{ crowd: 2 }",
        "- all: connect
         - server: { kill: b }
         - await: { node: b, answers: true, within: 100ms }
         - all: { wait: 1h }",
    );
    let ended = sockrates(["run", "--nodes", "2"]).args([&scenario]).run().code(1);
    ended.says("node b did not answer within 100ms");
}

#[test]
fn what_cannot_be_done_to_a_server_is_refused_before_the_first_client() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ crowd: 2 }", "- all: connect\n- server: { kill: a }");
    let found = sockrates(["run", "--url", &reference.url()]).args([&scenario]).run().code(2);
    found.complains("sockrates did not start that server: give its command with `--server`");
    let scenario = folder.scenario("{ crowd: 2 }", "- all: connect\n- server: { kill: z }");
    sockrates(["run"]).args([&scenario]).run().code(2).complains("the server's nodes are a");
}

#[test]
fn an_interrupt_in_the_middle_of_a_pause_ends_everything_in_order() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 2 }", "- all: connect\n- server: { pause: b, for: 1h }");
    let json = folder.path("r.json");
    let run = sockrates(["run", "--nodes", "2", "--json"]).args([&json, &scenario]).start();
    // What is known so far is written each second, and soon the pause is what is under way.
    while !json.exists() {
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    run.interrupt();
    run.wait().code(130).says("interrupted");
    assert_eq!(results(&json)["body"][0]["verdict"]["status"], "interrupted");
}

#[test]
fn how_long_all_nodes_need_to_hear_each_other_again_is_measured_and_a_node_that_is_never_whole_misses_it() {
    let folder = Folder::new();
    let text =
        DISTURBED.replace("{ kill: b }, { start: b }, { pause: b, for: 50ms }", "{ restart: b }").replace(
            "missing outside disturbances == 0 ]",
            "missing outside disturbances == 0, time to whole after restart of b < 1 m ]",
        );
    let scenario = folder.file("whole.yaml", &text);
    sockrates(["run", "--nodes", "2"])
        .args([&scenario])
        .run()
        .code(0)
        .says("time to whole after restart of b < 1 m");
    let text = text.replace("        - await: { whole: true, within: 30s }\n", "");
    let deaf = folder.file("deaf.yaml", &text);
    let ended = sockrates(["run", "--nodes", "2", "--fault", "node-deaf"]).args([&deaf]).run().code(1);
    ended.says("time to whole after restart of b < 1 m").says("never");
    let none = folder.file("none.yaml", &text.replace("restart of b", "restart of c"));
    let refused = sockrates(["run", "--nodes", "2"]).args([&none]).run().code(2);
    refused.complains("the script has no restart of c");
}
