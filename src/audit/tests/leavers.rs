//! Leaves that the server does not answer, and what shows all the same that it has read them: from a window later on, who is
//! still in the room is kept there.

use super::*;

/// Clients 1 and 2 are in a room. Client 1 leaves it at 10, and the server is to answer that or not.
fn left(is_answered: bool) -> Ledger {
    let mut ledger = connected(3);
    [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
    ledger.parting(1, "/", "a", is_answered, at(10));
    ledger
}

/// Client 0 sends to the room, and both receive it. How often that is a leak after a leave.
fn kept(mut ledger: Ledger, sent: u64) -> u64 {
    ledger.advance(at(sent - 1), Moment::MAX);
    broadcast(&mut ledger, message(0, "a", sent));
    [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, sent + 2));
    let found = ledger.finish(at(2_000));
    assert_eq!(faults(&found)[..3], [0; 3]);
    found.leaks[Leak::AfterLeave as usize]
}

/// What client 1 sent to everybody, and nobody acknowledged.
fn own(sent: u64) -> SentMessage {
    let key = Key { sender: 1, sequence: 0 };
    SentMessage {
        handled: None,
        settled: at(sent),
        ..SentMessage::example(key, Vec::new(), at(sent), at(sent))
    }
}

#[test]
fn who_is_kept_in_a_room_is_found_a_window_after_an_answer_shows_that_its_leave_was_read() {
    let cases = [
        // Asked behind the leave and answered at 20: a window later is 121.
        (false, Some(12), 122, 1),
        (false, Some(12), 121, 1),
        (false, Some(12), 120, 0),
        // Asked before it, or just when it was sent.
        (false, Some(9), 900, 0),
        (false, Some(10), 900, 0),
        // Time alone shows nothing, and a leave that should have been answered may have been refused.
        (false, None, 900, 0),
        (true, Some(12), 900, 0),
    ];
    for (is_answered, asked, sent, leaks) in cases {
        let mut ledger = left(is_answered);
        if let Some(asked) = asked {
            ledger.record(1, at(20), AuditEvent::Read { asked: at(asked) });
        }
        assert_eq!(kept(ledger, sent), leaks, "{is_answered} {asked:?} {sent}");
    }
}

#[test]
fn who_is_kept_in_a_room_is_found_a_window_after_somebody_had_what_it_sent_behind_its_leave() {
    let cases = [
        (own(12), true, 121, 1),
        (own(12), true, 120, 0),
        (own(12), false, 900, 0),
        (own(9), true, 900, 0),
        (SentMessage { order: Order::Unknown, ..own(12) }, true, 900, 0),
        (SentMessage { sent_in: "/other".into(), ..own(12) }, true, 900, 0),
    ];
    for (message, is_received, sent, leaks) in cases {
        let mut ledger = left(false);
        let told = format!("{message:?} {sent}");
        ledger.record(1, message.sent, AuditEvent::Settled(message));
        if is_received {
            [0, 2]
                .into_iter()
                .for_each(|client| ledger.received(client, "/", Key { sender: 1, sequence: 0 }, at(20)));
        } else {
            [0, 2].into_iter().for_each(|client| ledger.leaving(client, None, at(13)));
        }
        assert_eq!(kept(ledger, sent), leaks, "{told}");
    }
}

#[test]
fn who_goes_on_to_receive_what_goes_to_a_room_that_it_asked_to_leave_keeps_the_run_from_being_judged() {
    let cases = [
        // Sent a window after the leave, or sooner.
        (false, 111, true, 1),
        (false, 110, true, 0),
        (false, 900, false, 0),
        // That the answer is missing is told by the step.
        (true, 900, true, 0),
    ];
    for (is_answered, sent, is_received, kept) in cases {
        let mut ledger = left(is_answered);
        ledger.advance(at(sent - 1), Moment::MAX);
        broadcast(&mut ledger, message(0, "a", sent));
        received(&mut ledger, 2, 0, sent + 2);
        if is_received {
            received(&mut ledger, 1, 0, sent + 2);
        }
        let found = ledger.finish(at(2_000));
        assert_eq!((faults(&found), found.kept), ([0; 4], kept), "{is_answered} {sent} {is_received}");
        assert_eq!(found.undecided.by_cause().collect::<Vec<_>>(), [(Undecided::Unleft, 1)]);
        assert_eq!(found.coverage().gap(0.5), (kept > 0).then_some(Gap::Kept { clients: kept }));
    }
    // Who may have come again, or to its session, may be there.
    for comes_back in [false, true] {
        let mut ledger = left(false);
        if comes_back {
            ledger.lost(1, at(15));
            ledger.connecting(1, "/", at(17));
            ledger.connected(1, "/", "s1", true, at(18));
        } else {
            ledger.joining(1, "/", "a", at(20));
        }
        broadcast(&mut ledger, message(0, "a", 900));
        [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, 902));
        assert_eq!(ledger.finish(at(2_000)).kept, 0, "{comes_back}");
    }
}

#[test]
fn who_goes_on_to_receive_since_its_leave_was_read_keeps_the_run_from_being_judged_until_it_misses_something()
{
    // When the answer to what client 1 asked behind its leave came, and which of the messages sent at 30, 40 and 50 it has.
    let cases = [
        (20, [true, true, true], 1),
        (20, [true, false, false], 0),
        (20, [false, true, true], 0),
        (20, [false; 3], 0),
        // The first two may have been on their way before the server read it.
        (45, [true, true, false], 0),
        (45, [true; 3], 1),
        (60, [true; 3], 0),
    ];
    for (read, has, kept) in cases {
        let mut ledger = left(false);
        for (sequence, has) in (0..).zip(has) {
            let sent = 30 + 10 * sequence;
            if (sent - 10..sent).contains(&read) {
                ledger.record(1, at(read), AuditEvent::Read { asked: at(12) });
            }
            broadcast(&mut ledger, message(sequence, "a", sent));
            [1, 2].into_iter().filter(|client| *client == 2 || has).for_each(|client| {
                received(&mut ledger, client, sequence, sent + 2);
            });
        }
        let found = ledger.finish(at(500));
        assert_eq!((faults(&found), found.kept), ([0; 4], kept), "{read} {has:?}");
    }
    // Who is gone misses nothing.
    for comes_back in [false, true] {
        let mut ledger = left(false);
        ledger.record(1, at(20), AuditEvent::Read { asked: at(12) });
        broadcast(&mut ledger, message(0, "a", 30));
        [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, 32));
        ledger.ended(1, None, at(40));
        if comes_back {
            ledger.connecting(1, "/", at(50));
            ledger.connected(1, "/", "s9", false, at(51));
        }
        broadcast(&mut ledger, message(1, "a", 60));
        received(&mut ledger, 2, 1, 62);
        assert_eq!(ledger.finish(at(500)).kept, 1, "{comes_back}");
    }
    // Also if it comes again later.
    let mut ledger = left(false);
    ledger.record(1, at(20), AuditEvent::Read { asked: at(12) });
    broadcast(&mut ledger, message(0, "a", 30));
    [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, 32));
    ledger.joining(1, "/", "a", at(40));
    assert_eq!(ledger.finish(at(500)).kept, 1);
    // What is forgotten is counted all the same.
    let mut ledger = left(false);
    ledger.record(1, at(20), AuditEvent::Read { asked: at(12) });
    broadcast(&mut ledger, message(0, "a", 30));
    [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, 32));
    for sequence in 1..4 {
        let sent = 60_000_000 * sequence;
        ledger.advance(at(sent), Moment::MAX);
        ledger.joining(1, "/", "b", at(sent));
        ledger.joined(1, "/", "b", at(sent + 1));
        ledger.parting(1, "/", "b", true, at(sent + 2));
        ledger.parted(1, "/", "b", at(sent + 3));
    }
    assert_eq!(ledger.finish(at(400_000_000)).kept, 1);
}

#[test]
fn a_ping_behind_a_pong_shows_that_a_leave_was_read() {
    for (ponged, leaks) in [(12, 1), (9, 0)] {
        let mut ledger = left(false);
        ledger.record(1, at(20), AuditEvent::Pinged { ponged: at(ponged) });
        assert_eq!(kept(ledger, 130), leaks, "{ponged}");
    }
}

#[test]
fn who_joins_again_may_receive_what_goes_to_the_room() {
    let mut ledger = left(false);
    ledger.record(1, at(20), AuditEvent::Read { asked: at(12) });
    ledger.joining(1, "/", "a", at(30));
    assert_eq!(kept(ledger, 900), 0);
}

#[test]
fn who_comes_back_to_its_session_may_come_back_to_a_room_that_it_had_left_just_before() {
    // A handler that was at work when the connection was lost may have done nothing.
    for (lost, leaks) in [(15, 0), (60, 0), (200, 1)] {
        let mut ledger = left(false);
        for (read, asked) in [(20, 12), (800, 700)] {
            if read < lost || read == 800 {
                ledger.record(1, at(read), AuditEvent::Read { asked: at(asked) });
            }
            if read == 20 {
                ledger.lost(1, at(lost));
                ledger.connecting(1, "/", at(lost + 2));
                ledger.connected(1, "/", "s1", true, at(lost + 3));
            }
        }
        assert_eq!(kept(ledger, 1_000), leaks, "{lost}");
    }
}

/// Client 1 acts by hand at a time.
fn by_hand(ledger: &mut Ledger, when: u64) {
    ledger.record(1, at(when), AuditEvent::Untraced { namespace: None });
}

#[test]
fn who_does_things_by_hand_may_have_gone_to_any_room() {
    for is_answered in [false, true] {
        let mut ledger = left(is_answered);
        match is_answered {
            true => ledger.parted(1, "/", "a", at(14)),
            false => drop(ledger.record(1, at(20), AuditEvent::Read { asked: at(12) })),
        }
        by_hand(&mut ledger, 200);
        // What was sent before could not reach it by that.
        assert_eq!(kept(ledger, 900), 0, "{is_answered}");
    }
    for (when, leaks) in [(890, 0), (930, 1)] {
        let mut ledger = left(true);
        ledger.parted(1, "/", "a", at(14));
        ledger.advance(at(899), Moment::MAX);
        broadcast(&mut ledger, message(0, "a", 900));
        by_hand(&mut ledger, when);
        [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, 940));
        assert_eq!(ledger.finish(at(2_000)).leaks[Leak::AfterLeave as usize], leaks, "{when}");
    }
}

#[test]
fn who_acts_by_hand_is_judged_again_when_it_has_a_new_socket() {
    for (recovered, leaks) in [(true, 0), (false, 1)] {
        let mut ledger = left(true);
        ledger.parted(1, "/", "a", at(14));
        by_hand(&mut ledger, 20);
        ledger.lost(1, at(200));
        ledger.connecting(1, "/", at(202));
        ledger.connected(1, "/", "s1", recovered, at(203));
        assert_eq!(kept(ledger, 900), leaks, "{recovered}");
    }
}

#[test]
fn who_acts_by_hand_need_not_be_where_it_had_asked_to_be() {
    let mut ledger = connected(3);
    joined(&mut ledger, 2, "a");
    by_hand(&mut ledger, 4);
    joined(&mut ledger, 1, "a");
    broadcast(&mut ledger, message(0, "a", 10));
    received(&mut ledger, 2, 0, 12);
    // What it says to those of a room in which it may not be any more need not be passed on.
    let own = SentMessage { origin: Origin::Inside, ..message(0, "a", 20) };
    let own = SentMessage { key: Key { sender: 1, sequence: 0 }, ..own };
    ledger.record(1, own.settled, AuditEvent::Settled(own));
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), found.unseen), ([0; 4], 0));
    let causes: Vec<_> = found.undecided.by_cause().collect();
    assert_eq!(causes, [(Undecided::Stranger, 2), (Undecided::Untraced, 1)]);
}

#[test]
fn who_joins_by_hand_may_be_shown_what_was_said_before() {
    let mut ledger = connected(2);
    let said = SentMessage { has_history: true, ..message(0, "a", 10) };
    ledger.membership.known.ask("/", "a", at(2));
    broadcast(&mut ledger, said);
    by_hand(&mut ledger, 30);
    received(&mut ledger, 1, 0, 40);
    assert!(ledger.finish(at(500)).is_clean());
}

#[test]
fn what_a_leaver_is_shown_when_it_comes_again_says_nothing_of_its_leave() {
    // Whether the application has a history.
    for (has_history, kept) in [(true, 0), (false, 1)] {
        let mut ledger = left(false);
        ledger.record(1, at(20), AuditEvent::Read { asked: at(12) });
        broadcast(&mut ledger, SentMessage { has_history, ..message(0, "a", 30) });
        received(&mut ledger, 2, 0, 34);
        ledger.joining(1, "/", "a", at(40));
        received(&mut ledger, 1, 0, 42);
        let found = ledger.finish(at(500));
        assert_eq!((faults(&found), found.kept), ([0; 4], kept), "{has_history}");
    }
}

#[test]
fn of_whom_the_server_names_too_many_rooms_nobody_knows_where_it_is() {
    let mut ledger = connected(3);
    joined(&mut ledger, 2, "a");
    for room in 0..5_000 {
        let room = &room.to_string();
        let placed = AuditEvent::Placed { namespace: "/", room, is_certain: true, is_movable: true };
        ledger.record(1, at(5), placed);
    }
    assert_eq!(kept(ledger, 900), 0);
}
