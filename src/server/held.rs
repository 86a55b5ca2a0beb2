//! A process group that is ended and started again on purpose while others look at it.

use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::group::{GRACE, Group, LAST_WORDS, Leave, Resources};

/// See the module's head. It holds none while the group is ended on purpose.
#[derive(Debug)]
pub(super) struct Held(Mutex<Option<Group>>);

impl Held {
    /// The group, or none yet.
    pub(super) fn new(group: Option<Group>) -> Held {
        Held(Mutex::new(group))
    }

    /// The group, while it is looked at.
    pub(super) fn group(&self) -> MutexGuard<'_, Option<Group>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes another group in its place.
    pub(super) fn put(&self, group: Group) {
        *self.group() = Some(group);
    }

    /// Whether it is there, living or not.
    pub(super) fn is_there(&self) -> bool {
        self.group().is_some()
    }

    /// The group alone.
    pub(super) fn into_group(self) -> Option<Group> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has used.
    pub(super) fn resources(&self) -> Option<Resources> {
        self.group().as_ref()?.resources()
    }

    /// How it has ended by itself, if it has.
    pub(super) fn exit(&self) -> Option<ExitStatus> {
        self.group().as_mut()?.ended()
    }

    /// The last lines that it printed, as they came; not safe for a terminal.
    pub(super) fn last_words(&self) -> Vec<String> {
        let group = self.group();
        let Some(group) = group.as_ref() else { return Vec::new() };
        group.output().settle(LAST_WORDS);
        group.output().tail()
    }

    /// Ends it on purpose, and returns when it is gone. Where it is gone already, nothing happens.
    pub(super) fn end(&self, leave: Leave) {
        // Nobody who looks at it meanwhile has to wait.
        let group = self.group().take();
        match (group, leave) {
            (Some(mut group), Leave::Politely) => group.stop(GRACE),
            (Some(mut group), Leave::AtOnce) => group.kill(),
            (None, _) => {}
        }
    }

    /// Lets it stand still, or go on.
    ///
    /// # Errors
    /// In words, where it does not run.
    pub(super) fn pause(&self, is_still: bool) -> Result<(), String> {
        self.group().as_mut().ok_or("it does not run")?.pause(is_still);
        Ok(())
    }
}
