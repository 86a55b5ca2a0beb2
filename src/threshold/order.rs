//! What a threshold asks about, where its words stand in another order or spelling: `response of asking p50`, `p99 ack`,
//! `ack.p99`, `avg ack`. It is not read, but its author is shown how it is written.

use super::{Counted, Find, Relation, answers, asked, whole};
use crate::document::{Mistake, Node};
use crate::observe::Metric;

/// Words of other tools for a statistic or a count, and ours.
const SPELLINGS: [(&[&str], &str); 6] = [
    (&["avg", "average", "med_avg"], "mean"),
    (&["med", "median"], "p50"),
    (&["maximum", "longest", "slowest"], "max"),
    (&["minimum", "shortest", "fastest"], "min"),
    (&["lost", "undelivered"], "missing"),
    (&["duplicated", "duplicates", "doubled"], "duplicate"),
];

/// The mistake in the text of a threshold, with the right form where that can be told from its words.
pub(super) fn better(mistake: Mistake, node: &Node, find: &mut Find<'_>) -> Mistake {
    let Ok(text) = node.text() else { return mistake };
    let Some(from) = text.find(answers::SIGN).filter(|_| !text.contains(answers::WHERE)) else {
        return mistake;
    };
    let signs = text[from..].chars().take_while(|c| answers::SIGN.contains(c)).count();
    let (asks, sign, limit) = (text[..from].trim(), &text[from..from + signs], text[from + signs..].trim());
    if whole::after(asks).is_some() {
        return mistake;
    }
    if asks.starts_with(|c: char| c.is_ascii_digit())
        && let Some(relation) = Relation::SIGNS.iter().find(|(known, _)| *known == sign)
        && let Some(meant) = meant(limit, find)
    {
        let (left, turned) = (&meant.text, turned(relation.1));
        return node
            .mistake("the limit stands on the left side")
            .hint(format!("write `{left} {turned} {asks}`"));
    }
    let same = |meant: &Meant| meant.text == asks.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(meant) = meant(asks, find).filter(|meant| !same(meant)) else { return mistake };
    let others = if meant.has_statistic { "" } else { ", or `mean`, `min`, `max`, `count`" };
    let hint = Some(format!("write `{}`{others}", meant.text));
    match mistake.message.starts_with("unknown metric") {
        true => {
            let span = node
                .part(text[..from].chars().take_while(|c| c.is_whitespace()).count(), asks.chars().count());
            Mistake { span, message: format!("`{asks}` does not stand as a threshold is written"), hint }
        }
        false => Mistake { hint, ..mistake },
    }
}

/// The sign with its sides changed.
fn turned(relation: Relation) -> Relation {
    match relation {
        Relation::Less => Relation::Greater,
        Relation::AtMost => Relation::AtLeast,
        Relation::AtLeast => Relation::AtMost,
        Relation::Greater => Relation::Less,
        same @ (Relation::Equal | Relation::NotEqual) => same,
    }
}

/// What was meant.
struct Meant {
    text: String,
    /// Whether the author said which value of a series.
    has_statistic: bool,
}

/// The left side as it is written, where each of its words has its place there.
fn meant(asks: &str, find: &mut Find<'_>) -> Option<Meant> {
    let mut words = words(asks);
    words.retain(|word| word != "of");
    let counters = Counted::all().map(Counted::name);
    let mut names: Vec<&str> = counters.chain(Metric::ALL.into_iter().map(Metric::name)).collect();
    // The longest first: `ack missed` before `ack`.
    names.sort_by_key(|name| std::cmp::Reverse(name.split(' ').count()));
    names.iter().find_map(|name| {
        let mut rest = words.clone();
        for part in name.split(' ').filter(|part| *part != "of") {
            let place = rest.iter().position(|word| word == part)?;
            rest.remove(place);
        }
        let is_series = Metric::ALL.into_iter().any(|metric| metric.name() == *name);
        let statistic = rest.iter().position(|word| asked(&format!("{name} {word}")).is_ok());
        let statistic = statistic.map(|place| rest.remove(place));
        let of = match &rest[..] {
            [] => String::new(),
            rest => {
                let name = rest.join(" ");
                // A name that is not known is told of when it stands in its place.
                if find(&name).is_err() && (statistic.is_none() || rest.len() > 1) {
                    return None;
                }
                format!(" of {name}")
            }
        };
        let has_statistic = statistic.is_some() || !is_series;
        let statistic = statistic.or(is_series.then(|| "p99".to_owned()));
        let statistic = statistic.map(|word| format!(" {word}")).unwrap_or_default();
        Some(Meant { text: format!("{name}{statistic}{of}"), has_statistic })
    })
}

/// The words, in our spelling.
fn words(asks: &str) -> Vec<String> {
    // `ack.p99`, `ack_p99`, `p99(ack)` and `ack-p99` are two words each.
    let chars: Vec<char> = asks.chars().collect();
    let is_apart = |at: usize| match chars[at] {
        '.' => !chars.get(at + 1).is_some_and(char::is_ascii_digit),
        c => c.is_whitespace() || matches!(c, '(' | ')' | ',' | ':'),
    };
    let spaced: String = (0..chars.len()).map(|at| if is_apart(at) { ' ' } else { chars[at] }).collect();
    let mut words: Vec<String> = Vec::new();
    for word in spaced.split_whitespace() {
        let joined = word.rsplit_once(['_', '-']).filter(|(_, last)| spelt(last).is_some());
        let glued = Metric::ALL.iter().find_map(|metric| {
            let rest = word.strip_prefix(metric.name())?;
            spelt(rest).map(|_| (metric.name(), rest))
        });
        match joined.or(glued) {
            Some((first, last)) => words.extend([first.to_owned(), last.to_owned()]),
            None => words.push(word.to_owned()),
        }
    }
    // `p 99` is one.
    while let Some(at) =
        words.windows(2).position(|pair| pair[0].eq_ignore_ascii_case("p") && pair[1].parse::<f64>().is_ok())
    {
        let number = words.remove(at + 1);
        words[at].push_str(&number);
    }
    words.into_iter().map(|word| spelt(&word).unwrap_or(word)).collect()
}

/// A statistic in our spelling. None for what is none.
fn spelt(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    if let Some((_, ours)) = SPELLINGS.iter().find(|(theirs, _)| theirs.contains(&&*lower)) {
        return Some((*ours).to_owned());
    }
    let is_ours = ["mean", "min", "max", "count", "rate"].contains(&&*lower);
    let number = ["th", "%", "p"].iter().find_map(|end| lower.strip_suffix(end)).unwrap_or(&lower);
    let number = number.strip_prefix('p').unwrap_or(number);
    let quantile = number.parse::<f64>().ok().filter(|quantile| *quantile > 0.0 && *quantile < 100.0);
    if is_ours { Some(lower) } else { quantile.map(|_| format!("p{number}")) }
}
