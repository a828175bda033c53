//! From the configuration to the client's options, TLS included. Everything that would make the client panic
//! (it asserts on some settings) is put right here.

use super::{
    WINDOW,
    failure::{self, Failure},
    health::{Offline, offline_json},
    topic::Topics,
};
use crate::config::model::MqttConfig;
use rumqttc::{LastWill, MqttOptions, NetworkOptions, QoS, TlsConfiguration, Transport};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{path::Path, sync::Arc, time::Duration};

/// For name, TCP, TLS and CONNACK together; `ack_timeout` if that is shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The broker has nothing to send us but acknowledgements.
const MAX_INCOMING: usize = 4 * 1024;
/// A health document with every fault of a large site.
const MAX_OUTGOING: usize = 256 * 1024;
/// Packet identifiers that the client uses in turn. Well above the window, so that one that is acknowledged out of
/// order is never met again while the window stands.
const IDENTIFIERS: usize = WINDOW * 8;

/// What the client needs for a connection.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) mqtt: MqttOptions,
    pub(super) network: NetworkOptions,
}

/// Reads the certificates and puts the options together.
///
/// # Errors
/// A fault with the key `mqtt_config`: a file that is missing or holds no certificate or key.
pub(super) fn options(config: &MqttConfig, topics: &Topics) -> Result<Options, Failure> {
    // A literal IPv6 address stands in brackets in a url and without them in a certificate.
    let host = config.host.trim_start_matches('[').trim_end_matches(']');
    let mut mqtt = MqttOptions::new(&config.client_id, host, config.port);
    let keep_alive = config.keep_alive.as_secs().clamp(1, u64::from(u16::MAX));
    mqtt.set_keep_alive(Duration::from_secs(keep_alive))
        .set_clean_session(true)
        .set_inflight(u16::try_from(IDENTIFIERS).unwrap_or(u16::MAX))
        .set_max_packet_size(MAX_INCOMING, MAX_OUTGOING)
        .set_last_will(LastWill::new(
            topics.health(),
            offline_json(Offline::Lost),
            QoS::AtLeastOnce,
            true,
        ));
    if let Some((user, password)) = &config.login {
        mqtt.set_credentials(user, password.reveal());
    }
    if config.tls {
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(
            tls(config)?,
        ))));
    }
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_TIMEOUT.min(config.ack_timeout).as_secs().max(1));
    Ok(Options { mqtt, network })
}

fn tls(config: &MqttConfig) -> Result<ClientConfig, Failure> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(format!("TLS cannot be set up: {error}.")))?
        .with_root_certificates(roots(config)?);
    let Some((cert, key)) = &config.client_cert else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(cert, "client_cert_file")?;
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable(key, "client_key_file", "private key", &error))?;
    builder.with_client_auth_cert(chain, secret).map_err(|error| {
        fault(format!(
            "The client certificate {} and the key {} cannot be used together: {error}. Check that they belong to \
             each other.",
            cert.display(),
            key.display()
        ))
    })
}

fn roots(config: &MqttConfig) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &config.ca_file {
        let (added, _) = roots.add_parsable_certificates(certificates(file, "ca_file")?);
        if added == 0 {
            return Err(fault(format!(
                "{} ([mqtt] ca_file) holds no authority that can be used. It must be a PEM file of CA certificates.",
                file.display()
            )));
        }
        return Ok(roots);
    }
    let native = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(native.certs);
    if added == 0 {
        return Err(fault(
            "The system has no certificate authorities. Install ca-certificates, or set [mqtt] ca_file."
                .to_owned(),
        ));
    }
    Ok(roots)
}

fn certificates(file: &Path, key: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(fault(format!(
            "{} ([mqtt] {key}) holds no certificate. It must be a PEM file.",
            file.display()
        ))),
        Err(error) => Err(unreadable(file, key, "certificate", &error)),
    }
}

fn unreadable(file: &Path, key: &str, what: &str, error: &rustls_pki_types::pem::Error) -> Failure {
    fault(format!(
        "No {what} can be read from {} ([mqtt] {key}): {error}. Check the path, the permissions and that it is PEM.",
        file.display()
    ))
}

fn fault(text: String) -> Failure {
    Failure {
        key: failure::CONFIG,
        text: format!("{text} No events go to MQTT until this is put right; they wait in the journal."),
    }
}
