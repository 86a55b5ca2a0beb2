//! Who has received a message: cheap for the few of a small room and for the many of a big one.

use super::events::Moment;

/// Up to so many receivers are looked through; above, a bit for each seat tells.
const FEW: usize = 24;

/// The receipts of one message by the seats of one worker.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// Seat, and when: microseconds since the beginning of the run.
    all: Vec<(u32, u64)>,
    /// A bit for each seat, once there are more than a few.
    bits: Vec<u64>,
}

impl Receipts {
    /// Whether the seat has received it.
    pub(super) fn has(&self, seat: u32) -> bool {
        match self.bits.is_empty() {
            true => self.all.iter().any(|(receiver, _)| *receiver == seat),
            false => self.bits.get(seat as usize / 64).is_some_and(|word| word & (1 << (seat % 64)) != 0),
        }
    }

    /// Writes a receipt down; false when the seat had it already.
    pub(super) fn put(&mut self, seat: u32, at: Moment) -> bool {
        if self.has(seat) {
            return false;
        }
        self.all.push((seat, at.as_micros() as u64));
        if !self.bits.is_empty() {
            self.mark(seat);
        } else if self.all.len() > FEW {
            for index in 0..self.all.len() {
                self.mark(self.all[index].0);
            }
        }
        true
    }

    /// When it was received first.
    pub(super) fn first(&self) -> Option<Moment> {
        self.all.first().map(|(_, at)| Moment::from_micros(*at))
    }

    /// When it was received last.
    pub(super) fn last(&self) -> Option<Moment> {
        self.all.last().map(|(_, at)| Moment::from_micros(*at))
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Seat and time of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Moment)> + '_ {
        self.all.iter().map(|(seat, at)| (*seat, Moment::from_micros(*at)))
    }

    fn mark(&mut self, seat: u32) {
        let word = seat as usize / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (seat % 64);
    }
}
