//! The packet grammar and binary attachments, as the server applies them.

use serde_json::json;

use crate::support::{Frame, Server};

#[test]
fn arguments_come_back_as_they_went() {
    let server = Server::start();
    let mut client = server.client();
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for argument in [
        "1",
        "1.5",
        "-0",
        "1e21",
        "9007199254740991",
        "null",
        "true",
        "{}",
        "[]",
        "\"🙂\u{2028}\\u0000\\u001e\"",
        "{\"__proto__\":1,\"constructor\":2}",
        "{\"_placeholder\":true,\"num\":0}",
        &deep,
    ] {
        client.send(&format!("42[\"message\",{argument}]"));
        assert_eq!(client.next(), format!("42[\"message-back\",{argument}]"));
    }
    client.send("42[\"message\"]");
    assert_eq!(client.next(), "42[\"message-back\"]");
}

#[test]
fn malformed_packets_close_the_connection() {
    let server = Server::start();
    for text in [
        "47",
        "4a",
        "42",
        "42{}",
        "42\"a\"",
        "42[]",
        "42[null]",
        "42[true]",
        "42[{}]",
        "42[[]]",
        "42[\"a\"",
        "42[\"a\"]x",
        "42abc[\"a\"]",
        "42-1[\"a\"]",
        "431{}",
        "41{}",
        "44{}",
        "45",
        "451",
        "45x-[\"a\"]",
        "451.5-[\"a\"]",
        "45-1-[\"a\"]",
        "4511-[\"a\"]",
        "42[\"disconnect\"]",
        "42[\"connect\"]",
        "40{}",
        "42/custom,[\"a\"]",
    ] {
        let mut client = server.client();
        client.websocket.assert_alive();
        client.send(text);
        assert_eq!(client.websocket.closed(), None, "{text}");
    }
}

#[test]
fn odd_but_legal_packets_do_no_harm() {
    let server = Server::start();
    let mut client = server.client();
    for text in [
        "4399[\"x\"]",
        "42[\"error\"]",
        "42[\"connection\"]",
        "42[\"\"]",
        "42[5,\"x\"]",
        "42[\"none\"]",
        "427[\"none\"]",
    ] {
        client.send(text);
        client.websocket.assert_alive();
    }
}

#[test]
fn ids_are_echoed_exactly_zero_and_large_ones_too() {
    let server = Server::start();
    let mut client = server.client();
    for id in ["0", "2147483648", "4294967296", "9007199254740991"] {
        client.send(&format!("42{id}[\"message-with-ack\",1,\"2\"]"));
        assert_eq!(client.next(), format!("43{id}[1,\"2\"]"));
    }
}

#[test]
fn many_ids_are_answered_each_with_its_own_data() {
    let server = Server::start();
    let mut client = server.client();
    for id in (0..100).rev() {
        client.send(&format!("42{id}[\"message-with-ack\",{}]", id * 7));
    }
    for id in (0..100).rev() {
        assert_eq!(client.next(), format!("43{id}[{}]", id * 7));
    }
}

#[test]
fn attachments_are_placed_by_number_and_sent_in_order() {
    let server = Server::start();
    let mut client = server.client();
    client
        .send(r#"452-["message",{"a":[{"b":{"_placeholder":true,"num":1}}]},{"_placeholder":true,"num":0}]"#);
    client.websocket.send_binary(b"one");
    client.websocket.send_binary(b"two");
    let header =
        r#"452-["message-back",{"a":[{"b":{"_placeholder":true,"num":0}}]},{"_placeholder":true,"num":1}]"#;
    assert_eq!(client.next(), header);
    assert_eq!(client.websocket.frame(), Frame::Binary(b"two".to_vec()));
    assert_eq!(client.websocket.frame(), Frame::Binary(b"one".to_vec()));
}

#[test]
fn a_binary_answer_carries_its_namespace_and_id() {
    let server = Server::start();
    let mut client = server.client_in("/custom");
    client.send(r#"451-/custom,7["message-with-ack",{"_placeholder":true,"num":0}]"#);
    client.websocket.send_binary(b"");
    assert_eq!(client.next(), r#"461-/custom,7[{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.websocket.frame(), Frame::Binary(Vec::new()));
}

#[test]
fn disorder_among_attachments_closes_the_connection() {
    let server = Server::start();
    let header = r#"451-["message",{"_placeholder":true,"num":0}]"#;
    let out_of_range = r#"451-["message",{"_placeholder":true,"num":1}]"#;
    let mut client = server.client();
    client.send(header);
    client.send("42[\"message\"]");
    assert_eq!(client.websocket.closed(), None);
    let mut client = server.client();
    client.websocket.send_binary(b"x");
    assert_eq!(client.websocket.closed(), None);
    let mut client = server.client();
    client.send(out_of_range);
    client.websocket.send_binary(b"x");
    assert_eq!(client.websocket.closed(), None);
}

#[test]
fn events_are_handled_in_the_order_they_were_sent() {
    let server = Server::start();
    let mut client = server.client();
    for n in 0..500 {
        client.emit(&json!(["message", n]));
    }
    for n in 0..500 {
        assert_eq!(client.next(), format!("42[\"message-back\",{n}]"));
    }
}
