//! What a client heard instead of what it waited for: events that no step names, by what the wire log still has of them.

use std::time::Instant;

use super::Actor;
use super::actor::Ended;
use crate::document::shortened;
use crate::observe::WireLine;
use crate::protocol::Rule;
use crate::session::{Channel, Closed};

/// So many characters of such an event are shown.
const SHOWN: usize = 121;

/// What stands before it in a sentence.
const BEFORE: &str = "; an event came that no step names: ";

/// The event that a client heard instead of what it waited for, by the sentence about that.
pub fn heard_instead(sentence: &str) -> Option<&str> {
    sentence.split_once(BEFORE).map(|(_, event)| event)
}

impl Actor<'_> {
    /// What may have gone wrong with what was posted, without a word of the server about it.
    pub(super) fn sign_in_posts(&self) -> Option<Rule> {
        let is_refused =
            |ended: &Ended| matches!(ended.why, Closed::BadAnswer { channel: Channel::Post, .. });
        match self.session.has_posted_many() {
            true => Some(Rule::PostPackets),
            false => {
                let is_broken =
                    self.session.lacks_answer_to_post() || self.ended.as_deref().is_some_and(is_refused);
                is_broken.then_some(Rule::PostAnswer)
            }
        }
    }

    /// The same of bytes that were sent, in a post or over another transport.
    pub(super) fn sign_in_bytes(&self) -> Option<Rule> {
        self.session.has_posted_bytes().map(|posted| if posted { Rule::PostBinary } else { Rule::BinaryLost })
    }

    /// The rule that may explain that something else came than was meant to come, which may be this one. Attachments may still be on
    /// their way.
    pub(super) fn blamed_for_other(&self, rule: Option<Rule>) -> Option<Rule> {
        self.harm.or_else(|| self.signs.rule()).or(rule).or_else(|| self.sign_in_posts())
    }

    /// In words, the last event that came since a time and that no step of the group waits for. Empty if there is none.
    pub(super) fn heard_instead(&self, since: Instant) -> String {
        let (lines, wants) = (self.wire_lines_since(since), |name: &str| self.group.filter.wants(name));
        let heard = lines.iter().rev().find_map(|line| unnamed(line, wants));
        heard.map(|event| format!("{BEFORE}{event}")).unwrap_or_default()
    }
}

/// The event that a line of the log brought, if nobody asks for it.
fn unnamed(line: &WireLine, wants: impl Fn(&str) -> bool) -> Option<String> {
    let frame = line.text.strip_prefix("poll 200 ").unwrap_or(&line.text);
    let packet = frame.strip_prefix("42").filter(|_| !line.sent)?;
    let event = &packet[packet.find("[\"")?..];
    let (name, _) = event.get(2..)?.split_once('"')?;
    (!wants(name)).then(|| shortened(event, SHOWN))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_an_event_that_came_and_that_nobody_asks_for_is_told() {
        let told = |sent: bool, text: &str| {
            unnamed(&WireLine { at: Duration::ZERO, sent, text: text.to_owned() }, |name| name == "said")
        };
        assert_eq!(told(false, r#"42["exception",{"a":1}]"#).as_deref(), Some(r#"["exception",{"a":1}]"#));
        assert_eq!(told(false, r#"poll 200 42/x,7["full","den"]"#).as_deref(), Some(r#"["full","den"]"#));
        for text in [r#"42["said",1]"#, r#"430["x"]"#, "2", "42", r#"42["#, r#"42["open"#] {
            assert_eq!(told(false, text), None, "{text}");
        }
        assert_eq!(told(true, r#"42["exception"]"#), None);
        let long = format!(r#"42["exception","{}"]"#, "ä".repeat(200));
        assert!(
            told(false, &long).is_some_and(|event| event.ends_with("ä…") && event.chars().count() == 121)
        );
    }
}
