//! Frames and messages: the limits hold, and a frame is written the same way again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::protocol::deflate::Agreed;
use sockrates::protocol::websocket::{Message, Messages, needed, parse, write};

const MAX: u64 = 4096;

fn agreed(kind: u8) -> Agreed {
    let (server_no_context, server_bits) = (kind == 2, if kind == 3 { 8 } else { 15 });
    Agreed { server_no_context, client_no_context: false, server_bits, client_bits: 15 }
}

fuzz_target!(|bytes: &[u8]| {
    // The first byte says whether compression was agreed on, and how.
    let (mut messages, mut rest) = match bytes.split_first() {
        Some((kind @ 1..4, rest)) => (Messages::compressed(agreed(*kind)), rest),
        _ => (Messages::new(), bytes),
    };
    while let Ok(Some((frame, consumed))) = parse(rest, MAX) {
        assert_eq!(needed(rest), Some(consumed));
        if !frame.masked {
            let mut again = Vec::new();
            write(&mut again, frame.fin, frame.rsv, frame.opcode, None, frame.payload);
            assert_eq!(again, &rest[..consumed]);
        }
        match messages.push(frame, MAX) {
            Ok(Some(Message::Text(text))) => assert!(text.len() as u64 <= MAX),
            Ok(Some(Message::Binary(bytes))) => assert!(bytes.len() as u64 <= MAX),
            _ => {}
        }
        rest = &rest[consumed..];
    }
});
