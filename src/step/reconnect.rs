//! `reconnect`: connects again, by default with what the server needs to recover the session.

use super::connect::{How, Wanted};
use super::{Cx, Progress, Reading, Step};
use crate::document::{Mistake, Node};
use crate::observe::Metric;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    Ok(Box::new(Reconnect(How::read(node, reading, "the step `reconnect`", Metric::Reconnect)?)))
}

#[derive(Debug)]
struct Reconnect(How);

impl Step for Reconnect {
    fn words(&self) -> String {
        match self.0.wanted {
            Wanted::Acceptance { recovered: Some(true) } => "reconnects and is recovered".into(),
            Wanted::Acceptance { recovered: Some(false) } => "reconnects afresh".into(),
            _ => "reconnects".into(),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        self.0.start(cx)
    }

    fn stands_alone(&self) -> bool {
        true
    }
}
