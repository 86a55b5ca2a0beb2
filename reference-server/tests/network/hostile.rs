//! Clients that mean harm.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::support::{Server, Wire, frame};

fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

#[test]
fn a_client_that_never_reads_is_dropped_and_the_others_go_on() {
    let server = Server::configured(|config| config.limits.queued_bytes = 100_000);
    let mut watcher = server.client();
    watcher.join("watch");
    let mut sleeper = server.client();
    sleeper.ask(&json!(["t:join", "sleepers"]));
    let text = "x".repeat(50_000);
    // Until the buffers of the operating system are full and the queue of the server is too.
    let gone = loop {
        watcher.send(&format!("421[\"t:cast\",{{\"to\":[\"sleepers\"]}},\"said\",[\"{text}\"]]"));
        let answer = watcher.next();
        if answer.starts_with("42[\"gone\"") {
            break answer;
        }
    };
    assert!(gone.contains(&sleeper.sid), "{gone}");
}

#[test]
fn a_head_that_is_too_long_or_no_http_is_refused() {
    let server = Server::start();
    for (bytes, status) in [
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000)), "431"),
        ("x: y\r\n".repeat(200).replacen("x: y", "GET / HTTP/1.1", 1) + "\r\n", "431"),
        ("\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), "400"),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(), "400"),
    ] {
        let mut stream = server.connect();
        stream.write_all(bytes.as_bytes()).unwrap();
        let answer = String::from_utf8(read_to_end(&mut stream)).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[test]
fn connections_that_say_nothing_or_stop_in_the_middle_are_closed() {
    let server = Server::configured(|config| {
        config.limits.head_timeout = Duration::from_millis(400);
        config.limits.body_timeout = Duration::from_millis(400);
    });
    let mut silent = server.connect();
    assert!(read_to_end(&mut silent).is_empty());
    let mut half = server.connect();
    half.write_all(b"GET / HTTP").unwrap();
    assert!(read_to_end(&mut half).starts_with(b"HTTP/1.1 408"));
    let polling = server.polling();
    let mut slow = server.connect();
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n40", polling.target());
    slow.write_all(head.as_bytes()).unwrap();
    assert!(read_to_end(&mut slow).starts_with(b"HTTP/1.1 400"));
    polling.assert_dead();
}

#[test]
fn rooms_and_namespaces_are_limited() {
    let server = Server::configured(|config| {
        config.limits.rooms = 3;
        config.limits.namespaces = 2;
    });
    let mut client = server.client();
    let rooms = client.ask(&json!(["t:join", ["a", "b", "c", "d"]]));
    assert_eq!(rooms[0].as_array().unwrap().len(), 4, "three and its own");
    client.join_namespace("/dyn-1", "");
    client.send("40/dyn-2,");
    assert_eq!(client.next(), "44/dyn-2,{\"message\":\"Too many namespaces\"}");
}

#[test]
fn a_flood_of_control_pings_does_not_stop_the_server() {
    let server = Server::start();
    let mut flooder = server.client();
    let ping = frame(0x89, &[0; 125]);
    let flood = ping.repeat(2000);
    let _ = flooder.websocket.wire.stream.write_all(&flood);
    server.client().websocket.assert_alive();
}

#[test]
fn commands_without_sense_are_ignored() {
    let server = Server::start();
    let mut client = server.client();
    for event in [
        json!(["t:join"]),
        json!(["t:join", 5]),
        json!(["t:leave", null]),
        json!(["t:cast", 1, 2, 3]),
        json!(["t:cast", {"to": "x"}, "e", []]),
        json!(["t:cast", {}, "e", {}]),
        json!(["t:ask", -1, "e", []]),
        json!(["t:ask", "soon", "e", []]),
        json!(["t:burst", "many", 1, true]),
        json!(["t:sockets", {}, "eat", 1]),
        json!(["t:unknown"]),
    ] {
        client.emit(&event);
        client.websocket.assert_alive();
    }
}

#[test]
fn deeply_nested_data_exhausts_no_stack() {
    let server = Server::start();
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    for text in [
        format!("42[\"none\",{deep}]"),
        format!("40/guard,{{\"a\":{deep}}}"),
        format!("42[\"t:join\",{deep}]"),
        format!("42[\"t:cast\",{deep},\"e\",[]]"),
        format!("451-[\"message\",{{\"_placeholder\":{deep}}}]"),
    ] {
        let mut client = server.client();
        client.send(&text);
        client.websocket.send_binary(b"x");
        let _ = client.websocket.closed();
    }
    server.client().websocket.assert_alive();
}

#[test]
fn after_everything_malformed_the_server_still_serves() {
    let server = Server::start();
    for text in [
        "",
        "4",
        "42",
        "42[",
        "45",
        "451-",
        "459999999999999999999-[]",
        "40{",
        "4\u{0}",
        "40/",
        "42/,[]",
        "4/////",
    ] {
        let mut client = server.client();
        client.send(text);
        let _ = client.websocket.closed();
        let polling = server.polling();
        polling.post(text);
    }
    for bytes in [&b"GET"[..], b"\r\n\r\n", b"POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n"] {
        let mut stream = server.connect();
        stream.write_all(bytes).unwrap();
    }
    let mut wire = Wire { stream: server.connect(), bytes: Vec::new() };
    assert_eq!(wire.request("GET", "/socket.io/?EIO=4&transport=polling", b"").status, 200);
    server.client().websocket.assert_alive();
}
