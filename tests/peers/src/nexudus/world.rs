//! The space that the simulator begins with, with the ids that scenarios may name.

use super::{BUSINESS, ELSEWHERE, state::State};
use serde_json::json;

/// Plans.
pub(super) const FULL_TIME: u64 = 201;
pub(super) const HOT_DESK: u64 = 202;
pub(super) const DAY_PASSES: u64 = 203;
/// The kind of pass "Day pass".
pub(super) const DAY_PASS: u64 = 301;
/// The kind of pass "Morning pass".
pub(super) const MORNING_PASS: u64 = 302;

pub(super) fn furnish(state: &mut State) {
    for (id, name) in [(BUSINESS, "Harbour"), (ELSEWHERE, "Hilltop")] {
        state.add(
            "sys/businesses",
            &json!({ "Id": id, "Name": name, "WebAddress": name.to_lowercase(), "SimpleTimeZoneId": 2_023, "SimpleTimeZoneName": "Romance Standard Time" }),
        );
    }
    for (id, name) in [
        (FULL_TIME, "Full time"),
        (HOT_DESK, "Hot desk"),
        (DAY_PASSES, "Day passes"),
    ] {
        state.add(
            "billing/tariffs",
            &json!({ "Id": id, "BusinessId": BUSINESS, "Name": name, "Archived": false }),
        );
    }
    passes(state);
    rooms(state);
    let anna = coworker(state, "Anna Team", "anna@example.com");
    let ben = coworker(state, "Ben Team", "ben@example.com");
    state.add(
        "spaces/teams",
        &json!({
            "Id": 501, "BusinessId": BUSINESS, "Name": "Harbour Lights", "PayingMemberId": anna, "ShareTimePasses": false,
            "TeamMembers": [anna, ben], "TeamAdministrators": [anna], "CoworkerIds": format!("{anna},{ben}"),
        }),
    );
    for member in [anna, ben] {
        state.set("spaces/coworkers", member, &json!({ "Teams": [501] }));
    }
}

fn passes(state: &mut State) {
    state.add(
        "billing/timepasses",
        &json!({
            "Id": DAY_PASS, "BusinessId": BUSINESS, "Name": "Day pass", "MinutesIncluded": null, "UsePriority": 2, "Archived": false,
            "AccessControlGroupId": "passes", "Businesses": [BUSINESS], "AccessControlGroupIds": ["passes"],
        }),
    );
    state.add(
        "billing/timepasses",
        &json!({
            "Id": MORNING_PASS, "BusinessId": BUSINESS, "Name": "Morning pass", "MinutesIncluded": 240, "UsePriority": 2,
            "Archived": false, "Businesses": [BUSINESS],
        }),
    );
    for day in 1..=5 {
        state.add(
            "billing/timepasstimeslots",
            &json!({ "TimePassId": MORNING_PASS, "DayOfWeek": day, "FromTime": "1976-01-01T09:00:00Z", "ToTime": "1976-01-01T13:00:00Z" }),
        );
    }
    state.add(
        "billing/tarifftimepasses",
        &json!({ "TariffId": DAY_PASSES, "TariffName": "Day passes", "TimePassId": DAY_PASS, "TimePassName": "Day pass", "PassesIncluded": 5 }),
    );
}

fn rooms(state: &mut State) {
    for (id, name, kind, group) in [
        (401_u64, "Meeting room", "Meeting rooms", Some("rooms")),
        (402, "Phone booth", "Phone booths", None),
        (403, "Desk 7", "Desks", None),
    ] {
        state.add(
            "spaces/resources",
            &json!({
                "Id": id, "BusinessId": BUSINESS, "BusinessName": "Harbour", "Name": name, "ResourceTypeName": kind,
                "AccessControlGroupId": group, "Archived": false,
            }),
        );
    }
    for (id, name) in [(601_u64, "Ground floor"), (602, "First floor")] {
        state.add(
            "sys/floorplans",
            &json!({ "Id": id, "BusinessId": BUSINESS, "BusinessName": "Harbour", "Name": name }),
        );
    }
    for (id, name, floor, kind, resource, group) in [
        (611_u64, "Meeting room", 601_u64, 5, Some(401_u64), None),
        (612, "Desk 7", 602, 2, Some(403), Some("desks")),
        (613, "Office 2", 602, 1, None, Some("office-2")),
    ] {
        let floor_name = if floor == 601 {
            "Ground floor"
        } else {
            "First floor"
        };
        state.add(
            "sys/floorplandesks",
            &json!({
                "Id": id, "FloorPlanId": floor, "FloorPlanName": floor_name, "FloorPlanBusinessId": BUSINESS,
                "FloorPlanBusinessName": "Harbour", "Name": name, "ItemType": kind, "ResourceId": resource,
                "AccessControlGroupId": group, "CoworkerContractIds": null, "Available": true,
            }),
        );
    }
}

/// A customer of the location, without a contract.
pub(super) fn coworker(state: &mut State, name: &str, email: &str) -> u64 {
    state.add(
        "spaces/coworkers",
        &json!({
            "FullName": name, "Email": email, "CoworkerType": 1, "Active": true, "Archived": false, "CountryId": 1_221,
            "SimpleTimeZoneId": 2_023, "InvoicingBusinessId": BUSINESS, "Businesses": [BUSINESS],
        }),
    )
}
