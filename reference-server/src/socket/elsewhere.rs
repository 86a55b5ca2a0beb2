//! The other nodes, as a socket sees them: what they are told, and what they are asked.
//!
//! On a server that is no node of a cluster all of this does nothing. The other end is `hearing`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::args::{Arg, Args};
use super::rooms::Selection;
use super::told::{self, Scope, Told};
use crate::bus::frame::NodeId;
use crate::bus::link::Link;

/// So many questions may wait for the other nodes; those beyond are not asked.
const MOST_QUESTIONS: usize = 100_000;

/// What another node replies to a question.
pub(crate) enum Reply {
    /// So many sockets are asked there; their answers follow.
    Asked(usize),
    /// What one of them answered.
    Answer(Arg<'static>),
    /// The ids of the sockets there.
    Ids(Vec<String>),
    /// The node went away before it replied.
    Gone,
}

/// A question that the other nodes were asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) number: u64,
    /// How many nodes were asked.
    pub(crate) nodes: usize,
}

struct Waiting {
    /// The nodes that have not replied yet.
    nodes: Vec<NodeId>,
    handle: Rc<dyn Fn(Reply)>,
}

#[derive(Default)]
pub(crate) struct Elsewhere {
    link: Option<Rc<Link>>,
    questions: RefCell<BTreeMap<u64, Waiting>>,
    next: Cell<u64>,
    /// For the fault that waits for nodes that have gone.
    pub(crate) departed: RefCell<Vec<NodeId>>,
}

impl Elsewhere {
    /// What is behind that link, if there is one.
    pub(crate) fn new(link: Option<Rc<Link>>) -> Elsewhere {
        Elsewhere { link, ..Elsewhere::default() }
    }

    /// The name of this node, if it is one.
    pub(crate) fn own_name(&self) -> Option<&str> {
        self.link.as_deref().map(Link::name)
    }

    /// Tells all other nodes something.
    pub(crate) fn tell(&self, args: &Args, what: impl FnOnce() -> Told) {
        if let Some(link) = &self.link {
            link.tell(told::encode(&what(), args));
        }
    }

    /// Asks all other nodes; `None`: there is nobody to be asked.
    pub(crate) fn ask(
        &self,
        args: &Args,
        what: impl FnOnce(u64) -> Told,
        handle: impl Fn(Reply) + 'static,
    ) -> Option<Question> {
        let link = self.link.as_ref()?;
        let mut nodes = link.others();
        nodes.extend(self.departed.borrow().iter());
        if nodes.is_empty() || self.questions.borrow().len() >= MOST_QUESTIONS {
            return None;
        }
        let question = Question { number: self.next.replace(self.next.get() + 1), nodes: nodes.len() };
        self.questions.borrow_mut().insert(question.number, Waiting { nodes, handle: Rc::new(handle) });
        link.tell(told::encode(&what(question.number), args));
        Some(question)
    }

    /// Nobody waits for replies any more.
    pub(crate) fn forget(&self, question: Question) {
        self.questions.borrow_mut().remove(&question.number);
    }

    /// A node replied to a question, unless it is one that nobody asked.
    pub(crate) fn handle_reply(&self, from: NodeId, question: u64, reply: Reply) {
        let handle = {
            let mut questions = self.questions.borrow_mut();
            let Some(waiting) = questions.get_mut(&question) else { return };
            let place = waiting.nodes.iter().position(|node| *node == from);
            match (&reply, place) {
                (Reply::Answer(_), None) => {}
                (Reply::Answer(_), Some(_)) | (_, None) => return,
                (_, Some(place)) => drop(waiting.nodes.swap_remove(place)),
            }
            waiting.handle.clone()
        };
        handle(reply);
    }

    /// A node has gone: what it has not replied it never will.
    pub(crate) fn handle_departure(&self, node: NodeId) {
        let asked = |(number, waiting): (&u64, &Waiting)| waiting.nodes.contains(&node).then_some(*number);
        let questions: Vec<u64> = self.questions.borrow().iter().filter_map(asked).collect();
        questions.into_iter().for_each(|question| self.handle_reply(node, question, Reply::Gone));
    }
}

impl Scope {
    /// Whom a selection means on the other nodes.
    pub(crate) fn of(selection: &Selection) -> Scope {
        let names = |rooms: &[Rc<str>]| rooms.iter().map(|room| room.to_string()).collect();
        Scope { to: names(&selection.to), except: names(&selection.except) }
    }

    /// Whom it means here.
    pub(crate) fn selection(self) -> Selection {
        let names = |rooms: Vec<String>| rooms.into_iter().map(Rc::from).collect();
        Selection { to: names(self.to), except: names(self.except), except_key: None }
    }
}
