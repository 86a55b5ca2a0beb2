//! The seats of each client of the run. A ledger knows the clients of one worker by their numbers in the whole run, which may
//! have many more.

use crate::audit::maps::Map;

/// No seat.
const NONE: u32 = u32::MAX;

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The first seat of each client, the only one that most have: found at once, and small.
    first: Vec<u32>,
    others: Map<u32, Vec<u32>>,
}

impl Places {
    /// The client's seats, in the order in which it got them.
    pub(super) fn of(&self, client: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.first.get(client as usize).copied().filter(|seat| *seat != NONE);
        let others = (!self.others.is_empty()).then(|| self.others.get(&client)).flatten();
        first.into_iter().chain(others.into_iter().flatten().copied())
    }

    /// The client has one more.
    pub(super) fn put(&mut self, client: u32, seat: u32) {
        let place = client as usize;
        if self.first.len() <= place {
            self.first.resize(place + 1, NONE);
        }
        match self.first[place] {
            NONE => self.first[place] = seat,
            _ => self.others.entry(client).or_default().push(seat),
        }
    }
}
