//! A colon, a dash or a space that is missing. The parser notices it only in a later line, so the lines before are looked at.

use super::{Mistake, Span};

/// What the parser says where one of them may be missing.
const SIGNS: [&str; 7] = [
    "mapping values",
    "simple key",
    "':'",
    "expected key",
    "flow mapping",
    "flow sequence",
    "misplaced bracket",
];

/// The slip that explains the parser's words at this place, laid at its own line.
pub(super) fn slip(lines: &[&str], at: Span, info: &str) -> Option<Mistake> {
    if !SIGNS.iter().any(|sign| info.contains(sign)) {
        return None;
    }
    let all: Vec<Line<'_>> = (1..).zip(lines).filter_map(|(number, text)| Line::of(number, text)).collect();
    let index = all.iter().position(|line| line.number == at.line)?;
    if info.contains("flow mapping") {
        return in_braces(lines.get(at.line as usize - 1)?, at);
    }
    if info.contains("flow sequence") {
        let text = lines.get(at.line as usize - 1)?;
        return bare_expression(text, &text.chars().take(at.column as usize - 1).collect::<String>(), at);
    }
    let (here, before) = (&all[index], &all[..index]);
    if info.contains("misplaced bracket") {
        return before_bracket(here);
    }
    // A second key in brackets that are none for the parser, because they are no value.
    if let Some(slip) = before_bracket(here).filter(|slip| slip.span.column < at.column) {
        return Some(slip);
    }
    let above = before.last().and_then(before_bracket);
    let value = || shallow_value(before);
    above
        .or_else(|| dash(here, before))
        .or_else(|| bare_item(before))
        .or_else(value)
        .or_else(|| colon(here, before))
}

/// A `#` behind a blank that takes the rest of its line for a comment, the closing brackets among it, since a bracket was opened:
/// `{ join: #lobby }`.
pub(super) fn comment_in_brackets(lines: &[&str], open: Span, at: Span) -> Option<Mistake> {
    (open.line..=at.line).find_map(|number| {
        let text = lines.get(number as usize - 1)?;
        let from = if number == open.line { open.column as usize } else { 0 };
        let (mut quote, mut before) = (None, ' ');
        let is_comment = |(index, c): &(usize, char)| {
            match quote {
                Some(open) if open == *c => quote = None,
                None if *c == '#' && before == ' ' && *index >= from => return true,
                None if ['"', '\''].contains(c) => quote = Some(*c),
                _ => {}
            }
            before = *c;
            false
        };
        let (column, _) = text.chars().enumerate().find(is_comment)?;
        let comment: String = text.chars().skip(column).collect();
        let word = comment.split([' ', ',', ']', '}']).next().filter(|word| word.len() > 1)?;
        if !comment.contains([']', '}']) {
            return None;
        }
        let line = Span { line: number, column: 1, end_line: number, end_column: 1 };
        let message = "`#` begins a comment here, and the brackets behind it are part of that";
        Some(
            Mistake::new(line.part(column, word.chars().count()), message)
                .hint(format!("put the text in quotes: \"{word}\"")),
        )
    })
}

/// A line that is indented with blanks that are none for YAML, as they come with text from web pages.
pub(super) fn foreign_blank(lines: &[&str], at: Span) -> Option<Mistake> {
    (1..).zip(lines).take(at.line as usize).find_map(|(number, text)| {
        let blanks = text.chars().take_while(|c| c.is_whitespace());
        let (column, c) = blanks.enumerate().find(|(_, c)| ![' ', '\t', '\r'].contains(c))?;
        let line = Span { line: number, column: 1, end_line: number, end_column: 1 };
        let message =
            format!("the line is indented with the character U+{:04X}, which is no space", u32::from(c));
        Some(Mistake::new(line.part(column, 1), message).hint("indent with spaces"))
    })
}

/// A line with something in it.
struct Line<'t> {
    number: u32,
    /// Characters before the first that is no space.
    indent: usize,
    /// Characters before the content, behind the dashes of list items.
    column: usize,
    /// What stands there, without a comment.
    content: &'t str,
}

impl Line<'_> {
    fn of(number: u32, text: &str) -> Option<Line<'_>> {
        let indent = text.chars().take_while(|c| *c == ' ').count();
        let mut content = text.trim_start_matches(' ');
        while let Some(item) = content.strip_prefix("- ") {
            content = item.trim_start_matches(' ');
        }
        let column = text.chars().count() - content.chars().count();
        let content = content.split(" #").next().unwrap_or_default().trim_end();
        let is_text = !content.is_empty() && !content.starts_with('#');
        is_text.then_some(Line { number, indent, column, content })
    }

    /// A part of a line.
    fn at(content: &str, span: Span) -> Line<'_> {
        let column = (span.column as usize).saturating_sub(1);
        Line { number: span.line, indent: column, column, content }
    }

    fn is_item(&self) -> bool {
        self.column > self.indent || self.content == "-"
    }

    /// Whether it holds a key with its colon.
    fn has_key(&self) -> bool {
        self.content.ends_with(':') || self.content.contains(": ")
    }

    /// So many characters of it, from its content on.
    fn span(&self, from: usize, len: usize) -> Span {
        let line = Span { line: self.number, column: 1, end_line: self.number, end_column: 1 };
        line.part(self.column + from, len)
    }
}

/// An earlier line at the same depth that has no dash, or no space behind it.
fn dash(here: &Line<'_>, before: &[Line<'_>]) -> Option<Mistake> {
    if !here.is_item() {
        return None;
    }
    let block = before.iter().rev().take_while(|line| line.indent >= here.indent);
    let bare = block.filter(|line| line.indent == here.indent).take_while(|line| !line.is_item()).last()?;
    let content = bare.content;
    let length = content.chars().count();
    Some(match content.strip_prefix('-') {
        Some(item) if !item.starts_with('-') => {
            Mistake::new(bare.span(0, length), "a space is missing after the dash")
                .hint(format!("write `- {item}`"))
        }
        // A word alone lacks its colon.
        _ if !bare.has_key() => return None,
        _ => {
            let message =
                format!("a dash is missing before this: line {} at the same depth has one", here.number);
            Mistake::new(bare.span(0, length), message).hint(format!("write `- {content}`"))
        }
    })
}

/// The line before, if it stands below the items of a list, at their depth, and is none.
fn bare_item(before: &[Line<'_>]) -> Option<Mistake> {
    let indent = before.last()?.indent;
    let same = |line: &&Line<'_>| line.indent == indent;
    let block = || before.iter().rev().take_while(|line| line.indent >= indent);
    let bare = block().filter(same).take_while(|line| !line.is_item()).last()?;
    let item = block().filter(same).find(|line| line.is_item())?;
    // A list may stand at the depth of its own key: then a key follows.
    let has_own_depth = block().filter(same).skip_while(|line| !line.is_item()).all(Line::is_item);
    has_own_depth.then(|| {
        let message =
            format!("a dash is missing before this: line {} at the same depth has one", item.number);
        Mistake::new(bare.span(0, bare.content.chars().count()), message)
            .hint(format!("write `- {}`", bare.content))
    })
}

/// The line before, if it is a word that should be the value of the key above it, and stands no deeper:
/// `- alice:` and `connect` below `alice`.
fn shallow_value(before: &[Line<'_>]) -> Option<Mistake> {
    let [.., above, line] = before else { return None };
    let key = above.content.strip_suffix(':').filter(|key| !key.contains([' ', ':']))?;
    let is_word = line.content.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_word || line.is_item() || line.column != above.column {
        return None;
    }
    let word = line.content;
    let message = format!("`{word}` stands no deeper than `{key}:`, and so is no value of it");
    Some(
        Mistake::new(line.span(0, word.chars().count()), message)
            .hint(format!("write `{key}: {word}`, or indent it deeper")),
    )
}

/// A key without a colon before a bracket that the parser reads as part of a key: `alice { wait` in `alice { wait: 1s }`.
pub(super) fn in_key(text: &str, span: Span) -> Option<Mistake> {
    let is_open =
        ["{}", "[]"].iter().any(|pair| text.matches(&pair[..1]).count() > text.matches(&pair[1..]).count());
    is_open.then(|| before_bracket(&Line::at(text, span)))?
}

/// The same in what it reads as text: `alice [ connect ]`.
pub(super) fn in_text(text: &str, span: Span) -> Option<Mistake> {
    text.ends_with(['}', ']']).then(|| before_bracket(&Line::at(text, span)))?
}

/// A key right before a bracket: `alice { emit: … }`, or `alice:{ emit: … }`.
fn before_bracket(line: &Line<'_>) -> Option<Mistake> {
    let is_of_key = |c: char| c.is_alphanumeric() || "_-".contains(c);
    let key = line.content.split(|c: char| !is_of_key(c)).next().filter(|key| !key.is_empty())?;
    let rest = &line.content[key.len()..];
    let (has_colon, bracket) = match rest.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, rest.trim_start_matches(' ')),
    };
    let closing = match bracket.chars().next()? {
        '{' => '}',
        '[' => ']',
        _ => return None,
    };
    let length = key.chars().count();
    let (span, message) = match has_colon {
        true => (line.span(length, 1), "a space is missing after the colon".to_owned()),
        false => (line.span(0, length), format!("a colon is missing after `{key}`")),
    };
    Some(Mistake::new(span, message).hint(format!("write `{key}: {} … {closing}`", &bracket[..1])))
}

/// The line before, if it should be a key and has no colon, or no space behind it.
fn colon(here: &Line<'_>, before: &[Line<'_>]) -> Option<Mistake> {
    let (line, earlier) = before.split_last()?;
    let is_plain = |c: char| c.is_alphanumeric() || " _-.:/$%<>=".contains(c);
    if line.has_key() || !line.content.chars().all(is_plain) || !(here.has_key() || here.is_item()) {
        return None;
    }
    // The text of a value may go on in further lines.
    let goes_on =
        earlier.last().is_some_and(|above| above.indent < line.indent && !above.content.ends_with(':'));
    if goes_on && !line.is_item() {
        return None;
    }
    let first = |separator: char| {
        let (key, value) = line.content.split_once(separator)?;
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
        is_key.then(|| (key, value.trim(), key.chars().count()))
    };
    if let Some((key, value, length)) = first(':').filter(|(_, value, _)| !value.starts_with("//")) {
        return Some(
            Mistake::new(line.span(length, 1), "a space is missing after the colon")
                .hint(format!("write `{key}: {value}`")),
        );
    }
    let is_deeper = here.indent > line.column || (here.is_item() && here.indent >= line.column);
    match first(' ') {
        // A key with its value in the same line, beside keys.
        Some((key, value, length)) if !is_deeper => Some(
            Mistake::new(line.span(0, length), format!("a colon is missing after `{key}`"))
                .hint(format!("write `{key}: {value}`")),
        ),
        None if is_deeper => {
            let key = line.content;
            Some(
                Mistake::new(line.span(0, key.chars().count()), format!("a colon is missing after `{key}`"))
                    .hint(format!("write `{key}:`")),
            )
        }
        _ => None,
    }
}

/// `{ event: hi, args [1] }`: the word before this place is a key.
fn in_braces(text: &str, at: Span) -> Option<Mistake> {
    let before: String = text.chars().take(at.column.saturating_sub(1) as usize).collect();
    if let Some(mistake) = bare_expression(text, &before, at) {
        return Some(mistake);
    }
    let before = before.trim_end();
    let key =
        before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|key| !key.is_empty())?;
    let opening = before[..before.len() - key.len()].trim_end();
    if !opening.ends_with(['{', ',']) {
        return None;
    }
    let from = before.chars().count() - key.chars().count();
    let line = Span { line: at.line, column: 1, end_line: at.line, end_column: 1 };
    let message = format!("a colon is missing after `{key}`");
    Some(Mistake::new(line.part(from, key.chars().count()), message).hint(format!("write `{key}: …`")))
}

/// An expression without quotes in a map of braces, where its own brace opens another one: `{ token: ${row.token} }`.
fn bare_expression(text: &str, before: &str, at: Span) -> Option<Mistake> {
    let column = before.chars().count();
    let rest: String = text.chars().skip(column).collect();
    let inner = rest.strip_prefix('{').filter(|_| before.ends_with('$'))?;
    let inner = &inner[..inner.find('}')?];
    let line = Span { line: at.line, column: 1, end_line: at.line, end_column: 1 };
    let span = line.part(column - 1, inner.chars().count() + 3);
    Some(
        Mistake::new(span, "an expression within brackets needs quotes")
            .hint(format!("write \"${{{inner}}}\"")),
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Source, parse};

    /// The line, the message and the hint.
    fn slip(text: &str) -> (u32, String, String) {
        let mistake = parse(&Source { name: "t".into(), text: text.into() }).expect_err("it is no YAML");
        (mistake.span.line, mistake.message, mistake.hint.unwrap_or_default())
    }

    #[test]
    fn an_expression_without_quotes_in_braces_is_shown_with_them() {
        for text in [
            "a:\n  b: { token: ${row.token}, c: 1 }\n",
            "a: 1\nb: { c: 1, token: ${row.token} }\n",
            "a: 1\nb: [c, ${row.token}]\n",
        ] {
            let (line, message, hint) = slip(text);
            assert_eq!((line, &*message), (2, "an expression within brackets needs quotes"));
            assert_eq!(hint, "write \"${row.token}\"");
        }
    }

    #[test]
    fn a_missing_colon_is_laid_at_its_own_line() {
        for (text, line, key, hint) in [
            ("name: x\nclients\n  alice: 1\n", 2, "clients", "write `clients:`"),
            ("script\n  - alice: connect\n", 1, "script", "write `script:`"),
            ("script\n- alice: connect\n", 1, "script", "write `script:`"),
            ("a:\n  - alice\n      - emit: { event: hi }\n", 2, "alice", "write `alice:`"),
            ("a:\n  emit\n    event: hi\n", 2, "emit", "write `emit:`"),
            ("name x\nclients: 1\n", 1, "name", "write `name: x`"),
            ("vars:\n  a 1\n  b: 2\n", 2, "a", "write `a: 1`"),
            ("emit: { event: hi, args [1] }\n", 1, "args", "write `args: …`"),
            ("a:\n  - bob { emit: { event: x } }\n  - c: 1\n", 2, "bob", "write `bob: { … }`"),
            ("a:\n  - bob{ emit: { event: x } }\n", 2, "bob", "write `bob: { … }`"),
            ("a:\n  - bob [ { wait: [1] } ]\n", 2, "bob", "write `bob: [ … ]`"),
            ("emit { event: [x] }\n", 1, "emit", "write `emit: { … }`"),
            ("a:\n  - bob { wait: 1s }\n", 2, "bob", "write `bob: { … }`"),
            ("a:\n  - bob {wait: 1s, b: 2}\n", 2, "bob", "write `bob: { … }`"),
            ("a:\n  - bob [ wait: 1s ]\n", 2, "bob", "write `bob: [ … ]`"),
            ("a { b: 1, c: 1 }\n", 1, "a", "write `a: { … }`"),
            ("a:\n  - bob {\n      emit: x }\n", 2, "bob", "write `bob: { … }`"),
            ("a:\n- bob: 1\nname x\nb: 2\n", 3, "name", "write `name: x`"),
        ] {
            let (at, message, told) = slip(text);
            assert_eq!((at, told.as_str()), (line, hint), "{text}{message}");
            assert_eq!(message, format!("a colon is missing after `{key}`"), "{text}");
        }
    }

    #[test]
    fn a_missing_space_or_dash_is_laid_at_its_own_line() {
        for (text, line, message, hint) in [
            ("emit:\n  event:hi\n  args: 1\n", 2, "a space is missing after the colon", "write `event: hi`"),
            (
                "a:\n  -alice: connect\n  - bob: wait\n",
                2,
                "a space is missing after the dash",
                "write `- alice: connect`",
            ),
            (
                "a:\n  alice: connect\n  - bob: wait\n",
                2,
                "a dash is missing before this: line 3 at the same depth has one",
                "write `- alice: connect`",
            ),
            (
                "a:\n  - connect p50 < 1 s\n  ack p90 < 2 s\nb: 1\n",
                3,
                "a dash is missing before this: line 2 at the same depth has one",
                "write `- ack p90 < 2 s`",
            ),
            (
                "a:\n  - connect p50 < 1 s\n  ack p90 < 2 s\n  lag p90 < 2 s\nb: 1\n",
                3,
                "a dash is missing before this: line 2 at the same depth has one",
                "write `- ack p90 < 2 s`",
            ),
            (
                "a:\n  - ack p50 < 1 s\n  ack p90 < 2 s\n  - lag p90 < 2 s\n",
                3,
                "a dash is missing before this: line 2 at the same depth has one",
                "write `- ack p90 < 2 s`",
            ),
            (
                "a:\n  - bob:{ emit: { event: x } }\n",
                2,
                "a space is missing after the colon",
                "write `bob: { … }`",
            ),
        ] {
            let found = slip(text);
            assert_eq!(found, (line, message.to_owned(), hint.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_comment_that_takes_brackets_is_laid_at_its_own_line() {
        for (text, line, word) in [
            ("a:\n  - b: { join: #lobby }\n  - c: 1\n", 2, "#lobby"),
            ("a:\n  - b: { c: { to: #hall, d: [1] } }\n  - c: 1\n", 2, "#hall"),
            ("a: [ b,\n  #c ]\nd: 1\n", 2, "#c"),
        ] {
            let (at, message, hint) = slip(text);
            assert_eq!((at, hint), (line, format!("put the text in quotes: \"{word}\"")), "{message}");
        }
        for text in ["a: { b: '# }', c: 1\nd: 1\n", "a: { b: x#y }, c: { d: 1\n", "a: { b: 1 # one\n"] {
            let (_, message, _) = slip(text);
            assert!(!message.contains("comment"), "{text}{message}");
        }
    }

    #[test]
    fn a_word_no_deeper_than_its_key_and_a_blank_that_is_no_space_are_laid_at_their_own_lines() {
        for (text, line, hint) in [
            ("a:\n  - bob:\n    connect\n  - c: 1\n", 3, "write `bob: connect`, or indent it deeper"),
            ("a:\n\u{a0}\u{a0}- b: 1\n  - c: 1\n", 2, "indent with spaces"),
            ("a: 1\n\u{a0}\u{a0}b: 1\n", 2, "indent with spaces"),
        ] {
            let (at, message, told) = slip(text);
            assert_eq!((at, &*told), (line, hint), "{message}");
        }
    }

    #[test]
    fn a_bracket_too_many_behind_a_whole_key_is_no_missing_colon() {
        for text in ["a: { b: 1 } }\n", "a:\n  - b: [1] ]\n", "a: { b: 1, c: 1 } d: 1\n"] {
            let (line, message, _) = slip(text);
            assert!(!message.contains("missing"), "{line}: {message}");
        }
    }

    #[test]
    fn a_key_or_a_text_with_brackets_of_its_own_is_no_missing_colon() {
        for text in ["answers [x]: 1\n", "\"a { b\": 1\n", "a: hello [you]\n", "- hello { you }\n"] {
            assert!(parse(&Source { name: "t".into(), text: text.into() }).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_text_of_several_lines_is_no_key_without_a_colon() {
        let (line, message, _) = slip("about: this is\n  a long text\n  with: a colon\n");
        assert_eq!((line, message.contains("missing")), (3, false), "{message}");
    }
}
