//! What each platform asks for: the keys of `[cloud]` and of its own table, as `config/doorward.toml` explains them.

use super::Kind;

/// How a value is given and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// A secret: asked for without showing it, kept in a file of its own.
    Secret,
    /// A path.
    Path,
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// Its name in the configuration.
    pub(super) name: &'static str,
    /// What an installer is asked for.
    pub(super) asks: &'static str,
    /// How it is given.
    pub(super) form: Form,
    /// Nothing works without it. What is not needed is not asked for, only taken from flags.
    pub(super) needed: bool,
    /// It stands in `[cloud]` itself and not in the platform's own table.
    pub(super) common: bool,
}

const fn text(name: &'static str, asks: &'static str) -> Key {
    Key {
        name,
        asks,
        form: Form::Text,
        needed: true,
        common: false,
    }
}

const fn secret(name: &'static str, asks: &'static str) -> Key {
    Key {
        form: Form::Secret,
        ..text(name, asks)
    }
}

const fn optional(key: Key) -> Key {
    Key { needed: false, ..key }
}

const fn common(key: Key) -> Key {
    Key { common: true, ..key }
}

const fn path(name: &'static str, asks: &'static str) -> Key {
    Key {
        form: Form::Path,
        ..common(text(name, asks))
    }
}

const URL: Key = optional(text("url", "another address of the interface"));
const CA: Key = optional(path("ca_file", "PEM file of further authorities to trust"));
const CARDS: Key = common(optional(text(
    "card_format",
    "how card numbers are written there",
)));
const HOOKS: Key = optional(secret("hook_secret", "the secret that signs web hooks"));

const COBOT: [Key; 7] = [
    text("subdomain", "the space's name in its address (NAME.cobot.me)"),
    secret("token", "an access token that belongs to the space"),
    optional(text("space", "the space's id")),
    URL,
    optional(text("site_url", "another address of the older interface")),
    CARDS,
    CA,
];
const NEXUDUS: [Key; 8] = [
    text("user", "the e-mail address of the gateway's own user"),
    secret("password", "its password"),
    Key {
        form: Form::Number,
        ..text("business", "the location's number")
    },
    URL,
    HOOKS,
    optional(secret("acs_token", "the token of Custom ACS")),
    CARDS,
    CA,
];
const OFFICERND: [Key; 10] = [
    text("organization", "the organization's name in its address"),
    text("client_id", "the id of the gateway's client"),
    secret("client_secret", "the client's secret"),
    optional(text("location", "the location's id")),
    optional(text(
        "card_property",
        "the custom property that holds card numbers",
    )),
    URL,
    optional(text("identity_url", "another address for tokens")),
    HOOKS,
    CARDS,
    CA,
];
const SPACEBRING: [Key; 10] = [
    text("location", "the location's id"),
    text("client_id", "the id of the gateway's client"),
    secret("client_secret", "the client's secret"),
    optional(secret("refresh_token", "the refresh token, for OAuth2")),
    optional(text("network", "the network's id, for OAuth2")),
    optional(text(
        "card_key",
        "the key of the metadata that holds card numbers",
    )),
    URL,
    HOOKS,
    CARDS,
    CA,
];
const CONTRACT: [Key; 3] = [
    common(text("url", "the cloud's base address, https://…")),
    common(secret("token", "the bearer token")),
    CA,
];
const FILE: [Key; 1] = [path("path", "the TOML file or the folder of CSV files")];
const BRIDGE: [Key; 4] = [
    path("path", "the folder that staff export into"),
    common(optional(text("url", "the bridge's base address, https://…"))),
    common(optional(secret("token", "the bridge's bearer token"))),
    CA,
];

/// The keys of a platform, needed ones first.
pub(super) const fn of(kind: Kind) -> &'static [Key] {
    match kind {
        Kind::Cobot => &COBOT,
        Kind::Nexudus => &NEXUDUS,
        Kind::Officernd => &OFFICERND,
        Kind::Spacebring => &SPACEBRING,
        Kind::Coworks => &BRIDGE,
        Kind::Contract => &CONTRACT,
        Kind::File => &FILE,
    }
}
