//! A real Prometheus reads the figures of a run. Every query of the dashboard and of the alerts is asked of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

use crate::metrics::{get, start};
use crate::peers::{Missing, found};
use crate::support::{Folder, Reference, results};

const DASHBOARD: &str = "deploy/grafana/sockrates.json";
const ALERTS: &str = "deploy/grafana/alerts.yaml";

/// A Prometheus that reads an address five times a second, until it is dropped.
struct Prometheus {
    child: Child,
    address: String,
}

impl Prometheus {
    fn start(folder: &Folder, target: &str) -> Prometheus {
        let config = format!(
            "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms }}\n\
             scrape_configs: [ {{ job_name: sockrates, static_configs: [ {{ targets: [\"{target}\"] }} ] }} ]\n"
        );
        let config = folder.file("prometheus.yaml", &config);
        let data = folder.path("data");
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", Path::new(&config).display()))
            .arg(format!("--storage.tsdb.path={}", Path::new(&data).display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("it can be started");
        let mut lines =
            BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
        let address = lines
            .find_map(|line| line.split_once("\"Listening on\" address=").map(|(_, rest)| rest.to_owned()));
        thread::spawn(move || lines.for_each(drop));
        Prometheus { child, address: address.expect("it says where it listens") }
    }

    /// The answer to a query at a time, in seconds.
    fn ask(&self, query: &str, time: Option<f64>) -> Json {
        let time = time.map_or_else(String::new, |time| format!("&time={time}"));
        let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
        let text = get(&self.address, &format!("/api/v1/query?query={query}{time}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    /// The last values that were read, and when.
    fn last(&self, name: &str) -> Vec<(Json, f64, f64)> {
        let answer = self.ask(&format!("{name}[10m]"), None);
        let series = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        let last = |one: Json| {
            let value = one["values"].as_array()?.last()?.clone();
            Some((one["metric"].clone(), value[0].as_f64()?, value[1].as_str()?.parse().ok()?))
        };
        series.into_iter().filter_map(last).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether there is one. `None` means that the test is to be skipped.
fn here() -> Option<()> {
    let is_there =
        Command::new("prometheus").arg("--version").output().is_ok_and(|output| output.status.success());
    found(if is_there { Ok(()) } else { Err(Missing::new("Prometheus", "it is not installed")) })
}

/// Every `expr` in a value.
fn queries(value: &Json, all: &mut Vec<String>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| queries(item, all)),
        Json::Object(map) => map.iter().for_each(|(key, value)| match (key.as_str(), value) {
            ("expr", Json::String(query)) => all.push(query.clone()),
            (_, value) => queries(value, all),
        }),
        _ => {}
    }
}

#[test]
fn prometheus_has_the_figures_of_the_result_and_answers_every_query_of_the_dashboard() {
    let Some(()) = here() else { return };
    let (folder, reference) = (Folder::new(), Reference::start());
    let json = folder.path("results.json");
    // Prometheus looks at its targets for the first time some 5 s after its start.
    let (started, address) = start(&folder, &reference, &json, "12s");
    let prometheus = Prometheus::start(&folder, &address);
    started.wait().code(0);
    let result = results(&json)["body"][0].clone();

    for counter in result["counters"].as_array().expect("it has counters") {
        let name = counter["name"].as_str().expect("a name");
        let there = prometheus.last(&format!("sockrates_{}_total", name.replace(' ', "_")));
        assert_eq!(there.len(), 1, "{name}: {there:?}");
        assert_eq!(Some(there[0].2), counter["value"].as_f64(), "{name}");
    }
    for metric in result["metrics"].as_array().expect("it has metrics") {
        let name = metric["name"].as_str().expect("a name");
        let there = prometheus.last(&format!("sockrates_latency_seconds_count{{metric=\"{name}\"}}"));
        assert_eq!(
            there.iter().map(|one| Some(one.2)).collect::<Vec<_>>(),
            [metric["count"].as_f64()],
            "{name}"
        );
    }

    // When the run was half over, so that no series is stale.
    let readings = prometheus.last("sockrates_run_over");
    let end = readings.first().expect("it was read").1;
    let dashboard: Json =
        serde_json::from_str(&fs::read_to_string(DASHBOARD).expect("it is there")).expect("it is JSON");
    let alerts: Json =
        serde_yaml::from_str(&fs::read_to_string(ALERTS).expect("it is there")).expect("it is YAML");
    let mut asked = Vec::new();
    queries(&dashboard, &mut asked);
    assert!(asked.len() >= 15, "{asked:?}");
    for query in asked {
        let query =
            query.replace("$scenario", ".*").replace("$__rate_interval", "1m").replace("$instance", ".*");
        let answer = prometheus.ask(&query, Some(end));
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let found = answer["data"]["result"].as_array().map_or(0, Vec::len);
        assert!(found > 0, "nothing answers {query}");
    }
    let mut asked = Vec::new();
    queries(&alerts, &mut asked);
    assert!(asked.len() >= 5, "{asked:?}");
    for query in asked {
        let answer = prometheus.ask(&query, Some(end));
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        assert_eq!(answer["data"]["result"].as_array().map_or(1, Vec::len), 0, "a good run raises {query}");
        // Without its limit, each finds something: a name that does not exist would never alert.
        let figure =
            query.split(" > ").next().and_then(|query| query.split(" == ").next()).expect("it has a limit");
        let answer = prometheus.ask(figure, Some(end));
        let found = answer["data"]["result"].as_array().map_or(0, Vec::len);
        assert!(found > 0, "nothing answers {figure}");
    }
}

#[test]
fn the_alerts_are_rules_that_prometheus_takes() {
    let Some(()) = here() else { return };
    let checked =
        Command::new("promtool").args(["check", "rules", ALERTS]).output().expect("promtool comes with it");
    assert!(checked.status.success(), "{checked:?}");
}
