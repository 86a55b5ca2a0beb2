//! The schema of steps, for editors: what they share. What each of them takes stands in its own file, beside the `read`
//! that it has to agree with.

use serde_json::{Value as Json, json};

pub use crate::document::schema::{
    Schema, Shape, either, fitting, flag, list, map, named, nothing, one_or_more, some, text, told, whole,
    word, words,
};

use super::KINDS;
use super::reading::LABEL;
use crate::session;

/// A number as a quantity begins with it.
pub const NUMBER: &str = r"\s*(\d+\.?\d*|\.\d+)\s*";

/// The units of a time.
pub const TIME: &str = "(us|µs|ms|s|m|min|h)";

/// The units of a rate.
pub const RATE: &str = "(/s|/m|/min|/h)";

/// Text with an expression in it.
const EXPRESSION: &str = r"\$\{";

/// A time, which may be made of what is known of the server.
pub(super) fn time() -> Schema {
    named("time")
}

/// One value, or how it is drawn each time.
pub(super) fn drawn(value: impl Fn() -> Schema) -> Schema {
    let mut both = list(value());
    (both["minItems"], both["maxItems"]) = (2.into(), 2.into());
    let mut choices = map(named("share"));
    choices["minProperties"] = 1.into();
    let drawn = Shape::new("How it is drawn each time.")
        .takes("between", both, "From the least to the most, each as likely.")
        .takes("mean", value(), "That much on average, exponentially.")
        .takes("one_of", choices, "One of these, with their shares.")
        .one_of(&["between", "mean", "one_of"]);
    either([value(), drawn.schema()])
}

/// How long a step waits.
pub(super) fn within(shape: Shape, default: &str) -> Shape {
    shape.takes("within", time(), &format!("How long to wait; else {default}."))
}

/// Any value, with `${…}` and binary in it.
pub(super) fn value() -> Schema {
    named("value")
}

/// A value to compare with.
pub(super) fn matcher() -> Schema {
    named("matcher")
}

/// The namespace that a step names.
pub(super) fn namespace(shape: Shape) -> Shape {
    shape.takes("namespace", named("namespace"), "The namespace, if it is not the client's own.")
}

/// The name of an event.
pub(super) fn event() -> Schema {
    text()
}

/// A name under which the client keeps something.
pub(super) fn name() -> Schema {
    fitting("^[A-Za-z][A-Za-z0-9_]*$")
}

/// Query parameters or headers.
pub(super) fn pairs() -> Schema {
    map(value())
}

/// Which transports a client uses.
pub fn transport() -> Schema {
    words(session::Transport::ALL.map(session::Transport::name))
}

/// Whether a refusal is demanded.
pub(super) fn refused() -> Schema {
    json!({ "not": { "const": false }, "anyOf": [matcher()] })
}

/// In which order something is looked for.
pub(super) fn order() -> Schema {
    words(["sent", "any"])
}

/// Everything that is named, with the steps.
pub fn definitions() -> Vec<(String, Schema)> {
    let expression = || fitting(EXPRESSION);
    let quantity = |units: &str| format!("^{NUMBER}{units}\\s*$");
    let size = quantity("(|B|KB|KiB|MB|MiB)");
    let mut all: Vec<(String, Schema)> = [
        (
            "time",
            told(
                either([fitting(&quantity(TIME)), expression()]),
                "A time with its unit: `300ms`, `1.5s`, `2m`, `1h`.",
            ),
        ),
        ("rate", told(fitting(&quantity(RATE)), "How often: `200/s`, `5/m`.")),
        ("share", told(fitting(&quantity("%")), "A share: `20%`.")),
        (
            "size",
            told(
                either([whole(0..=64 << 20), fitting(&size), expression()]),
                "A size in bytes: `200`, `1KiB`.",
            ),
        ),
        ("namespace", told(fitting(r"^(/|\$\{|\$\$\{)"), "A namespace: `/`, `/chat`.")),
        ("bytes", bytes(drawn(|| named("size")))),
        ("compared_bytes", bytes(named("size"))),
        ("value", any_value()),
        ("matcher", any_matcher()),
        ("step", step()),
        (
            "steps",
            told(
                either([named("step"), some(named("step"))]),
                "A step, or a list of steps one after another.",
            ),
        ),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into();
    all.extend(KINDS.iter().map(|kind| {
        let schema = (kind.schema)();
        let schema = if kind.bare { either([nothing(), schema]) } else { schema };
        (format!("step.{}", kind.word), schema)
    }));
    all
}

fn step() -> Schema {
    let bare = words(KINDS.iter().filter(|kind| kind.bare).map(|kind| kind.word));
    let kinds = KINDS.iter().map(|kind| (kind.word.to_owned(), named(&format!("step.{}", kind.word))));
    let label = told(name(), "A name for the figures of this step, which thresholds can ask about.");
    let properties: serde_json::Map<String, Json> = kinds.chain([(LABEL.to_owned(), label)]).collect();
    let one = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "if": { "required": [LABEL] },
        "then": { "minProperties": 2, "maxProperties": 2 },
        "else": { "maxProperties": 1 },
    });
    told(either([bare, one]), "What a client does: one step.")
}

/// Keys of data: those with one `$` have a meaning of their own.
const DATA: &str = r"^([^$]|$|\$[{$])";

/// Bytes, or so many of them.
fn bytes(many: Schema) -> Schema {
    let alone = |key: &str, value: Schema| json!({ "type": "object", "properties": { key: value }, "required": [key], "additionalProperties": false });
    either([
        alone("$hex", told(fitting("^([0-9a-fA-F]{2})*$"), "These bytes, in hexadecimal.")),
        alone("$base64", told(text(), "These bytes, in base64.")),
        alone("$utf8", told(text(), "The bytes of this text, in UTF-8.")),
        alone("$bytes", told(many, "So many generated bytes.")),
    ])
}

fn any_value() -> Schema {
    let object = json!({
        "type": "object",
        "propertyNames": { "pattern": DATA },
        "additionalProperties": value(),
    });
    told(
        either([scalar(), list(value()), named("bytes"), object]),
        "Any value. `${…}` may stand in texts, `{ $hex: … }`, `{ $base64: … }`, `{ $utf8: … }` and `{ $bytes: … }` are binary.",
    )
}

fn scalar() -> Schema {
    json!({ "type": ["null", "boolean", "number", "string"] })
}

fn any_matcher() -> Schema {
    let of = |schema: Schema, about: &str| told(schema, about);
    let special = [
        ("$any", of(json!({ "const": true }), "Anything.")),
        (
            "$type",
            of(
                words(["string", "number", "boolean", "array", "object", "null", "binary"]),
                "A value of this type.",
            ),
        ),
        (
            "$contains",
            of(
                either([text(), list(matcher()), map(matcher())]),
                "A text with this in it, a list with an item like each of these, a map with at least these keys.",
            ),
        ),
        ("$match", of(text(), "A text that fits the regular expression.")),
        ("$json", of(matcher(), "A text of JSON whose value fits.")),
        ("$not", of(matcher(), "What does not fit.")),
        (
            "$one_of",
            of(json!({ "type": "array", "items": matcher(), "minItems": 2 }), "What fits one of these."),
        ),
    ];
    let special: serde_json::Map<String, Json> =
        special.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    let lonely = json!({
        "type": "object",
        "properties": special,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    });
    let object = json!({
        "type": "object",
        "propertyNames": { "pattern": DATA },
        "additionalProperties": matcher(),
    });
    told(
        either([scalar(), list(matcher()), named("compared_bytes"), lonely, object]),
        "What is compared exactly, with `$…` where less will do.",
    )
}
