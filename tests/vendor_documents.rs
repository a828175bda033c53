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

#[tokio::test]
async fn spacebring_is_asked_as_its_document_says() {
    use crate::spacebring_site as site;
    use doorward_peers::spacebring::{Balance, Customer, Space};

    let mut space = Space::usual();
    let [carmen, diego] = [0, 1].map(|number: usize| space.members[number].id.clone());
    let company = space.companies[0].id.clone();
    for number in 0..230 {
        space.member(&format!("Member{number}"), "Many", "member");
    }
    let guest = space.member("Gala", "Ruiz", "nonmember");
    let away = space.member("Nora", "Pla", "member");
    space.members.last_mut().unwrap().location = space.elsewhere.clone();
    let group = space.id();
    space.plans[0].salto = Some(group);
    let whole = space.subscribe(Customer::Company(company.clone()), "Full time", site::hour(-48));
    space.subscribe(Customer::User(carmen.clone()), "Day passes", site::hour(-48));
    let desk = (space.id(), space.resources[2].id.clone());
    let paused = &mut space.subscriptions[1];
    paused.assignments.push(desk);
    (paused.paused, paused.end) = (true, Some(site::hour(500)));
    paused.items[0].end = Some(site::hour(400));
    let balance = Balance {
        amount: 2.0,
        allocation: 3,
        expires: None,
        subscription: None,
    };
    space.balances.insert(company.clone(), vec![balance]);
    let booking = space.book(&guest, "Meeting room", site::hour(1), site::hour(2));
    space.bookings[0].attendees = vec![Ok(carmen.clone()), Err("nobody@example.com".into())];
    space.bookings[0].repeat = Some((1, 30));
    space.book(&away, "Desk 7", site::hour(3), site::hour(4));
    space.bookings[1].status = "tentative";
    let simulator = doorward_peers::spacebring::Spacebring::with(space).unwrap();
    let Some(judge) = Judge::start("spacebring-openapi.json", &simulator.url(), &["/oauth2/"]) else {
        return;
    };
    // Both ways of signing in.
    for mut settings in [site::config(&simulator), site::oauth(&simulator)] {
        settings.url = judge.url().parse().unwrap();
        let site = site::Site::beside(&settings);
        let survey = site.1.survey().await.unwrap();
        assert!(
            survey.checks.iter().all(|check| check.outcome.is_ok()),
            "{survey:?}"
        );
        let (facts, problems, known) = site::take(site.1.fetch(None).await.unwrap());
        assert_eq!(problems, Vec::<String>::new());
        let hints = [
            Hint::Object {
                collection: "bookings",
                id: booking.clone(),
            },
            Hint::Object {
                collection: "memberships",
                id: whole.clone(),
            },
            Hint::Person(diego.as_str().into()),
            Hint::Collection("resources"),
        ];
        site.1.refresh(&known, facts, &hints).await.unwrap();
        let card = "uid:04A2B3C4D5E680".parse().unwrap();
        let carmen = carmen.as_str().into();
        site.1.assign_credential(&carmen, &card).await.unwrap();
        site.1.remove_credential(&carmen, &card).await.unwrap();
    }
    let report = judge.verdict("spacebring");
    let operations = [
        "get /locations/v1",
        "get /locations/v1/{locationId}",
        "get /plans/v1",
        "get /community/companies/v1",
        "get /community/companies/v1/{id}",
        "get /community/memberships/v1",
        "get /community/memberships/v1/{id}",
        "put /community/memberships/v1/{id}",
        "get /resources/v1",
        "get /resources/bookings/v1",
        "get /resources/bookings/v1/{bookingId}",
        "get /subscriptions/v1",
        "get /subscriptions/v1/{subscriptionId}",
        "get /transactions/v1/balances/{id}/day_passes",
    ];
    let found: Vec<&str> = report.operations.keys().map(String::as_str).collect();
    for operation in operations {
        assert!(found.contains(&operation), "{operation} is not among {found:?}");
    }
    assert_eq!(found.len(), operations.len(), "{found:?}");
}
