//! The faults of broadcasts: whom they reach, how often, and where else they go.

use std::rc::Rc;
use std::time::Duration;

use super::{Fault, wear};
use crate::engine::request::EngineTransport;
use crate::socket::args::Args;
use crate::socket::message::Message;
use crate::socket::rooms::Selection;
use crate::socket::socket::{Broadcast, Io, Socket, Space};

impl Io {
    /// A broadcast of a server that is not healthy.
    pub(crate) fn broadcast_spoilt(&self, namespace: &Space, mut to: Broadcast, args: Args) {
        let shared = &self.shared;
        let to_room = !to.selection.to.is_empty();
        if shared.has(Fault::NamespaceLeak)
            || (to_room && shared.has(Fault::RoomsSpanNamespaces))
            || (to_room && shared.now_and_then(Fault::RoomRarelyMixedUp, 100))
        {
            self.leak(namespace, "/", &to, &args);
        }
        if shared.has(Fault::DynamicNamespacesMerged) && namespace.name.starts_with("/dyn-") {
            self.leak(namespace, "/dyn-", &to, &args);
        }
        let message = if to.volatile && !shared.has(Fault::VolatileRemembered) {
            namespace.encode(None, args)
        } else {
            namespace.encode_recorded(&to.selection, to.sender.as_ref(), args)
        };
        address(namespace, &mut to.selection);
        let rounds = if to.selection.to.len() > 1 && shared.has(Fault::UnionDeliversTwice) {
            to.selection.to.iter().map(|room| one_room(&to.selection, room)).collect()
        } else if !to_room && shared.has(Fault::EveryoneHearsTwice) {
            vec![to.selection.clone(), to.selection]
        } else {
            vec![to.selection]
        };
        let skips_polling = message.is_binary() && shared.has(Fault::BinaryBroadcastSkipsPolling);
        let newest = rounds.first().and_then(|selection| wear::newest(namespace, selection));
        let rooms = namespace.rooms.borrow();
        let mut receivers = 0;
        for selection in &rounds {
            rooms.select(selection, |socket| {
                receivers += 1;
                if receivers == 2 && shared.has(Fault::BroadcastOrderDiffers) {
                    return deliver_late(socket, &message);
                }
                if newest == Some(socket.key) || wear::delivery(socket, &message) {
                    return;
                }
                let polls = socket.connection.session.transport.get() == EngineTransport::Polling;
                if !(skips_polling && polls) {
                    socket.deliver(&message, to.volatile);
                }
            });
            if let Some(outsider) = wear::outsider(namespace, selection, receivers) {
                outsider.deliver(&message, false);
            }
        }
    }

    /// Into all other namespaces whose names begin so.
    fn leak(&self, namespace: &Space, prefix: &str, to: &Broadcast, args: &Args) {
        let is_other = |other: &Rc<Space>| other.name != namespace.name && other.name.starts_with(prefix);
        for other in self.namespaces.all().into_iter().filter(is_other) {
            let message = Message::event(&other.name, None, args);
            other.rooms.borrow().select(&to.selection, |socket| socket.deliver(&message, to.volatile));
        }
    }
}

/// Every second message a little later.
fn deliver_late(socket: &Rc<Socket>, message: &Message) {
    let delay = Duration::from_millis(20 * (socket.shared.ids.new_key() % 2));
    let (late, message) = (socket.clone(), message.clone());
    socket.shared.after(delay, move || late.deliver(&message, false));
}

fn one_room(selection: &Selection, room: &Rc<str>) -> Selection {
    Selection { to: vec![room.clone()], ..selection.clone() }
}

/// The faults of addressing.
pub(crate) fn address(namespace: &Space, selection: &mut Selection) {
    let shared = &namespace.shared;
    if shared.faults.is_empty() {
        return;
    }
    let to_room = !selection.to.is_empty();
    if shared.has(Fault::BroadcastIncludesSender)
        || (to_room && shared.has(Fault::RoomBroadcastIncludesSender))
        || shared.now_and_then(Fault::SenderRarelyIncluded, 100)
    {
        selection.except_key = None;
    }
    if shared.has(Fault::RoomIgnored) {
        selection.to.clear();
    }
    if shared.has(Fault::ExceptIgnored) {
        selection.except.clear();
    }
    if shared.has(Fault::ExceptIdIgnored) {
        let everyone = namespace.members(&Selection::default());
        selection.except.retain(|room| everyone.iter().all(|socket| socket.id != *room));
    }
    if shared.has(Fault::ExceptAloneReachesNobody) && !to_room {
        selection.to = selection.except.clone();
    }
    if shared.has(Fault::LastRoomOnly) && to_room {
        selection.to.drain(..selection.to.len() - 1);
    }
    if shared.has(Fault::UnknownRoomIsEveryone) {
        let rooms = namespace.rooms.borrow();
        selection.to.retain(|room| rooms.has(room));
    }
    if shared.has(Fault::UnnamedRoomIsEveryone) {
        selection.to.retain(|room| !room.is_empty());
    }
    if shared.has(Fault::RoomsStick) {
        selection.to.append(&mut namespace.stuck.take());
        namespace.stuck.replace(selection.to.clone());
    }
}
