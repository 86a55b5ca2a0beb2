//! Where something is written in a file.

/// A stretch of the file: lines and columns from 1, columns in characters, the end exclusive. All zero for
/// what stands nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The line of the first character.
    pub line: u32,
    /// The column of the first character.
    pub column: u32,
    /// The line of the last character.
    pub end_line: u32,
    /// The column after the last character.
    pub end_column: u32,
}

impl Span {
    /// From the start of this stretch to the end of the other.
    pub fn to(self, end: Span) -> Span {
        Span { end_line: end.end_line, end_column: end.end_column, ..self }
    }

    /// The part of a stretch on one line that begins `offset` characters in and is `len` characters long.
    pub fn part(self, offset: usize, len: usize) -> Span {
        let column = self.column.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
        let end_column = column.saturating_add(u32::try_from(len).unwrap_or(u32::MAX));
        Span { line: self.line, column, end_line: self.line, end_column }
    }
}
