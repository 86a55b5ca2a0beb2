//! The event by which an application tells a client that it is ready, where it registers its handlers some time after it has let the
//! client in: what a client sends before is lost.

use crate::document::schema::{self, Schema, Shape};
use crate::document::{Fields, Mistake, Node};
use crate::template::{Matcher, Scope};

/// Which event says so.
#[derive(Clone, Debug)]
pub struct ReadyRule {
    /// Its name.
    pub event: String,
    /// Its arguments, where any would not do.
    pub args: Option<Matcher>,
    /// The namespace in which clients are told so, where it is not each.
    pub namespace: Option<String>,
}

impl ReadyRule {
    pub(super) fn read(node: &Node, scope: &mut Scope) -> Result<ReadyRule, Mistake> {
        let fields = Fields::of(node, "what tells that the server is ready")?;
        let event = fields.required("event")?.word()?.to_owned();
        let args = fields.optional("args").map(|node| node.list().map(|_| Matcher::compile(node, scope)));
        let args = args.transpose()?.transpose()?;
        let namespace = fields.optional("namespace").map(namespace).transpose()?;
        fields.deny_others()?;
        Ok(ReadyRule { event, args, namespace })
    }
}

fn namespace(node: &Node) -> Result<String, Mistake> {
    let name = node.word()?;
    match name.starts_with('/') {
        true => Ok(name.to_owned()),
        false => Err(node.mistake(format!("`{name}` is no namespace")).hint("write it like `/chat`")),
    }
}

/// What `ready` takes.
pub(super) fn schema() -> Schema {
    Shape::new("What tells a client that the server handles its events from now on.")
        .needs("event", schema::word(), "The name of the event that each client gets after it has connected.")
        .takes("args", schema::list(schema::named("matcher")), "Its arguments: a list of matchers.")
        .takes(
            "namespace",
            schema::fitting("^/"),
            "The namespace in which clients get it; else each that they connect to.",
        )
        .schema()
}
