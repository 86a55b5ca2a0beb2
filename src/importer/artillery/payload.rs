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

/// What became of the payload.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// What stands behind `rows`.
    pub(super) rows: Option<Json>,
    /// The names in the script, and those of the columns.
    pub(super) columns: Vec<(String, String)>,
    /// Files that are written beside the scenario.
    pub(super) files: Vec<(String, String)>,
    /// The file that is used as it is: its name, as the scenario says it, and what it holds.
    pub(super) original: Option<(String, Vec<u8>)>,
}

/// Reads what `payload` says: the first file of it.
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
        if payload.rows.is_some() {
            left_out(notes, line, "a second payload file: a group has rows of one file");
            continue;
        }
        match one(entry, how, files) {
            Ok(read) => {
                changed(
                    notes,
                    line,
                    "client n gets row n of the payload, and not a random one; its values are texts",
                );
                payload = read;
            }
            Err(why) => left_out(notes, line, format!("the payload: {why}")),
        }
    }
    payload
}

fn one(entry: &Node, how: &ArtilleryImport<'_>, files: &Files<'_>) -> Result<Payload, String> {
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
    let is_good = |names: &[String]| names.iter().all(|name| well_formed(name, "a column").is_ok());
    let is_even = rows.iter().all(|row| row.len() == header.len());
    let names: Vec<String> = match fields.is_empty() {
        true => header.clone(),
        false => fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    if has_header && is_good(&header) && is_even && names.len() <= header.len() {
        // The file is good as it is.
        let name = format!("{}{path}", how.folder);
        let rows = match delimiter {
            "," => json!(name),
            other => json!({ "file": name, "delimiter": other }),
        };
        let columns = names.into_iter().zip(header).collect();
        return Ok(Payload { rows: Some(rows), columns, original: Some((name, bytes)), files: Vec::new() });
    }
    let columns: Vec<(String, String)> = names
        .iter()
        .enumerate()
        .map(|(index, name)| match well_formed(name, "a column") {
            Ok(()) => (name.clone(), name.clone()),
            Err(_) => (name.clone(), format!("column_{}", index + 1)),
        })
        .collect();
    let value = |row: &[String], index: usize| row.get(index).cloned().unwrap_or_default();
    if rows.len() <= INLINE {
        let written = rows.iter().map(|row| {
            let cells = columns.iter().enumerate();
            Json::Object(
                cells.map(|(index, (_, column))| (column.clone(), json!(value(row, index)))).collect(),
            )
        });
        return Ok(Payload { rows: Some(written.collect()), columns, ..Payload::default() });
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: Vec<String>| writer.write_record(row).map_err(|error| error.to_string());
    write(columns.iter().map(|(_, column)| column.clone()).collect())?;
    for row in &rows {
        write((0..columns.len()).map(|index| value(row, index)).collect())?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| format!("`{path}` is not UTF-8 text"))?;
    let output = if how.output == "-" { "scenario.yaml" } else { how.output };
    let file = format!("{}-rows.csv", super::stem(output));
    Ok(Payload { rows: Some(json!(file)), columns, files: vec![(file, text)], original: None })
}
