//! A site with the gateway's own page, and a browser that is reqwest: real TLS with the gateway's own certificate, whose
//! authority is the certificate itself.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::harness::{Gateway, site::Layout, wait_for};
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

/// The facts of a small house: Ana with a plan and a card, Ben without.
const FACTS: &str = r#"
[[people]]
id = "ana"
name = "Ana Ruiz"
email = "ana@example.com"
credentials = ["uid:04A2B3C4D5E680"]

[[people]]
id = "ben"
name = "Ben Okoro"
email = "ben@example.com"

[[memberships]]
id = "m1"
person = "ana"
plan = "Flex"
"#;

/// A password that is good enough.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A gateway with a page.
pub(crate) struct PageSite {
    pub(crate) gateway: Gateway,
    runtime: tokio::runtime::Runtime,
}

/// The configuration: two doors, and the page with these lines.
pub(crate) fn layout(page: &str) -> Layout {
    Layout::new("rtc = true")
        .facts_file()
        .map("plans", "Flex", &["members"])
        .group("members", &["front"])
        .door("front", "name = \"Front door\"")
        .door("back", "name = \"Back door\"")
        .table("[page]", page)
}

impl PageSite {
    /// Started, and served on a port of its own.
    pub(crate) fn start() -> Self {
        Self::with("listen = \"127.0.0.1:0\"")
    }

    pub(crate) fn with(page: &str) -> Self {
        let mut site = Self::prepared(page);
        site.gateway.start();
        site
    }

    /// Not started yet.
    pub(crate) fn prepared(page: &str) -> Self {
        let gateway = Gateway::new(layout(page).text());
        std::fs::write(gateway.path().join("facts.toml"), FACTS).unwrap();
        Self {
            gateway,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    /// `https://localhost:PORT`, once it listens.
    pub(crate) fn address(&self) -> String {
        let listening = wait_for("the page", || {
            let page = self.gateway.report()["sections"]["page"].clone();
            page["listening"].as_str().map(str::to_owned).ok_or(page)
        });
        let port = listening.rsplit(':').next().unwrap().to_owned();
        format!("https://localhost:{port}")
    }

    /// A browser without cookies of its own: what it sends is what the test says.
    pub(crate) fn client(&self) -> Client {
        let pem = std::fs::read(self.gateway.path().join("state/page.pem")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        for certificate in rustls_pem(&pem) {
            roots.add(certificate).unwrap();
        }
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let _ = Certificate::from_pem(&pem).unwrap();
        Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap()
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Sends a request; gives status, headers and body.
    #[track_caller]
    pub(crate) fn send(&self, request: RequestBuilder) -> Answer {
        self.block_on(async { Answer::of(request.send().await.unwrap()).await })
    }
}

fn rustls_pem(pem: &[u8]) -> Vec<rustls_pki_types::CertificateDer<'static>> {
    use rustls_pki_types::pem::PemObject as _;
    rustls_pki_types::CertificateDer::pem_slice_iter(pem)
        .map(Result::unwrap)
        .collect()
}

/// An answer that was read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("{name}: {self:?}"));
        value.to_str().unwrap()
    }
}
