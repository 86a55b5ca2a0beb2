//! Several nodes, and a server that is disturbed on purpose.

use super::*;

#[test]
fn what_is_lost_while_the_server_is_disturbed_is_told_apart() {
    for (began, ended, inside) in [(5, Some(8), 0), (5, Some(12), 1), (13, None, 1), (20, None, 0)] {
        let mut ledger = connected(2);
        ledger.disturbances = vec![(at(began), ended.map(at))];
        broadcast(&mut ledger, message(0, "", 10));
        ledger.advance(at(400), Moment::MAX);
        let found = ledger.findings_so_far();
        assert_eq!((found.fault(Fault::Missing), found.disturbed.fault(Fault::Missing)), (1, inside));
        assert_eq!((found.expected, found.disturbed.expected), (1, inside));
        // What comes after all is taken back on both sides.
        received(&mut ledger, 1, 0, 410);
        let found = ledger.finish(at(500));
        assert_eq!((found.undisturbed(Fault::Missing), found.disturbed.fault(Fault::Missing)), (0, 0));
    }
}

/// Two clients at two nodes, and a spread of 30 µs.
fn apart() -> Ledger {
    let mut ledger = Ledger::new(2, (WINDOW, Spread { nodes: 2, within: at(30) }));
    for client in 0..2 {
        ledger.record(client, at(0), AuditEvent::At { node: client as u16 });
        ledger.connecting(client, "/", at(0));
        ledger.connected(client, "/", &format!("s{client}"), false, at(1));
    }
    ledger
}

#[test]
fn a_join_counts_at_another_node_when_it_has_had_the_time_to_spread() {
    for (sent, is_owed) in [(10, false), (40, true)] {
        let mut ledger = apart();
        joined(&mut ledger, 1, "a");
        broadcast(&mut ledger, message(0, "a", sent));
        let found = ledger.finish(at(500));
        assert_eq!(found.fault(Fault::Missing), u64::from(is_owed));
        assert_eq!(found.undecided.by_cause().next().is_some(), !is_owed);
        let spread =
            JoinSpread { at_once: 0, late: u64::from(!is_owed), longest: at(if is_owed { 0 } else { 7 }) };
        assert_eq!(found.join_spread, spread);
        let pair = found.nodes.pair(0, 1).expect("there are two nodes");
        assert_eq!((pair.expected, pair.is_deaf()), (u64::from(is_owed), is_owed));
    }
}

#[test]
fn a_message_that_comes_to_another_node_after_a_leave_there_accuses_nobody() {
    for (sent, leaks) in [(20, 0), (60, 1)] {
        let mut ledger = apart();
        joined(&mut ledger, 1, "a");
        ledger.parting(1, "/", "a", at(12));
        ledger.parted(1, "/", "a", at(13));
        broadcast(&mut ledger, message(0, "a", sent));
        received(&mut ledger, 1, 0, sent + 5);
        assert_eq!(ledger.finish(at(500)).fault(Fault::Leaked), leaks);
    }
}
