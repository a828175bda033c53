//! Entries become check-ins at Nexudus: each once, dated, and never a second while one runs.

use crate::nexudus_site::{Table, second};
use doorward::{
    domain::ClockQuality,
    platform::{CheckIn, CheckInOutcome, Retry},
};
use doorward_peers::{nexudus::Faults, office::Office};
use serde_json::json;
use std::time::Duration;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn midnight_after(at: i64) -> i64 {
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").unwrap();
    let day = jiff::Timestamp::from_millisecond(at)
        .unwrap()
        .to_zoned(zone.clone())
        .date();
    let next = day.tomorrow().unwrap().to_zoned(zone).unwrap();
    next.timestamp().as_millisecond()
}

fn running(outcome: &CheckInOutcome) -> Option<i64> {
    match outcome {
        CheckInOutcome::Accepted { running_until } => *running_until,
        CheckInOutcome::Refused { reason } => panic!("{reason}"),
    }
}

#[tokio::test]
async fn an_entry_spends_one_pass_and_the_next_ones_of_the_day_none() {
    let table = Table::set();
    let lea = table
        .office
        .join("Lea", "lea@example.com", "Day passes", "2026-05-04");
    table.office.give_passes(&lea, "Day pass", 2).unwrap();
    let at = second(table.office.now());
    let outcome = table
        .adapter
        .check_in(&table.entry("e-1", &lea, at))
        .await
        .unwrap();
    assert_eq!(
        running(&outcome),
        Some(midnight_after(at)),
        "a day pass runs until midnight"
    );
    let asked = table.office.requests().len();
    let again = table
        .adapter
        .check_in(&table.entry("e-2", &lea, at + 60_000))
        .await
        .unwrap();
    assert_eq!(again, outcome);
    assert_eq!(table.office.requests().len(), asked, "nothing was asked for it");
    let attendance = table.office.attendance();
    assert_eq!(
        (
            attendance.len(),
            attendance[0].from,
            attendance[0].member.as_str()
        ),
        (1, at, lea.as_str())
    );
    assert_eq!(table.office.rows("spaces/checkins")[0]["Source"], 2);
    let pass = &table.fetch().await.unwrap().passes[0];
    assert_eq!(
        (pass.left, pass.running_until),
        (Some(1), Some(midnight_after(at)))
    );
}

#[tokio::test]
async fn a_pass_of_minutes_runs_for_them() {
    let table = Table::set();
    let lea = table
        .office
        .join("Lea", "lea@example.com", "Day passes", "2026-05-04");
    table.office.give_passes(&lea, "Morning pass", 1).unwrap();
    let at = second(table.office.now());
    let outcome = table
        .adapter
        .check_in(&table.entry("e-1", &lea, at))
        .await
        .unwrap();
    assert_eq!(running(&outcome), Some(at + 4 * HOUR));
    let pass = &table.fetch().await.unwrap().passes[0];
    assert_eq!(
        (pass.left, pass.running_until),
        (Some(0), Some(at + 4 * HOUR)),
        "used up, and running (R23)"
    );
}

#[tokio::test]
async fn one_whose_answer_was_lost_is_found_and_not_sent_again_also_after_a_restart() {
    let mut table = Table::set();
    let lea = table
        .office
        .join("Lea", "lea@example.com", "Day passes", "2026-05-04");
    table.office.give_passes(&lea, "Day pass", 2).unwrap();
    table.office.faults(Faults {
        lose_check_in_answers: 1,
        ..Faults::default()
    });
    let at = second(table.office.now());
    let entry = table.entry("e-1", &lea, at + 250);
    let lost = table.adapter.check_in(&entry).await.unwrap_err();
    assert_eq!(lost.retry(), Retry::Backoff, "{lost}");
    table.restart();
    let outcome = table.adapter.check_in(&entry).await.unwrap();
    assert_eq!(running(&outcome), Some(midnight_after(at)));
    assert_eq!(table.office.attendance().len(), 1);
    assert_eq!(
        table
            .asked("spaces/checkins")
            .iter()
            .filter(|asked| asked.starts_with("POST"))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_refusal_comes_inside_a_200_and_is_an_answer() {
    let table = Table::set();
    let lea = table
        .office
        .join("Lea", "lea@example.com", "Day passes", "2026-05-04");
    let at = second(table.office.now());
    let outcome = table
        .adapter
        .check_in(&table.entry("e-1", &lea, at))
        .await
        .unwrap();
    let reason = "The customer does not have a valid pass.".to_owned();
    assert_eq!(outcome, CheckInOutcome::Refused { reason });
}

#[tokio::test]
async fn a_member_without_passes_is_checked_in_once_a_day() {
    let table = Table::set();
    let max = table
        .office
        .join("Max", "max@example.com", "Full time", "2026-05-04");
    let at = second(table.office.now());
    for (key, at) in [("e-1", at), ("e-2", at + 1_000)] {
        let outcome = table.adapter.check_in(&table.entry(key, &max, at)).await.unwrap();
        assert_eq!(running(&outcome), None, "no pass runs");
    }
    assert_eq!(table.office.attendance().len(), 1);
}

#[tokio::test]
async fn who_has_checked_out_by_other_means_is_checked_in_again() {
    let table = Table::set();
    let max = table
        .office
        .join("Max", "max@example.com", "Full time", "2026-05-04");
    let at = second(table.office.now());
    table
        .adapter
        .check_in(&table.entry("e-1", &max, at))
        .await
        .unwrap();
    let row = table.office.rows("spaces/checkins")[0]["Id"].as_u64().unwrap();
    let out = json!({ "ToTime": stamp(at + HOUR) });
    table.office.set("spaces/checkins", row, &out);
    table.clock.advance(Duration::from_secs(2 * 3_600));
    table
        .adapter
        .check_in(&table.entry("e-2", &max, at + 2 * HOUR))
        .await
        .unwrap();
    assert_eq!(table.office.attendance().len(), 2);
}

#[tokio::test]
async fn an_entry_of_yesterday_is_dated_yesterday_and_over() {
    let table = Table::set();
    let lea = table
        .office
        .join("Lea", "lea@example.com", "Day passes", "2026-05-04");
    table.office.give_passes(&lea, "Day pass", 2).unwrap();
    let at = second(table.office.now() - DAY);
    let entry = CheckIn {
        late: true,
        ..table.entry("e-1", &lea, at)
    };
    let outcome = table.adapter.check_in(&entry).await.unwrap();
    assert_eq!(running(&outcome), Some(midnight_after(at)));
    let attendance = &table.office.attendance()[0];
    assert_eq!(
        (attendance.from, attendance.until),
        (at, Some(midnight_after(at)))
    );
    // Today is another day, and another pass.
    let now = second(table.office.now());
    let today = table
        .adapter
        .check_in(&table.entry("e-2", &lea, now))
        .await
        .unwrap();
    assert_eq!(running(&today), Some(midnight_after(now)));
}

#[tokio::test]
async fn a_late_entry_before_one_of_the_same_day_spends_no_second_pass() {
    let table = Table::set();
    let lea = table
        .office
        .join("Lea", "lea@example.com", "Day passes", "2026-05-04");
    table.office.give_passes(&lea, "Day pass", 2).unwrap();
    let noon = midnight_after(table.office.now()) - DAY - 12 * HOUR;
    let row = json!({ "CoworkerId": lea.parse::<u64>().unwrap(), "BusinessId": 1_414, "Source": 1, "FromTime": stamp(noon), "ToTime": stamp(noon + HOUR) });
    table.office.add("spaces/checkins", &row);
    let entry = CheckIn {
        late: true,
        ..table.entry("e-1", &lea, noon - HOUR)
    };
    let CheckInOutcome::Refused { reason } = table.adapter.check_in(&entry).await.unwrap() else {
        panic!("it was taken")
    };
    assert!(reason.contains("checked in for that day already"), "{reason}");
}

fn stamp(at: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[tokio::test]
async fn what_nexudus_cannot_know_is_not_sent() {
    let table = Table::set();
    let at = table.office.now();
    let guessed = CheckIn {
        clock: ClockQuality::Untrusted,
        ..table.entry("e-1", "1001", at)
    };
    for (entry, expected) in [
        (guessed, "clock was not trusted"),
        (table.entry("e-2", "visitor:7", at), "no customer"),
    ] {
        let CheckInOutcome::Refused { reason } = table.adapter.check_in(&entry).await.unwrap() else {
            panic!("it was taken")
        };
        assert!(reason.contains(expected), "{reason}");
    }
    assert!(table.office.requests().is_empty());
}
