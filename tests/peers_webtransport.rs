//! WebTransport with a server that nobody here wrote: the official one, on Deno's QUIC.
//!
//! `cargo test --features webtransport --test peers_webtransport`
#![cfg(feature = "webtransport")]

#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use peers::Running;
use rcgen::{CertificateParams, KeyPair};
use sockrates::conformance::{Verdict, json::from_json};
use support::{Played, play};
use tempfile::TempDir;

/// A server, and the certificate that its clients trust.
struct Secured {
    server: Running,
    folder: TempDir,
}

impl Secured {
    fn start() -> Option<Secured> {
        let folder = tempfile::tempdir().expect("there is room");
        let key = KeyPair::generate().expect("a key can be made");
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).and_then(|params| params.self_signed(&key));
        let (certificate_file, key_file) =
            (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        fs::write(&certificate_file, certificate.expect("it can sign itself").pem()).expect("there is room");
        fs::write(&key_file, key.serialize_pem()).expect("there is room");
        let server = peers::webtransport(&certificate_file, &key_file)?;
        Some(Secured { server, folder })
    }

    /// Plays a scenario with clients that trust the server.
    fn play(&self, scenario: &str) -> Played {
        let authority = self.folder.path().join("certificate.pem");
        self.play_with(scenario, &["--ca-file", authority.to_str().expect("a path that is text")])
    }

    fn play_with(&self, scenario: &str, more: &[&str]) -> Played {
        let file = self.folder.path().join("scenario.yaml");
        fs::write(&file, scenario).expect("there is room");
        let arguments = [file.to_str().expect("a path that is text"), "--url", self.server.url()];
        play(arguments.into_iter().chain(more.iter().copied()), [])
    }
}

#[test]
fn clients_of_all_transports_are_in_one_room_and_each_receives_everything() {
    let Some(server) = Secured::start() else { return };
    let played = server.play(
        "name: one room\n\
         audit: { window: 5s }\n\
         clients:\n\
         \x20 polling: { count: 3, transport: polling }\n\
         \x20 websocket: 3\n\
         \x20 webtransport: { count: 3, transport: webtransport }\n\
         \x20 upgraded: { count: 3, transport: upgrade-to-webtransport }\n\
         \x20 by_hand: { count: 3, transport: polling }\n\
         script:\n\
         \x20 - all: { connect: { within: 10s } }\n\
         \x20 - by_hand: { upgrade: { to: webtransport } }\n\
         \x20 - all: { join: r }\n\
         \x20 - all: { emit: { event: message-with-ack, args: [{ $bytes: 70000 }, x], ack: { args: [{ $bytes: 70000 }, x] } } }\n\
         \x20 - all: { repeat: { times: 10, steps: [{ broadcast: { to: r, event: text } }, { broadcast: { to: r, event: bytes, args: [{ $bytes: 300 }] } }] } }\n\
         \x20 - webtransport: { connect: { namespace: /custom } }\n\
         \x20 - webtransport: { emit: { event: message-with-ack, namespace: /custom, args: [1], ack: { args: [1] } } }\n\
         \x20 - all: { wait: 1500ms }\n\
         \x20 - all: disconnect\n",
    );
    assert_eq!(played.code, Some(0), "{}", played.output);
    assert_eq!(played.delivery_faults(), [""; 0]);
    let result = played.result().expect("it was played");
    let audited = result.deliveries.as_ref().expect("it was audited").coverage();
    // Twenty messages of each of the fifteen, to all of them, perhaps without the one that sent it.
    assert!(audited.expected >= 20 * 15 * 14, "{audited:?}");
}

#[test]
fn the_suite_is_played_over_webtransport_where_somebody_asks_for_it() {
    let Some(server) = Secured::start() else { return };
    let json = server.folder.path().join("suite.json");
    let conform = Command::new(env!("CARGO_BIN_EXE_sockrates"))
        .args(["conform", "--url", server.server.url(), "--connect-timeout", "1s", "--quiet"])
        .args([
            "--only",
            "acks/*@webtransport,binary/*@webtransport,order/*@webtransport,rooms/*@webtransport",
        ])
        // The official parser of streams takes an empty packet for an error.
        .args(["--exclude", "rooms/leave-the-own-room,binary/attachment-empty"])
        .args([OsStr::new("--ca-file"), server.folder.path().join("certificate.pem").as_os_str()])
        .args([OsStr::new("--json"), json.as_os_str()])
        .output()
        .expect("it can be started");
    let told = String::from_utf8_lossy(&conform.stdout);
    assert_eq!(conform.status.code(), Some(0), "{told}");
    let suite = from_json(&fs::read_to_string(&json).expect("it was written")).expect("it can be read");
    let verdicts = suite[0].cases.iter().map(|case| (case.label(), case.verdict));
    let played: Vec<_> = verdicts.filter(|(_, verdict)| *verdict != Verdict::Skip).collect();
    assert!(played.len() > 40, "{told}");
    let is_good =
        |(label, verdict): &(String, Verdict)| label.ends_with("@webtransport") && *verdict == Verdict::Pass;
    assert!(played.iter().all(is_good), "{played:?}");
}

#[test]
fn an_end_on_either_side_is_seen_at_once_on_the_other() {
    let Some(server) = Secured::start() else { return };
    let played = server.play(
        "name: ends\n\
         clients: { watching: 1, leaving: { transport: webtransport }, cut: { transport: webtransport }, put_out: { transport: webtransport } }\n\
         script:\n\
         \x20 - all: { connect: { within: 10s } }\n\
         \x20 - watching: { join: watch }\n\
         \x20 - leaving: disconnect\n\
         \x20 - watching: { expect: { event: gone, args: ['${leaving.sid}', /, client namespace disconnect, { $type: array }] } }\n\
         \x20 - cut: { disconnect: cut }\n\
         \x20 - watching: { expect: { event: gone, args: ['${cut.sid}', /, transport close, { $type: array }] } }\n\
         \x20 - cut: { reconnect: { within: 10s } }\n\
         \x20 - put_out: { emit: { event: 't:bye', args: [true] } }\n\
         \x20 - put_out: { expect_closed: { within: 2s } }\n",
    );
    let steps = played.failed_steps();
    assert!(steps.is_empty(), "{steps:?}\n{}", played.output);
    assert!(!played.output.contains("without a close packet"), "{}", played.output);
}

#[test]
fn what_webtransport_has_not_is_told_in_words() {
    let Some(server) = Secured::start() else { return };
    let scenario = "name: frames\nclients: { a: { transport: webtransport } }\n\
         script: [ a: { connect: { within: 10s } }, a: { frame: { opcode: ping } } ]\n";
    let played = server.play(scenario);
    assert!(played.output.contains("the client uses WebTransport, which has no frames"), "{}", played.output);

    let plain = server.server.url().replace("https://", "http://");
    let file = server.folder.path().join("scenario.yaml");
    let file = file.to_str().expect("a path that is text");
    let proxied = server.play_with(scenario, &["--insecure", "--proxy", "http://127.0.0.1:9"]);
    assert_ne!(proxied.code, Some(0), "{}", proxied.output);
    let untrusted = server.play_with(scenario, &[]);
    assert_ne!(untrusted.code, Some(0), "{}", untrusted.output);
    assert!(untrusted.output.contains("certificate"), "{}", untrusted.output);
    // Nothing answers to plain HTTP there, and to a server that does, no QUIC leads.
    assert_ne!(play([file, "--url", &plain], []).code, Some(0));
    let bundled = play([file], []);
    let sentence = "WebTransport needs TLS: give the url of the server with https://";
    assert!(bundled.output.contains(sentence), "{}", bundled.output);
}

#[test]
fn a_server_that_dies_is_told_in_words() {
    let Some(server) = Secured::start() else { return };
    let played = server.play(
        "name: killed\n\
         clients: { busy: { transport: webtransport }, idle: { transport: webtransport } }\n\
         script:\n\
         \x20 - all: { connect: { within: 10s } }\n\
         \x20 - busy: { emit: { event: 't:die' } }\n\
         \x20 - busy: { repeat: { for: 2s, every: 100ms, steps: [{ emit: { event: message-with-ack, args: [1] } }] } }\n\
         \x20 - idle: { wait: 2s }\n",
    );
    assert_eq!(played.code, Some(1), "{}", played.output);
    let told = played.output.matches("nobody listens at the UDP port any more").count();
    assert!(told >= 2, "of each client\n{}", played.output);
}
