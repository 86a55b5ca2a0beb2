//! Every step over every transport, and what a step says that fails.

use std::fs;
use std::time::Duration;

use reference_server::Config;

use crate::support::{Folder, Reference, data, sockrates};

/// Plays a file of the test data over one transport.
fn play(file: &str, transport: &str) {
    let text = fs::read_to_string(data("semantic").join(file)).expect("it is part of the test data");
    assert!(text.contains("transport: websocket"), "{file} says how to connect");
    let folder = Folder::new();
    let scenario =
        folder.file(file, &text.replace("transport: websocket", &format!("transport: {transport}")));
    sockrates(["run", "--max-time", "100s"]).args([scenario]).run().code(0);
}

macro_rules! over_every_transport {
    ($($name:ident: $file:literal;)+) => {$(
        mod $name {
            #[test]
            fn over_websocket() {
                super::play($file, "websocket");
            }

            #[test]
            fn over_polling() {
                super::play($file, "polling");
            }

            #[test]
            fn over_an_upgrade() {
                super::play($file, "upgrade");
            }
        }
    )+

        #[test]
        fn every_file_of_the_test_data_is_played() {
            let mut files: Vec<String> = fs::read_dir(data("semantic"))
                .expect("the folder is there")
                .map(|entry| entry.expect("it can be read").file_name().into_string().expect("a name"))
                .collect();
            files.sort();
            assert_eq!(files, [$($file),+]);
        }
    };
}

over_every_transport! {
    answer: "answer.yaml";
    broadcast: "broadcast.yaml";
    connect: "connect.yaml";
    emit: "emit.yaml";
    expect: "expect.yaml";
    namespaces: "namespaces.yaml";
    own_contract: "own_contract.yaml";
    reconnect: "reconnect.yaml";
    repeat: "repeat.yaml";
    rooms: "rooms.yaml";
}

/// A server whose heartbeats are fast, and patient enough for a busy machine.
fn lively() -> Reference {
    let (ping_interval, ping_timeout) = (Duration::from_millis(300), Duration::from_secs(2));
    Reference::with(Config { ping_interval, ping_timeout, ..Config::default() })
}

#[test]
fn the_rude_steps_do_what_they_say() {
    let server = lively();
    let ended = sockrates(["run", "--max-time", "100s", "--url", &server.url()]).args([data("rude")]).run();
    ended.code(0).says("6 of 6 scenarios passed");
}

/// Plays a scenario against a reference server with a fault; gives what is said of the failed step.
fn broken(fault: &str, clients: &str, script: &str) -> crate::support::Ended {
    let folder = Folder::new();
    let scenario = folder.scenario(clients, script);
    sockrates(["run", "--fault", fault]).args([scenario]).run().code(1)
}

#[test]
fn a_failed_expectation_is_told_with_its_place_and_the_last_frames() {
    let script = "- all: connect\n- all: { join: den }\n- alice: { broadcast: { to: den, event: news, args: [hello] } }\n\
                  - alice: { expect_none: { event: news } }";
    broken("broadcast-includes-sender", "{ alice: 1, bob: 1 }", script)
        .says("scenario.yaml:7")
        .says("7 │ - alice: { expect_none: { event: news } }")
        .says("expected not the event `news`")
        .says(r#"actual ["news","hello"]"#)
        .says(r#"← 42["news","hello","~sk"#)
        .says("→ 42");
}

#[test]
fn a_missing_event_is_told_with_what_came_instead() {
    let script = "- all: connect\n- all: { join: den }\n- alice: { broadcast: { to: den, event: news, args: [1] } }\n\
                  - alice: { leave: den }\n- bob: { broadcast: { to: den, event: news, args: [2] } }\n\
                  - alice: { expect_none: { event: news } }\n- bob: { expect: { event: news, args: [3], within: 4s } }";
    broken("leave-ignored", "{ alice: 1, bob: 1 }", script)
        .says("2 of ")
        .says(r#"expected the event `news` with the list [3]"#)
        .says(r#"actual ["news",1]"#);
}

#[test]
fn a_silent_server_is_told_with_the_time_that_was_waited() {
    let script =
        "- all: connect\n- all: { emit: { event: message-with-ack, args: [1], ack: { within: 100ms } } }";
    broken("ack-zero-unanswered", "{ alice: { count: 3, transport: polling } }", script)
        .says("emits `message-with-ack` and waits for its acknowledgement: 3 did not succeed")
        .says("alice 0, alice 1, alice 2")
        .says("no acknowledgement within 100ms")
        .says("poll GET /socket.io/?EIO=4&transport=polling");
}

#[test]
fn a_refusal_that_does_not_come_is_told() {
    let script = "- eve: { connect: { namespace: /guard, refused: true } }";
    broken("guard-open", "{ eve: 1 }", script)
        .says("expected a refusal by `/guard`")
        .says("actual the server accepted");
    let script = "- eve: { connect: { namespace: /guard, refused: { message: nope, data: { code: 7 } } } }";
    broken("guard-data-missing", "{ eve: 1 }", script)
        .says("expected a refusal with")
        .says(r#""message":"nope""#);
}

#[test]
fn a_connection_that_stays_is_told() {
    let script = "- eve: open\n- eve: { send: abc }\n- eve: { expect_closed: { within: 100ms } }";
    broken("invalid-packet-ignored", "{ eve: 1 }", script)
        .says("expected the server to close the connection within 100ms")
        .says("actual it is still open")
        .says("→ abc");
}

#[test]
fn an_answer_to_a_request_is_told_with_its_status_and_body() {
    let script = "- eve: { open: { poll: by_hand } }\n- eve: { http: { get: poll, as: first, async: true } }\n\
                  - eve: { http: { get: poll, within: 100ms, expect: { status: 400 } } }";
    broken("second-poll-tolerated", "{ eve: { transport: polling } }", script)
        .says("no response within 100ms");
    let script = "- eve: { http: { get: \"?EIO=4&transport=none\", expect: { json: { code: 0 } } } }";
    broken("engine-error-as-text", "{ eve: { transport: polling } }", script)
        .says("expected a response with JSON body")
        .says("status 400, body");
}

#[test]
fn a_violation_of_the_protocol_is_told_even_if_nobody_asked() {
    let folder = Folder::new();
    let script = "- all: connect\n- all: { emit: { event: \"t:ack-twice\", ack: true } }\n- all: fence\n- all: disconnect";
    let scenario = folder.scenario("{ alice: 1 }", script);
    let ended = sockrates(["run", "--fault", "ack-twice"]).args([scenario]).run().calm();
    ended.says("an event is acknowledged once").says("Errors");
}

/// The feature `webtransport` is tested with a server that has it: `tests/peers_webtransport.rs`.
#[cfg(not(feature = "webtransport"))]
#[test]
fn a_build_without_webtransport_says_how_to_get_it_before_anything_begins() {
    let folder = Folder::new();
    let wanted = [
        ("a: { transport: webtransport }", "a: connect"),
        ("a: { transport: upgrade-to-webtransport }", "a: connect"),
        ("a: 1", "a: { connect: { transport: webtransport } }"),
        (
            "a: { transport: polling }",
            "a: [ connect, { repeat: { times: 1, steps: [ { upgrade: { to: webtransport } } ] } } ]",
        ),
    ];
    let sentence =
        "this build has no WebTransport: build with `cargo install sockrates --features webtransport`";
    for (clients, script) in wanted {
        let scenario = folder.scenario(&format!("{{ {clients} }}"), &format!("- {script}"));
        sockrates(["run"]).args([scenario]).run().code(2).complains(sentence);
    }
    sockrates(["run", "chat", "--transport", "webtransport"]).run().code(2).complains(sentence);
    let scenario = folder.scenario("{ a: { transport: webtransport } }", "- a: connect");
    sockrates(["check"]).args([scenario]).run().code(0);
}
