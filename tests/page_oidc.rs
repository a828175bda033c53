//! Signing in by the space's own identity provider: a real one (npm oidc-provider), driven as a browser would.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::page_site::{Answer, PageSite, cookie, form};
use reqwest::{Client, Method};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};
use url::Url;

/// Between gateway and provider.
pub(crate) const SECRET: &str = "a secret between gateway and provider";
pub(crate) const BACK: &str = "https://doors.example.com:8444/signin/oidc/callback";

/// The provider, until it is dropped.
pub(crate) struct Provider {
    child: Child,
    pub(crate) issuer: String,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One that sends browsers back to this address. None without node, which is said.
pub(crate) fn provider(back: &str) -> Option<Provider> {
    started("oidc_provider.mjs", &[back, SECRET])
}

/// One that lies as it is told.
pub(crate) fn hostile() -> Option<Provider> {
    started("oidc_hostile.mjs", &[SECRET])
}

fn started(script: &str, arguments: &[&str]) -> Option<Provider> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("passed over: there is no node, so no identity provider (scripts/test installs it)");
        return None;
    }
    let folder = root.join("target/node");
    assert!(
        folder.join("node_modules/oidc-provider").exists(),
        "npm's oidc-provider is not in target/node: scripts/test installs it"
    );
    let mut child = Command::new("node")
        .arg(root.join("tests/peers").join(script))
        .arg(&folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut issuer = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut issuer)
        .unwrap();
    let issuer = issuer.trim().to_owned();
    assert!(issuer.starts_with("http://127.0.0.1:"), "{issuer}");
    Some(Provider { child, issuer })
}

/// The table for it; its secret goes into the file `oidc-secret`.
pub(crate) fn table(issuer: &str) -> String {
    format!(
        "[page.oidc]\nissuer = \"{issuer}\"\nclient_id = \"doorward\"\nclient_secret = {{ file = \"{{dir}}/oidc-secret\" }}\n\
         scopes = [\"email\", \"groups\"]\n\
         [page.oidc.roles]\n\"Front desk\" = \"desk\"\n\"Managers\" = \"manager\"\n"
    )
}

pub(crate) fn site(issuer: &str) -> PageSite {
    let page = format!(
        "listen = \"127.0.0.1:0\"\npublic_url = \"https://doors.example.com:8444\"\n{}",
        table(issuer)
    );
    let mut site = PageSite::prepared(&page);
    site.gateway.secret("oidc-secret", SECRET);
    site.gateway.start();
    site
}

/// A browser at the provider: keeps its cookies, and stops where it is sent back.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    async fn go(
        &mut self,
        client: &Client,
        method: Method,
        url: &Url,
        body: &[(&str, &str)],
    ) -> reqwest::Response {
        let jar: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = client
            .request(method, url.clone())
            .header("cookie", jar.join("; "));
        if !body.is_empty() {
            request = form(request, body);
        }
        let answer = request.send().await.unwrap();
        for line in answer.headers().get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Signs in as `name`, consents, and gives where the provider sends the browser.
    async fn through(&mut self, client: &Client, start: Url, name: &str) -> Url {
        let mut at = start;
        for _ in 0..12 {
            if at.as_str().starts_with(BACK) {
                return at;
            }
            let mut answer = self.go(client, Method::GET, &at, &[]).await;
            if answer.status().is_success() && at.path().contains("/interaction/") {
                let page = answer.text().await.unwrap();
                let fields: &[(&str, &str)] = if page.contains("name=\"login\"") {
                    &[("prompt", "login"), ("login", name), ("password", "any")]
                } else {
                    &[("prompt", "consent")]
                };
                answer = self.go(client, Method::POST, &at, fields).await;
            }
            let next = answer.headers().get("location");
            let next = next.unwrap_or_else(|| panic!("{} at {at}", answer.status()));
            at = at.join(next.to_str().unwrap()).unwrap();
        }
        panic!("never sent back; last at {at}");
    }
}

/// Begins at the gateway: where it sends the browser, and the cookie that ties them.
pub(crate) fn begin(site: &PageSite) -> (Url, String) {
    let answer = site.send(site.client().get(format!("{}/signin/oidc", site.address())));
    assert_eq!(answer.status, 303, "{answer:?}");
    let line = answer.header("set-cookie");
    assert!(
        line.contains("SameSite=Lax") && line.contains("HttpOnly"),
        "{line}"
    );
    let pair = line.split(';').next().unwrap().to_owned();
    (answer.header("location").parse().unwrap(), pair)
}

/// Comes back to the gateway.
pub(crate) fn finish(site: &PageSite, back: &Url, tie: &str) -> Answer {
    let url = format!("{}{}?{}", site.address(), back.path(), back.query().unwrap());
    let request = site.client().get(url).header("cookie", tie);
    site.send(request.header("sec-fetch-site", "cross-site"))
}

#[test]
fn groups_at_the_identity_provider_are_roles_here() {
    let Some(provider) = provider(BACK) else { return };
    let site = site(&provider.issuer);
    let page = site.boss().client.get(format!("{}/signin", site.address()));
    assert!(site.send(page).text.contains("/signin/oidc"));
    let plain = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // The provider lets go of connections while nobody looks at ours.
        .pool_max_idle_per_host(0)
        .tls_backend_preconfigured(crate::page_site::no_tls())
        .build()
        .unwrap();

    let mut last = None;
    for (name, role) in [("ana", "desk"), ("ben", "manager")] {
        let (url, tie) = begin(&site);
        for part in [
            "code_challenge_method=S256",
            "nonce=",
            "response_type=code",
            "state=",
        ] {
            assert!(url.as_str().contains(part), "{part} in {url}");
        }
        let back = site.block_on(Browser::default().through(&plain, url, name));
        let stranger = finish(&site, &back, "__Host-doorward-oidc=another");
        assert_eq!(stranger.status, 403, "another browser");
        let signed = finish(&site, &back, &tie);
        assert_eq!(signed.status, 200, "{signed:?}");
        let session = cookie(&signed).expect("a session");
        let me = site
            .client()
            .get(format!("{}/api/v1/session", site.address()))
            .header("cookie", format!("__Host-doorward={session}"));
        let me = site.send(me).json();
        assert_eq!(
            (me["name"].as_str(), me["role"].as_str()),
            (Some(format!("oidc:{name}@example.com").as_str()), Some(role))
        );
        assert_eq!(finish(&site, &back, &tie).status, 403, "a code is good for once");
        last = Some(session);
    }
    let (url, tie) = begin(&site);
    let back = site.block_on(Browser::default().through(&plain, url, "eve"));
    let none = finish(&site, &back, &tie);
    assert_eq!(
        (none.status.as_u16(), none.text.contains("none of your groups")),
        (403, true),
        "{none:?}"
    );

    let trail = site.trail();
    let has = |actor: &str, outcome: &str| trail.iter().any(|it| it[0] == actor && it[3] == outcome);
    assert!(
        has("oidc:ana@example.com", "done") && has("oidc:eve@example.com", "no role"),
        "{trail:?}"
    );
    let log = site.gateway.log();
    assert!(!log.contains(SECRET) && !log.contains(&last.unwrap()));
}

#[test]
fn a_provider_that_is_not_there_is_said_and_passwords_still_work() {
    let site = site("http://127.0.0.1:9");
    site.boss();
    let answer = site.send(site.client().get(format!("{}/signin/oidc", site.address())));
    assert_eq!(
        (answer.status.as_u16(), answer.json()["type"].as_str()),
        (502, Some("/problems/provider"))
    );
    site.sign_in("boss", crate::page_site::PASSWORD);
}
