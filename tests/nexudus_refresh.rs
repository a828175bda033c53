//! What hints name is fetched and nothing else, and the outcome is that of a whole fetch.

use crate::nexudus_site::{Table, in_haste};
use doorward::{
    domain::facts::Facts,
    platform::{Asked, Fetched, Hint, Hook, HookRefused},
};
use doorward_peers::{
    nexudus::{ACS_TOKEN, Delivery, HOOK_SECRET},
    office::Office,
};
use proptest::{prelude::*, test_runner::Config};
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;

/// What a delivery comes to at the adapter.
fn hear(table: &Table, delivery: &Delivery) -> Result<Vec<Hint>, HookRefused> {
    let hook = Hook {
        headers: &delivery.headers,
        body: &delivery.body,
        now: table.clock.now(),
    };
    Ok(table.adapter.hook(&hook)?.hints)
}

/// The hints of a web hook about a record.
fn about(table: &Table, path: &str, id: u64) -> Vec<Hint> {
    let row = table.office.row(path, id).unwrap();
    hear(table, &Delivery::signed(HOOK_SECRET, &Value::Object(row))).unwrap()
}

async fn refreshed(table: &Table, last: &Facts, hints: &[Hint]) -> Facts {
    let known = doorward::platform::Known {
        version: last.version,
        etag: None,
    };
    match table.adapter.refresh(&known, last.clone(), hints).await.unwrap() {
        Fetched::Facts { facts, .. } => facts,
        Fetched::Unchanged => panic!("nothing was known"),
    }
}

#[tokio::test]
async fn a_moved_booking_costs_two_requests_and_a_customer_seven() {
    let table = Table::set();
    let office = &table.office;
    let ana = office.join("Ana", "ana@example.com", "Day passes", "2026-05-04");
    office.give_passes(&ana, "Day pass", 2).unwrap();
    let from = office.now() + HOUR;
    let booking = office.book(&ana, "Meeting room", from, from + HOUR);
    let facts = table.fetch().await.unwrap();

    office.move_booking(&booking, from + HOUR, from + 2 * HOUR);
    let hints = about(&table, "spaces/bookings", booking.parse().unwrap());
    let before = office.requests().len();
    let next = refreshed(&table, &facts, &hints).await;
    assert!(
        next.bookings
            .iter()
            .all(|it| it.from == (from + HOUR).div_euclid(1_000) * 1_000)
    );
    assert_eq!(office.requests().len() - before, 2);

    office.give_card(&ana, "04A2B3C4");
    let hints = about(&table, "spaces/coworkers", ana.parse().unwrap());
    let before = office.requests().len();
    let next = refreshed(&table, &next, &hints).await;
    let person = next.people.iter().find(|it| it.id.as_str() == ana).unwrap();
    assert_eq!(person.credentials.len(), 1);
    assert_eq!(office.requests().len() - before, 7);
}

#[tokio::test]
async fn without_a_whole_fetch_before_it_a_refresh_is_one() {
    let mut table = Table::set();
    let ana = table
        .office
        .join("Ana", "ana@example.com", "Hot desk", "2026-05-04");
    let facts = table.fetch().await.unwrap();
    table.restart();
    let next = refreshed(&table, &facts, &[Hint::Person(ana.as_str().into())]).await;
    assert_eq!(
        Facts {
            version: facts.version,
            ..next
        },
        facts
    );
    assert!(!table.asked("spaces/coworkers?").is_empty());
}

fn push(time: &str, coworker: &str, groups: &[&str], until: &str) -> Delivery {
    let schedule: Vec<Value> = groups
        .iter()
        .take(1)
        .map(|it| json!({ "group": it, "expires_on": until }))
        .collect();
    let body = json!({
        "time": time, "business": { "id": 1_414, "name": "Harbour", "uniqueId": "x" },
        "coworker": { "id": coworker.parse::<u64>().unwrap(), "email": "a@example.com", "uniqueId": "y", "accessPincode": "1234" },
        "groups": groups, "schedule": schedule,
    });
    Delivery::pushed(ACS_TOKEN, &body)
}

#[tokio::test]
async fn groups_that_are_pushed_hold_until_the_next_push_also_over_whole_fetches_and_a_restart() {
    let mut table = Table::set();
    let ana = table
        .office
        .join("Ana", "ana@example.com", "Hot desk", "2026-05-04");
    let facts = table.fetch().await.unwrap();
    let before = table.office.requests().len();
    let delivery = push(
        "2026-06-10T10:00:00Z",
        &ana,
        &["rooms", "office-2"],
        "2026-06-10T12:00:00Z",
    );
    let next = refreshed(&table, &facts, &hear(&table, &delivery).unwrap()).await;
    assert_eq!(table.office.requests().len(), before, "a push needs no request");
    let held = |facts: &Facts| {
        let person = facts.people.iter().find(|it| it.id.as_str() == ana).unwrap();
        (person.groups.clone(), person.group_ends.get("rooms").copied())
    };
    let expected = (vec!["office-2".into(), "rooms".into()], Some(1_781_092_800_000));
    assert_eq!(held(&next), expected);
    assert_eq!(held(&table.fetch().await.unwrap()), expected);
    table.restart();
    assert_eq!(held(&table.fetch().await.unwrap()), expected);
    let none = push("2026-06-10T10:05:00Z", &ana, &[], "");
    let next = refreshed(&table, &next, &hear(&table, &none).unwrap()).await;
    assert_eq!(held(&next), (Vec::new(), None));
}

#[tokio::test]
async fn custom_acs_asks_for_groups_with_its_token_only() {
    let table = Table::set();
    let ask = |token: &str| {
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        let hook = Hook {
            headers: &headers,
            body: b"",
            now: table.clock.now(),
        };
        table.adapter.served(&Asked {
            method: "GET",
            path: "groups",
            query: "",
            hook,
        })
    };
    let served = ask(ACS_TOKEN).unwrap();
    let groups: Value = serde_json::from_slice(&served.body).unwrap();
    assert_eq!(
        groups,
        json!([{ "id": "office-2", "name": "office-2" }, { "id": "rooms", "name": "rooms" }])
    );
    assert_eq!(ask("guess").unwrap().status, 401);
}

#[tokio::test]
async fn hooks_are_asked_for_once_and_none_that_was_switched_off_is_forced() {
    let table = Table::set();
    let address = "https://doors.example.com/hooks/secret".parse().unwrap();
    for _ in 0..2 {
        table.adapter.subscribe(&address).await.unwrap();
    }
    let hooks = table.office.rows("sys/webhooks");
    assert_eq!(hooks.len(), 22);
    assert!(
        hooks
            .iter()
            .any(|hook| hook["Action"] == 61 && hook["URL"] == "https://doors.example.com/hooks/secret")
    );
    let first = hooks[0]["Id"].as_u64().unwrap();
    table
        .office
        .set("sys/webhooks", first, &json!({ "Active": false }));
    let error = table.adapter.subscribe(&address).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("switched off the web hooks of the actions 2"),
        "{error}"
    );
    assert_eq!(table.office.rows("sys/webhooks").len(), 22);
}

#[tokio::test]
async fn a_survey_tries_every_role_and_lists_what_there_is() {
    let table = Table::set();
    let survey = table.adapter.survey().await.unwrap();
    assert_eq!(survey.checks.len(), 14);
    assert!(survey.checks.iter().all(|check| check.outcome.is_ok()));
    assert_eq!((survey.catalogue.plans.len(), survey.resources.len()), (3, 6));
    assert!(
        survey.remarks.iter().any(|it| it == "Location 1414 is Harbour."),
        "{:?}",
        survey.remarks
    );
    assert!(
        survey
            .remarks
            .iter()
            .any(|it| it.contains("access group rooms is linked to Meeting room")),
        "{:?}",
        survey.remarks
    );
    let lost = doorward_peers::nexudus::Faults {
        revoked: vec!["Team-List"],
        ..Default::default()
    };
    table.office.faults(lost);
    let survey = table.adapter.survey().await.unwrap();
    let failed: Vec<String> = survey
        .checks
        .iter()
        .filter_map(|check| {
            check
                .outcome
                .as_ref()
                .err()
                .map(|error| format!("{}: {error}", check.what))
        })
        .collect();
    assert!(
        failed.len() == 1 && failed[0].contains("teams: ") && failed[0].contains("role Team-List"),
        "{failed:?}"
    );
}

/// Something that staff or members do.
#[derive(Clone, Debug)]
enum Edit {
    Join,
    Card(usize, u8),
    Suspend(usize),
    Rename(usize),
    Cancel(usize),
    Book(usize, usize, i64),
    Move(usize, i64),
    Delete(usize),
    Confirm(usize, bool),
    Guest(usize),
    Invite(usize, usize),
    Assign(usize),
    Sell(usize),
    Enter(usize),
    Pause(usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let who = 0..6_usize;
    let one = prop_oneof![
        Just(Edit::Join),
        (who.clone(), any::<u8>()).prop_map(|(who, card)| Edit::Card(who, card)),
        who.clone().prop_map(Edit::Suspend),
        who.clone().prop_map(Edit::Rename),
        who.clone().prop_map(Edit::Cancel),
        (who.clone(), 0..3_usize, -40..900_i64).prop_map(|(who, what, at)| Edit::Book(who, what, at)),
        (who.clone(), -40..900_i64).prop_map(|(which, at)| Edit::Move(which, at)),
        who.clone().prop_map(Edit::Delete),
        (who.clone(), any::<bool>()).prop_map(|(which, tentative)| Edit::Confirm(which, tentative)),
        who.clone().prop_map(Edit::Guest),
        (who.clone(), who.clone()).prop_map(|(which, who)| Edit::Invite(which, who)),
        who.clone().prop_map(Edit::Assign),
        who.clone().prop_map(Edit::Sell),
        who.clone().prop_map(Edit::Enter),
        who.prop_map(Edit::Pause),
    ];
    prop::collection::vec(one, 1..12)
}

struct Space {
    table: Table,
    joined: usize,
}

impl Space {
    fn members(&self) -> Vec<u64> {
        let rows = self.table.office.rows("spaces/coworkers");
        rows.iter().map(|row| row["Id"].as_u64().unwrap()).collect()
    }
    fn bookings(&self) -> Vec<u64> {
        let rows = self.table.office.rows("spaces/bookings");
        rows.iter().map(|row| row["Id"].as_u64().unwrap()).collect()
    }
    fn member(&self, who: usize) -> u64 {
        let all = self.members();
        all[who % all.len()]
    }
    fn booking(&self, which: usize) -> Option<u64> {
        let all = self.bookings();
        (!all.is_empty()).then(|| all[which % all.len()])
    }
    fn person(&self, id: u64) -> Vec<Hint> {
        about(&self.table, "spaces/coworkers", id)
    }

    /// Makes an edit; the hints of the web hook that Nexudus sends for it.
    async fn make(&mut self, edit: &Edit) -> Vec<Hint> {
        let office = &self.table.office;
        match *edit {
            Edit::Join => {
                self.joined += 1;
                let email = format!("new{}@example.com", self.joined);
                let id = office.join("New", &email, "Day passes", "2026-06-01");
                self.person(id.parse().unwrap())
            }
            Edit::Card(who, card) => {
                let id = self.member(who);
                office.give_card(&id.to_string(), &format!("04A2B3{card:02X}"));
                self.person(id)
            }
            Edit::Suspend(who) => {
                let id = self.member(who);
                office.deactivate(&id.to_string()).unwrap();
                self.person(id)
            }
            Edit::Rename(who) => {
                let id = self.member(who);
                let row = json!({ "FullName": "Renamed", "Email": format!("renamed{id}@example.com") });
                office.set("spaces/coworkers", id, &row);
                self.person(id)
            }
            Edit::Cancel(who) => {
                let id = self.member(who);
                office.cancel(&id.to_string(), "2026-06-30");
                self.person(id)
            }
            Edit::Book(who, what, at) => {
                let from = office.now() + at * HOUR;
                let room = ["Meeting room", "Phone booth", "Desk 7"][what];
                let id = office.book(&self.member(who).to_string(), room, from, from + HOUR);
                about(&self.table, "spaces/bookings", id.parse().unwrap())
            }
            Edit::Move(which, at) => {
                let Some(id) = self.booking(which) else {
                    return Vec::new();
                };
                let from = office.now() + at * HOUR;
                office.move_booking(&id.to_string(), from, from + 2 * HOUR);
                about(&self.table, "spaces/bookings", id)
            }
            Edit::Delete(which) => {
                let Some(id) = self.booking(which) else {
                    return Vec::new();
                };
                let hints = about(&self.table, "spaces/bookings", id);
                office.delete_booking(&id.to_string());
                hints
            }
            Edit::Confirm(which, tentative) => {
                let Some(id) = self.booking(which) else {
                    return Vec::new();
                };
                office.set("spaces/bookings", id, &json!({ "Tentative": tentative }));
                about(&self.table, "spaces/bookings", id)
            }
            Edit::Guest(which) => {
                let Some(id) = self.booking(which) else {
                    return Vec::new();
                };
                office.visitor(id, "Guest", "guest@elsewhere.example");
                about(&self.table, "spaces/bookings", id)
            }
            Edit::Invite(which, who) => {
                let Some(id) = self.booking(which) else {
                    return Vec::new();
                };
                office
                    .invite(&id.to_string(), &self.member(who).to_string())
                    .unwrap();
                about(&self.table, "spaces/bookings", id)
            }
            Edit::Assign(who) => {
                let id = self.member(who);
                let _ = office.assign(&id.to_string(), "Office 2"); // without a contract it cannot be
                about(&self.table, "sys/floorplandesks", 613)
            }
            Edit::Sell(who) => {
                let id = self.member(who);
                office.give_passes(&id.to_string(), "Morning pass", 2).unwrap();
                self.person(id)
            }
            Edit::Enter(who) => {
                let id = self.member(who);
                let entry = self.table.entry("e", &id.to_string(), office.now());
                let _ = self.table.adapter.check_in(&entry).await.unwrap();
                self.person(id)
            }
            Edit::Pause(who) => {
                let id = self.member(who);
                let rows = office.rows("billing/coworkercontracts");
                let Some(row) = rows.iter().find(|row| row["CoworkerId"] == id) else {
                    return Vec::new();
                };
                let pause = json!({
                    "CoworkerContractId": row["Id"], "CoworkerContractCoworkerId": id,
                    "PauseFrom": "2026-06-30T22:00:00Z", "PauseUntil": "2026-07-31T22:00:00Z",
                });
                office.add("billing/contractpausedperiods", &pause);
                self.person(id)
            }
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, ..Config::default() })]

    /// Whatever happens, what hints bring is what a whole fetch brings.
    #[test]
    fn a_refresh_gives_what_a_whole_fetch_gives(edits in edits()) {
        in_haste(async {
            let mut space = Space { table: Table::patient(), joined: 0 };
            let mut facts = space.table.fetch().await.unwrap();
            for edit in &edits {
                let hints = space.make(edit).await;
                if hints.is_empty() {
                    continue;
                }
                facts = refreshed(&space.table, &facts, &hints).await;
                let whole = space.table.fetch().await.unwrap();
                assert_eq!(Facts { version: 0, ..facts.clone() }, Facts { version: 0, ..whole }, "{edit:?}");
            }
        });
    }
}
