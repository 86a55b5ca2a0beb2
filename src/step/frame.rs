//! `frame`: any WebSocket frame, legal or not (RFC 6455 section 5.2).

use super::{Beyond, Cx, Progress, Reading, Step};
use crate::document::{Fields, Mistake, Node, Value};
use crate::protocol::websocket::Opcode;
use crate::session::{Lane, RawFrame};
use crate::template::binary::Binary;

pub(super) fn read(node: &Node, _: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = Fields::of(node, "the step `frame`")?;
    let opcode = opcode(fields.required("opcode")?)?;
    let fin = fields.optional("fin").map_or(Ok(true), Node::bool)?;
    let masked = fields.optional("masked").map_or(Ok(true), Node::bool)?;
    let rsv = match fields.optional("rsv") {
        Some(node) => node.int_within(0..=7)? as u8,
        None => 0,
    };
    let payload = match fields.optional("payload") {
        None => Vec::new(),
        Some(node) => match (&node.value, Binary::of(&node.to_json())) {
            (Value::Text(text), _) => text.clone().into_bytes(),
            (_, Some(Binary::Given(bytes))) => bytes.to_vec(),
            (_, Some(Binary::Generated(length))) => vec![0x5a; length],
            _ => return Err(node.mistake(format!("expected text or bytes, found {}", node.describe()))),
        },
    };
    fields.deny_others()?;
    Ok(Box::new(Frame(RawFrame { fin, rsv, opcode, masked, payload })))
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

#[derive(Debug)]
struct Frame(RawFrame);

impl Step for Frame {
    fn beyond(&self) -> Vec<Beyond> {
        vec![Beyond::Frames]
    }

    fn words(&self) -> String {
        format!("sends a raw WebSocket frame ({:?}, {} bytes)", self.0.opcode, self.0.payload.len())
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        if !cx.actor.session.is_open() || cx.actor.session.is_polling() {
            let why = match cx.actor.session.is_open() {
                true => "the client uses polling".to_owned(),
                false => cx.why_not_connected("/"),
            };
            cx.fail("an open WebSocket", why);
            return Progress::Done;
        }
        cx.wire.frame(Lane::WebSocket, &self.0);
        Progress::Done
    }

    fn judges(&self) -> bool {
        false
    }
}
