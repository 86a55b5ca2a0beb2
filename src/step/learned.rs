//! The nodes behind a balancer, as clients learn them. What a server says is not trusted: names are few, short and printable.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event_template::{Words, args_word};
use crate::contract::NodeSign;
use crate::protocol::http::Head;
use crate::protocol::set_cookie::SetCookie;
use crate::session::{ServerEvent, Session};
use crate::template::Values;

/// The most nodes that are told apart.
pub const MOST_LEARNED: usize = 16;

/// The longest name of a node, in characters.
const LONGEST: usize = 64;

/// The nodes that the clients of a run have learned.
#[derive(Debug)]
pub struct LearnedNodes {
    sign: NodeSign,
    names: Mutex<Vec<String>>,
    /// Clients that were connected and did not learn their node.
    unknown: AtomicU64,
}

/// What a client has learned of its node on this connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct LearnedPlace {
    /// Its node, as an index into the names.
    pub node: Option<u16>,
    /// Whether a namespace has accepted it.
    pub is_connected: bool,
    /// Whether it is counted among those who once did not learn theirs.
    is_counted: bool,
}

impl LearnedNodes {
    /// None yet, by this sign.
    pub fn new(sign: NodeSign) -> LearnedNodes {
        LearnedNodes { sign, names: Mutex::default(), unknown: AtomicU64::new(0) }
    }

    /// The nodes by their names, each with its number, and how many clients did not learn theirs.
    pub fn told(&self) -> (Vec<(usize, String)>, u64) {
        let mut nodes: Vec<(usize, String)> = self.names().iter().cloned().enumerate().collect();
        nodes.sort_by(|(_, one), (_, other)| natural(one).cmp(&natural(other)));
        (nodes, self.unknown.load(Ordering::Relaxed))
    }

    /// The name of the node with this number.
    pub(super) fn name_of(&self, node: usize) -> Option<String> {
        self.names().get(node).cloned()
    }

    fn names(&self) -> MutexGuard<'_, Vec<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node of a name. None if it is no name, or one too many.
    fn place(&self, name: &str) -> Option<u16> {
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c.is_ascii_graphic());
        if name.is_empty() || name.chars().count() > LONGEST || !is_name(name) {
            return None;
        }
        let mut names = self.names();
        let known = names.iter().position(|known| known == name);
        let place = known.or_else(|| {
            let is_free = names.len() < MOST_LEARNED;
            is_free.then(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        });
        place.and_then(|place| u16::try_from(place).ok())
    }

    /// Whether a cookie tells the node, and is none of the server's secrets.
    pub fn is_told_by(&self, set_cookie: &str) -> bool {
        matches!(&self.sign, NodeSign::Cookie(name) if set_cookie.split('=').next().map(str::trim) == Some(name))
    }

    /// The node that the answer to a handshake tells, or a cookie that the client has already.
    pub fn of_head(&self, head: &Head, session: &Session) -> Option<u16> {
        match &self.sign {
            NodeSign::Header(name) => self.place(head.header(name)?),
            NodeSign::Cookie(name) => {
                let set = head.values("set-cookie").filter_map(SetCookie::parse);
                let fresh = set.filter(|cookie| cookie.name == name).last();
                match fresh {
                    Some(cookie) => self.place(cookie.value),
                    None => self.place(session.cookie(name)?),
                }
            }
            NodeSign::Event { .. } => None,
        }
    }

    /// The node that an event tells.
    pub fn of_event(&self, name: &str, message: &ServerEvent<'_>, values: &dyn Values) -> Option<u16> {
        let NodeSign::Event { event, name: template } = &self.sign else { return None };
        if event != name {
            return None;
        }
        let words = [args_word(message)?];
        let name = template.render_text(&Words { values, words: &words, i: None }).ok()?;
        self.place(&name)
    }

    /// A client's connection is over: whether it had learned its node is counted once.
    pub fn note_end(&self, place: &mut LearnedPlace) {
        let (node, was_connected) = (place.node.take(), std::mem::take(&mut place.is_connected));
        if node.is_none() && was_connected && !std::mem::replace(&mut place.is_counted, true) {
            self.unknown.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What sorts a name as people do, `pod-2` before `pod-10`: its runs of digits by their value.
fn natural(name: &str) -> (Vec<(usize, &str)>, &str) {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut runs = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_digit(c) != is_digit(first)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        let value = run.trim_start_matches('0');
        runs.push(if is_digit(first) { (value.len().max(1), value) } else { (0, run) });
        rest = behind;
    }
    (runs, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_few_short_and_printable() {
        let nodes = LearnedNodes::new(NodeSign::Header("X-Node".to_owned()));
        for wrong in ["", "a b", "a\u{1b}[31m", "\n", &"x".repeat(65)] {
            assert_eq!(nodes.place(wrong), None, "{wrong:?}");
        }
        let places: Vec<_> = (0..20).map(|node| nodes.place(&format!("pod-{node}"))).collect();
        let known = (0..MOST_LEARNED as u16).map(Some);
        assert_eq!(places, known.chain([None; 4]).collect::<Vec<_>>());
        assert_eq!(nodes.place("pod-3"), Some(3));
    }

    #[test]
    fn nodes_are_told_by_their_names_and_keep_their_numbers() {
        let nodes = LearnedNodes::new(NodeSign::Header("X-Node".to_owned()));
        let names = ["pod-10", "pod-2", "pod", "2b", "pod-02", "10", "pod-2-b"];
        names.iter().for_each(|name| assert!(nodes.place(name).is_some()));
        let (told, _) = nodes.told();
        assert!(told.iter().all(|(number, name)| names[*number] == name), "{told:?}");
        let told: Vec<&str> = told.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(told, ["pod", "pod-02", "pod-2", "pod-2-b", "pod-10", "2b", "10"]);
    }
}
