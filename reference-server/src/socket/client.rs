//! The Socket.IO side of one connection: packets in, to the socket of their namespace.
//!
//! Spec: Socket.IO protocol v5, "Connection to a namespace", "Disconnection from a namespace". What breaks the
//! protocol closes the connection, as the official server does.

use std::rc::Rc;

use bytes::Bytes;

use super::decoder::Packet;
use super::message::Message;
use super::namespace::{self, Namespace};
use super::packet::{Kind, ParseError};
use super::reason::Reason;
use super::socket::Socket;
use crate::console::{Topic, printable};
use crate::engine::session::Session;
use crate::faults::Fault;
use crate::fixture;

/// A text message arrived.
pub(crate) fn receive_text(session: &Rc<Session>, text: &str) {
    let decoded = session.decoder.borrow_mut().text(text);
    match decoded {
        Ok(Some(packet)) => dispatch(session, packet),
        Ok(None) => {}
        Err(error) => malformed(session, error),
    }
}

/// A binary message arrived.
pub(crate) fn receive_binary(session: &Rc<Session>, data: Bytes) {
    let decoded = session.decoder.borrow_mut().binary(data);
    match decoded {
        Ok(Some(assembled)) => match assembled.packet() {
            Ok(packet) => dispatch(session, packet),
            Err(error) => malformed(session, error),
        },
        Ok(None) => {}
        Err(error) => malformed(session, error),
    }
}

fn malformed(session: &Rc<Session>, error: ParseError) {
    if session.server.faults.has(Fault::CrashOnMalformedPacket) {
        let sessions: Vec<_> = session.server.sessions.borrow().values().cloned().collect();
        return sessions.iter().for_each(|session| session.abort(Reason::TransportError));
    }
    if !session.server.faults.has(Fault::MalformedPacketIgnored) {
        violate(session, error.0);
    }
}

/// The client broke the protocol.
fn violate(session: &Rc<Session>, what: &str) {
    session.say(Topic::Trouble, || format!("broke the protocol: {what}"));
    session.close(Reason::ForcedClose);
}

fn find(session: &Session, namespace: &str) -> Option<Rc<Socket>> {
    session.sockets.borrow().iter().find(|socket| *socket.namespace.name == *namespace).cloned()
}

fn dispatch(session: &Rc<Session>, packet: Packet<'_>) {
    let socket = find(session, packet.namespace);
    match (packet.kind, socket) {
        (Kind::Connect, None) => connect(session, packet.namespace, packet.payload),
        (Kind::Connect, Some(_)) if session.server.faults.has(Fault::DuplicateConnectTolerated) => {}
        (Kind::Connect, Some(_)) => violate(session, "a second CONNECT to a namespace"),
        (_, None) if session.server.faults.has(Fault::EventBeforeConnectIgnored) => {}
        (_, None) => violate(session, "a packet for a namespace that was not joined"),
        (Kind::Event, Some(socket)) => {
            session.say(Topic::Said, || {
                let size: usize = packet.args.iter().filter_map(|arg| arg.json()).map(str::len).sum();
                let name = printable(&packet.name, 40);
                format!("{}  said {name} ({} arguments, {size} bytes)", socket.label(), packet.args.len())
            });
            fixture::on_event(&socket, packet);
        }
        (Kind::Ack, Some(socket)) => socket.receive_ack(packet.id, packet.args),
        (Kind::Disconnect, Some(socket)) => socket.leave(Reason::ClientNamespaceDisconnect),
        (_, Some(_)) => violate(session, "a packet only servers send"),
    }
}

fn connect(session: &Rc<Session>, name: &str, payload: &str) {
    let server = &session.server;
    let refuse = |error: &str| {
        session.say(Topic::Moved, || format!("was refused in {}", printable(name, 40)));
        session.send(&Message::connect_error(name, error));
    };
    if session.sockets.borrow().len() >= server.config.limits.namespaces {
        return refuse(r#"{"message":"Too many namespaces"}"#);
    }
    let Some(namespace) = Namespace::find(server, name) else {
        return refuse(r#"{"message":"Invalid namespace"}"#);
    };
    let lost_auth = server.faults.has(Fault::AuthMissing);
    let auth = if payload.is_empty() || lost_auth { "{}" } else { payload };
    let recovered = namespace.restore(server, auth);
    if recovered.is_none() && auth.contains("\"pid\"") && server.faults.has(Fault::UnknownPidRefused) {
        return refuse(r#"{"message":"Unknown session"}"#);
    }
    let open = recovered.is_some() || server.faults.has(Fault::GuardOpen);
    if let Some(refusal) = namespace.guard.filter(|_| !open).and_then(|guard| guard(auth)) {
        return refuse(&namespace::refusal_json(&refusal, server.faults.has(Fault::GuardDataMissing)));
    }
    let socket = Socket::admit(session, &namespace, auth, recovered);
    session.say(Topic::Moved, || format!("{}  entered as {}", socket.label(), printable(&socket.id, 6)));
    fixture::on_connection(&socket);
}

/// The connection ends: every socket of it does.
pub(crate) fn end(session: &Rc<Session>, reason: Reason) {
    let sockets = session.sockets.borrow().clone();
    for socket in sockets {
        socket.leave(reason);
    }
}

/// The application puts the whole connection out: every namespace is told, then the connection closes.
pub(crate) fn disconnect(session: &Rc<Session>, reason: Reason) {
    let sockets = session.sockets.borrow().clone();
    for socket in sockets {
        socket.disconnect(false, reason);
    }
    session.close(reason);
}
