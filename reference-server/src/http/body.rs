//! Request bodies, piece by piece.
//!
//! Spec: RFC 9112 section 6 (Content-Length) and 7.1 (chunked).

use super::request::Framing;

/// Collects a body from what arrives on a connection.
#[derive(Debug)]
pub(crate) struct Body {
    state: State,
    limit: usize,
    data: Vec<u8>,
    excess: bool,
    /// So much of the content has been decoded, where that is done piece by piece.
    decoded: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Data { left: u64, chunked: bool },
    Size,
    AfterChunk,
    Trailer,
    Done,
}

/// Where a body stands after more of it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More is to come.
    More,
    /// It is longer than the limit; the rest is skipped.
    TooLong,
    /// It is complete.
    Done,
}

/// The body is not what its framing says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

const MAX_LINE: usize = 1024;

impl Body {
    /// A body of at most `limit` bytes.
    pub(crate) fn new(framing: Framing, limit: usize) -> Body {
        let state = match framing {
            Framing::None => State::Done,
            Framing::Length(left) => State::Data { left, chunked: false },
            Framing::Chunked => State::Size,
        };
        let excess = matches!(framing, Framing::Length(length) if length > limit as u64);
        Body { state, limit, data: Vec::new(), excess, decoded: 0 }
    }

    /// Takes what belongs to the body from the start of `input`; the number is how many bytes that were.
    /// Fails when the chunked framing is broken.
    pub(crate) fn feed(&mut self, input: &[u8]) -> Result<(usize, Progress), Malformed> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            match self.state {
                State::Data { left: 0, chunked: false } => self.state = State::Done,
                State::Data { left: 0, chunked: true } => self.state = State::AfterChunk,
                State::Data { left, chunked } => {
                    let take = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    if take == 0 {
                        break;
                    }
                    self.keep(&rest[..take]);
                    used += take;
                    self.state = State::Data { left: left - take as u64, chunked };
                }
                State::Done => break,
                State::Size | State::AfterChunk | State::Trailer => {
                    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                        if rest.len() > MAX_LINE {
                            return Err(Malformed);
                        }
                        break;
                    };
                    let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
                    used += end + 1;
                    self.line(line)?;
                }
            }
        }
        let progress = match (&self.state, self.excess) {
            (State::Done, false) => Progress::Done,
            (State::Done, true) | (_, true) => Progress::TooLong,
            _ => Progress::More,
        };
        Ok((used, progress))
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Malformed> {
        self.state = match self.state {
            State::Size => {
                let line = std::str::from_utf8(line).map_err(|_| Malformed)?;
                let digits = line.split(';').next().unwrap_or("").trim();
                if digits.is_empty() || digits.len() > 15 || digits.starts_with('+') {
                    return Err(Malformed);
                }
                match u64::from_str_radix(digits, 16).map_err(|_| Malformed)? {
                    0 => State::Trailer,
                    left => State::Data { left, chunked: true },
                }
            }
            State::AfterChunk if line.is_empty() => State::Size,
            State::AfterChunk => return Err(Malformed),
            _ if line.is_empty() => State::Done,
            _ => State::Trailer,
        };
        Ok(())
    }

    fn keep(&mut self, data: &[u8]) {
        if self.excess || self.data.len() + data.len() > self.limit {
            self.excess = true;
            self.data = Vec::new();
        } else {
            self.data.extend_from_slice(data);
        }
    }

    /// Decodes what came since the last call for itself, which spoils a character that was cut.
    pub(crate) fn decode_piece(&mut self) {
        let piece = self.data.split_off(self.decoded.min(self.data.len()));
        self.data.extend_from_slice(String::from_utf8_lossy(&piece).as_bytes());
        self.decoded = self.data.len();
    }

    /// The content.
    pub(crate) fn into_data(self) -> Vec<u8> {
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_of_known_length_leaves_the_next_request_alone() {
        let mut body = Body::new(Framing::Length(3), 10);
        assert_eq!(body.feed(b"ab"), Ok((2, Progress::More)));
        assert_eq!(body.feed(b"cGET"), Ok((1, Progress::Done)));
        assert_eq!(body.into_data(), b"abc");
    }

    #[test]
    fn the_limit_itself_is_allowed_and_one_more_is_not() {
        assert_eq!(Body::new(Framing::Length(3), 3).feed(b"abc"), Ok((3, Progress::Done)));
        assert_eq!(Body::new(Framing::Length(4), 3).feed(b""), Ok((0, Progress::TooLong)));
        let mut chunked = Body::new(Framing::Chunked, 3);
        assert_eq!(chunked.feed(b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"), Ok((19, Progress::TooLong)));
        assert_eq!(chunked.state, State::Done);
    }

    #[test]
    fn chunks_with_extensions_and_trailers_are_read() {
        let mut body = Body::new(Framing::Chunked, 100);
        let bytes = b"2;x=y\r\nab\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
        assert_eq!(body.feed(bytes), Ok((bytes.len(), Progress::Done)));
        assert_eq!(body.into_data(), b"ab0123456789");
    }

    #[test]
    fn broken_chunks_are_refused() {
        for bytes in [&b"x\r\n"[..], b"\r\n", b"2\r\nabc\r\n", b"-1\r\n", b"+1\r\n", b"ffffffffffffffff\r\n"]
        {
            assert_eq!(Body::new(Framing::Chunked, 100).feed(bytes), Err(Malformed), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn a_chunked_body_survives_any_cut(data in prop::collection::vec(any::<u8>(), 1..200), chunk in 1usize..50, cut in 1usize..30) {
            let mut wire = Vec::new();
            for part in data.chunks(chunk) {
                wire.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
                wire.extend_from_slice(part);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let mut body = Body::new(Framing::Chunked, 1000);
            let mut waiting: Vec<u8> = Vec::new();
            for part in wire.chunks(cut) {
                waiting.extend_from_slice(part);
                let (used, _) = body.feed(&waiting).unwrap();
                waiting.drain(..used);
            }
            prop_assert!(body.state == State::Done && waiting.is_empty());
            prop_assert_eq!(body.into_data(), data);
        }
    }
}
