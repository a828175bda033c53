//! Rows from the platform: all of them, those that changed since, or those that hints name. Everything that is needed
//! arrives first and is put in place then, so that a failure leaves what there was (invariant 4).

use super::{
    client::{Client, not_understood},
    facts::{Site, Span, day_of, midnight_before, within},
    lists::{self, Listed},
    rows::{self, Assignment, Booking, CheckInRow, PassStatus, Rows, Unread},
};
use crate::{
    domain::{Millis, Text, time::DAY_MS},
    platform::{PlatformError, packed::Packed},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Bookings are read so many days ahead: a gateway may be cut off for two weeks.
const DAYS_AHEAD: Millis = 14;
/// What changed is asked for from a little earlier than it was asked for last: clocks of one cloud differ.
pub(super) const OVERLAP_MS: Millis = 120_000;
/// Everything is read again after this at the earliest, as OfficeRnD's own integration does (seed S4:13) …
const WHOLE_AFTER: Duration = Duration::from_secs(15 * 60);
/// … and at the latest after this.
const WHOLE_BY: Duration = Duration::from_secs(6 * 3_600);
/// More than so many single objects are not asked for one by one.
pub(super) const MOST_SINGLE: usize = 20;

/// The rows, and how they were read.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) rows: Rows,
    pub(super) span: Span,
    /// The server's time when they were last read.
    pub(super) since: Option<Millis>,
    /// When everything was last read, by the monotonic clock.
    whole_at: Duration,
    /// Requests of that.
    cost: usize,
}

/// The same between two readings: what a Pi's memory has room for.
#[derive(Debug)]
pub(super) struct Kept {
    /// How they were read; of the rows themselves only those that could not be.
    pub(super) reading: Known,
    rows: Packed<Rows>,
}

impl Kept {
    /// Packs what was read, and leaves it as it is.
    pub(super) fn of(known: &Known) -> Result<Self, PlatformError> {
        Ok(Self {
            reading: Known {
                rows: Rows {
                    unread: known.rows.unread.clone(),
                    ..Rows::default()
                },
                ..*known
            },
            rows: Packed::of(&known.rows)?,
        })
    }

    /// Everything as it was.
    pub(super) fn open(&self) -> Result<Known, PlatformError> {
        Ok(Known {
            rows: Rows {
                unread: self.reading.rows.unread.clone(),
                ..self.rows.open()?
            },
            ..self.reading
        })
    }
}

/// What the platform turned out not to understand, for as long as this process lives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quirks {
    /// `modifiedAt[$gte]` is refused: everything is read each time.
    pub(super) no_modified_at: bool,
    /// `GET /assignments` wants a resource: one request for each desk and office.
    pub(super) assignments_by_resource: bool,
}

/// One reading.
pub(super) struct Pull<'a> {
    pub(super) client: &'a Client,
    pub(super) site: &'a Site,
    pub(super) quirks: &'a mut Quirks,
}

/// A collection of named rows by id.
pub(super) type Found<T> = BTreeMap<Text, T>;
pub(super) type Unreadable = BTreeMap<(&'static str, Text), Unread>;

/// Reads one collection into typed rows. A row that cannot be read is named, and left out.
pub(super) async fn collect<T>(
    client: &Client,
    collection: &'static str,
    path: &'static str,
    query: &[(&str, String)],
    unread: &mut Unreadable,
    read: impl Fn(&Value) -> Result<T, Unread>,
) -> Result<(Found<T>, Listed), PlatformError> {
    let mut found = Vec::new();
    let listed = lists::each(client, &[path], query, |row| {
        let id = rows::id(&row).unwrap_or_default();
        match read(&row) {
            Ok(_) if id.is_empty() => {
                unread.insert((collection, id), "has no id; left out");
            }
            Ok(made) => found.push((id, made)),
            Err(text) => {
                unread.insert((collection, id), text);
            }
        }
    })
    .await?;
    // At once, for nodes that are full: packed::dense.
    Ok((found.into_iter().collect(), listed))
}

impl Pull<'_> {
    fn now(&self) -> Millis {
        self.client.around().clock.now().at
    }

    /// The span of bookings that is read today.
    pub(super) fn span(&self) -> Span {
        Span::around(self.now(), DAYS_AHEAD)
    }

    /// Everything.
    pub(super) async fn whole(&mut self) -> Result<Known, PlatformError> {
        let (client, span) = (self.client, self.span());
        let property = client.config().card_property.as_str();
        let mut all = Rows::default();
        let unread = &mut all.unread;
        let (members, first) = collect(client, "people", "members", &[], unread, |row| {
            rows::member(row, property)
        })
        .await?;
        let mut cost = first.pages;
        macro_rules! read {
            ($field:ident, $collection:literal, $path:literal, $read:path) => {{
                let (found, listed) = collect(client, $collection, $path, &[], unread, $read).await?;
                cost += listed.pages;
                all.$field = found;
            }};
        }
        read!(companies, "teams", "companies", rows::named);
        read!(plans, "plans", "plans", rows::named);
        read!(locations, "locations", "locations", rows::location);
        read!(floors, "floors", "floors", rows::floor);
        read!(resources, "resources", "resources", rows::resource);
        read!(memberships, "memberships", "memberships", rows::membership);
        read!(passes, "passes", "passes", rows::pass);
        all.members = members;
        let (found, pages) = self.assignments(&all.resources, &mut all.unread).await?;
        all.assignments = found;
        cost += pages;
        let (bookings, pages) = self.occurrences(span, None, &mut all.unread).await?;
        all.bookings = bookings;
        cost += pages;
        cost += self.fill(&mut all, span).await?;
        Ok(Known {
            rows: all,
            span,
            since: first.began,
            whole_at: client.around().clock.monotonic(),
            cost,
        })
    }

    /// Whether what is known can be brought up to date without reading everything.
    pub(super) fn can_go_on(&self, known: &Known) -> bool {
        let age = self
            .client
            .around()
            .clock
            .monotonic()
            .saturating_sub(known.whole_at);
        !self.quirks.no_modified_at
            && known.since.is_some()
            && known.span == self.span()
            && age < every(known.cost, self.client.a_day())
    }

    pub(super) fn by_location(&self) -> Option<(&'static str, String)> {
        let location = self.client.config().location.clone()?;
        Some(("location", location))
    }

    /// Bookings with their repeats expanded by the platform, of one resource or all.
    pub(super) async fn occurrences(
        &self,
        span: Span,
        resource: Option<&str>,
        unread: &mut Unreadable,
    ) -> Result<(BTreeMap<(Text, Millis), Booking>, usize), PlatformError> {
        let mut query = vec![("from", written(span.from)), ("to", written(span.until))];
        query.extend(self.by_location());
        query.extend(resource.map(|id| ("resource", id.to_owned())));
        let mut found = Vec::new();
        let listed = lists::each(self.client, &["bookings", "occurrences"], &query, |row| {
            let id = rows::id(&row).unwrap_or_default();
            match rows::booking(&row) {
                Ok((from, booking)) if !id.is_empty() => found.push(((id, from), booking)),
                Ok(_) => {
                    unread.insert(("bookings", id), "has no id; left out");
                }
                Err(text) => {
                    unread.insert(("bookings", id), text);
                }
            }
        })
        .await?;
        Ok((found.into_iter().collect(), listed.pages))
    }

    /// All assignments: as one list where the platform gives one, else for each desk and office.
    pub(super) async fn assignments(
        &mut self,
        resources: &BTreeMap<Text, rows::Resource>,
        unread: &mut Unreadable,
    ) -> Result<(Found<Assignment>, usize), PlatformError> {
        let (client, path) = (self.client, "assignments");
        if !self.quirks.assignments_by_resource {
            match collect(client, "assignments", path, &[], unread, rows::assignment).await {
                Err(error) if not_understood(&error) => {
                    tracing::info!(%error, "OfficeRnD lists assignments for each resource only");
                    self.quirks.assignments_by_resource = true;
                }
                other => return other.map(|(found, listed)| (found, listed.pages)),
            }
        }
        let (mut all, mut pages) = (BTreeMap::new(), 1);
        for (id, _) in resources
            .iter()
            .filter(|(_, resource)| resource.kind != "meeting_room")
        {
            let query = [("resource", id.to_string())];
            let (found, listed) =
                collect(client, "assignments", path, &query, unread, rows::assignment).await?;
            all.extend(found);
            pages += listed.pages;
        }
        Ok((all, pages))
    }

    /// What depends on other rows: guests whom bookings name, and today's check-ins where a pass may run on one. Gives the
    /// number of requests.
    pub(super) async fn fill(&mut self, all: &mut Rows, span: Span) -> Result<usize, PlatformError> {
        let mut requests = self.guests(all, span).await?;
        let now = self.now();
        let zone = self.site.zone(&all.locations);
        let today = midnight_before(now, &zone).unwrap_or(now);
        // A pass that is used up runs on only if it was used today (R23).
        let used = all.passes.values().any(|pass| {
            let gone = pass.status == PassStatus::Used || pass.left == 0;
            gone && pass.modified.is_none_or(|at| at >= today)
                && pass.ends.is_none_or(|ends| ends >= now.saturating_sub(DAY_MS))
        });
        all.check_ins.clear();
        if used {
            let query = [("start[$gte]", written(today))];
            let listed = lists::each(self.client, &["checkins"], &query, |row| {
                let made: Result<CheckInRow, Unread> = rows::check_in(&row);
                // One that cannot be read keeps nobody in, and nobody out.
                if let (Some(id), Ok(made)) = (rows::id(&row), made)
                    && made.pass.is_some()
                    && day_of(made.from, &zone) == day_of(now, &zone)
                {
                    all.check_ins.insert(id, made);
                }
            })
            .await?;
            requests += listed.pages;
        }
        Ok(requests)
    }

    /// Guests are read one by one while they are few, else as a list, and stay known.
    async fn guests(&self, all: &mut Rows, span: Span) -> Result<usize, PlatformError> {
        let named = all
            .bookings
            .iter()
            .filter(|((_, from), row)| within(*from, row, span));
        let named: BTreeSet<Text> = named.flat_map(|(_, row)| row.visitors.iter().cloned()).collect();
        all.visitors.retain(|id, _| named.contains(id));
        let missing: Vec<&Text> = named
            .iter()
            .filter(|id| !all.visitors.contains_key(*id))
            .collect();
        if missing.len() > MOST_SINGLE {
            let mut unread = BTreeMap::new();
            let (found, listed) =
                collect(self.client, "people", "visitors", &[], &mut unread, rows::visitor).await?;
            all.visitors
                .extend(found.into_iter().filter(|(id, _)| named.contains(id)));
            return Ok(listed.pages);
        }
        let requests = missing.len();
        for id in missing {
            if let Some(row) = self.client.object("visitors", id).await?
                && let Ok(visitor) = rows::visitor(&row)
            {
                all.visitors.insert(id.clone(), visitor);
            }
        }
        Ok(requests)
    }
}

/// How often everything is read, so that it takes a quarter of a day's requests at most: half goes to asking every minute
/// what changed, and the rest is for hints and check-ins.
fn every(cost: usize, a_day: u64) -> Duration {
    let cost = u64::try_from(cost).unwrap_or(u64::MAX);
    let seconds = cost.saturating_mul(4 * 86_400) / a_day.max(1);
    Duration::from_secs(seconds).clamp(WHOLE_AFTER, WHOLE_BY)
}

/// As the platform reads instants.
pub(super) fn written(at: Millis) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_readings_take_a_quarter_of_a_day_at_most() {
        assert_eq!(every(12, 20_000), WHOLE_AFTER);
        assert_eq!(every(190, 20_000), Duration::from_secs(3_283));
        assert_eq!(every(100_000, 20_000), WHOLE_BY);
        assert_eq!(every(190, 0), WHOLE_BY);
    }
}
