//! What goes up to OfficeRnD: check-ins, each once and never for another day; card numbers; the address of web hooks.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::officernd_site::{Desk, card};
use doorward::{
    domain::{ClockQuality, Credential, Moment, PersonId},
    platform::{CheckIn, CheckInOutcome, ErrorKind, Hint, Hook, HookRefused, Platform, Retry},
};
use doorward_peers::{
    office::Office,
    officernd::{CARD_PROPERTY, Faults, HOOK_SECRET},
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn entry(member: &str, at: i64) -> CheckIn {
    CheckIn {
        key: format!("site-{at}").as_str().into(),
        person: member.into(),
        door: "front".into(),
        at,
        clock: ClockQuality::Trusted,
        late: false,
    }
}

/// The end of the local day in Madrid.
fn midnight(at: i64) -> i64 {
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    let day = Timestamp::from_millisecond(at)
        .unwrap()
        .to_zoned(zone.clone())
        .date();
    day.tomorrow()
        .unwrap()
        .to_zoned(zone)
        .unwrap()
        .timestamp()
        .as_millisecond()
}

fn member(desk: &Desk) -> String {
    let member = desk
        .office
        .join("Ana Alder", "ana@example.org", "Hot desk", "2026-01-01");
    desk.office.give_card(&member, &card(1));
    member
}

const fn until(at: i64) -> CheckInOutcome {
    CheckInOutcome::Accepted {
        running_until: Some(at),
    }
}

#[tokio::test]
async fn an_entry_is_a_check_in_and_the_next_ones_of_the_day_are_the_same_one() {
    let desk = Desk::open();
    let ana = member(&desk);
    let now = desk.now();
    let outcome = desk.adapter.check_in(&entry(&ana, now)).await.unwrap();
    assert_eq!(outcome, until(midnight(now)));
    let before = desk.office.requests();
    for later in 1..5 {
        let outcome = desk.adapter.check_in(&entry(&ana, now + later)).await.unwrap();
        assert_eq!(outcome, until(midnight(now)));
    }
    assert_eq!(desk.office.requests(), before, "nothing was asked");
    // After a restart it is looked for, and found.
    let outcome = desk.another().check_in(&entry(&ana, now + 9)).await.unwrap();
    assert_eq!(outcome, until(midnight(now)));
    assert_eq!(desk.office.attendance().len(), 1);
    assert_eq!(desk.office.asked_for("POST", "/checkins"), 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_does_not_make_a_second_check_in() {
    let desk = Desk::open();
    let ana = member(&desk);
    let now = desk.now();
    desk.office.faults(Faults {
        lose_check_in_answers: true,
        ..Faults::default()
    });
    let lost = desk.adapter.check_in(&entry(&ana, now)).await.unwrap_err();
    assert_eq!(
        (lost.kind, lost.retry()),
        (ErrorKind::Unreachable, Retry::Backoff)
    );
    desk.office.faults(Faults::default());
    let again = desk.adapter.check_in(&entry(&ana, now)).await.unwrap();
    assert_eq!(again, until(midnight(now)));
    assert_eq!(desk.office.attendance().len(), 1);
}

#[tokio::test]
async fn two_entries_at_once_make_one_check_in() {
    let desk = Desk::open();
    let ana = member(&desk);
    let now = desk.now();
    let (one, two) = (entry(&ana, now), entry(&ana, now + 1));
    let (first, second) = tokio::join!(desk.adapter.check_in(&one), desk.adapter.check_in(&two));
    assert_eq!(
        (first.unwrap(), second.unwrap()),
        (until(midnight(now)), until(midnight(now)))
    );
    assert_eq!(desk.office.attendance().len(), 1);
}

#[tokio::test]
async fn an_entry_of_another_day_ends_with_its_day_and_uses_no_pass_of_today() {
    let desk = Desk::open();
    let ana = member(&desk);
    desk.office.give_passes(&ana, "Day pass", 2).unwrap();
    let then = desk.now() - 2 * DAY;
    let late = CheckIn {
        late: true,
        ..entry(&ana, then)
    };
    assert_eq!(
        desk.adapter.check_in(&late).await.unwrap(),
        until(midnight(then) - 1)
    );
    let again = CheckIn {
        late: true,
        ..entry(&ana, then + 1)
    };
    assert_eq!(
        desk.another().check_in(&again).await.unwrap(),
        until(midnight(then) - 1)
    );
    let attendance = desk.office.attendance();
    assert_eq!(
        (attendance.len(), attendance[0].until),
        (1, Some(midnight(then) - 1))
    );
    // Today is another stay.
    let now = desk.now();
    assert_eq!(
        desk.adapter.check_in(&entry(&ana, now)).await.unwrap(),
        until(midnight(now))
    );
    let used = desk
        .office
        .with(|state| state.list("passes")[0]["usedCount"].clone());
    assert_eq!(used, json!(1), "for the day that is over");
}

#[tokio::test]
async fn who_checked_out_by_hand_checks_in_again() {
    let desk = Desk::open();
    let ana = member(&desk);
    let now = desk.now();
    desk.adapter.check_in(&entry(&ana, now - 10_000)).await.unwrap();
    desk.office.with(|state| {
        let id = state.list("checkins")[0]["_id"].as_str().unwrap().to_owned();
        let end = Timestamp::from_millisecond(now - 5_000).unwrap().to_string();
        state.update("checkins", &id, |row| row["end"] = json!(end));
    });
    let outcome = desk.another().check_in(&entry(&ana, now)).await.unwrap();
    assert_eq!(outcome, until(midnight(now)));
    assert_eq!(desk.office.attendance().len(), 2);
}

#[tokio::test]
async fn what_the_platform_does_not_count_is_told_in_its_words() {
    let desk = Desk::open();
    let ana = member(&desk);
    desk.office.deactivate(&ana).unwrap();
    let CheckInOutcome::Refused { reason } = desk.adapter.check_in(&entry(&ana, desk.now())).await.unwrap()
    else {
        panic!("refused")
    };
    assert!(
        reason.contains("Only active and drop-in members can be checked in"),
        "{reason}"
    );
    let outcome = desk.adapter.check_in(&entry("nobody", desk.now())).await.unwrap();
    assert!(matches!(outcome, CheckInOutcome::Refused { .. }), "{outcome:?}");
    let unsure = CheckIn {
        clock: ClockQuality::Untrusted,
        ..entry(&ana, desk.now())
    };
    let CheckInOutcome::Refused { reason } = desk.adapter.check_in(&unsure).await.unwrap() else {
        panic!("refused")
    };
    assert!(reason.contains("not certain"), "{reason}");
}

#[tokio::test]
async fn with_several_locations_one_has_to_be_named() {
    let desk = Desk::open();
    let ana = member(&desk);
    let first = desk.office.id_of("locations", "Riverside");
    desk.office.add(
        "locations",
        json!({"name": "Hillside", "timezone": "Europe/London"}),
    );
    let CheckInOutcome::Refused { reason } = desk.adapter.check_in(&entry(&ana, desk.now())).await.unwrap()
    else {
        panic!("refused")
    };
    assert!(reason.contains("[cloud.officernd] location"), "{reason}");
    let named = desk.with(|config| config.location = Some(first));
    assert_eq!(
        named.check_in(&entry(&ana, desk.now())).await.unwrap(),
        until(midnight(desk.now()))
    );
}

#[tokio::test]
async fn a_pass_that_is_in_use_goes_on_when_it_was_the_last() {
    let desk = Desk::open();
    let ana = member(&desk);
    desk.office.give_passes(&ana, "Day pass", 1).unwrap();
    let now = desk.now();
    desk.adapter.check_in(&entry(&ana, now)).await.unwrap();
    // The platform may use it at once, or at the end of the day; here it does at once.
    desk.office.with(|state| {
        let pass = state.list("passes")[0]["_id"].as_str().unwrap().to_owned();
        let check_in = state.list("checkins")[0]["_id"].as_str().unwrap().to_owned();
        state.update("passes", &pass, |row| {
            row["usedCount"] = json!(1);
            row["status"] = json!("used");
        });
        state.update("checkins", &check_in, |row| row["pass"] = json!(pass));
    });
    let (facts, ..) = desk.whole().await;
    assert_eq!(
        (facts.passes[0].left, facts.passes[0].running_until),
        (Some(0), Some(midnight(now)))
    );
}

#[tokio::test]
async fn a_card_is_written_beside_the_others_and_nothing_else_of_the_member_is_lost() {
    let desk = Desk::open();
    let ana = member(&desk);
    desk.office.change("members", &ana, |row| {
        row["properties"] = json!({CARD_PROPERTY: card(1), "Locker": 12, "Shoes": ["red", "blue"]});
    });
    let credential: Credential = format!("uid:{}", card(2)).parse().unwrap();
    let person = PersonId::from(ana.as_str());
    for _ in 0..2 {
        desk.adapter
            .assign_credential(&person, &credential)
            .await
            .unwrap();
    }
    let properties = |desk: &Desk| -> Value {
        desk.office
            .with(|state| state.get("members", &ana).unwrap()["properties"].clone())
    };
    let both = format!("{}, {}", card(1), card(2));
    assert_eq!(
        properties(&desk),
        json!({CARD_PROPERTY: both, "Locker": 12, "Shoes": ["red", "blue"]})
    );
    assert_eq!(
        desk.office.asked_for("PUT", "/members"),
        1,
        "what is there is not written again"
    );
    let olga = PersonId::from(desk.office.id_of("members", "Olga Oar").as_str());
    let error = desk
        .another()
        .assign_credential(&olga, &credential)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected { status: 409 });
    assert!(
        error.text.contains("Ana Alder") && !error.text.contains(&card(2)),
        "{error}"
    );
    desk.adapter
        .remove_credential(&person, &credential)
        .await
        .unwrap();
    assert_eq!(properties(&desk)[CARD_PROPERTY], json!(card(1)));
    let error = desk
        .adapter
        .assign_credential(&"nobody".into(), &credential)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected { status: 404 });
}

#[tokio::test]
async fn without_the_scope_for_cards_all_else_works_and_the_error_names_it() {
    let desk = Desk::open();
    let ana = member(&desk);
    desk.office.revoke("flex.community.members.update");
    desk.adapter.fetch(None).await.unwrap();
    desk.adapter.check_in(&entry(&ana, desk.now())).await.unwrap();
    let credential: Credential = format!("uid:{}", card(2)).parse().unwrap();
    let error = desk
        .adapter
        .assign_credential(&ana.as_str().into(), &credential)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorised);
    assert!(error.text.contains("flex.community.members.update"), "{error}");
}

#[tokio::test]
async fn a_web_hook_is_believed_only_with_its_signature_and_while_it_is_fresh() {
    let desk = Desk::open();
    let now = desk.now() / 1_000;
    let body = r#"{"event":"updated","eventType":"membership.updated","data":{"object":{"_id":"m1"}}}"#;
    let hear = |signature: &str, body: &str| {
        let headers = [("officernd-signature".to_owned(), signature.to_owned())];
        let now = Moment::trusted(now * 1_000);
        desk.adapter.hook(&Hook {
            headers: &headers,
            body: body.as_bytes(),
            now,
        })
    };
    let signature = desk.office.sign(HOOK_SECRET, body, now);
    let heard = hear(&signature, body).unwrap();
    let expected = Hint::Object {
        collection: "memberships",
        id: "m1".into(),
    };
    assert_eq!(
        (heard.hints, heard.signed, heard.delivery),
        (vec![expected], true, signature.clone())
    );
    let renamed = signature.replace("signature=", "v1=");
    assert!(hear(&renamed, body).is_ok(), "seen in the wild");
    assert_eq!(
        hear(&signature, &body.replace("m1", "m2")),
        Err(HookRefused::Signature)
    );
    assert_eq!(
        hear(&desk.office.sign("guess", body, now), body),
        Err(HookRefused::Signature)
    );
    assert_eq!(
        hear(&signature.replace(&now.to_string(), &(now + 1).to_string()), body),
        Err(HookRefused::Signature)
    );
    for strange in ["", "t=1", "t=,signature=", "t=1,signature=zz"] {
        assert_eq!(hear(strange, body), Err(HookRefused::Signature), "{strange:?}");
    }
    for age in [301, -301] {
        let old = desk.office.sign(HOOK_SECRET, body, now - age);
        assert_eq!(hear(&old, body), Err(HookRefused::Stale), "{age} s");
    }
    assert_eq!(
        hear(&desk.office.sign(HOOK_SECRET, "half", now), "half"),
        Err(HookRefused::Body)
    );
    let fee = r#"{"eventType":"fee.created","data":{"object":{"_id":"f"}}}"#;
    assert_eq!(
        hear(&desk.office.sign(HOOK_SECRET, fee, now), fee).unwrap().hints,
        []
    );
    let silent = desk.with(|config| config.hook_secret = None);
    let headers = [("officernd-signature".to_owned(), signature)];
    let hook = Hook {
        headers: &headers,
        body: body.as_bytes(),
        now: Moment::trusted(now * 1_000),
    };
    assert_eq!(silent.hook(&hook), Err(HookRefused::Unexpected));
}

#[tokio::test]
async fn the_address_of_web_hooks_is_told_once_and_the_secret_is_kept() {
    let desk = Desk::open();
    let address = "http://127.0.0.1:9/hooks/a-secret-part-of-it".parse().unwrap();
    let unset = |desk: &Desk| desk.with(|config| config.hook_secret = None);
    let adapter = unset(&desk);
    for _ in 0..2 {
        adapter.subscribe(&address).await.unwrap();
    }
    unset(&desk).subscribe(&address).await.unwrap();
    assert_eq!(desk.office.asked_for("POST", "/webhooks"), 1);
    desk.office
        .join("Ana Alder", "ana@example.org", "Hot desk", "2026-01-01");
    let (signature, body) = desk.office.last_hook().unwrap();
    let headers = [("officernd-signature".to_owned(), signature)];
    let hook = Hook {
        headers: &headers,
        body: body.as_bytes(),
        now: Moment::trusted(desk.now()),
    };
    assert_eq!(
        unset(&desk).hook(&hook).unwrap().hints.len(),
        1,
        "after a restart"
    );
    desk.office.revoke("flex.settings.webhooks.create");
    desk.clock.advance(Duration::from_secs(3_600));
    let error = unset(&desk).subscribe(&address).await.unwrap_err();
    assert!(error.text.contains("flex.settings.webhooks.create"), "{error}");
}

#[tokio::test]
async fn an_installer_sees_every_permission_and_what_there_is() {
    let desk = Desk::open();
    member(&desk);
    let survey = desk.adapter.survey().await.unwrap();
    assert_eq!(survey.checks.len(), 15);
    assert!(
        survey.checks.iter().all(|check| check.outcome.is_ok()),
        "{:?}",
        survey.checks
    );
    assert_eq!(survey.zone.as_deref(), Some("Europe/Madrid"));
    let names = |list: &[doorward::domain::facts::Named]| -> Vec<String> {
        list.iter().map(|it| it.name.to_string()).collect()
    };
    assert_eq!(
        names(&survey.catalogue.plans),
        ["Full time", "Hot desk", "Day passes"]
    );
    assert_eq!(names(&survey.catalogue.passes), ["Day pass"]);
    assert_eq!(survey.resources.len(), 5);
    assert_eq!(
        survey.remarks,
        ["1 of 3 members have a card number in \"CardNumber\"."]
    );
    desk.office.revoke("flex.space.assignments.read");
    desk.office.revoke("flex.community.checkins.create");
    let survey = desk.adapter.survey().await.unwrap();
    let failed: Vec<String> = survey
        .checks
        .iter()
        .filter_map(|check| {
            Some(format!(
                "{}: {}",
                check.what,
                check.outcome.as_ref().err()?.text.contains("grant the scope")
            ))
        })
        .collect();
    assert_eq!(
        failed,
        ["assignments: true"],
        "the token for check-ins is still about"
    );
}

/// Four tokens, and five a minute for everybody who uses this client: beside a gateway that has just started, the rest of the
/// minute is waited for, and nothing is called missing that is there.
#[tokio::test]
async fn a_token_that_has_to_be_waited_for_is_no_missing_permission() {
    let desk = Desk::open();
    member(&desk);
    desk.office.with(|state| {
        let now = state.server_now() / 1_000;
        state.token_calls = vec![now - 59; 5];
    });
    let minute_passes = async {
        while desk.office.asked_for("POST", "/oauth/token") == 0 {
            tokio::task::yield_now().await;
        }
        desk.office.with(|state| state.token_calls.clear());
    };
    let (survey, ()) = tokio::join!(desk.adapter.survey(), minute_passes);
    let survey = survey.unwrap();
    assert!(
        survey.checks.iter().all(|check| check.outcome.is_ok()),
        "{:?}",
        survey.checks
    );
}
