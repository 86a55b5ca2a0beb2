//! What a run and those who tell of it share: a state, and news of it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A state that several threads look at and wait for.
#[derive(Default)]
pub(super) struct Shared<T> {
    state: Mutex<T>,
    news: Condvar,
}

impl<T> Shared<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for news, but not for longer than this.
    pub(super) fn wait<'s>(&self, state: MutexGuard<'s, T>, time: Duration) -> MutexGuard<'s, T> {
        self.news.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Wakes all who wait.
    pub(super) fn tell(&self) {
        self.news.notify_all();
    }
}
