//! Staff sign in at the page, over real TLS: the first account, passwords, sessions and how they end, forged requests.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::page_site::{PASSWORD, PageSite, cookie, form};

#[test]
fn the_first_account_is_made_once_with_the_code_of_the_gateway() {
    let mut site = PageSite::start();
    let code = site.first_code();
    assert!(site.gateway.log().contains(&code), "on the console");
    assert!(
        site.gateway.report().to_string().find(&code).is_none(),
        "not in what is passed on"
    );
    let page = site.send(site.client().get(format!("{}/signin", site.address())));
    assert!(page.text.contains("First account") && !page.text.contains(&code));
    let german = site.client().get(format!("{}/signin", site.address()));
    let german = site.send(german.header("accept-language", "de-AT, en;q=0.5"));
    assert!(german.text.contains("Erstes Konto") && german.text.contains("lang=\"de\""));
    assert!(
        !page.text.contains("<script") && !page.text.contains("style="),
        "the policy allows neither"
    );

    let first = |code: &str, name: &str, password: &str| {
        site.form(
            "/signin/first",
            &[("code", code), ("name", name), ("password", password)],
        )
    };
    assert_eq!(first("AAAA-AAAA-AAAA", "boss", PASSWORD).status, 403);
    let short = first(&code, "boss", "short");
    assert_eq!(
        (short.status.as_u16(), short.text.contains("too short")),
        (400, true)
    );
    assert_eq!(
        first(&code, "root", PASSWORD).status,
        400,
        "a name that the trail needs"
    );
    let typed = code.to_lowercase().replace('-', " ");
    let made = first(&typed, "Boss", PASSWORD);
    assert_eq!(made.status, 303, "{made:?}");
    assert!(cookie(&made).is_some());
    assert_eq!(first(&code, "second", PASSWORD).status, 403, "used up");

    let (_, out, _) = site.gateway.command(&["report"]);
    assert!(!out.contains("code for the first one"));
    site.gateway.stop();
    site.gateway.start();
    assert!(!site.gateway.log().ends_with("code for the first one"));
    site.sign_in("boss", PASSWORD);
    let log = site.gateway.log();
    assert!(!log.contains(PASSWORD) && !log.contains(cookie(&made).unwrap().as_str()));
}

#[test]
fn a_session_ends_with_what_it_rests_on() {
    let site = PageSite::start();
    let boss = site.boss();
    assert!(boss.get("/plain").text.contains("Signed in as boss, Installer"));
    let ana = site.account("ana@example.com", "desk");
    let other = site.sign_in("ana@example.com", PASSWORD);
    assert!(ana.holds() && other.holds());
    ana.form("/signout", &[]);
    assert!(!ana.holds() && other.holds());

    site.gateway.json(&["staff", "role", "ana@example.com", "viewer"]);
    assert!(!other.holds(), "another role");
    let again = site.sign_in("ana@example.com", PASSWORD);
    let reset = site.gateway.json(&["staff", "reset", "ana@example.com"]);
    assert!(!again.holds(), "another password");
    let forced = site.sign_in("ana@example.com", reset["secret"].as_str().unwrap());
    let page = forced.get("/plain");
    assert!(
        page.text.contains("change it now") && !page.text.contains("<h2>Faults"),
        "{page:?}"
    );
    site.gateway.json(&["staff", "sign-out", "ana@example.com"]);
    assert!(!forced.holds());
    let last = site.sign_in("ana@example.com", reset["secret"].as_str().unwrap());
    site.gateway.json(&["staff", "remove", "ana@example.com"]);
    assert!(!last.holds(), "no account");
    assert!(boss.holds(), "nobody else is concerned");

    let trail = site.trail();
    for (action, subject) in [
        ("staff.first", "boss"),
        ("staff.added", "ana@example.com as desk"),
        ("staff.role", "ana@example.com to viewer"),
        ("staff.removed", "ana@example.com"),
    ] {
        assert!(
            trail
                .iter()
                .any(|it| it[1] == action && it[2] == subject && it[3] == "done"),
            "{action} {trail:?}"
        );
    }
    let whole = site.gateway.json(&["audit", "verify"]);
    assert_eq!(whole["flaws"], serde_json::json!([]));
    let board = site.gateway.report()["sections"]["audit"]["head"].clone();
    assert_eq!(
        board, whole["head"],
        "the end of the trail is told to the building network"
    );
}

#[test]
fn wrong_passwords_wait_and_nobody_learns_who_has_an_account() {
    let site = PageSite::start();
    site.boss();
    let attempt = |name: &str| site.form("/signin", &[("name", name), ("password", "wrong password")]);
    let (known, unknown) = (attempt("boss"), attempt("nobody"));
    assert_eq!((known.status.as_u16(), &known.text), (401, &unknown.text));
    assert_eq!(known.status, unknown.status);
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(attempt("ben").status.as_u16());
    }
    assert!(seen.contains(&401) && seen.contains(&429), "{seen:?}");
    let waiting = attempt("ben");
    if waiting.status == 429 {
        assert!(waiting.header("retry-after").parse::<u64>().unwrap() <= 60);
    }
    let trail = site.trail();
    assert!(
        trail
            .iter()
            .any(|it| it[0] == "ben" && it[1] == "session.begun" && it[3] == "refused")
    );
}

#[test]
fn a_request_that_another_page_made_changes_nothing() {
    let site = PageSite::start();
    let boss = site.boss();
    let send = |pairs: &[(&str, &str)]| {
        let mut request = boss.client.post(format!("{}/signout", boss.address));
        request = request.header("cookie", format!("__Host-doorward={}", boss.cookie));
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        site.send(form(request, &[])).status.as_u16()
    };
    assert_eq!(send(&[]), 403);
    assert_eq!(
        send(&[("sec-fetch-site", "cross-site"), ("x-doorward", "1")]),
        403
    );
    assert_eq!(send(&[("origin", "https://evil.example")]), 403);
    assert!(boss.holds());
    let sign_in = site.client().post(format!("{}/signin", site.address()));
    let forged = site.send(form(sign_in, &[("name", "boss"), ("password", PASSWORD)]));
    assert_eq!(forged.status, 403, "nor does it sign anybody in");
    assert_eq!(send(&[("origin", &boss.address)]), 303);
    assert!(!boss.holds());
}
