//! Binary in a language of text: `{ $hex: "0102" }`, `{ $base64: "AQI=" }`, `{ $bytes: 16 }` (so many generated
//! bytes). Templates check them and keep them as they are; [`detach`] turns them into Socket.IO placeholders
//! and attachments when a packet is made.
//!
//! Spec: Socket.IO protocol v5, "Packet encoding", binary events: placeholders are numbered from 0 in the order
//! of the text, and the attachments follow in that order.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value as Json;

use super::{Scope, constant};
use crate::document::{Key, Mistake, Node, Value};
use crate::units;

/// The keys that mean binary.
const KEYS: [&str; 3] = ["$hex", "$base64", "$bytes"];

/// What a `$…` object means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binary {
    /// These bytes.
    Given(Bytes),
    /// That many bytes, whichever.
    Generated(usize),
}

impl Binary {
    /// What this JSON value means, where it means binary.
    pub fn of(value: &Json) -> Option<Binary> {
        let map = value.as_object().filter(|map| map.len() == 1)?;
        let (key, value) = map.iter().next()?;
        match key.as_str() {
            "$hex" => from_hex(value.as_str()?).map(Binary::Given),
            "$base64" => STANDARD.decode(value.as_str()?).ok().map(|bytes| Binary::Given(bytes.into())),
            "$bytes" => Some(Binary::Generated(usize::try_from(value.as_u64()?).ok()?)),
            _ => None,
        }
    }
}

/// Takes the binary out of a value: placeholders stay behind, the attachments are returned in their order.
/// `generate` makes bytes for `$bytes`.
pub fn detach(value: &mut Json, generate: &mut dyn FnMut(usize) -> Bytes) -> Vec<Bytes> {
    fn walk(value: &mut Json, generate: &mut dyn FnMut(usize) -> Bytes, found: &mut Vec<Bytes>) {
        if let Some(binary) = Binary::of(value) {
            let num = found.len();
            found.push(match binary {
                Binary::Given(bytes) => bytes,
                Binary::Generated(len) => generate(len),
            });
            *value = serde_json::json!({ "_placeholder": true, "num": num });
            return;
        }
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| walk(item, generate, found)),
            Json::Object(map) => map.values_mut().for_each(|item| walk(item, generate, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, generate, &mut found);
    found
}

/// The binary that a map of the scenario means, checked; `None` for a map of data.
pub(super) fn check(entries: &[(Key, Node)], scope: &mut Scope) -> Result<Option<Binary>, Mistake> {
    let Some((key, node)) = entries.iter().find(|(key, _)| KEYS.contains(&key.text.as_str())) else {
        return Ok(None);
    };
    alone(key, entries)?;
    let binary = match key.text.as_str() {
        "$hex" => {
            let text = node.text()?;
            let bytes = from_hex(text).ok_or_else(|| {
                node.mistake("`$hex` takes pairs of the digits 0 to 9 and a to f")
                    .hint("write it like \"00ff10\"")
            })?;
            Binary::Given(bytes)
        }
        "$base64" => match STANDARD.decode(node.text()?) {
            Ok(bytes) => Binary::Given(bytes.into()),
            Err(_) => {
                let mistake = node.mistake("`$base64` takes the standard alphabet, padded with `=`");
                return Err(mistake.hint("write it like \"AQIDBA==\""));
            }
        },
        _ => {
            let len = match &node.value {
                Value::Text(text) if text.contains("${") => {
                    let node = constant(node, "a size", scope)?;
                    units::size(&node)?
                }
                _ => {
                    node.int()?;
                    units::size(node)?
                }
            };
            Binary::Generated(usize::try_from(len).map_err(|_| node.mistake("that is too much"))?)
        }
    };
    Ok(Some(binary))
}

/// Refuses a `$…` object that has other keys beside its own.
pub(super) fn alone(key: &Key, entries: &[(Key, Node)]) -> Result<(), Mistake> {
    match entries.iter().find(|(other, _)| other != key) {
        None => Ok(()),
        Some((other, _)) => Err(other.mistake(format!("`{}` stands alone in its map", key.text))),
    }
}

/// The key of a map of data as it is sent: `$$name` is `$name`, and an unknown `$name` is refused.
pub(super) fn unescaped(key: &Key) -> Result<String, Mistake> {
    match key.text.strip_prefix('$') {
        None => Ok(key.text.clone()),
        Some(rest) if rest.starts_with('{') || rest.starts_with("${") => Ok(key.text.clone()),
        Some(rest) if KEYS.contains(&rest) => {
            Err(key.mistake(format!("`{rest}` cannot be sent as a key: it means binary here")))
        }
        Some(rest) if rest.starts_with('$') => Ok(rest.to_owned()),
        Some(_) if super::matcher::KEYS.contains(&key.text.as_str()) => {
            Err(key.mistake(format!("`{}` compares what is received: it cannot be sent", key.text)))
        }
        Some(rest) => Err(key
            .mistake(format!("unknown `{}`: keys with `$` have a meaning of their own", key.text))
            .did_you_mean(&key.text, KEYS)
            .hint(format!("write `$${rest}` to send the key `${rest}`"))),
    }
}

fn from_hex(text: &str) -> Option<Bytes> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).map_or(0, |value| value as u8);
    Some(digits.chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn binary_leaves_placeholders_numbered_in_the_order_of_the_text() {
        let mut value =
            json!(["file", { "a": [{ "$hex": "0aFF" }], "b": { "$base64": "AQI=" } }, { "$bytes": 3 }]);
        let attachments = detach(&mut value, &mut |len| Bytes::from(vec![7; len]));
        let hole = |num: u64| json!({ "_placeholder": true, "num": num });
        assert_eq!(value, json!(["file", { "a": [hole(0)], "b": hole(1) }, hole(2)]));
        assert_eq!(attachments, [&b"\x0a\xff"[..], b"\x01\x02", b"\x07\x07\x07"]);
    }

    #[test]
    fn data_that_only_resembles_binary_stays_data() {
        for mut value in
            [json!({ "$hex": "0" }), json!({ "$hex": "00", "x": 1 }), json!({ "hex": "00" }), json!("$hex")]
        {
            let before = value.clone();
            assert_eq!(detach(&mut value, &mut |_| Bytes::new()), Vec::<Bytes>::new());
            assert_eq!(value, before);
        }
    }
}
