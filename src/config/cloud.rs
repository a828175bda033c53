//! `[cloud]`, `[sync]` and `[checkins]`: where the facts come from, and where entries go.

use super::{
    model::{CheckinConfig, CloudConfig, HttpConfig, Reach, SyncConfig},
    platforms::{self, CARD_WORDS, Common},
    reading::{At, Named},
    secrets::{Keeper, plain},
    section::Section,
    values::integer,
};
use crate::domain::{GrantKind, secret::Secret};
use std::{collections::BTreeMap, io::ErrorKind, path::PathBuf, time::Duration};
use toml::de::DeValue;
use url::{Host, Url};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Contract,
    File,
    Cobot,
    Nexudus,
    OfficeRnd,
    Spacebring,
    Coworks,
}

/// The words of `kind`.
const KINDS: [(&str, Kind); 8] = [
    ("none", Kind::None),
    ("contract", Kind::Contract),
    ("file", Kind::File),
    ("cobot", Kind::Cobot),
    ("nexudus", Kind::Nexudus),
    ("officernd", Kind::OfficeRnd),
    ("spacebring", Kind::Spacebring),
    ("coworks", Kind::Coworks),
];

/// Keys of `[cloud]` with the kinds that they mean something to.
const OWNERS: [(&str, &[Kind], &str); 10] = [
    ("url", &[Kind::Contract, Kind::Coworks], "contract"),
    ("token", &[Kind::Contract, Kind::Coworks], "contract"),
    ("path", &[Kind::File, Kind::Coworks], "file"),
    (
        "ca_file",
        &[
            Kind::Contract,
            Kind::Coworks,
            Kind::Cobot,
            Kind::Nexudus,
            Kind::OfficeRnd,
            Kind::Spacebring,
        ],
        "contract",
    ),
    (
        "card_format",
        &[Kind::Cobot, Kind::Nexudus, Kind::OfficeRnd, Kind::Spacebring],
        "cobot",
    ),
    (
        "allowance",
        &[Kind::Cobot, Kind::Nexudus, Kind::OfficeRnd, Kind::Spacebring],
        "cobot",
    ),
    ("cobot", &[Kind::Cobot], "cobot"),
    ("nexudus", &[Kind::Nexudus], "nexudus"),
    ("officernd", &[Kind::OfficeRnd], "officernd"),
    ("spacebring", &[Kind::Spacebring], "spacebring"),
];

/// `[cloud]`.
pub(super) fn cloud(top: &Section<'_>, keeper: &Keeper<'_>) -> CloudConfig {
    let section = top.table_or_default("cloud", "cloud");
    let kind = section.word("kind", &KINDS).map(|kind| kind.value);
    for (name, owners, right) in OWNERS {
        if section.has(name) && kind.is_some_and(|kind| !owners.contains(&kind)) {
            let what = format!("`{name}` means nothing with this kind of cloud");
            section.reading.error(
                &section.span_of(name),
                &section.key(name),
                what,
                format!("leave it out, or set kind = \"{right}\""),
            );
        }
    }
    let reach = Reach {
        ca_file: certificates(&section, keeper, "ca_file"),
        timeout: section.duration("timeout_seconds", 1, 300),
    };
    let cards = section.word("card_format", &CARD_WORDS);
    let common = Common {
        reach: reach.clone(),
        cards: cards.map(|cards| cards.value).unwrap_or_default(),
        allowance: u16::try_from(section.number("allowance", 1, 100).value).unwrap_or(1),
    };
    let config = match kind {
        Some(Kind::Contract) => contract(&section, keeper, reach).map(CloudConfig::Contract),
        Some(Kind::File) => Some(file(&section, keeper)),
        Some(Kind::Coworks) if section.has("url") && section.has("path") => {
            section.reading.error(
                &section.span_of("path"),
                "cloud.path",
                "Coworks is reached either by a bridge or by files",
                "keep `url` with `token`, or `path`",
            );
            None
        }
        Some(Kind::Coworks) if section.has("url") => {
            contract(&section, keeper, reach).map(CloudConfig::Contract)
        }
        Some(Kind::Coworks) => Some(file(&section, keeper)),
        Some(Kind::Cobot) => platforms::cobot(&section, keeper, common),
        Some(Kind::Nexudus) => platforms::nexudus(&section, keeper, common),
        Some(Kind::OfficeRnd) => platforms::officernd(&section, keeper, common),
        Some(Kind::Spacebring) => platforms::spacebring(&section, keeper, common),
        Some(Kind::None) | None => None,
    };
    config.unwrap_or(CloudConfig::None)
}

fn contract(section: &Section<'_>, keeper: &Keeper<'_>, reach: Reach) -> Option<HttpConfig> {
    let url = section.optional_text("url");
    if !section.has("url") {
        section.missing(
            "url",
            "the cloud's base address, \"https://cloud.example.com/doorward\" say",
        );
    }
    if !section.has("token") {
        section.missing(
            "token",
            "write token = { file = \"/etc/doorward/token\" } or { credential = \"token\" }",
        );
    }
    let url = url.and_then(|url| base_address(section, &url));
    let token = keeper.secret(section, "token").map(|token| token.value);
    if let Some(token) = &token {
        check_token(section, "token", token);
    }
    Some(HttpConfig {
        url: url?,
        token: token?,
        reach,
    })
}

/// RFC 6750, 2.1: what a bearer token may consist of. Anything else would break the header.
pub(super) fn check_token(section: &Section<'_>, name: &str, token: &Secret) {
    let fit = |c: char| c.is_ascii_graphic();
    if !token.reveal().chars().all(fit) {
        let what = "the token holds spaces or characters that no token has";
        section.reading.error(
            &section.span_of(name),
            &section.key(name),
            what,
            "the file holds the token alone, without \"Bearer\"",
        );
    }
}

pub(super) fn base_address(section: &Section<'_>, text: &At<String>) -> Option<Url> {
    let wrong = |what: String, hint: &str| section.reading.wrong(text, what, hint);
    let url = match Url::parse(&text.value) {
        Ok(url) => url,
        Err(error) => {
            wrong(format!("this is no address: {error}"), "write \"https://…\"");
            return None;
        }
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url.host().as_ref()) => {}
        "http" => wrong(
            "http would send members' data and the token in clear".into(),
            "write https; http is accepted for this machine only (localhost)",
        ),
        other => wrong(
            format!("the gateway does not speak {other}"),
            "write \"https://…\"",
        ),
    }
    if !url.username().is_empty() || url.password().is_some() {
        wrong(
            "an address does not hold a login".into(),
            "leave it out; `token` identifies the gateway",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        wrong(
            "the base address ends before `?` and `#`".into(),
            "leave out what comes after them",
        );
    }
    Some(url)
}

/// Whether an address can only mean this machine.
pub(super) fn is_loopback(host: Option<&Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => *name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A file that must be there: certificates and the like, no secrets.
pub(super) fn certificates(section: &Section<'_>, keeper: &Keeper<'_>, name: &str) -> Option<PathBuf> {
    let path = section.path(name, keeper.folder)?;
    match std::fs::metadata(&path.value) {
        Ok(about) if about.is_file() => {}
        Ok(_) => section.reading.wrong(
            &path,
            format!("{} is not a file", path.value.display()),
            "write the path of a PEM file",
        ),
        Err(error) => {
            let what = format!("{}: {}", path.value.display(), plain(&error));
            if error.kind() == ErrorKind::PermissionDenied {
                section
                    .reading
                    .warn(&path.span, &path.key, what, "the gateway's user must be able to");
            } else {
                section.reading.wrong(&path, what, "write the path of a PEM file");
            }
        }
    }
    Some(path.value)
}

fn file(section: &Section<'_>, keeper: &Keeper<'_>) -> CloudConfig {
    let path = section.path("path", keeper.folder);
    if !section.has("path") {
        section.missing(
            "path",
            "the TOML file, or the folder of CSV files, that holds the facts",
        );
    }
    let Some(path) = path else {
        return CloudConfig::None;
    };
    if let Err(error) = std::fs::metadata(&path.value) {
        let what = format!("{}: {}", path.value.display(), plain(&error));
        section.reading.warn(
            &path.span,
            &path.key,
            what,
            "until it is there the doors decide from what they have",
        );
    }
    CloudConfig::File { path: path.value }
}

/// `[sync]`.
pub(super) fn sync(top: &Section<'_>) -> SyncConfig {
    let section = top.table_or_default("sync", "sync");
    let ages = section.table_or_default("max_age_days", "sync.max_age_days");
    let warn_before = section.duration("warn_before_days", 0, 365);
    let mut max_age = BTreeMap::new();
    for kind in GrantKind::ALL {
        let age = ages.optional(kind.name(), "a number of days from 1 to 3650, or \"never\"", days);
        if let Some(At {
            value: Some(days), ..
        }) = age
        {
            max_age.insert(kind, Duration::from_secs(days * 86_400));
        }
    }
    SyncConfig {
        poll: section.duration("poll_seconds", 5, 86_400),
        hold_share: section.share("hold_share"),
        max_age,
        warn_before,
    }
}

/// `Some(None)` is "never".
fn days(value: &DeValue<'_>) -> Option<Option<u64>> {
    match value.as_str() {
        Some("never") => Some(None),
        _ => integer(value).filter(|days| (1..=3650).contains(days)).map(Some),
    }
}

/// `[checkins]`.
pub(super) fn checkins(top: &Section<'_>, cloud: &CloudConfig) -> Option<CheckinConfig> {
    let section = top.table("checkins", "checkins")?;
    if matches!(cloud, CloudConfig::None | CloudConfig::File { .. }) && top.reading.complaints() == 0 {
        let what = "[checkins] is set and there is no cloud to tell";
        section.reading.warn(
            &section.span,
            "checkins",
            what,
            "set [cloud] to a platform that takes them, or leave [checkins] out",
        );
    }
    let doors = section.texts("doors");
    for door in &doors {
        section.reading.refer(Named::Door, door);
    }
    Some(CheckinConfig {
        late_after: section.duration("late_after_seconds", 1, 86_400),
        doors: doors.into_iter().map(|door| door.value.into()).collect(),
    })
}
