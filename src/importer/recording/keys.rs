//! What the keys of values say: who speaks, where, and what is known by it.

/// The key of a number of bytes.
pub(super) const BYTES: &str = "$bytes";

/// The key of the beginning of these bytes, beside it.
pub(super) const AS_TEXT: &str = "$utf8";

/// Keys that name a room.
const ROOM_KEYS: [&str; 10] =
    ["room", "roomid", "room_id", "roomname", "channel", "channelid", "lobby", "group", "groupid", "to"];

/// Keys that say which kind of message an event carries, where one event carries several.
const KIND_KEYS: [&str; 12] = [
    "type",
    "kind",
    "action",
    "event",
    "op",
    "cmd",
    "command",
    "method",
    "messagetype",
    "msgtype",
    "msg_type",
    "eventtype",
];

/// Keys that name whoever speaks.
const NAME_KEYS: [&str; 12] = [
    "username",
    "user",
    "user_name",
    "nick",
    "nickname",
    "name",
    "displayname",
    "player",
    "playername",
    "sender",
    "from",
    "handle",
];

/// Whether a key is one of those under which somebody says who it is.
pub(super) fn is_name_key(place: &str) -> bool {
    NAME_KEYS.contains(&key(place).as_str())
}

/// Whether a key is one under which a room stands.
pub(super) fn is_room_key(place: &str) -> bool {
    ROOM_KEYS.contains(&key(place.trim_end_matches("/0")).as_str())
}

/// Whether a key is one under which the kind of a message stands.
pub(super) fn is_kind_key(place: &str) -> bool {
    KIND_KEYS.contains(&key(place).as_str())
}

/// Keys that say to whom a message goes.
const ADDRESSEE_KEYS: [&str; 13] = [
    "to",
    "toid",
    "touser",
    "recipient",
    "recipientid",
    "receiver",
    "receiverid",
    "target",
    "targetid",
    "peer",
    "peerid",
    "userid",
    "dest",
];

/// Whether a key is one under which somebody says to whom a message goes.
pub(super) fn is_addressee_key(place: &str) -> bool {
    ADDRESSEE_KEYS.contains(&key(place).replace('_', "").as_str())
}

/// Whether something is known by the text under a key, and it is no room.
pub(super) fn is_id_key(place: &str) -> bool {
    let key = place.rsplit('/').next().unwrap_or_default();
    !is_room_key(place) && (key == "id" || ["Id", "ID", "_id"].iter().any(|end| key.ends_with(end)))
}

/// Whether a text under a key is a code by which others come in, as a server makes them: `PIN`, `joinCode`.
pub(super) fn is_code(place: &str, text: &str) -> bool {
    let is_named = ["pin", "code"].iter().any(|end| key(place).ends_with(end));
    let is_of_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    is_named && (4..=12).contains(&text.len()) && text.chars().all(is_of_code)
}

/// Whether a text or a number has the form of a code that people tell each other, wherever it stands: a number of four digits at
/// least, or capitals and digits.
pub(super) fn is_short_code(text: &str) -> bool {
    let is_of_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    (4..=12).contains(&text.len())
        && text.chars().all(is_of_code)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn key(place: &str) -> String {
    place.rsplit('/').next().unwrap_or_default().to_lowercase()
}
