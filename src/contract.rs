//! How this server is asked for things: to put a client into a room, to take it out, to send to others.
//!
//! Socket.IO has no packet for any of these; each application has events of its own. A contract says which, so
//! that any application can be tested. Uses [`crate::document`] and [`crate::template`]; used by the steps
//! `join`, `leave`, `broadcast` and by what fences an `expect_none`.

mod acceptance;
mod confirmation;
mod node;
mod ready;
mod reply;
mod shape;
mod standing;

use crate::document::{Fields, Mistake, Node, Source, Span, Value, parse};
use crate::template::{Scope, Template};

pub use acceptance::{Acceptance, Answered, Refusal, ack_fields};
pub use confirmation::Confirmation;
pub use node::{MOST_LEARNED, NodeRule, NodeSign, WORD as NODE_WORD, is_node_name};
pub use ready::ReadyRule;
pub use reply::{event_says_error, says_error, says_yes};
pub use shape::schema;
pub use standing::{RoomSign, ServerRooms, StandingRoom, WORDS as STANDING_WORDS};

/// The default: the events of the fixture, which the reference server answers too. The conformance catalogue
/// describes them; `tests/peers` has them for Node.
const FIXTURE: &str = r#"
join:     { emit: ["t:join", "${room}"], ack: true }
leave:    { emit: ["t:leave", "${room}"], ack: true }
broadcast:
  emit: ["t:cast", { from: "${from}", to: "${to}", except: "${except}", flags: "${flags}" }, "${event}", "${args}"]
  ack: true
  arrives_as: "${event}"
  senders: anyone
broadcast_ack:
  emit: ["t:cast-ack", { from: "${from}", to: "${to}", except: "${except}", flags: "${flags}" }, "${timeout}", "${event}", "${args}"]
  ack: true
  arrives_as: "${event}"
  senders: anyone
fence:    { emit: ["t:join", []], ack: true }
"#;

/// The key for what tells a client its node.
const NODE: &str = "node";

/// The key for what tells a client that the server is ready.
const READY: &str = "ready";

/// The key for the rooms into which the server puts clients by itself.
const ROOMS: &str = "rooms";

/// What a server can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Put the asking client into a room.
    Join,
    /// Take the asking client out of a room.
    Leave,
    /// Send an event to others.
    Broadcast,
    /// Send an event to others and collect what they acknowledge.
    BroadcastAck,
    /// Anything that is acknowledged and changes nothing: what was sent before it has arrived by then.
    Fence,
}

impl Verb {
    /// Every verb, in the order in which they are told.
    pub const ALL: [Verb; 5] = [Verb::Join, Verb::Leave, Verb::Broadcast, Verb::BroadcastAck, Verb::Fence];

    /// Its key in the scenario.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Join => "join",
            Verb::Leave => "leave",
            Verb::Broadcast => "broadcast",
            Verb::BroadcastAck => "broadcast_ack",
            Verb::Fence => "fence",
        }
    }

    /// The words that may stand in its `emit`: the step gives them.
    ///
    /// `room` is the room to join or leave (a text, or a list where the step names several), and in a broadcast the
    /// one room that it goes to; `stamp` is that of the message; `to`, `except` and `flags` are lists of texts; `from` is `io`
    /// or `socket`; `args` is the list of all arguments and `body` the one that carries the stamp of the audit, unless it has
    /// a place of its own; `timeout` is in milliseconds.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Verb::Join | Verb::Leave => &["room", "stamp"],
            Verb::Broadcast => &["event", "args", "body", "stamp", "room", "to", "except", "flags", "from"],
            Verb::BroadcastAck => {
                &["event", "args", "body", "stamp", "room", "to", "except", "flags", "from", "timeout"]
            }
            Verb::Fence => &[],
        }
    }

    /// The words that may stand in what answers it: what the step has named.
    fn words_of_answer(self) -> &'static [&'static str] {
        match self {
            Verb::Join | Verb::Leave => &["room"],
            Verb::Broadcast | Verb::BroadcastAck => &["room", "to", "except"],
            Verb::Fence => &[],
        }
    }

    /// One of these has to stand in its `emit`, or the server would never learn what it is about.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Verb::Join | Verb::Leave => &["room"],
            Verb::Broadcast | Verb::BroadcastAck => &["args", "body", "stamp"],
            Verb::Fence => &[],
        }
    }
}

/// Whom a message reaches, of those in its rooms or, where the contract has no place for rooms, in the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everyone.
    Everyone,
    /// Everyone but the sender.
    Others,
}

impl Reach {
    pub(crate) const ALL: [(&'static str, Reach); 2] =
        [("everyone", Reach::Everyone), ("others", Reach::Others)];

    pub(crate) fn read(node: &Node) -> Result<Reach, Mistake> {
        one_of(node, Reach::ALL, "a message reaches `everyone`, or the `others` without its sender")
    }
}

/// Whose broadcasts the application passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Senders {
    /// Those of the members of a room for certain. Of a stranger's nobody can say.
    Members,
    /// Everybody's.
    Anyone,
}

impl Senders {
    const ALL: [(&'static str, Senders); 2] = [("members", Senders::Members), ("anyone", Senders::Anyone)];

    fn read(node: &Node) -> Result<Senders, Mistake> {
        one_of(node, Senders::ALL, "the senders are the `members` of a room, or `anyone`")
    }
}

/// In which order the application handles the broadcasts of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In the order in which they were sent over one connection, as a server does that does not wait in between.
    Sent,
    /// In any.
    None,
}

impl Order {
    const ALL: [(&'static str, Order); 2] = [("sent", Order::Sent), ("none", Order::None)];

    fn read(node: &Node) -> Result<Order, Mistake> {
        one_of(
            node,
            Order::ALL,
            "the order of a client's broadcasts is the one in which they were `sent`, or `none`",
        )
    }
}

/// The room or the rooms that a message goes to, or that a client joins, by what the step names and by what it sent with CONNECT.
fn rooms(node: &Node, words: &[&'static str], scope: &mut Scope) -> Result<Template, Mistake> {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            return Err(node.mistake("`to` names no room").hint("leave it out, or name one"));
        }
        Value::List(items) => items.iter().try_for_each(|item| item.word().map(|_| ()))?,
        _ => drop(node.word()?),
    }
    let words = words.iter().copied().chain(STANDING_WORDS).collect::<Vec<_>>();
    scope.with_words(&words, |scope| Template::compile(node, scope))
}

/// Refuses a contract by which clients join rooms that have another name on the server, and leave or speak in those that they name.
fn deny_rooms_of_two_names(nodes: &[(Verb, &Node)], asks: &[(Verb, Ask)]) -> Result<(), Mistake> {
    let named = |verb: &Verb, ask: &Ask| matches!(verb, Verb::Join | Verb::Leave) && ask.to.is_some();
    let Some((first, _)) = asks.iter().find(|(verb, ask)| named(verb, ask)) else { return Ok(()) };
    let bare = asks.iter().zip(nodes).find(|((_, ask), _)| ask.to.is_none() && ask.takes_rooms("room"));
    let Some(((verb, _), (_, node))) = bare else { return Ok(()) };
    let (first, name) = (first.name(), verb.name());
    Err(node
        .mistake(format!("`{first}` says by `to` which room it is on the server, and `{name}` does not"))
        .hint(format!("say it with the same `to` in `{name}`")))
}

/// Where in the arguments of an event the message itself stands.
fn own_place(node: &Node, scope: &mut Scope) -> Result<Template, Mistake> {
    node.word()?;
    let place = scope.with_words(&[NODE_WORD], |scope| Template::compile(node, scope))?;
    match place.uses(NODE_WORD) {
        true => Ok(place),
        false => Err(node
            .mistake("this does not say where in the event the message stands")
            .hint("write `\"${args[0].text}\"`, by the arguments of the event that arrives")),
    }
}

fn one_of<T>(
    node: &Node,
    all: impl IntoIterator<Item = (&'static str, T)>,
    what: &str,
) -> Result<T, Mistake> {
    let word = node.text()?;
    let (names, mut values): (Vec<&str>, Vec<T>) = all.into_iter().unzip();
    match names.iter().position(|name| *name == word) {
        Some(place) => Ok(values.swap_remove(place)),
        None => Err(node.mistake(format!("{what}, not `{word}`")).did_you_mean(word, names)),
    }
}

/// What the application tells those in a room, by itself, of who joins or leaves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tells {
    /// The name of the event that they hear.
    pub event: Template,
    /// Whether the client itself hears it, if the contract says so.
    pub reaches: Option<Reach>,
}

impl Tells {
    fn read(node: &Node, scope: &mut Scope) -> Result<Tells, Mistake> {
        let fields = Fields::of(node, "what others are told")?;
        let event = Template::compile_text(fields.required("event")?, scope)?;
        let reaches = fields.optional("reaches").map(Reach::read).transpose()?;
        fields.deny_others()?;
        Ok(Tells { event, reaches })
    }
}

/// How one thing is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The name of the event to emit.
    pub event: Template,
    /// Its arguments, in order.
    pub args: Vec<Template>,
    /// What its acknowledgement has to be like, if the server acknowledges it.
    pub ack: Option<Acceptance>,
    /// The event by which the server answers a join or a leave that it does not acknowledge.
    pub confirmed_by: Option<Confirmation>,
    /// The name of the event under which a broadcast arrives.
    pub arrives_as: Template,
    /// The namespace in which it arrives, if not that in which it is sent.
    pub arrives_in: Option<Template>,
    /// The room that a broadcast goes to, or that a client joins or leaves, or a list of rooms, where the event that is emitted
    /// does not name it, or names it otherwise than the server.
    pub to: Option<Template>,
    /// Whom a broadcast reaches, if the application decides that.
    pub reaches: Option<Reach>,
    /// Whose broadcasts are passed on.
    pub senders: Senders,
    /// In which order a client's broadcasts are handled.
    pub order: Order,
    /// Whether the application may refuse a broadcast by its own rules, such as a limit of messages per second.
    pub may_refuse: bool,
    /// Whether the application may send a broadcast again to whoever joins or connects later.
    pub history: bool,
    /// Where the message itself stands in the event that arrives, if the application repeats others there.
    pub stamp_in: Option<Template>,
    /// What others are told of a join or a leave.
    pub tells: Option<Tells>,
}

impl Ask {
    /// True where a word such as `room` has its place in the event that is emitted.
    pub fn uses(&self, word: &str) -> bool {
        self.event.uses(word) || self.args.iter().any(|arg| arg.uses(word))
    }

    /// True where a broadcast goes to the room or the rooms that the step names.
    pub fn takes_rooms(&self, word: &str) -> bool {
        self.uses(word) || self.to.as_ref().is_some_and(|to| to.uses(word))
    }

    /// True where it is known to which rooms a broadcast goes.
    pub fn names_rooms(&self) -> bool {
        self.to.is_some() || self.uses("room") || self.uses("to")
    }

    /// The same with templates in the place of words; words that are not given stay open.
    pub fn bind(&self, words: &[(&str, &Template)]) -> Ask {
        Ask {
            event: self.event.bind(words),
            args: self.args.iter().map(|arg| arg.bind(words)).collect(),
            ack: self.ack.clone(),
            confirmed_by: self.confirmed_by.as_ref().map(|confirmation| confirmation.bind(words)),
            arrives_as: self.arrives_as.bind(words),
            arrives_in: self.arrives_in.as_ref().map(|namespace| namespace.bind(words)),
            to: self.to.as_ref().map(|to| to.bind(words)),
            reaches: self.reaches,
            senders: self.senders,
            order: self.order,
            may_refuse: self.may_refuse,
            history: self.history,
            stamp_in: self.stamp_in.clone(),
            tells: self
                .tells
                .as_ref()
                .map(|tells| Tells { event: tells.event.bind(words), reaches: tells.reaches }),
        }
    }

    fn read(verb: Verb, node: &Node, scope: &mut Scope) -> Result<Ask, Mistake> {
        let fields = Fields::of(node, format!("the contract for `{}`", verb.name()))?;
        let emit = fields.required("emit")?;
        let ack = fields.optional("ack");
        let only_of = |verbs: [Verb; 2], key| verbs.contains(&verb).then(|| fields.optional(key)).flatten();
        let of_broadcast = |key| only_of([Verb::Broadcast, Verb::BroadcastAck], key);
        let (arrives_as, reaches, senders) =
            (of_broadcast("arrives_as"), of_broadcast("reaches"), of_broadcast("senders"));
        let (order, may_refuse, history) =
            (of_broadcast("order"), of_broadcast("may_refuse"), of_broadcast("history"));
        let (arrives_in, stamp_in) = (of_broadcast("arrives_in"), of_broadcast("stamp_in"));
        let of_move = |key| only_of([Verb::Join, Verb::Leave], key);
        let to = of_broadcast("to").or(of_move("to"));
        let (tells, confirmed_by) = (of_move("tells"), of_move("confirmed_by"));
        fields.deny_others()?;

        if let Value::Map(entries) = &emit.value {
            let event = entries.iter().find(|(key, _)| key.text == "event");
            let event = event.and_then(|(_, node)| node.text().ok()).unwrap_or("enter");
            return Err(emit
                .mistake(format!(
                    "expected the name of an event and its arguments, found {}",
                    emit.describe()
                ))
                .hint(format!("write them as a list: `emit: [{event}, \"${{room}}\"]`")));
        }
        let Some((event, args)) = emit.items().split_first() else {
            return Err(emit.mistake("expected the name of an event, and its arguments, found an empty list"));
        };
        let reach = reaches.map(Reach::read).transpose()?;
        let who_sends = senders.map(Senders::read).transpose()?;
        let order = order.map_or(Ok(Order::Sent), Order::read)?;
        let may_refuse = may_refuse.map_or(Ok(false), Node::bool)?;
        let history = history.map_or(Ok(false), Node::bool)?;
        let mut ask = scope.with_words(verb.words(), |scope| {
            let event = Template::compile_text(event, scope)?;
            let args = args.iter().map(|arg| Template::compile(arg, scope)).collect::<Result<_, _>>()?;
            let arrives_as = match arrives_as {
                Some(node) => Template::compile_text(node, scope)?,
                None => event.clone(),
            };
            let tells = tells.map(|node| Tells::read(node, scope)).transpose()?;
            let arrives_in = arrives_in.map(|node| Template::compile_text(node, scope)).transpose()?;
            let senders = who_sends.unwrap_or(Senders::Members);
            let (ack, confirmed_by, to, stamp_in) = (None, None, None, None);
            let reaches = reach;
            Ok(Ask {
                event,
                args,
                ack,
                confirmed_by,
                arrives_as,
                arrives_in,
                to,
                reaches,
                senders,
                order,
                may_refuse,
                history,
                stamp_in,
                tells,
            })
        })?;
        ask.stamp_in = stamp_in.map(|node| own_place(node, scope)).transpose()?;
        let words: &[&str] =
            if matches!(verb, Verb::Join | Verb::Leave) { &["room"] } else { &["room", "to"] };
        ask.to = to.map(|node| rooms(node, words, scope)).transpose()?;
        scope.with_words(verb.words_of_answer(), |scope| {
            ask.ack = ack.map(|node| Acceptance::read(node, scope)).transpose()?.flatten();
            ask.confirmed_by = confirmed_by.map(|node| Confirmation::read(node, scope)).transpose()?;
            Ok(())
        })?;
        if let Some(node) = confirmed_by.filter(|_| ask.ack.is_some()) {
            return Err(node
                .mistake("the acknowledgement says already when it is done")
                .hint("leave out `ack`, or `confirmed_by`"));
        }
        if let Some(node) = reaches.filter(|_| ask.uses("from")) {
            return Err(node
                .mistake("whether the sender is reached is said by `${from}` already")
                .hint("leave one of them out"));
        }
        if let Some(node) = senders.filter(|_| !ask.names_rooms()) {
            return Err(node
                .mistake("this broadcast has no place for rooms, so nobody is a member of one")
                .hint("leave `senders` out"));
        }
        // The room of the step may stand for more, or for another, on the server.
        let says_no_more = |to: &Template| !to.uses("room") && !to.uses("to");
        let is_other = ask.to.as_ref().is_some_and(says_no_more);
        if let Some(node) = to.filter(|_| is_other && (ask.uses("room") || ask.uses("to"))) {
            return Err(node
                .mistake("`emit` says already which room it is")
                .hint("leave `to` out, or the room in `emit`"));
        }
        let has_stamp = ask.uses("stamp");
        match (tells, has_stamp && matches!(verb, Verb::Join | Verb::Leave)) {
            (Some(node), false) => {
                return Err(node
                    .mistake("nothing in `emit` carries the stamp by which others know what they are told")
                    .hint("put `${stamp}` into a text that is told once, such as a greeting"));
            }
            (None, true) => {
                return Err(emit
                    .mistake("`${stamp}` is for what others are told, and this does not say what they hear")
                    .hint("add `tells: { event: NAME }`"));
            }
            _ => {}
        }

        let is_told = ask.confirmed_by.as_ref().is_some_and(|confirmation| confirmation.names_room);
        if !verb.needs().is_empty() && !is_told && !verb.needs().iter().any(|word| ask.uses(word)) {
            let words: Vec<String> = verb.needs().iter().map(|word| format!("`${{{word}}}`")).collect();
            let message = format!("nothing in this says what to `{}`", verb.name());
            let by_itself = match verb {
                Verb::Join | Verb::Leave => {
                    "; if it knows the room by itself, name the event that says which it was: \
                     `confirmed_by: { event: moved, args: [\"${room}\"] }`"
                }
                _ => "",
            };
            return Err(emit
                .mistake(message)
                .hint(format!("put {} where the server expects it{by_itself}", words.join(" or "))));
        }
        match (verb, &ask.ack, ack) {
            (Verb::BroadcastAck | Verb::Fence, None, given) => {
                let span = given.map_or(node.span, |node| node.span);
                let message = format!("`{}` means nothing without an acknowledgement", verb.name());
                Err(Mistake::new(span, message).hint("add `ack: true`"))
            }
            _ => Ok(ask),
        }
    }
}

/// How this server is asked for things.
#[derive(Clone, Debug)]
pub struct Contract {
    asks: Vec<(Verb, Ask)>,
    rooms: ServerRooms,
    node: Option<NodeRule>,
    ready: Option<ReadyRule>,
    is_default: bool,
}

impl Contract {
    /// The contract of the fixture and the reference server.
    pub fn fixture() -> Contract {
        let source = Source { name: "the default contract".to_owned(), text: FIXTURE.to_owned() };
        let read = parse(&source).and_then(|node| Contract::read(&node, &mut Scope::bare()));
        Contract { is_default: true, ..read.expect("the default contract is read by a test of this room") }
    }

    /// The same without its event for a fence: for a scenario that does not say that its server has these events.
    #[must_use]
    pub fn without_fence(mut self) -> Contract {
        self.asks.retain(|(verb, _)| *verb != Verb::Fence);
        self
    }

    /// Its entries, in the order in which they are told.
    pub fn verbs(&self) -> impl Iterator<Item = Verb> + '_ {
        self.asks.iter().map(|(verb, _)| *verb)
    }

    /// The contract that a scenario gives. It stands alone: what it does not say cannot be asked for. Its rooms are read by
    /// [`Contract::read_rooms`], when it is known which values clients keep.
    pub fn read(node: &Node, scope: &mut Scope) -> Result<Contract, Mistake> {
        let fields = Fields::of(node, "the contract")?;
        let mut asks = Vec::new();
        for verb in Verb::ALL {
            if let Some(node) = fields.optional(verb.name()) {
                asks.push((verb, node));
            }
        }
        let _ = fields.optional(ROOMS);
        let (node, ready) = (fields.optional(NODE), fields.optional(READY));
        fields.deny_others()?;
        let node = node.map(|node| NodeRule::read(node, scope)).transpose()?;
        let ready = ready.map(|node| ReadyRule::read(node, scope)).transpose()?;
        let read = asks.iter().map(|(verb, node)| Ok((*verb, Ask::read(*verb, node, scope)?)));
        let read = read.collect::<Result<Vec<_>, _>>()?;
        deny_rooms_of_two_names(&asks, &read)?;
        Ok(Contract { asks: read, rooms: ServerRooms::default(), node, ready, is_default: false })
    }

    /// Reads the rooms into which the server puts clients by itself, when the script has been read.
    pub fn read_rooms(&mut self, node: &Node, scope: &mut Scope) -> Result<(), Mistake> {
        if let Some(rooms) = Fields::of(node, "the contract")?.optional(ROOMS) {
            self.rooms = ServerRooms::read(rooms, scope)?;
        }
        Ok(())
    }

    /// The rooms into which the server puts clients by itself.
    pub fn rooms(&self) -> &ServerRooms {
        &self.rooms
    }

    /// What tells a client behind a balancer which node it got.
    pub fn node(&self) -> Option<&NodeRule> {
        self.node.as_ref()
    }

    /// What tells a client that the server handles its events from now on.
    pub fn ready(&self) -> Option<&ReadyRule> {
        self.ready.as_ref()
    }

    /// The events as which messages arrive beside others that are repeated, and where those themselves stand in them.
    pub fn own_places(&self) -> impl Iterator<Item = (&Template, &Template)> {
        self.asks.iter().filter_map(|(_, ask)| Some((&ask.arrives_as, ask.stamp_in.as_ref()?)))
    }

    /// Whether the application may send a broadcast again to whoever joins or connects later.
    pub fn has_history(&self) -> bool {
        self.asks.iter().any(|(_, ask)| ask.history)
    }

    /// Whether it is the one of the fixture, because the scenario gives none.
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// Whether a broadcast can reach every client: it need not go to a room, nor does the server choose one.
    pub fn can_reach_everyone(&self) -> bool {
        let reaches_all = |ask: &Ask| ask.to.is_none() && (ask.uses("to") || !ask.uses("room"));
        self.get(Verb::Broadcast).is_some_and(reaches_all)
    }

    /// How a thing is asked for, where the contract says so.
    pub fn get(&self, verb: Verb) -> Option<&Ask> {
        self.asks.iter().find(|(known, _)| *known == verb).map(|(_, ask)| ask)
    }

    /// How a thing is asked for, for a step that cannot do without; `at` is where the step stands.
    pub fn need(&self, verb: Verb, at: Span) -> Result<&Ask, Mistake> {
        self.get(verb).ok_or_else(|| {
            let name = verb.name();
            let word = verb.needs().first().map(|word| format!(", \"${{{word}}}\"")).unwrap_or_default();
            Mistake::new(at, format!("the contract does not say how to `{name}`"))
                .hint(format!("add `{name}: {{ emit: [\"event\"{word}] }}` to `contract`"))
        })
    }
}

impl Default for Contract {
    fn default() -> Contract {
        Contract::fixture()
    }
}

#[cfg(test)]
mod tests;
