//! `upgrade`: from long-polling to a WebSocket, or to WebTransport, in the middle of whatever is under way.

use std::time::{Duration, Instant};

use super::schema::{self, Schema, Shape};
use super::{Cx, Flow, Happening, Progress, Reading, Running, Step};
use crate::document::{Fields, Mistake, Node};
use crate::observe::Metric;
use crate::session::{Event, Transport};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    if node.is_null() {
        return Ok(Box::new(Upgrade { to: Transport::Websocket, within: super::reading::PATIENCE }));
    }
    let fields = Fields::of(node, "the step `upgrade`")?;
    let to = fields.optional("to").map_or(Ok(Transport::Websocket), stream)?;
    let within = reading.within(&fields)?;
    fields.deny_others()?;
    Ok(Box::new(Upgrade { to, within }))
}

/// To what polling is upgraded.
const STREAMS: [Transport; 2] = [Transport::Websocket, Transport::Webtransport];

fn stream(node: &Node) -> Result<Transport, Mistake> {
    let word = node.text()?;
    STREAMS.into_iter().find(|transport| transport.name() == word).ok_or_else(|| {
        node.mistake(format!("polling is upgraded to `websocket` or to `webtransport`, found `{word}`"))
            .did_you_mean(word, STREAMS.map(Transport::name))
    })
}

pub(super) fn schema() -> Schema {
    let streams = schema::words(STREAMS.map(Transport::name));
    let shape = Shape::new("From polling to a WebSocket, or to WebTransport.").takes(
        "to",
        streams,
        "To what; else `websocket`.",
    );
    schema::within(shape, "5 s").schema()
}

#[derive(Debug)]
struct Upgrade {
    to: Transport,
    within: Duration,
}

impl Step for Upgrade {
    fn words(&self) -> String {
        match self.to {
            Transport::Webtransport => "upgrades from polling to WebTransport".into(),
            _ => "upgrades from polling to a WebSocket".into(),
        }
    }

    fn values(&self, metric: Metric) -> u64 {
        u64::from(metric == Metric::Upgrade)
    }

    fn transport(&self) -> Option<Transport> {
        Some(self.to)
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        if !cx.actor.session.upgrade(cx.wire, self.to.stream()) {
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
