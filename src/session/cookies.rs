//! The cookies of one client, as a browser keeps them (RFC 6265).
//!
//! A client knows one server, so domains do not matter. There is no clock here: a date on which a cookie expires is
//! compared with the date of the response that brought it, and what is left of its life is counted from then on.

use std::time::{Duration, Instant};

use crate::protocol::http::Head;
use crate::protocol::set_cookie::{SetCookie, date};

/// The most cookies of a client; browsers keep 50 or more of a site.
const MOST: usize = 50;

/// The longest cookie, name and value together, as in browsers.
const LONGEST: usize = 4096;

/// The first second of that year.
const IN_2020: i64 = 1_577_836_800;

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Jar {
    /// In the order in which they were first set.
    cookies: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    name: Box<str>,
    value: Box<str>,
    path: Box<str>,
    /// Whether it goes over secure connections only.
    is_secure: bool,
    /// When it is to be forgotten; those without a time live as long as the client.
    expires: Option<Instant>,
}

impl Jar {
    /// Keeps the cookies of the response to a request for this target, and forgets those that it takes back.
    pub(super) fn keep(&mut self, head: &Head, target: &str, now: Option<Instant>) {
        for text in head.values("set-cookie") {
            let Some(cookie) = SetCookie::parse(text) else { continue };
            if cookie.name.len() + cookie.value.len() > LONGEST {
                continue;
            }
            let path = match cookie.path {
                Some(path) if path.starts_with('/') => path,
                _ => default_path(target),
            };
            let is_it = |kept: &Kept| *kept.name == *cookie.name && *kept.path == *path;
            let place = self.cookies.iter().position(is_it);
            let life = life(&cookie, head);
            let expires = match life {
                Life::Over => {
                    if let Some(place) = place {
                        self.cookies.remove(place);
                    }
                    continue;
                }
                Life::Left(left) => now.and_then(|now| now.checked_add(left)),
                Life::Long => None,
            };
            let kept = Kept {
                name: cookie.name.into(),
                value: cookie.value.into(),
                path: path.into(),
                is_secure: cookie.is_secure,
                expires,
            };
            match place {
                Some(place) => self.cookies[place] = kept,
                None if self.cookies.len() < MOST => self.cookies.push(kept),
                None => {}
            }
        }
    }

    /// The value of the cookie of that name that was set last.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.cookies.iter().rfind(|kept| *kept.name == *name).map(|kept| &*kept.value)
    }

    /// What stands in the header `Cookie` of a request for this target. None where there is nothing to say.
    pub(super) fn header(&self, target: &str, is_secure: bool, now: Option<Instant>) -> Option<String> {
        let path = path_of(target);
        let fits = |kept: &&Kept| {
            is_within(path, &kept.path)
                && (is_secure || !kept.is_secure)
                && kept.expires.zip(now).is_none_or(|(expires, now)| expires > now)
        };
        let mut fitting: Vec<&Kept> = self.cookies.iter().filter(fits).collect();
        // RFC 6265, section 5.4: longer paths first, then what was set earlier.
        fitting.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let pairs: Vec<String> = fitting.iter().map(|kept| format!("{}={}", kept.name, kept.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// How long a cookie is to be kept.
enum Life {
    Over,
    Left(Duration),
    /// As long as the client lives, or nobody knows.
    Long,
}

fn life(cookie: &SetCookie<'_>, head: &Head) -> Life {
    // RFC 6265, section 5.3: the maximum age goes before the date.
    let seconds = match (cookie.max_age, cookie.expires) {
        (Some(age), _) => age,
        (None, Some(expires)) => match head.header("date").and_then(date) {
            Some(sent) => expires.saturating_sub(sent),
            // Without a clock, only a year long past tells that a cookie is taken back.
            None if expires < IN_2020 => 0,
            None => return Life::Long,
        },
        (None, None) => return Life::Long,
    };
    match u64::try_from(seconds) {
        Ok(seconds @ 1..) => Life::Left(Duration::from_secs(seconds)),
        _ => Life::Over,
    }
}

fn path_of(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or_default()
}

/// RFC 6265, section 5.1.4: everything before the last slash.
fn default_path(target: &str) -> &str {
    let path = path_of(target);
    match path.rfind('/') {
        Some(slash @ 1..) if path.starts_with('/') => &path[..slash],
        _ => "/",
    }
}

/// The same section: whether a request for this path is one for what lies under that.
fn is_within(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || of.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Head { status: 200, reason: String::new(), headers: headers.collect() }
    }

    /// A jar after a response to a request for this target.
    fn after(target: &str, cookies: &[&str]) -> Jar {
        let mut jar = Jar::default();
        cookies.iter().for_each(|cookie| jar.keep(&head(&[("Set-Cookie", cookie)]), target, None));
        jar
    }

    #[test]
    fn a_cookie_goes_to_its_path_and_to_what_lies_under_it() {
        let jar =
            after("/api/login?x=/y", &["a=1", "b=2; Path=/", "c=3; Path=/socket.io", "d=4; Path=nonsense"]);
        let header = |target| jar.header(target, false, None).unwrap_or_default();
        assert_eq!(header("/socket.io/?EIO=4"), "c=3; b=2");
        assert_eq!(header("/api/me"), "a=1; d=4; b=2");
        assert_eq!(header("/socket.iodine"), "b=2");
        assert_eq!(after("/login", &["a=1"]).header("/socket.io/", false, None).as_deref(), Some("a=1"));
    }

    #[test]
    fn a_secure_cookie_needs_a_secure_connection() {
        let jar = after("/", &["a=1; Secure; HttpOnly"]);
        assert_eq!(jar.header("/", false, None), None);
        assert_eq!(jar.header("/", true, None).as_deref(), Some("a=1"));
    }

    #[test]
    fn a_cookie_is_taken_back_by_its_name_and_path() {
        let mut jar = after("/", &["a=1; Path=/", "a=2; Path=/x", "b=3"]);
        jar.keep(&head(&[("Set-Cookie", "a=; Path=/; Max-Age=0")]), "/", None);
        assert_eq!(jar.header("/x", false, None).as_deref(), Some("a=2; b=3"));
        jar.keep(&head(&[("Set-Cookie", "a=; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT")]), "/", None);
        assert_eq!(jar.header("/x", false, None).as_deref(), Some("b=3"));
    }

    #[test]
    fn a_cookie_lives_as_long_as_it_was_given() {
        let now = Instant::now();
        let mut jar = Jar::default();
        let sent = ("Date", "Sat, 28 Nov 2026 15:00:00 GMT");
        let minute = ("Set-Cookie", "minute=1; Expires=Sat, 28 Nov 2026 15:01:00 GMT");
        let age = ("Set-Cookie", "age=1; Max-Age=90; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        let past = ("Set-Cookie", "past=1; Expires=Sat, 28 Nov 2026 14:59:59 GMT");
        jar.keep(&head(&[sent, minute, age, past, ("Set-Cookie", "session=1")]), "/", Some(now));
        let header = |seconds| jar.header("/", false, Some(now + Duration::from_secs(seconds)));
        assert_eq!(header(59).as_deref(), Some("minute=1; age=1; session=1"));
        assert_eq!(header(60).as_deref(), Some("age=1; session=1"));
        assert_eq!(header(90).as_deref(), Some("session=1"));
    }

    #[test]
    fn a_new_value_keeps_its_place_and_what_is_too_long_is_not_kept() {
        let long = format!("c={}", "x".repeat(LONGEST));
        let jar = after("/", &["a=1", "b=2", "a=3", &long]);
        assert_eq!(jar.header("/", false, None).as_deref(), Some("a=3; b=2"));
    }
}
