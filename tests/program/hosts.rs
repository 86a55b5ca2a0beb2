//! Agents on hosts of their own: network namespaces with cables between them, and clocks that show something else.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

use crate::peers::nats_server;
use crate::support::{Folder, results};

/// What `hosts.sh` ends with where the kernel lets nobody make hosts.
const NOT_ALLOWED: i32 = 77;

/// Makes hosts, and what they need, for as long as this process lives.
const NAMESPACES: [&str; 8] =
    ["--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh"];

/// Plays a scenario on three hosts. `cut`: the host that is cut off meanwhile. Nothing, after having said so, where this machine
/// has no broker or lets nobody make hosts.
fn played(scenario: &Path, result: &Path, cut: u8) -> Option<Output> {
    let broker = nats_server()?;
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "100", "unshare"]).args(NAMESPACES);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/hosts.sh"));
    command.arg(env!("CARGO_BIN_EXE_sockrates")).arg(broker).arg(scenario).arg(result).arg(cut.to_string());
    let output = command.env("COLUMNS", "200").stdin(Stdio::null()).output();
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let why = match output {
        Err(error) => format!("`timeout` cannot be started: {error}"),
        // `unshare` itself ends with 1, and has then said why; the program says "unshare" nowhere.
        Ok(output) if output.status.code() == Some(1) && said(&output).starts_with("unshare: ") => {
            said(&output)
        }
        Ok(output) if [Some(NOT_ALLOWED), Some(127)].contains(&output.status.code()) => said(&output),
        Ok(output) => return Some(output),
    };
    // Not `eprintln!`: what a passing test prints with it is never seen.
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let _ =
        writeln!(std::io::stderr(), "SKIPPED {test}: this machine does not allow namespaces as hosts: {why}");
    None
}

fn told(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn names(result: &Value) -> Vec<&str> {
    let agents = result["agents"].as_array().expect("there are agents");
    agents.iter().filter_map(|agent| agent["name"].as_str()).collect()
}

/// Everybody speaks in the hall, and some in rooms whose members come and go.
fn talk(rounds: &str) -> String {
    let aside = "side-${n % 3}";
    let said = |to: &str| format!("{{ broadcast: {{ to: \"{to}\", event: said }} }}");
    let (to_all, to_some) = (said("hall"), said(aside));
    let repeat =
        |steps: &str| format!("{{ repeat: {{ {rounds}, every: 100ms, steps: [ {to_all}, {steps} ] }} }}");
    let talk = repeat(&to_some);
    let drift = repeat(&format!("{{ join: \"{aside}\" }}, {{ wait: 200ms }}, {{ leave: \"{aside}\" }}"));
    format!(
        "- all: connect
    - all: {{ join: hall }}
    - together: [ talkers: {talk}, drifters: {drift} ]"
    )
}

/// Those who do so.
const CLIENTS: &str = "{ talkers: 15, drifters: 15 }";

#[test]
fn hosts_with_clocks_of_their_own_play_one_run_and_accuse_nobody() {
    let folder = Folder::new();
    let scenario = folder.scenario(CLIENTS, &talk("times: 30"));
    let json = folder.path("r.json");
    let Some(output) = played(&scenario, &json, 0) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let result = results(&json)["body"][0].clone();
    assert_eq!(names(&result), ["host-1", "host-2", "host-3"]);
    let of = |what: &str| result["deliveries"][what].as_u64().expect("it was counted");
    assert_eq!(of("messages"), 30 * 30 + 15 * 30);
    // What is said in the hall is always decided, and what is said aside mostly.
    assert!(of("expected") >= 30 * 30 * 29, "{:#}", result["deliveries"]);
    let decided = of("expected") + of("forbidden");
    assert!(decided >= 9 * of("undecided"), "{:#}", result["deliveries"]);
}

#[test]
fn a_host_that_is_cut_off_makes_the_run_invalid_and_waits_again_when_it_is_back() {
    let folder = Folder::new();
    let scenario = folder.scenario(CLIENTS, &talk("for: 60s"));
    let json = folder.path("r.json");
    let Some(output) = played(&scenario, &json, 2) else { return };
    let told = told(&output);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("the agent host-2 is dead or cut off: nothing was heard of it for 5s"), "{told}");
    assert!(told.contains("broke off a test: the broker at nats://10.77.0.1:4222 "), "{told}");
    assert!(told.contains("host-2 sockrates"), "{told}");
    assert_eq!(names(&results(&json)["body"][0]), ["host-1", "host-2", "host-3"]);
}
