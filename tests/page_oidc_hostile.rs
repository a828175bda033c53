//! An identity provider that lies, or is somebody else's, lets nobody in: each check of OpenID Connect Core 3.1.3.7 by itself, over
//! real HTTP with real signatures.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    page_oidc::{BACK, Provider, SECRET, begin, finish, hostile, site},
    page_site::{Answer, PageSite, cookie},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::Url;

fn served(issuer: &str) -> PageSite {
    let site = site(issuer);
    site.address();
    site
}

/// Signs in with a provider that says this. The nonce is the right one unless the claims have another; what is null is not said.
fn told(site: &PageSite, lie: &str, claims: Value) -> Answer {
    let (url, tie) = begin(site);
    let asked = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    let mut all = json!({ "nonce": asked("nonce"), "groups": ["Front desk"], "email": "ana@example.com", "email_verified": true });
    let all = all.as_object_mut().unwrap();
    all.extend(claims.as_object().unwrap().clone());
    all.retain(|_, value| !value.is_null());
    let code = URL_SAFE_NO_PAD.encode(json!({ "lie": lie, "claims": all }).to_string());
    let mut back: Url = BACK.parse().unwrap();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &asked("state"));
    finish(site, &back, &tie)
}

#[test]
fn what_a_provider_says_that_does_not_hold_signs_nobody_in() {
    let Some(Provider { issuer, .. }) = &hostile() else {
        return;
    };
    let site = served(issuer);
    assert_eq!(told(&site, "", json!({})).status, 200, "the truth");
    let past = doorward::clock::Clock::system(true, 0).now().at / 1_000 - 3_600;
    for (lie, claims) in [
        ("", json!({ "nonce": "another" })),
        ("", json!({ "nonce": null })),
        ("", json!({ "aud": "another" })),
        ("", json!({ "aud": ["doorward", "another"] })),
        ("", json!({ "iss": "https://another.example.com" })),
        ("", json!({ "exp": past })),
        ("unsigned", json!({})),
        ("shared secret", json!({})),
        ("other key", json!({})),
        ("no token", json!({})),
        ("somebody else", json!({ "groups": null })),
    ] {
        let answer = told(&site, lie, claims.clone());
        let said = (answer.status.as_u16(), cookie_of(&answer));
        assert_eq!(said, (502, None), "{lie} {claims}: {answer:?}");
    }
    let log = site.gateway.log();
    assert!(!log.contains(SECRET), "a secret in the log");
}

fn cookie_of(answer: &Answer) -> Option<String> {
    let set = answer.headers.get("set-cookie")?.to_str().unwrap();
    set.starts_with("__Host-doorward=")
        .then(|| cookie(answer))
        .flatten()
}

#[test]
fn nobody_has_the_name_of_an_address_that_the_provider_does_not_vouch_for() {
    let Some(Provider { issuer, .. }) = &hostile() else {
        return;
    };
    let site = served(issuer);
    let name = |claims: Value| {
        let signed = told(&site, "", claims);
        let session = cookie(&signed).expect("a session");
        let me = site.client().get(format!("{}/api/v1/session", site.address()));
        let me = me.header("cookie", format!("__Host-doorward={session}"));
        site.send(me).json()["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(json!({})), "oidc:ana@example.com");
    assert_eq!(name(json!({ "email_verified": false })), "oidc:7");
    assert_eq!(
        name(json!({ "email_verified": false, "preferred_username": "ana" })),
        "oidc:ana"
    );
    // People choose what they are called there: an address among it is nobody's word but theirs.
    let chosen = json!({ "email_verified": false, "preferred_username": "boss@example.com" });
    assert_eq!(name(chosen), "oidc:7");
}

#[test]
fn a_provider_that_changed_its_keys_is_asked_for_the_new_ones() {
    let Some(Provider { issuer, .. }) = &hostile() else {
        return;
    };
    let site = served(issuer);
    assert_eq!(told(&site, "", json!({})).status, 200);
    // Signed by a key that came after the gateway had looked.
    let first = told(&site, "new key", json!({}));
    assert!(first.status == 200 || first.status == 502, "{first:?}");
    assert_eq!(
        told(&site, "", json!({})).status,
        200,
        "at the next attempt at the latest"
    );
}
