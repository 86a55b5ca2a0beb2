//! What the audit of the deliveries found, in numbers and in words: its result, as verdict and reports take it.

use crate::threshold::Fault;

/// The result of an audit. A pair is one message and one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Pairs in which the client had to receive the message.
    pub expected: u64,
    /// Pairs in which it must not.
    pub forbidden: u64,
    /// Pairs that prove nothing: the message and a join, leave or disconnect were in flight together.
    pub undecided: u64,
    /// How often each fault was found, in the order of [`Fault::ALL`].
    pub faults: [u64; Fault::ALL.len()],
    /// The first few of each kind, one sentence each: who, which room, joined when, sent when, received when.
    pub offenders: Vec<String>,
}

impl Deliveries {
    /// How often this was found.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faults_are_in_the_order_of_their_numbers() {
        assert!(Fault::ALL.iter().enumerate().all(|(index, fault)| *fault as usize == index));
    }
}
