//! The packets on a stream of WebTransport against the official `engine.io-parser`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value as Json, json};
use sockrates::protocol::engine_io;
use sockrates::protocol::websocket::Message;
use sockrates::protocol::webtransport::{Decoder, write};

use crate::packets::{Parser, Said, bytes_of, engine_packet, examine};

/// The largest packet that either side takes here.
const LIMIT: u64 = 100_000;

#[test]
fn streams_are_spelled_alike_and_read_alike_however_they_are_cut() {
    examine(&(packets(), prop::collection::vec(any::<Index>(), 0..6)), |parser, (packets, places)| {
        let stream = written(&packets);
        let theirs: Json = packets.iter().map(Said::theirs).collect();
        prop_assert_eq!(parser.ask("encodeStream", &theirs), Ok(bytes_of(&stream)));
        let pieces = cut(&stream, &places);
        prop_assert_eq!(read_by(parser, &pieces), theirs);
        let ours: Vec<String> = packets.iter().map(|packet| format!("{:?}", packet.ours())).collect();
        prop_assert_eq!(read(&pieces), (ours, false));
        Ok(())
    });
}

#[test]
fn where_we_stop_at_a_length_the_official_parser_stops_too() {
    let damage = prop_oneof![
        Just(vec![0]),
        Just(vec![0x80]),
        Just(vec![127, 0, 0, 0, 0, 0, 1, 0x86, 0xa1]),
        Just(vec![126, 0, 0, b'x']),
        Just(vec![0xff; 9]),
        (0x20..=0xff_u8).prop_map(|high| vec![127, 0, high, 0, 0, 0, 0, 0, 1, b'2']),
    ];
    examine(&(packets(), damage), |parser, (packets, damage)| {
        let stream = [written(&packets), damage].concat();
        let theirs = read_by(parser, &[&stream]);
        let (ours, stopped) = read(&[&stream]);
        prop_assert!(stopped);
        let theirs = theirs.as_array().expect("packets");
        prop_assert_eq!(theirs.len(), ours.len() + 1, "{:?}", theirs);
        prop_assert_eq!(&theirs[ours.len()]["type"], "error");
        Ok(())
    });
}

fn packets() -> impl Strategy<Value = Vec<Said>> {
    let long = prop::sample::select(vec![124_usize, 125, 126, 65_534, 65_535, 65_536]);
    let packet = prop_oneof![
        // An empty packet of bytes is written and read as an error.
        5 => engine_packet("\\PC{0,40}").prop_filter("empty", |said| !matches!(said, Said::Bytes(bytes) if bytes.is_empty())),
        1 => long.clone().prop_map(|length| Said::Text("message", "x".repeat(length))),
        1 => long.prop_map(|length| Said::Bytes(vec![7; length])),
    ];
    prop::collection::vec(packet, 0..5)
}

fn written(packets: &[Said]) -> Vec<u8> {
    let mut stream = Vec::new();
    for packet in packets {
        match packet {
            Said::Bytes(bytes) => write(&mut stream, true, &[bytes]),
            packet => {
                let mut text = String::new();
                engine_io::encode_text(&packet.ours(), &mut text);
                write(&mut stream, false, &[text]);
            }
        }
    }
    stream
}

/// The packets that we make of the pieces, and whether we stop before their end.
fn read(pieces: &[&[u8]]) -> (Vec<String>, bool) {
    let mut decoder = Decoder::new(LIMIT);
    let mut packets = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        loop {
            packets.push(match decoder.read(&mut rest) {
                Ok(None) => break,
                Ok(Some(Message::Text(text))) => {
                    format!("{:?}", engine_io::decode_text(&text).expect("a type"))
                }
                Ok(Some(Message::Binary(bytes))) => format!("{:?}", engine_io::Packet::Binary(bytes)),
                Ok(Some(other)) => panic!("no packet is {other:?}"),
                Err(_) => return (packets, true),
            });
        }
    }
    (packets, false)
}

fn read_by(parser: &mut Parser, pieces: &[&[u8]]) -> Json {
    let pieces: Vec<Json> = pieces.iter().map(|piece| json!({ "$b64": STANDARD.encode(piece) })).collect();
    parser.ask("decodeStream", &json!({ "pieces": pieces, "limit": LIMIT })).expect("it reads every stream")
}

/// The stream in pieces that end at these places, none of them empty.
fn cut<'a>(stream: &'a [u8], places: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = places.iter().map(|place| place.index(stream.len() + 1)).collect();
    ends.push(stream.len());
    ends.sort_unstable();
    let mut from = 0;
    let pieces = ends.into_iter().map(|end| &stream[std::mem::replace(&mut from, end)..end]);
    pieces.filter(|piece| !piece.is_empty()).collect()
}
