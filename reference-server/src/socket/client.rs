//! The Socket.IO side of one connection: packets in, to the socket of their namespace.
//!
//! Spec: Socket.IO protocol v5, "Connection to a namespace", "Disconnection from a namespace". What breaks the
//! protocol closes the connection, as the official server does.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::connection::Connection;
use super::decoder::{Assembled, Packet};
use super::message::Message;
use super::msgpack;
use super::packet::{Kind, ParseError};
use super::socket::{Io, Socket};
use crate::config::Parser;
use crate::console::{Topic, printable};
use crate::engine::packet::Packet as EnginePacket;
use crate::engine::session::{Handler, Listener, Session};
use crate::faults::{Fault, spoil};
use crate::reason::Reason;

/// Makes a client of each session.
pub(crate) struct Clients {
    pub(crate) io: Rc<Io>,
}

impl Listener for Clients {
    fn open(&self, session: &Rc<Session>) -> Rc<dyn Handler> {
        let client = Rc::new(Client { io: self.io.clone(), connection: Connection::new(session) });
        if session.has(Fault::ConnectsUnasked) {
            let client = client.clone();
            // After the open packet, which the session has still to send.
            session.shared.after(Duration::ZERO, move || client.text("0"));
        }
        client.join_main_unasked();
        client
    }
}

/// One connection.
pub(super) struct Client {
    pub(super) io: Rc<Io>,
    pub(super) connection: Rc<Connection<Socket>>,
}

impl Handler for Client {
    fn text(self: Rc<Self>, text: &str) {
        if self.has(Fault::EventsOvertake)
            && text.starts_with('2')
            && self.io.shared.ids.new_key().is_multiple_of(10)
        {
            let text = text.to_owned();
            self.io.shared.clone().after(Duration::from_millis(5), move || self.handle_text(&text));
        } else {
            self.handle_text(text);
        }
    }

    fn binary(self: Rc<Self>, data: Bytes) {
        let data = match spoil::attachment(&self.io.shared.faults, data) {
            Ok(data) => data,
            Err(error) => return self.violate(error.as_str()),
        };
        let decoded = match self.io.shared.config.parser {
            Parser::Default => self.connection.decoder.borrow_mut().binary(data),
            Parser::Msgpack => msgpack::read(&data).map(Some),
        };
        match decoded {
            Ok(Some(assembled)) => match assembled.packet() {
                Ok(packet) => self.handle_packet(packet, true),
                Err(error) => self.refuse_packet(error),
            },
            Ok(None) => {}
            Err(error) => self.refuse_packet(error),
        }
    }

    /// Every socket of the connection ends with it.
    fn close(self: Rc<Self>, reason: Reason) {
        if self.has(Fault::HalfEventHandled) {
            let half = self.connection.decoder.borrow_mut().give_up();
            if let Some(Ok(packet)) = half.as_ref().map(Assembled::packet) {
                self.handle_packet(packet, true);
            }
        }
        let mut sockets = self.connection.sockets.borrow().clone();
        if self.has(Fault::LossToldInOneNamespace) {
            sockets.truncate(1);
        }
        sockets.iter().for_each(|socket| socket.leave(reason));
        self.connection.finish();
    }
}

impl Client {
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.io.shared.has(fault)
    }

    pub(super) fn session(&self) -> &Rc<Session> {
        &self.connection.session
    }

    pub(super) fn find(&self, namespace: &str) -> Option<Rc<Socket>> {
        let sockets = self.connection.sockets.borrow();
        sockets.iter().find(|socket| *socket.namespace.name == *namespace).cloned()
    }

    fn handle_text(&self, text: &str) {
        let text = match spoil::incoming(&self.io.shared.faults, text) {
            Ok(text) => text,
            Err(error) => return self.violate(error.as_str()),
        };
        if self.io.shared.config.parser == Parser::Msgpack {
            return self.refuse_packet(ParseError::TextForMsgpack);
        }
        let decoded = self.connection.decoder.borrow_mut().text(&text);
        match decoded {
            Ok(Some(packet)) => self.handle_packet(packet, false),
            Ok(None) => {}
            Err(error) => {
                if self.has(Fault::RefusedEventHandled) {
                    self.handle_refused(&text);
                }
                if self.has(Fault::ReservedNameFires)
                    && error == ParseError::EventNameReserved
                    && let Some(socket) = self.find("/")
                {
                    let reason = Reason::ClientNamespaceDisconnect;
                    self.io.app.handle_disconnecting(&socket, reason, &socket.rooms());
                }
                self.refuse_packet(error);
            }
        }
    }

    /// The fault that handles an event before it has seen that rubbish follows.
    fn handle_refused(&self, text: &str) {
        let end = text.rfind(']').map_or(0, |at| at + 1);
        let decoded = self.connection.decoder.borrow_mut().text(&text[..end]);
        if let Ok(Some(packet)) = decoded {
            self.handle_packet(packet, false);
        }
    }

    /// What the client sent is no packet.
    fn refuse_packet(&self, error: ParseError) {
        if self.has(Fault::CrashOnMalformedPacket) {
            let sessions = self.session().engine.sessions.all();
            return sessions.iter().for_each(|session| session.abort(Reason::TransportError));
        }
        if error == ParseError::ConnectPayload && self.has(Fault::ConnectPayloadUnchecked) {
            self.handle_connect("/", "");
        } else if !spoil::skips(&self.io.shared.faults, error) {
            self.violate(error.as_str());
        }
    }

    /// The client broke the protocol.
    fn violate(&self, what: &str) {
        self.session().say(Topic::Trouble, || format!("broke the protocol: {what}"));
        if self.has(Fault::ViolationTakenForClose) {
            return self.session().handle_packet(EnginePacket::Close);
        }
        self.session().close(Reason::ForcedClose);
    }

    fn handle_packet(&self, mut packet: Packet<'_>, attachments: bool) {
        if let Err(error) = spoil::packet(&self.io.shared.faults, &mut packet, attachments) {
            return self.violate(error.as_str());
        }
        if self.session().is_older() && self.handle_older(&mut packet) {
            return;
        }
        let socket = match packet.kind {
            Kind::Event if self.has(Fault::FirstNamespaceHearsAll) => {
                self.connection.sockets.borrow().first().cloned()
            }
            _ => self.find(packet.namespace),
        };
        match (packet.kind, socket) {
            (Kind::Connect, None) if packet.id.is_some() && self.has(Fault::ConnectIdRefused) => {
                self.violate("a CONNECT with an id");
            }
            (Kind::Connect, None) => self.handle_connect(packet.namespace, packet.payload),
            (Kind::Connect, Some(_)) if self.has(Fault::DuplicateConnectTolerated) => {}
            (Kind::Connect, Some(_)) => self.violate("a second CONNECT to a namespace"),
            (_, None) if self.has(Fault::EventBeforeConnectIgnored) => {}
            (_, None) => self.violate("a packet for a namespace that was not joined"),
            (Kind::Event, Some(socket)) => {
                self.session().say(Topic::Said, || {
                    let size: usize = packet.args.iter().filter_map(|arg| arg.json()).map(str::len).sum();
                    let (name, count) = (printable(&packet.name, 40), packet.args.len());
                    format!("{}  said {name} ({count} arguments, {size} bytes)", socket.label())
                });
                self.io.app.handle_event(&socket, packet);
            }
            (Kind::Ack, Some(socket)) => socket.handle_ack(packet.id, packet.args),
            (Kind::Disconnect, Some(socket)) if self.has(Fault::DisconnectAnswered) => {
                socket.disconnect(false, Reason::ClientNamespaceDisconnect);
            }
            (Kind::Disconnect, Some(_)) if self.has(Fault::DisconnectIgnored) => {}
            (Kind::Disconnect, Some(_)) if self.has(Fault::LeaveClosesConnection) => {
                self.session().close(Reason::ClientNamespaceDisconnect);
            }
            (Kind::Disconnect, Some(socket)) => socket.leave(Reason::ClientNamespaceDisconnect),
            (_, Some(_)) => self.violate("a packet only servers send"),
        }
    }

    fn handle_connect(&self, name: &str, payload: &str) {
        if self.has(Fault::HastyConnectLost) && self.session().has_packets() {
            return;
        }
        if self.connection.sockets.borrow().len() >= self.io.shared.config.limits.namespaces {
            return self.refuse_connect(name, r#"{"message":"Too many namespaces"}"#);
        }
        if self.has(Fault::MainNamespaceRequired) && name != "/" && self.find("/").is_none() {
            return self.refuse_connect(name, r#"{"message":"Not connected"}"#);
        }
        let Some(namespace) = self.io.namespace(name) else {
            let reworded = self.has(Fault::UnknownNamespaceReworded);
            let what = if reworded { "No such namespace" } else { "Invalid namespace" };
            return self.refuse_connect(name, &format!("{{\"message\":\"{what}\"}}"));
        };
        let auth = match self.session().is_older() {
            true => Cow::Owned(self.older_auth(payload)),
            false => self.auth(payload),
        };
        let recovered = namespace.restore(&auth);
        if recovered.is_none() && auth.contains("\"pid\"") && self.has(Fault::UnknownPidRefused) {
            return self.refuse_connect(name, r#"{"message":"Unknown session"}"#);
        }
        let open = recovered.is_some() || self.has(Fault::GuardOpen);
        if let Some(mut refusal) = namespace.guard.filter(|_| !open).and_then(|guard| guard(&auth)) {
            if self.has(Fault::GuardDataMissing) {
                refusal.data = None;
            }
            self.refuse_connect(name, &refusal.json());
            if !self.has(Fault::GuardRefusesInVain) {
                return;
            }
        }
        let socket = Socket::admit(&self.io, &self.connection, &namespace, &auth, recovered.as_ref());
        if self.has(Fault::RecoveryReplaysLate) {
            socket.welcome();
        }
        if let Some(recovered) = recovered {
            socket.take_back(&recovered);
        }
        if self.has(Fault::LivingRecovered) {
            socket.keep_while_it_lives();
        }
        let id = || printable(&socket.id, 6);
        self.session().say(Topic::Moved, || format!("{}  entered as {}", socket.label(), id()));
        if !socket.spoil_welcome() {
            socket.welcome();
            self.io.app.handle_connection(&socket);
        }
    }

    fn refuse_connect(&self, name: &str, error: &str) {
        self.session().say(Topic::Moved, || format!("was refused in {}", printable(name, 40)));
        let cut = if self.has(Fault::NamespaceNameCut) { name.floor_char_boundary(64) } else { name.len() };
        let error = if self.has(Fault::ConnectErrorAsText) { "\"refused\"" } else { error };
        let error = match self.session().is_older() {
            true => Cow::Owned(self.older_error(error)),
            false => Cow::Borrowed(error),
        };
        self.connection.send(&Message::connect_error(&name[..cut], &error));
        if self.session().is_older() && self.has(Fault::OlderErrorCloses) {
            self.session().close(Reason::ForcedClose);
        }
        if self.has(Fault::RefusedConnectCounts) {
            self.connection.stop_connect_timer();
        }
        if self.has(Fault::ConnectErrorCloses) {
            self.session().close(Reason::ForcedClose);
        }
    }

    /// What the application gets to see as auth: the payload of the CONNECT, an object.
    fn auth<'a>(&self, payload: &'a str) -> Cow<'a, str> {
        if self.has(Fault::AuthOfFirstNamespace)
            && let Some(first) = self.connection.sockets.borrow().first()
        {
            return Cow::Owned(first.auth.to_string());
        }
        if self.has(Fault::QueryInAuth) {
            return Cow::Owned(self.session().handshake.query.to_string());
        }
        if payload.is_empty() || self.has(Fault::AuthMissing) {
            return Cow::Borrowed(if self.has(Fault::AbsentAuthIsNull) { "null" } else { "{}" });
        }
        Cow::Borrowed(payload)
    }
}
