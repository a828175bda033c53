//! What the configuration says already about this platform and nobody is asked for: how cards are written, what the
//! vendor has granted, another address. A draft that is put in place of `[cloud]` must not lose it.

use super::{Kind, ask::Given, keys};

/// Keys of `[cloud]` that no platform asks for.
const COMMON: [&str; 3] = ["card_format", "timeout_seconds", "allowance"];
/// Where Coworks' facts come from: a folder or a bridge, never both.
const PLACES: [&str; 3] = ["path", "url", "token"];

/// A key with its value as TOML, and whether it stands in `[cloud]` itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) common: bool,
}

/// The keys of a configuration for the same platform that nobody gave now. None where it is for another, or no TOML.
pub(super) fn lines(configuration: &str, kind: Kind, given: &Given) -> Vec<Line> {
    let Ok(whole) = configuration.parse::<toml::Table>() else {
        return Vec::new();
    };
    let Some(cloud) = whole.get("cloud").and_then(toml::Value::as_table) else {
        return Vec::new();
    };
    if cloud.get("kind").and_then(toml::Value::as_str) != Some(kind.word()) {
        return Vec::new();
    }
    let own = cloud.get(kind.word()).and_then(toml::Value::as_table);
    let is_given = |name: &str| given.iter().any(|(key, _)| key.name == name);
    let is_known = |name: &str, common: bool| {
        let known = keys::of(kind).iter();
        (common && COMMON.contains(&name))
            || known.clone().any(|key| key.name == name && key.common == common)
    };
    let another_place = |name: &str| kind == Kind::Coworks && PLACES.contains(&name);
    let tables = [(Some(cloud), true), (own, false)];
    let all = tables.into_iter().flat_map(|(table, common)| {
        table
            .into_iter()
            .flatten()
            .map(move |(name, value)| (name, value, common))
    });
    all.filter(|(name, _, common)| is_known(name, *common) && !is_given(name) && !another_place(name))
        .map(|(name, value, common)| Line {
            name: name.clone(),
            value: value.to_string(),
            common,
        })
        .collect()
}
