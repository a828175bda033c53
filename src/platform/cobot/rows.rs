//! What was read, row by row: small, and kept between fetches, so that a hint costs a few requests and not all.
//! Facts are made of these rows and of nothing else, so it does not matter by which way a row came.

use super::model::Times;
use crate::domain::{Millis, facts::Resource, secret::Secret, time::DAY_MS};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $kind:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub(super) struct $name {
            $($(#[$fdoc])* pub(super) $field: $kind,)*
        }
    )* };
}

rows! {
    /// A membership, which is the person as well.
    MemberRow {
        id: Box<str>,
        name: Box<str>,
        email: Option<Box<str>>,
        team: Option<Box<str>>,
        #[serde(with = "crate::platform::packed::maybe_day")]
        confirmed: Option<Date>,
        /// The last day.
        #[serde(with = "crate::platform::packed::maybe_day")]
        canceled: Option<Date>,
    }
    /// A plan that a membership was, is or will be on.
    PlanRow {
        id: Box<str>,
        membership: Box<str>,
        name: Box<str>,
        #[serde(with = "crate::platform::packed::day")]
        starts: Date,
        /// The last day.
        #[serde(with = "crate::platform::packed::maybe_day")]
        canceled: Option<Date>,
    }
    TeamRow {
        id: Box<str>,
        name: Box<str>,
    }
    BookingRow {
        id: Box<str>,
        resource: Box<str>,
        membership: Option<Box<str>>,
        /// An external booking stands behind it, which says more.
        external: bool,
        from: Millis,
        until: Millis,
        /// E-mail addresses in lower case.
        attendees: Vec<Box<str>>,
    }
    ExternalRow {
        id: Box<str>,
        resource: Option<Box<str>>,
        name: Box<str>,
        email: Option<Box<str>>,
        status: Box<str>,
        from: Millis,
        until: Millis,
        contact: Option<Box<str>>,
    }
    AllocationRow {
        id: Box<str>,
        resource: Box<str>,
        /// A membership, or a team.
        to: Option<Box<str>>,
        team: bool,
        #[serde(with = "crate::platform::packed::day")]
        starts: Date,
        #[serde(with = "crate::platform::packed::maybe_day")]
        canceled: Option<Date>,
    }
    DropInRow {
        id: Box<str>,
        kind: Box<str>,
        name: Option<Box<str>>,
        email: Option<Box<str>>,
        #[serde(with = "crate::platform::packed::day")]
        day: Date,
        times: Times,
        confirmed: bool,
        contact: Option<Box<str>>,
    }
    /// An unused time pass.
    PassRow {
        id: Box<str>,
        membership: Box<str>,
        kind: Box<str>,
        expires: Option<Millis>,
        times: Times,
    }
    /// A check-in that runs.
    SessionRow {
        membership: Box<str>,
        /// The pass that it runs on, if it took one.
        pass: Option<Box<str>>,
        /// That pass's kind, once it is known.
        kind: Option<Box<str>>,
        until: Millis,
    }
    /// A check-in token: a card, or a telephone's address.
    TokenRow {
        #[serde(with = "revealed")]
        text: Secret,
        membership: Box<str>,
    }
}

/// A token in rows that are packed: they stay in memory.
mod revealed {
    use super::{Deserialize, Secret};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.reveal())
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// Bookings that begin on one day (UTC), and when they were read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) read_at: Millis,
    pub(super) bookings: Vec<BookingRow>,
}

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rows {
    pub(super) members: Vec<MemberRow>,
    pub(super) plans: Vec<PlanRow>,
    pub(super) teams: Vec<TeamRow>,
    /// When the teams were read: only their names are in that list, so not every time.
    pub(super) teams_at: Millis,
    #[serde(with = "crate::platform::packed::named")]
    pub(super) resources: Vec<Resource>,
    /// Bookings up to [`Spans::near_until`].
    pub(super) near: Vec<BookingRow>,
    /// Later ones, by the day on which they begin.
    pub(super) far: BTreeMap<Millis, Cell>,
    pub(super) near_until: Millis,
    pub(super) externals: Vec<ExternalRow>,
    pub(super) allocations: Vec<AllocationRow>,
    pub(super) drop_ins: Vec<DropInRow>,
    pub(super) passes: Vec<PassRow>,
    pub(super) sessions: Vec<SessionRow>,
    pub(super) tokens: Vec<TokenRow>,
    /// Whether the members of a plan need passes, by the plan's name, and when that was asked.
    pub(super) needs_passes: HashMap<Box<str>, (bool, Millis)>,
}

impl Rows {
    /// What the next fetch takes over from this one; all else is let go.
    pub(super) fn carried(self) -> Self {
        Self {
            teams: self.teams,
            teams_at: self.teams_at,
            far: self.far,
            passes: self.passes,
            sessions: self.sessions,
            needs_passes: self.needs_passes,
            ..Self::default()
        }
    }

    /// Every booking once: what was read of the near days is newer than what was read of the far ones.
    pub(super) fn bookings(&self) -> impl Iterator<Item = &BookingRow> {
        let near: std::collections::HashSet<&str> = self.near.iter().map(|it| &*it.id).collect();
        let later = self.far.values().flat_map(|cell| &cell.bookings);
        let later: Vec<&BookingRow> = later
            .filter(|it| it.from >= self.near_until && !near.contains(&*it.id))
            .collect();
        self.near.iter().chain(later)
    }

    /// Takes a booking in, or out where it is gone.
    pub(super) fn put_booking(&mut self, id: &str, found: Option<BookingRow>, spans: &Spans) {
        self.near.retain(|it| &*it.id != id);
        for cell in self.far.values_mut() {
            cell.bookings.retain(|it| &*it.id != id);
        }
        let Some(row) = found else { return };
        if row.from < spans.near_until && row.until > spans.near_from {
            self.near.push(row);
        } else if let Some(cell) = self.far.get_mut(&floor(row.from)) {
            cell.bookings.push(row);
        }
    }

    /// Drops what a fetch now would not bring any more.
    pub(super) fn prune(&mut self, spans: &Spans) {
        self.sessions.retain(|it| it.until > spans.now);
        self.near.retain(|it| it.until > spans.near_from);
        // A day that has come near is read with the near ones from the next fetch on; until then it stays.
        let begun = floor(spans.near_from);
        self.far.retain(|day, _| *day >= begun);
    }
}

/// The windows of time that are asked for. In whole days (UTC), so that the answers do not change with every minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spans {
    /// Now, Unix milliseconds.
    pub(super) now: Millis,
    /// The local day.
    pub(super) today: Date,
    /// Bookings are read every time from here …
    pub(super) near_from: Millis,
    /// … to here, …
    pub(super) near_until: Millis,
    /// … and in turns, a few days each time, to here.
    pub(super) far_until: Millis,
}

/// Memberships that have ended within this many days are read too, so that a refusal can say when.
const ENDED_DAYS: i64 = 30;
/// What has just ended is read too: a door's buffer may go on after it.
const BACK: Millis = 6 * 3_600_000;
/// Bookings of the next day, at least, are read with every fetch.
const NEAR: Millis = DAY_MS;
/// As far as bookings are known when the line breaks.
const FAR: Millis = 14 * DAY_MS;
/// Far days that a fetch reads. Twelve days in turns are at most six minutes old at a poll a minute.
const FAR_DAYS: Millis = 2 * DAY_MS;
/// The longest booking from outside that is still found while it runs: that list is filtered by its beginning alone.
pub(super) const LONGEST_EXTERNAL: Millis = 14 * DAY_MS;

impl Spans {
    pub(super) fn at(now: Millis, today: Date) -> Self {
        Self {
            now,
            today,
            near_from: floor(now.saturating_sub(BACK)),
            near_until: floor(now.saturating_add(NEAR)).saturating_add(DAY_MS),
            far_until: floor(now.saturating_add(FAR)),
        }
    }

    /// Memberships that ended before this day are not read.
    pub(super) fn ended_from(&self) -> Date {
        self.today.saturating_add(-ENDED_DAYS.days())
    }

    /// The far days whose turn it is.
    pub(super) fn turn(&self, far: &BTreeMap<Millis, Cell>) -> (Millis, Millis) {
        let mut days = Vec::new();
        let mut day = self.near_until;
        while day < self.far_until {
            days.push((far.get(&day).map(|cell| cell.read_at), day));
            day = day.saturating_add(DAY_MS);
        }
        let from = days.iter().min().map_or(self.near_until, |(_, day)| *day);
        (from, from.saturating_add(FAR_DAYS).min(self.far_until))
    }

    /// The days of a turn.
    pub(super) fn days((from, until): (Millis, Millis)) -> impl Iterator<Item = Millis> {
        let count = (until - from) / DAY_MS;
        (0..count).map(move |number| from + number * DAY_MS)
    }
}

/// The beginning of the day (UTC).
pub(super) fn floor(at: Millis) -> Millis {
    at.saturating_sub(at.rem_euclid(DAY_MS))
}
