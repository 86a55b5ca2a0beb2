//! The faults of acknowledgements: whom an answer goes to, under which id, and what is in it.

use std::rc::Rc;
use std::time::Duration;

use super::Fault;
use crate::socket::args::Args;
use crate::socket::message::Message;
use crate::socket::socket::Socket;

/// The socket that an answer goes to, and its id.
pub(crate) fn address(socket: &Rc<Socket>, id: Option<&str>) -> (Rc<Socket>, Option<Box<str>>) {
    let Some(id) = id else {
        if socket.has(Fault::EventWithoutIdAnswered) {
            socket.send(&Message::ack(&socket.namespace.name, "", &Args::new()));
        }
        return (socket.clone(), None);
    };
    if socket.has(Fault::AckIdShared) {
        *socket.latest_id.borrow_mut() = id.into();
    }
    let earlier = (socket.has(Fault::AckIdOnlyOnce) || socket.has(Fault::AckIdMixesNamespaces))
        .then(|| earlier_user(socket, id))
        .flatten();
    let again = earlier.as_ref().is_some_and(|earlier| earlier.key == socket.key);
    if socket.has(Fault::AckZeroUnanswered) && id == "0" || socket.has(Fault::AckIdOnlyOnce) && again {
        return (socket.clone(), None);
    }
    if socket.has(Fault::AckIdNarrowed) {
        let narrow = id.parse::<u64>().map_or(0, |id| id as i32);
        return (socket.clone(), Some(narrow.to_string().into()));
    }
    let first = earlier.filter(|_| socket.has(Fault::AckIdMixesNamespaces));
    (first.unwrap_or_else(|| socket.clone()), Some(id.into()))
}

/// Who on this connection was the first to use an id, if it was used before.
fn earlier_user(socket: &Rc<Socket>, id: &str) -> Option<Rc<Socket>> {
    let mut users = socket.connection.first_users.borrow_mut();
    let earlier = users.get(id).cloned();
    users.entry(id.into()).or_insert_with(|| socket.clone());
    earlier
}

/// An answer on its way out. `true`: it has been dealt with.
pub(crate) fn spoil(socket: &Rc<Socket>, id: &str, args: &Args) -> bool {
    let namespace = &socket.namespace.name;
    if socket.has(Fault::AckDataLost) {
        socket.send(&Message::ack(namespace, id, &Args::new()));
    } else if socket.has(Fault::AckIdShared) {
        let (late, args) = (socket.clone(), args.clone());
        socket.shared.after(Duration::from_millis(2), move || {
            let id = late.latest_id.borrow().clone();
            late.send(&Message::ack(&late.namespace.name, &id, &args));
        });
    } else if socket.has(Fault::AckOvertakesEvents) {
        socket.connection.send_first(&Message::ack(namespace, id, args));
    } else {
        return false;
    }
    true
}
