//! What the page's interface says to whoever means it ill, or is careless.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::page_site::{PageSite, Signed};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[test]
fn a_body_that_is_too_large_is_a_problem_in_words() {
    let site = PageSite::start();
    let boss = site.boss();
    let answer = boss.post(
        "/api/v1/cards/import",
        &json!({ "csv": "x".repeat(300 << 10), "format": "uid" }),
    );
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(answer.json()["detail"].as_str().unwrap().contains("256 kB"));
}

#[test]
fn nobody_signs_out_a_role_above_their_own() {
    let site = PageSite::start();
    let boss = site.boss();
    let manager = site.account("mia", "manager");
    let desk = site.account("dora", "desk");
    let out = |signed: &Signed<'_>, name: &str| {
        let path = format!("/api/v1/staff/{name}/sessions");
        site.send(signed.request(Method::DELETE, &path)).status
    };
    assert_eq!(out(&manager, "boss"), 403);
    assert!(boss.get("/api/v1/session").status == 200, "still there");
    assert_eq!(
        (out(&manager, "nobody"), out(&manager, "oidc:nobody")),
        (StatusCode::NOT_FOUND, StatusCode::NO_CONTENT)
    );
    assert_eq!(out(&manager, "dora"), 204);
    assert_eq!(desk.get("/api/v1/session").status, 401);
    assert_eq!(out(&boss, "mia"), 204);
    assert_eq!(manager.get("/api/v1/session").status, 401);
    let trail = site.trail();
    let refused = |it: &[String; 4]| {
        it[0] == "mia" && it[1] == "session.ended_everywhere" && it[2] == "boss" && it[3] == "not allowed"
    };
    assert!(trail.iter().any(refused), "{trail:?}");
}

#[test]
fn a_name_of_dots_alone_is_none_as_no_browser_could_ever_remove_it() {
    let site = PageSite::start();
    let boss = site.boss();
    for name in ["..", ".", "@", "--"] {
        let made = boss.post("/api/v1/staff", &json!({ "name": name, "role": "desk" }));
        assert_eq!(made.status, 400, "{name}");
    }
}

#[test]
fn a_token_is_known_however_the_scheme_is_written_and_by_nothing_else() {
    let site = PageSite::start();
    let made = site
        .gateway
        .json(&["staff", "token", "add", "lobby", "--scope", "doors:read"]);
    let secret = made["secret"].as_str().unwrap();
    let with = |given: String| {
        let request = site.client().get(format!("{}/api/v1/doors", site.address()));
        site.send(request.header("authorization", given)).status
    };
    assert_eq!(with(format!("bearer {secret}")), 200);
    assert_eq!(with(format!("Bearer  {secret}")), 200);
    assert_eq!(with(format!("Basic {secret}")), 401);
    assert_eq!(with(secret.to_owned()), 401);
}
