//! What the clients do: acts, one after another, each with a barrier at its end.

use std::time::Duration;

use crate::document::{Fields, Key, Mistake, Node, Span, Value};
use crate::step::{self, ACTS, KINDS, Numbered, Reading, Step};
use crate::units::Spelt;

use super::groups::{ALL, Group, MEASURE, TOGETHER};
use super::known::Known;
use super::links::LinkRule;
use super::operations::{self, AWAIT, About, LINK, Operation, SERVER, SERVICE, SHELL};

/// Something that has to be over before the next begins.
#[derive(Debug)]
pub enum Act {
    /// The members of some groups each do these steps, one after another.
    Group {
        /// Indices of groups, in the order of the groups; at least one.
        members: Vec<usize>,
        /// What each of their clients does; at least one step.
        steps: Vec<Numbered>,
        /// Where it was written.
        span: Span,
    },
    /// Branches run side by side; a barrier stands between the acts of a branch, but not between branches. No group
    /// acts in two of them.
    Together {
        /// The branches; at least two.
        branches: Vec<Vec<Act>>,
        /// Where it was written.
        span: Span,
    },
    /// Something is done to the server, one after another. No client acts.
    Server {
        /// What; at least one thing.
        operations: Vec<Operation>,
        /// Where it was written.
        span: Span,
    },
    /// The part of the script whose latencies and rates count. It stands once at most, and in nothing else.
    Measure {
        /// How long the run settles before they do.
        settle: Duration,
        /// What is done meanwhile; at least one act.
        script: Vec<Act>,
        /// Where it was written.
        span: Span,
    },
}

impl Act {
    /// Whether the group acts here.
    pub fn has(&self, group: usize) -> bool {
        match self {
            Act::Group { members, .. } => members.contains(&group),
            Act::Together { branches, .. } => branches.iter().flatten().any(|act| act.has(group)),
            Act::Measure { script, .. } => script.iter().any(|act| act.has(group)),
            Act::Server { .. } => false,
        }
    }
}

/// Reads the script.
pub(super) fn read(
    node: &Node,
    groups: &[Group],
    links: &[LinkRule],
    known: &Known,
    reading: &mut Reading<'_>,
) -> Result<Vec<Act>, Mistake> {
    let items = node.list().map_err(|mistake| mistake.hint("write each act as `- all: connect`"))?;
    if items.is_empty() {
        return Err(node.mistake("the script is empty").hint("write `- all: connect`"));
    }
    let mut reader = Reader { groups, links, known, reading, is_outermost: true, is_measured: false };
    let script = reader.acts(items)?;
    for (index, group) in groups.iter().enumerate() {
        let name = &group.name;
        match script.iter().find(|act| act.has(index)).and_then(|act| first_step(act, index)) {
            None => {
                return Err(Mistake::new(group.span, format!("the group `{name}` never acts"))
                    .hint("give it something to do in the script, or remove it"));
            }
            Some(step) if !step.step.stands_alone() => {
                let message = format!("`{name}` is not connected when it does this");
                return Err(Mistake::new(step.span, message).hint(format!("write `- {name}: connect` above")));
            }
            Some(_) => {}
        }
    }
    Ok(script)
}

/// The first step that a group does in an act.
fn first_step(act: &Act, group: usize) -> Option<&Numbered> {
    match act {
        Act::Group { members, steps, .. } => steps.first().filter(|_| members.contains(&group)),
        Act::Together { branches, .. } => branches.iter().flatten().find_map(|act| first_step(act, group)),
        Act::Measure { script, .. } => script.iter().find_map(|act| first_step(act, group)),
        Act::Server { .. } => None,
    }
}

struct Reader<'r, 's> {
    groups: &'r [Group],
    links: &'r [LinkRule],
    known: &'r Known,
    reading: &'r mut Reading<'s>,
    /// Whether it is in no `together` and no `measure`.
    is_outermost: bool,
    /// Whether it has met a `measure`.
    is_measured: bool,
}

impl Reader<'_, '_> {
    /// Acts one after another. What one sets is known to all groups in the next.
    fn acts(&mut self, items: &[Node]) -> Result<Vec<Act>, Mistake> {
        let mut acts = Vec::with_capacity(items.len());
        for item in items {
            let act = self.act(item)?;
            let groups: Vec<usize> = (0..self.groups.len()).filter(|&group| act.has(group)).collect();
            self.reading.scope.publish(&groups);
            acts.push(act);
        }
        Ok(acts)
    }

    fn act(&mut self, node: &Node) -> Result<Act, Mistake> {
        let (key, value) = self.entry(node)?;
        if key.text == TOGETHER {
            return Ok(Act::Together { branches: self.branches(key, value)?, span: key.span });
        }
        if key.text == MEASURE {
            return self.measure(key, value);
        }
        if let Some(operations) = self.operations(key, value)? {
            return Ok(Act::Server { operations, span: key.span });
        }
        let members = self.members(key)?;
        if value.is_null() {
            return Err(key
                .mistake(format!("`{}` does nothing here", key.text))
                .hint("write a step after the colon"));
        }
        self.reading.scope.act(&members);
        Ok(Act::Group { members, steps: self.reading.steps(value)?, span: key.span })
    }

    /// What is done to the server, if that is what stands here.
    fn operations(&mut self, key: &Key, node: &Node) -> Result<Option<Vec<Operation>>, Mistake> {
        let word = key.text.as_str();
        if word == SHELL {
            // `${…}` in it is the shell's.
            return Ok(Some(vec![operations::shell(node)?]));
        }
        if ![SERVER, SERVICE, LINK, AWAIT].contains(&word) {
            return Ok(None);
        }
        let node = self.known.resolve(node, "what is done to the server", self.reading.scope)?;
        let operations = match word {
            SERVER => About::NODES.read(&node)?,
            SERVICE => About::SERVICES.read(&node)?,
            LINK => operations::of_links(&node, self.links)?,
            _ => vec![operations::health(&node)?],
        };
        if operations.iter().any(Operation::asks_for_all) && !self.reading.contract.can_reach_everyone() {
            return Err(operations::unseen(node.span));
        }
        Ok(Some(operations))
    }

    /// `measure: [ acts ]`, or `measure: { settle: 5s, script: [ acts ] }`.
    fn measure(&mut self, key: &Key, node: &Node) -> Result<Act, Mistake> {
        if !self.is_outermost {
            return Err(key
                .mistake("`measure` stands inside of something else")
                .hint("put it into the script itself; what is inside of it may hold a `together`"));
        }
        if std::mem::replace(&mut self.is_measured, true) {
            return Err(key
                .mistake("a script has one measured part, and this is the second")
                .hint("put what is to be measured into one `measure`"));
        }
        let (settle, at, script) = match &node.value {
            Value::Map(_) => {
                let fields = Fields::of(node, "`measure`")?;
                let script = fields.required("script");
                let at = fields.optional("settle").map_or(key.span, |settle| settle.span);
                let settle = self.reading.any_duration(&fields, "settle")?;
                fields.deny_others()?;
                (settle.unwrap_or_default(), at, script?)
            }
            _ => (Duration::ZERO, key.span, node),
        };
        let items = script
            .list()
            .map_err(|mistake| mistake.hint("write `- measure: { settle: 5s, script: [ … ] }`"))?;
        self.is_outermost = false;
        let script = self.acts(items)?;
        self.is_outermost = true;
        if script.is_empty() {
            return Err(node.mistake("nothing is done in the measured part"));
        }
        self.deny_unmeasured(settle, &script).map_err(|mistake| mistake.at(at))?;
        Ok(Act::Measure { settle, script, span: key.span })
    }

    /// Refuses a part that is over before it has settled, as far as the scenario tells how long it takes. The mistake stands
    /// nowhere.
    fn deny_unmeasured(&self, settle: Duration, script: &[Act]) -> Result<(), Mistake> {
        let lasts = lasts(script);
        if lasts.is_zero() || lasts > settle || script.iter().any(Act::is_open) {
            return Ok(());
        }
        let (lasts, settle) = (Spelt(lasts), Spelt(settle));
        let message = format!(
            "the run settles for {settle}, and the measured part ends after {lasts}: nothing would be measured"
        );
        let hint = match self.reading.has_prolonged() {
            true => {
                format!("give `--duration` more than {settle}, or let the run settle for less than {lasts}")
            }
            false => format!("let it last longer than {settle}, or let the run settle for less than {lasts}"),
        };
        Err(Mistake::new(Span::default(), message).hint(hint))
    }

    /// The only key of an act, with what stands behind it.
    fn entry<'n>(&self, node: &'n Node) -> Result<&'n (Key, Node), Mistake> {
        match &node.value {
            Value::Map(entries) => match entries.as_slice() {
                [entry] => Ok(entry),
                [] => Err(node.mistake("expected an act, found an empty map").hint("write `- all: connect`")),
                [(group, nothing), (step, _), ..]
                    if nothing.is_null() && self.group(&group.text).is_some() && is_step(&step.text) =>
                {
                    let (group, word) = (&group.text, &step.text);
                    Err(step.mistake(format!("`{word}` stands beside `{group}`, and not within it")).hint(
                        format!("indent it deeper than `{group}:`, or write `- {group}: {{ {word}: … }}`"),
                    ))
                }
                [_, (second, _), ..] => Err(second
                    .mistake(format!("expected one act, found `{}` beside it", second.text))
                    .hint("begin the next act on a line of its own with `- `")),
            },
            Value::Text(word) if self.group(word).is_some() => Err(node
                .mistake(format!("`{word}` does nothing here"))
                .hint(format!("write `- {word}: connect`"))),
            Value::Text(word) if is_step(word) => Err(node
                .mistake(format!("no group is named that does the step `{word}`"))
                .hint(format!("write who does it: `- all: {word}`"))),
            _ => Err(node.colon_missing().unwrap_or_else(|| {
                node.mistake(format!("expected an act, found {}", node.describe()))
                    .hint("write who does what: `- all: connect`")
            })),
        }
    }

    /// The groups that a key names, in the order of the file.
    fn members(&self, key: &Key) -> Result<Vec<usize>, Mistake> {
        if key.text.trim() == ALL {
            return Ok((0..self.groups.len()).collect());
        }
        let mut members = Vec::new();
        let mut from = 0;
        for part in key.text.split(',') {
            let name = part.trim();
            let before = part.chars().count() - part.trim_start().chars().count();
            let at = key.part(from + before, name.chars().count().max(1));
            from += part.chars().count() + 1;
            let member = self.group(name).ok_or_else(|| self.no_group(name).at(at))?;
            if members.contains(&member) {
                return Err(Mistake::new(at, format!("`{name}` stands here twice")));
            }
            members.push(member);
        }
        members.sort_unstable();
        Ok(members)
    }

    /// The mistake stands nowhere.
    fn no_group(&self, name: &str) -> Mistake {
        let mistake = |message: String| Mistake::new(Span::default(), message);
        match name {
            "" => mistake("the name of a group is missing beside the comma".to_owned()),
            ALL => mistake("`all` stands alone: the others are among them".to_owned()),
            name if is_step(name) => mistake(format!("no group is named that does the step `{name}`"))
                .hint(format!("write who does it: `- all: {{ {name}: … }}`")),
            name => {
                let names = self.groups.iter().map(|group| group.name.as_str()).chain([ALL]).chain(ACTS);
                mistake(format!("unknown group `{name}`")).did_you_mean(name, names)
            }
        }
    }

    fn group(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name == name)
    }

    /// Branches side by side. None sees what another sets meanwhile, and no group acts in two.
    fn branches(&mut self, key: &Key, node: &Node) -> Result<Vec<Vec<Act>>, Mistake> {
        let items = node.list().map_err(|mistake| {
            mistake.hint("write each branch of a `together` as `- alice: …` on a line of its own")
        })?;
        if items.len() < 2 {
            let count = items.len();
            return Err(key
                .mistake(format!("`together` needs at least two branches, found {count}"))
                .hint("acts that follow each other need no `together`"));
        }
        let before = self.reading.scope.seen();
        let is_outermost = std::mem::replace(&mut self.is_outermost, false);
        let mut branches: Vec<Vec<Act>> = Vec::with_capacity(items.len());
        for item in items {
            let acts = self.acts(item.items())?;
            if acts.is_empty() {
                return Err(item.mistake("expected an act, found an empty list"));
            }
            self.reading.scope.rewind(&before);
            for (index, group) in self.groups.iter().enumerate() {
                let earlier = branches.iter().flatten().any(|act: &Act| act.has(index));
                if let Some(again) = acts.iter().find(|act| earlier && act.has(index)) {
                    let message =
                        format!("`{}` already acts in another branch of this `together`", group.name);
                    return Err(Mistake::new(again.span(), message)
                        .hint("a client can do one thing at a time: put both into one branch"));
                }
            }
            branches.push(acts);
        }
        self.is_outermost = is_outermost;
        Ok(branches)
    }
}

impl Act {
    /// How long it takes by what the scenario says alone.
    pub fn lasts(&self) -> Duration {
        match self {
            Act::Group { steps, .. } => step::lasts(steps),
            Act::Together { branches, .. } => {
                branches.iter().map(|acts| lasts(acts)).max().unwrap_or_default()
            }
            Act::Measure { script, .. } => lasts(script),
            Act::Server { operations, .. } => operations.iter().map(Operation::lasts).sum(),
        }
    }

    /// Whether something recurs in it of which the scenario does not say how long it takes.
    fn is_open(&self) -> bool {
        let is_open = |step: &dyn Step| !step.inner().is_empty() && step.lasts().is_zero();
        match self {
            Act::Group { steps, .. } => steps.iter().any(|numbered| is_open(&*numbered.step)),
            Act::Together { branches, .. } => branches.iter().flatten().any(Act::is_open),
            Act::Measure { script, .. } => script.iter().any(Act::is_open),
            Act::Server { .. } => true,
        }
    }

    /// Where it was written.
    pub fn span(&self) -> Span {
        match self {
            Act::Group { span, .. }
            | Act::Together { span, .. }
            | Act::Measure { span, .. }
            | Act::Server { span, .. } => *span,
        }
    }
}

/// What thresholds may call that is done to the server.
pub(super) fn called(acts: &[Act]) -> Vec<String> {
    let of = |act: &Act| match act {
        Act::Group { .. } => Vec::new(),
        Act::Together { branches, .. } => branches.iter().flat_map(|branch| called(branch)).collect(),
        Act::Measure { script, .. } => called(script),
        Act::Server { operations, .. } => operations.iter().filter_map(Operation::called).collect(),
    };
    acts.iter().flat_map(of).collect()
}

/// The same of acts one after another.
pub(super) fn lasts(acts: &[Act]) -> Duration {
    acts.iter().map(Act::lasts).fold(Duration::ZERO, Duration::saturating_add)
}

fn is_step(word: &str) -> bool {
    KINDS.iter().any(|kind| kind.word == word)
}
