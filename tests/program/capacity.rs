//! `sockrates capacity`: a search that ends, and what cannot be searched.

use serde_json::Value;

use crate::support::{Folder, results, sockrates};

const ASKS: &str = "- all: connect\n- crowd: { repeat: { times: 20, every: 10ms, jitter: 100%, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }\n- all: disconnect";
const QUICKLY: [&str; 6] = ["--settle", "0ms", "--min-samples", "1", "--repeats", "1"];

#[test]
fn a_range_that_ends_before_the_server_breaks_says_at_least() {
    let folder = Folder::new();
    let json = folder.path("capacity.json");
    let scenario = folder.scenario_with("{ crowd: 20 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let range = ["--from", "4", "--to", "8", "--plan-for", "1000"];
    let ended = sockrates(["capacity"])
        .args([&scenario])
        .args(range)
        .args(QUICKLY)
        .args(["--json"])
        .args([&json])
        .run();
    ended.code(0).says("at least 8 clients held, the end of the range").says("such machines for 1,000 users");
    let result = &results(&json)["capacity"];
    let loads: Vec<f64> = result["points"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|point| point["load"].as_f64())
        .collect();
    assert_eq!(loads, [4.0, 8.0, 8.0]);
    assert_eq!(result["found"]["above"]["kind"], Value::from("range"));
}

#[test]
fn a_scenario_that_nothing_can_break_has_no_highest_load() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 20 }", ASKS);
    sockrates(["capacity"])
        .args([&scenario])
        .run()
        .code(2)
        .complains("has no thresholds, so no load could break it");
}

#[test]
fn an_axis_that_the_scenario_has_not_is_refused_before_anything_is_started() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 20 }", "- all: connect", "thresholds: [connect p50 < 1 s]");
    for (axis, words) in [
        ("rate", "is for a `repeat` that has a pace, and there is none"),
        ("arrivals", "is for groups that arrive at a rate"),
        ("rooms", "is for a variable"),
        ("a-b", "expected clients, rate, arrivals or the name of a variable"),
    ] {
        sockrates(["capacity", "--axis", axis]).args([&scenario]).run().code(2).complains(words);
    }
    let backwards = ["--from", "10", "--to", "5"];
    sockrates(["capacity"])
        .args([&scenario])
        .args(backwards)
        .run()
        .code(2)
        .complains("change `--from` or `--to`");
}

#[test]
fn a_first_load_that_breaks_fails() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 2 }", ASKS, "thresholds: [ack count > 1000000]");
    let ended = sockrates(["capacity", "--from", "2"]).args([&scenario]).args(QUICKLY).run();
    ended.code(1).says("no load held, 2 clients did not");
}

#[test]
fn standard_output_gets_one_document_and_people_are_told_elsewhere() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 20 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let range = ["--from", "4", "--to", "8", "--json", "-"];
    let ended = sockrates(["capacity"]).args([&scenario]).args(range).args(QUICKLY).run();
    let ended = ended.code(0).complains("at least 8 clients held");
    let value: Value = serde_json::from_str(&ended.stdout).expect("it is one document");
    assert_eq!(value["capacity"]["found"]["held"], 8.0);
    let both = ["capacity", "--json", "-", "--html", "-"];
    sockrates(both).args([&scenario]).run().code(2).complains("cannot share standard output");
}
