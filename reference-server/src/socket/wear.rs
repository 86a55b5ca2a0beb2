//! The faults that show under load: what goes wrong now and then, or only while something else goes on.
//!
//! On a healthy server all of these do nothing.

use std::rc::Rc;
use std::time::Duration;

use super::message::Message;
use super::namespace::Namespace;
use super::rooms::{Key, Selection};
use super::socket::Socket;
use crate::faults::Fault;
use crate::server::Server;

/// One in so many deliveries.
const RARELY: u64 = 10_000;

/// How long a lagging command waits.
pub(super) const LAG: Duration = Duration::from_millis(50);

/// How long a delivery that changes places waits for the next.
const NEIGHBOUR: Duration = Duration::from_secs(1);

/// A delivery of a broadcast. `true`: it has been dealt with.
pub(super) fn delivery(socket: &Rc<Socket>, message: &Message) -> bool {
    let server = &socket.session.server;
    if server.now_and_then(Fault::DeliveryRarelyLost, RARELY) {
        return true;
    }
    if server.now_and_then(Fault::DeliveryRarelyDoubled, RARELY) {
        socket.deliver(message, false);
    }
    server.faults.has(Fault::DeliveryRarelySwapped) && swap(socket, message)
}

fn swap(socket: &Rc<Socket>, message: &Message) -> bool {
    let server = &socket.session.server;
    let held = server.held.borrow_mut().remove(&socket.session.id);
    if let Some(held) = held {
        socket.deliver(message, false);
        socket.deliver(&held, false);
        return true;
    }
    if !server.now_and_then(Fault::DeliveryRarelySwapped, RARELY) {
        return false;
    }
    server.held.borrow_mut().insert(socket.session.id.clone(), message.clone());
    let (held_by, socket) = (server.clone(), socket.clone());
    server.timers.after(NEIGHBOUR, move || {
        let held = held_by.held.borrow_mut().remove(&socket.session.id);
        if let Some(held) = held {
            socket.deliver(&held, false);
            // Nothing came that it could have changed places with: the next one has to.
            held_by.again(Fault::DeliveryRarelySwapped, RARELY);
        }
    });
    true
}

/// Somebody for whom a broadcast is not, if one of its deliveries goes astray.
pub(super) fn outsider(
    server: &Server,
    namespace: &Namespace,
    selection: &Selection,
    receivers: usize,
) -> Option<Rc<Socket>> {
    let strays =
        (0..receivers).filter(|_| server.now_and_then(Fault::DeliveryRarelyMisdirected, RARELY)).count();
    let meant = || namespace.sockets(selection).iter().map(|socket| socket.key).collect::<Vec<Key>>();
    let everyone =
        || namespace.sockets(&Selection { except_key: selection.except_key, ..Selection::default() });
    (strays > 0).then(|| {
        let meant = meant();
        everyone().into_iter().find(|socket| !meant.contains(&socket.key))
    })?
}

/// The newest receiver of a broadcast, if it is to be left out.
pub(super) fn newest(server: &Server, namespace: &Namespace, selection: &Selection) -> Option<Key> {
    let skips = server.now_and_then(Fault::NewestRarelySkipped, 10);
    let newest = || namespace.sockets(selection).iter().map(|socket| socket.key).max();
    skips.then(newest)?
}
