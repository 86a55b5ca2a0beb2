//! Requests of the pages themselves: by one of them a person may have logged in. They have bounds of their own, so that large
//! pages take nothing from what the tabs say.

use crate::secrets::is_secret_header;

/// So many of them are kept.
const MOST_REQUESTS: usize = 2_000;

/// So many bytes of those that only ask are kept, and as many of the others: pages leave room for logins.
const MOST_BYTES: usize = 4 << 20;

/// The longest body of a request that is kept, in bytes: a longer one uploads something.
pub const LONGEST_SENT: usize = 64 << 10;

/// So many bytes of an answer are kept.
pub const LONGEST_ANSWER: usize = 256 << 10;

/// The headers of a request that are kept, beside those that are secret.
const KEPT: [&str; 5] = ["accept", "content-type", "origin", "referer", "x-requested-with"];

/// A request, and its answer.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// When it was sent, in seconds, from the beginning that the lines of a recording have.
    pub at: f64,
    /// In capitals.
    pub method: String,
    /// The whole url.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// What came back.
    pub answer: Answer,
}

/// What the server answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// When it came, in seconds.
    pub at: f64,
    /// The status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// The beginning of its body; nothing where it is no text.
    pub body: Vec<u8>,
}

impl Request {
    /// Whether it only asks for something.
    pub(super) fn is_safe(&self) -> bool {
        ["GET", "HEAD", "OPTIONS"].contains(&self.method.as_str())
    }

    /// The value of the first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The cookies that came with it.
    pub(super) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        values(&self.headers, "cookie").flat_map(cookies_in)
    }
}

impl Answer {
    /// The value of the first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The cookies that it sets.
    pub(super) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        // Some files have all of them in one header, a line for each.
        let all = values(&self.headers, "set-cookie").flat_map(str::lines);
        all.filter_map(|cookie| cookies_in(cookie).next())
    }

    /// Whether it may be of any use: pictures and scripts are none.
    fn is_text(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default().to_ascii_lowercase();
        ["json", "html", "text/plain"].iter().any(|word| kind.contains(word))
    }
}

fn first<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn values<'h>(headers: &'h [(String, String)], name: &'h str) -> impl Iterator<Item = &'h str> {
    headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The cookies of a header `Cookie`.
pub(super) fn cookies_in(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header
        .split(';')
        .filter_map(|cookie| cookie.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
}

/// Those that are kept, within bounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    pub(super) kept: Vec<Request>,
    /// How many bytes of those that only ask, and of the others.
    bytes: [usize; 2],
}

impl Requests {
    /// Keeps what may be of use of a request, as far as there is room.
    pub(super) fn keep(&mut self, mut request: Request) {
        let (is_safe, answer) = (request.is_safe(), &mut request.answer);
        let is_text = answer.is_text();
        let is_of_use =
            !is_safe || is_text || answer.cookies().next().is_some() || answer.header("location").is_some();
        if !is_of_use || self.kept.len() >= MOST_REQUESTS || request.body.len() > LONGEST_SENT {
            return;
        }
        let is_kept = |name: &str, others: &[&str]| {
            others.iter().any(|other| other.eq_ignore_ascii_case(name)) || is_secret_header(name)
        };
        request.headers.retain(|(name, _)| is_kept(name, &KEPT));
        answer.headers.retain(|(name, _)| is_kept(name, &["content-type", "location"]));
        answer.body.truncate(if is_text { LONGEST_ANSWER } else { 0 });
        answer.body.shrink_to_fit();
        request.headers.shrink_to_fit();
        answer.headers.shrink_to_fit();
        let length = |headers: &[(String, String)]| -> usize {
            headers.iter().map(|(name, value)| name.len() + value.len()).sum()
        };
        let head =
            request.url.len() + length(&request.headers) + length(&answer.headers) + request.body.len();
        let taken = &mut self.bytes[usize::from(is_safe)];
        if *taken + head > MOST_BYTES {
            return;
        }
        if *taken + head + answer.body.len() > MOST_BYTES {
            answer.body = Vec::new();
        }
        *taken += head + answer.body.len();
        self.kept.push(request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, kind: &str, length: usize) -> Request {
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        Request {
            method: method.into(),
            url: "http://h/".into(),
            answer: Answer { headers, body: vec![b'x'; length], ..Answer::default() },
            ..Request::default()
        }
    }

    #[test]
    fn pages_without_end_take_bounded_room_and_leave_some_for_a_login() {
        let mut requests = Requests::default();
        for _ in 0..100 {
            requests.keep(request("GET", "text/html", 1 << 20));
            requests.keep(request("GET", "image/png", 1 << 20));
        }
        let bytes: usize = requests.kept.iter().map(|request| request.answer.body.len()).sum();
        assert!(requests.kept.len() == 100 && bytes <= MOST_BYTES, "{} {bytes}", requests.kept.len());
        requests.keep(request("POST", "application/json", 100));
        assert_eq!(requests.kept.last().map(|request| request.answer.body.len()), Some(100));
        requests.keep(Request { body: vec![0; LONGEST_SENT + 1], ..request("POST", "application/json", 1) });
        for _ in 0..MOST_REQUESTS {
            requests.keep(request("POST", "application/json", 0));
        }
        assert_eq!(requests.kept.len(), MOST_REQUESTS);
    }
}
