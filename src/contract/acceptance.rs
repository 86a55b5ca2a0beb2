//! Which acknowledgement means that the application has done what it was asked.

use bytes::Bytes;
use serde_json::Value as Json;

use super::reply::Reply;
use crate::document::schema::{self, Schema, Shape};
use crate::document::{Fields, Mistake, Node, Value};
use crate::template::{Matcher, Name, Scope, Values};

/// What an acknowledgement has to be like, or the application has refused.
#[derive(Clone, Debug)]
pub struct Acceptance {
    wanted: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// Whatever does not [say](Reply::of) that it is an error, or no.
    NoError,
    /// A callback as Node has them: the first argument is the error, or null.
    ErrorFirst,
    /// Arguments like these.
    Args(Matcher),
}

/// The word for acknowledgements whose first argument is the error.
const ERROR_FIRST: &str = "error_first";

/// What an acknowledgement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The application has done it.
    Done,
    /// It has refused.
    Refused(Refusal),
    /// Nobody can say whether it has done it, and only the contract can: that is missing in it.
    Unclear(Refusal),
    /// It is a text that may be anything, in words: what the clients receive decides.
    Vague(String),
}

/// An acknowledgement by which the application refuses or may refuse, in words.
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

    /// Whether the contract itself says what an acceptance looks like. Then what is accepted is not refused in silence.
    pub fn is_told(&self) -> bool {
        !matches!(self.wanted, Wanted::NoError)
    }

    /// Whether the application has done it; `data` is the JSON text of the arguments.
    pub fn judge(&self, data: &str, attachments: &[Bytes], values: &dyn Values) -> Answered {
        let refused = |expected: &str, actual: String| Refusal { expected: expected.to_owned(), actual };
        match &self.wanted {
            Wanted::NoError => {
                let room = || values.get(&Name::Word("room"));
                let expected = "an acknowledgement that is no error";
                match Reply::of(data, |text| room().is_some_and(|room| room.as_str() == Some(text))) {
                    Reply::Yes => Answered::Done,
                    Reply::No => Answered::Refused(refused(
                        expected,
                        format!(
                            "the server refused: {data} (if that is no refusal, say `ack: {{ args: … }}` in the contract)"
                        ),
                    )),
                    Reply::Unclear => Answered::Unclear(refused(
                        expected,
                        format!(
                            "{data}, which may be a refusal: say in the contract what an acceptance looks like, such as \
                             `ack: {{ args: [true] }}`, `ack: {{ args: [false, {{ $type: string }}] }}`, or `ack: error_first` if \
                             it begins with null or is empty"
                        ),
                    )),
                    Reply::Text => Answered::Vague(data.to_owned()),
                }
            }
            Wanted::ErrorFirst => {
                let args: Json = serde_json::from_str(data).unwrap_or_default();
                match args.get(0) {
                    None | Some(Json::Null) => Answered::Done,
                    Some(_) => Answered::Refused(refused(
                        "an acknowledgement whose first argument, the error, is null",
                        format!("the server refused: {data}"),
                    )),
                }
            }
            Wanted::Args(wanted) => {
                let args: Json = serde_json::from_str(data).unwrap_or(Json::Null);
                match wanted.matches(&args, attachments, values) {
                    Ok(()) => Answered::Done,
                    Err(mismatch) => Answered::Refused(refused(
                        &format!("an acknowledgement with {}", wanted.describe()),
                        format!("the server refused: {data}: {mismatch}"),
                    )),
                }
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
    use super::*;
    use crate::template::Nothing;

    #[test]
    fn where_the_error_comes_first_only_null_is_no_refusal() {
        let acceptance = Acceptance { wanted: Wanted::ErrorFirst };
        for accepted in ["[]", "[null]", r#"[null,{"id":1}]"#, r#"[null,"too low"]"#] {
            assert_eq!(acceptance.judge(accepted, &[], &Nothing), Answered::Done, "{accepted}");
        }
        for refused in [r#"["too low"]"#, r#"[{"code":7},null]"#, "[false]", r#"[""]"#] {
            let answered = acceptance.judge(refused, &[], &Nothing);
            assert!(
                matches!(&answered, Answered::Refused(refusal) if refusal.actual.contains(refused)),
                "{answered:?}"
            );
        }
    }

    #[test]
    fn what_only_the_contract_can_say_is_told_with_the_line_that_says_it() {
        let acceptance = Acceptance { wanted: Wanted::NoError };
        let Answered::Unclear(Refusal { actual, .. }) = acceptance.judge(r#"[false,"full"]"#, &[], &Nothing)
        else {
            panic!("it may be a refusal, and may say that there was no error");
        };
        assert!(actual.contains(r#"[false,"full"]"#) && actual.contains("ack: error_first"), "{actual}");
        let vague = acceptance.judge(r#"["full"]"#, &[], &Nothing);
        assert_eq!(vague, Answered::Vague(r#"["full"]"#.to_owned()));
    }
}
