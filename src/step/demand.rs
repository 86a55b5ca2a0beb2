//! What a step demands of an acknowledgement, and what it keeps of it.

use serde_json::Value as Json;

use super::arguments::spoilt_answer;
use super::schema::{self, Schema, Shape};
use super::{Cx, Reading, capture};
use crate::contract::ack_fields;
use crate::document::{Fields, Mistake, Node};
use crate::session::Answer;
use crate::template::{Matcher, Slot};

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Demand {
    args: Option<Matcher>,
    capture: Option<Slot>,
}

impl Demand {
    /// Its fields, where they stand among others.
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Result<Demand, Mistake> {
        let args = match fields.optional("args") {
            None => None,
            Some(args) => {
                args.list()?;
                Some(Matcher::compile(args, reading.scope)?)
            }
        };
        Ok(Demand { args, capture: capture::read(fields, reading)? })
    }

    /// That of a step whose event the contract names. It stands only where the contract promises an acknowledgement.
    pub(super) fn of_contract(
        node: Option<&Node>,
        is_promised: bool,
        reading: &mut Reading<'_>,
    ) -> Result<Demand, Mistake> {
        let Some(node) = node else { return Ok(Demand::default()) };
        if !is_promised {
            return Err(node
                .mistake("by the contract this is not acknowledged")
                .hint("add `ack: true` to its entry in `contract`, or leave this out"));
        }
        let fields = ack_fields(node)?;
        let demand = Demand::read(&fields, reading)?;
        fields.deny_others()?;
        match demand.asks_nothing() {
            true => Err(node.mistake("this demands nothing of the acknowledgement").hint("add `args: […]`")),
            false => Ok(demand),
        }
    }

    pub(super) fn asks_nothing(&self) -> bool {
        self.args.is_none() && self.capture.is_none()
    }

    /// Whether it says itself what the acknowledgement has to be.
    pub(super) fn decides(&self) -> bool {
        self.args.is_some()
    }

    /// Keeps what is to be kept, and judges; whether it is as demanded.
    pub(super) fn judge(&self, cx: &mut Cx<'_, '_>, answer: &Answer<'_>) -> bool {
        if self.asks_nothing() {
            cx.pass();
            return true;
        }
        let Ok(args) = serde_json::from_str::<Json>(&answer.data) else {
            cx.fail_on_sight("an acknowledgement with a JSON array", answer.data.as_ref());
            return false;
        };
        if let Some(slot) = &self.capture {
            capture::keep(cx, slot, &args);
        }
        match self.args.as_ref().map(|wanted| wanted.matches(&args, &answer.attachments, cx.actor)) {
            Some(Err(mismatch)) => {
                let wanted = self.args.as_ref().map(Matcher::describe).unwrap_or_default();
                cx.fail_by_other(
                    spoilt_answer(&mismatch),
                    format!("an acknowledgement with {wanted}"),
                    format!("an acknowledgement with {}: {mismatch}", answer.data),
                );
                false
            }
            _ => {
                cx.pass();
                true
            }
        }
    }
}

/// Its fields.
pub(super) fn shape() -> Shape {
    Shape::new("What the acknowledgement has to be.")
        .takes("args", schema::matcher(), "Its arguments: a list of matchers.")
        .takes("capture", schema::name(), "Keeps its arguments under this name.")
}

/// That of a step whose event the contract names.
pub(super) fn schema() -> Schema {
    shape().any_of(&["args", "capture"]).schema()
}
