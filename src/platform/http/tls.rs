//! TLS for clouds: the system's authorities and those of `ca_file`, and what a failed handshake means. Which section of the
//! configuration is meant is told by its key for the address: `[cloud] url`, `[ks] stream_url`.

use crate::platform::{ErrorKind, PlatformError};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::{error::Error, path::Path, sync::Arc};

/// A client configuration on the ring provider, for the address that stands under this key.
pub(crate) fn client(ca_file: Option<&Path>, address: &str) -> Result<ClientConfig, PlatformError> {
    let mut roots = RootCertStore::empty();
    // Single unusable system certificates are common and of no interest; having none at all is.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        add_file(&mut roots, path, section(address))?;
    }
    if roots.is_empty() {
        return Err(PlatformError::new(
            ErrorKind::Tls,
            format!(
                "no certificate authority is installed, so no server can be trusted; install the package ca-certificates or \
                 set {} ca_file",
                section(address)
            ),
        ));
    }
    configuration(roots)
}

/// A configuration that trusts nobody, for plain connections to this machine itself.
pub(crate) fn none() -> Result<ClientConfig, PlatformError> {
    configuration(RootCertStore::empty())
}

fn configuration(roots: RootCertStore) -> Result<ClientConfig, PlatformError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| PlatformError::new(ErrorKind::Tls, format!("TLS cannot be used: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn add_file(roots: &mut RootCertStore, path: &Path, section: &str) -> Result<(), PlatformError> {
    let unusable = |why: &dyn std::fmt::Display| {
        PlatformError::new(
            ErrorKind::Tls,
            format!(
                "{section} ca_file {} cannot be used: {why}; it must hold certificates in PEM, readable for this service",
                path.display()
            ),
        )
    };
    let mut count = 0_usize;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
        count += 1;
    }
    if count == 0 {
        return Err(unusable(&"there is no certificate in it"));
    }
    Ok(())
}

/// "[ks]" of "[ks] stream_url".
fn section(address: &str) -> &str {
    address.split_once(' ').map_or(address, |(section, _)| section)
}

/// The TLS failure inside an error, however deep it is wrapped.
pub(crate) fn failure<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// What a failed handshake means, and what to do, at the address that stands under this key.
pub(crate) fn words(error: &rustls::Error, address: &str) -> String {
    let rustls::Error::InvalidCertificate(flaw) = error else {
        return format!(
            "the secure connection could not be made ({error}); check that the address is an https one"
        );
    };
    match flaw {
        // A wrong signature: an authority of the same name that is another one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "its certificate is signed by nobody this gateway trusts; if it has an authority of its own, name it in {} ca_file",
            section(address)
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, or this gateway's clock is ahead; renew it there, or check the time here".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or this gateway's clock is behind; check the time here".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is made out to another name; check the address in {address}")
        }
        CertificateError::Revoked => "its certificate was revoked; it needs a new one".into(),
        other => format!("its certificate does not verify ({other}); it needs another one"),
    }
}
