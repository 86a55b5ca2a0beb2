//! Waiting for an instant, more precisely than the runtime does.
//!
//! The runtime's timers are a wheel of milliseconds; a thread that sleeps is woken to some fifty microseconds. So one
//! thread does nothing but sleep and ring.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use tokio::sync::Notify;

/// One alarm clock; it rings for one waiter at a time. Its thread ends with it.
pub(crate) struct Alarm {
    set: Sender<Instant>,
    rang: Arc<Notify>,
}

impl Alarm {
    pub(crate) fn new() -> Alarm {
        let (set, asked) = mpsc::channel::<Instant>();
        let rang = Arc::new(Notify::new());
        let ring = rang.clone();
        // Without a thread, the runtime's timers have to do.
        let _ = thread::Builder::new().name("alarm".to_owned()).spawn(move || {
            for due in asked {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                ring.notify_one();
            }
        });
        Alarm { set, rang }
    }

    /// Waits until then.
    pub(crate) async fn at(&self, due: Instant) {
        match self.set.send(due) {
            Ok(()) => self.rang.notified().await,
            Err(_) => tokio::time::sleep_until(due.into()).await,
        }
    }
}
