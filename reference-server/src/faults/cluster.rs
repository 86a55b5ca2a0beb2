//! What goes wrong between the nodes of a cluster. None of it shows on a server alone.
//!
//! Most are ones that users found in production; the threads are named in `docs/clusters.md`.

macro_rules! cluster_faults {
    ($next:ident $($more:ident)*; $($before:tt)*) => { $next! { $($more)*; $($before)*
        NodeDeaf "node-deaf" "SEM-ND-01 SEM-ND-02 SEM-ND-08 SEM-ND-18" "the second node hears nothing of what the others say" across_nodes;
        BusDoubles "bus-doubles" "SEM-ND-01" "one in a hundred messages between nodes is heard twice" across_nodes;
        BusReorders "bus-reorders" "SEM-ND-16" "one in fifty messages between nodes comes 300 ms late, after others that were sent later" across_nodes;
        BusDrops1In1000 "bus-drops-1-in-1000" "" "one in a thousand messages between nodes is lost" across_nodes;
        BigMessagesDroppedBetweenNodes "big-messages-dropped-between-nodes" "SEM-ND-17" "messages between nodes of more than 8,000 bytes are lost" across_nodes;
        DoublesAfterBusRestart "doubles-after-bus-restart" "" "once the bus was away, everything from other nodes is heard twice" across_nodes;
        DeafAfterBusRestart "deaf-after-bus-restart" "" "once the bus was away, the second node hears nothing of the others" across_nodes;
        RoomsLeakAcrossNodes "rooms-leak-across-nodes" "SEM-ND-03 SEM-ND-08" "a broadcast to a room reaches everybody on the other nodes" across_nodes;
        ExceptIgnoredAcrossNodes "except-ignored-across-nodes" "SEM-ND-07" "rooms to be left out are not on the other nodes" across_nodes;
        UnionDoublesAcrossNodes "union-doubles-across-nodes" "SEM-ND-06" "a member of two addressed rooms gets the broadcast of another node twice" across_nodes;
        NamespacesLeakAcrossNodes "namespaces-leak-across-nodes" "SEM-ND-15" "a broadcast reaches the other namespaces of the other nodes too" across_nodes;
        LocalLeaksAcrossNodes "local-leaks-across-nodes" "SEM-ND-20" "a local broadcast reaches the other nodes too" across_nodes;
        JoinSpreadsLate "join-spreads-late" "SEM-ND-04" "a join takes effect 3 s late for broadcasts from other nodes" across_nodes;
        LeaveNotSpread "leave-not-spread" "SEM-ND-05" "who left a room still hears broadcasts to it from other nodes" across_nodes;
        JoinElsewhereIgnored "join-elsewhere-ignored" "SEM-ND-12 SEM-ND-13" "sockets that another node puts into a room or takes out of it stay where they are" across_nodes;
        DisconnectElsewhereIgnored "disconnect-elsewhere-ignored" "SEM-ND-14" "sockets that another node puts out stay" across_nodes;
        ListMissesElsewhere "list-misses-elsewhere" "SEM-ND-11" "a list of sockets lacks those of the other nodes" across_nodes;
        AckBroadcastCountsOwnNode "ack-broadcast-counts-own-node" "SEM-ND-09 SEM-ND-10" "a broadcast that asks for answers waits for those of its own node alone" across_nodes;
        DeadNodeAwaited "dead-node-awaited" "" "a node that has gone is asked and waited for" across_nodes;
        RecoveryForgetsElsewhere "recovery-forgets-elsewhere" "SEM-ND-21" "who comes back to another node is recovered without what it missed" across_nodes;
        RecoveryRepeatsElsewhere "recovery-repeats-elsewhere" "SEM-ND-21" "who comes back to another node gets what it missed twice" across_nodes;
        EmptyNodeDrops "empty-node-drops" "SEM-ND-21" "a node without clients forgets what the others say, so that nobody can be recovered there" across_nodes;
    } };
}
