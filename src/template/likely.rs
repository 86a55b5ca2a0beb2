//! What stood for a word of a template, as far as a value that may have been made of it shows that.

use serde_json::Value as Json;

use super::expression::Expr;
use super::{Body, Name, Piece, Template};

impl Template {
    /// Whether a value may have been made of this: it has all that is fixed, and perhaps more behind it. `found` gets what
    /// stands where a word alone makes a value, or makes a text with what is fixed around it.
    pub fn may_be(&self, value: &Json, word: &str, found: &mut Vec<Json>) -> bool {
        self.body.may_be(value, word, found)
    }
}

impl Body {
    fn may_be(&self, value: &Json, word: &str, found: &mut Vec<Json>) -> bool {
        let is_word = |expr: &Expr| matches!(expr, Expr::Named(Name::Word(known)) if *known == word);
        match self {
            Body::Fixed(fixed) => fixed == value,
            Body::Whole(expr) => {
                found.extend(is_word(expr).then(|| value.clone()));
                true
            }
            Body::Text(pieces) => {
                let Json::String(text) = value else { return false };
                let [start, end] = [pieces.first(), pieces.last()].map(|piece| match piece {
                    Some(Piece::Literal(literal)) => literal.as_str(),
                    _ => "",
                });
                let rest = text.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
                let mut filled = pieces.iter().filter_map(|piece| match piece {
                    Piece::Filled(expr) => Some(expr),
                    Piece::Literal(_) => None,
                });
                let is_alone = filled.next().is_some_and(is_word) && filled.next().is_none();
                found.extend(rest.filter(|_| is_alone).map(Json::from));
                rest.is_some()
            }
            Body::List(items) => value.as_array().is_some_and(|values| {
                let mut pairs = items.iter().zip(values);
                items.len() <= values.len() && pairs.all(|(item, value)| item.may_be(value, word, found))
            }),
            Body::Map(entries) => value.as_object().is_some_and(|map| {
                entries.iter().all(|(key, value)| match key {
                    Body::Fixed(Json::String(key)) => {
                        map.get(key).is_some_and(|known| value.may_be(known, word, found))
                    }
                    _ => true,
                })
            }),
            Body::Bytes(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Scope;
    use super::*;
    use crate::document::{Source, parse};

    #[test]
    fn a_value_shows_what_stood_for_a_word_where_all_that_is_fixed_is_there() {
        let whole = "{ do: enter, in: [ '${room}' ], who: '${n}' }";
        let cases = [
            ("'${room}'", json!(["a", 1]), Some(vec![json!(["a", 1])])),
            ("'room:${room}!'", json!("room:a!"), Some(vec![json!("a")])),
            ("'room:${room}!'", json!("a"), None),
            ("'${n}-${room}'", json!("7-a"), Some(vec![])),
            (whole, json!({ "do": "enter", "in": ["a", "b"], "who": 7, "more": 1 }), Some(vec![json!("a")])),
            (whole, json!({ "do": "exit", "in": ["a"], "who": 7 }), None),
            (whole, json!({ "do": "enter", "in": [], "who": 7 }), None),
            (whole, json!({ "do": "enter", "who": 7 }), None),
            ("enter", json!("enter"), Some(vec![])),
        ];
        for (template, value, wanted) in cases {
            let node = parse(&Source { name: "t".into(), text: template.into() }).expect("it is YAML");
            let mut scope = Scope::bare();
            let template =
                scope.with_words(&["room"], |scope| Template::compile(&node, scope)).expect("it is one");
            let mut found = Vec::new();
            let fits = template.may_be(&value, "room", &mut found);
            assert_eq!(fits.then_some(found), wanted, "{value}");
        }
    }
}
