//! JSON on its way to the parser, so that no text in it takes memory without bound: of a text that is too long, the rest is
//! left out. The parser holds each text as a whole, and one byte for each level of nesting.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// The deepest nesting that is read.
const DEEPEST: usize = 1_000;

/// See the module's head.
pub(super) struct Bounded<R> {
    inner: R,
    /// The most bytes of a text, as it is written.
    longest: usize,
    depth: usize,
    place: Place,
    /// Whether a text was cut.
    is_cut: Rc<Cell<bool>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// In a text: so many bytes of it have passed, and whether the last is the first half of an escaped character.
    Text(usize, bool),
    /// Behind a backslash.
    Escape(usize),
    /// So many digits of an escaped character are to come, and whether it may be the first half of one.
    Digits(usize, u8, bool),
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(inner: R, longest: usize) -> (Bounded<R>, Rc<Cell<bool>>) {
        let is_cut = Rc::new(Cell::new(false));
        (Bounded { inner, longest, depth: 0, place: Place::Outside, is_cut: is_cut.clone() }, is_cut)
    }

    /// Whether this byte is passed on.
    fn passes(&mut self, byte: u8) -> io::Result<bool> {
        let (place, length) = match self.place {
            Place::Outside => {
                match byte {
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if self.depth > DEEPEST {
                    let why = format!("it is nested deeper than {DEEPEST} levels");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                self.place = if byte == b'"' { Place::Text(0, false) } else { Place::Outside };
                return Ok(true);
            }
            Place::Text(..) if byte == b'"' => (Place::Outside, 0),
            Place::Text(length, is_half) => {
                // A text is cut between two characters.
                let is_between = byte & 0xc0 != 0x80 && !is_half;
                let length = if length < self.longest || !is_between { length } else { usize::MAX };
                (if byte == b'\\' { Place::Escape(length) } else { Place::Text(length, false) }, length)
            }
            Place::Escape(length) if byte == b'u' => (Place::Digits(length, 4, true), length),
            Place::Escape(length) => (Place::Text(length, false), length),
            Place::Digits(length, left, is_half) => {
                // The first half of a character beyond the 65,536 is written as D800 to DBFF.
                let is_half = is_half
                    && match left {
                        4 => matches!(byte, b'd' | b'D'),
                        3 => matches!(byte, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
                        _ => true,
                    };
                let goes_on = Place::Digits(length, left - 1, is_half);
                (if left == 1 { Place::Text(length, is_half) } else { goes_on }, length)
            }
        };
        // From where a text is cut, its length is the greatest that there is.
        let passes = length < usize::MAX;
        self.place = match place {
            Place::Text(length, is_half) => Place::Text(length.saturating_add(1), is_half),
            Place::Escape(length) => Place::Escape(length.saturating_add(1)),
            Place::Digits(length, left, is_half) => Place::Digits(length.saturating_add(1), left, is_half),
            place => place,
        };
        self.is_cut.set(self.is_cut.get() || !passes);
        Ok(passes)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            let mut kept = 0;
            for place in 0..read {
                if self.passes(buffer[place])? {
                    buffer[kept] = buffer[place];
                    kept += 1;
                }
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn through(text: &[u8], longest: usize) -> (io::Result<String>, bool) {
        let (mut bounded, is_cut) = Bounded::new(text, longest);
        let mut out = String::new();
        (bounded.read_to_string(&mut out).map(|_| out), is_cut.get())
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_and_the_others_stay() {
        let (out, is_cut) = through(br#"{"a":["0123456789","\\\"x"],"b":"01234"}"#, 6);
        assert_eq!(
            (out.expect("it can be read").as_str(), is_cut),
            (r#"{"a":["012345","\\\"x"],"b":"01234"}"#, true)
        );
        assert!(!through(br#"["0123456789"]"#, 10).1);
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let (out, _) = through(&[b'['; 2_000], 10);
        assert!(out.expect_err("it is too deep").to_string().contains("nested deeper than 1000 levels"));
        assert!(through(format!("[\"{}\"]", "[".repeat(2_000)).as_bytes(), 10).0.is_ok());
    }

    proptest! {
        #[test]
        fn what_is_cut_is_still_json_and_each_text_the_beginning_of_what_it_was(
            texts in prop::collection::vec("([a-z\"\\\\é€😀]|\n){0,40}", 1..5), longest in 1usize..30, escapes: bool,
        ) {
            let mut json = serde_json::to_string(&texts).expect("it can be written");
            if escapes {
                json = json.chars().map(|c| match c.is_ascii() {
                    true => c.to_string(),
                    false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
                }).collect();
            }
            let (out, _) = through(json.as_bytes(), longest);
            let read: Value = serde_json::from_str(&out.expect("it is text")).expect("it is JSON");
            for (whole, cut) in texts.iter().zip(read.as_array().expect("it is a list")) {
                prop_assert!(whole.starts_with(cut.as_str().expect("it is a text")));
            }
        }
    }
}
