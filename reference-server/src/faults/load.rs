//! What shows only now and then, under load, or on a clock alone.

macro_rules! load_faults {
    ($next:ident $($more:ident)*; $($before:tt)*) => { $next! { $($more)*; $($before)*
        DeliveryRarelyLost "delivery-rarely-lost" "SEM-BC-01" "one in ten thousand deliveries of broadcasts is lost" under_load;
        DeliveryRarelyDoubled "delivery-rarely-doubled" "SEM-BC-01" "one in ten thousand deliveries of broadcasts is made twice" under_load;
        DeliveryRarelySwapped "delivery-rarely-swapped" "SEM-OR-01" "one in ten thousand deliveries of broadcasts changes places with the next to that client" under_load;
        DeliveryRarelyMisdirected "delivery-rarely-misdirected" "SEM-BC-04" "one in ten thousand deliveries of broadcasts goes to an outsider, too" under_load;
        SenderRarelyIncluded "sender-rarely-included" "SEM-BC-03" "one in a hundred broadcasts from a socket also reaches that socket" under_load;
        LeaveLags "leave-lags" "SEM-RM-05" "a leave takes effect 50 ms after it was acknowledged" under_load;
        JoinLags "join-lags" "SEM-RM-02" "a join takes effect 50 ms after it was acknowledged" under_load;
        RoomRarelyMixedUp "room-rarely-mixed-up" "SEM-RM-09" "one in a hundred broadcasts to a room also reaches the room of that name in other namespaces" under_load;
        RecoveryRarelyMisses "recovery-rarely-misses" "SEM-CSR-03" "in one of ten recoveries one missed packet is left out" under_load;
        RecoveryRarelyRepeats "recovery-rarely-repeats" "SEM-CSR-03" "in one of ten recoveries one missed packet is sent twice" under_load;
        NewestRarelySkipped "newest-rarely-skipped" "SEM-BC-04" "one in ten broadcasts leaves out the newest of its receivers" under_load;
        Delay5Ms "delay-5ms" "" "every Socket.IO packet leaves 5 ms after it was sent" in_time;
        Delay20Ms "delay-20ms" "" "every Socket.IO packet leaves 20 ms after it was sent" in_time;
        Delay100Ms "delay-100ms" "" "every Socket.IO packet leaves 100 ms after it was sent" in_time;
        Freeze "freeze" "" "once, two seconds after the first event of any client, the whole server does nothing for one second" in_time;
    } };
}
