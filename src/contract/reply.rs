//! What an acknowledgement says by itself, where nobody has said what one looks like that accepts.
//!
//! Who asked for something must neither take a refusal for a success nor accuse a server that has done it. So what may be
//! either is neither.

use serde_json::{Map, Value as Json};

/// What an acknowledgement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// That it was done; or it brings something, and nothing in that says that it was not.
    Yes,
    /// That it was not done.
    No,
    /// Something that applications say when they refuse, and some also when they do not.
    Unclear,
    /// A text: one application answers `joined`, another `the name is taken`.
    Text,
}

/// What the fields of an object are called in which a failure stands, if anything does.
const ERRORS: [&str; 3] = ["error", "err", "errors"];

/// The words for a failure in `status`, `result` and `type`.
const FAILED: [&str; 4] = ["error", "fail", "failed", "failure"];

/// The words of a refusal there, or of what was asked about.
const REFUSED: [&str; 6] = ["denied", "forbidden", "invalid", "refused", "rejected", "unauthorized"];

/// What is false of what was refused, or is the answer to a question.
const FALSE_IF_REFUSED: [&str; 6] = ["accepted", "allowed", "authorized", "joined", "sent", "succeeded"];

/// Where a text for people stands.
const MESSAGES: [&str; 3] = ["message", "msg", "reason"];

/// How a text begins that says that something was done.
const DONE: [&str; 32] = [
    "accepted",
    "ack",
    "acked",
    "acknowledged",
    "broadcast",
    "broadcasted",
    "delivered",
    "done",
    "entered",
    "exited",
    "joined",
    "left",
    "ok",
    "okay",
    "posted",
    "published",
    "queued",
    "received",
    "saved",
    "sent",
    "stored",
    "subscribed",
    "succeeded",
    "success",
    "successful",
    "successfully",
    "thanks",
    "true",
    "unsubscribed",
    "updated",
    "welcome",
    "yes",
];

/// How a text begins that probably says that something was not done.
const NOT_DONE: [&str; 16] = [
    "cannot",
    "denied",
    "err",
    "error",
    "exception",
    "fail",
    "failed",
    "failure",
    "false",
    "forbidden",
    "invalid",
    "no",
    "not",
    "refused",
    "rejected",
    "unauthorized",
];

impl Reply {
    /// What an acknowledgement says; `data` is the JSON text of its arguments. `is_asked` tells whether a text is what was asked
    /// for, such as the name of the room.
    pub(super) fn of(data: &str, is_asked: impl Fn(&str) -> bool) -> Reply {
        // Most are empty or plain, and need not be parsed.
        if !data.starts_with("[{") && !data.starts_with("[\"") && !data.starts_with("[f") {
            return Reply::Yes;
        }
        let Ok(Json::Array(args)) = serde_json::from_str(data) else { return Reply::Yes };
        match args.as_slice() {
            [Json::Bool(false)] => Reply::No,
            // Who collects the answers of others says by this that time has not run out.
            [Json::Bool(false), Json::Array(_), ..] => Reply::Yes,
            [Json::Bool(false), Json::Object(second), ..] if is_error(second) || is_exception(second) => {
                Reply::No
            }
            // The reason of a refusal, or what a callback brings that says before it that there is no error.
            [Json::Bool(false), ..] => Reply::Unclear,
            [Json::Object(first), ..] if is_error(first) || is_exception(first) => Reply::No,
            [Json::Object(first), ..] if may_be_error(first) => Reply::Unclear,
            [Json::Object(first)] if first.keys().all(|key| MESSAGES.contains(&&**key)) => {
                first.values().find_map(Json::as_str).map_or(Reply::Yes, |text| of_text(text, is_asked))
            }
            [Json::String(text), ..] => of_text(text, is_asked),
            _ => Reply::Yes,
        }
    }
}

/// Whether an acknowledgement says by itself that it is an error, whatever was asked: the first argument is an object in which
/// `error` is something, `ok` or `success` is false, or `status` is `error`, and the like.
pub fn says_error(data: &str) -> bool {
    data.starts_with("[{") && Reply::of(data, |_| false) == Reply::No
}

/// Whether an acknowledgement says for certain that what was asked for is done.
pub fn says_yes(data: &str) -> bool {
    Reply::of(data, |_| false) == Reply::Yes
}

/// Whether the name of an event says that something went wrong.
pub fn event_says_error(name: &str) -> bool {
    let name = name.to_lowercase();
    ["error", "exception", "invalid", "refused", "denied", "unauthorized"]
        .iter()
        .any(|word| name.contains(word))
}

fn of_text(text: &str, is_asked: impl Fn(&str) -> bool) -> Reply {
    if text.is_empty() || is_asked(text) {
        return Reply::Yes;
    }
    let first: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric()).take(16).collect();
    let first = first.to_lowercase();
    match &*first {
        word if DONE.contains(&word) => Reply::Yes,
        word if NOT_DONE.contains(&word) => Reply::Unclear,
        _ if is_id(text) => Reply::Yes,
        _ => Reply::Text,
    }
}

/// Whether a text is an id or a time rather than a sentence: one word with digits in it, or in several cases.
fn is_id(text: &str) -> bool {
    let is_one_word = text.len() >= 8 && !text.contains(char::is_whitespace);
    is_one_word && text.contains(|c: char| c.is_ascii_digit())
}

fn is_error(object: &Map<String, Json>) -> bool {
    let is_status =
        |key: &&str| object.get(*key).and_then(Json::as_u64).is_some_and(|value| (400..600).contains(&value));
    let has_message = || MESSAGES.iter().any(|key| object.get(*key).is_some_and(Json::is_string));
    ERRORS.iter().any(|key| object.get(*key).is_some_and(is_something))
        || has_false(object, &["ok", "success"])
        || has_status(object, &FAILED)
        || ["status", "statusCode"].iter().any(&is_status)
        || (is_status(&"code") && has_message())
}

/// Whether a refusal may look like that, and the answer to a question, too.
fn may_be_error(object: &Map<String, Json>) -> bool {
    has_false(object, &FALSE_IF_REFUSED) || has_status(object, &REFUSED)
}

/// Whether one of these keys is false.
fn has_false(object: &Map<String, Json>, keys: &[&str]) -> bool {
    keys.iter().any(|key| object.get(*key) == Some(&Json::from(false)))
}

/// Whether one of these words stands where an object says how it went.
fn has_status(object: &Map<String, Json>, words: &[&str]) -> bool {
    ["status", "result", "type"].iter().any(|key| {
        let value = object.get(*key).and_then(Json::as_str).map(str::to_lowercase);
        value.is_some_and(|value| words.contains(&&*value))
    })
}

/// Whether it is an exception as libraries write them: a name that says so, and a message.
fn is_exception(object: &Map<String, Json>) -> bool {
    let name = object.get("name").and_then(Json::as_str).unwrap_or_default();
    (name.ends_with("Error") || name.ends_with("Exception")) && object.contains_key("message")
}

fn is_something(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::Number(value) => value.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(entries) => !entries.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all_are(expected: Reply, replies: &[Json]) {
        for reply in replies {
            let said = Reply::of(&reply.to_string(), |text| text == "lobby");
            assert_eq!(said, expected, "{reply}");
        }
    }

    #[test]
    fn an_acknowledgement_is_a_refusal_where_no_application_accepts_by_it() {
        all_are(
            Reply::No,
            &[
                json!([false]),
                json!([{ "error": "Invalid username" }]),
                json!([{ "error": { "code": 7 }, "data": null }]),
                json!([{ "error": true }]),
                json!([{ "err": "full" }]),
                json!([{ "errors": ["name is missing"] }]),
                json!([{ "ok": false }]),
                json!([{ "success": false, "rooms": [] }, 1]),
                json!([{ "status": "error" }]),
                json!([{ "status": "fail", "data": null }]),
                json!([{ "status": 403 }]),
                json!([{ "statusCode": 429, "message": "slow down" }]),
                json!([{ "code": 403, "message": "not yours" }]),
                json!([{ "type": "error", "message": "no" }]),
                json!([{ "name": "ValidationError", "message": "text is missing" }]),
                json!([false, { "error": "full" }]),
                json!([false, { "code": 403, "reason": "full" }]),
            ],
        );
    }

    #[test]
    fn an_acknowledgement_accepts_where_nothing_in_it_may_be_a_refusal() {
        all_are(
            Reply::Yes,
            &[
                json!([]),
                json!([null]),
                json!([null, { "error": "late" }]),
                json!([true]),
                json!([0]),
                json!([false, []]),
                json!([false, ["a"]]),
                json!([[false]]),
                json!([["lobby"]]),
                json!([{}]),
                json!([{ "error": null, "data": 1 }]),
                json!([{ "error": false }]),
                json!([{ "error": "" }]),
                json!([{ "error": {} }]),
                json!([{ "ok": true }]),
                json!([{ "ok": 0 }]),
                json!([{ "status": "ok" }]),
                json!([{ "status": 200 }]),
                json!([{ "code": 403 }]),
                json!([{ "name": "Error", "id": 1 }]),
                json!([{ "message": "joined" }]),
                json!([{ "message": { "text": "hello" } }]),
                json!([1, { "error": "late" }]),
                json!(["ok", { "ok": false }]),
                json!(["OK"]),
                json!(["joined"]),
                json!(["Delivered!"]),
                json!(["lobby"]),
                json!([""]),
                json!(["64f1c2a09b1e8a0012345678"]),
                json!(["2026-11-30T08:47:08Z"]),
            ],
        );
    }

    #[test]
    fn what_some_say_when_they_refuse_and_others_when_they_do_not_is_unclear() {
        all_are(
            Reply::Unclear,
            &[
                json!([false, "the room is full"]),
                json!([false, "lobby"]),
                json!([false, null]),
                json!([false, { "room": "lobby" }]),
                json!(["error"]),
                json!(["Error: the room is full"]),
                json!(["error", "the room is full"]),
                json!(["Not allowed"]),
                json!([{ "message": "Forbidden" }]),
                json!([{ "joined": false }]),
                json!([{ "allowed": false, "reason": "full" }]),
                json!([{ "status": "Forbidden" }]),
            ],
        );
        all_are(
            Reply::Text,
            &[
                json!(["the name is taken"]),
                json!(["full"]),
                json!(["You are in."]),
                json!([{ "msg": "full" }]),
            ],
        );
    }

    #[test]
    fn an_answer_to_a_question_is_an_error_only_where_it_says_so() {
        assert!(says_error(r#"[{"ok":false}]"#));
        assert!(
            !says_error("[false]")
                && !says_error(r#"["error"]"#)
                && !says_error(r#"[{"message":"Forbidden"}]"#)
                && !says_error(r#"[{"allowed":false}]"#)
        );
        assert!(!says_yes("[false]") && !says_yes(r#"[false,"full"]"#) && !says_yes(r#"["too low"]"#));
        assert!(says_yes("[false,[]]") && says_yes("[]") && says_yes(r#"[null,{"id":1}]"#));
    }
}
