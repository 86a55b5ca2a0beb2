//! The word that was probably meant: a slip of the pen, or a word for the same thing from elsewhere.

/// Words that people bring from other tools (k6, Artillery, Gatling, Locust) and from drafts of this language, with what
/// stands for them here. Which of these is meant depends on what is known at that place: the first that is.
const SYNONYMS: &[(&[&str], &[&str])] = &[
    (&["cast"], &["clients", "broadcast", "index"]),
    (&["cast_ack"], &["broadcast_ack"]),
    // Steps.
    (&["sleep", "pause", "think", "delay", "thinktime", "think_time"], &["wait", "think", "after"]),
    (&["loop", "foreach"], &["repeat"]),
    (&["flow", "scenarios", "scenario", "tasks", "steps", "actions"], &["script", "steps"]),
    (&["response", "on", "listen", "wait_for", "waitfor"], &["expect"]),
    (&["not_expect", "expect_not", "dont_expect", "never", "refute"], &["expect_none"]),
    (&["publish", "send", "message"], &["broadcast"]),
    (&["close"], &["disconnect"]),
    (&["parallel"], &["together"]),
    // Fields of steps.
    (&["data", "payload", "arguments", "params", "json", "form"], &["args", "body"]),
    (&["text", "content", "msg"], &["say", "args", "body"]),
    (&["save", "store", "extract"], &["capture"]),
    (&["receive_as", "received_as", "receives", "arrives"], &["arrives_as"]),
    (&["match"], &["args", "is", "body"]),
    (&["expected", "equals", "equal"], &["is"]),
    (&["channel"], &["event"]),
    (&["acknowledge", "acknowledgement", "acknowledgment", "callback", "acks"], &["ack"]),
    (&["room", "rooms", "target"], &["to", "room"]),
    (&["timeout"], &["within"]),
    (&["interval", "period"], &["every"]),
    (&["duration"], &["for", "duration"]),
    (&["iterations", "loops", "count"], &["times"]),
    // Clients and how they arrive.
    (&["vus", "vusers", "users", "arrivalcount", "maxvusers"], &["count", "clients"]),
    (&["arrivalrate", "spawn_rate", "rps"], &["rate", "arrive"]),
    (&["rampto"], &["to"]),
    (&["do", "body", "then", "run"], &["steps", "say"]),
    (&["phases", "stages"], &["arrive"]),
    (&["variables"], &["vars"]),
    (&["csv", "users_file", "feeder", "dataset"], &["rows"]),
    (&["nsp", "ns"], &["namespace"]),
    (&["each", "everyone", "everybody", "*"], &["all"]),
    (&["ws", "websockets"], &["websocket"]),
    (&["long-polling", "longpolling", "xhr", "http"], &["polling"]),
    (&["description", "desc", "comment"], &["about"]),
    // Matchers.
    (&["$regex", "$regexp", "$re", "$pattern", "$matches"], &["$match"]),
    (&["$in", "$any_of", "$anyof", "$oneof", "$or"], &["$one_of"]),
    (&["$ne", "$neq"], &["$not"]),
    (&["$exists"], &["$any"]),
    (&["$includes", "$include", "$has"], &["$contains"]),
];

/// Words that stand for nothing at the place where people write them, and what to do instead. A word of that place
/// marks it.
const ADVICE: &[(&[&str], &str, &str)] = &[
    (&["url", "target", "host", "server"], "thresholds", SERVER),
    (&["url", "host"], "namespace", SERVER),
    (
        &["scenarios", "config"],
        "thresholds",
        "if this is a file of Artillery: `sockrates import artillery FILE` makes a scenario of it",
    ),
    (
        &["log"],
        "thresholds",
        "if this is a HAR of a browser: `sockrates import har FILE` makes a scenario of it",
    ),
    (&["options"], "thresholds", "name the server by `--url` and the load in `clients`"),
    (
        &["phases", "stages", "arrivalrate"],
        "thresholds",
        "say when clients arrive in their group: `clients: { users: { count: 500, arrive: 50/s } }`",
    ),
    (&["duration"], "thresholds", "say how long in a step: `repeat: { for: 30s, every: 1s, steps: [ … ] }`"),
    (&["engine", "protocol"], "thresholds", "leave it out: every scenario speaks Socket.IO"),
    (
        &["namespace", "headers", "auth", "query"],
        "thresholds",
        "it belongs to a group: `clients: { users: { count: 10, namespace: /chat } }`",
    ),
    (&["measure"], "thresholds", "it belongs into the script: `- measure: [ … ]`"),
    (
        &["capture", "save", "store"],
        "tells",
        "an acknowledgement is kept by `ack: { capture: NAME }`, an event by an `expect` with `capture: NAME`",
    ),
    (&["ok", "success", "value"], "capture", "say what the arguments are like: `args: [{ ok: true }]`"),
    (&["method", "url", "path"], "post", "write the method as the key of the path: `post: /login`"),
    (&["errors", "error", "failed", "failures", "failure", "http_req_failed"], "connect failed", FAILURES),
    (&["rate", "rps", "arrivalrate", "pace"], "bursts", PACE),
    (
        &["latency", "response_time", "rtt", "http_req_duration", "p50", "p90", "p95", "p99", "max", "mean"],
        "connect failed",
        "name what takes that time: `ack p99`, `delivery p99` or `connect p99`",
    ),
];

const SERVER: &str = "name the server on the command line: `--url http://localhost:3000`";
const PACE: &str = "a pace is told by its interval: `every: 50ms` lets each client begin 20 rounds a second";
const FAILURES: &str = "name the errors: `connect failed`, `connection dropped`, `ack missed`, `rule broken` or `delivery missing`";

/// A hint at the known word that was probably meant, or else this one.
pub(crate) fn hint_at<'a>(
    word: &str,
    among: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    closest(word, among).map_or_else(otherwise, |near| format!("did you mean `{near}`?"))
}

/// The known word that was probably meant: one that stands for the same thing, or one at most one slip in three
/// characters away, swapped neighbours counting as one; the nearest, the first of equals.
pub fn closest<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let known: Vec<&str> = among.into_iter().collect();
    let synonyms =
        SYNONYMS.iter().filter(|(foreign, _)| foreign.contains(&&*lower)).flat_map(|(_, ours)| *ours);
    if let Some(synonym) = synonyms.copied().find_map(|ours| known.iter().find(|known| **known == ours)) {
        return Some(synonym);
    }
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .filter(|(slips, known)| {
            *slips <= known.chars().count().max(lower.chars().count()).div_ceil(3).min(4)
        })
        .filter(|(slips, known)| *slips < known.chars().count())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, known)| known)
}

/// What to do instead of a word that stands for nothing where these are known.
pub(super) fn advice(word: &str, known: &[&str]) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let fits = |(words, place, _): &&(&[&str], &str, &str)| words.contains(&&*lower) && known.contains(place);
    ADVICE.iter().find(fits).map(|(_, _, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::{ADVICE, SYNONYMS, advice, closest};

    #[test]
    fn a_word_from_elsewhere_is_answered_with_ours_for_that_place() {
        let steps = ["connect", "emit", "broadcast", "expect", "repeat", "wait", "together", "disconnect"];
        let emit = ["event", "args", "namespace", "ack"];
        let group = ["count", "arrive", "namespace", "vars"];
        for (word, known, ours) in [
            ("cast", &["name", "clients", "script"][..], "clients"),
            ("cast_ack", &["broadcast", "broadcast_ack"], "broadcast_ack"),
            ("Cast", &steps, "broadcast"),
            ("cast", &["n", "index", "count"], "index"),
            ("sleep", &steps, "wait"),
            ("think", &steps, "wait"),
            ("response", &steps, "expect"),
            ("loop", &steps, "repeat"),
            ("do", &["times", "for", "every", "steps"], "steps"),
            ("data", &emit, "args"),
            ("payload", &emit, "args"),
            ("json", &["post", "headers", "body"], "body"),
            ("channel", &emit, "event"),
            ("acknowledge", &emit, "ack"),
            ("match", &["args", "capture", "within"], "args"),
            ("room", &["to", "except", "event", "args"], "to"),
            ("timeout", &["event", "args", "within"], "within"),
            ("interval", &["times", "for", "every", "steps"], "every"),
            ("duration", &["times", "for", "every", "steps"], "for"),
            ("flow", &["times", "for", "every", "steps"], "steps"),
            ("count", &["times", "for", "every", "steps"], "times"),
            ("scenarios", &["name", "clients", "script"], "script"),
            ("vus", &["name", "clients", "script"], "clients"),
            ("vus", &group, "count"),
            ("arrivalRate", &group, "arrive"),
            ("arrivalRate", &["rate", "from", "to", "for", "by"], "rate"),
            ("rampTo", &["rate", "from", "to", "for", "by"], "to"),
            ("variables", &group, "vars"),
            ("$regex", &["$any", "$match", "$not", "$one_of"], "$match"),
            ("$in", &["$any", "$match", "$not", "$one_of"], "$one_of"),
        ] {
            assert_eq!(closest(word, known.iter().copied()), Some(ours), "{word}");
        }
        assert_eq!(closest("cast", ["emit", "open"]), None);
    }

    #[test]
    fn a_word_for_which_there_is_nothing_at_that_place_gets_advice() {
        let scenario = ["name", "clients", "script", "thresholds"];
        for (word, advised) in [("url", "--url"), ("arrivalRate", "arrive"), ("engine", "leave it out")] {
            assert!(advice(word, &scenario).is_some_and(|advice| advice.contains(advised)), "{word}");
            assert_eq!(advice(word, &["event", "args"]), None, "{word}");
        }
        assert!(advice("errors", &["connect failed", "ack"]).is_some());
        assert!(advice("method", &["get", "post"]).is_some_and(|advice| advice.contains("`post: /login`")));
    }

    #[test]
    fn the_tables_are_in_lower_case_and_name_no_word_twice() {
        let words: Vec<&str> = SYNONYMS.iter().flat_map(|(words, _)| *words).copied().collect();
        for (index, word) in words.iter().enumerate() {
            assert!(!words[..index].contains(word), "{word} stands there twice");
        }
        let advised = ADVICE.iter().flat_map(|(words, ..)| *words);
        assert!(words.iter().chain(advised).all(|word| *word == word.to_lowercase()));
    }

    #[test]
    fn the_closest_word_is_near_enough_or_none() {
        let steps = ["connect", "disconnect", "emit", "expect", "expect_none", "join"];
        assert_eq!(closest("conect", steps), Some("connect"));
        assert_eq!(closest("expext", steps), Some("expect"));
        assert_eq!(closest("Jion", steps), Some("join"));
        assert_eq!(closest("expectnone", steps), Some("expect_none"));
        assert_eq!(closest("telephone", steps), None);
        assert_eq!(closest("x", ["n", "i"]), None);
    }
}
