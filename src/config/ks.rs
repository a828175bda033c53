//! `[ks]`: SALTO KS, for the doors that it decides itself; and which of the doors those are.

use super::{
    cloud::{base_address, certificates},
    model::{DoorConfig, KsConfig, KsLogin, Reach},
    reading::Named,
    secrets::Keeper,
    section::Section,
};
use crate::domain::{DoorId, GroupId};
use std::collections::BTreeMap;
use url::Url;

/// `[ks]`, if the file has it.
pub(super) fn ks(top: &Section<'_>, keeper: &Keeper<'_>) -> Option<KsConfig> {
    let section = top.table("ks", "ks")?;
    let client_id = section.optional("client_id", "the client's id", super::values::text);
    let client_secret = secret(&section, keeper, "client_secret");
    let login = login(&section, keeper);
    let (identity_url, url, stream_url) = (
        address(&section, "identity_url"),
        address(&section, "url"),
        address(&section, "stream_url"),
    );
    let prefix = section.text("prefix");
    if prefix.value.trim().is_empty() {
        section.reading.wrong(
            &prefix,
            "without a prefix nobody can tell the gateway's groups from the others",
            "write a short one that no other group at KS begins with, \"Doorward \" say",
        );
    }
    Some(KsConfig {
        site: section.optional_text("site").map(|site| site.value),
        client_id: client_id?.value,
        client_secret: client_secret?,
        login: login?,
        identity_url: identity_url?,
        url: url?,
        stream_url: stream_url?,
        prefix: prefix.value,
        groups: groups(&section),
        invite: section.flag("invite").value,
        role: section.text("role").value,
        hold_share: section.share("hold_share"),
        pinned: texts(&section, "pinned"),
        bookings_ahead: section.duration("bookings_ahead_hours", 1, 31 * 24),
        reconcile: section.duration("reconcile_seconds", 10, 86_400),
        office_mode_counts: section.flag("office_mode_counts").value,
        tag_reader: section.optional_text("tag_reader").map(|lock| lock.value),
        at_once: usize::from(section.byte("at_once", 32).value.max(1)),
        reach: Reach {
            ca_file: certificates(&section, keeper, "ca_file"),
            timeout: section.duration("timeout_seconds", 1, 300),
        },
    })
}

/// A KS lock beside a door only means something with `[ks]`.
pub(super) fn check(top: &Section<'_>, doors: &[Section<'_>], configs: &[&DoorConfig]) {
    let mut owners: BTreeMap<&str, &DoorId> = BTreeMap::new();
    for (section, config) in doors.iter().zip(configs) {
        let Some(lock) = &config.ks_lock else { continue };
        let complain = |what: String, hint: &str| {
            section
                .reading
                .error(&section.span_of("ks_lock"), "door.ks_lock", what, hint)
        };
        if !top.has("ks") {
            complain(
                "the door is decided by SALTO KS, and there is no [ks]".into(),
                "add the table [ks], or leave ks_lock out",
            );
        }
        if config.release.is_some() {
            complain(
                "a door is decided by SALTO KS or released by an output here, not both".into(),
                "leave out `release`, or `ks_lock`",
            );
        }
        if let Some(other) = owners.insert(lock, &config.id) {
            complain(
                format!("this lock is the one of door {other} already"),
                "each KS lock is one door",
            );
        }
    }
}

fn login(section: &Section<'_>, keeper: &Keeper<'_>) -> Option<KsLogin> {
    match (section.has("username"), section.has("password")) {
        (false, false) => Some(KsLogin::Code {
            redirect_url: section
                .optional_text("redirect_url")
                .and_then(|text| base_address(section, &text)),
        }),
        (true, true) => Some(KsLogin::Password {
            username: section.text("username").value,
            password: secret(section, keeper, "password")?,
        }),
        (has_name, _) => {
            let absent = if has_name { "password" } else { "username" };
            section.missing(
                absent,
                "a system user needs `username` and `password`; leave both out to log in at SALTO",
            );
            None
        }
    }
}

fn groups(section: &Section<'_>) -> BTreeMap<GroupId, String> {
    let mut groups = BTreeMap::new();
    let Some(table) = section.table("groups", "ks.groups") else {
        return groups;
    };
    for (id, value) in table.free_entries() {
        let at = super::reading::At {
            value: id.to_owned(),
            span: value.span(),
            key: format!("ks.groups.{id}"),
        };
        table.reading.refer(Named::Group, &at);
        match super::values::text(value.get_ref()) {
            Some(name) if !name.trim().is_empty() => {
                groups.insert(id.into(), name);
            }
            _ => table
                .reading
                .wrong(&at, "this is no name", "write the group's name at KS, in quotes"),
        }
    }
    groups
}

fn texts(section: &Section<'_>, name: &str) -> Vec<String> {
    section.texts(name).into_iter().map(|at| at.value).collect()
}

fn address(section: &Section<'_>, name: &str) -> Option<Url> {
    base_address(section, &section.text(name))
}

fn secret(section: &Section<'_>, keeper: &Keeper<'_>, name: &str) -> Option<crate::domain::secret::Secret> {
    if !section.has(name) {
        section.missing(
            name,
            &format!(
                "write {name} = {{ file = \"/etc/doorward/ks-{name}\" }} or {{ credential = \"ks-{name}\" }}"
            ),
        );
    }
    keeper.secret(section, name).map(|secret| secret.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Purpose};

    fn read(more: &str) -> Result<crate::config::Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "s3cret").unwrap();
        std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let text = more.replace("SECRET", &format!("{{ file = \"{}\" }}", secret.display()));
        let head = "[site]\nid = \"here\"\nzone = \"Europe/Madrid\"\n";
        let path = dir.path().join("doorward.toml");
        std::fs::write(&path, format!("{head}{text}")).unwrap();
        let (config, findings) = crate::config::read(&path, Purpose::Run, &Environment::default());
        config.ok_or_else(|| findings.to_string())
    }

    #[test]
    fn a_system_user_or_a_login_and_a_group_of_another_name() {
        let base = "[ks]\nclient_id = \"c\"\nclient_secret = SECRET\n";
        let door = "[[door]]\nid = \"front\"\nks_lock = \"Front door\"\n[[group]]\nid = \"members\"\ndoors = [\"front\"]\n";
        let config = read(&format!("{base}[ks.groups]\nmembers = \"Members 24/7\"\n{door}")).unwrap();
        let ks = config.ks.unwrap();
        assert_eq!(ks.login, KsLogin::Code { redirect_url: None });
        assert_eq!(ks.groups.get(&GroupId::from("members")).unwrap(), "Members 24/7");
        assert_eq!(
            (ks.prefix.as_str(), ks.bookings_ahead.as_secs()),
            ("Doorward ", 48 * 3_600)
        );
        assert_eq!(config.doors[0].ks_lock.as_deref(), Some("Front door"));
        let config = read(&format!("{base}username = \"u\"\npassword = SECRET\n")).unwrap();
        assert!(matches!(config.ks.unwrap().login, KsLogin::Password { username, .. } if username == "u"));
        let refused = read(&format!("{base}username = \"u\"\n")).unwrap_err();
        assert!(refused.contains("password"), "{refused}");
    }

    #[test]
    fn a_door_of_ks_is_not_ours_as_well_and_one_lock_is_one_door() {
        let refused = read("[[door]]\nid = \"front\"\nks_lock = \"Front\"\n").unwrap_err();
        assert!(refused.contains("there is no [ks]"), "{refused}");
        let base = "[ks]\nclient_id = \"c\"\nclient_secret = SECRET\n";
        let twice = "[[door]]\nid = \"a\"\nks_lock = \"Front\"\n[[door]]\nid = \"b\"\nks_lock = \"Front\"\n";
        let refused = read(&format!("{base}{twice}")).unwrap_err();
        assert!(refused.contains("door a already"), "{refused}");
    }
}
