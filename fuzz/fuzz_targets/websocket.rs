//! Frames and messages: the limits hold, and a frame is written the same way again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::protocol::websocket::{Message, Messages, needed, parse, write};

const MAX: u64 = 4096;

fuzz_target!(|bytes: &[u8]| {
    let mut messages = Messages::new();
    let mut rest = bytes;
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
