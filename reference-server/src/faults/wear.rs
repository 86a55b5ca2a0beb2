//! The faults that show under load: what goes wrong now and then, or only while something else goes on.
//!
//! On a healthy server all of these do nothing.

use std::rc::Rc;
use std::time::Duration;

use super::Fault;
use crate::socket::message::Message;
use crate::socket::rooms::{Key, Selection};
use crate::socket::socket::{Socket, Space};

/// One in so many deliveries.
const RARELY: u64 = 10_000;

/// How long a lagging command waits.
pub(super) const LAG: Duration = Duration::from_millis(50);

/// How long a delivery that changes places waits for the next.
const NEIGHBOUR: Duration = Duration::from_secs(1);

/// A delivery of a broadcast. `true`: it has been dealt with.
pub(super) fn delivery(socket: &Rc<Socket>, message: &Message) -> bool {
    let shared = &socket.shared;
    if shared.now_and_then(Fault::DeliveryRarelyLost, RARELY) {
        return true;
    }
    if shared.now_and_then(Fault::DeliveryRarelyDoubled, RARELY) {
        socket.deliver(message, false);
    }
    shared.has(Fault::DeliveryRarelySwapped) && swap(socket, message)
}

fn swap(socket: &Rc<Socket>, message: &Message) -> bool {
    let held = &socket.connection.held;
    if let Some(held) = held.take() {
        socket.deliver(message, false);
        socket.deliver(&held, false);
        return true;
    }
    if !socket.shared.now_and_then(Fault::DeliveryRarelySwapped, RARELY) {
        return false;
    }
    held.replace(Some(message.clone()));
    let late = socket.clone();
    socket.shared.after(NEIGHBOUR, move || {
        if let Some(held) = late.connection.held.take() {
            late.deliver(&held, false);
            // Nothing came that it could have changed places with: the next one has to.
            late.shared.turns.again(Fault::DeliveryRarelySwapped, RARELY);
        }
    });
    true
}

/// Somebody for whom a broadcast is not, if one of its deliveries goes astray.
pub(super) fn outsider(namespace: &Space, selection: &Selection, receivers: usize) -> Option<Rc<Socket>> {
    let shared = &namespace.shared;
    let is_due = |_: &usize| shared.now_and_then(Fault::DeliveryRarelyMisdirected, RARELY);
    if (0..receivers).filter(is_due).count() == 0 {
        return None;
    }
    let meant: Vec<Key> = namespace.members(selection).iter().map(|socket| socket.key).collect();
    let everyone = Selection { except_key: selection.except_key, ..Selection::default() };
    namespace.members(&everyone).into_iter().find(|socket| !meant.contains(&socket.key))
}

/// The newest receiver of a broadcast, if it is to be left out.
pub(super) fn newest(namespace: &Space, selection: &Selection) -> Option<Key> {
    let skips = namespace.shared.now_and_then(Fault::NewestRarelySkipped, 10);
    skips.then(|| namespace.members(selection).iter().map(|socket| socket.key).max())?
}
