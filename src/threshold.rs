//! Demands on a whole run, one sentence each: `delivery p99 < 250 ms`, `connect failed < 0.1 %`.
//!
//! A threshold is read once into a [`Threshold`] whose limit is of the kind that its subject is measured in. What
//! could never fail or never hold is refused: it would only look like a demand. Uses the names of
//! [`crate::observe`]; the verdict compares.

use std::fmt;
use std::time::Duration;

use crate::document::{Mistake, Node, Span};
use crate::observe::{Counter, Metric};
use crate::units::{self, Rate, Share, Spelt};

/// A demand on the whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As its author wrote it.
    pub text: String,
    /// What it asks about.
    pub subject: Subject,
    /// How the value must relate to the limit.
    pub relation: Relation,
    /// The limit, of the kind that fits the subject.
    pub limit: Limit,
    /// Where it was written.
    pub span: Span,
}

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
}

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// By the clients.
    Counter(Counter),
    /// By the audit of the deliveries.
    Fault(Fault),
}

/// What the audit of the deliveries can find wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A client that had to receive a message did not.
    Missing,
    /// A client received a message again.
    Duplicate,
    /// A client received messages of one sender in another order than they were sent in.
    Disordered,
    /// A client received a message that was not for it.
    Leaked,
}

impl Fault {
    /// Every fault, in the order in which reports list them.
    pub const ALL: [Fault; 4] = [Fault::Missing, Fault::Duplicate, Fault::Disordered, Fault::Leaked];

    /// The words for it in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Missing => "delivery missing",
            Fault::Duplicate => "delivery duplicate",
            Fault::Disordered => "delivery disordered",
            Fault::Leaked => "delivery leaked",
        }
    }
}

impl Counted {
    fn all() -> impl Iterator<Item = Counted> {
        Counter::ALL.into_iter().map(Counted::Counter).chain(Fault::ALL.into_iter().map(Counted::Fault))
    }

    /// The words for it in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Counted::Counter(counter) => counter.name(),
            Counted::Fault(fault) => fault.name(),
        }
    }

    /// Whether it is a part of something, so that its share means something.
    fn has_share(self) -> bool {
        match self {
            Counted::Fault(_) => true,
            Counted::Counter(counter) => matches!(
                counter,
                Counter::ConnectOk
                    | Counter::ConnectFailed
                    | Counter::Dropped
                    | Counter::AckReceived
                    | Counter::AckMissed
            ),
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
        write!(f, "{} {} {}", self.subject, self.relation, self.limit)
    }
}

impl Threshold {
    /// Reads one threshold of a scenario.
    pub fn read(node: &Node) -> Result<Threshold, Mistake> {
        let text = node.text()?;
        let form = "write it like `delivery p99 < 250 ms` or `connect failed < 0.1 %`";
        let at =
            |from: usize, part: &str| node.part(text[..from].chars().count(), part.chars().count().max(1));
        let Some(sign) = text.find(['<', '>', '=', '!']) else {
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
        let (what, value) = (text[..sign].trim_end(), text[sign + signs.len()..].trim());
        let value_at = at(text.len() - text[sign + signs.len()..].trim_start().len(), value);
        if what.trim().is_empty() || value.is_empty() {
            return Err(node.mistake(format!("one side of `{signs}` is missing")).hint(form));
        }
        let told = |mistake: Mistake, from: usize, part: &str| mistake.at(at(from, part));
        let (subject, limit) = match asked(what) {
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
            Ok(Asked::Counted(counted, _)) => (Subject::Count(counted), count(value, value_at)?),
            Err((mistake, from, part)) => return Err(told(mistake, from, part)),
        };
        let threshold =
            Threshold { text: text.trim().to_owned(), subject, relation: *relation, limit, span: node.span };
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
    match word {
        "mean" => Ok(Asked::Latency(Subject::Mean, metric)),
        "min" => Ok(Asked::Latency(Subject::Min, metric)),
        "max" => Ok(Asked::Latency(Subject::Max, metric)),
        "count" => Ok(Asked::Samples(metric)),
        _ => match word.strip_prefix('p').map(str::parse::<f64>) {
            Some(Ok(percent)) if percent > 0.0 && percent < 100.0 => {
                // Dividing whole numbers gives the same 0.999 that is written in the source.
                Ok(Asked::Quantile(metric, (percent * 1e7).round() / 1e9))
            }
            Some(Ok(100.0)) => {
                Err(nowhere("`p100` is the greatest value of all".to_owned()).hint("write `max`"))
            }
            Some(Ok(_)) => Err(nowhere(format!("there is no percentile `{word}`"))
                .hint("percentiles lie between p0 and p100, like p50 or p99.9")),
            _ => Err(nowhere(format!("unknown statistic `{word}` of `{metric}`"))
                .did_you_mean(word, ["p50", "p90", "p99", "p99.9", "mean", "min", "max", "count"])),
        },
    }
}

fn count(value: &str, at: Span) -> Result<Limit, Mistake> {
    value.parse::<u64>().map(Limit::Count).map_err(|_| {
        let mistake = match value.starts_with('-') {
            true => Mistake::new(at, format!("nothing happens `{value}` times")),
            false => Mistake::new(at, format!("expected a number of times, found `{value}`")),
        };
        mistake.hint("a number has no unit here")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Value;

    /// Read as if it stood plain in column 5 of line 1.
    fn read(text: &str) -> Result<Threshold, Mistake> {
        let end_column = 5 + text.chars().count() as u32;
        let span = Span { line: 1, column: 5, end_line: 1, end_column };
        Threshold::read(&Node { span, value: Value::Text(text.to_owned()) })
    }

    #[test]
    fn the_faults_are_in_the_order_of_their_numbers() {
        assert!(Fault::ALL.iter().enumerate().all(|(index, fault)| *fault as usize == index));
    }

    #[test]
    fn thresholds_are_read_into_subject_relation_and_limit() {
        use Counted::{Counter as Clients, Fault as Audit};
        let ms = Duration::from_millis;
        for (text, subject, relation, limit) in [
            (
                "delivery p99 < 250 ms",
                Subject::Quantile(Metric::Delivery, 0.99),
                Relation::Less,
                Limit::Latency(ms(250)),
            ),
            (
                "ack p99.9 <= 0.5s",
                Subject::Quantile(Metric::Ack, 0.999),
                Relation::AtMost,
                Limit::Latency(ms(500)),
            ),
            ("ack mean<=5ms", Subject::Mean(Metric::Ack), Relation::AtMost, Limit::Latency(ms(5))),
            (
                "connect.tls max < 1s",
                Subject::Max(Metric::ConnectTls),
                Relation::Less,
                Limit::Latency(ms(1000)),
            ),
            (
                "ack.service min > 1ms",
                Subject::Min(Metric::AckService),
                Relation::Greater,
                Limit::Latency(ms(1)),
            ),
            ("delivery count >= 10", Subject::Samples(Metric::Delivery), Relation::AtLeast, Limit::Count(10)),
            (
                "delivery missing == 0",
                Subject::Count(Audit(Fault::Missing)),
                Relation::Equal,
                Limit::Count(0),
            ),
            (
                "connect  failed < 0.1 %",
                Subject::Share(Clients(Counter::ConnectFailed)),
                Relation::Less,
                Limit::Share(Share(0.001)),
            ),
            (
                "sent rate > 1000/s",
                Subject::Rate(Clients(Counter::Sent)),
                Relation::Greater,
                Limit::Rate(Rate { per_second: 1000.0 }),
            ),
            (
                "received count >= 10",
                Subject::Count(Clients(Counter::Received)),
                Relation::AtLeast,
                Limit::Count(10),
            ),
            (
                "connection dropped != 3",
                Subject::Count(Clients(Counter::Dropped)),
                Relation::NotEqual,
                Limit::Count(3),
            ),
        ] {
            let threshold = read(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
            assert_eq!((threshold.subject, threshold.relation), (subject, relation), "{text}");
            assert!(
                (threshold.limit.number() - limit.number()).abs() < 1e-12,
                "{text}: {:?}",
                threshold.limit
            );
        }
    }

    #[test]
    fn a_threshold_spelt_again_reads_the_same() {
        for text in
            ["delivery p99.99 < 250ms", "connect failed < 0.1 %", "sent rate > 1000/s", "ack count >= 10"]
        {
            let threshold = read(text).unwrap();
            assert_eq!(threshold.to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_read_points_at_the_part_that_is_wrong() {
        for (text, column, told) in [
            ("delivery p99", 5, "`delivery p99` compares nothing"),
            ("delivery p99 = 5ms", 18, "`=` is not a comparison (did you mean `==`?)"),
            ("delivery p99 => 5ms", 18, "`=>` is not a comparison (did you mean `>=`?)"),
            ("< 5ms", 5, "one side of `<` is missing"),
            ("ack p99 <", 5, "one side of `<` is missing"),
            ("dleivery p99 < 5ms", 5, "unknown metric `dleivery` (did you mean `delivery`?)"),
            ("conect failed < 5", 5, "unknown metric `conect failed` (did you mean `connect failed`?)"),
            ("delivery p101 < 5ms", 14, "there is no percentile `p101`"),
            ("delivery p0 < 5ms", 14, "there is no percentile `p0`"),
            ("delivery p100 < 5ms", 14, "`p100` is the greatest value of all (write `max`)"),
            ("delivery mena < 5ms", 14, "unknown statistic `mena` of `delivery` (did you mean `mean`?)"),
            ("delivery < 5ms", 5, "`delivery` is a series of times: which value of it?"),
            ("sent mean > 5", 10, "unknown statistic `mean` of `sent`"),
            ("ack p99 < 5", 15, "`5` has no unit"),
            ("ack p99 < 5 %", 15, "`%` is not a unit of a time"),
            ("ack p99 < -5ms", 15, "a time cannot be negative"),
            ("sent < 5ms", 12, "expected a number of times, found `5ms`"),
            ("sent < -5", 12, "nothing happens `-5` times"),
            ("sent rate < 5", 17, "`5` has no unit"),
            ("sent < 5%", 12, "`sent` is not a part of anything"),
            ("connect failed < 101 %", 22, "`101 %` is more than the whole"),
        ] {
            let mistake = read(text).expect_err(text);
            assert!(mistake.to_string().starts_with(told), "{text}: {mistake}");
            assert_eq!(mistake.span.column, column, "{text}: {mistake}");
        }
    }

    #[test]
    fn what_could_never_fail_or_never_hold_is_no_threshold() {
        for (text, told) in [
            ("ack p99 < 0 ms", "can never hold"),
            ("ack p99 <= 0 ms", "can never hold"),
            ("ack p99 >= 0 ms", "always holds"),
            ("ack p99 > 0 ms", "always holds"),
            ("connect failed < 0", "can never hold"),
            ("connect failed < 0 %", "can never hold"),
            ("connect failed > 100 %", "can never hold"),
            ("connect failed <= 100 %", "always holds"),
            ("received >= 0", "always holds"),
            ("ack p99 == 5ms", "compares a measured value exactly"),
        ] {
            let mistake = read(text).expect_err(text);
            assert!(mistake.message.contains(told), "{text}: {mistake}");
        }
        for text in ["connect failed <= 0", "connect failed == 0 %", "received > 0", "connect ok >= 100 %"] {
            assert!(read(text).is_ok(), "{text}");
        }
    }
}
