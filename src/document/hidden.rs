//! Where secrets stand in a file, so that no excerpt of it shows them: by the names of keys, whether or not the file can be
//! read as a tree.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Node, Source, Span, Value, parse};
use crate::secrets::{HIDDEN, is_expression, is_secret_header, is_telling, lets_in, named_in};

/// Characters of a text that [`Node::describe`] shows.
const DESCRIBED: usize = 40;

/// Shorter texts are hidden in a sentence only where they stand in quotes: they would turn up everywhere by chance.
const SHORTEST: usize = 6;

/// What of a file is secret.
pub(super) struct Hidden {
    spans: Vec<Span>,
    /// What stands behind such names and is none: places of values.
    open: Vec<Span>,
    texts: Vec<String>,
}

impl Hidden {
    /// Finds it by the tree; where the file is no map of YAML, by what its lines look like.
    pub(super) fn of(source: &Source) -> Hidden {
        let mut hidden = Hidden { spans: Vec::new(), open: Vec::new(), texts: Vec::new() };
        match parse(source) {
            Ok(tree) if matches!(tree.value, Value::Map(_)) => hidden.note(&tree, "", false),
            _ => hidden.guess(&source.text),
        }
        hidden
    }

    /// The secrets of a line, as stretches of its characters, in order and apart from each other.
    pub(super) fn in_line(&self, number: u32, line: &str) -> Vec<Range<usize>> {
        let length = line.chars().count();
        let of = |span: &Span| {
            let from = if span.line == number { span.column.saturating_sub(1) as usize } else { blank(line) };
            let to =
                if span.end_line == number { span.end_column.saturating_sub(1) as usize } else { length };
            from.min(length)..to.min(length)
        };
        let here = |spans: &[Span]| -> Vec<Range<usize>> {
            spans.iter().filter(|span| (span.line..=span.end_line).contains(&number)).map(of).collect()
        };
        let open = here(&self.open);
        let named = named_in(line).into_iter().map(|bytes| characters(line, &bytes));
        let named = named.filter(|range| !open.iter().any(|open| open.contains(&range.start)));
        let mut found: Vec<Range<usize>> =
            here(&self.spans).into_iter().chain(named).filter(|range| !range.is_empty()).collect();
        found.sort_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in found {
            match apart.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => apart.push(range),
            }
        }
        apart
    }

    /// A sentence about the file without what is secret in it.
    pub(super) fn without(&self, sentence: &str) -> String {
        let mut out = sentence.to_owned();
        for text in &self.texts {
            for quote in ['"', '`'] {
                out = out.replace(&format!("{quote}{text}{quote}"), &format!("{quote}{HIDDEN}{quote}"));
            }
            if text.chars().count() >= SHORTEST {
                out = out.replace(text.as_str(), HIDDEN);
            }
        }
        out
    }

    /// `place`: the key under which this stands. `all`: whether that key says that everything below is secret.
    fn note(&mut self, node: &Node, place: &str, all: bool) {
        match &node.value {
            // Its author has to see it.
            Value::Text(text) if is_expression(text) => {}
            Value::Text(text) if all => self.hide(node.span, text),
            Value::Int(number) if all => self.hide(node.span, &number.to_string()),
            Value::Float(number) if all => self.hide(node.span, &number.to_string()),
            Value::List(items) => items.iter().for_each(|item| self.note(item, place, all)),
            // Behind these names stand the places of values in a response.
            Value::Map(_) if place == "capture" => self.open.push(node.span),
            Value::Map(entries) => {
                for (key, value) in entries {
                    let name = key.text.as_str();
                    let is_secret = is_telling(name)
                        || (matches!(place, "auth" | "query") && lets_in(name))
                        || (place == "headers" && is_secret_header(name));
                    self.note(value, name, all || is_secret);
                }
            }
            _ => {}
        }
    }

    fn hide(&mut self, span: Span, text: &str) {
        self.spans.push(span);
        let described: String = text.chars().take(DESCRIBED).collect();
        for spelling in [text, &described] {
            let escaped = format!("{spelling:?}");
            self.texts.extend([spelling.to_owned(), escaped[1..escaped.len() - 1].to_owned()]);
        }
        self.texts.retain(|text| !text.is_empty());
        // The longest first, so that none hides the beginning of another alone.
        self.texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        self.texts.dedup();
    }

    /// Goes by the lines: behind a key with a telling name all is secret to the end of its value, and what is indented below it.
    fn guess(&mut self, text: &str) {
        static KEY: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?:^|[\s{,\[])["']?([\w.-]+)["']?\s*:(?:\s+|$)"#)
                .expect("the pattern is well-formed")
        });
        let mut below: Option<usize> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let indent = blank(line);
            let rest = line.trim_start();
            if let Some(key) = below {
                if rest.is_empty() || indent > key || (indent == key && rest.starts_with("- ")) {
                    self.hide_part(number, line, indent..line.chars().count());
                    continue;
                }
                below = None;
            }
            let mut from = 0;
            while let Some(found) = KEY.captures_at(line, from) {
                let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { break };
                from = whole.end();
                let value = &line[from..];
                let is_secret = is_telling(name.as_str()) || is_secret_header(name.as_str());
                let opens = value.starts_with(['{', '[']);
                if value.starts_with("${") || !(is_secret || (lets_in(name.as_str()) && !opens)) {
                    continue;
                }
                if is_secret && (opens || value.is_empty() || value.starts_with(['|', '>'])) {
                    below = Some(indent);
                }
                let end = from + end_of(value, opens, line[..from].contains(['{', '[']));
                self.hide_part(number, line, characters(line, &(from..end)));
                from = end;
            }
        }
    }

    fn hide_part(&mut self, number: u32, line: &str, part: Range<usize>) {
        if !part.is_empty() {
            let text: String = line.chars().skip(part.start).take(part.len()).collect();
            let span = Span { line: number, column: 1, end_line: number, end_column: 1 };
            self.hide(span.part(part.start, part.len()), text.trim_matches(['"', '\'']));
        }
    }
}

/// Where a value ends in its line, in bytes: at its closing quote, at the comma or bracket of the list or map around it, or with
/// the line.
fn end_of(value: &str, opens: bool, is_inside: bool) -> usize {
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let end = match quote {
        Some(quote) => value[1..].find(quote).map(|at| at + 2),
        None if is_inside && !opens => value.find([',', '}', ']']),
        None => None,
    };
    end.unwrap_or(value.len())
}

/// Characters of the blank beginning of a line.
fn blank(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// A stretch of bytes as one of characters.
fn characters(line: &str, bytes: &Range<usize>) -> Range<usize> {
    let upto = |byte: usize| line.char_indices().take_while(|(at, _)| *at < byte).count();
    upto(bytes.start)..upto(bytes.end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mistake, render};
    use super::*;

    /// Every line of the file, each as the excerpt of a mistake that has its text in its sentence.
    fn excerpts(text: &str) -> String {
        let source = Source { name: "x.yaml".to_owned(), text: text.to_owned() };
        let excerpt = |(number, line): (u32, &str)| {
            (1..=line.chars().count() as u32 + 1)
                .map(|column| {
                    let span = Span { line: number, column, end_line: number, end_column: column + 1 };
                    render(&Mistake::new(span, "a mistake"), &source)
                })
                .collect::<String>()
        };
        (1..).zip(text.lines()).map(excerpt).collect()
    }

    #[test]
    fn no_excerpt_shows_a_secret_wherever_it_stands_in_its_value() {
        let good = "a: { auth: { key: s3cr3t-1, password: \"s3cr3t 2 has words\", pin: 77 }, query: { pass: s3cr3t-3 } }\n\
                    headers: { Authorization: Bearer s3cr3t-4, cookie: \"a=s3cr3t-5; b=s3cr3t-6\" }\ncredentials:\n  - s3cr3t-7 s3cr3t-8\n  \
                    - { user: s3cr3t-9 }\napi_key: |\n  s3cr3t-10\n  s3cr3t-11\nurl: \"http://bob:s3cr3t-12@localhost/?token=s3cr3t-13\"\n";
        for text in
            [good.to_owned(), format!("{good}x: [1\n"), format!("{good}\tx: 1\n"), format!("x: {{\n{good}")]
        {
            let shown = excerpts(&text);
            let line = shown.lines().find(|line| line.contains("s3cr3t") || line.contains("words"));
            assert_eq!(line, None, "{text}");
        }
        let broken = "auth: { token: \"s3cr3t-1 }\nquery: { pass: s3cr3t-2, room: den }\nheaders:\n  Cookie: s3cr3t-3\n  X-Api-Key: s3cr3t-4, s3cr3t-5\n";
        let shown = excerpts(broken);
        assert!(!shown.contains("s3cr3t") && shown.contains("room: den }"), "{shown}");
    }

    #[test]
    fn expressions_and_places_of_captures_are_shown() {
        for text in [
            "auth: { token: \"${row.token}\" }",
            "auth: { token: ${row.token} }",
            "auth: { token: \"{{ token }}\", password: $PASSWORD }",
            "a: { capture: { token: token.value, cookie: { header: set-cookie, match: 'sid=(.*)' } } }",
            "auth: { user: ada }\nx: [",
        ] {
            assert!(!excerpts(text).contains(HIDDEN), "{}", excerpts(text));
        }
    }

    #[test]
    fn a_sentence_about_a_secret_does_not_tell_it() {
        let long = "s3cr3t".repeat(10);
        let text = format!("auth: {{ token: {long}, pin: \"7\", password: \"a\\\"b c/d\" }}\n");
        let source = Source { name: "x.yaml".to_owned(), text };
        let hidden = Hidden::of(&source);
        for sentence in [
            &*format!("found the text {:?}…", &long[..40]),
            "found the text \"7\"",
            "found the text \"a\\\"b c/d\"",
        ] {
            let told = hidden.without(sentence);
            assert!(
                told.contains(HIDDEN)
                    && !told.contains("s3c")
                    && !told.contains('7')
                    && !told.contains("b c"),
                "{told}"
            );
        }
        assert_eq!(hidden.without("7 of 17"), "7 of 17");
    }

    #[test]
    fn a_caret_at_a_secret_stands_under_what_hides_it() {
        let source = Source { name: "x.yaml".to_owned(), text: "a: { token: abc, b: 1 }\n".to_owned() };
        let span = |column: usize, len| {
            Span { line: 1, column: 1, end_line: 1, end_column: 1 }.part(column - 1, len)
        };
        let shown = |span| render(&Mistake::new(span, "no"), &source);
        insta::assert_snapshot!(shown(span(14, 1)), @r"
        error: no
         --> x.yaml:1:14
          |
        1 | a: { token: [hidden], b: 1 }
          |             ^^^^^^^^
        ");
        insta::assert_snapshot!(shown(span(18, 1)), @r"
        error: no
         --> x.yaml:1:18
          |
        1 | a: { token: [hidden], b: 1 }
          |                       ^
        ");
    }

    proptest! {
        #[test]
        fn any_text_is_looked_through_without_a_panic(text in "(?s).{0,200}", column in 0u32..300, line in 0u32..9) {
            let source = Source { name: "x".to_owned(), text };
            let span = Span { line, column, end_line: line, end_column: column.saturating_add(3) };
            drop(render(&Mistake::new(span, "no"), &source));
        }

        #[test]
        fn a_secret_is_shown_in_no_broken_file(
            before in r#"[ \-{\[",:a-zé]{0,12}"#, after in r#"[ \-}\]",:a-zé]{0,12}"#, key in "(password|token|X-Api-Key|clientSecret)",
        ) {
            let text = format!("{before}\n{key}: s3cr3t-words-9{after}\n");
            prop_assert!(!excerpts(&text).contains("s3cr3t-words"), "{}", excerpts(&text));
        }
    }
}
