//! TOML and CSV to items, each with its line.

use super::{
    FileError,
    columns::{COLLECTIONS, Item},
};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};
use toml::de::{DeTable, DeValue};

/// Items by collection.
pub(super) type Tables = BTreeMap<&'static str, Vec<Item>>;

/// `[[people]]`, `[[memberships]]` and so on.
pub(super) fn toml(path: &Path, text: &str, errors: &mut Vec<FileError>) -> Tables {
    let mut tables = Tables::new();
    let line = |offset: usize| text.get(..offset).unwrap_or(text).matches('\n').count() + 1;
    let (root, broken) = DeTable::parse_recoverable(text);
    for error in broken {
        let at = error.span().map_or(1, |span| line(span.start));
        errors.push(FileError::new(path, at, error.message()));
    }
    for (name, value) in root.get_ref() {
        let at = line(name.span().start);
        let Some(collection) = COLLECTIONS.into_iter().find(|known| known == name.get_ref()) else {
            let text = format!(
                "there is no \"{}\"; there are {}",
                name.get_ref(),
                COLLECTIONS.join(", ")
            );
            errors.push(FileError::new(path, at, text));
            continue;
        };
        let Some(items) = value.get_ref().as_array() else {
            errors.push(FileError::new(
                path,
                at,
                format!("write [[{collection}]] for each item"),
            ));
            continue;
        };
        for item in items.iter() {
            let at = line(item.span().start);
            let Some(table) = item.get_ref().as_table() else {
                errors.push(FileError::new(
                    path,
                    at,
                    format!("write [[{collection}]] for each item"),
                ));
                continue;
            };
            let fields = table.iter().map(|(name, value)| {
                (
                    name.get_ref().to_string(),
                    line(name.span().start),
                    plain(value.get_ref()),
                )
            });
            tables.entry(collection).or_default().push(Item {
                line: at,
                fields: fields.collect(),
            });
        }
    }
    tables
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(parts) => parts.iter().map(|part| plain(part.get_ref())).collect(),
        DeValue::Float(_) | DeValue::Table(_) => Value::Null, // no field has these types
    }
}

/// One collection from a table whose first row names the fields.
pub(super) fn csv(path: &Path, text: &str, errors: &mut Vec<FileError>) -> Vec<Item> {
    // Programs that make tables like to begin them with a byte order mark.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            errors.push(FileError::new(
                path,
                1,
                format!("the first row cannot be read: {error}"),
            ));
            return Vec::new();
        }
    };
    let mut items = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                errors.push(FileError::new(
                    path,
                    usize::try_from(line).unwrap_or(0),
                    error.to_string(),
                ));
                continue;
            }
        };
        let line = record.position().map_or(1, csv::Position::line);
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        if record.len() != header.len() {
            let text = format!(
                "there are {} cells, and {} in the first row; put a text with a comma into \"quotes\"",
                record.len(),
                header.len()
            );
            errors.push(FileError::new(path, line, text));
            continue;
        }
        let fields = header
            .iter()
            .zip(record.iter())
            .map(|(name, cell)| (name.trim().to_owned(), line, Value::from(cell)));
        items.push(Item {
            line,
            fields: fields.collect(),
        });
    }
    items
}
