//! `[mqtt]`: the building network.

use super::{
    cloud::{certificates, is_loopback},
    model::{MqttConfig, PersonDetail},
    reading::At,
    secrets::{Keeper, readable_by_anybody},
    section::Section,
};
use crate::domain::secret::Secret;
use std::path::PathBuf;
use url::{Host, Url};

/// `[mqtt]`, if the file has it.
pub(super) fn mqtt(top: &Section<'_>, keeper: &Keeper<'_>, site_id: &str) -> Option<MqttConfig> {
    let section = top.table("mqtt", "mqtt")?;
    let plain = section.flag("plain").value;
    let (host, port, tls) = broker(&section, plain);
    let details = [
        ("nothing", PersonDetail::Nothing),
        ("id", PersonDetail::Id),
        ("name", PersonDetail::Name),
    ];
    let client_cert = client_certificate(&section, keeper);
    let ca_file = certificates(&section, keeper, "ca_file");
    if !tls && !host.is_empty() {
        for name in ["ca_file", "client_cert_file", "client_key_file"]
            .iter()
            .filter(|name| section.has(name))
        {
            let what = format!("`{name}` means nothing without TLS");
            section.reading.error(
                &section.span_of(name),
                &section.key(name),
                what,
                "write mqtts:// in `url`",
            );
        }
    }
    Some(MqttConfig {
        host,
        port,
        tls,
        ca_file,
        client_cert,
        login: login(&section, keeper),
        topic: topic(&section).unwrap_or_else(|| format!("doorward/{site_id}")),
        client_id: client_id(&section).unwrap_or_else(|| format!("doorward-{site_id}")),
        person: section
            .word("person", &details)
            .map(|at| at.value)
            .unwrap_or_default(),
        late_after: section.duration("late_after_seconds", 1, 86_400),
        keep_alive: section.duration("keep_alive_seconds", 5, 3_600),
        ack_timeout: section.duration("ack_timeout_seconds", 5, 600),
    })
}

fn broker(section: &Section<'_>, plain: bool) -> (String, u16, bool) {
    let text = section.text("url");
    if text.span.is_empty() {
        return Default::default();
    }
    let wrong = |what: String, hint: &str| section.reading.wrong(&text, what, hint);
    let url = match Url::parse(&text.value) {
        Ok(url) => url,
        Err(error) => {
            wrong(
                format!("this is no address: {error}"),
                "write \"mqtts://broker.example.com:8883\"",
            );
            return Default::default();
        }
    };
    // `url` does not know these schemes, so it leaves addresses as text.
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_owned();
    let parsed = Host::parse(url.host_str().unwrap_or_default()).ok();
    let local = parsed.as_ref().is_some_and(|host| match host {
        Host::Domain(name) => is_loopback(Some(&Host::Domain(name.as_str()))),
        Host::Ipv4(address) => is_loopback(Some(&Host::Ipv4(*address))),
        Host::Ipv6(address) => is_loopback(Some(&Host::Ipv6(*address))),
    });
    let tls = url.scheme() == "mqtts";
    match url.scheme() {
        "mqtts" => {}
        "mqtt" if local || plain => {}
        "mqtt" => wrong(
            "mqtt would send who enters when, and the password, in clear".into(),
            "write mqtts://, or plain = true if nobody else can reach that network",
        ),
        other => wrong(
            format!("a broker is not reached by {other}"),
            "write mqtts:// or mqtt://",
        ),
    }
    if host.is_empty() {
        wrong(
            "the address names no host".into(),
            "write \"mqtts://broker.example.com:8883\"",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        wrong(
            "an address does not hold a login".into(),
            "write username = \"…\" and password = { file = \"…\" }",
        );
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() {
        wrong(
            "a broker's address ends with its port".into(),
            "the topics' beginning is set by `topic`",
        );
    }
    // MQTT 3.1.1 has 1883 and 8883 registered with IANA.
    (host, url.port().unwrap_or(if tls { 8883 } else { 1883 }), tls)
}

fn client_certificate(section: &Section<'_>, keeper: &Keeper<'_>) -> Option<(PathBuf, PathBuf)> {
    let certificate = certificates(section, keeper, "client_cert_file");
    let key = certificates(section, keeper, "client_key_file");
    for (one, other) in [
        ("client_cert_file", "client_key_file"),
        ("client_key_file", "client_cert_file"),
    ] {
        if section.has(one) && !section.has(other) {
            section.missing(other, &format!("`{one}` and `{other}` belong together"));
        }
    }
    if let Some(mode) = key.as_ref().and_then(|key| readable_by_anybody(key)) {
        let what = format!("the private key can be read by everybody (mode {mode:04o})");
        section.reading.error(
            &section.span_of("client_key_file"),
            "mqtt.client_key_file",
            what,
            "chmod 600 it, and have the certificate made anew",
        );
    }
    certificate.zip(key)
}

fn login(section: &Section<'_>, keeper: &Keeper<'_>) -> Option<(String, Secret)> {
    let username = section.optional_text("username");
    let password = keeper.secret(section, "password");
    for (one, other) in [("username", "password"), ("password", "username")] {
        if section.has(one) && !section.has(other) {
            section.missing(other, &format!("`{one}` and `{other}` belong together"));
        }
    }
    Some((username?.value, password?.value))
}

/// MQTT 3.1.1, 4.7: no wildcards in a topic that is published to; no empty levels, to be of use to people.
fn topic(section: &Section<'_>) -> Option<String> {
    let topic = section.optional_text("topic")?;
    let bad = topic.value.contains(['+', '#', '\0', ' ']) || topic.value.split('/').any(str::is_empty);
    if bad || topic.value.starts_with('$') || topic.value.len() > 128 {
        let what = format!("`{}` cannot stand before a topic", topic.value.escape_debug());
        section.reading.wrong(
            &topic,
            what,
            "levels divided by single `/`, without `+`, `#`, `$` or spaces: \"building/doors\"",
        );
    }
    Some(topic.value)
}

/// MQTT 3.1.1, 3.1.3.1: brokers must accept these 23 characters, and all in use accept longer ones.
fn client_id(section: &Section<'_>) -> Option<String> {
    let id: At<String> = section.optional_text("client_id")?;
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.value.is_empty() || id.value.len() > 128 || !id.value.chars().all(fit) {
        section.reading.wrong(
            &id,
            "this is no client id for a broker",
            "use letters, digits, `-`, `_` and `.`",
        );
    }
    Some(id.value)
}
