//! Waiting for an instant, more precisely than the runtime does.
//!
//! The runtime's timers count in whole milliseconds; a thread that sleeps is woken to some fifty microseconds. So one thread
//! does nothing but sleep and ring.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use tokio::sync::Notify;

/// One alarm clock, for one task.
pub(crate) struct Alarm {
    times: Sender<Instant>,
    bell: Arc<Notify>,
}

impl Alarm {
    /// Fails when there is no thread for it.
    pub(crate) fn new() -> io::Result<Alarm> {
        let (times, asked) = mpsc::channel::<Instant>();
        let bell = Arc::new(Notify::new());
        let rung = bell.clone();
        // It ends when the alarm does: then nobody is left to tell it a time.
        thread::Builder::new().name("alarm".to_owned()).spawn(move || {
            for time in asked {
                thread::sleep(time.saturating_duration_since(Instant::now()));
                rung.notify_one();
            }
        })?;
        Ok(Alarm { times, bell })
    }

    /// It rings then, after all the times that were set before.
    pub(crate) fn set(&self, time: Instant) {
        // The thread ends only with the channel.
        let _ = self.times.send(time);
    }

    /// Waits until it rings.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }
}
