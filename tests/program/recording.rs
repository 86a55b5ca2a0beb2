//! `record`: what passes through it comes through whole, and what it writes passes at once.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use reference_server::{Config, Faults};

use crate::looks::started;
use crate::peers::application;
use crate::support::{Folder, Reference, Started, sockrates};
use crate::tls::{Secure, of_openssl};

/// A recording under way, and the address of its proxy: `127.0.0.1:40123`.
fn recording(reference: &Reference, output: &Path) -> (Started, String) {
    recording_of(&reference.url(), output, &[])
}

/// The same of this application, with further arguments.
fn recording_of(url: &str, output: &Path, more: &[&Path]) -> (Started, String) {
    let mut started = sockrates(["record", "--url", url, "--output"]).args([output]).args(more).start();
    let told = started.told("Open http://");
    let address = told.split('/').next().unwrap_or_default().to_owned();
    (started, address)
}

#[test]
fn clients_of_every_transport_pass_through_and_what_was_recorded_passes_at_once() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let script = "- all: connect\n\
        - all: { join: lobby }\n\
        - polling: { repeat: { times: 3, every: 50ms, steps: [ { emit: { event: \"t:cast\", args: [{ from: socket, to: [lobby] }, said, [\"word ${i} of polling ${n}\"]], ack: true } } ] } }\n\
        - upgraded: { repeat: { times: 3, every: 50ms, steps: [ { emit: { event: \"t:cast\", args: [{ from: socket, to: [lobby] }, said, [\"word ${i} of upgraded ${n}\"]], ack: true } } ] } }\n\
        - direct: { emit: { event: message-with-ack, args: [hello, { $bytes: 100000 }], ack: { args: [hello, { $bytes: 100000 }] } } }\n\
        - all: disconnect";
    let clients = "{ polling: { count: 3, transport: polling }, upgraded: { count: 3, transport: upgrade }, \
        direct: { count: 2, transport: websocket } }";
    let scenario = folder.scenario(clients, script);
    let written = folder.path("recorded.yaml");
    let (recording, address) = recording(&reference, &written);
    sockrates(["run", "--url", &format!("http://{address}")]).args([&scenario]).run().code(0);
    recording.interrupt();
    recording.wait().code(0).says("recorded.yaml is written");
    let text = fs::read_to_string(&written).expect("it is written");
    for part in [
        "transport: websocket",
        "guessed: `t:join` is a join",
        "guessed: `t:cast` is a broadcast",
        "{ $bytes: 100000 }",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    sockrates(["run", "--url", &reference.url()]).args([&written]).run().code(0).says("Judged");
    sockrates(["run", "--clients", "60", "--url", &reference.url()]).args([&written]).run().code(0);
}

#[test]
fn an_application_behind_a_certificate_of_its_own_is_recorded_where_that_is_trusted_and_nowhere_else() {
    let folder = Folder::new();
    let (certificate, key) = of_openssl("127.0.0.1");
    let secure = Secure::showing(certificate.der().clone(), &key, None);
    let (url, own) = (secure.url("https"), folder.file("own.pem", &certificate.pem()));
    let other = folder.file("other.pem", &of_openssl("127.0.0.1").0.pem());
    let written = folder.path("recorded.yaml");
    for trust in [vec![], vec![Path::new("--ca-file"), &other]] {
        let program = sockrates(["record", "--url", &url, "--output"]).args([&written]).args(trust);
        program.run().code(3).complains(&format!("failed to connect to {url}: invalid peer certificate"));
    }
    assert!(!written.exists());

    let script = "- all: connect\n\
        - all: { join: lobby }\n\
        - all: { repeat: { times: 3, every: 50ms, steps: [ { emit: { event: \"t:cast\", args: [{ from: socket, to: [lobby] }, said, [\"word ${i} of ${group} ${n}\"]], ack: true } } ] } }\n\
        - direct: { emit: { event: message-with-ack, args: [hello, { $bytes: 300000 }], ack: { args: [hello, { $bytes: 300000 }] } } }\n\
        - all: disconnect";
    let clients = "{ polling: { count: 2, transport: polling }, upgraded: { count: 2, transport: upgrade }, \
        direct: { count: 2, transport: websocket } }";
    let scenario = folder.scenario(clients, script);
    let (recording, address) = recording_of(&url, &written, &[Path::new("--ca-file"), &own]);
    sockrates(["run", "--url", &format!("http://{address}")]).args([&scenario]).run().code(0);
    recording.interrupt();
    recording.wait().code(0).says("recorded.yaml is written");
    let text = fs::read_to_string(&written).expect("it is written");
    assert!(text.contains("guessed: `t:cast` is a broadcast"), "{text}");
    let run = |more: &[&str]| {
        let run = sockrates(["run", "--url", &url, "--ca-file"]).args([&own]).args(more);
        run.args([&written]).run().code(0).says("Judged")
    };
    run(&[]);
    run(&["--clients", "30"]);
}

#[test]
fn pages_that_poll_by_jsonp_are_recorded_in_both_versions() {
    let reference = Reference::broken(Config { allow_eio3: true, ..Config::default() }, Faults::NONE);
    let folder = Folder::new();
    for version in [3, 4] {
        let clients =
            format!("{{ page: {{ count: 2, transport: polling, protocol: {version}, query: {{ j: 7 }} }} }}");
        let script = "- all: connect\n- all: { join: lobby }\n\
            - all: { repeat: { times: 3, every: 50ms, steps: [ { emit: { event: \"t:cast\", args: [{ from: socket, to: [lobby] }, said, [\"a \\\\n line\\nword ${i} of ${n} ü+%\"]], ack: true } } ] } }\n\
            - all: disconnect";
        let scenario = folder.scenario(&clients, script);
        let written = folder.path(&format!("recorded-{version}.yaml"));
        let (recording, address) = recording(&reference, &written);
        sockrates(["run", "--url", &format!("http://{address}")]).args([&scenario]).run().code(0);
        recording.interrupt();
        recording.wait().code(0);
        let text = fs::read_to_string(&written).expect("it is written");
        assert!(text.contains("is a broadcast") && text.contains("ü+%"), "{text}");
        assert!(text.contains("query: { j: \"7\" }"), "who polled by JSONP does so again: {text}");
        sockrates(["run", "--url", &reference.url()]).args([&written]).run().code(0).says("Judged");
    }
}

#[test]
fn clients_of_engine_io_3_are_recorded_too() {
    let reference = Reference::broken(Config { allow_eio3: true, ..Config::default() }, Faults::NONE);
    let folder = Folder::new();
    let script = "- all: connect\n- all: { join: lobby }\n\
        - old: { repeat: { times: 3, every: 50ms, steps: [ { emit: { event: \"t:cast\", args: [{ from: socket, to: [lobby] }, said, [\"good ${i} morning of ${group} ${n}\"]], ack: true } } ] } }\n\
        - all: disconnect";
    let clients = "{ old: { count: 2, transport: polling, protocol: 3 }, older: { count: 2, transport: websocket, protocol: 3 } }";
    let scenario = folder.scenario(clients, script);
    let written = folder.path("recorded.yaml");
    let (recording, address) = recording(&reference, &written);
    sockrates(["run", "--url", &format!("http://{address}")]).args([&scenario]).run().code(0);
    recording.interrupt();
    recording.wait().code(0);
    let text = fs::read_to_string(&written).expect("it is written");
    assert!(text.contains("protocol: 3") && text.contains("is a broadcast"), "{text}");
    sockrates(["run", "--url", &reference.url()]).args([&written]).run().code(0).says("Judged");
}

/// Asks over a connection that stays open: the head and the body of the answer.
fn asked(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).expect("it can be written");
    let (mut all, mut byte) = (Vec::new(), [0]);
    while !all.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("it can be read") == 1 {
        all.push(byte[0]);
    }
    let head = String::from_utf8(all).expect("it is text");
    let length = head.to_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).expect("the body comes");
    head + &String::from_utf8_lossy(&body)
}

#[test]
fn a_page_and_its_polls_come_over_one_connection_and_no_secret_is_written() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let written = folder.path("recorded.yaml");
    let (recording, address) = recording(&reference, &written);
    let mut stream = TcpStream::connect(&address).expect("it listens");
    let page = asked(&mut stream, &format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<html"), "{page}");
    let path = "/socket.io/?EIO=4&transport=polling";
    let head = format!("Host: {address}\r\nCookie: session=verysecret77\r\nAccept-Encoding: gzip\r\n");
    let opened = asked(&mut stream, &format!("GET {path} HTTP/1.1\r\n{head}\r\n"));
    let sid =
        opened.split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("it has an id");
    for body in [
        "40{\"token\":\"letmein-please\"}",
        "42[\"message\",{\"as\":\"verysecret77\",\"key\":\"eyJhbGciOiJIUzI1NiJ9.e30.x1\",\"text\":\"hello\"}]",
    ] {
        let length = body.len();
        let posted = asked(
            &mut stream,
            &format!("POST {path}&sid={sid} HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}"),
        );
        assert!(posted.ends_with("ok"), "{posted}");
        let polled = asked(&mut stream, &format!("GET {path}&sid={sid} HTTP/1.1\r\n{head}\r\n"));
        assert!(polled.starts_with("HTTP/1.1 200"), "{polled}");
    }
    recording.interrupt();
    let ended = recording.wait().code(0);
    let text = fs::read_to_string(&written).expect("it is written");
    for secret in ["letmein-please", "verysecret77", "eyJ"] {
        assert!(
            !text.contains(secret) && !ended.stderr.contains(secret),
            "{secret}\n{text}\n{}",
            ended.stderr
        );
    }
    assert!(text.contains("auth: { token: \"${my_token}\" }"), "{text}");
    assert!(text.contains("text: hello"), "{text}");
    sockrates(["check", "--quiet"]).args([&written]).run().code(0);
    sockrates(["run", "--url", &reference.url()]).args([&written]).run().code(0);
}

/// The passwords of the members of `members.js`.
const PASSWORDS: [&str; 4] = ["--set", "my_password=apples & pears", "--set", "my_password_2=bananas+1"];

#[test]
fn how_members_log_in_is_recorded_and_as_many_as_one_likes_log_in_with_passwords_that_are_given() {
    let Some((_members, url)) = started("members.js") else { return };
    let folder = Folder::new();
    let written = folder.path("recorded.yaml");
    let (recording, address) = recording_of(&url, &written, &[]);
    let members = Path::new("tests/peers/apps/members.yaml");
    sockrates(["run", "--url", &format!("http://{address}")]).args([members]).run().code(0);
    recording.interrupt();
    let told = recording.wait().code(0).stderr;
    let text = fs::read_to_string(&written).expect("it is written");
    for part in [
        "- http: { get: /form, expect: { status: 200, body: { $match: ",
        "body: \"_csrf=${encoded(from_form)}&username=${encoded(row.username)}&password=${encoded(my_password)}\", expect: { status: 302 }",
        "connect: { auth: { token: \"${from_session.token}\" } }",
        "x-csrf-token: \"${from_csrf.csrfToken}\", x-xsrf-token: \"${decoded(from_csrf_header)}\" }",
        "origin: \"${server.origin}\"",
        "referer: \"${server.origin}/form\"",
        "connect: { headers: { authorization: \"Bearer ${from_token.access_token}\" } }",
        "rows: [{ username: ann }, { username: bob }]",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    for secret in ["apples", "bananas", "eyJ"] {
        assert!(!text.contains(secret) && !told.contains(secret), "{secret}\n{text}\n{told}");
    }
    let run = |url: &str, more: &[&str]| {
        sockrates(["run", "--url", url]).args(PASSWORDS).args(more).args([&written]).run()
    };
    run(&url, &[]).code(0).says("Judged");
    run(&url, &["--clients", "20"]).code(0);
    sockrates(["run", "--url", &url]).args([&written]).run().code(1);
    let server = application("members.js").expect("it was there");
    let broken =
        sockrates(["run", "--server", &server]).env("BREAK", "lost").args(PASSWORDS).args([&written]).run();
    broken.code(1).says("delivery missing");
}

#[test]
fn a_message_to_a_person_by_name_is_owed_to_that_person_and_to_nobody_else() {
    for (connect, register) in [
        ("connect: { auth: { username: \"${group}\" } }", ""),
        ("connect: {}", "{ emit: { event: register, args: [\"${group}\"] } }, "),
    ] {
        let Some((_direct, url)) = started("direct.js") else { return };
        let folder = Folder::new();
        let written = folder.path("recorded.yaml");
        let says = |to: &str, text: &str| {
            format!("{{ emit: {{ event: private, args: [{{ to: {to}, text: {text} }}] }} }}")
        };
        let script = format!(
            "- all: [ {{ {connect} }}, {register}{{ wait: 100ms }} ]\n\
             - ann: [ {}, {{ wait: 200ms }}, {} ]\n- bob: [ {}, {{ wait: 200ms }}, {} ]\n- carol: [ {}, {} ]\n- all: [ {{ wait: 300ms }}, disconnect ]",
            says("bob", "is there tea"),
            says("carol", "and for you"),
            says("ann", "there is some"),
            says("carol", "we have tea"),
            says("ann", "one for me"),
            says("bob", "do bring it along"),
        );
        let scenario = folder.scenario("{ ann: 1, bob: 1, carol: 1 }", &script);
        let (recording, address) = recording_of(&url, &written, &[]);
        sockrates(["run", "--url", &format!("http://{address}")]).args([&scenario]).run().code(0);
        recording.interrupt();
        recording.wait().code(0);
        let text = fs::read_to_string(&written).expect("it is written");
        for part in [
            "guessed: each client is in a room of its own: it is called so, and `private` goes there",
            "rooms: [\"user-${index}\"]",
            "its argument /0/to is the name of whoever heard it, 6 times of 6, and others were there",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        sockrates(["run", "--url", &url]).args([&written]).run().code(0).says("Judged");
        sockrates(["run", "--url", &url, "--clients", "20"]).args([&written]).run().code(0);
        let server = application("direct.js").expect("it was there");
        for (how, says) in [("lost", "missing"), ("doubled", "duplicate"), ("public", "leaked")] {
            let broken = sockrates(["run", "--server", &server]).env("BREAK", how).args([&written]).run();
            broken.code(1).says(says);
        }
    }
}

#[test]
fn who_cannot_record_is_told_why() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let written = folder.path("recorded.yaml").display().to_string();
    let url = reference.url();
    sockrates(["record", "--url", &url, "--output", &written, "--for", "100ms"])
        .run()
        .code(2)
        .complains("no connection of Socket.IO went through");
    assert!(!folder.path("recorded.yaml").exists());
    sockrates(["record", "--url", "ftp://here", "--output", &written])
        .run()
        .code(2)
        .complains("its scheme is ftp");
    let there = folder.file("there.yaml", "").display().to_string();
    sockrates(["record", "--url", &url, "--output", &there]).run().code(2).complains("is there already");
    // Said before anybody clicks, not after it: `there.yaml` is no folder.
    let nowhere = format!("{there}/recorded.yaml");
    sockrates(["record", "--url", &url, "--output", &nowhere, "--for", "100ms"])
        .run()
        .code(2)
        .complains("cannot write the scenario to");
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.local_addr().expect("it listens").to_string()
    };
    let gone = format!("http://{gone}");
    sockrates(["record", "--url", &gone, "--output", &written])
        .run()
        .code(3)
        .complains("start the application first");
}
