//! The joins and leaves of a client that the server does not answer, until something shows that it has read them.

use std::time::{Duration, Instant};

/// See the module's head.
#[derive(Debug, Default)]
pub struct Unread {
    /// When the last was sent.
    asked: Option<Instant>,
    /// A ping that was answered since one was sent.
    ponged: Option<Instant>,
}

impl Unread {
    /// The client asks to join or to leave a room.
    pub(super) fn ask(&mut self, now: Instant) {
        self.asked = Some(now);
    }

    /// When that is asked which is asked now: what is asked in the same instant behind such a move comes later.
    pub(super) fn asking(&self, now: Instant) -> Instant {
        now + Duration::from_nanos((self.asked == Some(now)).into())
    }

    /// The server has read what was sent then.
    pub(super) fn has_read(&mut self, sent: Instant) {
        if self.asked.is_some_and(|asked| asked < sent) {
            *self = Unread::default();
        }
    }

    /// A ping came and is answered. Gives the time of a pong of which it shows that it was read, if some move came before it.
    ///
    /// Engine.IO v4, Heartbeat: a server that has no pong within `pingTimeout` closes the connection. Most ping only when they
    /// have the pong before, but need not.
    pub(crate) fn ping(&mut self, now: Instant, timeout: Duration) -> Option<Instant> {
        self.asked?;
        let shown = self.ponged.filter(|ponged| *ponged + timeout <= now);
        if self.ponged.is_none() || shown.is_some() {
            self.ponged = Some(now);
        }
        shown.into_iter().for_each(|ponged| self.has_read(ponged));
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(20);

    #[test]
    fn a_ping_shows_that_a_pong_was_read_when_the_server_would_have_given_up_without_it() {
        let mut unread = Unread::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let ping = |unread: &mut Unread, seconds| unread.ping(at(seconds), TIMEOUT);
        assert_eq!([1, 30].map(|when| ping(&mut unread, when)), [None; 2], "nothing was asked");
        unread.ask(at(40));
        assert_eq!([45, 50, 64].map(|when| ping(&mut unread, when)), [None; 3]);
        unread.ask(at(64));
        assert_eq!(
            [65, 70, 84, 85].map(|when| ping(&mut unread, when)),
            [Some(at(45)), None, None, Some(at(65))]
        );
        assert_eq!([90, 120].map(|when| ping(&mut unread, when)), [None; 2], "all of it is read");
    }
}
