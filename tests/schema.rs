//! The schemas that `sockrates schema` prints are true: that of scenarios says what the parser says, as far as a schema can
//! see, and those of results name their fields alike. That these are those of the code, a test of `cli/schema.rs` says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value as Json;
use sockrates::document::{Source, parse, render};
use sockrates::scenario::{Surroundings, read, schema::schema};
use sockrates::step::KINDS;

/// Wrong files whose mistake is not one of shape, with the reason why no schema sees it.
const ONLY_THE_PARSER_SEES: &[(&str, &[&str])] = &[
    (
        "what is done to the server one after another, and which waits go together",
        &["health_of_nobody", "server_is_told_two_things", "spread_beyond_the_window"],
    ),
    ("whether something is a port", &["link_to_no_port"]),
    ("whether an expression is a map", &["auth_of_a_text"]),
    (
        "whether a broadcast of the contract reaches everyone",
        &["time_to_whole_where_nothing_reaches_everyone", "whole_where_nothing_reaches_everyone"],
    ),
    (
        "whether a name is known, where it stands and whether it is used",
        &[
            "service_named_by_an_unknown_variable",
            "broadcast_arguments_beside_the_body",
            "broadcast_body_without_room_for_a_stamp",
            "group_called_measure",
            "label_like_a_group",
            "threshold_of_an_unknown_group",
            "arithmetic_on_text",
            "arrival_rate_of_an_unknown_variable",
            "count_of_a_text",
            "count_that_differs",
            "assertion_of_a_constant",
            "capture_before_it_is_set",
            "capture_in_a_branch_beside",
            "engine_sid_before_the_script",
            "environment_variable_not_set",
            "generated_bytes_that_differ",
            "group_called_run",
            "no_such_member",
            "reserved_group_name",
            "round_outside_of_repeat",
            "server_by_itself",
            "time_that_differs",
            "traceparent_that_is_expected",
            "unknown_room_variable",
            "unknown_variable",
            "unknown_word_of_the_server",
            "unused_variable",
            "variable_before_its_turn",
            "variable_called_like_a_group",
            "variable_of_another_group",
            "variable_of_itself",
            "variable_with_a_meaning_of_its_own",
            "variable_called_like_a_function",
            "which_of_the_crowd",
            "capture_called_like_a_word",
            "count_of_a_variable_that_the_group_replaces",
            "counted_events_of_several_names",
            "round_in_an_answer",
            "round_in_an_expect_without_times",
            "tells_without_a_stamp",
            "variable_called_like_a_stamp",
            "word_that_a_group_has_too",
            "word_that_a_variable_has_too",
        ],
    ),
    (
        "what is said of the answers that a threshold is about",
        &["threshold_on_arguments_that_are_no_matcher"],
    ),
    ("which of its fields go together", &["tells_of_an_awaited_response"]),
    (
        "what an expression says",
        &[
            "number_of_a_word",
            "repeated_unknown_text",
            "arrival_reckoned_without_its_unit",
            "count_of_a_fraction",
            "count_reckoned_to_zero",
            "division_by_zero",
            "expression_without_an_operand",
            "least_of_three",
            "repeat_without_a_number",
            "repeated_less_than_never",
            "repeated_too_often",
            "time_below_nothing",
            "time_from_an_expression_without_unit",
            "unclosed_expression",
            "unknown_function",
        ],
    ),
    ("what a regular expression says", &["bad_regular_expression", "capture_without_a_group"]),
    (
        "which groups there are, and what each of them does before",
        &[
            "all_beside_another",
            "group_in_two_branches",
            "group_named_twice",
            "group_that_never_acts",
            "not_connected",
            "unknown_group",
            "unknown_group_beside_another",
        ],
    ),
    ("sums over several places", &["size_of_shares_that_miss", "count_beyond_a_million_in_all"]),
    (
        "what fits one axis of a search and not another",
        &["capacity_of_an_unknown_axis", "capacity_that_ends_before_it_begins", "capacity_with_a_bare_rate"],
    ),
    (
        "what the contract has a place for",
        &[
            "contract_senders_without_rooms",
            "contract_room_of_two_names",
            "contract_stamp_that_nobody_hears",
            "ack_that_the_contract_does_not_promise",
            "contract_answered_twice",
            "contract_confirmed_in_several_rooms",
            "contract_tells_in_several_rooms",
            "contract_tells_without_a_stamp",
            "broadcast-event-unheeded",
            "broadcast-two-rooms",
            "broadcast-unheeded",
            "contract_that_does_not_say",
            "contract_rooms_of_an_unknown_word",
            "contract_with_an_unknown_word",
            "contract_without_the_room",
        ],
    ),
    (
        "what does not go together in a step",
        &[
            "extension_by_hand",
            "extension_of_a_connect",
            "group_of_a_header_that_nothing_keeps",
            "jitter_of_chance",
            "retry_after_a_pause",
            "retry_of_the_refused",
            "retry_that_gets_shorter",
            "jitter_without_a_pace",
            "law_without_a_pace",
            "spread_of_chance",
            "spread_over_no_time",
            "thoughts_beside_a_pace",
            "capture_of_a_binary_frame",
            "capture_of_a_later_response",
            "frame_too_early_and_too_late",
            "held_and_awaited",
            "held_beyond_its_end",
            "held_in_chunks",
            "held_without_a_body",
            "request_on_a_connection_and_by_a_name",
            "second_connection_by_polling",
            "second_connection_that_polls",
        ],
    ),
    (
        "which of two quantities is the larger, and whether one is too small",
        &[
            "measure_that_is_over_before_it_settles",
            "bursts_of_no_time",
            "size_below_a_stamp",
            "size_too_large_on_average",
            "thoughts_from_more_to_less",
            "arrival_ramp_without_a_length",
        ],
    ),
    ("whether another stage follows", &["arrival_stage_without_an_end"]),
    ("what can never differ", &["not_anything"]),
    ("what stands inside of what, and how often", &["measure_in_a_branch", "measured_twice"]),
    ("requests of earlier steps", &["response_to_nothing", "rest_of_nothing"]),
    (
        "what stands in another file, or in another row",
        &[
            "no_rows_at_all",
            "rows_of_a_missing_file",
            "rows_that_differ",
            "rows_with_another_delimiter",
            "rows_without_the_column",
        ],
    ),
    (
        "what a limit means for its subject",
        &[
            "threshold_of_the_fan_out_of_a_group",
            "abort_on_a_lower_limit",
            "threshold_of_the_audit_of_a_group",
            "threshold_beyond_the_whole",
            "threshold_that_always_holds",
            "threshold_that_can_never_hold",
            "threshold_with_an_impossible_percentile",
        ],
    ),
];

/// Steps that take no map of fields.
const WITHOUT_FIELDS: [&str; 4] = ["wait", "set", "send", "mute"];

/// Every map of fields of the language: what the schema calls it, and a scenario in which it has a key too many.
const MAPS: &[(&str, &str)] = &[
    ("", "{KEY: 1, name: x, clients: {a: 1}, script: [{a: connect}]}"),
    ("/properties/audit", "{name: x, clients: {a: 1}, script: [{a: connect}], audit: {window: 5s, KEY: 1}}"),
    ("/properties/capacity", "{name: x, clients: {a: 1}, script: [{a: connect}], capacity: {KEY: 1}}"),
    ("/definitions/group", "{name: x, clients: {a: {KEY: 1}}, script: [{a: connect}]}"),
    (
        "/definitions/threshold",
        "{name: x, clients: {a: 1}, script: [{a: connect}], thresholds: [{demand: connect p50 < 1s, KEY: 1}]}",
    ),
    (
        "/definitions/act/properties/measure",
        "{name: x, clients: {a: 1}, script: [{a: connect}, {measure: {script: [{a: fence}], KEY: 1}}]}",
    ),
    ("/properties/contract", "{name: x, clients: {a: 1}, script: [{a: connect}], contract: {KEY: 1}}"),
    (
        "/properties/contract/properties/join",
        "{name: x, clients: {a: 1}, script: [{a: connect}], contract: {join: {emit: [x], KEY: 1}}}",
    ),
    (
        "/properties/contract/properties/leave",
        "{name: x, clients: {a: 1}, script: [{a: connect}], contract: {leave: {emit: [x], KEY: 1}}}",
    ),
    (
        "/properties/contract/properties/broadcast",
        "{name: x, clients: {a: 1}, script: [{a: connect}], contract: {broadcast: {emit: [x], KEY: 1}}}",
    ),
    (
        "/properties/contract/properties/broadcast_ack",
        "{name: x, clients: {a: 1}, script: [{a: connect}], contract: {broadcast_ack: {emit: [x], KEY: 1}}}",
    ),
    (
        "/properties/contract/properties/fence",
        "{name: x, clients: {a: 1}, script: [{a: connect}], contract: {fence: {emit: [x], KEY: 1}}}",
    ),
    (
        "/definitions/group/properties/arrive",
        "{name: x, clients: {a: {arrive: {rate: 1/s, KEY: 1}}}, script: [{a: connect}]}",
    ),
    (
        "/properties/contract/properties/join/properties/tells",
        "{name: x, clients: {a: 1}, script: [{a: connect}], contract: {join: {emit: [x, '${room}', '${stamp}'], tells: {event: x, KEY: 1}}}}",
    ),
    (
        "/definitions/group/properties/rows",
        "{name: x, clients: {a: {rows: {file: x.csv, KEY: 1}}}, script: [{a: connect}]}",
    ),
    ("http/properties/capture/additionalProperties", "{get: /, capture: {x: {header: x, KEY: 1}}}"),
    ("repeat/properties/think", "{steps: fence, times: 1, think: {mean: 1s, KEY: 1}}"),
    ("repeat/properties/bursts", "{steps: fence, times: 1, every: 1s, bursts: {on: 1s, off: 1s, KEY: 1}}"),
    ("broadcast/properties/bytes", "{event: x, bytes: {mean: 100, KEY: 1}}"),
    ("connect", "{KEY: 1}"),
    ("disconnect", "{KEY: 1}"),
    ("reconnect", "{KEY: 1}"),
    ("reconnect/properties/retry", "{retry: {KEY: 1}}"),
    ("upgrade", "{KEY: 1}"),
    ("join", "{room: x, KEY: 1}"),
    ("leave", "{room: x, KEY: 1}"),
    ("emit", "{event: x, KEY: 1}"),
    ("emit/properties/ack", "{event: x, ack: {KEY: 1}}"),
    ("emit/properties/response", "{event: x, response: {event: y, KEY: 1}}"),
    ("emit/properties/tells", "{event: x, args: ['${stamp}'], tells: {event: y, KEY: 1}}"),
    ("http/properties/tells", "{post: /x, body: '${stamp}', tells: {event: y, KEY: 1}}"),
    ("broadcast", "{event: x, KEY: 1}"),
    ("broadcast/properties/collect", "{event: x, collect: {KEY: 1}}"),
    ("broadcast/properties/ack", "{event: x, ack: {KEY: 1}}"),
    ("join/properties/ack", "{room: x, ack: {KEY: 1}}"),
    ("leave/properties/ack", "{room: x, ack: {KEY: 1}}"),
    ("expect", "{event: x, KEY: 1}"),
    ("expect_none", "{event: x, KEY: 1}"),
    ("answer", "{event: x, KEY: 1}"),
    ("repeat", "{steps: fence, KEY: 1}"),
    ("assert", "{value: x, is: y, KEY: 1}"),
    ("fence", "{KEY: 1}"),
    ("open", "{KEY: 1}"),
    ("http", "{get: poll, KEY: 1}"),
    ("http/properties/expect", "{get: poll, expect: {KEY: 1}}"),
    ("frame", "{opcode: text, KEY: 1}"),
    ("expect_frame", "{text: x, KEY: 1}"),
    ("expect_no_frame", "{text: x, KEY: 1}"),
    ("expect_closed", "{KEY: 1}"),
];

/// Keys that the parser knows only to refuse them with a better sentence.
const REFUSED: &[(&str, &str)] = &[("expect_no_frame", "within")];

/// So far from every word that the parser answers with the list of those it knows.
const UNKNOWN: &str = "qqqqqqqqqqqqqqqqqqqqqqqq";

fn validator() -> Validator {
    jsonschema::draft7::new(&schema()).expect("it is a schema of draft 7")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(ending) if ending == "yaml" => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// What stands in a file, as an editor sees it. None where it is no YAML.
fn content(path: &Path) -> Option<Json> {
    parse(&Source::read(path).ok()?).ok().map(|node| node.to_json())
}

fn complaints(validator: &Validator, value: &Json) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_good_file_is_good_by_the_schema() {
    let validator = validator();
    let good =
        ["scenarios", "tests/check/good", "tests/scenarios/semantic", "tests/audit"].map(files).concat();
    assert!(good.len() > 200, "{}", good.len());
    for path in good {
        let wrong = complaints(&validator, &content(&path).expect("it is YAML"));
        assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
    }
}

#[test]
fn every_wrong_shape_is_refused_by_the_schema_too() {
    let validator = validator();
    let listed: Vec<&str> =
        ONLY_THE_PARSER_SEES.iter().flat_map(|(_, files)| files.iter().copied()).collect();
    let mut unseen = BTreeSet::new();
    for path in files("tests/check/wrong") {
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        match content(&path) {
            Some(value) if validator.is_valid(&value) => unseen.insert(name),
            _ => continue,
        };
    }
    let listed: BTreeSet<String> = listed.into_iter().map(str::to_owned).collect();
    let missing: Vec<&String> = unseen.difference(&listed).collect();
    let needless: Vec<&String> = listed.difference(&unseen).collect();
    assert!(missing.is_empty(), "the schema takes these for good: {missing:#?}");
    assert!(needless.is_empty(), "the schema refuses these by now, so they need no reason: {needless:#?}");
}

#[test]
fn the_schema_has_the_fields_that_the_parser_knows_and_no_others() {
    let schema = schema();
    for (place, text) in MAPS {
        let is_step = !place.is_empty() && !place.starts_with('/');
        let (pointer, text) = match is_step {
            true => {
                let word = place.split('/').next().unwrap_or_default();
                let text = format!(
                    "{{name: x, clients: {{a: 1}}, script: [{{a: connect}}, {{a: {{{word}: {text}}}}}]}}"
                );
                (format!("/definitions/step.{place}"), text)
            }
            false => ((*place).to_owned(), (*text).to_owned()),
        };
        let source = Source { name: "t".to_owned(), text: text.replace("KEY", UNKNOWN) };
        let mistake = read(&source, &Surroundings::without_files()).expect_err("it has a key too many");
        let hint = mistake.hint.clone().unwrap_or_default();
        let known = hint.strip_prefix("known here: ");
        let known = known.unwrap_or_else(|| panic!("{place}: {}", render(&mistake, &source)));
        let mut known: BTreeSet<&str> = known.split(", ").map(|word| word.trim_matches('`')).collect();
        for (of, word) in REFUSED {
            if of == place {
                known.remove(word);
            }
        }
        let told: BTreeSet<&str> = properties(at(&schema, &pointer)).collect();
        assert_eq!(told, known, "{place}");
    }
}

#[test]
fn every_step_is_held_against_the_parser() {
    for kind in KINDS {
        let is_there =
            WITHOUT_FIELDS.contains(&kind.word) || MAPS.iter().any(|(place, _)| *place == kind.word);
        assert!(is_there, "`{}` has to stand in MAPS, or in WITHOUT_FIELDS", kind.word);
    }
}

/// The place in the schema; a pointer goes through the map among several choices.
fn at<'s>(schema: &'s Json, pointer: &str) -> &'s Json {
    pointer.split('/').skip(1).fold(schema, |schema, part| {
        let choices = schema.get("anyOf").and_then(Json::as_array);
        let inside = match part {
            "properties" => map_in(schema),
            part => choices.into_iter().flatten().find(|choice| choice.get(part).is_some()).unwrap_or(schema),
        };
        inside.get(part).unwrap_or_else(|| panic!("there is no `{part}` of {pointer} in {inside:#}"))
    })
}

/// The schema of the map, where there are several choices.
fn map_in(schema: &Json) -> &Json {
    match (schema.get("properties"), schema.get("anyOf")) {
        (None, Some(Json::Array(choices))) => {
            choices.iter().map(map_in).find(|choice| choice.get("properties").is_some()).unwrap_or(schema)
        }
        _ => schema,
    }
}

fn properties(schema: &Json) -> impl Iterator<Item = &str> {
    map_in(schema)["properties"].as_object().expect("it has fields").keys().map(String::as_str)
}

#[test]
fn thresholds_are_told_apart_by_their_pattern() {
    let validator = validator();
    for (threshold, is_good) in [
        ("delivery p99 < 250 ms", true),
        ("ack p99.9<=0.5s", true),
        ("connect  failed < 0.1 %", true),
        ("connect.tls mean > 1ms", true),
        ("sent rate >= 900/s", true),
        ("delivery count == 20000", true),
        ("delivery leaked == 0", true),
        ("delivery p99 of a < 250ms", true),
        ("ack missed  of a < 1 %", true),
        ("delivery p99 of < 250ms", false),
        ("delivery p99 < 250", false),
        ("delivery < 250 ms", false),
        ("deliveri p99 < 250 ms", false),
        ("sent rate > 900 ms", false),
        ("delivery p99 = 250 ms", false),
    ] {
        let value = serde_json::json!({
            "name": "x", "clients": { "a": 1 }, "script": [{ "a": "connect" }], "thresholds": [threshold],
        });
        assert_eq!(validator.is_valid(&value), is_good, "{threshold}");
        let source = Source { name: "t".to_owned(), text: value.to_string() };
        assert_eq!(read(&source, &Surroundings::without_files()).is_ok(), is_good, "{threshold}");
    }
}

/// A number behind a name is what two types of the same name come to.
#[test]
fn every_type_of_a_result_has_a_name_of_its_own_and_every_time_is_whole_microseconds() {
    for schema in ["result", "capacity", "comparison", "trend", "servers"].map(printed) {
        for (name, of) in schema["$defs"].as_object().expect("there are types") {
            assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "{name}");
            for (field, of) in of["properties"].as_object().into_iter().flatten() {
                assert!(
                    !["_s", "_ms", "_secs", "_ns"].iter().any(|unit| field.ends_with(unit)),
                    "{name}.{field}"
                );
                assert!(
                    !field.ends_with("_us") || !of.to_string().contains("\"number\""),
                    "{name}.{field}: {of}"
                );
            }
        }
    }
}

/// `UPDATE_GOLDEN=1` publishes them anew.
#[test]
fn the_published_schema_is_that_of_the_code() {
    let file = "docs/schema/scenario.json";
    let text = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(file, &text).expect("it can be written");
    }
    let published = fs::read_to_string(file).unwrap_or_default();
    assert!(published == text, "{file} is not what the code says: UPDATE_GOLDEN=1 cargo test --test schema");
    assert_eq!(printed("scenario"), schema());
}

/// What `sockrates schema` prints.
fn printed(what: &str) -> Json {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sockrates")).args(["schema", what]).output();
    serde_json::from_slice(&output.expect("the program runs").stdout).expect("a schema is JSON")
}
