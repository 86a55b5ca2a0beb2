//! Who takes part: groups of clients that are alike, and what each of them starts with.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{GivenContract, MOST_CLIENTS, Overrides, Rows, Surroundings, one_of};
use crate::document::{Fields, Key, Mistake, Node, Span, Value};
use crate::protocol::deflate;
use crate::protocol::dialect::{Parser, Version};
use crate::session::Transport;
use crate::step::{self, ACTS, Arrival};
use crate::template::{Scope, Slot, Template, constant, constants, is_reserved, well_formed};

/// The word under which all groups act.
pub(super) const ALL: &str = "all";

/// The word under which branches run side by side.
pub(super) const TOGETHER: &str = "together";

/// The word for the part of the script that is measured.
pub(super) const MEASURE: &str = "measure";

/// Clients that are alike.
#[derive(Clone, Debug)]
pub struct Group {
    /// The name under which the script calls them.
    pub name: String,
    /// How many they are; at least one.
    pub count: u32,
    /// When they begin their first connect.
    pub arrival: Arrival,
    /// Which version of the protocol they speak, where the file says so.
    pub protocol: Option<Version>,
    /// Which parser they and the server use, where the file says so.
    pub parser: Option<Parser>,
    /// Which transports they use, where the file says so.
    pub transport: Option<Transport>,
    /// Whether they offer compression, where the file says so.
    pub compression: Option<bool>,
    /// The namespace that they connect to and speak in unless a step says otherwise, where the file says so.
    pub namespace: Option<Template>,
    /// At which node of the target they connect, by name or by index, where the file says so.
    pub node: Option<Template>,
    /// What they send with `CONNECT`.
    pub auth: Option<Template>,
    /// Further query parameters of their requests.
    pub query: Vec<(String, Template)>,
    /// Further headers of their requests.
    pub headers: Vec<(String, Template)>,
    /// Their variables, in the order in which they are worked out, once for each client.
    pub vars: Vec<(Slot, Template)>,
    /// The rows that are dealt out to them.
    pub rows: Option<Rows>,
    /// Where they were written.
    pub span: Span,
}

/// Reads the clients and its variables, and makes both known to the scope.
pub(super) fn read(
    node: &Node,
    (vars, given): (Option<&Node>, Option<&GivenContract>),
    scope: &mut Scope,
    surroundings: &Surroundings,
) -> Result<Vec<Group>, Mistake> {
    let entries = node.map().map_err(|mistake| mistake.hint("write `clients: { alice: 1, crowd: 500 }`"))?;
    if entries.is_empty() {
        return Err(node.mistake("there are no clients").hint("write `clients: { alice: 1 }`"));
    }
    let common = vars.map_or(Ok(&[][..]), Node::map)?;
    let drafts: Result<Vec<Draft<'_>>, Mistake> = scope.before_script(|scope| {
        scope.with_early(early(common), |scope| {
            entries.iter().map(|(key, node)| Draft::read(key, node, surroundings, scope)).collect()
        })
    });
    let mut drafts = drafts?;
    override_with(surroundings.overrides(), node, &mut drafts)?;
    let mut clients = 0;
    for draft in &mut drafts {
        draft.rows = draft.rows.take().or_else(|| given?.rows(clients));
        clients += draft.count;
        if clients > MOST_CLIENTS {
            return Err(draft.key.mistake(format!("there are more than {MOST_CLIENTS} clients in all")));
        }
        let columns = draft.rows.as_ref().map(|rows| rows.columns.clone());
        scope.add_group(&draft.key.text, u64::from(draft.count), columns);
    }
    scope.before_script(|scope| {
        drafts.into_iter().enumerate().map(|(index, draft)| draft.finish(index, common, scope)).collect()
    })
}

/// The common variables as they are known before there are clients: those that are numbers.
fn early(common: &[(Key, Node)]) -> BTreeMap<String, Json> {
    let value = |node: &Node| match node.value {
        Value::Int(_) | Value::Float(_) => node.to_json(),
        _ => Json::Null,
    };
    common.iter().map(|(key, node)| (key.text.clone(), value(node))).collect()
}

/// Puts other counts and other rates in the place of those that are written.
fn override_with(overrides: &Overrides, node: &Node, drafts: &mut [Draft<'_>]) -> Result<(), Mistake> {
    let groups: Vec<(&str, u32, bool)> =
        drafts.iter().map(|draft| (draft.key.text.as_str(), draft.count, draft.is_fixed)).collect();
    let counts = overrides.counts(&groups).map_err(|mistake| mistake.at(node.span))?;
    let rates: f64 = drafts.iter().filter_map(|draft| draft.arrival.rate()).map(|rate| rate.per_second).sum();
    let speed = overrides.arrival_speed(rates).map_err(|mistake| mistake.at(node.span))?;
    for (draft, count) in drafts.iter_mut().zip(counts) {
        draft.count = count;
        draft.arrival = std::mem::take(&mut draft.arrival).scaled(speed);
    }
    Ok(())
}

/// A group before its expressions can be read, because not every group is known yet.
struct Draft<'n> {
    key: &'n Key,
    count: u32,
    /// Whether the steps count on that number.
    is_fixed: bool,
    rows: Option<Rows>,
    arrival: Arrival,
    protocol: Option<Version>,
    parser: Option<Parser>,
    transport: Option<Transport>,
    compression: Option<bool>,
    namespace: Option<&'n Node>,
    node: Option<&'n Node>,
    auth: Option<&'n Node>,
    query: Option<&'n Node>,
    headers: Option<&'n Node>,
    vars: &'n [(Key, Node)],
}

impl<'n> Draft<'n> {
    fn read(
        key: &'n Key,
        node: &'n Node,
        surroundings: &Surroundings,
        scope: &mut Scope,
    ) -> Result<Draft<'n>, Mistake> {
        let name = &key.text;
        well_formed(name, "the name of a group").map_err(|mistake| mistake.at(key.span))?;
        if name == ALL || ACTS.contains(&name.as_str()) || is_reserved(name) {
            let message = format!("no group can be called `{name}`: the word has a meaning of its own");
            return Err(key.mistake(message).hint("choose another name"));
        }
        let mut draft = Draft {
            key,
            count: 1,
            is_fixed: false,
            rows: None,
            arrival: Arrival::default(),
            protocol: None,
            parser: None,
            transport: None,
            compression: None,
            namespace: None,
            node: None,
            auth: None,
            query: None,
            headers: None,
            vars: &[],
        };
        if !matches!(node.value, Value::Map(_)) {
            draft.count = count(node, scope).map_err(|mistake| match &node.value {
                Value::Int(_) => mistake,
                Value::Text(text) if text.contains("${") => mistake,
                _ => mistake.hint(format!("write `{name}: 1`, or `{name}: {{ count: 1, … }}`")),
            })?;
            return Ok(draft);
        }
        let fields = Fields::of(node, format!("the group `{name}`"))?;
        let (count_of, rows) = (fields.optional("count"), fields.optional("rows"));
        let (arrive, transport) = (fields.optional("arrive"), fields.optional("transport"));
        draft.is_fixed = fields.optional("fixed").map_or(Ok(false), Node::bool)?;
        draft.protocol = fields.optional("protocol").map(protocol).transpose()?;
        draft.parser = fields.optional("parser").map(parser).transpose()?;
        draft.compression = fields.optional("compression").map(Node::bool).transpose()?;
        draft.namespace = fields.optional("namespace");
        draft.node = fields.optional("node");
        draft.auth = fields.optional("auth");
        draft.query = fields.optional("query");
        draft.headers = fields.optional("headers");
        let vars = fields.optional("vars");
        fields.deny_others()?;

        draft.vars = vars.map_or(Ok(&[][..]), Node::map)?;
        let own = draft.vars.iter().map(|(key, _)| key.text.clone());
        (draft.count, draft.arrival) = scope.replacing(own, |scope| {
            let count = count_of.map_or(Ok(1), |node| count(node, scope))?;
            let arrival = match arrive {
                Some(node) => Arrival::read(&constants(node, "when clients arrive", scope)?)?,
                None => Arrival::default(),
            };
            Ok((count, arrival))
        })?;
        draft.rows = rows.map(|node| Rows::read(node, &|name| surroundings.file(name))).transpose()?;
        draft.transport = transport.map(step::transport).transpose()?;
        Ok(draft)
    }

    /// Reads the expressions, in an order in which each sees what is worked out before it: the scenario's variables,
    /// with the group's own in place of those of the same name, then the group's further ones, then the rest.
    fn finish(self, index: usize, common: &'n [(Key, Node)], scope: &mut Scope) -> Result<Group, Mistake> {
        scope.act(&[index]);
        let named = |vars: &'n [(Key, Node)], name: &str| vars.iter().find(|(key, _)| key.text == name);
        let replaced = common.iter().map(|common| named(self.vars, &common.0.text).unwrap_or(common));
        let further = self.vars.iter().filter(|(key, _)| named(common, &key.text).is_none());
        let all: Vec<&(Key, Node)> = replaced.chain(further).collect();
        let mut vars = Vec::new();
        for (place, (key, node)) in all.iter().enumerate() {
            let below: Vec<&str> = all[place..].iter().map(|(key, _)| key.text.as_str()).collect();
            let template = scope.with_later(&below, |scope| Template::compile(node, scope))?;
            vars.push((scope.declare(index, key)?, template));
        }
        let namespace = match self.namespace {
            Some(node) => Some(Template::compile_namespace(node, scope)?),
            None => None,
        };
        Ok(Group {
            name: self.key.text.clone(),
            count: self.count,
            arrival: self.arrival,
            protocol: self.protocol,
            parser: self.parser,
            transport: self.transport,
            compression: self.compression,
            namespace,
            node: self.node.map(|node| Template::compile(node, scope)).transpose()?,
            auth: self.auth.map(|node| Template::compile_auth(node, scope)).transpose()?,
            query: pairs(self.query, scope, |_| None)?,
            headers: pairs(self.headers, scope, bad_header)?,
            vars,
            rows: self.rows,
            span: self.key.span,
        })
    }
}

/// The version of the protocol that a value names.
pub(super) fn protocol(node: &Node) -> Result<Version, Mistake> {
    let number = node.int_within(1..=99)?;
    Version::of(number).ok_or_else(|| {
        node.mistake(format!("clients do not speak the version {number} of Engine.IO"))
            .hint("write `protocol: 4` for servers of Socket.IO 3 and 4, or `protocol: 3` for those of Socket.IO 1 and 2")
    })
}

/// The parser that a value names.
pub(super) fn parser(node: &Node) -> Result<Parser, Mistake> {
    one_of(node, "parser", Parser::ALL, Parser::name)
}

fn count(node: &Node, scope: &mut Scope) -> Result<u32, Mistake> {
    let mut known = constant(node, "the number of clients", scope)?;
    if let (Cow::Owned(known), Value::Text(text)) = (&mut known, &node.value) {
        known.value = match known.text().ok().and_then(|number| number.parse().ok()) {
            Some(number) => Value::Int(number),
            None => return Err(node.mistake(format!("`{text}` is no whole number of clients"))),
        };
    }
    let count = known.int_within(1..=i64::from(MOST_CLIENTS))?;
    u32::try_from(count).map_err(|_| node.mistake("that is too many"))
}

/// Names and templates of a map; `bad` tells what is wrong with a name.
fn pairs(
    node: Option<&Node>,
    scope: &mut Scope,
    bad: fn(&str) -> Option<String>,
) -> Result<Vec<(String, Template)>, Mistake> {
    let mut pairs = Vec::new();
    for (key, value) in node.map_or(Ok(&[][..]), Node::map)? {
        if let Some(why) = bad(&key.text) {
            return Err(key.mistake(why));
        }
        pairs.push((key.text.clone(), Template::compile(value, scope)?));
    }
    Ok(pairs)
}

/// RFC 9110 §5.1: the name of a header is a token.
fn bad_header(name: &str) -> Option<String> {
    if name.eq_ignore_ascii_case(deflate::HEADER) {
        return Some(format!("`{name}` is sent by sockrates itself: write `compression: true`"));
    }
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match !name.is_empty() && name.chars().all(token) {
        true => None,
        false => Some(format!("`{name}` is not the name of a header")),
    }
}
