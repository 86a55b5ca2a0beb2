//! Which part of an event is the message itself, where the application repeats others there, as a chat does that shows with an
//! answer what it answers.

use serde_json::Value as Json;

use super::event_template::{Words, args_word, put_texts};
use crate::contract::Contract;
use crate::session::ServerEvent;
use crate::template::{Template, Values};

/// Where messages stand in the events of a name.
#[derive(Clone, Debug)]
pub struct OwnPlace {
    /// The name of the event; none if it is calculated, and any may be the one.
    event: Option<String>,
    place: Template,
}

impl OwnPlace {
    /// All that a contract tells.
    pub fn all(contract: &Contract) -> Vec<OwnPlace> {
        let name = |event: &Template| event.fixed().and_then(Json::as_str).map(str::to_owned);
        contract
            .own_places()
            .map(|(event, place)| OwnPlace { event: name(event), place: place.clone() })
            .collect()
    }

    /// Whether it is about events of this name.
    pub fn is_about(&self, name: &str) -> bool {
        self.event.as_deref().is_none_or(|event| event == name)
    }

    /// The message itself in an event. Empty if nothing stands there.
    pub fn text(&self, message: &ServerEvent<'_>, values: &dyn Values) -> String {
        let Some(args) = args_word(message) else { return String::new() };
        let words = [args];
        let Ok(mut part) = self.place.render(&Words { values, words: &words, i: None }) else {
            return String::new();
        };
        put_texts(&mut part, &message.attachments);
        match part {
            Json::String(text) => text,
            part => part.to_string(),
        }
    }
}
