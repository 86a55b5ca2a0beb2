//! `fence`: a round trip. What the server sent to this client before it has arrived when it is done.
//!
//! The contract may name an acknowledged event for it. Where it does not, a `CONNECT` to a namespace that nobody
//! serves makes the round trip: every Socket.IO server answers it, whatever its application knows.

use std::time::{Duration, Instant};

use super::event_template::EventTemplate;
use super::exchange::{Awaited, Exchanged};
use super::schema::{self, Schema, Shape};
use super::{Cx, Flow, Happening, Progress, Reading, Running, Step};
use crate::contract::Verb;
use crate::document::{Fields, Mistake, Node};
use crate::observe::Counter;
use crate::session::Event;
use crate::template::Template;

/// A namespace that no server has.
pub const NOWHERE: &str = "/sockrates-fence";

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let (mut namespace, mut within) = (None, super::reading::PATIENCE);
    if !node.is_null() {
        let fields = Fields::of(node, "the step `fence`")?;
        (namespace, within) = (reading.namespace(&fields)?, reading.within(&fields)?);
        fields.deny_others()?;
    }
    Ok(Box::new(Wall { fence: Fence::new(reading, namespace, within) }))
}

pub(super) fn schema() -> Schema {
    let shape = Shape::new(
        "A round trip: what the server sent to this client before it has arrived when it is done.",
    );
    schema::within(schema::namespace(shape), "5 s").schema()
}

/// How a fence is made, fixed when the scenario is read.
#[derive(Debug)]
pub(super) struct Fence {
    event_template: Option<EventTemplate>,
    namespace: Option<Template>,
    within: Duration,
}

impl Fence {
    /// From the contract.
    pub(super) fn new(reading: &Reading<'_>, namespace: Option<Template>, within: Duration) -> Fence {
        let ask = reading.contract.get(Verb::Fence);
        Fence { event_template: ask.map(|ask| EventTemplate::new(&ask.event, &ask.args)), namespace, within }
    }

    /// Begins the round trip.
    ///
    /// # Errors
    /// In words, when nothing can be sent.
    pub(super) fn begin(&self, cx: &mut Cx<'_, '_>) -> Result<Fencing, String> {
        let namespace = cx.namespace(self.namespace.as_ref())?;
        let Some(event_template) = &self.event_template else { return Fencing::probe(cx, self.within) };
        let encoded = event_template.encode(cx.actor)?;
        let awaited = Awaited::begin(cx, namespace, &encoded, self.within)?;
        cx.observer.count(Counter::Fences, 1);
        Ok(Fencing::Event(awaited))
    }
}

/// A round trip under way.
#[derive(Debug)]
pub(super) enum Fencing {
    /// By an acknowledged event.
    Event(Awaited),
    /// By a `CONNECT` that will be refused.
    Probe {
        /// When it was sent.
        asked: Instant,
        /// When the wait is over.
        deadline: Instant,
    },
}

impl Fencing {
    /// A round trip that needs nothing of the application.
    ///
    /// # Errors
    /// In words, when there is no connection.
    pub(super) fn probe(cx: &mut Cx<'_, '_>, patience: Duration) -> Result<Fencing, String> {
        if !cx.actor.session.is_open() {
            return Err(cx.why_not_connected("/"));
        }
        cx.actor.session.connect(cx.wire, NOWHERE, None, false);
        cx.observer.count(Counter::Fences, 1);
        Ok(Fencing::Probe { asked: cx.actor.unread.asking(cx.now), deadline: cx.now + patience })
    }

    /// Looks at what happened; gives the outcome when there is one.
    pub(super) fn handle(&self, cx: &mut Cx<'_, '_>, what: &Happening<'_>) -> Option<Result<(), String>> {
        match self {
            Fencing::Event(awaited) => match awaited.handle(cx, what) {
                Exchanged::Answered(_) => Some(Ok(())),
                Exchanged::Missed(why) => Some(Err(why)),
                Exchanged::Waiting => None,
            },
            Fencing::Probe { asked, deadline } => match what {
                Happening::Event(Event::Refused { namespace, .. }) if *namespace == NOWHERE => {
                    cx.has_read(*asked);
                    Some(Ok(()))
                }
                Happening::Event(Event::Connected { namespace, .. }) if *namespace == NOWHERE => {
                    cx.actor.session.disconnect(cx.wire, NOWHERE);
                    cx.has_read(*asked);
                    Some(Ok(()))
                }
                Happening::Event(Event::Closed(why)) => Some(Err(format!("the connection ended: {why}"))),
                Happening::Time if cx.now >= *deadline => {
                    let missing = cx.actor.signs.unanswered(cx.actor.session.is_connected_anywhere());
                    cx.actor.harm.get_or_insert(missing);
                    Some(Err("the server did not answer a CONNECT to an unknown namespace".into()))
                }
                _ => None,
            },
        }
    }

    /// When the wait is over.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Fencing::Event(awaited) => awaited.poll_timeout(),
            Fencing::Probe { deadline, .. } => Some(*deadline),
        }
    }
}

#[derive(Debug)]
struct Wall {
    fence: Fence,
}

impl Step for Wall {
    fn words(&self) -> String {
        "makes sure that all that was sent to it has arrived".into()
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        match self.fence.begin(cx) {
            Ok(fencing) => Progress::waiting(Waiting(fencing)),
            Err(why) => {
                cx.fail("a round trip", why);
                Progress::Done
            }
        }
    }
}

#[derive(Debug)]
struct Waiting(Fencing);

impl<'p> Running<'p> for Waiting {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match self.0.handle(cx, what) {
            None => return Flow::Waiting,
            Some(Ok(())) => cx.pass(),
            Some(Err(why)) => cx.fail("a round trip", why),
        }
        Flow::Done
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }
}
