//! What is said of a connect that came to nothing.

use super::stage::{OPEN, Play, play};
use super::*;
use crate::protocol::http::Response;

/// Hears the answer to a poll or a post.
fn answered(play: &mut Play<'_>, channel: Channel, body: &str) {
    let head = Head { status: 200, reason: String::new(), headers: Vec::new() };
    let response = Response { head, body: body.into(), keep_alive: true };
    play.call(|client, io| client.handle_response(io, channel, &response));
}

#[test]
fn a_server_is_said_to_have_read_nothing_that_it_may_never_have_got() {
    type Way = fn(&mut Play<'_>);
    let cut = |play: &mut Play<'_>| {
        play.call(|client, io| client.handle_lost(io, Channel::Post, Lost::NoResponse));
    };
    let parser = "after CONNECT, written by the default parser, and before an answer to it. If the server uses another parser, say so \
                  by `parser:`";
    let ways: [(&str, Way, String); 6] = [
        ("polling", |play| answered(play, Channel::Poll, "1"), "the server sent a close packet; the POST with CONNECT had got no answer in 500ms".into()),
        ("polling", cut, "the server ended the connection without a response (post); the POST with CONNECT had got no answer in 500ms".into()),
        ("polling", |play| _ = play.pass(500), "the server did not answer the POST with CONNECT within 1s".into()),
        (
            "polling",
            |play| {
                answered(play, Channel::Post, "ok");
                play.pass(500);
            },
            "the server did not answer CONNECT within 1s".into(),
        ),
        (
            "polling",
            |play| {
                answered(play, Channel::Post, "ok");
                answered(play, Channel::Poll, "1");
            },
            format!("the server sent a close packet {parser}"),
        ),
        (
            "websocket",
            |play| {
                let frame = Frame::Close { code: None, reason: "".into() };
                play.call(|client, io| client.handle_frame(io, frame));
            },
            format!("the server closed the WebSocket without a code {parser}"),
        ),
    ];
    for (transport, way, why) in ways {
        let clients = format!("{{ alice: {{ count: 1, transport: {transport} }} }}");
        play(&clients, "- alice: { connect: { within: 1s } }", 0, |mut play| {
            play.begin(0);
            match transport {
                "polling" => answered(&mut play, Channel::Poll, OPEN),
                _ => {
                    play.accepted();
                    play.hear(OPEN);
                }
            }
            play.pass(500);
            way(&mut play);
            let missed: Vec<&str> = play.found.missed.iter().map(|(_, why)| why.as_str()).collect();
            assert_eq!(missed, [why]);
        });
    }
}

#[test]
fn each_way_in_which_a_connect_fails_has_its_cause() {
    type Way = fn(&mut Play<'_>);
    fn lost(play: &mut Play<'_>, lost: Lost) {
        play.call(|client, io| client.handle_lost(io, Channel::WebSocket, lost));
    }
    let ways: [(Cause, Way); 8] = [
        (Cause::Refused, |play| {
            play.hear(r#"44{"message":"no"}"#);
        }),
        (Cause::NoAnswer, |play| {
            play.pass(1000);
        }),
        (Cause::ClosePacket, |play| {
            play.hear("1");
            lost(play, Lost::Ended);
        }),
        (Cause::CloseFrame, |play| {
            let frame = Frame::Close { code: Some(1013), reason: "later".into() };
            play.call(|client, io| client.handle_frame(io, frame));
        }),
        (Cause::Ended, |play| lost(play, Lost::Ended)),
        (Cause::Broken, |play| lost(play, Lost::Broken("connection reset by peer".into()))),
        (Cause::Tls, |play| lost(play, Lost::Tls("unknown issuer".into()))),
        (Cause::Status5xx, |play| {
            let head = Head { status: 503, reason: String::new(), headers: Vec::new() };
            lost(play, Lost::Refused(Box::new((head, Vec::new()))));
        }),
    ];
    for (cause, way) in ways {
        play("{ alice: 1 }", "- alice: { connect: { within: 1s } }", 0, |mut play| {
            play.begin(0);
            play.accepted();
            play.hear(OPEN);
            way(&mut play);
            let missed: Vec<FailureKind> =
                play.found.missed.iter().map(|(failure_kind, _)| *failure_kind).collect();
            assert_eq!(missed, [FailureKind::Connect(cause)]);
            assert_eq!(play.found.wronged, [], "it was never connected");
        });
    }
}

#[test]
fn an_open_packet_without_an_id_ends_what_polls_and_no_websocket() {
    let open = r#"0{"upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000}"#;
    for (transport, harm) in [("polling", Some(Rule::HandshakeField)), ("websocket", None)] {
        let clients = format!("{{ alice: {{ count: 1, transport: {transport} }} }}");
        play(&clients, "- alice: connect", 0, |mut play| {
            play.begin(0);
            if transport == "polling" {
                answered(&mut play, Channel::Poll, open);
            } else {
                play.accepted();
                play.hear(open);
            }
            assert_eq!((play.client.actor.harm, play.found.wronged.len()), (harm, 1), "{transport}");
        });
    }
}

#[test]
fn a_reply_that_cannot_be_used_ends_the_connect_at_once_and_is_its_reason() {
    for (reply, harm) in [
        ("40", Rule::ConnectReply),
        (r#"40{"sid":17}"#, Rule::ConnectReply),
        (r#"40["x"]"#, Rule::ConnectPayload),
    ] {
        play("{ alice: 1 }", "- alice: connect", 0, |mut play| {
            play.begin(0);
            play.accepted();
            play.hear(OPEN);
            play.hear(reply);
            assert_eq!((play.client.actor.harm, play.found.missed.len()), (Some(harm), 1), "{reply}");
        });
    }
}

#[test]
fn a_reply_for_another_namespace_is_the_reason_where_none_came_for_this_one() {
    play("{ alice: 1 }", "- alice: { connect: { within: 1s } }", 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40/other,{"sid":"a"}"#);
        assert!(play.found.missed.is_empty(), "the right one may still come");
        play.pass(1000);
        let found = (play.client.actor.harm, play.found.missed.len());
        assert_eq!(found, (Some(Rule::NamespaceUnasked), 1));
    });
}

#[test]
fn silence_is_the_reason_where_nothing_answers_a_connect() {
    play("{ alice: 1 }", "- alice: { connect: { within: 1s } }", 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.pass(1000);
        let found = (play.client.actor.harm, play.found.missed.len());
        assert_eq!(found, (Some(Rule::ConnectUnanswered), 1));
    });
}

#[test]
fn what_comes_in_the_place_of_the_open_packet_is_the_reason_where_none_comes() {
    play("{ alice: 1 }", "- alice: { connect: { within: 1s } }", 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(r#"4{"sid":"a"}"#);
        assert_eq!(play.client.actor.harm, Some(Rule::PacketUnexpected));
    });
}

#[test]
fn a_refusal_that_brings_no_object_is_heard_and_is_the_reason_of_what_fails_by_it() {
    for (refusal, harm) in [
        (r#"44{"message":"no"}"#, None),
        (r#"44"no""#, Some(Rule::ConnectErrorPayload)),
        ("44{}", Some(Rule::ConnectErrorPayload)),
        ("44", Some(Rule::ConnectErrorPayload)),
    ] {
        play("{ alice: 1 }", "- alice: { connect: { refused: true } }", 0, |mut play| {
            play.begin(0);
            play.accepted();
            play.hear(OPEN);
            assert_eq!(play.hear(refusal), Flow::Done, "{refusal}");
            assert_eq!((play.client.actor.harm, play.found.passed.len()), (harm, 1), "{refusal}");
            assert_eq!(play.found.wronged.len(), usize::from(harm.is_some()), "{refusal}");
        });
    }
}

#[test]
fn a_payload_of_a_heartbeat_is_told_and_what_steps_see_is_its_type() {
    connected("- alice: { expect_frame: { text: '2', order: any } }", |mut play| {
        play.begin(1);
        play.hear("2hello");
        assert!(play.said().iter().any(|said| said.contains("3hello")), "a pong says what its ping did");
        assert_eq!((play.found.passed.len(), play.found.failed.len()), (2, 0));
        assert_eq!((play.client.actor.harm, play.found.wronged.len()), (None, 1));
    });
}

#[test]
fn a_refusal_that_names_another_namespace_is_none_of_that_one() {
    connected("- alice: { connect: { namespace: /other, refused: true, within: 1s } }", |mut play| {
        play.begin(1);
        play.hear(r#"44{"message":"no"}"#);
        assert!(play.client.is_live(), "it stays where it is");
        assert_eq!((play.client.actor.harm, play.found.wronged.len()), (Some(Rule::AnswerAstray), 1));
    });
}

#[test]
fn what_is_left_of_a_poll_says_nothing_of_a_connection_that_a_step_has_begun_meanwhile() {
    let ways =
        ["[ connect, { disconnect: cut }, connect ]", "[ connect, { disconnect: cut }, { open: {} } ]"];
    for way in ways {
        play("{ alice: { count: 1, transport: polling } }", &format!("- alice: {way}"), 0, |mut play| {
            play.begin(0);
            answered(&mut play, Channel::Poll, OPEN);
            answered(&mut play, Channel::Poll, "40{\"sid\":\"s\"}\u{1e}42[\"hello\"]");
            assert_eq!((play.found.missed.len(), play.found.wronged.len()), (0, 0), "{way}");
            answered(&mut play, Channel::Poll, OPEN);
            assert!(play.client.actor.session.is_open(), "{way}");
        });
    }
}

#[test]
fn how_a_server_refuses_the_namespace_of_a_fence_is_no_matter_of_the_run() {
    let clients = "{ alice: 1 }\ncontract: { join: { emit: [enter, \"${room}\"], ack: true } }";
    connected_as(clients, "- alice: fence", |mut play| {
        play.begin(1);
        assert_eq!(play.hear(r#"44/sockrates-fence,"Unable to connect""#), Flow::Done);
        assert_eq!((play.found.wronged.len(), play.client.actor.harm), (0, None));
    });
}
