//! The page's certificate: the files of the configuration, or one of the gateway's own that it makes at its first start
//! and keeps. Nobody signed that one: people compare its fingerprint with `doorward report`.

use crate::{config::model::PageConfig, web::listen};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use ring::digest;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use tokio::sync::watch;

/// Its own certificate and key in the state directory.
const OWN: [&str; 2] = ["page.pem", "page.key"];

/// What a certificate's files looked like when they were read.
type Stamps = [Option<(SystemTime, u64)>; 2];

/// The certificate in force, and where it comes from.
#[derive(Debug)]
pub(super) struct Certificate {
    files: [PathBuf; 2],
    /// The gateway made it.
    pub(super) own: bool,
    names: Vec<String>,
    stamps: Stamps,
    current: watch::Sender<Option<Arc<ServerConfig>>>,
    /// SHA-256 of the certificate, as browsers show it.
    pub(super) fingerprint: Option<String>,
}

impl Certificate {
    /// Of this configuration. Reads nothing yet.
    pub(super) fn new(config: &PageConfig, state_dir: &Path) -> Self {
        let files = match &config.tls {
            Some((cert, key)) => [cert.clone(), key.clone()],
            None => OWN.map(|name| state_dir.join(name)),
        };
        Self {
            files,
            own: config.tls.is_none(),
            names: names(config),
            stamps: Stamps::default(),
            current: watch::Sender::new(None),
            fingerprint: None,
        }
    }

    /// For the listener.
    pub(super) fn watch(&self) -> listen::Tls {
        self.current.subscribe()
    }

    /// Whether there is one to use.
    pub(super) fn is_usable(&self) -> bool {
        self.current.borrow().is_some()
    }

    /// Sees to it that the one in use is the one on disk. `None` when nothing had to be done. Connections under way keep
    /// the one that they began with.
    pub(super) fn refresh(&mut self, asked: bool) -> Option<Result<(), String>> {
        let now = self.files.each_ref().map(|path| stamp(path));
        if self.stamps == now && now != Stamps::default() && !asked {
            return None;
        }
        let read = self.read();
        // After the reading: what it made is not new the next time.
        self.stamps = self.files.each_ref().map(|path| stamp(path));
        Some(read)
    }

    fn read(&mut self) -> Result<(), String> {
        let [cert, key] = &self.files;
        if self.own && !cert.exists() {
            make(cert, key, &self.names)?;
        }
        let config = listen::certificate(cert, key)?;
        let shown = CertificateDer::from_pem_file(cert).map_err(|error| error.to_string())?;
        self.fingerprint = Some(fingerprint(&shown));
        self.current.send_replace(Some(Arc::new(config)));
        Ok(())
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// `AB:CD:…`, as browsers and `openssl x509 -fingerprint -sha256` show it.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let sum = digest::digest(&digest::SHA256, certificate);
    let bytes: Vec<String> = sum.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// What the gateway is called on the site's network, as far as it knows.
fn names(config: &PageConfig) -> Vec<String> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    if !host.is_empty() && host != "localhost" {
        names.extend([host.to_owned(), format!("{host}.local")]);
    }
    if !config.listen.ip().is_unspecified() {
        names.push(config.listen.ip().to_string());
    }
    let public = config.public_url.as_ref().and_then(|url| url.host_str());
    names.extend(public.map(|name| name.trim_matches(['[', ']']).to_owned()));
    names.sort();
    names.dedup();
    names
}

/// Makes a certificate. The key first: a certificate without one would be there for good.
fn make(cert: &Path, key: &Path, names: &[String]) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("no certificate could be made: {error}");
    let pair = KeyPair::generate().map_err(|error| failed(&error))?;
    let mut params = CertificateParams::new(names).map_err(|error| failed(&error))?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Doorward gateway");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A gateway's clock may stand years back at its first start, and nobody is there when a certificate ends.
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    let made = params.self_signed(&pair).map_err(|error| failed(&error))?;
    write(key, &pair.serialize_pem())?;
    write(cert, &made.pem())
}

/// Whole or not at all, for this user alone.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let draft = path.with_extension("new");
    let attempt = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    attempt().map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn config() -> PageConfig {
        PageConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls: None,
            public_url: Some("https://doors.example.com:8444/".parse().unwrap()),
            oidc: None,
        }
    }

    #[test]
    fn its_own_certificate_is_made_once_and_for_this_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Certificate::new(&config(), dir.path());
        assert!(!first.is_usable());
        assert_eq!(first.refresh(false), Some(Ok(())));
        assert_eq!(first.refresh(false), None, "nothing changed");
        assert!(first.own && first.is_usable());
        for name in OWN {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let mut again = Certificate::new(&config(), dir.path());
        assert_eq!(again.refresh(false), Some(Ok(())));
        assert_eq!(again.fingerprint, first.fingerprint);
        assert_eq!(first.fingerprint.unwrap().len(), 32 * 3 - 1);
    }

    #[test]
    fn a_certificate_that_is_no_use_leaves_the_last_one_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let mut held = Certificate::new(&config(), dir.path());
        assert_eq!(held.refresh(false), Some(Ok(())));
        let before = held.fingerprint.clone();
        fs::write(dir.path().join(OWN[0]), "broken").unwrap();
        assert!(held.refresh(false).unwrap().unwrap_err().contains("page.pem"));
        assert!(held.is_usable() && held.fingerprint == before);
        for name in OWN {
            fs::remove_file(dir.path().join(name)).unwrap();
        }
        assert_eq!(held.refresh(false), Some(Ok(())), "made anew");
        assert_ne!(held.fingerprint, before);
    }
}
