//! `wait`: lets time pass.

use std::time::{Duration, Instant};

use super::schema::{self, Schema};
use super::{Cx, Flow, Happening, Progress, Reading, Running, Step};
use crate::document::{Mistake, Node, Value};
use crate::template::Template;
use crate::units;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    if matches!(&node.value, Value::Text(_)) {
        let template = Template::compile(node, reading.scope)?;
        return Ok(Box::new(match template.settled(node.span) {
            Some(settled) => Wait::Same(units::duration(&settled)?),
            None => Wait::Own(template),
        }));
    }
    Ok(Box::new(Wait::Same(units::duration(node)?)))
}

pub(super) fn schema() -> Schema {
    schema::told(schema::time(), "Lets time pass. It proves nothing about the server.")
}

#[derive(Debug)]
enum Wait {
    /// Every client waits for the same time.
    Same(Duration),
    /// Each client works out its own.
    Own(Template),
}

impl Step for Wait {
    fn words(&self) -> String {
        match self {
            Wait::Same(time) => format!("waits {time:?}"),
            Wait::Own(template) => format!("waits {}", template.in_words()),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let time = match self {
            Wait::Same(time) => Ok(*time),
            Wait::Own(template) => template
                .render_text(cx.actor)
                .and_then(|text| units::duration_from(&text).map_err(|mistake| mistake.message)),
        };
        match time {
            Ok(time) => Progress::waiting(Waiting(cx.now + time)),
            Err(why) => {
                cx.fail("a time to wait for", why);
                Progress::Done
            }
        }
    }

    fn lasts(&self) -> Duration {
        match self {
            Wait::Same(time) => *time,
            Wait::Own(_) => Duration::ZERO,
        }
    }

    fn judges(&self) -> bool {
        false
    }

    fn stands_alone(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Waiting(Instant);

impl<'p> Running<'p> for Waiting {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, _: &Happening<'_>) -> Flow {
        if cx.now >= self.0 { Flow::Done } else { Flow::Waiting }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.0)
    }
}
