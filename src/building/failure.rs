//! What went wrong between us and the broker, as a fault that a person can act on.

use crate::config::model::MqttConfig;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};
use rustls::CertificateError;
use std::{error::Error as StdError, io};

/// The broker answered and said no.
pub(super) const REFUSED: &str = "mqtt_refused";
/// The two sides could not agree on certificates or TLS.
pub(super) const TLS: &str = "mqtt_tls";
/// No way to the broker, or the way broke.
pub(super) const UNREACHABLE: &str = "mqtt_unreachable";
/// The broker keeps the connection and acknowledges nothing.
pub(super) const STALLED: &str = "mqtt_stalled";
/// The configuration cannot be used: a certificate file that is gone, say.
pub(super) const CONFIG: &str = "mqtt_config";

/// Every fault of this room. At most one of those before `STALLED` stands at a time.
pub(super) const CONNECTION_FAULTS: [&str; 4] = [REFUSED, TLS, UNREACHABLE, CONFIG];

/// A fault: its key, and what happened, where, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) key: &'static str,
    pub(super) text: String,
}

/// The broker as texts name it.
pub(super) fn place(config: &MqttConfig) -> String {
    format!("the MQTT broker {}:{}", config.host, config.port)
}

/// Turns an error of the client into a fault. `was_connected`: the broker had accepted us before.
pub(super) fn explain(error: &ConnectionError, config: &MqttConfig, was_connected: bool) -> Failure {
    if let ConnectionError::ConnectionRefused(code) = error {
        return refused(*code, config);
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return tls_failure(tls, config);
    }
    match error {
        // The handshake began, so the network is there: one side broke off without saying why in TLS.
        ConnectionError::Tls(TlsError::Io(io)) => Failure {
            key: TLS,
            text: format!(
                "{} broke off TLS: {io}. Check that the port in [mqtt] url is the broker's TLS port, 8883 as a rule, \
                 and look at the broker's log.",
                place(config)
            ),
        },
        ConnectionError::Tls(other) => Failure {
            key: TLS,
            text: format!(
                "TLS with {} cannot be set up: {other}. Check [mqtt] url: the host must be a name or an address that \
                 stands in the broker's certificate.",
                place(config)
            ),
        },
        _ => unreachable(error, config, was_connected),
    }
}

/// The broker kept the connection but acknowledged nothing.
pub(super) fn stalled(config: &MqttConfig) -> Failure {
    let text = format!(
        "{} keeps the connection but acknowledged nothing for {} s, so the connection was made anew. Events wait in \
         the journal. Look at the broker's log and its disk; restart it if this stands.",
        place(config),
        config.ack_timeout.as_secs_f32(),
    );
    Failure { key: STALLED, text }
}

fn refused(code: ConnectReturnCode, config: &MqttConfig) -> Failure {
    let (what, next) = match code {
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => (
            "user name, password or client certificate are not accepted",
            "Check [mqtt] username and password against the broker's users",
        ),
        ConnectReturnCode::BadClientId => (
            "the client id is not accepted",
            "Check [mqtt] client_id against the broker's rules",
        ),
        ConnectReturnCode::ServiceUnavailable => ("the service is not available", "Look at the broker's log"),
        ConnectReturnCode::RefusedProtocolVersion => {
            ("it does not speak MQTT 3.1.1", "Allow MQTT 3.1.1 at the broker")
        }
        ConnectReturnCode::Success => ("it gave no reason", "Look at the broker's log"),
    };
    let user = config
        .login
        .as_ref()
        .map_or("no user name".to_owned(), |(user, _)| format!("user {user}"));
    let text = format!(
        "{} refused us ({user}, client id {}): {what}. {next}; doorward tries again by itself.",
        place(config),
        config.client_id
    );
    Failure { key: REFUSED, text }
}

fn tls_failure(error: &rustls::Error, config: &MqttConfig) -> Failure {
    let place = place(config);
    let text = match error {
        rustls::Error::InvalidCertificate(why) => {
            let ca = config
                .ca_file
                .as_ref()
                .map_or("the system's authorities".to_owned(), |file| {
                    format!("the authorities in {}", file.display())
                });
            let (what, next) = certificate(why, config);
            format!("The certificate of {place} does not verify against {ca}: {what}. {next}")
        }
        rustls::Error::AlertReceived(alert) => format!(
            "{place} broke off TLS with the alert {alert:?}. It most likely wants another client certificate: check \
             [mqtt] client_cert_file and client_key_file, and the broker's log."
        ),
        rustls::Error::InvalidMessage(_) => {
            format!(
                "{place} does not answer with TLS. Check the port in [mqtt] url: 8883 is usual for mqtts."
            )
        }
        other => format!("TLS with {place} failed: {other}. Look at the broker's log and its TLS settings."),
    };
    Failure { key: TLS, text }
}

fn certificate(why: &CertificateError, config: &MqttConfig) -> (String, String) {
    let (what, next) = match why {
        CertificateError::UnknownIssuer => (
            "none of them issued it".to_owned(),
            "Set [mqtt] ca_file to the authority that issued the broker's certificate.".to_owned(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "it has expired".to_owned(),
            "Renew the broker's certificate, or check the gateway's clock.".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "it is not valid yet".to_owned(),
            "Check the gateway's clock.".to_owned(),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("it was not issued for {}", config.host),
            "Use a name in [mqtt] url that stands in the certificate.".to_owned(),
        ),
        other => (other.to_string(), "Look at the broker's certificate.".to_owned()),
    };
    (what, next)
}

fn unreachable(error: &ConnectionError, config: &MqttConfig, was_connected: bool) -> Failure {
    let place = place(config);
    let io = find::<io::Error>(error);
    // getaddrinfo's failures have no kind of their own in std.
    let unresolved = io.is_some_and(|io| io.to_string().starts_with("failed to lookup address information"));
    let refused = io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused);
    let reset = io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionReset);
    let closed = reset || matches!(error, ConnectionError::MqttState(StateError::ConnectionAborted));
    let happened = if unresolved {
        format!("The host name of {place} is not known. Check [mqtt] url and the network's name server.")
    } else if refused {
        format!(
            "Nothing listens at {place}. Check that the broker runs and that the port in [mqtt] url is right."
        )
    } else if was_connected {
        format!(
            "The connection to {place} was lost ({error}). If it comes and goes, look for another client with the \
             id {}.",
            config.client_id
        )
    } else if closed {
        format!(
            "{place} closed the connection without an answer. Check the port in [mqtt] url and whether it wants TLS."
        )
    } else if matches!(
        error,
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout
    ) {
        format!("{place} does not answer. Check that the broker runs, and the network between.")
    } else {
        format!("{place} cannot be reached: {error}. Check that the broker runs, and the network between.")
    };
    Failure {
        key: UNREACHABLE,
        text: format!("{happened} Events wait in the journal."),
    }
}

/// Looks for an error of one type behind another, also inside `io::Error`, which hides what it wraps.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inside {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}
