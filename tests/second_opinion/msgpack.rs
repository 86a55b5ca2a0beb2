//! The codec of the parser msgpack against the official `socket.io-msgpack-parser`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sockrates::protocol::msgpack;
use sockrates::protocol::socket_io::{Kind, Packet};

use super::packets::{Meant, Parser, attach, bytes_of, detach, examine, meant};

/// What we write.
fn written(meant: &Meant) -> Vec<u8> {
    let mut attachments = Vec::new();
    let data = meant.data.clone().map(|mut data| {
        detach(&mut data, &mut attachments);
        data.to_string()
    });
    let Meant { kind, namespace, id, .. } = meant;
    let attached = attachments.len() as u32;
    let packet = Packet { kind: *kind, attachments: attached, namespace, id: *id, data: data.as_deref() };
    let attachments: Vec<Bytes> = attachments.iter().map(bytes_in).collect();
    msgpack::encode(&packet, &attachments)
}

fn bytes_in(value: &Json) -> Bytes {
    STANDARD.decode(value["$b64"].as_str().expect("bytes")).expect("base64").into()
}

/// What we read.
fn read(bytes: &[u8]) -> Meant {
    let decoded = msgpack::decode(bytes).expect("the official parser writes packets");
    let attachments: Vec<Json> = decoded.attachments.iter().map(bytes_of).collect();
    let mut data: Option<Json> = decoded.data.map(|data| serde_json::from_str(&data).expect("JSON"));
    data.iter_mut().for_each(|data| attach(data, &attachments));
    Meant { kind: decoded.kind, namespace: decoded.namespace, id: decoded.id, data }.plain()
}

/// What the official parser reads.
fn read_by(parser: &mut Parser, bytes: &[u8]) -> Meant {
    let packet = parser.ask("decodeMsgpack", &bytes_of(bytes)).expect("it is a packet");
    let data = packet.get("data").cloned();
    let kind = Kind::ALL[packet["type"].as_u64().expect("a type") as usize];
    let namespace = packet["nsp"].as_str().expect("a namespace").to_owned();
    Meant { kind, namespace, id: packet["id"].as_u64(), data }.plain()
}

#[test]
fn the_official_parser_reads_the_packets_that_we_write() {
    examine(&meant(), |parser, meant| {
        let bytes = written(&meant);
        prop_assert_eq!(read_by(parser, &bytes), meant.plain(), "{:02x?}", bytes);
        Ok(())
    });
}

#[test]
fn we_read_the_packets_that_the_official_parser_writes() {
    examine(&meant(), |parser, meant| {
        let bytes = bytes_in(&parser.ask("encodeMsgpack", &meant.as_json()).expect("it writes every packet"));
        // Not what was meant: it writes whole numbers above 2^64 as others.
        prop_assert_eq!(read(&bytes), read_by(parser, &bytes), "{:02x?}", bytes);
        Ok(())
    });
}

#[test]
fn bytes_that_are_no_packet_to_us_are_none_to_them() {
    let Some(mut parser) = Parser::start() else { return };
    for packet in [
        json!({ "type": 5, "nsp": "/", "data": ["a"] }),
        json!({ "type": -1, "nsp": "/" }),
        json!({ "type": 2, "data": ["a"] }),
        json!({ "type": 2, "nsp": 1, "data": ["a"] }),
        json!({ "type": 2, "nsp": "/" }),
        json!({ "type": 2, "nsp": "/", "data": {} }),
        json!({ "type": 2, "nsp": "/", "data": ["a"], "id": "x" }),
        json!({ "type": 0, "nsp": "/", "data": "token" }),
        json!({ "type": 1, "nsp": "/", "data": {} }),
        json!({ "type": 4, "nsp": "/", "data": 1 }),
    ] {
        let bytes = bytes_in(&parser.ask("encodeMsgpack", &packet).expect("it writes anything"));
        assert!(msgpack::decode(&bytes).is_err(), "we, {packet}");
        assert!(parser.ask("decodeMsgpack", &bytes_of(&bytes)).is_err(), "they, {packet}");
    }
}
