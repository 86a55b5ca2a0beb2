//! The faults that show in time alone: what goes out goes out late, or the whole server stands still for a while.
//!
//! Nothing is lost or changes places, so only a clock can tell. The delays have to be exact, for the clock is what is
//! examined.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use crate::alarm::Alarm;
use crate::engine::session::Session;
use crate::faults::{Fault, Faults};
use crate::server::Server;
use crate::socket::message::Message;

const DELAYS: [(Fault, Duration); 3] = [
    (Fault::Delay5Ms, Duration::from_millis(5)),
    (Fault::Delay20Ms, Duration::from_millis(20)),
    (Fault::Delay100Ms, Duration::from_millis(100)),
];

/// From the first event of any client to the moment at which the server stands still.
const BEFORE_FREEZE: Duration = Duration::from_secs(2);
/// How long it does.
const FREEZE: Duration = Duration::from_secs(1);

/// Socket.IO packets that wait for their time, each as long as the other.
pub(crate) struct Late {
    delay: Duration,
    held: RefCell<VecDeque<(Instant, Rc<Session>, Message)>>,
    /// Set to the time of the first of them.
    alarm: Alarm,
}

impl Late {
    /// The delay that these faults ask for, if they do.
    ///
    /// # Errors
    /// When there is no alarm for it.
    pub(crate) fn new(faults: Faults) -> io::Result<Option<Rc<Late>>> {
        let Some((_, delay)) = DELAYS.into_iter().find(|(fault, _)| faults.has(*fault)) else {
            return Ok(None);
        };
        Ok(Some(Rc::new(Late { delay, held: RefCell::default(), alarm: Alarm::new()? })))
    }

    /// Keeps a packet back until its time has come.
    pub(crate) fn hold(&self, session: &Rc<Session>, message: &Message) {
        let time = Instant::now() + self.delay;
        let mut held = self.held.borrow_mut();
        if held.is_empty() {
            self.alarm.set(time);
        }
        held.push_back((time, session.clone(), message.clone()));
    }

    /// Lets go what is held back for a session that says goodbye, so that nothing is lost with it.
    pub(crate) fn release(&self, session: &Rc<Session>) {
        let is_of = |held: &(Instant, Rc<Session>, Message)| Rc::ptr_eq(&held.1, session);
        let mut held = self.held.borrow_mut();
        let (released, kept) = held.drain(..).partition::<VecDeque<_>, _>(is_of);
        *held = kept;
        drop(held);
        released.iter().for_each(|(_, session, message)| session.send_now(message));
    }

    /// Lets packets go when their time has come, until the task is dropped.
    pub(crate) async fn run(self: Rc<Self>) {
        loop {
            self.alarm.rung().await;
            let now = Instant::now();
            while let Some((_, session, message)) = self.take_due(now) {
                session.send_now(&message);
            }
            if let Some((time, ..)) = self.held.borrow().front() {
                self.alarm.set(*time);
            }
        }
    }

    fn take_due(&self, now: Instant) -> Option<(Instant, Rc<Session>, Message)> {
        self.held.borrow_mut().pop_front_if(|(time, ..)| *time <= now)
    }
}

/// An event arrived: with the first one the time runs after which the server stands still, once.
pub(crate) fn freeze(server: &Server) {
    if server.faults.has(Fault::Freeze) && !server.freezes.replace(true) {
        server.timers.after(BEFORE_FREEZE, || thread::sleep(FREEZE));
    }
}
