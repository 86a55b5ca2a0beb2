//! Rooms between which the server moves clients, which learn of it later.

use super::*;

/// Those rooms. Nobody asks for them.
pub(super) const HOUSES: [&str; 2] = ["d", "e"];

impl Play<'_> {
    /// The server puts one into a room of which it takes it out again when it likes, and tells it.
    pub(super) fn house(&mut self, client: u32, room: &'static str, effect: u64) {
        if let Some((former, _)) = self.people[client as usize].house {
            self.end(client, Some(former), effect);
            self.see(client, Sight::Moved(former));
        }
        self.truths.push(Truth { client, room: Some(room.into()), from: effect, to: u64::MAX });
        self.people[client as usize].house = Some((room, self.now));
        self.see(client, Sight::Placed(room, true, true));
    }

    /// A client joins or leaves a room by raw packets. Only of the first of them on a connection anybody is told.
    pub(super) fn act_by_hand(&mut self, client: u32) {
        let person = &mut self.people[client as usize];
        let after = person.line.max(person.moved).max(person.held);
        if !std::mem::replace(&mut person.is_by_hand, true) {
            self.see(client, Sight::Untraced);
        }
        let room = ROOMS[self.below(3) as usize];
        let busy = if self.below(2) == 0 { Busy::Join(room) } else { Busy::Part(room) };
        let effect = self.soon(after);
        self.do_move(client, busy, effect);
    }

    /// The server has moved a client some time since that had learned of the last move, if it moves it at all.
    pub(super) fn move_on(&mut self, client: u32) -> bool {
        let Some((former, since)) = self.people[client as usize].house else { return false };
        let is_moved = self.below(8) == 0;
        let Some(effect) = self.until_now(since.max(self.now.saturating_sub(60))).filter(|_| is_moved) else {
            return false;
        };
        let other = HOUSES.into_iter().find(|house| *house != former).expect("there are two");
        self.house(client, other, effect);
        true
    }
}
