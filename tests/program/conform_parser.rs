//! `conform` on a server with another parser than the usual one.

use std::fs;

use reference_server::{Config, config::Parser};
use sockrates::conformance::{Verdict, json::from_json};

use crate::support::{Folder, Reference, sockrates};

#[test]
fn a_server_with_the_parser_msgpack_plays_what_writes_no_packets_by_hand() {
    let config = Config { parser: Parser::Msgpack, ..Config::default().with_fixture_timings() };
    let server = Reference::with(config);
    let folder = Folder::new();
    let json = folder.path("r.json");
    let url = server.url();
    let only = "handshake/transport-*,rooms/join-twice,binary/*,connection/connect-is-*";
    sockrates(["conform", "--url", &url, "--only", only, "--connect-timeout", "1s"])
        .args(["--json".as_ref(), json.as_os_str()])
        .run()
        .code(0);
    let text = fs::read_to_string(&json).expect("the results were written");
    let suite = from_json(&text).expect("they can be read").remove(0);
    for case in &suite.cases {
        let is_by_hand = case.reason.ends_with("and the server uses the parser msgpack");
        let verdict = if is_by_hand { Verdict::Skip } else { Verdict::Pass };
        assert_eq!(case.verdict, verdict, "{}: {}", case.label(), case.reason);
        assert!(is_by_hand || !case.id.starts_with("connection/"), "{} writes a CONNECT", case.label());
    }
    let played = suite.cases.iter().filter(|case| case.verdict == Verdict::Pass);
    let ids: Vec<&str> = played.map(|case| case.id.as_str()).collect();
    assert!(ids.contains(&"rooms/join-twice") && ids.iter().any(|id| id.starts_with("binary/")), "{ids:?}");
}
