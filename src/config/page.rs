//! `[page]`: where the gateway's own page and its JSON API are served.

use super::{
    cloud::{base_address, certificates},
    model::{OidcConfig, PageConfig},
    reading::At,
    secrets::Keeper,
    section::Section,
};
use std::{collections::BTreeMap, net::SocketAddr};

/// `[page]`, if the file has it.
pub(super) fn page(top: &Section<'_>, keeper: &Keeper<'_>) -> Option<PageConfig> {
    let section = top.table("page", "page")?;
    let listen = section.optional("listen", "an address and a port, \"0.0.0.0:8444\" say", |value| {
        value.as_str()?.parse::<SocketAddr>().ok()
    });
    let cert = certificates(&section, keeper, "cert_file");
    let key = section.path("key_file", keeper.folder).map(|path| path.value);
    if section.has("cert_file") != section.has("key_file") {
        let absent = if section.has("cert_file") {
            "key_file"
        } else {
            "cert_file"
        };
        section.missing(
            absent,
            "TLS needs both the certificate and its key; leave both out and the gateway makes its own",
        );
    }
    let public_url = section
        .optional_text("public_url")
        .and_then(|text| base_address(&section, &text));
    let oidc = oidc(&section, keeper);
    if oidc.is_some() && !section.has("public_url") {
        let hint = "[page.oidc] needs it: the provider sends browsers back there";
        section.missing("public_url", hint);
    }
    Some(PageConfig {
        listen: listen?.value,
        tls: cert.zip(key),
        public_url,
        oidc,
    })
}

/// The roles of staff, as the page knows them.
const ROLES: [&str; 4] = ["viewer", "desk", "manager", "installer"];

fn oidc(page: &Section<'_>, keeper: &Keeper<'_>) -> Option<OidcConfig> {
    let section = page.table("oidc", "page.oidc")?;
    // Written as it is: providers compare it letter by letter, and a parsed address may gain a slash.
    let issuer = section.text("issuer");
    base_address(&section, &issuer);
    let secret = section
        .has("client_secret")
        .then(|| keeper.secret(&section, "client_secret"))
        .flatten();
    Some(OidcConfig {
        issuer: issuer.value,
        client_id: section.text("client_id").value,
        client_secret: secret.map(|secret| secret.value),
        scopes: section.texts("scopes").into_iter().map(|at| at.value).collect(),
        claim: section.text("claim").value,
        roles: roles(&section),
        ca_file: certificates(&section, keeper, "ca_file"),
    })
}

fn roles(section: &Section<'_>) -> BTreeMap<String, String> {
    let mut roles = BTreeMap::new();
    let table = section.table("roles", "page.oidc.roles");
    for (group, value) in table.iter().flat_map(Section::free_entries) {
        let at = At {
            value: group.to_owned(),
            span: value.span(),
            key: format!("page.oidc.roles.{group}"),
        };
        match value.get_ref().as_str() {
            Some(role) if ROLES.contains(&role) => {
                roles.insert(group.to_owned(), role.to_owned());
            }
            _ => section.reading.wrong(
                &at,
                "this is no role",
                "write \"viewer\", \"desk\", \"manager\" or \"installer\"",
            ),
        }
    }
    if roles.is_empty() {
        section.missing("roles", "without one nobody is let in: name a group and its role");
    }
    roles
}
