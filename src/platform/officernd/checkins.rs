//! Entries as check-ins: dated, one for each stay, never twice (facts: platforms.md 4.4). OfficeRnD has no key for one, so
//! the gateway looks before it sends; what it knows to be running it does not ask about again (R28).

use super::{
    auth::Purpose,
    client::Client,
    facts::{Site, midnight_after, midnight_before},
    lists,
    pull::written,
    rows::{self, CheckInRow, Location, Rows},
};
use crate::{
    domain::{ClockQuality, Millis, PersonId, Text, time::DAY_MS},
    platform::{CheckIn, CheckInOutcome, ErrorKind, PlatformError},
};
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};
use tokio::sync::Mutex as Turn;

/// The same entry, when it comes back: the platform keeps milliseconds.
const SAME_MS: Millis = 1_000;

/// Where a check-in is made.
#[derive(Clone, Debug)]
struct Place {
    location: Text,
    zone: TimeZone,
}

/// A stay that is known to be running, or to have run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stay {
    from: Millis,
    until: Millis,
}

/// What is remembered between check-ins.
#[derive(Debug, Default)]
pub(super) struct CheckInDesk {
    /// One at a time: two entries of one person at the same moment would both look and both send.
    turn: Turn<()>,
    stays: Mutex<HashMap<PersonId, Stay>>,
    place: Mutex<Option<Place>>,
}

/// What becomes of an entry, when today's check-ins of the person are known.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// It is attendance already.
    Counts { until: Millis },
    /// Send it, with an end when its day is over.
    Send { end: Option<Millis> },
}

/// Decides. `theirs`: the person's check-ins since the begin of the entry's local day; `midnight`: the end of that day.
fn plan(theirs: &[CheckInRow], at: Millis, midnight: Millis, now: Millis) -> Plan {
    let today = theirs.iter().filter(|row| row.from < midnight);
    let counts = |row: &&CheckInRow| {
        let until = row.until.unwrap_or(midnight);
        let itself = row.from.abs_diff(at) <= SAME_MS.unsigned_abs();
        // One that began later on that day has made the day count: an earlier one could use another pass for it.
        itself || at < until
    };
    match today
        .filter(counts)
        .max_by_key(|row| row.until.unwrap_or(midnight))
    {
        Some(row) => Plan::Counts {
            until: row.until.unwrap_or(midnight),
        },
        None => Plan::Send {
            end: (now >= midnight).then_some(midnight.saturating_sub(1)),
        },
    }
}

impl CheckInDesk {
    /// Learns from a reading where the site is, and which stays are over after all: somebody checked out by hand.
    pub(super) fn learn(&self, all: &Rows, site: &Site) {
        if let Some(place) = place(&all.locations, site) {
            *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        }
        let mut stays = self.stays.lock().unwrap_or_else(PoisonError::into_inner);
        for row in all.check_ins.values() {
            let ended = row
                .until
                .and_then(|until| Some((until, stays.get_mut(row.member.as_str())?)));
            if let Some((until, stay)) = ended
                && stay.from == row.from
            {
                stay.until = until;
            }
        }
    }

    fn running(&self, person: &PersonId, at: Millis) -> Option<Millis> {
        let stays = self.stays.lock().unwrap_or_else(PoisonError::into_inner);
        let stay = stays.get(person)?;
        (stay.from <= at && at < stay.until).then_some(stay.until)
    }

    fn remember(&self, person: &PersonId, stay: Stay, now: Millis) {
        let mut stays = self.stays.lock().unwrap_or_else(PoisonError::into_inner);
        stays.retain(|_, stay| stay.until > now.saturating_sub(DAY_MS));
        stays.insert(person.clone(), stay);
    }

    async fn place(&self, client: &Client, site: &Site) -> Result<Option<Place>, PlatformError> {
        let known = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.is_some() {
            return Ok(known);
        }
        let mut locations = BTreeMap::new();
        lists::each(client, &["locations"], &[], |row| {
            if let (Some(id), Ok(location)) = (rows::id(&row), rows::location(&row)) {
                locations.insert(id, location);
            }
        })
        .await?;
        let found = place(&locations, site);
        (*self.place.lock().unwrap_or_else(PoisonError::into_inner)).clone_from(&found);
        Ok(found)
    }

    /// Delivers one entry.
    pub(super) async fn deliver(
        &self,
        client: &Client,
        site: &Site,
        entry: &CheckIn,
    ) -> Result<CheckInOutcome, PlatformError> {
        let _turn = self.turn.lock().await;
        if entry.clock == ClockQuality::Untrusted {
            return Ok(refused(
                "the time of this entry is not certain, and a check-in on another day could use a pass of that day",
            ));
        }
        if let Some(until) = self.running(&entry.person, entry.at) {
            return Ok(accepted(until));
        }
        let Some(place) = self.place(client, site).await? else {
            return Ok(refused(
                "OfficeRnD has several locations; name this one in [cloud.officernd] location, so that check-ins are made there",
            ));
        };
        let day = midnight_before(entry.at, &place.zone).zip(midnight_after(entry.at, &place.zone));
        let Some((begin, midnight)) = day else {
            return Ok(refused("the time of this entry is outside the calendar"));
        };
        let (theirs, server) = theirs(client, &entry.person, begin).await?;
        let now = client.around().clock.now().at.max(server.unwrap_or(Millis::MIN));
        let end = match plan(&theirs, entry.at, midnight, now) {
            Plan::Counts { until } => {
                self.remember(
                    &entry.person,
                    Stay {
                        from: entry.at,
                        until,
                    },
                    now,
                );
                return Ok(accepted(until));
            }
            Plan::Send { end } => end,
        };
        match send(client, &place, entry, end).await {
            Ok(row) => {
                let made = rows::check_in(&row).ok();
                let until = made.as_ref().and_then(|made| made.until).unwrap_or(midnight);
                let from = made.map_or(entry.at, |made| made.from.min(entry.at));
                self.remember(&entry.person, Stay { from, until }, now);
                Ok(accepted(until))
            }
            // It is not counted, and it stays so (R30).
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Rejected {
                        status: 400 | 404 | 422
                    }
                ) =>
            {
                Ok(refused(&error.text))
            }
            Err(error) => Err(error),
        }
    }
}

/// The person's check-ins since an instant, with the server's time.
async fn theirs(
    client: &Client,
    person: &PersonId,
    since: Millis,
) -> Result<(Vec<CheckInRow>, Option<Millis>), PlatformError> {
    let query = [
        ("member", person.as_str().to_owned()),
        ("start[$gte]", written(since)),
    ];
    let mut found = Vec::new();
    let listed = lists::each(client, &["checkins"], &query, |row| {
        // One that cannot be read is no reason to send another: it cannot be told what it counts for.
        if let Ok(row) = rows::check_in(&row) {
            found.push(row);
        }
    })
    .await?;
    Ok((found, listed.began))
}

async fn send(
    client: &Client,
    place: &Place,
    entry: &CheckIn,
    end: Option<Millis>,
) -> Result<Value, PlatformError> {
    let mut body = Map::new();
    body.insert("location".into(), json!(place.location));
    body.insert("start".into(), json!(written(entry.at)));
    if let Some(end) = end {
        body.insert("end".into(), json!(written(end)));
    }
    let path = ["checkins", entry.person.as_str()];
    let what = "deliver a check-in (POST /checkins/…)";
    client
        .write(Purpose::CheckIns, Method::POST, &path, &Value::Object(body), what)
        .await
}

/// The site's own location: the configured one, or the only one.
fn place(locations: &BTreeMap<Text, Location>, site: &Site) -> Option<Place> {
    let location = match &site.location {
        Some(id) => id.as_str().into(),
        None => locations.keys().next().filter(|_| locations.len() == 1)?.clone(),
    };
    Some(Place {
        location,
        zone: site.zone(locations),
    })
}

const fn accepted(until: Millis) -> CheckInOutcome {
    CheckInOutcome::Accepted {
        running_until: Some(until),
    }
}

fn refused(reason: &str) -> CheckInOutcome {
    CheckInOutcome::Refused {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Millis = 12 * 3_600_000;
    const MIDNIGHT: Millis = 24 * 3_600_000;

    fn row(from: Millis, until: Option<Millis>) -> CheckInRow {
        CheckInRow {
            member: "m".into(),
            from,
            until,
            pass: None,
        }
    }

    #[test]
    fn an_entry_within_a_stay_counts_and_after_it_is_sent() {
        let now = NOON + 1;
        let open = [row(NOON - 3_600_000, None)];
        assert_eq!(plan(&open, NOON, MIDNIGHT, now), Plan::Counts { until: MIDNIGHT });
        let over = [row(NOON - 3_600_000, Some(NOON - 1))];
        assert_eq!(plan(&over, NOON, MIDNIGHT, now), Plan::Send { end: None });
        assert_eq!(plan(&[], NOON, MIDNIGHT, now), Plan::Send { end: None });
    }

    #[test]
    fn its_own_answer_that_was_lost_is_found_and_a_later_stay_of_the_day_is_enough() {
        let own = [row(NOON, Some(NOON + 1))];
        assert_eq!(plan(&own, NOON, MIDNIGHT, NOON), Plan::Counts { until: NOON + 1 });
        let later = [row(NOON + 3_600_000, None)];
        assert_eq!(
            plan(&later, NOON, MIDNIGHT, NOON),
            Plan::Counts { until: MIDNIGHT }
        );
        let next_day = [row(MIDNIGHT + 1, None)];
        assert_eq!(
            plan(&next_day, NOON, MIDNIGHT, MIDNIGHT + 2),
            Plan::Send {
                end: Some(MIDNIGHT - 1)
            }
        );
    }

    #[test]
    fn an_entry_of_a_day_that_is_over_carries_the_end_of_that_day() {
        assert_eq!(plan(&[], NOON, MIDNIGHT, MIDNIGHT - 1), Plan::Send { end: None });
        assert_eq!(
            plan(&[], NOON, MIDNIGHT, MIDNIGHT),
            Plan::Send {
                end: Some(MIDNIGHT - 1)
            }
        );
    }
}
