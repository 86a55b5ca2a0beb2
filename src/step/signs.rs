//! What came that an application may have wanted, and that may yet be why a check did not hold.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::protocol::Rule;
use crate::protocol::socket_io::{Kind, outline};
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
    /// Whether the client was given one id in two namespaces.
    pub has_shared_id: bool,
    /// Whether a namespace was refused while the client was in another.
    pub was_refused_beside: bool,
    /// Whether the session has moved from long-polling to another transport.
    pub has_upgraded: bool,
    /// Whether a ping came, which the client has answered.
    pub was_pinged: bool,
    /// The namespace that the client left last, while the connection went on.
    pub left: Option<Box<str>>,
}

impl Signs {
    /// An event came. `once`: whether the server has no reason to say the same twice in a row.
    pub fn note_event(&mut self, event: &ServerEvent<'_>, once: bool) {
        let mut hasher = DefaultHasher::new();
        (&event.namespace, &event.id, &event.data, &event.attachments).hash(&mut hasher);
        let hash = hasher.finish();
        self.is_doubled |= self.last.replace(hash) == Some(hash) && once;
    }

    /// A binary message came.
    pub fn note_binary(&mut self, bytes: &[u8]) {
        self.is_typed = Some(self.is_typed.unwrap_or(true) && bytes.first() == Some(&MESSAGE));
    }

    /// A packet of the client's own making is sent.
    pub(super) fn note_sent(&mut self, text: &str, is_member: impl FnOnce(&str) -> bool) {
        self.has_upgraded |= text == "5";
        let left = text.strip_prefix('4').and_then(outline).filter(|packet| packet.kind == Kind::Disconnect);
        if let Some(packet) = left.filter(|packet| is_member(packet.namespace)) {
            self.left = Some(packet.namespace.into());
        }
    }

    /// The rule that is broken by an event in this frame, if the client had left its namespace.
    pub(super) fn heard_outside(&self, frame: &str) -> Option<Rule> {
        let packet = frame.strip_prefix('4').and_then(outline)?;
        let is_event = matches!(packet.kind, Kind::Event | Kind::BinaryEvent);
        (is_event && self.left.as_deref() == Some(packet.namespace)).then_some(Rule::LeaveIgnored)
    }

    /// What is broken where something is missing that breaks this rule: what is lost after an upgrade may have been lost by it.
    pub(super) fn missing(&self, rule: Rule) -> Rule {
        if self.has_upgraded { Rule::UpgradeLoss } else { rule }
    }

    /// The same, where only messages are lost by an upgrade.
    pub(super) fn missing_message(&self, rule: Rule, is_inside: bool) -> Rule {
        match rule {
            // A refusal may be meant, and is the reason only where nothing else is.
            Rule::ConnectUnanswered if self.was_refused_beside => self.missing(Rule::NamespaceAlone),
            Rule::ConnectUnanswered => self.unanswered(is_inside),
            Rule::EventLost | Rule::AckMissing | Rule::BinaryLost | Rule::AckBytes => self.missing(rule),
            other => other,
        }
    }

    /// What is broken where a CONNECT is not answered to a client that is in another namespace, or in none.
    pub(super) fn unanswered(&self, is_inside: bool) -> Rule {
        self.missing(if is_inside { Rule::NamespaceAlone } else { Rule::ConnectUnanswered })
    }

    /// The rule that the server broke, if that was no wish of the application's.
    pub(super) fn rule(&self) -> Option<Rule> {
        let signs = [
            (self.has_odd_id, Rule::HandshakeField),
            (self.is_doubled, Rule::EventTwice),
            (self.is_typed == Some(true), Rule::BinaryTyped),
            (self.has_shared_id, Rule::SidShared),
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
            signs.note_event(&event(None, data), true);
        }
        assert_eq!(signs.rule(), None, "others came between them");
        (0..2).for_each(|_| signs.note_event(&event(None, r#"["presence"]"#), false));
        assert_eq!(signs.rule(), None, "the application may say it as often as it likes");
        signs.note_event(&event(Some(1), r#"["n",1]"#), true);
        signs.note_event(&event(Some(2), r#"["n",1]"#), true);
        assert_eq!(signs.rule(), None, "they were asked one by one");
        signs.note_event(&event(Some(2), r#"["n",1]"#), true);
        assert_eq!(signs.rule(), Some(Rule::EventTwice));
    }

    #[test]
    fn an_event_is_heard_outside_where_the_client_had_left_its_namespace() {
        let mut signs = Signs::default();
        assert_eq!(signs.heard_outside(r#"42/custom,["news"]"#), None);
        signs.note_sent("42[\"41/custom,\"]", |_| true);
        signs.note_sent("41/custom,", |_| false);
        assert_eq!(signs.left, None);
        signs.note_sent("41/custom,", |name| name == "/custom");
        assert_eq!(signs.heard_outside(r#"42/custom,["news"]"#), Some(Rule::LeaveIgnored));
        for frame in ["42[\"news\"]", "41/custom,", "43/custom,1[]", "2"] {
            assert_eq!(signs.heard_outside(frame), None, "{frame}");
        }
    }

    #[test]
    fn what_is_missing_after_an_upgrade_may_have_been_lost_by_it() {
        let mut signs = Signs::default();
        assert_eq!(signs.missing(Rule::EventLost), Rule::EventLost);
        signs.note_sent("5", |_| true);
        assert_eq!(signs.missing(Rule::EventLost), Rule::UpgradeLoss);
        assert_eq!(signs.missing_message(Rule::AckMissing, false), Rule::UpgradeLoss);
        assert_eq!(signs.missing_message(Rule::UpgradeProbe, false), Rule::UpgradeProbe);
    }

    #[test]
    fn a_shared_id_and_a_refusal_beside_another_namespace_may_explain_what_fails() {
        let signs = Signs { has_shared_id: true, ..Signs::default() };
        assert_eq!(signs.rule(), Some(Rule::SidShared));
        let signs = Signs { was_refused_beside: true, ..Signs::default() };
        assert_eq!(signs.rule(), None, "it may have been meant");
        assert_eq!(signs.missing_message(Rule::ConnectUnanswered, false), Rule::NamespaceAlone);
        let signs = Signs::default();
        assert_eq!(signs.missing_message(Rule::ConnectUnanswered, true), Rule::NamespaceAlone);
        assert_eq!(signs.missing_message(Rule::ConnectUnanswered, false), Rule::ConnectUnanswered);
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
