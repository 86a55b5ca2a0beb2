//! Acknowledgements both ways: answers the server owes, and answers it waits for.
//!
//! Spec: Socket.IO protocol v5, "Acknowledgement"; Socket.IO documentation, "Broadcasting with acknowledgements".

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::args::{Arg, Args};
use super::message::Message;
use super::reason::Reason;
use super::socket::Socket;
use crate::faults::Fault;
use crate::timers::TimerKey;

/// What to do with a client's answer.
pub(super) type Waiting = Box<dyn FnOnce(Vec<Arg<'static>>)>;

/// The answer a client may expect to its event: none if it gave no id, and one at most.
pub(crate) struct Ack {
    socket: Rc<Socket>,
    id: Option<Box<str>>,
    sent: Cell<bool>,
}

impl Ack {
    /// The answer to an event of `socket` with that id.
    pub(crate) fn new(socket: &Rc<Socket>, id: Option<&str>) -> Ack {
        let (socket, id) = spoil(socket, id);
        Ack { socket, id, sent: Cell::new(false) }
    }

    /// Whether the client asked for an answer.
    pub(crate) fn is_wanted(&self) -> bool {
        self.id.is_some()
    }

    /// Answers; a second time has no effect.
    pub(crate) fn send(&self, args: &Args) {
        let Some(id) = &self.id else { return };
        let faults = &self.socket.session.server.faults;
        if self.sent.replace(true) && !faults.has(Fault::AckTwice) {
            return;
        }
        if faults.has(Fault::AckDataLost) {
            return self.socket.send(&Message::ack(&self.socket.namespace.name, id, &Args::new()));
        }
        if faults.has(Fault::AckIdShared) {
            let (socket, args) = (self.socket.clone(), args.clone());
            self.socket.session.server.timers.after(Duration::from_millis(2), move || {
                let id = socket.latest_id.borrow().clone();
                socket.send(&Message::ack(&socket.namespace.name, &id, &args));
            });
            return;
        }
        let message = Message::ack(&self.socket.namespace.name, id, args);
        if faults.has(Fault::AckOvertakesEvents) {
            return self.socket.session.send_first(&message);
        }
        self.socket.send(&message);
    }
}

/// The faults of ids: whom an answer goes to, and under which id.
fn spoil(socket: &Rc<Socket>, id: Option<&str>) -> (Rc<Socket>, Option<Box<str>>) {
    let faults = &socket.session.server.faults;
    let Some(id) = id else {
        if faults.has(Fault::EventWithoutIdAnswered) {
            socket.send(&Message::ack(&socket.namespace.name, "", &Args::new()));
        }
        return (socket.clone(), None);
    };
    if faults.has(Fault::AckIdShared) {
        *socket.latest_id.borrow_mut() = id.into();
    }
    let earlier = (faults.has(Fault::AckIdOnlyOnce) || faults.has(Fault::AckIdMixesNamespaces))
        .then(|| socket.earlier_user(id))
        .flatten();
    let again = earlier.as_ref().is_some_and(|earlier| earlier.key == socket.key);
    if faults.has(Fault::AckZeroUnanswered) && id == "0" || faults.has(Fault::AckIdOnlyOnce) && again {
        return (socket.clone(), None);
    }
    if faults.has(Fault::AckIdNarrowed) {
        let narrow = id.parse::<u64>().map_or(0, |id| id as i32);
        return (socket.clone(), Some(narrow.to_string().into()));
    }
    let first = earlier.filter(|_| faults.has(Fault::AckIdMixesNamespaces));
    (first.unwrap_or_else(|| socket.clone()), Some(id.into()))
}

/// Asks one client, and tells `done` whether it timed out and what it answered.
pub(crate) fn ask(
    socket: &Rc<Socket>,
    patience: Duration,
    args: Args,
    done: impl FnOnce(bool, Vec<Arg<'static>>) + 'static,
) {
    let server = &socket.session.server;
    if socket.waiting.borrow().len() >= server.config.limits.pending_acks {
        return done(true, Vec::new());
    }
    let id = socket.namespace.next_ack(server);
    let done = Rc::new(Cell::new(Some(done)));
    let timer = {
        let (socket, done) = (socket.clone(), done.clone());
        server.timers.after(patience, move || {
            socket.waiting.borrow_mut().remove(&id);
            let faults = &socket.session.server.faults;
            if faults.has(Fault::AckTimeoutSilent) {
                return;
            }
            if faults.has(Fault::LateTimeoutCloses) && !socket.is_connected() {
                return socket.session.close(Reason::ForcedClose);
            }
            if let Some(done) = done.take() {
                done(true, Vec::new());
            }
        })
    };
    let timers = server.timers.clone();
    let answered: Waiting = Box::new(move |answer| {
        timers.cancel(timer);
        if let Some(done) = done.take() {
            done(false, answer);
        }
    });
    let answered = if server.faults.has(Fault::AnswerFirstArgumentOnly) {
        Box::new(move |answer: Vec<Arg<'static>>| answered(answer.into_iter().take(1).collect()))
    } else {
        answered
    };
    socket.waiting.borrow_mut().insert(id, answered);
    let message = socket.namespace.encode(server, Some(id), args);
    socket.deliver(&message, false);
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
    let server = &asker.session.server;
    if receivers.is_empty() && !server.faults.has(Fault::NobodyAskedTimesOut) {
        return done(false, Vec::new());
    }
    let id = asker.namespace.next_ack(server);
    let collection = Rc::new(RefCell::new(Collection {
        missing: receivers.len(),
        answers: Vec::new(),
        done: Some(Box::new(done)),
    }));
    let message = asker.namespace.encode(server, Some(id), args);
    let timer = {
        let (receivers, collection) = (receivers.clone(), collection.clone());
        let drops_partial = server.faults.has(Fault::BroadcastAckDropsPartial);
        server.timers.after(patience, move || {
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
    for socket in receivers {
        if socket.waiting.borrow().len() >= server.config.limits.pending_acks {
            continue;
        }
        expect_answer(&socket, id, collection.clone(), timer);
        socket.deliver(&message, false);
    }
}

/// Counts the answer of one client when it comes, once.
fn expect_answer(socket: &Rc<Socket>, id: u64, collection: Rc<RefCell<Collection>>, timer: TimerKey) {
    let receiver = Rc::downgrade(socket);
    let answered: Waiting = Box::new(move |answer| {
        let Some(socket) = receiver.upgrade() else { return };
        let server = &socket.session.server;
        let null = || Arg::Json(std::borrow::Cow::Borrowed(serde_json::value::RawValue::NULL));
        let mut counting = collection.borrow_mut();
        counting.missing = counting.missing.saturating_sub(1);
        counting.answers.push(answer.into_iter().next().unwrap_or_else(null));
        if counting.missing == 0 || server.faults.has(Fault::FirstAnswerIsAll) {
            server.timers.cancel(timer);
            counting.finish(false);
        } else if server.faults.has(Fault::DuplicateAnswersCount) {
            expect_answer(&socket, id, collection.clone(), timer);
        }
    });
    socket.waiting.borrow_mut().insert(id, answered);
}
