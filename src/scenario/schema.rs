//! The JSON Schema of a scenario, for editors: completion, and mistakes while one types.
//!
//! A schema sees the shape of a file: keys, types, words, units. Names, expressions and what follows from them only the
//! parser sees, so `sockrates check` has the last word. Steps and the contract bring their own parts; a test holds all of
//! them against the parser.

use serde_json::{Value as Json, json};

use super::links::Direction;
use super::services::StopSignal;
use super::{Level, MOST_CLIENTS, MOST_NODES, Need};
use crate::audit::Fault;
use crate::contract;
use crate::observe::{Counter, Metric};
use crate::protocol::dialect::{Parser, Version};
use crate::step::Arrival;
use crate::step::schema::{
    NUMBER, RATE, Schema, Shape, TIME, definitions, either, fitting, flag, list, map, named, one_or_more,
    some, text, told, transport, whole, word, words,
};

/// The name of a group or a variable.
const NAME: &str = "[A-Za-z][A-Za-z0-9_]*";

/// The schema of a whole scenario.
pub fn schema() -> Json {
    let mut all: Vec<(String, Schema)> = definitions();
    all.extend(
        [("group", group()), ("act", act()), ("threshold", threshold())]
            .map(|(name, schema)| (name.to_owned(), schema)),
    );
    let mut schema = file();
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("A scenario of sockrates");
    schema["definitions"] = all.into_iter().collect();
    schema
}

fn file() -> Schema {
    let audit = Shape::new("How the deliveries are audited.")
        .takes("window", named("time"), "How long a message may take to arrive; at least 1 s, else 10 s.")
        .takes(
            "spread",
            named("time"),
            "How long joins, leaves and messages may take from node to node; else 1 s.",
        )
        .schema();
    let load = || either([whole(1..=i64::from(MOST_CLIENTS)), named("rate")]);
    let capacity = Shape::new("What a search for the highest load raises, and between which loads.")
        .takes("axis", word(), "`clients`, `rate`, `arrivals` or a common variable.")
        .takes("from", load(), "The first load.")
        .takes("to", load(), "The highest.")
        .schema();
    Shape::new("Clients, and a script that is read from top to bottom.")
        .needs("name", word(), "What the scenario shows, in a line.")
        .needs("clients", clients(), "The clients, in groups: `alice: 1`, `crowd: 500`.")
        .needs("script", some(named("act")), "What they do, one act after another.")
        .takes("about", word(), "Why, in a paragraph.")
        .takes("spec", one_or_more(word()), "Where the rule is written that it examines.")
        .takes("clause", one_or_more(word()), "Which clauses of the conformance catalogue it examines.")
        .takes("level", words(Level::ALL.map(Level::name)), "How binding that rule is; else `must`.")
        .takes("needs", one_or_more(words(Need::ALL.map(Need::name))), "What the server has to offer.")
        .takes("transports", one_or_more(transport()), "Over which of them it is played.")
        .takes("protocols", one_or_more(protocol()), "In which versions it holds, for `conform`; else 4.")
        .takes(
            "protocol",
            protocol(),
            "The version of Engine.IO that clients speak; else what the server speaks.",
        )
        .takes("parser", parser(), "The parser that clients and server use; else the default one.")
        .takes("takes", named("time"), "About how long a healthy server lets it take.")
        .takes("vars", map(named("value")), "Variables, worked out once for each client.")
        .takes(
            "links",
            links(),
            "Proxies of ours that the script can cut and slow down, and where each leads.",
        )
        .takes(
            "services",
            services(),
            "What the server needs beside its nodes: commands that are started before them, by `--allow-commands`.",
        )
        .takes("contract", contract::schema(), "How the server is asked to join, leave and broadcast.")
        .takes("audit", either([flag(), audit]), "`false` leaves the deliveries unexamined.")
        .takes("thresholds", list(named("threshold")), "Demands on the whole run.")
        .takes("capacity", capacity, "What `sockrates capacity` raises.")
        .schema()
}

fn clients() -> Schema {
    json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": { "pattern": format!("^{NAME}$") },
        "additionalProperties": named("group"),
    })
}

fn group() -> Schema {
    let count = || either([whole(1..=i64::from(MOST_CLIENTS)), expression()]);
    let row = json!({ "type": "object", "minProperties": 1, "additionalProperties": { "type": ["string", "number", "boolean"] } });
    let file = Shape::new("A CSV file beside the scenario.").needs("file", word(), "Its name.").takes(
        "delimiter",
        fitting("^[^A-Za-z0-9_\"\r\n]$"),
        "What stands between fields; else a comma.",
    );
    let mut headers = map(named("value"));
    headers["propertyNames"] = json!({ "pattern": "^[-A-Za-z0-9!#$%&'*+.^_`|~]+$" });
    let longer = Shape::new("Clients that are alike.")
        .takes("count", count(), "How many; else one.")
        .takes("arrive", Arrival::schema(), "When they begin their first connect: `at_once`, or at a rate.")
        .takes("protocol", protocol(), "The version of Engine.IO that they speak, instead of the scenario's.")
        .takes("parser", parser(), "The parser that they use, instead of the scenario's.")
        .takes("transport", transport(), "Their transport; else `websocket`.")
        .takes(
            "fixed",
            flag(),
            "Whether the steps count on that number, so that `--clients` may not change it; else no.",
        )
        .takes("compression", flag(), "Whether they offer permessage-deflate; else no.")
        .takes("namespace", named("namespace"), "Where they connect and speak; else `/`.")
        .takes(
            "node",
            either([word(), whole(0..=MOST_NODES as i64 - 1)]),
            "At which node of the server they connect, by name or number; else spread over all.",
        )
        .takes("auth", either([map(named("value")), text()]), "A map, sent with CONNECT.")
        .takes("query", map(named("value")), "Query parameters of all their requests.")
        .takes("headers", headers, "Headers of all their requests.")
        .takes("vars", map(named("value")), "Variables of this group.")
        .takes(
            "rows",
            either([word(), file.schema(), some(row)]),
            "A CSV file beside the scenario, or a list of maps.",
        )
        .schema();
    told(either([count(), longer]), "How many clients, or a map that says more of them.")
}

/// The number of a version of Engine.IO.
fn protocol() -> Schema {
    json!({ "enum": Version::ALL.map(Version::number) })
}

/// The name of a parser.
fn parser() -> Schema {
    words(Parser::ALL.map(Parser::name))
}

/// Text with an expression in it.
fn expression() -> Schema {
    fitting(r"\$\{")
}

/// What is done to the nodes.
fn operation() -> Schema {
    let rolling =
        Shape::new("Every node, one after the other.").needs("every", named("time"), "The time in between.");
    parts(Shape::new("What is done to the server."))
        .takes("rolling", rolling.schema(), "Restarts every node.")
        .schema()
}

/// What is done to one of the nodes, or of the services.
fn parts(shape: Shape) -> Shape {
    shape
        .takes("stop", word(), "Ends it politely.")
        .takes("kill", word(), "Ends it by SIGKILL.")
        .takes("start", word(), "Starts it again, and waits until it answers.")
        .takes("restart", word(), "Ends it politely and starts it again.")
        .takes("pause", word(), "Lets it stand still, by SIGSTOP.")
        .takes("for", named("time"), "How long it stands still.")
        .takes("await", health(), "Health that is waited for.")
        .takes("wait", named("time"), "Does nothing for so long.")
}

/// What is done to the services.
fn service() -> Schema {
    parts(Shape::new("What is done to a service.")).schema()
}

/// The commands that are started before the nodes.
fn services() -> Schema {
    let longer = Shape::new("A service.")
        .needs("command", word(), "The command that starts it.")
        .takes("port", whole(1..=65_535), "The port at which it listens; else a free one, in `$PORT`.")
        .takes(
            "ready",
            word(),
            "A text in the line of its output that says that it is ready; else it has to listen.",
        )
        .takes("within", named("time"), "How long it may take until it is ready; else as long as a server.")
        .takes(
            "stop_by",
            words(StopSignal::ALL.map(StopSignal::name)),
            "The signal that asks it to end; else SIGTERM.",
        )
        .schema();
    let mut services = map(either([word(), longer]));
    services["propertyNames"] = json!({ "pattern": format!("^{NAME}$") });
    services
}

/// A command that the script runs.
fn shell() -> Schema {
    let longer = Shape::new("A command that has to end well.")
        .needs("command", word(), "The command.")
        .takes("within", named("time"), "The longest that it may take; else 30 s.")
        .schema();
    either([word(), longer])
}

/// Where each link leads.
fn links() -> Schema {
    let mut links = map(word());
    links["propertyNames"] = json!({ "pattern": format!("^(?!(wait|await)$){NAME}$") });
    links
}

/// What is done to a link, or the same as for a server.
fn link() -> Schema {
    let change = Shape::new("What is done to a link: one thing.")
        .takes("cut", named("time"), "Ends all connections, and new ones at once, for so long.")
        .takes("reset", flag(), "Ends all connections of this moment by RST.")
        .takes("black_hole", named("time"), "Lets connections stay open and nothing pass, for so long.")
        .takes("delay", named("time"), "How long every byte is under way.")
        .takes("jitter", named("time"), "How much longer or shorter that may be.")
        .takes("rate", throughput(), "How many bytes pass each second at most: `1MB/s`.")
        .takes("for", named("time"), "How long it is slow; else until it is restored.")
        .takes("direction", words(Direction::ALL.map(Direction::name)), "Which bytes; else both.")
        .takes("restore", flag(), "Takes back everything.")
        .schema();
    json!({
        "type": "object",
        "properties": { "await": health(), "wait": named("time") },
        "additionalProperties": change,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

/// So many bytes each second.
fn throughput() -> Schema {
    fitting(&format!(r"^\s*{NUMBER}(B|KB|KiB|MB|MiB)?/s\s*$"))
}

/// The health of the server that is waited for.
fn health() -> Schema {
    Shape::new("A node has to answer, or all nodes have to hear each other.")
        .takes("node", word(), "Which node.")
        .takes("answers", flag(), "That it answers.")
        .takes("whole", flag(), "That a broadcast from each node reaches all others.")
        .takes("within", named("time"), "The longest that it may take; else 30 s.")
        .schema()
}

fn act() -> Schema {
    let branches = json!({
        "type": "array",
        "minItems": 2,
        "items": either([named("act"), some(named("act"))]),
    });
    let settled = Shape::new("What is done while it is measured.")
        .needs("script", some(named("act")), "What is done meanwhile.")
        .takes("settle", named("time"), "How long the run settles before latencies and rates count.")
        .schema();
    let measure = either([some(named("act")), settled]);
    json!({
        "description": "Who does what: `- alice: connect`, `- all: { join: lobby }`.",
        "type": "object",
        "properties": {
            "together": told(branches, "Branches side by side: an act, or a list of acts."),
            "measure": told(measure, "The part of the script whose latencies and rates count."),
            "all": named("steps"),
            "server": told(either([operation(), some(operation())]), "What is done to the server: one thing, or a list."),
            "service": told(
                either([service(), some(service())]),
                "What is done to services: one thing, or a list.",
            ),
            "shell": told(shell(), "A command that is run, by `--allow-commands`."),
            "link": told(either([link(), some(link())]), "What is done to links: one thing, or a list."),
            "await": told(health(), "The health of the server that is waited for."),
        },
        "propertyNames": { "pattern": format!(r"^\s*{NAME}(\s*,\s*{NAME})*\s*$") },
        "additionalProperties": named("steps"),
        "minProperties": 1,
        "maxProperties": 1,
    })
}

/// A threshold: a subject, a comparison, and a limit of the kind that fits.
fn threshold() -> Schema {
    let choice = |names: Vec<&str>| {
        let escaped = |name: &&str| name.replace('.', r"\.").replace(' ', r"\s+");
        names.iter().map(escaped).collect::<Vec<_>>().join("|")
    };
    let times = choice(Metric::ALL.map(Metric::name).to_vec());
    let faults = choice(Fault::ALL.map(Fault::name).to_vec());
    let counts = choice(Counter::ALL.map(Counter::name).to_vec());
    let counts = format!(r"{counts}|({faults})(\s+outside\s+disturbances)?");
    let relation = format!(r"(\s+of\s+{NAME})?\s*(<=|<|==|!=|>=|>)");
    let times =
        format!(r"({times})\s+((p\d+(\.\d+)?|mean|min|max){relation}{NUMBER}{TIME}|count{relation}\s*\d+)");
    let counts = format!(
        r"({counts})(\s+rate{relation}{NUMBER}{RATE}|{relation}{NUMBER}%|(\s+count)?{relation}\s*\d+)"
    );
    let answers =
        format!(r"(ack|response)(\s+of\s+{NAME})?\s+where\s+[[{{].*(<=|<|==|!=|>=|>)({NUMBER}%|\s*\d+)");
    let whole = format!(r"time\s+to\s+whole\s+after\s+[^<>=]+(<=|<|>=|>){NUMBER}{TIME}");
    let demand = || {
        told(
            fitting(&format!(r"^\s*({times}|{counts}|{answers}|{whole})\s*$")),
            "A value, a comparison, a limit: `delivery p99 < 250 ms`, `ack missed of talkers < 1 %`.",
        )
    };
    let map = Shape::new("A demand with more to say.")
        .needs("demand", demand(), "The demand.")
        .takes("abort_on_breach", flag(), "Whether the run ends when it is clear that it does not hold.")
        .schema();
    either([demand(), map])
}
