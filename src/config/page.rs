//! `[page]`: where the gateway's own page and its JSON API are served.

use super::{
    cloud::{base_address, certificates},
    model::PageConfig,
    secrets::Keeper,
    section::Section,
};
use std::net::SocketAddr;

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
    Some(PageConfig {
        listen: listen?.value,
        tls: cert.zip(key),
        public_url,
    })
}
