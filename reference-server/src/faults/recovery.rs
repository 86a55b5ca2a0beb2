//! The faults of connection state recovery.

use super::Fault;
use crate::shared::Shared;
use crate::socket::recovery::{Recovered, Recovery};

/// What comes back, after it was looked up in `memory`.
pub(crate) fn spoil(shared: &Shared, memory: &mut Recovery, recovered: &mut Recovered) {
    let missed = &mut recovered.missed;
    if shared.has(Fault::RecoveryMissesPacket) && !missed.is_empty() {
        missed.remove(0);
    }
    if shared.has(Fault::RecoveryRepeats) {
        missed.extend(missed.clone());
    }
    if shared.now_and_then(Fault::RecoveryRarelyMisses, 10) {
        missed.pop();
    }
    if shared.now_and_then(Fault::RecoveryRarelyRepeats, 10) {
        missed.extend(missed.last().cloned());
    }
    if recovered.lost.elsewhere && shared.has(Fault::RecoveryForgetsElsewhere) {
        missed.clear();
    }
    if recovered.lost.elsewhere && shared.has(Fault::RecoveryRepeatsElsewhere) {
        missed.extend(missed.clone());
    }
    if shared.has(Fault::RecoveryOnce) {
        memory.discard();
    }
    if shared.has(Fault::RecoveryForgetsRooms) {
        recovered.lost.rooms.clear();
    }
}
