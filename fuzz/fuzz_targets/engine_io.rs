//! Payloads, packets and handshakes: what is read is written the same way again. Calls of JSONP are read to their end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::protocol::engine_io::{Handshake, Packet};
use sockrates::protocol::{jsonp, payload};

fuzz_target!(|body: &str| {
    let _ = jsonp::payload_of(format!("___eio[0]({body}").as_bytes(), "0");
    let _ = jsonp::form_of(body);
    let packets: Vec<_> = payload::packets(body).collect();
    for packet in packets.iter().flatten() {
        if let Packet::Open(json) = packet {
            let _ = Handshake::decode(json);
        }
    }
    let Ok(packets) = packets.into_iter().collect::<Result<Vec<Packet<'_>>, _>>() else { return };
    let mut again = String::new();
    packets.iter().for_each(|packet| payload::append(packet, &mut again));
    assert!(payload::packets(&again).map(Result::ok).eq(packets.into_iter().map(Some)));
});
