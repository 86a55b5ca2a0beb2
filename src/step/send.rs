//! `send`: any text or bytes as one Engine.IO frame (WebSocket) or payload item (polling), legal or not.

use serde_json::Value as Json;

use super::schema::{self, Schema, named};
use super::{Cx, Progress, Reading, Step};
use crate::document::{Mistake, Node, Value};
use crate::template::{Template, binary::Binary};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    if !matches!(node.value, Value::Text(_) | Value::Map(_)) {
        return Err(node
            .mistake(format!("expected text or bytes, found {}", node.describe()))
            .hint("write `\"42[\\\"hello\\\"]\"` or `{ $hex: \"0102\" }`"));
    }
    let template = Template::compile(node, reading.scope)?;
    if template.fixed().is_some_and(|value| !value.is_string() && Binary::of(value).is_none()) {
        return Err(node
            .mistake(format!("expected text or bytes, found {}", node.describe()))
            .hint("`send` sends a raw frame; an event is sent by `emit: { event: … }`"));
    }
    Ok(Box::new(Send(template)))
}

pub(super) fn schema() -> Schema {
    schema::told(
        schema::either([schema::text(), named("bytes")]),
        "Any text or bytes as one Engine.IO frame, legal or not.",
    )
}

#[derive(Debug)]
struct Send(Template);

impl Step for Send {
    fn words(&self) -> String {
        match self.0.fixed() {
            Some(Json::String(_)) => format!("sends the frame {:?}", self.0.in_words()),
            Some(value) => format!("sends the frame {value}"),
            None => "sends a frame".into(),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        if !cx.actor.session.is_open() {
            let why = cx.why_not_connected("/");
            cx.fail("to send a frame", why);
            return Progress::Done;
        }
        cx.act_by_hand();
        match self.0.render(cx.actor) {
            Ok(Json::String(text)) => {
                cx.actor.signs.note_sent(&text, |namespace| cx.actor.session.is_connected(namespace));
                cx.actor.session.send_raw(cx.wire, &text);
            }
            Ok(value) => match Binary::of(&value) {
                Some(Binary::Given(bytes)) => cx.actor.session.send_raw_binary(cx.wire, &bytes),
                Some(Binary::Generated(length)) => {
                    cx.actor.session.send_raw_binary(cx.wire, &vec![0x5a; length]);
                }
                None => cx.fail("text or bytes to send", value.to_string()),
            },
            Err(why) => cx.fail("text or bytes to send", why),
        }
        Progress::Done
    }

    fn judges(&self) -> bool {
        false
    }
}
