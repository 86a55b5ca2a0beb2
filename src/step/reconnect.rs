//! `reconnect`: connects again, by default with what the server needs to recover the session.

use super::how::{How, Wanted};
use super::{Cx, EventFilter, Progress, Reading, Step};
use crate::document::{Mistake, Node};
use crate::observe::Metric;
use crate::session::Transport;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    Ok(Box::new(Reconnect(How::read(node, reading, "the step `reconnect`", Metric::Reconnect)?)))
}

#[derive(Debug)]
struct Reconnect(How);

impl Step for Reconnect {
    fn words(&self) -> String {
        let way = self.0.where_to();
        match self.0.wanted {
            Wanted::Acceptance { recovered: Some(true) } => format!("reconnects{way} and is recovered"),
            Wanted::Acceptance { recovered: Some(false) } => format!("reconnects{way} afresh"),
            _ => format!("reconnects{way}"),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        self.0.start(cx)
    }

    fn transport(&self) -> Option<Transport> {
        self.0.transport
    }

    fn stands_alone(&self) -> bool {
        true
    }

    fn filter(&self, filter: &mut EventFilter) {
        self.0.filter(filter);
    }

    fn values(&self, metric: Metric) -> u64 {
        self.0.values(metric)
    }
}
