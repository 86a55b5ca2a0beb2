//! Peers start, answer and leave; one that is missing is told of, or fails the test where it is required.

#[path = "support/peers.rs"]
mod peers;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use peers::{Missing, Peer, listening_url, skipped};

#[test]
fn every_peer_that_is_here_opens_a_session() {
    for peer in Peer::ALL {
        let Some(server) = peer.start([]) else { continue };
        let response = open_session(server.url());
        assert!(response.starts_with("HTTP/1.1 200"), "{peer} answered: {response}");
        assert!(response.contains(r#"0{"sid":""#), "{peer} answered: {response}");
    }
}

#[test]
fn the_settings_of_a_peer_reach_it() {
    for peer in Peer::ALL {
        let Some(server) = peer.start([("PING_INTERVAL", "4321"), ("MAX_HTTP_BUFFER_SIZE", "98765")]) else {
            continue;
        };
        let response = open_session(server.url());
        assert!(response.contains(r#""pingInterval":4321"#), "{peer} answered: {response}");
        assert!(response.contains(r#""maxPayload":98765"#), "{peer} answered: {response}");
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

fn a_missing_peer() -> Missing {
    Missing::new(Peer::Socketioxide, "the mill is closed")
}

/// Everything that the server answers to the first request of a client over HTTP long-polling.
fn open_session(url: &str) -> String {
    let address = address(url);
    let mut stream = TcpStream::connect(address).expect("the peer listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout is accepted");
    write!(
        stream,
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .expect("the peer takes the request");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("the peer answers");
    response
}

fn address(url: &str) -> &str {
    url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("peers listen on http")
}
