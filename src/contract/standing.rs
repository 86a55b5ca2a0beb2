//! The rooms into which the server puts clients by itself.

use crate::document::schema::{self, Schema, Shape};
use crate::document::{Fields, Mistake, Node, Value};
use crate::template::{Scope, Template};

/// The words that may stand in the name of such a room: what the client has sent with CONNECT, and the query parameters of its
/// connection.
pub const WORDS: [&str; 2] = ["auth", "query"];

/// The word for the arguments of an event, beside those.
const ARGS: &str = super::node::WORD;

/// All that a contract names.
#[derive(Clone, Debug, Default)]
pub struct ServerRooms {
    /// Rooms in which every client is whose values are known.
    pub standing: Vec<StandingRoom>,
    /// What tells a client that it has come into rooms, or out of them.
    pub signs: Vec<RoomSign>,
}

/// A room in which every client is whose values are known.
#[derive(Clone, Debug)]
pub struct StandingRoom {
    /// Its name; a list names several.
    pub name: Template,
    /// The client's own values that stand in it, by their slots.
    pub slots: Vec<usize>,
}

/// An event that tells a client that the server has put it into rooms, or has taken it out of them.
#[derive(Clone, Debug)]
pub struct RoomSign {
    /// The name of the event.
    pub event: String,
    /// The name of the room; a list names several.
    pub name: Template,
    /// Whether the client comes in.
    pub enters: bool,
}

impl ServerRooms {
    /// All of a contract. The values of clients that the script keeps may stand in them, so it has been read before.
    pub(super) fn read(node: &Node, scope: &mut Scope) -> Result<ServerRooms, Mistake> {
        // Who has no value is in no such room.
        let acting = scope.acting().to_vec();
        scope.act(&[]);
        let mut rooms = ServerRooms::default();
        let read = node.list()?.iter().try_for_each(|room| rooms.add(room, scope));
        scope.act(&acting);
        read.map(|()| rooms)
    }

    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty() && self.signs.is_empty()
    }

    fn add(&mut self, room: &Node, scope: &mut Scope) -> Result<(), Mistake> {
        if !matches!(room.value, Value::Map(_)) {
            let name = scope.with_words(&WORDS, |scope| Template::compile_text(room, scope))?;
            self.standing.push(StandingRoom { slots: name.slots(), name });
            return Ok(());
        }
        let fields = Fields::of(room, "a room")?;
        let signs = [("entered", true), ("left", false)].map(|(key, enters)| (fields.optional(key), enters));
        fields.deny_others()?;
        if signs.iter().all(|(sign, _)| sign.is_none()) {
            return Err(room
                .mistake("nothing tells a client that it is in such a room")
                .hint("write `{ entered: { event: joined, name: \"${args[0].room}\" } }`"));
        }
        for (sign, enters) in signs {
            if let Some(sign) = sign {
                self.signs.push(RoomSign::read(sign, enters, scope)?);
            }
        }
        Ok(())
    }
}

impl RoomSign {
    fn read(node: &Node, enters: bool, scope: &mut Scope) -> Result<RoomSign, Mistake> {
        let fields = Fields::of(node, "what tells a room")?;
        let event = fields.required("event")?.word()?.to_owned();
        let name = fields.optional("name");
        fields.deny_others()?;
        let name = name.ok_or_else(|| {
            node.mistake("nothing says where the event has the name of the room")
                .hint("add `name: \"${args[0].room}\"`")
        })?;
        let words = [WORDS[0], WORDS[1], ARGS];
        let name = scope.with_words(&words, |scope| Template::compile_text(name, scope))?;
        Ok(RoomSign { event, name, enters })
    }
}

/// What `rooms` takes.
pub(super) fn schema() -> Schema {
    let sign = |about: &str| {
        Shape::new(about)
            .needs("event", schema::word(), "The name of the event that the client itself gets.")
            .needs(
                "name",
                schema::word(),
                "The name of the room in the event, or a list of names: `${args[0].room}`.",
            )
            .schema()
    };
    let told = Shape::new("Rooms of which the server tells the client by events.")
        .takes(
            "entered",
            sign("What tells a client that the server has put it into a room."),
            "The client is in a room.",
        )
        .takes(
            "left",
            sign("What tells a client that the server has taken it out of a room."),
            "It is there no longer.",
        );
    schema::list(schema::either([schema::word(), told.schema()]))
}
