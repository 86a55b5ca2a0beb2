//! What is secret by the name that stands before it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{HIDDEN, TELLING, pattern};

/// Headers whose values are secrets, as a pattern.
const OF_HEADERS: &str = "(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token";

/// The name of a field of JSON and the quote that begins its text. Within a text of JSON both quotes are escaped, and within
/// one within one more so: the second group is what stands before the quote.
static FIELD: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"\\*"(?:[\w-]*(?:{TELLING})[\w-]*|{OF_HEADERS})\\*"\s*:\s*(\\*)""#)));

/// What stands behind a telling name in a query or an assignment, in a line of a header, as the next word of a command, and
/// before the host of a url. The last group of each is the secret.
static NAMED: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    let assigned = format!(r#"(\b[\w-]*(?:{TELLING})[\w-]*=)([^&\s"'#<>\\…]+)"#);
    let digest = r#"Digest\s(?:\w+=\\?"[^"\r\n]*"|[^\r\n"'}\\])+"#;
    let header = format!(r#"(\b(?:{OF_HEADERS})["']?\s*:\s*\\?["']?)({digest}|[^\r\n"'}}\\]+)"#);
    let url = r#"(\b(?:https?|wss?)://)([^/\s@"'?#]+)@"#;
    [pattern(&assigned), pattern(&header), option(), pattern(url)]
});

/// An option of a command with a telling name, and the next word, which is no option. The first group is the name of the
/// option, the others are the word.
fn option() -> Regex {
    pattern(&format!(
        r#"(?:^|[\s'"])--?([a-z][\w-]*(?:{TELLING})[\w-]*|(?:{TELLING})[\w-]*)\s+(?:'([^']+)'|"([^"]+)"|([^\s'"-][^\s'"]*))"#
    ))
}

/// Where secrets stand in a text, by the names before them: stretches of bytes. An expression is none; its value is.
pub(crate) fn named_in(text: &str) -> Vec<Range<usize>> {
    let fields = FIELD.captures_iter(text).filter_map(|found| {
        let start = found.get(0)?.end();
        let end = end_of_field(text.get(start..)?, found.get(1)?.len());
        Some(start..start + end)
    });
    let others = NAMED.iter().flat_map(|pattern| pattern.captures_iter(text)).filter_map(|found| {
        // Options of ours that take no value, or the name of a file.
        if found.get(1).is_some_and(|name| OURS.contains(&name.as_str())) {
            return None;
        }
        found.iter().skip(2).flatten().next().map(|secret| secret.range())
    });
    fields.chain(others).filter(|range| !range.is_empty() && !text[range.clone()].starts_with("${")).collect()
}

/// Options of sockrates with telling names that are followed by no secret.
const OURS: [&str; 1] = ["show-secrets"];

/// Where a text of JSON ends whose quotes have this many backslashes before them.
fn end_of_field(text: &str, backslashes: usize) -> usize {
    let mut run = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\\' => run += 1,
            // Each backslash of the text itself is written as twice as many as stand before a quote, and two.
            b'"' if run % (2 * backslashes + 2) != 2 * backslashes + 1 => return at - run.min(backslashes),
            _ => run = 0,
        }
    }
    text.len()
}

/// What stands behind a telling key in a line of a scenario: `auth: { token: abc }`.
static KEYED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(\b[\w-]*(?:{TELLING})[\w-]*["']?\s*:\s*)(?:'(?:[^']|'')+'|"(?:\\.|[^"\\])+"|["']?[^\s,}}"'\[{{$]+)"#
    ))
});

/// A telling key and the quote that begins its text, as a query of GraphQL or JSON within a text has them.
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"(?:{TELLING})[\w-]*\\*["']?\s*[:=]\s*\\*["'][^"'\\]"#)));

/// Whether a secret stands in a text, by the name before it.
pub(crate) fn says_secret(text: &str) -> bool {
    QUOTED.is_match(text)
}

/// Hides what stands behind a telling key in a line of a scenario.
pub(super) fn by_key_of_a_file(line: &str) -> Cow<'_, str> {
    KEYED.replace_all(line, format!("${{1}}{HIDDEN}"))
}
