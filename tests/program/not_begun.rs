//! Runs that are interrupted before they begin: the result says what was waited for, and nothing is left behind.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};

use crate::agents::{Broker, nats_server, read_line_with};
use crate::interrupted::{fifo, hear};
use crate::support::{Ended, Folder, Reference, Started, results, sockrates};

/// The signals that stop a run. Whoever started these tests may have had the last one ignored, as `nohup` does.
fn signals() -> Vec<Signal> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored =
        status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let is_ignored = |signal: &Signal| ignored.unwrap_or(0) >> (*signal as i32 - 1) & 1 == 1;
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
        .into_iter()
        .filter(|signal| !is_ignored(signal))
        .collect()
}

const SCENARIO: &str =
    "name: never begun\nclients: { a: 1 }\nscript: [ { all: connect }, { all: disconnect } ]\n";

/// Interrupts what waits, and wants a result that says for what.
fn stopped(run: Started, signal: Signal, json: &Path, awaited: &str) -> Ended {
    kill(run.pid(), signal).expect("the program is there");
    let ended = run.wait().code(130).complains(awaited);
    let verdict = results(json)["body"][0]["verdict"].clone();
    assert_eq!(verdict["status"], "interrupted", "{ended}");
    assert_eq!(verdict["exit_code"], 130, "{ended}");
    let reason = verdict["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains(awaited), "no {awaited:?} in {reason:?}");
    ended
}

#[test]
fn a_signal_while_a_service_is_awaited_names_it_with_what_it_said() {
    for signal in signals() {
        let folder = Folder::new();
        let (begun, json) = (fifo(&folder, "begun"), folder.path("r.json"));
        let ready = "services:\n  first: { command: 'echo up; exec sleep 1000', ready: up }\n";
        let waits =
            format!("  db: {{ command: 'echo warming up; echo > {}; exec sleep 1000' }}\n", begun.display());
        let scenario = folder.file("s.yaml", &format!("{SCENARIO}{ready}{waits}"));
        let run = sockrates(["run", "--allow-commands", "--server-timeout", "1h", "--json"])
            .args([&json, &scenario])
            .start();
        hear(&begun);
        let awaited =
            "interrupted before the server answered: the service db was awaited (nothing listens at port ";
        stopped(run, signal, &json, awaited).complains("| warming up");
    }
}

#[test]
fn a_signal_while_nodes_start_names_those_that_are_not_there() {
    for signal in signals() {
        let folder = Folder::new();
        let (begun, json) = (fifo(&folder, "begun"), folder.path("r.json"));
        let scenario = folder.file("s.yaml", SCENARIO);
        let there = format!("{} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"));
        let waits = format!("echo reading; echo > {}; exec sleep 1000", begun.display());
        let run = sockrates(["run", "--server-timeout", "1h"])
            .args(["--server", &format!("a={there}"), "--server", &format!("b={waits}"), "--json"])
            .args([&json, &scenario])
            .start();
        hear(&begun);
        let ended = stopped(run, signal, &json, "(node b) was awaited (");
        assert!(
            !ended.stderr.contains("(node a) was awaited") || ended.stderr.contains("refused"),
            "{ended}"
        );
    }
}

#[test]
fn a_signal_while_agents_are_awaited_or_do_not_answer_says_so() {
    let Some(broker) = Broker::start() else { return };
    for signal in signals() {
        let (folder, reference) = (Folder::new(), Reference::start());
        let json = folder.path("r.json");
        let scenario = folder.file("s.yaml", SCENARIO);
        let (mut answers, mut calls) =
            (broker.listen("sockrates.reply.>"), broker.listen("sockrates.agent.>"));
        let one = broker.agent("one", &[]);
        let run = || {
            let run = ["run", "--nats", &broker.url(), "--agents", "2", "--url", &reference.url(), "--json"];
            sockrates(run).args([&json, &scenario]).start()
        };
        let first = run();
        read_line_with(&mut answers, "MSG");
        stopped(first, signal, &json, "interrupted before the agents were ready: 1 of 2 were there");
        let second = run();
        read_line_with(&mut answers, "MSG");
        kill(one.pid(), Signal::SIGSTOP).expect("it is there");
        let other = broker.agent("other", &[]);
        read_line_with(&mut calls, "MSG");
        stopped(second, signal, &json, "these agents did not answer yet: one");
        kill(one.pid(), Signal::SIGCONT).expect("it is there");
        for agent in [one, other] {
            kill(agent.pid(), signal).expect("it is there");
            agent.wait().code(0);
        }
    }
}

#[test]
fn a_signal_before_the_first_run_of_a_search_a_comparison_or_a_suite_leaves_a_result_that_says_so() {
    let search = ["capacity", "--from", "2", "--to", "4"];
    let growth = ["capacity", "--from", "2", "--to", "4", "--nodes", "1..2"];
    for verb in [&search[..], &growth[..], &["compare"][..], &["conform"][..]] {
        let folder = Folder::new();
        let (begun, json) = (fifo(&folder, "begun"), folder.path("r.json"));
        let scenario = folder.file(
            "s.yaml",
            &format!("{}thresholds: [ connect p99 < 1 min ]\n", SCENARIO.replace("a: 1", "a: 2")),
        );
        let waits = format!("echo reading; echo > {}; exec sleep 1000", begun.display());
        let run =
            sockrates(verb).args(["--server", &waits, "--server-timeout", "1h", "--json"]).args([&json]);
        let run = if verb[0] == "conform" { run } else { run.args([&scenario]) }.start();
        hear(&begun);
        run.interrupt();
        let ended = run.wait().code(130);
        let awaited = "interrupted before the server answered";
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains(awaited), "{verb:?}: {ended}");
        let told = results(&json).to_string();
        assert!(told.contains(awaited), "{verb:?}: no {awaited:?} in {told}");
    }
}

#[test]
fn a_search_that_is_interrupted_in_its_first_run_leaves_a_result() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let json = folder.path("r.json");
    let script = "- all: connect\n- all: { wait: 1h }\n- all: disconnect";
    let scenario = folder.scenario_with("{ a: 2 }", script, "thresholds: [ connect p99 < 1 min ]");
    let search = sockrates(["capacity", "--from", "2", "--to", "4", "--url", &reference.url(), "--json"]);
    let mut search = search.args([&json, &scenario]).start();
    search.told("2 of 2 connected");
    search.interrupt();
    let ended = search.wait().code(130).says("interrupted at 2 clients: that run is not counted");
    assert_eq!(results(&json)["body"]["points"], serde_json::json!([]), "{ended}");
}

#[test]
fn what_is_started_to_go_on_without_its_terminal_goes_on() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let json = folder.path("r.json");
    let script = "- all: connect\n- all: { wait: 1h }\n- all: disconnect";
    let scenario = folder.scenario("{ a: 1 }", script);
    let run = sockrates(["run", "--url", &reference.url(), "--json"]).args([&json, &scenario]).under("nohup");
    let run = run.start();
    run.wait_for(&json);
    kill(run.pid(), Signal::SIGHUP).expect("the program is there");
    run.interrupt();
    run.wait().code(130).says("interrupted");
    assert_eq!(results(&json)["body"][0]["verdict"]["status"], "interrupted");
}

#[test]
fn a_coordinator_that_is_killed_leaves_no_file_of_its_broker() {
    if nats_server().is_none() {
        return;
    }
    let (folder, reference) = (Folder::new(), Reference::start());
    let json = folder.path("r.json");
    let there = folder.path("tmp");
    std::fs::create_dir(&there).expect("a folder can be made");
    let scenario = folder.scenario("{ a: 1 }", "- all: connect\n- all: { wait: 1h }\n- all: disconnect");
    let run = sockrates(["run", "--agents", "local:1", "--url", &reference.url(), "--json"])
        .args([&json, &scenario])
        .env("TMPDIR", &there.to_string_lossy())
        .start();
    run.wait_for(&json);
    kill(run.pid(), Signal::SIGKILL).expect("the program is there");
    assert_eq!(run.wait().code, None);
    let left: Vec<_> = std::fs::read_dir(&there).expect("it can be read").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_signal_between_two_scenarios_is_told_by_the_exit_code() {
    let folder = Folder::new();
    let json = folder.path("r.json");
    let scenario = folder.file("s.yaml", SCENARIO);
    let ending = fifo(&folder, "ending");
    let serve = format!("{} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"));
    let server =
        format!("{serve} & trap 'echo > {0}; echo > {0}' TERM; wait; wait; sleep 1000", ending.display());
    let run = sockrates(["run", "--server", &server, "--json"]).args([&json, &scenario, &scenario]).start();
    hear(&ending);
    run.interrupt();
    run.wait().code(130);
    assert_eq!(results(&json)["body"].as_array().map(Vec::len), Some(1), "the second is not played");
}
