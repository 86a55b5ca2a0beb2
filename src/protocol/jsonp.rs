//! JSONP: polls that bring JavaScript, and posts that are forms, for pages that cannot use another origin otherwise.
//!
//! Specification: Engine.IO protocol v3, "JSONP"; servers of Engine.IO 4 speak it as engine.io does
//! (`lib/transports/polling-jsonp.ts`). The parameter `j` of the query asks for it and numbers the function to call.

use super::Rule;
use super::violation::{Violation, excerpt_bytes};

/// What a post is.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// What every call begins with.
const FUNCTION: &str = "___eio[";

/// The digits of the parameter `j` in an encoded query. None if the query does not ask for JSONP.
pub fn asked_by(query: &str) -> Option<String> {
    let (_, j) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "j")?;
    Some(j.chars().filter(char::is_ascii_digit).collect())
}

/// The payload with which the body of a poll calls the function of this number.
///
/// # Errors
/// When the body is anything but that call.
pub fn payload_of(body: &[u8], j: &str) -> Result<String, Violation> {
    let wrong = || Violation::new(Rule::Jsonp, format!("{} came for the number {j:?}", excerpt_bytes(body)));
    let text = std::str::from_utf8(body).map_err(|_| wrong())?;
    let call = text.strip_prefix(FUNCTION).and_then(|rest| rest.strip_prefix(j)?.strip_prefix("]("));
    let (payload, rest) = call.and_then(|call| literal(call.trim_start())).ok_or_else(wrong)?;
    let end = rest.trim_start().strip_prefix(')').map(str::trim).ok_or_else(wrong)?;
    if end.is_empty() || end == ";" { Ok(payload) } else { Err(wrong()) }
}

/// The string literal of JavaScript that a text begins with, and what stands behind it (ECMA-262, 12.9.4).
fn literal(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let mut value = Units::default();
    let mut rest = text[1..].chars();
    loop {
        match rest.next()? {
            letter if letter == quote => return Some((value.end(), rest.as_str())),
            '\n' | '\r' => return None,
            '\\' => match rest.next()? {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                'b' => value.push('\u{8}'),
                'f' => value.push('\u{c}'),
                'v' => value.push('\u{b}'),
                '0' => value.push('\0'),
                'x' => value.unit(hexadecimal(&mut rest, 2)?),
                'u' => match rest.as_str().strip_prefix('{') {
                    Some(behind) => {
                        let (digits, behind) = behind.split_once('}')?;
                        value.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                        rest = behind.chars();
                    }
                    None => value.unit(hexadecimal(&mut rest, 4)?),
                },
                '\n' | '\u{2028}' | '\u{2029}' => {}
                '\r' => rest = rest.as_str().strip_prefix('\n').unwrap_or(rest.as_str()).chars(),
                other => value.push(other),
            },
            letter => value.push(letter),
        }
    }
}

fn hexadecimal(rest: &mut std::str::Chars<'_>, count: usize) -> Option<u16> {
    let digits = rest.as_str().get(..count).filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()))?;
    *rest = rest.as_str()[count..].chars();
    u16::from_str_radix(digits, 16).ok()
}

/// Text that is put together from characters and from halves of surrogate pairs.
#[derive(Default)]
struct Units {
    text: String,
    high: Option<u16>,
}

impl Units {
    fn push(&mut self, letter: char) {
        self.lone();
        self.text.push(letter);
    }

    fn unit(&mut self, unit: u16) {
        match (self.high, unit) {
            (_, 0xD800..=0xDBFF) => {
                self.lone();
                self.high = Some(unit);
            }
            (Some(high), 0xDC00..=0xDFFF) => {
                self.high = None;
                self.text.extend(char::decode_utf16([high, unit]).map(|letter| letter.unwrap_or(LONE)));
            }
            _ => self.push(char::from_u32(unit.into()).unwrap_or(LONE)),
        }
    }

    fn lone(&mut self) {
        if self.high.take().is_some() {
            self.text.push(LONE);
        }
    }

    fn end(mut self) -> String {
        self.lone();
        self.text
    }
}

/// Half of a surrogate pair, as UTF-8 shows it.
const LONE: char = char::REPLACEMENT_CHARACTER;

/// The form that posts a payload. A newline is a backslash and `n` in it, and a backslash before an `n` is doubled, because
/// browsers change newlines in forms.
pub fn form_of(payload: &str) -> String {
    let escaped = payload.replace("\\n", "\\\\n").replace('\n', "\\n");
    url::form_urlencoded::Serializer::new(String::new()).append_pair("d", &escaped).finish()
}

/// The payload in the form that a page posts, as engine.io reads it. None where the form has none.
pub fn payload_of_form(form: &[u8]) -> Option<String> {
    let (_, escaped) = url::form_urlencoded::parse(form).find(|(name, _)| name == "d")?;
    let mut payload = String::with_capacity(escaped.len());
    let mut rest = &*escaped;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        payload.push_str(before);
        let (text, length) = match escape {
            _ if escape.starts_with("\\\\n") => ("\\n", 3),
            _ if escape.starts_with("\\n") => ("\n", 2),
            _ => ("\\", 1),
        };
        payload.push_str(text);
        rest = &escape[length..];
    }
    Some(payload + rest)
}

#[cfg(test)]
mod tests;
