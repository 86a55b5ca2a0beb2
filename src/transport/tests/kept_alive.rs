//! Requests over connections that the server keeps alive for a short time only.

use super::*;

/// A server that answers the first request of each of its first connections, and ends the connection so long after a further
/// one came.
fn closing_early(after: u64) -> Harness {
    let mut asked = std::collections::HashSet::new();
    Harness::new(move |connection, heard| match heard {
        Heard::Connect => vec![(connection, ms(0), PLENTY)],
        Heard::Bytes(_) if asked.insert(connection) => {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
            vec![(connection, ms(1), Event::Bytes(answer))]
        }
        Heard::Bytes(_) => vec![(connection, ms(after), Event::End)],
        Heard::End { .. } => Vec::new(),
    })
}

#[test]
fn a_poll_that_meets_the_end_of_a_kept_alive_connection_goes_over_a_fresh_one() {
    let mut harness = closing_early(1);
    harness.get(Channel::Poll, false);
    harness.pass(5);
    harness.heard();
    harness.get(Channel::Poll, false);
    harness.pass(5);
    assert_eq!(harness.heard(), ["poll after 0ns and 1ms", "poll 200 ok"]);
    assert_eq!(connections(&harness), 2);
}

#[test]
fn a_request_that_may_not_be_repeated_is_lost_with_its_kept_alive_connection() {
    let mut harness = closing_early(1);
    harness.get(Channel::Aside(1), false);
    harness.pass(5);
    harness.heard();
    harness.get(Channel::Aside(1), true);
    harness.pass(5);
    assert_eq!(harness.heard(), ["http 1: the server ended the connection without a response"]);
    assert_eq!(connections(&harness), 1);
}

#[test]
fn a_post_that_the_server_may_have_handled_is_not_repeated_and_the_next_has_a_connection_of_its_own() {
    let mut harness = closing_early(1);
    for _ in 0..2 {
        harness.request("POST", Channel::Post, false);
        harness.pass(5);
    }
    let lost = harness.heard().pop().expect("it was lost");
    assert!(lost.contains("whether the server handled it is not known"), "{lost}");
    assert_eq!(connections(&harness), 1);
    for _ in 0..2 {
        harness.request("POST", Channel::Post, false);
        harness.pass(5);
        assert_eq!(harness.heard().pop().as_deref(), Some("post 200 ok"));
    }
    assert_eq!(connections(&harness), 2);
}

#[test]
fn a_connection_that_the_server_has_ended_is_not_used_again_even_before_that_was_told() {
    let mut harness = closing_early(1);
    harness.request("POST", Channel::Post, false);
    harness.pass(5);
    harness.heard();
    harness.network.act(0, ms(0), Event::End);
    harness.network.pass(ms(1));
    harness.request("POST", Channel::Post, false);
    harness.pass(5);
    assert_eq!(harness.heard().pop().as_deref(), Some("post 200 ok"));
    assert_eq!(connections(&harness), 2);
}
