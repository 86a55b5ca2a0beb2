//! The offenders that the audit found, each in a sentence: who, which message, where, and when what happened.
//! Times are since the beginning of the run.

use std::sync::Arc;
use std::time::Duration;

use crate::audit::{Fault, Key, Leak, MembershipSpan, Moment, Offence, SentMessage, UndecidedPair};
use crate::measure::ScriptInfo;

/// The sentence, without its full stop.
pub(super) fn sentence(script_info: &ScriptInfo, offence: &Offence) -> String {
    let receiver = client(script_info, offence.receiver);
    let message = match &offence.message {
        Some(message) => format!("{}{}", numbered(script_info, message.key), aim(message)),
        None => numbered(script_info, offence.key),
    };
    let deed = match (offence.fault, offence.leak) {
        (Fault::Missing, _) => format!("{receiver} did not receive {message}"),
        (Fault::Duplicate, _) => format!("{receiver} received {message} again"),
        (Fault::Disordered, _) => {
            let by = offence.overtaken_by.map_or(String::new(), |by| format!(" {by}"));
            format!("{receiver} received {message} after the later message{by}")
        }
        (Fault::Leaked, leak) => {
            let why = leak.map_or("it was not for it", |leak| why(leak));
            let into = match leak {
                Some(Leak::Namespace) => format!(" in {}", offence.namespace),
                _ => String::new(),
            };
            format!("{receiver} received{into} {message}, though {why}")
        }
    };
    let mut facts = Vec::new();
    if offence.leak != Some(Leak::Namespace) {
        facts.extend(telling(offence).map(|(place, span)| whereabouts(place, span)));
    }
    if let Some(message) = &offence.message {
        facts.push(format!("sent {}", seconds(message.sent)));
        facts.extend(message.handled.map(|handled| format!("handled by {}", seconds(handled))));
    }
    facts.extend(offence.received.map(|received| format!("received {}", seconds(received))));
    match facts.is_empty() {
        true => deed,
        false => format!("{deed}: {}", facts.join(", ")),
    }
}

/// A client and a message in words.
pub(super) fn pair(
    script_info: &ScriptInfo,
    UndecidedPair { message, receiver, .. }: &UndecidedPair,
) -> String {
    let message = format!("{}{}", numbered(script_info, message.key), aim(message));
    format!("{} and {message}", client(script_info, *receiver))
}

/// The spans that say most: the last that was asked for before the message was settled, and for
/// a leak around a join or a leave the next one.
fn telling(offence: &Offence) -> impl Iterator<Item = &(Arc<str>, MembershipSpan)> {
    let settled = offence.message.as_ref().map_or(Moment::MAX, |message| message.settled);
    let mut spans: Vec<&(Arc<str>, MembershipSpan)> = offence.spans.iter().collect();
    spans.sort_by_key(|(_, span)| span.asked);
    let after = spans.partition_point(|(_, span)| span.asked < settled);
    let last = match offence.leak {
        Some(Leak::BeforeJoin | Leak::AfterLeave) => after + 1,
        _ => after,
    };
    spans.truncate(last);
    spans.into_iter().skip(after.saturating_sub(1))
}

/// Why a message was not for a client, after "though".
fn why(leak: Leak) -> &'static str {
    match leak {
        Leak::Sender => "its sender was to be left out",
        Leak::Namespace => "that is another namespace",
        Leak::Except => "it was in a room that was left out",
        Leak::AfterLeave => "it had left before",
        Leak::BeforeJoin => "it joined only after",
        Leak::Room => "it was never there",
        Leak::Refused => "the server had refused it",
        Leak::Nobody => "nobody sent it",
    }
}

/// `crowd[17]`, as in expressions of a scenario; `alice` in a group of one.
fn client(script_info: &ScriptInfo, index: u32) -> String {
    let mut n = index;
    for group in &script_info.groups {
        match group.count {
            1 if n == 0 => return group.name.clone(),
            count if n < count => return format!("{}[{n}]", group.name),
            count => n -= count,
        }
    }
    format!("client {index}")
}

fn numbered(script_info: &ScriptInfo, key: Key) -> String {
    format!("message {} of {}", key.sequence, client(script_info, key.sender))
}

fn aim(message: &SentMessage) -> String {
    let list = |rooms: &[Arc<str>]| rooms.join(" and ");
    let mut aim = match &message.to[..] {
        [] => format!(" to everyone in {}", message.namespace),
        rooms => format!(" to {}", list(rooms)),
    };
    if !message.except.is_empty() {
        aim.push_str(&format!(" except {}", list(&message.except)));
    }
    aim
}

fn whereabouts(place: &str, span: &MembershipSpan) -> String {
    let begun = match span.confirmed {
        Some(confirmed) => format!("in {place} since {}", seconds(confirmed)),
        None => format!("asked for {place} {}", seconds(span.asked)),
    };
    match (span.left_asked, span.left) {
        (Some(asked), Some(left)) if span.ends_silently => {
            format!("{begun}, asked to leave {}, to be out by {}", seconds(asked), seconds(left))
        }
        (_, Some(left)) => format!("{begun} until {}", seconds(left)),
        (Some(asked), None) => format!("{begun}, asked to leave {}", seconds(asked)),
        (None, None) => begun,
    }
}

fn seconds(time: Moment) -> String {
    format!("{:.3} s", Duration::from(time).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::GroupInfo;

    fn at(millis: u64) -> Moment {
        Moment::from_millis(millis)
    }

    fn script_info() -> ScriptInfo {
        let group = |name: &str, count| GroupInfo { name: name.into(), count };
        ScriptInfo { groups: vec![group("alice", 1), group("crowd", 500)], ..ScriptInfo::default() }
    }

    fn offence(fault: Fault, leak: Option<Leak>) -> Offence {
        let key = Key { sender: 0, sequence: 3 };
        let message = SentMessage::example(key, vec!["lobby".into()], at(1_204), at(1_206));
        let span = MembershipSpan { confirmed: Some(at(120)), ..MembershipSpan::asked(at(118)) };
        Offence {
            fault,
            leak,
            key,
            message: Some(Arc::new(message)),
            receiver: 18,
            namespace: "/".into(),
            spans: vec![("lobby".into(), span)],
            received: None,
            overtaken_by: None,
        }
    }

    #[test]
    fn each_offence_is_told_in_full() {
        let missing = offence(Fault::Missing, None);
        let again = Offence { received: Some(at(1_300)), ..offence(Fault::Duplicate, None) };
        let disordered = Offence { overtaken_by: Some(4), ..offence(Fault::Disordered, None) };
        let mut left =
            Offence { received: Some(at(1_300)), ..offence(Fault::Leaked, Some(Leak::AfterLeave)) };
        left.spans[0].1.end(at(900), at(902));
        let elsewhere =
            Offence { namespace: "/custom".into(), ..offence(Fault::Leaked, Some(Leak::Namespace)) };
        let nobody = Offence {
            message: None,
            spans: Vec::new(),
            received: Some(at(1_300)),
            ..offence(Fault::Leaked, Some(Leak::Nobody))
        };
        let told: Vec<String> = [missing, again, disordered, left, elsewhere, nobody]
            .iter()
            .map(|offence| sentence(&script_info(), offence))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn clients_are_named_as_in_a_scenario() {
        assert_eq!(
            [0, 1, 500, 501].map(|index| client(&script_info(), index)),
            ["alice", "crowd[0]", "crowd[499]", "client 501"]
        );
    }
}
