//! Literal records, as Nexudus writes them, and what they become.

use super::{
    facts::{self, Addresses, Setup, Space, Span},
    model::{
        Bookable, CheckedIn, Contract, Coworker, HeldPass, Item, Page, PassKind, Pause, Reserved, Slot,
        Visitor,
    },
    times,
};
use crate::{
    config::model::CardText,
    domain::facts::{Person, ResourceKind, Standing, When},
    platform::FactsProblem,
};
use jiff::{civil::Date, tz::TimeZone};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;

fn space() -> Space {
    Space {
        business: 1_414,
        zone: TimeZone::get("Europe/Madrid").unwrap(),
        cards: CardText::Auto,
    }
}
fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}
fn date(text: &str) -> Option<Date> {
    Some(text.parse().unwrap())
}
fn at(text: &str) -> i64 {
    times::instant(text).unwrap()
}

const COWORKER: &str = r#"{
    "Id": 1001, "UniqueId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "FullName": "  Lea Costa ", "Email": "lea@example.com",
    "CoworkerType": 1, "Active": true, "Archived": false, "AccessCardId": "04A2B3C4,12345,04A2B3C4D5E680",
    "KeyFobNumber": "brass 9", "AccessPincode": "4711", "InvoicingBusinessId": 1415, "TariffId": null,
    "CreatedOn": "2026-05-31T22:30:00Z", "UpdatedOn": "2026-06-01T08:00:00Z", "Teams": [501], "CustomFields": null }"#;

#[test]
fn a_customer_becomes_a_person() {
    let mut problems = Vec::new();
    let person = facts::person(&read::<Coworker>(COWORKER), 7, &space(), &mut problems);
    assert_eq!((person.id.as_str(), person.name.as_str()), ("1001", "Lea Costa"));
    assert_eq!(person.email.as_deref(), Some("lea@example.com"));
    assert_eq!((person.standing, person.deactivated), (Standing::Network, false));
    assert_eq!(
        person.joined,
        date("2026-06-01").map(When::Day),
        "by the location's clock"
    );
    assert_eq!(
        person.credentials.len(),
        2,
        "neither the PIN nor the key is a card"
    );
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "people 1001: has a card that cannot be read (a card number needs its scheme, for example uid:04A2B3C4D5E680); the card is left out"
        ]
    );
    assert!(!texts[0].contains("12345"));
    for change in [
        ("\"Active\": true", "\"Active\": false"),
        ("\"Archived\": false", "\"Archived\": true"),
    ] {
        let row: Coworker = read(&COWORKER.replace(change.0, change.1));
        assert!(
            facts::person(&row, 0, &space(), &mut problems).deactivated,
            "{change:?}"
        );
    }
}

const CONTRACT: &str = r#"{
    "Id": 77, "IssuedById": 1414, "IssuedByName": "Harbour", "CoworkerId": 1001, "TariffId": 201, "TariffName": "Full time",
    "StartDate": "2026-04-30T22:00:00Z", "StartDateLocal": "2026-05-01T00:00:00", "RenewalDate": "2026-06-30T22:00:00Z",
    "CancellationDate": "2026-08-30T22:00:00Z", "CancellationDateLocal": "2026-08-31T00:00:00", "Active": true,
    "Cancelled": true, "Desks": [], "Variants": [] }"#;

fn pause(from: &str, until: &str) -> Pause {
    Pause {
        id: 1,
        coworker_contract_id: Some(77),
        pause_from_local: Some(format!("{from}T00:00:00")),
        pause_until_local: Some(format!("{until}T00:00:00")),
        ..Pause::default()
    }
}

fn spans(contract: &Contract, pauses: &[Pause]) -> Vec<(Option<Date>, Option<Date>, bool)> {
    let spans = facts::spans(contract, pauses, &space());
    spans
        .into_iter()
        .map(|span| (span.starts, span.ends, span.last))
        .collect()
}

#[test]
fn a_contract_runs_from_its_first_to_its_last_day_without_its_pauses() {
    let contract: Contract = read(CONTRACT);
    let (first, last) = (date("2026-05-01"), date("2026-08-31"));
    assert_eq!(spans(&contract, &[]), [(first, last, true)]);
    assert_eq!(
        spans(&contract, &[pause("2026-06-01", "2026-07-01")]),
        [
            (first, date("2026-05-31"), false),
            (date("2026-07-01"), last, true)
        ]
    );
    // One within another, one from the very beginning, one beyond the end, one of another contract.
    let nested = [
        pause("2026-06-01", "2026-07-01"),
        pause("2026-06-10", "2026-06-20"),
    ];
    assert_eq!(
        spans(&contract, &nested),
        [
            (first, date("2026-05-31"), false),
            (date("2026-07-01"), last, true)
        ]
    );
    assert_eq!(
        spans(&contract, &[pause("2026-05-01", "2026-06-01")]),
        [(date("2026-06-01"), last, true)]
    );
    assert_eq!(
        spans(&contract, &[pause("2026-10-01", "2026-11-01")]),
        [(first, last, true)]
    );
    assert_eq!(
        spans(&contract, &[pause("2026-08-01", "2026-10-01")]),
        [(first, date("2026-07-31"), false)]
    );
    let other = Pause {
        coworker_contract_id: Some(78),
        ..pause("2026-06-01", "2026-07-01")
    };
    assert_eq!(spans(&contract, &[other]), [(first, last, true)]);
    let endless = Pause {
        pause_until_local: None,
        ..pause("2026-06-01", "2026-07-01")
    };
    assert_eq!(spans(&contract, &[endless]), [(first, date("2026-05-31"), false)]);
}

#[test]
fn a_contract_becomes_memberships_a_span_each() {
    let contract: Contract = read(CONTRACT);
    let setup = Setup {
        with_passes: [201].into(),
        ..Setup::default()
    };
    let spans = facts::spans(&contract, &[pause("2026-06-01", "2026-07-01")], &space());
    let held = facts::memberships(&contract, &spans, &setup, &space());
    let told: Vec<_> = held
        .iter()
        .map(|it| (it.id.as_str(), it.plan.as_str(), it.cancelled, it.pass_based))
        .collect();
    assert_eq!(told, [("77", "201", false, true), ("77:2", "201", true, true)]);
    assert_eq!(held[0].person.as_ref().unwrap().as_str(), "1001");
    let open: Contract = read(&CONTRACT.replace("\"Cancelled\": true", "\"Cancelled\": false").replace(
        r#""CancellationDate": "2026-08-30T22:00:00Z", "CancellationDateLocal": "2026-08-31T00:00:00","#,
        "",
    ));
    let held = facts::memberships(&open, &facts::spans(&open, &[], &space()), &setup, &space());
    assert_eq!((held[0].ends, held[0].cancelled), (None, false));
}

#[test]
fn a_contract_counts_here_while_it_is_active_and_of_this_location() {
    assert!(facts::holds(&read(CONTRACT), &space()));
    for change in [
        ("\"Active\": true", "\"Active\": false"),
        ("\"IssuedById\": 1414", "\"IssuedById\": 1415"),
        ("\"CoworkerId\": 1001", "\"CoworkerId\": null"),
        ("\"TariffId\": 201", "\"TariffId\": null"),
    ] {
        assert!(
            !facts::holds(&read(&CONTRACT.replace(change.0, change.1)), &space()),
            "{change:?}"
        );
    }
}

const ITEM: &str = r#"{
    "Id": 612, "FloorPlanId": 602, "FloorPlanName": "First floor", "FloorPlanBusinessId": 1414, "CoworkerId": 1001,
    "Name": "Desk 7", "ItemType": 2, "ResourceId": 403, "AccessControlGroupId": 55, "CoworkerContractIds": "77, 78",
    "Available": true, "ResourceProjector": false }"#;

#[test]
fn an_item_of_a_floor_plan_is_a_resource_and_its_contracts_are_assignments() {
    let item: Item = read(ITEM);
    assert_eq!(
        item.access_control_group_id.as_deref(),
        Some("55"),
        "a number or a text"
    );
    let bookable: Vec<Bookable> =
        read(r#"[{"Id":403,"BusinessId":1414,"Name":"Hot desks"},{"Id":401,"Name":"Blue"}]"#);
    let resources = facts::resources(std::slice::from_ref(&item), &bookable, &space());
    let told: Vec<_> = resources
        .iter()
        .map(|it| (it.id.as_str(), it.name.as_str(), it.kind, it.floor.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("item:612", "Desk 7", ResourceKind::Desk, Some("602")),
            ("403", "Hot desks", ResourceKind::Desk, Some("602")),
            ("401", "Blue", ResourceKind::Room, None),
        ]
    );
    let span = Span {
        starts: date("2026-05-01"),
        ends: None,
        last: true,
    };
    let contracts = HashMap::from([(77, (1_001, vec![span, span]))]);
    let assigned = facts::assignments(&item, &contracts);
    let told: Vec<_> = assigned
        .iter()
        .map(|it| (it.id.as_str(), it.resource.as_str()))
        .collect();
    assert_eq!(
        told,
        [("612:77", "item:612"), ("612:77:2", "item:612")],
        "contract 78 is not here"
    );
}

const BOOKING: &str = r#"{
    "Id": 88, "ResourceId": 403, "FloorPlanDeskId": 612, "CoworkerId": 1001, "FromTime": "2026-06-10T10:00:00Z",
    "ToTime": "2026-06-10T11:30:00Z", "FromTimeLocal": "2026-06-10T12:00:00", "ToTimeLocal": "2026-06-10T13:30:00",
    "Tentative": true, "RepeatSeriesUniqueId": null, "BookingVisitors": [9] }"#;

#[test]
fn a_booking_is_of_the_resource_and_of_the_item() {
    let mut problems = Vec::new();
    let row: Reserved = read(BOOKING);
    let booked = facts::bookings(&row, 0, &["1002".into()], |_| true, &mut problems);
    let told: Vec<_> = booked
        .iter()
        .map(|it| (it.id.as_str(), it.resource.as_str()))
        .collect();
    assert_eq!(told, [("88", "403"), ("88:item", "item:612")]);
    assert_eq!(
        (booked[0].from, booked[0].until),
        (at("2026-06-10T10:00:00Z"), at("2026-06-10T11:30:00Z"))
    );
    assert!(booked[0].tentative && booked[0].invitees.len() == 1);
    assert!(
        facts::bookings(&row, 0, &[], |id| id == "401", &mut problems).is_empty(),
        "elsewhere"
    );
    assert!(problems.is_empty());
    let odd: Reserved = read(&BOOKING.replace("2026-06-10T10:00:00Z", "noon"));
    assert!(facts::bookings(&odd, 3, &[], |_| true, &mut problems).is_empty());
    assert_eq!(
        problems[0].to_string(),
        "bookings 88: has no times that can be read; left out"
    );
}

#[test]
fn a_visitor_is_the_customer_with_that_address_or_somebody_from_outside() {
    let mut people: Vec<Person> = ["lea@example.com", "two@example.com", "Two@example.com"]
        .iter()
        .zip(1..)
        .map(|(email, number)| Person {
            email: Some((*email).into()),
            ..Person::new(number.to_string().as_str(), "x")
        })
        .collect();
    people.push(Person::new("4", "no address"));
    let visitor = |id: u64, email: &str| Visitor {
        id,
        visitor_id: Some(id + 100),
        visitor_full_name: Some("Guest".into()),
        visitor_email: Some(email.into()),
        ..Visitor::default()
    };
    let invited = [
        visitor(1, " LEA@example.com"),
        visitor(2, "two@example.com"),
        visitor(3, ""),
        visitor(4, "lea@example.com"),
    ];
    let invited: Vec<&Visitor> = invited.iter().collect();
    let (invitees, outside) = facts::invitees(&invited, &Addresses::of(people.iter()));
    let ids: Vec<&str> = invitees.iter().map(|id| id.as_str()).collect();
    assert_eq!(
        ids,
        ["1", "visitor:102", "visitor:103"],
        "an address of two is nobody's"
    );
    assert!(outside.len() == 2 && outside.iter().all(|it| it.standing == Standing::External));
}

fn setup() -> Setup {
    let kinds: Vec<PassKind> = read(
        r#"[{"Id":301,"BusinessId":1414,"Name":"Day pass","MinutesIncluded":null,"Businesses":[1414,1415]},
            {"Id":302,"BusinessId":1414,"Name":"Morning","MinutesIncluded":240,"Businesses":[]},
            {"Id":303,"BusinessId":1414,"Name":"Hilltop only","MinutesIncluded":null,"Businesses":[1415]}]"#,
    );
    Setup {
        kinds: kinds.into_iter().map(|kind| (kind.id, kind)).collect(),
        sharing: vec![(501, 1_001)],
        ..Setup::default()
    }
}

const PASS: &str = r#"{
    "Id": 900, "UniqueId": "ABCD0000-0000-4000-8000-000000000900", "CoworkerId": 1002, "BusinessId": 1414, "TimePassId": 301,
    "TimePassName": "Day pass", "Used": false, "CheckedIn": true, "UsedDate": "2026-06-10T08:00:00Z", "RemainingUses": 0,
    "TotalUses": 5, "ExpireDate": "2026-06-30T21:59:59Z", "IsFromTariff": false, "IsPayAsYouGo": false }"#;

#[test]
fn a_pass_in_use_runs_until_its_check_in_is_over() {
    let run = |check_ins: &str, pass: &str| {
        let check_ins: Vec<CheckedIn> = read(check_ins);
        facts::passes(&read::<HeldPass>(pass), &check_ins, &setup(), &space()).remove(0)
    };
    let guid = "abcd0000-0000-4000-8000-000000000900";
    let open = format!(
        r#"[{{"Id":1,"FromTime":"2026-06-10T08:00:00Z","ToTime":null,"CoworkerTimePassGuid":"{guid}"}}]"#
    );
    let pass = run(&open, PASS);
    assert_eq!(
        (pass.left, pass.running_until),
        (Some(0), Some(at("2026-06-10T22:00:00Z"))),
        "until midnight in Madrid"
    );
    assert_eq!(pass.ends, date("2026-06-30").map(When::Day));
    let minutes = PASS.replace("\"TimePassId\": 301", "\"TimePassId\": 302");
    assert_eq!(
        run(&open, &minutes).running_until,
        Some(at("2026-06-10T12:00:00Z")),
        "four hours"
    );
    let closed = open.replace("\"ToTime\":null", "\"ToTime\":\"2026-06-10T10:15:00Z\"");
    assert_eq!(
        run(&closed, &minutes).running_until,
        Some(at("2026-06-10T10:15:00Z"))
    );
    assert_eq!(
        run("[]", PASS).running_until,
        Some(at("2026-06-10T22:00:00Z")),
        "by the pass itself"
    );
    let idle = PASS.replace("\"CheckedIn\": true", "\"CheckedIn\": false");
    assert_eq!(run("[]", &idle).running_until, None);
    let single = idle.replace("\"RemainingUses\": 0", "\"RemainingUses\": null");
    assert_eq!(run("[]", &single).left, Some(1));
    assert_eq!(
        run("[]", &single.replace("\"Used\": false", "\"Used\": true")).left,
        Some(0)
    );
}

#[test]
fn a_pass_is_of_this_location_and_of_the_payers_team_where_the_team_shares() {
    let passes = |text: &str| facts::passes(&read::<HeldPass>(text), &[], &setup(), &space());
    assert_eq!(passes(PASS).len(), 1);
    let payer = passes(&PASS.replace("\"CoworkerId\": 1002", "\"CoworkerId\": 1001"));
    let told: Vec<_> = payer
        .iter()
        .map(|it| (it.id.as_str(), it.person.is_some(), it.team.as_deref()))
        .collect();
    assert_eq!(told, [("900", true, None), ("900:501", false, Some("501"))]);
    assert!(
        passes(&PASS.replace("\"TimePassId\": 301", "\"TimePassId\": 303")).is_empty(),
        "of another location"
    );
    assert!(
        passes(&PASS.replace("\"TimePassId\": 301", "\"TimePassId\": 999")).is_empty(),
        "of no known kind"
    );
}

/// A page with one value in it replaced by another.
fn mutate(page: &mut Value, path: &[usize], with: &Value) {
    let mut at = page;
    for step in path {
        let size = match &at {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        if size == 0 {
            break;
        }
        let next = match at {
            Value::Object(map) => map.values_mut().nth(step % size),
            Value::Array(list) => list.get_mut(step % size),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
    *at = with.clone();
}

fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:00Z".prop_map(Value::from),
        Just(Value::from("-009999-01-01T00:00:00Z")),
        Just(Value::from("9999-12-31T23:59:59Z")),
        Just(Value::from(Vec::<u64>::new())),
    ]
}

proptest! {
    /// Whatever stands in a page, it is read or refused: nothing panics.
    #[test]
    fn no_record_is_too_odd(which in 0..7_usize, path in prop::collection::vec(0..40_usize, 1..4), with in odd()) {
        let records = [COWORKER, CONTRACT, ITEM, BOOKING, PASS];
        let record = records.get(which).copied().unwrap_or(COWORKER);
        let mut page: Value = read(&format!(
            r#"{{"Records":[{record}],"CurrentPage":1,"HasNextPage":false,"TotalItems":1}}"#
        ));
        mutate(&mut page, &path, &with);
        let text = page.to_string();
        let mut problems: Vec<FactsProblem> = Vec::new();
        let (space, setup) = (space(), setup());
        fn rows<T: DeserializeOwned>(text: &str) -> Vec<T> {
            serde_json::from_str::<Page<T>>(text).map(|page| page.records).unwrap_or_default()
        }
        for row in rows::<Coworker>(&text) {
            facts::person(&row, 0, &space, &mut problems);
        }
        for row in rows::<Contract>(&text) {
            let spans = facts::spans(&row, &[pause("2026-06-01", "2026-07-01")], &space);
            facts::memberships(&row, &spans, &setup, &space);
        }
        let items = rows::<Item>(&text);
        facts::resources(&items, &rows::<Bookable>(&text), &space);
        for item in &items {
            facts::assignments(item, &HashMap::new());
        }
        for row in rows::<Reserved>(&text) {
            facts::bookings(&row, 0, &[], |_| true, &mut problems);
        }
        let check_ins = rows::<CheckedIn>(&text);
        for row in rows::<HeldPass>(&text) {
            facts::passes(&row, &check_ins, &setup, &space);
        }
        let slots = rows::<Slot>(&text);
        super::hours::week(301, &slots);
    }
}
