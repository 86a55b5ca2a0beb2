//! Connection state recovery: what a namespace remembers so that a lost socket can come back.
//!
//! Spec: Socket.IO documentation, "Connection state recovery". Every event a server sends then ends with an
//! offset; a client that returns with its private id and last offset gets its id and rooms back and the
//! events it missed. Each node of a cluster numbers its own events, and nodes hear those of others in different orders: an
//! offset says up to which event of each node a client has heard, so that any node can tell what it missed. Pure: times come
//! in as arguments. Bounded in time, packets and bytes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::message::Message;
use super::rooms::Selection;
use super::told::Mark;

const MAX_PACKETS: usize = 20_000;
const MAX_BYTES: usize = 64 << 20;
const MAX_LOST: usize = 100_000;
/// So many lives of nodes may be known; of more, those that were silent for longest are forgotten.
const MAX_ORIGINS: usize = 64;

/// The memory of one namespace.
#[derive(Debug)]
pub(crate) struct Recovery {
    window: Duration,
    own: Rc<str>,
    origins: BTreeMap<Rc<str>, Origin>,
    packets: VecDeque<Sent>,
    bytes: usize,
    lost: HashMap<Rc<str>, Lost>,
}

/// What is known of the events of one node, this one or another.
#[derive(Debug)]
struct Origin {
    next: u64,
    /// Events below this number are not remembered.
    first: u64,
    heard: Option<Instant>,
}

#[derive(Debug)]
struct Sent {
    origin: Rc<str>,
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
    /// Whether it was at another node.
    pub(crate) elsewhere: bool,
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
    /// A memory that reaches `window` back. `own` makes the offsets of different servers differ.
    pub(crate) fn new(window: Duration, own: String) -> Recovery {
        let own: Rc<str> = Rc::from(own);
        let origins = BTreeMap::from([(own.clone(), Origin { next: 0, first: 0, heard: None })]);
        Recovery { window, own, origins, packets: VecDeque::new(), bytes: 0, lost: HashMap::new() }
    }

    /// The place of the next event of this node.
    pub(crate) fn mark(&self) -> Mark {
        let number = self.origins.get(&self.own).map_or(0, |own| own.next);
        Mark { origin: self.own.to_string(), number }
    }

    /// The offset of an event that has that place, for the clients here.
    pub(crate) fn offset(&self, mark: &Mark) -> String {
        let mut offset = format!("{}.{}", mark.origin, mark.number);
        for (origin, known) in &self.origins {
            if **origin != mark.origin && known.next > 0 {
                offset.push_str(&format!("~{origin}.{}", known.next - 1));
            }
        }
        offset
    }

    /// Another node says from where on its events are numbered.
    pub(crate) fn handle_mark(&mut self, now: Instant, mark: &Mark) {
        if let Some(origin) = self.origin(now, mark)
            && origin.next < mark.number
        {
            (origin.next, origin.first) = (mark.number, mark.number);
        }
    }

    /// What is known of the node of that mark. Nothing before the mark is, where the node is new.
    fn origin(&mut self, now: Instant, mark: &Mark) -> Option<&mut Origin> {
        if !self.origins.contains_key(&*mark.origin) {
            if self.origins.len() >= MAX_ORIGINS {
                let others = self.origins.iter().filter(|(name, _)| **name != self.own);
                let oldest = others.min_by_key(|(_, origin)| origin.heard).map(|(name, _)| name.clone())?;
                self.origins.remove(&oldest);
            }
            let new = Origin { next: mark.number, first: mark.number, heard: None };
            self.origins.insert(Rc::from(&*mark.origin), new);
        }
        let origin = self.origins.get_mut(&*mark.origin)?;
        origin.heard = Some(now);
        Some(origin)
    }

    /// Remembers an event of this node or of another. `sender` is the id of the socket it does not go to.
    pub(crate) fn record(
        &mut self,
        now: Instant,
        mark: &Mark,
        selection: &Selection,
        sender: Option<&Rc<str>>,
        message: Message,
    ) {
        let Some(origin) = self.origin(now, mark) else { return };
        origin.next = origin.next.max(mark.number.saturating_add(1));
        let size = message.packets().iter().map(|packet| packet.frame().len()).sum();
        let mut except = selection.except.clone();
        except.extend(sender.cloned());
        let (origin, to) = (Rc::from(&*mark.origin), selection.to.clone());
        self.packets.push_back(Sent { origin, number: mark.number, at: now, to, except, message, size });
        self.bytes += size;
        self.forget(now);
    }

    /// Remembers a socket that went away.
    pub(crate) fn keep(&mut self, pid: Rc<str>, lost: Lost) {
        self.forget(lost.at);
        if self.lost.len() < MAX_LOST || self.lost.contains_key(&pid) {
            self.lost.insert(pid, lost);
        }
    }

    /// The socket with that private id and what it missed since that offset, unless it is too late.
    pub(crate) fn restore(&mut self, now: Instant, pid: &str, offset: &str) -> Option<Recovered> {
        self.forget(now);
        let lost = self.lost.get(pid)?.clone();
        let heard = self.parse(offset)?;
        for (name, origin) in &self.origins {
            let next = heard.get(&**name).map_or(0, |number| number + 1);
            if next < origin.first || next > origin.next {
                return None;
            }
        }
        let is_missed = |sent: &&Sent| heard.get(&*sent.origin).is_none_or(|number| sent.number > *number);
        let missed = self.packets.iter().filter(is_missed).filter(|sent| sent.concerns(&lost.rooms));
        let missed = missed.map(|sent| sent.message.clone()).collect();
        Some(Recovered { lost, missed })
    }

    /// Up to which event of each node an offset says that a client has heard; `None` where it names nodes that are not
    /// known here.
    fn parse<'a>(&self, offset: &'a str) -> Option<BTreeMap<&'a str, u64>> {
        let mut heard = BTreeMap::new();
        for part in offset.split('~').take(MAX_ORIGINS + 1) {
            let (origin, number) = part.rsplit_once('.')?;
            let number = number.parse().ok().filter(|number| *number < u64::MAX)?;
            self.origins.get(origin)?;
            heard.insert(origin, number);
        }
        Some(heard)
    }

    /// Forgets what was sent: only for the fault that does so.
    pub(crate) fn discard(&mut self) {
        while self.forget_oldest() {}
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
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) -> bool {
        let Some(oldest) = self.packets.pop_front() else { return false };
        self.bytes -= oldest.size;
        if let Some(origin) = self.origins.get_mut(&oldest.origin) {
            origin.first = origin.first.max(oldest.number.saturating_add(1));
        }
        true
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
        let mark = recovery.mark();
        hear(recovery, now, &mark, to, text)
    }

    fn hear(recovery: &mut Recovery, now: Instant, mark: &Mark, to: &[&str], text: &str) -> String {
        let offset = recovery.offset(mark);
        let selection = Selection { to: rooms(to), ..Selection::default() };
        recovery.record(now, mark, &selection, None, Message::event("/", None, &Args::event(text)));
        offset
    }

    fn texts(recovered: &Recovered) -> Vec<String> {
        let body = |message: &Message| String::from_utf8_lossy(message.packets()[0].body()).into_owned();
        recovered.missed.iter().map(body).collect()
    }

    fn lost(at: Instant) -> Lost {
        Lost { sid: Rc::from("sid"), rooms: rooms(&["sid", "r"]), at, elsewhere: false }
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
        let (mark, everyone) = (recovery.mark(), Selection::default());
        recovery.record(now, &mark, &everyone, Some(&sid), Message::event("/", None, &Args::event("b")));
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

    /// Two nodes that hear each other's events, in whatever order.
    fn nodes() -> (Recovery, Recovery) {
        (Recovery::new(WINDOW, "p".to_owned()), Recovery::new(WINDOW, "q".to_owned()))
    }

    fn mark(origin: &str, number: u64) -> Mark {
        Mark { origin: origin.to_owned(), number }
    }

    #[test]
    fn who_comes_back_to_a_node_that_heard_in_another_order_gets_what_it_missed_and_no_more() {
        let now = Instant::now();
        let (mut here, mut there) = nodes();
        say(&mut here, now, &[], "p0");
        let offset = hear(&mut here, now, &mark("q", 0), &[], "q0");
        say(&mut here, now, &[], "p1");
        // The other node heard q0 and q1 first of all.
        say(&mut there, now, &[], "q0");
        say(&mut there, now, &[], "q1");
        hear(&mut there, now, &mark("p", 0), &[], "p0");
        hear(&mut there, now, &mark("p", 1), &[], "p1");
        there.keep(Rc::from("pid"), lost(now));
        assert_eq!(texts(&there.restore(now, "pid", &offset).unwrap()), [r#"42["q1"]"#, r#"42["p1"]"#]);
    }

    #[test]
    fn a_node_that_lags_behind_what_a_client_has_heard_does_not_recover_it() {
        let now = Instant::now();
        let (mut here, mut there) = nodes();
        say(&mut here, now, &[], "p0");
        let offset = say(&mut here, now, &[], "p1");
        hear(&mut there, now, &mark("p", 0), &[], "p0");
        there.keep(Rc::from("pid"), lost(now));
        assert!(there.restore(now, "pid", &offset).is_none());
        hear(&mut there, now, &mark("p", 1), &[], "p1");
        assert!(there.restore(now, "pid", &offset).unwrap().missed.is_empty());
    }

    #[test]
    fn a_node_that_came_later_knows_what_it_cannot_know() {
        let now = Instant::now();
        let (mut here, mut there) = nodes();
        let early = say(&mut here, now, &[], "p0");
        let late = say(&mut here, now, &[], "p1");
        there.handle_mark(now, &here.mark());
        there.keep(Rc::from("pid"), lost(now));
        assert!(there.restore(now, "pid", &early).is_none(), "it never heard of p1");
        assert!(there.restore(now, "pid", &late).unwrap().missed.is_empty());
    }

    #[test]
    fn a_crowd_of_nodes_costs_no_more_than_the_bound_and_the_own_events_stay_known() {
        let now = Instant::now();
        let mut recovery = Recovery::new(WINDOW, "p".to_owned());
        say(&mut recovery, now, &[], "a");
        for number in 0..1000 {
            recovery.handle_mark(now + Duration::from_millis(number), &mark(&format!("n{number}"), 1));
        }
        assert_eq!(recovery.origins.len(), MAX_ORIGINS);
        assert_eq!(recovery.mark().number, 1);
    }
}
