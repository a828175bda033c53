//! R17: desks booked by the day. The guide's own tables, and what it leaves open.

use super::*;
use crate::{
    config::model::BookingWindow,
    domain::{
        facts::Standing,
        opening::{Hours, Opening, Week, YearDay},
    },
};

fn hours(from: u16, until: u16) -> Week {
    Week {
        hours: vec![Hours {
            weekdays: vec![],
            from,
            until,
        }],
        closed: vec![],
    }
}

fn of_weekdays(weekdays: &[u8], from: u16, until: u16) -> Week {
    Week {
        hours: vec![Hours {
            weekdays: weekdays.to_vec(),
            from,
            until,
        }],
        closed: vec![],
    }
}

/// A desk with these hours, booked for a local day of Madrid by somebody of this standing.
fn booked(default: Week, public: Option<Week>, day: &str, standing: Standing) -> Facts {
    booked_for(
        default,
        public,
        &format!("{day}T00:00[Europe/Madrid]"),
        &format!("{day}T23:59[Europe/Madrid]"),
        standing,
    )
}

fn zoned(text: &str) -> Millis {
    text.parse::<jiff::Zoned>().unwrap().timestamp().as_millisecond()
}

fn booked_for(default: Week, public: Option<Week>, from: &str, until: &str, standing: Standing) -> Facts {
    Facts {
        people: vec![Person {
            standing,
            ..person("ada")
        }],
        resources: vec![Resource {
            opening: Some(Opening { default, public }),
            ..resource("desk-7", "Desk 7", ResourceKind::Desk)
        }],
        bookings: vec![booking("b1", "desk-7", "ada", zoned(from), zoned(until))],
        ..Facts::default()
    }
}

/// What opens, by the wall clock of Madrid.
fn shown(facts: &Facts, rules: &RulesConfig) -> Vec<(String, String)> {
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").unwrap();
    let wall = |at: Option<Millis>| {
        let instant = jiff::Timestamp::from_millisecond(at.unwrap()).unwrap();
        instant
            .to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M")
            .to_string()
    };
    let open = windows(&grants(facts, rules, &site("Europe/Madrid")));
    open.into_iter()
        .map(|it| (wall(it.from), wall(it.until)))
        .collect()
}

fn one(from: &str, until: &str) -> Vec<(String, String)> {
    vec![(from.into(), until.into())]
}

/// S2:113 to S2:129: 9 AM - 7 PM on 1/8/2024 opens 8:30 AM - 7:30 PM, 10:30 AM - 9:30 PM on 12/10/2024 opens 10 AM - 10 PM.
#[test]
fn r17_s2_111_members_of_the_location_follow_the_default_schedule() {
    let public = Some(hours(600, 960));
    let rules = as_on(Profile::Spacebring);
    let first = booked(hours(540, 1_140), public.clone(), "2024-08-01", Standing::Member);
    assert_eq!(shown(&first, &rules), one("2024-08-01 08:30", "2024-08-01 19:30"));
    let second = booked(hours(630, 1_290), public, "2024-10-12", Standing::Member);
    assert_eq!(
        shown(&second, &rules),
        one("2024-10-12 10:00", "2024-10-12 22:00")
    );
}

/// S2:133 to S2:149: 10 AM - 4 PM on 2/6/2024 opens 9:30 AM - 4:30 PM, 12:30 PM - 6:30 PM on 15/9/2024 opens 12 PM - 7 PM.
#[test]
fn r17_s2_131_network_members_and_nonmembers_follow_the_public_schedule() {
    let default = hours(0, 1_440);
    let rules = as_on(Profile::Spacebring);
    for standing in [Standing::Network, Standing::External] {
        let first = booked(default.clone(), Some(hours(600, 960)), "2024-06-02", standing);
        assert_eq!(shown(&first, &rules), one("2024-06-02 09:30", "2024-06-02 16:30"));
        let second = booked(default.clone(), Some(hours(750, 1_110)), "2024-09-15", standing);
        assert_eq!(
            shown(&second, &rules),
            one("2024-09-15 12:00", "2024-09-15 19:00")
        );
        // Without public hours the desk is not open to them.
        let none = booked(default.clone(), None, "2024-09-15", standing);
        assert_eq!(shown(&none, &rules), []);
        // A site may say that the default is for everybody.
        let all = RulesConfig {
            public_schedule_for_others: false,
            ..rules.clone()
        };
        assert_eq!(shown(&none, &all).len(), 1);
    }
}

#[test]
fn r17_s2_109_a_closed_day_or_a_weekday_without_hours_opens_nothing() {
    let rules = as_on(Profile::Spacebring);
    let closed = Week {
        closed: vec![YearDay { month: 12, day: 25 }],
        ..hours(540, 1_140)
    };
    assert_eq!(
        shown(
            &booked(closed.clone(), None, "2026-12-25", Standing::Member),
            &rules
        ),
        []
    );
    assert_eq!(
        shown(&booked(closed, None, "2026-12-24", Standing::Member), &rules).len(),
        1
    );
    let weekdays = of_weekdays(&[1, 2, 3, 4, 5], 540, 1_140);
    assert_eq!(
        shown(
            &booked(weekdays.clone(), None, "2026-05-23", Standing::Member),
            &rules
        ),
        [],
        "Saturday"
    );
    assert_eq!(
        shown(&booked(weekdays, None, "2026-05-22", Standing::Member), &rules).len(),
        1,
        "Friday"
    );
}

#[test]
fn r17_s2_109_hours_until_24_and_over_midnight_leave_no_gap_between_days() {
    let rules = as_on(Profile::Spacebring);
    let until_24 = booked(hours(1_200, 1_440), None, "2026-05-20", Standing::Member);
    assert_eq!(
        shown(&until_24, &rules),
        one("2026-05-20 19:30", "2026-05-21 00:30")
    );
    let night = booked(hours(1_320, 360), None, "2026-05-20", Standing::Member);
    assert_eq!(shown(&night, &rules), one("2026-05-20 21:30", "2026-05-21 06:30"));
    // Three days around the clock are one window.
    let (from, until) = (
        "2026-05-20T00:00[Europe/Madrid]",
        "2026-05-23T00:00[Europe/Madrid]",
    );
    let always = booked_for(hours(0, 1_440), None, from, until, Standing::Member);
    assert_eq!(
        shown(&always, &rules),
        one("2026-05-19 23:30", "2026-05-23 00:30")
    );
    let by_day = booked_for(hours(540, 1_140), None, from, until, Standing::Member);
    assert_eq!(
        shown(&by_day, &rules).len(),
        3,
        "a booking of several days opens on each"
    );
}

#[test]
fn r17_r18_the_schedule_is_the_wall_clocks_on_days_that_change() {
    let rules = RulesConfig {
        desk_before: Duration::ZERO,
        desk_after: Duration::ZERO,
        ..as_on(Profile::Spacebring)
    };
    let length = |week: Week, day: &str| {
        let facts = booked(week, None, day, Standing::Member);
        let open = windows(&grants(&facts, &rules, &site("Europe/Madrid")));
        open.iter()
            .map(|it| (it.until.unwrap() - it.from.unwrap()) / 60_000)
            .sum::<i64>()
    };
    assert_eq!(
        length(hours(540, 1_140), "2026-03-29"),
        600,
        "what lies behind the change is as long as ever"
    );
    assert_eq!(length(hours(0, 1_440), "2026-03-29"), 23 * 60);
    assert_eq!(length(hours(0, 1_440), "2026-10-25"), 25 * 60);
    assert_eq!(
        length(hours(60, 150), "2026-03-29"),
        60,
        "01:00 to 02:30, of which 02:00 to 02:30 does not exist"
    );
    assert_eq!(
        length(hours(130, 170), "2026-03-29"),
        0,
        "hours that the change skips"
    );
    assert_eq!(
        length(hours(60, 150), "2026-10-25"),
        150,
        "until the clock shows 02:30 for the second time"
    );
}

#[test]
fn r17_s2_109_invitees_and_times_of_the_booking_count_for_nothing_at_a_desk() {
    let mut facts = booked(hours(540, 1_140), None, "2026-05-20", Standing::Member);
    facts.people.push(person("bob"));
    facts.bookings[0].invitees = vec!["bob".into()];
    let outcome = grants(&facts, &as_on(Profile::Spacebring), &site("Europe/Madrid"));
    assert_eq!(
        opens(&outcome),
        [row("ada", "desks", 17, "b1")],
        "C3: the guide names no invitees to desks"
    );
    let inviting = RulesConfig {
        grant_desk_invitees: true,
        ..as_on(Profile::Spacebring)
    };
    assert_eq!(opens(&grants(&facts, &inviting, &site("Europe/Madrid"))).len(), 2);
}

#[test]
fn r17_a_desk_without_a_schedule_keeps_its_bookings_times_and_is_reported() {
    let mut facts = booked(hours(540, 1_140), None, "2026-05-20", Standing::Member);
    facts.resources[0].opening = None;
    let outcome = grants(&facts, &as_on(Profile::Spacebring), &site("Europe/Madrid"));
    assert_eq!(
        only_window(&outcome),
        between("2026-05-19T21:30:00Z", "2026-05-20T22:29:00Z")
    );
    assert_eq!(warned(&outcome)[0].key(), "no_schedule");
}

#[test]
fn r17_a_booking_of_years_by_schedule_is_refused_and_reported() {
    let mut facts = booked(hours(540, 1_140), None, "2026-05-20", Standing::Member);
    facts.bookings[0].until = i64::MAX;
    let outcome = grants(&facts, &as_on(Profile::Spacebring), &site("Europe/Madrid"));
    assert!(outcome.grants.is_empty());
    facts.bookings[0].until = at("2036-05-20T00:00:00Z");
    let outcome = grants(&facts, &as_on(Profile::Spacebring), &site("Europe/Madrid"));
    assert!(outcome.grants.is_empty());
    assert_eq!(warned(&outcome)[0].key(), "too_long");
}

#[test]
fn r13_r17_coworks_a_booking_opens_for_the_whole_day() {
    let mut facts = booked(hours(540, 1_140), None, "2026-05-20", Standing::External);
    facts.bookings[0] = booking(
        "b1",
        "desk-7",
        "ada",
        at("2026-05-20T10:00:00Z"),
        at("2026-05-20T11:00:00Z"),
    );
    let rules = as_on(Profile::Coworks);
    assert_eq!(rules.desk_window, BookingWindow::WholeDay);
    assert_eq!(shown(&facts, &rules), one("2026-05-20 00:00", "2026-05-21 00:00"));
    let from_four = RulesConfig {
        day_starts: 240,
        ..rules
    };
    assert_eq!(
        shown(&facts, &from_four),
        one("2026-05-20 04:00", "2026-05-21 04:00")
    );
    facts.bookings[0].from = at("2026-05-20T00:30:00Z"); // 02:30 is still the day before
    assert_eq!(
        shown(&facts, &from_four),
        one("2026-05-19 04:00", "2026-05-21 04:00")
    );
}
