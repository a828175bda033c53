//! How many requests a space of 1,000 customers with 500 bookings a day costs, against what Nexudus allows
//! (docs/platforms/nexudus.md has the figures).

use crate::nexudus_site::{Table, in_haste};
use doorward_peers::nexudus::BUSINESS;
use serde_json::json;

const MINUTE: i64 = 60_000;

fn stamp(at: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[test]
fn a_space_of_1000_customers_and_500_bookings_a_day_fits_into_what_nexudus_allows() {
    let table = Table::patient();
    let office = &table.office;
    let mut customers = Vec::new();
    for number in 0..1_000 {
        let id = office.add(
            "spaces/coworkers",
            &json!({ "FullName": format!("Member {number}"), "Email": format!("m{number}@example.com"), "Active": true }),
        );
        office.add(
            "billing/coworkercontracts",
            &json!({ "IssuedById": BUSINESS, "CoworkerId": id, "TariffId": 201, "Active": true, "StartDate": "2026-01-01T00:00:00Z" }),
        );
        customers.push(id);
    }
    for team in 0..60 {
        let members = &customers[team * 10..team * 10 + 10];
        let row = json!({ "BusinessId": BUSINESS, "Name": format!("Team {team}"), "PayingMemberId": members[0], "TeamMembers": members });
        office.add("spaces/teams", &row);
    }
    let now = office.now();
    for number in 0..14_000_i64 {
        // 500 a day, from now to 28 days ahead.
        let from = now + number * 28 * 24 * 60 / 14_000 * MINUTE;
        let customer = customers[usize::try_from(number).unwrap() % customers.len()];
        office.add(
            "spaces/bookings",
            &json!({ "ResourceId": 401, "CoworkerId": customer, "FromTime": stamp(from), "ToTime": stamp(from + 60 * MINUTE) }),
        );
    }
    in_haste(async {
        let facts = table.fetch().await.unwrap();
        assert_eq!(
            (facts.people.len(), facts.bookings.len(), facts.teams.len()),
            (1_002, 14_000, 61)
        );
    });
    let requests = office.requests().len();
    assert_eq!(requests, 48, "requests for everything");
    // Once a minute: the tightest of Nexudus' limits is 5,000 in an hour.
    assert!(requests * 60 <= 5_000, "{requests} requests once a minute");
}
