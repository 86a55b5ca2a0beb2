//! `response` of an `emit`: the event with which the server answers it, and how long that takes.
//!
//! An acknowledgement says by its number what it answers; an event does not. So the arguments tell, as far as they differ, and
//! beyond that the order: the first answer belongs to the event that was sent first. An answer that may be the late one to an
//! earlier event counts as an answer, and is not timed.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::arguments::{Unlike, arguments};
use super::expect::{self, Description};
use super::overdue::Late;
use super::schema::{self, Schema};
use super::{Cx, Happening, Reading, capture};
use crate::document::{Fields, Mistake, Node};
use crate::observe::{Counter, FailureKind, Metric};
use crate::protocol::socket_io;
use crate::session::{Event, ServerEvent};
use crate::template::Slot;

/// Which event has to answer, and how soon.
#[derive(Debug)]
pub(super) struct Response {
    description: Description,
    within: Duration,
    capture: Option<Slot>,
}

impl Response {
    pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Response, Mistake> {
        let fields = Fields::of(node, "the response")?;
        let description = Description::read(&fields, reading)?;
        let within = reading.within(&fields)?;
        let capture = capture::read(&fields, reading)?;
        fields.deny_others()?;
        Ok(Response { description, within, capture })
    }

    pub(super) fn schema() -> Schema {
        let shape = expect::shape("The event with which the server has to answer.").takes(
            "capture",
            schema::name(),
            "Keeps its arguments under this name.",
        );
        schema::within(shape, "5 s").schema()
    }

    /// The name of the event, for a sentence.
    pub(super) fn name(&self) -> &str {
        &self.description.name
    }

    /// Waits for it. `namespace` is that of the event that it answers.
    ///
    /// # Errors
    /// In words, when an expression has no value.
    pub(super) fn begin<'p>(&'p self, cx: &Cx<'_, 'p>, namespace: &str) -> Result<Awaiting<'p>, String> {
        let namespace = match &self.description.namespace {
            None => namespace.into(),
            Some(_) => cx.namespace(self.description.namespace.as_ref())?,
        };
        let event = self.description.event.render_text(cx.actor)?.into();
        let (due, sent, deadline) = (cx.due, cx.now, cx.now + self.within);
        Ok(Awaiting { response: self, namespace, event, due, sent, deadline, nearest: None })
    }

    /// It did not come.
    pub(super) fn miss(&self, cx: &mut Cx<'_, '_>, why: String) {
        cx.miss(FailureKind::Response, format!("in response, {}", self.description.wish()), why);
    }
}

/// A response that is being waited for.
#[derive(Debug)]
pub(super) struct Awaiting<'p> {
    response: &'p Response,
    namespace: Box<str>,
    event: Box<str>,
    due: Instant,
    sent: Instant,
    deadline: Instant,
    /// The first event of the same name that was another.
    nearest: Option<String>,
}

impl Awaiting<'_> {
    /// Looks at what happened. True when the wait is over; what became of it is told then.
    pub(super) fn handle(&mut self, cx: &mut Cx<'_, '_>, what: &Happening<'_>) -> bool {
        let why = match what {
            Happening::Event(Event::ServerEvent(message)) => match self.judge(cx, message) {
                Some(Ok(args)) => {
                    self.came(cx, message, &args);
                    return true;
                }
                Some(Err(why)) => {
                    self.nearest.get_or_insert(why.why);
                    return false;
                }
                None => return false,
            },
            Happening::Event(Event::Closed(why)) => format!("the connection ended: {why}"),
            Happening::Event(Event::Disconnected { namespace, .. }) if **namespace == *self.namespace => {
                format!("the server disconnected the client from `{namespace}`")
            }
            Happening::Time if cx.now >= self.deadline => {
                self.owe(cx);
                format!("it did not come within {:?}", self.response.within)
            }
            _ => return false,
        };
        let why = match &self.nearest {
            None => why,
            Some(nearest) => format!("{why}; nearest: {nearest}"),
        };
        self.response.miss(cx, why);
        true
    }

    /// When the wait is over.
    pub(super) fn poll_timeout(&self) -> Instant {
        self.deadline
    }

    /// The arguments of an event of that name, if they are as wanted.
    fn judge(&self, cx: &Cx<'_, '_>, message: &ServerEvent<'_>) -> Option<Result<Json, Unlike>> {
        let (name, _) = socket_io::event_name(&message.data)?;
        let is_it = *name == *self.event && *message.namespace == *self.namespace;
        let args = self.response.description.args.as_ref();
        is_it.then(|| arguments(&message.data, &message.attachments, args, cx.actor))
    }

    fn came(&self, cx: &mut Cx<'_, '_>, message: &ServerEvent<'_>, args: &Json) {
        cx.actor.inbox.take_last(message);
        cx.observer.count(Counter::ResponseReceived, 1);
        let value = cx.now.saturating_duration_since(self.due);
        cx.observer.answered(Metric::Response, value, &message.attachments, &|| Some(args.clone()));
        if cx.actor.overdue.is_late() {
            // The one that was meant for this event is still to come, if the other was not lost.
            self.owe(cx);
            let actor = &*cx.actor;
            let cause = "a response was not timed because an earlier one was missing: `args` that differ tell them apart";
            cx.observer.trouble(actor.who, cause, &message.data, &|| actor.wire_log());
        } else {
            cx.observer.latency(Metric::Response, value);
            cx.observer.latency(Metric::ResponseService, cx.now.saturating_duration_since(self.sent));
        }
        if let Some(slot) = &self.response.capture {
            capture::keep(cx, slot, args);
        }
        cx.pass();
    }

    /// It may still come, and is then not to be taken for another.
    fn owe(&self, cx: &mut Cx<'_, '_>) {
        let args = self.response.description.args.as_ref().map(|args| args.frozen(cx.actor));
        cx.actor.overdue.push(Late { namespace: self.namespace.clone(), event: self.event.clone(), args });
    }
}
