//! How much the audit could judge, and when that is enough for saying that nothing is wrong.

/// Below this share of decided pairs, that nothing was found wrong proves nothing.
pub const ENOUGH: f64 = 0.5;

/// How much the audit of some messages could judge. A pair is one message and one client. That a message must not arrive
/// at a client of another room says nothing of those in the room, so such pairs do not count here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Messages that were audited.
    pub messages: u64,
    /// Those of them of which the server said that it refuses them: that they are for nobody is certain.
    pub refused: u64,
    /// Pairs in which the client had to receive the message.
    pub expected: u64,
    /// Pairs in which it may have had to.
    pub undecided: u64,
    /// Of those that were expected, those from one node of the server to another, where several took part.
    pub between: Option<u64>,
    /// Clients that asked to join a room, were told nothing of it, and received none of what others received there then.
    pub unseen: u64,
    /// Clients that asked to leave a room, were told nothing of it, and went on to receive what was sent there.
    pub kept: u64,
}

/// Why deliveries of which none was found wrong are not judged all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gap {
    /// There was no message.
    NoMessage,
    /// Messages that were for nobody prove no delivery, unless the server said that they are for nobody.
    NobodyOwed {
        /// How many there were that it did not refuse.
        messages: u64,
    },
    /// Too little could be decided.
    TooLittle {
        /// How much, from 0 to 1.
        decided: f64,
        /// Of how many pairs.
        pairs: u64,
    },
    /// Nothing shows that some clients ever were where they asked to be.
    Unseen {
        /// How many there were.
        clients: u64,
    },
    /// Nothing shows that some clients had left where they received what they had asked to hear no more.
    Kept {
        /// How many there were.
        clients: u64,
    },
    /// The server has several nodes, and nothing that went from one to another could be decided.
    BetweenNodes,
}

impl Coverage {
    /// In how many pairs the client had to receive the message, or may have had to.
    pub fn pairs(&self) -> u64 {
        self.expected + self.undecided
    }

    /// Why less was judged than this share of the pairs. None where it was enough.
    pub fn gap(&self, least: f64) -> Option<Gap> {
        match (self.messages.saturating_sub(self.refused), self.pairs()) {
            (0, _) if self.messages == 0 => Some(Gap::NoMessage),
            (0, 0) => None,
            (messages, 0) => Some(Gap::NobodyOwed { messages }),
            (_, pairs) => {
                let decided = self.expected as f64 / pairs as f64;
                match self.between {
                    _ if decided < least => Some(Gap::TooLittle { decided, pairs }),
                    _ if self.unseen > 0 => Some(Gap::Unseen { clients: self.unseen }),
                    _ if self.kept > 0 => Some(Gap::Kept { clients: self.kept }),
                    Some(0) => Some(Gap::BetweenNodes),
                    _ => None,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(messages: u64, expected: u64, undecided: u64) -> Option<Gap> {
        Coverage { messages, refused: 0, expected, undecided, between: None, unseen: 0, kept: 0 }.gap(ENOUGH)
    }

    #[test]
    fn messages_that_were_all_refused_are_judged_and_prove_nothing_of_others() {
        let gap = |messages, refused, expected, undecided| {
            Coverage { messages, refused, expected, undecided, between: None, unseen: 0, kept: 0 }.gap(ENOUGH)
        };
        assert_eq!(gap(3, 3, 0, 0), None);
        assert_eq!(gap(3, 2, 1, 0), None);
        assert_eq!(gap(3, 2, 0, 0), Some(Gap::NobodyOwed { messages: 1 }));
        assert_eq!(gap(3, 2, 0, 5), Some(Gap::TooLittle { decided: 0.0, pairs: 5 }));
    }

    #[test]
    fn only_pairs_that_a_client_may_have_been_owed_decide_whether_deliveries_are_judged() {
        assert_eq!(gap(2, 20, 20), None);
        assert_eq!(gap(2, 19, 21), Some(Gap::TooLittle { decided: 0.475, pairs: 40 }));
        assert_eq!(gap(2, 0, 1), Some(Gap::TooLittle { decided: 0.0, pairs: 1 }));
        assert_eq!(gap(2, 0, 0), Some(Gap::NobodyOwed { messages: 2 }));
        assert_eq!(gap(0, 0, 0), Some(Gap::NoMessage));
    }

    #[test]
    fn a_client_that_nothing_shows_where_it_asked_to_be_keeps_deliveries_from_being_judged() {
        let gap = |expected, unseen| {
            Coverage { messages: 2, refused: 0, expected, undecided: 20, between: None, unseen, kept: 0 }
                .gap(ENOUGH)
        };
        assert_eq!((gap(20, 0), gap(20, 3)), (None, Some(Gap::Unseen { clients: 3 })));
        assert_eq!(gap(5, 3), Some(Gap::TooLittle { decided: 0.2, pairs: 25 }));
    }

    #[test]
    fn a_client_that_may_have_been_kept_where_it_asked_to_leave_keeps_deliveries_from_being_judged() {
        let coverage = Coverage {
            messages: 2,
            refused: 0,
            expected: 20,
            undecided: 2,
            between: None,
            unseen: 0,
            kept: 2,
        };
        assert_eq!(coverage.gap(ENOUGH), Some(Gap::Kept { clients: 2 }));
    }

    #[test]
    fn deliveries_within_each_node_prove_nothing_of_those_between_nodes() {
        let gap = |between| {
            Coverage { messages: 2, refused: 0, expected: 20, undecided: 0, between, unseen: 0, kept: 0 }
                .gap(ENOUGH)
        };
        assert_eq!((gap(None), gap(Some(0)), gap(Some(1))), (None, Some(Gap::BetweenNodes), None));
    }
}
