//! Streams of packets in pieces: whatever the pieces, the same is read, and what is read is written in as few bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::protocol::websocket::Message;
use sockrates::protocol::webtransport::{Decoder, write};

/// The packets as text for comparing, and whether the stream could be read to its end.
fn read(pieces: &mut dyn Iterator<Item = &[u8]>, out: &mut Vec<u8>) -> (usize, bool) {
    let mut decoder = Decoder::new(4096);
    let mut packets = 0;
    for piece in pieces {
        let mut rest = piece;
        loop {
            match decoder.read(&mut rest) {
                Ok(None) => break,
                Ok(Some(Message::Text(text))) => write(out, false, &[text.as_bytes()]),
                Ok(Some(Message::Binary(bytes))) => write(out, true, &[&bytes]),
                Ok(Some(other)) => panic!("no packet is {other:?}"),
                Err(_) => return (packets, false),
            }
            packets += 1;
        }
    }
    (packets, true)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((step, stream)) = bytes.split_first() else { return };
    let (mut whole, mut cut, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let told = read(&mut std::iter::once(stream), &mut whole);
    assert_eq!(read(&mut stream.chunks(usize::from(*step).max(1)), &mut cut), told);
    assert_eq!(cut, whole);
    assert!(whole.len() <= stream.len());
    assert_eq!(read(&mut std::iter::once(&whole[..]), &mut again), (told.0, true));
    assert_eq!(again, whole);
});
