//! Connection state recovery: what a namespace remembers so that a lost socket can come back.
//!
//! Spec: Socket.IO documentation, "Connection state recovery". Every event a server sends then ends with an
//! offset; a client that returns with its private id and last offset gets its id and rooms back and the
//! events it missed. Pure: times come in as arguments. Bounded in time, packets and bytes.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::message::Message;
use super::rooms::Selection;

const MAX_PACKETS: usize = 20_000;
const MAX_BYTES: usize = 64 << 20;

/// The memory of one namespace.
#[derive(Debug)]
pub(crate) struct Recovery {
    window: Duration,
    prefix: String,
    next: u64,
    packets: VecDeque<Sent>,
    bytes: usize,
    lost: HashMap<Rc<str>, Lost>,
}

#[derive(Debug)]
struct Sent {
    number: u64,
    at: Instant,
    to: Vec<Rc<str>>,
    except: Vec<Rc<str>>,
    message: Message,
    size: usize,
}

/// A socket that went away without saying goodbye.
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    /// Its public id.
    pub(crate) sid: Rc<str>,
    /// Its rooms, its own id among them.
    pub(crate) rooms: Vec<Rc<str>>,
    /// When it went.
    pub(crate) at: Instant,
}

/// What comes back.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The socket as it was.
    pub(crate) lost: Lost,
    /// What it missed, in order.
    pub(crate) missed: Vec<Message>,
}

impl Recovery {
    /// A memory that reaches `window` back. `prefix` makes offsets of different servers differ.
    pub(crate) fn new(window: Duration, prefix: String) -> Recovery {
        Recovery { window, prefix, next: 0, packets: VecDeque::new(), bytes: 0, lost: HashMap::new() }
    }

    /// The offset of the next event.
    pub(crate) fn offset(&self) -> String {
        format!("{}.{}", self.prefix, self.next)
    }

    /// Remembers an event that carries [`Recovery::offset`]. `sender` is the id of the socket it does not
    /// go to.
    pub(crate) fn record(
        &mut self,
        now: Instant,
        selection: &Selection,
        sender: Option<&Rc<str>>,
        message: Message,
    ) {
        let size = message.packets().iter().map(|packet| packet.frame().len()).sum();
        let mut except = selection.except.clone();
        except.extend(sender.cloned());
        let to = selection.to.clone();
        self.packets.push_back(Sent { number: self.next, at: now, to, except, message, size });
        self.bytes += size;
        self.next += 1;
        self.forget(now);
    }

    /// Remembers a socket that went away.
    pub(crate) fn keep(&mut self, pid: Rc<str>, lost: Lost) {
        self.forget(lost.at);
        self.lost.insert(pid, lost);
    }

    /// The socket with that private id and what it missed since that offset, unless it is too late.
    pub(crate) fn restore(&mut self, now: Instant, pid: &str, offset: &str) -> Option<Recovered> {
        self.forget(now);
        let lost = self.lost.get(pid)?.clone();
        let number: u64 = offset.strip_prefix(&*self.prefix)?.strip_prefix('.')?.parse().ok()?;
        let first = self.packets.front()?.number;
        let position = usize::try_from(number.checked_sub(first)?).ok()?;
        if position >= self.packets.len() {
            return None;
        }
        let missed = self.packets.iter().skip(position + 1).filter(|sent| sent.concerns(&lost.rooms));
        let missed = missed.map(|sent| sent.message.clone()).collect();
        Some(Recovered { lost, missed })
    }

    /// Forgets what was sent: only for the fault that does so.
    pub(crate) fn discard(&mut self) {
        self.packets.clear();
        self.bytes = 0;
    }

    /// Whether nothing is remembered any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.lost.is_empty()
    }

    fn forget(&mut self, now: Instant) {
        let window = self.window;
        self.lost.retain(|_, lost| now.duration_since(lost.at) <= window);
        while let Some(oldest) = self.packets.front() {
            let late = now.duration_since(oldest.at) > window * 2;
            if !late && self.packets.len() <= MAX_PACKETS && self.bytes <= MAX_BYTES {
                break;
            }
            self.bytes -= oldest.size;
            self.packets.pop_front();
        }
    }
}

impl Sent {
    fn concerns(&self, rooms: &[Rc<str>]) -> bool {
        let addressed = self.to.is_empty() || self.to.iter().any(|room| rooms.contains(room));
        addressed && !self.except.iter().any(|room| rooms.contains(room))
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::Args;
    use super::*;

    const WINDOW: Duration = Duration::from_secs(2);

    fn rooms(names: &[&str]) -> Vec<Rc<str>> {
        names.iter().map(|name| Rc::from(*name)).collect()
    }

    fn say(recovery: &mut Recovery, now: Instant, to: &[&str], text: &str) -> String {
        let offset = recovery.offset();
        let selection = Selection { to: rooms(to), ..Selection::default() };
        recovery.record(now, &selection, None, Message::event("/", None, &Args::event(text)));
        offset
    }

    fn texts(recovered: &Recovered) -> Vec<String> {
        let body = |message: &Message| String::from_utf8_lossy(message.packets()[0].body()).into_owned();
        recovered.missed.iter().map(body).collect()
    }

    fn lost(at: Instant) -> Lost {
        Lost { sid: Rc::from("sid"), rooms: rooms(&["sid", "r"]), at }
    }

    #[test]
    fn what_was_missed_comes_back_in_order_and_other_rooms_do_not() {
        let now = Instant::now();
        let mut recovery = Recovery::new(WINDOW, "p".to_owned());
        let offset = say(&mut recovery, now, &[], "a");
        recovery.keep(Rc::from("pid"), lost(now));
        say(&mut recovery, now, &[], "b");
        say(&mut recovery, now, &["other"], "x");
        say(&mut recovery, now, &["r"], "c");
        say(&mut recovery, now, &["sid"], "d");
        let recovered = recovery.restore(now + WINDOW, "pid", &offset).unwrap();
        assert_eq!(texts(&recovered), [r#"42["b"]"#, r#"42["c"]"#, r#"42["d"]"#]);
        assert_eq!(recovered.lost.sid.as_ref(), "sid");
    }

    #[test]
    fn the_sender_does_not_get_its_own_broadcast_back() {
        let now = Instant::now();
        let mut recovery = Recovery::new(WINDOW, "p".to_owned());
        let offset = say(&mut recovery, now, &[], "a");
        let sid: Rc<str> = Rc::from("sid");
        recovery.record(now, &Selection::default(), Some(&sid), Message::event("/", None, &Args::event("b")));
        recovery.keep(Rc::from("pid"), lost(now));
        assert!(recovery.restore(now, "pid", &offset).unwrap().missed.is_empty());
    }

    #[test]
    fn too_late_or_unknown_is_a_fresh_start() {
        let now = Instant::now();
        let mut recovery = Recovery::new(WINDOW, "p".to_owned());
        let offset = say(&mut recovery, now, &[], "a");
        recovery.keep(Rc::from("pid"), lost(now));
        for (pid, offset) in [("other", &*offset), ("pid", "nonsense"), ("pid", "p.7"), ("pid", "q.0")] {
            assert!(recovery.restore(now, pid, offset).is_none(), "{pid} {offset}");
        }
        assert!(recovery.restore(now + WINDOW, "pid", &offset).is_some());
        assert!(recovery.restore(now + WINDOW * 2, "pid", &offset).is_none());
        assert!(recovery.restore(now + WINDOW * 5, "pid", &offset).is_none());
        assert!(recovery.is_empty());
    }

    #[test]
    fn the_memory_is_bounded() {
        let now = Instant::now();
        let mut recovery = Recovery::new(WINDOW, "p".to_owned());
        for _ in 0..MAX_PACKETS + 10 {
            say(&mut recovery, now, &[], "a");
        }
        assert_eq!(recovery.packets.len(), MAX_PACKETS);
    }
}
