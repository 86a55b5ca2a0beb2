//! The ledger on small histories, told by hand.

mod clocks;
mod exchange;
mod history;
mod leavers;
mod model;
mod moved;
mod nodes;
mod random;
mod silent;

use std::sync::Arc;

use super::*;
use exchange::{carry, pair};

/// Odd, so that nothing in the random histories happens just when a message is due.
const WINDOW: Moment = Moment::from_micros(101);

pub(super) fn at(micros: u64) -> Moment {
    Moment::from_micros(micros)
}

/// Clients 0, 1, 2 … connected at 0 with sids `s0`, `s1` …
fn connected(clients: u32) -> Ledger {
    let mut ledger = Ledger::new(clients, (WINDOW, Spread::ALONE));
    for client in 0..clients {
        ledger.connecting(client, "/", at(0));
        ledger.connected(client, "/", &format!("s{client}"), false, at(1));
    }
    ledger
}

fn joined(ledger: &mut Ledger, client: u32, room: &str) {
    ledger.joining(client, "/", room, at(2));
    ledger.joined(client, "/", room, at(3));
}

/// Client 0's message to a room, not to itself.
fn message(sequence: u64, room: &str, sent: u64) -> SentMessage {
    let to = if room.is_empty() { Vec::new() } else { vec![room.into()] };
    SentMessage::example(Key { sender: 0, sequence }, to, at(sent), at(sent + 4))
}

fn broadcast(ledger: &mut Ledger, message: SentMessage) {
    ledger.handle_message(Arc::new(message));
}

fn received(ledger: &mut Ledger, client: u32, sequence: u64, time: u64) {
    ledger.received(client, "/", Key { sender: 0, sequence }, at(time));
}

fn faults(findings: &Findings) -> [u64; 4] {
    Fault::ALL.map(|fault| findings.fault(fault))
}

#[test]
fn what_is_told_of_nobodys_messages_takes_no_memory() {
    let mut ledger = connected(2);
    let before = ledger.weight();
    let told = SentMessage { key: Key { sender: u32::MAX, sequence: 0 }, ..message(0, "a", 10) };
    ledger.handle_message(Arc::new(told));
    assert_eq!(ledger.weight(), before);
}

#[test]
fn members_must_receive_and_others_must_not() {
    let mut ledger = connected(4);
    joined(&mut ledger, 1, "a");
    joined(&mut ledger, 2, "a");
    broadcast(&mut ledger, message(0, "a", 10));
    received(&mut ledger, 1, 0, 12);
    received(&mut ledger, 3, 0, 12);
    let found = ledger.finish(at(500));
    assert_eq!((found.expected, found.forbidden, found.undecided.total()), (2, 2, 0));
    assert_eq!(faults(&found), [1, 0, 0, 1]);
    assert_eq!((found.offences[0].fault, found.offences[0].receiver), (Fault::Missing, 2));
    assert_eq!(found.offences[0].spans[0].1.confirmed, Some(at(3)));
    assert_eq!((found.offences[1].leak, found.offences[1].receiver), (Some(Leak::Room), 3));
}

#[test]
fn a_second_receipt_is_a_duplicate_in_small_rooms_and_in_big_ones() {
    for clients in [3, 100] {
        let mut ledger = connected(clients);
        broadcast(&mut ledger, message(0, "", 10));
        for client in (1..clients).chain([1]) {
            received(&mut ledger, client, 0, 12);
        }
        assert_eq!(faults(&ledger.finish(at(500))), [0, 1, 0, 0]);
    }
}

#[test]
fn what_changes_places_is_told_with_what_overtook_it() {
    let mut ledger = connected(3);
    broadcast(&mut ledger, message(0, "", 10));
    broadcast(&mut ledger, message(1, "", 20));
    for (client, order) in [(1, [0, 1]), (2, [1, 0])] {
        order.into_iter().for_each(|sequence| received(&mut ledger, client, sequence, 30));
    }
    let found = ledger.finish(at(500));
    assert_eq!(faults(&found), [0, 0, 1, 0]);
    assert_eq!((found.offences[0].receiver, found.offences[0].overtaken_by), (2, Some(1)));
}

#[test]
fn each_leak_is_called_by_its_name() {
    let mut ledger = connected(6);
    ledger.connecting(5, "/other", at(0));
    ledger.connected(5, "/other", "o5", false, at(1));
    for client in [1, 2, 3] {
        joined(&mut ledger, client, "a");
    }
    joined(&mut ledger, 2, "quiet");
    ledger.parting(3, "/", "a", true, at(4));
    ledger.parted(3, "/", "a", at(5));
    broadcast(&mut ledger, SentMessage { except: vec!["quiet".into()], ..message(0, "a", 10) });
    ledger.joining(4, "/", "a", at(20));
    ledger.joined(4, "/", "a", at(21));
    for client in 0..5 {
        received(&mut ledger, client, 0, 30);
    }
    ledger.received(5, "/other", Key { sender: 0, sequence: 0 }, at(30));
    ledger.received(1, "/", Key { sender: 77, sequence: 0 }, at(30));
    ledger.received(1, "/", Key { sender: 2, sequence: 9 }, at(30));
    let found = ledger.finish(at(500));
    assert_eq!(found.leaks, [1, 1, 1, 1, 1, 0, 0, 2]);
    assert_eq!(found.fault(Fault::Leaked), 7);
}

#[test]
fn what_is_in_flight_together_proves_nothing() {
    let mut ledger = connected(3);
    ledger.joining(1, "/", "a", at(12));
    ledger.joined(1, "/", "a", at(20));
    joined(&mut ledger, 2, "a");
    ledger.parting(2, "/", "a", true, at(12));
    ledger.parted(2, "/", "a", at(20));
    broadcast(&mut ledger, message(0, "a", 10));
    received(&mut ledger, 1, 0, 14);
    let found = ledger.finish(at(500));
    assert_eq!((found.expected, found.undecided.total()), (0, 2));
    assert!(found.is_clean());
}

#[test]
fn whoever_is_in_one_room_and_then_in_the_next_must_receive_what_goes_to_both() {
    let mut ledger = connected(2);
    joined(&mut ledger, 1, "a");
    ledger.joining(1, "/", "b", at(10));
    ledger.joined(1, "/", "b", at(12));
    ledger.parting(1, "/", "a", true, at(13));
    ledger.parted(1, "/", "a", at(14));
    let both = SentMessage {
        to: vec!["a".into(), "b".into()],
        handled: Some(at(20)),
        settled: at(20),
        ..message(0, "a", 5)
    };
    broadcast(&mut ledger, both);
    assert_eq!(faults(&ledger.finish(at(500))), [1, 0, 0, 0]);
}

#[test]
fn whoever_goes_before_the_window_is_over_is_not_missed() {
    for (asked, missing) in [(50, 0), (200, 1)] {
        let mut ledger = connected(2);
        broadcast(&mut ledger, message(0, "", 10));
        ledger.advance(at(asked), Moment::MAX);
        ledger.leaving(1, None, at(asked));
        ledger.ended(1, None, at(asked + 1));
        assert_eq!(ledger.finish(at(500)).fault(Fault::Missing), missing);
    }
}

#[test]
fn what_a_stranger_says_to_members_need_not_be_passed_on() {
    for (origin, missing) in [(Origin::Inside, 0), (Origin::Anywhere, 1)] {
        let mut ledger = connected(4);
        joined(&mut ledger, 1, "a");
        joined(&mut ledger, 2, "a");
        ledger.record(0, at(14), AuditEvent::Settled(SentMessage { origin, ..message(0, "a", 10) }));
        let found = ledger.finish(at(500));
        assert_eq!(faults(&found), [2 * missing, 0, 0, 0], "{origin:?}");
        assert_eq!(found.undecided.total(), 2 * (1 - missing), "{origin:?}");
    }
}

#[test]
fn what_a_stranger_says_and_one_member_hears_all_must_hear_and_nobody_else() {
    let mut ledger = connected(4);
    [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
    let message = SentMessage { origin: Origin::Inside, ..message(0, "a", 10) };
    ledger.record(0, at(14), AuditEvent::Settled(message));
    [1, 3].into_iter().for_each(|client| received(&mut ledger, client, 0, 20));
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), found.offences[0].receiver), ([1, 0, 0, 1], 2));
}

#[test]
fn a_member_is_passed_on_and_so_is_whoever_writes_to_one_socket() {
    let mut ledger = connected(3);
    [0, 1].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
    for (sequence, room) in [(0, "a"), (1, "s2")] {
        let message = SentMessage { origin: Origin::Inside, ..message(sequence, room, 10 * (sequence + 1)) };
        ledger.record(0, message.settled, AuditEvent::Settled(message));
    }
    let found = ledger.finish(at(500));
    assert_eq!((found.expected, faults(&found)), (2, [2, 0, 0, 0]));
}

#[test]
fn what_others_are_told_of_a_join_they_must_hear_and_whoever_joins_may() {
    for (sender, of_joiner) in [(Sender::Excluded, [0, 1]), (Sender::Included, [0, 0])] {
        let mut ledger = connected(4);
        [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
        ledger.joining(0, "/", "a", at(10));
        let told = SentMessage { origin: Origin::Outside, sender, ..message(0, "a", 10) };
        ledger.joined(0, "/", "a", at(14));
        ledger.record(0, at(14), AuditEvent::Settled(told));
        [0, 1].into_iter().for_each(|client| received(&mut ledger, client, 0, 20));
        let found = ledger.finish(at(500));
        assert_eq!(found.fault(Fault::Missing), 1, "{sender:?}");
        assert_eq!(
            [found.fault(Fault::Duplicate), found.leaks[Leak::Sender as usize]],
            of_joiner,
            "{sender:?}"
        );
    }
}

#[test]
fn a_join_of_who_is_there_already_need_not_be_told() {
    let mut ledger = connected(2);
    [0, 1].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
    ledger.joining(0, "/", "a", at(10));
    ledger.joined(0, "/", "a", at(14));
    ledger.record(
        0,
        at(14),
        AuditEvent::Settled(SentMessage { origin: Origin::Outside, ..message(0, "a", 10) }),
    );
    let found = ledger.finish(at(500));
    assert_eq!((found.expected, found.undecided.total()), (0, 1));
}

#[test]
fn what_others_are_told_of_a_leave_those_who_stay_must_hear() {
    for (was_there, missing) in [(true, 1), (false, 0)] {
        let mut ledger = connected(3);
        joined(&mut ledger, 1, "a");
        if was_there {
            joined(&mut ledger, 0, "a");
        }
        ledger.parting(0, "/", "a", true, at(10));
        ledger.parted(0, "/", "a", at(14));
        ledger.record(
            0,
            at(14),
            AuditEvent::Settled(SentMessage { origin: Origin::Inside, ..message(0, "a", 10) }),
        );
        assert_eq!(faults(&ledger.finish(at(500))), [missing, 0, 0, 0]);
    }
}

#[test]
fn a_volatile_message_may_be_lost_but_neither_doubled_nor_leaked() {
    let mut ledger = connected(4);
    joined(&mut ledger, 1, "a");
    joined(&mut ledger, 2, "a");
    broadcast(&mut ledger, SentMessage { may_be_lost: true, is_kept: false, ..message(0, "a", 10) });
    for client in [2, 2, 3] {
        received(&mut ledger, client, 0, 20);
    }
    assert_eq!(faults(&ledger.finish(at(500))), [0, 1, 0, 1]);
}

#[test]
fn what_comes_after_its_window_is_late_and_not_missing() {
    let mut ledger = connected(2);
    broadcast(&mut ledger, message(0, "", 10));
    ledger.advance(at(300), Moment::MAX);
    assert_eq!(ledger.findings_so_far().fault(Fault::Missing), 1);
    received(&mut ledger, 1, 0, 310);
    let found = ledger.finish(at(500));
    assert!(found.is_clean() && found.offences.is_empty());
    assert_eq!(found.late, 1);
}

#[test]
fn a_recovered_socket_must_get_what_it_missed_once() {
    for (receipts, wrong) in [(0, [1, 0, 0, 0]), (1, [0; 4]), (2, [0, 1, 0, 0])] {
        let mut ledger = connected(2);
        ledger.lost(1, at(5));
        broadcast(&mut ledger, message(0, "", 10));
        ledger.connecting(1, "/", at(40));
        ledger.connected(1, "/", "s1", true, at(50));
        (0..receipts).for_each(|_| received(&mut ledger, 1, 0, 60));
        assert_eq!(faults(&ledger.finish(at(500))), wrong, "{receipts}");
    }
}

#[test]
fn a_socket_that_is_recovered_after_the_window_still_gets_its_due() {
    for (receipts, missing) in [(0, 1), (1, 0)] {
        let mut ledger = connected(2);
        ledger.lost(1, at(5));
        broadcast(&mut ledger, message(0, "", 10));
        ledger.advance(at(200), Moment::MAX);
        ledger.connecting(1, "/", at(240));
        ledger.connected(1, "/", "s1", true, at(250));
        (0..receipts).for_each(|_| received(&mut ledger, 1, 0, 260));
        let found = ledger.finish(at(500));
        assert_eq!((faults(&found)[0], found.expected), (missing, 1));
    }
}

#[test]
fn what_a_recovering_server_sends_again_to_the_rooms_of_the_cut_socket_is_no_leak() {
    for (recovered, leaked) in [(true, 0), (false, 1)] {
        let mut ledger = connected(3);
        joined(&mut ledger, 2, "a");
        broadcast(&mut ledger, message(0, "a", 10));
        received(&mut ledger, 2, 0, 12);
        ledger.joining(1, "/", "a", at(20));
        ledger.joined(1, "/", "a", at(21));
        ledger.lost(1, at(30));
        ledger.connecting(1, "/", at(40));
        ledger.connected(1, "/", "s1", recovered, at(50));
        received(&mut ledger, 1, 0, 51);
        assert_eq!(ledger.finish(at(500)).fault(Fault::Leaked), leaked);
    }
}

#[test]
fn of_a_room_that_nobody_asked_for_nothing_is_known() {
    let mut ledger = connected(4);
    joined(&mut ledger, 1, "a");
    joined(&mut ledger, 2, "a");
    broadcast(&mut ledger, message(0, "elsewhere", 10));
    broadcast(&mut ledger, SentMessage { except: vec!["elsewhere".into()], ..message(1, "a", 20) });
    received(&mut ledger, 3, 0, 12);
    received(&mut ledger, 1, 1, 22);
    let found = ledger.finish(at(500));
    assert!(found.is_clean());
    // Of the second message, two of the four are not in the room that it went to.
    assert_eq!((found.expected, found.forbidden, found.undecided.total()), (0, 2, 6));
}

#[test]
fn of_a_message_that_also_goes_to_a_room_of_the_server_all_else_is_judged() {
    let judged = |receivers: &[(u32, &str)]| {
        let mut ledger = connected(4);
        ledger.connecting(4, "/other", at(0));
        ledger.connected(4, "/other", "s4", false, at(1));
        joined(&mut ledger, 1, "a");
        joined(&mut ledger, 2, "quiet");
        let to = vec!["a".into(), "elsewhere".into()];
        broadcast(&mut ledger, SentMessage { to, except: vec!["quiet".into()], ..message(0, "a", 10) });
        for (client, namespace) in receivers {
            ledger.received(*client, namespace, Key { sender: 0, sequence: 0 }, at(12));
        }
        ledger.finish(at(500))
    };
    let right = judged(&[(1, "/"), (3, "/")]);
    assert!(right.is_clean(), "client 3 may be in the room that nobody knows");
    assert_eq!((right.expected, right.forbidden, right.undecided.total()), (1, 1, 3));
    assert_eq!(faults(&judged(&[(3, "/")])), [1, 0, 0, 0], "client 1 is in the other");
    for (leak, client, namespace) in
        [(Leak::Sender, 0, "/"), (Leak::Except, 2, "/"), (Leak::Namespace, 4, "/other")]
    {
        let wrong = judged(&[(1, "/"), (client, namespace)]);
        assert_eq!((faults(&wrong), wrong.offences[0].leak), ([0, 0, 0, 1], Some(leak)), "{leak:?}");
        assert_eq!(wrong.forbidden + wrong.undecided.total(), 4, "each pair counts once");
    }
}

#[test]
fn what_may_be_lost_need_not_wait_for_its_turn() {
    let mut ledger = connected(2);
    broadcast(&mut ledger, SentMessage { may_be_lost: true, ..message(0, "", 10) });
    broadcast(&mut ledger, message(1, "", 20));
    [1, 0].into_iter().for_each(|sequence| received(&mut ledger, 1, sequence, 30));
    assert!(ledger.finish(at(500)).is_clean());
}

#[test]
fn a_new_socket_is_in_no_room_of_the_old_one() {
    let mut ledger = connected(2);
    joined(&mut ledger, 1, "a");
    ledger.lost(1, at(5));
    ledger.connecting(1, "/", at(6));
    ledger.connected(1, "/", "new", false, at(7));
    broadcast(&mut ledger, message(0, "a", 10));
    received(&mut ledger, 1, 0, 12);
    broadcast(&mut ledger, message(1, "new", 20));
    received(&mut ledger, 1, 1, 22);
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), found.expected), ([0, 0, 0, 1], 1));
    assert_eq!(found.offences[0].leak, Some(Leak::AfterLeave));
}

#[test]
fn a_run_waits_until_everybody_has_what_they_must_receive() {
    let mut ledger = connected(4);
    [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
    broadcast(&mut ledger, message(0, "a", 10));
    broadcast(&mut ledger, SentMessage { may_be_lost: true, ..message(1, "a", 20) });
    assert!(ledger.is_waiting(at(25)));
    received(&mut ledger, 1, 0, 26);
    assert!(ledger.is_waiting(at(30)));
    received(&mut ledger, 2, 0, 31);
    assert!(!ledger.is_waiting(at(35)));
}

#[test]
fn a_run_waits_for_nobody_who_is_away_but_for_whoever_is_back() {
    for (recovered, waits) in [(true, true), (false, false)] {
        let mut ledger = connected(2);
        broadcast(&mut ledger, message(0, "", 10));
        assert!(ledger.is_waiting(at(15)));
        ledger.lost(1, at(20));
        assert!(!ledger.is_waiting(at(25)));
        ledger.connecting(1, "/", at(30));
        ledger.connected(1, "/", "s1", recovered, at(31));
        assert_eq!(ledger.is_waiting(at(35)), waits);
    }
}

#[test]
fn when_a_message_was_received_is_told_once_those_who_must_have_it_do_and_then_no_more() {
    let mut ledger = connected(4);
    [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
    broadcast(&mut ledger, message(0, "a", 10));
    received(&mut ledger, 1, 0, 12);
    ledger.advance(at(20), Moment::MAX);
    assert_eq!(ledger.take_fanout_parts(), []);
    received(&mut ledger, 2, 0, 30);
    ledger.advance(at(40), Moment::MAX);
    let told = |receivers, first, last| FanoutPart {
        key: Key { sender: 0, sequence: 0 },
        due: at(10),
        receivers,
        first: Some(at(first)),
        last: Some(at(last)),
    };
    assert_eq!(ledger.take_fanout_parts(), [told(2, 12, 30)]);
    ledger.close_all(at(500));
    assert_eq!(ledger.take_fanout_parts(), []);
}

#[test]
fn of_a_message_that_binds_nobody_it_is_told_when_its_window_is_over() {
    let mut ledger = connected(3);
    broadcast(&mut ledger, SentMessage { may_be_lost: true, ..message(0, "", 10) });
    received(&mut ledger, 1, 0, 12);
    ledger.advance(at(20), Moment::MAX);
    assert_eq!(ledger.take_fanout_parts(), []);
    received(&mut ledger, 2, 0, 50);
    ledger.advance(at(300), Moment::MAX);
    let spans = ledger.take_fanout_parts();
    assert_eq!((spans.len(), spans[0].receivers, spans[0].last), (1, 2, Some(at(50))));
}

#[test]
fn a_message_without_a_stamp_is_missed_by_nobody() {
    let mut ledger = connected(3);
    joined(&mut ledger, 1, "a");
    let unstamped = SentMessage { is_stamped: false, ..message(0, "a", 10) };
    ledger.record(0, at(14), AuditEvent::Settled(unstamped));
    let found = ledger.finish(at(500));
    assert_eq!((found.expected, found.fault(Fault::Missing)), (0, 0));
    let causes: Vec<_> = found.undecided.by_cause().collect();
    assert_eq!(causes, [(Undecided::Unstamped, 1)]);
}

#[test]
fn a_message_may_be_heard_in_another_namespace_than_its_senders() {
    let mut ledger = connected(3);
    for client in [1, 2] {
        ledger.connecting(client, "/play", at(2));
        ledger.connected(client, "/play", &format!("p{client}"), false, at(3));
    }
    let heard_elsewhere =
        SentMessage { namespace: "/play".into(), handled: None, settled: at(10), ..message(0, "", 10) };
    ledger.record(0, at(10), AuditEvent::Settled(heard_elsewhere));
    let key = Key { sender: 0, sequence: 0 };
    ledger.received(1, "/play", key, at(12));
    ledger.received(2, "/", key, at(12));
    let found = ledger.finish(at(500));
    assert_eq!((found.expected, found.fault(Fault::Missing), found.fault(Fault::Leaked)), (2, 1, 1));
    assert_eq!(found.offences.iter().find_map(|offence| offence.leak), Some(Leak::Namespace));
}

#[test]
fn findings_of_workers_add_up() {
    let mut sum = Findings::default();
    for worker in 0..2 {
        let mut ledger = Ledger::new(4, (WINDOW, Spread::ALONE));
        for client in [2 * worker, 2 * worker + 1] {
            ledger.connecting(client, "/", at(0));
            ledger.connected(client, "/", "s", false, at(1));
        }
        broadcast(&mut ledger, message(0, "", 10));
        sum.merge(ledger.finish(at(500)));
    }
    assert_eq!((sum.messages, sum.expected, sum.forbidden, faults(&sum)), (1, 3, 1, [3, 0, 0, 0]));
    assert_eq!(sum.offences.len(), 3);
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_run() {
    let mut ledger = connected(3);
    let mut sizes = Vec::new();
    for round in 0..2_000_u64 {
        let now = 1_000_000 * round;
        let room = format!("room-{round}");
        ledger.joining(1, "/", &room, at(now + 1));
        ledger.joined(1, "/", &room, at(now + 2));
        // As it is mostly: it is received before it is acknowledged.
        received(&mut ledger, 1, round, now + 12);
        broadcast(&mut ledger, message(round, &room, now + 10));
        ledger.parting(1, "/", &room, true, at(now + 20));
        ledger.parted(1, "/", &room, at(now + 21));
        ledger.advance(at(now + 999_999), Moment::MAX);
        sizes.push(ledger.weight());
    }
    let found = ledger.finish(at(3_000_000_000));
    assert!(found.is_clean());
    assert_eq!(found.expected, 2_000);
    // What is over is remembered for half a minute.
    assert_eq!(sizes[1_999], sizes[99]);
}
