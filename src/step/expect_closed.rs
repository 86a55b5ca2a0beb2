//! `expect_closed`: the server has to end the connection, or our membership of a namespace, within a window.

use std::time::{Duration, Instant};

use super::schema::{self, Schema, Shape};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::document::{Fields, Mistake, Node, Value};
use crate::protocol::Rule;
use crate::session::{Closed, Event, Lost};
use crate::template::Template;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let empty = Node { span: node.span, value: Value::Map(Vec::new()) };
    let fields = Fields::of(if node.is_null() { &empty } else { node }, "the step `expect_closed`")?;
    let within = reading.within(&fields)?;
    let not_before = reading.not_before(&fields, within)?;
    let namespace = reading.namespace(&fields)?;
    let code = match fields.optional("code") {
        Some(node) => Some(node.int_within(1000..=4999)? as u16),
        None => None,
    };
    fields.deny_others()?;
    Ok(Box::new(ExpectClosed { within, not_before, namespace, code }))
}

pub(super) fn schema() -> Schema {
    let shape = Shape::new("The server has to end the connection, or the membership of a namespace.")
        .takes("not_before", schema::time(), "How early it would be too early.")
        .takes("code", schema::whole(1000..=4999), "The close code of the WebSocket.");
    schema::within(schema::namespace(shape), "5 s").schema()
}

#[derive(Debug)]
struct ExpectClosed {
    within: Duration,
    not_before: Duration,
    namespace: Option<Template>,
    code: Option<u16>,
}

impl ExpectClosed {
    fn wish(&self) -> String {
        let what = match (&self.namespace, self.code) {
            (Some(_), _) => "the server to end the namespace".to_owned(),
            (None, Some(code)) => format!("the server to close with code {code}"),
            (None, None) => "the server to close the connection".to_owned(),
        };
        match self.not_before {
            Duration::ZERO => format!("{what} within {:?}", self.within),
            from => format!("{what} between {from:?} and {:?}", self.within),
        }
    }

    fn judge(&self, cx: &mut Cx<'_, '_>, began: Instant, at: Instant, why: &Closed) {
        let after = at.saturating_duration_since(began);
        if after < self.not_before {
            return cx.fail(self.wish(), format!("it ended after {after:?} already: {why}"));
        }
        match (self.code, why) {
            (
                Some(wanted),
                Closed::Lost(_, Lost::Closed { code: Some(code), .. })
                | Closed::ByServer { then: Some(Lost::Closed { code: Some(code), .. }) },
            ) if wanted == *code => cx.pass(),
            (Some(_), why) => cx.fail(self.wish(), why.to_string()),
            (None, Closed::NoPing) => {
                let seen = "it stayed open without a ping until the client gave up";
                // What is silent from then on has ended, and did not say so to who polls.
                match cx.actor.session.has_polled() {
                    true => cx.fail_by(Some(Rule::CloseUntold), self.wish(), seen),
                    false => cx.fail_by_itself(self.wish(), seen),
                }
            }
            (None, Closed::NoPong) => {
                cx.fail_by_itself(self.wish(), "it stayed open without a pong until the client gave up");
            }
            (None, _) => cx.pass(),
        }
    }
}

impl Step for ExpectClosed {
    fn words(&self) -> String {
        format!("expects {}", self.wish())
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let namespace = match cx.namespace(self.namespace.as_ref()) {
            Ok(namespace) => namespace,
            Err(why) => {
                cx.fail(self.wish(), why);
                return Progress::Done;
            }
        };
        if let Some(ended) = cx.actor.ended.clone() {
            self.judge(cx, cx.now, ended.at.max(cx.now), &ended.why);
            return Progress::Done;
        }
        if self.namespace.is_some() && !cx.actor.session.is_connected(&namespace) {
            cx.pass();
            return Progress::Done;
        }
        if cx.actor.session.is_closed() {
            let why = cx.why_not_connected(&namespace);
            cx.fail(self.wish(), why);
            return Progress::Done;
        }
        Progress::waiting(Awaiting { step: self, namespace, began: cx.now, deadline: cx.now + self.within })
    }

    fn filter(&self, filter: &mut EventFilter) {
        filter.ends = true;
    }
}

#[derive(Debug)]
struct Awaiting<'p> {
    step: &'p ExpectClosed,
    namespace: Box<str>,
    began: Instant,
    deadline: Instant,
}

impl<'p> Running<'p> for Awaiting<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match what {
            Happening::Event(Event::Closed(why)) if self.step.namespace.is_none() => {
                self.step.judge(cx, self.began, cx.now, why);
            }
            Happening::Event(Event::Closed(why)) => {
                cx.fail(self.step.wish(), format!("the whole connection ended: {why}"));
            }
            Happening::Event(Event::Disconnected { namespace, .. })
                if self.step.namespace.is_some() && **namespace == *self.namespace =>
            {
                cx.pass();
            }
            Happening::Time if cx.now >= self.deadline => {
                let rule = self.step.namespace.is_some().then_some(Rule::EndUntold);
                cx.fail_in_silence(rule, self.step.wish(), "it is still open");
            }
            _ => return Flow::Waiting,
        }
        Flow::Done
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
