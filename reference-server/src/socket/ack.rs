//! Acknowledgements both ways: answers the server owes, and answers it waits for.
//!
//! Spec: Socket.IO protocol v5, "Acknowledgement"; Socket.IO documentation, "Broadcasting with acknowledgements".

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::args::{Arg, Args};
use super::elsewhere::{Question, Reply};
use super::message::Message;
use super::socket::Socket;
use super::told::{Scope, Told};
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
    asker: Rc<Socket>,
    /// Sockets that have not answered.
    missing: usize,
    /// Nodes that have not said how many sockets they ask.
    uncounted: usize,
    answers: Vec<Arg<'static>>,
    timer: Option<TimerKey>,
    question: Option<Question>,
    done: Option<Collected>,
}

impl Collection {
    fn finish(&mut self, timed_out: bool) {
        if let Some(timer) = self.timer.take() {
            self.asker.shared.timers.cancel(timer);
        }
        if let Some(question) = self.question.take() {
            self.asker.io.elsewhere.forget(question);
        }
        if let Some(done) = self.done.take() {
            done(timed_out, std::mem::take(&mut self.answers));
        }
    }

    fn is_complete(&self) -> bool {
        self.missing == 0 && self.uncounted == 0
    }

    fn take(&mut self, answer: Option<Arg<'static>>) {
        let null = || Arg::Json(Cow::Borrowed(RawValue::NULL));
        self.missing = self.missing.saturating_sub(1);
        self.answers.push(answer.unwrap_or_else(null));
    }

    /// What another node replied.
    fn handle(&mut self, reply: Reply) {
        match reply {
            Reply::Asked(count) => {
                self.uncounted = self.uncounted.saturating_sub(1);
                self.missing = self.missing.saturating_add(count);
            }
            Reply::Gone => self.uncounted = self.uncounted.saturating_sub(1),
            Reply::Answer(answer) if self.missing > 0 => self.take(Some(answer)),
            Reply::Answer(_) | Reply::Ids(_) => {}
        }
        if self.is_complete() {
            self.finish(false);
        }
    }
}

/// Asks many clients at once, those here and those that `elsewhere` means on other nodes, and tells `done` whether some did not
/// answer in time and what the others did.
pub(crate) fn ask_all(
    asker: &Rc<Socket>,
    receivers: Vec<Rc<Socket>>,
    elsewhere: Option<Scope>,
    patience: Duration,
    args: Args,
    done: impl FnOnce(bool, Vec<Arg<'static>>) + 'static,
) {
    let collection = Rc::new(RefCell::new(Collection {
        asker: asker.clone(),
        missing: receivers.len(),
        uncounted: 0,
        answers: Vec::new(),
        timer: None,
        question: None,
        done: Some(Box::new(done)),
    }));
    if let Some(scope) = elsewhere {
        ask_elsewhere(asker, scope, patience, &args, &collection);
    }
    if collection.borrow().is_complete() && !asker.has(Fault::NobodyAskedTimesOut) {
        return collection.borrow_mut().finish(false);
    }
    let id = asker.namespace.next_ack();
    let message = asker.namespace.encode(Some(id), args);
    let timer = {
        let (receivers, collection) = (receivers.clone(), collection.clone());
        let drops_partial = asker.has(Fault::BroadcastAckDropsPartial);
        asker.shared.after(patience, move || {
            for socket in receivers {
                socket.waiting.borrow_mut().remove(&id);
            }
            let mut collection = collection.borrow_mut();
            collection.timer = None;
            if drops_partial {
                collection.answers.clear();
            }
            collection.finish(true);
        })
    };
    collection.borrow_mut().timer = Some(timer);
    for socket in receivers.iter().filter(|socket| !owes_too_much(socket)) {
        expect_answer(socket, id, collection.clone());
        socket.deliver(&message, false);
    }
}

fn ask_elsewhere(
    asker: &Rc<Socket>,
    scope: Scope,
    patience: Duration,
    args: &Args,
    collection: &Rc<RefCell<Collection>>,
) {
    let elsewhere = &asker.io.elsewhere;
    let ask = |request| Told::Ask {
        namespace: asker.namespace.name.to_string(),
        scope,
        request,
        patience: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
    };
    let replies = collection.clone();
    let Some(question) = elsewhere.ask(args, ask, move |reply| replies.borrow_mut().handle(reply)) else {
        return;
    };
    if asker.has(Fault::AckBroadcastCountsOwnNode) {
        return elsewhere.forget(question);
    }
    let mut collection = collection.borrow_mut();
    (collection.uncounted, collection.question) = (question.nodes, Some(question));
}

/// Asks the clients here what another node wants to know, and tells each answer to `answered`.
pub(crate) fn ask_for_another(
    receivers: Vec<Rc<Socket>>,
    patience: Duration,
    args: Args,
    answered: impl Fn(Arg<'static>) + 'static,
) {
    let Some(first) = receivers.first() else { return };
    let id = first.namespace.next_ack();
    let message = first.namespace.encode(Some(id), args);
    let answered = Rc::new(answered);
    for socket in receivers.iter().filter(|socket| !owes_too_much(socket)) {
        let answered = answered.clone();
        let null = || Arg::Json(Cow::Borrowed(RawValue::NULL));
        let handle =
            move |answer: Vec<Arg<'static>>| answered(answer.into_iter().next().unwrap_or_else(null));
        socket.waiting.borrow_mut().insert(id, Box::new(handle));
        socket.deliver(&message, false);
    }
    let shared = first.shared.clone();
    shared.after(patience, move || {
        for socket in receivers {
            socket.waiting.borrow_mut().remove(&id);
        }
    });
}

fn owes_too_much(socket: &Socket) -> bool {
    socket.waiting.borrow().len() >= socket.shared.config.limits.pending_acks
}

/// Counts the answer of one client when it comes, once.
fn expect_answer(socket: &Rc<Socket>, id: u64, collection: Rc<RefCell<Collection>>) {
    let receiver = Rc::downgrade(socket);
    let answered = move |answer: Vec<Arg<'static>>| {
        let Some(socket) = receiver.upgrade() else { return };
        let mut counting = collection.borrow_mut();
        counting.take(answer.into_iter().next());
        if counting.is_complete() || socket.has(Fault::FirstAnswerIsAll) {
            counting.finish(false);
        } else if socket.has(Fault::DuplicateAnswersCount) {
            expect_answer(&socket, id, collection.clone());
        }
    };
    socket.waiting.borrow_mut().insert(id, Box::new(answered));
}
