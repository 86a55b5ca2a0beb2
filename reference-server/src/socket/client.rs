//! The Socket.IO side of one connection: packets in, to the socket of their namespace.
//!
//! Spec: Socket.IO protocol v5, "Connection to a namespace", "Disconnection from a namespace". What breaks the
//! protocol closes the connection, as the official server does.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::decoder::{Assembled, Packet};
use super::message::Message;
use super::namespace::{self, Namespace};
use super::packet::{Kind, ParseError};
use super::reason::Reason;
use super::socket::Socket;
use super::spoil;
use crate::console::{Topic, printable};
use crate::engine;
use crate::engine::session::Session;
use crate::faults::Fault;
use crate::fixture;

/// A text message arrived.
pub(crate) fn receive_text(session: &Rc<Session>, text: &str) {
    let server = &session.server;
    if server.faults.has(Fault::EventsOvertake)
        && text.starts_with('2')
        && server.new_key().is_multiple_of(10)
    {
        let (session, text) = (session.clone(), text.to_owned());
        server.timers.after(Duration::from_millis(5), move || read_text(&session, &text));
        return;
    }
    read_text(session, text);
}

fn read_text(session: &Rc<Session>, text: &str) {
    let text = match spoil::incoming(&session.server.faults, text) {
        Ok(text) => text,
        Err(error) => return violate(session, error.as_str()),
    };
    let decoded = session.decoder.borrow_mut().text(&text);
    match decoded {
        Ok(Some(packet)) => dispatch(session, packet, false),
        Ok(None) => {}
        Err(error) => {
            if session.server.faults.has(Fault::RefusedEventHandled) {
                handle_refused(session, &text);
            }
            if session.server.faults.has(Fault::ReservedNameFires)
                && error == ParseError::EventNameReserved
                && let Some(socket) = find(session, "/")
            {
                fixture::on_disconnecting(&socket, Reason::ClientNamespaceDisconnect, &socket.rooms());
            }
            malformed(session, error);
        }
    }
}

/// A binary message arrived.
pub(crate) fn receive_binary(session: &Rc<Session>, data: Bytes) {
    let data = match spoil::attachment(&session.server.faults, data) {
        Ok(data) => data,
        Err(error) => return violate(session, error.as_str()),
    };
    let decoded = session.decoder.borrow_mut().binary(data);
    match decoded {
        Ok(Some(assembled)) => match assembled.packet() {
            Ok(packet) => dispatch(session, packet, true),
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
    let faults = session.server.faults;
    if error == ParseError::ConnectPayload && faults.has(Fault::ConnectPayloadUnchecked) {
        connect(session, "/", "");
    } else if !spoil::skips(&faults, error) {
        violate(session, error.as_str());
    }
}

/// The fault that handles an event before it has seen that rubbish follows.
fn handle_refused(session: &Rc<Session>, text: &str) {
    let end = text.rfind(']').map_or(0, |at| at + 1);
    let decoded = session.decoder.borrow_mut().text(&text[..end]);
    if let Ok(Some(packet)) = decoded {
        dispatch(session, packet, false);
    }
}

/// The client broke the protocol.
fn violate(session: &Rc<Session>, what: &str) {
    session.say(Topic::Trouble, || format!("broke the protocol: {what}"));
    if session.server.faults.has(Fault::ViolationTakenForClose) {
        return session.receive(engine::packet::Packet::Close);
    }
    session.close(Reason::ForcedClose);
}

fn find(session: &Session, namespace: &str) -> Option<Rc<Socket>> {
    session.sockets.borrow().iter().find(|socket| *socket.namespace.name == *namespace).cloned()
}

fn dispatch(session: &Rc<Session>, mut packet: Packet<'_>, attachments: bool) {
    let faults = session.server.faults;
    if let Err(error) = spoil::packet(&faults, &mut packet, attachments) {
        return violate(session, error.as_str());
    }
    let socket = match packet.kind {
        Kind::Event if faults.has(Fault::FirstNamespaceHearsAll) => session.sockets.borrow().first().cloned(),
        _ => find(session, packet.namespace),
    };
    match (packet.kind, socket) {
        (Kind::Connect, None) if packet.id.is_some() && faults.has(Fault::ConnectIdRefused) => {
            violate(session, "a CONNECT with an id");
        }
        (Kind::Connect, None) => connect(session, packet.namespace, packet.payload),
        (Kind::Connect, Some(_)) if faults.has(Fault::DuplicateConnectTolerated) => {}
        (Kind::Connect, Some(_)) => violate(session, "a second CONNECT to a namespace"),
        (_, None) if faults.has(Fault::EventBeforeConnectIgnored) => {}
        (_, None) => violate(session, "a packet for a namespace that was not joined"),
        (Kind::Event, Some(socket)) => {
            session.say(Topic::Said, || {
                let size: usize = packet.args.iter().filter_map(|arg| arg.json()).map(str::len).sum();
                let name = printable(&packet.name, 40);
                format!("{}  said {name} ({} arguments, {size} bytes)", socket.label(), packet.args.len())
            });
            match &session.server.gate {
                Some(gate) => gate.enter(&socket, packet),
                None => fixture::on_event(&socket, packet),
            }
        }
        (Kind::Ack, Some(socket)) => socket.receive_ack(packet.id, packet.args),
        (Kind::Disconnect, Some(socket)) if faults.has(Fault::DisconnectAnswered) => {
            socket.disconnect(false, Reason::ClientNamespaceDisconnect);
        }
        (Kind::Disconnect, Some(_)) if faults.has(Fault::LeaveClosesConnection) => {
            session.close(Reason::ClientNamespaceDisconnect);
        }
        (Kind::Disconnect, Some(socket)) => socket.leave(Reason::ClientNamespaceDisconnect),
        (_, Some(_)) => violate(session, "a packet only servers send"),
    }
}

fn connect(session: &Rc<Session>, name: &str, payload: &str) {
    let server = &session.server;
    let faults = server.faults;
    if faults.has(Fault::HastyConnectLost) && session.has_packets() {
        return;
    }
    let refuse = |error: &str| refuse(session, name, error);
    if session.sockets.borrow().len() >= server.config.limits.namespaces {
        return refuse(r#"{"message":"Too many namespaces"}"#);
    }
    if faults.has(Fault::MainNamespaceRequired) && name != "/" && find(session, "/").is_none() {
        return refuse(r#"{"message":"Not connected"}"#);
    }
    let Some(namespace) = Namespace::find(server, name) else {
        return refuse(match faults.has(Fault::UnknownNamespaceReworded) {
            true => r#"{"message":"No such namespace"}"#,
            false => r#"{"message":"Invalid namespace"}"#,
        });
    };
    let auth = auth_payload(session, payload);
    let recovered = namespace.restore(server, &auth);
    if recovered.is_none() && auth.contains("\"pid\"") && faults.has(Fault::UnknownPidRefused) {
        return refuse(r#"{"message":"Unknown session"}"#);
    }
    let open = recovered.is_some() || faults.has(Fault::GuardOpen);
    if let Some(refusal) = namespace.guard(faults).filter(|_| !open).and_then(|guard| guard(&auth)) {
        refuse(&namespace::refusal_json(&refusal, faults.has(Fault::GuardDataMissing)));
        if !faults.has(Fault::GuardRefusesInVain) {
            return;
        }
    }
    let socket = Socket::admit(session, &namespace, &auth, recovered);
    session.say(Topic::Moved, || format!("{}  entered as {}", socket.label(), printable(&socket.id, 6)));
    let welcome = move || {
        let server = &socket.session.server;
        if server.faults.has(Fault::EventBeforeConnect) {
            let socket = socket.clone();
            server.timers.after(Duration::from_millis(5), move || socket.welcome());
        } else if !server.faults.has(Fault::RecoveryReplaysLate) {
            socket.welcome();
        }
        fixture::on_connection(&socket);
    };
    if server.faults.has(Fault::BroadcastBeforeConnect) {
        server.timers.after(std::time::Duration::from_millis(50), welcome);
    } else {
        welcome();
    }
}

fn refuse(session: &Rc<Session>, name: &str, error: &str) {
    let faults = session.server.faults;
    session.say(Topic::Moved, || format!("was refused in {}", printable(name, 40)));
    let name = if faults.has(Fault::NamespaceNameCut) { &name[..name.floor_char_boundary(64)] } else { name };
    let error = if faults.has(Fault::ConnectErrorAsText) { "\"refused\"" } else { error };
    session.send(&Message::connect_error(name, error));
    if faults.has(Fault::RefusedConnectCounts) {
        session.stop_connect_timer();
    }
    if faults.has(Fault::ConnectErrorCloses) {
        session.close(Reason::ForcedClose);
    }
}

/// What the application gets to see as auth: the payload of the CONNECT, an object.
fn auth_payload<'a>(session: &Session, payload: &'a str) -> Cow<'a, str> {
    let faults = session.server.faults;
    if faults.has(Fault::AuthOfFirstNamespace)
        && let Some(first) = session.sockets.borrow().first()
    {
        return Cow::Owned(first.auth.to_string());
    }
    if faults.has(Fault::QueryInAuth) {
        return Cow::Owned(session.handshake.query.to_string());
    }
    if payload.is_empty() || faults.has(Fault::AuthMissing) {
        return Cow::Borrowed(if faults.has(Fault::AbsentAuthIsNull) { "null" } else { "{}" });
    }
    Cow::Borrowed(payload)
}

/// The connection ends: every socket of it does.
pub(crate) fn end(session: &Rc<Session>, reason: Reason) {
    if session.server.faults.has(Fault::HalfEventHandled) {
        let half = session.decoder.borrow_mut().give_up();
        if let Some(Ok(packet)) = half.as_ref().map(Assembled::packet) {
            dispatch(session, packet, true);
        }
    }
    let mut sockets = session.sockets.borrow().clone();
    if session.server.faults.has(Fault::LossToldInOneNamespace) {
        sockets.truncate(1);
    }
    for socket in sockets {
        socket.leave(reason);
    }
}

/// The application puts the whole connection out: every namespace is told, then the connection closes.
pub(crate) fn disconnect(session: &Rc<Session>, reason: Reason) {
    let mut sockets = session.sockets.borrow().clone();
    if session.server.faults.has(Fault::ByeToOneNamespace) {
        sockets.truncate(1);
    }
    for socket in sockets {
        socket.disconnect(false, reason);
    }
    session.close(reason);
}
