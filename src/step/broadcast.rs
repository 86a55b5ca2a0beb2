//! `broadcast`: the broadcasting family. Asks the server to send an event to others, in the words of the contract.
//!
//! Each message carries a stamp, so that receipts can be distinguished and timed. With `collect`
//! the receivers' acknowledgements are asked for and judged.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::arguments::spoilt_answer;
use super::audit_target::{self, AuditTarget, STAMP, Way};
use super::demand::{self, Demand};
use super::event_template::{Encoded, EventTemplate, Words};
use super::payload::{Content, Filler};
use super::pending::{Pending, Settled};
use super::reading::event_fields;
use super::said::{self, SAY};
use super::schema::{self, Schema, Shape};
use super::{AskedEvent, Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::{Sender, stamp};
use crate::contract::{Acceptance, Ask, Reach, Verb};
use crate::document::{Fields, Mistake, Node, Value};
use crate::observe::{FailureKind, Metric};
use crate::protocol::Rule;
use crate::session::Answer;
use crate::template::{Matcher, Template};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let spelt_out = said::spelt_out(node, reading.contract)?;
    let fields = event_fields(&spelt_out, "broadcast")?;
    let event = fields.optional("event");
    // It has been spelt out.
    let _ = fields.optional(SAY);
    let from = from(&fields)?;
    let (to, room) = rooms(&fields, "to", reading)?;
    let (except, _) = rooms(&fields, "except", reading)?;
    let flags = flags(&fields, reading)?;
    let wants_stamp = fields.optional("stamp");
    let stamped = wants_stamp.map_or(Ok(true), Node::bool)?;
    let collect = fields.optional("collect").map(|node| Collect::read(node, reading)).transpose()?;
    let verb = if collect.is_some() { Verb::BroadcastAck } else { Verb::Broadcast };
    let ask = reading.contract.need(verb, node.span)?;
    let has_place = ask.uses(STAMP);
    if let Some(node) = wants_stamp.filter(|_| has_place && !stamped) {
        return Err(node
            .mistake("the contract's broadcast has a place of its own for the stamp")
            .hint("say `audit: false`: then nobody judges who receives the message"));
    }
    let content = Content::read(&fields, stamped && !has_place, reading)?;
    let namespace = reading.namespace(&fields)?;
    let within = reading.within(&fields)?;
    let audited = fields.optional("audit");
    let is_audited = audited.map_or(Ok(stamped), Node::bool)?;
    if let Some(node) = audited.filter(|_| is_audited && !stamped) {
        return Err(
            node.mistake("without its stamp the audit cannot know which clients received the message")
        );
    }
    let ack = fields.optional("ack");
    fields.deny_others()?;
    if let Some(node) = ack.filter(|_| collect.is_some()) {
        return Err(node.mistake("`collect` says already what the acknowledgement has to be"));
    }

    deny_unheeded(&fields, ask)?;
    let demand = Demand::of_contract(ack, ask.ack.is_some(), reading)?;
    deny_unfit_body(&fields, ask, stamped && !has_place)?;
    let event = match event {
        Some(node) => Template::compile_text(node, reading.scope)?,
        None if ask.uses("event") => return Err(missing_event(&fields)),
        None => ask.arrives_as.clone(),
    };
    let timeout = collect.as_ref().map(|collect| collect.within.as_millis() as u64).unwrap_or_default();
    let timeout = Template::from(Json::from(timeout));
    let may_refuse = ask.may_refuse;
    let audit_target = is_audited.then(|| AuditTarget {
        arrives_as: ask.arrives_as.bind(&[("event", &event)]),
        is_aimed: ask.names_rooms() || ask.reaches.is_some(),
        sender: match (ask.uses("from"), from) {
            // The sender's socket in another namespace is no part of what `from` says.
            _ if ask.arrives_in.is_some() => audit_target::reached(ask.reaches),
            (true, "io") => Sender::Included,
            (true, _) => Sender::Excluded,
            (false, _) => audit_target::reached(ask.reaches),
        },
        origin: audit_target::origin(ask.senders),
        order: audit_target::order(ask.order),
        may_be_refused: ask.may_refuse,
        has_history: ask.history,
        // With `local`, a cluster leaves out who is connected elsewhere.
        may_be_lost: ["volatile", "local"].iter().any(|flag| has_flag(&fields, flag)),
        is_kept: collect.is_none() && !has_flag(&fields, "volatile"),
    });
    let from = Template::from(Json::from(from));
    let empty_stamp = Template::from(Json::from(stamp::EMPTY));
    let words = [
        (STAMP, &empty_stamp),
        ("event", &event),
        ("from", &from),
        ("flags", &flags),
        ("args", &content.args),
        ("body", &content.body),
        ("timeout", &timeout),
    ];
    // Rooms that are calculated are filled in once: chance must not choose one for the server and another for the audit.
    let rooms = [("to", &to), ("except", &except), ("room", &room)];
    let fixed = rooms.into_iter().filter(|_| to.fixed().is_some() && except.fixed().is_some());
    let words: Vec<(&str, &Template)> = words.into_iter().chain(fixed).collect();
    let ask = ask.bind(&words);
    let name = super::event_template::in_words(&event);
    Ok(Box::new(Broadcast {
        aim: aim(ask.to.as_ref().unwrap_or(&to), &except),
        name,
        to,
        except,
        aimed_by_contract: ask.to,
        arrives_in: ask.arrives_in,
        filler: content.filler,
        event_template: EventTemplate::new(&ask.event, &ask.args),
        namespace,
        within: collect.as_ref().map_or(within, |collect| collect.within + within),
        asked: super::event_template::in_words(&ask.event),
        ack: ask.ack,
        demand,
        stamped,
        audit_target,
        may_refuse,
        collect,
    }))
}

pub(super) fn schema() -> Schema {
    let rooms = || schema::either([schema::word(), schema::some(schema::word())]);
    let collect = Shape::new("What the receivers have to answer.")
        .takes("count", schema::whole(0..=1_000_000), "How many answers there have to be.")
        .takes("timed_out", schema::flag(), "Whether time has to run out; else false.")
        .takes("answers", schema::matcher(), "The list of answers.");
    let collect = schema::within(collect, "1 s").schema();
    let shape = Shape::new("Asks the server to send an event to others, in the words of the contract.")
        .takes("event", schema::event(), "The name of the event; else that of the contract.")
        .takes("to", rooms(), "A room or a list of rooms; else everyone.")
        .takes("except", rooms(), "A room or a list of rooms to leave out.")
        .takes("from", schema::words(["socket", "io"]), "`socket`: everyone but the sender. `io`: everyone.")
        .takes(
            "args",
            schema::list(schema::value()),
            "The arguments; a stamp is appended, unless the contract has a place for it.",
        )
        .takes(
            SAY,
            schema::word(),
            "Instead of `event` and `args`: one text; `said` is what its receivers expect.",
        )
        .takes("bytes", super::payload::size(), "Instead of `args`: one text of that size, at least 32.")
        .takes(
            "flags",
            schema::list(schema::words(["volatile", "local", "compress"])),
            "Flags of the broadcast.",
        )
        .takes("stamp", schema::flag(), "`false` sends exactly what is written.")
        .takes("audit", schema::flag(), "`false` leaves it open who receives the message.")
        .takes("ack", demand::schema(), "What the server's acknowledgement has to be.")
        .takes("collect", collect, "Asks the receivers for acknowledgements.");
    schema::within(schema::namespace(shape), "5 s").schema()
}

fn has_flag(fields: &Fields<'_>, flag: &str) -> bool {
    fields.optional("flags").is_some_and(|node| node.items().iter().any(|item| item.text() == Ok(flag)))
}

fn missing_event(fields: &Fields<'_>) -> Mistake {
    fields.required("event").map_or_else(|mistake| mistake, |node| node.mistake("the event has no name"))
}

/// Refuses what the contract has no place for: it would be left out without a word, and the broadcast would be another
/// one than the scenario says.
fn deny_unheeded(fields: &Fields<'_>, ask: &Ask) -> Result<(), Mistake> {
    for name in ["event", "from", "to", "except", "flags", "args", "bytes"] {
        let Some((key, node)) = fields.entry(name) else {
            if name == "to" && ask.takes_rooms("room") && !ask.takes_rooms("to") {
                return Err(Mistake::new(
                    fields.span(),
                    "the contract's broadcast goes to one room, and this names none",
                )
                .hint("say which: `to: lobby`"));
            }
            continue;
        };
        let heeded = match name {
            "to" if !ask.takes_rooms("to") && ask.takes_rooms("room") => {
                if node.items().len() > 1 {
                    return Err(
                        node.mistake("the contract's broadcast goes to one room, and this names several")
                    );
                }
                true
            }
            // Saying once more under which name it arrives makes a scenario easier to read.
            "event" if ask.arrives_as.fixed().is_some() => ask.arrives_as.fixed() == Some(&node.to_json()),
            "to" => ask.takes_rooms("to"),
            // What the application does by itself may be said once more.
            "from" if ask.reaches.is_some() => ask.reaches == Some(reach_of(node.text()?)),
            "args" | "bytes" => ask.uses("args") || ask.uses("body"),
            name => ask.uses(name),
        };
        if !heeded {
            let word = if name == "bytes" { "body" } else { name };
            let add = match name {
                "to" => "put `${to}` into its `emit`, or say `to: \"${to}\"` beside it where the server knows the room".to_owned(),
                _ => format!("put `${{{word}}}` into its `emit`"),
            };
            return Err(key
                .mistake(format!("the contract's broadcast has no place for this `{name}`"))
                .hint(format!("{add}, or leave `{name}` out here")));
        }
    }
    Ok(())
}

/// Refuses what a contract with a place for `${body}` alone would lose: a further argument, or the stamp, for which only a
/// text has room. Without it nobody would be seen to receive the message.
fn deny_unfit_body(fields: &Fields<'_>, ask: &Ask, stamped: bool) -> Result<(), Mistake> {
    if !ask.uses("body") || ask.uses("args") {
        return Ok(());
    }
    let args = fields.optional("args").map_or(&[][..], Node::items);
    if let Some(further) = args.get(1) {
        return Err(further
            .mistake("the contract's broadcast takes one argument as its `body`, and this is another")
            .hint("put `${args}` into its `emit`, or give one argument"));
    }
    match args.first() {
        Some(body) if stamped && !matches!(body.value, Value::Text(_)) => Err(body
            .mistake("the stamp of a message goes into its `body`, and only a text has room for it")
            .hint("write a text, or add `stamp: false`: then nobody judges who receives the message")),
        _ => Ok(()),
    }
}

/// Whom a broadcast reaches that comes from there.
fn reach_of(from: &str) -> Reach {
    if from == "io" { Reach::Everyone } else { Reach::Others }
}

fn from(fields: &Fields<'_>) -> Result<&'static str, Mistake> {
    let Some(node) = fields.optional("from") else { return Ok("socket") };
    match node.text()? {
        "socket" => Ok("socket"),
        "io" => Ok("io"),
        word => Err(node
            .mistake(format!(
                "a broadcast comes from `socket` (everyone but the sender) or from `io` (everyone), found `{word}`"
            ))
            .did_you_mean(word, ["socket", "io"])),
    }
}

/// The rooms of a field: as a list, and the first of them (for contracts that know only one).
pub(super) fn rooms(
    fields: &Fields<'_>,
    name: &'static str,
    reading: &mut Reading<'_>,
) -> Result<(Template, Template), Mistake> {
    let Some(node) = fields.optional(name) else {
        return Ok((Template::from(Json::Array(Vec::new())), Template::from(Json::Null)));
    };
    let items = match &node.value {
        Value::List(items) => items.clone(),
        _ => vec![node.clone()],
    };
    for item in &items {
        item.word()?;
    }
    let first = match items.first() {
        Some(first) => Template::compile(first, reading.scope)?,
        None => {
            return Err(node
                .mistake(format!("`{name}` names no room"))
                .hint("leave it out to reach everyone"));
        }
    };
    let list = Node { span: node.span, value: Value::List(items) };
    Ok((Template::compile(&list, reading.scope)?, first))
}

fn flags(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Result<Template, Mistake> {
    const FLAGS: [&str; 3] = ["volatile", "local", "compress"];
    let Some(node) = fields.optional("flags") else { return Ok(Template::from(Json::Array(Vec::new()))) };
    for flag in node.list()? {
        let word = flag.text()?;
        if !FLAGS.contains(&word) {
            return Err(flag.mistake(format!("unknown flag `{word}`")).did_you_mean(word, FLAGS));
        }
    }
    Template::compile(node, reading.scope)
}

fn aim(to: &Template, except: &Template) -> String {
    let list = |template: &Template| match template.fixed() {
        Some(Json::Array(rooms)) => rooms.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
        Some(_) => String::new(),
        None => list_in_words(template),
    };
    let mut aim = String::new();
    match list(to) {
        rooms if rooms.is_empty() => aim.push_str("all"),
        rooms => aim.push_str(&rooms),
    }
    let spared = list(except);
    if !spared.is_empty() {
        aim.push_str(&format!(" except {spared}"));
    }
    aim
}

/// Rooms that are calculated, as they were written: the JSON of the list without its brackets and quotes.
fn list_in_words(template: &Template) -> String {
    template.in_words().trim_matches(['[', ']']).replace("\",\"", ", ").replace('"', "")
}

#[derive(Debug)]
struct Broadcast {
    name: String,
    aim: String,
    /// The rooms that it goes to, and those that are left out.
    to: Template,
    except: Template,
    /// The rooms that it goes to by the contract, where the server knows them by itself.
    aimed_by_contract: Option<Template>,
    /// The namespace in which it is heard, if not that of the sender.
    arrives_in: Option<Template>,
    /// What is made up for each message.
    filler: Option<Filler>,
    event_template: EventTemplate,
    namespace: Option<Template>,
    within: Duration,
    ack: Option<Acceptance>,
    /// The event of the contract, for a sentence.
    asked: String,
    demand: Demand,
    stamped: bool,
    audit_target: Option<AuditTarget>,
    /// Whether the application may refuse it.
    may_refuse: bool,
    collect: Option<Collect>,
}

impl Step for Broadcast {
    fn words(&self) -> String {
        let filler = self.filler.as_ref().map_or_else(String::new, Filler::words);
        let collects = if self.collect.is_some() { " and collects their answers" } else { "" };
        format!("broadcasts {}{filler} to {}{collects}", self.name, self.aim)
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        match self.send(cx) {
            Ok(Some(pending)) => Progress::waiting(Broadcasting { step: self, pending }),
            Ok(None) => Progress::Done,
            Err(why) => {
                cx.fail(format!("to broadcast {}", self.name), why);
                Progress::Done
            }
        }
    }

    fn judges(&self) -> bool {
        self.ack.is_some()
    }

    fn asks(&self) -> Option<AskedEvent> {
        self.ack.as_ref().map(|_| AskedEvent { event: self.asked.clone(), by_contract: true })
    }

    fn messages(&self) -> Option<u64> {
        Some(1)
    }

    fn values(&self, metric: Metric) -> u64 {
        u64::from(match metric {
            Metric::Ack | Metric::AckService => self.ack.is_some(),
            Metric::Delivery | Metric::FanoutFirst | Metric::FanoutLast => self.stamped,
            Metric::Lag => true,
            _ => false,
        })
    }

    fn stamps(&self) -> bool {
        self.stamped
    }

    fn audit(&self, events: &mut EventFilter) {
        if let Some(audit_target) = &self.audit_target {
            audit_target.want(events);
        }
    }
}

impl Broadcast {
    fn send(&self, cx: &mut Cx<'_, '_>) -> Result<Option<Pending<'_>>, String> {
        let namespace = cx.namespace(self.namespace.as_ref())?;
        let (to, except) = (self.to.render(cx.actor)?, self.except.render(cx.actor)?);
        let room = to.get(0).cloned().unwrap_or_default();
        let words = [("to", to), ("except", except), ("room", room)];
        let values = Words { values: cx.actor, words: &words, i: None };
        let mut encoded: Cow<'_, Encoded> = self.event_template.encode(&values)?;
        if let Some(filler) = &self.filler {
            encoded = Cow::Owned(filler.put(&encoded, cx.actor));
        }
        let mut message = None;
        if self.stamped {
            let aimed = self
                .aimed_by_contract
                .as_ref()
                .map(|to| audit_target::by_contract(to, cx, &words))
                .transpose()?;
            let heard_in =
                self.arrives_in.as_ref().map(|_| cx.namespace(self.arrives_in.as_ref())).transpose()?;
            let rooms = [aimed.as_ref().unwrap_or(&words[0].1), &words[1].1];
            let way = Way { sent_in: &namespace, heard_in: heard_in.as_ref().unwrap_or(&namespace), rooms };
            message = audit_target::stamp(cx, encoded.to_mut(), self.audit_target.as_ref(), &way);
        }
        let words = Vec::from(words);
        Pending::send(cx, namespace, &encoded, self.ack.as_ref(), self.within, words, message)
    }
}

/// What the receivers' acknowledgements should be.
#[derive(Debug)]
struct Collect {
    within: Duration,
    count: Option<u64>,
    timed_out: bool,
    answers: Option<Matcher>,
}

impl Collect {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Collect, Mistake> {
        let fields = Fields::of(node, "what is collected")?;
        let within = reading.positive_duration(&fields, "within")?.unwrap_or(Duration::from_secs(1));
        let count = match fields.optional("count") {
            Some(node) => Some(node.int_within(0..=1_000_000)?.unsigned_abs()),
            None => None,
        };
        let timed_out = fields.optional("timed_out").map_or(Ok(false), Node::bool)?;
        let answers = match fields.optional("answers") {
            Some(node) => Some(Matcher::compile(node, reading.scope)?),
            None => None,
        };
        fields.deny_others()?;
        Ok(Collect { within, count, timed_out, answers })
    }

    /// The contract's acknowledgement is `[timed out, [answer, …]]`.
    fn judge(&self, cx: &mut Cx<'_, '_>, answer: &Answer<'_>) {
        let args: Json = serde_json::from_str(&answer.data).unwrap_or(Json::Null);
        let (timed_out, answers) = (args.get(0), args.get(1));
        let (Some(timed_out), Some(Json::Array(collected))) = (timed_out.and_then(Json::as_bool), answers)
        else {
            return cx.fail_on_sight("whether time ran out, and a list of answers", answer.data.as_ref());
        };
        if timed_out != self.timed_out {
            let words = |out| if out { "that time runs out" } else { "that all answer in time" };
            // Who never heard the question does not answer it.
            let rule = timed_out.then(|| cx.actor.signs.missing(Rule::EventLost));
            let seen = format!("{} with {}", words(timed_out), answer.data);
            return cx.fail_in_silence(rule, words(self.timed_out), seen);
        }
        if let Some(count) = self.count
            && collected.len() as u64 != count
        {
            return cx
                .fail(format!("{count} answers"), format!("{} answers: {}", collected.len(), answer.data));
        }
        let answers = Json::Array(collected.clone());
        match self.answers.as_ref().map(|wanted| wanted.matches(&answers, &answer.attachments, cx.actor)) {
            Some(Err(mismatch)) => cx.fail_by_other(
                spoilt_answer(&mismatch),
                self.answers.as_ref().map(Matcher::describe).unwrap_or_default(),
                format!("{answers}: {mismatch}"),
            ),
            _ => cx.pass(),
        }
    }
}

#[derive(Debug)]
struct Broadcasting<'p> {
    step: &'p Broadcast,
    pending: Pending<'p>,
}

impl<'p> Running<'p> for Broadcasting<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        let judged = match (self.pending.handle(cx, what), &self.step.collect) {
            (None, _) => return Flow::Waiting,
            (Some(Settled::Accepted(answer)), Some(collect)) => {
                collect.judge(cx, answer);
                Ok(())
            }
            (Some(settled), _) => settled.judge(cx, &self.step.demand, self.step.may_refuse),
        };
        if let Err(why) = judged {
            let wish = format!("that the server takes the broadcast of {}", self.step.name);
            cx.miss(FailureKind::Ack, wish, why);
        }
        Flow::Done
    }

    fn abandon(&mut self, cx: &mut Cx<'_, 'p>) {
        self.pending.abandon(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.pending.poll_timeout()
    }
}
