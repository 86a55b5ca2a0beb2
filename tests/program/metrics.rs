//! `--metrics`: what a scraper reads while a run goes on, and at its end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value as Json;

use crate::support::{Folder, Reference, Started, results, sockrates};

/// A scenario in which everything is counted that a run can count.
pub(crate) const SCENARIO: &str = "\
name: Everything \"is\" counted
clients: { talkers: 4, hearers: { count: 6, transport: polling } }
script:
  - all: connect
  - all: { join: lobby }
  - together:
      - talkers:
          repeat:
            for: 4s
            every: 100ms
            steps:
              - { broadcast: { to: lobby, event: said, bytes: 64 }, label: chat }
              - emit: { event: message, args: [\"${i}\"], response: { event: message-back, args: [\"${i}\"] } }
      - hearers: { repeat: { for: 4s, every: 500ms, steps: [ { emit: { event: message-with-ack, args: [a], ack: true } } ] } }
  - all: disconnect
thresholds:
  - ack p50 of hearers < 5 s
  - delivery p50 of chat < 5 s
  - connect failed == 0
";

/// Starts a run of it, so long, whose figures can be read, and says where.
pub(crate) fn start(folder: &Folder, reference: &Reference, json: &Path, length: &str) -> (Started, String) {
    let file = folder.file("counted.yaml", SCENARIO);
    let run = sockrates([
        "run",
        "--metrics",
        "127.0.0.1:0",
        "--duration",
        length,
        "--url",
        &reference.url(),
        "--json",
    ])
    .args([json, &file]);
    let mut started = run.start();
    let address = started.told("figures for Prometheus at http://").replace("/metrics", "");
    (started, address)
}

/// The body of what stands at this path; nothing where nobody listens any more.
pub(crate) fn get(address: &str, path: &str) -> String {
    let mut text = String::new();
    let Ok(mut stream) = TcpStream::connect(address) else { return text };
    // HTTP/1.0 has no chunks.
    let _ = write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: */*\r\n\r\n");
    let _ = stream.read_to_string(&mut text);
    text.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned())
}

/// The value of the line with this name and these labels.
fn value(text: &str, line: &str) -> f64 {
    let found = text.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {line} in\n{text}")).parse().expect("a number")
}

#[test]
fn a_scraper_reads_the_figures_while_it_runs_and_those_of_the_result_at_its_end() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let json = folder.path("results.json");
    let (started, address) = start(&folder, &reference, &json, "4s");
    let mut seen = 0;
    let last = loop {
        let text = get(&address, "/metrics");
        assert!(text.ends_with("# EOF\n"), "{text}");
        if text.contains("sockrates_run_over{") {
            seen += 1;
            if text.lines().any(|line| line.starts_with("sockrates_run_over{") && line.ends_with(" 1.0")) {
                break text;
            }
        }
    };
    started.wait().code(0);
    assert!(seen > 1, "it was read before its end, too");
    let result = results(&json)["body"][0].clone();
    let scenario = "scenario=\"Everything \\\"is\\\" counted\"";
    for counter in result["counters"].as_array().expect("it has counters") {
        let name = counter["name"].as_str().expect("a name").replace(' ', "_");
        let line = format!("sockrates_{name}_total{{{scenario}}}");
        assert_eq!(value(&last, &line), counter["value"].as_f64().expect("a count"), "{name}");
    }
    let latencies = |prefix: &str, part: Option<&str>, metrics: &Json| {
        for metric in metrics.as_array().expect("it has metrics") {
            let name = metric["name"].as_str().expect("a name");
            let part = part.map_or_else(String::new, |part| format!(",part=\"{part}\""));
            let labels = format!("{scenario},metric=\"{name}\"{part}");
            let count = metric["count"].as_f64().expect("a count");
            assert_eq!(
                value(&last, &format!("sockrates_{prefix}_seconds_count{{{labels}}}")),
                count,
                "{name}"
            );
            let within = |le: &str| {
                let line = last.lines().find(|line| {
                    line.starts_with(&format!("sockrates_{prefix}_seconds_bucket{{"))
                        && line.contains(&format!("metric=\"{name}\"{part}"))
                        && line.contains(&format!("le=\"{le}\""))
                        && (!part.is_empty() || !line.contains("part="))
                });
                let line = line.unwrap_or_else(|| panic!("no bucket {le} of {name}"));
                line.rsplit(' ').next().and_then(|count| count.parse::<f64>().ok()).expect("a number")
            };
            assert_eq!(within("+Inf"), count, "{name}");
            let median = metric["p50_us"].as_f64();
            if let Some(median) = median.filter(|median| *median < 1e6) {
                assert!(within("2.5") >= count / 2.0, "half of {name} took no longer than {median} us");
            }
        }
    };
    latencies("latency", None, &result["metrics"]);
    let parts = result["parts"].as_array().expect("it has parts");
    assert_eq!(parts.len(), 2);
    for part in parts {
        latencies("part_latency", part["name"].as_str(), &part["metrics"]);
    }
    let audit = &result["deliveries"];
    assert_eq!(
        value(&last, &format!("sockrates_audit_pairs{{{scenario},judged=\"must\"}}")),
        audit["expected"].as_f64().expect("it judged"),
    );
    assert_eq!(
        value(&last, &format!("sockrates_delivery_faults_total{{{scenario},fault=\"missing\"}}")),
        0.0
    );
    assert_eq!(value(&last, &format!("sockrates_clients{{{scenario},state=\"planned\"}}")), 10.0);
    assert_eq!(value(&last, &format!("sockrates_verdict{{{scenario},status=\"passed\"}}")), 1.0);
    let generator = result["generator"]["cpu_us"].as_f64().expect("it is known");
    let cpu = value(&last, &format!("sockrates_cpu_seconds_total{{{scenario},process=\"sockrates\"}}"));
    assert!((cpu * 1e6 - generator).abs() < 1.0, "{cpu} s, and not {generator} us");
}

#[test]
fn an_address_that_is_taken_is_told_before_anything_is_played() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let file = folder.file("counted.yaml", SCENARIO);
    let taken = reference.url().replace("http://", "").split('/').next().unwrap_or_default().to_owned();
    let ended =
        sockrates(["run", "--url", &reference.url(), "--metrics", &taken]).args([&file]).run().code(2);
    assert!(ended.stderr.contains("for --metrics: Address already in use"), "{}", ended.stderr);
}
