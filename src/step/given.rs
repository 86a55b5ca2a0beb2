//! The ids of sockets that the clients of a run have at a time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::observe::Who;

/// Which client has which id in which namespace.
#[derive(Debug, Default)]
pub struct GivenIds {
    given: Mutex<HashMap<Place, Holder>>,
}

/// A namespace, and an id in it.
type Place = (Box<str>, Box<str>);

#[derive(Debug)]
struct Holder {
    who: Who,
    /// The id of recovery that came with it.
    pid: Option<Box<str>>,
}

impl GivenIds {
    /// A client was given this id in a namespace. Whether another client has it there; not where that is the former life of the
    /// same socket, which the client has recovered.
    pub fn take(&self, namespace: &str, sid: &str, pid: Option<&str>, who: Who) -> bool {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let holder = Holder { who, pid: pid.map(Into::into) };
        let before = given.insert((namespace.into(), sid.into()), holder);
        before.is_some_and(|before| before.who != who && (pid.is_none() || before.pid.as_deref() != pid))
    }

    /// A client has left a namespace, or all of them.
    pub fn release(&self, who: Who, namespace: Option<&str>) {
        let is_of_it = |name: &str| namespace.is_none_or(|namespace| namespace == name);
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|(name, _), holder| holder.who != who || !is_of_it(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(member: u32) -> Who {
        Who { group: 0, n: member, index: member }
    }

    #[test]
    fn two_clients_in_a_namespace_have_not_the_same_id_at_a_time() {
        let given = GivenIds::default();
        assert!(!given.take("/", "x", None, who(0)));
        assert!(!given.take("/custom", "x", None, who(1)), "another namespace has ids of its own");
        assert!(!given.take("/", "x", None, who(0)), "its own");
        assert!(given.take("/", "x", None, who(1)));
        given.release(who(1), Some("/custom"));
        assert!(given.take("/", "x", None, who(0)));
        given.release(who(0), None);
        assert!(!given.take("/", "x", None, who(1)), "it is nobody's");
    }

    #[test]
    fn who_recovers_a_socket_takes_its_id_over() {
        let given = GivenIds::default();
        assert!(!given.take("/", "x", Some("p"), who(0)));
        assert!(!given.take("/", "x", Some("p"), who(1)));
        assert!(given.take("/", "x", Some("q"), who(2)));
    }
}
