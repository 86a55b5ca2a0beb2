//! How a client learns which node it got, where a balancer stands before the nodes.

use crate::document::schema::{self, Schema, Shape};
use crate::document::{Fields, Mistake, Node};
use crate::template::{Scope, Template};

/// The word that stands in the name of a node: the arguments of the event.
pub const WORD: &str = "args";

/// The most nodes that are told apart.
pub const MOST_LEARNED: usize = 16;

/// The longest name of a node, in characters.
const LONGEST: usize = 64;

/// Whether a node can be called so: what a server says is shown to people.
pub fn is_node_name(name: &str) -> bool {
    let is_printable = |c: char| c.is_alphanumeric() || c.is_ascii_graphic();
    !name.is_empty() && name.chars().count() <= LONGEST && name.chars().all(is_printable)
}

/// How a client learns which node it got.
#[derive(Clone, Debug)]
pub struct NodeRule {
    /// What tells it.
    pub sign: NodeSign,
    /// The names of all nodes, where the contract says them: then everybody who plays clients numbers them alike.
    pub names: Vec<String>,
}

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

impl NodeRule {
    pub(super) fn read(node: &Node, scope: &mut Scope) -> Result<NodeRule, Mistake> {
        let fields = Fields::of(node, "what tells the node")?;
        let keys = ["header", "cookie", "event", "name"].map(|key| fields.optional(key));
        let names = fields.optional("names");
        fields.deny_others()?;
        let names = names.map(read_names).transpose()?.unwrap_or_default();
        Ok(NodeRule { sign: NodeSign::read(node, keys, scope)?, names })
    }
}

fn read_names(node: &Node) -> Result<Vec<String>, Mistake> {
    let mut names: Vec<String> = Vec::new();
    for item in node.items() {
        let name = item.word()?;
        if !is_node_name(name) {
            let message =
                format!("no node is called so: a name has at most {LONGEST} characters and no blanks");
            return Err(item.mistake(message));
        }
        if names.iter().any(|known| known == name) {
            return Err(item.mistake(format!("two nodes are called `{name}`")));
        }
        names.push(name.to_owned());
    }
    match names.len() {
        2..=MOST_LEARNED => Ok(names),
        _ => Err(node
            .mistake(format!("these are the names of 2 to {MOST_LEARNED} nodes"))
            .hint("write `names: [a, b]`, or leave it out: clients learn the names")),
    }
}

impl NodeSign {
    fn read(
        node: &Node,
        [header, cookie, event, name]: [Option<&Node>; 4],
        scope: &mut Scope,
    ) -> Result<NodeSign, Mistake> {
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
        .takes("names", schema::list(schema::text()), "The names of all nodes, which several machines need.")
        .schema()
}
