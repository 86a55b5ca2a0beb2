//! JSONPath, as far as scripts use it to name one value: `$.token`, `$.0.user.name`, `$['a b'][2]`.

use serde_json::{Value as Json, json};

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(u32),
}

/// The steps of a path to one value. None for what may mean several values, or is no path.
pub(super) fn read(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (word, after) = inner.split_once(']')?;
            rest = after;
            let quoted = |quote: char| word.strip_prefix(quote).and_then(|word| word.strip_suffix(quote));
            match quoted('\'').or_else(|| quoted('"')) {
                Some(key) => steps.push(Step::Key(key.to_owned())),
                None => steps.push(Step::Index(word.parse().ok()?)),
            }
        } else {
            let inner = rest.strip_prefix('.')?;
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            let (word, after) = inner.split_at(end);
            rest = after;
            let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | ' ');
            if word.is_empty() || !word.chars().all(is_word) {
                return None;
            }
            steps.push(word.parse().map_or_else(|_| Step::Key(word.to_owned()), Step::Index));
        }
    }
    (steps.len() < 20).then_some(steps)
}

/// The steps behind a name in an expression: `.user.name`, `[2]`. None for a key that no expression can spell.
pub(super) fn spelt(steps: &[Step]) -> Option<String> {
    let spell = |step: &Step| match step {
        Step::Index(index) => Some(format!("[{index}]")),
        Step::Key(key) if crate::template::well_formed(key, "a key").is_ok() => Some(format!(".{key}")),
        Step::Key(key) if !key.contains(['\'', '}']) => Some(format!("['{key}']")),
        Step::Key(_) => None,
    };
    steps.iter().map(spell).collect()
}

/// A matcher for a value in which that path leads to this. None where an item of a list is on the way: no matcher counts.
pub(super) fn matcher(steps: &[Step], value: Json) -> Option<Json> {
    match steps.split_first() {
        None => Some(value),
        Some((Step::Index(_), _)) => None,
        Some((Step::Key(key), rest)) => {
            let inner = matcher(rest, value)?;
            Some(json!({ "$contains": { doubled(key): inner } }))
        }
    }
}

/// A key of data: one that begins with `$` is written with two.
pub(super) fn doubled(key: &str) -> String {
    match key.starts_with('$') {
        true => format!("${key}"),
        false => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(word: &str) -> Step {
        Step::Key(word.into())
    }

    #[test]
    fn a_path_to_one_value_is_read_and_spelt_as_an_expression() {
        assert_eq!(read("$"), Some(vec![]));
        assert_eq!(read("$.0.user.name"), Some(vec![Step::Index(0), key("user"), key("name")]));
        assert_eq!(read("$['a b'][2]"), Some(vec![key("a b"), Step::Index(2)]));
        assert_eq!(spelt(&read("$['a b'][2].c").expect("it is one")).as_deref(), Some("['a b'][2].c"));
    }

    #[test]
    fn what_may_mean_several_values_is_no_path() {
        for text in ["$..name", "$.*", "$[*]", "$[?(@.a)]", "$[{{ i }}]", "name", "$x", "$.", "$[-1]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_of_keys_makes_a_matcher() {
        let wanted = json!({ "$contains": { "user": { "$contains": { "name": "ada" } } } });
        assert_eq!(matcher(&[key("user"), key("name")], json!("ada")), Some(wanted));
        assert_eq!(matcher(&[key("list"), Step::Index(0)], json!(1)), None);
    }
}
