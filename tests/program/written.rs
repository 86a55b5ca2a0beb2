//! What a program writes with `--json` is what `sockrates schema` says of it, in every test that writes it or reads it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value as Json, json};
use sockrates::report::file::SCHEMA_VERSION;

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
    static VALIDATORS: [OnceLock<Validator>; 4] = [const { OnceLock::new() }; 4];
    let (validator, name) = match result["kind"].as_str() {
        Some("capacity" | "growth") => (&VALIDATORS[0], "capacity"),
        Some("comparison" | "diff") => (&VALIDATORS[1], "comparison"),
        Some("servers") => (&VALIDATORS[3], "servers"),
        _ => (&VALIDATORS[2], "result"),
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
    let file = |kind: &str, body: Json| json!({ "tool_version": "0.1.0", "schema_version": SCHEMA_VERSION, "kind": kind, "body": body });
    let mut other_version = file("run", json!([]));
    other_version["schema_version"] = json!(SCHEMA_VERSION + 1);
    for wrong in [
        json!({}),
        json!([]),
        other_version,
        file("teapot", json!([])),
        file("run", json!([{}])),
        file("suite", json!([{}])),
        file("capacity", json!({})),
        file("comparison", json!({})),
        file("diff", json!({})),
    ] {
        assert!(!complaints(&wrong).is_empty(), "{wrong}");
    }
    assert_eq!(complaints(&file("run", json!([]))), [""; 0]);
}
