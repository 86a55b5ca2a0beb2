use proptest::prelude::*;

use super::*;

fn read(body: &[u8]) -> Vec<Result<Packet<'_>, Rule>> {
    packets(body).map(|packet| packet.map_err(|violation| violation.rule)).collect()
}

/// The packets as they are spelled, in the form of text or of bytes.
fn written(packets: &[Packet<'_>], as_text: bool) -> Vec<u8> {
    let mut body = Vec::new();
    for packet in packets {
        let (mut text, mut typed) = (String::new(), vec![MESSAGE]);
        let spelled = match packet {
            Packet::Binary(bytes) => {
                typed.extend_from_slice(bytes);
                Spelled::Bytes(&typed)
            }
            packet => {
                engine_io::encode_text(packet, &mut text);
                Spelled::Text(&text)
            }
        };
        if as_text { spelled.append_as_text(&mut body) } else { spelled.append_as_bytes(&mut body) }
    }
    body
}

fn binary(bytes: &[u8]) -> Packet<'_> {
    Packet::Binary(Cow::Borrowed(bytes))
}

#[test]
fn the_payloads_of_the_specification_read_and_write_as_printed() {
    let table = [
        ("6:4hello2:4€", vec![Packet::Text("hello"), Packet::Text("€")]),
        ("3:4\u{1F600}1:2", vec![Packet::Text("\u{1F600}"), Packet::Ping("")]),
        ("2:4€10:b4AQIDBA==", vec![Packet::Text("€"), binary(&[1, 2, 3, 4])]),
    ];
    for (body, packets) in table {
        assert_eq!(read(body.as_bytes()), packets.iter().cloned().map(Ok).collect::<Vec<_>>(), "{body:?}");
        assert_eq!(written(&packets, true), body.as_bytes());
    }
}

#[test]
fn in_the_form_of_bytes_the_lengths_of_text_are_bytes_too() {
    let body = [&[0, 4, 255][..], "4€".as_bytes(), &[1, 1, 0, 255, 4], &[7; 9]].concat();
    let packets = [Packet::Text("€"), binary(&[7; 9])];
    assert_eq!(read(&body), packets.iter().cloned().map(Ok).collect::<Vec<_>>());
    assert_eq!(written(&packets, false), body);
}

#[test]
fn a_length_that_is_not_that_of_the_packet_is_a_violation_and_ends_the_payload() {
    let table: [&[u8]; 12] = [
        b"",
        b"4a",
        b":4a",
        b"x:4a",
        b"3:4a",
        b"2",
        // Counted in bytes, and in characters: a pair of surrogates is two.
        "5:4\u{1F600}".as_bytes(),
        "2:4\u{1F600}".as_bytes(),
        b"9999999999999999:4a",
        &[0, 2, b'4', b'a'],
        &[1, 2, 255, 4],
        &[1, 255, 4],
    ];
    for body in table {
        assert_eq!(read(body), [Err(Rule::PayloadLength)], "{body:?}");
    }
    assert_eq!(read(b"2:4a7:4b"), [Ok(Packet::Text("a")), Err(Rule::PayloadLength)]);
}

#[test]
fn a_packet_that_cannot_be_read_costs_only_itself() {
    assert_eq!(read(b"2:9a2:4b"), [Err(Rule::EnginePacketType), Ok(Packet::Text("b"))]);
    assert_eq!(read(b"5:b4A=A2:4b"), [Err(Rule::PayloadBase64), Ok(Packet::Text("b"))]);
    assert_eq!(read(b"4:b3AA2:4b"), [Err(Rule::FrameType), Ok(Packet::Text("b"))]);
    assert_eq!(read(b"2:4\xff2:4b"), [Err(Rule::PayloadUtf8), Ok(Packet::Text("b"))]);
    assert_eq!(read(&[1, 1, 255, 3, 0, 2, 255, b'4', b'b']), [Err(Rule::FrameType), Ok(Packet::Text("b"))]);
    assert_eq!(read(b"0:2:4b"), [Err(Rule::EnginePacketType), Ok(Packet::Text("b"))]);
}

proptest! {
    #[test]
    fn what_is_written_in_either_form_reads_back(items in proptest::collection::vec((".{0,20}", any::<Vec<u8>>(), any::<bool>()), 1..6)) {
        let packets: Vec<Packet<'_>> = items
            .iter()
            .map(|(text, bytes, is_text)| if *is_text { Packet::Text(text) } else { binary(bytes) })
            .collect();
        for as_text in [true, false] {
            let body = written(&packets, as_text);
            prop_assert_eq!(read(&body), packets.iter().cloned().map(Ok).collect::<Vec<_>>());
        }
    }

    #[test]
    fn any_bytes_are_read_to_an_end(body in any::<Vec<u8>>()) {
        prop_assert!(packets(&body).count() <= body.len().max(1));
    }
}
