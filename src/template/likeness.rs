//! What a value may be that is not as written: the one that was wanted, spoilt on its way.

use serde_json::{Number, Value as Json};

/// What a value that is not as written may be all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Likeness {
    /// Another value.
    #[default]
    None,
    /// The number that was wanted, as a text.
    NumberInText,
    /// The bytes of an attachment that was wanted elsewhere.
    OtherAttachment,
    /// Other bytes, or none where bytes were wanted.
    OtherBytes,
    /// The list that was wanted, without some of its items.
    Shorter,
    /// What was wanted, as the only item of a list.
    Wrapped,
    /// The text that was wanted, cut off or without some of its characters, or with others in their place.
    OtherText,
    /// A number, a truth value or something empty, which has become another of these.
    OtherValue,
    /// Null, where something was wanted.
    Nothing,
}

/// Who has this much of the beginning of a longer text has that text and no other.
const LONG: usize = 128;

/// What may have come of a value on its way, as far as the two tell.
pub(super) fn spoilt(wanted: &Json, came: &Json) -> Likeness {
    match (wanted, came) {
        (Json::String(wanted), Json::String(came)) if is_spoilt_text(wanted, came) => Likeness::OtherText,
        (Json::Number(wanted), Json::Number(_)) if is_rare(wanted) => Likeness::OtherValue,
        (wanted, came) if is_slight(wanted) && is_slight(came) && kind(wanted) != kind(came) => {
            Likeness::OtherValue
        }
        (_, Json::Null) => Likeness::Nothing,
        _ => Likeness::None,
    }
}

/// Whether a value is one that a careless server drops or takes for another.
pub(super) fn is_slight(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
    }
}

fn kind(value: &Json) -> std::mem::Discriminant<Json> {
    std::mem::discriminant(value)
}

/// Whether a number is none that counts something, so that another one in its place is hardly the next.
fn is_rare(number: &Number) -> bool {
    number.as_f64().is_some_and(|number| number.fract() != 0.0 || number.abs() > f64::from(i32::MAX))
}

fn is_spoilt_text(wanted: &str, came: &str) -> bool {
    let plain = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
    let is_cut = || came.len() >= LONG && wanted.starts_with(came);
    wanted != came && !wanted.is_empty() && (is_cut() || plain(wanted) == plain(came))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_the_wanted_one_without_its_odd_characters_and_not_without_its_letters() {
        let like = |wanted: &str, came: &str| spoilt(&json!(wanted), &json!(came));
        for came in ["5 ? f?r", "5  fr", "5 â\u{82}¬ fÃ¼r", "5 \u{fffd} f\u{fffd}r"] {
            assert_eq!(like("5 € für", came), Likeness::OtherText, "{came}");
        }
        let long = "x".repeat(LONG + 1);
        assert_eq!(like(&long, &long[1..]), Likeness::OtherText);
        for (wanted, came) in [("no. 1", "no. 2"), ("no. 12", "no. 1"), ("a", "b"), ("", " "), ("a", "")] {
            assert_eq!(like(wanted, came), Likeness::None, "{wanted:?} {came:?}");
        }
    }

    #[test]
    fn what_is_slight_may_have_become_something_else_that_is() {
        for (wanted, came) in [
            (json!(true), json!(1)),
            (json!(null), json!(0)),
            (json!({}), json!([])),
            (json!([]), json!(null)),
            (json!(""), json!(null)),
            (json!(7.5), json!(8)),
            (json!(9_007_199_254_740_991_u64), json!(9_007_199_254_740_992_u64)),
        ] {
            assert_eq!(spoilt(&wanted, &came), Likeness::OtherValue, "{wanted} {came}");
        }
        assert_eq!(spoilt(&json!("a"), &json!(null)), Likeness::Nothing);
        for (wanted, came) in
            [(json!(1), json!(2)), (json!(true), json!(false)), (json!({ "a": 1 }), json!(1))]
        {
            assert_eq!(spoilt(&wanted, &came), Likeness::None, "{wanted} {came}");
        }
    }
}
