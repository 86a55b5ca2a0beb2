//! The nodes behind a balancer, as clients learn them. What a server says is not trusted: names are few, short and printable.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event_template::{Words, args_word};
use crate::contract::{MOST_LEARNED, NodeRule, NodeSign, is_node_name};
use crate::protocol::http::Head;
use crate::protocol::set_cookie::SetCookie;
use crate::session::{ServerEvent, Session};
use crate::template::Values;

/// The nodes that the clients of a run have learned.
#[derive(Debug)]
pub struct LearnedNodes {
    sign: NodeSign,
    names: Mutex<Vec<String>>,
    /// Whether these are all of them.
    are_all: bool,
}

/// What a client has learned of its node on this connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct LearnedPlace {
    /// Its node, as an index into the names.
    pub node: Option<u16>,
    /// Whether a namespace has accepted it.
    pub is_connected: bool,
    /// Whether it was connected once and had not learned it.
    pub was_astray: bool,
}

impl LearnedPlace {
    /// The connection is over.
    pub fn note_end(&mut self) {
        let (node, was_connected) = (self.node.take(), std::mem::take(&mut self.is_connected));
        self.was_astray |= node.is_none() && was_connected;
    }
}

impl LearnedNodes {
    /// Those that the rule names, or none yet.
    pub fn new(rule: NodeRule) -> LearnedNodes {
        let NodeRule { sign, names } = rule;
        LearnedNodes { sign, are_all: !names.is_empty(), names: Mutex::new(names) }
    }

    /// How many there are, or may be.
    pub fn most(&self) -> usize {
        if self.are_all { self.names().len() } else { MOST_LEARNED }
    }

    /// The nodes by their names, each with its number.
    pub fn told(&self) -> Vec<(usize, String)> {
        let mut nodes: Vec<(usize, String)> = self.names().iter().cloned().enumerate().collect();
        nodes.sort_by(|(_, one), (_, other)| natural(one).cmp(&natural(other)));
        nodes
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
        if !is_node_name(name) {
            return None;
        }
        let mut names = self.names();
        let known = names.iter().position(|known| known == name);
        let place = known.or_else(|| {
            let is_free = !self.are_all && names.len() < MOST_LEARNED;
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

    fn of_header(names: &[&str]) -> LearnedNodes {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        LearnedNodes::new(NodeRule { sign: NodeSign::Header("X-Node".to_owned()), names })
    }

    #[test]
    fn names_that_are_given_have_the_numbers_of_their_order_and_no_others_are_learned() {
        let nodes = of_header(&["b", "a"]);
        assert_eq!((nodes.place("a"), nodes.place("b"), nodes.place("c")), (Some(1), Some(0), None));
        assert_eq!((nodes.most(), nodes.told().len()), (2, 2));
    }

    #[test]
    fn names_are_few_short_and_printable() {
        let nodes = of_header(&[]);
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
        let nodes = of_header(&[]);
        let names = ["pod-10", "pod-2", "pod", "2b", "pod-02", "10", "pod-2-b"];
        names.iter().for_each(|name| assert!(nodes.place(name).is_some()));
        let told = nodes.told();
        assert!(told.iter().all(|(number, name)| names[*number] == name), "{told:?}");
        let told: Vec<&str> = told.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(told, ["pod", "pod-02", "pod-2", "pod-2-b", "pod-10", "2b", "10"]);
    }
}
