//! The connection of a client, whoever makes it: a [`Session`] of our own, or another client library.
//!
//! Steps speak to a link. Ours is a variant, not a trait object, so that its calls stay direct. What only our own
//! session can do does nothing on a foreign link: scenarios that need it are refused before they are played (see
//! [`crate::step::Beyond`]).

use std::fmt;
use std::time::Instant;

use bytes::Bytes;

use super::foreign::{Foreign, News};
use super::{
    Channel, Destination, Event, Heartbeats, Lost, Namespace, Payload, Polls, Session, Transport, Wire,
};
use crate::protocol::engine_io::Packet;
use crate::protocol::http::Response;

/// The connection of a client.
#[derive(Debug)]
pub enum Link {
    /// Made by us.
    Own(Session),
    /// Made by another client library.
    Foreign(Box<Foreign>),
}

/// The namespace is not connected, so nothing can be sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotConnected;

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not connected")
    }
}

impl std::error::Error for NotConnected {}

impl Default for Link {
    fn default() -> Link {
        Link::Own(Session::new(Destination::default()))
    }
}

impl Link {
    /// The session, where it is ours.
    pub fn own(&self) -> Option<&Session> {
        match self {
            Link::Own(session) => Some(session),
            Link::Foreign(_) => None,
        }
    }

    /// The session, where it is ours.
    pub fn own_mut(&mut self) -> Option<&mut Session> {
        match self {
            Link::Own(session) => Some(session),
            Link::Foreign(_) => None,
        }
    }

    /// Whether the phases of a connect are heard one by one; another library makes the connection and connects to the
    /// namespace in one go.
    pub fn tells_phases(&self) -> bool {
        self.own().is_some()
    }

    /// See [`Session::open`]. A foreign link is open at once.
    pub fn open(&mut self, wire: &mut dyn Wire, transport: Transport) {
        match self {
            Link::Own(session) => session.open(wire, transport),
            Link::Foreign(foreign) => foreign.open(transport),
        }
    }

    /// See [`Session::join`]. Our own session only.
    pub fn join(&mut self, wire: &mut dyn Wire, sid: &str) {
        if let Link::Own(session) = self {
            session.join(wire, sid);
        }
    }

    /// See [`Session::connect`].
    pub fn connect(&mut self, wire: &mut dyn Wire, name: &str, auth: Option<&str>, recover: bool) {
        match self {
            Link::Own(session) => session.connect(wire, name, auth, recover),
            Link::Foreign(foreign) => foreign.connect(name, auth),
        }
    }

    /// See [`Session::emit`].
    ///
    /// # Errors
    /// When the namespace is not connected: nothing is sent then.
    pub fn emit(
        &mut self,
        wire: &mut dyn Wire,
        name: &str,
        data: &str,
        attachments: &[Bytes],
        ack: bool,
    ) -> Result<Option<u64>, NotConnected> {
        match self {
            Link::Own(session) => session.emit(wire, name, data, attachments, ack),
            Link::Foreign(foreign) => foreign.emit(name, data, attachments, ack),
        }
    }

    /// See [`Session::answer`]. Our own session only.
    pub fn answer(&mut self, wire: &mut dyn Wire, name: &str, id: u64, data: &str, attachments: &[Bytes]) {
        if let Link::Own(session) = self {
            session.answer(wire, name, id, data, attachments);
        }
    }

    /// See [`Session::disconnect`].
    pub fn disconnect(&mut self, wire: &mut dyn Wire, name: &str) {
        match self {
            Link::Own(session) => session.disconnect(wire, name),
            Link::Foreign(foreign) => foreign.disconnect(name),
        }
    }

    /// See [`Session::close`].
    pub fn close(&mut self, wire: &mut dyn Wire) {
        match self {
            Link::Own(session) => session.close(wire),
            Link::Foreign(foreign) => foreign.close(),
        }
    }

    /// See [`Session::cut`]. A foreign link gives up what it was about to do.
    pub fn cut(&mut self, wire: &mut dyn Wire) {
        match self {
            Link::Own(session) => session.cut(wire),
            Link::Foreign(foreign) => foreign.cut(),
        }
    }

    /// See [`Session::is_open`].
    pub fn is_open(&self) -> bool {
        match self {
            Link::Own(session) => session.is_open(),
            Link::Foreign(foreign) => foreign.is_open(),
        }
    }

    /// See [`Session::is_closed`].
    pub fn is_closed(&self) -> bool {
        match self {
            Link::Own(session) => session.is_closed(),
            Link::Foreign(foreign) => foreign.is_closed(),
        }
    }

    /// See [`Session::is_connected`].
    pub fn is_connected(&self, name: &str) -> bool {
        match self {
            Link::Own(session) => session.is_connected(name),
            Link::Foreign(foreign) => foreign.is_connected(name),
        }
    }

    /// See [`Session::is_connected_anywhere`].
    pub fn is_connected_anywhere(&self) -> bool {
        match self {
            Link::Own(session) => session.is_connected_anywhere(),
            Link::Foreign(foreign) => foreign.is_connected_anywhere(),
        }
    }

    /// See [`Session::set_destination`].
    pub fn set_destination(&mut self, destination: Destination) {
        match self {
            Link::Own(session) => session.set_destination(destination),
            Link::Foreign(foreign) => foreign.set_destination(destination),
        }
    }

    /// See [`Session::is_upgrading`]. A foreign link has upgraded before it connects.
    pub fn is_upgrading(&self) -> bool {
        self.own().is_some_and(Session::is_upgrading)
    }

    /// See [`Session::is_polling`]. Our own session only.
    pub fn is_polling(&self) -> bool {
        self.own().is_some_and(Session::is_polling)
    }

    /// See [`Session::upgrade`]. Our own session only.
    pub fn upgrade(&mut self, wire: &mut dyn Wire) -> bool {
        self.own_mut().is_some_and(|session| session.upgrade(wire))
    }

    /// See [`Session::namespace`]. Our own session only.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.own().and_then(|session| session.namespace(name))
    }

    /// See [`Session::set_heartbeats`]. Our own session only.
    pub fn set_heartbeats(&mut self, heartbeats: Heartbeats) {
        if let Link::Own(session) = self {
            session.set_heartbeats(heartbeats);
        }
    }

    /// See [`Session::set_polls`]. Our own session only.
    pub fn set_polls(&mut self, wire: &mut dyn Wire, polls: Polls) {
        if let Link::Own(session) = self {
            session.set_polls(wire, polls);
        }
    }

    /// See [`Session::send_raw`]. Our own session only.
    pub fn send_raw(&mut self, wire: &mut dyn Wire, text: &str) {
        if let Link::Own(session) = self {
            session.send_raw(wire, text);
        }
    }

    /// See [`Session::note_raw`]. Our own session only.
    pub fn note_raw(&mut self, text: &str) {
        if let Link::Own(session) = self {
            session.note_raw(text);
        }
    }

    /// See [`Session::send_raw_binary`]. Our own session only.
    pub fn send_raw_binary(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        if let Link::Own(session) = self {
            session.send_raw_binary(wire, bytes);
        }
    }

    /// See [`Session::dialed`]. Our transports carry nothing for a foreign link; so for the calls that follow.
    pub fn dialed(&mut self, wire: &mut dyn Wire) {
        if let Link::Own(session) = self {
            session.dialed(wire);
        }
    }

    /// See [`Session::receive`].
    pub fn receive<'a>(
        &mut self,
        wire: &mut dyn Wire,
        channel: Channel,
        packet: Packet<'a>,
        now: Instant,
    ) -> Option<Event<'a>> {
        self.own_mut().and_then(|session| session.receive(wire, channel, packet, now))
    }

    /// See [`Session::response`].
    pub fn response<'a>(
        &mut self,
        wire: &mut dyn Wire,
        channel: Channel,
        response: &'a Response,
    ) -> Payload<'a> {
        match self {
            Link::Own(session) => session.response(wire, channel, response),
            Link::Foreign(_) => Payload::Nothing(None),
        }
    }

    /// See [`Session::polled`].
    pub fn polled(&mut self, wire: &mut dyn Wire) -> Option<Event<'static>> {
        self.own_mut().and_then(|session| session.polled(wire))
    }

    /// See [`Session::lost`].
    pub fn lost(&mut self, wire: &mut dyn Wire, channel: Channel, lost: Lost) -> Option<Event<'static>> {
        self.own_mut().and_then(|session| session.lost(wire, channel, lost))
    }

    /// See [`Session::tick`].
    pub fn tick(&mut self, wire: &mut dyn Wire, now: Instant) -> Option<Event<'static>> {
        self.own_mut().and_then(|session| session.tick(wire, now))
    }

    /// See [`Session::wake`].
    pub fn wake(&self) -> Option<Instant> {
        self.own().and_then(Session::wake)
    }

    /// Takes what another library told, and gives what the client hears of it.
    pub fn hear(&mut self, news: News) -> Option<Event<'static>> {
        match self {
            Link::Own(_) => None,
            Link::Foreign(foreign) => foreign.hear(news),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_our_own_is_no_larger_than_its_session() {
        assert_eq!(size_of::<Link>(), size_of::<Session>());
    }
}
