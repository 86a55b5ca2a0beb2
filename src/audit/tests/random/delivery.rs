//! What the correct server gives to whom, and when it comes there.

use super::*;

impl Play<'_> {
    /// Gives everyone what the server sent them, in its order.
    pub(super) fn deliver(&mut self) {
        let mut handled = std::mem::take(&mut self.handled);
        handled.sort_by_key(|(when, ..)| *when);
        // Each node handles what comes from another one, and from itself, in the order in which that one did.
        let nodes = self.habits.true_nodes() as usize;
        let mut line = vec![0; nodes * nodes];
        // What a receiver gets from one node keeps its order. Who sends from another one may overtake itself.
        let mut last = vec![0; self.people.len() * nodes];
        for (when, message, is_lucky) in handled {
            // What comes from where it should not is passed on or not.
            if !is_lucky && !self.is_from_there(&message, when) {
                continue;
            }
            let from = self.node(message.key.sender, message.sent.as_micros()) as usize;
            let handled: Vec<u64> = (0..nodes)
                .map(|to| {
                    let later = 2 * self.below((self.habits.within / 2).max(1));
                    let line = &mut line[from * nodes + to];
                    *line = (when + later).max(*line);
                    *line
                })
                .collect();
            for client in 0..self.people.len() as u32 {
                let last = &mut last[client as usize * nodes + from];
                let when = handled[self.node(client, when) as usize];
                if !self.is_meant(client, when, &message) {
                    continue;
                }
                let mut time = when + 1 + 2 * self.below(DELAY / 2);
                match message.may_be_lost {
                    true if self.below(4) == 0 => continue,
                    // It need not wait for its turn.
                    true => {}
                    false => time = time.max(*last),
                }
                time = time.max(self.connected(client, when));
                // Whoever is away gets it when it is back, if it is recovered. What was under way is not lost either.
                let gone = |outage: &&(u32, u64, u64, bool)| {
                    outage.0 == client && outage.2 > when && outage.1 <= time
                };
                if let Some((_, _, to, recovered)) = self.outages.iter().find(gone) {
                    if !*recovered || !message.is_kept {
                        continue;
                    }
                    time = time.max(*to);
                }
                if self.is_gone(client, when, time) {
                    continue;
                }
                if !message.may_be_lost {
                    *last = time;
                }
                self.seen.push((time, client, self.sight(&message)));
            }
            self.show_again(&message, handled.into_iter().max().unwrap_or(when));
        }
    }

    /// What comes of a message.
    fn sight(&self, message: &SentMessage) -> Sight {
        if self.habits.strips { Sight::Unstamped } else { Sight::Received(message.key) }
    }

    /// Shows a message that was handled to some of those who come to where it went.
    fn show_again(&mut self, message: &SentMessage, handled: u64) {
        if !message.has_history {
            return;
        }
        let is_place = |truth: &Truth| match &truth.room {
            None => message.to.is_empty(),
            Some(room) => message.to.iter().any(|to| **to == **room),
        };
        // Who is moved learns of that before it is shown anything.
        let is_told = |truth: &Truth| !truth.room.as_deref().is_some_and(|room| HOUSES.contains(&room));
        let comes = |truth: &&Truth| {
            let is_there = is_place(truth) && *namespace(truth.client) == *message.namespace;
            // What was asked for over a connection that had ended by then never came about.
            let comes_about = truth.from < truth.to;
            truth.from > handled && comes_about && is_there && is_told(truth)
        };
        let comers: Vec<(u32, u64)> =
            self.truths.iter().filter(comes).map(|truth| (truth.client, truth.from)).collect();
        for (client, when) in comers {
            let time = (when + 1 + 2 * self.below(DELAY / 2)).max(self.connected(client, when));
            let is_away =
                |(of, from, to, _): &(u32, u64, u64, bool)| *of == client && *to > when && *from <= time;
            if self.below(3) == 0 || self.is_gone(client, when, time) || self.outages.iter().any(is_away) {
                continue;
            }
            self.seen.push((time, client, self.sight(message)));
        }
    }

    /// From when on a client receives over the connection that it has at a time: after it saw that this was made.
    fn connected(&self, client: u32, when: u64) -> u64 {
        let mut own = self.truths.iter().filter(|truth| truth.client == client && truth.room.is_none());
        let Some(socket) = own.find(|truth| truth.from <= when && when < truth.to) else { return 0 };
        let connects = self.seen.iter().filter(|(at, who, sight)| {
            *who == client && *at > socket.from && matches!(sight, Sight::Connected { .. })
        });
        connects.map(|(at, ..)| *at + 2).min().unwrap_or_default()
    }

    /// Whether the client closed its connection between the server's sending and its receipt.
    pub(super) fn is_gone(&self, client: u32, when: u64, time: u64) -> bool {
        self.seen.iter().any(|(at, who, sight)| {
            *who == client && matches!(sight, Sight::Ended) && when < *at && *at <= time
        })
    }

    pub(super) fn is_in(&self, client: u32, room: Option<&str>, when: u64) -> bool {
        let mut truths = self.truths.iter().filter(|truth| truth.client == client);
        truths.any(|truth| truth.room.as_deref() == room && truth.from <= when && when < truth.to)
    }

    /// Whether the sender of a message is where it has to be.
    pub(super) fn is_from_there(&self, message: &SentMessage, when: u64) -> bool {
        let mut rooms = message.to.iter().map(|room| self.is_in(message.key.sender, Some(room), when));
        match message.origin {
            Origin::Anywhere => true,
            Origin::Inside => rooms.all(|is_in| is_in),
            Origin::Outside => !rooms.any(|is_in| is_in),
        }
    }

    pub(super) fn is_meant(&self, client: u32, when: u64, message: &SentMessage) -> bool {
        let is_in = |room: Option<&str>| self.is_in(client, room, when);
        let meant = match message.to.is_empty() {
            true => is_in(None),
            false => message.to.iter().any(|room| is_in(Some(room))),
        };
        let excluded = client == message.key.sender && message.sender == Sender::Excluded;
        *namespace(client) == *message.namespace
            && meant
            && !excluded
            && !message.except.iter().any(|room| is_in(Some(room)))
    }
}
