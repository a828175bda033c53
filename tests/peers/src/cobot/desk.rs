//! What a check-in does: conditions, the pass that it takes, and how long it lasts.

use super::{
    time,
    world::{Session, World},
};
use serde_json::Value;

/// Checks a membership in.
///
/// # Errors
/// The condition that was not met, in words.
pub(super) fn check_in(world: &mut World, member: &str, now: i64) -> Result<Session, String> {
    let today = time::day(now, &world.zone);
    let holder = world.member(member).ok_or("the membership does not exist")?;
    if holder.confirmed.as_deref().is_none_or(|day| day > today.as_str()) {
        return Err("the membership is not confirmed".into());
    }
    if holder
        .canceled
        .as_deref()
        .is_some_and(|last| last < today.as_str())
    {
        return Err("the membership is canceled".into());
    }
    let plan = world
        .plan_on(member, &today)
        .ok_or("the membership has no plan")?;
    let needs = world.needs(&plan.name).to_vec();
    // Without a pass it lasts until the end of the vendor's day.
    let mut until = time::next(now, &world.zone, 3, 59, 59);
    let mut taken = None;
    if !needs.is_empty() {
        let (index, end) = cheapest(world, member, now).ok_or("there are not enough time passes")?;
        let pass = world.time_passes.get_mut(index).ok_or("the pass is gone")?;
        pass.used = Some(now);
        taken = Some(pass.id.clone());
        until = end;
    }
    let session = Session {
        id: world.id("check-in"),
        membership: member.to_owned(),
        time_pass: taken,
        from: now,
        until,
    };
    world.sessions.push(session.clone());
    Ok(session)
}

/// The least expensive unused pass that holds now (S3:72), and when it would end.
fn cheapest(world: &World, member: &str, now: i64) -> Option<(usize, i64)> {
    let usable = world.time_passes.iter().enumerate().filter_map(|(index, pass)| {
        let fits = pass.membership == member && pass.used.is_none() && pass.expires.is_none_or(|at| now < at);
        let kind = world.pass_kinds.iter().find(|it| it.name == pass.kind)?;
        let until = lasts(&kind.spans, now, &world.zone)?;
        fits.then_some((kind.price, index, until))
    });
    usable.min().map(|(_, index, until)| (index, until))
}

/// When a pass with these time spans ends that is used now; nothing outside its hours.
fn lasts(spans: &Value, now: i64, zone: &str) -> Option<i64> {
    let local = time::local(now, zone);
    let number = |span: &Value, name: &str| span.get(name).and_then(Value::as_i64);
    spans.as_array()?.iter().find_map(|span| {
        let weekdays = span.get("weekdays").and_then(Value::as_array);
        let weekday = i64::from(local.weekday().to_monday_one_offset());
        if weekdays
            .is_some_and(|days| !days.is_empty() && !days.iter().any(|day| day.as_i64() == Some(weekday)))
        {
            return None;
        }
        if let Some(hours) = number(span, "duration_hours") {
            let minutes = hours * 60 + number(span, "duration_minutes").unwrap_or(0);
            return Some(now + minutes * 60_000);
        }
        let at = |hour: &str, minute: &str| Some(number(span, hour)? * 60 + number(span, minute)?);
        let (from, to) = (at("from_hour", "from_minute")?, at("to_hour", "to_minute")?);
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        let inside = if from < to {
            from <= minute && minute <= to
        } else {
            minute >= from || minute <= to
        };
        let (hour, minute) = (i8::try_from(to / 60).ok()?, i8::try_from(to % 60).ok()?);
        inside.then(|| time::next(now, zone, hour, minute, 59))
    })
}
