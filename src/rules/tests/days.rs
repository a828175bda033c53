//! R15, R16, R18: where windows begin and end, and the seams between them.

use super::*;

fn blue(bookings: Vec<Booking>) -> Facts {
    Facts {
        people: vec![person("ada"), person("bob")],
        resources: vec![resource("blue", "Blue room", ResourceKind::Room)],
        bookings,
        ..Facts::default()
    }
}

/// Whether the person gets in at the instant.
fn enters(outcome: &Outcome, who: &str, now: Millis) -> bool {
    let mut open = outcome
        .grants
        .iter()
        .filter(|it| it.void.is_none() && it.person.as_str() == who);
    open.any(|it| it.window.contains(now))
}

#[test]
fn r15_s3_33_only_on_the_date_and_at_the_time_of_the_booking() {
    let facts = blue(vec![booking(
        "b1",
        "blue",
        "ada",
        at("2026-05-20T10:00:00Z"),
        at("2026-05-20T11:00:00Z"),
    )]);
    let outcome = grants(&facts, &as_on(Profile::Cobot), &site("Europe/Madrid"));
    let opening = at("2026-05-20T09:55:00Z");
    for (now, expected) in [
        (opening - 1, false),
        (opening, true),
        (at("2026-05-20T11:04:59Z"), true),
        (at("2026-05-20T11:05:00Z"), false),
        (opening + crate::domain::time::DAY_MS, false),
    ] {
        assert_eq!(enters(&outcome, "ada", now), expected, "{now}");
    }
}

#[test]
fn r16_s3_37_a_deleted_booking_is_gone_and_a_moved_one_moves() {
    let booked = |from: Millis| blue(vec![booking("b1", "blue", "ada", from, from + 3_600_000)]);
    let (ten, noon) = (at("2026-05-20T10:00:00Z"), at("2026-05-20T12:00:00Z"));
    let of = |facts: &Facts| grants(facts, &as_on(Profile::Cobot), &site("UTC"));
    let (before, moved, deleted) = (of(&booked(ten)), of(&booked(noon)), of(&blue(vec![])));
    assert!(enters(&before, "ada", ten) && !enters(&before, "ada", noon));
    assert!(!enters(&moved, "ada", ten) && enters(&moved, "ada", noon));
    assert!(!enters(&deleted, "ada", ten) && deleted.grants.is_empty());
}

/// R18: the guides are silent on bookings that touch, so there is no line to name.
#[test]
fn r18_bookings_that_touch_or_overlap_leave_no_gap_at_the_seam() {
    let hour = 3_600_000;
    let start = at("2026-10-25T00:00:00Z"); // through the hour that comes twice in Madrid
    let facts = blue(vec![
        booking("b1", "blue", "ada", start, start + hour),
        booking("b2", "blue", "ada", start + hour, start + 2 * hour),
        booking("b3", "blue", "ada", start + 90 * 60_000, start + 3 * hour),
        booking("b4", "blue", "bob", start + 3 * hour, start + 4 * hour),
    ]);
    for profile in [Profile::Cobot, Profile::OfficeRnd, Profile::Spacebring] {
        let outcome = grants(&facts, &as_on(profile), &site("Europe/Madrid"));
        for minute in 0..180 {
            assert!(
                enters(&outcome, "ada", start + minute * 60_000),
                "{profile:?} {minute}"
            );
        }
        for seam in [hour, 90 * 60_000, 2 * hour] {
            assert!(enters(&outcome, "ada", start + seam - 1) && enters(&outcome, "ada", start + seam));
        }
        assert!(
            enters(&outcome, "bob", start + 3 * hour),
            "the next one in may enter at once"
        );
    }
    let office = grants(&facts, &as_on(Profile::OfficeRnd), &site("Europe/Madrid"));
    assert!(
        !enters(&office, "ada", start + 3 * hour),
        "S4:105: nothing after the end"
    );
}

#[test]
fn r18_a_booking_longer_than_a_day_is_one_window_whatever_the_clocks_do() {
    let (from, until) = (at("2026-03-28T18:00:00Z"), at("2026-03-31T06:00:00Z"));
    let facts = blue(vec![booking("b1", "blue", "ada", from, until)]);
    let window = only_window(&grants(
        &facts,
        &as_on(Profile::Spacebring),
        &site("Europe/Madrid"),
    ));
    assert_eq!(window, between("2026-03-28T17:30:00Z", "2026-03-31T06:30:00Z"));
}

#[test]
fn r18_r3_the_last_day_is_whole_on_days_of_23_and_25_hours() {
    let on = |zone: &str, last: &str| {
        let facts = Facts {
            people: vec![person("ada")],
            memberships: vec![Membership {
                starts: day(last),
                ends: day(last),
                ..membership("m1", "Day", Some("ada"))
            }],
            ..Facts::default()
        };
        let window = only_window(&grants(&facts, &as_on(Profile::Cobot), &site(zone)));
        (window.until.unwrap() - window.from.unwrap()) / 60_000
    };
    assert_eq!(on("Europe/Madrid", "2026-03-29"), 23 * 60);
    assert_eq!(on("Europe/Madrid", "2026-10-25"), 25 * 60);
    assert_eq!(
        on("Asia/Beirut", "2026-03-29"),
        23 * 60,
        "a day that begins at one o'clock"
    );
    assert_eq!(on("Australia/Lord_Howe", "2026-04-05"), 24 * 60 + 30);
    assert_eq!(on("UTC", "2028-02-29"), 24 * 60);
}

#[test]
fn instants_at_the_ends_of_time_make_no_window_that_wraps_around() {
    for (from, until) in [
        (i64::MIN, i64::MAX),
        (i64::MAX - 1, i64::MAX),
        (i64::MIN, i64::MIN + 1),
    ] {
        let facts = blue(vec![booking("b1", "blue", "ada", from, until)]);
        for (_, profile) in Profile::ALL {
            for window in windows(&grants(&facts, &as_on(profile), &site("Europe/Madrid"))) {
                assert!(window.from <= window.until, "{profile:?} {window:?}");
            }
        }
    }
}
