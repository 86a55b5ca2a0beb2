//! `sockrates conform` and servers that lack something, mean harm, die, or are several.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use reference_server::{Config, Fault, Faults};
use sockrates::conformance::{SuiteResult, Verdict, json::from_json, result::FindingResult};

use crate::hostile::{BOUND, OPEN, accept, drip, endless_after, flood, good_at_first, listen, text};
use crate::support::{Folder, Reference, Server, answer, head};

const ALICE: &str = "{ alice: 1 }";

/// Cases about most of what a server may have.
fn suite() -> Folder {
    let folder = Folder::new();
    let all = "transports: [websocket, polling, upgrade]";
    folder.case("bare/open", all, ALICE, "- alice: { open: { within: 1s } }");
    folder.case("bare/connect", all, ALICE, "- alice: { connect: { within: 1s } }");
    folder.case(
        "bare/request",
        "",
        ALICE,
        "- alice: { http: { get: /, expect: { status: { $type: number } } } }",
    );
    folder.case(
        "fixture/echo",
        all,
        ALICE,
        "- alice: { connect: { within: 1s } }\n- alice: { emit: { event: message, args: [1] } }\n\
         - alice: { expect: { event: message-back, args: [1], within: 1s } }",
    );
    folder.case(
        "fixture/room",
        "",
        ALICE,
        "- alice: { connect: { within: 1s } }\n- alice: { join: { room: a, within: 1s } }",
    );
    folder.case(
        "fixture/guard",
        "",
        ALICE,
        "- alice: { connect: { namespace: /guard, refused: true, within: 1s } }",
    );
    folder.case("recovery/on", "needs: recovery", ALICE, "- alice: { connect: { within: 1s } }");
    folder
}

fn suites(folder: &Folder) -> Vec<SuiteResult> {
    let text = std::fs::read_to_string(folder.path("r.json")).expect("the results were written");
    from_json(&text).expect("the results are those of a suite")
}

/// The payloads of the frames that a client sends, one by one.
fn heard(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut start = [0; 2];
    stream.read_exact(&mut start)?;
    let length = match start[1] & 0x7f {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            usize::from(u16::from_be_bytes(length))
        }
        length => usize::from(length),
    };
    let mut mask = [0; 4];
    stream.read_exact(&mut mask)?;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect())
}

/// A server that lets clients in by WebSocket and knows no event at all; long-polling is refused.
fn bare() -> Server {
    Server::start(|mut stream, _| {
        let Some(request) = head(&mut stream)? else { return Ok(()) };
        let Some((_, key)) = request.split_once("Sec-WebSocket-Key: ") else {
            return answer(&mut stream, "400 Bad Request", "Connection: close\r\n", "no");
        };
        accept(&mut stream, key.lines().next().unwrap_or_default())?;
        stream.write_all(&text(OPEN))?;
        loop {
            match heard(&stream)?.as_slice() {
                b"40" => stream.write_all(&text("40{\"sid\":\"x\"}"))?,
                [b'4', b'0', b'/', ..] => {
                    stream.write_all(&text("44/guard,{\"message\":\"Invalid namespace\"}"))?;
                }
                _ => {}
            }
        }
    })
}

#[test]
fn what_a_server_lacks_skips_the_cases_that_need_it_and_says_what_was_seen() {
    let (folder, server) = (suite(), bare());
    let json = folder.path("r.json");
    let url = server.url();
    folder
        .conform(["--url", &url, "--verbose", "--json"])
        .args([&json])
        .run()
        .code(0)
        .says("the server lacks HTTP long-polling (HTTP status 400): bare/connect@polling")
        .says("the server lacks the event `t:join` (no acknowledgement within 1s): fixture/room")
        .says("not offered polling, upgrade, recovery");
    let suite = &suites(&folder)[0];
    for case in &suite.cases {
        let wanted = match case.label().as_str() {
            "bare/open@websocket" | "bare/connect@websocket" | "bare/request" => Verdict::Pass,
            _ => Verdict::Skip,
        };
        assert_eq!(case.verdict, wanted, "{}: {}", case.label(), case.reason);
    }
    assert_eq!(suite.summary.skip, 10);
}

#[test]
fn only_what_the_chosen_cases_need_is_looked_for() {
    let (folder, server) = (suite(), bare());
    let json = folder.path("r.json");
    let url = server.url();
    let looked_for = |only: &str| -> Vec<String> {
        folder.conform(["--url", &url, "--only", only, "--json"]).args([&json]).run().calm();
        let features = &suites(&folder)[0].features;
        let beside = |name: &&str| !["polling", "websocket", "upgrade", "max_payload"].contains(name);
        features.iter().map(|feature| &*feature.name).filter(beside).map(str::to_owned).collect()
    };
    assert_eq!(looked_for("bare/open"), [""; 0]);
    assert_eq!(looked_for("fixture/guard"), ["/guard"]);
    assert_eq!(looked_for("fixture/room"), ["/", "t:join"]);
}

#[test]
fn the_reference_server_is_known_to_have_everything() {
    // Without acknowledgements every look comes to nothing; skipping would hide what the cases are to find.
    suite().conform(["--fault", "ack-zero-unanswered"]).run().code(1).says("✗ fail fixture/room");
}

#[test]
fn recovery_is_played_on_a_server_that_has_it() {
    let folder = suite();
    folder.conform(["--only", "recovery/*", "--verbose"]).run().code(0).says("recovery/on ✓ pass");
    let reference = Reference::start();
    folder
        .conform(["--only", "recovery/*,bare/open", "--url", &reference.url()])
        .run()
        .code(0)
        .says("the server lacks connection state recovery");
}

/// Answers so many connections, and is gone then.
fn leaving_after(connections: usize) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it listens"));
    thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let Ok(mut stream) = stream else { continue };
            let Ok(Some(request)) = head(&mut stream) else { continue };
            let _ = match request.split_once("Sec-WebSocket-Key: ") {
                Some((_, key)) => accept(&mut stream, key.lines().next().unwrap_or_default()),
                None => answer(&mut stream, "200 OK", "Connection: close\r\n", OPEN),
            };
        }
    });
    url
}

#[test]
fn a_server_that_cannot_be_reached_in_a_case_is_not_accused() {
    let folder = Folder::new();
    folder.case("bare/open", "", ALICE, "- alice: { open: { within: 1s } }");
    // The first look and its goodbye; the look at both transports, with a goodbye.
    folder.conform(["--url", &leaving_after(5)]).run().code(3).says("✗ blocked bare/open").says("1 blocked");
    folder
        .conform(["--url", &leaving_after(2)])
        .run()
        .code(3)
        .complains("answered once and then stopped answering");
}

/// A few cases, for servers with which every one takes its time.
fn few() -> Folder {
    let folder = Folder::new();
    let both = "transports: [websocket, polling]";
    folder.case("bare/connect", both, ALICE, "- alice: { connect: { within: 1s } }");
    folder.case(
        "bare/open",
        "",
        ALICE,
        "- alice: open\n- alice: { expect_frame: { text: nothing, within: 1s } }",
    );
    folder.case("fixture/room", "", ALICE, "- alice: { connect: { within: 1s } }\n- alice: { join: a }");
    folder
}

/// How a server may treat whoever gets past its first look.
type Evil = (&'static str, fn(TcpStream) -> io::Result<()>);

#[test]
fn servers_that_mean_harm_are_judged_within_bounds() {
    let evils: [Evil; 6] = [
        ("garbage", |mut stream| stream.write_all(&[0xff; 64])),
        ("the end", |_| Ok(())),
        ("silence", |stream| listen(&stream)),
        ("a byte at a time", |stream| drip(&stream, b"\x81\x7e\xff\xff")),
        ("a frame of a gigabyte", |stream| endless_after(&stream, b"\x81\x7f\0\0\0\0\x40\0\0\0")),
        ("a flood of pings", |stream| flood(&stream, &text("2"))),
    ];
    thread::scope(|scope| {
        for (what, evil) in evils {
            scope.spawn(move || {
                let (folder, server) = (few(), good_at_first(evil));
                let json = folder.path("r.json");
                let arguments = ["--url", &server.url(), "--jobs", "4", "--json"].map(str::to_owned);
                let ended = folder.conform(arguments).args([&json]).bounded(BOUND).run().calm();
                assert_eq!(ended.code, Some(1), "{what}: {ended}");
                assert!(!ended.stdout.contains('\u{1b}'), "{what}: {ended}");
                let suite = &suites(&folder)[0];
                assert_eq!(suite.cases.len(), 4, "{what}: every variant has a verdict");
                let label = "bare/connect@websocket";
                let connect = suite.cases.iter().find(|case| case.label() == label);
                // A broken rule of the wire is told as a finding, and the case is blocked by that.
                let blocks = |finding: &FindingResult| finding.blocked.iter().any(|blocked| blocked == label);
                let expected = match suite.findings.iter().any(blocks) {
                    true => Verdict::Blocked,
                    false => Verdict::Fail,
                };
                assert_eq!(connect.map(|case| case.verdict), Some(expected), "{what}: {ended}");
            });
        }
    });
}

/// The reference server as a command that is killed when a file is there, each time or only once.
fn dying(folder: &Folder, once: bool) -> String {
    let sockrates = env!("CARGO_BIN_EXE_sockrates");
    let (die, again) = (folder.path("die"), if once { "rm -f" } else { "true" });
    let die = die.display();
    format!(
        "{sockrates} serve --port $PORT --quiet & server=$!; \
         while kill -0 $server; do if [ -e {die} ]; then {again} {die}; kill -9 $server; wait $server; exit 9; fi; \
         sleep 0.02; done"
    )
}

#[test]
fn a_server_that_dies_once_is_started_again_and_that_is_told() {
    let folder = suite();
    // Longer than it takes to die, so that the server dies while this is played.
    folder.case(
        "long/wait",
        "takes: 1s",
        ALICE,
        "- alice: connect\n- alice: { wait: 500ms }\n- alice: fence",
    );
    std::fs::write(folder.path("die-soon"), "").expect("a file can be made");
    let (from, to) = (folder.path("die-soon"), folder.path("die"));
    let command = dying(&folder, true);
    let json = folder.path("r.json");
    let run = folder.conform(["--server", &command, "--only", "long/*", "--json"]).args([&json]).start();
    thread::park_timeout(std::time::Duration::from_millis(900));
    std::fs::rename(from, to).expect("it can be renamed");
    let ended = run.wait().calm();
    let suite = &suites(&folder)[0];
    if suite.findings.is_empty() {
        // So slow a machine that it died before the first case, or so fast that it was over.
        return;
    }
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(suite.findings[0].sentence().contains("ended with exit code 9"), "{:?}", suite.findings);
    assert_eq!(suite.cases[0].verdict, Verdict::Pass, "it was played again: {ended}");
}

#[test]
fn the_end_of_a_server_is_laid_at_the_case_that_caused_it_with_the_line_of_the_exception() {
    let folder = Folder::new();
    folder.case("bare/open", "", ALICE, "- alice: open");
    let kill = "- alice: { open: { query: { it: kills } } }\n- alice: { wait: 1s }";
    folder.case("bad/kills", "clause: SIO-PK-11\nlevel: official\ntakes: 1s", ALICE, kill);
    let (reference, die) = (Reference::start(), folder.path("die"));
    let mark = die.clone();
    let relay = crate::support::relay(reference.address(), move |head| {
        if head.contains("it=kills") {
            std::fs::write(&mark, "").expect("there is room");
        }
        head
    });
    let (url, die) = (relay.url(), die.display().to_string());
    let command = format!(
        "echo {url}; while [ ! -e '{die}' ]; do sleep 0.02; done; rm '{die}'; \
         echo \"TypeError: socket.handle is not a function\"; echo '    at app.js:3'; echo; echo 'Node.js v20.20.2'; exit 1"
    );
    let json = folder.path("r.json");
    let ended = folder.conform(["--server", &command, "--json"]).args([&json]).run().code(1);
    let suite = &suites(&folder)[0];
    assert_eq!(suite.findings.len(), 1, "{ended}");
    let finding = &suite.findings[0];
    assert_eq!((&finding.failed[..], finding.verdict), (&["bad/kills".to_owned()][..], Verdict::Fail));
    let told = finding.sentence();
    assert!(told.ends_with("and printed: TypeError: socket.handle is not a function"), "{told}");
    let verdict =
        |label: &str| suite.cases.iter().find(|case| case.label() == label).map(|case| case.verdict);
    assert_eq!((verdict("bad/kills"), verdict("bare/open")), (Some(Verdict::Fail), Some(Verdict::Pass)));
}

#[test]
fn http_that_is_written_into_an_accepted_websocket_is_told_as_what_it_is() {
    let server = Server::start(|mut stream, _| {
        let Some(request) = head(&mut stream)? else { return Ok(()) };
        let Some((_, key)) = request.split_once("Sec-WebSocket-Key: ") else {
            return answer(&mut stream, "200 OK", "Connection: close\r\n", OPEN);
        };
        accept(&mut stream, key.lines().next().unwrap_or_default())?;
        if request.contains("EIO=4") {
            stream.write_all(&text(OPEN))?;
            return listen(&stream);
        }
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    });
    let folder = Folder::new();
    let open = "- alice: { open: { query: { EIO: null }, refused: true, within: 1s } }";
    folder.case("bare/version", "clause: EIO-HS-12", ALICE, open);
    let json = folder.path("r.json");
    let ended = folder.conform(["--url", &server.url(), "--json"]).args([&json]).run().code(1);
    let suite = &suites(&folder)[0];
    let told = suite.findings.first().map(FindingResult::sentence).unwrap_or_default();
    assert!(told.contains("it wrote \"HTTP/1.1 400 Bad Request\""), "{ended}");
    assert!(!told.contains("reserved bits"), "{told}");
    let case = &suite.cases[0];
    assert_eq!((case.verdict, case.by.as_deref()), (Verdict::Blocked, Some("EIO-WS-01")), "{ended}");
}

#[test]
fn several_servers_stand_beside_each_other() {
    let folder = suite();
    let good = Reference::start();
    let broken =
        Reference::broken(Config::default(), [Fault::OpenPacketBinary].into_iter().collect::<Faults>());
    let (json, junit) = (folder.path("r.json"), folder.path("r.xml"));
    let (good_url, broken_url) = (format!("good={}", good.url()), format!("broken={}", broken.url()));
    folder
        .conform(["--url", &good_url, "--url", &broken_url, "--json"])
        .args([json.as_os_str(), "--junit".as_ref(), junit.as_os_str()])
        .run()
        .code(1)
        .says("Case good broken")
        .says("wherever they are played pass pass")
        .says("total: pass");
    let names: Vec<String> = suites(&folder).iter().map(|suite| suite.name.clone()).collect();
    assert_eq!(names, ["good", "broken"]);
    let known = folder.path("known.yaml");
    folder
        .conform(["--url", &good_url, "--url", &broken_url, "--write-baseline"])
        .args([&known])
        .run()
        .code(2)
        .complains("a baseline is about one server");
    folder
        .conform(["--url", &good.url(), "--url", &good.url()])
        .run()
        .code(2)
        .complains("two servers are called");
}

#[test]
fn one_of_several_servers_may_be_missing() {
    let (folder, good) = (suite(), Reference::start());
    let ended = folder
        .conform(["--url", "gone=http://127.0.0.1:1", "--url", &format!("good={}", good.url())])
        .run()
        .code(3);
    ended.says("✓ passed: 13 cases").complains("nothing listens at 127.0.0.1:1");
}

#[test]
fn what_is_written_in_capitals_before_a_command_is_a_variable_and_no_name() {
    let folder = suite();
    let command = format!("GREETING=hello {} serve --port $PORT --quiet", env!("CARGO_BIN_EXE_sockrates"));
    folder.conform(["--server", &command, "--only", "bare/open"]).run().code(0).says("GREETING=hello");
}
