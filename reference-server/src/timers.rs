//! All deadlines of the server in one ordered queue, run by one task.
//!
//! Sessions number in the thousands and each needs only a heartbeat: one queue costs a fraction of a runtime
//! timer per session, and an idle session costs no task at all.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Names a pending deadline, for [`Timers::cancel`].
pub(crate) type TimerKey = (Instant, u64);

type Action = Box<dyn FnOnce()>;

/// Deadlines and what to do then.
#[derive(Default)]
pub(crate) struct Timers {
    pending: RefCell<BTreeMap<TimerKey, Action>>,
    next: Cell<u64>,
    earlier: Notify,
}

impl Timers {
    /// Runs `action` once, `delay` from now. Two actions of the same instant run in the order they were set.
    pub(crate) fn after(&self, delay: Duration, action: impl FnOnce() + 'static) -> TimerKey {
        let number = self.next.get();
        self.next.set(number + 1);
        let key = (Instant::now() + delay, number);
        let mut pending = self.pending.borrow_mut();
        let first = pending.first_key_value().is_none_or(|(earliest, _)| key < *earliest);
        pending.insert(key, Box::new(action));
        if first {
            self.earlier.notify_one();
        }
        key
    }

    /// Forgets a deadline; one that has passed is no matter.
    pub(crate) fn cancel(&self, key: TimerKey) {
        self.pending.borrow_mut().remove(&key);
    }

    fn take_due(&self, now: Instant) -> Option<Action> {
        let mut pending = self.pending.borrow_mut();
        let entry = pending.first_entry()?;
        if entry.key().0 > now { None } else { Some(entry.remove()) }
    }

    fn earliest(&self) -> Option<Instant> {
        self.pending.borrow().first_key_value().map(|(key, _)| key.0)
    }

    /// Runs deadlines until the task is dropped.
    pub(crate) async fn run(self: Rc<Self>) {
        loop {
            while let Some(action) = self.take_due(Instant::now()) {
                action();
            }
            match self.earliest() {
                None => self.earlier.notified().await,
                Some(at) => {
                    let _ = tokio::time::timeout_at(at.into(), self.earlier.notified()).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_run_in_the_order_of_their_deadlines_and_not_before() {
        let timers = Timers::default();
        let said = Rc::new(RefCell::new(Vec::new()));
        let say = |word: &'static str| {
            let said = said.clone();
            move || said.borrow_mut().push(word)
        };
        timers.after(Duration::from_secs(20), say("later"));
        timers.after(Duration::from_secs(10), say("first"));
        let cancelled = timers.after(Duration::from_secs(15), say("never"));
        timers.cancel(cancelled);
        let start = Instant::now();
        assert!(timers.take_due(start).is_none());
        while let Some(action) = timers.take_due(start + Duration::from_secs(30)) {
            action();
        }
        assert_eq!(*said.borrow(), ["first", "later"]);
    }
}
