//! The nodes of a server under test: one, or several that share the work. They are started side by side, because some wait
//! for each other.

use std::collections::BTreeSet;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::running::{NodePlace, free_port};
use super::{Exit, NotReady, Process, Resources, Running, Service, Services, Starting, Target};
use crate::link::Link;
use crate::scenario::{LinkRule, ServiceRule};

/// A node that answered.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The server there.
    pub running: Running,
}

/// All nodes, at least one. Those that we started are stopped when this is dropped, and then what they need.
#[derive(Debug)]
pub struct Nodes {
    nodes: Vec<Node>,
    /// The links, each with where it leads.
    links: Vec<(Link, String)>,
    /// What they need. It outlives them.
    services: Services,
}

/// The name of a node that has none: `a`, `b`, …
pub(crate) fn usual_name(index: usize) -> String {
    match (index / 26, (b'a' + (index % 26) as u8) as char) {
        (0, letter) => letter.to_string(),
        (round, letter) => format!("{letter}{round}"),
    }
}

impl Nodes {
    /// Starts or finds every node, and waits until all of them answer.
    ///
    /// # Errors
    /// Why the first of them is not there that is not. The others are stopped.
    pub(crate) fn start(
        mut targets: Vec<(String, Target)>,
        links: &[LinkRule],
        services: &[ServiceRule],
        starting: &Starting,
    ) -> Result<Nodes, NotReady> {
        place(&mut targets)?;
        let services = match is_joined(&targets) {
            true => Services::place(services)?.with_bus(BUS)?,
            false => Services::place(services)?,
        };
        let links = open(links, &services)?;
        join(&mut targets, &services, &links);
        let further = told(&links);
        tell(&mut targets, &further, &services);
        let ports = targets.iter().find_map(|(_, target)| target.node()).map(NodePlace::list);
        let ports = ports.map(|list| ("PORTS".to_owned(), list));
        let services = services.start(&further.into_iter().chain(ports).collect::<Vec<_>>(), starting)?;
        let patience = if services.is_empty() { starting.patience } else { starting.timeout };
        let starting = &Starting { patience, ..starting.clone() };
        if let [(name, target)] = &targets[..] {
            let node = Node { name: name.clone(), running: target.start(starting)? };
            return Ok(Nodes { nodes: vec![node], links, services }.led());
        }
        let started = side_by_side(&targets, starting)?;
        let named = |((name, _), running): ((String, Target), Running)| Node { name, running };
        let nodes = targets.into_iter().zip(started).map(named).collect();
        Ok(Nodes { nodes, links, services }.led())
    }

    /// The same with the links to nodes led there.
    fn led(self) -> Nodes {
        for (link, to) in &self.links {
            if let Some(node) = self.nodes.iter().find(|node| node.name == *to) {
                link.lead_to(node.running.found().address);
            }
        }
        self
    }

    /// The link of this name.
    pub(crate) fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().map(|(link, _)| link).find(|link| link.name() == name)
    }

    /// The link that leads to this node, through which its clients go.
    pub(crate) fn link_to(&self, node: &str) -> Option<&Link> {
        self.links.iter().find(|(_, to)| to == node).map(|(link, _)| link)
    }

    /// The service of this name.
    pub(crate) fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }

    /// Each service.
    pub(crate) fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.iter()
    }

    /// Where links, services and nodes are, for the environment of a command.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let node = |node: &Node| {
            let port = node.running.endpoint().port.to_string();
            (format!("NODE_{}_PORT", node.name.to_ascii_uppercase()), port)
        };
        let links = self.links.iter().map(|(link, _)| link).flat_map(of_link);
        links.chain(self.services.environment()).chain(self.nodes.iter().map(node)).collect()
    }

    /// Starts a node afresh that has ended: a server that chooses its place itself may be at another one then.
    ///
    /// # Errors
    /// Why it is not there.
    pub(crate) fn renew(&mut self, place: usize, starting: &Starting) -> Result<(), NotReady> {
        let running = &mut self.nodes[place].running;
        *running = running.target().start(starting)?;
        Ok(())
    }

    /// The first, which stands for all of them where one will do.
    pub fn first(&self) -> &Running {
        &self.nodes[0].running
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Takes this process for the first node, to sample it, where we did not start one.
    pub fn watch(&mut self, process: Process) {
        self.nodes[0].running.watch(process);
    }

    /// What each of them has used; nothing where one of them does not tell.
    pub fn resources(&self) -> Vec<Option<Resources>> {
        self.nodes.iter().map(|node| node.running.resources()).collect()
    }

    /// The first node that has ended meanwhile, and how.
    pub fn exit(&self) -> Option<(&Node, Exit)> {
        self.nodes.iter().find_map(|node| Some((node, node.running.exit()?)))
    }

    /// The first service that has ended meanwhile by itself, and how.
    pub(crate) fn service_exit(&self) -> Option<(&Service, Exit)> {
        self.services.exit()
    }

    /// That a node that we started has ended meanwhile, where its end may take so long to be known.
    pub fn ended_within(&self, patience: Duration) -> Option<NotReady> {
        let ended = || self.nodes.iter().find_map(|node| node.running.ended());
        match self.len() {
            1 => self.first().ended_within(patience),
            _ => ended().or_else(|| self.first().ended_within(patience)).or_else(ended),
        }
    }

    /// What was found on the way to each of them, each fact once.
    pub fn notes(&self) -> BTreeSet<&str> {
        self.nodes.iter().flat_map(|node| node.running.found().notes.iter().map(String::as_str)).collect()
    }

    /// Stops those that we started, side by side, and returns when they are gone.
    pub fn stop(self) {
        thread::scope(|scope| {
            for node in self.nodes {
                scope.spawn(|| node.running.stop());
            }
        });
        drop(self.links);
        drop(self.services);
    }
}

/// Starts or finds all of them. When one is not there, the others are not waited for.
///
/// # Errors
/// Why the first of them is not there that is not; all that were waited for, where the user gave up.
fn side_by_side(targets: &[(String, Target)], starting: &Starting) -> Result<Vec<Running>, NotReady> {
    let starting = &Starting { is_futile: Arc::default(), ..starting.clone() };
    let start = |target: &Target| {
        let started = target.start(starting);
        if started.is_err() {
            starting.is_futile.store(true, Ordering::Relaxed);
        }
        started
    };
    let started: Vec<Result<Running, NotReady>> = thread::scope(|scope| {
        let threads: Vec<_> = targets.iter().map(|(_, target)| scope.spawn(|| start(target))).collect();
        let broken = |_| Err(NotReady::cancelled("a node", "its thread broke off", Vec::new()));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(broken)).collect()
    });
    let mut running = Vec::new();
    let (mut all_awaited, mut last_lines, mut wrong) = (Vec::new(), Vec::new(), None);
    for one in started {
        match one {
            Ok(one) => running.push(one),
            Err(NotReady::Cancelled { awaited, tail }) => {
                all_awaited.push(awaited);
                last_lines.extend(tail);
            }
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    match wrong {
        Some(why) => Err(why),
        None if all_awaited.is_empty() => Ok(running),
        None => Err(NotReady::Cancelled { awaited: all_awaited.join(", "), tail: last_lines }),
    }
}

/// Gives each of several commands its port, and tells it those of the others.
fn place(targets: &mut [(String, Target)]) -> Result<(), NotReady> {
    if targets.len() < 2 {
        return Ok(());
    }
    let mut ports: Vec<u16> = Vec::new();
    for (_, target) in &*targets {
        ports.push(match target {
            Target::Url(endpoint) | Target::Command { url: Some(endpoint), .. } => endpoint.port,
            Target::Command { .. } | Target::Bundled { .. } => loop {
                let port = free_port().map_err(|error| target.not_started(error))?;
                if !ports.contains(&port) {
                    break port;
                }
            },
        });
    }
    for ((name, target), port) in targets.iter_mut().zip(ports.clone()) {
        if let Target::Command { node, .. } = target {
            *node = Some(NodePlace { name: name.clone(), port, ports: ports.clone() });
        }
    }
    Ok(())
}

/// What joins the nodes of the reference server, as a link names it.
pub(crate) const BUS: &str = "bus";

/// Opens the links, and leads those to a service there.
fn open(links: &[LinkRule], services: &Services) -> Result<Vec<(Link, String)>, NotReady> {
    let mut opened = Vec::new();
    for LinkRule { name, to } in links {
        let failed = |error| NotReady::NotStarted { server: format!("the link {name}"), error };
        let link = Link::open(name).map_err(failed)?;
        if let Some(service) = services.get(to) {
            link.lead_to(service.address());
        } else if to.contains(':') {
            let mut addresses = to.to_socket_addrs().map_err(failed)?;
            addresses.next().into_iter().for_each(|address| link.lead_to(address));
        }
        opened.push((link, to.clone()));
    }
    Ok(opened)
}

/// Where the links are, for the environment of commands.
fn told(links: &[(Link, String)]) -> Vec<(String, String)> {
    links.iter().flat_map(|(link, _)| of_link(link)).collect()
}

fn of_link(link: &Link) -> [(String, String); 2] {
    let (variable, address) = (format!("LINK_{}", link.name().to_ascii_uppercase()), link.address());
    [(variable.clone(), address.to_string()), (format!("{variable}_PORT"), address.port().to_string())]
}

/// Tells every command where links and services are.
fn tell(targets: &mut [(String, Target)], links: &[(String, String)], services: &Services) {
    for (_, target) in targets {
        if let Target::Command { environment, .. } = target {
            environment.extend(links.iter().cloned().chain(services.environment()));
        }
    }
}

/// Whether they are nodes of the reference server, which its bus joins.
fn is_joined(targets: &[(String, Target)]) -> bool {
    targets.len() > 1 && targets.iter().all(|(_, target)| matches!(target, Target::Bundled { .. }))
}

/// Tells the nodes of the reference server where their bus is.
fn join(targets: &mut [(String, Target)], services: &Services, links: &[(Link, String)]) {
    let Some(bus) = services.get(BUS).filter(|_| is_joined(targets)) else { return };
    let link = links.iter().find(|(_, to)| to == BUS).map(|(link, _)| link.address());
    let seen = link.unwrap_or_else(|| bus.address()).to_string();
    for (name, target) in targets {
        if let Target::Bundled { args } = target {
            args.extend(["--node", name, "--bus", &seen].map(str::to_owned));
        }
    }
}

// Their commands are lines for `sh`.
#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::server::Endpoint;

    fn command() -> Target {
        Target::Command { line: "exit 7".to_owned(), url: None, node: None, environment: Vec::new() }
    }

    fn placed(mut targets: Vec<(String, Target)>) -> Vec<Option<NodePlace>> {
        place(&mut targets).expect("there are ports");
        let node = |target| match target {
            Target::Command { node, .. } => node,
            Target::Url(_) | Target::Bundled { .. } => None,
        };
        targets.into_iter().map(|(_, target)| node(target)).collect()
    }

    #[test]
    fn each_of_several_commands_knows_its_own_port_and_all_others() {
        let there = Endpoint::local(3001);
        let nodes = placed(vec![
            ("a".to_owned(), command()),
            ("b".to_owned(), Target::Url(there)),
            ("c".to_owned(), command()),
        ]);
        let [Some(a), None, Some(c)] = &nodes[..] else { panic!("{nodes:?}") };
        assert_eq!((&*a.name, &*c.name), ("a", "c"));
        assert_ne!(a.port, c.port);
        assert_eq!(a.ports, [a.port, 3001, c.port]);
        assert_eq!(a.list(), format!("{},3001,{}", a.port, c.port));
        assert_eq!(
            placed(vec![("a".to_owned(), command())]),
            [None],
            "one command is told no more than ever"
        );
    }

    #[test]
    fn a_node_that_ends_at_its_start_is_named() {
        let targets = vec![("a".to_owned(), command()), ("left".to_owned(), command())];
        let why = Nodes::start(targets, &[], &[], &Starting::default()).expect_err("both end");
        assert_eq!(why.sentence(), "the server command `exit 7` (node a) ended with exit code 7");
    }

    #[test]
    fn where_a_node_ends_at_its_start_nobody_waits_for_those_that_say_nothing() {
        let line = |line: &str| match command() {
            Target::Command { url, node, environment, .. } => {
                Target::Command { line: line.to_owned(), url, node, environment }
            }
            other => other,
        };
        let targets = vec![("a".to_owned(), line("sleep 1000")), ("b".to_owned(), line("exit 7"))];
        let patient = Starting { timeout: Duration::from_secs(3600), ..Starting::default() };
        let why = Nodes::start(targets, &[], &[], &patient).expect_err("one ends");
        assert_eq!(why.sentence(), "the server command `exit 7` (node b) ended with exit code 7");
    }

    #[test]
    fn nodes_without_names_are_called_by_letters() {
        assert_eq!([0, 25, 26, 31].map(usual_name), ["a", "z", "a1", "f1"]);
    }
}
