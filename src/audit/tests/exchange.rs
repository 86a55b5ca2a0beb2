//! Two auditors that tell each other what the other has to know.

use super::*;

/// Two auditors with two clients each: the even ones, the odd ones.
pub(super) fn pair() -> Vec<Auditor> {
    let mut pair: Vec<Auditor> =
        (0..2).map(|index| Auditor::new(index, 2, 4, (WINDOW, Spread::ALONE))).collect();
    for client in 0..4 {
        let auditor = &mut pair[home(client, 2)];
        auditor.record(client, at(0), AuditEvent::Connecting { namespace: "/" });
        let sid = format!("s{client}");
        auditor.record(client, at(1), AuditEvent::Connected { namespace: "/", sid: &sid, recovered: false });
    }
    pair
}

pub(super) fn carry(auditors: &mut [Auditor], from: usize, now: u64) {
    let bulletin = auditors[from].poll_bulletin(at(now));
    for to in (0..auditors.len()).filter(|to| *to != from) {
        auditors[to].handle(bulletin.to(to));
    }
}

#[test]
fn a_message_is_judged_when_everybody_has_told_what_there_was_until_it_was_due() {
    let mut pair = pair();
    pair[0].record(0, at(14), AuditEvent::Settled(message(0, "", 10)));
    carry(&mut pair, 0, 20);
    pair[1].advance(at(200));
    assert_eq!(pair[1].findings().messages, 0);
    carry(&mut pair, 0, 200);
    pair[1].advance(at(200));
    assert_eq!((pair[1].findings().messages, pair[1].findings().fault(Fault::Missing)), (1, 2));
}

#[test]
fn what_another_auditor_saw_first_shows_who_came_too_late() {
    let mut pair = pair();
    pair[1].record(
        1,
        at(12),
        AuditEvent::Received { namespace: "/", key: Key { sender: 0, sequence: 0 }, heard_as: 0 },
    );
    // Nobody says when it was handled: but before client 1 had it, and client 2 came after.
    pair[0].record(2, at(20), AuditEvent::Joining { namespace: "/", room: "a", is_movable: false });
    pair[0].record(2, at(21), AuditEvent::Joined { namespace: "/", room: "a" });
    pair[0].record(
        2,
        at(30),
        AuditEvent::Received { namespace: "/", key: Key { sender: 0, sequence: 0 }, heard_as: 0 },
    );
    pair[0].record(
        0,
        at(40),
        AuditEvent::Settled(SentMessage { handled: None, settled: at(40), ..message(0, "a", 10) }),
    );
    let (found, _) = finish(pair, at(500));
    assert_eq!(found.leaks[Leak::BeforeJoin as usize], 1);
}

#[test]
fn what_is_received_elsewhere_after_a_message_was_due_changes_nothing() {
    for is_told in [false, true] {
        let mut pair = pair();
        let key = Key { sender: 0, sequence: 0 };
        pair[0].record(0, at(2), AuditEvent::Joining { namespace: "/", room: "a", is_movable: false });
        let unheard = SentMessage { handled: None, settled: at(20), ..message(0, "a", 10) };
        pair[0].record(0, at(20), AuditEvent::Settled(unheard));
        carry(&mut pair, 1, 125);
        pair[1].record(1, at(130), AuditEvent::Received { namespace: "/", key, heard_as: 0 });
        if is_told {
            carry(&mut pair, 1, 140);
        }
        pair[0].record(2, at(150), AuditEvent::Joining { namespace: "/", room: "a", is_movable: false });
        pair[0].record(2, at(151), AuditEvent::Joined { namespace: "/", room: "a" });
        pair[0].record(2, at(160), AuditEvent::Received { namespace: "/", key, heard_as: 0 });
        pair[0].advance(at(170));
        assert_eq!((pair[0].findings().messages, pair[0].findings().leaks), (1, [0; 8]), "{is_told}");
    }
}

#[test]
fn how_long_a_message_took_is_put_together_from_all_auditors() {
    let mut pair = pair();
    pair[0].record(0, at(14), AuditEvent::Settled(message(0, "", 10)));
    for (client, time) in [(1, 13), (2, 12), (3, 19)] {
        let key = Key { sender: 0, sequence: 0 };
        pair[home(client, 2)].record(
            client,
            at(time),
            AuditEvent::Received { namespace: "/", key, heard_as: 0 },
        );
    }
    let (found, reached) = finish(pair, at(500));
    assert!(found.is_clean());
    assert_eq!(reached, [Reached { due: at(10), first: at(2), last: at(9) }]);
}
