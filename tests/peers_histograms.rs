//! What we write of latencies is read back by another implementation of HdrHistogram, that of Python.

#[path = "support/peers.rs"]
mod peers;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use peers::{found, python};
use serde_json::{Value as Json, json};

const SCENARIO: &str = "\
name: Some latencies
clients: { a: 20 }
script:
  - all: [ connect, { join: lobby } ]
  - all: { repeat: { times: 20, every: 10ms, steps: [ { broadcast: { to: lobby, event: said } } ] } }
  - all: disconnect
";

fn sockrates(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sockrates")).args(arguments).output().expect("sockrates runs")
}

/// Puts a course of two intervals into the result, whose histograms are those of the whole run.
fn with_course(result: &Path) -> Json {
    let text = fs::read_to_string(result).expect("a result was written");
    let mut file: Json = serde_json::from_str(&text).expect("it is JSON");
    let run = &mut file["body"][0];
    let metric = |name: &str| {
        let metrics = run["metrics"].as_array().expect("there are metrics");
        metrics.iter().find(|metric| metric["name"] == name).expect("it was measured").clone()
    };
    let none = json!([null, null]);
    let series = |name: &str| {
        let (max, histogram) = (&metric(name)["max_us"], &metric(name)["histogram"]);
        json!({
            "p50_us": none, "p90_us": none, "p99_us": none,
            "max_us": [null, max], "histograms": [null, histogram],
        })
    };
    let mut course = json!({
        "interval_us": 1_000_000, "at_us": [1_000_000, 1_500_000],
        "ack": series("ack"), "delivery": series("delivery"), "lag": series("lag"),
        "generator_cpu": none, "server_cpu": none, "server_memory": none,
    });
    for column in [
        "connected",
        "connects_asked",
        "connects_ok",
        "connects_failed",
        "dropped",
        "sent",
        "received",
        "acks",
        "acks_missed",
        "deliveries",
        "bytes_in",
        "bytes_out",
        "due",
        "begun",
        "failed",
    ] {
        course[column] = json!([1, 2]);
    }
    run["course"] = course;
    fs::write(result, file.to_string()).expect("it can be written");
    file["body"][0].clone()
}

#[test]
fn another_implementation_reads_our_histograms_and_makes_the_same_of_them() {
    let Some(python) = found(python("hdrhistogram for Python", "hdrh")) else { return };
    let folder = tempfile::tempdir().expect("there is room");
    let [scenario, result, log, distributions] =
        ["a.yaml", "a.json", "a.hlog", "hgrm"].map(|name| folder.path().join(name));
    fs::write(&scenario, SCENARIO).expect("it can be written");
    let played = sockrates(&["run".as_ref(), &scenario, "--json".as_ref(), &result]);
    assert!(played.status.success(), "{played:?}");
    let run = with_course(&result);
    fs::create_dir(&distributions).expect("it can be made");
    let written =
        sockrates(&["report".as_ref(), &result, "--hgrm".as_ref(), &distributions, "--hlog".as_ref(), &log]);
    assert!(written.status.success(), "{written:?}");

    let read = Command::new(python)
        .arg("tests/peers/python/read_back.py")
        .args([&result, &distributions, &log])
        .output()
        .expect("Python runs");
    let (told, wrong) = (String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
    assert!(read.status.success(), "{told}\n{wrong}");
    let found: Json = serde_json::from_str(&told).expect("it prints JSON");
    let metrics = run["metrics"].as_array().expect("there are metrics");
    for metric in metrics {
        let name = metric["name"].as_str().expect("it has a name");
        assert!(found["rows"][name].as_u64() >= Some(3), "{name}: {found}");
    }
    for tag in ["ack", "delivery", "lag"] {
        let metric = metrics.iter().find(|metric| metric["name"] == tag).expect("it was measured");
        assert_eq!(found["tags"][tag]["count"], metric["count"], "{tag}: {found}");
        assert_eq!(found["tags"][tag]["intervals"], 1);
        let begin = found["tags"][tag]["begin"].as_f64().expect("a time");
        assert!(begin > 1.7e9, "{tag} begins in {begin}");
    }
}
