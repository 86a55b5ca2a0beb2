//! Notices when this machine is too busy to be trusted: a thread wakes up every few milliseconds and notes when it was
//! woken late. What stalls it stalls clients, too, and then a heartbeat is missed that no server is to blame for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often it wakes up.
const PERIOD: Duration = Duration::from_millis(10);

/// From this on, being late is a stall.
const LATE: Duration = Duration::from_millis(50);

/// A stall: when it ended, and how long it was.
type Stall = (Instant, Duration);

/// The stalls of this machine, from now on.
pub(super) struct StallWatch {
    stalls: Arc<Mutex<Vec<Stall>>>,
    over: Arc<AtomicBool>,
}

impl StallWatch {
    pub(super) fn new() -> StallWatch {
        let (stalls, over) = (Arc::<Mutex<Vec<Stall>>>::default(), Arc::<AtomicBool>::default());
        let (list, stop) = (stalls.clone(), over.clone());
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                thread::sleep(PERIOD);
                let late = began.elapsed().saturating_sub(PERIOD);
                if late >= LATE {
                    list.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), late));
                }
            }
        });
        StallWatch { stalls, over }
    }

    /// The longest stall since then.
    pub(super) fn longest_since(&self, begun: Instant) -> Option<Duration> {
        let stalls = self.stalls.lock().unwrap_or_else(PoisonError::into_inner);
        stalls.iter().filter(|(ended, _)| *ended >= begun).map(|(_, late)| *late).max()
    }
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
