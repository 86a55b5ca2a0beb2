//! What a program writes with `--json` is what `sockrates schema` says of it, in every test that writes it or reads it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value as Json, json};

const VERBS: [&str; 4] = ["run", "conform", "capacity", "compare"];

/// Where a command line writes a result, if it does.
pub(crate) fn place(command: &Command) -> Option<PathBuf> {
    let arguments: Vec<&OsStr> = command.get_args().collect();
    let flag = arguments.iter().position(|argument| *argument == "--json")?;
    let is_verb = |argument: &&OsStr| VERBS.iter().any(|verb| *argument == *verb);
    arguments[..flag]
        .iter()
        .any(is_verb)
        .then(|| PathBuf::from(arguments.get(flag + 1).unwrap_or(&OsStr::new("-"))))
}

/// Demands that what stands in this file, if it is one, is a result.
#[track_caller]
pub(crate) fn judge(path: &Path) {
    if path.is_file() {
        read(path);
    }
}

/// The result in this file, which has to be one.
#[track_caller]
pub(crate) fn read(path: &Path) -> Json {
    let text = fs::read_to_string(path).expect("the results can be read");
    let result: Json = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why} in {text:?}"));
    let wrong = complaints(&result);
    assert!(wrong.is_empty(), "{} is not as the schema says: {wrong:#?}", path.display());
    result
}

/// What the schema has to say against it.
fn complaints(result: &Json) -> Vec<String> {
    static VALIDATORS: [OnceLock<Validator>; 3] = [const { OnceLock::new() }; 3];
    let has = |key: &str| result.get(key).is_some();
    let (validator, name) = match () {
        () if has("capacity") => (&VALIDATORS[0], "capacity"),
        () if has("comparison") || has("diff") => (&VALIDATORS[1], "comparison"),
        () => (&VALIDATORS[2], "result"),
    };
    let validator = validator.get_or_init(|| {
        let printed = Command::new(env!("CARGO_BIN_EXE_sockrates")).args(["schema", name]).output();
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
        json!({ "schema_version": 1, "capacity": {} }),
        json!({ "schema_version": 1, "comparison": {} }),
        json!({ "schema_version": 1, "diff": {} }),
    ] {
        assert!(!complaints(&wrong).is_empty(), "{wrong}");
    }
    assert_eq!(complaints(&json!({ "schema_version": 1, "results": [] })), [""; 0]);
}
