//! What an event that arrived says: its arguments without stamps, held against what is wanted.

use bytes::Bytes;
use serde_json::Value as Json;

use crate::audit::stamp::Stamp;
use crate::template::{Matcher, Values};

/// The arguments of an event, if they are as wanted.
///
/// # Errors
/// In words, how they differ.
pub(super) fn arguments(
    data: &str,
    attachments: &[Bytes],
    wanted: Option<&Matcher>,
    values: &dyn Values,
) -> Result<Json, String> {
    let bare = Stamp::strip(data);
    let Ok(Json::Array(mut all)) = serde_json::from_str::<Json>(&bare) else {
        return Err(format!("{bare} is not the JSON array of an event"));
    };
    if !all.is_empty() {
        all.remove(0);
    }
    let args = Json::Array(all);
    let Some(matcher) = wanted else { return Ok(args) };
    let mismatch = match matcher.matches(&args, attachments, values) {
        Ok(()) => return Ok(args),
        Err(mismatch) => mismatch,
    };
    // A server with connection state recovery appends an offset to the arguments.
    if let Json::Array(mut shorter) = args
        && matches!(shorter.last(), Some(Json::String(_)))
    {
        shorter.pop();
        let shorter = Json::Array(shorter);
        if matcher.matches(&shorter, attachments, values).is_ok() {
            return Ok(shorter);
        }
    }
    Err(format!("{bare}: {mismatch}"))
}
