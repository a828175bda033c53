//! The fields that each collection has in a file, with their types: for clear errors, and because CSV has no
//! types of its own. docs/facts-file.md describes them.

use super::FileError;
use serde_json::{Map, Value};
use std::path::Path;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Flag,
    Count,
    List,
}

/// A field: name, type, whether it must be there.
pub(super) type Column = (&'static str, Type, bool);

const HOLDER: [Column; 4] = [
    ("person", Type::Text, false),
    ("team", Type::Text, false),
    ("starts", Type::Text, false),
    ("ends", Type::Text, false),
];

/// The collections in the order of the documents.
pub(super) const COLLECTIONS: [&str; 12] = [
    "people",
    "memberships",
    "assignments",
    "resources",
    "bookings",
    "passes",
    "teams",
    "plans",
    "locations",
    "floors",
    "pass_kinds",
    "groups",
];

pub(super) fn of(collection: &str) -> Vec<Column> {
    use Type::{Count, Flag, List, Text};
    let (own, holder): (&[Column], &[Column]) = match collection {
        "people" => (
            &[
                ("id", Text, true),
                ("name", Text, true),
                ("email", Text, false),
                ("team", Text, false),
                ("teams", List, false),
                ("standing", Text, false),
                ("door_access", Text, false),
                ("joined", Text, false),
                ("deactivated", Flag, false),
                ("credentials", List, false),
                ("groups", List, false),
            ],
            &[],
        ),
        "memberships" => (
            &[
                ("id", Text, true),
                ("plan", Text, true),
                ("cancelled", Flag, false),
                ("pass_based", Flag, false),
                ("location", Text, false),
            ],
            &HOLDER,
        ),
        "assignments" => (&[("id", Text, true), ("resource", Text, true)], &HOLDER),
        "resources" => (
            &[
                ("id", Text, true),
                ("name", Text, true),
                ("kind", Text, false),
                ("floor", Text, false),
                ("location", Text, false),
                ("opening", Text, false),
                ("public_opening", Text, false),
            ],
            &[],
        ),
        "bookings" => (
            &[
                ("id", Text, true),
                ("resource", Text, true),
                ("person", Text, false),
                ("invitees", List, false),
                ("from", Text, true),
                ("until", Text, true),
                ("tentative", Flag, false),
            ],
            &[],
        ),
        "passes" => (
            &[
                ("id", Text, true),
                ("kind", Text, true),
                ("left", Count, false),
                ("running_until", Text, false),
                ("hours", Text, false),
                ("location", Text, false),
            ],
            &HOLDER,
        ),
        "teams" => (
            &[("id", Text, true), ("name", Text, true), ("payer", Text, false)],
            &[],
        ),
        "plans" | "locations" | "floors" | "pass_kinds" | "groups" => {
            (&[("id", Text, true), ("name", Text, true)], &[])
        }
        _ => (&[], &[]),
    };
    own.iter().chain(holder).copied().collect()
}

/// One item as the file has it.
pub(super) struct Item {
    /// Where it begins.
    pub(super) line: usize,
    /// Name, line and value of each field.
    pub(super) fields: Vec<(String, usize, Value)>,
}

impl Item {
    /// The item as an object of the right types, or what is wrong with it.
    pub(super) fn object(&self, collection: &str, path: &Path, errors: &mut Vec<FileError>) -> Value {
        let columns = of(collection);
        let mut object = Map::new();
        let mut say = |line: usize, text: String| errors.push(FileError::new(path, line, text));
        for (name, line, value) in &self.fields {
            let Some((_, kind, _)) = columns.iter().find(|(known, ..)| known == name) else {
                let known: Vec<&str> = columns.iter().map(|(known, ..)| *known).collect();
                say(
                    *line,
                    format!("{collection} have no \"{name}\"; they have {}", known.join(", ")),
                );
                continue;
            };
            match typed(*kind, value) {
                Ok(value) => {
                    if object.insert(name.clone(), value).is_some() {
                        say(*line, format!("\"{name}\" stands here twice"));
                    }
                }
                Err(wanted) => say(*line, format!("{name} must be {wanted}")),
            }
        }
        for (name, _, required) in columns {
            let empty = object.get(name).is_none_or(|value| value.as_str() == Some(""));
            if required
                && empty
                && !self
                    .fields
                    .iter()
                    .any(|(given, _, value)| given == name && !is_blank(value))
            {
                say(self.line, format!("\"{name}\" is missing"));
            }
        }
        Value::Object(object)
    }
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The value in its type. A cell of a table is a text: empty means absent, lists are parted by `;`.
fn typed(kind: Type, value: &Value) -> Result<Value, &'static str> {
    match (kind, value) {
        (Type::Text, Value::String(text)) => Ok(text.trim().into()),
        (Type::Text, _) => Err("a text"),
        (Type::Flag, Value::Bool(_)) | (Type::Count, Value::Number(_)) => Ok(value.clone()),
        (Type::Flag, Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true.into()),
            "" | "false" | "no" | "0" => Ok(false.into()),
            _ => Err("yes or no"),
        },
        (Type::Flag, _) => Err("true or false"),
        (Type::Count, Value::String(text)) if text.trim().is_empty() => Ok(Value::Null),
        (Type::Count, Value::String(text)) => match text.trim().parse::<i64>() {
            Ok(number) => Ok(number.into()),
            Err(_) => Err("a whole number, or empty for unlimited"),
        },
        (Type::Count, _) => Err("a whole number"),
        (Type::List, Value::String(text)) => {
            let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
            Ok(parts.map(Value::from).collect())
        }
        (Type::List, Value::Array(parts)) if parts.iter().all(Value::is_string) => Ok(value.clone()),
        (Type::List, _) => Err("a list of texts"),
    }
}
