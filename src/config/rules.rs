//! `[rules]` and `[map]`: how facts become grants.

use super::{
    error::ConfigError,
    profile::{BookingWindow, Connect, Mapping, Profile, RulesConfig, TeamRule},
    reading::{At, Named, Reading},
    schedule::minute,
    section::Section,
    values::{kind, text, texts},
};
use std::time::Duration;
use toml::de::DeTable;

/// The words of `desk_window`. Rooms know all but the schedule.
pub(super) const DESK_WINDOWS: [(&str, BookingWindow); 3] = [
    ("booking", BookingWindow::Booking),
    ("schedule", BookingWindow::Schedule),
    ("whole_day", BookingWindow::WholeDay),
];
const ROOM_WINDOWS: [(&str, BookingWindow); 2] = [
    ("booking", BookingWindow::Booking),
    ("whole_day", BookingWindow::WholeDay),
];
/// The words of `team_rule`.
pub(super) const TEAM_RULES: [(&str, TeamRule); 3] = [
    ("no_member", TeamRule::NoMember),
    ("payer_contract", TeamRule::PayerContract),
    ("company_subscription", TeamRule::CompanySubscription),
];
/// The words of `connect`.
pub(super) const CONNECTS: [(&str, Connect); 3] = [
    ("all", Connect::All),
    ("new_only", Connect::NewOnly),
    ("chosen", Connect::Chosen),
];

/// The word of a meaning, in quotes.
pub(super) fn word<T: Copy + PartialEq>(words: &[(&str, T)], meaning: T) -> String {
    let found = words.iter().find(|(_, one)| *one == meaning);
    format!("\"{}\"", found.map_or("", |(word, _)| word))
}

/// Both tables.
pub(super) fn rules(top: &Section<'_>) -> RulesConfig {
    let section = top.table_or_default("rules", "rules");
    let by_cloud = top.peek("cloud", "kind").map(Profile::of_cloud);
    let profile = section
        .word("profile", &Profile::ALL)
        .map(|profile| profile.value);
    let profile = profile.or(by_cloud).unwrap_or_default();
    let mut rules = parameters(&section, &RulesConfig::of(profile));
    rules.profile = profile;
    check_connect(&section, &rules);
    let map = top.table("map", "map");
    let side = |name: &str, path: &'static str| {
        let table = map.as_ref().and_then(|map| map.table(name, path));
        table.map(|table| mapping(&table)).unwrap_or_default()
    };
    RulesConfig {
        plans: side("plans", "map.plans"),
        resources: side("resources", "map.resources"),
        floors: side("floors", "map.floors"),
        locations: side("locations", "map.locations"),
        passes: side("passes", "map.passes"),
        groups: side("groups", "map.groups"),
        ..rules
    }
}

/// A profile's own table, and what is wrong with it: nothing, as a test shows.
pub(super) fn read_profile(profile: Profile) -> (RulesConfig, Vec<ConfigError>) {
    let reading = Reading::default();
    let (table, _) = DeTable::parse_recoverable(profile.text());
    let top = Section::top(&reading, table.get_ref());
    let section = top.table_or_default("rules", "rules");
    let mut rules = parameters(&section, &RulesConfig::default());
    rules.profile = profile;
    rules.set_here.clear();
    let (errors, _) = reading.finish(profile.text());
    (rules, errors)
}

/// The parameters of a table. What it does not set is as in `base`.
fn parameters(section: &Section<'_>, base: &RulesConfig) -> RulesConfig {
    let set = Layer { section };
    let windows = |name, words: &[(&str, BookingWindow)], base| set.word(name, words, base);
    let mut rules = RulesConfig {
        room_window: windows("room_window", &ROOM_WINDOWS, base.room_window),
        room_before: set.minutes("room_before_minutes", base.room_before),
        room_after: set.minutes("room_after_minutes", base.room_after),
        desk_window: windows("desk_window", &DESK_WINDOWS, base.desk_window),
        desk_before: set.minutes("desk_before_minutes", base.desk_before),
        desk_after: set.minutes("desk_after_minutes", base.desk_after),
        public_schedule_for_others: set.flag("public_schedule_for_others", base.public_schedule_for_others),
        grant_invitees: set.flag("grant_invitees", base.grant_invitees),
        grant_desk_invitees: set.flag("grant_desk_invitees", base.grant_desk_invitees),
        grant_external: set.flag("grant_external", base.grant_external),
        grant_tentative: set.flag("grant_tentative", base.grant_tentative),
        cancel_revokes: set.flag("cancel_revokes", base.cancel_revokes),
        team_rule: set.word("team_rule", &TEAM_RULES, base.team_rule),
        restrict_on_exhaustion: set.flag("restrict_on_exhaustion", base.restrict_on_exhaustion),
        connect: set.word("connect", &CONNECTS, base.connect),
        connect_since: section
            .optional("connect_since", "a day as \"2026-05-01\"", |value| {
                value.as_str()?.parse().ok()
            })
            .map(|since| since.value),
        deactivate_inactive: set.flag("deactivate_inactive", base.deactivate_inactive),
        day_starts: set.day_starts(base.day_starts),
        only_locations: base.only_locations.clone(),
        ..RulesConfig::default()
    };
    if section.has("locations") {
        let named = section.texts("locations");
        rules.only_locations = named.into_iter().map(|name| name.value).collect();
    }
    let all = RulesConfig::default().parameters();
    rules.set_here = all
        .iter()
        .map(|it| it.key)
        .filter(|key| section.has(key))
        .collect();
    if section.has("connect_since") {
        rules.set_here.push("connect_since");
    }
    rules
}

/// New members are those since a day: the two keys go together (R31).
fn check_connect(section: &Section<'_>, rules: &RulesConfig) {
    let new_only = rules.connect == Connect::NewOnly;
    if new_only && !section.has("connect_since") {
        section.missing(
            "connect_since",
            "connect = \"new_only\" needs the day from which members are new: connect_since = \"2026-05-01\"",
        );
    }
    if !new_only && section.has("connect_since") {
        section.reading.error(
            &section.span_of("connect_since"),
            &section.key("connect_since"),
            "`connect_since` means nothing with this `connect`",
            "leave it out, or set connect = \"new_only\"",
        );
    }
}

/// Keys of a table that go over those of a base.
struct Layer<'a, 'd> {
    section: &'a Section<'d>,
}

impl Layer<'_, '_> {
    fn flag(&self, name: &str, base: bool) -> bool {
        let set = self
            .section
            .optional(name, "true or false", |value| value.as_bool());
        set.map_or(base, |set| set.value)
    }

    fn minutes(&self, name: &str, base: Duration) -> Duration {
        let set = self.section.optional_number(name, 0, 1440);
        set.map_or(base, |set| Duration::from_secs(set.value * 60))
    }

    fn word<T: Copy>(&self, name: &str, words: &[(&str, T)], base: T) -> T {
        self.section.word(name, words).map_or(base, |set| set.value)
    }

    fn day_starts(&self, base: u16) -> u16 {
        let time = |value: &toml::de::DeValue<'_>| minute(value.as_str()?).ok().filter(|at| *at < 1440);
        let set = self.section.optional("day_starts", "a time as \"04:00\"", time);
        set.map_or(base, |set| set.value)
    }
}

/// `"Name there" = ["group", …]`, or `= "group"`.
fn mapping(section: &Section<'_>) -> Mapping {
    let mut map = Mapping::new();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::KEYS;

    /// What a site sets and no profile does.
    const OF_THE_SITE: [&str; 2] = ["profile", "connect_since"];

    #[test]
    fn every_profile_has_every_parameter_and_no_mistake() {
        for (name, profile) in Profile::ALL {
            let (rules, errors) = read_profile(profile);
            assert!(errors.is_empty(), "{name}: {errors:#?}");
            let (table, mistakes) = DeTable::parse_recoverable(profile.text());
            assert!(mistakes.is_empty(), "{name}");
            let table = table
                .get_ref()
                .get("rules")
                .unwrap()
                .get_ref()
                .as_table()
                .unwrap();
            for key in KEYS.iter().filter_map(|key| key.path.strip_prefix("rules.")) {
                let expected = !OF_THE_SITE.contains(&key);
                assert_eq!(table.contains_key(key), expected, "{name}: {key}");
            }
            let shown: Vec<&str> = rules.parameters().iter().map(|it| it.key).collect();
            assert_eq!(
                shown.len() + OF_THE_SITE.len(),
                KEYS.iter().filter(|key| key.path.starts_with("rules.")).count()
            );
            assert!(rules.set_here.is_empty() && rules.profile == profile);
        }
    }

    #[test]
    fn every_value_of_a_profile_says_where_it_comes_from() {
        for (name, profile) in Profile::ALL {
            let mut comment = String::new();
            for line in profile
                .text()
                .lines()
                .skip_while(|line| *line != "[rules]")
                .skip(1)
            {
                if line.starts_with('#') {
                    comment += line;
                    continue;
                }
                let marked = ["[S]", "[D]", "[I]"].iter().any(|mark| comment.contains(mark));
                assert!(marked, "{name}: {line}");
                comment.clear();
            }
        }
    }

    #[test]
    fn what_the_parameters_show_reads_back_as_the_same() {
        for (_, profile) in Profile::ALL {
            let rules = RulesConfig::of(profile);
            let lines: Vec<String> = rules
                .parameters()
                .iter()
                .map(|it| format!("{} = {}", it.key, it.value))
                .collect();
            let text = lines.join("\n");
            let reading = Reading::default();
            let (table, _) = DeTable::parse_recoverable(&text);
            let section = Section::new(&reading, "rules", Some(table.get_ref()), 0..0);
            let again = parameters(&section, &RulesConfig::default());
            assert_eq!(again.parameters().iter().filter(|it| !it.set_here).count(), 0);
            assert_eq!(
                RulesConfig {
                    set_here: vec![],
                    profile,
                    ..again
                },
                rules
            );
        }
    }
}
