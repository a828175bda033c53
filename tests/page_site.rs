//! A site with the gateway's own page, and a browser that is reqwest: real TLS with the gateway's own certificate, whose
//! authority is the certificate itself.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::harness::{Gateway, site::Layout, wait_for};
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;

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
        Self::of(&layout(page))
    }

    /// Of another configuration that has a page. Not started yet.
    pub(crate) fn of(layout: &Layout) -> Self {
        let gateway = Gateway::new(layout.text());
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

/// Who is signed in: a client with its cookie.
pub(crate) struct Signed<'s> {
    pub(crate) site: &'s PageSite,
    pub(crate) address: String,
    pub(crate) client: Client,
    pub(crate) cookie: String,
}

impl Signed<'_> {
    /// A request of the page itself, as a browser would send it.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.address))
            .header("cookie", format!("__Host-doorward={}", self.cookie))
            .header("sec-fetch-site", "same-origin")
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.site.send(self.request(reqwest::Method::GET, path))
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let request = self.request(reqwest::Method::POST, path);
        self.site
            .send(request.header("content-type", "application/json").body(body))
    }

    #[track_caller]
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.site
            .send(form(self.request(reqwest::Method::POST, path), fields))
    }

    /// Whether it is still signed in.
    pub(crate) fn holds(&self) -> bool {
        self.get("/plain").status == 200
    }
}

pub(crate) fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

/// The cookie of an answer.
pub(crate) fn cookie(answer: &Answer) -> Option<String> {
    let line = answer.headers.get("set-cookie")?.to_str().unwrap();
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(line.contains(attribute), "{line}");
    }
    assert!(!line.to_lowercase().contains("domain"), "{line}");
    let value = line
        .strip_prefix("__Host-doorward=")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    (!value.is_empty()).then(|| value.to_owned())
}

impl PageSite {
    /// The code for the first account, as root reads it.
    #[track_caller]
    pub(crate) fn first_code(&self) -> String {
        let (_, out, error) = self.gateway.command(&["report"]);
        let line = out.lines().find(|line| line.contains("code for the first one"));
        let line = line.unwrap_or_else(|| panic!("{out}{error}"));
        line.rsplit(' ').next().unwrap().to_owned()
    }

    /// A form from the page itself, without a cookie.
    #[track_caller]
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.client().post(format!("{}{path}", self.address()));
        self.send(form(request.header("sec-fetch-site", "same-origin"), fields))
    }

    fn signed(&self, answer: &Answer) -> Signed<'_> {
        assert_eq!(answer.status, 303, "{answer:?}");
        Signed {
            site: self,
            address: self.address(),
            client: self.client(),
            cookie: cookie(answer).expect("a session"),
        }
    }

    /// Makes the first account: `boss`, an installer.
    #[track_caller]
    pub(crate) fn boss(&self) -> Signed<'_> {
        let code = self.first_code();
        let fields = [("code", code.as_str()), ("name", "boss"), ("password", PASSWORD)];
        self.signed(&self.form("/signin/first", &fields))
    }

    #[track_caller]
    pub(crate) fn sign_in(&self, name: &str, password: &str) -> Signed<'_> {
        self.signed(&self.form("/signin", &[("name", name), ("password", password)]))
    }

    /// Makes an account over the control socket and signs in with the password that it chose.
    #[track_caller]
    pub(crate) fn account(&self, name: &str, role: &str) -> Signed<'_> {
        let made = self.gateway.json(&["staff", "add", name, "--role", role]);
        let secret = made["secret"].as_str().unwrap();
        let first = self.sign_in(name, secret);
        let answer = first.form("/password", &[("old", secret), ("new", PASSWORD)]);
        assert!(!first.holds(), "another password ends every session");
        self.signed(&answer)
    }

    /// The audit trail: action, actor, outcome.
    pub(crate) fn trail(&self) -> Vec<[String; 4]> {
        let (status, out, error) = self
            .gateway
            .command(&["audit", "list", "--json", "--limit", "500"]);
        assert_eq!(status, 0, "{error}");
        let text = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
        out.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .map(|record| ["actor", "action", "subject", "outcome"].map(|key| text(&record, key)))
            .collect()
    }
}

/// For peers on this machine without TLS.
pub(crate) fn no_tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
