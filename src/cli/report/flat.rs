//! A section that this version does not know: a line for each value.

use crate::cli::out::{Cell, plain as harmless};
use serde_json::Value;

pub(super) fn rows(value: &Value) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    flatten(&mut rows, "", value);
    if rows.is_empty() {
        rows.push(vec!["  -".into(), "".into()]);
    }
    rows
}

fn flatten(rows: &mut Vec<Vec<Cell>>, path: &str, value: &Value) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(name, value)| flatten(rows, &below(name), value)),
        Value::Array(list) if list.iter().any(|item| item.is_object() || item.is_array()) => {
            for (index, item) in list.iter().enumerate() {
                // An item that has a name is called by it.
                let mut item = item.clone();
                let named = |item: &mut Value, key: &str| item.as_object_mut()?.remove(key);
                let name = named(&mut item, "id").or_else(|| named(&mut item, "name"));
                let name = name.map_or_else(|| (index + 1).to_string(), |name| shown(&name));
                flatten(rows, &below(&name), &item);
            }
        }
        leaf => rows.push(vec![
            format!("  {}", path.replace('_', " ")).into(),
            shown(leaf).into(),
        ]),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => harmless(text).into_owned(),
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
