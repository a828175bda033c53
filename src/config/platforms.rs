//! `[cloud.cobot]`, `[cloud.nexudus]`, `[cloud.officernd]` and `[cloud.spacebring]`: what each platform needs to be
//! asked. What the keys mean to an installer stands in `config/doorward.toml`.

use super::{
    cloud::{base_address, check_token},
    model::{
        CardText, CloudConfig, CobotConfig, NexudusConfig, OfficeRndConfig, Reach, SpacebringConfig,
        SpacebringLogin,
    },
    reading::At,
    secrets::Keeper,
    section::Section,
    values::integer,
};
use crate::domain::secret::Secret;
use url::Url;

/// What all platforms share.
pub(super) struct Common {
    pub(super) reach: Reach,
    pub(super) cards: CardText,
    pub(super) allowance: u16,
}

/// The words of `card_format`.
impl CardText {
    /// The format of a word of `card_format`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let found = CARD_WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, format)| *format)
    }
}

pub(super) const CARD_WORDS: [(&str, CardText); 8] = [
    ("auto", CardText::Auto),
    ("uid", CardText::Uid),
    ("uid-reversed", CardText::UidReversed),
    ("decimal", CardText::Decimal),
    ("decimal-reversed", CardText::DecimalReversed),
    ("wiegand26", CardText::Wiegand26),
    ("ks", CardText::KsTag),
    ("token", CardText::Token),
];

/// The table of a platform. `None` after a complaint.
fn own<'d>(cloud: &Section<'d>, name: &str, path: &'static str) -> Option<Section<'d>> {
    let table = cloud.table(name, path);
    if table.is_none() && !cloud.has(name) {
        cloud.missing(
            name,
            &format!("add [{path}] with its keys, as config/doorward.toml shows them"),
        );
    }
    table
}

fn secret(section: &Section<'_>, keeper: &Keeper<'_>, name: &str) -> Option<Secret> {
    if !section.has(name) {
        let what = format!("write {name} = {{ file = \"/etc/doorward/…\" }} or {{ credential = \"…\" }}");
        section.missing(name, &what);
    }
    keeper.secret(section, name).map(|secret| secret.value)
}

fn optional_secret(section: &Section<'_>, keeper: &Keeper<'_>, name: &str) -> Option<Secret> {
    keeper.secret(section, name).map(|secret| secret.value)
}

fn address(section: &Section<'_>, name: &str) -> Option<Url> {
    let text = section.optional_text(name)?;
    base_address(section, &text)
}

/// An id that becomes a part of an address or a host.
fn name(section: &Section<'_>, name: &str, what: &str) -> Option<String> {
    let text = section.optional(name, what, super::values::text)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.value.is_empty() || !text.value.chars().all(fits) {
        let At { value, .. } = &text;
        section.reading.wrong(
            &text,
            format!("{value:?} is not {what}"),
            "letters, digits, - and _ only, as it stands in the platform's addresses",
        );
        return None;
    }
    Some(text.value)
}

/// `[cloud.cobot]`.
pub(super) fn cobot(cloud: &Section<'_>, keeper: &Keeper<'_>, common: Common) -> Option<CloudConfig> {
    let section = own(cloud, "cobot", "cloud.cobot")?;
    let subdomain = name(&section, "subdomain", "the space's name in its address");
    let token = secret(&section, keeper, "token");
    if let Some(token) = &token {
        check_token(&section, "token", token);
    }
    let space = name(&section, "space", "the space's id");
    let url = address(&section, "url");
    let site_url = if section.has("site_url") {
        address(&section, "site_url")
    } else {
        let host = subdomain.as_deref().unwrap_or("www");
        Url::parse(&format!("https://{host}.cobot.me")).ok()
    };
    Some(CloudConfig::Cobot(CobotConfig {
        subdomain: subdomain?,
        space,
        token: token?,
        url: url?,
        site_url: site_url?,
        cards: common.cards,
        allowance: common.allowance,
        reach: common.reach,
    }))
}

/// `[cloud.nexudus]`.
pub(super) fn nexudus(cloud: &Section<'_>, keeper: &Keeper<'_>, common: Common) -> Option<CloudConfig> {
    let section = own(cloud, "nexudus", "cloud.nexudus")?;
    let user = section.optional("user", "an e-mail address", super::values::text);
    let password = secret(&section, keeper, "password");
    let business = section.optional("business", "the location's number", integer);
    let url = address(&section, "url");
    let hook_secret = optional_secret(&section, keeper, "hook_secret");
    let acs_token = optional_secret(&section, keeper, "acs_token");
    Some(CloudConfig::Nexudus(NexudusConfig {
        user: user?.value,
        password: password?,
        business: business?.value,
        url: url?,
        hook_secret,
        acs_token,
        groups: Vec::new(), // known once the mapping has been read
        cards: common.cards,
        allowance: common.allowance,
        reach: common.reach,
    }))
}

/// `[cloud.officernd]`.
pub(super) fn officernd(cloud: &Section<'_>, keeper: &Keeper<'_>, common: Common) -> Option<CloudConfig> {
    let section = own(cloud, "officernd", "cloud.officernd")?;
    let organization = name(&section, "organization", "the organization's name in its address");
    let client_id = section.optional("client_id", "the client's id", super::values::text);
    let client_secret = secret(&section, keeper, "client_secret");
    let location = name(&section, "location", "the location's id");
    let card_property = section.text("card_property").value;
    let (url, identity_url) = (address(&section, "url"), address(&section, "identity_url"));
    let hook_secret = optional_secret(&section, keeper, "hook_secret");
    Some(CloudConfig::OfficeRnd(OfficeRndConfig {
        organization: organization?,
        location,
        client_id: client_id?.value,
        client_secret: client_secret?,
        url: url?,
        identity_url: identity_url?,
        card_property,
        hook_secret,
        cards: common.cards,
        allowance: common.allowance,
        reach: common.reach,
    }))
}

/// `[cloud.spacebring]`.
pub(super) fn spacebring(cloud: &Section<'_>, keeper: &Keeper<'_>, common: Common) -> Option<CloudConfig> {
    let section = own(cloud, "spacebring", "cloud.spacebring")?;
    let location = name(&section, "location", "the location's id");
    let client_id = section.optional("client_id", "the client's id", super::values::text);
    let client_secret = secret(&section, keeper, "client_secret");
    let card_key = section.text("card_key").value;
    let url = address(&section, "url");
    let hook_secret = optional_secret(&section, keeper, "hook_secret");
    let refresh_token = optional_secret(&section, keeper, "refresh_token");
    let network = name(&section, "network", "the network's id");
    let (client_id, client_secret) = (client_id?.value, client_secret?);
    let login = match (section.has("refresh_token"), section.has("network")) {
        (false, false) => SpacebringLogin::Basic {
            client_id,
            client_secret,
        },
        (true, true) => SpacebringLogin::OAuth {
            client_id,
            client_secret,
            refresh_token: refresh_token?,
            network: network?,
        },
        (has_token, _) => {
            let absent = if has_token { "network" } else { "refresh_token" };
            section.missing(
                absent,
                "OAuth2 needs both `refresh_token` and `network`; leave both out for HTTP Basic",
            );
            return None;
        }
    };
    Some(CloudConfig::Spacebring(SpacebringConfig {
        location: location?,
        login,
        url: url?,
        card_key,
        hook_secret,
        cards: common.cards,
        allowance: common.allowance,
        reach: common.reach,
    }))
}
