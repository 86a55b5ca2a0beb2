//! `upgrade`: from long-polling to a WebSocket, in the middle of whatever is under way.

use std::time::{Duration, Instant};

use super::schema::{self, Schema, Shape};
use super::{Cx, Flow, Happening, Progress, Reading, Running, Step};
use crate::document::{Fields, Mistake, Node};
use crate::observe::Metric;
use crate::session::Event;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    if node.is_null() {
        return Ok(Box::new(Upgrade { within: super::reading::PATIENCE }));
    }
    let fields = Fields::of(node, "the step `upgrade`")?;
    let within = reading.within(&fields)?;
    fields.deny_others()?;
    Ok(Box::new(Upgrade { within }))
}

pub(super) fn schema() -> Schema {
    schema::within(Shape::new("From polling to a WebSocket."), "5 s").schema()
}

#[derive(Debug)]
struct Upgrade {
    within: Duration,
}

impl Step for Upgrade {
    fn words(&self) -> String {
        "upgrades from polling to a WebSocket".into()
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        if !cx.actor.session.upgrade(cx.wire) {
            let actual = match cx.actor.session.is_open() {
                true => "the client does not use polling".to_owned(),
                false => cx.why_not_connected("/"),
            };
            cx.fail("a polling connection to upgrade", actual);
            return Progress::Done;
        }
        Progress::waiting(Upgrading { began: cx.now, deadline: cx.now + self.within })
    }
}

#[derive(Debug)]
struct Upgrading {
    began: Instant,
    deadline: Instant,
}

impl<'p> Running<'p> for Upgrading {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match what {
            Happening::Event(Event::Upgraded) => {
                cx.observer.latency(Metric::Upgrade, cx.now.saturating_duration_since(self.began));
                cx.pass();
            }
            Happening::Event(Event::UpgradeFailed(why, _)) => cx.fail("a completed upgrade", why.as_str()),
            Happening::Event(Event::Closed(why)) => {
                cx.fail("a completed upgrade", format!("the connection ended: {why}"));
            }
            Happening::Time if cx.now >= self.deadline => {
                cx.actor.harm.get_or_insert(cx.actor.session.unfinished_upgrade());
                cx.fail("a completed upgrade", "the server did not complete it in time");
            }
            _ => return Flow::Waiting,
        }
        Flow::Done
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
