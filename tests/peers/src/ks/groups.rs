//! Access groups: members by their platform id, locks, and the schedules without which they open nothing.

use super::{
    hardware, lists,
    reply::{Answer, Fields, Refusal, Reply, Request},
    sites::uuid,
    state::{Group, Member, Schedule, State},
    users,
};
use jiff::civil::{Date, Time};
use serde_json::{Map, Value, json};

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const SCHEDULE: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "start_time",
    "end_time",
    "start_date",
    "end_date",
];

pub(super) fn route(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    match (request.method.as_str(), parts) {
        ("GET", ["access_groups"]) => list(state, request),
        ("POST", ["access_groups"]) => create(state, request),
        ("GET", ["access_groups", id]) => {
            let index = find(state, id)?;
            Ok(Reply::ok(&state.groups.get(index).map(row).unwrap_or_default()))
        }
        ("DELETE", ["access_groups", id]) => {
            let index = find(state, id)?;
            state.groups.remove(index);
            Ok(Reply::empty(204))
        }
        ("GET", ["access_groups", id, "users"]) => members(state, request, id),
        ("POST", ["access_groups", id, "users"]) => join(state, request, id),
        ("DELETE", ["access_groups", id, "users", user]) => leave(state, id, user),
        ("GET", ["access_groups", id, "locks"]) => locks(state, request, id),
        ("POST", ["access_groups", id, "locks"]) => add_lock(state, request, id),
        ("DELETE", ["access_groups", id, "locks", lock]) => drop_lock(state, id, lock),
        ("GET", ["access_groups", id, "time_schedules"]) => schedules(state, request, id),
        ("POST", ["access_groups", id, "time_schedules"]) => add_schedule(state, request, id),
        ("DELETE", ["access_groups", id, "time_schedules", schedule]) => drop_schedule(state, id, schedule),
        (_, ["access_groups"] | ["access_groups", _])
        | (_, ["access_groups", _, "users" | "locks" | "time_schedules", ..]) => Ok(Reply::empty(405)),
        _ => Ok(Reply::empty(404)),
    }
}

fn row(group: &Group) -> Value {
    json!({"id": group.id, "customer_reference": group.name})
}

fn list(state: &mut State, request: &Request) -> Answer {
    let groups = state.groups.iter().filter(|group| state.listed(group.spreading));
    let rows = groups.map(row).collect();
    let shape = state.manners.lists;
    lists::list(state, request, &["id", "customer_reference"], shape, rows)
}

fn find(state: &State, id: &str) -> Result<usize, Refusal> {
    let id = uuid(id)?;
    let found = state.groups.iter().position(|group| group.id == id);
    found.ok_or_else(|| Refusal::not_found("Access group"))
}

/// A group that is not too new to be changed.
fn settled<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Group, Refusal> {
    let (index, now) = (find(state, id)?, state.now());
    let Some(group) = state.groups.get_mut(index) else {
        return Err(Refusal::not_found("Access group"));
    };
    if group.spreading.passed(now) {
        Ok(group)
    } else {
        Err(Refusal::not_found("Access group"))
    }
}

/// Names need not be unique: who makes a group twice has two.
fn create(state: &mut State, request: &Request) -> Answer {
    let fields = Fields::of(request, &["customer_reference"], &["customer_reference"])?;
    let name = fields.text("customer_reference")?.unwrap_or_default();
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Err(Refusal::field("customer_reference is required"));
    }
    let group = Group {
        id: state.id(0x67),
        name,
        spreading: state.spreading(),
        ..Group::default()
    };
    let row = row(&group);
    state.groups.push(group);
    Ok(Reply::ok(&row))
}

fn members(state: &mut State, request: &Request, id: &str) -> Answer {
    let index = find(state, id)?;
    let nested = state.manners.members_as_site_users;
    let members = state
        .groups
        .get(index)
        .map(|group| group.members.as_slice())
        .unwrap_or_default();
    let users = members.iter().filter_map(|member| state.person(&member.user));
    let rows = users
        .map(|user| {
            if nested {
                users::row(state, user)
            } else {
                users::platform_row(state, user)
            }
        })
        .collect();
    let shape = state.manners.lists;
    lists::list(state, request, &["id", "user/id", "email"], shape, rows)
}

/// The platform's id of a person; the site's is not found.
fn join(state: &mut State, request: &Request, id: &str) -> Answer {
    let fields = Fields::of(request, &["user_id"], &["user_id"])?;
    let wanted = fields.text("user_id")?.unwrap_or_default();
    let (platform, now) = (uuid(&wanted)?.to_owned(), state.now());
    settled(state, id)?;
    let user = state.users.iter_mut().find(|user| user.platform == platform);
    if !user.is_some_and(|user| user.spreading.passed(now)) {
        return Err(Refusal::not_found("User"));
    }
    let index = find(state, id)?;
    if let Some(group) = state.groups.get_mut(index)
        && !group.members.iter().any(|member| member.user == platform)
    {
        group.members.push(Member {
            user: platform,
            since: now,
        });
    }
    Ok(Reply::empty(200))
}

fn leave(state: &mut State, id: &str, user: &str) -> Answer {
    let user = uuid(user)?.to_owned();
    let group = settled(state, id)?;
    let before = group.members.len();
    group.members.retain(|member| member.user != user);
    if group.members.len() == before {
        return Err(Refusal::not_found("User"));
    }
    Ok(Reply::empty(200))
}

fn locks(state: &mut State, request: &Request, id: &str) -> Answer {
    let index = find(state, id)?;
    let ids = state
        .groups
        .get(index)
        .map(|group| group.locks.clone())
        .unwrap_or_default();
    let locks = state.locks.iter().filter(|lock| ids.contains(&lock.id));
    let rows = locks.map(|lock| hardware::lock_row(state, lock)).collect();
    let shape = state.manners.lists;
    lists::list(state, request, &["id", "customer_reference"], shape, rows)
}

fn add_lock(state: &mut State, request: &Request, id: &str) -> Answer {
    let fields = Fields::of(request, &["lock_id"], &["lock_id"])?;
    let wanted = fields.text("lock_id")?.unwrap_or_default();
    let lock = uuid(&wanted)?.to_owned();
    if !state.locks.iter().any(|known| known.id == lock) {
        return Err(Refusal::not_found("Lock"));
    }
    let group = settled(state, id)?;
    if !group.locks.contains(&lock) {
        group.locks.push(lock);
    }
    Ok(Reply::empty(200))
}

fn drop_lock(state: &mut State, id: &str, lock: &str) -> Answer {
    let lock = uuid(lock)?.to_owned();
    let group = settled(state, id)?;
    let before = group.locks.len();
    group.locks.retain(|known| *known != lock);
    if group.locks.len() == before {
        return Err(Refusal::not_found("Lock"));
    }
    Ok(Reply::empty(200))
}

/// What was sent as 18:00 is read back as 18:00:59.
fn schedule_row(schedule: &Schedule) -> Value {
    let mut row: Map<String, Value> = DAYS
        .iter()
        .zip(schedule.days)
        .map(|(day, on)| ((*day).to_owned(), json!(on)))
        .collect();
    let time = |time: Time, second: u8| format!("{:02}:{:02}:{second:02}", time.hour(), time.minute());
    row.insert("id".into(), json!(schedule.id));
    row.insert("start_time".into(), json!(time(schedule.start, 0)));
    row.insert("end_time".into(), json!(time(schedule.end, 59)));
    row.insert(
        "start_date".into(),
        json!(schedule.from.map(|date| date.to_string())),
    );
    row.insert(
        "end_date".into(),
        json!(schedule.until.map(|date| date.to_string())),
    );
    Value::Object(row)
}

fn schedules(state: &mut State, request: &Request, id: &str) -> Answer {
    let index = find(state, id)?;
    let group = state.groups.get(index);
    let rows = group.map(|group| group.schedules.iter().map(schedule_row).collect());
    let shape = state.manners.lists;
    lists::list(state, request, &["id"], shape, rows.unwrap_or_default())
}

fn add_schedule(state: &mut State, request: &Request, id: &str) -> Answer {
    let fields = Fields::of(request, SCHEDULE, &[])?;
    let mut days = [false; 7];
    for (name, on) in DAYS.iter().zip(&mut days) {
        *on = fields.flag(name)?.unwrap_or(false);
    }
    if !days.contains(&true) {
        return Err(Refusal::validation("At least one day should be selected"));
    }
    let time = |name: &str| -> Result<Time, Refusal> {
        let text = fields
            .text(name)?
            .ok_or_else(|| Refusal::field(format!("{name} is required")))?;
        let wrong = || Refusal::validation(format!("{name} must be HH:MM or HH:MM:SS"));
        if !matches!(text.len(), 5 | 8) {
            return Err(wrong());
        }
        text.parse::<Time>().map_err(|_| wrong())
    };
    let date = |name: &str| -> Result<Option<Date>, Refusal> {
        let wrong = |_| Refusal::validation(format!("{name} must be YYYY-MM-DD"));
        let text = fields.text(name)?;
        text.map(|text| text.get(..10).unwrap_or_default().parse::<Date>().map_err(wrong))
            .transpose()
    };
    let (start, end) = (time("start_time")?, time("end_time")?);
    let (from, until) = (date("start_date")?, date("end_date")?);
    if (end.hour(), end.minute()) < (start.hour(), start.minute()) {
        return Err(Refusal::validation("end_time must be after start_time"));
    }
    if from.zip(until).is_some_and(|(from, until)| until < from) {
        return Err(Refusal::validation("end_date must be after start_date"));
    }
    let schedule = Schedule {
        id: state.id(0x7c),
        days,
        start,
        end,
        from,
        until,
        since: state.now(),
    };
    let row = schedule_row(&schedule);
    settled(state, id)?.schedules.push(schedule);
    Ok(Reply::ok(&row))
}

fn drop_schedule(state: &mut State, id: &str, schedule: &str) -> Answer {
    let schedule = uuid(schedule)?.to_owned();
    let group = settled(state, id)?;
    let before = group.schedules.len();
    group.schedules.retain(|known| known.id != schedule);
    if group.schedules.len() == before {
        return Err(Refusal::not_found("Time schedule"));
    }
    Ok(Reply::empty(200))
}
