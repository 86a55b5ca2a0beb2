//! What `run` and `conform` write with `--json` is what `sockrates schema result` says, in every test that writes it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value as Json, json};

/// Where a command line writes a result, if it does.
pub(crate) fn place(command: &Command) -> Option<PathBuf> {
    let arguments: Vec<&OsStr> = command.get_args().collect();
    let flag = arguments.iter().position(|argument| *argument == "--json")?;
    let is_verb = |argument: &&OsStr| *argument == "run" || *argument == "conform";
    arguments[..flag]
        .iter()
        .any(is_verb)
        .then(|| PathBuf::from(arguments.get(flag + 1).unwrap_or(&OsStr::new("-"))))
}

/// Demands that what stands in this file, if it is one, is a result.
pub(crate) fn judge(path: &Path) {
    if !path.is_file() {
        return;
    }
    let text = fs::read_to_string(path).expect("the results can be read");
    let result: Json = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why} in {text:?}"));
    let wrong = complaints(&result);
    assert!(wrong.is_empty(), "{} is not as the schema says: {wrong:#?}", path.display());
}

/// What the schema has to say against it.
fn complaints(result: &Json) -> Vec<String> {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    let validator = VALIDATOR.get_or_init(|| {
        let printed = Command::new(env!("CARGO_BIN_EXE_sockrates")).args(["schema", "result"]).output();
        let schema = serde_json::from_slice(&printed.expect("the program can be started").stdout);
        jsonschema::validator_for(&schema.expect("it prints JSON")).expect("it prints a schema")
    });
    validator.iter_errors(result).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn what_is_no_result_is_noticed() {
    for wrong in [
        json!({}),
        json!({ "schema_version": 1, "results": [{}] }),
        json!({ "schema_version": "1", "results": [] }),
    ] {
        assert!(!complaints(&wrong).is_empty(), "{wrong}");
    }
    assert_eq!(complaints(&json!({ "schema_version": 1, "results": [] })), [""; 0]);
}
