//! `[hooks]`: where web hooks arrive.

use super::{
    cloud::{base_address, certificates},
    model::HooksConfig,
    secrets::Keeper,
    section::Section,
};
use std::net::SocketAddr;

/// The shortest secret part of the path: 16 characters of 64 kinds are 96 bits.
const SHORTEST: usize = 16;

/// `[hooks]`, if the file has it.
pub(super) fn hooks(top: &Section<'_>, keeper: &Keeper<'_>) -> Option<HooksConfig> {
    let section = top.table("hooks", "hooks")?;
    let listen = section.optional("listen", "an address and a port, \"0.0.0.0:8443\" say", |value| {
        value.as_str()?.parse::<SocketAddr>().ok()
    });
    let cert = certificates(&section, keeper, "cert_file");
    let key = section.path("key_file", keeper.folder).map(|path| path.value);
    let tls = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        (cert, _) => {
            let absent = if cert.is_some() { "key_file" } else { "cert_file" };
            section.missing(absent, "TLS needs both the certificate and its key");
            None
        }
    };
    if let Some(listen) = &listen
        && tls.is_none()
        && !listen.value.ip().is_loopback()
        && !section.has("cert_file")
        && !section.has("key_file")
    {
        section.reading.wrong(
            listen,
            "members' data would arrive in the clear",
            "set cert_file and key_file, or listen on 127.0.0.1 behind a proxy that has TLS",
        );
    }
    if !section.has("path_secret") {
        section.missing(
            "path_secret",
            "write path_secret = { file = \"/etc/doorward/hooks-path\" }",
        );
    }
    let path_secret = keeper.secret(&section, "path_secret");
    if let Some(secret) = &path_secret {
        let text = secret.value.reveal();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        // Empty stands for one that could not be read while only looking.
        if !text.is_empty() && (text.len() < SHORTEST || !text.chars().all(fits)) {
            section.reading.error(
                &secret.span,
                &secret.key,
                "the secret part of the address can be guessed or breaks it",
                "16 characters and more of letters, digits, - and _: `openssl rand -hex 16` makes one",
            );
        }
    }
    let public_url = section
        .optional_text("public_url")
        .and_then(|text| base_address(&section, &text));
    Some(HooksConfig {
        listen: listen?.value,
        tls,
        path_secret: path_secret?.value,
        public_url,
    })
}
