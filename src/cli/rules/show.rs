//! `doorward rules show`: the rules in force as parameters, each with its rule and where its value comes from; then
//! the mapping.

use crate::{
    cli::{
        Context,
        failure::{Failure, status},
        out::{Cell, Out, Tone, plain},
        rule_words,
    },
    config::{
        model::RulesConfig,
        profile::{Mapping, Parameter, Profile},
    },
};

/// Which rule of `docs/rules.md` each parameter belongs to.
const RULE_OF: [(&str, u8); 19] = [
    ("room_window", 13),
    ("room_before_minutes", 13),
    ("room_after_minutes", 13),
    ("desk_window", 17),
    ("desk_before_minutes", 17),
    ("desk_after_minutes", 17),
    ("public_schedule_for_others", 17),
    ("grant_invitees", 14),
    ("grant_desk_invitees", 14),
    ("grant_external", 12),
    ("grant_tentative", 19),
    ("cancel_revokes", 3),
    ("team_rule", 6),
    ("restrict_on_exhaustion", 22),
    ("connect", 31),
    ("connect_since", 31),
    ("deactivate_inactive", 32),
    ("day_starts", 18),
    ("locations", 36),
];

fn rule_of(key: &str) -> Option<u8> {
    let found = RULE_OF.iter().find(|(name, _)| *name == key);
    found.map(|(_, rule)| *rule)
}

/// A parameter with everything that is told about it.
#[derive(Debug, serde::Serialize)]
struct Shown {
    #[serde(flatten)]
    parameter: Parameter,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<u8>,
    /// What the profile has, where the site says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_value: Option<String>,
    /// What the profile's table says about its own value.
    note: String,
}

/// The parameters in force, in the order of the profiles.
fn parameters(rules: &RulesConfig) -> Vec<Shown> {
    let own = RulesConfig::of(rules.profile).parameters();
    let shown = |parameter: Parameter| {
        let profile = own.iter().find(|it| it.key == parameter.key);
        Shown {
            rule: rule_of(parameter.key),
            profile_value: profile.filter(|_| parameter.set_here).map(|it| it.value.clone()),
            note: note(rules.profile, parameter.key),
            parameter,
        }
    };
    rules.parameters().into_iter().map(shown).collect()
}

/// The comment above a key in the profile's table.
fn note(profile: Profile, key: &str) -> String {
    let mut comment: Vec<&str> = Vec::new();
    for line in profile.text().lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
        } else if line.split('=').next().is_some_and(|name| name.trim() == key) {
            return comment.join(" ");
        } else {
            comment.clear();
        }
    }
    String::new()
}

/// The tables of the mapping with their rules.
fn maps(rules: &RulesConfig) -> [(&'static str, u8, &Mapping); 6] {
    [
        ("plan", 1, &rules.plans),
        ("resource", 12, &rules.resources),
        ("floor", 10, &rules.floors),
        ("location", 10, &rules.locations),
        ("pass", 20, &rules.passes),
        ("group there", 11, &rules.groups),
    ]
}

pub(super) fn run(context: &Context<'_>, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config()?;
    let rules = &config.rules;
    let shown = parameters(rules);
    if out.is_json() {
        out.json(&serde_json::json!({
            "profile": rules.profile.name(), "parameters": shown, "map": {
                "plans": rules.plans, "resources": rules.resources, "floors": rules.floors,
                "locations": rules.locations, "passes": rules.passes, "groups": rules.groups,
            },
        }))?;
        return Ok(status::OK);
    }
    let name = rules.profile.name();
    let heading = format!("The rules, by the profile \"{name}\"");
    let heading = out.paint(Tone::Strong, &heading);
    out.line(&heading)?;
    let rows = shown.iter().map(|it| row(it, name)).collect();
    out.table(
        &[
            "rule",
            "parameter",
            "value",
            "from",
            "what the profile says of its value",
        ],
        rows,
    )?;
    mapping(out, rules)?;
    let mut cited: Vec<u8> = shown.iter().filter_map(|it| it.rule).collect();
    cited.extend(
        maps(rules)
            .iter()
            .filter(|(_, _, map)| !map.is_empty())
            .map(|(_, rule, _)| *rule),
    );
    cited.sort_unstable();
    cited.dedup();
    out.line("")?;
    for rule in cited {
        let line = out.paint(Tone::Faint, &rule_words::cited(rule));
        out.line(&line)?;
    }
    Ok(status::OK)
}

fn row(shown: &Shown, profile: &str) -> Vec<Cell> {
    let from = match &shown.profile_value {
        Some(value) => Cell(format!("the site; {profile} has {value}"), Tone::Watch),
        None if shown.parameter.set_here => Cell("the site".into(), Tone::Watch),
        None => format!("profile {profile}").into(),
    };
    vec![
        shown
            .rule
            .map(|rule| format!("R{rule}"))
            .unwrap_or_default()
            .into(),
        shown.parameter.key.into(),
        shown.parameter.value.clone().into(),
        from,
        shown.note.clone().into(),
    ]
}

fn mapping(out: &mut Out, rules: &RulesConfig) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for (what, rule, map) in maps(rules) {
        for (name, groups) in map {
            let groups: Vec<&str> = groups.iter().map(|group| group.as_str()).collect();
            let groups = match groups.as_slice() {
                [] => Cell("nothing, on purpose".into(), Tone::Faint),
                groups => groups.join(", ").into(),
            };
            rows.push(vec![
                format!("R{rule}").into(),
                what.into(),
                plain(name).into_owned().into(),
                groups,
            ]);
        }
    }
    out.line("")?;
    if rows.is_empty() {
        let line = out.paint(
            Tone::Watch,
            "nothing is mapped, so nothing opens: see [map.plans] and its neighbours",
        );
        return out.line(&line);
    }
    let heading = out.paint(
        Tone::Strong,
        "What opens which groups of doors; what is not here opens nothing (R8)",
    );
    out.line(&heading)?;
    out.table(&["rule", "what", "name or id there", "groups"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_of_every_profile_has_a_rule_and_its_reason() {
        for (name, profile) in Profile::ALL {
            for shown in parameters(&RulesConfig::of(profile)) {
                let key = shown.parameter.key;
                assert!(shown.rule.is_some(), "{key}");
                assert!(!shown.note.is_empty(), "{name}: {key} has no comment");
            }
        }
    }
}
