//! Acknowledgements both ways: answers the server owes, and answers it waits for.
//!
//! Spec: Socket.IO protocol v5, "Acknowledgement"; Socket.IO documentation, "Broadcasting with acknowledgements".

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::args::{Arg, Args};
use super::message::Message;
use super::socket::Socket;
use crate::faults::{Fault, acks};
use crate::reason::Reason;
use crate::timers::TimerKey;

/// The answer a client may expect to its event: none if it gave no id, and one at most.
pub(crate) struct Ack {
    socket: Rc<Socket>,
    id: Option<Box<str>>,
    sent: Cell<bool>,
}

impl Ack {
    /// The answer to an event of `socket` with that id.
    pub(crate) fn new(socket: &Rc<Socket>, id: Option<&str>) -> Ack {
        let (socket, id) = acks::address(socket, id);
        Ack { socket, id, sent: Cell::new(false) }
    }

    /// Whether the client asked for an answer.
    pub(crate) fn is_wanted(&self) -> bool {
        self.id.is_some()
    }

    /// Answers; a second time has no effect.
    pub(crate) fn send(&self, args: &Args) {
        let Some(id) = &self.id else { return };
        let socket = &self.socket;
        if self.sent.replace(true) && !socket.has(Fault::AckTwice) {
            return;
        }
        if !acks::spoil(socket, id, args) {
            socket.send(&Message::ack(&socket.namespace.name, id, args));
        }
    }
}

/// Asks one client, and tells `done` whether it timed out and what it answered.
pub(crate) fn ask(
    socket: &Rc<Socket>,
    patience: Duration,
    args: Args,
    done: impl FnOnce(bool, Vec<Arg<'static>>) + 'static,
) {
    if owes_too_much(socket) {
        return done(true, Vec::new());
    }
    let id = socket.namespace.next_ack();
    let done = Rc::new(Cell::new(Some(done)));
    let timer = {
        let (socket, done) = (socket.clone(), done.clone());
        socket.shared.clone().after(patience, move || {
            socket.waiting.borrow_mut().remove(&id);
            if socket.has(Fault::AckTimeoutSilent) {
                return;
            }
            if socket.has(Fault::LateTimeoutCloses) && !socket.is_connected() {
                return socket.connection.session.close(Reason::ForcedClose);
            }
            if let Some(done) = done.take() {
                done(true, Vec::new());
            }
        })
    };
    let shared = socket.shared.clone();
    let answered = move |mut answer: Vec<Arg<'static>>| {
        shared.timers.cancel(timer);
        if shared.has(Fault::AnswerFirstArgumentOnly) {
            answer.truncate(1);
        }
        if let Some(done) = done.take() {
            done(false, answer);
        }
    };
    socket.waiting.borrow_mut().insert(id, Box::new(answered));
    socket.deliver(&socket.namespace.encode(Some(id), args), false);
}

type Collected = Box<dyn FnOnce(bool, Vec<Arg<'static>>)>;

struct Collection {
    missing: usize,
    answers: Vec<Arg<'static>>,
    done: Option<Collected>,
}

impl Collection {
    fn finish(&mut self, timed_out: bool) {
        if let Some(done) = self.done.take() {
            done(timed_out, std::mem::take(&mut self.answers));
        }
    }
}

/// Asks many clients at once, and tells `done` whether some did not answer in time and what the others did.
pub(crate) fn ask_all(
    asker: &Rc<Socket>,
    receivers: Vec<Rc<Socket>>,
    patience: Duration,
    args: Args,
    done: impl FnOnce(bool, Vec<Arg<'static>>) + 'static,
) {
    if receivers.is_empty() && !asker.has(Fault::NobodyAskedTimesOut) {
        return done(false, Vec::new());
    }
    let id = asker.namespace.next_ack();
    let collection = Rc::new(RefCell::new(Collection {
        missing: receivers.len(),
        answers: Vec::new(),
        done: Some(Box::new(done)),
    }));
    let message = asker.namespace.encode(Some(id), args);
    let timer = {
        let (receivers, collection) = (receivers.clone(), collection.clone());
        let drops_partial = asker.has(Fault::BroadcastAckDropsPartial);
        asker.shared.after(patience, move || {
            for socket in receivers {
                socket.waiting.borrow_mut().remove(&id);
            }
            let mut collection = collection.borrow_mut();
            if drops_partial {
                collection.answers.clear();
            }
            collection.finish(true);
        })
    };
    for socket in receivers.iter().filter(|socket| !owes_too_much(socket)) {
        expect_answer(socket, id, collection.clone(), timer);
        socket.deliver(&message, false);
    }
}

fn owes_too_much(socket: &Socket) -> bool {
    socket.waiting.borrow().len() >= socket.shared.config.limits.pending_acks
}

/// Counts the answer of one client when it comes, once.
fn expect_answer(socket: &Rc<Socket>, id: u64, collection: Rc<RefCell<Collection>>, timer: TimerKey) {
    let receiver = Rc::downgrade(socket);
    let answered = move |answer: Vec<Arg<'static>>| {
        let Some(socket) = receiver.upgrade() else { return };
        let mut counting = collection.borrow_mut();
        counting.missing = counting.missing.saturating_sub(1);
        let null = || Arg::Json(Cow::Borrowed(RawValue::NULL));
        counting.answers.push(answer.into_iter().next().unwrap_or_else(null));
        if counting.missing == 0 || socket.has(Fault::FirstAnswerIsAll) {
            socket.shared.timers.cancel(timer);
            counting.finish(false);
        } else if socket.has(Fault::DuplicateAnswersCount) {
            expect_answer(&socket, id, collection.clone(), timer);
        }
    };
    socket.waiting.borrow_mut().insert(id, Box::new(answered));
}
