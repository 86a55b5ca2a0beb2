//! `wait`: lets time pass.

use std::time::{Duration, Instant};

use super::schema::{self, Schema};
use super::{Cx, Flow, Happening, Progress, Reading, Running, Step};
use crate::document::{Mistake, Node};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    Ok(Box::new(Wait(reading.duration(node)?)))
}

pub(super) fn schema() -> Schema {
    schema::told(schema::time(), "Lets time pass. It proves nothing about the server.")
}

#[derive(Debug)]
struct Wait(Duration);

impl Step for Wait {
    fn words(&self) -> String {
        format!("waits {:?}", self.0)
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        Progress::waiting(Waiting(cx.now + self.0))
    }

    fn lasts(&self) -> Duration {
        self.0
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
