//! Runs as loads: the measured part, figures of groups and labels, thresholds that end a run, results while it goes on.

use nix::sys::signal::{Signal, kill};
use reference_server::{Config, Fault, Faults};
use serde_json::Value as Json;

use crate::support::{Folder, Reference, results, sockrates};

/// The first result of a run with this clients and script, and the exit code that it has to have.
fn played(clients: &str, script: &str, code: i32) -> Json {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario(clients, script);
    let json = folder.path("results.json");
    let run = sockrates(["run", "--url", &reference.url(), "--json"]).args([&json, &scenario]);
    run.start().wait().code(code);
    results(&json)["body"][0].clone()
}

fn counted(result: &Json, name: &str) -> u64 {
    let counters = result["counters"].as_array().expect("a result has counters");
    let counter = counters.iter().find(|counter| counter["name"] == name).expect("it is counted");
    counter["value"].as_u64().expect("a count")
}

fn values(part: &Json, name: &str) -> u64 {
    let metrics = part["metrics"].as_array().expect("a result has metrics");
    metrics
        .iter()
        .find(|metric| metric["name"] == name)
        .map_or(0, |metric| metric["count"].as_u64().unwrap_or(0))
}

const ASK: &str = "emit: { event: message-with-ack, args: [hi], ack: true }";

#[test]
fn only_the_measured_part_enters_times_and_rates() {
    let script = format!(
        "- alice: connect\n- alice: {{ repeat: {{ times: 30, steps: [ {{ {ASK} }} ] }} }}\n\
         - measure: [ alice: {{ repeat: {{ times: 7, steps: [ {{ {ASK} }} ] }} }} ]\n- alice: {{ {ASK} }}\n- alice: disconnect"
    );
    let result = played("{ alice: 1 }", &script, 0);
    assert_eq!((values(&result, "ack"), values(&result, "connect")), (7, 1), "{:#}", result["metrics"]);
    assert_eq!((counted(&result, "sent"), counted(&result, "connect ok")), (7, 1));
    let checks: u64 =
        result["checks"].as_array().expect("checks").iter().filter_map(|step| step["passed"].as_u64()).sum();
    assert_eq!(checks, 30 + 7 + 1 + 1, "checks are about the whole run");
    let names: Vec<_> =
        result["phases"].as_array().expect("phases").iter().map(|phase| &phase["name"]).collect();
    assert_eq!(names, ["ramp", "measure", "rest"]);
}

#[test]
fn what_was_due_while_the_run_settled_is_not_measured() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let text = format!(
        "name: settling\nclients: {{ alice: 1 }}\nscript:\n  - alice: connect\n  - measure:\n      settle: 1h\n\
         \x20     script: [ alice: {{ {ASK} }} ]\nthresholds: [ ack p50 < 1 s ]\n"
    );
    let file = folder.file("settling.yaml", &text);
    let ended = sockrates(["run", "--url", &reference.url()]).args([&file]).start().wait();
    ended.code(1).says("ack p50 < 1 s: no data");
}

#[test]
fn a_threshold_sees_the_figures_of_its_group_and_of_its_label_alone() {
    let folder = Folder::new();
    let reference = Reference::start();
    let text = format!(
        "name: parts\nclients: {{ few: 2, many: 10 }}\nscript:\n  - all: connect\n  - all: {{ join: lobby }}\n\
         \x20 - few: {{ {ASK}, label: asks }}\n  - many: {{ repeat: {{ times: 3, steps: [ {{ {ASK} }} ] }} }}\n\
         \x20 - few: {{ broadcast: {{ to: lobby, event: said }}, label: chat }}\n  - all: disconnect\nthresholds:\n\
         \x20 - ack count of asks == 2\n  - sent count of many == 40\n  - ack count of few == 6\n\
         \x20 - delivery count of chat == 22\n  - delivery count of many == 20\n  - sent count of chat == 2\n"
    );
    let file = folder.file("parts.yaml", &text);
    let json = folder.path("results.json");
    sockrates(["run", "--url", &reference.url(), "--json"]).args([&json, &file]).start().wait().code(0);
    let result = results(&json)["body"][0].clone();
    let names: Vec<_> = result["parts"].as_array().expect("parts").iter().map(|part| &part["name"]).collect();
    assert_eq!(names, ["asks", "many", "few", "chat"]);
    assert_eq!(values(&result["parts"][3], "delivery"), 22);
}

#[test]
fn a_threshold_that_is_breached_ends_the_run_if_it_says_so() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let text = "name: breach\nclients: { alice: 1 }\nscript:\n  - alice: connect\n  - alice: { emit: { event: nobody, ack: { within: 10ms } } }\n  \
                - alice: { wait: 1h }\nthresholds:\n  - { demand: ack missed == 0, abort_on_breach: true }\n";
    let file = folder.file("breach.yaml", text);
    let ended = sockrates(["run", "--url", &reference.url()]).args([&file]).start().wait();
    ended.code(1).says("the run ended early because a threshold was not met (ack missed == 0: 1");
}

#[test]
fn a_run_that_is_killed_leaves_what_it_knew_a_second_before() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario(
        "{ alice: 1 }",
        &format!("- alice: connect\n- alice: {{ {ASK} }}\n- alice: {{ wait: 1h }}"),
    );
    let json = folder.path("results.json");
    let run = sockrates(["run", "--url", &reference.url(), "--json"]).args([&json, &scenario]).start();
    // It is put in place whole, so whatever is there can be read.
    while !json.exists() || counted(&results(&json)["body"][0], "ack received") == 0 {
        std::thread::yield_now();
    }
    kill(run.pid(), Signal::SIGKILL).expect("the program is there");
    let result = results(&json)["body"][0].clone();
    assert_eq!(result["verdict"]["status"], "interrupted");
    assert_eq!((counted(&result, "ack received"), counted(&result, "connect ok")), (1, 1));
}

#[test]
fn the_time_in_which_only_the_audit_waits_for_what_is_lost_is_in_no_rate() {
    let faults = Faults::from_iter([Fault::LastRoomOnly]);
    let (folder, reference) = (Folder::new(), Reference::broken(Config::default(), faults));
    let script = "- all: connect\n- bob: { join: a }\n- alice: { broadcast: { to: [a, b], event: news, args: [hi] } }\n\
                  - all: disconnect";
    let scenario = folder.scenario_with(
        "{ alice: 1, bob: 1 }",
        script,
        "audit: { window: 2s }\nthresholds: [ \"delivery missing == 1\" ]",
    );
    let json = folder.path("results.json");
    let run = sockrates(["run", "--url", &reference.url(), "--json"]).args([&json, &scenario]);
    run.start().wait().code(0);
    let result = &results(&json)["body"][0];
    let [whole, measured] = ["duration_us", "measured_us"].map(|key| result[key].as_u64().expect("a time"));
    assert!(measured > 0 && whole - measured >= 1_900_000, "{whole} {measured}");
}
