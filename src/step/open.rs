//! `open`: the Engine.IO handshake alone, without a `CONNECT`. For scenarios about the protocol itself.
//!
//! With `sid` it is a second connection for a session that another client opened: done when the WebSocket stands. With
//! `refused`, that nothing comes of it is what is demanded.

use std::time::{Duration, Instant};

use super::actor::Ended;
use super::frames::Seen;
use super::refusal::{About, Refusal, answer};
use super::schema::{self, Schema, Shape};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step, how};
use crate::document::{Fields, Mistake, Node, Value};
use crate::observe::{Cause, FailureKind};
use crate::session::{Channel, Closed, Event, Lost, Polls, Transport};
use crate::template::Template;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let empty = Node { span: node.span, value: Value::Map(Vec::new()) };
    let fields = Fields::of(if node.is_null() { &empty } else { node }, "the step `open`")?;
    let transport = fields.optional("transport").map(how::transport).transpose()?;
    let poll = fields.optional("poll");
    let polls = match poll {
        None => Polls::Automatic,
        Some(node) => match node.text()? {
            "by_itself" => Polls::Automatic,
            "by_hand" => Polls::ByHand,
            word => {
                return Err(node
                    .mistake(format!("the client polls `by_itself` or `by_hand`, found `{word}`"))
                    .did_you_mean(word, ["by_itself", "by_hand"]));
            }
        },
    };
    let sid = reading.template(&fields, "sid")?;
    if sid.is_some()
        && let Some(node) =
            poll.or(fields.optional("transport").filter(|_| transport != Some(Transport::Websocket)))
    {
        return Err(node
            .mistake("the second connection of a session is a WebSocket")
            .hint("write `transport: websocket`, and no `poll`"));
    }
    let step = Open {
        transport,
        polls,
        sid,
        query: reading.pairs(&fields, "query")?,
        headers: reading.handshake_headers(&fields)?,
        refused: Refusal::read(&fields, About::Status, reading)?,
        within: reading.within(&fields)?,
    };
    fields.deny_others()?;
    Ok(Box::new(step))
}

pub(super) fn schema() -> Schema {
    let shape = Shape::new("The Engine.IO handshake alone, without a CONNECT.")
        .takes("transport", schema::transport(), "The transport, instead of the group's.")
        .takes(
            "query",
            schema::pairs(),
            "Query parameters, beside those of the group; `null` leaves one out.",
        )
        .takes("headers", schema::pairs(), "Headers, beside those of the group.")
        .takes("poll", schema::words(["by_itself", "by_hand"]), "`by_hand` leaves polling to the steps.")
        .takes(
            "refused",
            schema::refused(),
            "No session may come to be: `true`, a matcher for the HTTP status, or `status` and `body`.",
        )
        .takes("sid", schema::value(), "The session of another client: a second connection for it.");
    schema::within(shape, "5 s").schema()
}

#[derive(Debug)]
struct Open {
    transport: Option<Transport>,
    polls: Polls,
    /// The session that this is a second connection of.
    sid: Option<Template>,
    query: Vec<(String, Template)>,
    headers: Vec<(String, Template)>,
    /// That no session comes to be is demanded; perhaps with which answer.
    refused: Option<Refusal>,
    within: Duration,
}

impl Open {
    fn wish(&self) -> String {
        let what = match self.sid {
            None => "an Engine.IO handshake",
            Some(_) => "a second connection for the session",
        };
        match &self.refused {
            None => what.to_owned(),
            Some(refusal) => format!("{what} to be refused{}", refusal.describe()),
        }
    }

    fn begin(&self, cx: &mut Cx<'_, '_>) -> Result<(), String> {
        let destination = cx.actor.destination(&self.query, &self.headers)?;
        cx.actor.session.set_destination(cx.actor.context.destinations.share(destination));
        let sid = self.sid.as_ref().map(|sid| sid.render_text(cx.actor)).transpose()?;
        cx.actor.arrived = true;
        cx.act_by_hand();
        cx.actor.ended = None;
        cx.actor.frames.forget();
        cx.actor.begin_anew();
        match sid {
            Some(sid) => cx.actor.session.join(cx.wire, &sid),
            None => {
                let transport = self.transport.unwrap_or(cx.actor.group.transport);
                cx.actor.session.open(cx.wire, transport);
                cx.actor.session.set_polls(cx.wire, self.polls);
            }
        }
        Ok(())
    }

    /// The connection was not opened. Whether that is a refusal, and the one that is demanded.
    fn judge(&self, cx: &mut Cx<'_, '_>, why: &Closed) {
        let Some(wanted) = &self.refused else {
            return cx.miss(FailureKind::Connect(why.cause()), self.wish(), why.to_string());
        };
        let answer = answer(why);
        let is_end = matches!(
            why,
            Closed::ByServer { .. }
                | Closed::Lost(
                    _,
                    Lost::Ended
                        | Lost::NoResponse
                        | Lost::Closed { .. }
                        | Lost::SessionClosed { .. }
                        | Lost::Broken(_)
                )
        );
        if answer.is_none() && !is_end {
            // We could not connect, or did not understand: that is no refusal.
            return cx.fail(self.wish(), why.to_string());
        }
        let verdict = match (wanted, &answer) {
            (Refusal::Any, None | Some((400.., _))) => Ok(()),
            (Refusal::Any, Some(_)) => Err("that is no HTTP error".to_owned()),
            (wanted, answer) => {
                wanted.matches_http(cx, answer.as_ref().map(|(status, body)| (*status, body.as_str())))
            }
        };
        match verdict {
            Ok(()) => cx.pass(),
            Err(but) => cx.fail(self.wish(), format!("{why} ({but})")),
        }
    }
}

impl Step for Open {
    fn words(&self) -> String {
        match (&self.sid, &self.refused) {
            (None, None) => "opens an Engine.IO connection and sends nothing".into(),
            (Some(_), None) => "opens a second connection for a session and sends nothing".into(),
            (_, Some(_)) => format!("expects {}", self.wish()),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        if let Err(why) = self.begin(cx) {
            cx.fail(self.wish(), why);
            return Progress::Done;
        }
        Progress::waiting(Opening { step: self, deadline: cx.now + self.within })
    }

    fn filter(&self, filter: &mut EventFilter) {
        // Otherwise nobody would tell of a packet on a connection that should have been refused.
        filter.frames |= self.sid.is_some() && self.refused.is_some();
    }

    fn stands_alone(&self) -> bool {
        true
    }

    fn transport(&self) -> Option<Transport> {
        self.transport
    }
}

#[derive(Debug)]
struct Opening<'p> {
    step: &'p Open,
    deadline: Instant,
}

impl Opening<'_> {
    /// The server was to refuse, and does not.
    fn give_up(&self, cx: &mut Cx<'_, '_>, why: &str) {
        cx.actor.session.cut(cx.wire);
        match self.step.refused {
            Some(_) => cx.fail(self.step.wish(), why),
            None => cx.miss(FailureKind::Connect(Cause::NoHandshake), self.step.wish(), why),
        }
    }
}

impl<'p> Running<'p> for Opening<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        let Open { sid, refused, .. } = self.step;
        match what {
            Happening::Event(Event::Opened { .. }) if refused.is_some() => {
                self.give_up(cx, "the server opened a session");
            }
            Happening::Event(Event::Opened { .. }) => cx.pass(),
            Happening::Established(Channel::WebSocket, _) if sid.is_some() && refused.is_none() => cx.pass(),
            Happening::Frame if sid.is_some() && refused.is_some() => {
                let packet =
                    cx.actor.frames.all().find(|seen| matches!(seen, Seen::Text(_) | Seen::Binary(_)));
                let Some(packet) = packet else { return Flow::Waiting };
                let why = format!("the server sent a packet on it: {}", packet.in_words());
                self.give_up(cx, &why);
            }
            Happening::Event(Event::Closed(why)) => {
                cx.actor.ended = Some(Ended { at: cx.now, why: why.clone() }.into());
                self.step.judge(cx, why);
            }
            Happening::Time if cx.now >= self.deadline => {
                let why = match (sid, refused) {
                    (Some(_), Some(_)) => "it was neither refused nor closed in time",
                    _ => "the server did not answer in time",
                };
                self.give_up(cx, why);
            }
            _ => return Flow::Waiting,
        }
        Flow::Done
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
