//! Scenarios: whatever a document says, it is refused with a place, or it can be explained and made ready.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use sockrates::document::{Source, render};
use sockrates::plan::{Plan, RunOptions};
use sockrates::scenario::{Surroundings, explain, read};

/// A plan takes memory for each client.
const FEW: u32 = 1_000;

fuzz_target!(|text: &str| {
    let source = Source { name: "fuzzed.yaml".to_owned(), text: text.to_owned() };
    let surroundings = Surroundings::new(|_| None, |_| Err("there are no files".to_owned()));
    match read(&source, &surroundings) {
        Ok(scenario) => {
            assert!(!explain(&scenario).is_empty());
            if scenario.clients() <= FEW {
                let plan = Plan::new(&scenario, RunOptions::usual(Instant::now()));
                assert_eq!(plan.clients().count(), scenario.clients() as usize);
            }
        }
        Err(mistake) => assert!(render(&mistake, &source).contains("fuzzed.yaml")),
    }
});
