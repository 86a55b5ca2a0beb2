//! The faults of what applications are told about an end.

use super::{Fault, Faults};
use crate::reason::Reason;

/// The reason applications are told: the right one, but for the faults.
pub(crate) fn told(faults: Faults, reason: Reason) -> Reason {
    let (fault, wrong) = match reason {
        Reason::ClientNamespaceDisconnect => (Fault::LeavingToldAsLoss, Reason::TransportClose),
        Reason::TransportClose => (Fault::LossToldAsSilence, Reason::PingTimeout),
        Reason::TransportError => (Fault::AbandonedPollToldAsLoss, Reason::TransportClose),
        Reason::PingTimeout => (Fault::SilenceToldAsLoss, Reason::TransportClose),
        Reason::ServerNamespaceDisconnect => {
            (Fault::ExpulsionToldAsLeaving, Reason::ClientNamespaceDisconnect)
        }
        Reason::ParseError => (Fault::GarbageToldAsLoss, Reason::TransportClose),
        Reason::ForcedClose => (Fault::BreachToldAsLoss, Reason::TransportClose),
        Reason::ServerShuttingDown => return reason,
    };
    if faults.has(fault) { wrong } else { reason }
}
