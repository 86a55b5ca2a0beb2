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
        assert_eq!(pair.undecided, u64::from(!is_owed));
        let gap = if is_owed { None } else { Some(Gap::TooLittle { decided: 0.0, pairs: 1 }) };
        assert_eq!(found.coverage().gap(ENOUGH), gap);
    }
}

#[test]
fn rooms_whose_members_are_all_at_one_node_prove_nothing_between_nodes() {
    // Clients 0 and 2 are at one node, 1 and 3 at the other.
    for (rooms, gap) in [([(0, 2), (1, 3)], Some(Gap::BetweenNodes)), ([(0, 1), (2, 3)], None)] {
        let mut ledger = Ledger::new(4, (WINDOW, Spread { nodes: 2, within: at(30) }));
        for client in 0..4 {
            ledger.record(client, at(0), AuditEvent::At { node: client as u16 % 2 });
            ledger.connecting(client, "/", at(0));
            ledger.connected(client, "/", &format!("s{client}"), false, at(1));
        }
        for (sender, receiver) in rooms {
            let (room, key) = (format!("r{sender}"), Key { sender, sequence: 0 });
            [sender, receiver].into_iter().for_each(|client| joined(&mut ledger, client, &room));
            broadcast(&mut ledger, SentMessage { key, node: sender as u16 % 2, ..message(0, &room, 50) });
            ledger.received(receiver, "/", key, at(55));
        }
        let found = ledger.finish(at(500));
        assert_eq!((faults(&found), found.expected), ([0; 4], 2), "{:?}", found.offences);
        assert_eq!(found.coverage().gap(ENOUGH), gap);
    }
}

#[test]
fn a_message_that_comes_to_another_node_after_a_leave_there_accuses_nobody() {
    for (sent, leaks) in [(20, 0), (60, 1)] {
        let mut ledger = apart();
        joined(&mut ledger, 1, "a");
        ledger.parting(1, "/", "a", true, at(12));
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
        ledger.parting(1, "/", "a", true, at(parting));
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

/// Two clients at two nodes; the second loses its connection at 60 and comes back at the first node at 80, with a recovered socket.
fn moved(between: impl FnOnce(&mut Ledger)) -> Ledger {
    let mut ledger = apart();
    ledger.lost(1, at(60));
    between(&mut ledger);
    ledger.record(1, at(78), AuditEvent::At { node: 0 });
    ledger.connecting(1, "/", at(78));
    ledger.connected(1, "/", "s1", true, at(80));
    ledger
}

/// What was expected, missing and received from the first node to the second, and to itself.
fn to_both(found: &Findings) -> [(u64, u64, u64); 2] {
    [1, 0].map(|to| {
        let pair = found.nodes.pair(0, to).expect("there are two nodes");
        (pair.expected, pair.fault(Fault::Missing), pair.received())
    })
}

#[test]
fn what_was_missed_on_the_way_to_another_node_is_owed_by_that_one() {
    for (sequence, is_received) in [(0, false), (1, true)] {
        let mut ledger = moved(|ledger| {
            broadcast(ledger, message(0, "", 50));
            broadcast(ledger, message(1, "", 65));
        });
        received(&mut ledger, 1, sequence, 82);
        // One message was due at the node before, the other one at that to which the client came.
        let owed = [(1, 1, 0), (1, u64::from(!is_received), u64::from(is_received))];
        let got = if is_received { owed } else { [(0, 0, 0), (2, 1, 1)] };
        assert_eq!(to_both(&ledger.finish(at(500))), got, "message {sequence}");
    }
}

#[test]
fn a_node_does_not_know_at_once_what_those_who_come_to_it_did_elsewhere() {
    for (sent, missing) in [(85, 0), (91, 1)] {
        // Who came a short while ago may have joined and left at the node before.
        let mut ledger = moved(|_| {});
        ledger.joining(1, "/", "a", at(81));
        ledger.joined(1, "/", "a", at(82));
        broadcast(&mut ledger, message(0, "a", sent));
        let found = ledger.finish(at(500));
        assert_eq!(
            (found.fault(Fault::Missing), found.undecided.total()),
            (missing, 1 - missing),
            "sent at {sent}"
        );
    }
}

#[test]
fn a_sender_that_went_to_another_node_may_overtake_itself() {
    for (node, disordered) in [(0, 1), (1, 0)] {
        let mut ledger = apart();
        broadcast(&mut ledger, message(0, "", 10));
        broadcast(&mut ledger, SentMessage { node, ..message(1, "", 20) });
        received(&mut ledger, 1, 1, 25);
        received(&mut ledger, 1, 0, 26);
        assert_eq!(ledger.finish(at(500)).fault(Fault::Disordered), disordered);
    }
}

/// Two clients whose nodes are not known yet.
fn balanced() -> Ledger {
    let mut ledger = Ledger::new(2, (WINDOW, Spread { nodes: 2, within: at(30) }));
    for client in 0..2 {
        ledger.record(client, at(0), AuditEvent::At { node: UNKNOWN_NODE });
        ledger.connecting(client, "/", at(0));
        ledger.connected(client, "/", &format!("s{client}"), false, at(1));
    }
    ledger
}

#[test]
fn where_a_client_is_may_be_learned_when_it_is_connected() {
    let mut ledger = balanced();
    ledger.record(1, at(3), AuditEvent::At { node: 1 });
    broadcast(&mut ledger, message(0, "", 50));
    received(&mut ledger, 1, 0, 52);
    let found = ledger.finish(at(500));
    let pair = found.nodes.pair(0, 1).expect("there are two nodes");
    assert_eq!((pair.expected, pair.received()), (1, 1));
}

#[test]
fn of_a_client_whose_node_is_not_known_no_pair_counts_anything() {
    let mut ledger = balanced();
    broadcast(&mut ledger, SentMessage { node: UNKNOWN_NODE, ..message(0, "", 50) });
    broadcast(&mut ledger, message(1, "", 60));
    received(&mut ledger, 1, 1, 62);
    let found = ledger.finish(at(500));
    assert_eq!((found.expected, found.fault(Fault::Missing)), (2, 1));
    let pairs = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(from, to)| found.nodes.pair(from, to).cloned());
    assert!(pairs.into_iter().all(|pair| pair == Some(NodePair::default())));
}

#[test]
fn what_a_client_whose_node_is_not_known_does_may_not_be_known_where_a_message_comes_from() {
    for (node, missing) in [(UNKNOWN_NODE, 0), (0, 1)] {
        let mut ledger = balanced();
        ledger.record(1, at(3), AuditEvent::At { node });
        ledger.joining(1, "/", "a", at(40));
        ledger.joined(1, "/", "a", at(45));
        broadcast(&mut ledger, SentMessage { node, ..message(0, "a", 50) });
        assert_eq!(ledger.finish(at(500)).fault(Fault::Missing), missing);
    }
}

#[test]
fn a_sender_whose_node_is_not_known_may_overtake_itself_over_a_new_connection() {
    for (is_cut, disordered) in [(false, 1), (true, 0)] {
        let mut ledger = balanced();
        broadcast(&mut ledger, SentMessage { node: UNKNOWN_NODE, ..message(0, "", 40) });
        if is_cut {
            ledger.lost(0, at(50));
            ledger.connecting(0, "/", at(51));
            ledger.connected(0, "/", "t", false, at(52));
        }
        broadcast(&mut ledger, SentMessage { node: UNKNOWN_NODE, ..message(1, "", 60) });
        received(&mut ledger, 1, 1, 65);
        received(&mut ledger, 1, 0, 66);
        assert_eq!(ledger.finish(at(500)).fault(Fault::Disordered), disordered);
    }
}
