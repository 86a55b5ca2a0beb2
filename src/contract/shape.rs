//! The schema of a contract, for editors.

use super::{
    NODE, Order, READY, ROOMS, Reach, Senders, Verb, acceptance, confirmation, node, ready, standing,
};
use crate::document::schema::{self, Schema, Shape};

/// See the module's head.
pub fn schema() -> Schema {
    let reach = || schema::words(Reach::ALL.map(|(name, _)| name));
    let senders = Senders::ALL.map(|(name, _)| name);
    let orders = Order::ALL.map(|(name, _)| name);
    let event = schema::either([
        schema::word(),
        serde_json::json!({ "type": "array", "minItems": 1, "items": schema::named("value") }),
    ]);
    let mut shape =
        Shape::new("How this server is asked for things. What it does not say cannot be asked for.");
    for verb in Verb::ALL {
        let words: Vec<String> = verb.words().iter().map(|word| format!("`${{{word}}}`")).collect();
        let words =
            if words.is_empty() { String::new() } else { format!(" Words for it: {}.", words.join(", ")) };
        let about = format!("The name of the event and its arguments.{words}");
        let mut ask = Shape::new("Which event asks for it.").needs("emit", event.clone(), &about).takes(
            "ack",
            acceptance::schema(),
            "Whether the server acknowledges it, and what an acknowledgement is like that is no refusal; else false.",
        );
        if matches!(verb, Verb::Broadcast | Verb::BroadcastAck) {
            ask = ask
                .takes("arrives_as", schema::text(), "The name of the event that the receivers get.")
                .takes("arrives_in", schema::text(), "The namespace in which they get it; else that of the sender.")
                .takes(
                    "to",
                    schema::either([schema::word(), schema::some(schema::word())]),
                    "The room that it goes to, or a list, where `emit` names none: of `${auth}`, `${query}`, `${room}`, `${to}`.",
                )
                .takes("reaches", reach(), "Whom it reaches, where the application decides that.")
                .takes("senders", schema::words(senders), "Whose broadcasts are passed on.")
                .takes("order", schema::words(orders), "In which order a client's broadcasts are handled.")
                .takes("may_refuse", schema::flag(), "Whether the application may refuse a broadcast.")
                .takes("stamp_in", schema::text(), "Where in the event the message itself stands, if others are repeated there.")
                .takes("history", schema::flag(), "Whether it may send a broadcast again to who joins or connects later.");
        }
        if matches!(verb, Verb::Join | Verb::Leave) {
            let rooms = schema::either([schema::word(), schema::some(schema::word())]);
            let about = "Which room, or rooms, it is on the server, where clients name it otherwise: of `${auth}`, `${query}`, `${room}`.";
            ask = ask.takes("to", rooms, about);
            let tells = Shape::new("What others in the room are told by the application itself.")
                .needs("event", schema::text(), "The name of the event that they hear.")
                .takes("reaches", reach(), "Whether the client itself hears it.");
            ask = ask.takes("tells", tells.schema(), "What others in the room are told.").takes(
                "confirmed_by",
                confirmation::schema(),
                "The event by which the server answers, where it does not acknowledge.",
            );
        }
        shape = shape.takes(verb.name(), ask.schema(), "Which event asks for it.");
    }
    let rooms = "The rooms into which the server puts clients by itself.";
    let node = "What tells a client behind a balancer which node it got.";
    let told = "What tells a client that the server is ready, if it loses what a client sends right after it has connected.";
    let shape = shape.takes(ROOMS, standing::schema(), rooms).takes(NODE, node::schema(), node);
    shape.takes(READY, ready::schema(), told).schema()
}
