//! CSV files of a script into rows of a scenario.
//!
//! Artillery names the columns in the script and takes the first line of the file for data; a scenario takes the names from the
//! first line. So a file without that line is written anew, with it.

use serde_json::{Value as Json, json};

use super::{ArtilleryImport, Files, changed, entries, get, left_out};
use crate::document::Node;
use crate::importer::Note;
use crate::template::well_formed;

/// So many rows are written into the scenario; more of them into a file beside it.
const INLINE: usize = 20;

/// The most rows of a file beside the first, which stand in the scenario.
const MOST_ROWS: usize = 1_000;

/// A payload beside the first, of which each client takes a row.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The variable that holds the row of a client.
    pub(super) name: String,
    /// The names in the script, and those of the columns.
    pub(super) columns: Vec<(String, String)>,
    pub(super) rows: Vec<Json>,
    pub(super) line: u32,
    /// Whether Artillery draws the row of each user.
    pub(super) by_chance: bool,
    pub(super) is_used: bool,
}

/// What became of the payload.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// What stands behind `rows`.
    pub(super) rows: Option<Json>,
    /// The names in the script, and those of the columns.
    pub(super) columns: Vec<(String, String)>,
    /// The files beside the first one.
    pub(super) tables: Vec<Table>,
    /// Files that are written beside the scenario.
    pub(super) files: Vec<(String, String)>,
    /// The file that is used as it is: its name, as the scenario says it, and what it holds.
    pub(super) original: Option<(String, Vec<u8>)>,
}

/// Reads what `payload` says. A group has rows of one file, the first; of the others each client has a variable.
pub(super) fn read(
    node: Option<&Node>,
    how: &ArtilleryImport<'_>,
    files: &Files<'_>,
    notes: &mut Vec<Note>,
) -> Payload {
    let mut payload = Payload::default();
    for entry in node.map(Node::items).unwrap_or_default() {
        let line = entry.span.line;
        for (key, _, line) in entries(entry) {
            if !["path", "fields", "order", "skipHeader", "delimiter", "cast", "skipEmptyLines", "name"]
                .contains(&key)
            {
                left_out(notes, line, format!("`{key}` of the payload"));
            }
        }
        let by_chance =
            get(entry, "order").and_then(|node| node.text().ok()).is_none_or(|order| order != "sequence");
        let csv = match Csv::read(entry, files) {
            Ok(csv) => csv,
            Err(why) => {
                left_out(notes, line, format!("the payload: {why}"));
                continue;
            }
        };
        if payload.rows.is_none() {
            let told = match by_chance {
                true => "client n gets row n of the payload, and not a random one; its values are texts",
                false => "the values of the payload are texts",
            };
            match csv.into_rows(how) {
                Ok(read) => {
                    changed(notes, line, told);
                    payload = Payload { tables: payload.tables, ..read };
                }
                Err(why) => left_out(notes, line, format!("the payload: {why}")),
            }
        } else if csv.rows.len() > MOST_ROWS {
            let what = format!("a payload beside the first with more than {MOST_ROWS} rows");
            left_out(notes, line, what);
        } else {
            changed(notes, line, "the values of the payload are texts");
            payload.tables.push(Table {
                name: format!("payload_{}", payload.tables.len() + 2),
                columns: csv.columns(),
                rows: csv.as_maps(),
                line,
                by_chance,
                is_used: false,
            });
        }
    }
    payload
}

/// A CSV file as a script describes it.
struct Csv<'c> {
    path: &'c str,
    delimiter: &'c str,
    bytes: Vec<u8>,
    /// The first line, where it has the names of the columns.
    header: Vec<String>,
    /// How the script calls the columns.
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl<'c> Csv<'c> {
    fn read(entry: &'c Node, files: &Files<'_>) -> Result<Csv<'c>, String> {
        let text = |name: &str| get(entry, name).and_then(|node| node.text().ok());
        let path = text("path").ok_or("it names no file by `path`")?;
        let delimiter = text("delimiter").unwrap_or(",");
        let fields: Vec<&str> = get(entry, "fields")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .map(|node| node.text().map_err(|mistake| mistake.message))
            .collect::<Result<_, _>>()?;
        let has_header =
            get(entry, "skipHeader").is_some_and(|node| node.bool() == Ok(true)) || fields.is_empty();
        let bytes = files(path).map_err(|why| format!("cannot read `{path}`: {why}"))?;
        let [separator] = delimiter.as_bytes() else {
            return Err("its delimiter is not one character".to_owned());
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(*separator)
            .from_reader(bytes.as_slice());
        let mut rows: Vec<Vec<String>> = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|error| format!("`{path}`: {error}"))?;
            rows.push(row.iter().map(str::to_owned).collect());
        }
        let header = match (has_header, rows.is_empty()) {
            (_, true) => return Err(format!("`{path}` is empty")),
            (true, false) => rows.remove(0),
            (false, false) => Vec::new(),
        };
        if rows.is_empty() {
            return Err(format!("`{path}` has no row beside its first line"));
        }
        let names = match fields.is_empty() {
            true => header.clone(),
            false => fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        Ok(Csv { path, delimiter, bytes, header, names, rows })
    }

    /// The names in the script, and those that the columns get.
    fn columns(&self) -> Vec<(String, String)> {
        let column = |(index, name): (usize, &String)| match well_formed(name, "a column") {
            Ok(()) => (name.clone(), name.clone()),
            Err(_) => (name.clone(), format!("column_{}", index + 1)),
        };
        self.names.iter().enumerate().map(column).collect()
    }

    /// The cells of each row, as many as there are columns.
    fn cells(&self) -> impl Iterator<Item = Vec<String>> {
        let many = self.names.len();
        self.rows
            .iter()
            .map(move |row| (0..many).map(|at| row.get(at).cloned().unwrap_or_default()).collect())
    }

    fn as_maps(&self) -> Vec<Json> {
        let columns = self.columns();
        let map = |cells: Vec<String>| {
            let cells = columns.iter().zip(cells).map(|((_, column), cell)| (column.clone(), json!(cell)));
            Json::Object(cells.collect())
        };
        self.cells().map(map).collect()
    }

    /// As the rows of a group.
    fn into_rows(self, how: &ArtilleryImport<'_>) -> Result<Payload, String> {
        let Csv { path, delimiter, .. } = self;
        let is_good = self.header.iter().all(|name| well_formed(name, "a column").is_ok());
        let is_even = self.rows.iter().all(|row| row.len() == self.header.len());
        if !self.header.is_empty() && is_good && is_even && self.names.len() <= self.header.len() {
            // The file is good as it is.
            let name = format!("{}{path}", how.folder);
            let rows = match delimiter {
                "," => json!(name),
                other => json!({ "file": name, "delimiter": other }),
            };
            let columns = self.names.into_iter().zip(self.header).collect();
            let original = Some((name, self.bytes));
            return Ok(Payload { rows: Some(rows), columns, original, ..Payload::default() });
        }
        let columns = self.columns();
        if self.rows.len() <= INLINE {
            return Ok(Payload { rows: Some(self.as_maps().into()), columns, ..Payload::default() });
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |row: Vec<String>| writer.write_record(row).map_err(|error| error.to_string());
        write(columns.iter().map(|(_, column)| column.clone()).collect())?;
        for row in self.cells() {
            write(row)?;
        }
        let bytes = writer.into_inner().map_err(|error| error.to_string())?;
        let text = String::from_utf8(bytes).map_err(|_| format!("`{path}` is not UTF-8 text"))?;
        let output = if how.output == "-" { "scenario.yaml" } else { how.output };
        let file = format!("{}-rows.csv", super::stem(output));
        Ok(Payload { rows: Some(json!(file)), columns, files: vec![(file, text)], ..Payload::default() })
    }
}
