//! WebSocket frames and RFC 6455.

use crate::support::{Frame, Server, frame};

#[test]
fn one_packet_travels_per_frame_and_binary_has_no_type() {
    let server = Server::start();
    let mut client = server.client();
    client.send("451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    client.websocket.send_binary(&[4, 1, 2]);
    assert_eq!(client.next(), "451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]");
    assert_eq!(client.websocket.frame(), Frame::Binary(vec![4, 1, 2]));
}

#[test]
fn fragments_are_joined_and_control_frames_may_come_between() {
    let server = Server::start();
    let mut client = server.client();
    client.websocket.send_raw(&frame(0x01, b"42[\"mess"));
    client.websocket.send_raw(&frame(0x89, b"are you there"));
    assert_eq!(client.websocket.frame(), Frame::Pong(b"are you there".to_vec()));
    client.websocket.send_raw(&frame(0x00, b"age\","));
    client.websocket.send_raw(&frame(0x80, b"1]"));
    assert_eq!(client.next(), "42[\"message-back\",1]");
}

#[test]
fn a_frame_that_arrives_byte_by_byte_is_read() {
    let server = Server::start();
    let mut client = server.client();
    for byte in frame(0x81, b"42[\"message\",\"slow\"]") {
        client.websocket.send_raw(&[byte]);
    }
    assert_eq!(client.next(), "42[\"message-back\",\"slow\"]");
}

#[test]
fn breaches_of_the_rfc_have_their_close_codes() {
    let server = Server::configured(|config| config.max_payload = 1000);
    let table: [(Vec<u8>, u16); 6] = [
        (vec![0x81, 1, b'x'], 1002),
        (frame(0xc1, b"x"), 1002),
        (frame(0x83, b"x"), 1002),
        (frame(0x80, b"x"), 1002),
        (frame(0x81, &[b'4', 0xc3, 0x28]), 1007),
        (frame(0x81, &[b'4'; 1001]), 1009),
    ];
    for (bytes, code) in table {
        let mut client = server.client();
        client.websocket.send_raw(&bytes);
        assert_eq!(client.websocket.closed(), Some(code), "{bytes:?}");
        assert_eq!(client.websocket.frame(), Frame::End);
    }
}

#[test]
fn the_longest_message_is_accepted() {
    let server = Server::configured(|config| config.max_payload = 1000);
    let mut client = server.client();
    let padding = "x".repeat(1000 - "42[\"message\",\"\"]".len());
    client.send(&format!("42[\"message\",\"{padding}\"]"));
    assert_eq!(client.next(), format!("42[\"message-back\",\"{padding}\"]"));
}

#[test]
fn large_messages_survive_in_both_directions() {
    let server = Server::start();
    let mut client = server.client();
    let text = "€".repeat(200_000);
    client.send(&format!("42[\"message\",\"{text}\"]"));
    assert_eq!(client.next(), format!("42[\"message-back\",\"{text}\"]"));
    let data: Vec<u8> = (0..500_000u32).map(|n| n as u8).collect();
    client.send("451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    client.websocket.send_binary(&data);
    client.next();
    assert_eq!(client.websocket.frame(), Frame::Binary(data));
}

#[test]
fn invalid_packets_close_the_connection() {
    let server = Server::start();
    for text in ["abc", "7", ""] {
        let mut client = server.client();
        client.websocket.assert_alive();
        client.send(text);
        assert_eq!(client.websocket.closed(), None, "{text:?}");
    }
}

#[test]
fn packets_only_servers_send_are_ignored() {
    let server = Server::start();
    let mut client = server.client();
    for text in ["0{}", "5", "6"] {
        client.send(text);
        client.websocket.assert_alive();
    }
}

#[test]
fn polling_does_not_reach_the_session_of_a_websocket() {
    let server = Server::start();
    let mut websocket = server.websocket("EIO=4&transport=websocket");
    let open: serde_json::Value = serde_json::from_str(&websocket.text()[1..]).unwrap();
    websocket.send("40");
    websocket.text();
    websocket.text();
    let sid = open["sid"].as_str().unwrap();
    let reply = server.engine("GET", &format!("EIO=4&transport=polling&sid={sid}"));
    assert_eq!((reply.status, reply.code()), (400, 3));
    let mut second = server.websocket(&format!("EIO=4&transport=websocket&sid={sid}"));
    assert_eq!(second.closed(), None);
    websocket.assert_alive();
}

#[test]
fn a_cut_connection_is_noticed_at_once() {
    let server = Server::start();
    let mut watcher = server.client();
    watcher.join("watch");
    let client = server.client();
    client.websocket.cut();
    let gone = watcher.next();
    assert!(gone.contains(&client.sid) && gone.contains("transport close"), "{gone}");
}

#[test]
fn no_extension_is_negotiated_that_was_not_offered() {
    let server = Server::start();
    let mut client = server.client();
    client.send(&format!("42[\"message\",\"{}\"]", "x".repeat(5000)));
    // The frame reader of this test refuses extension bits.
    assert_eq!(client.next().len(), 5000 + "42[\"message-back\",\"\"]".len());
}
