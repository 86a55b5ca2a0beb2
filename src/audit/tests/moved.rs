//! Rooms between which the server moves clients, which learn of it later.

use super::*;

/// Clients 1 and 2 are in a room by the server's will, client 3 by its own, and the sender, too.
fn housed() -> Ledger {
    let mut ledger = connected(4);
    (1..3).for_each(|client| placed(&mut ledger, client, "lobby", 2));
    [0, 3].into_iter().for_each(|client| joined(&mut ledger, client, "lobby"));
    ledger
}

fn placed(ledger: &mut Ledger, client: u32, room: &str, when: u64) {
    let event = AuditEvent::Placed { namespace: "/", room, is_certain: true, is_movable: true };
    ledger.record(client, at(when), event);
}

fn moved(ledger: &mut Ledger, client: u32, (from, to): (&str, &str), when: u64) {
    ledger.record(client, at(when), AuditEvent::Moved { namespace: "/", room: from });
    placed(ledger, client, to, when);
}

/// Client 0's messages of these times, all of which client 3 has.
fn said(ledger: &mut Ledger, times: &[u64]) {
    for (sequence, time) in (0..).zip(times) {
        broadcast(ledger, message(sequence, "lobby", *time));
        received(ledger, 3, sequence, time + 5);
    }
}

#[test]
fn what_came_when_a_client_may_have_been_moved_accuses_nobody() {
    let mut ledger = housed();
    said(&mut ledger, &[10, 20, 30, 40]);
    (0..4).for_each(|sequence| received(&mut ledger, 2, sequence, 45));
    // Client 1 was moved some time after it had the second message, or before it got that.
    [0, 1].into_iter().for_each(|sequence| received(&mut ledger, 1, sequence, 26));
    moved(&mut ledger, 1, ("lobby", "game"), 60);
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), found.undecided.total()), ([0; 4], 3));
}

#[test]
fn what_is_lost_before_a_client_got_more_from_the_room_is_missing_wherever_it_was_moved_later() {
    let mut ledger = housed();
    said(&mut ledger, &[10, 20, 30, 40]);
    (0..4).for_each(|sequence| received(&mut ledger, 2, sequence, 45));
    [0, 3].into_iter().for_each(|sequence| received(&mut ledger, 1, sequence, 46));
    moved(&mut ledger, 1, ("lobby", "game"), 60);
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), found.offences[0].receiver), ([2, 0, 0, 0], 1));
}

#[test]
fn what_comes_from_the_former_room_after_the_news_of_the_move_says_nothing_of_the_time_before() {
    for (last, missing) in [(59, 1), (61, 0)] {
        let mut ledger = housed();
        said(&mut ledger, &[10, 20]);
        (0..2).for_each(|sequence| received(&mut ledger, 2, sequence, 45));
        let receive = |ledger: &mut Ledger| received(ledger, 1, 1, last);
        if last < 60 {
            receive(&mut ledger);
        }
        moved(&mut ledger, 1, ("lobby", "game"), 60);
        if last > 60 {
            receive(&mut ledger);
        }
        assert_eq!(faults(&ledger.finish(at(500))), [missing, 0, 0, 0], "{last}");
    }
}

#[test]
fn who_comes_back_is_owed_what_is_sent_from_then_on() {
    let mut ledger = housed();
    moved(&mut ledger, 1, ("lobby", "game"), 8);
    broadcast(&mut ledger, message(0, "lobby", 10));
    moved(&mut ledger, 1, ("game", "lobby"), 20);
    (1..4).for_each(|sequence| broadcast(&mut ledger, message(sequence, "lobby", 20 + 10 * sequence)));
    (0..4).for_each(|sequence| [2, 3].into_iter().for_each(|who| received(&mut ledger, who, sequence, 60)));
    // It got the last of three, and is moved again.
    received(&mut ledger, 1, 3, 60);
    moved(&mut ledger, 1, ("lobby", "game"), 70);
    let found = ledger.finish(at(500));
    assert_eq!(faults(&found), [2, 0, 0, 0]);
    let missing = found.offences.iter().map(|one| (one.receiver, one.key.sequence)).collect::<Vec<_>>();
    assert_eq!(missing, [(1, 1), (1, 2)]);
}

#[test]
fn what_a_sender_says_to_a_room_of_which_it_may_have_been_taken_out_binds_nobody_unless_more_of_it_came() {
    for (later_comes, missing) in [(false, 0), (true, 1)] {
        let mut ledger = connected(2);
        placed(&mut ledger, 0, "lobby", 2);
        joined(&mut ledger, 1, "lobby");
        for sequence in 0..2 {
            let silent =
                SentMessage { handled: None, origin: Origin::Inside, ..message(sequence, "lobby", 10) };
            ledger.record(0, at(10), AuditEvent::Settled(SentMessage { settled: at(10), ..silent }));
        }
        if later_comes {
            received(&mut ledger, 1, 1, 20);
        }
        moved(&mut ledger, 0, ("lobby", "game"), 30);
        let found = ledger.finish(at(500));
        assert_eq!(faults(&found), [missing, 0, 0, 0], "{later_comes}");
    }
}

#[test]
fn auditors_tell_each_other_that_a_sender_was_moved() {
    let mut pair = pair();
    let place = |room| AuditEvent::Placed { namespace: "/", room, is_certain: true, is_movable: true };
    pair[0].record(0, at(5), place("a"));
    pair[1].record(1, at(6), AuditEvent::Joining { namespace: "/", room: "a", is_movable: false });
    pair[1].record(1, at(7), AuditEvent::Joined { namespace: "/", room: "a" });
    let silent =
        SentMessage { handled: None, settled: at(10), origin: Origin::Inside, ..message(0, "a", 10) };
    pair[0].record(0, at(10), AuditEvent::Settled(silent));
    pair[0].record(0, at(20), AuditEvent::Moved { namespace: "/", room: "a" });
    carry(&mut pair, 0, 200);
    carry(&mut pair, 1, 200);
    pair[1].advance(at(200));
    assert_eq!((pair[1].findings().messages, pair[1].findings().is_clean()), (1, true));
}

#[test]
fn who_still_receives_from_a_former_room_after_the_news_of_the_move_was_left_there() {
    for (sent, leaked) in [(59, 0), (61, 1)] {
        let mut ledger = housed();
        moved(&mut ledger, 1, ("lobby", "game"), 60);
        broadcast(&mut ledger, message(0, "lobby", sent));
        (1..4).for_each(|client| received(&mut ledger, client, 0, 80));
        assert_eq!(faults(&ledger.finish(at(500))), [0, 0, 0, leaked], "{sent}");
    }
}

#[test]
fn who_is_put_into_more_rooms_than_anybody_needs_is_judged_no_longer_and_memory_is_bounded() {
    let mut ledger = connected(2);
    for room in 0..10_000_u64 {
        placed(&mut ledger, 1, &format!("room-{room}"), 2);
    }
    broadcast(&mut ledger, message(0, "room-9999", 10));
    received(&mut ledger, 1, 0, 20);
    assert!(ledger.weight() < 16_384, "{}", ledger.weight());
    assert!(ledger.finish(at(500)).is_clean());
}

#[test]
fn a_client_that_is_taken_out_of_a_room_for_which_it_had_asked_accuses_nobody() {
    let mut ledger = connected(3);
    let joining = AuditEvent::Joining { namespace: "/", room: "a", is_movable: true };
    ledger.record(0, at(2), joining.clone());
    ledger.record(0, at(3), AuditEvent::Joined { namespace: "/", room: "a" });
    joined(&mut ledger, 1, "a");
    // What it says reaches nobody any more, and it has not heard that yet.
    let silent = SentMessage { handled: None, origin: Origin::Inside, ..message(0, "a", 10) };
    ledger.record(0, at(10), AuditEvent::Settled(SentMessage { settled: at(10), ..silent }));
    ledger.record(0, at(20), AuditEvent::Moved { namespace: "/", room: "a" });
    assert!(ledger.finish(at(500)).is_clean());
}
