//! What the paths of a crate lead to: which file imports which, through which modules, and what comes from outside.
//!
//! An import leads to the file that *defines* the name. Modules on the way, and `pub use` in them, are passed through:
//! `use super::Packet`, where the parent says `pub use packet::Packet`, imports `packet.rs`. Methods need no import: who
//! calls `client.step()` imports the file of `Client`, wherever its `impl` blocks stand.
//!
//! A module contains the modules inside it, so what its own file takes from them is no import: a parent may declare,
//! re-export and call its children. What a child takes from its parent is one.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Mention, ModulePath, Place, Tree};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Module(ModulePath),
    /// Something defined in this module.
    Item(ModulePath),
    /// Something of another crate, with its whole path.
    Outside(Vec<String>),
}

/// A path followed to its end.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    pub found: Found,
    /// Every module that it led through.
    pub through: Vec<ModulePath>,
}

/// How often a name may stand for another, so that a circle of names ends.
const DEEPEST: usize = 16;

impl Tree {
    /// Follows the path of a mention.
    pub(crate) fn follow(&self, mention: &Mention) -> Followed {
        let mut through = Vec::new();
        let found = self.resolve(&mention.module, &mention.segments, &mut through, DEEPEST);
        Followed { found: found.unwrap_or_else(|| Found::Outside(mention.segments.clone())), through }
    }

    /// What a path leads to that is said in this module; none for a name that no crate gave, such as a variable.
    fn resolve(
        &self,
        module: &[String],
        segments: &[String],
        through: &mut Vec<ModulePath>,
        depth: usize,
    ) -> Option<Found> {
        let depth = depth.checked_sub(1)?;
        let (first, mut rest) = segments.split_first()?;
        let mut found = match first.as_str() {
            "crate" => Found::Module(Vec::new()),
            name if name == self.name => Found::Module(Vec::new()),
            "self" => Found::Module(module.to_vec()),
            "super" => Found::Module(module[..module.len().checked_sub(1)?].to_vec()),
            "Self" => return None,
            name => match self.look_up(module, name, !rest.is_empty(), through, depth) {
                Some(found) => found,
                None if rest.is_empty() => return None,
                None => Found::Outside(vec![name.to_owned()]),
            },
        };
        while let Some((name, behind)) = rest.split_first() {
            rest = behind;
            found = match found {
                Found::Module(mut module) if name == "super" => {
                    module.pop()?;
                    Found::Module(module)
                }
                Found::Module(module) => {
                    through.push(module.clone());
                    // What a macro makes is seen by nobody; it belongs to the module that the path names.
                    self.look_up(&module, name, !rest.is_empty(), through, depth)
                        .unwrap_or(Found::Item(module))
                }
                Found::Item(module) => return Some(Found::Item(module)),
                Found::Outside(mut path) => {
                    path.push(name.clone());
                    Found::Outside(path)
                }
            };
        }
        Some(found)
    }

    /// What a name stands for in a module. A module and a function may share it: `goes_on` tells that more of the path
    /// follows, so that it is the module.
    fn look_up(
        &self,
        module: &[String],
        name: &str,
        goes_on: bool,
        through: &mut Vec<ModulePath>,
        depth: usize,
    ) -> Option<Found> {
        let depth = depth.checked_sub(1)?;
        let here = self.modules.get(module)?;
        let child: ModulePath = module.iter().cloned().chain([name.to_owned()]).collect();
        let child = self.modules.contains_key(&child).then_some(Found::Module(child));
        if goes_on && child.is_some() {
            return child;
        }
        if here.items.contains(name) {
            return Some(Found::Item(module.to_vec()));
        }
        if let Some(paths) = here.uses.get(name) {
            let ours = paths.iter().find_map(|path| {
                self.resolve(module, path, through, depth).filter(|found| !matches!(found, Found::Outside(_)))
            });
            return ours.or_else(|| Some(Found::Outside(paths.first()?.clone())));
        }
        if child.is_some() {
            return child;
        }
        here.globs.iter().find_map(|glob| {
            let Found::Module(glob) = self.resolve(module, glob, &mut Vec::new(), depth)? else {
                return None;
            };
            if glob == module {
                return None;
            }
            let found = self.look_up(&glob, name, goes_on, through, depth)?;
            through.push(glob);
            Some(found)
        })
    }
}

/// Which file imports which, with one of the lines that say so.
pub(crate) type Graph<'t> = BTreeMap<&'t Place, BTreeMap<&'t Place, String>>;

pub(crate) fn graph(tree: &Tree) -> Graph<'_> {
    let mut graph = Graph::new();
    for mention in &tree.mentions {
        let Found::Item(to) = tree.follow(mention).found else { continue };
        if to.starts_with(&mention.module) {
            continue;
        }
        let (from, to) = (&tree.modules[&mention.module].place, &tree.modules[&to].place);
        if from != to {
            let said = || format!("{}: {}", mention.line, mention.segments.join("::"));
            graph.entry(from).or_default().entry(to).or_insert_with(said);
        }
    }
    graph
}

/// The circles: sets of files of which each reaches each, by the imports between them.
pub(crate) fn circles<'t>(graph: &Graph<'t>) -> Vec<BTreeSet<&'t Place>> {
    let reached: BTreeMap<&Place, BTreeSet<&Place>> =
        graph.keys().map(|place| (*place, reachable(graph, place))).collect();
    let mut circles = BTreeSet::new();
    for (place, reached_from) in &reached {
        if reached_from.contains(place) {
            let back = |other: &&&'t Place| reached.get(**other).is_some_and(|back| back.contains(place));
            circles.insert(reached_from.iter().filter(back).copied().collect::<BTreeSet<_>>());
        }
    }
    circles.into_iter().collect()
}

fn reachable<'t>(graph: &Graph<'t>, from: &Place) -> BTreeSet<&'t Place> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&'t Place> = graph.get(from).into_iter().flat_map(|to| to.keys().copied()).collect();
    while let Some(place) = waiting.pop() {
        if reached.insert(place) {
            waiting.extend(graph.get(place).into_iter().flat_map(|to| to.keys().copied()));
        }
    }
    reached
}
