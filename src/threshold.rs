//! Demands on a whole run, one sentence each: `delivery p99 < 250 ms`, `connect failed < 0.1 %`.
//!
//! A threshold is read once into a [`Threshold`] whose limit is of the kind that its subject is measured in. What
//! could never fail or never hold is refused: it would only look like a demand. Uses the names of
//! [`crate::observe`]; the verdict compares.

mod answers;
mod order;
mod samples;
mod whole;

use std::fmt;
use std::time::Duration;

use crate::audit::Fault;
use crate::document::{Fields, Mistake, Node, Span, Value};
use crate::observe::{Counter, Metric};
use crate::units::{self, Rate, Share, Spelt};

pub use answers::Answers;
pub(crate) use samples::SAMPLES_BEYOND;
pub use samples::samples_needed;
pub use whole::WholeAfter;

/// A demand on the whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As its author wrote it.
    pub text: String,
    /// What it asks about.
    pub subject: Subject,
    /// Of which group or label alone.
    pub of: Option<Of>,
    /// Which arguments the answers have that it asks about, if it asks about their arguments.
    pub answers: Option<Answers>,
    /// After what was done to the server, if it asks when all nodes heard each other again: `restart of b`.
    pub after: Option<String>,
    /// How the value must relate to the limit.
    pub relation: Relation,
    /// The limit, of the kind that fits the subject.
    pub limit: Limit,
    /// Whether the run ends as soon as it is missed.
    pub aborts: bool,
    /// Where it was written.
    pub span: Span,
}

/// A group or a label about which a threshold asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    /// Its name.
    pub name: String,
    /// Its place among those that some threshold of the scenario asks about.
    pub part: usize,
}

/// Finds the group or the label of a name: its index among those that thresholds ask about.
pub type Find<'f> = dyn FnMut(&str) -> Result<usize, Mistake> + 'f;

/// What a threshold asks about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// A quantile (0 to 1, both excluded) of a latency series; compared with [`Limit::Latency`].
    Quantile(Metric, f64),
    /// The mean of a latency series.
    Mean(Metric),
    /// The least value of a latency series.
    Min(Metric),
    /// The greatest value of a latency series.
    Max(Metric),
    /// How many values a latency series has; compared with [`Limit::Count`].
    Samples(Metric),
    /// How often something happened; compared with [`Limit::Count`].
    Count(Counted),
    /// How often something happened per second of the run; compared with [`Limit::Rate`].
    Rate(Counted),
    /// How often something happened, as a share of what could have happened; compared with [`Limit::Share`].
    Share(Counted),
    /// How many acknowledgements or responses had certain arguments, or which share of them; and the number of the threshold
    /// among all such ([`crate::measure::Figures::answers`]). Compared with [`Limit::Count`] or [`Limit::Share`].
    Matching(Metric, usize),
    /// How long it took until all nodes heard each other again after something was done to the server.
    Whole,
}

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// By the clients.
    Counter(Counter),
    /// By the audit of the deliveries.
    Fault(Fault),
    /// The same, of messages that were not under way while the server was disturbed on purpose.
    Undisturbed(Fault),
}

impl Counted {
    fn all() -> impl Iterator<Item = Counted> {
        let faults =
            Fault::ALL.into_iter().flat_map(|fault| [Counted::Fault(fault), Counted::Undisturbed(fault)]);
        Counter::ALL.into_iter().map(Counted::Counter).chain(faults)
    }

    /// The words for it in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Counted::Counter(counter) => counter.name(),
            Counted::Fault(fault) => fault.name(),
            Counted::Undisturbed(Fault::Missing) => "delivery missing outside disturbances",
            Counted::Undisturbed(Fault::Duplicate) => "delivery duplicate outside disturbances",
            Counted::Undisturbed(Fault::Disordered) => "delivery disordered outside disturbances",
            Counted::Undisturbed(Fault::Leaked) => "delivery leaked outside disturbances",
        }
    }

    /// Whether it is a part of something, so that its share means something.
    fn has_share(self) -> bool {
        match self {
            Counted::Fault(_) | Counted::Undisturbed(_) => true,
            Counted::Counter(counter) => matches!(
                counter,
                Counter::ConnectOk
                    | Counter::ConnectFailed
                    | Counter::ConnectRefused
                    | Counter::Dropped
                    | Counter::AckReceived
                    | Counter::AckMissed
                    | Counter::ResponseReceived
                    | Counter::ResponseMissed
                    | Counter::ChecksFailed
            ),
        }
    }
}

impl Subject {
    /// The latency series that it asks about, if it does.
    pub fn metric(self) -> Option<Metric> {
        match self {
            Subject::Quantile(metric, _)
            | Subject::Mean(metric)
            | Subject::Min(metric)
            | Subject::Max(metric) => Some(metric),
            Subject::Samples(_)
            | Subject::Count(_)
            | Subject::Rate(_)
            | Subject::Share(_)
            | Subject::Matching(..)
            | Subject::Whole => None,
        }
    }

    /// Whether it decides how much of this may happen. One on those that went well does too.
    pub fn is_about(self, what: Counted) -> bool {
        let (Subject::Count(asked) | Subject::Rate(asked) | Subject::Share(asked)) = self else {
            return false;
        };
        let counterpart = match what {
            Counted::Counter(Counter::ConnectFailed) => Counted::Counter(Counter::ConnectOk),
            Counted::Counter(Counter::AckMissed) => Counted::Counter(Counter::AckReceived),
            Counted::Counter(Counter::ResponseMissed) => Counted::Counter(Counter::ResponseReceived),
            other => other,
        };
        let undisturbed = match what {
            Counted::Fault(fault) => Counted::Undisturbed(fault),
            other => other,
        };
        asked == what || asked == counterpart || asked == undisturbed
    }

    /// Whether it is about all the receivers of a message together.
    fn is_of_the_audit(self) -> bool {
        match self {
            Subject::Count(counted) | Subject::Rate(counted) | Subject::Share(counted) => {
                matches!(counted, Counted::Fault(_) | Counted::Undisturbed(_))
            }
            Subject::Samples(metric) => metric.is_of_messages(),
            _ => self.metric().is_some_and(Metric::is_of_messages),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Quantile(metric, quantile) => {
                write!(f, "{metric} p{}", (quantile * 1e8).round() / 1e6)
            }
            Subject::Mean(metric) => write!(f, "{metric} mean"),
            Subject::Min(metric) => write!(f, "{metric} min"),
            Subject::Max(metric) => write!(f, "{metric} max"),
            Subject::Samples(metric) => write!(f, "{metric} count"),
            Subject::Count(counted) | Subject::Share(counted) => f.write_str(counted.name()),
            Subject::Rate(counted) => write!(f, "{} rate", counted.name()),
            Subject::Matching(metric, _) => write!(f, "{metric}"),
            Subject::Whole => f.write_str("time to whole"),
        }
    }
}

/// How value and limit must relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The value is less than the limit.
    Less,
    /// The value is at most the limit.
    AtMost,
    /// The value is the limit.
    Equal,
    /// The value is not the limit.
    NotEqual,
    /// The value is at least the limit.
    AtLeast,
    /// The value is greater than the limit.
    Greater,
}

impl Relation {
    /// The signs, the longer before the shorter.
    const SIGNS: [(&'static str, Relation); 6] = [
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("==", Relation::Equal),
        ("!=", Relation::NotEqual),
        ("<", Relation::Less),
        (">", Relation::Greater),
    ];

    /// Whether a value and a limit, in the same unit, relate like this.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Relation::Less => value < limit,
            Relation::AtMost => value <= limit,
            Relation::Equal => value == limit,
            Relation::NotEqual => value != limit,
            Relation::AtLeast => value >= limit,
            Relation::Greater => value > limit,
        }
    }

    /// Whether the limit bounds the value from above.
    pub fn is_upper(self) -> bool {
        matches!(self, Relation::Less | Relation::AtMost)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Relation::SIGNS.iter().find(|(_, relation)| relation == self);
        f.write_str(sign.map_or("", |(sign, _)| sign))
    }
}

/// What a value is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// A time.
    Latency(Duration),
    /// A number of things.
    Count(u64),
    /// So many per second.
    Rate(Rate),
    /// A share from 0 to 1.
    Share(Share),
}

impl Limit {
    /// The bare number: microseconds, things, things per second, or a share from 0 to 1.
    pub fn number(self) -> f64 {
        match self {
            Limit::Latency(time) => time.as_nanos() as f64 / 1e3,
            Limit::Count(count) => count as f64,
            Limit::Rate(rate) => rate.per_second,
            Limit::Share(share) => share.0,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Latency(time) => Spelt(*time).fmt(f),
            Limit::Count(count) => count.fmt(f),
            Limit::Rate(rate) => rate.fmt(f),
            Limit::Share(share) => share.fmt(f),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.of.as_ref().map(|of| format!(" of {}", of.name)).unwrap_or_default();
        let answers = self.answers.as_ref().map(|answers| format!(" where {}", answers.text));
        let answers = answers.unwrap_or_default();
        let after = self.after.as_ref().map(|after| format!(" after {after}")).unwrap_or_default();
        write!(f, "{}{of}{answers}{after} {} {}", self.subject, self.relation, self.limit)?;
        if self.aborts { f.write_str(", or the run ends at once") } else { Ok(()) }
    }
}

impl Threshold {
    /// Reads one threshold of a scenario: a sentence, or a map of it and of what is to happen when it is missed.
    pub fn read(node: &Node, find: &mut Find<'_>) -> Result<Threshold, Mistake> {
        let Value::Map(entries) = &node.value else { return Threshold::read_told(node, find) };
        if let Some((key, _)) = entries.iter().find(|(key, _)| key.text.contains(answers::WHERE)) {
            return Err(key
                .mistake("a threshold with `: ` in it has to stand in quotes")
                .hint("write `- \"ack where [{ ok: false }] < 5 %\"`"));
        }
        if let [(key, limit)] = &entries[..]
            && asked(&key.text).is_ok()
        {
            let limit = limit.text().ok().filter(|limit| limit.starts_with(answers::SIGN));
            return Err(key.mistake("a threshold is one text, without a colon").hint(format!(
                "write it like `- {} {}`",
                key.text,
                limit.unwrap_or("< 250 ms")
            )));
        }
        let fields = Fields::of(node, "the threshold")?;
        let demand = fields.required("demand");
        let aborts = fields.optional("abort_on_breach");
        fields.deny_others()?;
        let threshold = Threshold::read_told(demand?, find)?;
        let aborts_it = aborts.map_or(Ok(false), Node::bool)?;
        if let Some(at) = aborts.filter(|_| aborts_it && !threshold.can_be_breached_early()) {
            let message = format!("whether `{}` holds is known at the end of the run alone", threshold.text);
            return Err(at
                .mistake(message)
                .hint("`abort_on_breach` goes with an upper limit (`<`, `<=`) or with `== 0`"));
        }
        Ok(Threshold { aborts: aborts_it, ..threshold })
    }

    /// Whether more of the run cannot mend it, or would have to be much better than what was.
    fn can_be_breached_early(&self) -> bool {
        let none = self.relation == Relation::Equal && self.limit.number() == 0.0;
        // How long it takes until all nodes hear each other is known when they do.
        (self.relation.is_upper() || none) && self.subject != Subject::Whole
    }

    fn read_told(node: &Node, find: &mut Find<'_>) -> Result<Threshold, Mistake> {
        Threshold::read_text(node, find).map_err(|mistake| order::better(mistake, node, find))
    }

    fn read_text(node: &Node, find: &mut Find<'_>) -> Result<Threshold, Mistake> {
        let text = node.text()?;
        let form = "write it like `delivery p99 < 250 ms` or `connect failed < 0.1 %`";
        let at =
            |from: usize, part: &str| node.part(text[..from].chars().count(), part.chars().count().max(1));
        let (asks, condition) =
            answers::split(text).map_err(|(mistake, from, part)| mistake.at(at(from, part)))?;
        let from_sign = condition.map_or(asks.len(), |(from, condition)| from + condition.len());
        let Some(sign) = text[from_sign..].find(answers::SIGN).map(|sign| from_sign + sign) else {
            return Err(node.mistake(format!("`{text}` compares nothing")).hint(form));
        };
        let signs: String = text[sign..].chars().take_while(|c| "<>=!".contains(*c)).collect();
        let Some((_, relation)) = Relation::SIGNS.iter().find(|(known, _)| *known == signs) else {
            let mistake = Mistake::new(at(sign, &signs), format!("`{signs}` is not a comparison"));
            return Err(match signs.as_str() {
                "=" | "===" => mistake.hint("did you mean `==`?"),
                "=<" => mistake.hint("did you mean `<=`?"),
                "=>" => mistake.hint("did you mean `>=`?"),
                _ => mistake.hint("one of < <= == != >= >"),
            });
        };
        let (what, value) = (asks.trim_end(), text[sign + signs.len()..].trim());
        let value_at = at(text.len() - text[sign + signs.len()..].trim_start().len(), value);
        if what.trim().is_empty() || value.is_empty() {
            return Err(node.mistake(format!("one side of `{signs}` is missing")).hint(form));
        }
        let told = |mistake: Mistake, from: usize, part: &str| mistake.at(at(from, part));
        let after = whole::after(what);
        // The ` of ` in it names a part of the server.
        let what = if after.is_some() { "" } else { what };
        let (what, of) = match what.split_once(" of ") {
            None => (what, None),
            Some((what, name)) => {
                let from = what.len() + " of ".len() + (name.len() - name.trim_start().len());
                let part = find(name.trim()).map_err(|mistake| told(mistake, from, name.trim()))?;
                (what.trim_end(), Some((part, from, name.trim())))
            }
        };
        let answers = match condition {
            None => None,
            Some((from, condition)) => {
                let answers =
                    Answers::read(what, condition).map_err(|(mistake, is_condition)| match is_condition {
                        true => told(mistake, from, condition),
                        false => told(mistake, 0, what),
                    })?;
                Some(answers)
            }
        };
        let asked = match (&answers, &after) {
            (_, Some(_)) => Ok(Asked::Whole),
            (None, None) => asked(what),
            (Some((metric, _)), None) => Ok(Asked::Matching(*metric)),
        };
        let (subject, limit) = match asked {
            Ok(Asked::Matching(metric)) => {
                let limit = match value.ends_with('%') {
                    true => Limit::Share(units::share_from(value).map_err(|mistake| mistake.at(value_at))?),
                    false => count(value, value_at)?,
                };
                (Subject::Matching(metric, 0), limit)
            }
            Ok(Asked::Whole) => {
                let limit = units::duration_from(value).map_err(|mistake| mistake.at(value_at))?;
                (Subject::Whole, Limit::Latency(limit))
            }
            Ok(Asked::Latency(make, metric)) => {
                let limit = units::duration_from(value).map_err(|mistake| mistake.at(value_at))?;
                (make(metric), Limit::Latency(limit))
            }
            Ok(Asked::Quantile(metric, quantile)) => {
                let limit = units::duration_from(value).map_err(|mistake| mistake.at(value_at))?;
                (Subject::Quantile(metric, quantile), Limit::Latency(limit))
            }
            Ok(Asked::Samples(metric)) => (Subject::Samples(metric), count(value, value_at)?),
            Ok(Asked::Rate(counted)) => {
                let limit = units::rate_from(value).map_err(|mistake| mistake.at(value_at))?;
                (Subject::Rate(counted), Limit::Rate(limit))
            }
            Ok(Asked::Counted(counted, explicit)) if value.ends_with('%') && !explicit => {
                let limit = units::share_from(value).map_err(|mistake| mistake.at(value_at))?;
                if !counted.has_share() {
                    let message =
                        format!("`{}` is not a part of anything, so it has no share", counted.name());
                    return Err(
                        Mistake::new(value_at, message).hint("compare it with a number, or its `rate`")
                    );
                }
                (Subject::Share(counted), Limit::Share(limit))
            }
            Ok(Asked::Counted(counted, _)) if value.ends_with("/s") => {
                let name = counted.name();
                return Err(Mistake::new(value_at, format!("expected a number of times, found `{value}`"))
                    .hint(format!("a number has no unit here; of a rate, ask `{name} rate`")));
            }
            Ok(Asked::Counted(counted, _)) => (Subject::Count(counted), count(value, value_at)?),
            Err((mistake, from, part)) => return Err(told(mistake, from, part)),
        };
        if let Some((_, from, name)) = of.filter(|_| subject.is_of_the_audit()) {
            let mistake = Mistake::new(node.span, "the audit judges all clients together".to_owned());
            return Err(told(mistake.hint(format!("leave out `of {name}`")), from, name));
        }
        let threshold = Threshold {
            text: text.trim().to_owned(),
            subject,
            of: of.map(|(part, _, name)| Of { name: name.to_owned(), part }),
            answers: answers.map(|(_, answers)| answers),
            after,
            relation: *relation,
            limit,
            aborts: false,
            span: node.span,
        };
        match threshold.pointless() {
            None => Ok(threshold),
            Some(why) => Err(node.mistake(why)),
        }
    }

    /// Why it could never fail, or never hold.
    fn pointless(&self) -> Option<String> {
        let limit = self.limit.number();
        let most = if matches!(self.limit, Limit::Share(_)) { 1.0 } else { f64::INFINITY };
        let latency = matches!(self.limit, Limit::Latency(_));
        let never = match self.relation {
            Relation::Less => limit <= 0.0,
            Relation::AtMost => latency && limit <= 0.0,
            Relation::Greater => limit >= most,
            _ => false,
        };
        let always = match self.relation {
            Relation::AtLeast => limit <= 0.0,
            Relation::Greater => latency && limit <= 0.0,
            Relation::AtMost => limit >= most,
            _ => false,
        };
        if never {
            return Some(format!("`{}` can never hold", self.text));
        }
        if always {
            return Some(format!("`{}` always holds, so it demands nothing", self.text));
        }
        let exact = matches!(self.relation, Relation::Equal | Relation::NotEqual);
        (exact && matches!(self.limit, Limit::Latency(_) | Limit::Rate(_)))
            .then(|| format!("`{}` compares a measured value exactly: use `<` or `>`", self.text))
    }
}

/// What the left side asks about, before the limit is known.
enum Asked {
    Latency(fn(Metric) -> Subject, Metric),
    Quantile(Metric, f64),
    Samples(Metric),
    Rate(Counted),
    /// Whether `count` was written.
    Counted(Counted, bool),
    Matching(Metric),
    Whole,
}

/// The left side. A mistake comes with the part of the text that it is about and where that begins.
fn asked(what: &str) -> Result<Asked, (Mistake, usize, &str)> {
    let nowhere = |message: String| Mistake::new(Span::default(), message);
    let words: Vec<&str> = what.split_whitespace().collect();
    let joined = words.join(" ");
    if let Some(counted) = Counted::all().find(|counted| counted.name() == joined) {
        return Ok(Asked::Counted(counted, false));
    }
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (*last, before));
    let before = before.join(" ");
    let last_from = what.len() - last.len();
    if let Some(counted) = Counted::all().find(|counted| counted.name() == before) {
        return match last {
            "rate" => Ok(Asked::Rate(counted)),
            "count" => Ok(Asked::Counted(counted, true)),
            _ => {
                let mistake = nowhere(format!("unknown statistic `{last}` of `{before}`"));
                Err((mistake.did_you_mean(last, ["rate", "count"]), last_from, last))
            }
        };
    }
    let metric = |name: &str| Metric::ALL.into_iter().find(|metric| metric.name() == name);
    if let Some(metric) = metric(&joined) {
        let hint = format!("write `{metric} p99`, or `mean`, `min`, `max`, `count`");
        let mistake = nowhere(format!("`{metric}` is a series of times: which value of it?"));
        return Err((mistake.hint(hint), 0, what));
    }
    if let Some(metric) = metric(&before) {
        return statistic(metric, last).map_err(|mistake| (mistake, last_from, last));
    }
    if words.first() == Some(&"expect") {
        let mistake = nowhere("an `expect` is not timed: nobody knows what it answers".to_owned());
        let hint =
            "name the event as the `response` of the `emit` that it answers, and ask about `response p99`";
        return Err((mistake.hint(hint), 0, "expect"));
    }
    // Neither a counter nor a metric: the nearer of the two is what was meant.
    let names = Counted::all().map(Counted::name).chain(Metric::ALL.into_iter().map(Metric::name));
    let (unknown, part) = match crate::document::closest(&joined, Counted::all().map(Counted::name)) {
        Some(_) => (joined.as_str(), what),
        None => (words.first().copied().unwrap_or_default(), words.first().copied().unwrap_or_default()),
    };
    let mistake = nowhere(format!("unknown metric `{unknown}`")).did_you_mean(unknown, names);
    Err((mistake, 0, part))
}

fn statistic(metric: Metric, word: &str) -> Result<Asked, Mistake> {
    let nowhere = |message: String| Mistake::new(Span::default(), message);
    let percent = word.strip_prefix('p').and_then(|percent| percent.parse::<f64>().ok());
    match word {
        "mean" => Ok(Asked::Latency(Subject::Mean, metric)),
        "min" => Ok(Asked::Latency(Subject::Min, metric)),
        "max" => Ok(Asked::Latency(Subject::Max, metric)),
        "count" => Ok(Asked::Samples(metric)),
        // Six digits behind the point, as many as are shown. Dividing whole numbers gives the same 0.999 that is written in the source.
        _ => match percent.map(|percent| (percent * 1e6).round() / 1e8) {
            Some(quantile) if quantile > 0.0 && quantile < 1.0 => Ok(Asked::Quantile(metric, quantile)),
            Some(1.0) => Err(nowhere("`p100` is the greatest value of all".to_owned()).hint("write `max`")),
            Some(_) => Err(nowhere(format!("there is no percentile `{word}`"))
                .hint("percentiles lie between p0 and p100, like p50 or p99.9")),
            None => {
                let mistake = nowhere(format!("unknown statistic `{word}` of `{metric}`"));
                // A count whose name begins as the series is called, such as `delivery missing`.
                let counts = Counted::all().filter_map(|counted| {
                    counted
                        .name()
                        .strip_prefix(metric.name())?
                        .strip_prefix(' ')
                        .filter(|rest| !rest.contains(' '))
                });
                let series = ["p50", "p90", "p99", "p99.9", "mean", "min", "max", "count"];
                Err(mistake.did_you_mean(word, series.into_iter().chain(counts)))
            }
        },
    }
}

fn count(value: &str, at: Span) -> Result<Limit, Mistake> {
    value.parse::<u64>().map(Limit::Count).map_err(|_| {
        let mistake = match value.starts_with('-') {
            true => Mistake::new(at, format!("a count cannot be negative: `{value}`")),
            false => Mistake::new(at, format!("expected a number of times, found `{value}`")),
        };
        mistake.hint("a number has no unit here")
    })
}

#[cfg(test)]
mod tests;
