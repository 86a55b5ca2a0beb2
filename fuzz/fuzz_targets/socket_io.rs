//! Socket.IO packets: reading, writing, the event's name, and the strict reading.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::protocol::socket_io::{Kind, decode, event_name, examine};

fuzz_target!(|text: &str| {
    let Ok(packet) = decode(text) else {
        assert!(examine(text).is_err());
        return;
    };
    let name = packet.data.and_then(event_name);
    if examine(text).is_ok() && matches!(packet.kind, Kind::Event | Kind::BinaryEvent) {
        assert!(name.is_some());
    }
    let mut again = String::new();
    packet.encode(&mut again);
    assert_eq!(decode(&again), Ok(packet));
});
