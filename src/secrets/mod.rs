//! Secrets: what must not stand in any output, and the one place that takes it out.
//!
//! A value is known as a secret because of where it was given: in a header such as `Authorization`, in a query parameter
//! or a key of `auth` with a name such as `token`, in a url, by `--auth`. Known values are hidden wherever they turn up,
//! also when a server sends them back. What is not known, such as the token of a client among thousands, is hidden by the
//! name that stands before it. Uses nothing of sockrates; a cheap clone shares what is known.

mod names;
mod spelling;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use serde_json::Value as Json;

use names::by_key_of_a_file;
pub(crate) use names::{named_in, says_secret};
use spelling::Spelling;

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
const TELLING: &str = "token|passw(?:or)?d|passphrase|secret|api[-_]?key|access[-_]?key|private[-_]?key|jwt|credential|csrf|xsrf";

/// Names of secrets where nothing but what lets one in is expected: in a query and in `auth`.
const LETTING_IN: [&str; 12] = [
    "key",
    "pass",
    "pwd",
    "pin",
    "otp",
    "auth",
    "session",
    "sessionid",
    "session_id",
    "signature",
    "sig",
    "bearer",
];

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
    /// The length of the longest.
    longest: usize,
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
        // Any other spelling is read when it is met; these hold also where a value looks as if it were escaped.
        let plus = value.replace(' ', "+");
        for spelling in [value, &escaped[1..escaped.len() - 1], &encoded, &spaced, &plus] {
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

    /// The value of a header that a client sends or gets is a secret, if its name says so: the whole, or what stands behind the
    /// scheme, or each cookie. The name of a scheme or a cookie is none: `connect.sid` begins like other words.
    pub fn note_header(&self, name: &str, value: &str) {
        if self.are_shown() || !is_secret_header(name) {
            return;
        }
        let name = name.to_ascii_lowercase();
        if name.ends_with("cookie") {
            let pairs = value.split(';').take(if name == "set-cookie" { 1 } else { usize::MAX });
            return pairs.for_each(|pair| self.note(pair.split_once('=').map_or(pair, |(_, value)| value)));
        }
        let is_scheme = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
        match value.trim().split_once(' ') {
            Some((scheme, behind)) if name.ends_with("authorization") && is_scheme(scheme) => {
                self.note(behind)
            }
            Some((_, behind)) => {
                self.note(value);
                self.note(behind);
            }
            None => self.note(value),
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

    /// What a command line for a shell sets in the environment of its command, or gives it as an option, is a secret if the
    /// name says so.
    pub fn note_command(&self, line: &str) {
        static SET: LazyLock<Regex> = LazyLock::new(|| {
            pattern(&format!(r#"\b[\w-]*(?:{TELLING})[\w-]*=(?:'([^']*)'|"([^"]*)"|(\S+))"#))
        });
        for found in SET.captures_iter(line) {
            found.iter().skip(1).flatten().for_each(|value| self.note(value.as_str()));
        }
        named_in(line).into_iter().for_each(|range| self.note(&line[range]));
    }

    /// What of a url is secret: name and password, and parameters of its query. A url that is wrong may hold them, too.
    pub fn note_url(&self, text: &str) {
        let behind = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = behind.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((credentials, _)) = host.rsplit_once('@') {
            self.note_credentials(credentials);
        }
        // The parameters are also read as they are written: the fragment begins at a `#` that was meant to be one of them.
        let query = behind.split_once('?').map_or("", |(_, query)| query);
        for text in [query, query.split('#').next().unwrap_or_default()] {
            for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
                self.note_parameter(&name, &value);
            }
        }
    }

    /// A text without them.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.are_shown() {
            return Cow::Borrowed(text);
        }
        self.without(text, named_in(text))
    }

    /// A text without those that are known. For our own sentences, in which a name may stand before anything.
    pub fn without_values<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.without(text, Vec::new())
    }

    /// A text without these stretches of it and without the values that are known.
    fn without<'t>(&self, text: &'t str, mut secrets: Vec<Range<usize>>) -> Cow<'t, str> {
        if let Some(finder) = self.finder() {
            secrets.extend(finder.all_in(text));
        }
        if secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        secrets.sort_by_key(|range| range.start);
        let mut out = String::new();
        let mut end = 0;
        for range in secrets {
            if out.is_empty() || range.start > end {
                out.push_str(&text[end..range.start]);
                out.push_str(HIDDEN);
            }
            end = end.max(range.end);
        }
        out.push_str(&text[end..]);
        Cow::Owned(out)
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
        let longest = values.iter().map(String::len).max()?;
        let finder = Arc::new(Finder { values, longest, search });
        known.finder = Some(finder.clone());
        Some(finder)
    }
}

impl Finder {
    /// Where they stand in a text, in whatever spelling, in whole or cut.
    fn all_in(&self, text: &str) -> Vec<Range<usize>> {
        let found = Spelling::all(text).into_iter().flat_map(|spelling| {
            let whole = self.search.find_iter(&spelling.bytes).map(|found| found.range());
            let whole = whole.filter(|range| stands_alone(&spelling.bytes, range));
            let found: Vec<_> = whole.chain(self.beginnings(&spelling.bytes)).collect();
            found.into_iter().filter_map(move |range| spelling.written(range)).collect::<Vec<_>>()
        });
        found.map(|range| text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end)).collect()
    }

    /// The beginnings of secrets where a text was cut: at its end, or before an ellipsis.
    fn beginnings(&self, text: &[u8]) -> Vec<Range<usize>> {
        let ellipsis = "…".as_bytes();
        let cut = text.windows(ellipsis.len()).enumerate().filter(|(_, bytes)| *bytes == ellipsis);
        let ends = cut.map(|(at, _)| at).chain([text.len()]);
        ends.filter_map(|end| Some(self.beginning_before(&text[..end])?..end)).collect()
    }

    /// Where a text ends in the beginning of a secret: where that starts.
    fn beginning_before(&self, text: &[u8]) -> Option<usize> {
        let first = text.len().saturating_sub(self.longest);
        (first..text.len()).take_while(|at| text.len() - at >= SHORTEST).find(|at| {
            let tail = &text[*at..];
            let place = self.values.partition_point(|value| value.as_bytes() < tail);
            self.values.get(place).is_some_and(|value| value.as_bytes().starts_with(tail))
        })
    }
}

/// Whether what was found is a secret and not a part of a longer number.
fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    let in_number = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
    !text[range.clone()].iter().all(u8::is_ascii_digit)
        || !(text[..range.start].last().is_some_and(in_number) || text.get(range.end).is_some_and(in_number))
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
    fn the_name_of_a_cookie_or_of_a_scheme_is_no_secret() {
        let secrets = Secrets::hidden();
        secrets.note_header("Cookie", "connect.sid=s3cr3t-one; theme=s3cr3t-two; s3cr3t-three");
        secrets.note_header("Set-Cookie", "session=s3cr3t-four; Path=/application");
        secrets.note_header("Authorization", "Bearer s3cr3t-five");
        secrets.note_header("Proxy-Authorization", "s3cr3t six");
        for text in ["connect", "connect.sid", "it has a session", "/application", "the word Bearer", "theme"]
        {
            assert_eq!(secrets.redact(text), text);
        }
        for number in ["one", "two", "three", "four", "five"] {
            assert_eq!(secrets.redact(&format!("a s3cr3t-{number} b")), format!("a {HIDDEN} b"));
        }
        assert_eq!(secrets.redact("a s3cr3t six b"), format!("a {HIDDEN} b"));
    }

    /// A text as a program may write it, within whatever it writes.
    fn spellings(secret: &str) -> Vec<String> {
        let json = |text: &str| Json::from(text).to_string();
        let ascii = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
        let html = |text: &str| {
            text.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;").replace('<', "&lt;")
        };
        let url = |text: &str| {
            percent_encoding::percent_encode(text.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let field = format!("{{\"password\":{}}}", json(secret));
        vec![
            json(secret),
            json(&json(secret)),
            json(&json(&json(secret))),
            format!("\"{}\"", ascii(secret)),
            html(secret),
            html(&json(secret)),
            url(secret),
            url(&json(secret)),
            format!("{secret:?}"),
            json(&html(secret)),
            field.clone(),
            json(&field),
            json(&json(&field)),
            url(&field),
            format!("Authorization: {}", json(secret)),
            format!("?token={}&a=b", url(secret)),
            format!("?token={secret}"),
            format!("password: '{secret}'"),
        ]
    }

    #[test]
    fn what_is_known_is_hidden_whatever_was_escaped_in_it() {
        let secrets = Secrets::hidden();
        for secret in [
            "correct\"HorseBattery",
            "C:\\new\\Horse",
            "b&d'p<Horse",
            "Ärger🔑Horse",
            "two\nlines of\tHorse",
            "100%41\"Horse",
        ] {
            secrets.note(secret);
            for text in spellings(secret) {
                let redacted = secrets.redact(&text);
                let rest = redacted.replace(HIDDEN, "");
                assert!(
                    !rest.to_lowercase().contains("horse") && rest.len() < text.len(),
                    "{text}: {redacted}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_known_is_hidden_to_its_end_behind_the_name_of_a_field() {
        let secrets = Secrets::hidden();
        for secret in ["correct\"HorseBattery", "ends in \\", "\"", "\\\"Horse\\\\", "abc="] {
            let field = serde_json::json!({ "password": secret, "room": "den" }).to_string();
            let wanted = r#"{"password":"[hidden]","room":"den"}"#;
            let (mut text, mut wanted) = (field, wanted.to_owned());
            for _ in 0..4 {
                assert_eq!(secrets.redact(&text), wanted);
                (text, wanted) = (Json::from(text).to_string(), Json::from(wanted).to_string());
            }
        }
    }

    #[test]
    fn what_is_not_known_is_hidden_by_its_name() {
        let secrets = Secrets::hidden();
        for (text, redacted) in [
            (r#"40{"token":"x","room":"den"}"#, r#"40{"token":"[hidden]","room":"den"}"#),
            (r#""{\"userPassword\": \"x\"}""#, r#""{\"userPassword\": \"[hidden]\"}""#),
            ("GET /?a=1&access_token=x&b=2", "GET /?a=1&access_token=[hidden]&b=2"),
            (r#"{"csrf":"x","user":"ann"}"#, r#"{"csrf":"[hidden]","user":"ann"}"#),
            ("http://ann:x@h/y", "http://[hidden]@h/y"),
            ("--header 'Authorization: Bearer x' --seed 7", "--header 'Authorization: [hidden]' --seed 7"),
            ("Set-Cookie: a=b; Path=/", "Set-Cookie: [hidden]"),
            ("{ headers: { Cookie: a=b } }", "{ headers: { Cookie: [hidden]} }"),
            ("Authorization: Digest username=\"bob\", response=\"x\"", "Authorization: [hidden]"),
            (r#"{"authorization":"Digest u=\"bob\", response=\"x\""}"#, r#"{"authorization":"[hidden]"}"#),
            (
                "--server 'node g.js --password x --token=y -api-key \"z z\" --a b'",
                "--server 'node g.js --password [hidden] --token=[hidden] -api-key \"[hidden]\" --a b'",
            ),
            ("--token --secret 'x y' --show-secrets z", "--token --secret '[hidden]' --show-secrets z"),
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
    fn what_a_command_gets_and_what_a_url_holds_comes_to_be_known() {
        let secrets = Secrets::hidden();
        secrets.note_command(
            "KEY_SECRET='first one' node gw.js --password second --api-key \"third one\" --token=fourth",
        );
        for url in [
            "http://localhost:port/?token=the-fifth",
            "http:///?a=b&api_key=the%20sixth#x",
            "ho st/?jwt=the-seventh",
            "ws://u:the-eighth@h",
        ] {
            secrets.note_url(url);
        }
        for secret in [
            "first one",
            "second",
            "third one",
            "fourth",
            "the-fifth",
            "the sixth",
            "the-seventh",
            "the-eighth",
        ] {
            assert_eq!(secrets.without_values(&format!("- {secret} -")), "- [hidden] -");
        }
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
