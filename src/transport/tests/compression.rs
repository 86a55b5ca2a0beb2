//! Messages on the wire, compressed where the server agrees.

use super::*;
use crate::protocol::deflate;

/// A server whose answer to the handshake has this header; the bytes that follow stand behind it.
fn answering(extension: Option<&'static str>, then: Vec<u8>) -> Harness {
    Harness::new(move |connection, heard| {
        let Heard::Bytes(bytes) = heard else { return accept(connection, heard, usize::MAX) };
        let head = String::from_utf8_lossy(bytes);
        let Some(key) = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")) else {
            return Vec::new();
        };
        let accept = accept_key(key);
        let extension =
            extension.map_or_else(String::new, |value| format!("Sec-WebSocket-Extensions: {value}\r\n"));
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{extension}\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        vec![(connection, ms(3), Event::Bytes([head.into_bytes(), then.clone()].concat()))]
    })
}

fn dial(harness: &mut Harness, offers: bool) {
    let offer = (deflate::HEADER.to_owned(), deflate::OFFER.to_owned());
    let headers = if offers { vec![offer] } else { Vec::new() };
    harness.transport.wire(ALICE).dial(Channel::WebSocket, "/", &headers);
    harness.transport.flush();
    harness.pass(10);
}

/// The first byte and the length of each frame that the server hears of these texts.
fn sent(harness: &mut Harness, texts: &[&str]) -> Vec<(u8, usize)> {
    harness.server();
    for text in texts {
        harness.transport.wire(ALICE).text(Channel::WebSocket, &["4", text]);
        harness.transport.flush();
        harness.pass(1);
    }
    harness.pass(10);
    let heard = std::mem::take(&mut *harness.server.lock().expect("no test goes on after a panic"));
    let bytes = heard.into_iter().filter_map(|(_, heard)| match heard {
        Heard::Bytes(bytes) => Some(bytes),
        _ => None,
    });
    let bytes: Vec<u8> = bytes.flatten().collect();
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Some((frame, used)) = parse(&bytes[at..], 1 << 20).expect("our frames are good") {
        frames.push((bytes[at], frame.payload.len()));
        at += used;
    }
    frames
}

#[test]
fn long_messages_are_compressed_where_the_server_agreed() {
    let long = "x".repeat(5_000);
    let mut harness = answering(Some("permessage-deflate"), Vec::new());
    dial(&mut harness, true);
    let frames = sent(&mut harness, &["short", &long]);
    assert_eq!(frames[0], (0x81, 6));
    assert!(matches!(frames[1], (0xC1, 1..100)), "{frames:x?}");

    let mut harness = answering(None, Vec::new());
    dial(&mut harness, true);
    assert_eq!(sent(&mut harness, &[&long]), [(0x81, 5_001)], "a server need not agree");
}

#[test]
fn what_the_server_compresses_is_read() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let mut frame = Vec::new();
    write(&mut frame, true, 0b100, Opcode::Text, None, &hello);
    let mut harness = answering(Some("permessage-deflate; server_no_context_takeover"), frame.clone());
    dial(&mut harness, true);
    assert_eq!(harness.heard(), ["websocket after 5ms and 3ms", "Hello"]);

    let mut harness = answering(None, frame);
    dial(&mut harness, true);
    let heard = harness.heard();
    assert!(heard[1].contains("reserved bits"), "{heard:?}");
}

#[test]
fn an_extension_that_was_not_offered_ends_the_connection() {
    for (extension, offers) in [("permessage-deflate", false), ("x-gzip", true)] {
        let mut harness = answering(Some(extension), Vec::new());
        dial(&mut harness, offers);
        let heard = harness.heard();
        assert!(matches!(&heard[..], [lost] if lost.contains("no extension but the one")), "{heard:?}");
    }
}
