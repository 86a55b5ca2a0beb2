//! Events that answer events, messages that the application passes on, failures that a threshold allows, and runs without
//! thresholds, against the reference server.

use crate::support::{Ended, Folder, Reference, results, sockrates};

const CAST: &str = "emit: { event: \"t:cast\", args: [{ from: socket, to: [lobby], except: [], flags: [] }, news, [\"hi ${stamp}\"]], ack: true";

/// What a run with these clients, script and thresholds ends with, and its result.
fn played(clients: &str, script: &str, thresholds: &str, flags: &[&str]) -> (Ended, serde_json::Value) {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario_with(clients, script, &format!("thresholds: [ {thresholds} ]"));
    let json = folder.path("results.json");
    let run =
        sockrates(["run", "--url", &reference.url()]).args(flags).args(["--json"]).args([&json, &scenario]);
    let ended = run.start().wait();
    let result = results(&json)["body"][0].clone();
    (ended, result)
}

fn count(result: &serde_json::Value, name: &str) -> u64 {
    let counters = result["counters"].as_array().expect("a result has counters");
    counters
        .iter()
        .find(|counter| counter["name"] == name)
        .and_then(|counter| counter["value"].as_u64())
        .unwrap_or(0)
}

#[test]
fn an_answer_by_an_event_is_timed_and_one_that_does_not_come_fails_the_run_unless_a_threshold_allows_it() {
    let asks = |args: &str| {
        format!(
            "- all: connect\n- all: {{ repeat: {{ times: 10, steps: [ {{ emit: {{ event: message, args: [\"${{i}}\"], \
             response: {{ event: message-back, args: {args}, within: 200ms }} }}, label: ask }} ] }} }}"
        )
    };
    let (ended, result) = played("{ crowd: 3 }", &asks("[\"${i}\"]"), "response p50 of ask < 60 s", &[]);
    ended.code(0).says("response");
    assert_eq!([count(&result, "response asked"), count(&result, "response received")], [30, 30]);
    let metrics = result["metrics"].as_array().expect("a result has metrics");
    assert!(
        metrics.iter().any(|metric| metric["name"] == "response" && metric["count"] == 30),
        "{metrics:#?}"
    );
    // Only the fourth question of each is answered as it should be.
    let (ended, _) = played("{ crowd: 3 }", &asks("[3]"), "response p50 < 60 s", &[]);
    ended.code(1).says("response missed: 27 of 30, and no threshold allows any");
    let (ended, _) = played("{ crowd: 3 }", &asks("[3]"), "response missed of ask < 95 %", &[]);
    ended.code(0);
}

#[test]
fn a_message_that_the_application_passes_on_is_timed_and_judged_as_the_step_says() {
    let script = |tells: &str| {
        format!(
            "- all: connect\n- all: {{ join: lobby }}\n- alice: {{ {CAST}{tells} }} }}\n- crowd: {{ expect: {{ event: news, args: [hi] }} }}"
        )
    };
    let clients = "{ alice: 1, crowd: 4 }";
    let (ended, result) = played(
        clients,
        &script(", tells: { event: news, to: lobby, reaches: others }"),
        "delivery count == 4",
        &[],
    );
    ended.code(0);
    assert_eq!(result["deliveries"]["expected"], 4, "{:#}", result["deliveries"]);
    let (ended, _) = played(
        clients,
        &script(", tells: { event: news, to: lobby, reaches: everyone }"),
        "connect ok > 1",
        &[],
    );
    ended.code(1).says("delivery missing: 1 of 5, and no threshold allows any");
    let (ended, result) = played(clients, &script(""), "delivery count == 4", &[]);
    ended.code(0);
    assert!(result["deliveries"].is_null(), "{:#}", result["deliveries"]);
}

#[test]
fn a_message_is_owed_to_nobody_where_its_acknowledgement_may_refuse_it() {
    let script = |args: &str| {
        format!(
            "- all: connect\n- alice: {{ emit: {{ event: message-with-ack, args: {args}, ack: true, tells: {{ event: news, reaches: \
             others }} }} }}\n- all: fence"
        )
    };
    // The server acknowledges what it was sent, and nobody else hears of it.
    let (ended, _) =
        played("{ alice: 1, crowd: 2 }", &script("[\"too low ${stamp}\"]"), "connect ok > 1", &[]);
    ended.code(0).says("not judged");
    let accepts = script("[null, { note: \"${stamp}\" }]");
    let (ended, _) = played("{ alice: 1, crowd: 2 }", &accepts, "connect ok > 1", &[]);
    ended.code(1).says("delivery missing: 2 of 2, and no threshold allows any");
}

#[test]
fn who_is_refused_over_a_connection_from_before_is_told_that_a_login_goes_with_a_new_one() {
    let asks = "{ connect: { namespace: /guard, refused: true } }";
    let script =
        |between: &str| format!("- alice: [ {asks}, {between}{{ connect: {{ namespace: /guard }} }} ]");
    let (ended, _) = played("{ alice: 1 }", &script(""), "connect asked > 1", &[]);
    ended.code(1).says("put `disconnect` before this step");
    let (ended, _) = played("{ alice: 1 }", &script("disconnect, "), "connect asked > 1", &[]);
    ended.code(1).says("if it wants credentials");
}

#[test]
fn checks_that_a_threshold_allows_to_fail_do_not_fail_the_run_and_the_report_says_so() {
    let script = "- all: connect\n- all: { emit: { event: message-with-ack, args: [\"${n}\"], ack: { args: [0] } }, label: login }";
    let clients = "{ crowd: 10 }";
    let (ended, _) = played(clients, script, "connect ok > 1", &[]);
    ended.code(1).says("9 of 20 checks failed");
    let (ended, result) = played(clients, script, "checks failed of login < 95 %", &[]);
    ended.code(0).says("9 of 20 checks failed, which a threshold allows; the threshold was met");
    assert_eq!(result["checks"][1]["allowed"], 9);
    let (ended, _) = played(clients, script, "checks failed < 50 %", &["--junit", "-"]);
    ended.code(0).says("failures=\"0\"");
    let (ended, _) = played(clients, script, "checks failed of login < 5 %", &[]);
    ended.code(1).says("checks failed of login < 5 %: 90 %");
    let answers = "checks failed < 50 %, \"ack of login where [{ $not: 0 }] < 95 %\"";
    let (ended, _) = played(clients, script, answers, &[]);
    ended.code(0);
    let (ended, _) = played(clients, script, "checks failed < 50 %, \"ack where [{ $not: 0 }] < 9\"", &[]);
    ended.code(1).says("ack where [{ $not: 0 }] < 9: 9");
}

#[test]
fn a_run_of_the_checks_alone_leaves_the_thresholds_out_and_what_they_would_need() {
    let script = "- all: connect\n- all: { emit: { event: message-with-ack, ack: true } }";
    let thresholds = "ack p99 < 60 s, checks failed < 50 %";
    let never =
        "`ack p99 < 60 s` can never be judged: p99 takes 300 samples, and this scenario gives at most 2";
    let (ended, _) = played("{ crowd: 2 }", script, thresholds, &[]);
    ended.code(4).complains(never);
    let (ended, result) = played("{ crowd: 2 }", script, thresholds, &["--checks-only"]);
    let ended = ended.code(0).says("--checks-only");
    assert!(!ended.to_string().contains("never"), "{ended}");
    assert_eq!(result["thresholds"], serde_json::json!([]));
    // What a threshold would have allowed is not allowed.
    let fails =
        "- all: connect\n- all: { emit: { event: message-with-ack, args: [\"${n}\"], ack: { args: [0] } } }";
    let (ended, _) = played("{ crowd: 2 }", fails, thresholds, &["--checks-only"]);
    ended.code(1).says("1 of 4 checks failed");
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 2 }", script, "thresholds: [ ack p99 < 60 s ]");
    sockrates(["check"]).args([&scenario]).run().code(0).says(never);
    let more = sockrates(["check", "--clients", "300"]).args([&scenario]).run().code(0);
    assert!(!more.to_string().contains("never"), "{more}");
}

#[test]
fn a_run_whose_deliveries_nobody_can_judge_is_yellow_and_fails_where_the_audit_is_strict() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let contract = "contract: { broadcast: { emit: [message, \"${body}\"], arrives_as: said, may_refuse: true } }\n\
                    audit: { window: 1s }";
    let script = "- all: connect\n- all: { broadcast: { args: [hello] } }\n- all: disconnect";
    let scenario = folder.scenario_with("{ guests: 2 }", script, contract);
    let url = reference.url();
    let run = |flags: &[&str]| sockrates(["run", "--url", &url]).args(flags).args([&scenario]).run();
    let said = run(&[]).code(0).stdout;
    assert!(said.starts_with("? passed") && said.contains("deliveries were not judged"), "{said}");
    let said = run(&["--strict-audit", "90%"]).code(1).stdout;
    assert!(said.contains("`--strict-audit` asks the audit to judge 90 % of the deliveries"), "{said}");
}

#[test]
fn messages_that_arrive_as_another_event_are_missing_and_that_event_is_named() {
    let script = |event: &str| {
        format!(
            "- all: connect\n- all: {{ join: lobby }}\n- alice: {{ {CAST}, tells: {{ event: {event}, to: lobby, reaches: others }} }} }}"
        )
    };
    let (ended, result) = played("{ alice: 1, crowd: 4 }", &script("nwes"), "delivery missing == 4", &[]);
    ended.code(0).says("say `arrives_as: news`");
    assert_eq!(result["deliveries"]["arrived_as"], serde_json::json!(["news"]));
    let (ended, result) = played("{ alice: 1, crowd: 4 }", &script("news"), "delivery missing == 0", &[]);
    assert!(!ended.code(0).stdout.contains("arrives_as"));
    assert!(result["deliveries"]["arrived_as"].is_null());
}
