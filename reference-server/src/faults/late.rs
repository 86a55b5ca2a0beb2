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

use super::{Fault, Faults};
use crate::alarm::Alarm;
use crate::timers::Timers;

const DELAYS: [(Fault, Duration); 3] = [
    (Fault::Delay5Ms, Duration::from_millis(5)),
    (Fault::Delay20Ms, Duration::from_millis(20)),
    (Fault::Delay100Ms, Duration::from_millis(100)),
];

/// From the first event of any client to the moment at which the server stands still.
const BEFORE_FREEZE: Duration = Duration::from_secs(2);
/// How long it does.
const FREEZE: Duration = Duration::from_secs(1);

/// Something to be sent, for the session with that id.
struct Held {
    due: Instant,
    session: Rc<str>,
    send: Box<dyn FnOnce()>,
}

/// Socket.IO packets that wait for their time, each as long as the other.
pub(crate) struct Late {
    delay: Duration,
    held: RefCell<VecDeque<Held>>,
    /// Set to the time of the first of them.
    alarm: Alarm,
}

impl Late {
    /// The delay that these faults ask for, if they do.
    /// Fails when there is no alarm for it.
    pub(crate) fn new(faults: Faults) -> io::Result<Option<Rc<Late>>> {
        let Some((_, delay)) = DELAYS.into_iter().find(|(fault, _)| faults.has(*fault)) else {
            return Ok(None);
        };
        Ok(Some(Rc::new(Late { delay, held: RefCell::default(), alarm: Alarm::new()? })))
    }

    /// Keeps something back until its time has come.
    pub(crate) fn hold(&self, session: &Rc<str>, send: impl FnOnce() + 'static) {
        let due = Instant::now() + self.delay;
        let mut held = self.held.borrow_mut();
        if held.is_empty() {
            self.alarm.set(due);
        }
        held.push_back(Held { due, session: session.clone(), send: Box::new(send) });
    }

    /// Lets go what is held back for a session that ends, so that nothing is lost with it.
    pub(crate) fn release(&self, session: &Rc<str>) {
        let mut held = self.held.borrow_mut();
        let (released, kept) = held.drain(..).partition::<VecDeque<_>, _>(|held| held.session == *session);
        *held = kept;
        drop(held);
        released.into_iter().for_each(|held| (held.send)());
    }

    /// Lets things go when their time has come, until the task is dropped.
    pub(crate) async fn run(self: Rc<Self>) {
        loop {
            self.alarm.rung().await;
            let now = Instant::now();
            while let Some(held) = self.take_due(now) {
                (held.send)();
            }
            if let Some(first) = self.held.borrow().front() {
                self.alarm.set(first.due);
            }
        }
    }

    fn take_due(&self, now: Instant) -> Option<Held> {
        self.held.borrow_mut().pop_front_if(|held| held.due <= now)
    }
}

/// Lets the server stand still, after a while.
pub(crate) fn freeze(timers: &Timers) {
    timers.after(BEFORE_FREEZE, || thread::sleep(FREEZE));
}
