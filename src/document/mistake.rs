//! A mistake in a file: the sentence, the place, a hint.

use std::fmt;

use super::closest::advice;
use super::{Span, closest};

/// What is wrong with a file, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands; the default span for what stands nowhere in particular.
    pub span: Span,
    /// A lower-case fragment without a full stop.
    pub message: String,
    /// What to do about it, in the same form.
    pub hint: Option<String>,
}

impl Mistake {
    /// A mistake without a hint.
    pub fn new(span: Span, message: impl Into<String>) -> Mistake {
        Mistake { span, message: message.into(), hint: None }
    }

    /// The same with a hint; a hint that is already there stays.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Mistake {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// The same with what to do instead of a word from elsewhere, or with the hint `did you mean …`, where one of the
    /// words known there is close enough, or with a list of them.
    #[must_use]
    pub fn did_you_mean<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Mistake {
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(advice) = advice(word, &known) {
            return self.hint(advice);
        }
        match closest(word, known.iter().copied()) {
            Some(close) => self.hint(format!("did you mean `{close}`?")),
            None if known.is_empty() => self,
            None => self.hint(format!("known here: {}", in_words(&known))),
        }
    }

    /// The same with a hint about what the file should be, where the file as a whole is wrong: it is empty, say, or no text.
    #[must_use]
    pub fn hint_of_file(self, hint: &str) -> Mistake {
        if self.span == Span::default() { self.hint(hint) } else { self }
    }

    /// The same at another place: for what was found in a bare text and is reported where the text stands.
    #[must_use]
    pub fn at(mut self, span: Span) -> Mistake {
        self.span = span;
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Mistake {}

/// `a`, `b` and so on, shortened after two dozen.
fn in_words(words: &[&str]) -> String {
    let mut text = words.iter().take(24).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    if words.len() > 24 {
        text.push_str(", …");
    }
    text
}
