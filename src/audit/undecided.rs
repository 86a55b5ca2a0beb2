//! Why nothing is proved of a pair of a message and a client.

use serde::{Deserialize, Serialize};

/// Why nobody can say whether a client had to receive a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Undecided {
    /// The contract does not say whom the message reaches.
    AimUnknown,
    /// The server alone knows who is in the room.
    RoomUnknown,
    /// Whether the sender was where it has to be, so that its message is passed on.
    Stranger,
    /// The application may have refused the message: nobody received it.
    MayBeRefused,
    /// Nothing in the message shows to its receivers which one it is.
    Unstamped,
    /// Its receiver got the event, but never with a stamp.
    StampLost,
    /// The message may be lost.
    MayBeLost,
    /// The sender's connection ended before anything showed that the server had read the message.
    SenderLost,
    /// The contract does not say whether the sender receives its own message.
    SenderUnknown,
    /// The server did not say when the client's join took effect.
    Unconfirmed,
    /// The server did not say when the client's leave took effect, and nothing else showed that.
    Unleft,
    /// The server did not say when it handled the message, and the client joined or left meanwhile.
    Unacknowledged,
    /// The server put the client elsewhere, and the client learned of that later.
    Moved,
    /// The message and a join or a leave were in flight together.
    InFlight,
    /// A join or a leave of the client at another node than the sender's may not have been known there.
    Spreading,
    /// The sender's node may have handed the message to its own clients later than it acknowledged it, and this one joined or
    /// left meanwhile.
    Publishing,
    /// Nobody could say in which rooms the client was: it acted by hand, or the server named too many.
    Untraced,
    /// The client's connection began, ended or was cut meanwhile.
    ReceiverLost,
    /// The run was over before the window was.
    Unfinished,
    /// The clocks of the machines of sender and receiver may be too far apart.
    Clocks,
}

impl Undecided {
    /// Every cause.
    pub const ALL: [Undecided; 20] = [
        Undecided::AimUnknown,
        Undecided::RoomUnknown,
        Undecided::Stranger,
        Undecided::MayBeRefused,
        Undecided::Unstamped,
        Undecided::StampLost,
        Undecided::MayBeLost,
        Undecided::SenderLost,
        Undecided::SenderUnknown,
        Undecided::Unconfirmed,
        Undecided::Unleft,
        Undecided::Unacknowledged,
        Undecided::Moved,
        Undecided::InFlight,
        Undecided::Spreading,
        Undecided::Publishing,
        Undecided::Untraced,
        Undecided::ReceiverLost,
        Undecided::Unfinished,
        Undecided::Clocks,
    ];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Undecided::AimUnknown => "the contract does not say whom the message reaches",
            Undecided::RoomUnknown => "no client had asked to join the room",
            Undecided::Stranger => "the sender was not certainly a member of the room",
            Undecided::MayBeRefused => "nobody received the message, and the application may have refused it",
            Undecided::Unstamped => "the message had no place for its stamp",
            Undecided::StampLost => {
                "the receiver got events of that name, but none with a stamp: the server shortens or changes the text"
            }
            Undecided::MayBeLost => "the message may be lost: it is volatile, local or was refused",
            Undecided::SenderLost => {
                "the sender's connection ended before the server had shown that it had read the message"
            }
            Undecided::SenderUnknown => {
                "the contract does not say whether the sender receives its own message"
            }
            Undecided::Unconfirmed => "the join of the receiver was not acknowledged",
            Undecided::Unleft => {
                "the leave of the receiver was not acknowledged, and nothing had shown by then that the server had done it"
            }
            Undecided::Unacknowledged => {
                "the message was not acknowledged, and the receiver joined or left meanwhile"
            }
            Undecided::Moved => {
                "the server took the receiver out of the room, some time before the receiver heard of it"
            }
            Undecided::InFlight => {
                "a join or a leave of the receiver was in flight together with the message"
            }
            Undecided::Spreading => {
                "a join or a leave of the receiver, at another node than the sender's, may not have spread there yet"
            }
            Undecided::Publishing => {
                "the receiver, at the sender's node, joined or left soon after the message was acknowledged, and the node may \
                 publish a message to the others before it hands it to its own clients"
            }
            Undecided::Untraced => {
                "the receiver had done something by hand, or the server had named too many of its rooms, so that it may be in any"
            }
            Undecided::ReceiverLost => "the receiver's connection began or ended meanwhile",
            Undecided::Unfinished => "the run ended before the window of the audit was over",
            Undecided::Clocks => {
                "the clocks of the sender's and the receiver's machine may be further apart than the join or the leave of the \
                 receiver and the message were"
            }
        }
    }

    /// What to write so that the audit can decide, where that helps.
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Undecided::AimUnknown | Undecided::SenderUnknown => {
                Some("say `reaches: everyone` or `reaches: others` in the contract's `broadcast`")
            }
            Undecided::RoomUnknown => Some(
                "let the receivers `join` the room by a step, or name it in `rooms` of the contract if the server puts them there",
            ),
            Undecided::Stranger => Some(
                "say `senders: anyone` in the contract's `broadcast` if that holds, or `ack: true` in its `join`",
            ),
            Undecided::MayBeRefused => Some(
                "leave `may_refuse` out of the contract's `broadcast` if every message is passed on; if its acknowledgement says \
                 whether it is, say what an acceptance looks like: `ack: { args: … }`",
            ),
            Undecided::Unstamped => Some(
                "let a text of the message stay as it is, or put `${stamp}` into the contract's `broadcast`",
            ),
            Undecided::StampLost => Some(
                "put `${stamp}` into a field of the contract's `broadcast` that the server leaves as it is, such as an id",
            ),
            Undecided::SenderLost | Undecided::Unacknowledged => Some(
                "say `ack: true` in the contract's `broadcast` if the server acknowledges it when it is done",
            ),
            Undecided::Unconfirmed => Some(
                "say `ack: true` or `confirmed_by` in the contract's `join` if the server answers it when it is done, and let clients `join` by \
                 that step",
            ),
            Undecided::Unleft => Some(
                "say `ack: true` or `confirmed_by` in the contract's `leave` if the server answers it when it is done; if not, let clients ask \
                 for something behind their leaves that is answered",
            ),
            Undecided::Moved => Some(
                "let each sender say one thing more in the room before the server takes clients out: what came before it is decided",
            ),
            Undecided::InFlight => {
                Some("let a step of all clients stand between the joins and the broadcasts")
            }
            Undecided::Spreading | Undecided::Publishing => {
                Some("say `audit: { spread: … }` if your nodes know of each other sooner")
            }
            Undecided::Untraced => Some(
                "let clients `join`, `leave` and `emit` instead of sending raw packets, and `connect` anew after that",
            ),
            Undecided::Clocks => Some("put agents and broker nearer to each other"),
            Undecided::MayBeLost | Undecided::ReceiverLost | Undecided::Unfinished => None,
        }
    }
}

/// How many pairs are undecided for each cause, in the order of [`Undecided::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndecidedCounts([u64; Undecided::ALL.len()]);

impl UndecidedCounts {
    /// Counts pairs.
    pub fn add(&mut self, cause: Undecided, pairs: u64) {
        self.0[cause as usize] += pairs;
    }

    /// How many pairs there are in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Those of each cause, where there are any.
    pub fn by_cause(&self) -> impl Iterator<Item = (Undecided, u64)> + '_ {
        Undecided::ALL.into_iter().zip(self.0).filter(|(_, pairs)| *pairs > 0)
    }

    pub(super) fn merge(&mut self, other: &UndecidedCounts) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_in_the_order_of_their_numbers() {
        assert!(Undecided::ALL.iter().enumerate().all(|(index, cause)| *cause as usize == index));
    }
}
