//! A case of the suite, and its variants.

use std::collections::BTreeSet;

use super::by_hand::is_written_by_hand;
use super::feature::{Feature, used};
use crate::document::{Mistake, Source};
use crate::protocol::dialect::Parser;
use crate::scenario::{Act, Scenario, Surroundings, read};
use crate::session::Transport;

/// A case: a scenario with an id.
#[derive(Debug)]
pub struct Case {
    /// Its path in the folder of the cases, without the ending.
    pub id: String,
    /// Its text.
    pub source: Source,
    /// What it says.
    pub scenario: Scenario,
    /// What it uses of a server; its transport only where it has no variants.
    pub uses: BTreeSet<Feature>,
    /// Why it cannot be played, if it cannot: it acts on the server, or the contract that the user gave does not serve for it.
    pub unfit: Option<String>,
    /// The namespace of clients that name none, where it is played by a contract of the user's.
    pub namespace: Option<String>,
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn read(
        id: String,
        source: Source,
        surroundings: &Surroundings,
    ) -> Result<Case, Box<(Mistake, Source)>> {
        match read(&source, surroundings) {
            Ok(scenario) => {
                let uses = used(&source, &scenario);
                let unfit = acts_on_the_server(&scenario);
                Ok(Case { id, source, scenario, uses, unfit, namespace: None })
            }
            Err(mistake) => Err(Box::new((mistake, source))),
        }
    }

    /// Lets its clients use this parser where it names none. What writes packets by hand writes them as the usual one, and is not played
    /// with another.
    pub fn speak(&mut self, parser: Parser) {
        if parser == Parser::Default {
            return;
        }
        if is_written_by_hand(&self.source) {
            let why = "writes or reads packets as the usual parser has them";
            self.unfit
                .get_or_insert_with(|| format!("{why}, and the server uses the parser {}", parser.name()));
        }
        self.scenario.speak(parser);
    }

    /// The first part of its id.
    pub fn area(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// Whether it is about several nodes together.
    pub fn spans_nodes(&self) -> bool {
        self.uses.contains(&Feature::Nodes)
    }

    /// The ways in which it is played: one for each of its transports, or the only one.
    pub fn variants(&self) -> impl Iterator<Item = Variant<'_>> {
        let transports = self.scenario.transports.iter().copied().map(Some);
        let only = self.scenario.transports.is_empty().then_some(None);
        transports.chain(only).map(|transport| Variant { case: self, transport })
    }
}

impl Case {
    /// The way over WebTransport, for a case that holds over long-polling and over WebSockets alike. Nobody has to have that transport, so
    /// it is played only where somebody asks for it.
    pub fn over_webtransport(&self) -> Option<Variant<'_>> {
        let transport = Some(Transport::Webtransport);
        let holds = |transport| self.scenario.transports.contains(&transport);
        let is_any = holds(Transport::Polling) && holds(Transport::Websocket);
        (is_any && !holds(Transport::Webtransport)).then_some(Variant { case: self, transport })
    }

    /// All ways in which it can be played.
    pub fn ways(&self) -> impl Iterator<Item = Variant<'_>> {
        self.variants().chain(self.over_webtransport())
    }
}

/// Why a case is not played that does something to the server, which others share with it.
fn acts_on_the_server(scenario: &Scenario) -> Option<String> {
    fn acts(script: &[Act]) -> bool {
        script.iter().any(|act| match act {
            Act::Server { .. } => true,
            Act::Together { branches, .. } => branches.iter().any(|branch| acts(branch)),
            Act::Measure { script, .. } => acts(script),
            Act::Group { .. } => false,
        })
    }
    let has = !scenario.links.is_empty() || !scenario.services.is_empty() || acts(&scenario.script);
    has.then(|| {
        "has links, services or acts on the server, which a suite of cases side by side cannot have: play it by `sockrates run`"
            .to_owned()
    })
}

/// One way in which a case is played.
#[derive(Clone, Copy, Debug)]
pub struct Variant<'c> {
    /// The case.
    pub case: &'c Case,
    /// The transport, for a case that is played over several.
    pub transport: Option<Transport>,
}

impl Variant<'_> {
    /// The id with the transport: `polling/order@upgrade`.
    pub fn label(&self) -> String {
        label(&self.case.id, self.transport)
    }

    /// What it uses of a server.
    pub fn uses(&self) -> BTreeSet<Feature> {
        let mut uses = self.case.uses.clone();
        uses.extend(self.transport.map(Feature::of));
        uses
    }
}

/// The id of a case with a transport.
pub(super) fn label(id: &str, transport: Option<Transport>) -> String {
    match transport {
        Some(transport) => format!("{id}@{}", transport.name()),
        None => id.to_owned(),
    }
}
