//! The bundled scenarios and the conformance suite against servers that nobody here wrote, and an application with words
//! of its own.

#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use std::{fs, io::Write, path::Path, process::Command};

use peers::Peer;
use sockrates::{conformance::json::from_json, observe::Counter};
use support::{bundled, conform, each, play};

/// The fixtures' own times are short, so that a test can watch a heartbeat. A scenario is about something else.
const PATIENT: [(&str, &str); 6] = [
    ("PING_INTERVAL", "25000"),
    ("PING_TIMEOUT", "20000"),
    ("CONNECT_TIMEOUT", "45000"),
    ("UPGRADE_TIMEOUT", "10000"),
    ("CSR", "1"),
    ("CSR_MAX_DISCONNECTION", "60000"),
];

/// A heartbeat of which a stalled machine does not miss one; the rest is as short as a case can bear.
const EXAMINED: [(&str, &str); 6] = [
    ("PING_INTERVAL", "500"),
    ("PING_TIMEOUT", "1000"),
    ("CONNECT_TIMEOUT", "1000"),
    ("UPGRADE_TIMEOUT", "1000"),
    ("CSR", "1"),
    ("CSR_MAX_DISCONNECTION", "2000"),
];

/// What socketioxide does otherwise: the scenario, the steps in which it shows, and why.
const SOCKETIOXIDE: [(&str, &[&str], &str); 4] = [
    (
        "members-only",
        &["connects and is refused"],
        "the error of a middleware becomes its text; there is no place for data",
    ),
    ("namespaces", &["hears no `said`"], "the sockets of one connection have the same id in every namespace"),
    (
        "ordered-delivery",
        &["expects `message-back` 1000 times", "hears no `message-back`"],
        "each event is handled in a task of its own, so that answers overtake each other",
    ),
    (
        "reconnect-storm",
        &[
            "reconnects and is recovered",
            "expects `news` 5 times",
            "emits `t:who` and waits for its acknowledgement",
            "expects `news`",
        ],
        "there is no connection state recovery",
    ),
];

#[test]
fn every_bundled_scenario_holds_against_the_official_server() {
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    each(&bundled(), |name| {
        let played = play([name.as_str(), "--server", &server], PATIENT);
        match played.code {
            Some(0) => Ok(()),
            code => Err(format!("{name} ended with {code:?}\n{}", played.output)),
        }
    });
}

#[test]
fn every_bundled_scenario_holds_with_the_parser_msgpack_against_the_official_server_and_the_reference_server()
{
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    let folder = tempfile::tempdir().expect("there is room");
    let official = ["--server", &server];
    let plays: Vec<_> = bundled()
        .into_iter()
        .flat_map(|name| [&official[..], &[]].map(|server| (name.clone(), server)))
        .collect();
    each(&plays, |(name, server)| {
        let text = fs::read_to_string(format!("scenarios/{name}.yaml")).expect("the scenario is here");
        let file = folder.path().join(format!("{name}-{}.yaml", server.len()));
        fs::write(&file, format!("parser: msgpack\n{text}")).expect("there is room");
        let arguments =
            [file.to_str().expect("a path that is text")].into_iter().chain(server.iter().copied());
        let played = play(arguments, PATIENT.into_iter().chain([("PARSER", "msgpack")]));
        match played.code {
            Some(0) => Ok(()),
            code => Err(format!("{name} of {server:?} ended with {code:?}\n{}", played.output)),
        }
    });
}

#[test]
fn every_bundled_scenario_but_the_known_gaps_holds_against_socketioxide() {
    let Some(server) = Peer::Socketioxide.command_line() else { return };
    // What is asked right after CONNECT is now and then not handled there, as its baseline of the suite tells.
    const TRIES: usize = 3;
    each(&bundled(), |name| {
        let once = || {
            let played = play([name.as_str(), "--server", &server], PATIENT);
            let unlisted = || Err(format!("{name} ended with {:?}\n{}", played.code, played.output));
            let Some((_, steps, why)) = SOCKETIOXIDE.iter().find(|(known, ..)| known == name) else {
                return if played.code == Some(0) { Ok(()) } else { unlisted() };
            };
            match (played.code, played.failed_steps()) {
                (Some(0), _) => Err(format!("{name} holds, although {why}: take it off the list")),
                (Some(1), failed) if failed.iter().all(|step| steps.contains(step)) => Ok(()),
                _ => unlisted(),
            }
        };
        (1..TRIES).fold(once(), |outcome, _| outcome.or_else(|_| once()))
    });
}

#[test]
fn an_application_with_words_of_its_own_is_tested_through_a_contract() {
    let Some(server) = Peer::NodeChatApp.command_line() else { return };
    let played = play(["tests/peers/node/chat-app.yaml", "--server", &server], []);
    assert_eq!(played.code, Some(0), "{}", played.output);
}

#[test]
fn who_has_logged_in_by_a_cookie_or_a_token_may_connect() {
    let Some(server) = Peer::NodeLoginApp.command_line() else { return };
    let played = play(["tests/peers/node/login-app.yaml", "--server", &server], []);
    assert_eq!(played.code, Some(0), "{}", played.output);
}

#[test]
fn long_messages_are_compressed_both_ways_as_the_official_server_wants_it() {
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    let mut file = tempfile::NamedTempFile::with_suffix(".yaml").expect("there is room");
    let echo = "{ emit: { event: message-with-ack, args: [\"${n} ${i} ${repeat('abcdefgh', 5000)}\"], \
                ack: { args: [\"${n} ${i} ${repeat('abcdefgh', 5000)}\"] } } }";
    let short = "{ emit: { event: message-with-ack, args: [hello], ack: { args: [hello] } } }";
    let bytes = format!("[{{ $base64: \"{}\" }}]", "A".repeat(20_000));
    let binary =
        format!("{{ emit: {{ event: message-with-ack, args: {bytes}, ack: {{ args: {bytes} }} }} }}");
    let script = format!(
        "- all: connect\n  - all: {{ repeat: {{ times: 5, steps: [ {echo}, {short}, {binary} ] }} }}"
    );
    write!(file, "name: Echoes\nclients: {{ plain: 2, upgraded: {{ count: 2, transport: upgrade }} }}\nscript:\n  {script}\n")
        .expect("there is room");
    let path = file.path().to_str().expect("a path that is text");
    let traffic = |setting: &str, compression: &[&str]| {
        let arguments = [path, "--server", &server].into_iter().chain(compression.iter().copied());
        let played = play(arguments, PATIENT.into_iter().chain([("PER_MESSAGE_DEFLATE", setting)]));
        assert_eq!(played.code, Some(0), "{setting}: {}", played.output);
        let result = played.result().expect("one scenario");
        [Counter::BytesIn, Counter::BytesOut].map(|counter| result.counter(counter))
    };
    let [plain_in, plain_out] = traffic("true", &[]);
    for setting in [
        "true",
        r#"{"threshold":0}"#,
        r#"{"threshold":0,"serverNoContextTakeover":true,"clientNoContextTakeover":true}"#,
        r#"{"threshold":0,"serverNoContextTakeover":true}"#,
        r#"{"threshold":0,"clientNoContextTakeover":true,"clientMaxWindowBits":15}"#,
        r#"{"threshold":0,"serverMaxWindowBits":9,"clientMaxWindowBits":10}"#,
        // zlib makes no window of 2^8 bytes: Node writes for 2^9.
        r#"{"threshold":0,"serverMaxWindowBits":8,"clientMaxWindowBits":9}"#,
    ] {
        let [compressed_in, compressed_out] = traffic(setting, &["--compression"]);
        assert!(compressed_in * 10 < plain_in, "{setting}: {compressed_in} of {plain_in} bytes came");
        assert!(
            compressed_out * 10 < plain_out,
            "{setting}: {compressed_out} of {plain_out} bytes were sent"
        );
    }
    let [narrow_in, plain] = traffic(r#"{"threshold":0,"clientMaxWindowBits":8}"#, &["--compression"]);
    assert!(narrow_in * 10 < plain_in && plain * 10 > plain_out * 9, "we make no window of 2^8 bytes either");
    let [refused_in, refused_out] = traffic("false", &["--compression"]);
    assert!(refused_in * 10 > plain_in * 9 && refused_out * 10 > plain_out * 9, "a server need not agree");
}

#[test]
fn what_the_suite_finds_on_the_official_server_is_what_its_baseline_says() {
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    holds("baselines/node.yaml", &server);
}

#[test]
fn what_the_suite_finds_on_socketioxide_is_what_its_baseline_says() {
    let Some(server) = Peer::Socketioxide.command_line() else { return };
    holds("baselines/socketioxide.yaml", &server);
}

#[test]
fn a_first_scenario_passes_against_the_application_whose_words_it_was_given() {
    let Some(server) = Peer::NodeChatApp.command_line() else { return };
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("first.yaml");
    let file = file.to_str().expect("the path is UTF-8");
    for namespace in ["/", "/lounge"] {
        let written = Command::new(env!("CARGO_BIN_EXE_sockrates"))
            .args(["init", "--force", "--output", file, "--namespace", namespace])
            .args(["--join", "enter", "--leave", "exit", "--send", "chat message", "--ack"])
            .output()
            .expect("the program can be started");
        assert!(written.status.success(), "{written:?}");
        let played = play([file, "--server", &server], []);
        assert_eq!(played.code, Some(0), "{}", played.output);
    }
}

/// Plays the suite, and what it finds new or gone again with nothing beside it: a machine that stalls and a race in the
/// server can hit any case, but not the same one time and again.
fn holds(baseline: &str, server: &str) {
    const AGAIN: usize = 2;
    let results = tempfile::NamedTempFile::new().expect("a file can be written");
    let json = results.path().to_str().expect("the path is UTF-8");
    let mut only: Vec<String> = Vec::new();
    for again in 0..=AGAIN {
        let mut arguments =
            vec!["--server", server, "--baseline", baseline, "--json", json, "--patience", "30s"];
        arguments.extend(["--connect-timeout", "1s", "--upgrade-timeout", "1s", "--recovery-time", "2s"]);
        if again > 0 {
            arguments.extend(["--jobs", "1"]);
        }
        arguments.extend(only.iter().flat_map(|id| ["--only", id]));
        let played = conform(arguments, EXAMINED);
        if played.code == Some(0) {
            return;
        }
        assert!(played.code == Some(1) && again < AGAIN, "{:?}\n{}", played.code, played.output);
        only = unlike(results.path()).unwrap_or_else(|| panic!("{}", played.output));
    }
}

/// The cases of which the results in this file say that the baseline is wrong: of a clause, those that saw the deviation.
/// No case means all: that a clause is kept again shows only in the whole suite. None where nothing is wrong.
fn unlike(results: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(results).expect("the results were written");
    let suite = from_json(&text).expect("they are those of a suite").pop().expect("one was played");
    let baseline = suite.baseline.expect("a baseline was given");
    let cases_of = |clause: &String| -> Vec<String> {
        let about = suite.findings.iter().filter(|finding| finding.clause.as_ref() == Some(clause));
        about
            .flat_map(|finding| [&finding.failed, &finding.blocked, &finding.seen])
            .flatten()
            .cloned()
            .collect()
    };
    let rows: Vec<String> = baseline.new.into_iter().chain(baseline.gone).map(|row| row.case).collect();
    let (cases, clauses): (Vec<String>, Vec<String>) = rows.into_iter().partition(|row| row.contains('/'));
    if cases.is_empty() && clauses.is_empty() {
        return None;
    }
    let seen: Vec<Vec<String>> = clauses.iter().map(cases_of).collect();
    let is_whole = seen.iter().any(Vec::is_empty);
    let chosen = cases.into_iter().chain(seen.into_iter().flatten());
    Some(if is_whole { Vec::new() } else { chosen.collect() })
}
