//! Messages that an application shows again to who comes later, and messages that come without their stamps.

use super::*;

/// Client 0's message, which the application may show again to who comes later.
fn kept(sequence: u64, room: &str, sent: u64) -> SentMessage {
    SentMessage { has_history: true, ..message(sequence, room, sent) }
}

/// Client 1 is in the room from the beginning, client 2 joins when two messages were sent and is shown both, the first one last.
fn shown_late(message: fn(u64, &str, u64) -> SentMessage) -> Findings {
    let mut ledger = connected(3);
    joined(&mut ledger, 1, "a");
    for sequence in [0, 1] {
        let sent = 10 + 10 * sequence;
        broadcast(&mut ledger, message(sequence, "a", sent));
        received(&mut ledger, 1, sequence, sent + 4);
    }
    ledger.joining(2, "/", "a", at(40));
    [1, 0].into_iter().for_each(|sequence| received(&mut ledger, 2, sequence, 50));
    ledger.joined(2, "/", "a", at(52));
    ledger.finish(at(500))
}

#[test]
fn who_joins_later_may_be_shown_what_was_said_before_where_the_contract_says_so() {
    let found = shown_late(kept);
    assert!(found.is_clean(), "{:?}", found.offences);
    assert_eq!((found.expected, found.forbidden), (2, 2), "only the sender had to be spared");
    let found = shown_late(message);
    assert_eq!(faults(&found), [0, 0, 1, 2]);
    assert_eq!(found.leaks[Leak::BeforeJoin as usize], 2);
    assert!(found.offences.iter().any(Offence::is_shown_later));
}

#[test]
fn what_comes_twice_to_who_was_there_all_the_time_is_no_history() {
    let mut ledger = connected(2);
    joined(&mut ledger, 1, "a");
    broadcast(&mut ledger, message(0, "a", 10));
    [14, 15].into_iter().for_each(|when| received(&mut ledger, 1, 0, when));
    let found = ledger.finish(at(500));
    assert_eq!(faults(&found), [0, 1, 0, 0]);
    assert!(!found.offences.iter().any(Offence::is_shown_later));
}

#[test]
fn who_comes_back_may_be_shown_again_what_it_has_heard() {
    for (has_history, doubled) in [(true, 0), (false, 1)] {
        let mut ledger = connected(2);
        joined(&mut ledger, 1, "a");
        broadcast(&mut ledger, SentMessage { has_history, ..message(0, "a", 10) });
        received(&mut ledger, 1, 0, 14);
        ledger.joining(1, "/", "a", at(20));
        received(&mut ledger, 1, 0, 24);
        ledger.joined(1, "/", "a", at(26));
        let found = ledger.finish(at(500));
        assert_eq!(faults(&found), [0, doubled, 0, 0]);
        assert!(found.offences.iter().all(Offence::is_shown_later));
    }
}

#[test]
fn who_has_certainly_left_is_shown_nothing_that_was_said_after_that() {
    // It had asked to join again, or for the first time, and nobody had answered that.
    for (is_answered, sent, leaks) in [(true, 40, 1), (false, 40, 1), (true, 22, 0), (false, 22, 0)] {
        let mut ledger = connected(2);
        ledger.joining(1, "/", "a", at(2));
        if is_answered {
            ledger.joined(1, "/", "a", at(3));
            ledger.joining(1, "/", "a", at(10));
        }
        ledger.parting(1, "/", "a", true, at(20));
        ledger.parted(1, "/", "a", at(30));
        broadcast(&mut ledger, kept(0, "a", sent));
        received(&mut ledger, 1, 0, sent + 6);
        let found = ledger.finish(at(500));
        assert_eq!(
            (faults(&found), found.leaks[Leak::AfterLeave as usize]),
            ([0, 0, 0, leaks], leaks),
            "{sent}"
        );
    }
}

#[test]
fn who_was_there_all_the_time_has_to_get_it_once_and_strangers_not_at_all() {
    let mut ledger = connected(4);
    joined(&mut ledger, 1, "a");
    joined(&mut ledger, 2, "a");
    broadcast(&mut ledger, kept(0, "a", 10));
    [1, 1, 3].into_iter().for_each(|client| received(&mut ledger, client, 0, 20));
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), found.leaks[Leak::Room as usize]), ([1, 1, 0, 1], 1));
}

#[test]
fn a_second_receipt_waits_for_the_news_of_its_message() {
    for (has_history, doubled) in [(true, 0), (false, 1)] {
        let mut ledger = connected(2);
        ledger.joining(1, "/", "a", at(2));
        [12, 14].into_iter().for_each(|time| received(&mut ledger, 1, 0, time));
        assert_eq!(faults(ledger.findings_so_far()), [0; 4], "nobody knows yet what message it is");
        broadcast(&mut ledger, SentMessage { has_history, ..message(0, "a", 10) });
        assert_eq!(faults(&ledger.finish(at(500))), [0, doubled, 0, 0]);
    }
}

#[test]
fn what_is_shown_later_is_no_delivery_that_took_time() {
    let mut ledger = connected(3);
    joined(&mut ledger, 1, "a");
    broadcast(&mut ledger, kept(0, "a", 10));
    received(&mut ledger, 1, 0, 14);
    ledger.joining(2, "/", "a", at(40));
    received(&mut ledger, 2, 0, 90);
    ledger.close_all(at(500));
    let parts = ledger.take_fanout_parts();
    assert_eq!((parts.len(), parts[0].receivers, parts[0].last), (1, 1, Some(at(14))));
}

/// Client 1 of a room gets two events and client 2 none: they come without stamps, or the first of them with one.
fn stripped(heard_as: u16, with_stamp: Option<u16>) -> Findings {
    let mut ledger = connected(3);
    [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
    for sequence in [0, 1] {
        let sent = 10 + 10 * sequence;
        broadcast(&mut ledger, SentMessage { heard_as, ..message(sequence, "a", sent) });
        let event = match with_stamp.filter(|_| sequence == 0) {
            Some(heard_as) => {
                AuditEvent::Received { namespace: "/", key: Key { sender: 0, sequence }, heard_as }
            }
            None => AuditEvent::Unstamped { namespace: "/", heard_as },
        };
        ledger.record(1, at(sent + 4), event);
    }
    ledger.finish(at(500))
}

#[test]
fn where_no_stamp_arrives_but_the_event_does_nothing_is_missing() {
    let found = stripped(0, None);
    // The other client got nothing at all.
    assert_eq!((found.fault(Fault::Missing), found.expected), (2, 2));
    assert_eq!(found.undecided.by_cause().collect::<Vec<_>>(), [(Undecided::StampLost, 2)]);
}

#[test]
fn one_stamp_shows_that_the_server_keeps_them() {
    assert_eq!(stripped(0, Some(0)).fault(Fault::Missing), 3, "one of client 1, two of client 2");
    assert_eq!(stripped(0, Some(1)).undecided.total(), 1, "that of another event shows nothing");
    assert_eq!(stripped(ANY_EVENT, None).fault(Fault::Missing), 4, "which event it is, is not known");
}

#[test]
fn one_ledger_tells_the_others_that_stamps_arrive() {
    let mut pair: Vec<Auditor> =
        (0..2).map(|index| Auditor::new(index, 2, 3, (WINDOW, Spread::ALONE))).collect();
    for client in 0..3u32 {
        let ledger = &mut pair[home(client, 2)];
        ledger.record(client, at(0), AuditEvent::Connecting { namespace: "/" });
        let sid = &format!("s{client}");
        ledger.record(client, at(1), AuditEvent::Connected { namespace: "/", sid, recovered: false });
    }
    pair[0].record(0, at(14), AuditEvent::Settled(message(0, "", 10)));
    let key = Key { sender: 0, sequence: 0 };
    pair[1].record(1, at(12), AuditEvent::Received { namespace: "/", key, heard_as: 0 });
    pair[0].record(2, at(13), AuditEvent::Unstamped { namespace: "/", heard_as: 0 });
    let (found, _) = finish(pair, at(500));
    assert_eq!((faults(&found), found.undecided.total()), ([1, 0, 0, 0], 0));
}

#[test]
fn of_events_that_the_contract_does_not_name_a_few_are_remembered() {
    let mut ledger = connected(2);
    let names: Vec<String> = (0..100).map(|number| format!("event {}", number % 50)).collect();
    for event in &names {
        ledger.record(1, at(10), AuditEvent::Elsewhere { event });
    }
    ledger.record(1, at(10), AuditEvent::Elsewhere { event: &"x".repeat(1_000) });
    let mut found = ledger.finish(at(500));
    found.merge(Findings { elsewhere: [("event 0".to_owned(), 3)].into(), ..Findings::default() });
    assert_eq!((found.elsewhere.len(), found.elsewhere["event 0"]), (KEPT, 5));
}
