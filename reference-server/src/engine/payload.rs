//! Payloads: several packets in the body of one HTTP request or response.
//!
//! Spec: Engine.IO protocol v4, "HTTP long-polling": packets are joined by the record separator U+001E,
//! binary packets are `b` followed by padded standard base64.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use bytes::Bytes;

use super::packet::{EncodedPacket, InvalidPacket, Packet};

/// Between two packets of a payload.
pub(crate) const SEPARATOR: u8 = 0x1e;

/// Clients differ in whether they pad: both are read, only the padded form is written.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The packets of a request body, in order. An invalid one ends the usefulness of the rest: the caller
/// stops there and closes the session.
pub(crate) fn decode(body: &str) -> impl Iterator<Item = Result<Packet<'_>, InvalidPacket>> {
    body.split(SEPARATOR as char).map(element)
}

/// One packet of a payload.
pub(crate) fn element(part: &str) -> Result<Packet<'_>, InvalidPacket> {
    let Some(base64) = part.strip_prefix('b') else { return Packet::from_text(part) };
    LENIENT.decode(base64).map(|data| Packet::Binary(Bytes::from(data))).map_err(|_| InvalidPacket)
}

/// Joins packets into a response body.
pub(crate) fn encode<'a>(packets: impl IntoIterator<Item = &'a EncodedPacket>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (n, packet) in packets.into_iter().enumerate() {
        if n > 0 {
            bytes.push(SEPARATOR);
        }
        if packet.is_binary() {
            bytes.push(b'b');
            bytes.extend_from_slice(STANDARD.encode(packet.body()).as_bytes());
        } else {
            bytes.extend_from_slice(packet.body());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_specification_is_read() {
        // Engine.IO protocol v4, "HTTP long-polling": 4hello\x1e2\x1e4world
        let packets: Vec<_> = decode("4hello\u{1e}2\u{1e}4world").map(Result::unwrap).collect();
        assert_eq!(packets, [Packet::Message("hello"), Packet::Ping(""), Packet::Message("world")]);
    }

    #[test]
    fn the_binary_example_of_the_specification_goes_both_ways() {
        // Engine.IO protocol v4: 4hello\x1ebAQIDBA==
        let packets: Vec<_> = decode("4hello\u{1e}bAQIDBA==").map(Result::unwrap).collect();
        assert_eq!(packets, [Packet::Message("hello"), Packet::Binary(Bytes::from_static(&[1, 2, 3, 4]))]);
        let body = encode(&[EncodedPacket::fixed("4hello"), EncodedPacket::binary(&[1, 2, 3, 4])]);
        assert_eq!(body, b"4hello\x1ebAQIDBA==");
    }

    #[test]
    fn an_empty_binary_packet_goes_both_ways() {
        assert_eq!(decode("b").next(), Some(Ok(Packet::Binary(Bytes::new()))));
        assert_eq!(encode(&[EncodedPacket::binary(&[])]), b"b");
    }

    #[test]
    fn leading_trailing_and_doubled_separators_are_empty_packets_and_therefore_invalid() {
        for body in ["", "\u{1e}", "40\u{1e}", "\u{1e}40", "40\u{1e}\u{1e}40"] {
            assert!(decode(body).any(|packet| packet.is_err()), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(messages in prop::collection::vec(
            prop_oneof![
                "[^\u{1e}]{0,40}".prop_map(|text| (text, None)),
                prop::collection::vec(any::<u8>(), 0..40).prop_map(|data| (String::new(), Some(data))),
            ], 1..20)) {
            let packets: Vec<_> = messages.iter().map(|(text, data)| match data {
                None => EncodedPacket::text(0, |out| { out.push(b'4'); out.extend_from_slice(text.as_bytes()); }),
                Some(data) => EncodedPacket::binary(data),
            }).collect();
            let body = String::from_utf8(encode(&packets)).unwrap();
            let decoded: Vec<_> = decode(&body).map(Result::unwrap).collect();
            let expected: Vec<_> = messages.iter().map(|(text, data)| match data {
                None => Packet::Message(text),
                Some(data) => Packet::Binary(Bytes::from(data.clone())),
            }).collect();
            prop_assert_eq!(decoded, expected);
        }

        #[test]
        fn no_body_makes_the_decoder_panic(body in ".{0,200}") {
            let _ = decode(&body).count();
        }
    }
}
