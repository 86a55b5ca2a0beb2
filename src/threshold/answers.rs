//! `ack of login where [{ ok: false }] < 5 %`: which arguments the answers have that a threshold asks about.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value as Json;

use crate::document::{Mistake, Node, Source, Span, Value, closest, parse};
use crate::observe::Metric;
use crate::template::{Matcher, Nothing, Scope};

/// What stands before the arguments.
pub(super) const WHERE: &str = " where ";

/// What a comparison begins with.
pub(super) const SIGN: [char; 4] = ['<', '>', '=', '!'];

/// The series whose values have arguments.
const ANSWERS: [Metric; 2] = [Metric::Ack, Metric::Response];

/// Which arguments an answer has.
#[derive(Clone)]
pub struct Answers {
    /// As they were written.
    pub text: String,
    matcher: Arc<Matcher>,
}

impl Answers {
    /// Whether an answer has them.
    pub fn fit(&self, args: &Json, attachments: &[Bytes]) -> bool {
        self.matcher.matches(args, attachments, &Nothing).is_ok()
    }

    /// Reads them, and of which series they are. The mistake stands nowhere; it is about the arguments, or about the series.
    pub(super) fn read(what: &str, text: &str) -> Result<(Metric, Answers), (Mistake, bool)> {
        let nowhere = |message: String| Mistake::new(Span::default(), message);
        let Some(metric) = ANSWERS.into_iter().find(|metric| metric.name() == what) else {
            let names = ANSWERS.map(Metric::name);
            let mistake = nowhere(format!("only `ack` and `response` have arguments, and `{what}` has none"));
            let is_near = closest(what, names).is_some();
            return Err((if is_near { mistake.did_you_mean(what, names) } else { mistake }, false));
        };
        let of_text = |mistake: Mistake| (Mistake { span: Span::default(), ..mistake }, true);
        if text.contains("${") {
            return Err((
                nowhere("a threshold is about all clients, so its arguments take no `${…}`".to_owned()),
                true,
            ));
        }
        let source = Source { name: "a threshold".to_owned(), text: text.to_owned() };
        let node: Node = parse(&source).map_err(of_text)?;
        if !matches!(node.value, Value::List(_) | Value::Map(_)) {
            let mistake = nowhere(format!("expected the list of the arguments, found {}", node.describe()));
            return Err((mistake.hint(format!("write `where [{text}]`")), true));
        }
        let matcher = Matcher::compile(&node, &mut Scope::bare()).map_err(of_text)?;
        Ok((metric, Answers { text: text.to_owned(), matcher: Arc::new(matcher) }))
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answers").field(&self.text).finish()
    }
}

impl PartialEq for Answers {
    fn eq(&self, other: &Answers) -> bool {
        self.text == other.text
    }
}

/// A part of the text of a threshold: where it begins, and the part.
type Part<'t> = (usize, &'t str);

/// What a threshold asks about, and the arguments with their place, if there are some: those end where the comparison begins, which
/// stands in no quotes and no brackets. A mistake comes with the part of the text that it is about and where that begins.
pub(super) fn split(text: &str) -> Result<(&str, Option<Part<'_>>), (Mistake, usize, &str)> {
    let Some(at) = text.find(WHERE) else {
        let end = text.find(SIGN).unwrap_or(text.len());
        return Ok((&text[..end], None));
    };
    let from = at + WHERE.len() + text[at + WHERE.len()..].chars().take_while(|c| *c == ' ').count();
    let (mut quote, mut depth, mut is_escaped) = (None, 0i32, false);
    for (offset, letter) in text[from..].char_indices() {
        match (quote, letter) {
            _ if std::mem::take(&mut is_escaped) => {}
            (Some('"'), '\\') => is_escaped = true,
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, letter) if depth <= 0 && SIGN.contains(&letter) => {
                return Ok((&text[..at], Some((from, text[from..from + offset].trim_end()))));
            }
            (None, _) => {}
        }
    }
    let rest = &text[from..];
    let mistake = match (quote, depth > 0) {
        (Some(quote), _) => format!("a quote {quote} is open, so the arguments never end"),
        (None, true) => "a bracket is open, so the arguments never end".to_owned(),
        (None, false) => "a comparison has to follow the arguments".to_owned(),
    };
    Err((
        Mistake::new(Span::default(), mistake).hint("write it like `ack where [{ ok: false }] < 5 %`"),
        from,
        rest,
    ))
}
