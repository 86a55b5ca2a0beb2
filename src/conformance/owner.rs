//! Which clause owns a rule of the wire. A server that breaks the rule deviates from that clause, in whichever case it shows.

use crate::protocol::Rule;

/// The clause that owns a rule. None for the limits of our own client: they say nothing of the server but in the case that
/// meets them.
pub fn owner(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EnginePacketType
        | Rule::Frames
        | Rule::FrameOpcode
        | Rule::FrameMask
        | Rule::FrameLength
        | Rule::FrameControl
        | Rule::FrameSequence
        | Rule::MessageUtf8 => "EIO-WS-01",
        Rule::HandshakeJson | Rule::HandshakeField => "EIO-HS-02",
        Rule::FrameType => "EIO3-WS-01",
        Rule::PingUnasked => "EIO3-HB-03",
        Rule::PayloadLength => "EIO3-PL-01",
        Rule::PayloadBase64 => "EIO-LP-05",
        Rule::PollPacket => "EIO-LP-03",
        Rule::PollAnswer => "EIO-LP-01",
        Rule::Jsonp => "EIO-HTTP-17",
        Rule::PollEmpty => "EIO-LP-07",
        Rule::PollAtClose => "EIO-CL-01",
        Rule::PostPackets => "EIO-LP-02",
        Rule::PostAnswer => "EIO-HTTP-02",
        Rule::PostBinary => "EIO-LP-04",
        Rule::PostLength => "EIO-LP-18",
        Rule::PingMissing | Rule::SessionLost => "EIO-HB-01",
        Rule::PongMissing => "EIO3-HB-01",
        Rule::PacketPayload => "EIO-HB-14",
        Rule::UpgradeProbe => "EIO-UP-01",
        Rule::UpgradeRelease => "EIO-UP-02",
        Rule::UpgradeLoss => "EIO-UP-07",
        Rule::PacketUnexpected => "EIO-HS-20",
        Rule::PayloadUtf8 => "EIO-HTTP-01",
        Rule::BinaryTyped => "EIO-WS-02",
        Rule::RefusalStatus => "EIO-HTTP-04",
        Rule::CloseUntold => "EIO-CL-03",

        Rule::PacketType | Rule::DisconnectPayload => "SIO-PK-01",
        Rule::Namespace | Rule::Spelling => "SIO-PK-02",
        Rule::Json | Rule::TextSpoilt => "SIO-PK-23",
        Rule::EventPayload | Rule::ArgumentsLost => "SIO-EV-01",
        Rule::AckId | Rule::AckPayload | Rule::AckUnknown | Rule::AckMissing | Rule::AckSpoilt => "SIO-EV-02",
        Rule::AckTwice => "SIO-EV-03",
        Rule::ConnectPayload | Rule::ConnectReply | Rule::ConnectUnanswered | Rule::SidTaken => "SIO-NS-01",
        Rule::SidShared => "SIO-NS-09",
        Rule::ConnectErrorPayload | Rule::RefusalKind => "SIO-NS-07",
        Rule::NamespaceUnasked => "SIO-NS-02",
        Rule::AnswerAstray => "SIO-NS-05",
        Rule::NamespaceUnknown => "SIO-NS-22",
        Rule::NumberText | Rule::ValueSpoilt => "SIO-PK-24",
        Rule::LeaveIgnored => "SIO-NS-17",
        Rule::NamespaceAlone => "SEM-NS-01",
        Rule::EndUntold => "SEM-SK-03",
        Rule::EventOrder => "SEM-OR-01",
        Rule::EventLost => "SEM-OR-10",
        Rule::EventEarly => "SEM-OR-08",
        Rule::EventTwice => "SEM-OR-09",
        Rule::AttachmentCount | Rule::BinaryLost => "SIO-BIN-01",
        Rule::AckBytes => "SIO-BIN-02",
        Rule::Placeholder | Rule::AttachmentOrder => "SIO-BIN-03",
        Rule::AttachmentDue | Rule::AttachmentStray => "SIO-BIN-07",

        Rule::HandshakeAccept | Rule::Extension | Rule::Subprotocol => "EIO-WS-14",
        Rule::FrameReservedBits | Rule::Deflate => "EIO-HTTP-12",
        Rule::CloseCode => "EIO-CL-05",
        Rule::HttpLineEnd => "EIO-HTTP-01",
        Rule::HttpHead | Rule::HttpBodyLength | Rule::HttpChunk | Rule::HttpTruncated => "EIO-HTTP-19",

        // What another parser or transport has in the place of these.
        Rule::Msgpack => "SIO-PK-01",
        Rule::StreamLength | Rule::StreamUtf8 => "EIO-WS-01",
        Rule::Http3 => "EIO-HTTP-19",

        Rule::AttachmentLimit | Rule::MessageLimit | Rule::HttpLimit => return None,
    })
}

/// Clauses that the version before has words of its own for, with those.
pub(super) const OLDER: [(&str, &str); 1] = [("EIO-LP-02", "EIO3-PL-02")];

/// The clauses about the order of events: over a WebSocket, over polling, with attachments, through an upgrade, to the server,
/// beside acknowledgements, to several clients.
const ORDER: [&str; 7] =
    ["SEM-OR-02", "SEM-OR-03", "SEM-OR-04", "SEM-OR-05", "SEM-OR-06", "SEM-OR-07", "SIO-EV-09"];

/// Signs that may stand before another, which is then the one that counts.
pub(super) fn behind(rule: Rule) -> &'static [Rule] {
    match rule {
        Rule::UpgradeLoss => &[
            Rule::PostPackets,
            Rule::AckMissing,
            Rule::EventLost,
            Rule::BinaryLost,
            Rule::ConnectUnanswered,
            Rule::NamespaceAlone,
        ],
        Rule::LeaveIgnored => &[Rule::SidShared, Rule::EventLost],
        Rule::PostPackets | Rule::PostAnswer => &[Rule::EventLost, Rule::BinaryLost, Rule::AckMissing],
        // What asks for an answer, or joins, may itself be lost.
        Rule::AckMissing | Rule::ConnectUnanswered => &[Rule::EventLost, Rule::PostPackets],
        Rule::NamespaceAlone => &[Rule::ConnectUnanswered, Rule::EventLost, Rule::PostPackets],
        Rule::EventLost => &[Rule::PostPackets],
        Rule::BinaryLost => &[Rule::PostPackets, Rule::EventLost, Rule::AckMissing, Rule::AckBytes],
        Rule::PostBinary => &[Rule::PostPackets, Rule::BinaryLost, Rule::EventLost, Rule::AckMissing],
        Rule::EventTwice => &[Rule::EventOrder, Rule::EventLost],
        // What an answer lacks may be what the question had lost.
        Rule::AckSpoilt => &[Rule::ArgumentsLost, Rule::ValueSpoilt, Rule::TextSpoilt, Rule::BinaryLost],
        Rule::AckBytes => &[
            Rule::BinaryLost,
            Rule::ArgumentsLost,
            Rule::AckSpoilt,
            Rule::PostBinary,
            Rule::PostPackets,
            Rule::AckMissing,
        ],
        _ => &[],
    }
}

/// The clauses that nobody keeps who breaks a rule, whichever client sees it.
pub(super) fn goes_with(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::SidShared => &["SEM-NS-06"],
        Rule::LeaveIgnored => &["SIO-NS-20", "SEM-DR-01"],
        Rule::AttachmentOrder => &["SIO-BIN-18", "SEM-VO-03"],
        Rule::BinaryLost => &["SIO-BIN-07", "SEM-OR-03"],
        Rule::AckBytes => &["SIO-BIN-18"],
        _ => &[],
    }
}

/// Whether a clause owns a rule, in this version or the one before.
pub(super) fn owns(clause: &str, rule: Rule) -> bool {
    // Each of these is about what would show it.
    let is_one_of = |area: &[&str]| area.contains(&clause);
    match rule {
        Rule::EventOrder if is_one_of(&ORDER) => return true,
        Rule::UpgradeLoss if clause == "EIO-UP-06" => return true,
        _ => {}
    }
    let older = |owner: &str| OLDER.iter().find(|(now, _)| *now == owner).map(|(_, older)| *older);
    owner(rule).is_some_and(|owner| clause == owner || older(owner) == Some(clause))
}

/// Whether it belongs to a clause that a rule was broken: the clause owns the rule, or it stands in the area that is about what the
/// rule is about. A case that examines such a clause fails by it, and has no excuse in it.
pub fn belongs(rule: Rule, clause: &str) -> bool {
    let area = match rule {
        // A session that does not survive an upgrade sends no pings, either.
        Rule::PingMissing if is_of_upgrade(clause) => return true,
        Rule::PingMissing => "EIO-HB-",
        Rule::PongMissing => "EIO3-HB-",
        Rule::PollPacket => "EIO-LP-",
        Rule::NamespaceUnasked if clause == "SIO-NS-05" => return true,
        // A name that comes back as another one is what this clause is about.
        Rule::AnswerAstray if clause == "SIO-NS-24" => return true,
        // That nothing comes unasked is all that this clause says.
        Rule::NamespaceUnasked | Rule::NamespaceUnknown if clause == "EIO-HS-20" => return true,
        Rule::EventEarly if clause == "SEM-BC-18" => return true,
        // What an id is, and how it differs from others, is all that these are about.
        Rule::SidTaken if matches!(clause, "SIO-NS-09" | "SIO-NS-10" | "SIO-NS-19") => return true,
        // What an id means next door is all that this clause says.
        Rule::SidShared if clause == "SEM-NS-03" => return true,
        Rule::HandshakeField if matches!(clause, "EIO-HS-03" | "EIO-HS-21") => return true,
        // What comes in the place of the open packet is a matter of all that is said of the handshake.
        Rule::PacketUnexpected => "EIO-HS-",
        Rule::Jsonp => "EIO3-PL-",
        // Requests of a session that nobody knows are what is plainest of all that is refused.
        Rule::RefusalStatus if matches!(clause, "EIO-HTTP-05" | "EIO-ERR-01") => return true,
        Rule::BinaryTyped if matches!(clause, "EIO-LP-04" | "EIO-LP-05") => return true,
        // That a message comes whole is the promise of these.
        Rule::AttachmentDue | Rule::AttachmentStray => "SEM-VO-",
        _ => return owns(clause, rule),
    };
    owns(clause, rule) || clause.starts_with(area)
}

/// Whether what broke the rule was a packet that can be read and stood in the wrong place, came twice or not at all, or lacked what it
/// should say: no layer below makes that of a good one.
pub(super) fn is_readable(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::ConnectReply
            | Rule::ConnectPayload
            | Rule::ConnectUnanswered
            | Rule::NamespaceUnasked
            | Rule::NamespaceUnknown
            | Rule::EventEarly
            | Rule::SidTaken
            | Rule::SidShared
            | Rule::AnswerAstray
            | Rule::AckMissing
            | Rule::ArgumentsLost
            | Rule::BinaryLost
            | Rule::EventOrder
            | Rule::EventLost
            | Rule::EventTwice
            | Rule::NumberText
            | Rule::TextSpoilt
            | Rule::ValueSpoilt
            | Rule::AckSpoilt
            | Rule::AckBytes
            | Rule::AttachmentOrder
            | Rule::LeaveIgnored
            | Rule::NamespaceAlone
            | Rule::EndUntold
            | Rule::RefusalKind
    )
}

/// Whether a server that breaks this clause, about the order of packets and that each comes once, may look as if it broke that rule.
pub(super) fn looks_like(clause: &str, rule: Rule) -> bool {
    let is_of_order =
        ["EIO-LP-02", "EIO-LP-03", "EIO-LP-08", "SEM-OR-"].iter().any(|area| clause.starts_with(area));
    is_of_order && matches!(rule, Rule::EventEarly | Rule::NamespaceUnasked)
}

/// Whether so much is lost by a broken rule that a case about these clauses waits for it in vain, and can show nothing by that.
pub fn is_ruinous(rule: Rule, clauses: &[String]) -> bool {
    let is_about_it = |clause: &String| belongs(rule, clause) || looks_like(clause, rule);
    let is_below =
        !rule.name().starts_with("socket.") || clauses.iter().all(|clause| clause.starts_with("SEM"));
    let is_loss = !rule.is_harmless() && !is_sign(rule) && owner(rule).is_some();
    is_loss && is_below && !clauses.iter().any(is_about_it)
}

/// Whether a case that is blocked by this clause may have been blocked by a busy machine.
pub fn is_shaky(clause: &str) -> bool {
    let may_be = |rule: &&Rule| is_of_time(**rule) || **rule == Rule::HttpTruncated;
    Rule::ALL.iter().filter(may_be).any(|rule| owner(*rule) == Some(clause))
}

/// Whether the rule is broken by what did not come in time, which a busy machine delays, too.
pub fn is_of_time(rule: Rule) -> bool {
    let says_itself = matches!(
        rule,
        Rule::RefusalKind
            | Rule::ArgumentsLost
            | Rule::EventOrder
            | Rule::EventTwice
            | Rule::NumberText
            | Rule::TextSpoilt
            | Rule::ValueSpoilt
            | Rule::AckSpoilt
            | Rule::AttachmentOrder
            | Rule::LeaveIgnored
            | Rule::NamespaceAlone
            | Rule::SidShared
            | Rule::BinaryTyped
            | Rule::RefusalStatus
            | Rule::PostLength
    );
    is_sign(rule) && !says_itself
}

/// Whether a rule that was broken may be the reason why a check of a case about these clauses failed, which did not wait for what was lost.
pub(super) fn is_costly(rule: Rule, clauses: &[String]) -> bool {
    // Cases about the engine look at the fields of the handshake, and use them by hand.
    let is_of_engine = |clause: &String| clause.starts_with("EIO");
    !rule.is_harmless() || (rule == Rule::HandshakeField && clauses.iter().all(is_of_engine))
}

/// Whether a clause is about upgrades.
pub(super) fn is_of_upgrade(clause: &str) -> bool {
    clause.starts_with("EIO-UP-")
}

/// Whether what was seen is only a sign that the rule was broken: a connection that ended, an answer that did not come, or what an
/// application may have wanted. It may have had another cause.
/// It counts where a case about the clause has shown it, too.
pub(super) fn is_sign(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::ConnectUnanswered
            | Rule::RefusalKind
            | Rule::AckMissing
            | Rule::ArgumentsLost
            | Rule::BinaryLost
            | Rule::PostBinary
            | Rule::EventOrder
            | Rule::EventLost
            | Rule::EventTwice
            | Rule::NumberText
            | Rule::TextSpoilt
            | Rule::ValueSpoilt
            | Rule::AckSpoilt
            | Rule::AckBytes
            | Rule::AttachmentOrder
            | Rule::LeaveIgnored
            | Rule::NamespaceAlone
            | Rule::SidShared
            | Rule::EndUntold
            | Rule::UpgradeLoss
            | Rule::BinaryTyped
            | Rule::RefusalStatus
            | Rule::CloseUntold
            | Rule::PollAnswer
            | Rule::PostPackets
            | Rule::PostAnswer
            | Rule::PostLength
            | Rule::PingMissing
            | Rule::SessionLost
            | Rule::PongMissing
            | Rule::UpgradeProbe
            | Rule::UpgradeRelease
    )
}

/// Whether the rule is one of long-polling alone.
pub(super) fn is_of_polling(rule: Rule) -> bool {
    matches!(rule, Rule::PollPacket | Rule::PollAnswer | Rule::PayloadUtf8 | Rule::PayloadBase64)
}

/// Whether the rule is one of what packets say, whatever carries them.
pub fn is_of_data(rule: Rule) -> bool {
    matches!(rule, Rule::TextSpoilt | Rule::ValueSpoilt | Rule::AckSpoilt | Rule::AckBytes)
}

/// Whether that sign has hardly any other cause, so that many cases that saw it show the rule broken, too.
pub(super) fn is_plain(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::PollAnswer | Rule::UpgradeProbe | Rule::UpgradeRelease | Rule::SessionLost | Rule::CloseUntold
    )
}

/// Whether a client may have seen this sign for what the server does over a WebSocket, too: what fails there is no matter of posts.
pub(super) fn is_of_posts(rule: Rule) -> bool {
    matches!(rule, Rule::PostPackets | Rule::PostBinary)
}

/// Whether a clause is about what reaches a client whole and in order: events, and their bytes where it is those that a rule is about.
pub(super) fn is_of_wholeness(clause: &str, rule: Rule) -> bool {
    matches!(clause, "SIO-EV-01" | "SIO-EV-09" | "SEM-OR-01")
        || (rule, clause) == (Rule::PostBinary, "SIO-BIN-01")
}

/// The rule of this name.
pub fn rule(name: &str) -> Option<Rule> {
    Rule::ALL.iter().copied().find(|rule| rule.name() == name)
}
