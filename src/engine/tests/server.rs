//! A small Socket.IO server: it serves `/` alone, acknowledges each event that asks for it, and passes `say` on to everybody else as `said`.
//!
//! It is told what reaches it and says what it answers and when, so it serves in a simulation as well as on sockets.

use std::time::Duration;

use crate::protocol::websocket::{self, Opcode, accept_key};
use crate::transport::simulation::{Event, Heard, Reaction};

const OPEN: &str =
    r#"0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// See the module's head.
pub(super) struct Server<P> {
    /// How long after it has arrived an event is handled: the time of its arrival is the argument.
    pause: P,
    /// How much later than its sender the others hear of it.
    lag: Duration,
    connections: Vec<Connection>,
}

#[derive(Default)]
struct Connection {
    unread: Vec<u8>,
    is_upgraded: bool,
    has_joined: bool,
}

impl<P: FnMut(Duration) -> Duration> Server<P> {
    pub(super) fn new(pause: P) -> Server<P> {
        Server { pause, lag: Duration::ZERO, connections: Vec::new() }
    }

    /// One whose messages take this much longer to the others.
    pub(super) fn passing_on_after(self, lag: Duration) -> Server<P> {
        Server { lag, ..self }
    }

    /// What it answers to what has reached it at this time, by the connection of this number.
    pub(super) fn react(&mut self, at: Duration, number: usize, heard: Heard) -> Reaction {
        if self.connections.len() <= number {
            self.connections.resize_with(number + 1, Connection::default);
        }
        let mut reaction = Vec::new();
        match heard {
            Heard::Connect => reaction.push((number, Duration::ZERO, Event::Accepted { room: usize::MAX })),
            Heard::End { .. } => self.connections[number] = Connection::default(),
            Heard::Bytes(bytes) => {
                self.connections[number].unread.extend(bytes);
                while let Some(said) = self.connections[number].next() {
                    self.hear(at, number, said, &mut reaction);
                }
            }
        }
        reaction
    }

    fn hear(&mut self, at: Duration, number: usize, said: Said, reaction: &mut Reaction) {
        match said {
            Said::Request { key } => {
                let accept = accept_key(&key);
                let head = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                let bytes = [head.into_bytes(), frame(Opcode::Text, OPEN.as_bytes())].concat();
                reaction.push((number, Duration::ZERO, Event::Bytes(bytes)));
            }
            Said::Close => {
                let close = frame(Opcode::Close, &1000u16.to_be_bytes());
                reaction.push((number, Duration::ZERO, Event::Bytes(close)));
                reaction.push((number, Duration::ZERO, Event::End));
            }
            Said::Text(text) if text == "40" => {
                self.connections[number].has_joined = true;
                reaction.push((number, Duration::ZERO, tell(&format!(r#"40{{"sid":"s{number}"}}"#))));
            }
            Said::Text(text) if text.starts_with("40/") => {
                let after = (self.pause)(at);
                let namespace = text[2..].trim_end_matches(',');
                let refusal = format!(r#"44{namespace},{{"message":"Invalid namespace"}}"#);
                reaction.push((number, after, tell(&refusal)));
            }
            Said::Text(text) => {
                let Some(event) = text.strip_prefix("42") else { return };
                let after = (self.pause)(at);
                let id = event.bytes().take_while(u8::is_ascii_digit).count();
                let (id, data) = event.split_at(id);
                if let Some(arguments) = data.strip_prefix(r#"["say""#) {
                    let others = (0..self.connections.len()).filter(|other| *other != number);
                    let others = others.filter(|other| self.connections[*other].has_joined);
                    let lag = self.lag;
                    let said = tell(&format!(r#"42["said"{arguments}"#));
                    reaction.extend(others.map(|other| (other, after + lag, said.clone())));
                }
                if !id.is_empty() {
                    reaction.push((number, after, tell(&format!("43{id}[]"))));
                }
            }
        }
    }
}

enum Said {
    /// The request for a WebSocket, with its key.
    Request {
        key: String,
    },
    Text(String),
    Close,
}

impl Connection {
    /// The next thing that has arrived whole.
    fn next(&mut self) -> Option<Said> {
        if !self.is_upgraded {
            let end = self.unread.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
            let request: Vec<u8> = self.unread.drain(..end).collect();
            let request = String::from_utf8(request).expect("our requests are text");
            let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
            self.is_upgraded = true;
            return Some(Said::Request { key: key.expect("it asks for a WebSocket").to_owned() });
        }
        let (frame, taken) = websocket::parse(&self.unread, 1 << 20).expect("our frames are good")?;
        let mask = self.unread[taken - frame.payload.len() - 4..].first_chunk().copied();
        let (opcode, mut payload) = (frame.opcode, frame.payload.to_vec());
        websocket::apply_mask(&mut payload, mask.expect("our frames are masked"));
        self.unread.drain(..taken);
        Some(match opcode {
            Opcode::Close => Said::Close,
            _ => Said::Text(String::from_utf8(payload).expect("our texts are UTF-8")),
        })
    }
}

pub(super) fn tell(text: &str) -> Event {
    Event::Bytes(frame(Opcode::Text, text.as_bytes()))
}

fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    websocket::write(&mut out, true, 0, opcode, None, payload);
    out
}
