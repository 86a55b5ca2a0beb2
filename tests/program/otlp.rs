//! `--otlp`: what a collector of OpenTelemetry gets while a run goes on and at its end, and that a bad one disturbs nothing.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::Value as Json;

use crate::metrics::SCENARIO;
use crate::peers::{found, python};
use crate::support::{Ended, Folder, Program, Reference, Server, answer, head, results, sockrates};
use crate::tls::in_front_of;

/// A collector made of the official definitions. It ends when this is dropped.
struct Collector {
    child: Child,
    address: SocketAddr,
    /// A line for each request.
    lines: Receiver<String>,
}

impl Collector {
    /// `None` means that the test is to be skipped.
    fn start() -> Option<Collector> {
        let python = found(python("a collector of OpenTelemetry", "opentelemetry.proto"))?;
        let mut command = Command::new(python);
        command.arg("tests/peers/python/collector.py").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it can be started");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().rsplit("http://").next().and_then(|address| address.parse().ok());
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Some(Collector { child, address: address.expect("it is an address"), lines })
    }

    /// Waits until it has got so many pushes.
    fn wait_for(&self, pushes: usize) {
        (0..pushes).for_each(|_| drop(self.lines.recv().expect("it is there")));
    }

    /// Ends it. Gives what it has got, in order.
    fn got(mut self) -> Vec<Json> {
        drop(self.child.stdin.take());
        self.lines.iter().map(|line| serde_json::from_str(&line).expect("a line of JSON")).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run of the scenario in which everything is counted.
fn run(folder: &Folder, reference: &Reference, url: &str, length: &str) -> Program {
    let file = folder.file("counted.yaml", SCENARIO);
    let arguments = ["run", "--otlp", url, "--duration", length, "--url", &reference.url(), "--json"];
    sockrates(arguments).args([folder.path("results.json"), file])
}

/// The only list with this name in a value.
fn list<'j>(value: &'j Json, path: &str) -> &'j Vec<Json> {
    value.pointer(path).and_then(Json::as_array).unwrap_or_else(|| panic!("no {path} in {value}"))
}

/// The attributes as `name=value`.
fn attributes(value: &Json) -> Vec<String> {
    let text =
        |one: &Json| Some(format!("{}={}", one["key"].as_str()?, one["value"]["stringValue"].as_str()?));
    value["attributes"].as_array().into_iter().flatten().map(|one| text(one).expect("it is a text")).collect()
}

/// The metrics of one push.
fn metrics(push: &Json) -> &Vec<Json> {
    assert_eq!(push["error"], Json::Null);
    list(push, "/request/resourceMetrics/0/scopeMetrics/0/metrics")
}

/// The point of a metric of this kind, with these attributes beside the scenario.
fn point<'j>(push: &'j Json, name: &str, kind: &str, labels: &[String]) -> &'j Json {
    let metric = metrics(push).iter().find(|metric| metric["name"] == name);
    let metric = metric.unwrap_or_else(|| panic!("no {name}"));
    let mut wanted = vec!["scenario=Everything \"is\" counted".to_owned()];
    wanted.extend_from_slice(labels);
    let points = list(metric, &format!("/{kind}/dataPoints"));
    points
        .iter()
        .find(|point| attributes(point) == wanted)
        .unwrap_or_else(|| panic!("no {wanted:?} in {metric}"))
}

/// Protobuf writes whole numbers of 64 bits as text.
fn whole(value: &Json) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn counts(point: &Json, path: &str) -> Vec<u64> {
    list(point, path).iter().map(whole).collect()
}

#[test]
fn a_collector_gets_figures_while_it_runs_and_those_of_the_result_at_its_end() {
    let Some(collector) = Collector::start() else { return };
    let (folder, reference) = (Folder::new(), Reference::start());
    let ended = run(&folder, &reference, &format!("http://{}", collector.address), "4s")
        .args(["--label", "v2.1"])
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=top%20secret,x-scope=tenant-17")
        .run()
        .code(0);
    assert!(!ended.stderr.contains("warning"), "{ended}");
    assert!(!ended.stderr.contains("top secret") && !ended.stdout.contains("top secret"), "{ended}");
    let pushes = collector.got();
    assert!(pushes.len() >= 2, "a second after its begin, and at its end: {}", pushes.len());
    let (first, last) = (&pushes[0], &pushes[pushes.len() - 1]);
    assert_eq!(last["path"], "/v1/metrics");
    assert_eq!(last["headers"]["api-key"], "top secret");
    let about = attributes(last.pointer("/request/resourceMetrics/0/resource").expect("it has a resource"));
    assert_eq!(about[0], "service.name=sockrates");
    assert_eq!(about[1], format!("service.version={}", env!("CARGO_PKG_VERSION")));
    assert!(about[2].starts_with("service.instance.id="));
    assert_eq!(about[3], "sockrates.run.label=v2.1");

    let result = results(&folder.path("results.json"))["body"][0].clone();
    for counter in result["counters"].as_array().expect("it has counters") {
        let name = counter["name"].as_str().expect("a name").replace(' ', "_");
        let point = point(last, &format!("sockrates.{name}"), "sum", &[]);
        assert_eq!(whole(&point["asInt"]), counter["value"].as_u64().expect("a count"), "{name}");
    }
    let sent = metrics(last).iter().find(|metric| metric["name"] == "sockrates.sent").expect("it is there");
    assert_eq!(sent["sum"]["isMonotonic"], true);
    assert_eq!(sent["sum"]["aggregationTemporality"], "AGGREGATION_TEMPORALITY_CUMULATIVE");
    let of_first = point(first, "sockrates.sent", "sum", &[]);
    let of_last = point(last, "sockrates.sent", "sum", &[]);
    assert!(whole(&of_first["asInt"]) < whole(&of_last["asInt"]));
    assert_eq!(of_first["startTimeUnixNano"], of_last["startTimeUnixNano"], "it is one run");
    assert!(whole(&of_first["timeUnixNano"]) < whole(&of_last["timeUnixNano"]));

    let latencies = |family: &str, part: Option<&str>, metrics: &Json| {
        for metric in metrics.as_array().expect("it has metrics") {
            let name = metric["name"].as_str().expect("a name");
            let mut labels = vec![format!("metric={name}")];
            labels.extend(part.map(|part| format!("part={part}")));
            let point = point(last, family, "histogram", &labels);
            let count = metric["count"].as_u64().expect("a count");
            assert_eq!(whole(&point["count"]), count, "{name}");
            let buckets = counts(point, "/bucketCounts");
            assert_eq!(buckets.iter().sum::<u64>(), count, "{name}");
            let bounds = list(point, "/explicitBounds");
            assert_eq!(bounds.len() + 1, buckets.len());
            let mean = point["sum"].as_f64().expect("a sum") * 1e6 / count as f64;
            assert!((mean - metric["mean_us"].as_f64().expect("a mean")).abs() < 1.0, "{name}");
            assert_eq!(point["max"].as_f64().map(|max| (max * 1e6).round()), metric["max_us"].as_f64());
            let of = |edge: f64| {
                let within =
                    bounds.iter().take_while(|bound| bound.as_f64().is_some_and(|bound| bound <= edge));
                buckets[..within.count()].iter().sum::<u64>()
            };
            let median = metric["p50_us"].as_f64().expect("a median") / 1e6;
            let above = bounds.iter().filter_map(Json::as_f64).find(|bound| *bound >= median * 1.001);
            assert!(above.is_none_or(|above| of(above) * 2 >= count), "{name}: {median} s, {buckets:?}");
        }
    };
    latencies("sockrates.latency", None, &result["metrics"]);
    for part in result["parts"].as_array().expect("it has parts") {
        latencies("sockrates.part_latency", part["name"].as_str(), &part["metrics"]);
    }
    let judged = point(last, "sockrates.audit_pairs", "gauge", &["judged=must".into()]);
    assert_eq!(judged["asDouble"].as_f64(), result["deliveries"]["expected"].as_f64());
    assert_eq!(point(last, "sockrates.verdict", "gauge", &["status=passed".into()])["asDouble"], 1.0);
    let cpu = point(last, "sockrates.cpu", "sum", &["process=sockrates".into()])["asDouble"].as_f64();
    let own = result["generator"]["cpu_us"].as_f64().expect("it is known");
    assert!(cpu.is_some_and(|cpu| (cpu * 1e6 - own).abs() < 1.0), "{cpu:?} s, and not {own} us");
}

#[test]
fn figures_are_pushed_again_and_again() {
    let Some(collector) = Collector::start() else { return };
    let (folder, reference) = (Folder::new(), Reference::start());
    let started = run(&folder, &reference, &format!("http://{}", collector.address), "100s").start();
    collector.wait_for(3);
    started.interrupt();
    let ended = started.wait().code(130);
    assert!(!ended.stderr.contains("warning"), "{ended}");
    assert!(!collector.got().is_empty(), "the figures up to there");
}

#[test]
fn the_figures_of_a_search_are_pushed_step_by_step() {
    let Some(collector) = Collector::start() else { return };
    let (folder, reference) = (Folder::new(), Reference::start());
    let asks = "- all: connect\n- crowd: { repeat: { for: 1500ms, every: 50ms, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }";
    let scenario = folder.scenario_with("{ crowd: 20 }", asks, "thresholds: [ack p50 < 60 s]");
    let url = format!("http://{}", collector.address);
    let arguments =
        ["capacity", "--otlp", &url, "--from", "4", "--to", "5", "--repeats", "1", "--settle", "1ms"];
    sockrates(arguments).args(["--url", &reference.url()]).args([&scenario]).run().code(0);
    let pushes = collector.got();
    let last = metrics(pushes.last().expect("there is one"));
    for name in ["sockrates.sent", "sockrates.latency", "sockrates.run_over"] {
        assert!(last.iter().any(|metric| metric["name"] == name), "{name}");
    }
}

#[test]
fn latencies_are_sent_as_exponential_histograms_where_the_environment_wants_them() {
    let Some(collector) = Collector::start() else { return };
    let (folder, reference) = (Folder::new(), Reference::start());
    let variable = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
    run(&folder, &reference, &format!("http://{}/v1/metrics", collector.address), "2s")
        .env(variable, "base2_exponential_bucket_histogram")
        .run()
        .code(0);
    let pushes = collector.got();
    let last = pushes.last().expect("there is one");
    assert_eq!(last["path"], "/v1/metrics");
    let result = results(&folder.path("results.json"))["body"][0].clone();
    for metric in result["metrics"].as_array().expect("it has metrics") {
        let name = metric["name"].as_str().expect("a name");
        let point = point(last, "sockrates.latency", "exponentialHistogram", &[format!("metric={name}")]);
        let count = metric["count"].as_u64().expect("a count");
        let buckets = counts(point, "/positive/bucketCounts");
        assert_eq!((whole(&point["count"]), buckets.iter().sum::<u64>()), (count, count), "{name}");
        let base = (-point["scale"].as_f64().unwrap_or_default()).exp2().exp2();
        let offset = point["positive"]["offset"].as_f64().unwrap_or_default();
        let mut seen = 0;
        let place = buckets.iter().position(|bucket| {
            seen += bucket;
            seen * 2 >= count
        });
        let edge = base.powf(offset + place.expect("half of them are in buckets") as f64 + 1.0);
        let median = metric["p50_us"].as_f64().expect("a median") / 1e6;
        assert!(
            edge * 1.002 >= median && edge / base <= median * 1.002,
            "{name}: {edge} s, and not {median} s"
        );
    }
}

#[test]
fn a_collector_behind_tls_is_trusted_by_its_authority_alone() {
    let Some(collector) = Collector::start() else { return };
    let (folder, reference) = (Folder::new(), Reference::start());
    let (front, authority) = in_front_of(collector.address, &["127.0.0.1"]);
    let authority = folder.file("authority.pem", &authority);
    let url = format!("https://{}", front.address());
    let trusting = |program: Program| {
        program.env("OTEL_EXPORTER_OTLP_CERTIFICATE", authority.to_str().expect("a path of ours"))
    };
    let ended = trusting(run(&folder, &reference, &url, "1s")).run().code(0);
    assert!(!ended.stderr.contains("warning"), "{ended}");
    let ended = run(&folder, &reference, &url, "1s").run().code(0);
    ended.complains("and the last figures are not there: TLS failed: invalid peer certificate");
    assert!(!collector.got().is_empty());
}

/// Runs before a collector made of a function, and demands that nothing but a warning tells of it.
fn before(serve: impl Fn(TcpStream, usize) -> std::io::Result<()> + Send + Sync + 'static) -> Ended {
    let (folder, reference) = (Folder::new(), Reference::start());
    let server = Server::start(serve);
    let run = run(&folder, &reference, &server.url(), "2s");
    // Whether a busy machine holds the rates is no matter of a collector.
    let ended = run.args(["--checks-only"]).run().code(0).says("passed");
    assert_eq!(ended.stderr.matches("warning").count(), 1, "{ended}");
    ended
}

/// Reads a request whose length is told.
fn request(stream: &mut TcpStream) -> std::io::Result<()> {
    let head = head(stream)?.unwrap_or_default();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
    stream.read_exact(&mut vec![0; length.unwrap_or_default()])
}

#[test]
fn a_collector_that_is_not_there_is_told_of_once() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let free =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port is free");
    let url = format!("http://ann:hunter-22@{free}/otlp?key=hunter-33");
    let ended = run(&folder, &reference, &url, "2s").args(["--checks-only"]).run().code(0);
    let place = format!(
        "pushes of figures to http://{free}/otlp/v1/metrics failed, and the last figures are not there"
    );
    assert!(!ended.stderr.contains("hunter"), "{ended}");
    assert_eq!(ended.stderr.matches("warning").count(), 1, "{ended}");
    ended.complains(&place).complains("Connection refused");
}

#[test]
fn a_collector_that_refuses_answers_nonsense_or_hangs_up_disturbs_nothing() {
    let refused = before(|mut stream, _| {
        request(&mut stream)?;
        answer(&mut stream, "503 Try Later", "", "\u{1b}[2J")
    });
    assert!(!refused.stderr.contains('\u{1b}'), "{refused}");
    refused.complains("failed, and the last figures are not there: HTTP status 503 Try Later");
    before(|mut stream, _| request(&mut stream)).complains("it closed the connection without an answer");
    before(|mut stream: TcpStream, _| {
        request(&mut stream)?;
        std::io::Write::write_all(&mut stream, b"SSH-2.0-OpenSSH\r\n")
    })
    .complains("it does not speak HTTP");
}

#[test]
fn figures_that_a_collector_refuses_are_told_of() {
    // Field 1, a message: field 1 is the number 3, field 2 the text `too old`.
    let partial = b"\x0a\x0b\x08\x03\x12\x07too old";
    before(move |mut stream, _| {
        request(&mut stream)?;
        answer(&mut stream, "200 OK", "", std::str::from_utf8(partial).expect("it is ASCII"))
    })
    .complains("it refused 3 values: too old");
}

#[test]
fn a_collector_that_never_answers_holds_an_interrupted_run_for_no_longer_than_a_moment() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let silent = Server::start(|mut stream: TcpStream, _| {
        std::io::copy(&mut stream, &mut std::io::sink())?;
        thread::park();
        Ok(())
    });
    let mut started = run(&folder, &reference, &silent.url(), "60s").start();
    started.told("figures go to");
    started.wait_for(&folder.path("results.json"));
    started.interrupt();
    started
        .wait()
        .code(130)
        .complains("failed, and the last figures are not there: it did not answer in time");
}

#[test]
fn a_url_that_is_none_is_told_before_anything_is_played() {
    let (folder, reference) = (Folder::new(), Reference::start());
    run(&folder, &reference, "localhost:4318", "1s")
        .run()
        .code(2)
        .complains("it names no scheme, http or https");
}
