use std::io::{Read, Write};

use super::*;
use crate::protocol::dialect::Version;

const OPEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0{\"sid\":\"\"}";

/// Answers every request of this listener with a handshake, for as long as the process lives.
fn answer(listener: &TcpListener, text: &str) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(text.as_bytes());
    }
}

/// A server in this process, with its port.
fn server(text: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || answer(&listener, text));
    port
}

/// Not a test: the process that tests start as their server. It listens at `PORT`.
#[test]
#[ignore = "other tests start this as a server; it does not end"]
fn a_server_at_the_port_of_its_environment() {
    if std::env::var_os("SOCKRATES_TEST_SERVER").is_none() {
        return;
    }
    let port: u16 = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).expect("PORT is set");
    answer(&TcpListener::bind(("127.0.0.1", port)).expect("the port is free"), OPEN);
}

#[test]
fn a_server_gets_a_port_that_no_outgoing_connection_takes() {
    for _ in 0..100 {
        let port = free_port().expect("there is one");
        assert!(QUIET_PORTS.contains(&port), "{port}");
    }
}

fn command(line: &str) -> Target {
    Target::Command { line: line.into(), url: None, node: None, environment: Vec::new() }
}

fn quickly() -> Starting {
    Starting { timeout: Duration::from_millis(200), ..Starting::default() }
}

fn failure(target: &Target, starting: &Starting) -> NotReady {
    target.start(starting).expect_err("there is no server")
}

#[test]
fn a_command_is_found_at_the_port_that_it_was_given() {
    let program = std::env::current_exe().expect("this is a program");
    let line = format!(
        "SOCKRATES_TEST_SERVER=1 exec '{}' --exact server::running::tests::a_server_at_the_port_of_its_environment --ignored",
        program.display()
    );
    let running = command(&line).start(&Starting::default()).expect("it starts");
    assert!(running.ended().is_none());
    assert_eq!(running.endpoint(), &Endpoint::local(running.found().address.port()));
    assert!(running.resources().expect("there is a /proc").memory > 0);
    let address = running.found().address;
    running.stop();
    assert!(std::net::TcpStream::connect(address).is_err(), "the server outlived its stop");
}

#[test]
fn a_command_is_found_where_it_says_that_it_listens() {
    let port = server(OPEN);
    for says in [
        format!("Server listening on http://localhost:{port}"),
        format!("listening on *:{port}"),
        format!("open http://127.0.0.1:{port}/index.html"),
    ] {
        let line = format!("echo '{says}' >&2; exec sleep 1000");
        let running = command(&line).start(&Starting::default()).expect(&says);
        assert_eq!(running.endpoint().port, port, "{says}");
    }
}

#[test]
fn a_command_with_a_url_is_found_there_and_told_its_port() {
    let port = server(OPEN);
    let url = Endpoint::local(port);
    let line = format!("test $PORT = {port} && exec sleep 1000");
    let target = Target::Command { line, url: Some(url.clone()), node: None, environment: Vec::new() };
    let running = target.start(&Starting::default()).expect("it starts");
    assert_eq!(running.endpoint(), &url);
}

#[test]
fn a_command_that_ends_is_told_with_its_last_output() {
    let error =
        failure(&command("echo starting; echo 'no \x1b[31mconfig' >&2; exit 7"), &Starting::default());
    assert_eq!(
        error.sentence(),
        "the server command `echo starting; echo 'no \\u{1b}[31mconfig' >&2; exit 7` ended with exit code 7"
    );
    let shown = error.to_string();
    assert!(shown.contains("\n  | starting") && shown.contains("\n  | no \\u{1b}[31mconfig"), "{shown}");
}

#[test]
fn a_command_that_ends_is_not_mistaken_for_another_server_at_its_port() {
    let port = server(OPEN);
    let target = command(&format!("echo listening on port {port}; exit 1"));
    let Target::Command { line, .. } = &target else { panic!("it is a command") };
    let mut group = Group::start_line(line, [], None).expect("sh runs");
    while group.ended().is_none() || group.output().announced().is_empty() {
        thread::yield_now();
    }
    let places = Places::Announced { otherwise: None };
    let error = target.wait(group, &places, &Starting::default()).expect_err("it has ended");
    assert!(matches!(error, NotReady::Ended { .. }), "{error}");
}

#[test]
fn a_command_that_never_answers_is_told_with_what_was_seen() {
    let error = failure(&command("exec sleep 1000"), &quickly());
    let sentence = error.sentence();
    assert!(
        sentence.starts_with("the server command `exec sleep 1000` did not answer within 200 ms: "),
        "{sentence}"
    );
    assert!(sentence.contains("nothing listens at 127.0.0.1:"), "{sentence}");
}

#[test]
fn what_another_kind_of_server_says_outweighs_that_nothing_listens_at_the_port() {
    let port = server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let error = failure(&command(&format!("echo listening on port {port}; exec sleep 1000")), &quickly());
    assert!(error.sentence().contains("HTTP 404 Not Found"), "{error}");
}

#[test]
fn what_answers_with_something_else_for_a_while_is_told_as_that_and_not_waited_for() {
    let port = server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let target = command(&format!("echo listening on port {port}; exec sleep 1000"));
    let error = failure(&target, &Starting::default());
    assert!(matches!(error, NotReady::NotThere(_)), "{error}");
    assert!(error.sentence().contains("`hello`, which is no Engine.IO handshake"), "{error}");
}

#[test]
fn a_server_of_another_version_is_told_as_that_and_not_waited_for() {
    let port = server("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n8:0{\"a\":1}");
    let probing = Probing { version: Some(Version::V4), ..Probing::default() };
    let starting = Starting { probing, ..Starting::default() };
    let error = failure(&command(&format!("echo listening on port {port}; exec sleep 1000")), &starting);
    assert!(matches!(error, NotReady::NotThere(_)), "{error}");
    assert!(error.sentence().contains("Engine.IO v3"), "{error}");
}

#[test]
fn waiting_ends_when_the_user_gives_up() {
    let starting = Starting::default();
    starting.cancelled.store(true, Ordering::Relaxed);
    let error = failure(&command("exec sleep 1000"), &starting);
    assert!(matches!(error, NotReady::Cancelled { .. }), "{error}");
}

fn bundled(script: &str) -> (Target, Command) {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    (Target::Bundled { args: Vec::new() }, command)
}

fn bundled_with(target: &Target, command: Command, starting: &Starting) -> Result<Running, NotReady> {
    let group = Group::start(command).expect("sh runs");
    target.wait(group, &Places::Announced { otherwise: None }, starting)
}

#[test]
fn a_server_that_is_ended_on_purpose_is_no_accident_and_comes_back_where_it_was() {
    let port = server(OPEN);
    let line = format!("echo listening on port {port}; exec sleep 1000");
    let running = command(&line).start(&Starting::default()).expect("it starts");
    for leave in [Leave::Politely, Leave::AtOnce] {
        running.end(leave).expect("we started it");
        assert_eq!((running.exit(), running.resources()), (None, None));
        running.begin(&Starting::default()).expect("it comes back");
        assert!(running.resources().is_some() && running.exit().is_none());
    }
    running.pause(true).expect("it runs");
    running.end(Leave::Politely).expect("who stands still can be ended, too");
    running.pause(true).expect_err("it does not run");
    let found = Target::Url(Endpoint::local(port)).start(&Starting::default()).expect("it is there");
    found.end(Leave::AtOnce).expect_err("it is not ours");
}

#[test]
fn the_reference_server_is_found_by_its_first_line() {
    let port = server(OPEN);
    // `cat` ends with standard input, as the reference server does.
    let (target, command) =
        bundled(&format!("echo listening on http://127.0.0.1:{port}/socket.io/; exec cat"));
    let running = bundled_with(&target, command, &Starting::default()).expect("it starts");
    assert_eq!(running.endpoint(), &Endpoint::local(port));
}

#[test]
fn a_reference_server_that_says_nothing_is_told_as_that() {
    let (target, command) = bundled("exec cat");
    let error = bundled_with(&target, command, &quickly()).expect_err("it says nothing");
    assert_eq!(error.sentence(), "the reference server did not say within 200 ms where it listens");
}

#[test]
fn a_server_that_runs_already_is_looked_at_once() {
    let running =
        Target::Url(Endpoint::local(server(OPEN))).start(&Starting::default()).expect("it is there");
    assert_eq!(running.resources(), None);
    let closed = Endpoint::local(free_port().expect("there is one"));
    let error = failure(&Target::Url(closed), &Starting::default());
    assert!(error.sentence().starts_with("nothing listens at"), "{error}");
}

#[test]
fn the_process_of_a_server_that_runs_already_can_be_watched() {
    let found = Target::Url(Endpoint::local(server(OPEN))).start(&Starting::default());
    let mut running = found.expect("it is there");
    running.watch(Process::find(std::process::id()).expect("it is this one"));
    assert!(running.resources().expect("there is a /proc").memory > 0);
    assert!(Process::find(u32::MAX).expect_err("there is none").contains("there is no process"));
}

#[test]
fn a_server_that_ends_during_the_run_is_told() {
    let port = server(OPEN);
    let line = format!("echo listening on port {port}; exec sleep 1000");
    let running = command(&line).start(&Starting::default()).expect("it starts");
    assert!(running.ended().is_none() && running.exit().is_none());
    assert!(running.resources().is_some());
    running.group.as_ref().expect("we started it").group().as_mut().expect("it runs").stop(GRACE);
    let exit = running.exit().expect("it has ended");
    assert_eq!((exit.to_string().as_str(), exit.is_success()), ("signal SIGTERM", false));
    assert_eq!(running.last_words(), [format!("listening on port {port}")]);
    assert_eq!(running.resources(), None, "what it has used is not nothing, but no longer known");
    let told = running.ended().expect("it has ended").sentence();
    assert!(told.ends_with("ended with signal SIGTERM"), "{told}");
}

#[test]
fn an_announced_page_is_also_tried_at_the_default_path() {
    let page = Endpoint::parse("http://localhost:3000/index.html?x=1").expect("it is a url");
    let shown: Vec<_> =
        candidates(vec![page.clone()], Some(4000), None).iter().map(Endpoint::to_string).collect();
    assert_eq!(
        shown,
        [
            "http://localhost:3000/index.html/",
            "http://localhost:3000/socket.io/",
            "http://127.0.0.1:4000/socket.io/"
        ]
    );
    assert_eq!(candidates(vec![Endpoint::local(1)], Some(1), None), [Endpoint::local(1)]);
    let there: Vec<_> =
        candidates(vec![page], Some(4000), Some("/ws/")).iter().map(Endpoint::to_string).collect();
    assert_eq!(there, ["http://localhost:3000/ws/", "http://127.0.0.1:4000/ws/"]);
}
