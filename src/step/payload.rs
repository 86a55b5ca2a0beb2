//! What a `broadcast` says: arguments that are written, or a text of so many bytes, which may be others each time.

use serde_json::Value as Json;

use super::event_template::Encoded;
use super::schema::{self, Schema, named};
use super::{Actor, Reading};
use crate::audit::stamp;
use crate::document::{Fields, Mistake, Node, Value};
use crate::template::{Distribution, Quantity, Template};
use crate::units;

/// The arguments as the contract may want them: all as a list, or one body.
pub(super) struct Content {
    pub args: Template,
    pub body: Template,
    /// What is put in for each message where [`FILLER`] stands.
    pub filler: Option<Filler>,
}

/// A text that has another length each time.
#[derive(Debug)]
pub(super) struct Filler {
    /// How long it is together with what stands before it.
    bytes: Distribution,
    before: u64,
}

/// What stands in an encoded message where a text of another length is put in each time.
const FILLER: &str = "~sockrates~filler~";

const SIZE: Quantity = Quantity {
    what: "the size",
    example: "200B",
    least: (stamp::LENGTH as u64, "a stamped payload has at least 32 bytes"),
    most: units::LARGEST,
};

/// The schema of the size of a text.
pub(super) fn size() -> Schema {
    schema::drawn(|| named("size"))
}

impl Content {
    pub(super) fn read(
        fields: &Fields<'_>,
        stamped: bool,
        reading: &mut Reading<'_>,
    ) -> Result<Content, Mistake> {
        let mut args: Vec<Node> = match fields.optional("args") {
            Some(node) => node.list()?.to_vec(),
            None => Vec::new(),
        };
        let span = fields.span();
        if let Some(node) = fields.optional("bytes") {
            let bytes = Distribution::read(node, &SIZE, &mut |node| reading.size(node))?;
            if !args.is_empty() {
                return Err(node
                    .mistake("`bytes` generates the payload, and `args` sets one")
                    .hint("keep one of them"));
            }
            return Ok(Content::made_up(bytes, if stamped { stamp::EMPTY } else { "" }));
        }
        let body = match args.first() {
            None => Template::from(Json::from(if stamped { stamp::EMPTY } else { "" })),
            Some(Node { span, value: Value::Text(text) }) if stamped => {
                let text = Value::Text(format!("{text} {}", stamp::EMPTY));
                Template::compile(&Node { span: *span, value: text }, reading.scope)?
            }
            Some(first) => Template::compile(first, reading.scope)?,
        };
        if stamped {
            args.push(Node { span, value: Value::Text(stamp::EMPTY.into()) });
        }
        let list = Node { span, value: Value::List(args) };
        Ok(Content { args: Template::compile(&list, reading.scope)?, body, filler: None })
    }

    /// A text of so many bytes that begins like this.
    fn made_up(bytes: Distribution, head: &str) -> Content {
        let (text, filler) = match bytes {
            Distribution::Always(bytes) => {
                (format!("{head}{}", "x".repeat((bytes as usize).saturating_sub(head.len()))), None)
            }
            bytes => (format!("{head}{FILLER}"), Some(Filler { bytes, before: head.len() as u64 })),
        };
        let body = Template::from(Json::from(text.clone()));
        Content { args: Template::from(Json::from(vec![text])), body, filler }
    }
}

impl Filler {
    /// The message with as many bytes as chance has it, wherever a filler stands.
    pub(super) fn put(&self, encoded: &Encoded, actor: &Actor<'_>) -> Encoded {
        put(encoded, actor.draw(&self.bytes).saturating_sub(self.before) as usize)
    }

    /// The size in words, to stand behind the name of an event.
    pub(super) fn words(&self) -> String {
        format!(" of {}", self.bytes.words(|bytes| bytes.to_string(), " bytes"))
    }
}

fn put(encoded: &Encoded, bytes: usize) -> Encoded {
    // Whole characters went out and whole ones came in.
    let data = String::from_utf8(fill(encoded.data.as_bytes(), bytes)).unwrap_or_default();
    let attachments = encoded.attachments.iter().map(|attachment| fill(attachment, bytes).into());
    Encoded { data, attachments: attachments.collect() }
}

fn fill(data: &[u8], bytes: usize) -> Vec<u8> {
    let mut filled = Vec::with_capacity(data.len() + bytes);
    let mut rest = 0;
    for place in memchr::memmem::find_iter(data, FILLER) {
        filled.extend_from_slice(&data[rest..place]);
        filled.resize(filled.len() + bytes, b'x');
        rest = place + FILLER.len();
    }
    filled.extend_from_slice(&data[rest..]);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filler_is_put_in_wherever_it_is_wanted_and_nothing_else_changes() {
        let attachments = vec![format!("a{FILLER}b").into()];
        let encoded =
            Encoded { data: format!(r#"["said","é{FILLER}",{{"body":"{FILLER}"}}]"#), attachments };
        assert_eq!(put(&encoded, 3).data, r#"["said","éxxx",{"body":"xxx"}]"#);
        assert_eq!(put(&encoded, 3).attachments, ["axxxb"]);
        assert_eq!(put(&encoded, 0).data, r#"["said","é",{"body":""}]"#);
    }

    #[test]
    fn no_text_of_a_scenario_looks_like_a_filler_or_a_stamp() {
        assert_eq!(stamp::Stamp::find(format!("{}{FILLER}", stamp::EMPTY).as_bytes()), None);
        assert_eq!(SIZE.least.0, stamp::LENGTH as u64);
    }
}
