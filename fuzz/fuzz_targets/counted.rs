//! Payloads of Engine.IO 3, in both forms: what is read is written the same way again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::protocol::counted::{self, Spelled};
use sockrates::protocol::engine_io::{self, Packet};

fuzz_target!(|body: &[u8]| {
    let Ok(packets) = counted::packets(body).collect::<Result<Vec<Packet<'_>>, _>>() else { return };
    for as_text in [true, false] {
        let mut again = Vec::new();
        for packet in &packets {
            let (mut text, mut typed) = (String::new(), vec![counted::MESSAGE]);
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
            match as_text {
                true => spelled.append_as_text(&mut again),
                false => spelled.append_as_bytes(&mut again),
            }
        }
        assert!(counted::packets(&again).map(Result::ok).eq(packets.iter().cloned().map(Some)));
    }
});
