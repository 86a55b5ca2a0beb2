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

/// Two clients at the first of two nodes, and a spread of 30 µs.
fn together() -> Ledger {
    let mut ledger = Ledger::new(2, (WINDOW, Spread { nodes: 2, within: at(30) }));
    for client in 0..2 {
        ledger.record(client, at(0), AuditEvent::At { node: 0 });
        ledger.connecting(client, "/", at(0));
        ledger.connected(client, "/", &format!("s{client}"), false, at(1));
    }
    ledger
}

#[test]
fn a_node_that_publishes_before_it_hands_a_message_to_its_own_clients_is_not_accused() {
    // The message is sent at 10 and acknowledged at 20. Who leaves the room soon after that may have missed it.
    for (parting, missing) in [(22, 0), (60, 1)] {
        let mut ledger = together();
        joined(&mut ledger, 1, "a");
        broadcast(&mut ledger, message(0, "a", 10));
        ledger.parting(1, "/", "a", at(parting));
        ledger.parted(1, "/", "a", at(parting + 2));
        let found = ledger.finish(at(500));
        assert_eq!(found.fault(Fault::Missing), missing);
        let causes: Vec<_> = found.undecided.by_cause().collect();
        assert_eq!(causes, if missing == 0 { vec![(Undecided::Publishing, 1)] } else { vec![] });
    }
    // Who joins it then may get it.
    for (joining, leaked) in [(22, 0), (60, 1)] {
        let mut ledger = together();
        ledger.joining(0, "/", "a", at(2));
        broadcast(&mut ledger, message(0, "a", 10));
        ledger.joining(1, "/", "a", at(joining));
        ledger.joined(1, "/", "a", at(joining + 2));
        received(&mut ledger, 1, 0, joining + 4);
        assert_eq!(ledger.finish(at(500)).fault(Fault::Leaked), leaked);
    }
}

#[test]
fn what_a_node_has_acknowledged_to_its_own_clients_it_knows_at_once() {
    let mut ledger = together();
    joined(&mut ledger, 1, "a");
    broadcast(&mut ledger, message(0, "a", 10));
    assert_eq!(ledger.finish(at(500)).fault(Fault::Missing), 1);
}

#[test]
fn a_server_of_one_address_is_several_nodes_if_the_scenario_says_so() {
    for (within, missing) in [(0, 1), (30, 0)] {
        let mut ledger = Ledger::new(2, (WINDOW, Spread { nodes: 1, within: at(within) }));
        for client in 0..2 {
            ledger.connecting(client, "/", at(0));
            ledger.connected(client, "/", &format!("s{client}"), false, at(1));
        }
        joined(&mut ledger, 1, "a");
        broadcast(&mut ledger, message(0, "a", 10));
        assert_eq!(ledger.finish(at(500)).fault(Fault::Missing), missing);
    }
}
