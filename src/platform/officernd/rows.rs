//! What is kept of OfficeRnD's objects (facts: platforms.md 4.3): only the fields that matter, read one by one from JSON
//! whose shape nobody promises. A reference may be an id or the object itself.

use crate::{
    domain::{Millis, Text},
    platform::packed,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The card property may hold this much; more is no card list.
const MOST_CARD_TEXT: usize = 1_000;

/// Everything that was read, by id. Facts are made of it, and of nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rows {
    #[serde(deserialize_with = "packed::dense")]
    pub(super) members: BTreeMap<Text, Member>,
    pub(super) companies: BTreeMap<Text, Text>,
    #[serde(deserialize_with = "packed::dense")]
    pub(super) memberships: BTreeMap<Text, Membership>,
    pub(super) plans: BTreeMap<Text, Text>,
    pub(super) resources: BTreeMap<Text, Resource>,
    pub(super) floors: BTreeMap<Text, Floor>,
    pub(super) locations: BTreeMap<Text, Location>,
    #[serde(deserialize_with = "packed::dense")]
    pub(super) assignments: BTreeMap<Text, Assignment>,
    /// By id and start: the occurrences of a series share its id.
    #[serde(deserialize_with = "packed::dense")]
    pub(super) bookings: BTreeMap<(Text, Millis), Booking>,
    #[serde(deserialize_with = "packed::dense")]
    pub(super) passes: BTreeMap<Text, Pass>,
    pub(super) visitors: BTreeMap<Text, Visitor>,
    /// Of today, as far as a pass may run on one.
    pub(super) check_ins: BTreeMap<Text, CheckInRow>,
    /// Rows that could not be read: collection and id. Few, and kept beside the others when those are packed.
    #[serde(skip)]
    pub(super) unread: BTreeMap<(&'static str, Text), &'static str>,
}

/// How a member stands (`status`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    #[default]
    Any,
    /// All memberships are over, or staff ended it.
    Former,
    /// Signed up, and nobody has agreed yet.
    NotApproved,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) name: Text,
    pub(super) email: Option<Text>,
    pub(super) company: Option<Text>,
    pub(super) location: Option<Text>,
    pub(super) status: Status,
    /// What stands in the card property.
    pub(super) cards: Option<Text>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Membership {
    pub(super) plan: Text,
    pub(super) member: Option<Text>,
    pub(super) company: Option<Text>,
    pub(super) location: Option<Text>,
    pub(super) starts: Option<Millis>,
    pub(super) ends: Option<Millis>,
    pub(super) approved: bool,
    /// As the platform reckons it.
    pub(super) expired: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resource {
    pub(super) name: Text,
    pub(super) kind: Text,
    pub(super) floor: Option<Text>,
    pub(super) location: Option<Text>,
    pub(super) parents: Vec<Text>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Floor {
    pub(super) name: Text,
    pub(super) location: Option<Text>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Location {
    pub(super) name: Text,
    pub(super) zone: Option<Text>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub(super) resource: Text,
    pub(super) membership: Text,
    pub(super) starts: Option<Millis>,
    pub(super) ends: Option<Millis>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Booking {
    pub(super) resource: Text,
    pub(super) member: Option<Text>,
    pub(super) members: Vec<Text>,
    pub(super) visitors: Vec<Text>,
    pub(super) until: Millis,
    pub(super) tentative: bool,
    pub(super) cancelled: bool,
    /// One of a series.
    pub(super) series: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pass {
    pub(super) member: Option<Text>,
    pub(super) company: Option<Text>,
    pub(super) membership: Option<Text>,
    pub(super) left: u32,
    pub(super) status: PassStatus,
    pub(super) starts: Option<Millis>,
    pub(super) ends: Option<Millis>,
    pub(super) modified: Option<Millis>,
}

/// How a pass stands (`status`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PassStatus {
    #[default]
    Valid,
    /// Not valid yet, whatever its dates say.
    Pending,
    Used,
    Expired,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Visitor {
    pub(super) name: Text,
    pub(super) email: Option<Text>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CheckInRow {
    pub(super) member: Text,
    pub(super) from: Millis,
    pub(super) until: Option<Millis>,
    pub(super) pass: Option<Text>,
}

/// Why a row is not taken, as the rest of a sentence.
pub(super) type Unread = &'static str;

pub(super) fn id(row: &Value) -> Option<Text> {
    reference(row, "_id")
}

/// A text that is there and not empty.
fn words(row: &Value, field: &str) -> Option<Text> {
    let text = row.get(field)?.as_str()?.trim();
    (!text.is_empty()).then(|| Text::from(text))
}

/// An id, or the `_id` of an object in its place.
fn reference(row: &Value, field: &str) -> Option<Text> {
    let value = row.get(field)?;
    let text = value.as_str().or_else(|| value.get("_id")?.as_str())?.trim();
    (!text.is_empty()).then(|| Text::from(text))
}

fn references(row: &Value, field: &str) -> Vec<Text> {
    let Some(list) = row.get(field).and_then(Value::as_array) else {
        return Vec::new();
    };
    let one = |value: &Value| {
        value
            .as_str()
            .or_else(|| value.get("_id")?.as_str())
            .map(Text::from)
    };
    list.iter().filter_map(one).filter(|id| !id.is_empty()).collect()
}

fn flag(row: &Value, field: &str) -> bool {
    row.get(field).and_then(Value::as_bool).unwrap_or(false)
}

/// Absent and null are no instant; anything else must be one.
fn instant(row: &Value, field: &str) -> Result<Option<Millis>, Unread> {
    match row.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => {
            let at = text.parse::<jiff::Timestamp>();
            at.map(|at| Some(at.as_millisecond()))
                .map_err(|_| "has a time that cannot be read; left out")
        }
        Some(_) => Err("has a time that cannot be read; left out"),
    }
}

fn count(row: &Value, field: &str) -> u32 {
    let number = row.get(field).and_then(Value::as_f64).unwrap_or(0.0);
    // Half passes exist: half a pass left still opens (facts: platforms.md 4.4), and half a pass used is one less.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped on the line itself"
    )]
    let whole = number.ceil().clamp(0.0, f64::from(u32::MAX)) as u32;
    whole
}

/// The property's text, whatever type staff gave it; several values are joined with commas.
fn property(row: &Value, name: &str) -> Option<Text> {
    let text = match row.get("properties")?.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(list) => {
            let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            texts.join(",")
        }
        _ => return None,
    };
    let text = text.trim();
    (!text.is_empty() && text.len() <= MOST_CARD_TEXT).then(|| Text::from(text))
}

/// The text of the card property of a member, for a change to it.
pub(super) fn card_text(row: &Value, card_property: &str) -> Option<Text> {
    property(row, card_property)
}

pub(super) fn member(row: &Value, card_property: &str) -> Result<Member, Unread> {
    let status = row.get("status").and_then(Value::as_str).unwrap_or_default();
    Ok(Member {
        name: words(row, "name").ok_or("has no name; left out")?,
        email: words(row, "email"),
        company: reference(row, "company"),
        location: reference(row, "location"),
        status: match status {
            "former" => Status::Former,
            "not_approved" => Status::NotApproved,
            _ => Status::Any,
        },
        cards: property(row, card_property),
    })
}

pub(super) fn named(row: &Value) -> Result<Text, Unread> {
    words(row, "name").ok_or("has no name; left out")
}

pub(super) fn membership(row: &Value) -> Result<Membership, Unread> {
    let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default();
    Ok(Membership {
        plan: reference(row, "plan").ok_or("has no plan; left out")?,
        member: reference(row, "member"),
        company: reference(row, "company"),
        location: reference(row, "location"),
        starts: instant(row, "startDate")?,
        ends: instant(row, "endDate")?,
        // Both say it, and either is enough to open nothing.
        approved: text("status") == "approved" && text("calculatedStatus") != "not_approved",
        expired: text("calculatedStatus") == "expired",
    })
}

pub(super) fn resource(row: &Value) -> Result<Resource, Unread> {
    Ok(Resource {
        name: words(row, "name").ok_or("has no name; left out")?,
        kind: words(row, "type").unwrap_or_default(),
        floor: reference(row, "floor"),
        location: reference(row, "location"),
        parents: references(row, "parents"),
    })
}

pub(super) fn floor(row: &Value) -> Result<Floor, Unread> {
    Ok(Floor {
        name: named(row)?,
        location: reference(row, "location"),
    })
}

pub(super) fn location(row: &Value) -> Result<Location, Unread> {
    Ok(Location {
        name: named(row)?,
        zone: words(row, "timezone"),
    })
}

pub(super) fn assignment(row: &Value) -> Result<Assignment, Unread> {
    Ok(Assignment {
        resource: reference(row, "resource").ok_or("has no resource; left out")?,
        membership: reference(row, "membership").ok_or("has no membership; left out")?,
        starts: instant(row, "startDate")?,
        ends: instant(row, "endDate")?,
    })
}

/// A booking or an occurrence of one, with its start.
pub(super) fn booking(row: &Value) -> Result<(Millis, Booking), Unread> {
    const NO_TIME: Unread = "has no start or no end; left out";
    let from = instant(row, "start")?.ok_or(NO_TIME)?;
    let present = |field: &str| row.get(field).is_some_and(|value| !value.is_null());
    let booking = Booking {
        resource: reference(row, "resource").ok_or("has no resource; left out")?,
        member: reference(row, "member"),
        members: references(row, "members"),
        visitors: references(row, "visitors"),
        until: instant(row, "end")?.ok_or(NO_TIME)?,
        tentative: flag(row, "isTentative"),
        cancelled: flag(row, "isCancelled"),
        series: present("seriesStart") || row.pointer("/recurrence/rrule").is_some_and(Value::is_string),
    };
    Ok((from, booking))
}

pub(super) fn pass(row: &Value) -> Result<Pass, Unread> {
    let status = match row.get("status").and_then(Value::as_str).unwrap_or_default() {
        "valid" => PassStatus::Valid,
        "used" => PassStatus::Used,
        "expired" => PassStatus::Expired,
        // A word that nobody has documented opens nothing.
        _ => PassStatus::Pending,
    };
    let starts = [instant(row, "validFrom")?, instant(row, "startDate")?];
    let ends = [instant(row, "validTo")?, instant(row, "endDate")?];
    Ok(Pass {
        member: reference(row, "member"),
        company: reference(row, "company"),
        membership: reference(row, "membership"),
        left: count(row, "count").saturating_sub(used(row)),
        status,
        starts: starts.into_iter().flatten().max(),
        ends: ends.into_iter().flatten().min(),
        modified: instant(row, "modifiedAt").ok().flatten(),
    })
}

/// Passes that are used up, whole ones: of 2.5 used two are gone.
fn used(row: &Value) -> u32 {
    let number = row.get("usedCount").and_then(Value::as_f64).unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped on the line itself"
    )]
    let whole = number.floor().clamp(0.0, f64::from(u32::MAX)) as u32;
    whole
}

pub(super) fn visitor(row: &Value) -> Result<Visitor, Unread> {
    Ok(Visitor {
        name: named(row)?,
        email: words(row, "email"),
    })
}

pub(super) fn check_in(row: &Value) -> Result<CheckInRow, Unread> {
    Ok(CheckInRow {
        member: reference(row, "member").ok_or("has no member; left out")?,
        from: instant(row, "start")?.ok_or("has no start; left out")?,
        until: instant(row, "end")?,
        pass: reference(row, "pass"),
    })
}
