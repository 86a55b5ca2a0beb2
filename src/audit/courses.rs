//! The courses of all senders that are known, found by their numbers among the clients of the run.

use super::sender::Course;

/// So many neighbours share a page: few enough for the few senders of a big run, many enough for a run in which all send.
const PAGE: usize = 16;

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Courses {
    pages: Vec<Option<Box<[Course; PAGE]>>>,
}

impl Courses {
    /// What is known of a sender. One of which nothing is known may have an empty course.
    pub(super) fn get(&self, sender: u32) -> Option<&Course> {
        let page = self.pages.get(sender as usize / PAGE)?.as_deref()?;
        Some(&page[sender as usize % PAGE])
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, sender: u32) -> Option<&mut Course> {
        let page = self.pages.get_mut(sender as usize / PAGE)?.as_deref_mut()?;
        Some(&mut page[sender as usize % PAGE])
    }

    /// The course of a sender that has sent something or is said to have: of a client of the run, since memory is taken for its
    /// number.
    pub(super) fn of(&mut self, sender: u32) -> &mut Course {
        let place = sender as usize / PAGE;
        if self.pages.len() <= place {
            self.pages.resize_with(place + 1, || None);
        }
        &mut self.pages[place].get_or_insert_default()[sender as usize % PAGE]
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Course> {
        self.pages.iter().flatten().flat_map(|page| page.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_found_again_and_neighbours_have_their_own() {
        let mut courses = Courses::default();
        assert!(courses.get(40).is_none());
        courses.of(40).seen = 7;
        let seen = |sender| courses.get(sender).map(|course| course.seen);
        assert_eq!(
            [seen(39), seen(40), seen(41), seen(47), seen(48)],
            [Some(0), Some(7), Some(0), Some(0), None]
        );
    }

    #[test]
    fn an_idle_sender_takes_thirty_two_bytes() {
        assert_eq!(size_of::<Course>(), 32);
    }
}
