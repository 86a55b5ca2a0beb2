//! The rooms into which the server puts a client by itself, as far as their names are known.
//!
//! The contract says how the names are made: of what the client has sent with CONNECT, or of values that it has learned since.
//! A value that was learned over a connection that is over may be another one for the next, until it is learned again. Or the
//! contract says which events tell the client that it has come into a room, or out of one.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Cx;
use super::audit_target::names;
use super::event_template::{Words, args_word};
use crate::audit::AuditEvent;
use crate::contract::STANDING_WORDS;
use crate::session::ServerEvent;

/// Longer names than this, in bytes, are not remembered.
const LONGEST: usize = 1 << 10;

/// What a client knows of them.
#[derive(Debug)]
pub struct Standing {
    /// What it has sent with CONNECT, if anything.
    auth: Option<Box<Json>>,
    /// The query parameters with which it has connected, if there were any.
    query: Option<Box<Json>>,
    /// How many connections, and memberships of namespaces, have begun or ended.
    era: u32,
    /// For each of the client's values, in which era it was learned; 0 where no connection was there.
    learned: Box<[u32]>,
    places: Vec<Place>,
    /// Whether a value has changed.
    has_news: bool,
    /// Whether the namespace that it asks for says by an event when it is ready, and until then may have put it nowhere.
    awaits_ready: bool,
}

/// A namespace in which the client is, and its rooms there as the audit was told.
#[derive(Debug)]
struct Place {
    namespace: Box<str>,
    rooms: Box<[Rooms]>,
    is_ready: bool,
}

/// The rooms that one entry of the contract names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rooms {
    names: Vec<Arc<str>>,
    is_certain: bool,
}

impl Standing {
    /// For a client with so many values of its own.
    pub fn new(values: usize) -> Standing {
        Standing {
            auth: None,
            query: None,
            era: 0,
            learned: vec![0; values].into(),
            places: Vec::new(),
            has_news: false,
            awaits_ready: false,
        }
    }

    /// The client has learned a value, with a connection or without.
    pub fn learn(&mut self, slot: usize, is_connected: bool) {
        if let Some(learned) = self.learned.get_mut(slot) {
            *learned = if is_connected { self.era } else { 0 };
            self.has_news = true;
        }
    }

    /// What stands for the words of the names of rooms.
    pub(super) fn words(&self) -> [(&'static str, Json); 2] {
        let [auth, query] = STANDING_WORDS;
        let of = |value: &Option<Box<Json>>| value.as_deref().cloned().unwrap_or_default();
        [(auth, of(&self.auth)), (query, of(&self.query))]
    }

    /// It connects with these query parameters, percent-encoded.
    pub fn opens_with(&mut self, query: &str) {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let query: Map<_, _> = pairs.map(|(name, value)| (name.into_owned(), Json::from(value))).collect();
        self.query = (!query.is_empty()).then(|| Box::new(query.into()));
    }

    /// It sends this with CONNECT.
    pub fn connects_with(&mut self, auth: Option<&Json>) {
        self.auth = auth.cloned().map(Box::new);
    }

    /// It asks to be let in, and is told by an event that the server is ready, or by the reply.
    pub(super) fn asks(&mut self, awaits_ready: bool) {
        self.awaits_ready = awaits_ready;
    }

    /// The event came in this namespace.
    pub(super) fn is_ready(&mut self, namespace: &str) {
        for place in self.places.iter_mut().filter(|place| *place.namespace == *namespace && !place.is_ready)
        {
            (place.is_ready, self.has_news) = (true, true);
        }
    }

    /// An Engine.IO session has begun.
    pub fn opened(&mut self) {
        self.era += 1;
    }

    /// A namespace has accepted it, with a new socket.
    pub fn connected(&mut self, namespace: &str, rooms: usize) {
        self.places.retain(|place| *place.namespace != *namespace);
        let (rooms, is_ready) = (vec![Rooms::default(); rooms].into(), !self.awaits_ready);
        self.places.push(Place { namespace: namespace.into(), rooms, is_ready });
        self.has_news = true;
    }

    /// It is in a namespace no more, or in none.
    pub fn ended(&mut self, namespace: Option<&str>) {
        self.places.retain(|place| namespace.is_some_and(|namespace| *place.namespace != *namespace));
        self.era += 1;
    }

    /// Whether there may be something to tell the audit.
    pub fn has_news(&self) -> bool {
        self.has_news && !self.places.is_empty()
    }
}

/// Tells the audit in which rooms the client is now.
pub fn tell(cx: &mut Cx<'_, '_>) {
    cx.actor.standing.has_news = false;
    let mut places = std::mem::take(&mut cx.actor.standing.places);
    let words = cx.actor.standing.words();
    for place in &mut places {
        let namespace = &*place.namespace;
        for (standing, known) in cx.actor.context.server_rooms.standing.iter().zip(&mut place.rooms) {
            let Standing { era, learned, .. } = &cx.actor.standing;
            // Who has no such value is in no such room.
            let Ok(rooms) = standing.name.render(&Words { values: &*cx.actor, words: &words, i: None })
            else {
                continue;
            };
            let is_certain =
                place.is_ready && standing.slots.iter().all(|slot| [0, *era].contains(&learned[*slot]));
            let now = Rooms { names: names(&rooms), is_certain };
            for room in known.names.iter().filter(|room| !now.names.contains(room)) {
                cx.record(AuditEvent::Moved { namespace, room });
            }
            let is_known = |room: &Arc<str>| known.names.contains(room) && (known.is_certain || !is_certain);
            for room in now.names.iter().filter(|room| !is_known(room)) {
                place_in(cx, namespace, room, (is_certain, !standing.slots.is_empty()));
            }
            // A value that may be another one by now takes nothing back.
            let is_certain = is_certain || (known.is_certain && known.names == now.names);
            *known = Rooms { is_certain, ..now };
        }
    }
    cx.actor.standing.places = places;
}

/// An event tells the client of rooms, if the contract says so.
pub fn heed(cx: &mut Cx<'_, '_>, event: &str, message: &ServerEvent<'_>) {
    let mut signs = cx.actor.context.server_rooms.signs.iter().filter(|sign| sign.event == event).peekable();
    if signs.peek().is_none() {
        return;
    }
    let Some(args) = args_word(message) else { return };
    let [auth, query] = cx.actor.standing.words();
    let words = [auth, query, args];
    let namespace = &*message.namespace;
    for sign in signs {
        let Ok(rooms) = sign.name.render(&Words { values: &*cx.actor, words: &words, i: None }) else {
            continue;
        };
        for room in names(&rooms).iter().filter(|_| !rooms.is_null()) {
            match sign.enters {
                true => place_in(cx, namespace, room, (true, true)),
                false => cx.record(AuditEvent::Moved { namespace, room }),
            }
        }
    }
}

fn place_in(cx: &mut Cx<'_, '_>, namespace: &str, room: &str, (is_certain, is_movable): (bool, bool)) {
    cx.record(match room.len() <= LONGEST {
        true => AuditEvent::Placed { namespace, room, is_certain, is_movable },
        // Where it is now nobody can say.
        false => AuditEvent::Untraced { namespace: Some(namespace) },
    });
}
