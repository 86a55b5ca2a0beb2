//! Clients that log in by HTTP before they connect.

use super::*;
use crate::protocol::http::Response;

const ASIDE: Channel = Channel::Aside(0);

/// The response to the request under way.
fn answered(play: &mut Play<'_>, headers: &[(&str, &str)], body: &str) -> Flow {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let head = Head { status: 200, reason: String::new(), headers };
    let response = Response { head, body: body.as_bytes().to_vec(), keep_alive: true };
    play.call(|client, io| client.handle_response(io, ASIDE, &response))
}

#[test]
fn the_cookies_of_a_login_go_with_the_handshake_and_with_later_requests() {
    let script = "- alice: { http: { post: /login, body: x } }\n- alice: connect\n- alice: { http: { get: /me } }\n\
                  - alice: { http: { post: /logout } }\n- alice: [ { disconnect: cut }, connect ]";
    play("{ alice: 1 }", script, 0, |mut play| {
        play.begin(0);
        let cookies = [
            ("Set-Cookie", "session=abc; HttpOnly"),
            ("Set-Cookie", "admin=1; Path=/admin"),
            ("Set-Cookie", "flash=hi; Max-Age=60"),
        ];
        assert_eq!(answered(&mut play, &cookies, "welcome"), Flow::Done);
        play.said();
        play.begin(1);
        assert_eq!(play.said(), ["dial /socket.io/?EIO=4&transport=websocket", "with session=abc; flash=hi"]);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40{"sid":"s"}"#);
        play.pass(60_000);
        play.said();
        play.begin(2);
        assert_eq!(play.said(), ["http 0 GET /me", "with session=abc"]);
        answered(&mut play, &[], "");
        play.begin(3);
        answered(&mut play, &[("Set-Cookie", "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT")], "");
        play.said();
        play.begin(4);
        assert_eq!(
            play.said().last().map(String::as_str),
            Some("dial /socket.io/?EIO=4&transport=websocket")
        );
    });
}

#[test]
fn what_is_kept_of_json_stays_a_value_and_headers_are_kept_too() {
    let keep =
        "{ me: body, token: { header: x-token }, cookie: { header: set-cookie, match: 'sid=([^;]+)' } }";
    let script = format!(
        "- alice: {{ http: {{ post: /login, body: {{ name: ada }}, capture: {keep} }} }}\n\
         - alice: {{ connect: {{ auth: {{ id: \"${{me.user.id}}\", all: \"${{me}}\", token: \"${{token}} ${{cookie}}\" }} }} }}"
    );
    play("{ alice: 1 }", &script, 0, |mut play| {
        play.begin(0);
        let headers = [
            ("Content-Type", "application/json; charset=utf-8"),
            ("X-Token", "t-7"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "sid=abc; Path=/"),
        ];
        assert_eq!(answered(&mut play, &headers, r#"{"user":{"id":7,"name":"ada"}}"#), Flow::Done);
        assert_eq!(play.found.passed, [0]);
        play.begin(1);
        play.accepted();
        play.said();
        play.hear(OPEN);
        let auth = r#"40{"id":7,"all":{"user":{"id":7,"name":"ada"}},"token":"t-7 abc"}"#;
        assert_eq!(play.said(), [auth]);
    });
}

#[test]
fn a_header_that_is_not_there_is_no_value() {
    for (keep, why) in [
        ("{ header: x-token }", "the response has no header `x-token`"),
        ("{ header: set-cookie, match: 'sid=(.+)' }", "no header `set-cookie` matches /sid=(.+)/"),
    ] {
        let script = format!(
            "- alice: {{ http: {{ get: /, capture: {{ x: {keep} }} }} }}\n- alice: {{ set: {{ y: \"${{x}}\" }} }}"
        );
        play("{ alice: 1 }", &script, 0, |mut play| {
            play.begin(0);
            answered(&mut play, &[("Set-Cookie", "a=1")], "");
            assert_eq!(play.found.failed[0].actual, why);
        });
    }
}

#[test]
fn text_stays_text_unless_the_step_looks_at_it_as_json() {
    for (expect, body) in [("", r#""[1]""#), (", expect: { json: [1] }", "[1]")] {
        let script = format!(
            "- alice: {{ http: {{ get: /{expect}, capture: x }} }}\n- alice: {{ connect: {{ auth: {{ x: \"${{x}}\" }} }} }}"
        );
        play("{ alice: 1 }", &script, 0, |mut play| {
            play.begin(0);
            answered(&mut play, &[("Content-Type", "text/plain")], "[1]");
            play.begin(1);
            play.accepted();
            play.said();
            play.hear(OPEN);
            assert_eq!(play.said(), [format!(r#"40{{"x":{body}}}"#)]);
        });
    }
}
