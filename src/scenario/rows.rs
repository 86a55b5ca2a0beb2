//! Rows of data that are dealt out to the clients of a group: from a CSV file beside the scenario, or written in it.
//!
//! Client `n` gets row `n`, and the rows begin again when there are more clients than rows. The first line names the
//! columns. Fields follow RFC 4180: quotes around a field may hold commas, line feeds and doubled quotes. Another character
//! than the comma may stand between fields, as spreadsheets write it where numbers have a comma.

use std::sync::Arc;

use crate::document::{Fields, Mistake, Node, Value};
use crate::template::well_formed;

/// Gives the bytes of a file, or why not, in words.
pub(super) type Files<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

/// Rows under named columns; at least one of each, every row complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The values, row by row.
    pub rows: Arc<[Vec<String>]>,
}

impl Rows {
    /// The value of a column for the client with this index in its group.
    pub fn value(&self, n: u64, column: &str) -> Option<&str> {
        let column = self.columns.iter().position(|known| known == column)?;
        let row = &self.rows[(n % self.rows.len() as u64) as usize];
        row.get(column).map(String::as_str)
    }

    /// The name of a CSV file, alone or with what stands between its fields, or a list of maps with the same keys.
    pub(super) fn read(node: &Node, file: &Files<'_>) -> Result<Rows, Mistake> {
        match &node.value {
            Value::Text(_) => from_file(node, ',', file),
            Value::Map(_) => {
                let fields = Fields::of(node, "`rows`")?;
                let name = fields.required("file")?;
                let delimiter = fields.optional("delimiter").map_or(Ok(','), delimiter)?;
                fields.deny_others()?;
                from_file(name, delimiter, file)
            }
            Value::List(items) => from_list(node, items),
            _ => Err(node
                .mistake(format!(
                    "expected the name of a CSV file or a list of rows, found {}",
                    node.describe()
                ))
                .hint("write `rows: users.csv`, or `rows: [{ name: ada }, { name: bob }]`")),
        }
    }
}

/// One character that cannot be a part of a field by itself.
fn delimiter(node: &Node) -> Result<char, Mistake> {
    let mut characters = node.text()?.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) if !one.is_alphanumeric() && !matches!(one, '"' | '\r' | '\n' | '_') => Ok(one),
        _ => Err(node
            .mistake("a delimiter is one character, no letter, digit, quote or line feed")
            .hint("write `delimiter: \";\"`, or `\"\\t\"` for a tab")),
    }
}

fn from_file(node: &Node, delimiter: char, file: &Files<'_>) -> Result<Rows, Mistake> {
    let name = node.text()?;
    let refuse = |why: String| node.mistake(format!("cannot take rows from `{name}`: {why}"));
    let bytes = file(name).map_err(refuse)?;
    let text = String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8 text".to_owned()))?;
    from_csv(&text, delimiter).map_err(|why| {
        let first = text.lines().next().unwrap_or_default();
        let other = [',', ';', '\t', '|'].into_iter().find(|other| first.contains(*other));
        match other.filter(|_| !first.contains(delimiter)) {
            None => refuse(why),
            Some(other) => refuse(why).hint(format!(
                "fields seem to be separated by {other:?}: write `rows: {{ file: {name}, delimiter: \"{}\" }}`",
                other.escape_default()
            )),
        }
    })
}

fn from_list(node: &Node, items: &[Node]) -> Result<Rows, Mistake> {
    let Some(first) = items.first() else {
        return Err(node.mistake("expected at least one row, found an empty list"));
    };
    let columns: Vec<String> = first.map()?.iter().map(|(key, _)| key.text.clone()).collect();
    for (key, _) in first.map()? {
        well_formed(&key.text, "the name of a column").map_err(|mistake| mistake.at(key.span))?;
    }
    if columns.is_empty() {
        return Err(first.mistake("expected a row with at least one column, found an empty map"));
    }
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let entries = item.map()?;
        if let Some((key, _)) = entries.iter().find(|(key, _)| !columns.contains(&key.text)) {
            return Err(key
                .mistake(format!("the first row has no column `{}`", key.text))
                .did_you_mean(&key.text, columns.iter().map(String::as_str)));
        }
        let mut row = Vec::with_capacity(columns.len());
        for column in &columns {
            match entries.iter().find(|(key, _)| key.text == *column) {
                None => return Err(item.mistake(format!("this row has no column `{column}`"))),
                Some((_, Node { value: Value::Text(text), .. })) => row.push(text.clone()),
                Some((_, Node { value: Value::Int(_) | Value::Float(_) | Value::Bool(_), .. })) => {
                    let json =
                        entries.iter().find(|(key, _)| key.text == *column).map(|(_, node)| node.to_json());
                    row.push(json.map(|json| json.to_string()).unwrap_or_default());
                }
                Some((_, other)) => {
                    return Err(other.mistake(format!("expected text, found {}", other.describe())));
                }
            }
        }
        rows.push(row);
    }
    Ok(Rows { columns, rows: rows.into() })
}

fn from_csv(text: &str, delimiter: char) -> Result<Rows, String> {
    let mut records = records(text.strip_prefix('\u{feff}').unwrap_or(text), delimiter)?.into_iter();
    let Some((_, columns)) = records.next() else { return Err("it is empty".to_owned()) };
    for (index, column) in columns.iter().enumerate() {
        well_formed(column, "the name of a column")
            .map_err(|mistake| format!("line 1: {}", mistake.message))?;
        if columns[..index].contains(column) {
            return Err(format!("line 1: the column `{column}` is there twice"));
        }
    }
    let mut rows = Vec::with_capacity(records.len());
    for (line, row) in records {
        if row.len() != columns.len() {
            let (has, wants) = (row.len(), columns.len());
            return Err(format!("line {line} has {has} fields, and the first line names {wants} columns"));
        }
        rows.push(row);
    }
    match rows.is_empty() {
        true => Err("it has no line after the names of the columns".to_owned()),
        false => Ok(Rows { columns, rows: rows.into() }),
    }
}

/// The records, each with the line that it begins in. Empty lines are no records.
fn records(text: &str, delimiter: char) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut records = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let begun = line;
        let mut record = Vec::new();
        loop {
            let (field, after) = field(rest, line, delimiter)?;
            line += rest[..rest.len() - after.len()].matches('\n').count();
            record.push(field);
            if let Some(after) = after.strip_prefix(delimiter) {
                rest = after;
                continue;
            }
            rest = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n')).unwrap_or(after);
            line += 1;
            break;
        }
        if record != [""] {
            records.push((begun, record));
        }
    }
    Ok(records)
}

/// One field, and what stands behind it: a delimiter, the end of the line, or nothing.
fn field(text: &str, line: usize, delimiter: char) -> Result<(String, &str), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([delimiter, '\n']).unwrap_or(text.len());
        let end = match text[..end].ends_with('\r') && text[end..].starts_with('\n') {
            true => end - 1,
            false => end,
        };
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut rest = quoted;
    loop {
        let Some(quote) = rest.find('"') else {
            return Err(format!("line {line}: the quote of a field is never closed"));
        };
        value.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                value.push('"');
                rest = after;
            }
            None if rest.is_empty() || rest.starts_with([delimiter, '\n']) || rest.starts_with("\r\n") => {
                return Ok((value, rest));
            }
            None => return Err(format!("line {line}: text follows after the closing quote of a field")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_the_rfc_says() {
        let rows = from_csv("name,text\r\nada,\"a, \"\"b\"\"\nc\"\r\n\r\nbob,\n", ',').unwrap();
        assert_eq!(rows.columns, ["name", "text"]);
        assert_eq!(
            rows.rows[..],
            [vec!["ada".to_owned(), "a, \"b\"\nc".to_owned()], vec!["bob".to_owned(), String::new()]]
        );
    }

    #[test]
    fn another_character_may_stand_between_fields() {
        let rows = from_csv("name;price\nada;\"1,5\"\nbob;\";\"\n", ';').unwrap();
        assert_eq!(rows.columns, ["name", "price"]);
        assert_eq!([rows.value(0, "price"), rows.value(1, "price")], [Some("1,5"), Some(";")]);
        assert_eq!(from_csv("a\tb\n1\t2\n", '\t').unwrap().value(0, "b"), Some("2"));
    }

    #[test]
    fn rows_begin_again_when_there_are_more_clients() {
        let rows = from_csv("name\nada\nbob", ',').unwrap();
        let dealt: Vec<_> = (0..5).map(|n| rows.value(n, "name").unwrap()).collect();
        assert_eq!(dealt, ["ada", "bob", "ada", "bob", "ada"]);
        assert_eq!(rows.value(0, "age"), None);
    }

    #[test]
    fn a_file_that_is_no_table_is_told_its_line() {
        for (text, told) in [
            ("", "it is empty"),
            ("name\n", "it has no line after the names of the columns"),
            ("name,age\nada,1\n\nbob\n", "line 4 has 1 fields, and the first line names 2 columns"),
            ("name\n\"ada\nx", "line 2: the quote of a field is never closed"),
            ("name\n\"ada\"x\n", "line 2: text follows after the closing quote of a field"),
            ("name,name\na,b\n", "line 1: the column `name` is there twice"),
            (
                "first name\na\n",
                "line 1: `first name` is not the name of a column: it takes letters, digits and `_`, a letter first",
            ),
        ] {
            assert_eq!(from_csv(text, ',').unwrap_err(), told, "{text:?}");
        }
    }
}
