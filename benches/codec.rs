//! What one packet costs: every kind, both directions, without IO.
//!
//! `cargo bench --bench codec`. The time of one iteration is the time of one packet. Encoders write into a buffer
//! that is kept, as a worker does.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sockrates::protocol::attachments::Assembler;
use sockrates::protocol::http::{Request, Responses, write_request};
use sockrates::protocol::websocket::{self, Messages, Opcode};
use sockrates::protocol::{engine_io, payload, socket_io};

/// A stamp, as the delivery audit sends it, inside an event of about a hundred bytes.
const EVENT: &str =
    r#"2["said",{"room":"lobby","text":"s1.00042.000017.1700000000000000 and some words that were said"}]"#;

/// Every kind of Socket.IO packet, as it stands in an Engine.IO message.
const SOCKET_IO: [(&str, &str); 9] = [
    ("connect", r#"0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}"#),
    ("disconnect", "1/admin,"),
    ("event", EVENT),
    ("event in a namespace", r#"2/chat,["said",{"room":"lobby","text":"hello"}]"#),
    ("event with id", r#"2127["said",{"room":"lobby","text":"hello"}]"#),
    ("ack", r#"3127[{"ok":true}]"#),
    ("connect error", r#"4{"message":"Not authorized"}"#),
    ("binary event", r#"51-["said",{"_placeholder":true,"num":0}]"#),
    ("binary ack", r#"61-127[{"_placeholder":true,"num":0}]"#),
];

fn engine(c: &mut Criterion) {
    let packets = [
        ("open", r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#),
        ("close", "1"),
        ("ping", "2"),
        ("pong", "3probe"),
        ("message", EVENT),
        ("upgrade", "5"),
        ("noop", "6"),
    ];
    let mut group = c.benchmark_group("engine.io");
    for (name, text) in packets {
        let text = if name == "message" { format!("4{text}") } else { text.to_owned() };
        group.bench_function(BenchmarkId::new("decode", name), |b| {
            b.iter(|| engine_io::decode_text(black_box(&text)).is_ok());
        });
        let Ok(packet) = engine_io::decode_text(&text) else { continue };
        let mut out = String::new();
        group.bench_function(BenchmarkId::new("encode", name), |b| {
            b.iter(|| {
                out.clear();
                engine_io::encode_text(black_box(&packet), &mut out);
                black_box(out.len())
            });
        });
    }
    let handshake = r#"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,
        "pingTimeout":20000,"maxPayload":1000000}"#;
    group.bench_function("handshake", |b| {
        b.iter(|| engine_io::Handshake::decode(black_box(handshake)).is_ok());
    });
    group.finish();
}

fn payloads(c: &mut Criterion) {
    const PACKETS: usize = 100;
    let mut group = c.benchmark_group("payload of 100");
    group.throughput(Throughput::Elements(PACKETS as u64));
    let bytes = [7; 100];
    let kinds = [
        ("text", engine_io::Packet::Text(EVENT)),
        ("binary of 100 B", engine_io::Packet::Binary(Cow::Borrowed(&bytes[..]))),
    ];
    for (name, packet) in kinds {
        let mut body = String::new();
        group.bench_function(BenchmarkId::new("encode", name), |b| {
            b.iter(|| {
                body.clear();
                for _ in 0..PACKETS {
                    payload::append(black_box(&packet), &mut body);
                }
                black_box(body.len())
            });
        });
        group.bench_function(BenchmarkId::new("decode", name), |b| {
            b.iter(|| payload::packets(black_box(&body)).filter(Result::is_ok).count());
        });
    }
    group.finish();
}

fn socket(c: &mut Criterion) {
    let mut group = c.benchmark_group("socket.io");
    for (name, text) in SOCKET_IO {
        group.bench_function(BenchmarkId::new("decode", name), |b| {
            b.iter(|| socket_io::decode(black_box(text)).is_ok());
        });
        let Ok(packet) = socket_io::decode(text) else { continue };
        let mut out = String::new();
        group.bench_function(BenchmarkId::new("encode", name), |b| {
            b.iter(|| {
                out.clear();
                black_box(&packet).encode(&mut out);
                black_box(out.len())
            });
        });
    }
    group
        .bench_function("event name", |b| b.iter(|| socket_io::event_name(black_box(&EVENT[1..])).is_some()));
    group.bench_function("examine event", |b| b.iter(|| socket_io::examine(black_box(EVENT)).is_ok()));
    group.bench_function("assemble binary event of 100 B", |b| {
        let Ok(header) = socket_io::decode(SOCKET_IO[7].1) else { return };
        let mut assembler = Assembler::new(10, 1 << 20);
        b.iter(|| {
            let _ = assembler.begin(black_box(&header));
            assembler.push(black_box(&[7; 100])).is_ok()
        });
    });
    group.finish();
}

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("websocket");
    for length in [100, 16 * 1024] {
        let content = vec![b'x'; length];
        group.throughput(Throughput::Bytes(length as u64));
        let mut out = Vec::new();
        group.bench_function(BenchmarkId::new("write masked", length), |b| {
            b.iter(|| {
                out.clear();
                websocket::write(&mut out, true, 0, Opcode::Text, Some([1, 2, 3, 4]), black_box(&content));
                black_box(out.len())
            });
        });
        let mut masked = content.clone();
        group.bench_function(BenchmarkId::new("mask alone", length), |b| {
            b.iter(|| websocket::apply_mask(black_box(&mut masked), [1, 2, 3, 4]));
        });
        for (name, opcode) in [("read text", Opcode::Text), ("read binary", Opcode::Binary)] {
            let mut frame = Vec::new();
            websocket::write(&mut frame, true, 0, opcode, None, &content);
            let mut messages = Messages::new();
            group.bench_function(BenchmarkId::new(name, length), |b| {
                b.iter(|| match websocket::parse(black_box(&frame), 1 << 20) {
                    Ok(Some((frame, _))) => messages.push(frame, 1 << 20).is_ok(),
                    _ => false,
                });
            });
        }
    }
    group.finish();
}

/// The hot path as a whole: an event of about a hundred bytes from the socket's buffer to its name, and back.
fn path(c: &mut Criterion) {
    let message = format!("4{EVENT}");
    let mut frame = Vec::new();
    websocket::write(&mut frame, true, 0, Opcode::Text, None, message.as_bytes());
    let mut messages = Messages::new();
    let mut group = c.benchmark_group("whole path");
    group.bench_function("event in", |b| {
        b.iter(|| {
            let Ok(Some((frame, _))) = websocket::parse(black_box(&frame), 1 << 20) else { return 0 };
            let Ok(Some(websocket::Message::Text(Cow::Borrowed(text)))) = messages.push(frame, 1 << 20)
            else {
                return 0;
            };
            let Ok(engine_io::Packet::Text(text)) = engine_io::decode_text(text) else { return 0 };
            let Ok(packet) = socket_io::decode(text) else { return 0 };
            packet.data.and_then(socket_io::event_name).map_or(0, |(name, _)| name.len())
        });
    });
    let Ok(packet) = socket_io::decode(EVENT) else { return };
    let (mut text, mut out) = (String::new(), Vec::new());
    group.bench_function("event out", |b| {
        b.iter(|| {
            text.clear();
            out.clear();
            text.push('4');
            black_box(&packet).encode(&mut text);
            websocket::write(&mut out, true, 0, Opcode::Text, Some([1, 2, 3, 4]), text.as_bytes());
            black_box(out.len())
        });
    });
    group.finish();
}

fn http(c: &mut Criterion) {
    let mut group = c.benchmark_group("http");
    let headers = [("Host", "127.0.0.1:3000"), ("Content-Type", "text/plain; charset=UTF-8")];
    let request = Request {
        method: "POST",
        target: "/socket.io/?EIO=4&transport=polling&sid=lv_VI97HAXpY6yYWAAAC",
        headers: &headers,
        body: Some(EVENT.as_bytes()),
    };
    let mut out = Vec::new();
    group.bench_function("write request", |b| {
        b.iter(|| {
            out.clear();
            write_request(&mut out, black_box(&request)).is_ok()
        });
    });
    let fields = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\ncache-control: no-store\r\n\
        Date: Mon, 02 Nov 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n";
    let sized = format!("{fields}Content-Length: {}\r\n\r\n{EVENT}", EVENT.len());
    let chunked =
        format!("{fields}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{EVENT}\r\n0\r\n\r\n", EVENT.len());
    for (name, response) in [("read sized", sized), ("read chunked", chunked)] {
        let mut responses = Responses::new(1 << 20);
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut input = black_box(response.as_bytes());
                responses.read(&mut input).is_ok_and(|response| response.is_some())
            });
        });
    }
    group.finish();
}

fn short() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = codec; config = short(); targets = engine, payloads, socket, frames, path, http }
criterion_main!(codec);
