//! Members whose cancellation has taken effect at the platform and who still get in here, because that platform takes
//! nothing away by a cancellation (C1). Staff deactivate them there, or mean it so. Pure.

use crate::domain::{
    Grant, GrantKind, PersonId, Snapshot,
    facts::{Membership, When},
    time::Millis,
};
use jiff::{ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// A member who was cancelled, and what is open to them all the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StillIn {
    /// Full name.
    pub name: String,
    /// The platform's id.
    pub person: PersonId,
    /// The plan, as the platform names it.
    pub plan: String,
    /// Since when it is over there, Unix milliseconds; absent when the platform gives no date.
    pub since: Option<Millis>,
    /// Until when it opens here, Unix milliseconds; absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
}

impl StillIn {
    /// Whether the cancellation has taken effect there, and something is open here.
    #[must_use]
    pub fn holds(&self, now: Millis) -> bool {
        self.since.is_none_or(|since| since <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// Everybody of whom [`StillIn::holds`] is true at some time, by name. Days are local to `zone`; with an unknown one
/// the end of a day is taken in UTC.
#[must_use]
pub fn still_in(memberships: &[Membership], snapshot: &Snapshot, zone: &str) -> Vec<StillIn> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let cancelled: HashMap<&str, &Membership> = memberships
        .iter()
        .filter(|membership| membership.cancelled)
        .map(|membership| (membership.id.as_str(), membership))
        .collect();
    if cancelled.is_empty() {
        return Vec::new();
    }
    let names: HashMap<&PersonId, &str> = snapshot
        .people
        .iter()
        .map(|person| (&person.id, person.name.as_str()))
        .collect();
    let open = |grant: &&Grant| grant.kind == GrantKind::Plan && grant.void.is_none();
    let found: BTreeSet<StillIn> = snapshot
        .grants
        .iter()
        .filter(open)
        .filter_map(|grant| {
            let membership = cancelled.get(grant.source.id.as_str())?;
            let since = membership.ends.map(|end| end_of(end, &zone));
            let until = grant.window.until;
            let outlives = until.is_none_or(|until| since.is_none_or(|since| since < until));
            outlives.then(|| StillIn {
                name: names.get(&grant.person).copied().unwrap_or_default().to_owned(),
                person: grant.person.clone(),
                plan: membership.plan.to_string(),
                since,
                until,
            })
        })
        .collect();
    found.into_iter().collect()
}

/// The first instant after an end. A day as an end belongs to it.
fn end_of(end: When, zone: &TimeZone) -> Millis {
    match end {
        When::At(at) => at,
        When::Day(day) => {
            let next = day.checked_add(1.day()).unwrap_or(day);
            zone.to_zoned(next.to_datetime(jiff::civil::Time::midnight()))
                .map_or(Millis::MAX, |at| at.timestamp().as_millisecond())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Window,
        grant::{Holder, Source, Target},
    };

    #[test]
    fn who_is_cancelled_and_still_gets_in_is_named() {
        let day = |text: &str| Some(When::Day(text.parse().unwrap()));
        let member = |id: &str, cancelled: bool, ends: Option<When>| Membership {
            person: Some(PersonId::from(id)),
            cancelled,
            ends,
            ..Membership::new(format!("m-{id}"), "Flex")
        };
        let all = ["ana", "bob", "eve", "ida", "zoe"];
        let memberships = [
            member("ana", true, day("2026-05-31")),
            member("bob", false, day("2026-05-31")),
            member("eve", true, None),
            member("ida", true, day("2026-06-01")),
            member("zoe", true, day("2026-05-30")),
        ];
        let holder = |id: &str| Holder {
            id: id.into(),
            name: id.to_uppercase().into(),
        };
        // Zoe's grant is gone; the others still have theirs.
        let snapshot = Snapshot {
            people: all.map(holder).to_vec(),
            grants: all[..4]
                .iter()
                .map(|id| Grant {
                    person: PersonId::from(*id),
                    target: Target::Group("members".into()),
                    window: Window::ALWAYS,
                    kind: GrantKind::Plan,
                    source: Source {
                        id: format!("m-{id}").into(),
                        label: "Flex".into(),
                    },
                    rule: 1,
                    void: None,
                })
                .collect(),
            ..Snapshot::default()
        };
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let names = |now| -> Vec<String> {
            let found = still_in(&memberships, &snapshot, "Europe/Madrid");
            let now = found.into_iter().filter(|it| it.holds(now));
            now.map(|it| it.name).collect()
        };
        assert_eq!(
            names(at("2026-05-31T21:59:59Z")),
            ["EVE"],
            "the last day belongs to it"
        );
        assert_eq!(names(at("2026-05-31T22:00:00Z")), ["ANA", "EVE"]);
    }
}
