//! Responses: the same whether the bytes come at once or one by one, and never above the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::protocol::Violation;
use sockrates::protocol::http::{Response, Responses};

const MAX: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    let at_once = read(bytes, bytes.len().max(1));
    let one_by_one = read(bytes, 1);
    assert_eq!(at_once.0, one_by_one.0);
    assert_eq!(at_once.1.is_some(), one_by_one.1.is_some());
});

/// The responses up to a switch of protocols, and the violation that ended them.
fn read(bytes: &[u8], size: usize) -> (Vec<Response>, Option<Violation>) {
    let mut responses = Responses::new(MAX);
    let mut all = Vec::new();
    for mut piece in bytes.chunks(size) {
        loop {
            match responses.read(&mut piece) {
                Err(violation) => return (all, Some(violation)),
                Ok(None) => break,
                Ok(Some(response)) => {
                    assert!(response.body.len() <= MAX);
                    let switched = response.head.status == 101;
                    all.push(response);
                    if switched {
                        return (all, None);
                    }
                }
            }
        }
    }
    match responses.eof() {
        Ok(last) => all.extend(last),
        Err(violation) => return (all, Some(violation)),
    }
    (all, None)
}
