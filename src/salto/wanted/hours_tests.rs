use super::*;
use jiff::civil::date;
use proptest::prelude::*;

fn madrid() -> TimeZone {
    TimeZone::get("Europe/Madrid").unwrap()
}

/// By the clock on the wall in Madrid.
fn at(text: &str) -> Millis {
    let wall: jiff::civil::DateTime = text.parse().unwrap();
    wall.to_zoned(madrid()).unwrap().timestamp().as_millisecond()
}

const ALWAYS: Hours<'static> = Hours {
    week: None,
    holidays: &[],
};

fn said(hours: Hours<'_>, from: &str, until: &str, today: Date) -> Vec<String> {
    let window = Window::between(at(from), at(until));
    let slots = slots(hours, window, &madrid(), today);
    slots.iter().map(ToString::to_string).collect()
}

fn week(weekdays: (u16, u16), holiday: &[(u16, u16)]) -> Schedule {
    let span = |(from, until): (u16, u16)| Span { from, until };
    let day = vec![span(weekdays)];
    Schedule {
        id: "hours".into(),
        week: [
            day.clone(),
            day.clone(),
            day.clone(),
            day.clone(),
            day,
            vec![],
            vec![],
        ],
        holiday: holiday.iter().map(|pair| span(*pair)).collect(),
    }
}

const TODAY: Date = date(2026, 11, 22);

#[test]
fn a_booking_ends_with_the_minute_before_its_end() {
    assert_eq!(
        said(ALWAYS, "2026-11-23T13:55", "2026-11-23T16:00", TODAY),
        ["Mon 13:55-15:59 on 2026-11-23"]
    );
    // Within minutes: up to a minute early, never late, and never longer.
    assert_eq!(
        said(ALWAYS, "2026-11-23T13:55:40", "2026-11-23T16:00:50", TODAY),
        ["Mon 13:55-15:59 on 2026-11-23"]
    );
    assert!(said(ALWAYS, "2026-11-23T13:55:10", "2026-11-23T13:55:50", TODAY).is_empty());
}

#[test]
fn a_booking_over_midnight_is_two_schedules_and_one_over_days_is_three() {
    assert_eq!(
        said(ALWAYS, "2026-11-23T22:00", "2026-11-24T01:30", TODAY),
        ["Mon 22:00-23:59 on 2026-11-23", "Tue 00:00-01:29 on 2026-11-24"]
    );
    assert_eq!(
        said(ALWAYS, "2026-11-23T22:00", "2026-11-24T00:00", TODAY),
        ["Mon 22:00-23:59 on 2026-11-23"]
    );
    assert_eq!(
        said(ALWAYS, "2026-11-23T12:00", "2026-11-26T09:00", TODAY),
        [
            "Mon 12:00-23:59 on 2026-11-23",
            "Tue Wed 00:00-23:59 from 2026-11-24 to 2026-11-25",
            "Thu 00:00-08:59 on 2026-11-26",
        ]
    );
}

#[test]
fn days_on_which_the_clocks_change_are_told_by_the_clock_on_the_wall() {
    // 2026-10-25 the clocks go back at 03:00, 2026-03-29 they skip from 02:00 to 03:00.
    let before = date(2026, 3, 1);
    assert_eq!(
        said(ALWAYS, "2026-10-25T01:00", "2026-10-25T04:00", before),
        ["Sun 01:00-03:59 on 2026-10-25"]
    );
    assert_eq!(
        said(ALWAYS, "2026-03-29T01:30", "2026-03-29T03:30", before),
        ["Sun 01:30-01:59 on 2026-03-29", "Sun 03:00-03:29 on 2026-03-29"]
    );
    // From half past two for the second time: the first half hour is open the first time as well.
    let second = at("2026-10-25T04:00") - 90 * MINUTE;
    let window = Window::between(second, at("2026-10-25T04:00"));
    let slots = slots(ALWAYS, window, &madrid(), before);
    assert_eq!(slots[0].to_string(), "Sun 02:30-03:59 on 2026-10-25");
    // A whole day of 25 hours.
    assert_eq!(
        said(ALWAYS, "2026-10-25T00:00", "2026-10-26T00:00", before),
        ["Sun 00:00-23:59 on 2026-10-25"]
    );
}

#[test]
fn a_booking_opens_within_the_hours_of_its_group_only() {
    let week = week((480, 1_200), &[(600, 840)]);
    let hours = Hours {
        week: Some(&week),
        holidays: &[date(2026, 12, 8)],
    };
    assert_eq!(
        said(hours, "2026-11-23T07:00", "2026-11-23T09:00", TODAY),
        ["Mon 08:00-08:59 on 2026-11-23"]
    );
    assert!(said(hours, "2026-11-28T07:00", "2026-11-28T09:00", TODAY).is_empty());
    assert_eq!(
        said(hours, "2026-12-07T12:00", "2026-12-09T12:00", TODAY),
        [
            "Mon 12:00-19:59 on 2026-12-07",
            "Tue 10:00-13:59 on 2026-12-08",
            "Wed 08:00-11:59 on 2026-12-09",
        ]
    );
}

#[test]
fn a_holiday_cuts_the_weeks_apart_once_it_is_near_and_leaves_nothing_behind() {
    let week = week((480, 1_200), &[]);
    let hours = Hours {
        week: Some(&week),
        holidays: &[date(2026, 12, 8)],
    };
    let on = |today| -> Vec<String> {
        let slots = slots(hours, Window::ALWAYS, &madrid(), today);
        slots.iter().map(|slot| slot.as_of(today).to_string()).collect()
    };
    let plain = ["Mon Tue Wed Thu Fri 08:00-19:59"];
    assert_eq!(on(date(2026, 11, 9)), plain);
    assert_eq!(
        on(TODAY),
        [
            "Mon Tue Wed Thu Fri 08:00-19:59 to 2026-12-07",
            "Mon Tue Wed Thu Fri 08:00-19:59 from 2026-12-09",
        ]
    );
    assert_eq!(on(date(2026, 12, 9)), plain);
}

#[test]
fn a_membership_that_ends_ends_at_ks_by_itself() {
    let until = |text: &str| -> Vec<String> {
        let window = Window {
            from: None,
            until: Some(at(text)),
        };
        let slots = slots(ALWAYS, window, &madrid(), TODAY);
        slots.iter().map(ToString::to_string).collect()
    };
    assert_eq!(until("2027-01-01T00:00"), ["daily 00:00-23:59 to 2026-12-31"]);
    assert_eq!(
        until("2026-12-31T15:00"),
        ["Thu 00:00-14:59 on 2026-12-31", "daily 00:00-23:59 to 2026-12-30"]
    );
}

proptest! {
    /// Whatever the window and the hours: KS opens when both are open, and at no other minute, but for the hour that the
    /// clocks repeat, in which it may open as long as either is wanted.
    #[test]
    fn ks_opens_exactly_when_it_is_wanted(
        from in 0_i64..400 * 1_440,
        long in 1_i64..6 * 1_440,
        open in (0_u16..1_000, 1_u16..440),
        with_hours in any::<bool>(),
        // Minutes around the window.
        probes in prop::collection::vec(-400_i64..9_000, 40),
    ) {
        let zone = madrid();
        let start = at("2026-01-01T00:00") + from * MINUTE;
        let window = Window::between(start, start + long * MINUTE);
        let week = week((open.0, open.0 + open.1), &[(600, 660)]);
        let holidays = [date(2026, 3, 28), date(2026, 10, 26), date(2026, 6, 1)];
        let hours = Hours { week: with_hours.then_some(&week), holidays: &holidays };
        let today = local(start, &zone).unwrap().0;
        let slots = slots(hours, window, &zone, today);
        for probe in probes {
            let instant = start + probe * MINUTE;
            let (day, minute) = local(instant, &zone).unwrap();
            let opens = slots.iter().any(|slot| slot.opens(day, minute));
            let in_hours = hours.on(day).iter().any(|span| (span.from..span.until).contains(&minute));
            let twin = [-60, 60].into_iter().any(|shift| {
                let other = instant + shift * MINUTE;
                local(other, &zone) == Some((day, minute)) && window.contains(other)
            });
            let wanted = in_hours && (window.contains(instant) || twin);
            prop_assert_eq!(opens, wanted, "{} {}: {:?}", day, minute, slots);
        }
    }
}
