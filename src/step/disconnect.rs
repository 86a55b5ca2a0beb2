//! `disconnect`: leaves one namespace, closes the connection politely, or cuts it.
//!
//! A polite close is done when the server has taken note; the other two at once.

use std::time::{Duration, Instant};

use super::schema::{self, Schema, Shape};
use super::{Cx, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::AuditEvent;
use crate::document::{Fields, Mistake, Node};
use crate::session::Event;
use crate::template::Template;

/// How long the server may take to close its side; thousands that leave at once all need their turn.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    if node.is_null() {
        return Ok(Box::new(Disconnect::Close));
    }
    if let Ok(word) = node.text() {
        return way(node, word);
    }
    let fields = Fields::of(node, "the step `disconnect`")?;
    let namespace = reading.namespace(&fields)?;
    let how = fields.optional("how");
    fields.deny_others()?;
    match (namespace, how) {
        (Some(_), Some(how)) => Err(how
            .mistake("a namespace is always left by a packet, so `how` does not apply")
            .hint("leave `how` out, or leave `namespace` out")),
        (Some(namespace), None) => Ok(Box::new(Disconnect::Leave(namespace))),
        (None, Some(how)) => way(how, how.text()?),
        (None, None) => Ok(Box::new(Disconnect::Close)),
    }
}

pub(super) fn schema() -> Schema {
    let ways = || schema::words(["clean", "cut"]);
    let map = schema::namespace(Shape::new("Leaves a namespace, or closes the connection.")).takes(
        "how",
        ways(),
        "`clean` closes the connection and waits for the server, `cut` drops it without any packet.",
    );
    schema::either([
        schema::told(ways(), "Closes the connection, or drops it without any packet."),
        map.schema(),
    ])
}

fn way(node: &Node, word: &str) -> Result<Box<dyn Step>, Mistake> {
    match word {
        "clean" => Ok(Box::new(Disconnect::Close)),
        "cut" => Ok(Box::new(Disconnect::Cut)),
        _ => Err(node
            .mistake(format!("unknown way to disconnect `{word}`"))
            .did_you_mean(word, ["clean", "cut"])),
    }
}

#[derive(Debug)]
enum Disconnect {
    Close,
    Cut,
    Leave(Template),
}

impl Step for Disconnect {
    fn words(&self) -> String {
        match self {
            Disconnect::Close => "disconnects".into(),
            Disconnect::Cut => "is cut off".into(),
            Disconnect::Leave(namespace) => match namespace.fixed().and_then(|name| name.as_str()) {
                Some(name) => format!("leaves the namespace {name}"),
                None => "leaves a namespace".into(),
            },
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        match self {
            Disconnect::Cut => {
                cx.record(AuditEvent::Lost);
                cx.actor.session.cut(cx.wire);
            }
            Disconnect::Leave(namespace) => match namespace.render_text(cx.actor) {
                Ok(name) => {
                    cx.record(AuditEvent::Leaving { namespace: Some(&name) });
                    if cx.actor.session.is_connected(&name) {
                        cx.actor.signs.left = Some(name.as_str().into());
                    }
                    cx.actor.session.disconnect(cx.wire, &name);
                }
                Err(why) => cx.fail("the name of a namespace", why),
            },
            Disconnect::Close if cx.actor.session.is_closed() => {}
            Disconnect::Close => {
                cx.record(AuditEvent::Leaving { namespace: None });
                cx.actor.session.close(cx.wire);
                if !cx.actor.session.is_closed() {
                    return Progress::waiting(Closing { deadline: cx.now + PATIENCE });
                }
            }
        }
        Progress::Done
    }

    fn disconnects(&self) -> bool {
        true
    }

    fn judges(&self) -> bool {
        false
    }

    fn stands_alone(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Closing {
    deadline: Instant,
}

impl<'p> Running<'p> for Closing {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match what {
            Happening::Event(Event::Closed(_)) => Flow::Done,
            Happening::Time if cx.now >= self.deadline => {
                cx.actor.session.cut(cx.wire);
                cx.record(AuditEvent::Ended { namespace: None });
                cx.fail("the server to close its side", format!("it did not within {PATIENCE:?}"));
                Flow::Done
            }
            _ => Flow::Waiting,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
