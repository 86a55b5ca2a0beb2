//! Result files: whatever stands in one, it is refused or every report can be made of it, and it is written so that it
//! can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::report::{html, json, junit, markdown, of_runs};

fuzz_target!(|text: &str| {
    let Ok(results) = json::from_json(text) else { return };
    assert!(json::from_json(&json::to_json(&results)).is_ok());
    let report = of_runs(&results);
    let _ = html(&report);
    let _ = markdown(&report);
    let _ = junit::to_junit(&results);
});
