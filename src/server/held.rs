//! A process group that is ended and started again on purpose while others look at it.

use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::group::{GRACE, Group, LAST_WORDS, Leave, Resources};

/// See the module's head. It holds none while the group is ended on purpose.
#[derive(Debug)]
pub(super) struct Held {
    group: Mutex<Option<Group>>,
    crash: Mutex<Option<Crash>>,
}

/// How the first of its groups has ended that did so by itself, where another stands in its place.
#[derive(Debug)]
struct Crash {
    status: ExitStatus,
    last_words: Vec<String>,
}

impl Held {
    /// The group, or none yet.
    pub(super) fn new(group: Option<Group>) -> Held {
        Held { group: Mutex::new(group), crash: Mutex::default() }
    }

    /// The group, while it is looked at.
    pub(super) fn group(&self) -> MutexGuard<'_, Option<Group>> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes another group in its place.
    pub(super) fn put(&self, group: Group) {
        *self.group() = Some(group);
    }

    /// Takes out one that has ended by itself, and ends what is left of it, so that its port is free.
    pub(super) fn clear(&self) {
        let crashed = self.group().take();
        if let Some(mut group) = crashed {
            self.note_crash(&mut group);
        }
    }

    fn note_crash(&self, group: &mut Group) {
        if let Some(status) = group.ended() {
            let crash = || Crash { status, last_words: group.last_words() };
            self.crash().get_or_insert_with(crash);
        }
    }

    fn crash(&self) -> MutexGuard<'_, Option<Crash>> {
        self.crash.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is there and lives.
    pub(super) fn lives(&self) -> bool {
        self.group().as_mut().is_some_and(|group| group.ended().is_none())
    }

    /// The group alone.
    pub(super) fn into_group(self) -> Option<Group> {
        self.group.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has used.
    pub(super) fn resources(&self) -> Option<Resources> {
        self.group().as_ref()?.resources()
    }

    /// How it has ended by itself, if it has.
    pub(super) fn exit(&self) -> Option<ExitStatus> {
        let crashed = self.crash().as_ref().map(|crash| crash.status);
        crashed.or_else(|| self.group().as_mut()?.ended())
    }

    /// The last lines that it printed, as they came; not safe for a terminal.
    pub(super) fn last_words(&self) -> Vec<String> {
        if let Some(crash) = &*self.crash() {
            return crash.last_words.clone();
        }
        let group = self.group();
        let Some(group) = group.as_ref() else { return Vec::new() };
        group.output().settle(LAST_WORDS);
        group.output().tail()
    }

    /// Ends it on purpose, and returns when it is gone. Says whether it lived until then.
    pub(super) fn end(&self, leave: Leave) -> bool {
        // Nobody who looks at it meanwhile has to wait.
        let mut group = self.group().take();
        let lived = group.as_mut().is_some_and(|group| group.ended().is_none());
        group.iter_mut().filter(|_| !lived).for_each(|group| self.note_crash(group));
        match (group, leave) {
            (Some(mut group), Leave::Politely) => group.stop(GRACE),
            (Some(mut group), Leave::AtOnce) => group.kill(),
            (None, _) => {}
        }
        lived
    }

    /// Lets it stand still, or go on.
    ///
    /// # Errors
    /// In words, where it does not run.
    pub(super) fn pause(&self, is_still: bool) -> Result<(), String> {
        self.group().as_mut().ok_or("it does not run")?.pause(is_still)
    }
}
