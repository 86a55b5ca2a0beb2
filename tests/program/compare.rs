//! `sockrates compare`: servers side by side, and results of two days.

use crate::support::{Folder, results, sockrates};

const ASKS: &str = "- all: connect\n- crowd: { repeat: { times: 5, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }\n- all: disconnect";

fn reference() -> String {
    format!("{} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"))
}

#[test]
fn servers_are_played_in_turn_and_the_first_one_twice() {
    let folder = Folder::new();
    let (json, markdown) = (folder.path("a.json"), folder.path("a.md"));
    let scenario = folder.scenario("{ crowd: 10 }", ASKS);
    let servers = [format!("a={}", reference()), format!("b={}", reference())];
    let ended = sockrates(["compare", "--blocks", "2", "--server", &servers[0], "--server", &servers[1]])
        .args([&scenario])
        .args(["--json"])
        .args([&json])
        .args(["--markdown"])
        .args([&markdown])
        .run();
    ended.code(0).says("b beside a").says("ack p50").says("too few to tell");
    let blocks = results(&json)["comparison"]["blocks"].clone();
    for block in blocks.as_array().expect("a list") {
        let mut names: Vec<&str> = block["runs"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|run| run["server"].as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "a", "b"]);
    }
    assert!(std::fs::read_to_string(markdown).expect("it was written").contains("| ack p50 |"));
    let stored = sockrates(["compare"]).args([&json, &json]).run();
    stored.code(0).says("+0.0 %");
}

#[test]
fn a_server_that_does_not_start_ends_the_comparison() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 2 }", ASKS);
    let ended = sockrates(["compare", "--blocks", "1", "--server", "a=exit 7"]).args([&scenario]).run();
    ended.code(3);
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 2 }", ASKS);
    let not_there = folder.path("not-there.json");
    sockrates(["compare"]).args([&scenario, &not_there]).run().code(2).complains("failed to read");
    let fail_on = ["compare", "--fail-on", "delivery p98 worse by 10 %"];
    sockrates(fail_on).args([&scenario]).run().code(2).complains("did you mean `delivery p99`?");
    let named_twice = ["compare", "--server", "a=one", "--server", "a=two"];
    sockrates(named_twice).args([&scenario]).run().code(2).complains("two servers are called `a`");
}
