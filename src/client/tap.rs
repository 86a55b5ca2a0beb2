//! The wire log: what a client sent and received, in words.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use crate::protocol::dialect::Parser;
use crate::protocol::msgpack;
use crate::protocol::websocket::Message as Frame;
use crate::session::{Channel, HangUp, RawFrame, Request, Wire};
use crate::step::WireLog;

/// A frame in the words of the wire log.
pub(super) fn shown<'f>(frame: &'f Frame<'_>, parser: Parser) -> Cow<'f, str> {
    match frame {
        Frame::Text(text) => Cow::Borrowed(text),
        Frame::Binary(bytes) => shown_bytes(bytes, parser).into(),
        Frame::Ping(_) => "(websocket ping)".into(),
        Frame::Pong(_) => "(websocket pong)".into(),
        Frame::Close { code: Some(code), reason } => format!("(websocket close {code} {reason})").into(),
        Frame::Close { code: None, .. } => "(websocket close)".into(),
    }
}

/// Bytes of a message, which the parser may know how to show.
fn shown_bytes(bytes: &[u8], parser: Parser) -> String {
    match parser {
        Parser::Msgpack => msgpack::shown(bytes).map(|packet| format!("(msgpack) {packet}")),
        Parser::Default => None,
    }
    .unwrap_or_else(|| format!("({} bytes)", bytes.len()))
}

/// Writes down what passes.
pub(super) struct Tap<'a> {
    pub(super) wire: &'a mut dyn Wire,
    pub(super) log: Rc<RefCell<WireLog>>,
    pub(super) now: Instant,
    pub(super) parser: Parser,
}

impl Tap<'_> {
    fn note(&self, text: &str) {
        self.log.borrow_mut().note(self.now, true, text);
    }
}

impl Wire for Tap<'_> {
    fn head_for(&mut self, node: u16) {
        self.note(&format!("(from here on at node {node}, counted from 0)"));
        self.wire.head_for(node);
    }

    fn dial(&mut self, channel: Channel, target: &str, headers: &[(String, String)]) {
        let method = if channel == Channel::WebTransport { "CONNECT" } else { "GET" };
        self.note(&format!("{method} {target} ({channel})"));
        self.wire.dial(channel, target, headers);
    }

    fn text(&mut self, channel: Channel, parts: &[&str]) {
        let text = parts.concat();
        self.note(&text);
        self.log.borrow().note_sent(self.now, |sent, at| sent.framed(at, channel, &text));
        self.wire.text(channel, parts);
    }

    fn binary(&mut self, channel: Channel, payload: &[u8]) {
        self.note(&shown_bytes(payload, self.parser));
        self.wire.binary(channel, payload);
    }

    fn frame(&mut self, channel: Channel, frame: &RawFrame) {
        self.note(&format!("(raw frame {:?}, {} bytes)", frame.opcode, frame.payload.len()));
        self.wire.frame(channel, frame);
    }

    fn request(&mut self, channel: Channel, request: Request<'_>) {
        let body = request.body.map(String::from_utf8_lossy).unwrap_or_default();
        self.note(&format!("{channel} {} {} {body}", request.method, request.target));
        self.log.borrow().note_sent(self.now, |sent, at| sent.posted(at, channel, &body));
        self.wire.request(channel, request);
    }

    fn rest(&mut self, channel: Channel, bytes: &[u8]) {
        self.note(&format!("{channel} (the last {} bytes)", bytes.len()));
        self.wire.rest(channel, bytes);
    }

    fn hang_up(&mut self, channel: Channel, how: HangUp) {
        self.wire.hang_up(channel, how);
    }

    fn pause(&mut self, channel: Channel, paused: bool) {
        self.wire.pause(channel, paused);
    }
}
