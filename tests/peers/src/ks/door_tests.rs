//! Quirks of what hangs at doors: schedules, tags, registration, remote opening, entries.

use super::{
    CLEANER, CLEANER_TAG, CLEANERS, otp,
    tests::{Caller, refused, request, text, value},
};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn a_group_opens_by_its_schedule_and_not_without() {
    let caller = Caller::new();
    let ks = &caller.ks;
    // Wednesday, 1 July 2026, 18:00:30 in Madrid.
    let at = "2026-07-01T16:00:30Z"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_millisecond();
    assert!(ks.would("Front door", CLEANER_TAG, at).opened());
    ks.change_group(CLEANERS, |group| group.schedules.clear());
    assert!(!ks.would("Front door", CLEANER_TAG, at).opened());
    let group = ks.groups()[0].id.clone();
    let path = format!("/access_groups/{group}/time_schedules");
    refused(
        caller.ask(
            "POST",
            "v1.1",
            &path,
            &json!({"start_time": "08:00", "end_time": "18:00"}),
        ),
        400,
        1_101,
    );
    let days = json!({"days": ["wednesday"], "start_time": "08:00", "end_time": "18:00"});
    refused(caller.ask("POST", "v1.1", &path, &days), 400, 1_101);
    let body = json!({"wednesday": true, "start_time": "08:00", "end_time": "18:00", "start_date": "2026-07-01", "end_date": "2026-07-01"});
    assert_eq!(caller.ask("POST", "v1.2", &path, &body).0, 405);
    let (status, made) = caller.ask("POST", "v1.1", &path, &body);
    assert_eq!((status, text(&made, "/end_time")), (200, "18:00:59"));
    assert!(ks.would("Front door", CLEANER_TAG, at).opened());
    for wrong in [at + 30_000, at - 86_400_000, at + 7 * 86_400_000] {
        assert!(!ks.would("Front door", CLEANER_TAG, wrong).opened());
    }
    ks.change_user(CLEANER, |user| user.suspended = true);
    assert_eq!(
        ks.would("Front door", CLEANER_TAG, at),
        super::Did::Rejected("suspended")
    );
}

#[test]
fn a_tag_is_of_one_site_and_of_one_person() {
    let caller = Caller::new();
    caller.ks.add_tag("02309289");
    caller.ks.add_tag_elsewhere("01507333");
    let find = |number: &str| {
        caller
            .get(&format!("/tags?$filter=tag_number%20eq%20'{number}'"))
            .1["items"]
            .clone()
    };
    assert_eq!(find("01507333"), json!([]));
    let tag = find("02309289")[0]["id"].clone();
    let (ana, ben) = (caller.create("Ana Ruiz").1, caller.create("Ben Okafor").1);
    let give = |user: &Value| {
        caller.ask(
            "PATCH",
            "v1.2",
            &format!("/users/{}", text(user, "/id")),
            &json!({"tag_id": tag}),
        )
    };
    assert_eq!(text(&give(&ana).1, "/user/tag_number"), "02309289");
    refused(give(&ben), 400, 1_100);
    let none = caller.ask(
        "PATCH",
        "v1.2",
        &format!("/users/{}", text(&ana, "/id")),
        &json!({"tag_id": null}),
    );
    assert_eq!(none.1["user"]["tag_number"], Value::Null);
    assert_eq!(give(&ben).0, 200);
}

#[test]
fn a_lock_registers_tags_for_as_long_as_it_was_told() {
    let caller = Caller::new();
    let lock = caller.ks.locks()[4].clone();
    let path = format!("/locks/{}/tag_registration", lock.id);
    assert_eq!(
        caller
            .ask("PATCH", "v1.1", &path, &json!({"duration_in_seconds": 120}))
            .0,
        200
    );
    let state = |caller: &Caller| {
        text(
            &caller.get(&format!("/locks/{}", lock.id)).1,
            "/tag_registration_state",
        )
        .to_owned()
    };
    assert_eq!(state(&caller), "started");
    let now = caller.ks.now();
    caller.ks.open_lock_with_tag("Desk reader", "00001234", now);
    caller.ks.advance(Duration::from_secs(121));
    assert_eq!(state(&caller), "not_started");
    caller.ks.open_lock_with_tag("Desk reader", "00005678", now);
    let tags = caller.get("/tags").1;
    let numbers: Vec<&str> = tags["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| text(tag, "/tag_number"))
        .collect();
    assert_eq!(numbers, [CLEANER_TAG, "00001234"]);
    let newest = caller.ask("GET", "v1.1", "/entries?$top=1", &Value::Null).1;
    assert_eq!(text(&newest, "/items/0/access_detail"), "00005678");
    assert_eq!(newest["items"][0]["user_id"], Value::Null);
}

#[test]
fn remote_opening_wants_a_one_time_password() {
    let caller = Caller::new();
    let (iq, lock) = caller
        .ks
        .with(|state| (state.iqs[0].clone(), state.locks[0].clone()));
    let locking = format!("/locks/{}/locking", lock.id);
    let open = |otp: Option<&str>| {
        let mut body = json!({"locked_state": "unlocked"});
        if let Some(otp) = otp {
            body["otp"] = json!(otp);
        }
        caller.ask("PATCH", "v1.2", &locking, &body)
    };
    refused(open(None), 404, 2_202);
    let secret = caller.get(&format!("/iqs/{}/secret", iq.id)).1["secret"].clone();
    assert_eq!(caller.get(&format!("/iqs/{}/pin?send_email=true", iq.id)).0, 204);
    let pin = caller.ks.mailed_pin(&iq.id).unwrap();
    let now = caller.ks.now();
    let good = otp(now, secret.as_str().unwrap(), &pin);
    let body = json!({"otp": good, "delta": "0000"});
    assert_eq!(
        caller.ask("PUT", "v1.2", &format!("/iqs/{}/pin", iq.id), &body).0,
        204
    );
    refused(caller.get(&format!("/iqs/{}/secret", iq.id)), 403, 2_203);
    assert_eq!(open(Some(&good)).0, 200);
    assert_eq!(caller.ks.entries().last().unwrap().by.as_deref(), Some("remote"));
    caller.ks.advance(Duration::from_secs(200));
    for _ in 0..4 {
        refused(open(Some(&good)), 400, 3_102);
    }
    refused(open(Some(&good)), 403, 3_102);
    let fresh = || otp(caller.ks.now(), secret.as_str().unwrap(), &pin);
    refused(open(Some(&fresh())), 403, 3_102);
    caller.ks.advance(Duration::from_secs(301));
    assert_eq!(open(Some(&fresh())).0, 200);
    // A vector worked out with another implementation: MD5 of "20260101000000" + "secret" + "1234".
    assert_eq!(otp(1_767_225_600_000, "secret", "1234"), "b94b7");
}

#[test]
fn entries_come_in_pages_that_do_not_shift_and_end_after_ninety_days() {
    let mut caller = Caller::new();
    let now = caller.ks.now();
    for number in 0..7 {
        caller
            .ks
            .open_lock_with_tag("Front door", CLEANER_TAG, now - number * 60_000);
    }
    let page = |token: Option<&str>| {
        let path = format!(
            "/v1.1/sites/{}/entries?$top=3&$orderby=utc_date_time%20desc",
            caller.ks.site()
        );
        let mut request = request("GET", &path, b"");
        request.continuation = token.map(str::to_owned);
        value(&caller.raw(request)).1
    };
    let first = page(None);
    // Somebody comes in meanwhile, and an entry of long ago arrives late.
    caller
        .ks
        .open_lock_with_tag("Front door", CLEANER_TAG, now + 60_000);
    caller
        .ks
        .open_lock_with_tag("Front door", CLEANER_TAG, now - 3_600_000);
    let second = page(Some(text(&first, "/continuation_token")));
    let third = page(Some(text(&second, "/continuation_token")));
    let mut ids: Vec<String> = [&first, &second, &third]
        .iter()
        .flat_map(|page| {
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| text(entry, "/id").to_owned())
        })
        .collect();
    assert_eq!((ids.len(), third["continuation_token"].is_null()), (8, true));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8);
    let since = jiff::Timestamp::from_millisecond(now - 90_000).unwrap();
    let filter = format!(
        "$filter=(utc_date_time%20ge%20DateTime'{}')",
        since.strftime("%Y-%m-%dT%H:%M:%S")
    );
    let newer = caller
        .ask("GET", "v1.1", &format!("/entries?{filter}"), &Value::Null)
        .1;
    assert_eq!(newer["items"].as_array().unwrap().len(), 3, "{newer}");
    caller.ks.advance(Duration::from_secs(90 * 86_400));
    assert_eq!(caller.ask("GET", "v1.1", "/entries", &Value::Null).0, 401);
    caller.sign_in();
    let left = caller.ask("GET", "v1.1", "/entries", &Value::Null).1;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}
