//! Event arguments: JSON text as it came, or JSON with binary attachments in it.
//!
//! Spec: Socket.IO protocol v5, "Packet encoding", placeholders. Arguments without attachments are never
//! parsed into a tree: they are passed on as the text they were, so that `1e21`, `-0` and `\u001e` survive.

use std::borrow::Cow;
use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::packet::{self, ParseError};

/// One argument of an event or acknowledgement.
#[derive(Debug, Clone)]
pub(crate) enum Arg<'a> {
    /// JSON without attachments.
    Json(Cow<'a, RawValue>),
    /// JSON with placeholders that stand for attachments.
    Binary(Rc<Binary>),
}

/// JSON whose placeholders name buffers by index.
#[derive(Debug)]
pub(crate) struct Binary {
    value: Value,
    buffers: Rc<[Bytes]>,
}

impl<'a> Arg<'a> {
    /// An argument of a packet that brought `buffers` with it.
    /// Fails when a placeholder names no buffer of the packet.
    pub(crate) fn with_attachments(raw: &'a RawValue, buffers: &Rc<[Bytes]>) -> Result<Arg<'a>, ParseError> {
        let text = raw.get();
        if !text.contains("_placeholder") && !text.contains('\\') {
            return Ok(Arg::Json(Cow::Borrowed(raw)));
        }
        let mut value: Value = serde_json::from_str(text).map_err(|_| ParseError::TooDeep)?;
        let mut any = false;
        walk_placeholders(&mut value, &mut |placeholder| {
            any = true;
            let known = number(placeholder).is_some_and(|num| num < buffers.len());
            if known { Ok(()) } else { Err(ParseError::Placeholder) }
        })?;
        if !any {
            return Ok(Arg::Json(Cow::Borrowed(raw)));
        }
        Ok(Arg::Binary(Rc::new(Binary { value, buffers: buffers.clone() })))
    }

    /// The argument as JSON text; `None` if it contains binary.
    pub(crate) fn json(&self) -> Option<&str> {
        match self {
            Arg::Json(raw) => Some(raw.get()),
            Arg::Binary(_) => None,
        }
    }

    /// The argument parsed into `T`, if it is such a thing.
    pub(crate) fn parse<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.json()?).ok()
    }

    /// The elements of an argument that is an array.
    pub(crate) fn elements(&self) -> Option<Vec<Arg<'_>>> {
        match self {
            Arg::Json(raw) => {
                let elements = packet::elements(raw.get())?;
                Some(elements.into_iter().map(|raw| Arg::Json(Cow::Borrowed(raw))).collect())
            }
            Arg::Binary(binary) => {
                let element = |value: &Value| {
                    Arg::Binary(Rc::new(Binary { value: value.clone(), buffers: binary.buffers.clone() }))
                };
                Some(binary.value.as_array()?.iter().map(element).collect())
            }
        }
    }

    /// Its JSON tree, if it has attachments: for the faults that bend it.
    pub(crate) fn tree(&self) -> Option<&Value> {
        match self {
            Arg::Json(_) => None,
            Arg::Binary(binary) => Some(&binary.value),
        }
    }

    /// The same attachments in another tree.
    pub(crate) fn with_tree(&self, value: Value) -> Arg<'a> {
        match self {
            Arg::Json(_) => self.clone(),
            Arg::Binary(binary) => Arg::Binary(Rc::new(Binary { value, buffers: binary.buffers.clone() })),
        }
    }

    /// The argument freed from the packet it came in.
    pub(crate) fn into_owned(self) -> Arg<'static> {
        match self {
            Arg::Json(raw) => Arg::Json(Cow::Owned(raw.into_owned())),
            Arg::Binary(binary) => Arg::Binary(binary),
        }
    }
}

/// Calls `each` for every placeholder, in the order of traversal.
pub(crate) fn walk_placeholders<E>(
    value: &mut Value,
    each: &mut impl FnMut(&mut Value) -> Result<(), E>,
) -> Result<(), E> {
    match value {
        value if is_placeholder(value) => each(value),
        Value::Object(map) => map.values_mut().try_for_each(|value| walk_placeholders(value, each)),
        Value::Array(items) => items.iter_mut().try_for_each(|value| walk_placeholders(value, each)),
        _ => Ok(()),
    }
}

pub(crate) fn is_placeholder(value: &Value) -> bool {
    value.get("_placeholder") == Some(&Value::Bool(true))
}

/// The number of the attachment that a placeholder stands for.
pub(crate) fn number(placeholder: &Value) -> Option<usize> {
    placeholder.get("num").and_then(Value::as_u64).and_then(|num| usize::try_from(num).ok())
}

/// The arguments of an outgoing packet: the inside of a JSON array and the attachments it refers to.
#[derive(Debug, Default, Clone)]
pub(crate) struct Args {
    json: String,
    attachments: Vec<Bytes>,
}

impl Args {
    /// No arguments yet.
    pub(crate) fn new() -> Args {
        Args::default()
    }

    /// The arguments of an event called `name`.
    pub(crate) fn event(name: &str) -> Args {
        Args::new().with(&name)
    }

    /// Arguments that were taken apart: the inside of the JSON array, and the attachments it refers to.
    pub(crate) fn from_parts(json: String, attachments: Vec<Bytes>) -> Args {
        Args { json, attachments }
    }

    /// The first of them; `None` where they are no JSON.
    pub(crate) fn first(&self) -> Option<Arg<'static>> {
        let array = format!("[{}]", self.json);
        let buffers: Rc<[Bytes]> = self.attachments.clone().into();
        let first = *packet::elements(&array)?.first()?;
        Arg::with_attachments(first, &buffers).ok().map(Arg::into_owned)
    }

    /// Adds any serialisable value.
    pub(crate) fn with<T: Serialize + ?Sized>(mut self, value: &T) -> Args {
        let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        self.raw(&json);
        self
    }

    /// Adds arguments as they came, attachments renumbered in the order of traversal.
    pub(crate) fn with_all(mut self, args: &[Arg<'_>]) -> Args {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Adds one array argument made of `args`.
    pub(crate) fn with_array(mut self, args: &[Arg<'_>]) -> Args {
        let inner = Args { json: String::new(), attachments: std::mem::take(&mut self.attachments) };
        let inner = inner.with_all(args);
        self.attachments = inner.attachments;
        self.raw(&format!("[{}]", inner.json));
        self
    }

    /// Adds binary content.
    pub(crate) fn with_binary(mut self, data: Bytes) -> Args {
        let placeholder = placeholder(self.attachments.len());
        self.attachments.push(data);
        self.raw(&placeholder.to_string());
        self
    }

    /// Adds an argument that is already JSON text.
    pub(crate) fn raw(&mut self, json: &str) {
        if !self.json.is_empty() {
            self.json.push(',');
        }
        self.json.push_str(json);
    }

    fn arg(&mut self, arg: &Arg<'_>) {
        match arg {
            Arg::Json(raw) => self.raw(raw.get()),
            Arg::Binary(binary) => {
                let mut value = binary.value.clone();
                let Ok(()) = walk_placeholders::<Infallible>(&mut value, &mut |found| {
                    let buffer = number(found).and_then(|num| binary.buffers.get(num));
                    *found = placeholder(self.attachments.len());
                    self.attachments.push(buffer.cloned().unwrap_or_default());
                    Ok(())
                });
                self.raw(&value.to_string());
            }
        }
    }

    /// The inside of the JSON array.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// The binary content, in the order of its placeholders.
    pub(crate) fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// For the fault that does so: what the placeholders say is no longer true.
    pub(crate) fn reverse_attachments(&mut self) {
        self.attachments.reverse();
    }
}

pub(crate) fn placeholder(num: usize) -> Value {
    serde_json::json!({ "_placeholder": true, "num": num })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffers(texts: &[&'static str]) -> Rc<[Bytes]> {
        texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect()
    }

    fn resolve(json: &str, texts: &[&'static str]) -> Result<Args, ParseError> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let arg = Arg::with_attachments(raw, &buffers(texts))?;
        Ok(Args::new().with_all(&[arg]))
    }

    #[test]
    fn placeholders_are_renumbered_in_the_order_of_traversal() {
        let args = resolve(
            r#"{"a":[{"_placeholder":true,"num":1},{"b":{"_placeholder":true,"num":0}}],"n":1e21}"#,
            &["zero", "one"],
        )
        .unwrap();
        assert_eq!(
            args.json(),
            r#"{"a":[{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}],"n":1e+21}"#
        );
        assert_eq!(args.attachments(), ["one", "zero"]);
    }

    #[test]
    fn a_buffer_named_twice_is_sent_twice() {
        let args =
            resolve(r#"[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#, &["x"]).unwrap();
        assert_eq!(args.attachments(), ["x", "x"]);
    }

    #[test]
    fn a_placeholder_that_names_no_buffer_is_illegal() {
        for num in ["1", "-1", "\"0\"", "0.5", "null"] {
            assert!(resolve(&format!(r#"{{"_placeholder":true,"num":{num}}}"#), &["x"]).is_err(), "{num}");
        }
        assert!(resolve(r#"{"\u005fplaceholder":true,"num":3}"#, &["x"]).is_err());
        assert!(resolve(r#"{"_placeholder":true}"#, &["x"]).is_err());
    }

    #[test]
    fn an_argument_without_placeholders_stays_the_text_it_was() {
        let args = resolve(r#"{"x": -0, "_placeholder" : false, "y":1e21}"#, &["x"]).unwrap();
        assert_eq!(args.json(), r#"{"x": -0, "_placeholder" : false, "y":1e21}"#);
        assert!(args.attachments().is_empty());
    }

    #[test]
    fn elements_of_a_binary_argument_keep_their_buffers() {
        let json = r#"["plain",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let arg = Arg::with_attachments(raw, &buffers(&["zero", "one"])).unwrap();
        let elements = arg.elements().unwrap();
        let args = Args::event("e").with_all(&elements[..2]).with_array(&elements[2..]);
        assert_eq!(
            args.json(),
            r#""e","plain",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]"#
        );
        assert_eq!(args.attachments(), ["one", "zero"]);
    }
}
