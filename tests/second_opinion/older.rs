//! The codecs of Engine.IO 3 and Socket.IO protocol 4 against the official parsers of that time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::Value as Json;
use sockrates::protocol::counted::{self, Spelled};
use sockrates::protocol::engine_io::{self, Packet as EnginePacket};
use sockrates::protocol::socket_io;

use super::packets::{Parser, Said, bytes_of, engine_packet, examine_with, meant, read, written};
use crate::peers;

fn parser() -> Option<Parser> {
    peers::older_parsers().map(Parser::of)
}

#[test]
fn the_packets_of_socket_io_2_are_those_of_today() {
    let Some(parser) = parser() else { return };
    examine_with(parser, &meant(), |parser, meant| {
        let (text, attachments) = written(&meant);
        prop_assert_eq!(parser.read(&text, &attachments), Ok(meant.plain()), "{}", text);
        let messages = parser.ask("encode", &meant.as_json()).expect("it writes every packet");
        let (text, attachments) = messages.as_array().and_then(|all| all.split_first()).expect("a list");
        let packet = socket_io::decode(text.as_str().expect("the text comes first")).expect("it is right");
        prop_assert_eq!(read(&packet, attachments), meant.plain(), "{}", text);
        Ok(())
    });
}

/// Text with characters of one, two, three and four bytes, and of one and two UTF-16 code units.
fn payload() -> impl Strategy<Value = Vec<Said>> {
    prop::collection::vec(engine_packet("[a-z€é:0-9\u{1F600}\u{10FFFF}\\PC]{0,20}"), 1..8)
}

fn ours(packets: &[Said], as_text: bool) -> Vec<u8> {
    let mut body = Vec::new();
    for packet in packets {
        let (mut text, mut typed) = (String::new(), vec![counted::MESSAGE]);
        let spelled = match packet.ours() {
            EnginePacket::Binary(bytes) => {
                typed.extend_from_slice(&bytes);
                Spelled::Bytes(&typed)
            }
            packet => {
                engine_io::encode_text(&packet, &mut text);
                Spelled::Text(&text)
            }
        };
        match as_text {
            true => spelled.append_as_text(&mut body),
            false => spelled.append_as_bytes(&mut body),
        }
    }
    body
}

#[test]
fn payloads_of_text_are_spelled_alike_and_read_alike() {
    let Some(parser) = parser() else { return };
    examine_with(parser, &payload(), |parser, packets| {
        let theirs: Json = packets.iter().map(Said::theirs).collect();
        let body = String::from_utf8(ours(&packets, true)).expect("it is text");
        prop_assert_eq!(parser.ask("encodeText", &theirs), Ok(Json::from(body.clone())));
        prop_assert_eq!(parser.ask("decodePayload", &Json::from(body.clone())), Ok(theirs));
        let read: Vec<_> = counted::packets(body.as_bytes()).collect();
        prop_assert_eq!(read, packets.iter().map(|packet| Ok(packet.ours())).collect::<Vec<_>>());
        Ok(())
    });
}

#[test]
fn payloads_of_bytes_are_spelled_alike_and_read_alike() {
    let Some(parser) = parser() else { return };
    examine_with(parser, &payload(), |parser, packets| {
        let theirs: Json = packets.iter().map(Said::theirs).collect();
        let body = ours(&packets, false);
        let written = parser.ask("encodeBytes", &theirs).expect("it writes every packet");
        let written = STANDARD.decode(written["$b64"].as_str().expect("bytes")).expect("base64");
        prop_assert_eq!(&written, &body);
        prop_assert_eq!(parser.ask("decodePayload", &bytes_of(&body)), Ok(theirs));
        let read: Vec<_> = counted::packets(&body).collect();
        prop_assert_eq!(read, packets.iter().map(|packet| Ok(packet.ours())).collect::<Vec<_>>());
        Ok(())
    });
}

#[test]
fn what_is_no_payload_to_them_is_none_to_us() {
    let Some(mut parser) = parser() else { return };
    for body in ["", "x", "2", ":4a", "1:4a", "3:4a", "x:4a", "2:9a", "0:"] {
        assert!(counted::packets(body.as_bytes()).any(|packet| packet.is_err()), "we, {body}");
        let read = parser.ask("decodePayload", &Json::from(body)).expect("it answers");
        // A packet of no characters is passed over there.
        let is_wrong = read.as_array().is_some_and(|all| all.iter().any(|packet| packet["type"] == "error"));
        assert!(is_wrong || body == "0:", "they, {body}: {read}");
    }
}
