//! `expect_none`: an event must not have arrived. Judged after a fence, never by waiting: when the round trip is
//! over, everything that the server had sent before is here; with several nodes, when the markers of the others are here,
//! too.

use std::time::{Duration, Instant};

use super::expect::Description;
use super::fence::{Fence, Fencing};
use super::reading::event_fields;
use super::schema::{self, Schema};
use super::silence::{self, Silence};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::stamp::Stamp;
use crate::document::{Mistake, Node};
use crate::observe::Counter;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = event_fields(node, "expect_none")?;
    let description = Description::read(&fields, reading)?;
    let within = reading.within(&fields)?;
    fields.deny_others()?;
    let fence = Fence::new(reading, description.namespace.clone(), within);
    Ok(Box::new(ExpectNone { description, fence, within }))
}

pub(super) fn schema() -> Schema {
    let shape = super::expect::shape(
        "No such event may have arrived. Judged after a round trip, never after a wait.",
    );
    schema::within(shape, "5 s").schema()
}

#[derive(Debug)]
struct ExpectNone {
    description: Description,
    fence: Fence,
    within: Duration,
}

impl Step for ExpectNone {
    fn words(&self) -> String {
        format!("hears no {}", self.description.name)
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let begun = cx
            .namespace(self.description.namespace.as_ref())
            .and_then(|namespace| Ok((self.fence.begin(cx)?, silence::ask(cx, &namespace))));
        match begun {
            Ok((fencing, silence)) => {
                if silence.is_weaker() {
                    cx.observer.count(Counter::FencesOfOneNode, 1);
                }
                let fencing = Some(fencing);
                Progress::waiting(Listening { step: self, fencing, silence, deadline: cx.now + self.within })
            }
            Err(why) => {
                cx.fail(self.wish(), format!("it could not be judged: {why}"));
                Progress::Done
            }
        }
    }

    fn filter(&self, filter: &mut EventFilter) {
        filter.want(&self.description.event);
    }
}

impl ExpectNone {
    fn wish(&self) -> String {
        format!("not {}", self.description.wish())
    }

    fn judge(&self, cx: &mut Cx<'_, '_>) {
        let described = cx
            .namespace(self.description.namespace.as_ref())
            .and_then(|namespace| Ok((namespace, self.description.event.render_text(cx.actor)?)));
        let (namespace, event) = match described {
            Ok(described) => described,
            Err(why) => return cx.fail(self.wish(), why),
        };
        let found: Vec<usize> = cx
            .actor
            .inbox
            .named(&namespace, &event)
            .filter(|(_, received)| self.description.concerns(received, cx))
            .filter(|(_, received)| self.description.judge(received, cx.actor, None).is_ok())
            .map(|(place, _)| place)
            .collect();
        let mut first = None;
        for place in found.iter().rev() {
            first = cx.actor.inbox.take(*place);
        }
        match first {
            None => cx.pass(),
            Some(received) => {
                let more = match found.len() {
                    1 => String::new(),
                    n => format!(", and {} more", n - 1),
                };
                cx.fail_by_other(None, self.wish(), format!("{}{more}", Stamp::strip(&received.data)));
            }
        }
    }
}

#[derive(Debug)]
struct Listening<'p> {
    step: &'p ExpectNone,
    /// The round trip, until it is over.
    fencing: Option<Fencing>,
    silence: Silence,
    /// When the wait for markers is over.
    deadline: Instant,
}

impl<'p> Running<'p> for Listening<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        if let Some(fencing) = &self.fencing {
            match fencing.handle(cx, what) {
                None => return Flow::Waiting,
                Some(Ok(())) => self.fencing = None,
                Some(Err(why)) => {
                    cx.fail(self.step.wish(), format!("it could not be judged: {why}"));
                    return Flow::Done;
                }
            }
        }
        let missing = match &self.silence {
            Silence::Awaits(awaited) => awaited.missing(cx.actor),
            Silence::Whole | Silence::OfOneNode => Vec::new(),
        };
        match missing.first() {
            None => self.step.judge(cx),
            Some(_) if cx.now < self.deadline => return Flow::Waiting,
            Some(_) if self.silence.says_nothing() => {
                if !self.silence.is_weaker() {
                    cx.observer.count(Counter::FencesOfOneNode, 1);
                }
                self.step.judge(cx);
            }
            Some(node) => {
                let name = cx.actor.context.node_name(*node);
                let within = self.step.within;
                cx.fail(
                    self.step.wish(),
                    format!(
                        "it could not be judged: no broadcast from node {name} arrived within {within:?}"
                    ),
                );
            }
        }
        Flow::Done
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match &self.fencing {
            Some(fencing) => fencing.poll_timeout(),
            None => Some(self.deadline),
        }
    }
}
