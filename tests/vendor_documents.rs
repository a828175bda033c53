//! Every request that an adapter sends is valid by the vendor's own OpenAPI document, and every answer of its simulator
//! too. `scripts/contract` runs these where it finds the documents; without them each is passed over.
//!
//! A platform is one scenario here: start the simulator, start a [`Judge`] in front of it, give the adapter the judge's
//! address, let it do everything that it can, and ask for the verdict.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    cobot_site::{ANA, BEN, CARA, DAY, HOUR, NOW, Site, adapter, check_in, config, fetch},
    vendor_judge::Judge,
};
use doorward::platform::{CheckInOutcome, Hint, Platform};
use doorward_peers::{
    cobot::{DropIn, External},
    office::Office,
};

#[tokio::test]
async fn cobot_is_asked_as_its_document_says() {
    let site = Site::start();
    let Some(judge) = Judge::start("cobot-api2-openapi.json", &site.cobot.url(), &[]) else {
        return;
    };
    site.cobot.give_card(ANA, "04A2B3C4D5E680");
    site.cobot.give_passes(BEN, "Day pass", 2).unwrap();
    let booking = site.cobot.book(ANA, "Meeting room", NOW + HOUR, NOW + 2 * HOUR);
    site.cobot.invite(&booking, CARA).unwrap();
    site.cobot.assign(CARA, "Office 2").unwrap();
    site.cobot.edit(|world| {
        world.members[0].team = Some("team-acme".into());
        world.externals.push(External {
            id: "external-1".into(),
            resource: "res-phone".into(),
            name: "Vera Visitor".into(),
            email: "vera@example.com".into(),
            status: "approved".into(),
            from: NOW,
            until: NOW + HOUR,
            contact: None,
        });
        world.drop_ins.push(DropIn {
            id: "drop-in-1".into(),
            name: "Day pass".into(),
            visitor: "Dan Drop".into(),
            email: "dan@example.com".into(),
            day: "2026-06-15".into(),
            status: "confirmed".into(),
            times: serde_json::json!([{"from": "09:00", "to": "17:00", "weekdays": [1, 2]}]),
            contact: Some("contact-1".into()),
        });
        for number in 0..250 {
            world.book(
                None,
                "res-meeting",
                NOW + 3 * DAY + number * 60_000,
                NOW + 4 * DAY,
            );
        }
    });
    // API 1 has no document: its requests go straight to the simulator.
    let mut config = config(&site.cobot);
    config.url = judge.url().parse().unwrap();
    let adapter = adapter(&config, &site.clock);
    let survey = adapter.survey().await.unwrap();
    assert!(
        survey.checks.iter().all(|check| check.outcome.is_ok()),
        "{survey:?}"
    );
    let first = fetch(&adapter).await;
    let with_token = adapter.check_in(&check_in("here-1", ANA, NOW)).await.unwrap();
    let without = adapter.check_in(&check_in("here-2", BEN, NOW)).await.unwrap();
    for outcome in [with_token, without] {
        assert!(matches!(outcome, CheckInOutcome::Accepted { .. }), "{outcome:?}");
    }
    site.cobot.move_booking(&booking, NOW + 2 * HOUR, NOW + 3 * HOUR);
    let hints = [
        Hint::Object {
            collection: "bookings",
            id: booking,
        },
        Hint::Person(CARA.into()),
        Hint::Collection("people"),
        Hint::Collection("assignments"),
    ];
    adapter.refresh(&first.known, first.facts, &hints).await.unwrap();
    let report = judge.verdict("cobot");
    let operations = [
        "get /user",
        "get /spaces/{spaceId}",
        "get /spaces/{spaceId}/memberships",
        "get /spaces/{spaceId}/membership_plans",
        "get /spaces/{spaceId}/teams",
        "get /spaces/{spaceId}/resources",
        "get /spaces/{spaceId}/bookings",
        "get /spaces/{spaceId}/external_bookings",
        "get /spaces/{spaceId}/allocations",
        "get /spaces/{spaceId}/drop_in_passes",
        "get /memberships/{membershipId}/check_ins",
        "get /memberships/{id}",
        "get /bookings/{id}",
        "post /check_ins",
    ];
    for operation in operations {
        assert!(
            report.operations.contains_key(operation),
            "{operation} is not among {:?}",
            report.operations
        );
    }
}
