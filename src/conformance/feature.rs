//! What cases may need of a server beside the bare protocol: how a case shows that it needs it, and how to look whether
//! a server has it.
//!
//! Which of them a case uses stands in its text, so that nobody has to keep a list: the names of events and namespaces,
//! and the steps that the contract turns into events.

mod events;

use std::collections::BTreeSet;

use crate::contract::Verb;
use crate::document::{Key, Node, Source, Value, parse};
use crate::scenario::{Need, Scenario};
use crate::session::Transport;
use events::{EVENTS, LIST};

/// Something that a server may have or lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// HTTP long-polling.
    Polling,
    /// WebSockets.
    Websocket,
    /// Long-polling sessions may become WebSockets.
    Upgrade,
    /// WebTransport, at once or after long-polling.
    Webtransport,
    /// The answer to CONNECT has a private id.
    Recovery,
    /// Nobody is recovered: the opposite.
    NoRecovery,
    /// Pages of other origins may read the responses.
    Cors,
    /// The handshake tells the longest payload.
    MaxPayload,
    /// A POST may come in chunks.
    Chunked,
    /// An upgrade may stay unfinished as long as was told.
    UpgradeTime,
    /// Who joins no namespace is put out when it was told.
    ConnectTime,
    /// Several nodes.
    Nodes,
    /// Some namespace is served by nobody.
    Unserved,
    /// The namespace `/` lets clients in, with the credentials that the user gave.
    Main,
    /// The namespace `/` lets clients in who show no credentials.
    Anonymous,
    /// The namespace `/custom`.
    Custom,
    /// The namespace `/guard`.
    Guard,
    /// The namespaces `/dyn-` and digits.
    Dynamic,
    /// An event of the fixture, as an index into the list of them.
    Event(usize),
    /// What the contract of the user says of this.
    Asked(Verb),
}

/// The features that are neither events nor asked of a contract, in the order in which reports list them, with their names.
const NAMED: [(Feature, &str); 18] = [
    (Feature::Polling, "polling"),
    (Feature::Websocket, "websocket"),
    (Feature::Upgrade, "upgrade"),
    (Feature::Webtransport, "webtransport"),
    (Feature::Recovery, "recovery"),
    (Feature::NoRecovery, "no recovery"),
    (Feature::Cors, "cors"),
    (Feature::MaxPayload, "max_payload"),
    (Feature::Chunked, "chunked"),
    (Feature::UpgradeTime, "upgrade_time"),
    (Feature::ConnectTime, "connect_time"),
    (Feature::Nodes, "nodes"),
    (Feature::Unserved, "unserved namespaces"),
    (Feature::Main, "/"),
    (Feature::Anonymous, "/ without credentials"),
    (Feature::Custom, "/custom"),
    (Feature::Guard, "/guard"),
    (Feature::Dynamic, "/dyn-…"),
];

/// What stands in the script if a case uses the contract, and the event that it becomes.
const VERBS: [(&str, &str); 6] = [
    ("join", "t:join"),
    ("leave", "t:leave"),
    ("broadcast", "t:cast"),
    ("collect", "t:cast-ack"),
    ("fence", "t:join"),
    ("expect_none", "t:join"),
];

impl Feature {
    /// Every feature, in the order in which reports list them.
    pub fn all() -> Vec<Feature> {
        let mut all = NAMED.map(|(feature, _)| feature).to_vec();
        all.extend((0..EVENTS.len()).map(Feature::Event));
        all.extend(Verb::ALL.map(Feature::Asked));
        all
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Feature::Event(index) => EVENTS[index].name,
            Feature::Asked(Verb::Join) => "join by the contract",
            Feature::Asked(Verb::Leave) => "leave by the contract",
            Feature::Asked(Verb::Broadcast) => "broadcast by the contract",
            Feature::Asked(Verb::BroadcastAck) => "broadcast_ack by the contract",
            Feature::Asked(Verb::Fence) => "fence by the contract",
            named => NAMED.iter().find(|(feature, _)| *feature == named).map_or("", |(_, name)| name),
        }
    }

    /// Whether it can only be seen by a client that has connected to `/`.
    pub fn needs_connect(self) -> bool {
        matches!(self, Feature::Event(_))
    }

    /// Whether the fixture brings it.
    pub fn is_of_fixture(self) -> bool {
        matches!(self, Feature::Event(_) | Feature::Custom | Feature::Guard | Feature::Dynamic)
    }

    /// Whether a server that acknowledges every event, known or not, seems to have it.
    pub fn is_any_acknowledgement(self) -> bool {
        matches!(self, Feature::Event(index) if !EVENTS[index].is_telling)
    }

    /// Whether it shows itself by an acknowledgement.
    pub fn is_acknowledged(self) -> bool {
        matches!(self, Feature::Event(index) if EVENTS[index].probe.lines().last().is_some_and(|last| last.contains("ack:")))
    }

    /// The event of the fixture with this name, if it has one.
    fn event(name: &str) -> Option<Feature> {
        EVENTS.iter().position(|event| event.name == name).map(Feature::Event)
    }

    /// The event `t:burst`, which shows by other events that it was handled.
    pub fn burst() -> Option<Feature> {
        Feature::event("t:burst")
    }

    /// The event `message-with-ack`, which is answered with what it says.
    pub fn echo() -> Option<Feature> {
        Feature::event("message-with-ack")
    }

    /// The event `t:who`, whose answer nobody gives who does not know the fixture.
    pub fn who() -> Option<Feature> {
        Feature::event("t:who")
    }

    /// The version with which it came into the protocol, if that is younger than the protocol: which package, and since when. Where
    /// a server is known to be as new, its absence is a deviation.
    pub fn since(self) -> Option<(&'static str, [u64; 3])> {
        (self == Feature::MaxPayload).then_some(("engine.io", [6, 2, 0]))
    }

    /// What it is, in words.
    pub fn words(self) -> String {
        match self {
            Feature::Polling => "HTTP long-polling".to_owned(),
            Feature::Websocket => "WebSockets".to_owned(),
            Feature::Upgrade => "upgrades from long-polling to a WebSocket".to_owned(),
            Feature::Webtransport => "WebTransport".to_owned(),
            Feature::Recovery => "connection state recovery".to_owned(),
            Feature::NoRecovery => "a mode without connection state recovery".to_owned(),
            Feature::Cors => "responses that pages of other origins may read (CORS)".to_owned(),
            Feature::MaxPayload => "`maxPayload` in the handshake, which came with engine.io 6.2".to_owned(),
            Feature::Chunked => "POSTs that do not tell their length beforehand".to_owned(),
            Feature::UpgradeTime => {
                "an upgrade that may stay unfinished as long as `--upgrade-timeout` says".to_owned()
            }
            Feature::ConnectTime => {
                "an end, when `--connect-timeout` says, to who joins no namespace".to_owned()
            }
            Feature::Nodes => "several nodes that share the work".to_owned(),
            Feature::Unserved => "a namespace that it does not serve".to_owned(),
            Feature::Main => "a way into the namespace `/` with the credentials that were given".to_owned(),
            Feature::Anonymous => "a way into the namespace `/` without credentials".to_owned(),
            Feature::Custom | Feature::Guard | Feature::Dynamic => format!("the namespace `{}`", self.name()),
            Feature::Event(_) => format!("the event `{}`", self.name()),
            Feature::Asked(verb) => format!("`{}` as the contract has it", verb.name()),
        }
    }

    /// The feature that a transport is.
    pub fn of(transport: Transport) -> Feature {
        match transport {
            Transport::Polling => Feature::Polling,
            Transport::Websocket => Feature::Websocket,
            Transport::Upgrade => Feature::Upgrade,
            Transport::Webtransport | Transport::UpgradeToWebtransport => Feature::Webtransport,
        }
    }

    /// A scenario whose last step passes where a client can connect to `/` over this transport.
    pub fn connect(transport: Transport) -> Source {
        Feature::scenario("whether clients are let in", "- a: { connect: { within: 1s } }", transport)
    }

    /// The same with more patience, for servers that are slow to answer.
    pub fn slow_connect(transport: Transport) -> Source {
        Feature::scenario("whether clients are let in", "- a: { connect: { within: 5s } }", transport)
    }

    /// A scenario whose last step passes where a server puts a client out of `/` that it has just let in.
    pub fn putting_out(transport: Transport) -> Source {
        let script =
            "- a: { connect: { within: 1s } }\n- a: { expect_closed: { namespace: /, within: 300ms } }";
        Feature::scenario("whether clients are put out at once", script, transport)
    }

    /// A scenario in which a client stays, and nothing looks whether it may.
    pub fn staying(transport: Transport) -> Source {
        let script = "- a: { connect: { within: 1s } }\n- a: { wait: 300ms }";
        Feature::scenario("whether clients can read what they hear", script, transport)
    }

    /// A scenario whose last step passes where a post is answered as one that was taken; with patience for a server that takes its time.
    pub fn answer_to_post() -> Source {
        let script = "- a: { open: { transport: polling } }\n- a: { http: { post: poll, body: '40', expect: { status: 200 }, within: 3s } }";
        Feature::scenario("whether posts are answered", script, Transport::Polling)
    }

    /// A scenario whose last step passes where a poll is answered.
    pub fn answer_to_poll() -> Source {
        let script = "- a: { open: { transport: polling, poll: by_hand } }\n- a: { http: { post: poll, body: '40' } }\n\
                      - a: { http: { get: poll, expect: { status: 200 }, within: 3s } }";
        Feature::scenario("whether polls are answered", script, Transport::Polling)
    }

    /// A scenario whose last step passes where a client is refused at `/` over this transport.
    pub fn refusal(transport: Transport) -> Source {
        let script = "- a: { connect: { refused: true, within: 1s } }";
        Feature::scenario("whether clients are refused", script, transport)
    }

    /// A scenario whose last step passes where a client without credentials is refused at `/` over this transport.
    pub fn anonymous_refusal(transport: Transport) -> Source {
        let script = "- a: [ open, { expect_frame: { text: { $match: '^0' }, within: 1s } }, { send: '40' } ]\n\
                      - a: { expect_frame: { text: { $match: '^44' }, within: 1s } }";
        Feature::scenario("whether clients without credentials are refused", script, transport)
    }

    /// A scenario whose last step passes where a server acknowledges an event of which it cannot know.
    pub fn unknown_event(transport: Transport) -> Source {
        let script = "- a: { connect: { within: 1s } }\n\
                      - a: { emit: { event: 'unknown-${random(100000, 999999)}', args: [1], ack: { within: 1s } } }";
        Feature::scenario("whether every event is acknowledged", script, transport)
    }

    /// A scenario whose last step passes where a server acknowledges `t:burst`.
    pub fn acknowledged_burst(transport: Transport) -> Source {
        let script = "- a: { connect: { within: 1s } }\n\
                      - a: { emit: { event: 't:burst', args: [1, 1, false], ack: { within: 1s } } }";
        Feature::scenario("whether what is handled is acknowledged", script, transport)
    }

    /// A scenario whose last step passes where the id that a client is given is that of its socket.
    pub fn own_id(transport: Transport) -> Source {
        let script = "- a: { connect: { within: 1s } }\n\
                      - a: { emit: { event: 't:who', args: [], ack: { args: [{ $contains: { id: '${sid}' } }], within: 1s } } }";
        Feature::scenario("whether clients are told their ids", script, transport)
    }

    /// Whether a case says ids of sockets to the server, or knows them in what it hears.
    pub fn names_ids(source: &Source) -> bool {
        source.text.replace("engine_sid", "").contains("sid}")
    }

    /// A scenario whose last step passes where a server lets clients into a namespace of which it cannot know.
    pub fn any_namespace(transport: Transport) -> Source {
        let script = "- a: { connect: { namespace: '/unknown-${random(100000, 999999)}', within: 1s } }";
        Feature::scenario("whether every namespace is served", script, transport)
    }

    /// A scenario whose last step passes where the server has it, over this transport. None for what is told
    /// without any scenario: by a handshake, or by another feature.
    pub fn probe(self, transport: Transport) -> Option<Source> {
        let script = match self {
            Feature::Polling
            | Feature::Websocket
            | Feature::Upgrade
            | Feature::Webtransport
            | Feature::NoRecovery
            | Feature::MaxPayload
            | Feature::Nodes
            | Feature::Main
            | Feature::Anonymous
            | Feature::Unserved
            // A contract knows how it is asked.
            | Feature::Asked(_) => return None,
            Feature::Cors => {
                "- a: { http: { get: '?EIO=4&transport=polling', headers: { origin: 'http://page.example' }, \
                 expect: { headers: { access-control-allow-origin: { $one_of: ['*', 'http://page.example'] } } } } }"
                    .to_owned()
            }
            // RFC 9112, section 6.3: a server may want to be told the length.
            Feature::Chunked => {
                "- a: { http: { post: '?EIO=4&transport=polling&sid=nobody', body: '3', chunked: true, \
                 expect: { status: { $not: 411 } } } }"
                    .to_owned()
            }
            // It is the look that waits, and not longer than the cases do.
            Feature::UpgradeTime => {
                "- a: { open: { transport: polling } }\n\
                 - b: { open: { transport: websocket, sid: '${a.engine_sid}' } }\n\
                 - b: { wait: '${min(2000, server.upgrade_timeout * 8 / 10)}ms' }\n\
                 - b: [ { send: 2probe }, { expect_frame: 3probe } ]"
                    .to_owned()
            }
            Feature::ConnectTime => {
                "- a: open\n- a: { expect_closed: { within: '${server.connect_timeout * 5 / 4}ms' } }".to_owned()
            }
            Feature::Recovery => "- a: [ open, { send: '40' } ]\n\
                 - a: { expect_frame: { text: { $match: '^40.*\"pid\"' }, order: any, within: 1s } }"
                .to_owned(),
            Feature::Custom => "- a: { connect: { namespace: /custom, within: 1s } }".to_owned(),
            Feature::Guard => {
                "- a: { connect: { namespace: /guard, auth: { token: ok }, within: 1s } }".to_owned()
            }
            Feature::Dynamic => "- a: { connect: { namespace: /dyn-1, within: 1s } }".to_owned(),
            Feature::Event(index) => format!("- a: {{ connect: {{ within: 1s }} }}\n{}", EVENTS[index].probe),
        };
        Some(Feature::scenario(&format!("whether there is {}", self.name()), &script, transport))
    }

    fn scenario(name: &str, script: &str, transport: Transport) -> Source {
        let clients = if script.contains("- b:") { "{ a: 1, b: 1 }" } else { "{ a: 1 }" };
        let script: String = script.lines().map(|line| format!("  {line}\n")).collect();
        let text = format!(
            "name: {name}\ntransports: [{}]\nclients: {clients}\nscript:\n{script}",
            transport.name()
        );
        Source { name: "a look at the server".to_owned(), text }
    }
}

/// What a case uses, its transport left out if it has several variants.
pub(super) fn used(source: &Source, scenario: &Scenario) -> BTreeSet<Feature> {
    used_of(source, scenario, false)
}

/// What a case uses that is played by a contract of the user's.
pub(super) fn used_by_contract(source: &Source, scenario: &Scenario) -> BTreeSet<Feature> {
    used_of(source, scenario, true)
}

fn used_of(source: &Source, scenario: &Scenario, by_contract: bool) -> BTreeSet<Feature> {
    let mut found: BTreeSet<Feature> = scenario
        .needs
        .iter()
        .filter_map(|need| match need {
            Need::Polling => Some(Feature::Polling),
            Need::Websocket => Some(Feature::Websocket),
            Need::Upgrade => Some(Feature::Upgrade),
            Need::Recovery => Some(Feature::Recovery),
            Need::NoRecovery => Some(Feature::NoRecovery),
            Need::Cors => Some(Feature::Cors),
            Need::MaxPayload => Some(Feature::MaxPayload),
            Need::Chunked => Some(Feature::Chunked),
            Need::UpgradeTime => Some(Feature::UpgradeTime),
            Need::ConnectTime => Some(Feature::ConnectTime),
            Need::Nodes => Some(Feature::Nodes),
            // Their parts stand in the script.
            Need::Echo | Need::Fixture | Need::Contract => None,
        })
        .collect();
    found.extend(scenario.groups.iter().filter_map(|group| group.transport).map(Feature::of));
    let Ok(tree) = parse(source) else { return found };
    // A contract's clients connect where it says, and whether they are let in is seen when it is asked.
    let is_main_default = !by_contract && scenario.groups.iter().any(|group| group.namespace.is_none());
    let fence = scenario.contract.get(Verb::Fence).map(|_| Feature::Asked(Verb::Fence));
    let asks = by_contract.then_some(Asks { fence });
    let mut says = Says { found, by_default: false, is_main_default, has_contract: false, asks };
    for (key, node) in tree.map().unwrap_or_default() {
        match key.text.as_str() {
            "clients" => says.texts(node),
            "contract" => says.has_contract = true,
            // The namespaces of a contract stand in their place.
            "vars" if !by_contract => says.texts(node),
            _ => {}
        }
    }
    if let Some((_, script)) = tree.map().unwrap_or_default().iter().find(|(key, _)| key.text == "script") {
        says.script(script);
    }
    let nameless = scenario.groups.iter().any(|group| group.transport.is_none());
    if says.by_default && nameless && scenario.transports.is_empty() {
        says.found.insert(Feature::of(Transport::default()));
    }
    says.found
}

/// What the text of a case says.
struct Says {
    found: BTreeSet<Feature>,
    /// Whether some client connects by the transport that it is given.
    by_default: bool,
    /// Whether some client connects to `/` where its step names no namespace.
    is_main_default: bool,
    has_contract: bool,
    /// What is asked for by a contract of the user's, if the case is played by one.
    asks: Option<Asks>,
}

/// How a contract of the user's is used.
struct Asks {
    /// What a fence needs, if the contract has an event for it.
    fence: Option<Feature>,
}

impl Says {
    fn script(&mut self, node: &Node) {
        match &node.value {
            Value::Text(text) => {
                self.verb(text, None);
                self.text(text);
            }
            Value::List(items) => items.iter().for_each(|item| self.script(item)),
            Value::Map(entries) => {
                if is_list(entries) {
                    self.event(LIST);
                }
                for (key, value) in entries {
                    self.verb(&key.text, Some(value));
                    self.script(value);
                }
            }
            _ => {}
        }
    }

    /// Where nothing but values stands.
    fn texts(&mut self, node: &Node) {
        match &node.value {
            Value::Text(text) => self.text(text),
            Value::List(items) => items.iter().for_each(|item| self.texts(item)),
            Value::Map(entries) => entries.iter().for_each(|(_, value)| self.texts(value)),
            _ => {}
        }
    }

    fn verb(&mut self, word: &str, behind: Option<&Node>) {
        if let ("open" | "connect" | "reconnect", field) = (word, behind.map(|node| &node.value)) {
            let named = match field {
                Some(Value::Map(fields)) => fields.iter().find(|(key, _)| key.text == "transport"),
                _ => None,
            };
            let named = named.and_then(|(_, node)| node.text().ok());
            match Transport::ALL.into_iter().find(|transport| Some(transport.name()) == named) {
                Some(transport) => self.found.extend([Feature::of(transport)]),
                None => self.by_default = true,
            }
            let elsewhere = ["namespace", "refused"];
            let is_elsewhere = matches!(field, Some(Value::Map(fields))
                if fields.iter().any(|(key, _)| elsewhere.contains(&key.text.as_str())));
            if word != "open" && !is_elsewhere && self.is_main_default {
                self.found.insert(Feature::Main);
            }
        }
        let sent = behind.filter(|_| word == "send").and_then(|node| node.text().ok());
        if sent.is_some_and(connects_without_credentials) {
            self.found.insert(Feature::Anonymous);
        }
        if self.has_contract {
            return;
        }
        if let Some(asks) = &self.asks {
            self.found.extend(match word {
                "join" => Some(Feature::Asked(Verb::Join)),
                "leave" => Some(Feature::Asked(Verb::Leave)),
                "broadcast" => Some(Feature::Asked(Verb::Broadcast)),
                "fence" | "expect_none" => asks.fence,
                _ => None,
            });
            return;
        }
        if let Some((_, event)) = VERBS.into_iter().find(|(verb, _)| *verb == word) {
            self.event(event);
        }
    }

    fn text(&mut self, text: &str) {
        if text.contains("${connect_packet}") {
            self.found.insert(Feature::Main);
        }
        for (begin, feature) in [
            ("/custom", Feature::Custom),
            ("/guard", Feature::Guard),
            ("/dyn-", Feature::Dynamic),
            ("/nobody-serves-this", Feature::Unserved),
        ] {
            if text.contains(begin) {
                self.found.insert(feature);
            }
        }
        for (index, event) in EVENTS.iter().enumerate() {
            let is_named = |name: &str| text == name || text.contains(&format!("\"{name}\""));
            if is_named(event.name) || event.answer.is_some_and(is_named) {
                self.found.insert(Feature::Event(index));
            }
        }
    }

    fn event(&mut self, name: &str) {
        self.found.extend(Feature::event(name));
    }
}

/// Whether a packet is a CONNECT for `/` that is written by hand.
fn connects_without_credentials(packet: &str) -> bool {
    let payload = packet.strip_prefix("401").or_else(|| packet.strip_prefix("40"));
    payload.is_some_and(|payload| payload.is_empty() || payload.starts_with('{'))
}

/// Whether an event with these fields asks for a list of sockets.
fn is_list(fields: &[(Key, Node)]) -> bool {
    let args = fields.iter().find(|(key, _)| key.text == "args").map(|(_, node)| node.items());
    let is_text = |node: Option<&Node>, text: &str| node.and_then(|node| node.text().ok()) == Some(text);
    let event = fields.iter().find(|(key, _)| key.text == "event").map(|(_, node)| node);
    is_text(event, "t:sockets") && is_text(args.and_then(|args| args.get(1)), "list")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Surroundings, read};

    fn names(text: &str) -> Vec<&'static str> {
        let source = Source { name: "case".into(), text: text.into() };
        let scenario = read(&source, &Surroundings::without_files()).expect("it is a good case");
        used(&source, &scenario).into_iter().map(Feature::name).collect()
    }

    #[test]
    fn a_case_says_itself_what_it_uses() {
        let text = "name: x\nclients: { a: 1, b: { namespace: /custom } }\nscript:\n\
                    - a, b: connect\n- a: { join: lobby }\n- a: { send: '42[\"t:who\"]' }\n\
                    - a: { emit: { event: 't:cast-ack', ack: true } }\n";
        assert_eq!(names(text), ["websocket", "/", "/custom", "t:join", "t:cast-ack", "t:who"]);
    }

    #[test]
    fn a_connect_by_hand_needs_a_server_that_asks_for_no_credentials() {
        let sends = |packet: &str| {
            format!(
                "name: x\nclients: {{ a: 1 }}\nscript: [{{ a: open }}, {{ a: {{ send: '{packet}' }} }}]\n"
            )
        };
        for packet in ["40", "40{}", "401{\"token\":1}"] {
            assert_eq!(names(&sends(packet)), ["websocket", "/ without credentials"], "{packet}");
        }
        assert_eq!(names(&sends("${connect_packet}")), ["websocket", "/"]);
        assert_eq!(names(&sends("40/custom,")), ["websocket", "/custom"]);
    }

    #[test]
    fn a_list_of_sockets_is_more_than_commands_to_them() {
        let text = |what| {
            format!(
                "name: x\nclients: {{ a: {{ namespace: /custom }} }}\nscript:\n- a: connect\n\
                 - a: {{ emit: {{ event: 't:sockets', args: [{{ to: [hall] }}, {what}, null], ack: true }} }}\n"
            )
        };
        assert_eq!(names(&text("disconnect")), ["websocket", "/custom", "t:sockets"]);
        assert_eq!(names(&text("list")), ["websocket", "/custom", "t:sockets", "t:sockets list"]);
    }

    #[test]
    fn what_the_transport_is_left_to_each_variant() {
        let text = "name: x\ntransports: [polling, upgrade]\nclients: { a: 1 }\nscript: [{ a: connect }]\n";
        assert_eq!(names(text), ["/"]);
        let text = "name: x\nclients: { a: 1 }\nscript: [{ a: { open: { transport: upgrade } } }]\n";
        assert_eq!(names(text), ["upgrade"]);
    }

    #[test]
    fn a_request_alone_needs_nothing() {
        let text =
            "name: x\nclients: { a: 1 }\nscript: [{ a: { http: { get: /, expect: { status: 404 } } } }]\n";
        assert_eq!(names(text), [""; 0]);
    }

    #[test]
    fn every_look_is_a_good_scenario() {
        for feature in Feature::all() {
            let Some(source) = feature.probe(Transport::Polling) else { continue };
            let scenario = read(&source, &Surroundings::without_files());
            let wrong = scenario.err().map(|mistake| crate::document::render(&mistake, &source));
            assert_eq!(wrong, None);
        }
    }
}
