//! `init --from`: what an application says becomes its first scenario.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::peers::{Peer, application};
use crate::support::{Folder, Reference, sockrates};

const OPEN: &str = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":5000,"maxPayload":9}"#;

#[test]
fn what_an_application_says_stands_in_its_first_scenario_which_passes() {
    let Some(server) = Peer::NodeChatApp.start([]) else { return };
    let (folder, url) = (Folder::new(), server.url());
    let file = folder.path("first.yaml");
    let names = ["--join", "enter", "--leave", "exit", "--send", "chat message", "--output"];
    let looked = sockrates(["init", "--from", url]).args(names).args([&file]).run().code(0);
    for sentence in ["it speaks Engine.IO 4", "`enter` is acknowledged", "others hear `chat message`"] {
        assert!(looked.stderr.contains(sentence), "{sentence}: {}", looked.stderr);
    }
    let text = fs::read_to_string(&file).expect("it is written");
    assert!(text.contains("#   it speaks Engine.IO 4") && text.contains("ack: true"), "{text}");
    sockrates(["run", "--url", url]).args([&file]).run().code(0).says("Judged");
}

#[test]
fn what_is_answered_with_an_error_is_told_and_the_scenario_is_a_good_one_all_the_same() {
    let Some(server) = Peer::NodeChatApp.start([]) else { return };
    let (folder, url) = (Folder::new(), server.url());
    let file = folder.path("first.yaml");
    let names = ["--send", "chat message", "--output"];
    let looked = sockrates(["init", "--from", url]).args(names).args([&file]).run().code(0);
    let told = "`chat message` was answered with an error";
    assert!(looked.stderr.contains(told) && looked.stderr.contains("you are not in"), "{}", looked.stderr);
    assert!(fs::read_to_string(&file).expect("it is written").contains(told));
    sockrates(["check", "--quiet"]).args([&file]).run().code(0);
}

#[test]
fn where_nobody_answers_nothing_is_written() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let file = folder.path("first.yaml");
    let look = |url: &str| sockrates(["init", "--from", url, "--output"]).args([&file]).run();
    look("http://127.0.0.1:1").code(3).complains("no client could look at");
    assert!(!file.exists());
    look(&reference.url()).code(0);
    sockrates(["run", "--url", &reference.url()]).args([&file]).run().code(0);
}

/// An application of `tests/peers/apps`, and where it runs. It ends with its standard input, when this is dropped.
pub(crate) fn started(program: &str) -> Option<(Child, String)> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {}", application(program)?)]);
    command.env("PORT", "0").env("EXIT_WITH_STDIN", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    let mut line = String::new();
    let output = child.stdout.as_mut().expect("it has an output");
    BufReader::new(output).read_line(&mut line).expect("it says where it listens");
    let url = line.trim().strip_prefix("listening on ").and_then(|url| url.strip_suffix("/socket.io/"));
    Some((child, url.expect("it says where it listens").to_owned()))
}

#[test]
fn the_first_run_of_what_was_written_for_an_ordinary_application_is_green() {
    let cases: [(&str, &[&str], &[&str]); 7] = [
        ("chat.js", &[], &[]),
        ("chat.js", &["--send", "new message"], &["reaches: others", "does not hear it"]),
        // A name of a user is no room.
        (
            "chat.js",
            &["--join", "add user", "--send", "new message"],
            &["reaches: others", "there are no rooms"],
        ),
        ("whiteboard.js", &["--send", "drawing"], &["reaches: others"]),
        ("game.js", &["--join", "enter", "--send", "shout"], &["reaches: everyone", "there are no rooms"]),
        (
            "gateway.js",
            &["--join", "join", "--send", "message"],
            &["confirmed_by: { event: \"joined\" }", "reaches: everyone"],
        ),
        ("teams.js", &[], &[]),
    ];
    for (program, names, told) in cases {
        let Some((_application, url)) = started(program) else { return };
        let folder = Folder::new();
        let file = folder.path("first.yaml");
        sockrates(["init", "--from", &url]).args(names).args(["--output"]).args([&file]).run().code(0);
        let text = fs::read_to_string(&file).expect("it is written");
        assert!(told.iter().all(|told| text.contains(told)), "{program} {names:?}: {text}");
        let strict: &[&str] = if names.is_empty() { &[] } else { &["--strict-audit", "90%"] };
        let ended = sockrates(["run", "--url", &url]).args(strict).args([&file]).run();
        assert!(ended.code == Some(0) && !ended.stdout.contains('?'), "{program} {names:?}: {text}\n{ended}");
    }
}

#[test]
fn an_application_that_nobody_hears_is_told_in_the_file() {
    let Some((_application, url)) = started("drawing-room.js") else { return };
    let folder = Folder::new();
    let file = folder.path("first.yaml");
    let names = ["--join", "join", "--send", "stroke", "--output"];
    let told = "nobody heard anything after `stroke`";
    sockrates(["init", "--from", &url]).args(names).args([&file]).run().code(0).complains(told);
    assert!(fs::read_to_string(&file).expect("it is written").contains(told));
}

/// Says these packets over a WebSocket.
fn say(stream: &mut TcpStream, packets: &[&str]) {
    for packet in packets {
        let length = u8::try_from(packet.len()).expect("it is short");
        let _ = stream.write_all(&[&[0x81, length], packet.as_bytes()].concat());
    }
}

/// Lets somebody onto a WebSocket.
fn let_in(stream: &mut TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        head.push(byte[0]);
    }
    let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
}

/// A server that lets everybody in, and ends all connections at the first event.
fn that_fails_at_an_event() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    let all: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let all = Arc::clone(&all);
            all.lock().expect("it is whole").extend(stream.try_clone());
            thread::spawn(move || {
                let_in(&mut stream);
                say(&mut stream, &[OPEN]);
                let mut heard = [0; 1024];
                if matches!(stream.read(&mut heard), Ok(count) if count > 0) {
                    say(&mut stream, &[r#"40{"sid":"b"}"#]);
                }
                if matches!(stream.read(&mut heard), Ok(count) if count > 0) {
                    for stream in all.lock().expect("it is whole").iter() {
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                }
            });
        }
    });
    format!("http://127.0.0.1:{port}")
}

#[test]
fn an_application_that_fails_at_what_it_is_sent_is_told_with_the_event() {
    let names = ["--join", "join", "--send", "say", "--output", "-"];
    let looked = sockrates(["init", "--from", &that_fails_at_an_event()]).args(names).run().code(0);
    looked.complains("after `join` it ended all connections").says("after `join` it ended all connections");
}

/// A server that lets everybody onto a WebSocket, and says these packets at once, and these behind the first that it hears. It
/// goes on listening, unless it ends connections.
fn server(at_once: &'static [&'static str], then: &'static [&'static str], ends: bool) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let_in(&mut stream);
                say(&mut stream, at_once);
                let mut heard = [0; 1024];
                if matches!(stream.read(&mut heard), Ok(count) if count > 0) {
                    say(&mut stream, then);
                }
                while !ends && matches!(stream.read(&mut heard), Ok(count) if count > 0) {}
            });
        }
    });
    format!("http://127.0.0.1:{port}")
}

#[test]
fn an_old_server_that_answers_to_any_version_is_known_by_letting_clients_in_unasked() {
    let old =
        server(&[r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#, "40"], &[], false);
    let look = |url: &str| sockrates(["init", "--from", url, "--send", "say", "--output", "-"]).run().code(0);
    look(&old).complains("it speaks Engine.IO 3");
    let new = server(
        &[r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#],
        &[r#"40{"sid":"b"}"#],
        false,
    );
    look(&new).complains("it speaks Engine.IO 4");
}

#[test]
fn a_server_that_sends_clients_away_before_they_ask_for_anything_is_told_as_that() {
    let look = |url: &str| sockrates(["init", "--from", url, "--send", "say", "--output", "-"]).run().code(0);
    let told = "it ends the connection of a client that has asked for nothing yet";
    look(&server(&[OPEN], &[r#"40{"sid":"b"}"#], true)).complains(told);
    look(&server(&[OPEN], &[r#"40{"sid":"b"}"#, "41"], false)).complains(told);
    let calm = look(&server(&[OPEN], &[r#"40{"sid":"b"}"#], false));
    assert!(!calm.stderr.contains(told), "{}", calm.stderr);
}
