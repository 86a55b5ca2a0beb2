//! What is known of a connection that another client library makes. Pure.
//!
//! The library is told what to do through [`Orders`] and tells back [`News`]; a driver at the rim translates. Libraries
//! of this kind know one namespace on each connection, so a client in two namespaces has two connections here: the
//! client counts as connected while one of them stands.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::Transport;
use super::event::{Answer, Closed, Event, Message};
use super::link::NotConnected;
use super::namespace::Phase;
use super::requests::Destination;
use super::wire::{Channel, Lost};

/// What the library is to do. Orders never fail and never block: what goes wrong is heard as [`Told::Lost`].
pub trait Orders: fmt::Debug {
    /// Makes a connection and connects to a namespace. All that is heard of it comes under this number.
    fn connect(&mut self, number: u64, order: Connect<'_>);
    /// Sends an event on a connection; with `ack`, its acknowledgement is to be told under that id.
    fn emit(&mut self, number: u64, data: &str, attachments: &[Bytes], ack: Option<u64>);
    /// Ends a connection politely. [`Told::Left`] follows.
    fn leave(&mut self, number: u64);
    /// Gives up a connection that is being made, and all that was not said yet. Nothing more is to be heard of it.
    fn abandon(&mut self, number: u64);
}

/// A connection that is to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Connect<'a> {
    /// Over which transports.
    pub transport: Transport,
    /// Where to.
    pub destination: &'a Destination,
    /// To which namespace.
    pub namespace: &'a str,
    /// With what; a JSON value.
    pub auth: Option<&'a str>,
}

/// Something that the library told.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Of which connection.
    pub number: u64,
    /// What.
    pub told: Told,
}

/// What the library told of a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The namespace accepted.
    Connected,
    /// The namespace refused; JSON text of the reason, `""` when there was none.
    Refused(String),
    /// The server ended our membership.
    Disconnected,
    /// An event came: JSON text of the array of name and arguments, with placeholders, and its attachments.
    Message(String, Vec<Bytes>),
    /// The acknowledgement of an event of ours came: its id, JSON text of the array of arguments, attachments.
    Answered(u64, String, Vec<Bytes>),
    /// The connection was left as ordered.
    Left,
    /// The connection is no more, or never came to be; in words.
    Lost(String),
}

/// A connection of the library.
#[derive(Debug)]
struct Line {
    number: u64,
    namespace: Box<str>,
    phase: Phase,
}

/// What is known of the connections that another library makes for one client.
#[derive(Debug)]
pub struct Foreign {
    orders: Box<dyn Orders + Send>,
    transport: Transport,
    destination: Destination,
    state: State,
    lines: Vec<Line>,
    next_number: u64,
    next_ack: u64,
    /// Acknowledgements asked for and not answered: id and connection.
    outstanding: Vec<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closing,
    Closed,
}

/// The largest number of unanswered acknowledgements that is remembered; older ones are forgotten.
const OUTSTANDING_ACKS: usize = 256;

impl Foreign {
    /// Not connected yet.
    pub fn new(orders: Box<dyn Orders + Send>) -> Foreign {
        Foreign {
            orders,
            transport: Transport::default(),
            destination: Destination::default(),
            state: State::Closed,
            lines: Vec::new(),
            next_number: 0,
            next_ack: 0,
            outstanding: Vec::new(),
        }
    }

    /// Remembers how to connect: the library makes a connection only together with a `CONNECT`.
    pub(super) fn open(&mut self, transport: Transport) {
        self.cut();
        self.transport = transport;
        self.state = State::Open;
    }

    pub(super) fn set_destination(&mut self, destination: Destination) {
        self.destination = destination;
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub(super) fn is_connected(&self, namespace: &str) -> bool {
        self.lines.iter().any(|line| *line.namespace == *namespace && line.phase == Phase::In)
    }

    pub(super) fn is_connected_anywhere(&self) -> bool {
        self.lines.iter().any(|line| line.phase == Phase::In)
    }

    pub(super) fn connect(&mut self, namespace: &str, auth: Option<&str>) {
        self.disconnect(namespace);
        let number = self.next_number;
        self.next_number += 1;
        self.lines.push(Line { number, namespace: namespace.into(), phase: Phase::Asked });
        let (transport, destination) = (self.transport, &self.destination);
        self.orders.connect(number, Connect { transport, destination, namespace, auth });
    }

    pub(super) fn emit(
        &mut self,
        namespace: &str,
        data: &str,
        attachments: &[Bytes],
        ack: bool,
    ) -> Result<Option<u64>, NotConnected> {
        let joined = |line: &&Line| *line.namespace == *namespace && line.phase == Phase::In;
        let number = self.lines.iter().find(joined).ok_or(NotConnected)?.number;
        let id = ack.then(|| {
            let id = self.next_ack;
            self.next_ack += 1;
            if self.outstanding.len() == OUTSTANDING_ACKS {
                self.outstanding.remove(0);
            }
            self.outstanding.push((id, number));
            id
        });
        self.orders.emit(number, data, attachments, id);
        Ok(id)
    }

    pub(super) fn disconnect(&mut self, namespace: &str) {
        let orders = &mut self.orders;
        self.lines.retain(|line| {
            let leaves = *line.namespace == *namespace;
            if leaves {
                orders.leave(line.number);
            }
            !leaves
        });
    }

    pub(super) fn close(&mut self) {
        for line in &self.lines {
            self.orders.leave(line.number);
        }
        self.state = if self.lines.is_empty() { State::Closed } else { State::Closing };
    }

    pub(super) fn cut(&mut self) {
        for line in self.lines.drain(..) {
            self.orders.abandon(line.number);
        }
        self.outstanding.clear();
        self.state = State::Closed;
    }

    /// Takes what the library told, and gives what the client hears of it. News of a connection that was given up
    /// are nobody's.
    pub(super) fn hear(&mut self, news: News) -> Option<Event<'static>> {
        let place = self.lines.iter().position(|line| line.number == news.number)?;
        let line = &mut self.lines[place];
        let namespace = Cow::Owned(line.namespace.to_string());
        match news.told {
            Told::Connected => {
                line.phase = Phase::In;
                Some(Event::Connected { namespace, recovered: false })
            }
            Told::Refused(reason) => {
                line.phase = Phase::Out;
                Some(Event::Refused { namespace, reason: reason.into() })
            }
            Told::Disconnected => {
                line.phase = Phase::Out;
                Some(Event::Disconnected { namespace })
            }
            Told::Message(data, attachments) => {
                Some(Event::Message(Message { namespace, id: None, data: data.into(), attachments }))
            }
            Told::Answered(id, data, attachments) => {
                let asked = self.outstanding.iter().position(|asked| *asked == (id, news.number))?;
                self.outstanding.swap_remove(asked);
                Some(Event::Answered(Answer { namespace, id, data: data.into(), attachments }))
            }
            Told::Left => self.ended(place, Closed::Asked),
            Told::Lost(why) => self.ended(place, Closed::Lost(Channel::WebSocket, Lost::Broken(why))),
        }
    }

    /// A connection is no more. The client hears that it is closed when it was the last one.
    fn ended(&mut self, place: usize, why: Closed) -> Option<Event<'static>> {
        let line = self.lines.remove(place);
        self.outstanding.retain(|(_, number)| *number != line.number);
        if !self.lines.is_empty() {
            let was_in = line.phase == Phase::In && self.state == State::Open;
            return was_in.then(|| Event::Disconnected { namespace: String::from(line.namespace).into() });
        }
        let asked = self.state == State::Closing;
        self.state = State::Closed;
        Some(Event::Closed(if asked { Closed::Asked } else { why }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Said(Arc<Mutex<Vec<String>>>);

    impl Said {
        fn note(&self, words: String) {
            self.0.lock().expect("nobody panicked").push(words);
        }

        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().expect("nobody panicked"))
        }
    }

    impl Orders for Said {
        fn connect(&mut self, number: u64, order: Connect<'_>) {
            self.note(format!("{number} connect {}", order.namespace));
        }
        fn emit(&mut self, number: u64, data: &str, _: &[Bytes], ack: Option<u64>) {
            self.note(format!("{number} emit {data} {ack:?}"));
        }
        fn leave(&mut self, number: u64) {
            self.note(format!("{number} leave"));
        }
        fn abandon(&mut self, number: u64) {
            self.note(format!("{number} abandon"));
        }
    }

    fn connected(namespaces: &[&str]) -> (Foreign, Said) {
        let said = Said::default();
        let mut foreign = Foreign::new(Box::new(said.clone()));
        foreign.open(Transport::Websocket);
        for (number, namespace) in namespaces.iter().enumerate() {
            foreign.connect(namespace, None);
            foreign.hear(News { number: number as u64, told: Told::Connected });
        }
        said.take();
        (foreign, said)
    }

    fn told(foreign: &mut Foreign, number: u64, told: Told) -> Option<Event<'static>> {
        foreign.hear(News { number, told })
    }

    #[test]
    fn nothing_is_emitted_before_the_namespace_has_accepted() {
        let (mut foreign, said) = connected(&[]);
        foreign.connect("/", None);
        assert_eq!(foreign.emit("/", r#"["a"]"#, &[], false), Err(NotConnected));
        assert!(matches!(told(&mut foreign, 0, Told::Connected), Some(Event::Connected { .. })));
        assert_eq!(foreign.emit("/", r#"["a"]"#, &[], true), Ok(Some(0)));
        assert_eq!(said.take(), ["0 connect /", r#"0 emit ["a"] Some(0)"#]);
    }

    #[test]
    fn an_acknowledgement_is_heard_once() {
        let (mut foreign, _) = connected(&["/"]);
        assert_eq!(foreign.emit("/", r#"["a"]"#, &[], true), Ok(Some(0)));
        let answer = || Told::Answered(0, "[]".into(), Vec::new());
        assert!(matches!(told(&mut foreign, 0, answer()), Some(Event::Answered(_))));
        assert_eq!(told(&mut foreign, 0, answer()), None);
    }

    #[test]
    fn a_polite_close_is_over_when_every_connection_was_left() {
        let (mut foreign, said) = connected(&["/", "/chat"]);
        foreign.close();
        assert_eq!(said.take(), ["0 leave", "1 leave"]);
        assert_eq!(told(&mut foreign, 0, Told::Left), None);
        assert!(!foreign.is_closed());
        assert_eq!(told(&mut foreign, 1, Told::Lost("reset".into())), Some(Event::Closed(Closed::Asked)));
        assert!(foreign.is_closed());
    }

    #[test]
    fn the_client_is_closed_when_its_last_connection_is_lost() {
        let (mut foreign, _) = connected(&["/", "/chat"]);
        let first = told(&mut foreign, 1, Told::Lost("reset".into()));
        assert_eq!(first, Some(Event::Disconnected { namespace: "/chat".into() }));
        assert!(foreign.is_open());
        let last = told(&mut foreign, 0, Told::Lost("reset".into()));
        assert!(matches!(last, Some(Event::Closed(Closed::Lost(..)))), "{last:?}");
        assert!(foreign.is_closed());
    }

    #[test]
    fn nothing_is_heard_of_a_connection_that_was_given_up() {
        let (mut foreign, said) = connected(&["/"]);
        foreign.cut();
        foreign.open(Transport::Websocket);
        foreign.connect("/", None);
        assert_eq!(said.take(), ["0 abandon", "1 connect /"]);
        assert_eq!(told(&mut foreign, 0, Told::Lost("reset".into())), None);
        assert!(matches!(told(&mut foreign, 1, Told::Connected), Some(Event::Connected { .. })));
    }
}
