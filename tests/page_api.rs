//! The JSON API over real TLS: its document, its roles, its pages, its stream.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    harness::wait_for,
    page_site::{Answer, PASSWORD, PageSite, Signed},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;

#[test]
#[expect(clippy::disallowed_methods, reason = "the word that snapshots are written by")]
fn the_document_is_the_one_that_is_checked_in() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api/openapi.json");
    let made = doorward::web::api::document().unwrap();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(path, &made).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap() == made,
        "docs/api/openapi.json is out of date: INSTA_UPDATE=always cargo test the_document_is_the_one writes it"
    );
}

/// Every operation: method, path, scope.
fn operations() -> Vec<(Method, String, Option<String>)> {
    let document: Value = serde_json::from_str(&doorward::web::api::document().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scope = operation["x-scope"].as_str().map(str::to_owned);
            found.push((method.to_uppercase().parse().unwrap(), path.clone(), scope));
        }
    }
    assert!(found.len() > 25, "{found:?}");
    found
}

/// A body that fits the operation, so that what refuses it is the role.
fn body(path: &str) -> &'static str {
    match path {
        "/api/v1/staff" => r#"{"name":"never-made","role":"installer"}"#,
        "/api/v1/staff/{name}" => r#"{"role":"viewer"}"#,
        "/api/v1/tokens" => r#"{"name":"never-made","scopes":["status:read"]}"#,
        "/api/v1/doors/{id}/lockdown" => r#"{"on":true}"#,
        "/api/v1/cards/read" => r#"{"number":"nothing"}"#,
        "/api/v1/cards/assign" => r#"{"card":"known@x","person":"nobody"}"#,
        "/api/v1/cards/replace" => r#"{"old":"known@x","new":"known@y","lost":true}"#,
        "/api/v1/cards/guest" => r#"{"card":"known@x","name":"nobody","groups":["nowhere"]}"#,
        "/api/v1/cards/look"
        | "/api/v1/cards/return"
        | "/api/v1/cards/block"
        | "/api/v1/cards/unblock"
        | "/api/v1/queues/{name}/present" => r#"{"card":"known@x"}"#,
        "/api/v1/cards/import" => r#"{"text":"card,name\n"}"#,
        "/api/v1/conflicts/{id}" => r#"{"resolution":"retry"}"#,
        _ => "{}",
    }
}

/// The answer to an operation about things that there are not.
fn tried(signed: &Signed<'_>, method: &Method, path: &str) -> Answer {
    let body = body(path);
    let path = path
        .replace("{id}", "nothing")
        .replace("{name}", "nobody-of-this-name");
    let request = signed.request(method.clone(), &path);
    signed.site.send(
        request
            .header("last-event-id", "x")
            .header("content-type", "application/json")
            .body(body),
    )
}

#[test]
fn every_operation_asks_for_its_role() {
    let site = PageSite::start();
    let boss = site.boss();
    let roles = ["viewer", "desk", "manager"].map(|role| (role, site.account(role, role)));
    // The table of docs/page.md, by hand.
    let least = |scope: &str| match scope {
        "status:read" | "events:read" | "doors:read" => 0,
        "people:read" | "cards:write" | "doors:open" => 1,
        "doors:lockdown" | "sync:run" | "audit:read" | "staff:manage" | "tokens:manage" => 2,
        other => panic!("{other}"),
    };
    let stranger = Signed {
        site: &site,
        address: site.address(),
        client: site.client(),
        cookie: "nobody".into(),
    };
    for (method, path, scope) in operations() {
        let open = path == "/api/v1/session" && method == Method::POST || path.ends_with("/first");
        let unknown = tried(&stranger, &method, &path);
        assert_eq!(unknown.status == 401, !open, "{method} {path}: {unknown:?}");
        let Some(scope) = scope else {
            assert!(path.contains("session"), "{path} has no scope");
            continue;
        };
        assert_eq!(unknown.header("content-type"), "application/problem+json");
        for (place, (role, signed)) in roles.iter().enumerate() {
            let answer = tried(signed, &method, &path);
            // Nobody but an installer makes installers: that is refused for another reason than the scope.
            let installer = path == "/api/v1/staff" && method == Method::POST;
            if place < least(&scope) {
                assert_eq!(answer.status, 403, "{role}: {method} {path}: {answer:?}");
            } else if !installer {
                assert_ne!(answer.status, 403, "{role}: {method} {path}: {answer:?}");
            }
            assert!(
                answer.status != 401 && answer.status.as_u16() < 500,
                "{role}: {method} {path}: {answer:?}"
            );
        }
        assert_ne!(
            tried(&boss, &method, &path).status,
            403,
            "installer: {method} {path}"
        );
    }
}

#[test]
fn a_manager_makes_no_installer_and_the_last_installer_stays() {
    let site = PageSite::start();
    let boss = site.boss();
    let manager = site.account("mia", "manager");
    let add = |signed: &Signed<'_>, name: &str, role: &str| {
        signed.post("/api/v1/staff", &json!({ "name": name, "role": role }))
    };
    assert_eq!(add(&manager, "eve", "installer").status, 403);
    let made = add(&manager, "dan", "desk");
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(add(&manager, "dan", "desk").status, 409);
    let forced = site.sign_in("dan", made.json()["secret"].as_str().unwrap());
    assert_eq!(
        forced.get("/api/v1/doors").status,
        403,
        "a password that others know opens nothing"
    );
    let own = forced.post(
        "/api/v1/session/password",
        &json!({ "old": made.json()["secret"], "new": PASSWORD }),
    );
    assert_eq!(
        (own.status.as_u16(), own.json()["must_change"].clone()),
        (200, json!(false))
    );

    let over = |signed: &Signed<'_>, method: Method, path: &str, body: &str| {
        let request = signed
            .request(method, path)
            .header("content-type", "application/json");
        site.send(request.body(body.to_owned())).status.as_u16()
    };
    assert_eq!(over(&manager, Method::DELETE, "/api/v1/staff/boss", ""), 403);
    assert_eq!(
        over(&manager, Method::POST, "/api/v1/staff/boss/password", ""),
        403
    );
    assert_eq!(
        over(
            &manager,
            Method::PATCH,
            "/api/v1/staff/mia",
            r#"{"role":"installer"}"#
        ),
        403
    );
    assert_eq!(
        over(&boss, Method::DELETE, "/api/v1/staff/boss", ""),
        409,
        "nobody would be left"
    );
    assert_eq!(
        over(
            &boss,
            Method::PATCH,
            "/api/v1/staff/mia",
            r#"{"role":"installer"}"#
        ),
        204
    );
    assert!(!manager.holds());
    assert_eq!(over(&boss, Method::DELETE, "/api/v1/staff/boss", ""), 204);
    assert!(!boss.holds());
    let trail = site.trail();
    let refused = ["mia", "staff.added", "eve as installer", "not allowed"].map(str::to_owned);
    assert!(trail.contains(&refused), "{trail:?}");
}

#[test]
fn a_token_does_what_its_scopes_say_until_it_is_revoked() {
    let mut site = PageSite::start();
    let boss = site.boss();
    let made = boss.post(
        "/api/v1/tokens",
        &json!({ "name": "lobby", "scopes": ["doors:read", "events:read"] }),
    );
    assert_eq!(made.status, 201, "{made:?}");
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let refused = boss.post(
        "/api/v1/tokens",
        &json!({ "name": "bad", "scopes": ["staff:manage"] }),
    );
    assert_eq!(refused.status, 400);
    let get = |site: &PageSite, path: &str| {
        let request = site.client().get(format!("{}{path}", site.address()));
        site.send(request.bearer_auth(&secret))
    };
    assert_eq!(get(&site, "/api/v1/doors").json()[0]["name"], "Front door");
    assert_eq!(get(&site, "/api/v1/people").status, 403);
    let me = get(&site, "/api/v1/session").json();
    assert_eq!((&me["name"], &me["role"]), (&json!("token:lobby"), &Value::Null));
    let known = boss.get("/api/v1/tokens");
    assert!(known.json()[0]["used"].is_i64() && !known.text.contains(&secret));
    wait_for("its use on the disk", || {
        let state = fs::read(site.gateway.path().join("state/state.db-wal")).unwrap_or_default();
        let text = String::from_utf8_lossy(&state).into_owned();
        assert!(!text.contains(&secret), "at rest there is a sum of it");
        if text.contains("token/lobby") {
            Ok(())
        } else {
            Err(text.len())
        }
    });
    site.gateway.stop();
    site.gateway.start();
    assert_eq!(get(&site, "/api/v1/events").status, 200, "after a restart");
    site.gateway.json(&["staff", "token", "remove", "lobby"]);
    assert_eq!(get(&site, "/api/v1/events").status, 401);
    assert!(!site.gateway.log().contains(&secret));
}

#[test]
fn events_come_in_pages_and_people_with_their_rights() {
    let site = PageSite::start();
    let boss = site.boss();
    let first = wait_for("the facts", || {
        let page = boss.get("/api/v1/events?limit=2").json();
        let people = boss.get("/api/v1/people").json();
        if people["total"] == 2 && page["next"].is_u64() {
            Ok(page)
        } else {
            Err(Box::new((page, people)))
        }
    });
    let sequence = |event: &Value| event["sequence"].as_u64().unwrap();
    let events = first["events"].as_array().unwrap();
    assert!(events.len() == 2 && sequence(&events[0]) > sequence(&events[1]));
    let next = boss
        .get(&format!("/api/v1/events?limit=2&cursor={}", first["next"]))
        .json();
    let older = next["events"].as_array().unwrap().first().cloned();
    assert!(older.is_none_or(|older| sequence(&older) < sequence(&events[1])));
    let started = boss.get("/api/v1/events?kind=started").json();
    assert_eq!(started["events"][0]["words"], "started");
    assert_eq!(boss.get("/api/v1/events?kind=nonsense").status, 400);
    assert_eq!(boss.get("/api/v1/events?limit=0").status, 400);

    assert_eq!(
        boss.get("/api/v1/people?q=EXAMPLE%20ruiz").json()["people"][0]["id"],
        "ana"
    );
    let ana = boss.get("/api/v1/people/ana").json();
    let card = &ana["cards"][0];
    assert_eq!(
        (&card["shown"], &card["kind"], &card["scheme"]),
        (&json!("uid:…80"), &json!("platform"), &json!("uid"))
    );
    let right = &ana["access"][0];
    assert_eq!(
        (&right["state"], &right["because"], &right["doors"]),
        (&json!("open"), &json!("Flex"), &json!(["front"]))
    );
    assert_eq!(boss.get("/api/v1/people/ben").json()["access"], json!([]));
    let nobody = boss.get("/api/v1/people/nobody");
    assert_eq!(
        (nobody.status.as_u16(), nobody.header("content-type")),
        (404, "application/problem+json")
    );
    assert_eq!(boss.get("/api/v1/nothing").json()["type"], "/problems/missing");
    let status = boss.get("/api/v1/status").json();
    assert!(status["sections"]["page"]["fingerprint"].is_string());
    assert!(boss.post("/api/v1/sync/now", &json!({})).json()["message"].is_string());
}

#[test]
fn doors_are_opened_and_locked_down_by_those_who_may() {
    let mut site = PageSite::start();
    let boss = site.boss();
    let desk = site.account("dan", "desk");
    assert_eq!(desk.post("/api/v1/doors/nothing/open", &json!({})).status, 404);
    let none = desk.post("/api/v1/doors/front/open", &json!({}));
    assert_eq!(
        (none.status.as_u16(), none.text.contains("opens this door")),
        (409, true),
        "{none:?}"
    );
    let lock = |signed: &Signed<'_>, on: bool| {
        let request = signed.request(Method::PUT, "/api/v1/doors/front/lockdown");
        site.send(
            request
                .header("content-type", "application/json")
                .body(json!({ "on": on }).to_string()),
        )
    };
    assert_eq!(lock(&desk, true).status, 403);
    assert_eq!(lock(&boss, true).status, 200);
    let front = || boss.get("/api/v1/doors").json()[0]["lockdown"].clone();
    wait_for("lockdown", || if front() == true { Ok(()) } else { Err(front()) });
    assert_eq!(lock(&boss, false).status, 200);
    wait_for("its end", || if front() == false { Ok(()) } else { Err(front()) });
    // It outlives the gateway, and is still known to be somebody's doing.
    assert_eq!(lock(&boss, true).status, 200);
    site.gateway.kill();
    site.gateway.start();
    let begun = site.gateway.report()["sections"]["lockdown"]["front"].clone();
    assert_eq!(begun["by"], "boss", "{begun}");
    let doors = wait_for("the doors", || {
        let doors = site.gateway.report()["sections"]["doors"].clone();
        if doors["front"].is_object() {
            Ok(doors)
        } else {
            Err(doors)
        }
    });
    assert_eq!(
        (&doors["front"]["lockdown"], &doors["back"]["lockdown"]),
        (&json!(true), &json!(false))
    );
    let (_, shown, _) = site.gateway.command(&["report"]);
    assert!(shown.contains("by boss: no card opens it"), "{shown}");
    let began = site.gateway.events();
    let began = began.iter().filter(|event| event["kind"] == "lockdown_began");
    assert_eq!(began.count(), 2, "a restart is no beginning");
    let boss = site.sign_in("boss", PASSWORD);
    let ended = boss.request(Method::PUT, "/api/v1/doors/front/lockdown");
    let ended = ended
        .header("content-type", "application/json")
        .body(r#"{"on":false}"#);
    assert_eq!(site.send(ended).status, 200);
    assert_eq!(site.gateway.report()["sections"]["lockdown"], json!({}));
    let trail = site.trail();
    let user = std::process::Command::new("id")
        .arg("-un")
        .output()
        .unwrap()
        .stdout;
    let user = String::from_utf8(user).unwrap();
    for (actor, action, outcome) in [
        (user.trim(), "staff.added", "done"),
        ("dan", "door.opened", "not possible now"),
        ("dan", "door.lockdown_began", "not allowed"),
        ("boss", "door.lockdown_began", "done"),
        ("boss", "door.lockdown_ended", "done"),
    ] {
        assert!(
            trail
                .iter()
                .any(|it| it[0] == actor && it[1] == action && it[3] == outcome),
            "{action}: {trail:?}"
        );
    }
}

/// Reads a stream until it has said this.
async fn until(stream: &mut reqwest::Response, seen: &mut String, word: &str) {
    while !seen.contains(word) {
        let more = tokio::time::timeout(crate::harness::PATIENCE, stream.chunk()).await;
        let more = more.unwrap_or_else(|_| panic!("{word} in {seen}")).unwrap();
        let more = more.unwrap_or_else(|| panic!("ended: {seen}"));
        seen.push_str(std::str::from_utf8(&more).unwrap());
    }
}

#[test]
fn the_stream_tells_what_happens_is_taken_up_again_and_ends_with_the_session() {
    let site = PageSite::start();
    let boss = site.boss();
    let viewer = site.account("screen", "viewer");
    let open = |last: Option<&str>| {
        let request = viewer.request(Method::GET, "/api/v1/live");
        match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        }
    };
    let lock = |on: bool| {
        let request = boss.request(Method::PUT, "/api/v1/doors/front/lockdown");
        request
            .header("content-type", "application/json")
            .body(json!({ "on": on }).to_string())
    };
    let id = site.block_on(async {
        let mut stream = open(None).send().await.unwrap();
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        let mut seen = String::new();
        until(&mut stream, &mut seen, "event: doors").await;
        assert!(seen.contains("event: faults"));
        lock(true).send().await.unwrap();
        until(&mut stream, &mut seen, "\"lockdown_began\"").await;
        until(&mut stream, &mut seen, "\"lockdown\":true").await;
        let before = seen.split("\"lockdown_began\"").next().unwrap();
        let id = before
            .rsplit("id: ")
            .next()
            .unwrap()
            .split('\n')
            .next()
            .unwrap()
            .to_owned();
        drop(stream);
        lock(false).send().await.unwrap();
        id
    });
    site.block_on(async {
        let mut stream = open(Some(&id)).send().await.unwrap();
        let mut seen = String::new();
        until(&mut stream, &mut seen, "\"lockdown_ended\"").await;
        assert!(
            !seen.contains("\"lockdown_began\""),
            "that one had arrived: {seen}"
        );
    });
    let removed = site.block_on(async {
        let mut stream = open(None).send().await.unwrap();
        let gone = boss
            .request(Method::DELETE, "/api/v1/staff/screen")
            .send()
            .await
            .unwrap();
        let deadline = async { while let Ok(Some(_)) = stream.chunk().await {} };
        tokio::time::timeout(crate::harness::PATIENCE, deadline)
            .await
            .expect("the stream ends");
        gone.status().as_u16()
    });
    assert_eq!(removed, 204);
}
