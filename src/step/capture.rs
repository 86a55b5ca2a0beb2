//! `capture: name`: keeps what was received for later steps.

use serde_json::Value as Json;

use super::{Cx, Reading};
use crate::document::{Fields, Mistake};
use crate::template::Slot;

/// Reads the field `capture`, which names the value for the steps that follow.
pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Result<Option<Slot>, Mistake> {
    fields.optional("capture").map(|node| reading.scope.capture(node)).transpose()
}

/// Keeps arguments under a name: the one argument, or the list where there are several or none.
pub(super) fn keep(cx: &mut Cx<'_, '_>, slot: &Slot, args: &Json) {
    let value = match args.as_array().map(Vec::as_slice) {
        Some([one]) => one.clone(),
        _ => args.clone(),
    };
    cx.actor.set(slot, value);
}
