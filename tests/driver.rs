//! The driver `rust_socketio`: the same scenarios with another client reach the same verdict, and what it cannot play is
//! refused before anything connects.
//!
//! Most of this needs a build with the driver: `cargo test --features rust_socketio --test driver`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The bundled scenarios that the driver plays at least: that it refused them would be a loss.
const PLAYED: [&str; 4] = ["broadcast-except-sender", "chat", "members-only", "multi-tenant"];

/// Faults of the reference server that both clients have to notice, and the scenario that shows each.
const FAULTS: [(&str, &str); 9] = [
    ("broadcast-includes-sender", "scenarios/broadcast-except-sender.yaml"),
    ("guard-open", "scenarios/members-only.yaml"),
    ("room-ignored", "tests/driver/conversation.yaml"),
    ("leave-ignored", "tests/driver/conversation.yaml"),
    ("except-ignored", "tests/driver/conversation.yaml"),
    ("union-delivers-twice", "tests/driver/conversation.yaml"),
    ("namespace-leak", "tests/driver/conversation.yaml"),
    ("auth-missing", "tests/driver/conversation.yaml"),
    ("event-lost", "tests/driver/crowd.yaml"),
];

/// Exit code, and all that was printed.
type Outcome = (Option<i32>, String);

fn run(driver: &str, scenario: &Path, arguments: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_sockrates"))
        .args(["run", "--driver", driver])
        .arg(scenario)
        .args(arguments)
        .output()
        .expect("sockrates starts");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

/// True in a build with the driver. Without it, says on standard error what is skipped.
fn is_here(test: &str) -> bool {
    let here = cfg!(feature = "rust_socketio");
    if !here {
        // Past the capture of the test harness.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED {test}: this build has no driver `rust_socketio` (cargo test --features rust_socketio --test \
             driver)"
        );
    }
    here
}

fn scenarios(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|ending| ending == "yaml") => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// A scenario in a file of its own, and what the driver says to it.
fn refusal(name: &str, steps: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder is given");
    let file = folder.path().join(format!("{name}.yaml"));
    let text = format!("name: a step\nclients: {{ ann: 1, bob: 1 }}\nscript:\n  - all: connect\n{steps}");
    fs::write(&file, text).expect("the file is written");
    // Nobody listens there: had anything been connected to, the exit code would be 3.
    let (code, printed) = run("rust_socketio", &file, &["--url", "http://127.0.0.1:9"]);
    assert_eq!(code, Some(2), "{name}: {printed}");
    printed
}

#[test]
fn every_scenario_that_it_can_express_has_the_same_verdict_as_ours() {
    if !is_here("every_scenario_that_it_can_express_has_the_same_verdict_as_ours") {
        return;
    }
    let (mut played, mut wrong) = (Vec::new(), String::new());
    // The suite examines servers, frame by frame: it is no matter for another client. Load takes minutes.
    let is_case =
        |path: &PathBuf| path.starts_with("scenarios/conformance") || path.starts_with("scenarios/load");
    let folders = ["scenarios", "tests/scenarios", "tests/driver"];
    for scenario in folders.into_iter().flat_map(scenarios).filter(|path| !is_case(path)) {
        let theirs = run("rust_socketio", &scenario, &[]);
        if theirs.0 == Some(2) {
            assert!(
                theirs.1.contains("the driver `rust_socketio` cannot play the step in line"),
                "{}",
                theirs.1
            );
            continue;
        }
        let ours = run("own", &scenario, &[]);
        if (ours.0, theirs.0) != (Some(0), Some(0)) {
            let name = scenario.display();
            wrong
                .push_str(&format!("=== {name}, own\n{}\n=== {name}, rust_socketio\n{}\n", ours.1, theirs.1));
        }
        played.push(scenario.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned());
    }
    assert!(wrong.is_empty(), "{wrong}");
    for name in PLAYED {
        assert!(played.iter().any(|one| one == name), "{name} was refused; played: {played:?}");
    }
}

#[test]
fn both_clients_notice_the_same_faults() {
    if !is_here("both_clients_notice_the_same_faults") {
        return;
    }
    let mut wrong = String::new();
    for (fault, scenario) in FAULTS {
        for driver in ["own", "rust_socketio"] {
            let (code, printed) = run(driver, Path::new(scenario), &["--fault", fault]);
            if code != Some(1) {
                wrong.push_str(&format!("=== {fault}, {driver}: {code:?}\n{printed}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_it_cannot_express_is_refused_before_anything_connects() {
    if !is_here("what_it_cannot_express_is_refused_before_anything_connects") {
        return;
    }
    for (name, step, why) in [
        ("cut", "{ disconnect: cut }", "a connection that is cut: it ends a connection only politely"),
        ("open", "open", "an Engine.IO connection without a CONNECT"),
        ("send", "{ send: \"2\" }", "single frames"),
        ("http", "{ http: { get: poll } }", "HTTP requests of its own"),
        ("upgrade", "upgrade", "an upgrade in the middle of a session"),
        ("mute", "{ mute: heartbeats }", "a client that falls silent"),
        ("reconnect", "reconnect", "the recovery of an earlier connection"),
        ("answer", "{ answer: { event: a } }", "acknowledgements by the client"),
        ("closed", "expect_closed", "why a connection ended"),
        ("sid", "{ emit: { event: a, args: [\"${sid}\"] } }", "the client's `sid`"),
        ("binary", "{ emit: { event: a, args: [1, { $hex: \"00\" }] } }", "binary among other arguments"),
        ("binary-ack", "{ emit: { event: a, args: [{ $hex: \"00\" }], ack: true } }", "binary among other"),
        ("bare", "{ expect: { event: a, args: [] } }", "an event without arguments"),
        ("name", "{ emit: { event: open, args: [1] } }", "an event named `open`"),
        ("nested", "{ repeat: { times: 2, steps: { disconnect: cut } } }", "(\"is cut off\")"),
    ] {
        let printed = refusal(name, &format!("  - ann: {step}\n"));
        let wanted = "error: the driver `rust_socketio` cannot play the step in line 5 (\"";
        assert!(printed.starts_with(wanted) && printed.contains(why), "{name}: {printed}");
    }
}

#[test]
fn the_sid_of_another_client_is_refused_too() {
    if !is_here("the_sid_of_another_client_is_refused_too") {
        return;
    }
    let printed = refusal("other", "  - ann: { broadcast: { to: \"${bob.sid}\", event: a, args: [1] } }\n");
    assert!(printed.contains("the client's `sid`"), "{printed}");
}

#[test]
fn the_defects_that_the_page_tells_of_are_still_there() {
    if !is_here("the_defects_that_the_page_tells_of_are_still_there") {
        return;
    }
    let scenario = Path::new("tests/driver_defects.yaml");
    let (theirs, ours) = (run("rust_socketio", scenario, &[]), run("own", scenario, &[]));
    assert_eq!((theirs.0, ours.0), (Some(0), Some(1)), "{}\n{}", theirs.1, ours.1);
}

#[test]
fn a_build_without_the_driver_says_how_to_build_it() {
    if cfg!(feature = "rust_socketio") {
        return;
    }
    let (code, printed) = run("rust_socketio", Path::new("scenarios/chat.yaml"), &[]);
    assert_eq!(code, Some(2), "{printed}");
    assert!(
        printed.contains("built without the driver `rust_socketio`: build it with `cargo build"),
        "{printed}"
    );
    assert!(printed.contains("--features rust_socketio"), "{printed}");
}
