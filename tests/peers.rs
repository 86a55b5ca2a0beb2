//! Peers start, answer and leave; one that is missing is told of, or fails the test where it is required. And a client
//! that nobody here wrote finds the reference server as it should be.

#[path = "support/peers.rs"]
mod peers;

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use peers::{Missing, Peer, listening_url, skipped};
use reference_server::{
    Config,
    faults::{Fault, Faults},
};

#[test]
fn every_peer_that_is_here_opens_a_session() {
    for peer in Peer::ALL {
        let Some(server) = peer.start([]) else { continue };
        let response = open_session(server.url(), version(peer));
        assert!(response.starts_with("HTTP/1.1 200"), "{peer} answered: {response}");
        assert!(response.contains(r#"0{"sid":""#), "{peer} answered: {response}");
    }
}

#[test]
fn the_settings_of_a_peer_reach_it() {
    for peer in Peer::ALL {
        let Some(server) = peer.start([("PING_INTERVAL", "4000"), ("MAX_HTTP_BUFFER_SIZE", "98765")]) else {
            continue;
        };
        let response = open_session(server.url(), version(peer));
        assert!(response.contains(r#""pingInterval":4000"#), "{peer} answered: {response}");
        // Engine.IO 3 does not tell how much the server takes.
        let told = version(peer) == 3 || response.contains(r#""maxPayload":98765"#);
        assert!(told, "{peer} answered: {response}");
    }
}

#[test]
fn a_peer_never_outlives_whoever_started_it() {
    for peer in Peer::ALL {
        let Some(server) = peer.start([]) else { continue };
        assert!(server.leave().success(), "{peer}");
    }
}

#[test]
fn rust_socketio_finds_the_reference_server_as_it_should_be() {
    let Some((holds, said)) = play_rust_socketio(Faults::NONE) else { return };
    assert!(holds, "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("held ")).count(), 23, "{said}");
}

#[test]
fn rust_socketio_notices_when_the_reference_server_is_broken() {
    let broken = [
        (Fault::EventLost, "over websocket, a burst arrives completely and in order"),
        (Fault::RoomIgnored, "a room is heard by its members alone, and not by the sender"),
        (Fault::LeaveIgnored, "who has left a room hears no more of it"),
        (Fault::NamespaceLeak, "a namespace is closed to the others"),
        (Fault::AuthMissing, "the server gets the authentication"),
    ];
    if peers::rust_socketio().is_none() {
        return;
    }
    // Most of the time the crate waits: it leaves Nagle's algorithm on.
    thread::scope(|scope| {
        for (fault, noticed) in broken {
            let play = move || {
                let Some((holds, said)) = play_rust_socketio(Faults::NONE.with(fault)) else { return };
                let failed = format!("FAILED  {noticed}: ");
                assert!(!holds && said.lines().any(|line| line.starts_with(&failed)), "{fault}:\n{said}");
            };
            scope.spawn(play);
        }
    });
}

#[test]
fn a_test_whose_peer_is_missing_is_skipped_and_says_why() {
    assert_eq!(
        skipped("the_mill_turns", &a_missing_peer(), false),
        "SKIPPED the_mill_turns: socketioxide with the fixture is missing: the mill is closed \
         (.ci/peers install would bring it)"
    );
}

#[test]
#[should_panic(
    expected = "the mill is closed (.ci/peers install would bring it), and SOCKRATES_PEERS=required"
)]
fn a_test_whose_peer_is_missing_fails_where_peers_are_required() {
    skipped("the_mill_turns", &a_missing_peer(), true);
}

#[test]
fn only_the_line_that_says_so_tells_where_a_peer_listens() {
    let url = "http://127.0.0.1:4000/socket.io/";
    assert_eq!(listening_url(&format!("listening on {url}\r")), Some(url));
    assert_eq!(listening_url("listening on my favourite song"), None);
    assert_eq!(listening_url(&format!("not listening on {url}")), None);
}

/// Whether all holds that the client looks at, and its lines. `None` where it is not here.
fn play_rust_socketio(faults: Faults) -> Option<(bool, String)> {
    let mut client = peers::rust_socketio()?;
    let config = Config { port: 0, console: false, ..Config::default() };
    let server = reference_server::spawn(config, faults).expect("the server can be started");
    let ended = client.args(["play", &server.url()]).output().expect("the client can be started");
    server.shutdown();
    Some((ended.status.success(), String::from_utf8_lossy(&ended.stdout).into_owned()))
}

fn a_missing_peer() -> Missing {
    Missing::new(Peer::Socketioxide, "the mill is closed")
}

/// Everything that the server answers to the first request of a client over HTTP long-polling.
fn open_session(url: &str, version: u8) -> String {
    let address = address(url);
    let mut stream = TcpStream::connect(address).expect("the peer listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout is accepted");
    write!(
        stream,
        "GET /socket.io/?EIO={version}&transport=polling HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .expect("the peer takes the request");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).expect("the peer answers");
    // Engine.IO 3 may frame its packets with bytes.
    String::from_utf8_lossy(&response).into_owned()
}

/// The version of Engine.IO that a peer speaks.
fn version(peer: Peer) -> u8 {
    match peer {
        Peer::Node2Fixture | Peer::Python4Fixture => 3,
        _ => 4,
    }
}

fn address(url: &str) -> &str {
    url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("peers listen on http")
}
