//! Who is in which room: the index of one namespace.
//!
//! Source of the rules: the in-memory adapter of the official server. Pure; members are any value that can
//! be cloned. Members are kept in the order they arrived, so a broadcast reaches them in that order.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Names a member within its namespace; later members have higher keys.
pub(crate) type Key = u64;

/// Which members a broadcast or command is meant for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Rooms to reach; none means everybody.
    pub(crate) to: Vec<Rc<str>>,
    /// Rooms whose members are left out.
    pub(crate) except: Vec<Rc<str>>,
    /// One member to leave out: the sender of a broadcast.
    pub(crate) except_key: Option<Key>,
}

/// The members of a namespace and their rooms.
#[derive(Debug)]
pub(crate) struct Rooms<T> {
    members: BTreeMap<Key, Member<T>>,
    rooms: HashMap<Rc<str>, BTreeMap<Key, T>>,
}

#[derive(Debug)]
struct Member<T> {
    value: T,
    joined: Vec<Rc<str>>,
}

impl<T> Default for Rooms<T> {
    fn default() -> Rooms<T> {
        Rooms { members: BTreeMap::new(), rooms: HashMap::new() }
    }
}

impl<T: Clone> Rooms<T> {
    /// Admits a member, in no room yet.
    pub(crate) fn add(&mut self, key: Key, value: T) {
        self.members.insert(key, Member { value, joined: Vec::new() });
    }

    /// Takes a member out of the namespace and of all its rooms.
    pub(crate) fn remove(&mut self, key: Key) {
        let Some(member) = self.members.remove(&key) else { return };
        for room in member.joined {
            self.drop_from(&room, key);
        }
    }

    /// Puts a member into a room; once is enough.
    pub(crate) fn join(&mut self, key: Key, room: &str) {
        let Some(member) = self.members.get_mut(&key) else { return };
        if member.joined.iter().any(|joined| **joined == *room) {
            return;
        }
        let name = match self.rooms.get_key_value(room) {
            Some((name, _)) => name.clone(),
            None => Rc::from(room),
        };
        member.joined.push(name.clone());
        self.rooms.entry(name).or_default().insert(key, member.value.clone());
    }

    /// Takes a member out of a room; being in it is not required.
    pub(crate) fn leave(&mut self, key: Key, room: &str) {
        let Some(member) = self.members.get_mut(&key) else { return };
        member.joined.retain(|joined| **joined != *room);
        self.drop_from(room, key);
    }

    /// Takes everybody out of a room.
    pub(crate) fn empty(&mut self, room: &str) {
        let members: Vec<Key> = self.rooms.get(room).into_iter().flat_map(BTreeMap::keys).copied().collect();
        members.into_iter().for_each(|key| self.leave(key, room));
    }

    fn drop_from(&mut self, room: &str, key: Key) {
        if let Some(members) = self.rooms.get_mut(room) {
            members.remove(&key);
            if members.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// The rooms of a member, in the order it joined them.
    pub(crate) fn rooms_of(&self, key: Key) -> &[Rc<str>] {
        self.members.get(&key).map_or(&[], |member| &member.joined)
    }

    /// Whether anybody is in that room.
    pub(crate) fn has(&self, room: &str) -> bool {
        self.rooms.contains_key(room)
    }

    /// Whether the namespace has no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Calls `each` for every selected member, once per member however many of its rooms are addressed.
    pub(crate) fn select(&self, selection: &Selection, mut each: impl FnMut(&T)) {
        let excluded = |key: &Key| {
            selection.except_key == Some(*key)
                || selection
                    .except
                    .iter()
                    .any(|room| self.rooms.get(room).is_some_and(|room| room.contains_key(key)))
        };
        if selection.to.is_empty() {
            for (key, member) in &self.members {
                if !excluded(key) {
                    each(&member.value);
                }
            }
            return;
        }
        let addressed =
            || selection.to.iter().enumerate().filter_map(|(n, name)| Some((n, self.rooms.get(name)?)));
        for (n, room) in addressed() {
            for (key, value) in room {
                let seen = n > 0 && addressed().take_while(|(m, _)| *m < n).any(|(_, r)| r.contains_key(key));
                if !seen && !excluded(key) {
                    each(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn selection(to: &[&str], except: &[&str], except_key: Option<Key>) -> Selection {
        let names = |names: &[&str]| names.iter().map(|name| Rc::from(*name)).collect();
        Selection { to: names(to), except: names(except), except_key }
    }

    fn selected(rooms: &Rooms<Key>, selection: &Selection) -> Vec<Key> {
        let mut keys = Vec::new();
        rooms.select(selection, |key| keys.push(*key));
        keys
    }

    fn abcd() -> Rooms<Key> {
        let mut rooms = Rooms::default();
        for key in 1..=4 {
            rooms.add(key, key);
        }
        for (key, room) in [(1, "a"), (2, "a"), (2, "b"), (3, "b")] {
            rooms.join(key, room);
        }
        rooms
    }

    #[test]
    fn a_selection_is_the_union_of_rooms_without_the_excepted() {
        let rooms = abcd();
        let table: [(Selection, &[Key]); 8] = [
            (selection(&[], &[], None), &[1, 2, 3, 4]),
            (selection(&[], &[], Some(1)), &[2, 3, 4]),
            (selection(&["a"], &[], None), &[1, 2]),
            (selection(&["a"], &[], Some(1)), &[2]),
            (selection(&["a", "b"], &[], None), &[1, 2, 3]),
            (selection(&["a"], &["b"], None), &[1]),
            (selection(&[], &["b"], None), &[1, 4]),
            (selection(&["nobody"], &[], None), &[]),
        ];
        for (selection, expected) in table {
            assert_eq!(selected(&rooms, &selection), expected, "{selection:?}");
        }
    }

    #[test]
    fn joining_twice_needs_one_leave() {
        let mut rooms = abcd();
        rooms.join(1, "a");
        rooms.leave(1, "a");
        assert_eq!(selected(&rooms, &selection(&["a"], &[], None)), [2]);
    }

    #[test]
    fn a_removed_member_is_in_no_room_and_empty_rooms_disappear() {
        let mut rooms = abcd();
        rooms.remove(2);
        rooms.remove(3);
        assert_eq!(selected(&rooms, &selection(&["a", "b"], &[], None)), [1]);
        assert!(!rooms.has("b"));
        rooms.join(2, "a");
        assert_eq!(selected(&rooms, &selection(&["a"], &[], None)), [1], "a ghost joined");
    }

    proptest! {
        #[test]
        fn selections_agree_with_the_definition(
            joins in prop::collection::vec((0u64..6, 0usize..4), 0..24),
            leaves in prop::collection::vec((0u64..6, 0usize..4), 0..8),
            to in prop::collection::vec(0usize..4, 0..4),
            except in prop::collection::vec(0usize..4, 0..3),
            except_key in prop::option::of(0u64..6),
        ) {
            const NAMES: [&str; 4] = ["a", "b", "c", "d"];
            let mut rooms = Rooms::default();
            let mut model: BTreeSet<(Key, usize)> = BTreeSet::new();
            (0..6).for_each(|key| rooms.add(key, key));
            for (key, room) in joins { rooms.join(key, NAMES[room]); model.insert((key, room)); }
            for (key, room) in leaves { rooms.leave(key, NAMES[room]); model.remove(&(key, room)); }
            let expected: Vec<Key> = (0..6)
                .filter(|key| to.is_empty() || to.iter().any(|room| model.contains(&(*key, *room))))
                .filter(|key| !except.iter().any(|room| model.contains(&(*key, *room))))
                .filter(|key| Some(*key) != except_key)
                .collect();
            let to: Vec<&str> = to.iter().map(|room| NAMES[*room]).collect();
            let except: Vec<&str> = except.iter().map(|room| NAMES[*room]).collect();
            let mut found = selected(&rooms, &selection(&to, &except, except_key));
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
