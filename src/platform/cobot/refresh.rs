//! Reading only what hints name. The rows are the same in the end as a whole fetch would bring.

use super::{
    CobotCloud,
    fetch::{BOOKINGS, MEMBERS, PASSES},
    model::{self, Document, OldPass},
    rows::{BookingRow, MemberRow, Rows, Spans},
};
use crate::platform::{Hint, PlatformError};
use std::collections::BTreeSet;

/// More people than this are read as whole lists, which costs less.
const FEW: usize = 5;

/// What is to be read.
#[derive(Default)]
struct Wanted {
    members: bool,
    plans: bool,
    teams: bool,
    tokens: bool,
    passes: bool,
    sessions: bool,
    resources: bool,
    bookings: bool,
    externals: bool,
    allocations: bool,
    drop_ins: bool,
    /// Members, one by one.
    people: BTreeSet<String>,
    /// Members' passes, one by one.
    holders: BTreeSet<String>,
    /// Bookings, one by one.
    booked: BTreeSet<String>,
}

impl CobotCloud {
    /// Reads what the hints name into the rows; false when that is everything.
    pub(super) async fn patch(
        &self,
        rows: &mut Rows,
        hints: &[Hint],
        spans: &Spans,
    ) -> Result<bool, PlatformError> {
        let Some(wanted) = self.wanted(hints) else {
            return Ok(false);
        };
        let space = self.space().await?.id;
        if wanted.members {
            rows.members = self.members(&space, spans).await?;
            self.name_teams(rows, &space, spans).await?;
        }
        for id in &wanted.people {
            self.member(rows, id, spans).await?;
        }
        if wanted.plans {
            rows.plans = self.plans(&space, spans).await?;
            self.ask_plans(rows, spans).await?;
        }
        if wanted.teams {
            rows.teams = self.teams(&space, spans).await?;
            rows.teams_at = spans.now;
        }
        if wanted.tokens {
            rows.tokens = self.tokens().await?;
        }
        if wanted.resources {
            rows.resources = self.resources(&space).await?;
        }
        if wanted.bookings {
            rows.near = self.bookings(&space, spans.near_from, spans.near_until).await?;
            rows.near_until = spans.near_until;
        }
        for id in &wanted.booked {
            let path = ["bookings", id.as_str()];
            let found: Option<Document<_, _>> = self.api.object(BOOKINGS, &path, &[]).await?;
            let found: Option<BookingRow> = found.map(|it| model::booking(it.data));
            rows.put_booking(id, found, spans);
        }
        if wanted.externals {
            rows.externals = self.externals(&space, spans).await?;
        }
        if wanted.allocations {
            rows.allocations = self.allocations(&space, spans).await?;
        }
        if wanted.drop_ins {
            rows.drop_ins = self.drop_ins(&space, spans).await?;
        }
        // Before the passes: those that were unused until now name the kinds of those in use.
        if wanted.sessions {
            let mut sessions = self.sessions(spans).await?;
            self.name_running(&mut sessions, &rows.passes, &rows.sessions)
                .await?;
            rows.sessions = sessions;
        }
        if wanted.passes {
            rows.passes = self.passes().await?;
        }
        for id in &wanted.holders {
            self.passes_of(rows, id).await?;
        }
        rows.prune(spans);
        Ok(true)
    }

    /// Nothing when a hint names everything.
    fn wanted(&self, hints: &[Hint]) -> Option<Wanted> {
        let mut wanted = Wanted::default();
        for hint in hints {
            match hint {
                Hint::Person(id) => {
                    wanted.sessions = true;
                    wanted.holders.insert(id.as_str().to_owned());
                    if !self.desk.is_fresh(id.as_str()) {
                        wanted.people.insert(id.as_str().to_owned());
                        (wanted.plans, wanted.tokens) = (true, true);
                    }
                }
                Hint::Object {
                    collection: "bookings",
                    id,
                } => {
                    wanted.booked.insert(id.clone());
                }
                Hint::Collection(name) | Hint::Object { collection: name, .. } => match *name {
                    "people" => (wanted.members, wanted.teams, wanted.tokens) = (true, true, true),
                    "memberships" => (wanted.members, wanted.plans) = (true, true),
                    "bookings" => (wanted.bookings, wanted.externals) = (true, true),
                    "assignments" => wanted.allocations = true,
                    "resources" => wanted.resources = true,
                    "passes" => (wanted.passes, wanted.sessions, wanted.drop_ins) = (true, true, true),
                    _ => return None,
                },
                Hint::Anything | Hint::Pushed(_) => return None,
            }
        }
        if wanted.people.len() > FEW {
            wanted.members = true;
            wanted.people.clear();
        }
        if wanted.holders.len() > FEW || wanted.passes {
            wanted.passes = true;
            wanted.holders.clear();
        }
        Some(wanted)
    }

    /// One membership, and its team, which may be new.
    async fn member(&self, rows: &mut Rows, id: &str, spans: &Spans) -> Result<(), PlatformError> {
        let found: Option<Document<_, _>> = self.api.object(MEMBERS, &["memberships", id], &[]).await?;
        let found: Option<MemberRow> = found.map(|it| model::member(it.data));
        rows.members.retain(|it| &*it.id != id);
        let Some(row) = found else { return Ok(()) };
        if is_listed(&row, spans) {
            rows.members.push(row);
        }
        let space = self.space().await?.id;
        self.name_teams(rows, &space, spans).await
    }

    async fn passes_of(&self, rows: &mut Rows, id: &str) -> Result<(), PlatformError> {
        let path = ["api", "memberships", id, "time_passes", "unused"];
        let found: Option<Vec<OldPass>> = self.api.old(PASSES, &path, &[]).await?;
        rows.passes.retain(|it| &*it.membership != id);
        let found = found.unwrap_or_default().into_iter();
        rows.passes.extend(found.map(|it| model::pass(it, Some(id))));
        Ok(())
    }
}

/// Whether the list of memberships has this one: confirmed, and not over for long.
fn is_listed(row: &MemberRow, spans: &Spans) -> bool {
    row.confirmed.is_some() && row.canceled.is_none_or(|last| last >= spans.ended_from())
}
