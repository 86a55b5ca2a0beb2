//! What the clients tell the audit of the deliveries: what they asked for, what they were told, what they received.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use super::moment::Moment;

/// Which message: its stamp without the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Who sent it: its index among the clients of the run.
    pub sender: u32,
    /// Which of the sender's messages it is. A sender's next one is sent when the one before is settled, if not later.
    pub sequence: u64,
}

/// What stands in the place of an event that is not known before.
pub const ANY_EVENT: u16 = u16::MAX;

/// Whether the sender is among the receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sender {
    /// It is treated like everyone.
    Included,
    /// Its socket is left out.
    Excluded,
    /// The contract does not say.
    Unknown,
}

/// Where the sender has to be when it sends, or nobody knows whether the application passes the message on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Anywhere.
    Anywhere,
    /// In the rooms that it goes to. A socket's own room is open to everybody.
    Inside,
    /// In none of them: it is what others are told of its coming.
    Outside,
}

/// What is known of the order in which the server handles a message and the sender's others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Those that were sent over one connection in the order in which they were sent.
    Sent,
    /// One after the other, if the sender waited for the acknowledgement of the first.
    Acknowledged,
    /// Nothing.
    Unknown,
}

/// A message that was sent to others, and settled: acknowledged, given up, or sent if nobody
/// acknowledges it. Times are since the beginning of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// Which one.
    pub key: Key,
    /// The node at which its sender is. The ledger fills it in.
    pub node: u16,
    /// The namespace in which it was sent.
    pub sent_in: Arc<str>,
    /// The namespace in which it arrives.
    pub namespace: Arc<str>,
    /// Whether it carries the stamp by which receivers know it. Of another nobody can say whether it came.
    pub is_stamped: bool,
    /// Whether it is known to whom it goes. If not, nobody has to receive it, and everybody may.
    pub is_aimed: bool,
    /// The rooms that it went to; none means everyone.
    pub to: Vec<Arc<str>>,
    /// The rooms that were left out.
    pub except: Vec<Arc<str>>,
    /// Whether the sender receives it.
    pub sender: Sender,
    /// Where the sender has to be.
    pub origin: Origin,
    /// The rooms in which the sender was not as it has to be, for all that its ledger knows: unless each is a socket's own
    /// room, nobody has to receive the message before somebody has. The ledger fills them in.
    pub strays: Vec<Arc<str>>,
    /// Whether the server may put its sender out of these rooms by itself. The ledger fills it in.
    pub may_come_too_late: bool,
    /// In which order the sender's messages are handled.
    pub order: Order,
    /// Whether the application may refuse it, or has: then nobody has to receive it unless somebody did.
    pub may_be_refused: bool,
    /// Whether it may be lost: a volatile event.
    pub may_be_lost: bool,
    /// Whether the server said that it will not pass it on: then nobody must receive it.
    pub is_refused: bool,
    /// Whether the application may send it again to whoever joins or connects later, as a chat does that shows what was said
    /// before.
    pub has_history: bool,
    /// As which of the events that audited messages arrive as, in the order of their names; [`ANY_EVENT`], if that is not known
    /// before.
    pub heard_as: u16,
    /// Whether a recovered session gets it. A volatile event and one that asks for acknowledgements is not kept.
    pub is_kept: bool,
    /// When it was due.
    pub due: Moment,
    /// When it was sent: the server cannot have handled it before.
    pub sent: Moment,
    /// When the server had handled it, if it said so.
    pub handled: Option<Moment>,
    /// When that was known, or was given up; when it was sent, where nobody acknowledges it.
    pub settled: Moment,
    /// How far the clock of the sender's machine may be from what it is taken for: by so much, the times above are moved apart
    /// already. The exchange fills it in.
    pub blur: Moment,
}

#[cfg(test)]
impl SentMessage {
    /// An ordinary message to these rooms, sent when it was due and acknowledged when it was handled.
    pub(crate) fn example(key: Key, to: Vec<Arc<str>>, sent: Moment, handled: Moment) -> SentMessage {
        SentMessage {
            key,
            node: 0,
            sent_in: "/".into(),
            namespace: "/".into(),
            is_stamped: true,
            is_aimed: true,
            to,
            except: Vec::new(),
            sender: Sender::Excluded,
            origin: Origin::Anywhere,
            strays: Vec::new(),
            may_come_too_late: false,
            blur: Moment::ZERO,
            order: Order::Sent,
            may_be_refused: false,
            may_be_lost: false,
            is_refused: false,
            has_history: false,
            heard_as: 0,
            is_kept: true,
            due: sent,
            sent,
            handled: Some(handled),
            settled: handled,
        }
    }
}

/// What a client did or saw that decides what it must receive, and what it must not.
///
/// What it asks for is told when it asks, what it is told when it has been told: the server did it in between.
#[derive(Clone, Debug, PartialEq)]
pub enum AuditEvent<'a> {
    /// It connects at this node of the server from now on.
    At {
        /// Which, as an index.
        node: u16,
    },
    /// It asks to be connected to a namespace.
    Connecting {
        /// Which.
        namespace: &'a str,
    },
    /// It is connected, with a socket of this id: a new one, or the one that was cut.
    Connected {
        /// To which namespace.
        namespace: &'a str,
        /// The Socket.IO id.
        sid: &'a str,
        /// Whether the server says that it is the one that was cut.
        recovered: bool,
    },
    /// It asks to leave a namespace, or all.
    Leaving {
        /// Which, if not all.
        namespace: Option<&'a str>,
    },
    /// From now on nobody can say what its socket receives, or in which rooms it is: it acts by hand, or the server puts it into
    /// more rooms than anybody remembers.
    Untraced {
        /// In which namespace, if not in all.
        namespace: Option<&'a str>,
    },
    /// It is not in a namespace any more, or in none.
    Ended {
        /// Which, if not all.
        namespace: Option<&'a str>,
    },
    /// Its connection is gone without a word.
    Lost,
    /// It asks to join a room.
    Joining {
        /// In which namespace.
        namespace: &'a str,
        /// Which.
        room: &'a str,
        /// Whether the server may put it out of it by itself.
        is_movable: bool,
    },
    /// The server said that it has joined.
    Joined {
        /// In which namespace.
        namespace: &'a str,
        /// Which.
        room: &'a str,
    },
    /// The server said that it will not join.
    Refused {
        /// In which namespace.
        namespace: &'a str,
        /// Which.
        room: &'a str,
        /// When it had asked.
        asked: Moment,
    },
    /// The server has put it into a room by itself, some time since it asked to be connected.
    Placed {
        /// In which namespace.
        namespace: &'a str,
        /// Which.
        room: &'a str,
        /// Whether it is certain that it is there now.
        is_certain: bool,
        /// Whether the server may put it into another one while it is connected.
        is_movable: bool,
    },
    /// The server has put it elsewhere by itself, some time before now.
    Moved {
        /// In which namespace.
        namespace: &'a str,
        /// Out of which room.
        room: &'a str,
    },
    /// The server has answered what it had asked then: so it has read what was sent before that.
    Read {
        /// When it had asked.
        asked: Moment,
    },
    /// The server lives on, and has read the pong of that time and what was sent before it.
    Pinged {
        /// When the pong was sent.
        ponged: Moment,
    },
    /// It asks to leave a room.
    Parting {
        /// In which namespace.
        namespace: &'a str,
        /// Which.
        room: &'a str,
        /// Whether the server is to say when that is done.
        is_answered: bool,
    },
    /// The server said that it has left.
    Parted {
        /// In which namespace.
        namespace: &'a str,
        /// Which.
        room: &'a str,
    },
    /// A message that it sent is acknowledged, or given up, or was sent without asking.
    Settled(SentMessage),
    /// It received a stamped message.
    Received {
        /// In which namespace.
        namespace: &'a str,
        /// Which.
        key: Key,
        /// As which event.
        heard_as: u16,
    },
    /// It received another client's message as an event as which none arrives by the contract.
    Elsewhere {
        /// The name of the event.
        event: &'a str,
    },
    /// It received an event as which audited messages arrive, and no stamp of this run was in it.
    Unstamped {
        /// In which namespace.
        namespace: &'a str,
        /// Which event.
        heard_as: u16,
    },
}
