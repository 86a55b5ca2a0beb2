//! What was otherwise before Socket.IO protocol v5: the main namespace is joined unasked, credentials come in queries, the id
//! of a socket is that of its session, and a refusal may be a text.
//!
//! Spec: Socket.IO protocol v4, "CONNECT", "ERROR"; ids and the two queries as in the official server of that time.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::client::Client;
use super::connection::Connection;
use super::decoder::Packet;
use super::packet::Kind;
use crate::engine::session::Handler;
use crate::faults::Fault;

/// Parameters of Engine.IO's own.
const OWN: [&str; 6] = ["EIO", "transport", "sid", "t", "b64", "j"];

impl Client {
    /// Puts the client into the main namespace, after the open packet, which the session has still to send.
    pub(super) fn join_main_unasked(self: &Rc<Self>) {
        if self.session().is_older() && !self.has(Fault::OlderMainNotJoined) {
            let client = self.clone();
            self.session().shared.after(Duration::ZERO, move || client.text("0"));
        }
    }

    /// Takes the query off the name of a namespace: it becomes the payload. Whether the packet is to be passed over: it is for a
    /// namespace that the client is not in, or a CONNECT to one that it is in.
    pub(super) fn handle_older<'p>(&self, packet: &mut Packet<'p>) -> bool {
        if packet.kind == Kind::Connect
            && let Some((name, query)) = packet.namespace.split_once('?')
        {
            packet.namespace = name;
            packet.payload = query;
        }
        let is_in = self.find(packet.namespace).is_some();
        is_in == (packet.kind == Kind::Connect)
    }

    /// What the application gets to see as auth: what stands in the query of the handshake, and in that of the namespace.
    pub(super) fn older_auth(&self, query: &str) -> String {
        let mut auth: Map<String, Value> =
            serde_json::from_str(&self.session().handshake.query).unwrap_or_default();
        auth.retain(|name, _| !OWN.contains(&name.as_str()));
        if self.has(Fault::OlderHandshakeQueryUnread) {
            auth.clear();
        }
        if !self.has(Fault::OlderQueryUnread) {
            let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
            auth.extend(pairs.map(|(name, value)| (name, Value::from(value))));
        }
        Value::Object(auth).to_string()
    }

    /// The value of an ERROR: the message alone, where there is nothing else to say.
    pub(super) fn older_error(&self, error: &str) -> String {
        let fields: Map<String, Value> = serde_json::from_str(error).unwrap_or_default();
        match fields.get("message") {
            Some(message) if fields.len() == 1 && !self.has(Fault::OlderErrorIsObject) => message.to_string(),
            _ => error.to_owned(),
        }
    }
}

impl<S: 'static> Connection<S> {
    /// The id of a socket in this namespace, for a client of the version before.
    pub(super) fn older_id(&self, namespace: &str) -> Option<Rc<str>> {
        let session = &self.session;
        if !session.is_older() || self.has(Fault::OlderIdsOfToday) {
            return None;
        }
        Some(if namespace == "/" { session.id.clone() } else { format!("{namespace}#{}", session.id).into() })
    }
}
