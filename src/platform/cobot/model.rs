//! What Cobot sends, as far as it is read. Fields that are not named here are passed over.

use super::rows::{
    AllocationRow, BookingRow, DropInRow, ExternalRow, MemberRow, PassRow, PlanRow, SessionRow, TeamRow,
    TokenRow,
};
use crate::domain::{
    Millis,
    facts::{Resource, ResourceKind},
    opening::{DAY_MINUTES, Hours, Opening, Week},
    secret::Secret,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// One page of a list (API 2; page size 200 at most).
#[derive(Deserialize)]
pub(super) struct Page<A, R> {
    pub(super) data: Vec<Row<A, R>>,
    #[serde(default)]
    pub(super) meta: Meta,
    pub(super) links: Option<Links>,
}

/// A single object.
#[derive(Deserialize)]
pub(super) struct Document<A, R> {
    pub(super) data: Row<A, R>,
    #[serde(default = "Vec::new")]
    pub(super) included: Vec<Included>,
}

#[derive(Deserialize)]
pub(super) struct Row<A, R> {
    pub(super) id: String,
    pub(super) attributes: A,
    pub(super) relationships: R,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) total_pages: Option<f64>,
    pub(super) total_bookings: Option<f64>,
    pub(super) consistent: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Links {
    #[serde(default)]
    pub(super) next: Option<String>,
}

/// A space beside `/user`.
#[derive(Deserialize)]
pub(super) struct Included {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) attributes: SpaceAttributes,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SpaceAttributes {
    pub(super) name: String,
    pub(super) subdomain: String,
    pub(super) email: Option<String>,
    pub(super) time_zone: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct UserAttributes {
    pub(super) email: Option<String>,
}

/// Relationships that are not read.
#[derive(Default, Deserialize)]
pub(super) struct Unread {}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct To {
    data: Option<Ref>,
}

#[derive(Deserialize)]
struct Ref {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

impl To {
    fn id(self) -> Option<Box<str>> {
        self.data.map(|to| to.id.into())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Relations {
    membership: To,
    team: To,
    resource: To,
    external_booking: To,
    contact: To,
    allocatee: To,
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    let text = String::deserialize(deserializer)?;
    let at: Timestamp = text.parse().map_err(|_| D::Error::custom("not an instant"))?;
    Ok(at.as_millisecond())
}

/// `2026/05/31 10:00:00 +0000` of API 1, or RFC 3339.
fn old_instant(text: &str) -> Option<Millis> {
    let at = Timestamp::strptime("%Y/%m/%d %H:%M:%S %z", text).or_else(|_| text.parse());
    Some(at.ok()?.as_millisecond())
}

fn old<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    let text = String::deserialize(deserializer)?;
    old_instant(&text).ok_or_else(|| D::Error::custom("not an instant"))
}

fn optional_old<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let at = |text: String| old_instant(&text).ok_or_else(|| D::Error::custom("not an instant"));
    text.map(at).transpose()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberAttributes {
    name: Option<String>,
    email: Option<String>,
    confirmed_at: Option<Date>,
    canceled_at: Option<Date>,
}

pub(super) fn member(row: Row<MemberAttributes, Relations>) -> MemberRow {
    MemberRow {
        id: row.id.into(),
        name: row.attributes.name.unwrap_or_default().into(),
        email: row.attributes.email.map(Into::into),
        team: row.relationships.team.id(),
        confirmed: row.attributes.confirmed_at,
        canceled: row.attributes.canceled_at,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanAttributes {
    name: String,
    starts_at: Date,
    canceled_at: Option<Date>,
}

pub(super) fn plan(row: Row<PlanAttributes, Relations>) -> PlanRow {
    PlanRow {
        id: row.id.into(),
        membership: row.relationships.membership.id().unwrap_or_default(),
        name: row.attributes.name.into(),
        starts: row.attributes.starts_at,
        canceled: row.attributes.canceled_at,
    }
}

#[derive(Deserialize)]
pub(super) struct TeamAttributes {
    name: String,
}

pub(super) fn team(row: Row<TeamAttributes, Unread>) -> TeamRow {
    TeamRow {
        id: row.id.into(),
        name: row.attributes.name.into(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceAttributes {
    name: String,
    resource_type: Option<String>,
    usage: Option<String>,
    #[serde(default)]
    booking_times: Vec<Span>,
}

/// A room that is given away for long and not booked is an office.
pub(super) fn resource(row: Row<ResourceAttributes, Unread>) -> Resource {
    let kept = row.attributes.usage.as_deref() == Some("allocatable");
    let kind = match (row.attributes.resource_type.as_deref(), kept) {
        (Some("room") | None, true) => ResourceKind::Office,
        (Some("room") | None, false) => ResourceKind::Room,
        (Some("desk"), _) => ResourceKind::Desk,
        _ => ResourceKind::Other,
    };
    let opening = match Times::of(&row.attributes.booking_times) {
        Times::Week(week) => Some(Opening {
            public: Some(week.clone()),
            default: week,
        }),
        Times::Any | Times::Odd => None,
    };
    Resource {
        opening,
        ..Resource::new(row.id, row.attributes.name, kind)
    }
}

/// Times of API 2, and `parsed_timespans` of API 1: hours, or a duration from whenever it begins.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Span {
    Hours {
        from: String,
        to: String,
        #[serde(default)]
        weekdays: Vec<f64>,
    },
    OldHours {
        from_hour: u16,
        from_minute: u16,
        to_hour: u16,
        to_minute: u16,
        #[serde(default)]
        weekdays: Vec<f64>,
    },
    OldDuration {
        #[serde(rename = "duration_hours")]
        _hours: f64,
        #[serde(default)]
        weekdays: Vec<f64>,
    },
    Duration {
        #[serde(rename = "hours")]
        _hours: f64,
    },
}

/// When something can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Times {
    /// At any time.
    #[default]
    Any,
    /// In these hours.
    Week(#[serde(with = "crate::platform::packed::named")] Week),
    /// What is said makes no sense.
    Odd,
}

impl Times {
    fn of(spans: &[Span]) -> Self {
        let open = |span: &Span| match span {
            Span::Duration { .. } => true,
            Span::OldDuration { weekdays, .. } => weekdays.is_empty(),
            _ => false,
        };
        if spans.is_empty() || spans.iter().any(open) {
            return Self::Any;
        }
        let hours: Option<Vec<Hours>> = spans.iter().map(hours).collect();
        hours.map_or(Self::Odd, |hours| {
            let closed = Vec::new();
            Self::Week(Week { hours, closed })
        })
    }
}

fn hours(span: &Span) -> Option<Hours> {
    let (weekdays, from, until) = match span {
        Span::Duration { .. } => (&[][..], 0, DAY_MINUTES),
        Span::OldDuration { weekdays, .. } => (weekdays.as_slice(), 0, DAY_MINUTES),
        Span::Hours { from, to, weekdays } => (weekdays.as_slice(), minute(from)?, end(minute(to)?)),
        Span::OldHours {
            from_hour,
            from_minute,
            to_hour,
            to_minute,
            weekdays,
        } => {
            let from = from_hour.checked_mul(60)?.checked_add(*from_minute)?;
            let to = to_hour.checked_mul(60)?.checked_add(*to_minute)?;
            (weekdays.as_slice(), from, end(to))
        }
    };
    let number = |day: &f64| (1_u8..=7).find(|number| (f64::from(*number) - day).abs() < 0.5);
    let weekdays: Option<Vec<u8>> = weekdays.iter().map(number).collect();
    (from < DAY_MINUTES && until <= DAY_MINUTES).then_some(Hours {
        weekdays: weekdays?,
        from,
        until,
    })
}

/// `15:00`, `15:00:00`.
fn minute(text: &str) -> Option<u16> {
    let mut parts = text.split(':').map(str::parse::<u16>);
    let (hour, minute) = (parts.next()?.ok()?, parts.next()?.ok()?);
    hour.checked_mul(60)?.checked_add(minute)
}

/// The first minute after an end. One that reads x:59 is meant to the end of its minute: a check-in on the vendor's
/// own day pass, "4-3:59", lasts until 03:59:59 (facts: platforms.md 2.4). Midnight is the day's end.
const fn end(to: u16) -> u16 {
    let after = if to % 60 == 59 { to + 1 } else { to };
    if after == 0 { DAY_MINUTES } else { after }
}

#[derive(Deserialize)]
pub(super) struct BookingAttributes {
    #[serde(deserialize_with = "instant")]
    from: Millis,
    #[serde(deserialize_with = "instant")]
    to: Millis,
    #[serde(default)]
    attendees: Vec<Attendee>,
}

#[derive(Deserialize)]
struct Attendee {
    email: String,
}

pub(super) fn booking(row: Row<BookingAttributes, Relations>) -> BookingRow {
    BookingRow {
        id: row.id.into(),
        resource: row.relationships.resource.id().unwrap_or_default(),
        membership: row.relationships.membership.id(),
        external: row.relationships.external_booking.data.is_some(),
        from: row.attributes.from,
        until: row.attributes.to,
        attendees: row
            .attributes
            .attendees
            .into_iter()
            .map(|it| it.email.to_lowercase().into())
            .collect(),
    }
}

#[derive(Deserialize)]
pub(super) struct ExternalAttributes {
    #[serde(deserialize_with = "instant")]
    from: Millis,
    #[serde(deserialize_with = "instant")]
    to: Millis,
    name: Option<String>,
    email: Option<String>,
    status: String,
}

pub(super) fn external(row: Row<ExternalAttributes, Relations>) -> ExternalRow {
    ExternalRow {
        id: row.id.into(),
        resource: row.relationships.resource.id(),
        name: row.attributes.name.unwrap_or_default().into(),
        email: row.attributes.email.map(Into::into),
        status: row.attributes.status.into(),
        from: row.attributes.from,
        until: row.attributes.to,
        contact: row.relationships.contact.id(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AllocationAttributes {
    starts_at: Date,
    canceled_to: Option<Date>,
}

pub(super) fn allocation(row: Row<AllocationAttributes, Relations>) -> AllocationRow {
    let to = row.relationships.allocatee.data;
    AllocationRow {
        id: row.id.into(),
        resource: row.relationships.resource.id().unwrap_or_default(),
        team: to.as_ref().is_some_and(|to| to.kind == "teams"),
        to: to.map(|to| to.id.into()),
        starts: row.attributes.starts_at,
        canceled: row.attributes.canceled_to,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DropInAttributes {
    name: String,
    email: Option<String>,
    billing_address: Option<Address>,
    valid_on: Date,
    #[serde(default)]
    time_availability: Vec<Span>,
    status: String,
}

#[derive(Deserialize)]
struct Address {
    name: Option<String>,
}

pub(super) fn drop_in(row: Row<DropInAttributes, Relations>) -> DropInRow {
    let attributes = row.attributes;
    DropInRow {
        id: row.id.into(),
        kind: attributes.name.into(),
        name: attributes.billing_address.and_then(|it| it.name).map(Into::into),
        email: attributes.email.map(Into::into),
        day: attributes.valid_on,
        times: Times::of(&attributes.time_availability),
        confirmed: attributes.status == "confirmed",
        contact: row.relationships.contact.id(),
    }
}

/// A time pass (API 1).
#[derive(Deserialize)]
pub(super) struct OldPass {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, deserialize_with = "optional_old")]
    expires_at: Option<Millis>,
    #[serde(default)]
    parsed_timespans: Vec<Span>,
    membership: Option<OldRef>,
    membership_id: Option<String>,
}

#[derive(Deserialize)]
struct OldRef {
    id: String,
}

/// `whose`: the membership that was asked for, where one was.
pub(super) fn pass(pass: OldPass, whose: Option<&str>) -> PassRow {
    let named = pass.membership.map(|it| it.id).or(pass.membership_id);
    PassRow {
        id: pass.id.into(),
        membership: named
            .or_else(|| whose.map(ToOwned::to_owned))
            .unwrap_or_default()
            .into(),
        kind: pass.name.into(),
        expires: pass.expires_at,
        times: Times::of(&pass.parsed_timespans),
    }
}

/// A check-in (API 1), there "work session".
#[derive(Deserialize)]
pub(super) struct OldSession {
    membership: OldRef,
    time_pass: Option<OldSessionPass>,
    #[serde(deserialize_with = "old")]
    valid_until: Millis,
}

#[derive(Deserialize)]
struct OldSessionPass {
    id: String,
    name: Option<String>,
}

pub(super) fn session(it: OldSession) -> SessionRow {
    let (pass, kind) = it
        .time_pass
        .map_or((None, None), |it| (Some(it.id.into()), it.name.map(Into::into)));
    SessionRow {
        membership: it.membership.id.into(),
        pass,
        kind,
        until: it.valid_until,
    }
}

/// A check-in token (API 1).
#[derive(Deserialize)]
pub(super) struct OldToken {
    token: String,
    membership: OldRef,
}

pub(super) fn token(it: OldToken) -> TokenRow {
    TokenRow {
        text: Secret::new(it.token),
        membership: it.membership.id.into(),
    }
}

/// A membership (API 1), for what API 2 does not say: whether its plan needs passes.
#[derive(Deserialize)]
pub(super) struct OldMembership {
    pub(super) plan: Option<OldPlan>,
}

#[derive(Deserialize)]
pub(super) struct OldPlan {
    #[serde(default = "Vec::new")]
    pub(super) time_passes: Vec<serde::de::IgnoredAny>,
}

/// A check-in (API 2).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckInAttributes {
    #[serde(deserialize_with = "instant")]
    pub(super) valid_until: Millis,
}

/// A subscription to web hooks (API 1).
#[derive(Deserialize)]
pub(super) struct OldSubscription {
    pub(super) id: String,
    pub(super) event: String,
    #[serde(default)]
    pub(super) active: bool,
    pub(super) callback_url: String,
}
