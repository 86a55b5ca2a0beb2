//! `frame`: any WebSocket frame, legal or not (RFC 6455 section 5.2).

use serde_json::Value as Json;

use super::schema::{self, Schema, Shape, named};
use super::{Cx, Progress, Reading, Step};
use crate::document::{Fields, Mistake, Node, Value};
use crate::protocol::websocket::Opcode;
use crate::session::{Channel, RawFrame};
use crate::template::{Template, binary::Binary};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = Fields::of(node, "the step `frame`")?;
    let opcode = opcode(fields.required("opcode")?)?;
    let fin = fields.optional("fin").map_or(Ok(true), Node::bool)?;
    let masked = fields.optional("masked").map_or(Ok(true), Node::bool)?;
    let rsv = match fields.optional("rsv") {
        Some(node) => node.int_within(0..=7)? as u8,
        None => 0,
    };
    let payload = match fields.optional("payload") {
        None => Template::from(Json::from("")),
        Some(node) => {
            let payload = Template::compile(node, reading.scope)?;
            if payload.fixed().is_some_and(|value| !value.is_string() && Binary::of(value).is_none()) {
                return Err(node.mistake(format!("expected text or bytes, found {}", node.describe())));
            }
            payload
        }
    };
    fields.deny_others()?;
    Ok(Box::new(Frame { frame: RawFrame { fin, rsv, opcode, masked, payload: Vec::new() }, payload }))
}

pub(super) fn schema() -> Schema {
    let opcodes = schema::words(["continuation", "text", "binary", "close", "ping", "pong"]);
    Shape::new("Any WebSocket frame, legal or not.")
        .needs("opcode", schema::either([opcodes, schema::whole(0..=15)]), "What kind of frame.")
        .takes("payload", schema::either([schema::text(), named("bytes")]), "Its payload: text or bytes.")
        .takes("fin", schema::flag(), "Whether it is the last of its message; else true.")
        .takes("masked", schema::flag(), "Whether it is masked; else true.")
        .takes("rsv", schema::whole(0..=7), "The reserved bits; else 0.")
        .schema()
}

fn opcode(node: &Node) -> Result<Opcode, Mistake> {
    const NAMES: [(&str, Opcode); 6] = [
        ("continuation", Opcode::Continuation),
        ("text", Opcode::Text),
        ("binary", Opcode::Binary),
        ("close", Opcode::Close),
        ("ping", Opcode::Ping),
        ("pong", Opcode::Pong),
    ];
    if let Value::Int(_) = node.value {
        return Ok(Opcode::from_bits(node.int_within(0..=15)? as u8));
    }
    let word = node.text()?;
    NAMES.iter().find(|(name, _)| *name == word).map(|(_, opcode)| *opcode).ok_or_else(|| {
        node.mistake(format!("unknown opcode `{word}`"))
            .did_you_mean(word, NAMES.iter().map(|(name, _)| *name))
    })
}

/// What a payload means in bytes.
fn bytes(payload: &Json) -> Result<Vec<u8>, String> {
    match (payload, Binary::of(payload)) {
        (Json::String(text), _) => Ok(text.clone().into_bytes()),
        (_, Some(Binary::Given(bytes))) => Ok(bytes.to_vec()),
        (_, Some(Binary::Generated(length))) => Ok(vec![0x5a; length]),
        (other, None) => Err(format!("{other} is neither")),
    }
}

#[derive(Debug)]
struct Frame {
    /// Without its payload.
    frame: RawFrame,
    payload: Template,
}

impl Step for Frame {
    fn words(&self) -> String {
        match self.payload.fixed() {
            None => format!("sends a raw WebSocket frame ({:?})", self.frame.opcode),
            Some(payload) => {
                let length = bytes(payload).map_or(0, |bytes| bytes.len());
                format!("sends a raw WebSocket frame ({:?}, {length} bytes)", self.frame.opcode)
            }
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let session = &cx.actor.session;
        let is_websocket = !session.is_polling() && session.stream() == Channel::WebSocket;
        if !session.is_open() || !is_websocket {
            let why = match (session.is_open(), session.is_polling()) {
                (true, true) => "the client uses polling".to_owned(),
                (true, false) => "the client uses WebTransport, which has no frames".to_owned(),
                (false, _) => cx.why_not_connected("/"),
            };
            cx.fail("an open WebSocket", why);
            return Progress::Done;
        }
        match self.payload.render(cx.actor).and_then(|value| bytes(&value)) {
            Err(why) => cx.fail("text or bytes to send", why),
            Ok(payload) => {
                cx.act_by_hand();
                if self.frame.opcode == Opcode::Text
                    && self.frame.fin
                    && let Ok(text) = std::str::from_utf8(&payload)
                {
                    cx.actor.session.note_raw(text);
                }
                cx.wire.frame(Channel::WebSocket, &RawFrame { payload, ..self.frame.clone() });
            }
        }
        Progress::Done
    }

    fn judges(&self) -> bool {
        false
    }
}
