//! How this server is asked for things: to put a client into a room, to take it out, to send to others.
//!
//! Socket.IO has no packet for any of these; each application has events of its own. A contract says which, so
//! that any application can be tested. Uses [`crate::document`] and [`crate::template`]; used by the steps
//! `join`, `leave`, `cast` and by what fences an `expect_none`.

use crate::document::schema::{self, Schema, Shape};
use crate::document::{Fields, Mistake, Node, Source, Span, parse};
use crate::template::{Scope, Template};

/// The default: the events of the fixture, which the reference server answers too. The conformance catalogue
/// describes them; `tests/peers` has them for Node.
const FIXTURE: &str = r#"
join:     { emit: ["t:join", "${room}"], ack: true }
leave:    { emit: ["t:leave", "${room}"], ack: true }
cast:
  emit: ["t:cast", { from: "${from}", to: "${to}", except: "${except}", flags: "${flags}" }, "${event}", "${args}"]
  ack: true
  arrives_as: "${event}"
cast_ack:
  emit: ["t:cast-ack", { from: "${from}", to: "${to}", except: "${except}", flags: "${flags}" }, "${timeout}", "${event}", "${args}"]
  ack: true
  arrives_as: "${event}"
fence:    { emit: ["t:join", []], ack: true }
"#;

/// What a server can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Put the asking client into a room.
    Join,
    /// Take the asking client out of a room.
    Leave,
    /// Send an event to others.
    Cast,
    /// Send an event to others and collect what they acknowledge.
    CastAck,
    /// Anything that is acknowledged and changes nothing: what was sent before it has arrived by then.
    Fence,
}

impl Verb {
    /// Every verb, in the order in which they are told.
    pub const ALL: [Verb; 5] = [Verb::Join, Verb::Leave, Verb::Cast, Verb::CastAck, Verb::Fence];

    /// Its key in the scenario.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Join => "join",
            Verb::Leave => "leave",
            Verb::Cast => "cast",
            Verb::CastAck => "cast_ack",
            Verb::Fence => "fence",
        }
    }

    /// The words that may stand in its `emit`: the step gives them.
    ///
    /// `room` is the room to join or leave (a text, or a list where the step names several), and in a cast the
    /// one room that it goes to; `to`, `except` and `flags` are lists of texts; `from` is `io` or `socket`;
    /// `args` is the list of all arguments and `body` the one that carries the stamp of the audit; `timeout` is
    /// in milliseconds.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Verb::Join | Verb::Leave => &["room"],
            Verb::Cast => &["event", "args", "body", "room", "to", "except", "flags", "from"],
            Verb::CastAck => &["event", "args", "body", "room", "to", "except", "flags", "from", "timeout"],
            Verb::Fence => &[],
        }
    }

    /// One of these has to stand in its `emit`, or the server would never learn what it is about.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Verb::Join | Verb::Leave => &["room"],
            Verb::Cast | Verb::CastAck => &["args", "body"],
            Verb::Fence => &[],
        }
    }
}

/// Whom a cast reaches, of those in its rooms or, where the contract has no place for rooms, in the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everyone.
    Everyone,
    /// Everyone but the sender.
    Others,
}

impl Reach {
    const ALL: [(&'static str, Reach); 2] = [("everyone", Reach::Everyone), ("others", Reach::Others)];

    fn read(node: &Node) -> Result<Reach, Mistake> {
        let word = node.text()?;
        let known = Reach::ALL.into_iter().find(|(name, _)| *name == word);
        known.map(|(_, reach)| reach).ok_or_else(|| {
            node.mistake(format!(
                "a cast reaches `everyone`, or the `others` without its sender, not `{word}`"
            ))
            .did_you_mean(word, Reach::ALL.map(|(name, _)| name))
        })
    }
}

/// How one thing is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The name of the event to emit.
    pub event: Template,
    /// Its arguments, in order.
    pub args: Vec<Template>,
    /// Whether the server acknowledges it.
    pub ack: bool,
    /// The name of the event under which a cast arrives.
    pub arrives_as: Template,
    /// Whom a cast reaches, if the application decides that.
    pub reaches: Option<Reach>,
}

impl Ask {
    /// True where a word such as `room` has its place in the event that is emitted.
    pub fn uses(&self, word: &str) -> bool {
        self.event.uses(word) || self.args.iter().any(|arg| arg.uses(word))
    }

    /// The same with templates in the place of words; words that are not given stay open.
    pub fn bind(&self, words: &[(&str, &Template)]) -> Ask {
        Ask {
            event: self.event.bind(words),
            args: self.args.iter().map(|arg| arg.bind(words)).collect(),
            ack: self.ack,
            arrives_as: self.arrives_as.bind(words),
            reaches: self.reaches,
        }
    }

    fn read(verb: Verb, node: &Node, scope: &mut Scope) -> Result<Ask, Mistake> {
        let fields = Fields::of(node, format!("the contract for `{}`", verb.name()))?;
        let emit = fields.required("emit")?;
        let ack = fields.optional("ack");
        let (arrives_as, reaches) = match verb {
            Verb::Cast | Verb::CastAck => (fields.optional("arrives_as"), fields.optional("reaches")),
            _ => (None, None),
        };
        fields.deny_others()?;

        let Some((event, args)) = emit.items().split_first() else {
            return Err(emit.mistake("expected the name of an event, and its arguments, found an empty list"));
        };
        let reach = reaches.map(Reach::read).transpose()?;
        let ask = scope.with_words(verb.words(), |scope| {
            let event = Template::compile_text(event, scope)?;
            let args = args.iter().map(|arg| Template::compile(arg, scope)).collect::<Result<_, _>>()?;
            let arrives_as = match arrives_as {
                Some(node) => Template::compile_text(node, scope)?,
                None => event.clone(),
            };
            Ok(Ask { event, args, ack: ack.map_or(Ok(false), Node::bool)?, arrives_as, reaches: reach })
        })?;
        if let Some(node) = reaches.filter(|_| ask.uses("from")) {
            return Err(node
                .mistake("whether the sender is reached is said by `${from}` already")
                .hint("leave one of them out"));
        }

        if !verb.needs().is_empty() && !verb.needs().iter().any(|word| ask.uses(word)) {
            let words: Vec<String> = verb.needs().iter().map(|word| format!("`${{{word}}}`")).collect();
            let message = format!("nothing in this says what to `{}`", verb.name());
            return Err(emit
                .mistake(message)
                .hint(format!("put {} where the server expects it", words.join(" or "))));
        }
        match (verb, ask.ack, ack) {
            (Verb::CastAck | Verb::Fence, false, given) => {
                let span = given.map_or(node.span, |node| node.span);
                let message = format!("`{}` means nothing without an acknowledgement", verb.name());
                Err(Mistake::new(span, message).hint("add `ack: true`"))
            }
            _ => Ok(ask),
        }
    }
}

/// How this server is asked for things.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    asks: Vec<(Verb, Ask)>,
}

impl Contract {
    /// The contract of the fixture and the reference server.
    pub fn fixture() -> Contract {
        let source = Source { name: "the default contract".to_owned(), text: FIXTURE.to_owned() };
        parse(&source)
            .and_then(|node| Contract::read(&node, &mut Scope::bare()))
            .expect("the default contract is read by a test of this room")
    }

    /// The contract that a scenario gives. It stands alone: what it does not say cannot be asked for.
    pub fn read(node: &Node, scope: &mut Scope) -> Result<Contract, Mistake> {
        let fields = Fields::of(node, "the contract")?;
        let mut asks = Vec::new();
        for verb in Verb::ALL {
            if let Some(node) = fields.optional(verb.name()) {
                asks.push((verb, node));
            }
        }
        fields.deny_others()?;
        let asks = asks.into_iter().map(|(verb, node)| Ok((verb, Ask::read(verb, node, scope)?)));
        Ok(Contract { asks: asks.collect::<Result<_, _>>()? })
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

/// The schema of a contract, for editors.
pub fn schema() -> Schema {
    let reach = Reach::ALL.map(|(name, _)| name);
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
            schema::flag(),
            "Whether the server acknowledges it; else false.",
        );
        if matches!(verb, Verb::Cast | Verb::CastAck) {
            ask = ask
                .takes("arrives_as", schema::text(), "The name of the event that the receivers get.")
                .takes(
                    "reaches",
                    schema::words(reach),
                    "Whom it reaches, where the application decides that.",
                );
        }
        shape = shape.takes(verb.name(), ask.schema(), "Which event asks for it.");
    }
    shape.schema()
}

impl Default for Contract {
    fn default() -> Contract {
        Contract::fixture()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Contract, Mistake> {
        let source = Source { name: "contract".to_owned(), text: text.to_owned() };
        Contract::read(&parse(&source)?, &mut Scope::bare())
    }

    fn told(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn the_default_contract_says_how_to_ask_for_everything() {
        let contract = Contract::fixture();
        for verb in Verb::ALL {
            let ask = contract.need(verb, Span::default()).unwrap();
            assert!(ask.ack, "{verb:?}");
            assert!(ask.event.fixed().is_some(), "{verb:?}");
        }
    }

    #[test]
    fn what_is_fixed_stays_fixed_when_words_are_put_in() {
        let room = Template::from(json!("lobby"));
        let ask = Contract::fixture().get(Verb::Join).unwrap().bind(&[("room", &room)]);
        assert_eq!(ask.args[0].fixed(), Some(&json!("lobby")));
    }

    #[test]
    fn words_keep_their_type_and_may_stay_open() {
        let (to, empty) = (Template::from(json!(["a", "b"])), Template::from(json!([])));
        let (from, event) = (Template::from(json!("io")), Template::from(json!("news")));
        let words = [("to", &to), ("except", &empty), ("flags", &empty), ("from", &from), ("event", &event)];
        let ask = Contract::fixture().get(Verb::Cast).unwrap().bind(&words);
        let options = json!({ "from": "io", "to": ["a", "b"], "except": [], "flags": [] });
        assert_eq!(ask.args[0].fixed(), Some(&options));
        assert_eq!(ask.arrives_as.fixed(), Some(&json!("news")));
        assert!(ask.args[2].fixed().is_none() && ask.uses("args") && !ask.uses("to"));
    }

    #[test]
    fn a_cast_arrives_under_the_name_it_was_emitted_with_unless_told() {
        let plain = read("cast: { emit: [\"chat message\", \"${body}\"] }").unwrap();
        assert_eq!(plain.get(Verb::Cast).unwrap().arrives_as.fixed(), Some(&json!("chat message")));
        let told = read("cast: { emit: [say, \"${body}\"], arrives_as: said }").unwrap();
        assert_eq!(told.get(Verb::Cast).unwrap().arrives_as.fixed(), Some(&json!("said")));
    }

    #[test]
    fn a_contract_that_could_not_work_is_refused() {
        assert_eq!(
            told("join: { emit: [enter, \"${rom}\"] }"),
            "unknown word or variable `rom` (did you mean `room`?)"
        );
        assert_eq!(
            told("join: { emit: [enter] }"),
            "nothing in this says what to `join` (put `${room}` where the server expects it)"
        );
        assert!(told("cast: { emit: [say, \"${room}\"] }").contains("`${args}` or `${body}`"));
        assert_eq!(
            told("fence: { emit: [ok] }"),
            "`fence` means nothing without an acknowledgement (add `ack: true`)"
        );
        assert_eq!(
            told("jion: { emit: [enter] }"),
            "unknown key `jion` in the contract (did you mean `join`?)"
        );
        assert!(told("join: { emit: [a, \"${room}\"], arrives_as: b }").contains("unknown key `arrives_as`"));
        assert!(told("join: { emit: [] }").contains("an empty list"));
    }

    #[test]
    fn what_the_contract_does_not_say_is_told_with_what_to_add() {
        let contract = read("leave: { emit: [exit, \"${room}\"] }").unwrap();
        let mistake = contract.need(Verb::Join, Span::default()).unwrap_err();
        assert_eq!(mistake.message, "the contract does not say how to `join`");
        assert_eq!(
            mistake.hint.as_deref(),
            Some("add `join: { emit: [\"event\", \"${room}\"] }` to `contract`")
        );
    }
}
