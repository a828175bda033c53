//! Entries as check-ins. Nexudus takes no key, so the adapter looks before it sends: an entry of which it is not known
//! whether it arrived, and one while a check-in runs, are found there (R28). Dated, so that an entry of yesterday spends
//! a pass of yesterday. Never a check-out, never a toggle (R29).

use super::{
    api::{self, Api},
    facts::{self, Setup, Space},
    model::{CheckedIn, HeldPass, PassKind},
    times,
};
use crate::{
    domain::{ClockQuality, Millis, PersonId},
    platform::{CheckIn, CheckInOutcome, PlatformError},
};
use reqwest::Method;
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// `Source`: door access (facts: platforms.md 3.3).
const DOOR_ACCESS: u8 = 2;
/// Times are written in whole seconds.
const SECOND: Millis = 1_000;
/// For so long it is believed that a check-in runs, without looking: members check out by other means.
const BELIEVED: Millis = 15 * 60_000;
/// How many running check-ins are remembered, before those that are over are dropped.
const MOST_REMEMBERED: usize = 20_000;

/// A check-in that runs.
#[derive(Clone, Copy, Debug)]
struct Run {
    from: Millis,
    until: Millis,
    /// Whether it runs on a pass.
    on_pass: bool,
}

impl Run {
    const fn outcome(self) -> CheckInOutcome {
        CheckInOutcome::Accepted {
            running_until: if self.on_pass { Some(self.until) } else { None },
        }
    }
}

/// What runs, by person.
#[derive(Debug, Default)]
pub(super) struct Runs(Mutex<HashMap<PersonId, (Run, Millis)>>);

impl Runs {
    fn of(&self, person: &PersonId, at: Millis, now: Millis) -> Option<Run> {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (run, learned) = *runs.get(person)?;
        let fresh = (0..BELIEVED).contains(&now.saturating_sub(learned));
        (fresh && run.from <= at && at < run.until).then_some(run)
    }

    fn remember(&self, person: &PersonId, run: Run, now: Millis) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.len() >= MOST_REMEMBERED {
            runs.retain(|_, (_, learned)| now.saturating_sub(*learned) < BELIEVED);
        }
        runs.insert(person.clone(), (run, now));
    }

    /// Something changed about a person: the next entry looks again.
    pub(super) fn forget(&self, person: &PersonId) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.remove(person);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    business_id: u64,
    coworker_id: u64,
    from_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_time: Option<String>,
    source: u8,
}

fn refused(reason: impl Into<String>) -> CheckInOutcome {
    CheckInOutcome::Refused {
        reason: reason.into(),
    }
}

/// Delivers an entry. `now` by the gateway's clock; `setup` of the last whole fetch.
pub(super) async fn deliver(
    api: &Api,
    space: &Space,
    runs: &Runs,
    setup: Option<Setup>,
    entry: &CheckIn,
    now: Millis,
) -> Result<CheckInOutcome, PlatformError> {
    if entry.clock == ClockQuality::Untrusted {
        return Ok(refused(
            "the gateway's clock was not trusted at the entry, and Nexudus needs its time",
        ));
    }
    let Ok(coworker) = entry.person.as_str().parse::<u64>() else {
        return Ok(refused("this person is no customer at Nexudus"));
    };
    if let Some(run) = runs.of(&entry.person, entry.at, now) {
        return Ok(run.outcome());
    }
    let at = entry.at.div_euclid(SECOND) * SECOND;
    let kinds = setup.map(|setup| setup.kinds);
    let look = Look {
        api,
        space,
        coworker,
        kinds,
    };
    let day_ends = times::end_of_day(at, &space.zone).unwrap_or(at);
    let listed = look.check_ins(at).await?;
    for row in &listed {
        let Some(from) = row.from_time.as_deref().and_then(times::instant) else {
            continue;
        };
        let run = look.run(row, from).await?;
        if from == at || (from <= at && at < run.until) {
            runs.remember(&entry.person, run, now);
            return Ok(run.outcome());
        }
        if entry.late && at < from && from < day_ends {
            return Ok(refused(
                "it arrived late, and the customer is checked in for that day already",
            ));
        }
    }
    // An entry of a day that is over must not begin a visit that still runs.
    let over = (day_ends <= now).then_some(day_ends);
    let times = (times::write(at), over.map(times::write));
    let (Some(from_time), to_time) = times else {
        return Ok(refused("its time is outside the calendar"));
    };
    let body = Entry {
        business_id: space.business,
        coworker_id: coworker,
        from_time,
        to_time: to_time.flatten(),
        source: DOOR_ACCESS,
    };
    let written = api.write(Method::POST, api::CHECK_INS, &body).await?;
    if !written.was_successful {
        return Ok(refused(written.words()));
    }
    let made = match written.value.and_then(|value| value.id) {
        Some(id) => api.one::<CheckedIn>(api::CHECK_INS, id).await.ok().flatten(),
        None => None,
    };
    // It counts, whatever can be read of it now.
    let run = match made {
        Some(row) => look.run(&row, at).await.unwrap_or_else(|_| look.plain(at)),
        None => look.plain(at),
    };
    runs.remember(&entry.person, run, now);
    Ok(run.outcome())
}

/// Looks at one customer's check-ins.
struct Look<'a> {
    api: &'a Api,
    space: &'a Space,
    coworker: u64,
    kinds: Option<std::collections::BTreeMap<u64, PassKind>>,
}

impl Look<'_> {
    /// Those that began on the day before the entry, or since.
    async fn check_ins(&self, at: Millis) -> Result<Vec<CheckedIn>, PlatformError> {
        let query = [
            ("Checkin_Coworker", self.coworker.to_string()),
            ("Checkin_Business", self.space.business.to_string()),
            ("from_Checkin_FromTime", times::minute(times::days_from(at, -1))),
        ];
        self.api.all(api::CHECK_INS, &query, |row| row).await
    }

    /// Without a pass that is known: until the end of the day.
    fn plain(&self, from: Millis) -> Run {
        Run {
            from,
            until: times::end_of_day(from, &self.space.zone).unwrap_or(from),
            on_pass: false,
        }
    }

    /// When a check-in is over, and whether it runs on a pass.
    async fn run(&self, row: &CheckedIn, from: Millis) -> Result<Run, PlatformError> {
        let Some(guid) = row.coworker_time_pass_guid.as_deref() else {
            let until = facts::check_in_end(row, None, &self.space.zone);
            return Ok(Run {
                until: until.unwrap_or(from),
                ..self.plain(from)
            });
        };
        let minutes = if row.to_time.is_some() {
            None // its end is known already
        } else {
            self.minutes(guid).await?
        };
        let until = facts::check_in_end(row, minutes, &self.space.zone);
        Ok(Run {
            from,
            until: until.unwrap_or(from),
            on_pass: true,
        })
    }

    /// How many minutes the pass of a check-in has; `None` for a day pass.
    async fn minutes(&self, guid: &str) -> Result<Option<u64>, PlatformError> {
        let query = [("CoworkerTimePass_Coworker", self.coworker.to_string())];
        let passes: Vec<HeldPass> = self.api.all(api::PASSES, &query, |row| row).await?;
        let same = |pass: &&HeldPass| {
            let own = pass.unique_id.as_deref().unwrap_or_default();
            own.eq_ignore_ascii_case(guid)
        };
        let Some(kind) = passes.iter().find(same).and_then(|pass| pass.time_pass_id) else {
            return Ok(None);
        };
        if let Some(known) = self.kinds.as_ref().and_then(|kinds| kinds.get(&kind)) {
            return Ok(known.minutes_included);
        }
        let kind: Option<PassKind> = self.api.one(api::PASS_KINDS, kind).await?;
        Ok(kind.and_then(|kind| kind.minutes_included))
    }
}
