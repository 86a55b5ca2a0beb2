//! The event by which an application answers a join or a leave that it does not acknowledge.

use crate::document::schema::{self, Schema, Shape};
use crate::document::{Fields, Mistake, Node, Value};
use crate::template::{Matcher, Scope, Template};

/// Which event says that a client has joined, or left.
#[derive(Clone, Debug)]
pub struct Confirmation {
    /// Its name.
    pub event: Template,
    /// Its arguments, where any would not do.
    pub args: Option<Matcher>,
    /// Whether they name the room: the server may know it by itself, and say which it was.
    pub names_room: bool,
}

impl Confirmation {
    pub(super) fn read(node: &Node, scope: &mut Scope) -> Result<Confirmation, Mistake> {
        let fields = Fields::of(node, "what confirms it")?;
        let event = Template::compile_text(fields.required("event")?, scope)?;
        let names_room = fields.optional("args").is_some_and(names_room);
        let args = fields.optional("args").map(|node| node.list().map(|_| Matcher::compile(node, scope)));
        let args = args.transpose()?.transpose()?;
        fields.deny_others()?;
        Ok(Confirmation { event, args, names_room })
    }

    /// The same with templates in the place of words.
    pub(super) fn bind(&self, words: &[(&str, &Template)]) -> Confirmation {
        Confirmation { event: self.event.bind(words), ..self.clone() }
    }
}

fn names_room(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => text.contains("${room"),
        Value::List(items) => items.iter().any(names_room),
        Value::Map(entries) => entries.iter().any(|(_, value)| names_room(value)),
        _ => false,
    }
}

/// What `confirmed_by` takes.
pub(super) fn schema() -> Schema {
    Shape::new("The event by which the application answers, where it does not acknowledge.")
        .needs("event", schema::text(), "The name of the event that the client itself gets.")
        .takes("args", schema::list(schema::named("matcher")), "Its arguments: a list of matchers.")
        .schema()
}
