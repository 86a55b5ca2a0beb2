//! What the faults of sending, of ids and of the answer to a CONNECT do where it takes more than a line.
//!
//! On a healthy server all of these change nothing.

use std::rc::Rc;
use std::time::Duration;

use super::{Fault, spoil};
use crate::engine::session::State;
use crate::socket::connection::Connection;
use crate::socket::message::Message;
use crate::socket::socket::Socket;

impl<S: 'static> Connection<S> {
    /// A packet on its way out. `true`: it has been dealt with.
    pub(crate) fn spoil_sending(self: &Rc<Self>, message: &Message) -> bool {
        if self.shared.faults.is_empty() {
            return false;
        }
        if message.is_binary() && self.has(Fault::BinaryOvertaken) {
            let (connection, message) = (self.clone(), message.clone());
            self.shared.after(Duration::from_millis(5), move || connection.send_spoilt(&message));
        } else {
            self.send_spoilt(message);
        }
        true
    }

    fn send_spoilt(self: &Rc<Self>, message: &Message) {
        let spoilt = spoil::outgoing(&self.shared.faults, message);
        let message = spoilt.as_ref().unwrap_or(message);
        if message.is_binary() && self.has(Fault::AttachmentsLate) {
            self.session.send(&message.packets()[..1]);
            let (session, message) = (self.session.clone(), message.clone());
            self.shared.after(Duration::from_millis(2), move || session.send(&message.packets()[1..]));
        } else {
            self.session.send(message.packets());
        }
    }

    /// Sends a packet before everything that waits.
    pub(crate) fn send_first(self: &Rc<Self>, message: &Message) {
        if self.session.state.get() == State::Open {
            let waiting = self.session.queue.take();
            self.send_spoilt(message);
            self.session.queue.borrow_mut().extend(waiting);
        }
    }

    /// An event on its way to a client. `true`: it has been dealt with.
    pub(crate) fn spoil_delivery(self: &Rc<Self>, message: &Message) -> bool {
        if self.has(Fault::EventLost) && self.shared.turns.next(Fault::EventLost) % 100 == 99 {
            return true;
        }
        if self.has(Fault::EventsDoubled) {
            self.send(message);
        }
        if !self.has(Fault::OrderSwapped) {
            return false;
        }
        if let Some(held) = self.held.take() {
            self.send(message);
            self.send(&held);
            return true;
        }
        self.held.replace(Some(message.clone()));
        let connection = self.clone();
        self.shared.after(Duration::from_millis(20), move || {
            if let Some(held) = connection.held.take() {
                connection.send(&held);
            }
        });
        true
    }
}

impl Connection<Socket> {
    /// The id of a socket that is admitted, if it is a wrong one.
    pub(crate) fn spoil_id(&self, recovered: bool) -> Option<Rc<str>> {
        if recovered {
            return self.has(Fault::RecoveryGivesNewId).then(|| self.shared.ids.new_id());
        }
        let first = self.sockets.borrow().first().map(|socket| socket.id.clone());
        match first {
            Some(first) if self.has(Fault::SidSharedAcrossNamespaces) => Some(first),
            _ if self.has(Fault::SidSharedByAll) => Some("always-the-same".into()),
            _ => self.has(Fault::SidIsEngineSid).then(|| self.session.id.clone()),
        }
    }
}

impl Socket {
    /// A socket that is to be welcomed and shown to the application. `true`: that has been dealt with.
    pub(crate) fn spoil_welcome(self: &Rc<Self>) -> bool {
        let socket = self.clone();
        if self.has(Fault::BroadcastBeforeConnect) {
            self.shared.after(Duration::from_millis(50), move || {
                socket.welcome();
                socket.io.app.handle_connection(&socket);
            });
        } else if self.has(Fault::EventBeforeConnect) {
            self.shared.after(Duration::from_millis(5), move || socket.welcome());
            self.io.app.handle_connection(self);
        } else if self.has(Fault::RecoveryReplaysLate) {
            // It was welcomed before it got what it missed.
            self.io.app.handle_connection(self);
        } else {
            return false;
        }
        true
    }
}
