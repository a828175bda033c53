//! Web hooks from Cobot are hints; a survey tries every permission.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::cobot_site::{ANA, BEN, HOUR, NOW, Site};
use doorward::{
    domain::Moment,
    platform::{Heard, Hint, Hook, HookRefused, Platform},
};
use doorward_peers::{
    cobot::{Faults, Token},
    office::Office,
};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

fn hear(site: &Site, body: &str) -> Result<Heard, HookRefused> {
    site.adapter.hook(&Hook {
        headers: &[],
        body: body.as_bytes(),
        now: Moment::trusted(NOW),
    })
}

#[test]
fn a_body_is_read_for_what_it_points_to_and_for_nothing_else() {
    let site = Site::start();
    let object = |collection, id: &str| Hint::Object {
        collection,
        id: id.into(),
    };
    let table = [
        ("/api/memberships/m1", Hint::Person("m1".into())),
        ("/api/memberships/m1/time_passes", Hint::Person("m1".into())),
        ("/api/bookings/b1", object("bookings", "b1")),
        ("/api/allocations/a1", Hint::Collection("assignments")),
        ("/api/external_bookings/e1", Hint::Collection("bookings")),
        ("/api/check_ins/c1", Hint::Collection("passes")),
        ("/api/drop_in_passes/d1", Hint::Collection("passes")),
        ("/api/check_in_tokens/04A2B3C4D5E680", Hint::Collection("people")),
        ("/api/memberships/a%2Fb", Hint::Collection("memberships")),
        ("/api/something/else", Hint::Anything),
    ];
    for (path, hint) in table {
        for host in [site.cobot.url(), "https://riverside.cobot.me".into()] {
            let heard = hear(&site, &format!(r#"{{"url":"{host}{path}"}}"#)).unwrap();
            assert_eq!((heard.hints, heard.signed), (vec![hint.clone()], false), "{path}");
            assert!(!heard.delivery.contains("04A2"));
        }
    }
    let whole = r#"{"id":"b1","from":"2026/06/15 08:00:00 +0000","url":"https://riverside.cobot.me/api/bookings/b1"}"#;
    assert_eq!(hear(&site, whole).unwrap().hints, [object("bookings", "b1")]);
    for body in [
        r#"{"url":"https://elsewhere.cobot.me/api/bookings/b1"}"#,
        r#"{"url":"https://riverside.cobot.me.example.com/api/bookings/b1"}"#,
        r#"{"url":"not an address"}"#,
        r#"{"id":"b1"}"#,
        "[]",
        "",
    ] {
        assert_eq!(hear(&site, body), Err(HookRefused::Body), "{body}");
    }
}

#[test]
fn the_same_delivery_again_has_the_same_name_and_a_later_change_another() {
    let site = Site::start();
    let body = r#"{"url":"https://riverside.cobot.me/api/bookings/b1"}"#;
    let at = |at| {
        let now = Moment::trusted(at);
        let hook = Hook {
            headers: &[],
            body: body.as_bytes(),
            now,
        };
        site.adapter.hook(&hook).unwrap().delivery
    };
    assert_eq!(at(NOW), at(NOW + 200));
    assert_ne!(at(NOW), at(NOW + 2_000));
}

#[tokio::test]
async fn hooks_are_asked_for_once_and_renewed_when_they_were_switched_off() {
    let site = Site::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hooks/secret", listener.local_addr().unwrap());
    let url = address.parse().unwrap();
    site.adapter.subscribe(&url).await.unwrap();
    let all = site.cobot.edit(|world| world.subscriptions.clone());
    assert!(all.len() > 20 && all.iter().all(|it| it.callback == address && it.active));
    let before = site.cobot.log().len();
    site.adapter.subscribe(&url).await.unwrap();
    assert_eq!(site.cobot.log().len() - before, 1, "one look");
    site.cobot.edit(|world| world.subscriptions[3].active = false);
    site.adapter.subscribe(&url).await.unwrap();
    let renewed = site.cobot.edit(|world| world.subscriptions.clone());
    assert!(renewed.len() == all.len() && renewed.iter().all(|it| it.active));

    // And what Cobot sends is understood.
    let booking = site.cobot.book(ANA, "Meeting room", NOW, NOW + HOUR);
    let (mut stream, _) = listener.accept().unwrap();
    let mut text = Vec::new();
    let mut some = [0; 1_024];
    while !text.ends_with(b"}") {
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&some[..count]);
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    let text = String::from_utf8(text).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let expected = Hint::Object {
        collection: "bookings",
        id: booking,
    };
    assert_eq!(hear(&site, body).unwrap().hints, [expected]);
}

#[tokio::test]
async fn a_survey_tries_each_permission_and_lists_what_can_be_mapped() {
    let site = Site::start();
    site.cobot.give_passes(BEN, "Day pass", 1).unwrap();
    site.cobot.edit(|world| {
        world.zone = "Europe/Lisbon".into();
        world.tokens.push(Token {
            token: "aa-bb-cc-dd-ee-ff".into(),
            membership: ANA.into(),
        });
    });
    site.cobot.set_token("cobot-token", Some("boss@example.com"));
    site.cobot.faults(Faults {
        forbidden: vec!["/drop_in_passes".into()],
        skew: 600,
        ..Faults::default()
    });
    let survey = site.adapter.survey().await.unwrap();
    let outcomes: Vec<String> = survey
        .checks
        .iter()
        .map(|it| match &it.outcome {
            Ok(count) => format!("{}: {count}", it.what),
            Err(error) => format!("{}: {:?}", it.what, error.kind),
        })
        .collect();
    insta::assert_snapshot!(outcomes.join("\n"), @r"
memberships (read_memberships): 3
membership plans (read_memberships): 3
teams (read_teams): 1
resources (read_resources): 4
bookings (read_bookings): 0
external bookings (read_external_bookings): 0
allocations (read_allocations): 0
drop-in passes (read_drop_in_passes): Unauthorised
time passes (read_time_passes): 1
check-ins (read_check_ins): 0
check-in tokens (checkin_tokens): 1
");
    insta::assert_snapshot!(survey.remarks.join("\n"), @r"
Cobot's clock and this gateway's differ by 10 minutes.
The access token looks like a personal one, of boss@example.com: it ends when that person leaves. Move it to the space (docs/platforms/cobot.md).
1 check-in tokens are addresses of telephones on the wireless network and no cards; they are passed over.
");
    assert_eq!(
        survey.zone.as_deref(),
        Some("Europe/Lisbon"),
        "for whoever compares it with the site's"
    );
    let names: Vec<&str> = survey.catalogue.plans.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Day passes", "Full time", "Hot desk"]);
    assert_eq!(
        (survey.catalogue.passes[0].name.as_str(), survey.resources.len()),
        ("Day pass", 4)
    );
    assert_eq!(survey.zone.as_deref(), Some("Europe/Lisbon"));
}
