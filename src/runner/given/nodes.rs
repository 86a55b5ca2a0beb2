//! Which nodes a server has, by the words that name it.

use std::fmt;
use std::str::FromStr;

use crate::scenario::MOST_NODES;

/// Numbers of nodes with which a server is looked at: one, or several one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeCounts {
    /// The smallest.
    pub(crate) first: u16,
    /// The largest.
    pub(crate) last: u16,
}

impl NodeCounts {
    /// Each of them, in their order.
    pub(in crate::runner) fn all(self) -> impl Iterator<Item = u16> {
        self.first..=self.last
    }

    /// The only one.
    pub(crate) fn single(self) -> Option<u16> {
        (self.first == self.last).then_some(self.first)
    }
}

impl FromStr for NodeCounts {
    type Err = String;

    fn from_str(text: &str) -> Result<NodeCounts, String> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let number = |text: &str| text.trim().parse::<u16>().ok();
        match (number(first), number(last)) {
            (Some(first), Some(last)) if 1 <= first && first <= last && usize::from(last) <= MOST_NODES => {
                Ok(NodeCounts { first, last })
            }
            _ => Err(format!("expected a number of nodes from 1 to {MOST_NODES}, or a range like 1..4")),
        }
    }
}

impl fmt::Display for NodeCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(number) => write!(f, "{number}"),
            None => write!(f, "{}..{}", self.first, self.last),
        }
    }
}

/// A node as it was given: the command that starts it, or where it runs, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runner) struct GivenNode<'a> {
    pub(in crate::runner) name: Option<&'a str>,
    pub(in crate::runner) command: Option<&'a str>,
    pub(in crate::runner) url: Option<&'a str>,
}

impl GivenNode<'_> {
    /// A node of the reference server.
    pub(in crate::runner) const BUNDLED: GivenNode<'static> =
        GivenNode { name: None, command: None, url: None };
}

/// The urls in a text that has commas between them. A comma inside of a url is followed by no scheme.
pub(in crate::runner) fn urls(text: &str) -> impl Iterator<Item = &str> {
    let begins = |rest: &str| {
        let url = split_name(rest).1;
        ["http://", "https://", "ws://", "wss://"].iter().any(|scheme| url.starts_with(scheme))
    };
    let cuts: Vec<usize> =
        text.match_indices(',').map(|(at, _)| at).filter(|at| begins(&text[at + 1..])).collect();
    let begin = std::iter::once(0).chain(cuts.clone().into_iter().map(|at| at + 1));
    let end = cuts.into_iter().chain([text.len()]);
    begin.zip(end).map(|(from, to)| &text[from..to])
}

/// The name of a server before its urls, and these. Where a further url has a name, all of them are those of nodes.
pub(in crate::runner) fn name_of_server(text: &str) -> (Option<&str>, &str) {
    let names_nodes = urls(text).skip(1).any(|url| split_name(url).0.is_some());
    if names_nodes { (None, text) } else { split_name(text) }
}

/// The same command so often.
pub(in crate::runner) fn repeated(line: &str, times: u16) -> Vec<GivenNode<'_>> {
    let node = GivenNode { name: None, command: Some(split_name(line).1), url: None };
    vec![node; usize::from(times)]
}

/// The nodes of one server, by its commands and urls. A command and a url of one name, or the only ones, are one node.
///
/// # Errors
/// A sentence, where it is not known which of them belong together.
pub(in crate::runner) fn nodes<'a>(
    commands: &'a [String],
    given: &[&'a str],
) -> Result<Vec<GivenNode<'a>>, String> {
    let commands: Vec<(Option<&'a str>, &'a str)> = commands.iter().map(|text| split_name(text)).collect();
    let mut urls: Vec<(Option<&'a str>, &'a str)> =
        given.iter().copied().flat_map(urls).map(split_name).collect();
    if let ([(None, command)], [(None, url)]) = (&commands[..], &urls[..]) {
        return Ok(vec![GivenNode { name: None, command: Some(command), url: Some(url) }]);
    }
    let mut nodes = Vec::new();
    for (name, command) in commands {
        let place = urls.iter().position(|(of, _)| name.is_some() && *of == name);
        let url = place.map(|place| urls.remove(place).1);
        nodes.push(GivenNode { name, command: Some(command), url });
    }
    let is_mixed = !nodes.is_empty() && !urls.is_empty();
    nodes.extend(urls.into_iter().map(|(name, url)| GivenNode { name, command: None, url: Some(url) }));
    match is_mixed && nodes.iter().any(|node| node.name.is_none()) {
        true => Err("a `--server` and a `--url` may be two nodes or one: write NAME= before each, the same name for a command \
                     and the url at which it listens"
            .to_owned()),
        false => Ok(nodes),
    }
}

/// A name before a command or a url: `node=node server.js`. What is written in capitals is a variable of the command's environment.
pub(super) fn split_name(text: &str) -> (Option<&str>, &str) {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && name.contains(|c: char| c.is_ascii_lowercase())
    };
    match text.split_once('=') {
        Some((name, what)) if is_name(name) => (Some(name), what),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_what_stands_before_it_but_not_by_a_variable_of_its_environment() {
        assert_eq!(split_name("node=node server.js"), (Some("node"), "node server.js"));
        assert_eq!(split_name("v1.2=http://localhost"), (Some("v1.2"), "http://localhost"));
        assert_eq!(split_name("NODE_ENV=production node server.js").0, None);
        assert_eq!(split_name("http://localhost/?a=b"), (None, "http://localhost/?a=b"));
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    fn told(commands: &[&str], urls: &[&str]) -> Vec<String> {
        let commands = texts(commands);
        let nodes = nodes(&commands, urls).expect("it is clear");
        let told = |node: &GivenNode<'_>| {
            [node.name, node.command, node.url].map(|part| part.unwrap_or("-").to_owned()).join(" ")
        };
        nodes.iter().map(told).collect()
    }

    #[test]
    fn urls_with_commas_between_them_are_nodes_and_a_comma_in_a_url_is_none() {
        let found: Vec<&str> = urls("http://h:1,b=ws://h:2/?x=1,2,https://h:3").collect();
        assert_eq!(found, ["http://h:1", "b=ws://h:2/?x=1,2", "https://h:3"]);
        assert_eq!(urls("http://h/?a=b,c").collect::<Vec<_>>(), ["http://h/?a=b,c"]);
    }

    #[test]
    fn a_name_before_several_urls_is_that_of_the_server_unless_its_nodes_have_names() {
        assert_eq!(name_of_server("mine=http://h:1,http://h:2"), (Some("mine"), "http://h:1,http://h:2"));
        assert_eq!(name_of_server("mine=http://h:1"), (Some("mine"), "http://h:1"));
        assert_eq!(name_of_server("a=http://h:1,b=http://h:2"), (None, "a=http://h:1,b=http://h:2"));
    }

    #[test]
    fn each_command_and_each_url_is_a_node_but_those_of_one_name_are_one() {
        assert_eq!(told(&[], &["http://h:1,http://h:2"]), ["- - http://h:1", "- - http://h:2"]);
        assert_eq!(told(&[], &["x=http://h:1", "http://h:2"]), ["x - http://h:1", "- - http://h:2"]);
        assert_eq!(told(&["run it"], &["http://h:1"]), ["- run it http://h:1"]);
        assert_eq!(told(&["a=one", "b=two"], &["b=http://h:2"]), ["a one -", "b two http://h:2"]);
        assert_eq!(told(&["a=one"], &["b=http://h:2"]), ["a one -", "b - http://h:2"]);
    }

    #[test]
    fn numbers_of_nodes_are_one_or_a_range() {
        let read =
            |text: &str| text.parse::<NodeCounts>().map(|counts| (counts.to_string(), counts.single()));
        assert_eq!(read("3"), Ok(("3".to_owned(), Some(3))));
        assert_eq!(read("1..4"), Ok(("1..4".to_owned(), None)));
        for wrong in ["0", "33", "4..1", "0..2", "1..", "..", "a", "1...3"] {
            assert!(read(wrong).is_err_and(|why| why.contains("a range like 1..4")), "{wrong}");
        }
    }

    #[test]
    fn what_may_be_one_node_or_two_is_asked_about() {
        let why = nodes(&texts(&["one", "two"]), &["http://h:1"]).expect_err("it is not clear");
        assert!(why.contains("write NAME= before each"), "{why}");
    }

    #[test]
    fn a_repeated_command_loses_the_name_of_its_server() {
        let node = GivenNode { name: None, command: Some("node app.js"), url: None };
        assert_eq!(repeated("old=node app.js", 2), [node, node]);
    }
}
