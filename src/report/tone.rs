//! Judgements, as all reports show them.

/// How something is judged: a sign, a colour, and always a word beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Neither is known.
    Doubtful,
    /// Nothing is judged.
    #[default]
    Plain,
}

impl Tone {
    /// Good where it holds, bad where it does not.
    pub fn of(holds: bool) -> Tone {
        if holds { Tone::Good } else { Tone::Bad }
    }

    /// The sign for it.
    pub fn sign(self) -> &'static str {
        match self {
            Tone::Good => "✓",
            Tone::Bad => "✗",
            Tone::Doubtful => "?",
            Tone::Plain => "·",
        }
    }

    /// The class for it on a page.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Doubtful => "doubt",
            Tone::Plain => "plain",
        }
    }
}
