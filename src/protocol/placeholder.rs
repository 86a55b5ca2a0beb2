//! What stands in the JSON of a binary packet in the place of its attachments.
//!
//! Specification: Socket.IO protocol v5, "Format". The attachments themselves come behind the packet: [`super::attachments`].

use std::collections::HashSet;

use serde_json::{Value, json};

/// What stands in the JSON of a binary packet for its attachment of that number.
pub fn placeholder(num: usize) -> Value {
    json!({ "_placeholder": true, "num": num })
}

/// The number of the attachment for which this value stands; `None` when it is no placeholder or when its number is
/// none that an attachment can have.
pub fn placeholder_num(value: &Value) -> Option<u64> {
    is_placeholder(value).then(|| value.get("num")?.as_u64()).flatten()
}

fn is_placeholder(value: &Value) -> bool {
    value.get("_placeholder") == Some(&Value::Bool(true))
}

/// Whether the placeholders of a payload and its attachments fit together; what is wrong otherwise.
///
/// Each attachment has to be spoken for; the same one may be twice, and the order of the numbers is the sender's.
pub(super) fn check(value: &Value, attachments: u32) -> Result<(), String> {
    // Bounded by the text that was parsed, whatever number of attachments was announced.
    let mut used = HashSet::new();
    walk(value, attachments, &mut used)?;
    if used.len() < attachments as usize {
        return Err(format!("of {attachments} attachments only {} have a placeholder", used.len()));
    }
    Ok(())
}

/// The depth is bounded by that of the parse which made the value.
fn walk(value: &Value, attachments: u32, used: &mut HashSet<u64>) -> Result<(), String> {
    if is_placeholder(value) {
        return match placeholder_num(value) {
            Some(num) if num >= u64::from(attachments) => {
                Err(format!("number {num} is used with {attachments} attachments"))
            }
            Some(num) => {
                used.insert(num);
                Ok(())
            }
            None => Err("a placeholder has no usable number".to_owned()),
        };
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, attachments, used)),
        Value::Object(fields) => fields.values().try_for_each(|field| walk(field, attachments, used)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_has_one_form_and_is_known_by_it() {
        assert_eq!(placeholder(0).to_string(), r#"{"_placeholder":true,"num":0}"#);
        assert_eq!(placeholder_num(&placeholder(7)), Some(7));
        for other in [
            json!(null),
            json!(0),
            json!({ "num": 0 }),
            json!({ "_placeholder": 1, "num": 0 }),
            json!({ "_placeholder": false, "num": 0 }),
            json!({ "_placeholder": true }),
            json!({ "_placeholder": true, "num": -1 }),
            json!({ "_placeholder": true, "num": 0.5 }),
            json!({ "_placeholder": true, "num": "0" }),
            json!([{ "_placeholder": true, "num": 0 }]),
        ] {
            assert_eq!(placeholder_num(&other), None, "{other}");
        }
    }
}
