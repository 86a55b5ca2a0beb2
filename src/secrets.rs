//! Secrets: what must not stand in any output, and the one place that takes it out.
//!
//! A value is known as a secret because of where it was given: in a header such as `Authorization`, in a query parameter
//! or a key of `auth` with a name such as `token`, in a url, by `--auth`. Known values are hidden wherever they turn up,
//! also when a server sends them back. What is not known, such as the token of a client among thousands, is hidden by the
//! name that stands before it. Uses nothing of sockrates; a cheap clone shares what is known.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Captures, Regex};
use serde_json::Value as Json;

/// Stands in the place of a secret.
pub const HIDDEN: &str = "[hidden]";

/// Shorter values are hidden by name only: they would turn up everywhere by chance.
const SHORTEST: usize = 6;

/// Not more bytes of values than this are remembered, so that a crowd with a token each, or a server with many cookies, costs
/// no memory without bound. It is enough for the first clients, whose frames are in the report.
const MOST: usize = 512 << 10;

/// Headers whose values are secrets.
const HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"];

/// A name with one of these in it is that of a secret, wherever it stands.
const TELLING: &str =
    "token|passw(?:or)?d|passphrase|secret|api[-_]?key|access[-_]?key|private[-_]?key|jwt|credential";

/// Names of secrets where nothing but what lets one in is expected: in a query and in `auth`.
const LETTING_IN: [&str; 10] =
    ["key", "pass", "pwd", "pin", "auth", "session", "sessionid", "session_id", "signature", "bearer"];

/// Secrets that are known. Without any, nothing is hidden but by name.
#[derive(Clone, Default)]
pub struct Secrets {
    /// None where the user wants to see them.
    known: Option<Arc<RwLock<Known>>>,
}

#[derive(Default)]
struct Known {
    values: HashSet<String>,
    /// Their length in all.
    bytes: usize,
    /// Finds them all, made when it is needed.
    finder: Option<Arc<Finder>>,
}

struct Finder {
    values: Vec<String>,
    search: AhoCorasick,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// Whether the value of this header is a secret.
pub fn is_secret_header(name: &str) -> bool {
    HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)) || is_telling(name)
}

/// Whether a value of this name is a secret wherever it stands.
pub fn is_telling(name: &str) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(TELLING));
    NAME.is_match(name)
}

/// Whether a query parameter or a key of `auth` with this name is a secret.
pub fn lets_in(name: &str) -> bool {
    is_telling(name) || LETTING_IN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a text of a scenario is an expression, ours or one of another tool. It is no secret; its value comes to be known
/// when it is worked out.
pub fn is_expression(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.contains("${") || text.contains("{{") || text.strip_prefix('$').is_some_and(is_name)
}

fn pattern(text: &str) -> Regex {
    Regex::new(&format!("(?i){text}")).expect("the patterns of this file are well-formed")
}

impl Secrets {
    /// They are hidden.
    pub fn hidden() -> Secrets {
        Secrets { known: Some(Arc::default()) }
    }

    /// They are shown, because the user wants it.
    pub fn shown() -> Secrets {
        Secrets { known: None }
    }

    /// Whether they are shown.
    pub fn are_shown(&self) -> bool {
        self.known.is_none()
    }

    /// The values of these options of a command line are secrets.
    pub fn note_options(&self, options: &[&str], arguments: impl Iterator<Item = String>) {
        let mut is_value = false;
        for argument in arguments {
            let whole = argument.split_once('=').filter(|(option, _)| options.contains(option));
            match whole {
                Some((_, value)) => self.note(value),
                None if is_value => self.note(&argument),
                None => {}
            }
            is_value = options.contains(&argument.as_str());
        }
    }

    /// All that are known, for another machine of the same run.
    pub fn values(&self) -> Vec<String> {
        let Some(known) = &self.known else { return Vec::new() };
        known.read().unwrap_or_else(PoisonError::into_inner).values.iter().cloned().collect()
    }

    /// This value is a secret.
    pub fn note(&self, value: &str) {
        let Some(known) = &self.known else { return };
        let value = value.trim();
        if value.chars().count() < SHORTEST {
            return;
        }
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        if known.values.contains(value) || known.bytes.saturating_add(value.len()) > MOST {
            return;
        }
        let escaped = Json::from(value).to_string();
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let spaced = encoded.replace('+', "%20");
        for spelling in [value, &escaped[1..escaped.len() - 1], &encoded, &spaced] {
            if known.values.insert(spelling.to_owned()) {
                known.bytes += spelling.len();
            }
        }
        known.finder = None;
    }

    /// Makes what stands before the host in a url known: `name:password` or a token.
    pub fn note_credentials(&self, credentials: &str) {
        self.note(credentials);
        self.note(credentials.split_once(':').map_or(credentials, |(_, password)| password));
    }

    /// The value of a header that a client sends or gets is a secret, if its name says so: the whole, what stands behind the
    /// scheme, and each cookie.
    pub fn note_header(&self, name: &str, value: &str) {
        if self.are_shown() || !is_secret_header(name) {
            return;
        }
        self.note(value);
        if let Some((_, behind)) = value.trim().split_once(' ') {
            self.note(behind);
        }
        if name.to_ascii_lowercase().ends_with("cookie") {
            let only_first = name.eq_ignore_ascii_case("set-cookie");
            let pairs = value.split(';').take(if only_first { 1 } else { usize::MAX });
            pairs.filter_map(|pair| pair.split_once('=')).for_each(|(_, value)| self.note(value));
        }
    }

    /// The value of a query parameter is a secret, if its name says so.
    pub fn note_parameter(&self, name: &str, value: &str) {
        if lets_in(name) {
            self.note(value);
        }
    }

    /// The texts of an `auth` are secrets: those whose names say so, or all.
    pub fn note_auth(&self, auth: &Json, all: bool) {
        match auth {
            Json::String(text) if all => self.note(text),
            Json::Array(items) => items.iter().for_each(|item| self.note_auth(item, all)),
            Json::Object(fields) => {
                fields.iter().for_each(|(name, value)| self.note_auth(value, all || lets_in(name)));
            }
            _ => {}
        }
    }

    /// What a command line for a shell sets in the environment of its command is a secret, if the name says so.
    pub fn note_command(&self, line: &str) {
        static SET: LazyLock<Regex> =
            LazyLock::new(|| pattern(&format!(r#"\b\w*(?:{TELLING})\w*=(?:'([^']*)'|"([^"]*)"|(\S+))"#)));
        for found in SET.captures_iter(line) {
            found.iter().skip(1).flatten().for_each(|value| self.note(value.as_str()));
        }
    }

    /// A text without them.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.are_shown() {
            return Cow::Borrowed(text);
        }
        let by_name = by_name(text);
        match self.without_values(&by_name) {
            Cow::Borrowed(_) => by_name,
            Cow::Owned(text) => Cow::Owned(text),
        }
    }

    /// A text without those that are known. For our own sentences, in which a name may stand before anything.
    pub fn without_values<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(finder) = self.finder() else { return Cow::Borrowed(text) };
        let mut out = String::new();
        let mut end = 0;
        for found in finder.search.find_iter(text) {
            if !stands_alone(text, found.start(), found.end()) {
                continue;
            }
            out.push_str(&text[end..found.start()]);
            out.push_str(HIDDEN);
            end = found.end();
        }
        out.push_str(&text[end..]);
        let cut = finder.without_beginnings(&out);
        if end == 0 && cut.is_none() { Cow::Borrowed(text) } else { Cow::Owned(cut.unwrap_or(out)) }
    }

    /// Takes them out of every text of a JSON value, but not out of its keys and not out of histograms. A text that is one of
    /// these words is left alone.
    pub fn redact_json(&self, value: &mut Json, but: &[String]) {
        self.redact_field("", value, but);
    }

    fn redact_field(&self, name: &str, value: &mut Json, but: &[String]) {
        match value {
            Json::String(_) if name == "histogram" => {}
            Json::String(text) if but.contains(text) => {}
            Json::String(text) => {
                let mut redacted = self.redact(text);
                if name == "source" && !self.are_shown() {
                    redacted = Cow::Owned(by_key_of_a_file(&redacted).into_owned());
                }
                if redacted != *text {
                    *text = redacted.into_owned();
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.redact_field(name, item, but)),
            Json::Object(fields) => {
                fields.iter_mut().for_each(|(name, value)| self.redact_field(name, value, but))
            }
            _ => {}
        }
    }

    fn finder(&self) -> Option<Arc<Finder>> {
        let known = self.known.as_ref()?;
        if let Some(finder) = &known.read().unwrap_or_else(PoisonError::into_inner).finder {
            return Some(finder.clone());
        }
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        if known.values.is_empty() {
            return None;
        }
        let mut values: Vec<String> = known.values.iter().cloned().collect();
        values.sort();
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&values).ok()?;
        let finder = Arc::new(Finder { values, search });
        known.finder = Some(finder.clone());
        Some(finder)
    }
}

impl Finder {
    /// Hides the beginning of a secret where a text was cut: at its end, or before an ellipsis.
    fn without_beginnings(&self, text: &str) -> Option<String> {
        let mut ends: Vec<usize> = text.match_indices('…').map(|(at, _)| at).collect();
        ends.push(text.len());
        let mut out: Option<String> = None;
        for end in ends.into_iter().rev() {
            if let Some(start) = self.beginning_before(&text[..end]) {
                out.get_or_insert_with(|| text.to_owned()).replace_range(start..end, HIDDEN);
            }
        }
        out
    }

    /// Where a text ends in the beginning of a secret: where that starts.
    fn beginning_before(&self, text: &str) -> Option<usize> {
        let longest = self.values.iter().map(String::len).max()?;
        let first = text.len().saturating_sub(longest);
        let starts = (first..text.len()).filter(|at| text.is_char_boundary(*at));
        starts.take_while(|at| text.len() - at >= SHORTEST).find(|at| {
            let tail = &text[*at..];
            let place = self.values.partition_point(|value| value.as_str() < tail);
            self.values.get(place).is_some_and(|value| value.starts_with(tail))
        })
    }
}

/// Whether what was found is a secret and not a part of a longer number.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let in_number = |c: char| c.is_ascii_alphanumeric() || c == '.';
    !is_number(&text[start..end])
        || !(text[..start].ends_with(in_number) || text[end..].starts_with(in_number))
}

/// What stands behind a telling name: in JSON (also within a text of JSON), in a query or an assignment, in a line of a
/// header, and before the host of a url. The second group of each is the secret.
static NAMED: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    let json = format!(r#"(\\?"[\w-]*(?:{TELLING})[\w-]*\\?"\s*:\s*\\?")((?:\\[^"]|[^"\\])+)"#);
    let assigned = format!(r#"(\b[\w-]*(?:{TELLING})[\w-]*=)([^&\s"'#<>\\…]+)"#);
    let header = r#"(\b(?:(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)["']?\s*:\s*\\?["']?)([^\r\n"'}\\]+)"#;
    let url = r#"(\b(?:https?|wss?)://)([^/\s@"'?#]+)@"#;
    [pattern(&json), pattern(&assigned), pattern(header), pattern(url)]
});

/// Where secrets stand in a line of a scenario, by the names before them: stretches of bytes.
pub fn named_in(text: &str) -> Vec<Range<usize>> {
    let secrets =
        NAMED.iter().flat_map(|pattern| pattern.captures_iter(text)).filter_map(|found| found.get(2));
    secrets.filter(|secret| !secret.as_str().starts_with("${")).map(|secret| secret.range()).collect()
}

/// Takes out what stands behind a telling name.
fn by_name(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    for (index, pattern) in NAMED.iter().enumerate() {
        let at = if index == 3 { "@" } else { "" };
        let hide = |found: &Captures<'_>| match &found[2] {
            // An expression is no secret; its value is.
            value if value.starts_with("${") || value == HIDDEN => found[0].to_owned(),
            _ => format!("{}{HIDDEN}{at}", &found[1]),
        };
        if let Cow::Owned(changed) = pattern.replace_all(&out, hide) {
            out = Cow::Owned(changed);
        }
    }
    out
}

/// What stands behind a telling key in a line of a scenario: `auth: { token: abc }`.
static KEYED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r#"(\b[\w-]*(?:{TELLING})[\w-]*["']?\s*:\s*["']?)([^\s,}}"'\[{{$]+)"#))
});

/// The same in a line of a scenario.
fn by_key_of_a_file(line: &str) -> Cow<'_, str> {
    KEYED.replace_all(line, format!("${{1}}{HIDDEN}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_known_is_hidden_in_every_spelling() {
        let secrets = Secrets::hidden();
        secrets.note_header("authorization", "Bearer a\"b c/d");
        for text in
            ["Bearer a\"b c/d", "x a\"b c/d", r#"{"z":"a\"b c/d"}"#, "?z=a%22b%20c%2Fd", "?z=a%22b+c%2Fd"]
        {
            let redacted = secrets.redact(text).into_owned();
            assert!(
                redacted.contains(HIDDEN) && !redacted.contains("c/d") && !redacted.contains("c%2Fd"),
                "{redacted}"
            );
        }
        assert_eq!(secrets.redact("nothing here"), "nothing here");
    }

    #[test]
    fn what_is_not_known_is_hidden_by_its_name() {
        let secrets = Secrets::hidden();
        for (text, redacted) in [
            (r#"40{"token":"x","room":"den"}"#, r#"40{"token":"[hidden]","room":"den"}"#),
            (r#""{\"userPassword\": \"x\"}""#, r#""{\"userPassword\": \"[hidden]\"}""#),
            ("GET /?a=1&access_token=x&b=2", "GET /?a=1&access_token=[hidden]&b=2"),
            ("http://ann:x@h/y", "http://[hidden]@h/y"),
            ("--header 'Authorization: Bearer x' --seed 7", "--header 'Authorization: [hidden]' --seed 7"),
            ("Set-Cookie: a=b; Path=/", "Set-Cookie: [hidden]"),
            ("{ headers: { Cookie: a=b } }", "{ headers: { Cookie: [hidden]} }"),
            ("{\"token\":\"${row.token}\"}", "{\"token\":\"${row.token}\"}"),
            ("the token is refused, and so is its key: no", "the token is refused, and so is its key: no"),
        ] {
            let once = secrets.redact(text).into_owned();
            assert_eq!(once, redacted, "{text}");
            assert_eq!(secrets.redact(&once), once, "twice is as once");
        }
        assert_eq!(Secrets::shown().redact("token=x"), "token=x");
    }

    #[test]
    fn a_number_is_hidden_alone_and_not_within_another() {
        let secrets = Secrets::hidden();
        secrets.note("123456");
        assert_eq!(secrets.redact("pin 123456, 0123456 and 123456.7"), "pin [hidden], 0123456 and 123456.7");
    }

    #[test]
    fn the_beginning_of_a_secret_is_hidden_where_a_text_was_cut() {
        let secrets = Secrets::hidden();
        secrets.note("correct horse battery");
        assert_eq!(secrets.redact("sent correct hor… (90 bytes)"), "sent [hidden]… (90 bytes)");
        assert_eq!(secrets.redact("sent correct hor"), "sent [hidden]");
        assert_eq!(secrets.redact("sent corr"), "sent corr", "too little to tell");
    }

    #[test]
    fn lines_of_a_scenario_are_hidden_by_key_and_keys_and_histograms_stay() {
        let secrets = Secrets::hidden();
        secrets.note("connect");
        let mut value = serde_json::json!({
            "connect": "may connect", "histogram": "connect", "source": "- a: { connect: { auth: { token: x } } }",
        });
        secrets.redact_json(&mut value, &[]);
        let wanted = serde_json::json!({
            "connect": "may [hidden]", "histogram": "connect",
            "source": "- a: { [hidden]: { auth: { token: [hidden] } } }",
        });
        assert_eq!(value, wanted);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let secrets = Secrets::hidden();
        (0..3_000)
            .for_each(|number| secrets.note_header("set-cookie", &format!("a={number:0>1000}x; Path=/")));
        let bytes = secrets.known.as_ref().map(|known| known.read().expect("nobody panicked").bytes);
        assert!(bytes.is_some_and(|bytes| (MOST / 2..MOST * 4).contains(&bytes)), "{bytes:?}");
        assert_eq!(secrets.redact(&format!("{:0>1000}x", 7)), HIDDEN);
    }

    proptest! {
        #[test]
        fn no_known_secret_survives(secret in "[A-Za-z0-9_/+=.-]{8,40}", before in ".{0,20}", after in ".{0,20}") {
            let secrets = Secrets::hidden();
            secrets.note(&secret);
            let text = format!("{before}{secret}{after}");
            let is_number = secret.bytes().all(|byte| byte.is_ascii_digit());
            prop_assume!(!is_number);
            prop_assert!(!secrets.redact(&text).contains(&secret));
        }
    }
}
