//! `[rules]` and `[map]`: how facts become grants.

use super::{
    model::RulesConfig,
    reading::{At, Named},
    section::Section,
    values::{kind, text, texts},
};
use crate::domain::GroupId;
use std::collections::BTreeMap;

/// Both tables.
pub(super) fn rules(top: &Section<'_>) -> RulesConfig {
    let rules = top.table_or_default("rules", "rules");
    let map = top.table("map", "map");
    let side = |name: &str, path: &'static str| {
        let table = map.as_ref().and_then(|map| map.table(name, path));
        table.map(|table| mapping(&table)).unwrap_or_default()
    };
    RulesConfig {
        room_before: rules.duration("room_before_minutes", 0, 1440),
        room_after: rules.duration("room_after_minutes", 0, 1440),
        grant_invitees: rules.flag("grant_invitees").value,
        grant_tentative: rules.flag("grant_tentative").value,
        cancel_revokes: rules.flag("cancel_revokes").value,
        restrict_on_exhaustion: rules.flag("restrict_on_exhaustion").value,
        plans: side("plans", "map.plans"),
        resources: side("resources", "map.resources"),
        floors: side("floors", "map.floors"),
        locations: side("locations", "map.locations"),
        passes: side("passes", "map.passes"),
        groups: side("groups", "map.groups"),
    }
}

/// `"Name there" = ["group", …]`, or `= "group"`.
fn mapping(section: &Section<'_>) -> BTreeMap<String, Vec<GroupId>> {
    let mut map = BTreeMap::new();
    for (name, value) in section.free_entries() {
        let key = section.key(name);
        let one = || {
            let value = At {
                value: text(value.get_ref())?,
                span: value.span(),
                key: key.clone(),
            };
            Some(vec![value])
        };
        let Some(groups) = texts(value.get_ref(), &key).or_else(one) else {
            let what = format!("`{}` must be a list of groups", name.escape_debug());
            section.reading.error(
                &value.span(),
                &key,
                what,
                format!("it holds {}; write [\"group\"]", kind(value.get_ref())),
            );
            continue;
        };
        for group in &groups {
            section.reading.refer(Named::Group, group);
        }
        map.insert(
            name.to_owned(),
            groups.into_iter().map(|group| group.value.into()).collect(),
        );
    }
    map
}
