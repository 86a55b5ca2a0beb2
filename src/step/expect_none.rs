//! `expect_none`: an event must not have arrived. Judged after a fence, never by waiting: when the round trip is
//! over, everything that the server had sent before is here.

use std::time::Instant;

use super::expect::Description;
use super::fence::{Fence, Fencing};
use super::reading::event_fields;
use super::schema::{self, Schema};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::stamp::Stamp;
use crate::document::{Mistake, Node};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = event_fields(node, "expect_none")?;
    let description = Description::read(&fields, reading)?;
    let within = reading.within(&fields)?;
    fields.deny_others()?;
    let fence = Fence::new(reading, description.namespace.clone(), within);
    Ok(Box::new(ExpectNone { description, fence }))
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
}

impl Step for ExpectNone {
    fn words(&self) -> String {
        format!("hears no {}", self.description.name)
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        match self.fence.begin(cx) {
            Ok(fencing) => Progress::waiting(Listening { step: self, fencing }),
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
                cx.fail(self.wish(), format!("{}{more}", Stamp::strip(&received.data)));
            }
        }
    }
}

#[derive(Debug)]
struct Listening<'p> {
    step: &'p ExpectNone,
    fencing: Fencing,
}

impl<'p> Running<'p> for Listening<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match self.fencing.handle(cx, what) {
            None => return Flow::Waiting,
            Some(Ok(())) => self.step.judge(cx),
            Some(Err(why)) => cx.fail(self.step.wish(), format!("it could not be judged: {why}")),
        }
        Flow::Done
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.fencing.poll_timeout()
    }
}
