//! What ends connections and memberships, or leaves unknown whether they last, and what of the client's messages is open then.

use super::Ledger;
use crate::audit::events::Moment;
use crate::audit::membership::Membership;
use crate::audit::sender::{ConnectionEnd, SenderMove};

impl Ledger {
    /// It asks to leave a namespace, or all of them.
    pub fn leaving(&mut self, client: u32, namespace: Option<&str>, at: Moment) {
        self.cut(client, namespace, at, |membership, seat| membership.leaving(seat, at));
    }

    /// Nobody can say what it receives in a namespace, or in all, before it has a new socket.
    pub(super) fn untraced(&mut self, client: u32, namespace: Option<&str>, at: Moment) {
        self.cut(client, namespace, at, |membership, seat| membership.untraced(seat, at));
    }

    /// It is not in a namespace any more, or in none.
    pub fn ended(&mut self, client: u32, namespace: Option<&str>, at: Moment) {
        self.cut(client, namespace, at, |membership, seat| membership.ended(seat, at));
    }

    /// Its connection is gone without a word.
    pub fn lost(&mut self, client: u32, at: Moment) {
        self.cut(client, None, at, |membership, seat| membership.lost(seat, at));
    }

    /// A client's connection ended: what it had sent, the server need not have read.
    pub(super) fn end_connection(&mut self, client: u32, at: Moment) {
        if let Some(course) = self.senders.get_mut(client).filter(|course| course.is_open()) {
            course.end(at, course.read);
            self.ends.push(ConnectionEnd { sender: client, at, read: course.read });
        }
    }

    /// The server has put a client elsewhere: what that had sent to its former room, the server need not pass on.
    pub(super) fn moved(&mut self, client: u32, namespace: &str, room: &str, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        let Some(since) = self.membership.moved(seat, room, at) else { return };
        if let Some(course) = self.senders.get_mut(client).filter(|course| course.is_open()) {
            let learned = SenderMove { sender: client, room: room.into(), since, at };
            course.learn(learned.clone());
            self.sender_moves.push(learned);
        }
    }

    /// Changes the client's places, of which some may end.
    fn cut(&mut self, client: u32, namespace: Option<&str>, at: Moment, act: impl Fn(&mut Membership, u32)) {
        for seat in self.membership.seats_of(client, namespace) {
            let was_up = self.membership.seats()[seat as usize].is_up();
            self.membership.change(seat, at, &act);
            if was_up {
                self.end_connection(client, at);
            }
        }
    }
}
