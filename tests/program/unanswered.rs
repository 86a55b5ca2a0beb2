//! Events that a server never acknowledges: the run says so, and does not wait for ever.

use crate::support::{Folder, results, sockrates};

const OWN: &str =
    "contract: { broadcast: { emit: [\"new message\", \"${body}\"], ack: true, reaches: others } }";

/// A thousand messages of an event that the reference server does not know.
const TALK: &str = "- all: connect
- alice: { repeat: { times: 1000, steps: [ { broadcast: { args: [hello], within: 200ms } } ] } }
- all: disconnect";

#[test]
fn a_run_ends_early_when_an_event_is_never_acknowledged_and_its_report_is_there() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ alice: 1, bob: 1 }", TALK, OWN);
    let json = folder.path("result.json");
    let ended = sockrates(["run", "--json"]).args([&json, &scenario]).run().code(1);
    ended.says("failed: `new message` is not acknowledged: `ack: false`?");
    let result = &results(&json)["body"][0];
    assert!(result["verdict"]["reason"].as_str().is_some_and(|reason| reason.contains("`new message`")));
    let asked = result["counters"].as_array().into_iter().flatten();
    let asked = asked
        .filter(|counter| counter["name"] == "ack asked")
        .filter_map(|counter| counter["value"].as_u64());
    assert!(asked.sum::<u64>() < 100, "it did not go on");
}

#[test]
fn a_threshold_that_allows_for_missing_acknowledgements_decides_at_the_end() {
    let folder = Folder::new();
    let more = format!("{OWN}\nthresholds: [ ack missed <= 100 % ]");
    let script = TALK.replace("1000", "5");
    let scenario = folder.scenario_with("{ alice: 1, bob: 1 }", &script, &more);
    let ended = sockrates(["run"]).args([&scenario]).run();
    assert!(!ended.stdout.contains("`ack: false`?"), "{}", ended.stdout);
}

#[test]
fn check_and_list_say_which_contract_is_in_use() {
    let folder = Folder::new();
    let own = folder.scenario_with("{ alice: 1, bob: 1 }", TALK, OWN);
    sockrates(["check"]).args([&own]).run().code(0).says("contract: the one in this file (broadcast)");
    let default = folder.scenario("{ alice: 1 }", "- alice: [ connect, { join: lobby } ]");
    sockrates(["check"]).args([&default]).run().code(0).says("contract: the default one").says("`t:join`");
    let none = folder.scenario("{ alice: 1 }", "- alice: connect");
    sockrates(["check"]).args([&none]).run().code(0).says("contract: none is needed");
    let list = sockrates(["list"]).run().code(0);
    list.says("contract").says("default");
}

#[test]
fn joins_that_nobody_answers_are_told_with_one_client_and_one_message() {
    let contract = "contract:
  join: { emit: [\"t:join\", \"${room}\"] }
  broadcast:
    emit: [\"t:cast\", { from: socket, to: \"${to}\", except: [], flags: [] }, \"${event}\", \"${args}\"]
    ack: true
    arrives_as: \"${event}\"
    senders: anyone";
    let script = "- bob: [ connect, { join: lobby } ]
- alice: [ connect, { broadcast: { event: news, to: lobby } } ]";
    let folder = Folder::new();
    let (scenario, json) =
        (folder.scenario_with("{ alice: 1, bob: 1 }", script, contract), folder.path("r.json"));
    sockrates(["run", "--json"]).args([&json, &scenario]).run().code(0);
    let causes = &results(&json)["body"][0]["deliveries"]["undecided_causes"];
    assert_eq!(causes[0]["cause"], "the join of the receiver was not acknowledged");
    assert_eq!(causes[0]["example"], "bob and message 1 of alice to lobby");
}
