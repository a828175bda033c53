//! Reading rows: all of them, or those that a hint names.

use super::{
    CobotCloud,
    api::What,
    facts::Space,
    model::{self, Document, OldMembership, OldPass, SpaceAttributes, Unread},
    rows::{BookingRow, Cell, LONGEST_EXTERNAL, PassRow, Rows, SessionRow, Spans, floor},
};
use crate::{
    domain::Millis,
    platform::{ErrorKind, PlatformError},
};
use jiff::{Timestamp, ToSpan, civil::Date};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};
use tokio::{time::sleep, try_join};

/// Plans and allocations that begin within this many days are known ahead.
const AHEAD_DAYS: i64 = 60;
/// How often a list of bookings is read that says it is not consistent, and the pause between.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// Check-ins that began so long ago may still run: no pass of the vendor's lasts longer than a day.
const LONGEST_SESSION: Millis = 36 * 3_600_000;
/// Running passes whose kind is looked up in one fetch, each with a request.
const LOOK_UPS: usize = 30;
/// What a plan needs is asked again after this.
const PLAN_AGE: Millis = 6 * 3_600_000;
/// The names of teams are read again after this.
const TEAMS_AGE: Millis = 3_600_000;

const fn what(name: &'static str, scope: &'static str) -> What {
    What {
        name,
        scope,
        facts: true,
    }
}
pub(super) const USER: What = what("the spaces of the token", "read_user, read_spaces");
pub(super) const SPACE: What = what("the space", "read_spaces");
pub(super) const MEMBERS: What = what("memberships", "read_memberships");
pub(super) const PLANS: What = what("membership plans", "read_memberships");
pub(super) const TEAMS: What = what("teams", "read_teams");
pub(super) const RESOURCES: What = what("resources", "read_resources");
pub(super) const BOOKINGS: What = what("bookings", "read_bookings");
pub(super) const EXTERNALS: What = what("external bookings", "read_external_bookings");
pub(super) const ALLOCATIONS: What = what("allocations", "read_allocations");
pub(super) const DROP_INS: What = what("drop-in passes", "read_drop_in_passes");
pub(super) const PASSES: What = what("time passes", "read_time_passes");
pub(super) const SESSIONS: What = what("check-ins", "read_check_ins");
pub(super) const TOKENS: What = what("check-in tokens", "checkin_tokens");

fn iso(at: Millis) -> String {
    // Whole seconds: the vendor drops the rest.
    let at = Timestamp::from_second(at.div_euclid(1_000));
    at.map_or_else(|_| String::new(), |at| at.to_string())
}

/// As API 1 writes instants.
fn old(at: Millis) -> String {
    let at = Timestamp::from_second(at.div_euclid(1_000)).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
}

fn shifted(day: Date, days: i64) -> String {
    day.saturating_add(days.days()).to_string()
}

fn range(from: impl Into<String>, to: impl Into<String>) -> [(&'static str, String); 2] {
    [("filter[from]", from.into()), ("filter[to]", to.into())]
}

impl CobotCloud {
    /// The windows of time, by this gateway's clock; by the server's where this one is not to be believed.
    pub(super) async fn spans(&self) -> Result<Spans, PlatformError> {
        let now = self.around.clock.now();
        let at = if now.trusted {
            now.at
        } else {
            self.server_time().await?.unwrap_or(now.at)
        };
        let local = Timestamp::from_millisecond(at)
            .unwrap_or_default()
            .to_zoned(self.zone.clone());
        Ok(Spans::at(at, local.date()))
    }

    /// The space that the configuration means, asked for once.
    pub(super) async fn space(&self) -> Result<Space, PlatformError> {
        if let Some(space) = self.known_space() {
            return Ok(space);
        }
        let found = match &self.config.space {
            Some(id) => {
                let document: Option<Document<SpaceAttributes, Unread>> =
                    self.api.object(SPACE, &["spaces", id], &[]).await?;
                document.map(|it| (it.data.id, it.data.attributes.name))
            }
            None => self.own_space().await?,
        };
        let Some((id, name)) = found else {
            let text = format!(
                "the token that [cloud.cobot] names is no admin's of {}.cobot.me; check `subdomain` or `space`, and whose token it is",
                self.config.subdomain
            );
            return Err(PlatformError::new(ErrorKind::Rejected { status: 404 }, text));
        };
        let space = Space {
            id,
            name,
            cards: self.config.cards,
            zone: self.zone.clone(),
        };
        self.remember_space(&space);
        Ok(space)
    }

    async fn own_space(&self) -> Result<Option<(String, String)>, PlatformError> {
        let document: Option<Document<model::UserAttributes, Unread>> = self
            .api
            .object(USER, &["user"], &[("include", "adminOf".to_owned())])
            .await?;
        let included = document.map(|it| it.included).unwrap_or_default();
        let ours = included
            .into_iter()
            .find(|it| it.kind == "spaces" && it.attributes.subdomain == self.config.subdomain);
        Ok(ours.map(|it| (it.id, it.attributes.name)))
    }

    /// Reads everything. What was known of far days and of passes is carried over from `before`.
    pub(super) async fn read_all(&self, before: &mut Rows, spans: &Spans) -> Result<Rows, PlatformError> {
        let space = self.space().await?.id;
        let turn = spans.turn(&before.far);
        let (
            members,
            plans,
            resources,
            near,
            far,
            externals,
            allocations,
            drop_ins,
            passes,
            sessions,
            tokens,
        ) = try_join!(
            self.members(&space, spans),
            self.plans(&space, spans),
            self.resources(&space),
            self.bookings(&space, spans.near_from, spans.near_until),
            self.bookings(&space, turn.0, turn.1),
            self.externals(&space, spans),
            self.allocations(&space, spans),
            self.drop_ins(&space, spans),
            self.passes(),
            self.sessions(spans),
            self.tokens(),
        )?;
        let mut rows = Rows {
            members,
            plans,
            teams: before.teams.clone(),
            teams_at: before.teams_at,
            resources,
            near,
            far: BTreeMap::new(),
            near_until: spans.near_until,
            externals,
            allocations,
            drop_ins,
            passes,
            sessions,
            tokens,
            needs_passes: before.needs_passes.clone(),
        };
        self.name_running(&mut rows.sessions, &before.passes, &before.sessions)
            .await?;
        self.ask_plans(&mut rows, spans).await?;
        self.name_teams(&mut rows, &space, spans).await?;
        rows.far = std::mem::take(&mut before.far);
        rows.far
            .retain(|day, _| *day >= spans.near_until && *day < spans.far_until);
        take_turn(&mut rows.far, turn, far, spans.now);
        Ok(rows)
    }

    /// The teams' names, where one is new, and now and then. Who is in which team comes with the memberships.
    pub(super) async fn name_teams(
        &self,
        rows: &mut Rows,
        space: &str,
        spans: &Spans,
    ) -> Result<(), PlatformError> {
        let known: HashSet<&str> = rows.teams.iter().map(|it| &*it.id).collect();
        let mut named = rows.members.iter().filter_map(|it| it.team.as_deref());
        let fresh = spans.now.saturating_sub(rows.teams_at) < TEAMS_AGE;
        if fresh && named.all(|team| known.contains(team)) {
            return Ok(());
        }
        rows.teams = self.teams(space, spans).await?;
        rows.teams_at = spans.now;
        Ok(())
    }

    pub(super) async fn members(
        &self,
        space: &str,
        spans: &Spans,
    ) -> Result<Vec<super::rows::MemberRow>, PlatformError> {
        let query = range(spans.ended_from().to_string(), shifted(spans.today, AHEAD_DAYS));
        let path = ["spaces", space, "memberships"];
        Ok(self.api.list(MEMBERS, &path, &query, model::member).await?.0)
    }
    pub(super) async fn plans(
        &self,
        space: &str,
        spans: &Spans,
    ) -> Result<Vec<super::rows::PlanRow>, PlatformError> {
        let query = range(spans.ended_from().to_string(), shifted(spans.today, AHEAD_DAYS));
        let path = ["spaces", space, "membership_plans"];
        Ok(self.api.list(PLANS, &path, &query, model::plan).await?.0)
    }
    pub(super) async fn teams(
        &self,
        space: &str,
        spans: &Spans,
    ) -> Result<Vec<super::rows::TeamRow>, PlatformError> {
        let query = range(spans.ended_from().to_string(), shifted(spans.today, AHEAD_DAYS));
        Ok(self
            .api
            .list(TEAMS, &["spaces", space, "teams"], &query, model::team)
            .await?
            .0)
    }
    pub(super) async fn resources(
        &self,
        space: &str,
    ) -> Result<Vec<crate::domain::facts::Resource>, PlatformError> {
        let query = [("filter[usage]", "all".to_owned())];
        let path = ["spaces", space, "resources"];
        Ok(self.api.list(RESOURCES, &path, &query, model::resource).await?.0)
    }
    pub(super) async fn externals(
        &self,
        space: &str,
        spans: &Spans,
    ) -> Result<Vec<super::rows::ExternalRow>, PlatformError> {
        // The list goes by where a booking begins: from now alone, one that runs would be missed.
        let query = range(iso(spans.near_from - LONGEST_EXTERNAL), iso(spans.far_until));
        let path = ["spaces", space, "external_bookings"];
        Ok(self.api.list(EXTERNALS, &path, &query, model::external).await?.0)
    }
    pub(super) async fn allocations(
        &self,
        space: &str,
        spans: &Spans,
    ) -> Result<Vec<super::rows::AllocationRow>, PlatformError> {
        let query = range(shifted(spans.today, -1), shifted(spans.today, AHEAD_DAYS));
        let path = ["spaces", space, "allocations"];
        Ok(self
            .api
            .list(ALLOCATIONS, &path, &query, model::allocation)
            .await?
            .0)
    }
    pub(super) async fn drop_ins(
        &self,
        space: &str,
        spans: &Spans,
    ) -> Result<Vec<super::rows::DropInRow>, PlatformError> {
        let query = [
            ("filter[valid_on_from]", shifted(spans.today, -1)),
            ("filter[valid_on_to]", shifted(spans.today, 14)),
        ];
        let path = ["spaces", space, "drop_in_passes"];
        Ok(self.api.list(DROP_INS, &path, &query, model::drop_in).await?.0)
    }
    pub(super) async fn passes(&self) -> Result<Vec<PassRow>, PlatformError> {
        let path = ["api", "time_passes", "unused"];
        self.api
            .old_list(PASSES, &path, &[], |it| model::pass(it, None))
            .await
    }
    pub(super) async fn tokens(&self) -> Result<Vec<super::rows::TokenRow>, PlatformError> {
        let path = ["api", "check_in_tokens"];
        self.api.old_list(TOKENS, &path, &[], model::token).await
    }

    /// The check-ins that run.
    pub(super) async fn sessions(&self, spans: &Spans) -> Result<Vec<SessionRow>, PlatformError> {
        let query = [
            ("from", old(spans.now - LONGEST_SESSION)),
            ("to", old(spans.now + 3_600_000)),
        ];
        let path = ["api", "work_sessions"];
        let mut rows = self.api.old_list(SESSIONS, &path, &query, model::session).await?;
        rows.retain(|it: &SessionRow| it.until > spans.now);
        Ok(rows)
    }

    /// Bookings of a window. A list that says it is not consistent is no list: what is missing is not deleted.
    pub(super) async fn bookings(
        &self,
        space: &str,
        from: Millis,
        to: Millis,
    ) -> Result<Vec<BookingRow>, PlatformError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let query = range(iso(from), iso(to));
        let path = ["spaces", space, "bookings"];
        for tried in 1..=TRIES {
            let (rows, meta) = self.api.list(BOOKINGS, &path, &query, model::booking).await?;
            let count = u32::try_from(rows.len()).map_or(f64::MAX, f64::from);
            let all = meta
                .total_bookings
                .is_none_or(|total| (total - count).abs() < 0.5);
            if all && meta.consistent != Some(false) {
                return Ok(rows);
            }
            if tried < TRIES {
                sleep(PAUSE).await;
            }
        }
        Err(PlatformError::malformed(format_args!(
            "{} says that its list of bookings is not consistent yet; nothing is taken from it, and the next fetch tries again",
            self.api.new.place()
        )))
    }

    /// The kinds of the passes that check-ins run on. The list of check-ins has only their ids, and a pass in use is
    /// not in the list of unused ones any more; it was there before, most likely.
    pub(super) async fn name_running(
        &self,
        sessions: &mut [SessionRow],
        passes: &[PassRow],
        before: &[SessionRow],
    ) -> Result<(), PlatformError> {
        let unused = passes.iter().map(|it| (&*it.id, &it.kind));
        let running = before
            .iter()
            .filter_map(|it| Some((it.pass.as_deref()?, it.kind.as_ref()?)));
        let mut kinds: HashMap<Box<str>, Box<str>> = unused
            .chain(running)
            .map(|(id, kind)| (id.into(), kind.clone()))
            .collect();
        kinds.extend(self.looked_up());
        let mut looked_up = 0;
        for row in sessions.iter_mut().filter(|row| row.kind.is_none()) {
            let Some(id) = row.pass.clone() else { continue };
            if let Some(kind) = kinds.get(&id) {
                row.kind = Some(kind.clone());
                continue;
            }
            if looked_up == LOOK_UPS {
                let retry_after = Some(Duration::from_secs(20));
                let text = format!(
                    "{} has more than {LOOK_UPS} passes in use whose kind is not known yet; they are looked up {LOOK_UPS} at a time, and the next fetch goes on",
                    self.api.old.place()
                );
                return Err(PlatformError::new(ErrorKind::Throttled { retry_after }, text));
            }
            looked_up += 1;
            let pass: Option<OldPass> = self.api.old(PASSES, &["api", "time_passes", &id], &[]).await?;
            if let Some(pass) = pass {
                let kind: Box<str> = pass.name.into();
                self.remember_pass(&id, &kind);
                kinds.insert(id, kind.clone());
                row.kind = Some(kind);
            }
        }
        Ok(())
    }

    /// Asks whether a plan's members need passes (R22), by one member of it: API 2 does not say. Once in some hours.
    pub(super) async fn ask_plans(&self, rows: &mut Rows, spans: &Spans) -> Result<(), PlatformError> {
        let fresh = |at: Millis| spans.now.saturating_sub(at) < PLAN_AGE;
        let holds =
            |day: Date, last: Option<Date>| day <= spans.today && last.is_none_or(|last| spans.today <= last);
        let mut asked: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
        for plan in &rows.plans {
            let known = rows
                .needs_passes
                .get(&plan.name)
                .is_some_and(|(_, at)| fresh(*at));
            if !known
                && !asked.contains_key(&plan.name)
                && holds(plan.starts, plan.canceled)
                && rows.members.iter().any(|it| it.id == plan.membership)
            {
                asked.insert(plan.name.clone(), plan.membership.clone());
            }
        }
        for (plan, member) in asked {
            let found: Option<OldMembership> = self
                .api
                .old(MEMBERS, &["api", "memberships", &member], &[])
                .await?;
            if let Some(found) = found.and_then(|it| it.plan) {
                rows.needs_passes
                    .insert(plan, (!found.time_passes.is_empty(), spans.now));
            }
        }
        let plans: HashSet<&str> = rows.plans.iter().map(|it| &*it.name).collect();
        rows.needs_passes.retain(|name, _| plans.contains(&**name));
        Ok(())
    }
}

/// Puts the bookings of some far days in their places.
fn take_turn(
    far: &mut BTreeMap<Millis, Cell>,
    turn: (Millis, Millis),
    bookings: Vec<BookingRow>,
    now: Millis,
) {
    for day in Spans::days(turn) {
        far.insert(
            day,
            Cell {
                read_at: now,
                bookings: Vec::new(),
            },
        );
    }
    for row in bookings {
        // One that began on an earlier day stands there.
        if row.from >= turn.0
            && let Some(cell) = far.get_mut(&floor(row.from))
        {
            cell.bookings.push(row);
        }
    }
}
