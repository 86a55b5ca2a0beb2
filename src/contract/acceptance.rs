//! Which acknowledgement means that the application has done what it was asked.

use bytes::Bytes;
use serde_json::Value as Json;

use crate::document::schema::{self, Schema, Shape};
use crate::document::{Fields, Mistake, Node, Value};
use crate::template::{Matcher, Scope, Values};

/// What an acknowledgement has to be like, or the application has refused.
#[derive(Clone, Debug)]
pub struct Acceptance {
    wanted: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// Whatever does not [say that it is an error](says_error), or no.
    NoError,
    /// A callback as Node has them: the first argument is the error, or null.
    ErrorFirst,
    /// Arguments like these.
    Args(Matcher),
}

/// The word for acknowledgements whose first argument is the error.
const ERROR_FIRST: &str = "error_first";

/// An acknowledgement by which the application refuses, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What would have been none.
    pub expected: String,
    /// What came.
    pub actual: String,
}

impl Acceptance {
    /// From `ack: true`, `ack: error_first` or `ack: { args: … }`. None for `ack: false`.
    pub(super) fn read(node: &Node, scope: &mut Scope) -> Result<Option<Acceptance>, Mistake> {
        match &node.value {
            Value::Bool(is_given) => return Ok(is_given.then_some(Acceptance { wanted: Wanted::NoError })),
            Value::Text(word) if word == ERROR_FIRST => {
                return Ok(Some(Acceptance { wanted: Wanted::ErrorFirst }));
            }
            _ => {}
        }
        let fields = ack_fields(node)?;
        let args = fields.required("args")?;
        fields.deny_others()?;
        args.list()?;
        Ok(Some(Acceptance { wanted: Wanted::Args(Matcher::compile(args, scope)?) }))
    }

    /// Whether the application has done it; `data` is the JSON text of the arguments.
    ///
    /// # Errors
    /// When it has refused.
    pub fn judge(&self, data: &str, attachments: &[Bytes], values: &dyn Values) -> Result<(), Refusal> {
        match &self.wanted {
            Wanted::NoError if says_error(data) || says_no(data) => Err(Refusal {
                expected: "an acknowledgement that is no error".to_owned(),
                actual: format!(
                    "the server refused: {data} (if that is no refusal, say `ack: {{ args: … }}` in the contract)"
                ),
            }),
            Wanted::NoError => Ok(()),
            Wanted::ErrorFirst => {
                let args: Json = serde_json::from_str(data).unwrap_or_default();
                match args.get(0) {
                    None | Some(Json::Null) => Ok(()),
                    Some(_) => Err(Refusal {
                        expected: "an acknowledgement whose first argument, the error, is null".to_owned(),
                        actual: format!("the server refused: {data}"),
                    }),
                }
            }
            Wanted::Args(wanted) => {
                let args: Json = serde_json::from_str(data).unwrap_or(Json::Null);
                wanted.matches(&args, attachments, values).map_err(|mismatch| Refusal {
                    expected: format!("an acknowledgement with {}", wanted.describe()),
                    actual: format!("the server refused: {data}: {mismatch}"),
                })
            }
        }
    }
}

/// What stands in an `ack` that is no plain yes or no.
pub fn ack_fields(node: &Node) -> Result<Fields<'_>, Mistake> {
    Fields::of(node, "the acknowledgement").map_err(|mistake| match node.bool() {
        // `yes` and `no` have a hint of their own.
        Err(wanted) if wanted.hint.is_some() => wanted,
        _ => mistake.hint("write `ack: true`, or `ack: { args: [ok] }`"),
    })
}

/// Whether an acknowledgement, the JSON text of its arguments, says by itself that it is an error: the first argument is an
/// object in which `error` is something, `ok` or `success` is false, or `status` is `error`. Of nothing else that is certain.
pub fn says_error(data: &str) -> bool {
    // Most are empty or plain, and need not be parsed.
    data.starts_with("[{") && serde_json::from_str(data).is_ok_and(|args| is_error(&args))
}

/// Whether the name of an event says that something went wrong.
pub fn event_says_error(name: &str) -> bool {
    let name = name.to_lowercase();
    ["error", "exception", "invalid", "refused", "denied", "unauthorized"]
        .iter()
        .any(|word| name.contains(word))
}

/// Whether an acknowledgement is `false` and nothing else. Who was asked to do something says by that that it was not done; who
/// was asked a question may say it as an answer, so it is no error by itself. Before something else it may say that there was
/// no error.
pub fn says_no(data: &str) -> bool {
    data == "[false]"
}

fn is_error(args: &Json) -> bool {
    let Some(Json::Object(first)) = args.get(0) else { return false };
    let is = |key: &str, value: Json| first.get(key) == Some(&value);
    first.get("error").is_some_and(is_something)
        || is("ok", Json::from(false))
        || is("success", Json::from(false))
        || is("status", Json::from("error"))
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

/// What `ack` takes.
pub(super) fn schema() -> Schema {
    let like = Shape::new("What it has to be like; anything else is a refusal.").needs(
        "args",
        schema::named("matcher"),
        "Its arguments: a list of matchers.",
    );
    schema::either([schema::flag(), schema::words([ERROR_FIRST]), like.schema()])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::template::Nothing;

    #[test]
    fn where_the_error_comes_first_only_null_is_no_refusal() {
        let acceptance = Acceptance { wanted: Wanted::ErrorFirst };
        let judge = |data: &str| acceptance.judge(data, &[], &Nothing).map_err(|refusal| refusal.actual);
        for accepted in ["[]", "[null]", r#"[null,{"id":1}]"#, r#"[null,"too low"]"#] {
            assert_eq!(judge(accepted), Ok(()), "{accepted}");
        }
        for refused in [r#"["too low"]"#, r#"[{"code":7},null]"#, "[false]", r#"[""]"#] {
            assert!(judge(refused).is_err_and(|actual| actual.contains(refused)), "{refused}");
        }
    }

    #[test]
    fn who_was_asked_to_do_something_and_says_false_has_not_done_it() {
        let acceptance = Acceptance { wanted: Wanted::NoError };
        let judge = |data: &str| acceptance.judge(data, &[], &Nothing).map_err(|refusal| refusal.actual);
        for accepted in
            ["[]", "[null]", "[true]", "[0]", r#"["false"]"#, "[false,[]]", r#"["ok",false]"#, "[[false]]"]
        {
            assert_eq!(judge(accepted), Ok(()), "{accepted}");
        }
        for refused in ["[false]", r#"[{"ok":false}]"#] {
            assert!(judge(refused).is_err_and(|actual| actual.contains(refused)), "{refused}");
        }
    }

    #[test]
    fn an_acknowledgement_is_an_error_by_itself_only_where_that_is_certain() {
        let errors = [
            json!([{ "error": "Invalid username" }]),
            json!([{ "error": { "code": 7 }, "data": null }]),
            json!([{ "error": true }]),
            json!([{ "ok": false }]),
            json!([{ "success": false, "rooms": [] }, 1]),
            json!([{ "status": "error" }]),
        ];
        let others = [
            json!([]),
            json!(["error"]),
            json!([null]),
            json!([false]),
            json!([{}]),
            json!([{ "error": null, "data": 1 }]),
            json!([{ "error": false }]),
            json!([{ "error": "" }]),
            json!([{ "error": {} }]),
            json!([{ "ok": true }]),
            json!([{ "ok": 0 }]),
            json!([{ "status": "ok" }]),
            json!([1, { "error": "late" }]),
            json!(["ok", { "ok": false }]),
        ];
        for error in errors {
            assert!(is_error(&error), "{error}");
        }
        for other in others {
            assert!(!is_error(&other), "{other}");
        }
    }
}
