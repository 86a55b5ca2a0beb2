//! `sockrates conform` against a server of several nodes: each of them alone, and all together.

use std::fs;

use reference_server::{Config, faults::Faults};
use sockrates::conformance::{SuiteResult, Verdict, json::from_json};

use crate::capacity::Mortal;
use crate::support::{Ended, Folder, Program, Reference, flat, sockrates};

fn node() -> String {
    format!("{} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"))
}

/// A case about one node, and one about several.
const CASES: [&str; 4] = ["--only", "rooms/join-several@websocket", "--only", "nodes/private-message"];

/// Plays these; gives what was said, and the suites.
fn played(program: Program, code: i32) -> (Ended, Vec<SuiteResult>) {
    let folder = Folder::new();
    let json = folder.path("r.json");
    let ended = program.args(["--json".as_ref(), json.as_os_str()]).run().code(code);
    let text = fs::read_to_string(&json).expect("the results were written");
    (ended, from_json(&text).expect("the results are those of suites"))
}

fn verdicts(suite: &SuiteResult) -> Vec<(&str, Verdict)> {
    suite.cases.iter().map(|case| (case.id.as_str(), case.verdict)).collect()
}

#[test]
fn each_node_is_looked_at_alone_and_then_all_together() {
    let (ended, suites) = played(sockrates(["conform", "--nodes", "2"]).args(CASES), 0);
    let names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
    let [a, b, all] = ["node a", "node b", "all nodes"].map(|part| format!("reference server {part}"));
    assert_eq!(names, [a, b, all], "{ended}");
    for alone in &suites[..2] {
        assert_eq!(verdicts(alone), [("rooms/join-several", Verdict::Pass)], "{ended}");
        assert!(alone.target.nodes.is_empty(), "{:?}", alone.target);
    }
    assert_eq!(verdicts(&suites[2]), [("nodes/private-message", Verdict::Pass)], "{ended}");
    assert_eq!(suites[2].target.nodes.len(), 2, "{:?}", suites[2].target);
    assert_ne!(suites[0].target.url, suites[1].target.url, "each is another node");
    ended.says("2 cases that");
}

#[test]
fn a_fault_between_the_nodes_shows_in_all_together_alone() {
    let program = sockrates(["conform", "--nodes", "2", "--fault", "node-deaf"]).args(CASES);
    let (ended, suites) = played(program, 1);
    let codes: Vec<u8> = suites.iter().map(|suite| suite.exit_code).collect();
    assert_eq!(codes, [0, 0, 1], "{ended}");
    ended
        .says("✗ fail nodes/private-message")
        .says("again: sockrates conform --only nodes/private-message --fault node-deaf --nodes 2");
}

#[test]
fn a_server_of_one_node_lacks_several() {
    let (ended, suites) = played(sockrates(["conform"]).args(CASES), 0);
    let case = suites[0].cases.iter().find(|case| case.id == "nodes/private-message");
    let case = case.expect("it was chosen");
    assert_eq!((case.verdict, case.lacks.as_slice()), (Verdict::Skip, &["nodes".to_owned()][..]), "{ended}");
    ended.says("1 was not played for want of several nodes").says("`--nodes 2 --server COMMAND` starts two");
}

#[test]
fn a_baseline_need_not_list_what_takes_several_nodes() {
    let folder = Folder::new();
    let baseline = folder.path("known.yaml");
    let write = sockrates(["conform"]).args(CASES).args(["--write-baseline".as_ref(), baseline.as_os_str()]);
    write.run().code(0);
    let text = fs::read_to_string(&baseline).expect("it was written");
    assert!(text.contains("cases: []"), "{text}");
    sockrates(["conform"]).args(CASES).args(["--baseline".as_ref(), baseline.as_os_str()]).run().code(0);
}

#[test]
fn a_baseline_is_about_all_nodes_together_or_about_one_and_versions_are_those_of_each() {
    let folder = Folder::new();
    let baseline = folder.path("known.yaml");
    let write = |only: &str| {
        let program = sockrates(["conform", "--nodes", "2", "--only", only, "--write-baseline"]);
        program.args([&baseline]).args(["--server-version", "engine.io 6.6.13"])
    };
    write("rooms/join-several").run().code(2).complains("choose `--only needs:nodes`");
    write("nodes/private-message").run().code(0);
    assert!(baseline.exists());
    let versions = ["--server-version", "engine.io 6.6.13"];
    let (ended, suites) = played(sockrates(["conform", "--nodes", "2"]).args(CASES).args(versions), 0);
    let known = |suite: &SuiteResult| suite.versions.of("engine.io") == Some("6.6.13");
    assert!(suites.iter().all(known), "{ended}");
}

#[test]
fn nodes_that_are_started_and_have_nothing_between_them_fail_together() {
    let (ended, suites) = played(sockrates(["conform", "--nodes", "2", "--server", &node()]).args(CASES), 1);
    let codes: Vec<u8> = suites.iter().map(|suite| suite.exit_code).collect();
    assert_eq!(codes, [0, 0, 1], "{ended}");
}

#[test]
fn nodes_that_run_are_named_in_one_url_and_those_of_two_urls_are_two_servers() {
    let start = || Reference::broken(Config::default(), Faults::NONE);
    let (one, two) = (start(), start());
    let both = format!("left={},right={}", one.url(), two.url());
    let (ended, suites) = played(sockrates(["conform", "--url", &both]).args(CASES), 1);
    let codes: Vec<u8> = suites.iter().map(|suite| suite.exit_code).collect();
    assert_eq!(codes, [0, 0, 1], "nobody joined them: {ended}");
    assert_eq!(suites[1].target.url, two.url(), "{ended}");
    let apart = [format!("left={}", one.url()), format!("right={}", two.url())];
    let (ended, suites) =
        played(sockrates(["conform", "--url", &apart[0], "--url", &apart[1]]).args(CASES), 0);
    let skipped = |suite: &SuiteResult| verdicts(suite).contains(&("nodes/private-message", Verdict::Skip));
    assert!(suites.len() == 2 && suites.iter().all(skipped), "{ended}");
}

#[test]
fn the_services_that_nodes_need_are_started_with_them() {
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_sockrates");
    let bus = format!("services: {{ bus: {program} serve --bus 127.0.0.1:$PORT --bus-only }}\n");
    let services = folder.file("services.yaml", &bus);
    let command = format!("{} --node $NODE --bus $SERVICE_BUS", node());
    let conform =
        sockrates(["conform", "--nodes", "3", "--server", &command, "--only", "nodes/private-message"]);
    let (ended, suites) = played(conform.args(["--services".as_ref(), services.as_os_str()]), 0);
    assert_eq!(verdicts(&suites[0]), [("nodes/private-message", Verdict::Pass)], "{ended}");
    assert_eq!(suites.len(), 1, "nothing was chosen for a node alone: {ended}");
}

#[test]
fn a_node_that_dies_is_named_and_started_again() {
    let folder = Folder::new();
    let (mortal, _reference) = Mortal::start(&folder, 1);
    let command = format!("if [ $NODE = a ]; then exec {}; fi; {mortal}", node());
    folder.case(
        "talk/crowd",
        "clause: SIO-EV-01\nneeds: nodes",
        "{ alice: { node: 0 }, crowd: { count: 20, node: 1 } }",
        "- all: connect\n- all: { emit: { event: message-with-ack, args: [1], ack: { args: [1] } } }",
    );
    let conform = folder.conform(["--nodes", "2", "--server", &command]);
    let (ended, suites) = played(conform, 1);
    let [suite] = &suites[..] else { panic!("{ended}") };
    assert_eq!(verdicts(suite), [("talk/crowd", Verdict::Pass)], "it survives the second time: {ended}");
    assert!(flat(&ended.stdout).contains("(node b) ended with"), "{ended}");
}
