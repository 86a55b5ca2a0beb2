//! What came that an application may have wanted, and that may yet be why a check did not hold.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::protocol::Rule;
use crate::session::ServerEvent;

/// The byte by which the version before marks a binary message.
const MESSAGE: u8 = 4;

/// Such signs on one connection.
#[derive(Debug, Default)]
pub struct Signs {
    /// The event that came last.
    last: Option<u64>,
    /// Whether an event came twice in a row.
    is_doubled: bool,
    /// Whether each binary message so far began with the type of a message, once there was one.
    is_typed: Option<bool>,
    /// Whether the id of the session was no text.
    pub has_odd_id: bool,
}

impl Signs {
    /// An event came.
    pub fn note_event(&mut self, event: &ServerEvent<'_>) {
        let mut hasher = DefaultHasher::new();
        (&event.namespace, &event.id, &event.data, &event.attachments).hash(&mut hasher);
        let hash = hasher.finish();
        self.is_doubled |= self.last.replace(hash) == Some(hash);
    }

    /// A binary message came.
    pub fn note_binary(&mut self, bytes: &[u8]) {
        self.is_typed = Some(self.is_typed.unwrap_or(true) && bytes.first() == Some(&MESSAGE));
    }

    /// The rule that the server broke, if that was no wish of the application's.
    pub(super) fn rule(&self) -> Option<Rule> {
        let signs = [
            (self.has_odd_id, Rule::HandshakeField),
            (self.is_doubled, Rule::EventTwice),
            (self.is_typed == Some(true), Rule::BinaryTyped),
        ];
        signs.into_iter().find(|(is_there, _)| *is_there).map(|(_, rule)| rule)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn event(id: Option<u64>, data: &str) -> ServerEvent<'_> {
        ServerEvent { namespace: "/".into(), id, data: Cow::Borrowed(data), attachments: Vec::new() }
    }

    #[test]
    fn an_event_that_comes_again_at_once_may_be_the_same_one() {
        let mut signs = Signs::default();
        for data in [r#"["n",1]"#, r#"["n",2]"#, r#"["n",1]"#] {
            signs.note_event(&event(None, data));
        }
        assert_eq!(signs.rule(), None, "others came between them");
        signs.note_event(&event(Some(1), r#"["n",1]"#));
        signs.note_event(&event(Some(2), r#"["n",1]"#));
        assert_eq!(signs.rule(), None, "they were asked one by one");
        signs.note_event(&event(Some(2), r#"["n",1]"#));
        assert_eq!(signs.rule(), Some(Rule::EventTwice));
    }

    #[test]
    fn binary_messages_have_a_type_where_all_begin_with_it() {
        let mut signs = Signs::default();
        assert_eq!(signs.rule(), None);
        signs.note_binary(&[4, 1]);
        assert_eq!(signs.rule(), Some(Rule::BinaryTyped));
        signs.note_binary(&[]);
        signs.note_binary(&[4, 1]);
        assert_eq!(signs.rule(), None);
    }
}
