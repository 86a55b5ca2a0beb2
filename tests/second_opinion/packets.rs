//! The packet codecs against the official `socket.io-parser` and `engine.io-parser`, through one Node process for each
//! test, which is asked by lines.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use serde_json::{Map, Value as Json, json};
use sockrates::protocol::attachments::Assembler;
use sockrates::protocol::engine_io::{self, Packet as EnginePacket};
use sockrates::protocol::payload;
use sockrates::protocol::socket_io::{self, Kind, Packet};

use crate::peers;

/// Names that the official parser keeps for itself.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A Socket.IO packet as an application means it: bytes stand in the data as `{ "$b64": "…" }`, as they do on the line
/// to the parser. Its kind is never a binary one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Meant {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Option<Json>,
}

#[test]
fn the_official_parser_reads_the_packets_that_we_write() {
    examine(&meant(), |parser, meant| {
        let (text, attachments) = written(&meant);
        let read = parser.read(&text, &attachments);
        prop_assert_eq!(read, Ok(meant.plain()), "{}", text);
        Ok(())
    });
}

#[test]
fn we_read_the_packets_that_the_official_parser_writes() {
    examine(&meant(), |parser, meant| {
        let messages = parser.ask("encode", &meant.as_json()).expect("it writes every packet");
        let (text, attachments) = messages.as_array().and_then(|all| all.split_first()).expect("a list");
        let text = text.as_str().expect("the text comes first");
        let packet = socket_io::examine(text).expect("the official parser breaks no rule");
        prop_assert_eq!(read(&packet, attachments), meant.plain(), "{}", text);
        Ok(())
    });
}

/// The other way round it takes more than we do: see [`where_the_parsers_differ_is_known`].
#[test]
fn what_we_call_correct_after_some_damage_the_official_parser_reads_alike() {
    let alphabet: Vec<char> = "0123456/,-[]{}\"a: é".chars().collect();
    let damage = (any::<Index>(), 0..3_u8, prop::sample::select(alphabet));
    examine(&(meant(), damage), |parser, (meant, (at, how, new))| {
        let (text, attachments) = written(&meant);
        let mut letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len());
        match how {
            0 => _ = letters.remove(at),
            1 => letters.insert(at, new),
            _ => letters[at] = new,
        }
        let text: String = letters.into_iter().collect();
        if let Ok(packet) = socket_io::examine(&text)
            && packet.attachments as usize == attachments.len()
        {
            prop_assert_eq!(parser.read(&text, &attachments), Ok(read(&packet, &attachments)), "{}", text);
        }
        Ok(())
    });
}

#[test]
fn where_the_parsers_differ_is_known() {
    let Some(mut parser) = Parser::start() else { return };
    let we_take = [
        // Their emitter has events of its own; the protocol reserves no names.
        r#"2["connect"]"#,
        r#"2["newListener"]"#,
        // No more than the first character of the payload is looked at, until somebody examines it.
        r#"2[true]"#,
        r#"2["a""#,
        r#"50-["a"]"#,
    ];
    let they_take = [
        // An acknowledgement without an id acknowledges nothing.
        r#"3["a"]"#,
        // A blank is a number in JavaScript, so this has the id 0.
        r#"2 ["a"]"#,
    ];
    let cases = we_take.map(|text| (text, true)).into_iter().chain(they_take.map(|text| (text, false)));
    for (text, ours) in cases {
        assert_eq!(socket_io::decode(text).is_ok(), ours, "we, {text}");
        assert_eq!(parser.ask("decode", &json!([text])).is_ok(), !ours, "they, {text}");
    }
}

#[test]
fn single_engine_packets_are_spelled_alike_and_read_alike() {
    examine(&engine_packet("\\PC{0,40}"), |parser, packet| {
        let mut text = String::new();
        payload::append(&packet.ours(), &mut text);
        prop_assert_eq!(parser.ask("encodeEngine", &packet.theirs()), Ok(Json::from(text.clone())));
        prop_assert_eq!(parser.ask("decodeEngine", &Json::from(text)), Ok(packet.theirs()));
        Ok(())
    });
}

#[test]
fn payloads_are_spelled_alike_and_read_alike() {
    let packets = prop::collection::vec(engine_packet("[^\u{1e}]{0,40}"), 1..8);
    examine(&packets, |parser, packets| {
        let mut body = String::new();
        packets.iter().for_each(|packet| payload::append(&packet.ours(), &mut body));
        let theirs: Json = packets.iter().map(Said::theirs).collect();
        prop_assert_eq!(parser.ask("encodePayload", &theirs), Ok(Json::from(body.clone())));
        prop_assert_eq!(parser.ask("decodePayload", &Json::from(body.clone())), Ok(theirs));
        let ours: Vec<_> = payload::packets(&body).collect();
        prop_assert_eq!(ours, packets.iter().map(|packet| Ok(packet.ours())).collect::<Vec<_>>());
        Ok(())
    });
}

#[test]
fn of_an_unknown_type_nobody_makes_a_packet() {
    let Some(mut parser) = Parser::start() else { return };
    for text in ["", "7", "9probe", "x", "é", "[]"] {
        assert!(engine_io::decode_text(text).is_err(), "we, {text}");
        let read = parser.ask("decodeEngine", &json!(text)).expect("it answers");
        assert_eq!(read["type"], "error", "they, {text}");
    }
}

// ---- what is meant ----------------------------------------------------------------------------------------------

pub(crate) fn meant() -> impl Strategy<Value = Meant> {
    let namespace = || prop_oneof![2 => Just("/".to_owned()), 3 => "/[a-z0-9/_é?=&-]{0,12}"];
    let id = || prop_oneof![0..20_u64, 0..1_u64 << 49];
    let name = prop_oneof![4 => "\\PC{0,12}".prop_map(Json::from), 1 => any::<i32>().prop_map(Json::from)];
    let name =
        name.prop_filter("reserved", |name| !name.as_str().is_some_and(|name| RESERVED.contains(&name)));
    let object = || prop::collection::vec(("[a-z é\"\\\\]{0,4}", value(false)), 0..4).prop_map(object_of);
    let arguments = || prop::collection::vec(value(true), 0..4);
    prop_oneof![
        1 => (namespace(), prop::option::of(object()))
            .prop_map(|(namespace, data)| Meant { kind: Kind::Connect, namespace, id: None, data }),
        1 => namespace().prop_map(|namespace| Meant { kind: Kind::Disconnect, namespace, id: None, data: None }),
        1 => (namespace(), object())
            .prop_map(|(namespace, data)| Meant { kind: Kind::ConnectError, namespace, id: None, data: Some(data) }),
        5 => (namespace(), prop::option::of(id()), name, arguments()).prop_map(|(namespace, id, name, arguments)| {
            let data = Some(std::iter::once(name).chain(arguments).collect());
            Meant { kind: Kind::Event, namespace, id, data }
        }),
        3 => (namespace(), id(), arguments()).prop_map(|(namespace, id, arguments)| {
            Meant { kind: Kind::Ack, namespace, id: Some(id), data: Some(arguments.into()) }
        }),
    ]
}

fn object_of(entries: Vec<(String, Json)>) -> Json {
    Json::Object(entries.into_iter().collect::<Map<_, _>>())
}

/// A value of JSON, with bytes in it or without.
fn value(with_bytes: bool) -> BoxedStrategy<Json> {
    let bytes = prop::collection::vec(any::<u8>(), 0..20).prop_map(bytes_of);
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::from),
        2 => any::<i32>().prop_map(Json::from),
        // Exact in any reader, and spelled differently by some.
        1 => any::<i32>().prop_map(|number| Json::from(f64::from(number) / 8.0)),
        1 => prop::sample::select(vec![1e21, 1e-7, -0.0, 9_007_199_254_740_991.0]).prop_map(Json::from),
        3 => "\\PC{0,12}".prop_map(Json::from),
        1 => "[\u{0}-\u{1f}\"\\\\/\u{7f}\u{2028}]{0,6}".prop_map(Json::from),
        if with_bytes { 3 } else { 0 } => bytes,
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            // Digits as keys come first in JavaScript, wherever they stand.
            prop::collection::vec(("[a-z é\"\\\\]{0,4}", inner), 0..4).prop_map(object_of),
        ]
    })
    .boxed()
}

pub(crate) fn bytes_of(bytes: impl AsRef<[u8]>) -> Json {
    json!({ "$b64": STANDARD.encode(bytes) })
}

impl Meant {
    /// As the official parsers take it.
    pub(crate) fn as_json(&self) -> Json {
        let mut packet = json!({ "type": self.kind as u8, "nsp": self.namespace });
        if let Some(id) = self.id {
            packet["id"] = json!(id);
        }
        if let Some(data) = &self.data {
            packet["data"] = data.clone();
        }
        packet
    }

    /// The same with its numbers as JavaScript has them.
    pub(crate) fn plain(&self) -> Meant {
        Meant { data: self.data.as_ref().map(plain), ..self.clone() }
    }
}

fn plain(value: &Json) -> Json {
    match value {
        // Zero has no sign in JSON.stringify.
        Json::Number(number) => Json::from(number.as_f64().expect("a double") + 0.0),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        other => other.clone(),
    }
}

/// An Engine.IO packet.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Text(&'static str, String),
    Bare(&'static str),
    Bytes(Vec<u8>),
}

pub(crate) fn engine_packet(text: &'static str) -> impl Strategy<Value = Said> {
    prop_oneof![
        3 => (prop::sample::select(vec!["open", "ping", "pong", "message"]), text)
            .prop_map(|(kind, text)| Said::Text(kind, text)),
        1 => prop::sample::select(vec!["close", "upgrade", "noop"]).prop_map(Said::Bare),
        2 => prop::collection::vec(any::<u8>(), 0..80).prop_map(Said::Bytes),
    ]
}

impl Said {
    pub(crate) fn ours(&self) -> EnginePacket<'_> {
        match self {
            Said::Text("open", text) => EnginePacket::Open(text),
            Said::Text("ping", text) => EnginePacket::Ping(text),
            Said::Text("pong", text) => EnginePacket::Pong(text),
            Said::Text(_, text) => EnginePacket::Text(text),
            Said::Bare("close") => EnginePacket::Close,
            Said::Bare("upgrade") => EnginePacket::Upgrade,
            Said::Bare(_) => EnginePacket::Noop(""),
            Said::Bytes(bytes) => EnginePacket::Binary(Cow::Borrowed(bytes)),
        }
    }

    /// As their parser has it, without data where that is empty.
    pub(crate) fn theirs(&self) -> Json {
        match self {
            Said::Text(kind, text) if !text.is_empty() => json!({ "type": kind, "data": text }),
            Said::Text(kind, _) | Said::Bare(kind) => json!({ "type": kind }),
            Said::Bytes(bytes) => json!({ "type": "message", "data": bytes_of(bytes) }),
        }
    }
}

// ---- who writes and who reads -----------------------------------------------------------------------------------

/// A packet as we write it: its text, and its attachments as they stand on the line to the parser.
pub(crate) fn written(meant: &Meant) -> (String, Vec<Json>) {
    let mut attachments = Vec::new();
    let data = meant.data.clone().map(|mut data| {
        detach(&mut data, &mut attachments);
        data.to_string()
    });
    let kind = match (meant.kind, attachments.is_empty()) {
        (Kind::Event, false) => Kind::BinaryEvent,
        (Kind::Ack, false) => Kind::BinaryAck,
        (kind, _) => kind,
    };
    let attached = attachments.len() as u32;
    let Meant { namespace, id, .. } = meant;
    let packet = Packet { kind, attachments: attached, namespace, id: *id, data: data.as_deref() };
    let mut text = String::new();
    packet.encode(&mut text);
    (text, attachments)
}

pub(crate) fn detach(value: &mut Json, attachments: &mut Vec<Json>) {
    if value.get("$b64").is_some() {
        let place = sockrates::protocol::placeholder(attachments.len());
        return attachments.push(std::mem::replace(value, place));
    }
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| detach(item, attachments)),
        Json::Object(entries) => entries.values_mut().for_each(|value| detach(value, attachments)),
        _ => {}
    }
}

/// What we make of a packet and its attachments.
pub(crate) fn read(packet: &Packet<'_>, attachments: &[Json]) -> Meant {
    let meant = |kind, namespace: &str, id, data: Option<&str>, attachments: &[Json]| {
        let mut data: Option<Json> = data.map(|data| serde_json::from_str(data).expect("examined JSON"));
        data.iter_mut().for_each(|data| attach(data, attachments));
        Meant { kind, namespace: namespace.to_owned(), id, data }.plain()
    };
    let kind = match packet.kind {
        Kind::BinaryEvent => Kind::Event,
        Kind::BinaryAck => Kind::Ack,
        kind => return meant(kind, packet.namespace, packet.id, packet.data, &[]),
    };
    let mut assembler = Assembler::new(1000, 1 << 20);
    let mut whole = assembler.begin(packet).expect("a header");
    for bytes in attachments {
        assert!(whole.is_none(), "it is whole before its last attachment");
        let bytes = STANDARD.decode(bytes["$b64"].as_str().expect("bytes")).expect("base64");
        whole = assembler.push(&bytes).expect("an attachment");
    }
    let whole = whole.expect("it is whole after its last attachment");
    let attachments: Vec<Json> = whole.attachments.iter().map(bytes_of).collect();
    meant(kind, &whole.namespace, whole.id, Some(&whole.data), &attachments)
}

pub(crate) fn attach(value: &mut Json, attachments: &[Json]) {
    if let Some(number) = sockrates::protocol::placeholder_num(value) {
        *value = attachments[number as usize].clone();
        return;
    }
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| attach(item, attachments)),
        Json::Object(entries) => entries.values_mut().for_each(|value| attach(value, attachments)),
        _ => {}
    }
}

/// Asks about so many generated values, where the parsers are here.
pub(crate) fn examine<S: Strategy>(values: &S, law: impl Fn(&mut Parser, S::Value) -> TestCaseResult) {
    let Some(parser) = Parser::start() else { return };
    examine_with(parser, values, law);
}

/// The same with this parser.
pub(crate) fn examine_with<S: Strategy>(
    parser: Parser,
    values: &S,
    law: impl Fn(&mut Parser, S::Value) -> TestCaseResult,
) {
    let parser = RefCell::new(parser);
    let config = Config { cases: 512, source_file: Some(file!()), ..Config::default() };
    if let Err(failed) = TestRunner::new(config).run(values, |value| law(&mut parser.borrow_mut(), value)) {
        panic!("{failed}");
    }
}

/// The Node process with the official parsers. It leaves when its standard input ends.
pub(crate) struct Parser {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Parser {
    pub(crate) fn start() -> Option<Parser> {
        peers::parsers().map(Parser::of)
    }

    pub(crate) fn of(mut command: Command) -> Parser {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node can be started");
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Parser { child, questions, answers }
    }

    /// Its answer, or why it refuses.
    pub(crate) fn ask(&mut self, question: &str, argument: &Json) -> Result<Json, String> {
        let questions = self.questions.as_mut().expect("it is piped");
        writeln!(questions, "{}", json!([question, argument])).expect("it listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        let mut answer: Json = serde_json::from_str(&line).expect("it answers in JSON");
        match answer["refused"].as_str() {
            Some(why) => Err(why.to_owned()),
            None => Ok(answer["answer"].take()),
        }
    }

    /// What it makes of a packet and its attachments, which has to be one packet.
    pub(crate) fn read(&mut self, text: &str, attachments: &[Json]) -> Result<Meant, String> {
        let messages: Json = std::iter::once(&Json::from(text)).chain(attachments).cloned().collect();
        let packets = self.ask("decode", &messages)?;
        let Some([packet]) = packets.as_array().map(Vec::as_slice) else {
            return Err(format!("it makes of it {packets}"));
        };
        let kind = packet["type"].as_u64().and_then(|kind| Kind::ALL.get(kind as usize)).expect("a type");
        Ok(Meant {
            kind: *kind,
            namespace: packet["nsp"].as_str().expect("a namespace").to_owned(),
            id: packet["id"].as_u64(),
            data: packet.get("data").map(plain),
        })
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
