//! Runs that end while something is being done to the server: all that they started ends with them, and what was under way is told.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};

use crate::support::{Folder, Started, results, sockrates};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sockrates");

/// Waits until the result so far says that this is under way.
fn hear_of(run: &Started, json: &Path, what: &str) {
    run.wait_for(json);
    let is_under_way = || {
        let done = results(json)["body"][0]["operations"].as_array().cloned().unwrap_or_default();
        done.iter().any(|one| one["what"].as_str().is_some_and(|words| words.starts_with(what)))
    };
    while !is_under_way() {
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Interrupts a run while this is under way, and wants everything ended and told.
fn interrupted(script: &str, more: &str, what: &str, arguments: &[&str]) {
    let folder = Folder::new();
    let text = format!(
        "name: cut short\nclients: {{ a: {{ count: 2, node: a }} }}\n{more}\nscript:\n  - all: connect\n  - {script}\n  - all: disconnect\n"
    );
    let scenario = folder.file("s.yaml", &text);
    let json = folder.path("r.json");
    let run =
        sockrates(["run", "--allow-commands", "--json"]).args([&json, &scenario]).args(arguments).start();
    hear_of(&run, &json, what);
    run.interrupt();
    let ended = run.wait().code(130);
    ended.says("interrupted");
    let result = results(&json)["body"][0].clone();
    assert_eq!(result["verdict"]["status"], "interrupted");
    let last = result["operations"].as_array().and_then(|done| done.last().cloned()).unwrap_or_default();
    assert!(last["what"].as_str().is_some_and(|words| words.starts_with(what)), "{last}");
    assert_eq!(last["is_under_way"], true, "{last}");
}

#[test]
fn an_interrupt_while_a_node_stands_still_lets_it_go_on_and_ends_it() {
    interrupted("server: { pause: b, for: 1h }", "", "pause node b", &["--nodes", "2"]);
    let command = format!("trap '' HUP; {PROGRAM} serve -q --port $PORT; sleep 1000");
    interrupted("server: { pause: b, for: 1h }", "", "pause node b", &["--nodes", "2", "--server", &command]);
}

#[test]
fn an_interrupt_between_two_nodes_of_a_rolling_restart_ends_all_of_them() {
    interrupted("server: { rolling: { every: 1h } }", "", "restart every node", &["--nodes", "3"]);
}

#[test]
fn an_interrupt_while_a_command_runs_that_ignores_signals_ends_it_with_its_children() {
    let shell =
        "shell: { command: \"trap '' TERM INT; (trap '' TERM; sleep 1000) & wait; sleep 1000\", within: 1h }";
    interrupted(shell, "", "run `trap", &[]);
}

#[test]
fn an_interrupt_while_a_service_does_not_come_back_ends_what_is_there_of_it() {
    let folder = Folder::new();
    let once = folder.path("once").display().to_string();
    let service = format!(
        "services: {{ db: {{ command: 'if [ -e {once} ]; then sleep 1000; fi; touch {once}; echo up; sleep 1000', ready: up, within: 1h }} }}"
    );
    interrupted("service: { restart: db }", &service, "restart service db", &[]);
}

#[test]
fn an_interrupt_while_nodes_are_awaited_that_never_hear_each_other_is_not_waited_out() {
    let script = "all: [ { join: hall }, { broadcast: { to: hall, event: said, bytes: 64 } } ]\n  - await: { whole: true, within: 1h }";
    let command = format!("{PROGRAM} serve -q --port $PORT");
    let alone = ["--nodes", "2", "--server", &command];
    let folder = Folder::new();
    let text = format!(
        "name: deaf\nclients: {{ a: {{ count: 2, node: '${{n % nodes}}' }} }}\nscript:\n  - all: connect\n  - {script}\n"
    );
    let never = folder.file("s.yaml", &text.replace("1h", "300ms"));
    let ended = sockrates(["run"]).args([&never]).args(alone).run().code(1);
    ended.says("the nodes did not hear each other within 300ms: no broadcast from node ");
    let (waits, json) = (folder.file("s.yaml", &text), folder.path("r.json"));
    let run = sockrates(["run", "--json"]).args([&json, &waits]).args(alone).start();
    hear_of(&run, &json, "await that all nodes");
    run.interrupt();
    run.wait().code(130).says("interrupted");
}

#[test]
fn who_is_killed_while_a_service_stands_still_that_ignores_a_hangup_leaves_nothing_behind() {
    let folder = Folder::new();
    let text = "name: killed\nclients: { a: 1 }\n\
                services: { db: { command: \"trap '' HUP; echo up; sleep 1000; sleep 1000\", ready: up } }\n\
                script: [ { all: connect }, { service: { pause: db, for: 1h } } ]\n";
    let (scenario, json) = (folder.file("s.yaml", text), folder.path("r.json"));
    let run = sockrates(["run", "--allow-commands", "--json"]).args([&json, &scenario]).start();
    hear_of(&run, &json, "pause service db");
    kill(run.pid(), Signal::SIGKILL).expect("the program is there");
    assert_eq!(run.wait().code, None);
}
