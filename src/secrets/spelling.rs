//! A text as it was before somebody escaped it, so that a secret is found in whatever spelling it comes back: as a text of
//! JSON or of code (`\"`, `\u00e4`), in HTML (`&quot;`), in a url (`%22`), and in one of them within another.

use std::ops::Range;

/// A text of JSON within one within one is not written further than this.
const DEEPEST: usize = 5;

/// The longest of the entities that are read, such as `&#x1f511;`.
const LONGEST_ENTITY: usize = 12;

/// Bytes, and from where to where in the text each of them is written.
pub(super) struct Spelling {
    pub bytes: Vec<u8>,
    places: Vec<(usize, usize)>,
}

impl Spelling {
    /// The text itself, and with more and more layers of escapes off: those of one kind alone, because what is in them may
    /// look like another escape and be none, and those of every kind.
    pub(super) fn all(text: &str) -> Vec<Spelling> {
        let places = (0..text.len()).map(|at| (at, at + 1)).collect();
        let mut all = vec![Spelling { bytes: text.as_bytes().to_vec(), places }];
        for escapes in [&b"\\"[..], b"%", b"&", b"\\&", b"\\%&"] {
            let mut next = all.first().and_then(|text| text.decoded(escapes));
            for _ in 0..DEEPEST {
                let Some(spelling) = next else { break };
                next = spelling.decoded(escapes);
                all.push(spelling);
            }
        }
        all
    }

    /// Where in the text these bytes are written.
    pub(super) fn written(&self, range: Range<usize>) -> Option<Range<usize>> {
        let last = range.end.checked_sub(1)?;
        Some(self.places.get(range.start)?.0..self.places.get(last)?.1)
    }

    /// Without the outermost layer of the escapes that begin with these bytes, if there is any.
    fn decoded(&self, escapes: &[u8]) -> Option<Spelling> {
        if !self.bytes.iter().any(|byte| escapes.contains(byte)) {
            return None;
        }
        let mut next = Spelling { bytes: Vec::new(), places: Vec::new() };
        let (mut at, mut has_changed) = (0, false);
        while let Some(byte) = self.bytes.get(at) {
            let rest = &self.bytes[at..];
            let read = match byte {
                byte if !escapes.contains(byte) => None,
                b'\\' => of_code(rest),
                b'%' => of_url(rest),
                b'&' => of_html(rest),
                _ => None,
            };
            has_changed |= read.is_some();
            let (bytes, length) = read.unwrap_or_else(|| (vec![*byte], 1));
            let place = self.written(at..at + length)?;
            next.places.extend(bytes.iter().map(|_| (place.start, place.end)));
            next.bytes.extend(bytes);
            at += length;
        }
        has_changed.then_some(next)
    }
}

/// What an escape stands for, and its length.
type Read = Option<(Vec<u8>, usize)>;

fn of_code(text: &[u8]) -> Read {
    let short = |byte: u8| Some((vec![byte], 2));
    match text.get(1)? {
        b'n' => short(b'\n'),
        b'r' => short(b'\r'),
        b't' => short(b'\t'),
        b'b' => short(8),
        b'f' => short(12),
        b'x' => Some((character(number(text.get(2..4)?)?)?, 4)),
        b'u' if text.get(2) == Some(&b'{') => {
            let end = text.iter().take(LONGEST_ENTITY).position(|byte| *byte == b'}')?;
            Some((character(number(text.get(3..end)?)?)?, end + 1))
        }
        b'u' => match number(text.get(2..6)?)? {
            high @ 0xd800..0xdc00 => {
                let low = number(text.get(6..12)?.strip_prefix(b"\\u")?)?.checked_sub(0xdc00)?;
                Some((character(0x10000 + ((high - 0xd800) << 10) + low)?, 12))
            }
            code => Some((character(code)?, 6)),
        },
        byte @ (b'"' | b'\\' | b'/' | b'\'' | b'`') => short(*byte),
        _ => None,
    }
}

fn of_url(text: &[u8]) -> Read {
    let code = number(text.get(1..3)?)?;
    Some((vec![u8::try_from(code).ok()?], 3))
}

fn of_html(text: &[u8]) -> Read {
    let end = text.iter().take(LONGEST_ENTITY).position(|byte| *byte == b';')?;
    let bytes = match text.get(1..end)? {
        b"quot" => vec![b'"'],
        b"apos" => vec![b'\''],
        b"amp" => vec![b'&'],
        b"lt" => vec![b'<'],
        b"gt" => vec![b'>'],
        [b'#', b'x' | b'X', code @ ..] => character(number(code)?)?,
        [b'#', code @ ..] => character(std::str::from_utf8(code).ok()?.parse().ok()?)?,
        _ => return None,
    };
    Some((bytes, end + 1))
}

fn number(hexadecimal: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(hexadecimal).ok()?;
    u32::from_str_radix(text, 16).ok()
}

fn character(code: u32) -> Option<Vec<u8>> {
    char::from_u32(code).map(|c| c.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn without_escapes(text: &str) -> String {
        let last = Spelling::all(text).pop().expect("there is the text itself");
        String::from_utf8_lossy(&last.bytes).into_owned()
    }

    #[test]
    fn every_escape_is_read() {
        for (text, wanted) in [
            (r#"a\"b\\c\/d\ne"#, "a\"b\\c/d\ne"),
            (r"\u00e4\u{1f511}\ud83d\udd11\xe4", "ä🔑🔑ä"),
            ("&quot;&#39;&#x27;&lt;&gt;&amp;", "\"''<>&"),
            ("%C3%A4%22%2b", "ä\"+"),
            (r#"{\\\"a\\\":\\\"b%5C%22\\\"}"#, r#"{"a":"b""}"#),
            (r"\u12 \ud83d \q %g1 &none; \", r"\u12 \ud83d \q %g1 &none; \"),
        ] {
            assert_eq!(without_escapes(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_every_byte_has_a_place_in_it(text in r#"([\\%&#xu{};"0-9a-fä]|amp;|\\u00){0,40}"#) {
            for spelling in Spelling::all(&text) {
                for at in 0..spelling.bytes.len() {
                    let place = spelling.written(at..at + 1).expect("it has a place");
                    prop_assert!(place.start < place.end && place.end <= text.len());
                }
            }
        }
    }
}
