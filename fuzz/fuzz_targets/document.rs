//! Documents: whatever is written is read, or refused with a place; what was read, written as JSON, reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::document::{Source, parse, render};

fuzz_target!(|bytes: &[u8]| {
    let name = "fuzzed.yaml".to_owned();
    let Ok(source) = Source::from_bytes(name.clone(), bytes.to_vec()) else { return };
    match parse(&source) {
        Ok(node) => {
            let json = node.to_json();
            if let Ok(again) = parse(&Source { name, text: json.to_string() }) {
                assert_eq!(again.to_json(), json);
            }
        }
        Err(mistake) => assert!(render(&mistake, &source).contains("fuzzed.yaml")),
    }
});
