//! Namespaces: who is in them, how they are addressed, what they remember.
//!
//! Spec: Socket.IO documentation, "Namespaces", "Middlewares", "Connection state recovery"; semantics of the official
//! in-memory adapter. `T` is a member; the table of namespaces is the application's.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::args::Args;
use super::message::Message;
use super::recovery::{Lost, Recovered, Recovery};
use super::rooms::{Rooms, Selection};
use super::told::Mark;
use crate::faults::lagging::Lagging;
use crate::faults::{Fault, recovery};
use crate::shared::Shared;

/// A middleware: looks at the auth payload (a JSON object), may refuse.
pub(crate) type Guard = fn(&str) -> Option<Refusal>;

/// What a middleware's error carries.
pub(crate) struct Refusal {
    pub(crate) message: &'static str,
    /// JSON.
    pub(crate) data: Option<&'static str>,
}

impl Refusal {
    /// The payload of a CONNECT_ERROR.
    pub(crate) fn json(&self) -> String {
        let data = self.data.map(|data| format!(",\"data\":{data}")).unwrap_or_default();
        format!("{{\"message\":\"{}\"{data}}}", self.message)
    }
}

/// Which namespaces there may be.
pub(crate) struct Definition {
    pub(crate) name: Name,
    pub(crate) guard: Option<Guard>,
}

/// The name of a namespace, or a pattern of names.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    Exactly(&'static str),
    /// A prefix followed by one or more digits.
    Numbered(&'static str),
}

impl Name {
    pub(crate) fn covers(self, name: &str) -> bool {
        match self {
            Name::Exactly(own) => own == name,
            Name::Numbered(prefix) => name.strip_prefix(prefix).is_some_and(|rest| {
                !rest.is_empty() && rest.len() <= 32 && rest.bytes().all(|byte| byte.is_ascii_digit())
            }),
        }
    }
}

pub(crate) struct Namespace<T> {
    pub(crate) name: Rc<str>,
    pub(crate) shared: Rc<Shared>,
    pub(crate) guard: Option<Guard>,
    pub(crate) rooms: RefCell<Rooms<T>>,
    pub(crate) recovery: Option<RefCell<Recovery>>,
    next_ack: Cell<u64>,
    /// For the fault that makes it twice.
    made: Instant,
    /// For the fault of rooms that stick.
    pub(crate) stuck: RefCell<Vec<Rc<str>>>,
    /// For the faults of moves that other nodes do not learn of.
    pub(crate) lagging: RefCell<Vec<Lagging<T>>>,
}

impl<T: Clone> Namespace<T> {
    pub(crate) fn new(shared: &Rc<Shared>, name: &str, guard: Option<Guard>) -> Rc<Namespace<T>> {
        let longer = if shared.has(Fault::RecoveryNeverExpires) { 1000 } else { 1 };
        let recovery = shared
            .config
            .recovery
            .map(|window| RefCell::new(Recovery::new(window * longer, shared.ids.new_id().to_string())));
        Rc::new(Namespace {
            name: Rc::from(name),
            shared: shared.clone(),
            guard,
            rooms: RefCell::default(),
            recovery,
            next_ack: Cell::new(0),
            made: Instant::now(),
            stuck: RefCell::default(),
            lagging: RefCell::default(),
        })
    }

    /// Whether nobody is in it and nothing is remembered.
    pub(crate) fn is_empty(&self) -> bool {
        let remembers = self.recovery.as_ref().is_some_and(|recovery| !recovery.borrow().is_empty());
        !remembers && self.rooms.borrow().is_empty()
    }

    /// Whether it was made just now.
    pub(crate) fn is_fresh(&self) -> bool {
        self.made.elapsed() < Duration::from_millis(50)
    }

    /// A fresh acknowledgement id.
    pub(crate) fn next_ack(&self) -> u64 {
        let step = u64::from(!self.shared.has(Fault::AckIdsRepeat));
        self.next_ack.replace(self.next_ack.get() + step)
    }

    /// Encodes an event for this namespace.
    pub(crate) fn encode(&self, id: Option<u64>, mut args: Args) -> Message {
        if self.shared.has(Fault::AttachmentsReversed) {
            args.reverse_attachments();
        }
        Message::event(&self.name, id, &args)
    }

    /// Encodes an event that recovery is to remember; `from` is the socket it does not go to.
    pub(crate) fn encode_recorded(
        &self,
        selection: &Selection,
        from: Option<&Rc<str>>,
        args: Args,
    ) -> Message {
        match self.mark() {
            Some(mark) => self.encode_marked(&mark, selection, from, args),
            None => self.encode(None, args),
        }
    }

    /// The same for an event of any node, whose place is known.
    pub(crate) fn encode_marked(
        &self,
        mark: &Mark,
        selection: &Selection,
        from: Option<&Rc<str>>,
        mut args: Args,
    ) -> Message {
        let Some(recovery) = &self.recovery else { return self.encode(None, args) };
        let mut recovery = recovery.borrow_mut();
        if !self.shared.has(Fault::OffsetMissing) {
            args = args.with(&recovery.offset(mark));
        }
        let message = self.encode(None, args);
        recovery.record(Instant::now(), mark, selection, from, message.clone());
        message
    }

    /// The place of the next event that recovery is to remember.
    pub(crate) fn mark(&self) -> Option<Mark> {
        Some(self.recovery.as_ref()?.borrow().mark())
    }

    /// The selected members.
    pub(crate) fn members(&self, selection: &Selection) -> Vec<T> {
        let mut members = Vec::new();
        self.rooms.borrow().select(selection, |member| members.push(member.clone()));
        members
    }

    /// The lost socket a client asks to have back, if it can be had.
    pub(crate) fn restore(&self, auth: &str) -> Option<Recovered> {
        let memory = self.recovery.as_ref()?;
        let auth: serde_json::Value = serde_json::from_str(auth).ok()?;
        let (pid, offset) = (auth["pid"].as_str()?, auth["offset"].as_str()?);
        let mut recovered = memory.borrow_mut().restore(Instant::now(), pid, offset)?;
        recovery::spoil(&self.shared, &mut memory.borrow_mut(), &mut recovered);
        Some(recovered)
    }

    /// Remembers a socket that went away and may come back.
    pub(crate) fn keep(&self, pid: &Rc<str>, lost: Lost) {
        if let Some(recovery) = &self.recovery {
            recovery.borrow_mut().keep(pid.clone(), lost);
        }
    }
}
