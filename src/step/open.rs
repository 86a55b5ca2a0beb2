//! `open`: the Engine.IO handshake alone, without a `CONNECT`. For scenarios about the protocol itself.

use std::time::{Duration, Instant};

use super::actor::Ended;
use super::{Beyond, Cx, Flow, Happening, Progress, Reading, Running, Step, connect};
use crate::document::{Fields, Mistake, Node, Value};
use crate::observe::Counter;
use crate::session::{Event, Polls, Transport};
use crate::template::Template;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let empty = Node { span: node.span, value: Value::Map(Vec::new()) };
    let fields = Fields::of(if node.is_null() { &empty } else { node }, "the step `open`")?;
    let transport = fields.optional("transport").map(connect::transport).transpose()?;
    let polls = match fields.optional("poll") {
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
    let step = Open {
        transport,
        polls,
        query: reading.pairs(&fields, "query")?,
        headers: reading.pairs(&fields, "headers")?,
        within: reading.within(&fields)?,
    };
    fields.deny_others()?;
    Ok(Box::new(step))
}

#[derive(Debug)]
struct Open {
    transport: Option<Transport>,
    polls: Polls,
    query: Vec<(String, Template)>,
    headers: Vec<(String, Template)>,
    within: Duration,
}

impl Step for Open {
    fn beyond(&self) -> Vec<Beyond> {
        vec![Beyond::EngineAlone]
    }

    fn words(&self) -> String {
        "opens an Engine.IO connection and says nothing".into()
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        match cx.actor.destination(&self.query, &self.headers) {
            Ok(destination) => cx.actor.session.set_destination(destination),
            Err(why) => {
                cx.fail("an Engine.IO handshake", why);
                return Progress::Done;
            }
        }
        cx.actor.arrived = true;
        cx.actor.ended = None;
        cx.actor.forget_frames();
        let transport = self.transport.unwrap_or(cx.actor.part.transport);
        cx.actor.session.open(cx.wire, transport);
        cx.actor.session.set_polls(cx.wire, self.polls);
        Progress::waiting(Opening { deadline: cx.now + self.within })
    }

    fn stands_alone(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Opening {
    deadline: Instant,
}

impl<'p> Running<'p> for Opening {
    fn notice(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        let why = match what {
            Happening::Event(Event::Opened) => {
                cx.pass();
                return Flow::Done;
            }
            Happening::Event(Event::Closed(why)) => {
                cx.actor.ended = Some(Ended { at: cx.now, why: why.clone() });
                why.to_string()
            }
            Happening::Time if cx.now >= self.deadline => {
                cx.actor.session.cut(cx.wire);
                "the server did not answer in time".to_owned()
            }
            _ => return Flow::Waiting,
        };
        cx.miss(Counter::ConnectFailed, "an Engine.IO handshake", why);
        Flow::Done
    }

    fn wake(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
