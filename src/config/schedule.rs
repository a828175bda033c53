//! Opening hours as people write them: "08:00-20:00" for each weekday, "22:00-06:00" over midnight.

use super::{
    reading::{At, Named},
    section::Section,
};
use crate::domain::site::{Schedule, Span};

/// Minutes of a day by the wall clock.
const DAY: u16 = 1440;

/// The weekdays' keys, Monday first, each with the key that holds where the day itself says nothing.
const DAYS: [(&str, &str); 7] = [
    ("monday", "weekdays"),
    ("tuesday", "weekdays"),
    ("wednesday", "weekdays"),
    ("thursday", "weekdays"),
    ("friday", "weekdays"),
    ("saturday", "weekend"),
    ("sunday", "weekend"),
];

/// A `[[schedule]]`.
pub(super) fn schedule(section: &Section<'_>) -> Schedule {
    let id = section.text("id");
    section.reading.define(Named::Schedule, &id);
    let mut week: [Vec<(Span, At<String>)>; 7] = Default::default();
    for (day, (own, shared)) in DAYS.into_iter().enumerate() {
        let name = if section.has(own) { own } else { shared };
        for text in section.texts(name) {
            let Some((today, tomorrow)) = parse(section, &text) else {
                continue;
            };
            push(&mut week, day, today, &text);
            if let Some(span) = tomorrow {
                push(&mut week, (day + 1) % 7, span, &text);
            }
        }
    }
    Schedule {
        id: id.value.into(),
        week: week.map(|spans| in_order(section, spans)),
        holiday: in_order(section, holiday(section)),
    }
}

fn push(week: &mut [Vec<(Span, At<String>)>; 7], day: usize, span: Span, text: &At<String>) {
    if let Some(spans) = week.get_mut(day) {
        spans.push((span, text.clone()));
    }
}

/// What follows a holiday is not known here, so its hours end at midnight.
fn holiday(section: &Section<'_>) -> Vec<(Span, At<String>)> {
    let mut spans = Vec::new();
    for text in section.texts("holiday") {
        match parse(section, &text) {
            Some((span, None)) => spans.push((span, text)),
            Some((_, Some(_))) => section.reading.wrong(
                &text,
                format!("`{}` goes over midnight, out of the holiday", text.value),
                "end it at 24:00; the day after follows its own hours",
            ),
            None => {}
        }
    }
    spans
}

/// The spans of one day in order; two that overlap are most likely a slip.
fn in_order(section: &Section<'_>, mut spans: Vec<(Span, At<String>)>) -> Vec<Span> {
    spans.sort_by_key(|(span, _)| *span);
    for ((earlier, _), (later, text)) in spans.iter().zip(spans.iter().skip(1)) {
        if later.from < earlier.until {
            let what = format!("`{}` overlaps {}", text.value, show(*earlier));
            section.reading.wrong(
                text,
                what,
                "write one span for both, or let one end where the other begins",
            );
        }
    }
    spans.into_iter().map(|(span, _)| span).collect()
}

/// `HH:MM-HH:MM` as a span of its day and, over midnight, one of the next.
fn parse(section: &Section<'_>, text: &At<String>) -> Option<(Span, Option<Span>)> {
    let parsed = span(&text.value);
    if let Err(what) = parsed {
        let what = format!("`{}`: {what}", text.value.escape_debug());
        section.reading.wrong(
            text,
            what,
            "write hours as \"08:00-20:00\"; \"00:00-24:00\" is the whole day",
        );
    }
    parsed.ok()
}

fn span(text: &str) -> Result<(Span, Option<Span>), &'static str> {
    let (from, until) = text.split_once('-').ok_or("there is no `-` between two times")?;
    let (from, until) = (minute(from)?, minute(until)?);
    match (from, until) {
        (DAY, _) => Err("it begins at 24:00, when the day is over"),
        (from, until) if from == until => Err("it ends when it begins"),
        (from, until) if from < until => Ok((Span { from, until }, None)),
        (from, 0) => Ok((Span { from, until: DAY }, None)),
        (from, until) => Ok((Span { from, until: DAY }, Some(Span { from: 0, until }))),
    }
}

/// Minutes since midnight of `HH:MM`, 24:00 included.
pub(super) fn minute(text: &str) -> Result<u16, &'static str> {
    const WRONG: &str = "a time is written HH:MM, from 00:00 to 24:00";
    let (hour, minute) = text.trim().split_once(':').ok_or(WRONG)?;
    let digits = |part: &str, least: usize| {
        let fits = (least..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| fits)
    };
    let (hour, minute) = (digits(hour, 1).ok_or(WRONG)?, digits(minute, 2).ok_or(WRONG)?);
    let total = hour * 60 + minute;
    if minute < 60 && total <= DAY {
        Ok(total)
    } else {
        Err(WRONG)
    }
}

fn show(span: Span) -> String {
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    format!("{}-{}", time(span.from), time(span.until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_minutes_and_midnight_splits() {
        let one = |from, until| Ok((Span { from, until }, None));
        assert_eq!(span("08:00-20:00"), one(480, 1200));
        assert_eq!(span("8:30 - 24:00"), one(510, 1440));
        assert_eq!(span("00:00-24:00"), one(0, 1440));
        assert_eq!(span("22:00-00:00"), one(1320, 1440));
        let (evening, morning) = span("22:00-06:00").unwrap();
        assert_eq!(
            (evening, morning.map(show)),
            (
                Span {
                    from: 1320,
                    until: 1440
                },
                Some("00:00-06:00".into())
            )
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "8-20",
            "08:00",
            "08:60-09:00",
            "24:01-25:00",
            "24:00-06:00",
            "08:00-08:00",
            "08:0-09:00",
            "-1:00-02:00",
            "08:00–20:00",
            "99999:00-1:00",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
