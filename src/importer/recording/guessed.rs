//! What was guessed of the events of a recording.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::keys::is_name_key;
use super::origin::{Event, Place, Teller, texts};
use super::seen::{INTRODUCE, is_called, is_name};

/// What was guessed.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    pub(super) joins: BTreeMap<Event, Rooms>,
    pub(super) leaves: BTreeMap<Event, Rooms>,
    pub(super) broadcasts: BTreeMap<Event, Broadcast>,
    /// Events that others hear, but that are not audited: the evidence, and why.
    pub(super) echoes: BTreeMap<Event, String>,
    /// The event by which each is answered.
    pub(super) responses: BTreeMap<Event, String>,
    /// Events that were acknowledged each time.
    pub(super) acknowledged: BTreeMap<Event, Acknowledged>,
    /// Whether there were too many kinds of events, so that the rarest mean nothing here.
    pub(super) is_cut: bool,
}

/// Where an event names a room, and why it is taken for one.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    pub(super) place: Place,
    pub(super) evidence: String,
}

/// How an event is acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    /// Whether the first argument is an error or null.
    pub(super) is_error_first: bool,
    pub(super) evidence: String,
}

/// How a client knows the room that it alone is in.
#[derive(Clone, Debug)]
pub(super) enum Personal {
    /// The server tells it: what does, where, and with how many arguments.
    Told(Teller, Place, usize),
    /// It is its name, written like this.
    Named(String),
}

/// An event that others hear.
#[derive(Clone, Debug)]
pub(super) struct Broadcast {
    /// Where its text is.
    pub(super) text: Place,
    /// Where it names a room.
    pub(super) room: Option<Place>,
    /// How a client knows the name of the room that it alone is in, where each client has one.
    pub(super) personal: Option<Personal>,
    /// The event that others hear.
    pub(super) arrives_as: String,
    /// The namespace in which they hear it.
    pub(super) arrives_in: String,
    /// Whether the sender hears it, too. None where that cannot be told, as others said the same at that time.
    pub(super) reaches_sender: Option<bool>,
    /// Whether each tab heard it that was there.
    pub(super) reaches_all: bool,
    /// Whether all clients can say it alike: nothing in it is what the server had told somebody.
    pub(super) is_for_all: bool,
    /// How often it was sent.
    pub(super) times: usize,
    /// Whether tabs that came later heard it, too.
    pub(super) has_history: bool,
    pub(super) evidence: String,
}

impl Broadcast {
    /// The namespace in which it is heard, if that is not the one of its event.
    pub(super) fn elsewhere(&self, event: &Event) -> Option<&str> {
        (self.arrives_in != event.0).then_some(self.arrives_in.as_str())
    }
}

impl Guesses {
    /// The broadcast that is sent most often of those that all clients can say, which the contract names.
    pub(super) fn main(&self) -> Option<(&Event, &Broadcast)> {
        let for_all = self.broadcasts.iter().filter(|(_, broadcast)| broadcast.is_for_all);
        for_all.max_by_key(|(_, broadcast)| broadcast.times)
    }

    /// The broadcast of the contract, if this event is one of it: the contract names no namespace.
    pub(super) fn of_contract(&self, event: &Event) -> Option<&Broadcast> {
        let (main, of_main) = self.main()?;
        let own = self.broadcasts.get(event)?;
        let how = |event: &Event| self.acknowledged.get(event).map(|one| one.is_error_first);
        let is_same =
            own.text == of_main.text && own.room == of_main.room && own.arrives_as == of_main.arrives_as;
        let is_same = is_same && own.elsewhere(event) == of_main.elsewhere(main);
        let is_alike = main.1 == event.1
            && is_same
            && self.reaches(own) == self.reaches(of_main)
            && how(main) == how(event);
        (main == event || is_alike && own.is_for_all).then_some(own)
    }

    /// Where a broadcast names its room; nowhere if nobody is in one.
    pub(super) fn room_place<'b>(&self, broadcast: &'b Broadcast) -> Option<&'b Place> {
        broadcast.room.as_ref().filter(|_| !self.joins.is_empty() || broadcast.personal.is_some())
    }

    /// Whom a broadcast reaches, as a contract says it, where that is known.
    pub(super) fn reaches(&self, broadcast: &Broadcast) -> Option<&'static str> {
        let is_aimed = broadcast.reaches_all || self.room_place(broadcast).is_some();
        // A person may write to itself, or see its own words beside those of the others: neither is for the room.
        if matches!(broadcast.personal, Some(Personal::Named(_))) {
            return None;
        }
        let reaches_sender = broadcast.reaches_sender.filter(|_| is_aimed)?;
        Some(if reaches_sender { "everyone" } else { "others" })
    }

    /// Where an event says who its sender is.
    pub(super) fn names<'j>(&self, event: &Event, args: &'j [Json]) -> Vec<(Place, &'j str)> {
        let is_introduction = is_called(event, &INTRODUCE) && !self.joins.contains_key(event);
        let found = texts(args).into_iter().filter(|(place, _)| match args {
            [Json::String(_)] => is_introduction,
            _ => is_name_key(place),
        });
        found.filter(|(_, name)| is_name(name)).collect()
    }
}
