//! The faults of polling payloads: what is read from a request body, what is written into a response body.

use super::{Fault, Faults};
use crate::engine::packet::{EncodedPacket, InvalidPacket, Packet};
use crate::engine::payload::{self, SEPARATOR};

/// The packets of a request body.
pub(crate) fn decode(
    faults: Faults,
    body: &str,
) -> Box<dyn Iterator<Item = Result<Packet<'_>, InvalidPacket>> + '_> {
    if faults.is_empty() {
        return Box::new(payload::decode(body));
    }
    let trimmed = body.trim_matches(SEPARATOR as char);
    let body = if faults.has(Fault::EmptyPacketTolerated) { trimmed } else { body };
    let mut parts: Vec<&str> = body.split(SEPARATOR as char).collect();
    if faults.has(Fault::PayloadReversed) {
        parts.reverse();
    }
    if faults.has(Fault::PayloadFirstPacketOnly) {
        parts.truncate(1);
    }
    if faults.has(Fault::PayloadSixteenPackets) {
        parts.truncate(16);
    }
    if faults.has(Fault::EmptyBinaryDropped) {
        parts.retain(|part| *part != "b");
    }
    Box::new(parts.into_iter().map(move |part| {
        let refused = part.starts_with('b') && faults.has(Fault::PostBinaryRefused);
        if refused { Err(InvalidPacket) } else { payload::element(part) }
    }))
}

/// Joins packets into a response body.
pub(crate) fn encode<'a>(faults: Faults, packets: impl IntoIterator<Item = &'a EncodedPacket>) -> Vec<u8> {
    if faults.is_empty() {
        return payload::encode(packets);
    }
    let mut parts: Vec<Vec<u8>> = packets.into_iter().map(|packet| payload::encode([packet])).collect();
    if faults.has(Fault::PollBase64ForUrls) {
        for byte in parts.iter_mut().filter(|part| part.starts_with(b"b")).flatten() {
            *byte = match *byte {
                b'+' => b'-',
                b'/' => b'_',
                byte => byte,
            };
        }
    }
    let separator: &[u8] = if faults.has(Fault::PollWithoutSeparators) { &[] } else { &[SEPARATOR] };
    let body = parts.join(separator);
    if faults.has(Fault::SeparatorUnescaped) {
        return String::from_utf8_lossy(&body).replace("\\u001e", "\u{1e}").into_bytes();
    }
    body
}
