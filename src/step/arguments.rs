//! What an event that arrived says: its arguments without stamps, held against what is wanted.

use bytes::Bytes;
use serde_json::Value as Json;

use crate::audit::stamp::Stamp;
use crate::protocol::Rule;
use crate::template::{Likeness, Matcher, Mismatch, Values};

/// How something that came differs from what was wanted.
#[derive(Clone, Debug)]
pub(super) struct Unlike {
    /// In words.
    pub(super) why: String,
    /// The rule that the server broke, if what came is what was wanted and was spoilt on the way.
    pub(super) rule: Option<Rule>,
}

impl Unlike {
    /// What a comparison tells.
    pub(super) fn of(mismatch: &Mismatch) -> Unlike {
        Unlike { why: mismatch.to_string(), rule: spoilt(mismatch) }
    }

    /// In words alone.
    pub(super) fn because(why: String) -> Unlike {
        Unlike { why, rule: None }
    }
}

/// The rule that is broken where a value came so instead of the one that was wanted.
pub(super) fn spoilt(mismatch: &Mismatch) -> Option<Rule> {
    match mismatch.likeness {
        Likeness::None => None,
        Likeness::NumberInText => Some(Rule::NumberText),
        Likeness::OtherAttachment => Some(Rule::AttachmentOrder),
        Likeness::OtherBytes => Some(Rule::BinaryLost),
        Likeness::Shorter | Likeness::Wrapped => Some(Rule::ArgumentsLost),
        Likeness::OtherText => Some(Rule::TextSpoilt),
        Likeness::OtherValue | Likeness::Nothing => Some(Rule::ValueSpoilt),
    }
}

/// The same of an answer, which has a clause of its own for its data and one for its bytes.
pub(super) fn spoilt_answer(mismatch: &Mismatch) -> Option<Rule> {
    match mismatch.likeness {
        Likeness::Shorter | Likeness::Wrapped | Likeness::Nothing => Some(Rule::AckSpoilt),
        Likeness::OtherBytes => Some(Rule::AckBytes),
        _ => spoilt(mismatch),
    }
}

/// The arguments of an event, if they are as wanted.
///
/// # Errors
/// How they differ.
pub(super) fn arguments(
    data: &str,
    attachments: &[Bytes],
    wanted: Option<&Matcher>,
    values: &dyn Values,
) -> Result<Json, Unlike> {
    let bare = Stamp::strip(data);
    let Ok(Json::Array(mut all)) = serde_json::from_str::<Json>(&bare) else {
        return Err(Unlike::because(format!("{bare} is not the JSON array of an event")));
    };
    if !all.is_empty() {
        all.remove(0);
    }
    let args = Json::Array(all);
    let Some(matcher) = wanted else { return Ok(args) };
    let attachments: Vec<Bytes> = attachments.iter().map(Stamp::strip_bytes).collect();
    let mismatch = match matcher.matches(&args, &attachments, values) {
        Ok(()) => return Ok(args),
        Err(mismatch) => mismatch,
    };
    // A server with connection state recovery appends an offset to the arguments.
    if let Json::Array(mut shorter) = args
        && matches!(shorter.last(), Some(Json::String(_)))
    {
        shorter.pop();
        let shorter = Json::Array(shorter);
        if matcher.matches(&shorter, &attachments, values).is_ok() {
            return Ok(shorter);
        }
    }
    let unlike = Unlike::of(&mismatch);
    Err(Unlike { why: format!("{bare}: {}", unlike.why), ..unlike })
}
