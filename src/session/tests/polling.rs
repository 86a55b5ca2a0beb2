//! EIO "HTTP long-polling": one poll pending, one post at a time, `maxPayload`, cookies. The script's server allows
//! 40 bytes a payload.

use proptest::prelude::*;

use super::talk::{OPEN, Talk};
use crate::session::{Polls, Transport};

const GET: &str = "get /socket.io/?EIO=4&transport=polling&sid=s1";

#[test]
fn one_post_is_under_way_at_a_time_and_what_gathers_goes_together() {
    let mut talk = Talk::polling().joined();
    for name in ["a", "b", "c"] {
        talk.emit("/", &format!(r#"["{name}"]"#));
    }
    assert_eq!(talk.said(), [r#"post 42["a"]"#]);
    assert_eq!(talk.posted(), "nothing");
    assert_eq!(talk.said(), [r#"post 42["b"] | 42["c"]"#]);
    assert_eq!(talk.posted(), "nothing");
    assert_eq!(talk.said(), [""; 0]);
}

#[test]
fn posts_and_polls_do_not_wait_for_each_other() {
    let mut talk = Talk::polling().joined();
    talk.emit("/", r#"["a"]"#);
    assert_eq!(talk.polled("6"), [""; 0]);
    assert_eq!(talk.said(), [r#"post 42["a"]"#, GET]);
}

#[test]
fn a_payload_holds_exactly_what_the_server_allows() {
    // An é is two bytes.
    for (second, fits) in [("4éééééééééb", true), ("4éééééééééé", false)] {
        let mut talk = Talk::polling();
        let first = "4aaaaaaaaaaaaaaaaaa";
        assert_eq!(first.len() + 1 + second.len() <= 40, fits);
        for text in ["4", first, second] {
            talk.session.send_raw(&mut talk.wire, text);
        }
        talk.said();
        talk.posted();
        let body = if fits { format!("post {first} | {second}") } else { format!("post {first}") };
        assert_eq!(talk.said(), [body]);
    }
}

#[test]
fn a_packet_above_the_limit_travels_alone() {
    let mut talk = Talk::polling();
    let large = "4".repeat(100);
    for text in ["4a", "4b", &large, "4c"] {
        talk.session.send_raw(&mut talk.wire, text);
    }
    let mut posts = talk.said();
    for _ in 0..3 {
        talk.posted();
        posts.extend(talk.said());
    }
    assert_eq!(posts, ["post 4a".into(), "post 4b".into(), format!("post {large}"), "post 4c".to_owned()]);
}

#[test]
fn an_empty_packet_of_a_rude_scenario_keeps_its_place_in_a_payload() {
    let mut talk = Talk::polling();
    for text in ["4a", "", "4b"] {
        talk.session.send_raw(&mut talk.wire, text);
    }
    talk.session.send_raw_binary(&mut talk.wire, b"");
    talk.said();
    talk.posted();
    assert_eq!(talk.said(), ["post  | 4b | b"]);
}

#[test]
fn a_server_that_names_no_limit_gets_everything_at_once() {
    let mut talk = Talk::opening(Transport::Polling);
    talk.polled(&OPEN.replace(r#","maxPayload":40"#, ""));
    talk.said();
    let large = "4".repeat(10_000);
    for text in ["4a", &large, &large] {
        talk.session.send_raw(&mut talk.wire, text);
    }
    talk.posted();
    assert_eq!(talk.said(), ["post 4a".to_owned(), format!("post {large} | {large}")]);
}

proptest! {
    #[test]
    fn whatever_is_sent_is_posted_once_in_order_within_the_limit(
        items in proptest::collection::vec((any::<bool>(), "4[a-zé]{0,50}"), 0..40)
    ) {
        let mut talk = Talk::polling();
        let mut expected = Vec::new();
        for (binary, text) in &items {
            if *binary {
                talk.session.send_raw_binary(&mut talk.wire, text.as_bytes());
                use base64::Engine;
                expected.push(format!("b{}", base64::engine::general_purpose::STANDARD.encode(text)));
            } else {
                talk.session.send_raw(&mut talk.wire, text);
                expected.push(text.clone());
            }
        }
        let mut posted = Vec::new();
        loop {
            let said = talk.said();
            let Some(line) = said.first() else { break };
            prop_assert_eq!(said.len(), 1);
            let body = line.strip_prefix("post ").unwrap();
            let items: Vec<&str> = body.split(" | ").collect();
            prop_assert!(items.len() == 1 || body.replace(" | ", "\x1e").len() <= 40, "{}", body);
            posted.extend(items.into_iter().map(str::to_owned));
            talk.posted();
        }
        prop_assert_eq!(posted, expected);
    }
}

#[test]
fn polls_by_hand_are_the_scenarios_own() {
    let mut talk = Talk::opening(Transport::Polling);
    talk.session.set_polls(&mut talk.wire, Polls::ByHand);
    assert_eq!(talk.polled(OPEN), ["opened"]);
    assert_eq!(talk.said(), [""; 0]);
    talk.session.send_raw(&mut talk.wire, "40");
    assert_eq!(talk.said(), ["post 40"]);
    talk.posted();

    talk.session.set_polls(&mut talk.wire, Polls::Automatic);
    assert_eq!(talk.said(), [GET]);
    talk.session.set_polls(&mut talk.wire, Polls::Automatic);
    assert_eq!(talk.said(), [""; 0], "one poll at a time");
    assert_eq!(talk.polled(r#"40{"sid":"a1"}"#), ["connected /"]);
    assert_eq!(talk.said(), [GET]);
}

#[test]
fn cookies_are_kept_sent_replaced_and_given_up() {
    let mut talk = Talk::opening(Transport::Polling);
    let cookies =
        [("Set-Cookie", "node=a; Path=/; HttpOnly"), ("set-cookie", "io=\"x y\"; Path=/; SameSite=Lax")];
    talk.poll_answered(200, &cookies, OPEN.as_bytes());
    assert_eq!(talk.header("Cookie"), Some("node=a; io=\"x y\""));
    talk.connect("/", None);
    assert_eq!(talk.header("Cookie"), Some("node=a; io=\"x y\""));

    talk.poll_answered(200, &[("Set-Cookie", "node=b; Path=/; Expires=Fri, 01 Jan 2999 00:00:00 GMT")], b"6");
    assert_eq!(talk.header("Cookie"), Some("node=b; io=\"x y\""));
    talk.poll_answered(200, &[("Set-Cookie", "io=; Path=/; Max-Age=0"), ("Set-Cookie", "garbage")], b"6");
    assert_eq!(talk.header("Cookie"), Some("node=b"));

    // They outlive the connection, and go with the WebSocket's handshake too.
    talk.session.cut(&mut talk.wire);
    talk.session.open(&mut talk.wire, Transport::Websocket);
    assert_eq!(talk.header("Cookie"), Some("node=b"));
}

#[test]
fn a_cookie_that_expired_long_ago_is_given_up() {
    // The way of Express, PHP and Rails to take a cookie back.
    let mut talk = Talk::opening(Transport::Polling);
    talk.poll_answered(200, &[("Set-Cookie", "node=a; Path=/")], OPEN.as_bytes());
    assert_eq!(talk.header("Cookie"), Some("node=a"));
    talk.poll_answered(200, &[("Set-Cookie", "node=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT")], b"6");
    assert_eq!(talk.header("Cookie"), None);
}

#[test]
fn cookies_join_those_that_the_scenario_brings() {
    let mut talk = Talk::new();
    let headers = vec![("cookie".into(), "user=7".into())];
    let path = "/socket.io/".into();
    talk.session.set_destination(crate::session::Destination { path, headers, ..Default::default() });
    talk.session.open(&mut talk.wire, Transport::Polling);
    talk.poll_answered(200, &[("Set-Cookie", "node=a")], OPEN.as_bytes());
    // RFC 6265, section 5.4: never more than one such header.
    assert_eq!(talk.header("cookie"), Some("user=7; node=a"));
    assert_eq!(talk.header("Cookie"), None);
}

#[test]
fn a_flood_of_cookies_is_not_kept() {
    let mut talk = Talk::opening(Transport::Polling);
    let many: Vec<String> = (0..1000).map(|n| format!("c{n}=x")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|cookie| ("Set-Cookie", cookie.as_str())).collect();
    talk.poll_answered(200, &many, OPEN.as_bytes());
    assert_eq!(talk.header("Cookie").unwrap().split("; ").count(), 50);
}

#[test]
fn an_attachment_without_its_letter_is_told_as_that_and_costs_no_more() {
    let mut talk = Talk::polling().joined();
    let told = talk.polled(r#"451-["a",{"_placeholder":true,"num":0}] | 4AQ== | 42["b"]"#);
    assert_eq!(told, ["violated engine.base64", r#"event / ["b"]"#]);
}

#[test]
fn what_is_a_packet_where_an_attachment_is_due_is_no_attachment() {
    let mut talk = Talk::polling().joined();
    let told = talk.polled(r#"451-["a",{"_placeholder":true,"num":0}] | 42["b"]"#);
    assert_eq!(told, ["violated socket.attachment-due"]);
}
