//! Golden tests of the translation: JSON as the documentation and clients show it, and the facts that it is.

use super::{
    facts::{Site, Span, credentials, facts},
    rows::{self, Rows},
};
use crate::{
    config::model::CardText,
    domain::{
        Millis,
        facts::{DoorAccess, Facts, ResourceKind, Standing, When},
    },
};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;
use serde_json::{Value, json};

const PROPERTY: &str = "CardNumber";

fn at(text: &str) -> Millis {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn day(text: &str) -> Option<When> {
    Some(When::Day(text.parse().unwrap()))
}

fn site() -> Site {
    Site {
        location: None,
        cards: CardText::Auto,
        zone: TimeZone::get("Europe/Madrid").unwrap(),
    }
}

fn made(all: &Rows, now: &str) -> (Facts, Vec<String>) {
    let now = at(now);
    let (facts, problems) = facts(all.clone(), &site(), Span::around(now, 14), now);
    (facts, problems.iter().map(ToString::to_string).collect())
}

fn member(all: &mut Rows, row: &Value) {
    let id = rows::id(row).unwrap();
    all.members.insert(id, rows::member(row, PROPERTY).unwrap());
}

#[test]
fn members_are_people_by_their_status() {
    let mut all = Rows::default();
    member(
        &mut all,
        &json!({
            "_id": "5d1bcda0dbd6e40010479eec", "name": "Ana Alder", "email": "ana@example.org", "phone": "",
            "location": "5d1bcda0dbd6e40010479ee0", "company": {"_id": "c1", "name": "Two Oars"}, "status": "active",
            "properties": {"CardNumber": "04A2B3C4D5E680; 04:A2:B3:C4", "Locker": 12},
            "modifiedAt": "2026-05-01T10:00:00.000Z", "tags": [], "portal": {"hasAccess": true}
        }),
    );
    member(
        &mut all,
        &json!({"_id": "m2", "name": "Bo", "status": "former", "properties": null, "company": null}),
    );
    member(
        &mut all,
        &json!({"_id": "m3", "name": "Cy", "status": "not_approved", "properties": {"CardNumber": ["04A2B3C4D5E681"]}}),
    );
    member(
        &mut all,
        &json!({"_id": "m4", "name": "Di", "status": "drop-in", "properties": {"CardNumber": 2309289}}),
    );
    let (facts, problems) = made(&all, "2026-05-01T10:00:00Z");
    let [ana, bo, cy, di] = facts.people.as_slice() else {
        panic!("four")
    };
    assert_eq!(
        (ana.name.as_str(), ana.team.as_deref(), ana.credentials.len()),
        ("Ana Alder", Some("c1"), 2)
    );
    assert_eq!((ana.deactivated, ana.door_access), (false, DoorAccess::Auto));
    assert!(bo.deactivated, "former");
    assert_eq!((cy.door_access, cy.credentials.len()), (DoorAccess::Off, 1));
    assert_eq!((di.deactivated, di.standing), (false, Standing::Member));
    assert_eq!(
        problems.len(),
        1,
        "a bare decimal number is not guessed: {problems:?}"
    );
}

#[test]
fn cards_are_parted_as_the_format_allows() {
    let read = |text: &str, format| {
        let (found, unread) = credentials(text, format);
        assert_eq!(unread, []);
        found
            .iter()
            .map(crate::domain::Credential::reveal_in_full)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        read("04A2B3C4, 04A2B3C5\n04A2B3C4,", CardText::Uid),
        ["uid:04A2B3C4", "uid:04A2B3C5"]
    );
    assert_eq!(
        read("123,4567; 123,4568", CardText::Wiegand26).len(),
        2,
        "a comma parts facility and number"
    );
    assert_eq!(read("", CardText::Auto), Vec::<String>::new());
}

#[test]
fn a_membership_is_a_members_or_a_whole_companys_and_ends_with_its_last_day() {
    let mut all = Rows::default();
    let mut put = |row: Value| {
        all.memberships
            .insert(rows::id(&row).unwrap(), rows::membership(&row).unwrap());
    };
    let usual = json!({
        "_id": "ms1", "name": "Hot desk", "status": "approved", "calculatedStatus": "active", "type": "month_to_month",
        "location": "l1", "plan": "p1", "company": "c1", "member": "m1", "isPersonal": false,
        "startDate": "2026-04-01T00:00:00.000Z", "endDate": "2026-05-31T00:00:00.000Z"
    });
    let but = |changes: Value| {
        let mut row = usual.clone();
        row.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        row
    };
    put(usual.clone());
    put(but(json!({"_id": "ms2", "member": null, "endDate": null})));
    put(but(json!({"_id": "ms3", "status": "not_approved"})));
    put(but(json!({"_id": "ms4", "calculatedStatus": "not_approved"})));
    put(but(
        json!({"_id": "ms5", "calculatedStatus": "expired", "endDate": null}),
    ));
    put(but(
        json!({"_id": "ms6", "calculatedStatus": "expired", "endDate": "2026-04-20T00:00:00.000Z"}),
    ));
    put(but(
        json!({"_id": "ms7", "calculatedStatus": "expired", "endDate": "2025-04-20T00:00:00.000Z"}),
    ));
    put(but(
        json!({"_id": "ms8", "calculatedStatus": "not_started", "startDate": "2026-05-31T22:00:00.000Z", "endDate": "2026-06-30T23:59:59.999Z"}),
    ));
    let (facts, problems) = made(&all, "2026-05-01T10:00:00Z");
    assert_eq!(problems, Vec::<String>::new());
    let ids: Vec<&str> = facts.memberships.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(
        ids,
        ["ms1", "ms2", "ms6", "ms8"],
        "ended lately explains a refusal, long ago does not"
    );
    let [ms1, ms2, _, ms8] = facts.memberships.as_slice() else {
        panic!("four")
    };
    assert_eq!(
        (ms1.person.as_ref().map(|id| id.as_str()), ms1.team.as_deref()),
        (Some("m1"), Some("c1"))
    );
    assert_eq!((ms1.starts, ms1.ends), (day("2026-04-01"), day("2026-05-31")));
    assert_eq!(
        (ms2.person.as_ref(), ms2.team.as_deref(), ms2.ends),
        (None, Some("c1"), None),
        "R6"
    );
    assert_eq!(
        ms8.starts,
        day("2026-06-01"),
        "midnight in Madrid is the day that begins there"
    );
    assert_eq!(
        ms8.ends,
        day("2026-06-30"),
        "and the last moment of a day of UTC is that day"
    );
}

#[test]
fn an_assignment_is_its_memberships_holders_for_as_long_as_both_hold() {
    let mut all = Rows::default();
    for (id, member, end, status) in [
        ("ms1", json!("m1"), json!("2026-05-31T00:00:00.000Z"), "approved"),
        ("ms2", json!(null), json!(null), "approved"),
        ("ms3", json!("m1"), json!(null), "not_approved"),
    ] {
        let row = json!({"status": status, "plan": "p", "member": member, "company": "c1", "startDate": "2026-04-01T00:00:00.000Z", "endDate": end});
        all.memberships.insert(id.into(), rows::membership(&row).unwrap());
    }
    for (id, membership) in [("a1", "ms1"), ("a2", "ms2"), ("a3", "ms3"), ("a4", "gone")] {
        let row = json!({"resource": "r1", "membership": membership, "startDate": "2026-04-15T00:00:00.000Z", "endDate": null});
        all.assignments.insert(id.into(), rows::assignment(&row).unwrap());
    }
    let (facts, problems) = made(&all, "2026-05-01T10:00:00Z");
    assert_eq!(
        problems,
        ["assignments a4: names membership gone, which is not among the memberships; left out"]
    );
    let [a1, a2] = facts.assignments.as_slice() else {
        panic!("two")
    };
    assert_eq!((a1.starts, a1.ends), (day("2026-04-15"), day("2026-05-31")));
    assert_eq!(a1.person.as_ref().map(|id| id.as_str()), Some("m1"));
    assert_eq!((a2.person.as_ref(), a2.team.as_deref()), (None, Some("c1")));
}

#[test]
fn resources_have_a_kind_and_the_floor_of_the_nearest_parent() {
    let mut all = Rows::default();
    let floor = json!({"name": "First", "location": "l1"});
    all.floors.insert("f1".into(), rows::floor(&floor).unwrap());
    let location = json!({"name": "Riverside", "timezone": "Europe/Lisbon"});
    all.locations
        .insert("l1".into(), rows::location(&location).unwrap());
    for (id, kind, floor, parents) in [
        ("booth", "meeting_room", json!("f1"), json!([])),
        ("desk", "desk_tr", json!(null), json!(["pod"])),
        ("hall", "event_space", json!(null), json!(["f1"])),
        ("loop", "hotdesk", json!(null), json!(["loop", "nowhere"])),
        ("office", "team_room", json!("f1"), json!([])),
        ("pod", "desk_na", json!(null), json!([{"_id": "office"}])),
    ] {
        let row = json!({"name": id, "type": kind, "floor": floor, "parents": parents, "availability": []});
        all.resources.insert(id.into(), rows::resource(&row).unwrap());
    }
    let (facts, _) = made(&all, "2026-05-01T10:00:00Z");
    let got: Vec<_> = facts
        .resources
        .iter()
        .map(|it| {
            (
                it.name.as_str(),
                it.kind,
                it.floor.as_deref(),
                it.location.as_deref(),
            )
        })
        .collect();
    let (floor, location) = (Some("f1"), Some("l1"));
    assert_eq!(
        got,
        [
            ("booth", ResourceKind::Room, floor, location),
            ("desk", ResourceKind::Desk, floor, location),
            ("hall", ResourceKind::Other, floor, location),
            ("loop", ResourceKind::Desk, None, None),
            ("office", ResourceKind::Office, floor, location),
            ("pod", ResourceKind::Desk, floor, location),
        ]
    );
}

#[test]
fn bookings_are_their_own_times_and_a_series_has_a_name_for_each() {
    let mut all = Rows::default();
    member(&mut all, &json!({"_id": "m1", "name": "Ana"}));
    member(&mut all, &json!({"_id": "m2", "name": "Bo"}));
    all.visitors.insert(
        "v1".into(),
        rows::visitor(&json!({"name": "Guest", "email": "g@example.org"})).unwrap(),
    );
    let mut put = |row: Value| {
        let (from, booking) = rows::booking(&row).unwrap();
        all.bookings.insert((rows::id(&row).unwrap(), from), booking);
    };
    let usual = |id: &str, start: &str, end: &str| {
        json!({
            "_id": id, "timezone": "Europe/Madrid", "start": start, "end": end, "resource": "r1", "member": "m1",
            "company": null, "members": ["m2", "gone"], "visitors": ["v1"], "isCancelled": false, "isTentative": false,
            "serviceSlots": {"before": 15, "after": 30}, "fees": {"passes": []}
        })
    };
    put(usual(
        "b1",
        "2026-05-01T12:00:00.000Z",
        "2026-05-01T13:00:00.000Z",
    ));
    let mut tentative = usual("b2", "2026-05-02T12:00:00.000Z", "2026-05-02T13:00:00.000Z");
    tentative["isTentative"] = json!(true);
    put(tentative);
    let mut cancelled = usual("b3", "2026-05-02T12:00:00.000Z", "2026-05-02T13:00:00.000Z");
    cancelled["isCancelled"] = json!(true);
    put(cancelled);
    for start in ["2026-05-04", "2026-05-11"] {
        let mut row = usual(
            "b4",
            &format!("{start}T08:00:00.000Z"),
            &format!("{start}T09:00:00.000Z"),
        );
        row["member"] = json!("gone");
        put(row);
    }
    put(usual(
        "b5",
        "2026-09-01T12:00:00.000Z",
        "2026-09-01T13:00:00.000Z",
    ));
    let (facts, problems) = made(&all, "2026-05-01T10:00:00Z");
    let ids: Vec<&str> = facts.bookings.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(
        ids,
        ["b1", "b2", "b4@2026-05-04T08:00:00Z", "b4@2026-05-11T08:00:00Z"]
    );
    let b1 = &facts.bookings[0];
    assert_eq!(
        (b1.from, b1.until),
        (at("2026-05-01T12:00:00Z"), at("2026-05-01T13:00:00Z")),
        "service slots open nothing"
    );
    let invited: Vec<&str> = b1.invitees.iter().map(|id| id.as_str()).collect();
    assert_eq!(
        (b1.person.as_ref().map(|id| id.as_str()), invited),
        (Some("m1"), vec!["m2", "v1"])
    );
    assert!(facts.bookings[1].tentative);
    assert_eq!(
        (problems.len(), facts.bookings[2].person.as_ref()),
        (2, None),
        "{problems:?}"
    );
    let guest = facts
        .people
        .iter()
        .find(|person| person.id.as_str() == "v1")
        .unwrap();
    assert_eq!(
        (guest.name.as_str(), guest.standing),
        ("Guest", Standing::External)
    );
}

#[test]
fn passes_say_how_many_are_left_and_one_in_use_goes_on() {
    let mut all = Rows::default();
    member(&mut all, &json!({"_id": "m1", "name": "Ana", "company": "c1"}));
    let mut put = |row: Value| {
        all.passes
            .insert(rows::id(&row).unwrap(), rows::pass(&row).unwrap());
    };
    let usual = |id: &str, count: Value, used: Value, status: &str| {
        json!({
            "_id": id, "count": count, "usedCount": used, "intervalLength": "month", "startDate": "2026-04-01T00:00:00.000Z",
            "endDate": null, "renewDate": "2026-06-01T00:00:00.000Z", "validFrom": "2026-05-01T00:00:00.000Z",
            "validTo": "2026-05-31T00:00:00.000Z", "company": null, "member": "m1", "isPersonal": true, "membership": "ms1",
            "shouldGrantActiveStatus": true, "resourceType": "hotdesk", "status": status
        })
    };
    put(usual("p1", json!(5), json!(2), "valid"));
    put(usual("p2", json!(5), json!(4.5), "valid"));
    put(usual("p3", json!(1), json!(1), "used"));
    put(usual("p4", json!(1), json!(0), "pending"));
    put(usual("p5", json!(1), json!(0), "expired"));
    put(usual("p6", json!(1), json!(0), "frozen"));
    let mut team = usual("p7", json!(1), json!(1), "used");
    team["member"] = json!(null);
    team["company"] = json!("c1");
    put(team);
    for (id, pass, start, end) in [
        ("ci1", json!("p3"), "2026-05-01T08:00:00.000Z", json!(null)),
        (
            "ci2",
            json!({"_id": "p7"}),
            "2026-05-01T08:00:00.000Z",
            json!("2026-05-01T14:00:00.000Z"),
        ),
        ("ci3", json!("p1"), "2026-04-30T08:00:00.000Z", json!(null)),
    ] {
        let row = json!({"start": start, "end": end, "location": "l1", "member": "m1", "pass": pass, "source": "api"});
        all.check_ins.insert(id.into(), rows::check_in(&row).unwrap());
    }
    let (facts, _) = made(&all, "2026-05-01T10:00:00Z");
    let got: Vec<_> = facts
        .passes
        .iter()
        .map(|it| (it.id.as_str(), it.left, it.running_until))
        .collect();
    let midnight = Some(at("2026-05-01T22:00:00Z"));
    assert_eq!(
        got,
        [
            ("p1", Some(3), None),
            ("p2", Some(1), None), // half a pass still opens
            ("p3", Some(0), midnight),
            ("p5", Some(0), None),
            ("p7", Some(0), None),
            ("p7@m1", Some(0), Some(at("2026-05-01T14:00:00Z"))),
        ]
    );
    assert_eq!(
        (facts.passes[0].starts, facts.passes[0].ends),
        (day("2026-05-01"), day("2026-05-31"))
    );
    assert_eq!(
        facts.passes[5].person.as_ref().map(|id| id.as_str()),
        Some("m1"),
        "the company's other members are not in"
    );
}

#[test]
fn rows_that_were_packed_open_as_they_were() {
    let mut all = Rows::default();
    member(
        &mut all,
        &json!({"_id": "m1", "name": "Ana", "status": "former", "company": "c1"}),
    );
    all.companies.insert("c1".into(), "Two Oars".into());
    let pass = rows::pass(&json!({"_id": "p1", "member": "m1", "count": 2.5, "status": "valid"}));
    all.passes.insert("p1".into(), pass.unwrap());
    let booking = json!({"_id": "b1", "start": "2026-06-01T10:00:00Z", "end": "2026-06-01T11:00:00Z", "resource": "r1"});
    let (from, booking) = rows::booking(&booking).unwrap();
    all.bookings.insert(("b1".into(), from), booking);
    let packed = crate::platform::packed::Packed::of(&all).unwrap();
    assert_eq!(packed.open().unwrap(), all);
}

#[test]
fn a_members_other_location_and_a_company_are_told() {
    let mut all = Rows::default();
    member(&mut all, &json!({"_id": "m1", "name": "Ana", "location": "l2"}));
    all.companies.insert("c1".into(), "Two Oars".into());
    let ours = Site {
        location: Some("l1".into()),
        ..site()
    };
    let (facts, _) = facts(all, &ours, Span::default(), 0);
    assert_eq!(facts.people[0].standing, Standing::Network);
    assert_eq!(facts.teams[0].name, "Two Oars");
    assert_eq!(facts.catalogue.passes[0].name, "Day pass");
}

/// Anything that JSON can say, in shapes that come near to the real ones.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9-]{0,8}".prop_map(Value::from),
        Just(json!("2026-05-01T10:00:00.000Z")),
        Just(json!("+262142-12-31T23:59:59Z")),
        Just(json!("-009999-01-02T01:59:59Z")),
    ];
    let names = prop::sample::select(vec![
        "_id",
        "name",
        "email",
        "status",
        "calculatedStatus",
        "company",
        "member",
        "members",
        "visitors",
        "plan",
        "startDate",
        "endDate",
        "start",
        "end",
        "resource",
        "membership",
        "type",
        "floor",
        "parents",
        "properties",
        "CardNumber",
        "count",
        "usedCount",
        "validFrom",
        "validTo",
        "pass",
        "recurrence",
        "rrule",
        "isCancelled",
        "timezone",
        "location",
    ]);
    leaf.prop_recursive(3, 48, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..16)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_row_makes_the_translation_fall_over(rows in prop::collection::vec(anything(), 0..12), now in any::<i64>()) {
        let mut all = Rows::default();
        for (number, row) in rows.iter().enumerate() {
            let id = rows::id(row).unwrap_or_else(|| number.to_string().into());
            macro_rules! put {
                ($($field:ident $read:expr),*) => { $( if let Ok(made) = $read { all.$field.insert(id.clone(), made); } )* };
            }
            put!(
                members rows::member(row, PROPERTY), companies rows::named(row), memberships rows::membership(row),
                plans rows::named(row), resources rows::resource(row), floors rows::floor(row),
                locations rows::location(row), assignments rows::assignment(row), passes rows::pass(row),
                visitors rows::visitor(row), check_ins rows::check_in(row)
            );
            if let Ok((from, booking)) = rows::booking(row) {
                all.bookings.insert((id, from), booking);
            }
        }
        let _ = facts(all.clone(), &site(), Span::around(now, 14), now);
    }
}
