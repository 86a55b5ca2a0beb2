//! What the importers make of files of other tools: golden files beside the sources, and what holds for any source.
//! `UPDATE_GOLDEN=1` writes the golden files anew: read each of them as the user who gets it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;
use sockrates::document::Source;
use sockrates::importer::Imported;
use sockrates::importer::artillery::{self, ArtilleryImport};
use sockrates::importer::har;
use sockrates::scenario::{Surroundings, read};

#[path = "import/guesses.rs"]
mod guesses;
#[path = "import/logins.rs"]
mod logins;
#[path = "import/named.rs"]
mod named;

const ARTILLERY: &str = "tests/import/artillery";
const HAR: &str = "tests/import/har";

fn sources(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let is_source = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        endings.iter().any(|ending| name.ends_with(ending)) && !name.contains("scenario")
    };
    let mut found: Vec<PathBuf> = paths.filter(is_source).collect();
    found.sort();
    found
}

/// The scenario, and behind it the notes.
fn told(imported: &Imported) -> String {
    let mut text = imported.text.clone();
    for note in &imported.notes {
        let _ = writeln!(text, "#! {:?}: {note}", note.kind);
    }
    for (name, content) in &imported.files {
        let _ = writeln!(text, "#! file {name}: {} lines", content.lines().count());
    }
    text
}

fn import_artillery(path: &Path) -> Result<Imported, String> {
    let source = Source::read(path).map_err(|mistake| mistake.to_string())?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let files = move |name: &str| fs::read(folder.join(name)).map_err(|error| error.to_string());
    artillery::import(
        &source,
        &ArtilleryImport { output: "load.scenario.yaml", ..ArtilleryImport::default() },
        &files,
    )
}

fn compare(folder: &str, endings: &[&str], import: fn(&Path) -> Result<Imported, String>) {
    let sources = sources(folder, endings);
    assert!(!sources.is_empty(), "{folder}");
    let mut differing = Vec::new();
    for path in sources {
        let golden = path.with_extension("scenario.yaml");
        let given = import(&path).map_or_else(|why| why, |imported| told(&imported));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &given).expect("the golden file can be written");
        }
        let kept = fs::read_to_string(&golden).unwrap_or_default();
        if kept != given {
            differing.push(format!("{}\n--- kept\n{kept}\n--- given\n{given}", path.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn each_script_of_artillery_becomes_the_scenario_beside_it() {
    compare(ARTILLERY, &[".yml", ".json"], import_artillery);
}

/// Looks at scripts that are not ours: `SOCKRATES_SCRIPTS` names their folder.
#[test]
fn other_scripts_become_scenarios_too() {
    let Some(folder) = std::env::var_os("SOCKRATES_SCRIPTS") else { return };
    for path in sources(&folder.to_string_lossy(), &[".yml", ".yaml", ".json"]) {
        match import_artillery(&path) {
            Ok(imported) => {
                let left_out =
                    imported.notes.iter().filter(|note| note.kind == sockrates::importer::Kind::LeftOut);
                let left_out: Vec<String> = left_out.map(ToString::to_string).collect();
                println!("{}: {} left out {left_out:#?}", path.display(), left_out.len());
            }
            Err(why) => println!("{}: refused: {why}", path.display()),
        }
    }
}

#[test]
fn the_environment_that_is_named_takes_the_place_of_what_the_script_says() {
    let path = Path::new(ARTILLERY).join("web.yml");
    let source = Source::read(&path).expect("it is there");
    let how = |environment| ArtilleryImport {
        environment: Some(environment),
        output: "-",
        ..ArtilleryImport::default()
    };
    let files = |_: &str| Err("there is none".to_owned());
    let staging = artillery::import(&source, &how("staging"), &files).expect("there is such an environment");
    assert!(staging.text.contains("--url https://staging.example"), "{}", staging.text);
    let unknown = artillery::import(&source, &how("stagin"), &files).expect_err("there is none");
    assert!(unknown.contains("no environment `stagin`: it has staging, local"), "{unknown}");
}

/// What becomes of a script with this `config`, and with these steps of one scenario.
fn scenario_of(config: &str, steps: &str, environment: Option<&str>) -> Imported {
    let text = format!("config: {config}\nscenarios: [ {{ engine: socketio, flow: {steps} }} ]\n");
    let source = Source { name: "any.yml".into(), text };
    let variable = |name: &str| (name == "RATE_OF_TODAY").then(|| "2.5".to_owned());
    let how = ArtilleryImport { environment, variable: Some(variable), ..ArtilleryImport::default() };
    artillery::import(&source, &how, &|_| Ok(b"ada,1\nbob,2\n".to_vec())).expect("it can be imported")
}

#[test]
fn an_environment_is_laid_over_the_script_key_by_key_and_item_by_item() {
    let config = "{ variables: { a: 1, b: 2 }, phases: [ { duration: 60, arrivalRate: 5, name: x }, { duration: 9, arrivalRate: 2 } ], \
        environments: { few: { variables: { b: 3 }, phases: [ { duration: 4, arrivalRate: 1 } ] } } }";
    let imported = scenario_of(config, r#"[ { emit: [ x, "{{ a }}", "{{ b }}" ] } ]"#, Some("few"));
    for part in ["a: 1\n", "b: 3\n", "[{ rate: 1/s, for: 4s }, { rate: 2/s, for: 9s }]"] {
        assert!(imported.text.contains(part), "{part}\n{}", imported.text);
    }
}

#[test]
fn no_word_of_a_script_is_left_out_in_silence() {
    let config = "{ processor: ./f.js, tls: { servername: x, ca: ./ca.pem }, http: { timeout: 9 } }";
    let steps = "[ { emit: [ x ], acknowledge: { match: { json: $.0, value: 1, strict: true }, capture: { json: $.0, as: a, transform: y } } }, \
        { get: { url: /x, match: { json: $.a, value: 1, strict: true }, capture: { json: $.a, as: b, transform: z } } } ]";
    let notes = told(&scenario_of(config, steps, None));
    for what in [
        "`processor`: code of the script",
        "`tls.servername`",
        "`tls.ca`: give --ca-file",
        "`timeout`, a default",
        "`strict` of a `match`",
        "`transform` of a `capture`",
    ] {
        assert!(notes.contains(what), "{what}\n{notes}");
    }
    assert_eq!(notes.matches(": `transform` of a `capture`").count(), 2 * 2, "{notes}");
}

#[test]
fn a_loop_over_a_variable_goes_over_the_list_that_it_holds() {
    let loops = r#"[ { loop: [ { emit: [ x, "{{ $loopElement }}" ] } ], over: rooms } ]"#;
    let whole = scenario_of("{ variables: { rooms: [ [ red, green ] ] } }", loops, None);
    assert!(whole.text.contains("list_1: [red, green]"), "{}", whole.text);
    assert!(whole.text.contains("times: 2") && whole.text.contains("${list_1[i]}"), "{}", whole.text);
    assert_eq!(whole.notes, []);
    let named = loops.replace("over: rooms", r#"over: "{{ rooms }}""#);
    let one_of = scenario_of("{ variables: { rooms: [ red, green, blue ] } }", &named, None);
    assert!(one_of.text.contains("times: 3"), "{}", one_of.text);
    assert!(told(&one_of).contains("of which Artillery gives each user one item"), "{}", one_of.text);
    let unknown = scenario_of("{}", loops, None);
    assert!(told(&unknown).contains("`over`: a list that only a run knows"), "{}", unknown.text);
}

#[test]
fn phases_take_their_numbers_from_the_environment_of_whoever_imports() {
    let of = |variable: &str| {
        let rate = format!("{{{{ $processEnvironment.{variable} }}}}");
        let config = format!(r#"{{ phases: [ {{ duration: 9, arrivalRate: "{rate}" }} ] }}"#);
        told(&scenario_of(&config, "[ { emit: [ x ] } ]", None))
    };
    let known = of("RATE_OF_TODAY");
    assert!(known.contains("count: 23, arrive: 2.5/s"), "{known}");
    assert!(known.contains("what `RATE_OF_TODAY` is in the environment"), "{known}");
    let missing = of("NOBODY_SETS_THIS");
    assert!(missing.contains("the environment variable `NOBODY_SETS_THIS` is no number"), "{missing}");
    assert!(missing.contains("No phase of the script says how many arrive"), "{missing}");
}

#[test]
fn an_answer_of_several_arguments_is_taken_apart_by_their_numbers() {
    let steps = "[ { emit: [ x ], acknowledge: { match: { json: $.0, value: ok }, \
        capture: [ { json: $.0, as: how }, { json: $.1.id, as: id } ] } } ]";
    let text = scenario_of("{}", steps, None).text;
    assert!(text.contains("args: [ok, { $any: true }]"), "{text}");
    assert!(text.contains("how: \"${reply[0]}\"") && text.contains("id: \"${reply[1].id}\""), "{text}");
}

#[test]
fn the_name_and_password_of_a_request_become_a_header_where_they_are_plain() {
    let steps = |user: &str| {
        format!(
            r#"[ {{ get: {{ url: /x, auth: {{ user: "{user}", pass: secret }}, followRedirect: true, gzip: true }} }} ]"#
        )
    };
    let plain = told(&scenario_of("{}", &steps("ada"), None));
    assert!(plain.contains("Authorization: \"Basic YWRhOnNlY3JldA==\""), "{plain}");
    for told in ["a request here follows no redirect", "`gzip` of a request"] {
        assert!(plain.contains(told), "{plain}");
    }
    let later = told(&scenario_of("{}", &steps("{{ name }}"), None));
    assert!(later.contains("`auth` of a request: no plain name and password"), "{later}");
}

#[test]
fn the_parser_of_the_script_is_that_of_the_clients() {
    let imported =
        scenario_of("{ socketio: { parser: socket.io-msgpack-parser } }", "[ { emit: [ x ] } ]", None);
    assert!(imported.text.contains("parser: msgpack"), "{}", imported.text);
    assert_eq!(imported.notes, []);
}

#[test]
fn who_connects_anew_leaves_the_whole_connection_where_nothing_else_is_on_it() {
    let alone = scenario_of("{}", "[ { emit: [ x ], reconnect: true } ]", None).text;
    let steps: Vec<&str> = alone.lines().filter(|line| line.contains("connect")).map(str::trim).collect();
    assert_eq!(steps, ["- connect", "- disconnect", "- connect", "- disconnect"], "{alone}");
    let two = scenario_of(
        "{}",
        "[ { emit: [ x ], namespace: /a }, { emit: [ y ], reconnect: true, namespace: /a } ]",
        None,
    )
    .text;
    assert!(
        two.contains(
            "- disconnect: { namespace: /a }\n      - wait: 0.1s\n      - connect: { namespace: /a }"
        ),
        "{two}"
    );
}

#[test]
fn a_request_to_another_server_is_told_without_what_lets_somebody_in() {
    let imported = scenario_of(
        "{}",
        r#"[ { get: { url: "https://ada:hunter2@other.example/x?key=c2VjcmV0" } } ]"#,
        None,
    );
    let text = told(&imported);
    assert!(text.contains("`other.example/x`"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("c2VjcmV0"), "{text}");
}

#[test]
fn a_large_script_is_imported_within_bounds_or_refused() {
    let step = "      - emit: [message, \"{{ a }} {{ $randomNumber(1, 2) }}\"]\n";
    let head = "scenarios:\n  - engine: socketio\n    flow:\n";
    for steps in [100, 5_000, 18_000] {
        let text = format!("{head}{}", step.repeat(steps));
        let source = Source { name: "large.yml".into(), text };
        match artillery::import(&source, &ArtilleryImport::default(), &|_| Err("there is none".into())) {
            Ok(imported) => assert!(imported.text.len() <= sockrates::importer::MOST_BYTES),
            Err(why) => assert!(why.contains("larger than"), "{why}"),
        }
    }
}

/// A value of YAML as JSON writes it: words of scripts at places where they mean something, and where not.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        Just("{{ a.b[0] }}"),
        Just("{{ $randomString(99) }}"),
        Just("{{"),
        Just("$.0.x"),
        Just("$..x"),
        Just("${n}"),
        Just("/ns"),
        Just("1m"),
        Just("5-2"),
        Just(""),
        Just("all"),
        Just("n"),
        Just("{{ $loopElement.x }}"),
        Just("-1"),
        Just("\u{7f}\u{2028}: #"),
        Just("socketio"),
        Just("http"),
        Just("http://["),
        Just("{{ 'a' }}"),
    ];
    let leaf = prop_oneof![
        word.prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    let key = prop_oneof![
        Just("emit"),
        Just("channel"),
        Just("data"),
        Just("response"),
        Just("acknowledge"),
        Just("match"),
        Just("json"),
        Just("capture"),
        Just("as"),
        Just("namespace"),
        Just("loop"),
        Just("count"),
        Just("over"),
        Just("think"),
        Just("get"),
        Just("url"),
        Just("expect"),
        Just("flow"),
        Just("engine"),
        Just("weight"),
        Just("name"),
        Just("args"),
        Just("duration"),
        Just("arrivalRate"),
        Just("rampTo"),
        Just("pause"),
        Just("variables"),
        Just("connect"),
        Just("socketio"),
        Just("auth"),
        Just("$x"),
        Just("loopElement"),
        Just("statusCode"),
        Just("reconnect"),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_a_script_says_its_scenario_is_a_good_one(
        phases in value(),
        config in value(),
        flow in prop::collection::vec(value(), 0..5),
        engine in prop::sample::select(vec!["socketio", "socketio-v3", "http", "ws"]),
    ) {
        let script = serde_json::json!({
            "config": { "phases": phases, "socketio": config, "variables": config, "payload": config, "ensure": config },
            "scenarios": [{ "engine": engine, "flow": flow }, { "engine": "socketio", "flow": [phases] }],
            "before": { "flow": config },
        });
        let source = Source { name: "any.json".into(), text: script.to_string() };
        if let Ok(imported) = artillery::import(&source, &ArtilleryImport::default(), &|_| Ok(b"a,b\n1,2\n".to_vec())) {
            let files = imported.files.clone();
            let surroundings = Surroundings::new(|_| Some("1".into()), move |name| {
                let file = files.iter().find(|(known, _)| known == name);
                file.map(|(_, text)| text.clone().into_bytes()).ok_or_else(|| "no".to_owned())
            });
            let source = Source { name: "made.yaml".into(), text: imported.text };
            if let Err(mistake) = read(&source, &surroundings) {
                prop_assert!(false, "{mistake}\n{}", source.text);
            }
        }
    }

    #[test]
    fn no_text_at_all_stops_the_importer(text in any::<String>()) {
        let source = Source { name: "any.yml".into(), text };
        let _ = artillery::import(&source, &ArtilleryImport::default(), &|_| Err("there is none".into()));
    }
}

fn import_har(path: &Path) -> Result<Imported, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    har::import(file, &path.display().to_string(), "page.scenario.yaml")
}

#[test]
fn each_recording_becomes_the_scenario_beside_it() {
    compare(HAR, &[".har"], import_har);
}

#[test]
fn nothing_that_lets_somebody_in_comes_from_a_recording_into_a_scenario() {
    let text = fs::read_to_string(Path::new(HAR).join("chat.har")).expect("it is there");
    let imported = har::import(text.as_bytes(), "chat.har", "-").expect("it can be imported");
    for secret in ["eyJ", "s3cr3t-session-77", "c2ln"] {
        assert!(text.contains(secret), "{secret}");
        assert!(!told(&imported).contains(secret), "{}", imported.text);
    }
}

#[test]
fn what_the_server_says_unasked_is_no_answer_to_what_a_client_says_at_once() {
    let of = |messages: &[(&str, f64, &str)]| {
        let messages: Vec<_> = messages
            .iter()
            .map(|(kind, time, data)| json!({ "type": kind, "time": 1e9 + time, "opcode": 1, "data": data }))
            .collect();
        let url = "ws://localhost:3000/socket.io/?EIO=4&transport=websocket";
        let request = json!({ "method": "GET", "url": url, "headers": [] });
        let entry = json!({ "request": request, "response": {}, "_webSocketMessages": messages });
        let text = json!({ "log": { "entries": [entry] } }).to_string();
        har::import(text.as_bytes(), "x.har", "-").expect("it can be imported").text
    };
    let open = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let (connect, accepted, asks) =
        (("send", 0.1, "40"), ("receive", 0.2, r#"40{"sid":"b"}"#), r#"42["ask",1]"#);
    let (greets, answers) = (r#"42["greeting",{}]"#, r#"42["told",1]"#);
    let head = [("receive", 0.0, open), connect, accepted];
    let at_once = [("send", 0.3, asks), ("receive", 0.4, greets), ("receive", 0.5, answers)];
    let text = of(&[&head[..], &at_once].concat());
    assert!(text.contains("response: { event: told }"), "{text}");
    let alone = of(&[&head[..], &at_once[..2]].concat());
    assert!(!alone.contains("response"), "{alone}");
    let later = of(&[&head[..], &[("send", 5.0, asks), ("receive", 5.1, greets)]].concat());
    assert!(later.contains("response: { event: greeting }"), "{later}");
}

/// A recording of one tab that said `join`, whose entries are these.
fn of_one_tab(polls: &[(&str, serde_json::Value)]) -> String {
    let entry = |(method, content): &(&str, serde_json::Value)| {
        let sid = if *method == "open" { "" } else { "&sid=a" };
        let url = format!("http://h/socket.io/?EIO=4&transport=polling{sid}");
        let sent = (*method == "post").then(|| content.clone());
        let response = if *method == "post" { json!({}) } else { json!({ "content": content }) };
        json!({ "startedDateTime": "2026-01-01T10:00:00Z", "time": 1, "request": { "url": url, "postData": sent }, "response": response })
    };
    json!({ "log": { "entries": polls.iter().map(entry).collect::<Vec<_>>() } }).to_string()
}

#[test]
fn bodies_that_are_written_as_base64_are_read() {
    let of = |text: &str| json!({ "encoding": "base64", "text": STANDARD.encode(text) });
    let text = of_one_tab(&[
        (
            "open",
            of(r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#),
        ),
        ("post", json!({ "text": "40" })),
        ("poll", of(r#"40{"sid":"b"}"#)),
        ("post", json!({ "text": r#"420["ask",1]"# })),
        ("poll", of(r#"430["told"]"#)),
    ]);
    let imported = har::import(text.as_bytes(), "x.har", "-").expect("it can be imported");
    assert!(imported.text.contains("ask") && imported.text.contains("ack:"), "{}", imported.text);
}

#[test]
fn a_recording_that_is_broken_off_becomes_a_scenario_of_what_stands_before() {
    let text = fs::read_to_string(Path::new(HAR).join("chat.har")).expect("it is there");
    let mut tabs = 0;
    for share in 1..20 {
        let part = &text.as_bytes()[..text.len() * share / 20];
        match har::import(part, "x.har", "-") {
            Ok(imported) => {
                assert!(told(&imported).contains("ends in the middle"), "{}", imported.text);
                tabs += 1;
            }
            Err(why) => assert!(
                why.contains("it ends in the middle, at line ") || why.contains("no connection"),
                "{why}"
            ),
        }
    }
    assert!(tabs > 0);
    let marked = ["\u{feff}".as_bytes(), text.as_bytes()].concat();
    assert_eq!(har::import(&*marked, "x.har", "-"), har::import(text.as_bytes(), "x.har", "-"));
}

#[test]
fn what_is_no_recording_is_told() {
    for (bytes, why) in [
        (&b"\x1f\x8b\x08"[..], "compressed by gzip: unpack it first"),
        (b"PK\x03\x04", "a zip archive: unpack it first"),
        (b"\xff\xfe{\0", "save it as UTF-8"),
    ] {
        let refused = har::import(bytes, "x.har", "-").expect_err("it is none");
        assert!(refused.contains(why), "{refused}");
    }
    for (text, why) in [
        ("", "is not a HAR file"),
        ("[]", "is not a HAR file"),
        ("{}", "no `log` with `entries`"),
        ("{\"log\":{\"entries\":[{\"request\":{\"url\":5}}]}}", "is not a HAR file"),
        ("{\"log\":{\"entries\":[]}}", "holds no connection of Socket.IO"),
    ] {
        let refused = har::import(text.as_bytes(), "x.har", "-").expect_err("it is none");
        assert!(refused.contains(why), "{text}: {refused}");
    }
}

/// A recording in which anything was said at any time.
fn recording() -> impl Strategy<Value = serde_json::Value> {
    let data = prop_oneof![
        Just("40".to_owned()),
        Just("40/ns,{\"token\":\"t\"}".to_owned()),
        Just("0{\"sid\":\"A\"}".to_owned()),
        Just("42[\"join\",\"${room}\"]".to_owned()),
        Just("42[\"say\",{\"room\":\"a b\",\"text\":\"hello you\",\"$x\":[]}]".to_owned()),
        Just("421[\"say\",{\"room\":\"a b\",\"text\":\"hello you\"}]".to_owned()),
        Just("431[1]".to_owned()),
        Just("42[\"\",{\"_placeholder\":true}]".to_owned()),
        Just("42/ns,[\"leave\",[[[\"x\"]]],null]".to_owned()),
        Just("42[5]".to_owned()),
        Just("4".to_owned()),
        Just("451-[\"b\",{\"_placeholder\":true,\"num\":0}]".to_owned()),
        any::<String>(),
    ];
    let message = (data, any::<bool>(), 0_u8..50).prop_map(|(data, is_sent, at)| {
        serde_json::json!({ "type": if is_sent { "send" } else { "receive" }, "time": f64::from(at) / 10.0, "opcode": 1, "data": data })
    });
    let tab = prop::collection::vec(message, 0..12).prop_map(|messages| {
        let url = "ws://h/socket.io/?EIO=4&transport=websocket&token=abc";
        serde_json::json!({ "request": { "url": url }, "_webSocketMessages": messages })
    });
    prop::collection::vec(tab, 0..4).prop_map(|tabs| serde_json::json!({ "log": { "entries": tabs } }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_was_recorded_its_scenario_is_a_good_one(recording in recording()) {
        let text = recording.to_string();
        if let Ok(imported) = har::import(text.as_bytes(), "any.har", "-") {
            let source = Source { name: "made.yaml".into(), text: imported.text };
            if let Err(mistake) = read(&source, &Surroundings::without_files()) {
                prop_assert!(false, "{mistake}\n{}", source.text);
            }
        }
    }

    #[test]
    fn no_json_at_all_stops_the_reader_of_recordings(value in value()) {
        let entry = serde_json::json!({ "log": { "entries": [value] } });
        for text in [value.to_string(), entry.to_string()] {
            let _ = har::import(text.as_bytes(), "any.har", "-");
        }
    }
}
