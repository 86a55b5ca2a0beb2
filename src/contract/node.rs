//! How a client learns which node it got, where a balancer stands before the nodes.

use crate::document::schema::{self, Schema, Shape};
use crate::document::{Fields, Mistake, Node};
use crate::template::{Scope, Template};

/// The word that stands in the name of a node: the arguments of the event.
pub const WORD: &str = "args";

/// What tells a client the name of its node.
#[derive(Clone, Debug)]
pub enum NodeSign {
    /// A header of the answer to the handshake.
    Header(String),
    /// A cookie that the client has got.
    Cookie(String),
    /// An event, by its arguments.
    Event {
        /// The name of the event.
        event: String,
        /// The name of the node.
        name: Template,
    },
}

impl NodeSign {
    pub(super) fn read(node: &Node, scope: &mut Scope) -> Result<NodeSign, Mistake> {
        let fields = Fields::of(node, "what tells the node")?;
        let [header, cookie, event, name] =
            ["header", "cookie", "event", "name"].map(|key| fields.optional(key));
        fields.deny_others()?;
        let sign = match (header, cookie, event) {
            (Some(header), None, None) => NodeSign::Header(header.word()?.to_owned()),
            (None, Some(cookie), None) => NodeSign::Cookie(cookie.word()?.to_owned()),
            (None, None, Some(event)) => {
                let name = name.ok_or_else(|| {
                    node.mistake("nothing says where the event has the name of the node")
                        .hint("add `name: \"${args[0].node}\"`")
                })?;
                let name = scope.with_words(&[WORD], |scope| Template::compile_text(name, scope))?;
                return Ok(NodeSign::Event { event: event.word()?.to_owned(), name });
            }
            _ => {
                return Err(node.mistake("one thing tells the node").hint(
                    "write `{ header: X-Node }`, `{ cookie: SERVERID }` or `{ event: welcome, name: … }`",
                ));
            }
        };
        match name {
            Some(name) => Err(name.mistake("`name` belongs to an event").hint("leave it out")),
            None => Ok(sign),
        }
    }
}

/// What `node` takes.
pub(super) fn schema() -> Schema {
    Shape::new("What tells a client behind a balancer which node it got: one of the three.")
        .takes("header", schema::text(), "A header of the answer to the handshake.")
        .takes("cookie", schema::text(), "A cookie that the balancer sets.")
        .takes("event", schema::text(), "An event that each client gets after it has connected.")
        .takes("name", schema::text(), "The name of the node in the event: `${args[0].node}`.")
        .schema()
}
