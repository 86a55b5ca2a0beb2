//! `sockrates capacity`: a search that ends, and what cannot be searched.

use std::fs;
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reference_server::Config;
use serde_json::Value;

use crate::metrics::get;
use crate::support::{Folder, Reference, Server, head, results, sockrates, splice};

const ASKS: &str = "- all: connect\n- crowd: { repeat: { times: 20, every: 10ms, jitter: 100%, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }\n- all: disconnect";
const QUICKLY: [&str; 6] = ["--settle", "0ms", "--min-samples", "1", "--repeats", "1"];

#[test]
fn a_range_that_ends_before_the_server_breaks_says_at_least() {
    let folder = Folder::new();
    let json = folder.path("capacity.json");
    let scenario = folder.scenario_with("{ crowd: 20 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let range = ["--from", "4", "--to", "8", "--plan-for", "1000"];
    let ended = sockrates(["capacity"])
        .args([&scenario])
        .args(range)
        .args(QUICKLY)
        .args(["--json"])
        .args([&json])
        .run();
    ended.code(0).says("At least 8 clients held, the end of the range").says("such machines for 1,000 users");
    let result = &results(&json)["body"];
    let loads: Vec<f64> = result["points"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|point| point["load"].as_f64())
        .collect();
    assert_eq!(loads, [4.0, 8.0, 8.0]);
    assert_eq!(result["found"]["above"]["kind"], Value::from("range"));
}

#[test]
fn the_figures_of_a_search_can_be_read_while_it_goes_on() {
    let folder = Folder::new();
    let asks = "- all: connect\n- crowd: { repeat: { for: 3s, every: 50ms, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }";
    let scenario = folder.scenario_with("{ crowd: 20 }", asks, "thresholds: [ack p50 < 60 s]");
    let program = sockrates(["capacity", "--metrics", "127.0.0.1:0", "--from", "4", "--to", "5"]);
    let mut search = program.args(QUICKLY).args([&scenario]).start();
    let address = search.told("figures for Prometheus at http://").replace("/metrics", "");
    let mut text = String::new();
    while !text.contains("sockrates_clients") {
        text = get(&address, "/metrics");
        assert!(!text.is_empty(), "nobody listens any more");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    search.interrupt();
    search.wait().code(130);
}

#[test]
fn the_growth_over_nodes_is_a_search_for_each_number_of_them() {
    let folder = Folder::new();
    let (json, page) = (folder.path("growth.json"), folder.path("growth.html"));
    let scenario = folder.scenario_with("{ crowd: 20 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let ended = sockrates(["capacity", "--nodes", "1..2", "--from", "4", "--to", "4"])
        .args([&scenario])
        .args(QUICKLY)
        .args(["--json"])
        .args([&json])
        .args(["--html"])
        .args([&page])
        .run();
    ended
        .code(0)
        .says("from 1 node to 2 nodes is not known")
        .says("at least 4 clients")
        .says("needs four numbers of nodes")
        .complains("2 nodes");
    let result = results(&json);
    assert_eq!(result["kind"], Value::from("growth"));
    let searches = result["body"]["searches"].as_array().expect("a list").clone();
    let nodes = |search: &Value| search["search"]["target"]["nodes"].as_array().map_or(0, Vec::len);
    assert_eq!(searches.iter().map(|search| search["nodes"].clone()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(searches.iter().map(nodes).collect::<Vec<_>>(), [0, 2], "one node has no list of nodes");
    assert!(fs::read_to_string(&page).expect("it was written").contains("load-nodes"));
    let summary = folder.path("growth.md");
    sockrates(["report", "--markdown"]).args([&summary, &json]).run().code(0);
    assert!(
        fs::read_to_string(&summary).expect("it was written").contains("from 1 node to 2 nodes is not known")
    );
}

#[test]
fn a_range_of_nodes_is_for_capacity_and_for_one_question() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 20 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let refused = |words: &[&str], said: &str| {
        sockrates(words).args([&scenario]).run().code(2).complains(said);
    };
    refused(&["run", "--nodes", "1..4"], "`--nodes 1..4` is for `capacity`");
    refused(&["capacity", "--nodes", "4..1"], "or a range like 1..4");
    refused(
        &["capacity", "--nodes", "1..4", "--plan-for", "10"],
        "`--plan-for` is about one number of nodes",
    );
    let one = ["capacity", "--nodes", "1..3", "--url", "http://127.0.0.1:9", "--url", "http://127.0.0.1:10"];
    refused(&one, "needs 3 nodes, and 2 are named");
}

#[test]
fn a_scenario_that_nothing_can_break_has_no_highest_load() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 20 }", ASKS);
    sockrates(["capacity"])
        .args([&scenario])
        .run()
        .code(2)
        .complains("has no thresholds, so no load can fail");
}

#[test]
fn an_axis_that_the_scenario_has_not_is_refused_before_anything_is_started() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 20 }", "- all: connect", "thresholds: [connect p50 < 1 s]");
    for (axis, words) in [
        ("rate", "is for a `repeat` that has a pace, and there is none"),
        ("arrivals", "is for groups that arrive at a rate"),
        ("rooms", "is for a variable"),
        ("a-b", "expected clients, rate, arrivals or the name of a variable"),
    ] {
        let ended = sockrates(["capacity", "--axis", axis]).args([&scenario]).run();
        ended.code(2).complains(words).complains("clients, rate, arrivals or");
    }
    let backwards = ["--from", "10", "--to", "5"];
    sockrates(["capacity"])
        .args([&scenario])
        .args(backwards)
        .run()
        .code(2)
        .complains("change `--from` or `--to`");
}

#[test]
fn a_first_load_that_breaks_fails() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 2 }", ASKS, "thresholds: [ack count > 1000000]");
    let ended = sockrates(["capacity", "--from", "2"]).args([&scenario]).args(QUICKLY).run();
    ended.code(1).says("No load held, 2 clients did not");
}

#[test]
fn standard_output_gets_one_document_and_people_are_told_elsewhere() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 20 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let range = ["--from", "4", "--to", "8", "--json", "-"];
    let ended = sockrates(["capacity"]).args([&scenario]).args(range).args(QUICKLY).run();
    let ended = ended.code(0).complains("At least 8 clients held");
    let value: Value = serde_json::from_str(&ended.stdout).expect("it is one document");
    assert_eq!(value["body"]["found"]["held"], 8.0);
    let both = ["capacity", "--json", "-", "--html", "-"];
    sockrates(both).args([&scenario]).run().code(2).complains("cannot share standard output");
}

/// So many connections at a time are more than a mortal server survives.
const CROWD: usize = 16;

/// A server that dies of a crowd. What clients meet is a relay to a reference server; its life is that of a process that
/// does nothing else, whose id is in a file.
pub(crate) struct Mortal {
    /// How often it is going to die.
    deaths: Mutex<usize>,
    /// The connections that are open.
    open: Mutex<Vec<TcpStream>>,
    life: PathBuf,
}

impl Mortal {
    /// The command that starts it, and what it is made of.
    pub(crate) fn start(folder: &Folder, deaths: usize) -> (String, Reference) {
        let life = folder.path("life");
        let reference = Reference::with(Config::default());
        let (to, mortal) = (
            reference.address(),
            Arc::new(Mortal { deaths: Mutex::new(deaths), open: Mutex::default(), life: life.clone() }),
        );
        let relay = Server::start(move |near, _| mortal.serve(&near, to));
        let url = relay.url();
        (
            format!("echo $$ > '{}'; echo {url}; exec tail -n 1 -f '{}'", life.display(), life.display()),
            reference,
        )
    }

    fn serve(&self, mut near: &TcpStream, to: std::net::SocketAddr) -> io::Result<()> {
        self.enter(near)?;
        let served = (|| {
            let Some(head) = head(&mut near)? else { return Ok(()) };
            let mut far = TcpStream::connect(to)?;
            far.write_all(head.as_bytes())?;
            splice(near, &far)
        })();
        let gone = near.peer_addr().ok();
        let mut open = self.open.lock().expect("nobody panics with it");
        open.retain(|stream| stream.peer_addr().ok() != gone);
        served
    }

    /// One more is there, and that may be too many.
    fn enter(&self, near: &TcpStream) -> io::Result<()> {
        let mut open = self.open.lock().expect("nobody panics with it");
        open.push(near.try_clone()?);
        let mut deaths = self.deaths.lock().expect("nobody panics with it");
        if open.len() < CROWD || *deaths == 0 {
            return Ok(());
        }
        *deaths -= 1;
        let id = fs::read_to_string(&self.life)?.trim().parse().expect("it is the id of a process");
        kill(Pid::from_raw(id), Signal::SIGKILL).expect("the server lives");
        // First it is dead, then its connections break.
        while is_alive(id) {
            thread::park_timeout(Duration::from_millis(1));
        }
        open.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        Ok(())
    }
}

/// Whether there is such a process, and it is none that nobody has waited for yet.
fn is_alive(id: i32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap_or_default().starts_with('Z'))
}

/// A search from 4 clients to 16 on a server that dies so often; what it said, and the result.
fn search_on_a_mortal(deaths: usize) -> (crate::support::Ended, Value) {
    let folder = Folder::new();
    let json = folder.path("capacity.json");
    let (command, _reference) = Mortal::start(&folder, deaths);
    let scenario = folder.scenario_with("{ crowd: 20 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let ended = sockrates(["capacity", "--from", "4", "--to", "16", "--server", &command])
        .args([&scenario])
        .args(QUICKLY)
        .args(["--json"])
        .args([&json])
        .run();
    (ended, results(&json)["body"].clone())
}

fn loads_and_outcomes(result: &Value) -> Vec<(f64, String)> {
    let point = |point: &Value| {
        let outcome = match &point["outcome"] {
            Value::Object(outcome) => outcome.keys().next().cloned(),
            outcome => outcome.as_str().map(str::to_owned),
        };
        (point["load"].as_f64().expect("a number"), outcome.expect("a word"))
    };
    result["points"].as_array().expect("a list").iter().map(point).collect()
}

#[test]
fn a_server_that_dies_is_started_again_and_the_search_goes_on() {
    let (ended, result) = search_on_a_mortal(1);
    ended
        .code(0)
        .says("At least 16 clients held, the end of the range")
        .says("at 16 clients the server ended (the server command")
        .says("and was started again");
    let played = loads_and_outcomes(&result);
    let held = |load: f64| (load, "held".to_owned());
    assert_eq!(played, [held(4.0), held(8.0), (16.0, "died".to_owned()), held(16.0), held(16.0)]);
    assert_eq!(result["notes"].as_array().map(Vec::len), Some(1), "{}", result["notes"]);
}

#[test]
fn a_server_that_dies_three_times_in_a_row_is_a_result() {
    let (ended, result) = search_on_a_mortal(usize::MAX);
    ended
        .code(1)
        .says("8 clients held, at 16 clients the server ended three times in a row: the server command");
    let died = (16.0, "died".to_owned());
    assert_eq!(loads_and_outcomes(&result)[2..], [died.clone(), died.clone(), died]);
    assert_eq!((&result["found"]["above"]["kind"], &result["found"]["held"]), (&"died".into(), &8.0.into()));
    let notes: Vec<&str> =
        result["notes"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let again = notes.iter().filter(|note| note.ends_with("and was started again")).count();
    assert_eq!((notes.len(), again), (3, 2), "it was not started after its third death: {notes:?}");
}

#[test]
fn a_server_by_its_url_that_is_not_there_any_more_bore_no_load_badly() {
    let folder = Folder::new();
    let mut serve = sockrates(["serve", "--port", "0"]).start();
    let address = serve.printed("http://");
    let address = address.split('/').next().expect("it has a beginning");
    let ends = format!("{ASKS}\n- shell: kill -9 {}", serve.pid());
    let ends = ends.replacen("- all: disconnect\n", "", 1)
        + "\n- all: { emit: { event: message-with-ack, args: [1], ack: true } }";
    let scenario = folder.scenario_with("{ crowd: 4 }", &ends, "thresholds: [ack p50 < 60 s]");
    let json = folder.path("capacity.json");
    let ended = sockrates(["capacity", "--allow-commands", "--url", &format!("http://{address}")])
        .args([&scenario])
        .args(QUICKLY)
        .args(["--json"])
        .args([&json])
        .run()
        .code(1)
        .says("the server was not there any more, and did not come back: nothing listens at")
        .says("Too few loads were measured");
    assert!(!format!("{ended}").contains("there is no knee"), "{ended}");
    let result = results(&json)["body"].clone();
    assert_eq!(result["found"]["above"]["kind"], "gone");
    assert_eq!(loads_and_outcomes(&result).len(), 1, "nothing is played on nothing: {result}");
}
