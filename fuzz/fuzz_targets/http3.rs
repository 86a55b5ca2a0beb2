//! What a server says around a session of WebTransport: the same whether the bytes come at once, in pieces or one by one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::protocol::http3::{Answer, Answers, Told};

/// The answers up to the one that ends the session, and whether they could be read.
fn answered<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Answer>, bool) {
    let mut answers = Answers::default();
    let mut all = Vec::new();
    for piece in pieces {
        let mut read = answers.read(piece);
        loop {
            match read {
                Ok(None) => break,
                Ok(Some(answer)) => all.push(answer),
                Err(_) => return (all, false),
            }
            if !matches!(all.last(), Some(Answer::Accepted)) {
                return (all, true);
            }
            read = answers.read(&[]);
        }
    }
    (all, true)
}

/// Whether the settings offer sessions, if they are told, and whether they could be read.
fn told<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Option<bool>, bool) {
    let mut told = Told::default();
    let mut said = None;
    for piece in pieces {
        match told.read(piece) {
            Ok(more) => said = said.or(more),
            Err(_) => return (said, false),
        }
    }
    (said, true)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, stream)) = bytes.split_first() else { return };
    let size = usize::from(*size).max(1);
    let at_once = answered(std::iter::once(stream));
    assert_eq!(answered(stream.chunks(size)), at_once);
    assert_eq!(answered(stream.chunks(1)), at_once);
    let at_once = told(std::iter::once(stream));
    assert_eq!(told(stream.chunks(size)), at_once);
    assert_eq!(told(stream.chunks(1)), at_once);
});
