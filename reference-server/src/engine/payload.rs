//! Payloads: several packets in the body of one HTTP request or response.
//!
//! Spec: Engine.IO protocol v4, "HTTP long-polling": packets are joined by the record separator U+001E,
//! binary packets are `b` followed by padded standard base64.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE};
use bytes::Bytes;

use super::packet::{EncodedPacket, InvalidPacket, Packet};
use crate::faults::{Fault, Faults};

/// Between two packets of a payload.
pub const SEPARATOR: u8 = 0x1e;

/// Clients differ in whether they pad: both are read, only the padded form is written.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The packets of a request body, in order. An invalid one ends the usefulness of the rest: the caller
/// stops there and closes the session.
pub fn decode(body: &str, faults: Faults) -> impl Iterator<Item = Result<Packet<'_>, InvalidPacket>> {
    let trimmed = body.trim_matches(SEPARATOR as char);
    let body = if faults.has(Fault::EmptyPacketTolerated) { trimmed } else { body };
    let most = match faults {
        _ if faults.has(Fault::PayloadFirstPacketOnly) => 1,
        _ if faults.has(Fault::PayloadSixteenPackets) => 16,
        _ => usize::MAX,
    };
    let skipped = move |part: &&str| *part == "b" && faults.has(Fault::EmptyBinaryDropped);
    body.split(SEPARATOR as char).take(most).filter(move |part| !skipped(part)).map(move |part| {
        match part.strip_prefix('b') {
            Some(_) if faults.has(Fault::PostBinaryRefused) => Err(InvalidPacket),
            Some(base64) => LENIENT
                .decode(base64)
                .map(|data| Packet::Binary(Bytes::from(data)))
                .map_err(|_| InvalidPacket),
            None => Packet::from_text(part),
        }
    })
}

/// The same packets, last first.
pub(super) fn reversed(body: &str) -> String {
    body.rsplit(SEPARATOR as char).collect::<Vec<_>>().join("\u{1e}")
}

/// Joins packets into a response body.
pub fn encode<'a>(packets: impl IntoIterator<Item = &'a EncodedPacket>, faults: Faults) -> Vec<u8> {
    let alphabet = if faults.has(Fault::PollBase64ForUrls) { &URL_SAFE } else { &STANDARD };
    let mut body = String::new();
    let mut bytes = Vec::new();
    for (n, packet) in packets.into_iter().enumerate() {
        if n > 0 && !faults.has(Fault::PollWithoutSeparators) {
            bytes.push(SEPARATOR);
        }
        if packet.is_binary() {
            body.clear();
            alphabet.encode_string(packet.body(), &mut body);
            bytes.push(b'b');
            bytes.extend_from_slice(body.as_bytes());
        } else {
            bytes.extend_from_slice(packet.body());
        }
    }
    if faults.has(Fault::SeparatorUnescaped) {
        return String::from_utf8_lossy(&bytes).replace("\\u001e", "\u{1e}").into_bytes();
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
        let packets: Vec<_> = decode("4hello\u{1e}2\u{1e}4world", Faults::NONE).map(Result::unwrap).collect();
        assert_eq!(packets, [Packet::Message("hello"), Packet::Ping(""), Packet::Message("world")]);
    }

    #[test]
    fn the_binary_example_of_the_specification_goes_both_ways() {
        // Engine.IO protocol v4: 4hello\x1ebAQIDBA==
        let packets: Vec<_> = decode("4hello\u{1e}bAQIDBA==", Faults::NONE).map(Result::unwrap).collect();
        assert_eq!(packets, [Packet::Message("hello"), Packet::Binary(Bytes::from_static(&[1, 2, 3, 4]))]);
        let body =
            encode(&[EncodedPacket::fixed("4hello"), EncodedPacket::binary(&[1, 2, 3, 4])], Faults::NONE);
        assert_eq!(body, b"4hello\x1ebAQIDBA==");
    }

    #[test]
    fn an_empty_binary_packet_goes_both_ways() {
        assert_eq!(decode("b", Faults::NONE).next(), Some(Ok(Packet::Binary(Bytes::new()))));
        assert_eq!(encode(&[EncodedPacket::binary(&[])], Faults::NONE), b"b");
    }

    #[test]
    fn leading_trailing_and_doubled_separators_are_empty_packets_and_therefore_invalid() {
        for body in ["", "\u{1e}", "40\u{1e}", "\u{1e}40", "40\u{1e}\u{1e}40"] {
            assert!(decode(body, Faults::NONE).any(|packet| packet.is_err()), "{body:?}");
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
            let body = String::from_utf8(encode(&packets, Faults::NONE)).unwrap();
            let decoded: Vec<_> = decode(&body, Faults::NONE).map(Result::unwrap).collect();
            let expected: Vec<_> = messages.iter().map(|(text, data)| match data {
                None => Packet::Message(text),
                Some(data) => Packet::Binary(Bytes::from(data.clone())),
            }).collect();
            prop_assert_eq!(decoded, expected);
        }

        #[test]
        fn no_body_makes_the_decoder_panic(body in ".{0,200}") {
            let _ = decode(&body, Faults::NONE).count();
        }
    }
}
