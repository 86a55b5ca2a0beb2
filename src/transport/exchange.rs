//! The requests of one HTTP connection: what is awaited on it, whether it takes another one, and whether a request may be
//! repeated that met the end of a kept-alive connection (RFC 9112, section 9.3.1).

use std::time::{Duration, Instant};

use crate::protocol::http::Responses;
use crate::session::Lost;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) responses: Responses,
    /// Requests that are not answered yet.
    awaited: u32,
    /// Whether any was answered.
    answered: bool,
    /// Since when nothing is awaited.
    idle_since: Option<Instant>,
    /// Whether a request asked the server to close the connection after it.
    is_last: bool,
    /// The request under way, where an earlier one was answered on this connection.
    repeatable: Option<Repeatable>,
}

/// A request over a kept-alive connection, which the server may close in that moment.
#[derive(Debug)]
enum Repeatable {
    /// Repeating it does no harm (RFC 9110, section 9.2.2): its bytes.
    Always(Vec<u8>),
    /// It may be repeated only while none of its bytes has left: so many are they.
    Unsent(usize),
}

/// What becomes of the request that was under way when its connection was lost.
#[derive(Debug, PartialEq)]
pub(super) enum Fate {
    /// These bytes go over a fresh connection.
    Repeat(Vec<u8>),
    /// The request is lost, and that is why.
    Lost(Lost),
}

impl Exchange {
    /// A new connection, whose responses may have bodies of so many bytes.
    pub(super) fn new(limit: usize) -> Exchange {
        Exchange {
            responses: Responses::new(limit),
            awaited: 0,
            answered: false,
            idle_since: None,
            is_last: false,
            repeatable: None,
        }
    }

    /// Whether another request may be sent on it, not being idle for so long that the server may have closed it.
    pub(super) fn takes_requests(&self, now: Instant, stale: Duration) -> bool {
        let is_fresh = |since: Instant| now.saturating_duration_since(since) < stale;
        !self.is_last && self.idle_since.is_none_or(is_fresh)
    }

    /// Whether a response is due.
    pub(super) fn awaits(&self) -> bool {
        self.awaited > 0
    }

    /// Whether nothing has been under way since an earlier answer.
    pub(super) fn is_idle(&self) -> bool {
        self.idle_since.is_some()
    }

    /// A request was put into the queue: these are its bytes. One that `may_repeat` is kept for that where the connection
    /// was kept alive.
    pub(super) fn requested(&mut self, method: &str, bytes: &[u8], is_last: bool, may_repeat: bool) {
        self.repeatable = match method {
            _ if !self.is_idle() || !may_repeat => None,
            "GET" | "HEAD" => Some(Repeatable::Always(bytes.to_vec())),
            _ => Some(Repeatable::Unsent(bytes.len())),
        };
        self.awaited += 1;
        self.idle_since = None;
        self.is_last |= is_last;
        if method == "HEAD" {
            self.responses.answers_head();
        }
    }

    /// A request was answered. Whether it was the first one.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        self.awaited = self.awaited.saturating_sub(1);
        self.idle_since = (self.awaited == 0).then_some(now);
        self.repeatable = None;
        !std::mem::replace(&mut self.answered, true)
    }

    /// The connection was lost, with these bytes still unsent. Whoever gave no byte of a response on a kept-alive connection
    /// only closed it, which is a server's right.
    pub(super) fn fate(&mut self, lost: Lost, unsent: &[u8]) -> Fate {
        let is_end = matches!(lost, Lost::NoResponse | Lost::Broken(_)) && !self.responses.pending();
        match self.repeatable.take().filter(|_| is_end) {
            Some(Repeatable::Always(bytes)) => Fate::Repeat(bytes),
            Some(Repeatable::Unsent(length)) if unsent.len() == length => Fate::Repeat(unsent.to_vec()),
            Some(Repeatable::Unsent(_)) => Fate::Lost(Lost::Unanswered),
            None => Fate::Lost(lost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection on which a first request was answered and this one is under way.
    fn second(method: &str) -> Exchange {
        let mut exchange = Exchange::new(1 << 20);
        exchange.requested("GET", b"first", false, true);
        assert!(exchange.answered(Instant::now()));
        exchange.requested(method, b"second", false, true);
        exchange
    }

    #[test]
    fn a_get_on_a_kept_alive_connection_is_repeated() {
        assert_eq!(second("GET").fate(Lost::NoResponse, b""), Fate::Repeat(b"second".to_vec()));
        let reset = Lost::Broken("reset".into());
        assert_eq!(second("GET").fate(reset, b""), Fate::Repeat(b"second".to_vec()));
    }

    #[test]
    fn a_post_is_repeated_only_where_the_server_cannot_have_handled_it() {
        assert_eq!(second("POST").fate(Lost::NoResponse, b"second"), Fate::Repeat(b"second".to_vec()));
        for unsent in [&b""[..], b"cond"] {
            assert_eq!(second("POST").fate(Lost::NoResponse, unsent), Fate::Lost(Lost::Unanswered));
        }
    }

    #[test]
    fn nothing_is_repeated_that_was_the_first_or_has_an_answer_begun() {
        let mut first = Exchange::new(1 << 20);
        first.requested("GET", b"first", false, true);
        assert_eq!(first.fate(Lost::NoResponse, b""), Fate::Lost(Lost::NoResponse));
        let mut begun = second("GET");
        assert_eq!(begun.responses.read(&mut &b"HTTP/1.1 2"[..]), Ok(None));
        assert_eq!(begun.fate(Lost::NoResponse, b""), Fate::Lost(Lost::NoResponse));
        let mut by_hand = Exchange::new(1 << 20);
        by_hand.requested("GET", b"first", false, false);
        by_hand.answered(Instant::now());
        by_hand.requested("GET", b"second", false, false);
        assert_eq!(by_hand.fate(Lost::NoResponse, b""), Fate::Lost(Lost::NoResponse));
    }

    #[test]
    fn a_connection_that_was_asked_to_close_takes_nothing_more() {
        let now = Instant::now();
        let mut exchange = Exchange::new(1 << 20);
        assert!(exchange.takes_requests(now, Duration::from_secs(3)));
        exchange.requested("GET", b"last", true, true);
        exchange.answered(now);
        assert!(!exchange.takes_requests(now, Duration::from_secs(3)));
    }
}
