//! The options that play a scenario with another load than it is written for.

use crate::support::{Folder, results, sockrates};

const SCRIPT: &str = "- all: connect\n- crowd: { repeat: { for: 10s, every: 100ms, steps: [ { emit: { event: message-with-ack, args: [\"${size}\"], ack: { args: [4] } } } ] } }";

#[test]
fn another_load_is_played_and_told_in_the_results() {
    let folder = Folder::new();
    let json = folder.path("results.json");
    let scenario = folder.scenario_with("{ host: 1, crowd: 100 }", SCRIPT, "vars: { size: 3 }");
    let load = ["--clients", "5", "--duration", "300ms", "--rate", "80/s", "--set", "size=4"];
    sockrates(["run", "--json"]).args([&json, &scenario]).args(load).run().code(0);
    let result = &results(&json)["body"][0];
    let told = serde_json::json!(["--clients 5", "--duration 300ms", "--rate 80/s", "--set size=4"]);
    assert_eq!(result["scenario"]["overrides"], told);
    assert_eq!(result["clients"][1]["count"], 4);
}

#[test]
fn a_check_explains_the_other_load() {
    let check = sockrates(["check", "load/busy-rooms", "--clients", "50", "--clients", "drifters=7"]);
    let ended = check.args(["--rate", "10/s", "--duration", "1h"]).run().code(0);
    ended
        .says("changed: --clients 50 --clients drifters=7 --duration 1h --rate 10/s")
        .says("clients: 50 clients")
        .says("repeats for 3600s, every 4.86s on average by chance");
}

#[test]
fn a_load_that_the_scenario_has_no_place_for_is_refused() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", "- all: connect\n- all: disconnect");
    for (load, words) in [
        (vec!["--clients", "5"], "name a group: `--clients alice=5`"),
        (vec!["--clients", "bob=5"], "for a group that the scenario does not have"),
        (vec!["--clients", "some"], "expected a number like 500, or crowd=500"),
        (vec!["--clients", "5", "--clients", "6"], "`--clients 5` and `--clients 6` contradict each other"),
        (vec!["--duration", "5s"], "`--duration 5s` is for a `repeat` that has a `for`"),
        (vec!["--duration", "0s"], "longer than 0 s"),
        (vec!["--rate", "5/s"], "`--rate 5/s` is for a `repeat` that has a pace"),
        (vec!["--rate", "5"], "has no unit"),
        (vec!["--arrive", "5/s"], "`--arrive 5/s` is for groups that arrive at a rate"),
        (vec!["--set", "rooms=5"], "`--set rooms=…` is for a variable"),
        (vec!["--set", "rooms"], "write it like rooms=50"),
        (vec!["--set", "a=1", "--set", "a=2"], "`--set a=1` and `--set a=2` contradict each other"),
    ] {
        for verb in ["run", "check"] {
            sockrates([verb]).args([&scenario]).args(&load).run().code(2).complains(words);
        }
    }
}
