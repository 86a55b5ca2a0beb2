//! A registry: things by their name, such as sessions by id or namespaces by name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::Notify;

/// Things of one kind that can be found by name.
pub(crate) struct Registry<T> {
    entries: RefCell<HashMap<Rc<str>, Rc<T>>>,
    emptied: Notify,
}

impl<T> Default for Registry<T> {
    fn default() -> Registry<T> {
        Registry { entries: RefCell::default(), emptied: Notify::new() }
    }
}

impl<T> Registry<T> {
    pub(crate) fn get(&self, name: &str) -> Option<Rc<T>> {
        self.entries.borrow().get(name).cloned()
    }

    pub(crate) fn insert(&self, name: Rc<str>, thing: Rc<T>) {
        self.entries.borrow_mut().insert(name, thing);
    }

    pub(crate) fn remove(&self, name: &str) {
        let removed = self.entries.borrow_mut().remove(name);
        if removed.is_some() && self.len() == 0 {
            self.emptied.notify_one();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// All of them as they are now, so that each may come and go meanwhile.
    pub(crate) fn all(&self) -> Vec<Rc<T>> {
        self.entries.borrow().values().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.entries.borrow_mut().clear();
    }

    /// Waits until nothing is left.
    pub(crate) async fn until_empty(&self) {
        while self.len() > 0 {
            self.emptied.notified().await;
        }
    }
}
