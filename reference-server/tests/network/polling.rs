//! HTTP long-polling.

use std::io::Write;
use std::net::Shutdown;

use serde_json::json;

use crate::support::{Pending, Server};

#[test]
fn packets_of_one_payload_are_all_handled_in_order() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    for count in [1, 3, 50] {
        let packets: Vec<String> = (0..count).map(|n| format!("42[\"message\",{n}]")).collect();
        assert_eq!(polling.post(&packets.join("\u{1e}")).text(), "ok");
        let expected: Vec<String> = (0..count).map(|n| format!("42[\"message-back\",{n}]")).collect();
        assert_eq!(polling.packets(), expected);
    }
}

#[test]
fn a_poll_waits_until_there_is_something() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let pending = polling.begin_get();
    polling.post("42[\"message\",1]");
    assert_eq!(pending.finish().text(), "42[\"message-back\",1]");
}

#[test]
fn a_second_poll_closes_the_session() {
    let server = Server::start();
    let polling = server.polling();
    let polls = [polling.begin_get(), polling.begin_get()];
    let mut statuses: Vec<(u16, String)> =
        polls.into_iter().map(Pending::finish).map(|reply| (reply.status, reply.text())).collect();
    statuses.sort();
    assert_eq!(statuses[0], (200, "1".to_owned()));
    assert_eq!(statuses[1].0, 400);
    polling.assert_dead();
}

#[test]
fn a_second_post_closes_the_session() {
    let server = Server::start();
    let polling = server.polling();
    let mut slow = server.connect();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
        polling.target()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // The interim response proves that the first POST has begun.
    let mut interim = [0; 25];
    std::io::Read::read_exact(&mut slow, &mut interim).unwrap();
    assert_eq!(polling.post("40").status, 400);
    polling.assert_dead();
    slow.write_all(b"40").unwrap();
    assert_eq!(Pending { stream: slow }.finish().status, 400);
}

#[test]
fn a_client_that_drops_its_poll_loses_its_session() {
    let server = Server::start();
    let polling = server.polling();
    let mut watcher = server.client();
    watcher.join("watch");
    polling.join();
    let pending = polling.begin_get();
    pending.stream.shutdown(Shutdown::Both).unwrap();
    let gone = watcher.next();
    assert!(gone.contains("transport error"), "{gone}");
    polling.assert_dead();
}

#[test]
fn invalid_packets_close_the_session_after_those_before_them() {
    let server = Server::start();
    let mut watcher = server.client();
    watcher.join("watch");
    for body in [
        "abc",
        "9",
        "\u{1e}",
        "42[\"message\"]\u{1e}",
        "b!!!",
        "42[\"message\"]\u{1e}zzz\u{1e}42[\"message\"]",
    ] {
        let polling = server.polling();
        polling.join();
        assert_eq!(polling.post(body).text(), "ok", "{body:?}");
        polling.assert_dead();
        let gone = watcher.next();
        assert!(gone.contains("parse error"), "{gone}");
    }
}

#[test]
fn binary_travels_as_base64_both_ways_even_when_empty() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let header = "452-[\"message\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]";
    polling.post(&format!("{header}\u{1e}bAQIDBA==\u{1e}b"));
    let packets = polling.packets();
    assert_eq!(packets[1..], ["bAQIDBA==", "b"]);
    assert!(packets[0].starts_with("452-[\"message-back\""));
}

#[test]
fn an_octet_stream_is_refused_and_closes_the_session() {
    let server = Server::start();
    let polling = server.polling();
    let reply =
        server.request("POST", &polling.target(), "Content-Type: application/octet-stream\r\n", b"40");
    assert_eq!(reply.status, 400);
    polling.assert_dead();
}

#[test]
fn a_body_is_text_with_or_without_a_content_type() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    for headers in ["", "Content-Type: text/plain\r\n"] {
        server.request("POST", &polling.target(), headers, "42[\"message\",\"€\"]".as_bytes());
        assert_eq!(polling.packets(), ["42[\"message-back\",\"€\"]"]);
    }
}

#[test]
fn the_longest_payload_is_accepted_and_one_byte_more_is_not() {
    let server = Server::configured(|config| config.max_payload = 1000);
    let polling = server.polling();
    polling.join();
    let padded = |length: usize| {
        let frame = "42[\"none\",\"\"]".len();
        format!("42[\"none\",\"{}\"]", "x".repeat(length - frame))
    };
    assert_eq!(polling.post(&padded(1000)).status, 200);
    assert_eq!(polling.post(&padded(1001)).status, 413);
    polling.assert_alive();
}

#[test]
fn a_body_that_announces_too_much_is_refused_before_it_arrives() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let mut stream = server.connect();
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n", polling.target());
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(Pending { stream }.finish().status, 413);
    polling.assert_alive();
}

#[test]
fn what_the_server_sends_is_not_limited() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let large = "x".repeat(900_000);
    for _ in 0..3 {
        polling.post(&format!("42[\"message\",\"{large}\"]"));
    }
    let mut found = 0;
    while found < 3 {
        found += polling.packets().len();
    }
    assert_eq!(found, 3);
}

#[test]
fn an_escaped_record_separator_is_data() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    polling.post(r#"42["message","a\u001eb"]"#);
    let packets = polling.packets();
    assert_eq!(packets, [r#"42["message-back","a\u001eb"]"#]);
}

#[test]
fn what_nobody_polls_for_waits() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let mut other = server.client();
    for n in 0..10 {
        other.cast(&json!({"from": "socket"}), &n.to_string());
    }
    let mut found = Vec::new();
    while found.len() < 10 {
        found.extend(polling.packets());
    }
    let expected: Vec<String> = (0..10).map(|n| format!("42[\"said\",\"{n}\"]")).collect();
    assert_eq!(found, expected);
}
