//! The adapter for Nexudus against its simulator, over real HTTP: facts, logins, pages and failures.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::nexudus_site::{Table, adapter};
use doorward::{
    domain::facts::{ResourceKind, Standing, When},
    platform::{ErrorKind, Fetched, PlatformError, Retry},
};
use doorward_peers::{
    nexudus::{BUSINESS, Faults},
    office::Office,
};
use serde_json::json;
use std::time::Duration;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn day(text: &str) -> Option<When> {
    Some(When::Day(text.parse().unwrap()))
}

/// The words without the port, which differs from run to run.
fn words(table: &Table, error: &PlatformError) -> String {
    error.to_string().replace(&table.office.url(), "NEXUDUS")
}

#[tokio::test]
async fn a_space_becomes_facts() {
    let table = Table::set();
    let office = &table.office;
    let lea = office.join("Lea Costa", "lea@example.com", "Day passes", "2026-05-04");
    let max = office.join("Max Prat", "max@example.com", "Full time", "2026-05-04");
    office.give_card(&lea, "04A2B3C4");
    office.give_card(&lea, "04A2B3C4D5E680");
    office.assign(&max, "Office 2").unwrap();
    office.give_passes(&lea, "Morning pass", 3).unwrap();
    let from = office.now().div_euclid(HOUR) * HOUR + DAY;
    let booking = office.book(&lea, "Meeting room", from, from + HOUR);
    office.invite(&booking, &max).unwrap();
    office.visitor(booking.parse().unwrap(), "Guest", "guest@elsewhere.example");
    office.cancel(&max, "2026-06-30");
    let (facts, _, problems) = table.whole().await;
    assert_eq!(problems, Vec::<String>::new());

    let person = |id: &str| facts.people.iter().find(|it| it.id.as_str() == id).unwrap();
    assert_eq!(
        (person(&lea).credentials.len(), person(&lea).name.as_str()),
        (2, "Lea Costa")
    );
    let guests: Vec<_> = facts
        .people
        .iter()
        .filter(|it| it.standing == Standing::External)
        .collect();
    assert_eq!((guests.len(), guests[0].name.as_str()), (1, "Guest"));
    let team = facts.teams.iter().find(|it| it.id == "501").unwrap();
    let members: Vec<_> = facts
        .people
        .iter()
        .filter(|it| it.team.as_deref() == Some("501"))
        .collect();
    assert_eq!((team.name.as_str(), members.len()), ("Harbour Lights", 2));
    assert_eq!(team.payer.as_ref(), Some(&members[0].id));

    let held: Vec<_> = facts
        .memberships
        .iter()
        .map(|it| (it.plan.as_str(), it.starts, it.ends, it.cancelled, it.pass_based))
        .collect();
    let begun = day("2026-05-04");
    assert_eq!(
        held,
        [
            ("203", begun, None, false, true),
            ("201", begun, day("2026-06-30"), true, false)
        ]
    );
    let assigned = &facts.assignments[0];
    assert_eq!(
        (
            assigned.resource.as_str(),
            assigned.person.as_ref().unwrap().as_str(),
            assigned.ends
        ),
        ("item:613", max.as_str(), day("2026-06-30"))
    );
    let resource = |id: &str| facts.resources.iter().find(|it| it.id == id).unwrap();
    assert_eq!(
        (resource("item:613").kind, resource("item:613").floor.as_deref()),
        (ResourceKind::Office, Some("602"))
    );
    assert_eq!(
        (resource("403").kind, resource("403").floor.as_deref()),
        (ResourceKind::Desk, Some("602"))
    );
    assert_eq!(
        (resource("402").kind, resource("402").floor.as_deref()),
        (ResourceKind::Room, None)
    );

    let booked: Vec<_> = facts
        .bookings
        .iter()
        .map(|it| (it.resource.as_str(), it.from, it.invitees.len()))
        .collect();
    assert_eq!(booked, [("401", from, 2), ("item:611", from, 2)]);
    assert!(facts.bookings[0].invitees.iter().any(|id| id.as_str() == max));
    let pass = &facts.passes[0];
    assert_eq!(
        (pass.kind.as_str(), pass.left, pass.running_until),
        ("302", Some(3), None)
    );
    let hours = &pass.hours.as_ref().unwrap().hours[0];
    assert_eq!(
        (hours.weekdays.as_slice(), hours.from, hours.until),
        (&[1, 2, 3, 4, 5][..], 540, 780)
    );

    let names = |list: &[doorward::domain::facts::Named]| -> Vec<String> {
        list.iter().map(|it| it.name.to_string()).collect()
    };
    assert_eq!(
        names(&facts.catalogue.plans),
        ["Full time", "Hot desk", "Day passes"]
    );
    assert_eq!(names(&facts.catalogue.passes), ["Day pass", "Morning pass"]);
    assert_eq!(names(&facts.catalogue.floors), ["Ground floor", "First floor"]);
    assert_eq!(names(&facts.catalogue.locations), ["Harbour"]);
    // What staff may link to things there is what the site maps.
    assert_eq!(names(&facts.catalogue.groups), ["office-2", "rooms"]);
}

#[tokio::test]
async fn unchanged_facts_keep_their_version_and_a_change_gives_the_next() {
    let table = Table::set();
    let (facts, known, _) = table.whole().await;
    assert_eq!(
        table.adapter.fetch(Some(&known)).await.unwrap(),
        Fetched::Unchanged
    );
    let ben = facts.people[1].id.clone();
    table.office.deactivate(ben.as_str()).unwrap();
    let Fetched::Facts { facts: next, .. } = table.adapter.fetch(Some(&known)).await.unwrap() else {
        panic!("it changed")
    };
    assert_eq!(next.version, facts.version + 1);
    assert!(next.people[1].deactivated);
}

#[tokio::test]
async fn what_belongs_to_another_location_gives_nothing_here() {
    let table = Table::set();
    let office = &table.office;
    let eva = office.join("Eva Lopez", "eva@example.com", "Full time", "2026-05-04");
    let contract = office.rows("billing/coworkercontracts")[0]["Id"]
        .as_u64()
        .unwrap();
    office.set(
        "billing/coworkercontracts",
        contract,
        &json!({ "IssuedById": 1_415 }),
    );
    office.set(
        "spaces/coworkers",
        eva.parse().unwrap(),
        &json!({ "InvoicingBusinessId": 1_415 }),
    );
    let away = office.add(
        "spaces/resources",
        &json!({ "BusinessId": 1_415, "Name": "Hill room" }),
    );
    let from = office.now() + DAY;
    let booking = office.book(&eva, "Phone booth", from, from + HOUR);
    office.set(
        "spaces/bookings",
        booking.parse().unwrap(),
        &json!({ "ResourceId": away }),
    );
    office.give_passes(&eva, "Day pass", 1).unwrap();
    office.set(
        "billing/timepasses",
        301,
        &json!({ "Businesses": [1_415], "BusinessId": 1_415 }),
    );
    let facts = table.fetch().await.unwrap();
    let person = facts.people.iter().find(|it| it.id.as_str() == eva).unwrap();
    assert_eq!(person.standing, Standing::Network);
    assert!(facts.memberships.is_empty() && facts.bookings.is_empty() && facts.passes.is_empty());
}

#[tokio::test]
async fn lists_of_many_pages_arrive_whole() {
    let table = Table::set();
    for number in 0..1_200 {
        table.office.add(
            "spaces/coworkers",
            &json!({ "FullName": format!("Member {number}"), "Email": format!("m{number}@example.com"), "Active": true }),
        );
    }
    let facts = table.fetch().await.unwrap();
    assert_eq!(facts.people.len(), 1_202);
    assert_eq!(table.asked("spaces/coworkers?").len(), 3);
}

#[tokio::test]
async fn a_broken_list_takes_nothing_and_says_so() {
    let table = Table::set();
    for _ in 0..600 {
        table
            .office
            .add("spaces/coworkers", &json!({ "FullName": "M", "Active": true }));
    }
    let list = "spaces/coworkers";
    let broken = [
        (
            Faults {
                half_page: Some(list),
                ..Faults::default()
            },
            "page 1 of the customers from NEXUDUS is cut off",
        ),
        (
            Faults {
                repeats: Some(list),
                ..Faults::default()
            },
            "page 2 repeats record",
        ),
        (
            Faults {
                wrong_total: Some(list),
                ..Faults::default()
            },
            "602 came where 603 were announced",
        ),
    ];
    for (faults, expected) in broken {
        table.office.faults(faults.clone());
        let error = table.fetch().await.unwrap_err();
        assert_eq!(
            (error.kind, error.retry()),
            (ErrorKind::Malformed, Retry::Backoff),
            "{faults:?}"
        );
        assert!(words(&table, &error).contains(expected), "{faults:?}: {error}");
    }
    table.office.faults(Faults {
        error_500: Some((list, 2)),
        ..Faults::default()
    });
    let error = table.fetch().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    table.office.faults(Faults::default());
    assert_eq!(
        table.fetch().await.unwrap().people.len(),
        602,
        "and then it goes on"
    );
}

#[tokio::test]
async fn an_empty_list_is_told_as_it_is_and_held_by_the_caller() {
    let table = Table::set();
    table.office.faults(Faults {
        empty: Some("spaces/coworkers"),
        ..Faults::default()
    });
    assert!(table.fetch().await.unwrap().people.is_empty());
}

#[tokio::test]
async fn one_login_lasts_over_restarts_and_is_renewed_without_the_password() {
    let mut table = Table::set();
    table.fetch().await.unwrap();
    table.restart();
    table.fetch().await.unwrap();
    assert_eq!(
        (table.office.password_logins(), table.asked("/api/token").len()),
        (1, 1)
    );
    table.office.expire_tokens();
    table.fetch().await.unwrap();
    assert_eq!(
        (table.office.password_logins(), table.asked("/api/token").len()),
        (1, 2),
        "refreshed"
    );
    // A week later the token has ended by the gateway's own clock: no request is wasted on it.
    table.clock.advance(Duration::from_secs(7 * 86_400));
    let before = table.office.requests().len();
    table.fetch().await.unwrap();
    assert!(
        table.office.requests()[before..]
            .iter()
            .all(|request| request.status == 200)
    );
    assert_eq!(table.asked("/api/token").len(), 3);
    // A refresh token that was used elsewhere is no good: the password is.
    table.office.forget_logins();
    table.fetch().await.unwrap();
    assert_eq!(table.office.password_logins(), 2);
}

#[tokio::test]
async fn a_wrong_password_says_where_to_put_it_right() {
    let table = Table::set();
    let stranger = adapter(&table.office, &table.clock, &table.dir, "wrong");
    let error = stranger.fetch(None).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unauthorised, Retry::Rarely)
    );
    assert!(
        error.to_string().contains("[cloud.nexudus] user and password")
            && !error.to_string().contains("wrong")
    );
}

#[tokio::test]
async fn a_lost_role_is_named() {
    let table = Table::set();
    table.office.faults(Faults {
        revoked: vec!["Booking-List"],
        ..Faults::default()
    });
    let error = table.fetch().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorised);
    insta::assert_snapshot!(words(&table, &error), @"NEXUDUS does not let the gateway's user read bookings; give that user the role Booking-List there, and API access");
}

#[tokio::test]
async fn a_409_is_a_throttle_and_no_conflict() {
    let table = Table::set();
    table.office.faults(Faults {
        throttle: Some((3, 7)),
        ..Faults::default()
    });
    let error = table.fetch().await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)), "{error}");
    let lane = table.adapter.budgets().remove(0);
    assert_eq!(
        (lane.lane.as_str(), lane.throttled, lane.total),
        ("requests", 1, 3)
    );
}

#[tokio::test]
async fn a_platform_that_is_away_is_unreachable_and_comes_back() {
    let table = Table::set();
    table.office.set_away(true);
    let error = table.fetch().await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unreachable, Retry::Backoff)
    );
    table.office.set_away(false);
    assert!(table.fetch().await.is_ok());
    // Its own clock may be wrong by hours: nothing that it says depends on it.
    table.office.faults(Faults {
        skew: 5 * HOUR,
        ..Faults::default()
    });
    assert!(table.fetch().await.is_ok());
}

#[tokio::test]
async fn a_card_of_two_people_is_told_of_both() {
    let table = Table::set();
    let ana = table
        .office
        .join("Ana", "ana@example.com", "Hot desk", "2026-05-04");
    let bea = table
        .office
        .join("Bea", "bea@example.com", "Hot desk", "2026-05-04");
    for member in [&ana, &bea] {
        table.office.give_card(member, "04A2B3C4");
    }
    let facts = table.fetch().await.unwrap();
    let holders = facts.people.iter().filter(|it| !it.credentials.is_empty());
    assert_eq!(holders.count(), 2, "which of them may use it is the rules' (R34)");
}

#[tokio::test]
async fn cards_are_given_and_taken_and_nothing_else_in_the_record_changes() {
    let table = Table::set();
    let ana = table
        .office
        .join("Ana", "ana@example.com", "Hot desk", "2026-05-04");
    let id: u64 = ana.parse().unwrap();
    let before =
        json!({ "AccessCardId": "old 17", "AccessPincode": "1234", "Notes": "likes tea", "Teams": [501] });
    table.office.set("spaces/coworkers", id, &before);
    let card = "uid:04A2B3C4".parse().unwrap();
    for _ in 0..2 {
        table
            .adapter
            .assign_credential(&ana.as_str().into(), &card)
            .await
            .unwrap();
    }
    let row = table.office.row("spaces/coworkers", id).unwrap();
    assert_eq!(row["AccessCardId"], "old 17,04A2B3C4");
    let same = (
        &row["AccessPincode"],
        &row["Notes"],
        &row["Teams"],
        &row["InvoicingBusinessId"],
    );
    assert_eq!(
        same,
        (
            &json!("1234"),
            &json!("likes tea"),
            &json!([501]),
            &json!(BUSINESS)
        )
    );

    let bea = table
        .office
        .join("Bea", "bea@example.com", "Hot desk", "2026-05-04");
    let error = table
        .adapter
        .assign_credential(&bea.as_str().into(), &card)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected { status: 409 });
    assert!(error.to_string().contains(&ana) && !error.to_string().contains("04A2"));
    for _ in 0..2 {
        table
            .adapter
            .remove_credential(&ana.as_str().into(), &card)
            .await
            .unwrap();
    }
    assert_eq!(
        table.office.row("spaces/coworkers", id).unwrap()["AccessCardId"],
        "old 17"
    );
    table
        .adapter
        .assign_credential(&bea.as_str().into(), &card)
        .await
        .unwrap();
    let error = table
        .adapter
        .remove_credential(&"999999".into(), &card)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected { status: 404 });
}
