//! Expressions of other tools in the values of a scenario: `{{ name }}` and `$name`. They mean nothing here and are sent as
//! they stand, which is rarely meant.

use super::operations::SHELL;
use crate::document::{Mistake, Node, Value};

/// More than so many warnings of one file help nobody.
const MOST: usize = 10;

/// The parts of a file whose values are sent, or compared with what was received.
const PARTS: [&str; 4] = ["vars", "clients", "contract", "script"];

/// A warning for each of them, the first ones of a file.
pub(super) fn warnings(root: &Node) -> Vec<Mistake> {
    let mut found = Vec::new();
    for (key, node) in root.map().unwrap_or_default() {
        if PARTS.contains(&key.text.as_str()) {
            walk(node, &mut found);
        }
    }
    found.truncate(MOST);
    found
}

fn walk(node: &Node, found: &mut Vec<Mistake>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| walk(item, found)),
        // In a regular expression, `$` is the end of the text, and in a command it is the shell's.
        Value::Map(entries) => {
            let is_ours = |key: &str| !["$match", SHELL].contains(&key);
            entries.iter().filter(|(key, _)| is_ours(&key.text)).for_each(|(_, value)| walk(value, found));
        }
        Value::Text(text) if found.len() < MOST => found.extend(foreign(text).into_iter().map(|one| {
            let span = node.part(one.from, one.written.chars().count());
            Mistake::new(span, format!("`{}` is text here: it is sent or compared as it stands", one.written))
                .hint(format!("write `${{{}}}` for a value of the scenario", one.name))
        })),
        _ => {}
    }
}

/// An expression of another tool in a text.
#[derive(Debug, PartialEq, Eq)]
struct Foreign {
    /// The characters before it.
    from: usize,
    written: String,
    name: String,
}

fn foreign(text: &str) -> Vec<Foreign> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let length = match rest {
            // An expression of ours, in which texts may hold anything.
            ['$', '{', ..] => rest.iter().position(|c| *c == '}').map_or(rest.len(), |end| end + 1),
            ['$', '$', ..] => 2,
            ['{', '{', inner @ ..] => match inner.windows(2).position(|pair| pair == ['}', '}']) {
                Some(end) if is_expression(&inner[..end]) => {
                    let name: String = inner[..end].iter().collect();
                    let name = name.trim().trim_start_matches('$').to_owned();
                    let length = end + 4;
                    found.push(Foreign { from: at, written: rest[..length].iter().collect(), name });
                    length
                }
                _ => 2,
            },
            ['$', first, ..] if begins_name(*first) && is_apart(chars[..at].last()) => {
                let name: String = rest[1..].iter().take_while(|c| is_of_name(**c)).collect();
                let length = name.chars().count() + 1;
                found.push(Foreign { from: at, written: format!("${name}"), name });
                length
            }
            _ => 1,
        };
        at += length;
    }
    found
}

/// What other tools write in double braces: a name, a path or a call, and not another object of JSON.
fn is_expression(inner: &[char]) -> bool {
    let inner: String = inner.iter().collect();
    let inner = inner.trim();
    let first = inner.trim_start_matches('$').chars().next();
    first.is_some_and(begins_name) && !inner.contains(['{', '"', ':', '\n'])
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a name may begin behind this character. In the middle of a word, such as a password, `$` is data.
fn is_apart(before: Option<&char>) -> bool {
    before.is_none_or(|c| !c.is_alphanumeric() && *c != '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        foreign(text).into_iter().map(|one| one.name).collect()
    }

    #[test]
    fn expressions_of_other_tools_are_found_where_they_stand() {
        assert_eq!(names("hello {{ name }} and {{user.id}}"), ["name", "user.id"]);
        assert_eq!(names("{{ $randomString() }}"), ["randomString()"]);
        assert_eq!(names("$name, $row"), ["name", "row"]);
        let found = foreign("é {{ x }}");
        assert_eq!((found[0].from, found[0].written.as_str()), (2, "{{ x }}"));
    }

    #[test]
    fn the_variables_of_a_shell_are_its_own() {
        let text = "script: [ { shell: echo $X }, { all: { emit: { event: a, args: [$Y] } } } ]";
        let root = crate::document::parse(&crate::document::Source { name: "t".into(), text: text.into() });
        let warned: Vec<String> =
            warnings(&root.expect("it is YAML")).iter().map(ToString::to_string).collect();
        assert!(warned.len() == 1 && warned[0].contains("$Y"), "{warned:?}");
    }

    #[test]
    fn data_and_our_own_expressions_are_left_alone() {
        for text in [
            "${name}",
            "$${name}",
            "5 $",
            "$5",
            "pa$word",
            "{}",
            "{{}}",
            "{{\"a\": 1}}",
            "${pick('$a', 'b')}",
            "$$a",
        ] {
            assert_eq!(names(text), [""; 0], "{text}");
        }
    }
}
