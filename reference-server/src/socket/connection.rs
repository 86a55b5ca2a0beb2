//! What the sockets of one connection share: the session that carries them, the decoder, the connect timeout.
//!
//! Spec: Socket.IO protocol v5, "Connection to a namespace": one connection, many namespaces. `S` is a socket; this
//! layer keeps them and asks nothing of them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::decoder::Decoder;
use super::message::Message;
use super::msgpack;
use crate::config::Parser;
use crate::console::Topic;
use crate::engine::session::Session;
use crate::faults::Fault;
use crate::reason::Reason;
use crate::shared::Shared;
use crate::timers::TimerKey;

pub(crate) struct Connection<S> {
    pub(crate) session: Rc<Session>,
    pub(crate) shared: Rc<Shared>,
    /// In the order in which they joined.
    pub(crate) sockets: RefCell<Vec<Rc<S>>>,
    pub(crate) decoder: RefCell<Decoder>,
    connect_timer: Cell<Option<TimerKey>>,
    /// For the faults that let events change places: the one that waits for the next.
    pub(crate) held: RefCell<Option<Message>>,
    /// For the faults that mix up acknowledgement ids: who used which one first.
    pub(crate) first_users: RefCell<HashMap<Box<str>, Rc<S>>>,
}

impl<S: 'static> Connection<S> {
    /// A connection that is to join a namespace before its time is up.
    pub(crate) fn new(session: &Rc<Session>) -> Rc<Connection<S>> {
        let connection = Rc::new(Connection {
            session: session.clone(),
            shared: session.shared.clone(),
            sockets: RefCell::default(),
            decoder: RefCell::default(),
            connect_timer: Cell::new(None),
            held: RefCell::default(),
            first_users: RefCell::default(),
        });
        if !session.has(Fault::ConnectTimeoutIgnored) {
            let key = session.after(session.shared.config.connect_timeout, |session| {
                session.say(Topic::Trouble, || "joined no namespace in time".to_owned());
                session.close(Reason::ForcedClose);
            });
            connection.connect_timer.set(Some(key));
        }
        connection
    }

    /// A namespace was joined: the connection is of use.
    pub(crate) fn stop_connect_timer(&self) {
        if let Some(key) = self.connect_timer.take() {
            self.shared.timers.cancel(key);
        }
    }

    /// Whether the server is to be wrong in this way.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.shared.has(fault)
    }

    /// Sends a packet; its parts stay together.
    pub(crate) fn send(self: &Rc<Self>, message: &Message) {
        match &self.shared.late {
            Some(late) => {
                let (connection, message) = (self.clone(), message.clone());
                late.hold(&self.session.id, move || connection.send_now(&message));
            }
            None => self.send_now(message),
        }
    }

    fn send_now(self: &Rc<Self>, message: &Message) {
        if self.shared.config.parser == Parser::Msgpack {
            self.session.send(&[msgpack::write(message)]);
        } else if !self.spoil_sending(message) {
            self.session.send(message.packets());
        }
    }

    /// The session ends and its sockets have.
    pub(crate) fn finish(&self) {
        self.stop_connect_timer();
        self.first_users.take();
        if let Some(late) = &self.shared.late {
            late.release(&self.session.id);
        }
    }
}
