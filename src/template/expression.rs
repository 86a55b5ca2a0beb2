//! Expressions, after their names were looked up: evaluation and folding.
//!
//! Whole numbers stay whole: `7 / 2` is 3, and `/` and `%` round towards the smaller number, so that
//! `(n - 1) % 10` counts round a circle. With a fraction on either side, both are fractions.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::{Body, Name, Of, Template, Values};
use crate::document::shortened;
use crate::units;

/// An expression whose names are known to be known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Constant(Json),
    Named(Name),
    /// A value of one client of another group, which is told by its index there.
    Other {
        group: usize,
        count: u64,
        member: Box<Expr>,
        of: Of,
    },
    /// One step into a list or map.
    Inside(Box<Expr>, Box<Expr>),
    /// The same steps into each item of a list, as a list.
    Each(Box<Expr>, Vec<Expr>),
    Negative(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Random(Box<Expr>, Box<Expr>),
    Pick(Vec<Expr>),
    /// A text so many times, where the number is known only when it is asked for.
    Repeated(String, Box<Expr>),
    /// A value made into another.
    Converted(Conversion, Box<Expr>),
    /// A template that was put in the place of a word.
    Filled(Box<Body>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// The number that a text spells.
    Number,
    /// The value that a text spells as JSON.
    Json,
    /// A text as it stands in a query.
    Encoded,
    /// A text without the `%` that stand in a cookie or a url.
    Decoded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Lesser,
    Greater,
}

impl Expr {
    pub(super) fn value<'v>(&'v self, values: &'v dyn Values) -> Result<Cow<'v, Json>, String> {
        Ok(match self {
            Expr::Constant(value) => Cow::Borrowed(value),
            Expr::Named(name) => values.get(name).ok_or_else(|| format!("`{name}` has no value yet"))?,
            Expr::Other { group, count, member, of } => {
                let index = member.value(values)?;
                let member = index.as_u64().filter(|member| member < count).ok_or_else(|| {
                    format!(
                        "the group has {count} clients, numbered from 0, and no number {}",
                        in_words(&index)
                    )
                })?;
                let name = Name::Other { group: *group, member, of: of.clone() };
                let value = values.get(&name).ok_or_else(|| format!("{name} has no value yet"))?;
                Cow::Owned(value.into_owned())
            }
            Expr::Inside(outer, step) => inside(outer.value(values)?, &*step.value(values)?)?,
            Expr::Each(list, steps) => {
                let list = list.value(values)?;
                let Json::Array(items) = list.as_ref() else {
                    return Err(format!("`[*]` stands behind a list, not behind {}", in_words(&list)));
                };
                let into = |item: &Json| {
                    let item = steps
                        .iter()
                        .try_fold(Cow::Borrowed(item), |at, step| inside(at, &*step.value(values)?));
                    item.map(Cow::into_owned)
                };
                Cow::Owned(items.iter().map(into).collect::<Result<_, _>>()?)
            }
            Expr::Negative(inner) => Cow::Owned(negative(&*inner.value(values)?)?),
            Expr::Binary(operator, left, right) => {
                Cow::Owned(operator.apply(&*left.value(values)?, &*right.value(values)?)?)
            }
            Expr::Random(low, high) => {
                let (low, high) = bounds(&*low.value(values)?, &*high.value(values)?)?;
                // The number of whole numbers from low to high; 0 stands for all 2^64 of them.
                let span = high.abs_diff(low).wrapping_add(1);
                let above = match span {
                    0 => values.random(u64::MAX),
                    span => values.random(span),
                };
                Cow::Owned(Json::from(low.wrapping_add_unsigned(above)))
            }
            Expr::Pick(choices) => match choices.as_slice() {
                [list] => match list.value(values)?.as_ref() {
                    Json::Array(items) if !items.is_empty() => {
                        Cow::Owned(items[values.random(items.len() as u64) as usize].clone())
                    }
                    other => {
                        return Err(format!("`pick` needs something to pick from, not {}", in_words(other)));
                    }
                },
                choices => choices[values.random(choices.len() as u64) as usize].value(values)?,
            },
            Expr::Repeated(text, times) => {
                let times = times.value(values)?;
                let length = times.as_u64().map(|times| times.saturating_mul(text.len() as u64));
                match (times.as_u64(), length) {
                    (Some(times), Some(..=units::LARGEST)) => {
                        Cow::Owned(Json::from(text.repeat(times as usize)))
                    }
                    (Some(_), _) => {
                        let most = units::LARGEST >> 20;
                        return Err(format!("`repeat` would make a text of more than {most} MiB"));
                    }
                    (None, _) => {
                        let times = in_words(&times);
                        return Err(format!("`repeat` takes a whole number from 0 on, not {times}"));
                    }
                }
            }
            Expr::Converted(conversion, inner) => Cow::Owned(conversion.apply(&*inner.value(values)?)?),
            Expr::Filled(body) => Cow::Owned(body.render(values)?),
        })
    }

    /// The same with whatever is constant worked out, or why it cannot be.
    pub(super) fn folded(self) -> Result<Expr, String> {
        use Expr::Constant;
        Ok(match self {
            Expr::Inside(outer, step) => match (*outer, *step) {
                (Constant(outer), Constant(step)) => Constant(inside(Cow::Owned(outer), &step)?.into_owned()),
                (outer, step) => Expr::Inside(Box::new(outer), Box::new(step)),
            },
            Expr::Negative(inner) => match *inner {
                Constant(value) => Constant(negative(&value)?),
                inner => Expr::Negative(Box::new(inner)),
            },
            Expr::Binary(operator, left, right) => match (*left, *right) {
                (Constant(left), Constant(right)) => Constant(operator.apply(&left, &right)?),
                (_, Constant(Json::Number(zero))) if operator.divides() && zero.as_i64() == Some(0) => {
                    return Err("nothing can be divided by 0".to_owned());
                }
                (left, right) => Expr::Binary(operator, Box::new(left), Box::new(right)),
            },
            Expr::Converted(conversion, inner) => match *inner {
                Constant(value) => Constant(conversion.apply(&value)?),
                inner => Expr::Converted(conversion, Box::new(inner)),
            },
            Expr::Random(low, high) => {
                if let (Constant(low), Constant(high)) = (low.as_ref(), high.as_ref()) {
                    bounds(low, high)?;
                }
                Expr::Random(low, high)
            }
            expr => expr,
        })
    }

    /// True where one of the names in it is like that. Values of other groups are not asked about.
    pub(super) fn any(&self, like: &mut dyn FnMut(&Name) -> bool) -> bool {
        match self {
            Expr::Constant(_) => false,
            Expr::Named(name) => like(name),
            Expr::Other { member: inner, .. }
            | Expr::Negative(inner)
            | Expr::Converted(_, inner)
            | Expr::Repeated(_, inner) => inner.any(like),
            Expr::Inside(left, right) | Expr::Binary(_, left, right) | Expr::Random(left, right) => {
                left.any(like) || right.any(like)
            }
            Expr::Each(list, steps) => list.any(like) || steps.iter().any(|step| step.any(like)),
            Expr::Pick(choices) => choices.iter().any(|choice| choice.any(like)),
            Expr::Filled(body) => body.any(like),
        }
    }

    /// The same with templates in the place of words. What turns out constant is worked out; what then cannot
    /// be worked out stays, and fails when it is asked for.
    pub(super) fn bind(&self, words: &[(&str, &Template)]) -> Expr {
        let bound = |expr: &Expr| Box::new(expr.bind(words));
        let expr = match self {
            Expr::Named(Name::Word(word)) => match words.iter().find(|(name, _)| name == word) {
                None => return self.clone(),
                Some((_, template)) => match &template.body {
                    Body::Fixed(value) => return Expr::Constant(value.clone()),
                    Body::Whole(expr) => return expr.clone(),
                    body => return Expr::Filled(Box::new(body.clone())),
                },
            },
            Expr::Constant(_) | Expr::Named(_) => return self.clone(),
            Expr::Filled(body) => Expr::Filled(Box::new(body.bind(words))),
            Expr::Other { group, count, member, of } => {
                Expr::Other { group: *group, count: *count, member: bound(member), of: of.clone() }
            }
            Expr::Inside(outer, step) => Expr::Inside(bound(outer), bound(step)),
            Expr::Each(list, steps) => {
                Expr::Each(bound(list), steps.iter().map(|step| step.bind(words)).collect())
            }
            Expr::Negative(inner) => Expr::Negative(bound(inner)),
            Expr::Binary(operator, left, right) => Expr::Binary(*operator, bound(left), bound(right)),
            Expr::Random(low, high) => Expr::Random(bound(low), bound(high)),
            Expr::Converted(conversion, inner) => Expr::Converted(*conversion, bound(inner)),
            Expr::Repeated(text, times) => Expr::Repeated(text.clone(), bound(times)),
            Expr::Pick(choices) => Expr::Pick(choices.iter().map(|choice| choice.bind(words)).collect()),
        };
        expr.clone().folded().unwrap_or(expr)
    }
}

impl Conversion {
    fn apply(self, value: &Json) -> Result<Json, String> {
        match (self, value) {
            (Conversion::Number, Json::Number(_)) => Ok(value.clone()),
            (Conversion::Number, Json::String(text)) => number(text)
                .ok_or_else(|| format!("`number` takes the text of a number, not {}", in_words(value))),
            (Conversion::Number, other) => {
                Err(format!("`number` takes the text of a number, not {}", in_words(other)))
            }
            (Conversion::Json, Json::String(text)) => serde_json::from_str(text)
                .map_err(|_| format!("`json` takes a text of JSON, not {}", in_words(value))),
            (Conversion::Json, other) => Err(format!("`json` takes a text of JSON, not {}", in_words(other))),
            (Conversion::Encoded, Json::String(text)) => {
                Ok(url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().into())
            }
            (Conversion::Encoded, Json::Number(number)) => Ok(number.to_string().into()),
            (Conversion::Decoded, Json::String(text)) => {
                Ok(percent_decode_str(text).decode_utf8_lossy().into_owned().into())
            }
            (Conversion::Decoded, Json::Number(number)) => Ok(number.to_string().into()),
            (Conversion::Decoded, other) => Err(format!("`decoded` takes a text, not {}", in_words(other))),
            (Conversion::Encoded, other) => Err(format!("`encoded` takes a text, not {}", in_words(other))),
        }
    }
}

/// The number that a text spells.
fn number(text: &str) -> Option<Json> {
    let text = text.trim();
    let whole = text.parse::<i64>().map(Json::from).or_else(|_| text.parse::<u64>().map(Json::from));
    let fraction = || serde_json::Number::from_f64(text.parse().ok()?).map(Json::Number);
    whole.ok().or_else(fraction)
}

impl Operator {
    fn divides(self) -> bool {
        matches!(self, Operator::Divide | Operator::Remainder)
    }

    fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
            Operator::Lesser => "min",
            Operator::Greater => "max",
        }
    }

    fn apply(self, left: &Json, right: &Json) -> Result<Json, String> {
        let (Json::Number(l), Json::Number(r)) = (left, right) else {
            let other = if left.is_number() { right } else { left };
            let sign = self.sign();
            return Err(format!("`{sign}` works on numbers, not on {}", in_words(other)));
        };
        if self.divides() && r.as_f64() == Some(0.0) {
            return Err("nothing can be divided by 0".to_owned());
        }
        if let (Some(l), Some(r)) = (l.as_i64(), r.as_i64()) {
            let result = match self {
                Operator::Add => l.checked_add(r),
                Operator::Subtract => l.checked_sub(r),
                Operator::Multiply => l.checked_mul(r),
                Operator::Lesser => Some(l.min(r)),
                Operator::Greater => Some(l.max(r)),
                Operator::Divide => floor_divide(l, r),
                Operator::Remainder => floor_divide(l, r).map(|q| l.wrapping_sub(q.wrapping_mul(r))),
            };
            return result.map(Json::from).ok_or_else(|| format!("`{l} {} {r}` is too large", self.sign()));
        }
        let (l, r) = (l.as_f64().unwrap_or(f64::NAN), r.as_f64().unwrap_or(f64::NAN));
        let result = match self {
            Operator::Add => l + r,
            Operator::Subtract => l - r,
            Operator::Multiply => l * r,
            Operator::Divide => l / r,
            Operator::Remainder => l - (l / r).floor() * r,
            Operator::Lesser => l.min(r),
            Operator::Greater => l.max(r),
        };
        match serde_json::Number::from_f64(result) {
            Some(number) => Ok(Json::Number(number)),
            None => Err(format!("`{l} {} {r}` is too large", self.sign())),
        }
    }
}

fn floor_divide(l: i64, r: i64) -> Option<i64> {
    let quotient = l.checked_div(r)?;
    let exact = quotient.wrapping_mul(r) == l;
    Some(if !exact && (l < 0) != (r < 0) { quotient - 1 } else { quotient })
}

fn negative(value: &Json) -> Result<Json, String> {
    match value {
        Json::Number(_) => Operator::Subtract.apply(&Json::from(0), value),
        other => Err(format!("`-` works on numbers, not on {}", in_words(other))),
    }
}

fn bounds(low: &Json, high: &Json) -> Result<(i64, i64), String> {
    match (low.as_i64(), high.as_i64()) {
        (Some(low), Some(high)) if low <= high => Ok((low, high)),
        (Some(low), Some(high)) => {
            Err(format!("`random({low}, {high})` goes from the larger to the smaller number"))
        }
        (Some(_), None) => Err(format!("`random` takes whole numbers, not {}", in_words(high))),
        _ => Err(format!("`random` takes whole numbers, not {}", in_words(low))),
    }
}

fn inside<'v>(outer: Cow<'v, Json>, step: &Json) -> Result<Cow<'v, Json>, String> {
    let missing = || match (outer.as_ref(), step) {
        (Json::Object(_), Json::String(key)) => format!("there is no `{key}` in {}", in_words(&outer)),
        (Json::Array(items), step) => {
            format!("there is no item {} in a list of {}, numbered from 0", as_text(step), items.len())
        }
        (_, step) => format!("there is no `{}` in {}", as_text(step), in_words(&outer)),
    };
    fn find<'j>(outer: &'j Json, step: &Json) -> Option<&'j Json> {
        match (outer, step) {
            (Json::Object(map), Json::String(key)) => map.get(key),
            (Json::Array(items), step) => items.get(usize::try_from(step.as_u64()?).ok()?),
            _ => None,
        }
    }
    match &outer {
        Cow::Borrowed(value) => find(value, step).map(Cow::Borrowed).ok_or_else(missing),
        Cow::Owned(value) => find(value, step).map(|found| Cow::Owned(found.clone())).ok_or_else(missing),
    }
}

/// Text as it is, everything else as JSON.
pub(super) fn as_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value for a sentence, shortened.
pub(super) fn in_words(value: &Json) -> String {
    let shown = |what: &str| format!("{what} {}", shortened(&value.to_string(), 60));
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(b) => b.to_string(),
        Json::Number(n) => n.to_string(),
        Json::String(_) => shown("the text"),
        Json::Array(_) => shown("the list"),
        Json::Object(map) => match map.get("$utf8").filter(|_| map.len() == 1) {
            Some(text) => format!("the bytes of {}", in_words(text)),
            None => shown("the object"),
        },
    }
}
