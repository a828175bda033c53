//! `[site]`, `holidays`, `[[group]]`, `[[schedule]]` and the part of `[[door]]` that decisions need.

use super::{
    reading::{At, Named},
    schedule::schedule,
    section::Section,
    values::kind,
};
use crate::domain::site::{Door, Group, Site};
use jiff::civil::Date;
use toml::de::DeValue;

/// `[site]`: id and name, and the zone for [`site`].
pub(super) fn identity(top: &Section<'_>) -> (String, String, String) {
    let section = top.table_or_default("site", "site");
    let id = section.text("id");
    if !id.span.is_empty() {
        section.reading.fit_for_a_topic(&id);
    }
    let zone = section.text("zone");
    if !zone.span.is_empty() && jiff::tz::TimeZone::get(&zone.value).is_err() {
        let what = format!("there is no time zone `{}`", zone.value.escape_debug());
        section
            .reading
            .wrong(&zone, what, "write an IANA name such as \"Europe/Madrid\"");
    }
    let name = section
        .optional_text("name")
        .map_or_else(|| id.value.clone(), |name| name.value);
    (id.value, name, zone.value)
}

/// Doors, groups, schedules and holidays.
pub(super) fn site(top: &Section<'_>, doors: &[Section<'_>], zone: String) -> Site {
    Site {
        zone,
        doors: doors.iter().map(door).collect(),
        groups: top.tables("group", "group").iter().map(group).collect(),
        schedules: top.tables("schedule", "schedule").iter().map(schedule).collect(),
        holidays: holidays(top),
    }
}

fn door(section: &Section<'_>) -> Door {
    let id = section.text("id");
    section.reading.define(Named::Door, &id);
    let name = section
        .optional_text("name")
        .map_or_else(|| id.value.clone(), |name| name.value);
    let open_for_all = section.optional_text("open_for_all");
    if let Some(schedule) = &open_for_all {
        section.reading.refer(Named::Schedule, schedule);
    }
    Door {
        id: id.value.into(),
        name,
        open_for_all: open_for_all.map(|at| at.value.into()),
    }
}

fn group(section: &Section<'_>) -> Group {
    let id = section.text("id");
    section.reading.define(Named::Group, &id);
    let doors = section.texts("doors");
    for (index, door) in doors.iter().enumerate() {
        section.reading.refer(Named::Door, door);
        if doors
            .iter()
            .take(index)
            .any(|earlier| earlier.value == door.value)
        {
            let what = format!("group `{}` names the door `{}` twice", id.value, door.value);
            section.reading.wrong(door, what, "once is enough");
        }
    }
    if section.is_empty_list("doors") {
        let what = format!("group `{}` has no doors, so it opens nothing", id.value);
        section
            .reading
            .warn(&section.span_of("doors"), "group.doors", what, "name its doors");
    }
    let hours = section.optional_text("hours");
    if let Some(schedule) = &hours {
        section.reading.refer(Named::Schedule, schedule);
    }
    Group {
        id: id.value.into(),
        doors: doors.into_iter().map(|door| door.value.into()).collect(),
        hours: hours.map(|at| at.value.into()),
    }
}

/// Days as `2026-12-25`, in quotes or without.
fn holidays(top: &Section<'_>) -> Vec<Date> {
    let list = top.optional("holidays", "a list of days, [\"2026-12-25\"] say", |value| {
        let items = value.as_array()?.iter();
        Some(
            items
                .map(|item| At {
                    value: day(item.get_ref()),
                    span: item.span(),
                    key: "holidays".into(),
                })
                .collect(),
        )
    });
    let list: Vec<At<Result<Date, String>>> = list.map(|at| at.value).unwrap_or_default();
    let mut days = Vec::new();
    for item in list {
        match &item.value {
            Ok(day) if days.contains(day) => top.reading.warn(
                &item.span,
                &item.key,
                format!("{day} stands in the list twice"),
                "once is enough",
            ),
            Ok(day) => days.push(*day),
            Err(what) => top.reading.wrong(&item, what, "write a day as \"2026-12-25\""),
        }
    }
    days.sort_unstable();
    days
}

fn day(value: &DeValue<'_>) -> Result<Date, String> {
    let text = match value {
        DeValue::String(text) => text.as_ref().to_owned(),
        DeValue::Datetime(day) => day.to_string(),
        other => return Err(format!("a holiday must be a day, here is {}", kind(other))),
    };
    let shape = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let parsed = if shape { text.parse::<Date>().ok() } else { None };
    parsed.ok_or_else(|| format!("there is no day `{}`", text.escape_debug()))
}
