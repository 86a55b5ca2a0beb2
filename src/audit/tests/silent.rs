//! Messages that nobody acknowledges, and what shows all the same by when the server had handled them.

use super::*;

/// Client 0's message, of which nobody says when it was handled.
fn silent(sequence: u64, room: &str, sent: u64) -> SentMessage {
    SentMessage { handled: None, settled: at(sent), ..message(sequence, room, sent) }
}

fn say(ledger: &mut Ledger, message: SentMessage) {
    ledger.record(0, message.settled, AuditEvent::Settled(message));
}

/// Three clients in a room, and the sender, all confirmed.
fn room() -> Ledger {
    let mut ledger = connected(4);
    (0..4).for_each(|client| joined(&mut ledger, client, "a"));
    ledger
}

fn causes(found: &Findings) -> Vec<(Undecided, u64)> {
    found.undecided.by_cause().collect()
}

#[test]
fn what_one_member_has_every_member_must_have() {
    let mut ledger = room();
    say(&mut ledger, silent(0, "a", 10));
    [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, 20));
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), found.expected), ([1, 0, 0, 0], 3));
    assert_eq!((found.offences[0].receiver, causes(&found)), (3, vec![]));
}

#[test]
fn what_nobody_has_is_missing_unless_it_may_be_refused() {
    for (may_be_refused, missing) in [(false, 3), (true, 0)] {
        let mut ledger = room();
        say(&mut ledger, SentMessage { may_be_refused, ..silent(0, "a", 10) });
        let found = ledger.finish(at(500));
        assert_eq!(found.fault(Fault::Missing), missing);
        let open = if may_be_refused { vec![(Undecided::MayBeRefused, 3)] } else { vec![] };
        assert_eq!(causes(&found), open);
    }
}

#[test]
fn what_is_acknowledged_and_may_be_refused_nobody_need_have_until_somebody_has() {
    for (receivers, missing) in [(0, 0), (1, 2)] {
        let mut ledger = room();
        say(&mut ledger, SentMessage { may_be_refused: true, ..message(0, "a", 10) });
        (0..receivers).for_each(|_| received(&mut ledger, 1, 0, 20));
        assert_eq!(ledger.finish(at(500)).fault(Fault::Missing), missing);
    }
}

#[test]
fn what_was_refused_is_for_nobody_and_whoever_has_it_all_the_same_has_a_leak() {
    let refused = |sequence| SentMessage {
        may_be_lost: true,
        is_refused: true,
        handled: None,
        ..message(sequence, "a", 10 + 10 * sequence)
    };
    for receivers in [0, 2] {
        let mut ledger = room();
        say(&mut ledger, refused(0));
        say(&mut ledger, message(1, "a", 20));
        (1..=receivers).for_each(|client| received(&mut ledger, client, 0, 12));
        (1..4).for_each(|client| received(&mut ledger, client, 1, 22));
        let found = ledger.finish(at(500));
        assert_eq!((faults(&found), found.expected), ([0, 0, 0, u64::from(receivers)], 3));
        assert_eq!(found.leaks[Leak::Refused as usize], u64::from(receivers));
        assert_eq!((causes(&found), found.refused), (vec![], 1));
    }
}

#[test]
fn a_leak_of_what_was_refused_shows_nothing_of_a_join() {
    for is_refused in [true, false] {
        let mut ledger = connected(3);
        joined(&mut ledger, 2, "a");
        ledger.joining(1, "/", "a", at(4));
        say(&mut ledger, SentMessage { is_refused, ..message(0, "a", 10) });
        received(&mut ledger, 1, 0, 20);
        ledger.advance(at(30), Moment::MAX);
        say(&mut ledger, message(1, "a", 40));
        let found = ledger.finish(at(500));
        let missing = found.offences.iter().filter(|one| one.fault == Fault::Missing && one.receiver == 1);
        assert_eq!(missing.count(), usize::from(!is_refused));
    }
}

#[test]
fn a_receipt_shows_by_when_a_message_was_handled() {
    for (receiver_comes, missing, leaked) in [(15, 0, 0), (25, 0, 1)] {
        let mut ledger = connected(3);
        joined(&mut ledger, 1, "a");
        say(&mut ledger, silent(0, "a", 10));
        ledger.joining(2, "/", "a", at(receiver_comes));
        ledger.joined(2, "/", "a", at(receiver_comes + 1));
        received(&mut ledger, 1, 0, 20);
        received(&mut ledger, 2, 0, 30);
        assert_eq!(faults(&ledger.finish(at(500))), [missing, 0, 0, leaked], "{receiver_comes}");
    }
}

#[test]
fn a_later_message_of_the_connection_shows_that_the_earlier_ones_were_handled() {
    for (order, missing) in [(Order::Sent, 2), (Order::Unknown, 1), (Order::Acknowledged, 1)] {
        let mut ledger = connected(3);
        [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
        say(&mut ledger, SentMessage { order, ..silent(0, "a", 10) });
        say(&mut ledger, SentMessage { order, ..silent(1, "a", 12) });
        [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 1, 20));
        // It went after the second message had come: it had to have the first one, if that had to come before.
        ledger.parting(2, "/", "a", true, at(30));
        ledger.parted(2, "/", "a", at(31));
        assert_eq!(faults(&ledger.finish(at(500))), [missing, 0, 0, 0], "{order:?}");
    }
}

#[test]
fn what_changes_places_is_accused_unless_the_contract_knows_no_order() {
    for (order, disordered) in [(Order::Sent, 1), (Order::Unknown, 0), (Order::Acknowledged, 0)] {
        let mut ledger = connected(2);
        (0..3).for_each(|sequence| {
            say(&mut ledger, SentMessage { order, ..silent(sequence, "", 10 + sequence) })
        });
        [0, 2, 1].into_iter().zip(20..).for_each(|(sequence, time)| received(&mut ledger, 1, sequence, time));
        let found = ledger.finish(at(500));
        assert_eq!((faults(&found), found.expected), ([0, 0, disordered, 0], 3), "{order:?}");
    }
}

#[test]
fn what_was_sent_over_two_connections_has_no_order() {
    let mut ledger = connected(2);
    say(&mut ledger, silent(0, "", 10));
    ledger.lost(0, at(11));
    ledger.connecting(0, "/", at(12));
    ledger.connected(0, "/", "s0", true, at(13));
    say(&mut ledger, silent(1, "", 14));
    [1, 0].into_iter().zip(20..).for_each(|(sequence, time)| received(&mut ledger, 1, sequence, time));
    assert!(ledger.finish(at(500)).is_clean());
}

#[test]
fn what_was_sent_on_a_connection_that_ended_may_not_have_arrived_unless_something_shows_it() {
    for (shown_by, missing) in [(None, 0), (Some(1), 1)] {
        let mut ledger = connected(2);
        [0, 1].into_iter().for_each(|sequence| say(&mut ledger, silent(sequence, "", 10 + sequence)));
        ledger.lost(0, at(15));
        ledger.connecting(0, "/", at(16));
        ledger.connected(0, "/", "new", false, at(17));
        say(&mut ledger, silent(2, "", 18));
        // The last one shows nothing of those before: it came over another connection.
        shown_by.into_iter().chain([2]).for_each(|sequence| received(&mut ledger, 1, sequence, 20));
        let found = ledger.finish(at(500));
        assert_eq!(found.fault(Fault::Missing), missing, "{shown_by:?}");
        let is_open = causes(&found).iter().any(|(cause, _)| *cause == Undecided::SenderLost);
        assert_eq!(is_open, missing == 0, "{shown_by:?}");
    }
}

#[test]
fn what_the_server_had_read_before_the_connection_ended_has_to_be_passed_on() {
    for (asked, missing) in [(9, 0), (10, 3), (12, 3)] {
        let mut ledger = room();
        say(&mut ledger, silent(0, "a", 10));
        // The answer to what was asked after the message, such as a leave, came before the end.
        ledger.record(0, at(14), AuditEvent::Read { asked: at(asked) });
        ledger.ended(0, None, at(15));
        let found = ledger.finish(at(500));
        assert_eq!(found.fault(Fault::Missing), missing, "{asked}");
    }
}

#[test]
fn an_acknowledgement_that_never_came_for_a_lost_connection_binds_nobody() {
    let mut ledger = connected(2);
    ledger.lost(0, at(12));
    say(&mut ledger, SentMessage { handled: None, settled: at(12), ..message(0, "", 10) });
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), causes(&found)), ([0; 4], vec![(Undecided::SenderLost, 1)]));
}

#[test]
fn the_first_message_of_a_room_shows_that_a_join_was_done() {
    for (room_of_first, missing) in [("a", 1), ("", 0)] {
        let mut ledger = connected(3);
        joined(&mut ledger, 2, "a");
        ledger.joining(1, "/", "a", at(4));
        say(&mut ledger, silent(0, room_of_first, 10));
        [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, 20));
        ledger.advance(at(22), Moment::MAX);
        say(&mut ledger, silent(1, "a", 30));
        received(&mut ledger, 2, 1, 40);
        let found = ledger.finish(at(500));
        assert_eq!(found.fault(Fault::Missing), missing, "{room_of_first}");
        // Whether it had joined before the first message was handled nobody knows.
        assert_eq!(causes(&found), [(Undecided::Unconfirmed, 1)], "{room_of_first}");
    }
}

#[test]
fn what_nobody_knows_for_a_leave_without_a_word_has_that_cause_also_when_the_client_is_gone() {
    for (is_told, cause) in [(false, Some(Undecided::Unleft)), (true, None)] {
        let mut ledger = room();
        ledger.parting(1, "/", "a", is_told, at(5));
        if is_told {
            ledger.parted(1, "/", "a", at(6));
        }
        say(&mut ledger, message(0, "a", 10));
        [2, 3].into_iter().for_each(|client| received(&mut ledger, client, 0, 20));
        ledger.ended(1, None, at(30));
        let open: Vec<(Undecided, u64)> = cause.into_iter().map(|cause| (cause, 1)).collect();
        assert_eq!(causes(&ledger.finish(at(500))), open, "{is_told}");
    }
}

#[test]
fn who_asks_for_a_room_without_an_answer_and_receives_nothing_of_it_is_counted_until_something_shows_it_there()
 {
    for (others, own, unseen) in
        [(true, None, 1), (true, Some("a"), 0), (true, Some(""), 1), (false, None, 0)]
    {
        let mut ledger = connected(3);
        joined(&mut ledger, 2, "a");
        ledger.joining(1, "/", "a", at(4));
        say(&mut ledger, silent(0, "a", 10));
        if others {
            received(&mut ledger, 2, 0, 20);
        }
        if let Some(room) = own {
            say(&mut ledger, silent(1, room, 30));
            [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 1, 40));
        }
        assert_eq!(ledger.finish(at(500)).unseen, unseen, "{others} {own:?}");
    }
    // A message that was on its way when it asked, or when it asked to leave, says nothing.
    for (asked, left) in [(11, 90), (4, 15)] {
        let mut ledger = connected(3);
        joined(&mut ledger, 2, "a");
        ledger.joining(1, "/", "a", at(asked));
        say(&mut ledger, silent(0, "a", 10));
        ledger.parting(1, "/", "a", false, at(left));
        received(&mut ledger, 2, 0, 20);
        assert_eq!(ledger.finish(at(500)).unseen, 0, "{asked} {left}");
    }
}

#[test]
fn who_was_seen_in_another_room_or_at_another_time_is_counted_as_well_once_the_server_had_read_that_it_asks()
{
    // Where it was before, when the answer to what it asked at 6 came, and whether a later message comes to it.
    let cases = [
        ("b", Some(8), false, 1),
        ("a", Some(8), false, 1),
        ("b", Some(8), true, 0),
        ("a", Some(8), true, 0),
        // The server may have read it after the message.
        ("b", Some(12), false, 0),
        ("b", None, false, 0),
    ];
    for (before, read, comes, unseen) in cases {
        let mut ledger = connected(3);
        [(1, before), (2, "a")].into_iter().for_each(|(client, room)| joined(&mut ledger, client, room));
        ledger.parting(1, "/", before, true, at(4));
        ledger.parted(1, "/", before, at(5));
        ledger.joining(1, "/", "a", at(5));
        let answers = |ledger: &mut Ledger, when: u64| {
            if read == Some(when) {
                ledger.record(1, at(when), AuditEvent::Read { asked: at(6) });
            }
        };
        answers(&mut ledger, 8);
        say(&mut ledger, silent(0, "a", 10));
        answers(&mut ledger, 12);
        received(&mut ledger, 2, 0, 20);
        if comes {
            say(&mut ledger, silent(1, "a", 30));
            [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 1, 40));
        }
        let found = ledger.finish(at(500));
        assert_eq!((faults(&found), found.unseen), ([0; 4], unseen), "{before} {read:?} {comes}");
    }
}

#[test]
fn who_comes_again_before_its_former_stay_is_certainly_over_came_if_it_receives_anything() {
    for (has, unseen) in [(true, 0), (false, 1)] {
        let mut ledger = connected(3);
        [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
        ledger.parting(1, "/", "a", false, at(5));
        ledger.record(1, at(8), AuditEvent::Read { asked: at(6) });
        ledger.joining(1, "/", "a", at(9));
        ledger.record(1, at(12), AuditEvent::Read { asked: at(10) });
        for (sequence, has) in [(0, false), (1, has)] {
            say(&mut ledger, silent(sequence, "a", 20 + 10 * sequence));
            [1, 2].into_iter().filter(|client| *client == 2 || has).for_each(|client| {
                received(&mut ledger, client, sequence, 26 + 10 * sequence);
            });
        }
        let found = ledger.finish(at(500));
        assert_eq!((faults(&found), found.unseen, found.kept), ([0; 4], unseen, 0), "{has}");
    }
}

#[test]
fn a_message_may_be_owed_to_a_former_stay_in_the_room() {
    let mut ledger = connected(3);
    joined(&mut ledger, 1, "a");
    joined(&mut ledger, 2, "a");
    ledger.parting(1, "/", "a", false, at(5));
    ledger.joining(1, "/", "a", at(6));
    say(&mut ledger, silent(0, "a", 10));
    [1, 2].into_iter().for_each(|client| received(&mut ledger, client, 0, 20));
    ledger.advance(at(22), Moment::MAX);
    say(&mut ledger, silent(1, "a", 30));
    received(&mut ledger, 2, 1, 40);
    assert!(ledger.finish(at(500)).is_clean());
}

#[test]
fn a_server_that_is_behind_for_longer_than_a_window_is_not_accused_while_it_goes_on() {
    let mut ledger = connected(3);
    // One message every ten, of which the server handles one every twenty.
    (0..50).for_each(|sequence| say(&mut ledger, silent(sequence, "", 10 * sequence + 10)));
    for sequence in 0..50 {
        let time = 20 * sequence + 25;
        ledger.advance(at(time), Moment::MAX);
        assert!(ledger.is_waiting(at(time)));
        [1, 2].into_iter().for_each(|client| received(&mut ledger, client, sequence, time));
        assert!(ledger.findings_so_far().is_clean(), "{sequence}");
    }
    // Nobody may be there any more to get late what was missed.
    [1, 2].into_iter().for_each(|client| ledger.ended(client, None, at(1_200)));
    let found = ledger.finish(at(2_000));
    assert_eq!((faults(&found), found.expected, found.late), ([0; 4], 100, 0));
}

#[test]
fn what_comes_in_no_time_is_waited_for_and_what_is_refused_is_not() {
    let mut ledger = room();
    say(&mut ledger, silent(0, "a", 10));
    assert!(ledger.is_waiting(at(11)));
    [1, 2, 3].into_iter().for_each(|client| received(&mut ledger, client, 0, 20));
    assert!(!ledger.is_waiting(at(21)));
    say(&mut ledger, SentMessage { may_be_refused: true, ..silent(1, "a", 30) });
    assert!(!ledger.is_waiting(at(31)));
    received(&mut ledger, 1, 1, 32);
    assert!(ledger.is_waiting(at(33)));
    [2, 3].into_iter().for_each(|client| received(&mut ledger, client, 1, 34));
    assert!(!ledger.is_waiting(at(35)));
}

#[test]
fn each_cause_for_which_nothing_is_decided_is_counted() {
    let mut ledger = connected(8);
    [1, 2].into_iter().for_each(|client| joined(&mut ledger, client, "a"));
    ledger.joining(3, "/", "a", at(4));
    ledger.joining(4, "/", "a", at(12));
    ledger.joined(4, "/", "a", at(16));
    ledger.lost(5, at(13));
    let cases = [
        (
            SentMessage { sender: Sender::Unknown, ..message(0, "", 10) },
            vec![(Undecided::SenderUnknown, 1), (Undecided::ReceiverLost, 1)],
        ),
        (message(1, "a", 14), vec![(Undecided::Unconfirmed, 1), (Undecided::InFlight, 1)]),
    ];
    let mut all = UndecidedCounts::default();
    for (message, open) in cases {
        say(&mut ledger, message);
        open.into_iter().for_each(|(cause, pairs)| all.add(cause, pairs));
    }
    for sequence in [0, 1] {
        [1, 2, 3, 4, 6, 7].into_iter().for_each(|client| {
            if sequence == 0 || client < 3 {
                received(&mut ledger, client, sequence, 20);
            }
        });
    }
    let found = ledger.finish(at(500));
    assert_eq!((faults(&found), causes(&found)), ([0; 4], all.by_cause().collect::<Vec<_>>()));
}

#[test]
fn a_room_that_is_left_and_joined_for_hours_without_a_word_takes_no_memory() {
    let mut ledger = connected(3);
    joined(&mut ledger, 2, "a");
    let mut sizes = Vec::new();
    for round in 0..500_u64 {
        let now = 1_000_000 * round + 100;
        ledger.joining(1, "/", "a", at(now));
        say(&mut ledger, silent(round, "a", now + 10));
        [1, 2].into_iter().for_each(|client| received(&mut ledger, client, round, now + 12));
        ledger.parting(1, "/", "a", false, at(now + 20));
        ledger.advance(at(now + 900_000), Moment::MAX);
        sizes.push(ledger.weight());
    }
    assert!(ledger.finish(at(1_000_000_000)).is_clean());
    assert_eq!(sizes[499], sizes[99]);
}

#[test]
fn auditors_tell_each_other_when_a_senders_connection_ended() {
    let mut pair = pair();
    pair[0].record(0, at(10), AuditEvent::Settled(silent(0, "", 10)));
    pair[0].record(0, at(12), AuditEvent::Lost);
    carry(&mut pair, 0, 200);
    pair[1].advance(at(200));
    assert_eq!((pair[1].findings().messages, pair[1].findings().is_clean()), (1, true));
    assert_eq!(causes(pair[1].findings()), [(Undecided::SenderLost, 2)]);
}
