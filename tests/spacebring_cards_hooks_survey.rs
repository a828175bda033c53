//! Cards, web hooks and the survey at the simulated Spacebring, and that entries are not sent there.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::spacebring_site::*;
use doorward::{
    config::model::CardText,
    domain::{ClockQuality, time::Moment},
    platform::{CheckIn, CheckIns, ErrorKind, Hint, Hook, HookRefused, Platform, Retry},
};
use doorward_peers::{
    office::Office,
    spacebring::{self as peer, Customer, Faults, HOOK_SECRET, Space, sign},
};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_card_goes_to_one_person_only_and_the_rest_of_the_metadata_stays() {
    let mut space = Space::usual();
    let [carmen, diego] = [0, 1].map(|number: usize| space.members[number].id.clone());
    space.members[0].metadata.insert("locker".into(), 12.into());
    let site = Site::with(space);
    let (one, two) = (
        "uid:04A2B3C4D5E680".parse().unwrap(),
        "ks:02309289".parse().unwrap(),
    );
    let (carmen, diego) = (carmen.as_str().into(), diego.as_str().into());
    let held = || site.cloud.edit(|space| space.members[0].metadata.clone());
    for card in [&one, &one, &two] {
        site.adapter.assign_credential(&carmen, card).await.unwrap();
    }
    assert_eq!(held()["cardNumber"], "04A2B3C4D5E680, ks:02309289");
    assert_eq!(held()["locker"], 12);
    let error = site.adapter.assign_credential(&diego, &one).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Rejected { status: 409 }, Retry::Backoff)
    );
    assert!(error.to_string().contains("holds this card already") && !error.to_string().contains("A2B3"));
    let nobody = "3f0c6a4e-5f0e-4b1c-9f3e-2d1a7c9b8e10".into();
    let error = site.adapter.remove_credential(&nobody, &one).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected { status: 404 });
    // The change is made and its answer lost: doing it again changes nothing.
    site.cloud.faults(Faults {
        lose_answers_to_changes: true,
        ..Faults::default()
    });
    assert_eq!(
        site.adapter
            .remove_credential(&carmen, &one)
            .await
            .unwrap_err()
            .retry(),
        Retry::Backoff
    );
    site.cloud.faults(Faults::default());
    site.adapter.remove_credential(&carmen, &one).await.unwrap();
    assert_eq!(held()["cardNumber"], "ks:02309289");
    site.adapter.remove_credential(&carmen, &two).await.unwrap();
    assert_eq!(
        site.facts()
            .await
            .0
            .people
            .iter()
            .map(|it| it.credentials.len())
            .sum::<usize>(),
        0
    );
    site.cloud.faults(Faults {
        revoked: BTreeSet::from(["update membership"]),
        ..Faults::default()
    });
    let error = site.adapter.assign_credential(&carmen, &one).await.unwrap_err();
    assert!(error.to_string().contains("scope \"community\""), "{error}");
}

#[tokio::test]
async fn a_card_of_two_people_reaches_the_rules_twice_and_an_unreadable_one_is_named_without_its_number() {
    let mut space = Space::usual();
    for member in &mut space.members {
        member.metadata.insert(
            "cardNumber".into(),
            serde_json::json!(["04A2B3C4D5E680", 12_304_567]),
        );
    }
    let site = Site::with(space);
    let mut settings = config(&site.cloud);
    settings.cards = CardText::Auto;
    let other = adapter(&settings, &site.around);
    let (facts, problems, _) = take(other.fetch(None).await.unwrap());
    assert_eq!(facts.people[0].credentials, facts.people[1].credentials);
    assert_eq!(problems.len(), 2);
    assert!(
        problems[0].contains("cardNumber") && !problems[0].contains("12304567"),
        "{}",
        problems[0]
    );
}

#[tokio::test]
async fn entries_are_not_sent_and_it_is_said_why() {
    let site = Site::start();
    let CheckIns::Never(why) = site.adapter.capabilities().check_ins else {
        panic!("there is no check-in of members")
    };
    assert!(
        why.contains("attendance stays in this gateway's journal"),
        "{why}"
    );
    let check_in = CheckIn {
        key: "here-1".into(),
        person: "p".into(),
        door: "front".into(),
        at: 0,
        clock: ClockQuality::Trusted,
        late: false,
    };
    let error = site.adapter.check_in(&check_in).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unsupported, Retry::Never)
    );
    assert_eq!(site.cloud.requests(), 0);
}

#[tokio::test]
async fn a_hook_is_heard_when_svix_signed_it_just_now() {
    let site = Site::start();
    let now = site.around.clock.now();
    let body = r#"{"type":"booking.created","booking":{"id":"b1"}}"#;
    let hear = |delivery: peer::Delivery, at: Moment| {
        let headers = [
            ("svix-id".to_owned(), delivery.id),
            ("svix-timestamp".to_owned(), delivery.timestamp),
            ("svix-signature".to_owned(), delivery.signature),
        ];
        site.adapter.hook(&Hook {
            headers: &headers,
            body: body.as_bytes(),
            now: at,
        })
    };
    let heard = hear(sign("msg_1", now.at, body, HOOK_SECRET), now).unwrap();
    assert_eq!((heard.delivery.as_str(), heard.signed), ("msg_1", true));
    assert_eq!(
        heard.hints,
        [Hint::Object {
            collection: "bookings",
            id: "b1".into()
        }]
    );
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    assert_eq!(
        hear(sign("msg_1", now.at, body, other), now),
        Err(HookRefused::Signature)
    );
    assert_eq!(
        hear(sign("msg_1", now.at - 301_000, body, HOOK_SECRET), now),
        Err(HookRefused::Stale)
    );
    let mut settings = config(&site.cloud);
    settings.hook_secret = None;
    let deaf = adapter(&settings, &site.around);
    let hook = Hook {
        headers: &[],
        body: body.as_bytes(),
        now,
    };
    assert_eq!(deaf.hook(&hook), Err(HookRefused::Unexpected));
}

#[tokio::test]
async fn a_survey_tries_each_permission_and_lists_what_there_is() {
    let mut space = Space::usual();
    let carmen = space.members[0].id.clone();
    space.subscribe(Customer::User(carmen), "Day passes", hour(-1));
    let site = Site::with(space);
    site.cloud.faults(Faults {
        revoked: BTreeSet::from(["bookings"]),
        ..Faults::default()
    });
    let survey = site.adapter.survey().await.unwrap();
    let checks: Vec<String> = survey
        .checks
        .iter()
        .map(|check| match &check.outcome {
            Ok(count) => format!("{}: {count}", check.what),
            Err(error) => format!("{}: {}", check.what, site.words(error)),
        })
        .collect();
    insta::assert_snapshot!([checks.join("\n"), survey.remarks.join("\n")].join("\n\n"));
    assert_eq!((survey.catalogue.plans.len(), survey.resources.len()), (3, 4));
    assert_eq!(survey.zone.as_deref(), Some("Europe/Madrid"));
}
