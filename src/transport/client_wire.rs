//! The wire of one client: what its session says, put into the buffers of its connections.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::connection::{Asked, Connection, STALE};
use super::{Connections, Notice};
use crate::protocol::websocket::{self, Opcode};
use crate::protocol::{deflate, http};
use crate::session::{Channel, HangUp, Lost, RawFrame, Request, Wire};

/// The wire of one client.
pub struct ClientWire<'t> {
    pub(super) transport: &'t mut Connections,
    pub(super) client: u32,
}

impl ClientWire<'_> {
    fn open(&mut self, channel: Channel, asked: Option<Asked>) -> Option<usize> {
        self.hang_up(channel, HangUp::Clean);
        let transport = &mut *self.transport;
        transport.serial += 1;
        let opened = Connection::open(
            &transport.network,
            transport.peer(self.client),
            self.client,
            channel,
            transport.serial,
            asked,
        );
        match opened {
            Ok(connection) => {
                let place = transport.connections.insert(connection);
                transport.channels[self.client as usize].put(channel, place);
                Some(place)
            }
            Err(lost) => {
                transport.count_lost(&lost);
                transport.notices.push_back((self.client, Notice::Lost(channel, lost)));
                None
            }
        }
    }

    /// Sends a request once more, over a fresh connection.
    pub(super) fn repeat(&mut self, channel: Channel, request: &[u8]) {
        let Some(place) = self.open(channel, None) else { return };
        let Some(connection) = self.transport.connections.get_mut(place) else { return };
        connection.out().extend_from_slice(request);
        connection.requested("", 0, false, false);
        self.transport.mark(place);
    }

    fn websocket(&mut self, channel: Channel) -> Option<(&mut Connection, [u8; 4])> {
        let place = self.transport.place(self.client, channel)?;
        self.transport.mark(place);
        let mask = self.transport.chance.u32(..).to_ne_bytes();
        let connection = self.transport.connections.get_mut(place).filter(|c| c.is_websocket())?;
        Some((connection, mask))
    }

    fn send(&mut self, channel: Channel, place: usize, request: &http::Request<'_>) {
        let Some(connection) = self.transport.connections.get_mut(place) else { return };
        match http::write_request(connection.out(), request) {
            Ok(()) => self.transport.mark(place),
            Err(refused) => {
                self.transport.forget(place);
                let lost = Lost::Broken(format!("failed to {refused}"));
                self.transport.notices.push_back((self.client, Notice::Lost(channel, lost)));
            }
        }
    }
}

impl Wire for ClientWire<'_> {
    fn head_for(&mut self, node: u16) {
        let transport = &mut *self.transport;
        let (client, now) = (self.client as usize, transport.network.now());
        transport.nodes[client] = node;
        // What is kept alive leads to the node before.
        for place in transport.channels[client].places() {
            let connection = transport.connections.get_mut(place);
            if connection.is_some_and(|connection| connection.takes_requests(now, Duration::MAX)) {
                transport.forget(place);
            }
        }
    }

    fn dial(&mut self, channel: Channel, target: &str, headers: &[(String, String)]) {
        if channel == Channel::WebTransport {
            return self.transport.open_session(self.client, target, headers);
        }
        let mut nonce = [0u8; 16];
        self.transport.chance.fill(&mut nonce);
        let given = |name: &str| headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        let key = given("sec-websocket-key").map_or_else(|| STANDARD.encode(nonce), |(_, key)| key.clone());
        let compression = given(deflate::HEADER).is_some();
        let protocols = given(websocket::PROTOCOL).map(|(_, protocols)| protocols.clone());
        let asked = Asked { key: key.clone(), compression, protocols };
        let Some(place) = self.open(channel, Some(asked)) else { return };
        let authority = self.transport.peer(self.client).authority.clone();
        let mut all = vec![
            ("Host", authority.as_str()),
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", &key),
        ];
        all.retain(|(name, _)| given(name).is_none());
        all.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.send(channel, place, &http::Request { method: "GET", target, headers: &all, body: None });
    }

    fn text(&mut self, channel: Channel, parts: &[&str]) {
        if channel == Channel::WebTransport {
            return self.transport.say_packet(self.client, false, parts);
        }
        let Some((connection, mask)) = self.websocket(channel) else { return };
        connection.say(Opcode::Text, mask, parts);
    }

    fn binary(&mut self, channel: Channel, payload: &[u8]) {
        if channel == Channel::WebTransport {
            return self.transport.say_packet(self.client, true, &[payload]);
        }
        let Some((connection, mask)) = self.websocket(channel) else { return };
        connection.say(Opcode::Binary, mask, &[payload]);
    }

    fn frame(&mut self, channel: Channel, frame: &RawFrame) {
        let Some((connection, mask)) = self.websocket(channel) else { return };
        let mask = frame.masked.then_some(mask);
        websocket::write(connection.out(), frame.fin, frame.rsv, frame.opcode, mask, &frame.payload);
    }

    fn request(&mut self, channel: Channel, request: Request<'_>) {
        let now = self.transport.now();
        // A request that cannot be repeated goes over a connection of its own where the server is known to close others early.
        let is_careful =
            request.method != "GET" && self.transport.peer(self.client).closes_early.load(Ordering::Relaxed);
        let patience = match (request.same_connection, is_careful) {
            (true, _) => Duration::MAX,
            (false, true) => Duration::ZERO,
            (false, false) => STALE,
        };
        let open = self.transport.place(self.client, channel).filter(|place| {
            let connection = self.transport.connections.get_mut(*place);
            connection.is_some_and(|connection| connection.takes_requests(now, patience))
        });
        if open.is_none() && request.same_connection {
            let lost = Lost::Broken("it has ended after an earlier request".to_owned());
            return self.transport.notices.push_back((self.client, Notice::Lost(channel, lost)));
        }
        let Some(place) = open.or_else(|| self.open(channel, None)) else { return };
        let authority = self.transport.peer(self.client).authority.clone();
        let mut headers = Vec::with_capacity(request.headers.len() + 1);
        if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            headers.push(("Host", authority.as_str()));
        }
        headers.extend(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let Request { method, target, body, held, .. } = request;
        let is_last = headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && value.to_ascii_lowercase().contains("close")
        });
        let before = self.transport.connections.get_mut(place).map_or(0, |connection| connection.out().len());
        self.send(channel, place, &http::Request { method, target, headers: &headers, body });
        let Some(connection) = self.transport.connections.get_mut(place) else { return };
        if held > 0 {
            let out = connection.out();
            out.truncate(out.len().saturating_sub(held));
        }
        connection.requested(method, before, is_last, request.may_repeat);
    }

    fn rest(&mut self, channel: Channel, bytes: &[u8]) {
        // A server that did not want to wait for it may have closed the connection: its answer tells.
        let Some(place) = self.transport.place(self.client, channel) else { return };
        if let Some(connection) = self.transport.connections.get_mut(place) {
            connection.out().extend_from_slice(bytes);
            self.transport.mark(place);
        }
    }

    fn hang_up(&mut self, channel: Channel, how: HangUp) {
        if channel == Channel::WebTransport {
            return self.transport.end_session(self.client, how);
        }
        let Some(place) = self.transport.place(self.client, channel) else { return };
        let transport = &mut *self.transport;
        let Some(connection) = transport.connections.get_mut(place) else { return };
        transport.unreached += u64::from(connection.waits_for_tcp(transport.network.now()));
        match how {
            HangUp::Clean if connection.is_websocket() => {
                connection.say_close(1000, &mut transport.chance);
                return transport.mark(place);
            }
            HangUp::Clean => {
                // What is queued goes out first; a peer that does not take it loses it.
                let _ = connection.flush(&transport.network);
                connection.say_goodbye();
            }
            HangUp::Cut => connection.cut(),
        }
        transport.forget(place);
    }

    fn pause(&mut self, channel: Channel, paused: bool) {
        if channel == Channel::WebTransport {
            return self.transport.pause_session(self.client, paused);
        }
        let Some(place) = self.transport.place(self.client, channel) else { return };
        if let Some(connection) = self.transport.connections.get_mut(place) {
            connection.paused = paused;
            if !paused {
                self.transport.unread.push(place);
            }
        }
    }
}
