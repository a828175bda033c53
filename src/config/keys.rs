//! Every key that the file may hold, with its default, in one place. Defaults are written as they would stand in
//! the file and go through the same reading as everything else; a test compares them with `config/doorward.toml`.

/// A key, by its path without array indexes: `line.reader.address`. `*` stands for any name.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The dotted path.
    pub path: &'static str,
    /// What holds when it is absent.
    pub absent: Absent,
}

/// What an absent key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// An error.
    Refused,
    /// Nothing is set; the description of the key says what that means.
    Unset,
    /// This value, in TOML.
    Is(&'static str),
}
use Absent::{Is, Refused, Unset};

const fn key(path: &'static str, absent: Absent) -> Key {
    Key { path, absent }
}

/// All of them, in the order of `config/doorward.toml`.
pub const KEYS: &[Key] = &[
    key("holidays", Is("[]")),
    key("site.id", Refused),
    key("site.name", Unset),
    key("site.zone", Refused),
    key("paths.state", Is("\"/var/lib/doorward\"")),
    key("paths.runtime", Is("\"/run/doorward\"")),
    key("paths.vault_key", Unset),
    key("clock.rtc", Is("false")),
    key("clock.untrusted", Is("\"refuse\"")),
    key("journal.max_events", Is("250000")),
    key("cloud.kind", Is("\"none\"")),
    key("cloud.url", Unset),
    key("cloud.token", Unset),
    key("cloud.ca_file", Unset),
    key("cloud.timeout_seconds", Is("10")),
    key("cloud.path", Unset),
    key("cloud.card_format", Is("\"auto\"")),
    key("cloud.allowance", Is("1")),
    key("cloud.cobot.subdomain", Refused),
    key("cloud.cobot.token", Refused),
    key("cloud.cobot.space", Unset),
    key("cloud.cobot.url", Is("\"https://api.cobot.me\"")),
    key("cloud.cobot.site_url", Unset),
    key("cloud.nexudus.user", Refused),
    key("cloud.nexudus.password", Refused),
    key("cloud.nexudus.business", Refused),
    key("cloud.nexudus.url", Is("\"https://spaces.nexudus.com\"")),
    key("cloud.nexudus.hook_secret", Unset),
    key("cloud.nexudus.acs_token", Unset),
    key("cloud.officernd.organization", Refused),
    key("cloud.officernd.client_id", Refused),
    key("cloud.officernd.client_secret", Refused),
    key("cloud.officernd.location", Unset),
    key("cloud.officernd.card_property", Is("\"CardNumber\"")),
    key("cloud.officernd.url", Is("\"https://app.officernd.com\"")),
    key(
        "cloud.officernd.identity_url",
        Is("\"https://identity.officernd.com\""),
    ),
    key("cloud.officernd.hook_secret", Unset),
    key("cloud.spacebring.location", Refused),
    key("cloud.spacebring.client_id", Refused),
    key("cloud.spacebring.client_secret", Refused),
    key("cloud.spacebring.refresh_token", Unset),
    key("cloud.spacebring.network", Unset),
    key("cloud.spacebring.card_key", Is("\"cardNumber\"")),
    key("cloud.spacebring.url", Is("\"https://api.spacebring.com\"")),
    key("cloud.spacebring.hook_secret", Unset),
    key("hooks.listen", Refused),
    key("hooks.path_secret", Refused),
    key("hooks.cert_file", Unset),
    key("hooks.key_file", Unset),
    key("hooks.public_url", Unset),
    key("sync.poll_seconds", Is("60")),
    key("sync.hold_share", Is("0.2")),
    key("sync.warn_before_days", Is("5")),
    key("sync.max_age_days.plan", Is("30")),
    key("sync.max_age_days.assignment", Is("30")),
    key("sync.max_age_days.booking", Is("\"never\"")),
    key("sync.max_age_days.pass", Is("30")),
    key("sync.max_age_days.direct", Is("\"never\"")),
    // What the profile says, in config/profiles/.
    key("rules.profile", Unset),
    key("rules.room_window", Unset),
    key("rules.room_before_minutes", Unset),
    key("rules.room_after_minutes", Unset),
    key("rules.desk_window", Unset),
    key("rules.desk_before_minutes", Unset),
    key("rules.desk_after_minutes", Unset),
    key("rules.public_schedule_for_others", Unset),
    key("rules.grant_invitees", Unset),
    key("rules.grant_desk_invitees", Unset),
    key("rules.grant_external", Unset),
    key("rules.grant_tentative", Unset),
    key("rules.cancel_revokes", Unset),
    key("rules.team_rule", Unset),
    key("rules.restrict_on_exhaustion", Unset),
    key("rules.connect", Unset),
    key("rules.connect_since", Unset),
    key("rules.deactivate_inactive", Unset),
    key("rules.day_starts", Unset),
    key("rules.locations", Unset),
    key("map.plans.*", Unset),
    key("map.resources.*", Unset),
    key("map.floors.*", Unset),
    key("map.locations.*", Unset),
    key("map.passes.*", Unset),
    key("map.groups.*", Unset),
    key("checkins.late_after_seconds", Is("300")),
    key("checkins.doors", Is("[]")),
    key("mqtt.url", Refused),
    key("mqtt.plain", Is("false")),
    key("mqtt.ca_file", Unset),
    key("mqtt.client_cert_file", Unset),
    key("mqtt.client_key_file", Unset),
    key("mqtt.username", Unset),
    key("mqtt.password", Unset),
    key("mqtt.topic", Unset),
    key("mqtt.client_id", Unset),
    key("mqtt.person", Is("\"nothing\"")),
    key("mqtt.late_after_seconds", Is("60")),
    key("mqtt.keep_alive_seconds", Is("30")),
    key("mqtt.ack_timeout_seconds", Is("20")),
    key("ks.client_id", Refused),
    key("ks.client_secret", Refused),
    key("ks.site", Unset),
    key("ks.username", Unset),
    key("ks.password", Unset),
    key("ks.redirect_url", Unset),
    key("ks.identity_url", Is("\"https://identity.eu.my-clay.com\"")),
    key("ks.url", Is("\"https://connect.my-clay.com\"")),
    key(
        "ks.stream_url",
        Is("\"https://eventstreaming-connect-production.saltoks.com\""),
    ),
    key("ks.prefix", Is("\"Doorward \"")),
    key("ks.invite", Is("false")),
    key("ks.role", Is("\"site_user\"")),
    key("ks.hold_share", Is("0.2")),
    key("ks.pinned", Is("[]")),
    key("ks.bookings_ahead_hours", Is("48")),
    key("ks.reconcile_seconds", Is("60")),
    key("ks.office_mode_counts", Is("false")),
    key("ks.tag_reader", Unset),
    key("ks.at_once", Is("8")),
    key("ks.ca_file", Unset),
    key("ks.timeout_seconds", Is("15")),
    key("ks.groups.*", Unset),
    key("page.listen", Refused),
    key("page.cert_file", Unset),
    key("page.key_file", Unset),
    key("page.public_url", Unset),
    key("page.oidc.issuer", Refused),
    key("page.oidc.client_id", Refused),
    key("page.oidc.client_secret", Unset),
    key("page.oidc.scopes", Is("[\"profile\", \"email\"]")),
    key("page.oidc.claim", Is("\"groups\"")),
    key("page.oidc.ca_file", Unset),
    key("page.oidc.roles.*", Unset),
    key("desk.pcsc", Is("true")),
    key("desk.pn532", Is("true")),
    key("desk.reader.kind", Refused),
    key("desk.reader.name", Unset),
    key("desk.reader.path", Unset),
    key("desk.reader.device", Unset),
    key("desk.reader.number", Is("\"hex\"")),
    key("line.id", Refused),
    key("line.path", Refused),
    key("line.kind", Is("\"osdp\"")),
    key("line.baud", Is("9600")),
    key("line.reader.id", Refused),
    key("line.reader.door", Refused),
    key("line.reader.address", Unset),
    key("line.reader.key", Unset),
    key("line.reader.install_mode", Is("false")),
    key("line.reader.card_format", Is("\"auto\"")),
    key("line.reader.frame", Is("\"stx\"")),
    key("line.reader.number", Is("\"rom14\"")),
    key("line.reader.data_bits", Is("8")),
    key("line.reader.parity", Is("\"none\"")),
    key("door.id", Refused),
    key("door.name", Unset),
    key("door.open_for_all", Unset),
    key("door.release.reader", Refused),
    key("door.release.output", Is("0")),
    key("door.release_seconds", Is("5")),
    key("door.contact.reader", Refused),
    key("door.contact.input", Refused),
    key("door.contact.active_low", Is("false")),
    key("door.request_to_exit.reader", Refused),
    key("door.request_to_exit.input", Refused),
    key("door.request_to_exit.active_low", Is("false")),
    key("door.held_after_seconds", Is("60")),
    key("door.ks_lock", Unset),
    key("group.id", Refused),
    key("group.doors", Refused),
    key("group.hours", Unset),
    key("schedule.id", Refused),
    key("schedule.weekdays", Unset),
    key("schedule.weekend", Unset),
    key("schedule.monday", Unset),
    key("schedule.tuesday", Unset),
    key("schedule.wednesday", Unset),
    key("schedule.thursday", Unset),
    key("schedule.friday", Unset),
    key("schedule.saturday", Unset),
    key("schedule.sunday", Unset),
    key("schedule.holiday", Is("[]")),
    // Not a table of its own: what `token`, `password` and `key` hold.
    key("secret.file", Unset),
    key("secret.credential", Unset),
    key("secret.group_readable", Is("false")),
];

/// What holds when the key is absent; a path that is not in the list counts as unset.
pub(super) fn absent(section: &str, name: &str) -> Absent {
    let found = KEYS.iter().find(|key| child(section, key.path) == Some(name));
    found.map_or(Unset, |key| key.absent)
}

/// The names that may stand directly in a section. `""` is the top of the file.
pub(super) fn children(section: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = KEYS
        .iter()
        .filter_map(|key| child(section, key.path))
        .filter_map(|rest| rest.split('.').next())
        .collect();
    if section.is_empty() {
        names.retain(|name| *name != "secret");
    }
    names.dedup();
    names
}

fn child(section: &str, path: &'static str) -> Option<&'static str> {
    if section.is_empty() {
        return Some(path);
    }
    path.strip_prefix(section)?.strip_prefix('.')
}

/// The known word that somebody most likely meant.
pub(super) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&lower, word), word))
        .filter(|(distance, word)| {
            *distance <= word.chars().count().max(3) / 3 || (lower.len() > 3 && word.starts_with(&lower))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_toml_and_every_path_stands_once() {
        let mut seen = std::collections::HashSet::new();
        for key in KEYS {
            assert!(seen.insert(key.path), "{} twice", key.path);
            if let Is(text) = key.absent {
                assert!(toml::de::DeValue::parse(text).is_ok(), "{}: {text}", key.path);
            }
        }
        assert_eq!(absent("line.reader", "card_format"), Is("\"auto\""));
        assert_eq!(absent("", "holidays"), Is("[]"));
        assert_eq!(absent("mqtt", "id"), Unset);
        assert!(children("line").contains(&"reader") && !children("line").contains(&"address"));
    }

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("zoen", children("site")), Some("zone"));
        assert_eq!(nearest("Adress", children("line.reader")), Some("address"));
        assert_eq!(
            nearest("release_second", children("door")),
            Some("release_seconds")
        );
        assert_eq!(nearest("colour", children("door")), None);
    }
}
