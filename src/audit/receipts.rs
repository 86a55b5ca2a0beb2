//! Who has received a message: cheap for the few of a small room and for the many of a big one. A receipt takes eight bytes.

use thin_vec::ThinVec;

use super::events::Moment;

/// Up to so many receivers are looked through; above, a bit for each seat tells.
const FEW: usize = 64;

/// The receipts of one message by the seats of one worker.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// When the first of them was, in microseconds since the beginning of the run.
    since: u64,
    /// Seat, and when: microseconds since then, or before. What comes more than half an hour later counts as if it came then.
    all: Vec<(u32, i32)>,
    /// A bit for each seat, once there are more than a few.
    bits: ThinVec<u64>,
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
        let at = at.as_micros();
        if self.all.is_empty() {
            self.since = at;
        }
        let later = i128::from(at) - i128::from(self.since);
        let later = later.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        self.all.push((seat, later));
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
        self.all.first().map(|(_, later)| self.at(*later))
    }

    /// When it was received last.
    pub(super) fn last(&self) -> Option<Moment> {
        self.all.last().map(|(_, later)| self.at(*later))
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Seat and time of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Moment)> + '_ {
        self.all.iter().map(|(seat, later)| (*seat, self.at(*later)))
    }

    fn at(&self, later: i32) -> Moment {
        Moment::from_micros(self.since.saturating_add_signed(later.into()))
    }

    fn mark(&mut self, seat: u32) {
        let word = seat as usize / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (seat % 64);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_seat_is_kept_once_with_the_time_of_its_first_receipt(
            begun in 0..1_000_000_000_000_u64,
            receipts in prop::collection::vec((0..300_u32, 0..600_000_000_u64), 1..200),
        ) {
            let (mut kept, mut model) = (Receipts::default(), Vec::<(u32, Moment)>::new());
            for (seat, later) in receipts {
                let at = Moment::from_micros(begun + later);
                let is_new = model.iter().all(|(known, _)| *known != seat);
                prop_assert_eq!(kept.put(seat, at), is_new);
                model.extend(is_new.then_some((seat, at)));
            }
            prop_assert_eq!((kept.first(), kept.last()), (Some(model[0].1), model.last().map(|(_, at)| *at)));
            prop_assert_eq!(kept.iter().collect::<Vec<_>>(), model);
            prop_assert!((0..300).all(|seat| kept.has(seat) == kept.iter().any(|(of, _)| of == seat)));
        }
    }

    #[test]
    fn the_receipts_of_a_room_of_fifty_take_no_more_than_half_a_kilobyte() {
        let mut kept = Receipts::default();
        (0..50).for_each(|seat| assert!(kept.put(seat * 300, Moment::from_micros(seat.into()))));
        assert_eq!((kept.all.capacity() * size_of::<(u32, i32)>(), kept.bits.len()), (512, 0));
    }
}
