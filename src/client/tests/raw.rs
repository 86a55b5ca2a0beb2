//! Clients that speak the protocol by hand.

use super::*;

#[test]
fn our_own_query_parameters_can_be_replaced_and_left_out() {
    let clients = "{ eve: { query: { a: \"1\", b: \"2\" } } }";
    for (query, target) in [
        ("{ EIO: \"3\" }", "?transport=websocket&a=1&b=2&EIO=3"),
        ("{ EIO: null, transport: null }", "?a=1&b=2"),
        ("{ sid: x, a: null, b: \"3\" }", "?EIO=4&transport=websocket&sid=x&b=3"),
    ] {
        play(clients, &format!("- eve: {{ open: {{ query: {query} }} }}"), 0, |mut play| {
            play.begin(0);
            assert_eq!(play.said(), [format!("dial /socket.io/{target}")]);
        });
    }
}

/// Begins a handshake that is to be refused, and tells what is found when it ends so.
fn refused(open: &str, end: impl FnOnce(&mut Play<'_>) -> Flow) -> Result<(), String> {
    let mut found = None;
    play("{ eve: 1 }", &format!("- eve: {{ open: {open} }}"), 0, |mut play| {
        assert_eq!(play.begin(0), Flow::Waiting);
        assert_eq!(end(&mut play), Flow::Done);
        assert_eq!(play.found.missed.len(), 0);
        found = Some(play.found.failed.first().map_or(Ok(()), |failure| Err(failure.actual.clone())));
    });
    found.expect("it was played")
}

fn lost(play: &mut Play<'_>, lost: Lost) -> Flow {
    play.call(|client, io| client.handle_lost(io, Channel::WebSocket, lost))
}

fn answered(status: u16) -> Lost {
    Lost::Refused(Box::new((Head { status, reason: String::new(), headers: Vec::new() }, Vec::new())))
}

#[test]
fn a_handshake_is_refused_by_an_http_error_or_an_end_without_an_open_packet() {
    let any = "{ refused: true }";
    assert_eq!(refused(any, |play| lost(play, answered(400))), Ok(()));
    assert_eq!(refused(any, |play| lost(play, Lost::Ended)), Ok(()));
    assert_eq!(refused("{ refused: 403 }", |play| lost(play, answered(403))), Ok(()));
    let why = refused("{ refused: 403 }", |play| lost(play, answered(400))).unwrap_err();
    assert!(why.ends_with("(expected 403, got 400)"), "{why}");
    let why = refused("{ refused: 403 }", |play| lost(play, Lost::Ended)).unwrap_err();
    assert!(why.ends_with("(expected 403, got null)"), "{why}");
}

#[test]
fn what_is_no_refusal_does_not_pass_for_one() {
    let any = "{ refused: true, within: 1s }";
    let opened = |play: &mut Play<'_>| {
        play.accepted();
        play.hear(OPEN)
    };
    assert_eq!(refused(any, opened), Err("the server opened a session".to_owned()));
    assert_eq!(refused(any, |play| play.pass(1000)), Err("the server did not answer in time".to_owned()));
    assert!(refused(any, |play| lost(play, answered(200))).unwrap_err().ends_with("(that is no HTTP error)"));
    let unreachable = Lost::Unreachable("no route".to_owned());
    assert_eq!(refused(any, |play| lost(play, unreachable)), Err("no connection: no route".to_owned()));
}

#[test]
fn a_second_connection_is_done_when_its_websocket_stands() {
    let script = "- eve: { open: { transport: websocket, sid: abc } }\n- eve: { send: 2probe }\n- eve: { expect_frame: 3probe }";
    play("{ eve: { transport: polling } }", script, 0, |mut play| {
        assert_eq!(play.begin(0), Flow::Waiting);
        assert_eq!(play.said(), ["dial /socket.io/?EIO=4&transport=websocket&sid=abc"]);
        assert_eq!(play.accepted(), Flow::Done);
        play.begin(1);
        assert_eq!(play.said(), ["2probe"]);
        play.begin(2);
        assert_eq!(play.hear("3probe"), Flow::Done);
        assert_eq!(play.found.passed, [0, 2]);
    });
}

#[test]
fn a_second_connection_is_refused_if_it_ends_without_a_packet() {
    let second = "{ sid: abc, refused: true, within: 1s }";
    assert_eq!(refused(second, |play| lost(play, answered(400))), Ok(()));
    let closed = |play: &mut Play<'_>| {
        assert_eq!(play.accepted(), Flow::Waiting);
        let close = Frame::Close { code: None, reason: "".into() };
        play.call(|client, io| client.handle_frame(io, close))
    };
    assert_eq!(refused(second, closed), Ok(()));
    let spoken = |play: &mut Play<'_>| {
        play.accepted();
        play.hear("6")
    };
    assert!(refused(second, spoken).unwrap_err().starts_with("the server sent a packet on it"));
    let silent = |play: &mut Play<'_>| {
        play.accepted();
        play.pass(1000)
    };
    assert_eq!(refused(second, silent), Err("it was neither refused nor closed in time".to_owned()));
}

#[test]
fn a_client_knows_its_engine_io_session_and_shows_it_to_those_who_ask() {
    let script = "- alice: open\n- alice: { send: \"${engine_sid}\" }\n- bob: { open: { sid: \"${alice.engine_sid}\" } }";
    play("{ alice: 1, bob: 1 }", script, 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.said();
        play.begin(1);
        assert_eq!(play.said(), ["e"]);
        let shown = play.plan.context.shared_values.get(0, 0, &crate::template::Of::EngineSid);
        assert_eq!(shown, Some(serde_json::json!("e")));
    });
}

#[test]
fn a_namespace_that_was_joined_by_hand_can_be_spoken_in() {
    let script = "- alice: open\n- alice: { send: \"40\" }\n- alice: { emit: { event: a, ack: true } }\n- bob: { open: { query: { a: \"${alice.sid}\" } } }";
    play("{ alice: 1, bob: 1 }", script, 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.begin(1);
        play.hear(r#"40{"sid":"s"}"#);
        play.said();
        assert_eq!(play.begin(2), Flow::Waiting);
        assert_eq!(play.said(), [r#"420["a"]"#]);
        assert_eq!(play.hear("430[]"), Flow::Done);
        assert_eq!(play.found.troubles, []);
        let shown = play.plan.context.shared_values.get(0, 0, &crate::template::Of::Sid);
        assert_eq!(shown, Some(serde_json::json!("s")));
    });
}

/// A client with an Engine.IO connection that has taken the open packet.
fn open(script: &str, test: impl FnOnce(Play<'_>)) {
    let script = format!("- eve: open\n- eve: {{ expect_frame: {{ text: {{ $match: '^0' }} }} }}\n{script}");
    play("{ eve: 1 }", &script, 0, |mut play| {
        play.begin(0);
        play.accepted();
        assert_eq!(play.hear(OPEN), Flow::Done);
        assert_eq!(play.begin(1), Flow::Done);
        play.found.passed.clear();
        test(play);
    });
}

#[test]
fn a_frame_that_comes_too_early_is_not_the_one() {
    let script = "- eve: { expect_frame: { text: a, not_before: 100ms, within: 1s } }";
    open(script, |mut play| {
        play.begin(2);
        play.pass(99);
        assert_eq!(play.hear("a"), Flow::Done);
        assert_eq!(play.found.failed[0].actual, "it came after 99ms already: the text \"a\"");
    });
    open(script, |mut play| {
        play.begin(2);
        play.pass(100);
        assert_eq!(play.hear("a"), Flow::Done);
        assert_eq!(play.found.passed, [2]);
    });
    open(script, |mut play| {
        play.hear("a");
        assert_eq!(play.begin(2), Flow::Done);
        assert_eq!(play.found.failed.len(), 1, "it came before the step began");
    });
}

#[test]
fn pings_and_pongs_of_the_websocket_are_nothing_to_who_does_not_wait_for_them() {
    let script = "- eve: { expect_frame: { text: a } }\n- eve: { expect_frame: { pong: hey } }";
    open(script, |mut play| {
        play.call(|client, io| client.handle_frame(io, Frame::Ping(b"hey")));
        play.call(|client, io| client.handle_frame(io, Frame::Pong(b"unasked")));
        play.hear("a");
        assert_eq!(play.begin(2), Flow::Done);
        play.call(|client, io| client.handle_frame(io, Frame::Ping(b"hey")));
        play.call(|client, io| client.handle_frame(io, Frame::Pong(b"hey")));
        assert_eq!(play.begin(3), Flow::Done);
        assert_eq!((&play.found.passed[..], play.found.failed.len()), (&[2, 3][..], 0));
    });
}

#[test]
fn frames_that_do_not_fit_are_passed_over_where_order_does_not_count() {
    let script = "- eve: { expect_frame: { text: b, order: any, within: 1s } }\n- eve: { expect_frame: d }";
    open(script, |mut play| {
        play.hear("a");
        assert_eq!(play.begin(2), Flow::Waiting);
        assert_eq!(play.hear("c"), Flow::Waiting);
        assert_eq!(play.hear("b"), Flow::Done);
        play.hear("d");
        assert_eq!(play.begin(3), Flow::Done);
        assert_eq!(play.found.passed, [2, 3]);
    });
}

#[test]
fn the_first_group_of_a_frame_is_kept_or_all_of_its_text() {
    let script = "- eve: { expect_frame: { text: { $match: '^a(.)(.)$' }, capture: one } }\n\
                  - eve: { expect_frame: { text: { $match: '^a..$' }, capture: all } }\n\
                  - eve: { send: \"${one} ${all}\" }";
    open(script, |mut play| {
        play.hear("axy");
        play.hear("axz");
        play.begin(2);
        play.begin(3);
        play.said();
        play.begin(4);
        assert_eq!(play.said(), ["x axz"]);
    });
}

#[test]
fn a_text_that_is_too_long_is_not_kept() {
    let script = "- eve: { expect_frame: { text: { $any: true }, capture: all } }";
    open(script, |mut play| {
        play.hear(&"a".repeat((1 << 20) + 1));
        play.begin(2);
        assert_eq!(play.found.failed[0].actual, "a text of 1048577 bytes, and at most 1048576 are kept");
    });
}

#[test]
fn no_such_frame_has_come_if_none_has_since_the_connection_was_opened() {
    let script = "- eve: { expect_frame: { text: { $match: a } } }\n- eve: { expect_no_frame: { text: { $match: b } } }";
    open(script, |mut play| {
        play.hear("a");
        play.hear("c");
        play.begin(2);
        assert_eq!(play.begin(3), Flow::Done);
        assert_eq!(play.found.passed, [2, 3]);
    });
    open(script, |mut play| {
        // Taken by the step before: it came all the same.
        play.hear("ab");
        play.begin(2);
        assert_eq!(play.begin(3), Flow::Done);
        assert_eq!(play.found.failed[0].actual, "the text \"ab\"");
    });
}

#[test]
fn what_could_not_be_kept_is_not_said_to_be_missing() {
    open("- eve: { expect_no_frame: never }", |mut play| {
        for _ in 0..5000 {
            play.hear("2");
        }
        assert_eq!(play.begin(2), Flow::Done);
        assert_eq!(
            play.found.failed[0].actual,
            "more frames came than could be kept, so this cannot be judged"
        );
    });
}

#[test]
fn what_was_passed_over_can_be_taken_where_order_does_not_count() {
    let any = |text: &str| format!("- eve: {{ expect_frame: {{ text: {text}, order: any }} }}\n");
    let script = format!("{}{}{}- eve: {{ expect_frame: d }}", any("c"), any("a"), any("b"));
    open(&script, |mut play| {
        for text in ["a", "b", "c", "d"] {
            play.hear(text);
        }
        for act in 2..=5 {
            assert_eq!(play.begin(act), Flow::Done);
        }
        assert_eq!(play.found.passed, [2, 3, 4, 5]);
    });
    open(&format!("{}{}", any("a"), any("a")), |mut play| {
        play.hear("a");
        assert_eq!(play.begin(2), Flow::Done);
        assert_eq!(play.begin(3), Flow::Waiting, "each is taken once");
    });
}

#[test]
fn frames_that_nobody_wants_make_room_for_those_that_are_wanted() {
    open("- eve: { expect_frame: { text: z, order: any } }", |mut play| {
        assert_eq!(play.begin(2), Flow::Waiting);
        for _ in 0..10_000 {
            play.hear("a");
        }
        assert_eq!(play.hear("z"), Flow::Done);
        assert_eq!(play.found.passed, [2]);
    });
}

/// A response of the server to a request of a step.
fn respond(play: &mut Play<'_>, channel: u8, body: &str) -> Flow {
    let head = Head { status: 200, reason: String::new(), headers: Vec::new() };
    let response = Response { head, body: body.into(), keep_alive: true };
    play.call(|client, io| client.handle_response(io, Channel::Aside(channel), &response))
}

#[test]
fn a_body_is_sent_in_two_parts() {
    let script = "- eve: { http: { post: /a, body: abcdef, hold: 4, as: slow, async: true } }\n\
                  - eve: { http: { finish: slow } }\n\
                  - eve: { http: { await: slow, expect: { body: ok } } }\n\
                  - eve: { http: { finish: slow } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        assert_eq!(play.begin(0), Flow::Done);
        assert_eq!(play.said(), ["http 0 POST /a but 2 bytes"]);
        assert_eq!(play.begin(1), Flow::Done);
        assert_eq!(play.said(), ["http 0 rest ef"]);
        assert_eq!(play.begin(2), Flow::Waiting);
        assert_eq!(respond(&mut play, 0, "ok"), Flow::Done);
        assert_eq!(play.found.passed, [2]);
        assert_eq!(play.begin(3), Flow::Done);
        assert_eq!(play.found.failed[0].actual, "it has held nothing back");
    });
}

#[test]
fn who_sends_the_rest_and_expects_something_waits_for_the_response() {
    let script = "- eve: { http: { post: /a, body: abcdef, hold: 4, as: slow, async: true } }\n\
                  - eve: { http: { finish: slow, expect: { body: ok }, within: 1s } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        play.begin(0);
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.pass(1000), Flow::Done);
        assert_eq!(play.found.failed[0].actual, "no response within 1s");
    });
}

#[test]
fn a_request_may_be_left_without_a_response_where_that_is_right() {
    let script =
        "- eve: { http: { get: /a, expect: { body: { $not: session }, or_silence: true }, within: 1s } }";
    let judged = |end: fn(&mut Play<'_>) -> Flow| {
        let mut passed = Vec::new();
        play("{ eve: 1 }", script, 0, |mut play| {
            assert_eq!(play.begin(0), Flow::Waiting);
            assert_eq!(end(&mut play), Flow::Done);
            passed.clone_from(&play.found.passed);
        });
        passed
    };
    assert_eq!(judged(|play| play.pass(1000)), [0]);
    assert_eq!(judged(|play| respond(play, 0, "a page")), [0]);
    assert_eq!(judged(|play| respond(play, 0, "session")), [0; 0]);
}

#[test]
fn a_request_goes_over_the_connection_of_an_earlier_one_that_is_answered() {
    let script = "- eve: { http: { get: /a, as: first, async: true } }\n- eve: { http: { get: /b, on: first, expect: { body: b } } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        play.begin(0);
        respond(&mut play, 0, "a");
        play.said();
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.said(), ["http 0 GET /b on the same"]);
        assert_eq!(respond(&mut play, 0, "b"), Flow::Done);
        assert_eq!(play.found.passed, [1]);
    });
    play("{ eve: 1 }", script, 0, |mut play| {
        play.begin(0);
        assert_eq!(play.begin(1), Flow::Done);
        let why = "the request before it on this connection is not answered yet";
        assert_eq!(play.found.failed[0].actual, why);
    });
}

#[test]
fn a_body_may_come_in_chunks() {
    play("{ eve: 1 }", "- eve: { http: { post: /a, body: abc, chunked: true } }", 0, |mut play| {
        play.begin(0);
        assert_eq!(play.said(), ["http 0 POST /a", "in chunked"]);
    });
}

#[test]
fn what_a_response_says_is_kept_if_it_is_the_one() {
    let script = "- eve: { http: { get: /a, expect: { body: { $match: 'sid=(.*)$' } }, capture: id } }\n\
                  - eve: { http: { get: /a, capture: all } }\n\
                  - eve: { http: { get: \"/${id}/${all}\" } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        for (act, body) in [(0, "sid=x"), (1, "y")] {
            play.begin(act);
            respond(&mut play, 0, body);
        }
        play.said();
        play.begin(2);
        assert_eq!(play.said(), ["http 0 GET /x/y"]);
        assert_eq!(play.found.passed, [0, 1]);
    });
    play("{ eve: 1 }", script, 0, |mut play| {
        play.begin(0);
        respond(&mut play, 0, "no id");
        play.begin(1);
        respond(&mut play, 0, "y");
        play.begin(2);
        assert_eq!(play.found.failed[1].actual, "`id` has no value yet");
    });
}

#[test]
fn a_connect_in_a_request_by_hand_is_a_connect() {
    let script = "- eve: { open: { transport: polling } }\n- eve: { http: { post: poll, body: \"40/chat,\\u001e40\" } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        play.begin(0);
        polled(&mut play, OPEN);
        play.begin(1);
        polled(&mut play, "40/chat,{\"sid\":\"s\"}\u{1e}40{\"sid\":\"t\"}");
        assert_eq!(play.found.troubles, []);
        assert!(play.client.is_live());
        polled(&mut play, "40/other,{\"sid\":\"s\"}");
        assert_eq!(play.found.troubles.len(), 1);
    });
}

fn polled(play: &mut Play<'_>, body: &str) {
    let head = Head { status: 200, reason: String::new(), headers: Vec::new() };
    let response = Response { head, body: body.into(), keep_alive: true };
    play.call(|client, io| client.handle_response(io, Channel::Poll, &response));
}

#[test]
fn a_frame_that_came_instead_of_another_tells_which_rule_the_server_broke_by_it() {
    let script = "- eve: open\n- eve: [ { expect_frame: { text: { $match: '^0' } } }, { send: '40' } ]\n\
                  - eve: { expect_frame: { text: { $match: '^40' } } }";
    for (frame, rule) in [
        (r#"42["early"]"#, Some(Rule::EventEarly)),
        (r#"42/other,["news"]"#, Some(Rule::NamespaceUnknown)),
        (r#"40/other,{"sid":"a"}"#, None),
        (r#"0{"sid":"again"}"#, Some(Rule::PacketUnexpected)),
        (r#"44{"message":"no"}"#, None),
    ] {
        // It may come while the step waits, or before.
        for is_first in [true, false] {
            play("{ eve: 1 }", script, 0, |mut play| {
                play.begin(0);
                play.accepted();
                play.hear(OPEN);
                play.begin(1);
                if is_first {
                    play.hear(frame);
                    play.begin(2);
                } else {
                    play.begin(2);
                    assert_eq!(play.hear(frame), Flow::Done);
                }
                let after: Vec<_> = play.found.failed.iter().map(|failure| failure.after).collect();
                let passes = frame.starts_with("40");
                assert_eq!(after, if passes { vec![] } else { vec![rule] }, "{frame} {is_first}");
            });
        }
    }
}

#[test]
fn an_event_after_the_reply_breaks_no_rule_where_another_frame_was_expected() {
    let script = "- eve: open\n- eve: [ { expect_frame: { text: { $match: '^0' } } }, { send: '40' } ]\n\
                  - eve: { expect_frame: { text: { $match: '^40' } } }\n- eve: { expect_frame: { text: nothing } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.begin(1);
        play.begin(2);
        play.hear(r#"40{"sid":"a"}"#);
        play.begin(3);
        play.hear(r#"42["news"]"#);
        let after: Vec<_> = play.found.failed.iter().map(|failure| failure.after).collect();
        assert_eq!(after, [None], "it came after the reply");
    });
}

#[test]
fn a_packet_that_writes_out_the_main_namespace_is_told_and_judged_by_what_it_says() {
    let script = "- eve: open\n- eve: [ { expect_frame: { text: { $match: '^0' } } }, { send: '40' } ]\n\
                  - eve: { expect_frame: { text: { $match: '^40\\{' } } }\n\
                  - eve: { expect_frame: { text: '431[]' } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.begin(1);
        play.begin(2);
        play.hear(r#"40/,{"sid":"a"}"#);
        play.begin(3);
        play.hear("43/,1[]");
        assert!(play.found.failed.is_empty());
        let told = FailureKind::Violation(Rule::Namespace);
        assert!(play.found.wronged.contains(&told), "{:?}", play.found.wronged);
        assert_eq!(play.client.actor.harm.filter(|rule| *rule == Rule::Namespace), None, "nothing is lost");
    });
}

/// After what rule the step failed that waits for one more frame or event, where this came in the place of it.
fn after(step: &str, frame: &str) -> Vec<Option<Rule>> {
    let mut after = Vec::new();
    play("{ eve: { count: 1, namespace: /x } }", &format!("- eve: connect\n- eve: {step}"), 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40/x,{"sid":"a"}"#);
        play.begin(1);
        play.hear(frame);
        play.pass(1000);
        after = play.found.failed.iter().map(|failure| failure.after).collect();
    });
    after
}

#[test]
fn what_came_in_the_place_of_what_never_came_is_the_reason() {
    let frame = "{ expect_frame: { text: { $match: '^43' }, order: any, within: 1s } }";
    assert_eq!(after(frame, r#"42/other,["news"]"#), [Some(Rule::NamespaceUnknown)]);
    assert_eq!(after(frame, r#"42/x,["news"]"#), [Some(Rule::AckMissing)]);
    let event = "{ expect: { event: news, within: 1s } }";
    assert_eq!(after(event, r#"42["news"]"#), [Some(Rule::NamespaceUnknown)], "it lost its namespace");
    let lost = [Some(Rule::EventLost)];
    assert_eq!(after(event, r#"42/other,["news"]"#), lost, "who knows for whom it was");
    let half = r#"451-/x,["news",{"_placeholder":true,"num":0}]"#;
    assert_eq!(after(event, half), [Some(Rule::AttachmentDue)]);
}

#[test]
fn two_packets_in_one_are_a_matter_of_the_layer_that_joined_them() {
    play("{ eve: 1 }", "- eve: connect", 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.hear("40{\"sid\":\"a\"}\u{1e}42[\"news\"]");
        assert_eq!(play.client.actor.harm, Some(Rule::EnginePacketType));
    });
    play("{ eve: { count: 1, transport: polling } }", "- eve: connect", 0, |mut play| {
        play.begin(0);
        polled(&mut play, OPEN);
        polled(&mut play, "40{\"sid\":\"a\"}\n42[\"news\"]");
        assert_eq!(play.client.actor.harm, Some(Rule::PollPacket));
    });
}
