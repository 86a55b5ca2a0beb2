//! From long-polling to a WebSocket, or to WebTransport, with nothing lost (EIO "Upgrade").
//!
//! The order is: dial with the session's id, which a WebTransport session says in its first packet, `2probe`, `3probe`, let the pending poll and post come home (the
//! server releases the poll with `noop`), `5`, and only then send what has gathered in the meantime.

use super::event::Event;
use super::polling::Polling;
use super::{Polls, Session, State, Upgrade};
use crate::protocol::Rule;
use crate::session::wire::{Channel, HangUp, Lost, Wire};

impl Session {
    /// Begins to upgrade an open polling session to this stream. Returns whether there was anything to upgrade.
    pub fn upgrade(&mut self, wire: &mut dyn Wire, stream: Channel) -> bool {
        let ready = self.state == State::Open && self.polling.is_some() && self.upgrade == Upgrade::None;
        if ready && let Some(handshake) = &self.handshake {
            self.upgrade = Upgrade::Dialing;
            self.stream = stream;
            self.requests.dial(wire, stream, Some(&handshake.sid));
        }
        ready
    }

    /// What an upgrade was to lead to, in words.
    pub fn upgrade_wish(&self) -> &'static str {
        match self.stream {
            Channel::WebTransport => "an upgrade to WebTransport",
            _ => "an upgrade to a WebSocket",
        }
    }

    /// Sends `5` once the HTTP channels are quiet, then everything that was held back.
    pub(super) fn finish_upgrade(&mut self, wire: &mut dyn Wire) -> Option<Event<'static>> {
        if self.upgrade != Upgrade::Pausing || !self.polling.as_ref().is_some_and(|p| p.is_quiet()) {
            return None;
        }
        self.said.posted_many = self.has_posted_many();
        let polling = self.polling.take()?;
        self.upgrade = Upgrade::None;
        wire.text(self.stream, &["5"]);
        Polling::replay(*polling, wire, self.stream);
        wire.hang_up(Channel::Poll, HangUp::Clean);
        wire.hang_up(Channel::Post, HangUp::Clean);
        Some(Event::Upgraded)
    }

    /// The rule that the server broke whose stream was lost while the session upgraded to it.
    pub(super) fn broken_by_end(&self, lost: &Lost) -> Rule {
        match lost {
            Lost::Violated(violation) => violation.rule,
            _ => self.unfinished_upgrade(),
        }
    }

    /// The stream was not opened: long-polling goes on where it was.
    pub(super) fn resume_polling(&mut self, wire: &mut dyn Wire) {
        self.upgrade = Upgrade::None;
        if let Some(polling) = &mut self.polling
            && polling.polls == Polls::Automatic
        {
            polling.poll(wire, &self.requests, self.handshake.as_deref());
        }
        self.flush_posts(wire);
    }
}
