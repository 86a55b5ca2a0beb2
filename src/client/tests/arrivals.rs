//! What a client makes of the messages that arrive: several in one event, echoes of them, and what was said before it came.

use super::*;
use crate::audit::Key;
use crate::audit::stamp::Stamp;

/// Bob's message as alice receives it: due so many milliseconds after the beginning of the run.
fn stamp(sequence: u64, due: u64) -> Stamp {
    let key = Key { sender: 1, sequence };
    Stamp { run: 7, key, due: Duration::from_millis(due), label: 0, is_audited: true }
}

const CHAT: &str = "{ alice: 1, bob: 1 }
contract: { join: { emit: [enter, \"${room}\"] }, broadcast: { emit: [say, \"${body}\"], arrives_as: said, reaches: others } }";

const SCRIPT: &str = "- bob: connect\n- alice: { join: hall }\n- bob: { broadcast: { args: [hi] } }";

fn alice(clients: &str, test: impl FnOnce(Play<'_>)) {
    connected_as(clients, SCRIPT, test);
}

#[test]
fn each_message_of_an_event_is_a_delivery_and_a_stamp_that_stands_twice_is_one() {
    alice(CHAT, |mut play| {
        play.pass(50);
        let [first, second] = [stamp(0, 10), stamp(1, 20)];
        play.hear(&format!(r#"42["said",[{{"text":"a {first}"}},{{"id":"{second}","text":"b {second}"}}]]"#));
        assert_eq!(play.found.received, [0, 1]);
        assert_eq!(play.found.latency(Metric::Delivery), [40, 30]);
        assert_eq!(play.found.count(Counter::DeliveryReceived), 2);
    });
}

#[test]
fn what_an_event_repeats_of_others_is_no_delivery_where_the_contract_says_where_the_message_stands() {
    for (place, received, unstamped) in [("text", vec![1], 1), ("all", vec![0, 1], 1)] {
        let stands = format!("reaches: others, stamp_in: \"${{args[0].{place}}}\"");
        alice(&CHAT.replace("reaches: others", &stands), |mut play| {
            play.pass(50);
            let [first, second] = [stamp(0, 10), stamp(1, 20)];
            let text = format!(r#""text":"b {second}","quote":{{"text":"a {first}"}}"#);
            play.hear(&format!(r#"42["said",{{{text},"all":[{{"text":"{first}"}},"{second}"]}}]"#));
            assert_eq!(play.found.received, received);
            // A quote alone is no message of the run.
            play.hear(&format!(r#"42["said",{{"quote":"{first}"}}]"#));
            play.hear("42[\"said\"]");
            assert_eq!((play.found.received.len(), play.found.unstamped), (received.len(), unstamped + 1));
        });
    }
}

#[test]
fn a_message_in_another_event_is_no_delivery() {
    alice(CHAT, |mut play| {
        play.pass(50);
        play.hear(&format!(r#"42["seen",{{"id":"{}"}}]"#, stamp(0, 10)));
        assert_eq!((play.found.received.len(), play.found.count(Counter::DeliveryReceived)), (0, 0));
        assert!(play.found.latency(Metric::Delivery).is_empty());
        assert_eq!(play.found.elsewhere, ["seen"]);
        // What comes to the sender of a message is an answer to it.
        let own = Stamp { key: Key { sender: 0, sequence: 0 }, ..stamp(0, 10) };
        play.hear(&format!(r#"42["thanks","{own}"]"#));
        assert_eq!(play.found.elsewhere, ["seen"]);
        // One that no contract speaks of may arrive as it likes.
        let free = Stamp { is_audited: false, ..stamp(1, 20) };
        play.hear(&format!(r#"42["seen",{{"id":"{free}"}}]"#));
        assert_eq!(play.found.latency(Metric::Delivery), [30]);
    });
}

#[test]
fn what_was_said_before_the_client_came_is_no_delivery_that_takes_time() {
    let with_history = CHAT.replace("reaches: others", "reaches: others, history: true");
    for (clients, latencies) in [(&*with_history, vec![5]), (CHAT, vec![35, 5])] {
        alice(clients, |mut play| {
            play.pass(30);
            play.begin(2);
            play.pass(15);
            play.hear(&format!(r#"42["said","{}"]"#, stamp(0, 10)));
            play.hear(&format!(r#"42["said","{}"]"#, stamp(1, 40)));
            assert_eq!(play.found.received, [0, 1], "the audit knows of both");
            assert_eq!(play.found.latency(Metric::Delivery), latencies);
        });
    }
}

#[test]
fn an_event_of_that_name_without_a_stamp_is_told_to_the_audit() {
    alice(CHAT, |mut play| {
        play.hear(r#"42["said","shortened ~sk0"]"#);
        play.hear(r#"42["seen","nothing"]"#);
        play.hear(&format!(r#"42["said","{}"]"#, Stamp { run: 8, ..stamp(0, 10) }));
        assert_eq!(
            (play.found.unstamped, play.found.received.len()),
            (2, 0),
            "another run's is none of ours"
        );
    });
}

#[test]
fn what_is_a_delivery_does_not_depend_on_whether_deliveries_are_audited() {
    let stands = "reaches: others, history: true, stamp_in: \"${args[0].text}\"";
    let clients = CHAT.replace("reaches: others", stands);
    for audit in ["", "\naudit: false"] {
        alice(&format!("{clients}{audit}"), |mut play| {
            play.pass(30);
            play.begin(2);
            play.pass(15);
            let [before, after, quoted] = [stamp(0, 10), stamp(1, 40), stamp(2, 42)];
            play.hear(&format!(r#"42["said",{{"text":"{before}"}}]"#));
            play.hear(&format!(r#"42["said",{{"text":"{after}","quote":"{quoted}"}}]"#));
            play.hear(&format!(r#"42["seen",{{"text":"{quoted}"}}]"#));
            assert_eq!(play.found.latency(Metric::Delivery), [5], "{audit}");
        });
    }
}
