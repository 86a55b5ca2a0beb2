//! The rooms into which the server puts every client that connects.

use crate::document::{Mistake, Node};
use crate::template::{Scope, Template};

/// The words that may stand in the name of such a room: what the client has sent with CONNECT, and the query parameters of its
/// connection.
pub const WORDS: [&str; 2] = ["auth", "query"];

/// A room in which every client is whose values are known.
#[derive(Clone, Debug)]
pub struct StandingRoom {
    /// Its name.
    pub name: Template,
    /// The client's own values that stand in it, by their slots.
    pub slots: Vec<usize>,
}

impl StandingRoom {
    /// All of a contract. The values of clients that the script keeps may stand in them, so it has been read before.
    pub(super) fn read_all(node: &Node, scope: &mut Scope) -> Result<Vec<StandingRoom>, Mistake> {
        // Who has no value is in no such room.
        let acting = scope.acting().to_vec();
        scope.act(&[]);
        let rooms = scope.with_words(&WORDS, |scope| {
            let room = |node: &Node| {
                let name = Template::compile_text(node, scope)?;
                Ok(StandingRoom { slots: name.slots(), name })
            };
            node.list()?.iter().map(room).collect()
        });
        scope.act(&acting);
        rooms
    }
}
