//! Links, proxies of ours with a name, and what the script does to them: `link: { redis: { cut: 5s } }`.

use std::fmt;
use std::time::Duration;

use crate::document::{Fields, Mistake, Node};
use crate::units::{self, Spelt};

/// Words that mean something else among what is done to links.
const TAKEN: [&str; 2] = ["wait", "await"];

/// A proxy between the commands that we start and something else, or between clients and a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRule {
    /// Its name.
    pub name: String,
    /// Where it leads: host and port, or the name of a node or of a service.
    pub to: String,
}

/// In which direction something happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// To the bytes that go to the target.
    ToTarget,
    /// To those that come from it.
    FromTarget,
    /// To all.
    #[default]
    Both,
}

impl Direction {
    /// Every direction.
    pub(super) const ALL: [Direction; 3] = [Direction::ToTarget, Direction::FromTarget, Direction::Both];

    /// The word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Direction::ToTarget => "to_target",
            Direction::FromTarget => "from_target",
            Direction::Both => "both",
        }
    }
}

/// Something that is done to a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// All connections end, and new ones at once, for so long.
    Cut(Duration),
    /// All connections of this moment end.
    Reset,
    /// Connections stay open and nothing passes, for so long.
    BlackHole(Direction, Duration),
    /// Bytes are slower.
    Slow {
        /// Which.
        direction: Direction,
        /// How long each is under way.
        delay: Option<Duration>,
        /// How much longer or shorter that may be.
        jitter: Option<Duration>,
        /// How many bytes pass each second at most.
        rate: Option<u64>,
        /// For how long. Without it, until the link is restored.
        length: Option<Duration>,
    },
    /// The link is as it was.
    Restore,
}

impl Change {
    /// How long it takes by what the scenario says alone.
    pub(super) fn lasts(&self) -> Duration {
        match self {
            Change::Cut(length) | Change::BlackHole(_, length) => *length,
            Change::Slow { length, .. } => length.unwrap_or_default(),
            Change::Reset | Change::Restore => Duration::ZERO,
        }
    }

    /// What a threshold calls it, where it ends by itself.
    pub(super) fn called(&self) -> Option<&'static str> {
        match self {
            Change::Cut(_) => Some("cut"),
            Change::Reset => Some("reset"),
            Change::BlackHole(..) => Some("black_hole"),
            Change::Restore => Some("restore"),
            Change::Slow { .. } => None,
        }
    }

    /// Whether it goes on when the act is over.
    pub fn stays(&self) -> bool {
        matches!(self, Change::Slow { length: None, .. })
    }

    pub(super) fn tell(&self, link: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = |direction: &Direction| match direction {
            Direction::ToTarget => " to its target",
            Direction::FromTarget => " from its target",
            Direction::Both => "",
        };
        match self {
            Change::Cut(length) => write!(f, "cut link {link} for {}", Spelt(*length)),
            Change::Reset => write!(f, "reset link {link}"),
            Change::Restore => write!(f, "restore link {link}"),
            Change::BlackHole(direction, length) => {
                write!(f, "make link {link} a black hole{} for {}", way(direction), Spelt(*length))
            }
            Change::Slow { direction, delay, jitter, rate, length } => {
                write!(f, "slow link {link} down{}:", way(direction))?;
                let delay = delay.map(|delay| format!("delay {}", Spelt(delay)));
                let jitter = jitter.map(|jitter| format!("jitter {}", Spelt(jitter)));
                let rate = rate.map(|rate| format!("{rate} bytes a second"));
                let all: Vec<String> = [delay, jitter, rate].into_iter().flatten().collect();
                write!(f, " {}", all.join(", "))?;
                length.map_or(Ok(()), |length| write!(f, ", for {}", Spelt(length)))
            }
        }
    }
}

/// Reads `links: { redis: 127.0.0.1:6379 }`.
pub(super) fn read(node: &Node) -> Result<Vec<LinkRule>, Mistake> {
    let entries = node.map().map_err(|mistake| mistake.hint("write `links: { redis: 127.0.0.1:6379 }`"))?;
    let mut links: Vec<LinkRule> = Vec::new();
    for (key, value) in entries {
        let name = &key.text;
        let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_plain || TAKEN.contains(&name.as_str()) {
            return Err(key
                .mistake(format!("no link can be called `{name}`"))
                .hint("its name is a part of variables: use letters, digits and `_`"));
        }
        if links.iter().any(|link| link.name.eq_ignore_ascii_case(name)) {
            return Err(key.mistake(format!("two links are called `{name}`, in capitals or not")));
        }
        let to = value.word()?;
        if let Some((_, port)) = to.rsplit_once(':') {
            let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
            let wrong = || {
                value
                    .mistake(format!("`{port}` is no port"))
                    .hint("write host and port, like `127.0.0.1:6379`")
            };
            is_port.then_some(()).ok_or_else(wrong)?;
        }
        links.push(LinkRule { name: name.clone(), to: to.to_owned() });
    }
    Ok(links)
}

/// Reads `{ cut: 5s }`.
pub(super) fn change(node: &Node) -> Result<Change, Mistake> {
    let fields = Fields::of(node, "what is done to a link")?;
    let cut = fields.optional("cut");
    let reset = fields.optional("reset");
    let hole = fields.optional("black_hole");
    let restore = fields.optional("restore");
    let (delay, jitter, rate) =
        (fields.optional("delay"), fields.optional("jitter"), fields.optional("rate"));
    let (length, direction) = (fields.optional("for"), fields.optional("direction"));
    fields.deny_others()?;
    let slow = delay.or(jitter).or(rate);
    if [cut, reset, hole, restore, slow].into_iter().flatten().count() != 1 {
        return Err(node
            .mistake("a link is cut, reset, restored, made a black hole, or slowed down: one at a time")
            .hint("write `{ cut: 5s }`, `{ black_hole: 5s }` or `{ delay: 50ms, jitter: 20ms }`"));
    }
    if let Some(length) = length.filter(|_| slow.is_none()) {
        return Err(length.mistake("only a link that is slowed down takes `for`").hint("leave it out"));
    }
    if let Some(direction) = direction.filter(|_| slow.or(hole).is_none()) {
        return Err(direction
            .mistake("connections have no direction: only bytes do")
            .hint("`direction` goes with `delay`, `jitter`, `rate` and `black_hole`"));
    }
    for flag in [reset, restore].into_iter().flatten() {
        if !flag.bool()? {
            return Err(flag.mistake("nothing is done to the link").hint("write `true`"));
        }
    }
    let way = match direction {
        Some(node) => {
            let word = node.text()?;
            let found = Direction::ALL.into_iter().find(|way| way.name() == word);
            found.ok_or_else(|| {
                node.mistake(format!("unknown direction `{word}`"))
                    .did_you_mean(word, Direction::ALL.map(Direction::name))
            })?
        }
        None => Direction::default(),
    };
    match (cut, hole) {
        (Some(cut), _) => Ok(Change::Cut(units::duration(cut)?)),
        (_, Some(hole)) => Ok(Change::BlackHole(way, units::duration(hole)?)),
        _ if reset.is_some() => Ok(Change::Reset),
        _ if restore.is_some() => Ok(Change::Restore),
        _ => Ok(Change::Slow {
            direction: way,
            delay: delay.map(units::duration).transpose()?,
            jitter: jitter.map(|jitter| swing(jitter, delay)).transpose()?,
            rate: rate.map(units::throughput).transpose()?,
            length: length.map(units::duration).transpose()?,
        }),
    }
}

/// How much longer or shorter bytes may be under way than they are delayed.
fn swing(jitter: &Node, delay: Option<&Node>) -> Result<Duration, Mistake> {
    let (swing, middle) = (units::duration(jitter)?, delay.map(units::duration).transpose()?);
    if swing > middle.unwrap_or_default() {
        let middle = middle.map_or_else(
            || "there is no `delay`".to_owned(),
            |middle| format!("the delay is {}", Spelt(middle)),
        );
        return Err(jitter
            .mistake(format!("nothing can be {} faster than at once, and {middle}", Spelt(swing)))
            .hint("let `delay` be no shorter than `jitter`"));
    }
    Ok(swing)
}
