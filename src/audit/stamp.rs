//! The stamp that a message carries, so that each receipt can be told from every other. Only this file knows its format.
//!
//! A short ASCII token of fixed length inside the payload: run, sender, sequence number and due time. A server
//! may put it wherever it likes; the receiver finds it by substring search, without parsing JSON.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem;

use super::events::Key;

/// How a stamp begins, by which the messages of this program are told apart. `~` needs no escape in JSON or in a URL.
pub const MARK: &str = "~sk";

/// The length of a stamp in bytes.
pub const LENGTH: usize = 32;

/// What stands in an encoded message where its stamp will be; as long as a stamp.
pub const EMPTY: &str = "~sk----.-----.-------.---------~";

/// The greatest number of a label: it has to fit into one digit, and the last one is that of markers.
pub const LAST_LABEL: u8 = 34;

/// What stands in the place of a label where no message is meant, but what marks the end of those before.
pub const MARKER: u8 = 35;

/// The search for a stamp, made ready once: every message that arrives is searched.
static SEARCH: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(MARK));

/// Who sent a message, which one it is, and when it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// A number of the run, so that leftovers of an earlier run are not taken for ours.
    pub run: u16,
    /// Which message: the sender's index, below 36⁵ (60 million), and its own count of messages, below 36⁷.
    pub key: Key,
    /// When it was due, since the start of the run, in microseconds, below 36⁸ (32 days).
    pub due: Duration,
    /// The number of the label of the step that sent it, at most [`LAST_LABEL`].
    pub label: u8,
    /// Whether the audit is to look who receives it.
    pub is_audited: bool,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; LENGTH];
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Stamp {
    /// Writes the stamp over every place of a text where an empty one stands. False where none does.
    pub fn put(&self, text: &mut String) -> bool {
        let mut bytes = std::mem::take(text).into_bytes();
        let is_put = self.put_into(&mut bytes);
        // Whole ASCII characters were written over others.
        *text = String::from_utf8(bytes).unwrap_or_default();
        is_put
    }

    /// The same for an attachment.
    pub fn attach(&self, attachment: &mut Bytes) -> bool {
        if memmem::find(attachment, EMPTY.as_bytes()).is_none() {
            return false;
        }
        let mut bytes = attachment.to_vec();
        let is_put = self.put_into(&mut bytes);
        *attachment = bytes.into();
        is_put
    }

    fn put_into(&self, bytes: &mut [u8]) -> bool {
        let places: Vec<usize> = memmem::find_iter(bytes, EMPTY.as_bytes()).collect();
        for place in &places {
            self.write(&mut bytes[*place..*place + LENGTH]);
        }
        !places.is_empty()
    }

    /// Writes the stamp over exactly [`LENGTH`] bytes.
    fn write(&self, place: &mut [u8]) {
        place[..3].copy_from_slice(MARK.as_bytes());
        digits(&mut place[3..7], u64::from(self.run));
        place[7] = if self.is_audited { b'.' } else { b'-' };
        digits(&mut place[8..13], u64::from(self.key.sender));
        place[13] = b'.';
        digits(&mut place[14..21], self.key.sequence);
        place[21] = b'.';
        digits(&mut place[22..23], u64::from(self.label));
        digits(&mut place[23..31], self.due.as_micros() as u64);
        place[31] = b'~';
    }

    /// Reads the first stamp in a payload.
    pub fn find(payload: &[u8]) -> Option<Stamp> {
        Stamp::all(payload).next()
    }

    /// Reads every stamp in a payload: a server may send several messages as one event.
    pub fn all(payload: &[u8]) -> impl Iterator<Item = Stamp> + '_ {
        SEARCH.find_iter(payload).filter_map(|at| Stamp::read(payload.get(at..at + LENGTH)?))
    }

    /// Reads every stamp of an event, those in its attachments last.
    pub fn of_event<'p>(data: &'p str, attachments: &'p [Bytes]) -> impl Iterator<Item = Stamp> + 'p {
        Stamp::all(data.as_bytes()).chain(attachments.iter().flat_map(|bytes| Stamp::all(bytes)))
    }

    fn read(text: &[u8]) -> Option<Stamp> {
        let separated =
            matches!(text[7], b'.' | b'-') && text[13] == b'.' && text[21] == b'.' && text[31] == b'~';
        if !separated {
            return None;
        }
        Some(Stamp {
            run: u16::try_from(number(&text[3..7])?).ok()?,
            key: Key { sender: u32::try_from(number(&text[8..13])?).ok()?, sequence: number(&text[14..21])? },
            label: u8::try_from(number(&text[22..23])?).ok()?,
            due: Duration::from_micros(number(&text[23..31])?),
            is_audited: text[7] == b'.',
        })
    }

    /// The payload as the scenario wrote it: without the stamps that were added as arguments of their own or
    /// behind a text.
    pub fn strip(data: &str) -> String {
        let mut bare = String::with_capacity(data.len());
        let mut rest = data;
        while let Some(at) = memmem::find(rest.as_bytes(), MARK.as_bytes()) {
            let (before, stamp) = rest.split_at(at);
            let Some(after) =
                stamp.get(LENGTH..).filter(|_| Stamp::read(&stamp.as_bytes()[..LENGTH]).is_some())
            else {
                bare.push_str(before);
                bare.push_str(&stamp[..MARK.len()]);
                rest = &stamp[MARK.len()..];
                continue;
            };
            match (before.strip_suffix(",\""), after.strip_prefix('"')) {
                (Some(before), Some(after)) => {
                    bare.push_str(before);
                    rest = after;
                }
                _ => {
                    bare.push_str(before.strip_suffix(' ').unwrap_or(before));
                    rest = after;
                }
            }
        }
        bare.push_str(rest);
        bare
    }

    /// The same for an attachment: without stamps, and the spaces before them.
    pub fn strip_bytes(attachment: &Bytes) -> Bytes {
        let (mut bare, mut rest) = (Vec::new(), &attachment[..]);
        while let Some(at) = SEARCH.find(rest) {
            let (before, stamp) = rest.split_at(at);
            let after = stamp.get(LENGTH..).filter(|_| Stamp::read(&stamp[..LENGTH]).is_some());
            bare.extend_from_slice(match after {
                Some(_) => before.strip_suffix(b" ").unwrap_or(before),
                None => &rest[..at + MARK.len()],
            });
            rest = after.unwrap_or(&stamp[MARK.len()..]);
        }
        match rest.len() == attachment.len() {
            true => attachment.clone(),
            false => [bare.as_slice(), rest].concat().into(),
        }
    }
}

fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize];
        number /= 36;
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0u64, |number, digit| Some(number * 36 + u64::from(char::from(*digit).to_digit(36)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUE: Duration = Duration::from_micros(1_234_567);
    const KEY: Key = Key { sender: 123_456, sequence: 98_765 };
    const STAMP: Stamp = Stamp { run: 777, key: KEY, due: DUE, label: LAST_LABEL, is_audited: true };

    #[test]
    fn an_empty_stamp_is_as_long_as_a_stamp_and_is_none() {
        assert_eq!(EMPTY.len(), LENGTH);
        assert_eq!(Stamp::find(EMPTY.as_bytes()), None);
    }

    #[test]
    fn a_stamp_is_written_over_every_empty_one() {
        let mut text = format!(r#"["é","{EMPTY}",{{"body":"hi {EMPTY}"}}]"#);
        assert!(STAMP.put(&mut text));
        assert!(!STAMP.put(&mut "no place for it".to_owned()));
        assert_eq!(text, format!(r#"["é","{STAMP}",{{"body":"hi {STAMP}"}}]"#));
    }

    #[test]
    fn an_attachment_carries_a_stamp_as_a_text_does() {
        let [mut with, mut without] =
            [format!("\u{1}hi {EMPTY}\u{2}"), "no place".to_owned()].map(Bytes::from);
        assert!(STAMP.attach(&mut with));
        assert!(!STAMP.attach(&mut without));
        let both = [without.clone(), with.clone()];
        assert_eq!(Stamp::of_event("[\"said\"]", &both).collect::<Vec<_>>(), [STAMP]);
        assert_eq!(Stamp::strip_bytes(&with), Bytes::from("\u{1}hi\u{2}"));
        let odd = Bytes::from(&b"~sk\xff~sk and more~sk"[..]);
        assert_eq!(Stamp::strip_bytes(&odd), odd);
        assert_eq!(Stamp::strip_bytes(&without), without);
    }

    #[test]
    fn a_stamp_is_found_wherever_the_server_put_it() {
        for payload in [
            format!(r#"["news","hello","{STAMP}"]"#),
            format!(r#"["said",{{"text":"hi {STAMP}","~sk":1}}]"#),
            format!("~sk~sk{STAMP}"),
        ] {
            assert_eq!(Stamp::find(payload.as_bytes()), Some(STAMP), "{payload}");
        }
        assert_eq!(Stamp::find(&format!("{STAMP}").as_bytes()[..31]), None);
        let aside = Stamp { is_audited: false, ..STAMP };
        assert_eq!(Stamp::find(aside.to_string().as_bytes()), Some(aside));
        assert_eq!(Stamp::find(b"~sk and nothing else that looks like it is"), None);
    }

    #[test]
    fn every_stamp_of_a_payload_is_found_in_its_order() {
        let later = Stamp { key: Key { sequence: KEY.sequence + 1, ..KEY }, ..STAMP };
        let payload = format!(r#"["said",[{{"text":"a {STAMP}"}},{{"text":"~sk {later}"}},"{STAMP}"]]"#);
        assert_eq!(Stamp::all(payload.as_bytes()).collect::<Vec<_>>(), [STAMP, later, STAMP]);
        assert_eq!(Stamp::all(b"nothing").count(), 0);
    }

    #[test]
    fn without_its_stamp_a_payload_is_as_the_scenario_wrote_it() {
        for (stamped, bare) in [
            (format!(r#"["news","hello","{STAMP}"]"#), r#"["news","hello"]"#),
            (format!(r#"["news","{STAMP}","offset"]"#), r#"["news","offset"]"#),
            (format!(r#"["said",{{"text":"hi {STAMP}"}}]"#), r#"["said",{"text":"hi"}]"#),
            (r#"["~sk","plain"]"#.to_owned(), r#"["~sk","plain"]"#),
            ("~sk é é é é é é é é é é é é é é é".to_owned(), "~sk é é é é é é é é é é é é é é é"),
        ] {
            assert_eq!(Stamp::strip(&stamped), bare);
        }
    }
}
