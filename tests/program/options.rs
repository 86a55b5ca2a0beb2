//! The options that say how a server is met: path, query, headers, cookies, source addresses, workers, rows, chance.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use reference_server::Config;

use crate::support::{Folder, Reference, Server, data, head, results, sockrates, splice};

const TRANSPORTS: [&str; 3] = ["websocket", "polling", "upgrade"];

/// A function that threads may share, from a channel that they may not.
fn shared<T: Send + 'static>(tell: Sender<T>) -> impl Fn(T) + Send + Sync {
    let tell = Mutex::new(tell);
    move |value| drop(tell.lock().expect("nobody panicked").send(value))
}

#[test]
fn the_endpoint_may_have_another_path() {
    let reference = Reference::with(Config { path: "/app/live/".into(), ..Config::default() });
    for url in [reference.url(), reference.url().trim_end_matches('/').to_owned()] {
        sockrates(["run", "--url", &url]).args([data("semantic/emit.yaml")]).run().code(0);
    }
    let bare = format!("http://{}", reference.address());
    let ended = sockrates(["run", "chat", "--url", &bare]).run().code(3);
    ended
        .complains("/socket.io/")
        .complains("another path there, name it with `--path /path/`, or in the url");
}

#[test]
fn a_query_and_headers_go_with_every_handshake() {
    let (folder, reference) = (Folder::new(), Reference::start());
    for transport in TRANSPORTS {
        let clients = format!(
            "{{ alice: {{ transport: {transport}, query: {{ own: \"1\" }}, headers: {{ X-Own: \"2\" }} }} }}"
        );
        let who = "{ query: { $contains: { token: \"a b\", own: \"1\" } }, headers: { $contains: { x-token: \"t:1\", x-own: \"2\" } } }";
        let script = format!(
            "- alice: connect\n- alice: {{ emit: {{ event: \"t:who\", ack: {{ args: [ {{ $contains: {who} }} ] }} }} }}"
        );
        let scenario = folder.scenario(&clients, &script);
        let flags = ["--query", "token=a b", "--header", "X-Token: t:1"];
        sockrates(["run", "--url", &reference.url()]).args(flags).args([scenario]).run().code(0);
    }
}

#[test]
fn a_header_that_cannot_be_sent_is_refused_at_once() {
    sockrates(["run", "chat", "--header", "X-Évil: 1"]).run().code(2).complains("X-Évil");
    sockrates(["run", "chat", "--header", "X: a\r\nY: b"]).run().code(2).complains("--header");
}

/// A server that gives every client a cookie with its first response, and tells the head of each connection.
fn baker(reference: &Reference, tell: Sender<String>) -> Server {
    let (address, tell) = (reference.address(), shared(tell));
    Server::start(move |mut near, number| {
        let Some(request) = head(&mut near)? else { return Ok(()) };
        tell(request.clone());
        let mut far = TcpStream::connect(address)?;
        far.write_all(request.as_bytes())?;
        if !request.to_lowercase().contains("\r\ncookie:") {
            let Some(response) = head(&mut far)? else { return Ok(()) };
            let cookie = format!("\r\nSet-Cookie: baked={number}; Path=/; HttpOnly\r\n\r\n");
            near.write_all(response.replace("\r\n\r\n", &cookie).as_bytes())?;
        }
        splice(&near, &far)
    })
}

#[test]
fn every_client_keeps_its_own_cookies() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (tell, told) = mpsc::channel();
    let server = baker(&reference, tell);
    let script = "- all: connect\n- all: { emit: { event: message-with-ack, args: [1], ack: { args: [1] } } }\n- all: disconnect";
    let scenario = folder.scenario("{ crowd: { count: 3, transport: upgrade } }", script);
    sockrates(["run", "--url", &server.url()]).args([scenario]).run().code(0);
    let between = |text: &str, start: &str, end: &[char]| -> Option<String> {
        let (_, rest) = text.split_once(start)?;
        rest.split(end).next().map(str::to_owned)
    };
    let mut of_sessions: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    let mut upgraded = BTreeSet::new();
    for request in told.try_iter() {
        let Some(sid) = between(&request, "&sid=", &[' ', '&']) else { continue };
        if request.contains("transport=websocket") {
            upgraded.insert(sid.clone());
        }
        of_sessions.entry(sid).or_default().insert(between(&request, "baked=", &['\r', ';']));
    }
    of_sessions.retain(|sid, _| upgraded.contains(sid));
    assert_eq!(of_sessions.len(), 3, "{of_sessions:?}");
    let all: BTreeSet<_> = of_sessions.values().flatten().collect();
    assert_eq!(all.len(), 3, "each its own, the same on every connection: {of_sessions:?}");
    assert!(!all.contains(&None), "{of_sessions:?}");
}

#[test]
fn a_cookie_that_comes_with_a_websocket_is_kept_for_the_next_connection() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (tell, told) = mpsc::channel();
    let server = baker(&reference, tell);
    let script = "- all: connect\n- all: disconnect\n- all: connect\n- all: disconnect";
    let scenario = folder.scenario("{ alice: 1 }", script);
    sockrates(["run", "--url", &server.url()]).args([scenario]).run().code(0);
    let sockets = told.try_iter().filter(|request| request.to_lowercase().contains("upgrade: websocket"));
    let baked: Vec<bool> = sockets.map(|request| request.contains("baked=")).collect();
    assert_eq!(baked, [false, true]);
}

#[test]
fn connections_come_from_the_source_addresses_in_turn() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (tell, told) = mpsc::channel();
    let (address, tell) = (reference.address(), shared(tell));
    let server = Server::start(move |near, _| {
        tell(near.peer_addr()?.ip().to_string());
        splice(&near, &TcpStream::connect(address)?)
    });
    let scenario = folder.scenario("{ crowd: 10 }", "- all: connect\n- all: disconnect");
    for workers in ["1", "2"] {
        let run = sockrates(["run", "--source", "127.0.0.2,127.0.0.3", "--workers", workers]);
        run.args(["--url", &server.url()]).args([&scenario]).run().code(0);
        let mut counts = BTreeMap::new();
        told.try_iter().for_each(|source| *counts.entry(source).or_insert(0) += 1);
        // What looked at the server before the run came from anywhere.
        counts.remove("127.0.0.1");
        assert_eq!(counts, BTreeMap::from([("127.0.0.2".into(), 5), ("127.0.0.3".into(), 5)]));
    }
}

#[test]
fn a_source_address_that_does_not_fit_is_told() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ alice: 1 }", "- all: connect");
    let run =
        |source| sockrates(["run", "--source", source, "--url", &reference.url()]).args([&scenario]).run();
    run("::1").code(2).complains("one is IPv4, the other IPv6");
    run("localhost").code(2).complains("--source");
    // From the range for documentation: no machine has it.
    run("192.0.2.1").code(1).says("Cannot assign requested address");
}

#[test]
fn the_number_of_workers_changes_no_verdict() {
    let folder = Folder::new();
    let wrong = folder.scenario(
        "{ crowd: 30 }",
        "- all: connect\n- all: { emit: { event: message-with-ack, args: [\"${n % 3}\"], ack: { args: [0] } } }",
    );
    let mut seen = BTreeSet::new();
    for workers in ["1", "2", "7"] {
        let json = folder.path("results.json");
        let good = data("semantic/rooms.yaml");
        sockrates(["run", "--workers", workers, "--json"]).args([&json, &good, &wrong]).run().code(1);
        let results = results(&json);
        let checks: Vec<String> = results["body"]
            .as_array()
            .expect("a list")
            .iter()
            .flat_map(|result| result["checks"].as_array().expect("a list"))
            .map(|check| {
                format!("{} {} {} {}", check["line"], check["passed"], check["failed"], check["missed"])
            })
            .collect();
        seen.insert(checks);
    }
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert!(seen.iter().flatten().any(|check| check.ends_with("10 20 0")), "{seen:?}");
}

#[test]
fn rows_of_a_file_are_dealt_out_in_turn() {
    let folder = Folder::new();
    folder.file("users.csv", "name,word\nann,\"one, two\"\nben,\"a \"\"b\"\"\"\ncid,\n");
    let scenario = folder.scenario(
        "{ crowd: { count: 5, rows: users.csv, auth: { user: \"${row.name}\", word: \"${row.word}\" } } }",
        "- all: connect\n- all: { expect: { event: auth, args: [ { user: nobody } ] } }",
    );
    let json = folder.path("results.json");
    sockrates(["run", "--json"]).args([&json, &scenario]).run().code(1);
    let results = results(&json);
    let failures = results["body"][0]["checks"][1]["failures"].as_array().expect("a list");
    let row = |n: usize| {
        let client = format!("crowd {n}");
        let failure = failures.iter().find(|failure| failure["client"] == client.as_str());
        failure.and_then(|failure| failure["actual"].as_str()).unwrap_or_default()
    };
    for (n, wanted) in [
        r#"["auth",{"user":"ann","word":"one, two"}]"#,
        r#"["auth",{"user":"ben","word":"a \"b\""}]"#,
        r#"["auth",{"user":"cid","word":""}]"#,
        r#"["auth",{"user":"ann","word":"one, two"}]"#,
    ]
    .into_iter()
    .enumerate()
    {
        assert!(row(n).starts_with(wanted), "{failures:#?}");
    }
}

#[test]
fn a_seed_gives_the_same_plan_again() {
    let folder = Folder::new();
    let scenario = folder.scenario(
        "{ crowd: 4 }",
        "- all: connect\n- all: { emit: { event: message-with-ack, args: [\"${random(1, 1000000000)}\"], ack: { args: [0] } } }",
    );
    let numbers = |seed: &str, workers: &str| -> BTreeSet<String> {
        let json = folder.path("results.json");
        sockrates(["run", "--seed", seed, "--workers", workers, "--json"])
            .args([&json, &scenario])
            .run()
            .code(1);
        let results = results(&json);
        let failures = results["body"][0]["checks"][1]["failures"].as_array().expect("a list").clone();
        failures.iter().map(|failure| format!("{} {}", failure["client"], failure["actual"])).collect()
    };
    let first = numbers("5", "1");
    assert_eq!(first.len(), 4, "{first:?}");
    assert_eq!(first, numbers("5", "1"));
    assert_eq!(first, numbers("5", "2"));
    assert!(first.is_disjoint(&numbers("6", "1")));
}

#[test]
fn scenarios_know_the_heartbeat_of_the_server_they_are_played_against() {
    let heartbeat = Config { ping_interval: Duration::from_millis(2345), ..Config::default() };
    let (folder, reference) = (Folder::new(), Reference::with(heartbeat));
    let ask = |word: &str, number: u32| {
        let value = format!("\"${{server.{word}}}\"");
        format!(
            "- alice: {{ emit: {{ event: message-with-ack, args: [{value}], ack: {{ args: [{number}] }} }} }}"
        )
    };
    let script = format!("- alice: connect\n{}\n{}", ask("interval", 2345), ask("upgrade_timeout", 1500));
    let scenario = folder.scenario("{ alice: 1 }", &script);
    let options = ["run", "--url", &reference.url(), "--upgrade-timeout", "1.5s"];
    sockrates(options).args([scenario]).run().code(0);
}

#[test]
fn what_cannot_be_with_the_server_that_answered_is_told_with_its_place() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario(
        "{ alice: 1 }",
        "- alice: connect\n- alice: { wait: \"${server.max_payload - 1000000}ms\" }",
    );
    sockrates(["run", "--url", &reference.url()]).args([&scenario]).run().code(0);
    let reference = Reference::with(Config { max_payload: 5000, ..Config::default() });
    let ended = sockrates(["run", "--url", &reference.url()]).args([&scenario]).run().code(2);
    ended.complains("a time cannot be negative, and `-995000ms` is");
}

#[test]
fn a_folder_that_is_called_like_what_is_bundled_does_not_stand_in_its_way() {
    let folder = Folder::new();
    for called in ["chat", "node"] {
        std::fs::create_dir(folder.path(called)).expect("it is made");
    }
    sockrates(["check", "chat"]).inside(&folder).run().code(0);
    sockrates(["check", "chat/"]).inside(&folder).run().code(2).complains("chat/");
    sockrates(["conform", "--only", "rooms/join-twice", "--baseline", "node"]).inside(&folder).run().code(0);
}
