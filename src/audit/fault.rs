//! What the audit can find wrong with a delivery.

use serde::{Deserialize, Serialize};

/// What the audit of the deliveries can find wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Fault {
    /// A client that had to receive a message did not.
    Missing,
    /// A client received a message again.
    Duplicate,
    /// A client received messages of one sender in another order than they were sent in.
    Disordered,
    /// A client received a message that was not for it.
    Leaked,
}

impl Fault {
    /// Every fault, in the order in which reports list them.
    pub const ALL: [Fault; 4] = [Fault::Missing, Fault::Duplicate, Fault::Disordered, Fault::Leaked];

    /// The words for it in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Missing => "delivery missing",
            Fault::Duplicate => "delivery duplicate",
            Fault::Disordered => "delivery disordered",
            Fault::Leaked => "delivery leaked",
        }
    }
}

/// To whom a message leaked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Leak {
    /// To its own sender, which was to be left out.
    Sender,
    /// To a client of another namespace.
    Namespace,
    /// To a client in a room that was left out.
    Except,
    /// To a client that had left the room before.
    AfterLeave,
    /// To a client that joined the room after.
    BeforeJoin,
    /// To a client that was never in the room.
    Room,
    /// To anybody: the server had said that it refuses it.
    Refused,
    /// To anybody: no client of this run sent it.
    Nobody,
}

impl Leak {
    /// Every kind.
    pub const ALL: [Leak; 8] = [
        Leak::Sender,
        Leak::Namespace,
        Leak::Except,
        Leak::AfterLeave,
        Leak::BeforeJoin,
        Leak::Room,
        Leak::Refused,
        Leak::Nobody,
    ];

    /// In words, as in "leaked to the sender".
    pub fn words(self) -> &'static str {
        match self {
            Leak::Sender => "to the sender",
            Leak::Namespace => "to another namespace",
            Leak::Except => "to a room that was left out",
            Leak::AfterLeave => "after a leave",
            Leak::BeforeJoin => "before a join",
            Leak::Room => "to another room",
            Leak::Refused => "that the server refused",
            Leak::Nobody => "that nobody sent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_and_leaks_are_in_the_order_of_their_numbers() {
        assert!(Fault::ALL.iter().enumerate().all(|(index, fault)| *fault as usize == index));
        assert!(Leak::ALL.iter().enumerate().all(|(index, leak)| *leak as usize == index));
    }
}
