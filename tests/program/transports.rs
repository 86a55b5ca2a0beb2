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
    cast: "cast.yaml";
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
