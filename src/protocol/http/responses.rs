//! The responses of one connection, from whatever pieces arrive.

use std::mem;

use super::super::Rule;
use super::super::violation::{Violation, excerpt_bytes};

/// The most bytes that a status line with its header fields may have, and likewise a trailer section.
pub const MAX_HEAD: usize = 64 * 1024;

/// The most header fields of one response.
const MAX_FIELDS: usize = 128;

/// The most bytes of a chunk's size line with its extensions.
const MAX_CHUNK_LINE: usize = 4 * 1024;

/// The status line and the header fields of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The reason phrase, often empty.
    pub reason: String,
    /// The header fields in order, names as they came, values that are not UTF-8 with replacement characters.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The value of the first header field of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The values of all header fields of that name, in any case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = move |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| value.as_str())
    }

    /// The members of a comma-separated list, over all header fields of that name (RFC 9110, section 5.6.1).
    fn members(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name)
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|member| !member.is_empty())
    }

    fn lists(&self, name: &str, member: &str) -> bool {
        self.members(name).any(|found| found.eq_ignore_ascii_case(member))
    }
}

/// A whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status and the header fields.
    pub head: Head,
    /// The body, chunks put together. Content codings are not undone.
    pub body: Vec<u8>,
    /// Whether the connection can take another request.
    pub keep_alive: bool,
}

/// Reads the responses of one connection, one after the other, from pieces of any size.
///
/// Holds no more than what is unfinished: a head up to [`MAX_HEAD`], a body up to its limit. A length that is
/// merely announced reserves no memory.
#[derive(Debug)]
pub struct Responses {
    state: State,
    broken: Option<Box<Violation>>,
    /// A head, or a line between chunks, that has begun.
    partial: Vec<u8>,
    max_body: usize,
    answers_head: bool,
    /// What was wrong with a head that could be read, until somebody asks.
    flaw: Option<Box<Violation>>,
}

#[derive(Debug)]
enum State {
    Head,
    Body(Box<Response>, Framing),
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    None,
    Length(usize),
    ChunkSize,
    ChunkData(usize),
    ChunkEnd,
    /// With how many bytes of trailers came already.
    Trailers(usize),
    Close,
}

impl Responses {
    /// A new connection, whose bodies may have so many bytes.
    pub fn new(max_body: usize) -> Responses {
        let (state, partial) = (State::Head, Vec::new());
        Responses { state, broken: None, partial, max_body, answers_head: false, flaw: None }
    }

    /// Tells that the next response answers a HEAD request and so has no body, whatever its header says.
    pub fn answers_head(&mut self) {
        self.answers_head = true;
    }

    /// What was wrong with a head that could be read, if something was since it was asked last.
    pub fn take_flaw(&mut self) -> Option<Violation> {
        self.flaw.take().map(|flaw| *flaw)
    }

    /// Whether a response has begun and is not complete.
    pub fn pending(&self) -> bool {
        self.broken.is_none() && (matches!(self.state, State::Body(..)) || !self.partial.is_empty())
    }

    /// What has come of a response that is not complete, if its head has: for those who take less than a whole one.
    pub fn unfinished(self) -> Option<Response> {
        match self.state {
            State::Head => None,
            State::Body(response, _) => Some(*response),
        }
    }

    /// Takes what it needs from the front of the input, and gives a response when it is complete; call again while
    /// input is left. `None` means that all input was taken and more is needed.
    ///
    /// Interim responses (1xx) are passed over but for `101`, after which the rest of the input is no longer HTTP.
    /// A violation takes all input: nobody knows where the next response would begin, and every later call repeats
    /// the violation.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Response>, Violation> {
        let taken = self.advance(input);
        if let Err(violation) = &taken {
            *input = &[];
            self.partial = Vec::new();
            self.broken = Some(Box::new(violation.clone()));
        }
        taken
    }

    /// The connection has ended: this completes a response without a length, and is a violation within any other.
    /// Nothing is said about a connection that broke a rule already.
    pub fn eof(&mut self) -> Result<Option<Response>, Violation> {
        if self.broken.is_some() {
            return Ok(None);
        }
        let partial = mem::take(&mut self.partial);
        match mem::replace(&mut self.state, State::Head) {
            State::Head if partial.is_empty() => Ok(None),
            State::Head => {
                let detail = format!("the connection closed after {}", excerpt_bytes(&partial));
                Err(Violation::new(Rule::HttpTruncated, detail))
            }
            State::Body(response, Framing::Close) => Ok(Some(*response)),
            State::Body(response, _) => {
                let detail = format!("the connection closed after {} bytes of the body", response.body.len());
                Err(Violation::new(Rule::HttpTruncated, detail))
            }
        }
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Response>, Violation> {
        if let Some(violation) = &self.broken {
            return Err((**violation).clone());
        }
        loop {
            match &mut self.state {
                State::Head => {
                    let Some((head, minor, flaw)) = take_head(&mut self.partial, input)? else {
                        return Ok(None);
                    };
                    self.flaw = self.flaw.take().or(flaw.map(Box::new));
                    // RFC 9110, section 15.2: any number of interim responses may come before the final one.
                    if (100..200).contains(&head.status) && head.status != 101 {
                        continue;
                    }
                    let answers_head = mem::take(&mut self.answers_head);
                    let framing = framing(&head, answers_head, self.max_body);
                    // RFC 9112, section 9.3.
                    let keep_alive = framing != Ok(Framing::Close)
                        && !head.lists("connection", "close")
                        && (minor > 0 || head.lists("connection", "keep-alive"));
                    let response = Box::new(Response { head, body: Vec::new(), keep_alive });
                    // The head is kept also where its length is wrong.
                    self.state = State::Body(response, framing.clone().unwrap_or(Framing::None));
                    framing?;
                }
                State::Body(response, framing) => {
                    if !fill(response, framing, &mut self.partial, input, self.max_body)? {
                        return Ok(None);
                    }
                    let State::Body(response, _) = mem::replace(&mut self.state, State::Head) else {
                        return Ok(None);
                    };
                    return Ok(Some(*response));
                }
            }
        }
    }
}

/// A head, with the minor version of HTTP, and what is wrong with it all the same.
type Taken = (Head, u8, Option<Violation>);

/// Takes a head. One that arrives in a piece is never copied.
fn take_head(partial: &mut Vec<u8>, input: &mut &[u8]) -> Result<Option<Taken>, Violation> {
    let seen = partial.len();
    let parsed;
    if let (0, Some(end)) = (seen, head_end(input, 0)) {
        let (head, rest) = input.split_at(end);
        *input = rest;
        parsed = parse_head(head);
    } else {
        let room = (MAX_HEAD + 1).saturating_sub(seen).min(input.len());
        partial.extend_from_slice(&input[..room]);
        check_start(partial)?;
        // An end of line that was seen already may lack at most the two bytes that make it the last.
        let Some(end) = head_end(partial, seen.saturating_sub(2)) else {
            *input = &input[room..];
            if partial.len() > MAX_HEAD {
                return Err(Violation::new(Rule::HttpLimit, format!("a head is above {MAX_HEAD} bytes")));
            }
            return Ok(None);
        };
        *input = &input[end - seen..];
        partial.truncate(end);
        parsed = parse_head(&mem::take(partial));
    }
    parsed.map(Some)
}

/// Where the first empty line after `from` ends. A bare line feed ends a line too (RFC 9112, section 2.2).
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == b'\n')? + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// What is not HTTP at all shall not be waited for. An empty line before the status line is not passed over either:
/// that is for servers (RFC 9112, section 2.2), and here it tells that the response before it was longer than it
/// said.
fn check_start(head: &[u8]) -> Result<(), Violation> {
    if b"HTTP/".starts_with(&head[..head.len().min(5)]) {
        Ok(())
    } else {
        Err(Violation::new(Rule::HttpHead, format!("it begins with {}", excerpt_bytes(head))))
    }
}

fn parse_head(bytes: &[u8]) -> Result<Taken, Violation> {
    check_start(bytes)?;
    let wrong = |what: &str| Violation::new(Rule::HttpHead, format!("{what} in {}", excerpt_bytes(bytes)));
    if bytes.len() > MAX_HEAD {
        return Err(Violation::new(Rule::HttpLimit, format!("a head is above {MAX_HEAD} bytes")));
    }
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(end)) if end == bytes.len() => {}
        Ok(_) => return Err(wrong("no status line")),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Violation::new(Rule::HttpLimit, format!("a head has above {MAX_FIELDS} fields")));
        }
        Err(error) => return Err(wrong(&error.to_string())),
    }
    let (Some(status), Some(minor)) = (response.code, response.version) else {
        return Err(wrong("no status line"));
    };
    // RFC 9110, section 15: the first digit is the class, 1 to 5.
    if !(100..600).contains(&status) {
        return Err(wrong("an impossible status"));
    }
    let field = |field: &httparse::Header<'_>| {
        (field.name.to_owned(), String::from_utf8_lossy(field.value).into_owned())
    };
    let reason = response.reason.unwrap_or_default().to_owned();
    Ok((
        Head { status, reason, headers: response.headers.iter().map(field).collect() },
        minor,
        line_ends(bytes),
    ))
}

/// That a line of a head ends with LF alone, if one does.
fn line_ends(head: &[u8]) -> Option<Violation> {
    let is_bare = |place: &usize| head[*place] == b'\n' && (*place == 0 || head[place - 1] != b'\r');
    let end = (0..head.len()).find(is_bare)?;
    let begin = head[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
    let detail = format!("LF alone stands behind {}", excerpt_bytes(&head[begin..end]));
    Some(Violation::new(Rule::HttpLineEnd, detail))
}

/// RFC 9112, section 6.3, in its order.
fn framing(head: &Head, answers_head: bool, max_body: usize) -> Result<Framing, Violation> {
    if answers_head || matches!(head.status, 101 | 204 | 304) {
        return Ok(Framing::None);
    }
    let mut codings = head.members("transfer-encoding").peekable();
    let mut lengths = head.members("content-length");
    let ambiguous = |detail: String| Err(Violation::new(Rule::HttpBodyLength, detail));
    if let Some(coding) = codings.next() {
        if let Some(length) = lengths.next() {
            return ambiguous(format!("both Transfer-Encoding and Content-Length {length:?} are given"));
        }
        // No other coding was offered (section 7.4), and none may follow (section 6.1).
        if !coding.eq_ignore_ascii_case("chunked") || codings.next().is_some() {
            return ambiguous("a Transfer-Encoding other than chunked is given".to_owned());
        }
        return Ok(Framing::ChunkSize);
    }
    let Some(length) = lengths.next() else {
        // An empty field is no length, and not the absence of one either.
        return match head.header("content-length") {
            Some(_) => ambiguous("an empty Content-Length is given".to_owned()),
            None => Ok(Framing::Close),
        };
    };
    if let Some(other) = lengths.find(|other| *other != length) {
        return ambiguous(format!("Content-Length is both {length:?} and {other:?}"));
    }
    if !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return ambiguous(format!("Content-Length is {}", excerpt_bytes(length.as_bytes())));
    }
    match length.parse() {
        Ok(length) if length <= max_body => Ok(Framing::Length(length)),
        _ => Err(too_long(max_body)),
    }
}

fn too_long(max_body: usize) -> Violation {
    Violation::new(Rule::HttpLimit, format!("a body is above {max_body} bytes"))
}

/// Takes what belongs to the body; whether it is complete.
fn fill(
    response: &mut Response,
    framing: &mut Framing,
    partial: &mut Vec<u8>,
    input: &mut &[u8],
    max_body: usize,
) -> Result<bool, Violation> {
    loop {
        match framing {
            Framing::None | Framing::Length(0) => return Ok(true),
            Framing::Length(left) => {
                take(&mut response.body, left, input);
                if *left > 0 {
                    return Ok(false);
                }
            }
            Framing::ChunkSize => {
                if !take_line(partial, input, MAX_CHUNK_LINE, Rule::HttpLimit)? {
                    return Ok(false);
                }
                let size = chunk_size(partial)?;
                partial.clear();
                if size > max_body.saturating_sub(response.body.len()) {
                    return Err(too_long(max_body));
                }
                *framing = if size == 0 { Framing::Trailers(0) } else { Framing::ChunkData(size) };
            }
            Framing::ChunkData(left) => {
                take(&mut response.body, left, input);
                if *left > 0 {
                    return Ok(false);
                }
                *framing = Framing::ChunkEnd;
            }
            Framing::ChunkEnd => {
                if !take_line(partial, input, 2, Rule::HttpChunk)? {
                    return Ok(false);
                }
                if partial != b"\r\n" {
                    let detail = format!("a chunk is followed by {}", excerpt_bytes(partial));
                    return Err(Violation::new(Rule::HttpChunk, detail));
                }
                partial.clear();
                *framing = Framing::ChunkSize;
            }
            // RFC 9112, section 7.1.2: trailer fields may be discarded.
            Framing::Trailers(seen) => {
                if !take_line(partial, input, MAX_HEAD - *seen, Rule::HttpLimit)? {
                    return Ok(false);
                }
                *seen += partial.len();
                let last = matches!(partial.as_slice(), b"\r\n" | b"\n");
                partial.clear();
                if last {
                    return Ok(true);
                }
            }
            Framing::Close => {
                if input.len() > max_body.saturating_sub(response.body.len()) {
                    return Err(too_long(max_body));
                }
                response.body.extend_from_slice(mem::take(input));
                return Ok(false);
            }
        }
    }
}

/// Moves up to `left` bytes from the input to the body.
fn take(body: &mut Vec<u8>, left: &mut usize, input: &mut &[u8]) {
    let (now, rest) = input.split_at((*left).min(input.len()));
    body.extend_from_slice(now);
    *left -= now.len();
    *input = rest;
}

/// Moves bytes from the input to the line until that ends with a line feed; whether it does.
fn take_line(line: &mut Vec<u8>, input: &mut &[u8], limit: usize, rule: Rule) -> Result<bool, Violation> {
    let end = input.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
    let (now, rest) = input.split_at(end.unwrap_or(input.len()));
    if now.len() > limit.saturating_sub(line.len()) {
        return Err(Violation::new(rule, format!("no line end within {limit} bytes")));
    }
    line.extend_from_slice(now);
    *input = rest;
    Ok(end.is_some())
}

/// RFC 9112, section 7.1: hexadecimal digits, then perhaps extensions. A bare line feed is not enough here: readers
/// that disagree about it can be made to disagree about where a response ends.
fn chunk_size(line: &[u8]) -> Result<usize, Violation> {
    let size = line.strip_suffix(b"\r\n").and_then(|line| {
        let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
        let (digits, rest) = line.split_at(digits);
        if digits.is_empty() || !matches!(rest.trim_ascii_start(), [] | [b';', ..]) {
            return None;
        }
        digits.iter().try_fold(0_usize, |size, digit| {
            let digit = (*digit as char).to_digit(16)? as usize;
            size.checked_mul(16)?.checked_add(digit)
        })
    });
    size.ok_or_else(|| Violation::new(Rule::HttpChunk, format!("its size is {}", excerpt_bytes(line))))
}
