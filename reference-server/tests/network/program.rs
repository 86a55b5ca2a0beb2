//! The server as a program.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

fn start(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_reference-server"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn it_tells_where_it_listens_and_leaves_when_its_parent_does() {
    let mut child = start(&["--port", "0", "--quiet", "--exit-with-stdin"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on http://127.0.0.1:") && line.ends_with("/socket.io/\n"), "{line}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_polite_request_to_stop_ends_it_well() {
    for signal in ["-TERM", "-INT"] {
        let mut child = start(&["--port", "0", "--quiet"]);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn it_lists_its_faults() {
    let output = start(&["--list-faults"]).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), reference_server::faults::REGISTRY.len());
    assert!(text.contains("broadcast-includes-sender"));
}

#[test]
fn it_names_what_is_wrong_with_its_arguments() {
    let mut child = start(&["--fault", "no-such-thing"]);
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(text.contains("--list-faults"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_an_error_of_its_own() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut child = start(&["--port", &port]);
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn several_nodes_in_one_process_say_where_each_is_and_where_others_can_join() {
    let mut child = start(&["--port", "0", "--nodes", "2", "--quiet", "--exit-with-stdin"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().starts_with("a listening on http://127.0.0.1:"));
    assert!(next().starts_with("b listening on http://127.0.0.1:"));
    let bus = next().strip_prefix("bus on ").expect("a bus").to_owned();
    let mut third = start(&["--port", "0", "--bus", &bus, "--node", "c", "--quiet", "--exit-with-stdin"]);
    let mut line = String::new();
    BufReader::new(third.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on "), "{line}");
    for mut child in [third, child] {
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_bus_can_be_a_process_of_its_own() {
    let mut child = start(&["--bus", "127.0.0.1:0", "--bus-only", "--exit-with-stdin"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("bus on 127.0.0.1:"), "{line}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_bus_that_strangers_could_reach_is_refused() {
    let child = start(&["--bus", "0.0.0.0:7000"]).wait_with_output().unwrap();
    assert_eq!(child.status.code(), Some(2));
    let text = String::from_utf8(child.stderr).unwrap();
    assert!(text.contains("the bus has no password"), "{text}");
}
