//! Auditors on machines whose clocks may be apart.

use super::*;

/// The bounds of two clocks that may be apart by so much.
fn within(blur: u64) -> (i64, i64) {
    let nanos = u64::from(at(blur)) as i64;
    (-nanos, nanos)
}

/// Client 1 joins at 2 to 3, and client 0, on another machine, sends at 10 what never arrives. The clocks may be so far apart.
fn unheard(blur: u64) -> Findings {
    let mut auditors = pair();
    auditors[1].record(1, at(2), AuditEvent::Joining { namespace: "/", room: "a", is_movable: false });
    auditors[1].record(1, at(3), AuditEvent::Joined { namespace: "/", room: "a" });
    auditors[0].record(0, at(14), AuditEvent::Settled(message(0, "a", 10)));
    for (from, to) in [(0, 1), (1, 0)] {
        let mut bulletin = auditors[from].poll_bulletin(at(300));
        bulletin.blur(within(blur));
        auditors[to].handle(bulletin.to(to));
    }
    auditors.iter_mut().for_each(|auditor| auditor.advance(at(290)));
    finish(auditors, at(500)).0
}

#[test]
fn what_is_missing_by_any_clock_is_missing_and_what_may_be_due_to_the_clocks_is_undecided() {
    for blur in [0, 7] {
        let found = unheard(blur);
        assert_eq!((faults(&found), found.undecided.total()), ([1, 0, 0, 0], 0), "{blur}");
    }
    let found = unheard(8);
    assert!(found.is_clean(), "{found:?}");
    assert_eq!(found.undecided.by_cause().collect::<Vec<_>>(), [(Undecided::Clocks, 1)]);
}

#[test]
fn a_message_that_seems_to_have_come_before_it_was_sent_accuses_nobody() {
    let mut auditors = pair();
    auditors[1].record(1, at(2), AuditEvent::Joining { namespace: "/", room: "a", is_movable: false });
    auditors[1].record(1, at(3), AuditEvent::Joined { namespace: "/", room: "a" });
    let key = Key { sender: 0, sequence: 0 };
    auditors[1].record(1, at(8), AuditEvent::Received { namespace: "/", key, heard_as: 0 });
    auditors[0].record(0, at(14), AuditEvent::Settled(message(0, "a", 10)));
    for (from, to) in [(0, 1), (1, 0)] {
        let mut bulletin = auditors[from].poll_bulletin(at(300));
        bulletin.blur(within(5));
        auditors[to].handle(bulletin.to(to));
    }
    let (found, _) = finish(auditors, at(500));
    assert!(found.is_clean() && found.expected == 1, "{found:?}");
}
