//! Cobot (facts: platforms.md section 2; docs/platforms/cobot.md). API 2 has people, plans, bookings and check-ins;
//! API 1 is still the only home of check-in tokens (cards), time passes and web hooks.
//!
//! | file | what |
//! | --- | --- |
//! | `api` | requests within the budget, and lists page by page |
//! | `model` | what Cobot sends |
//! | `rows` | what was read, kept between fetches, and the windows of time |
//! | `fetch` | reading rows |
//! | `refresh` | reading what hints name |
//! | `facts` | rows to facts, pure |
//! | `checkins` | check-ins and cards |
//! | `hooks` | web hooks: understood, and asked for |
//! | `survey` | every permission tried |
//! | `fuzz` | any answer, for the fuzzer |

mod api;
mod checkins;
mod facts;
mod fetch;
mod fuzz;
mod hooks;
mod model;
mod refresh;
mod rows;
mod survey;
#[cfg(test)]
mod tests;

use super::{
    Around, Capabilities, CheckIn, CheckInOutcome, CheckIns, ErrorKind, Fetched, Heard, Hint, Hook,
    HookRefused, Known, Platform, PlatformError, Reply, Survey,
    budget::{Budget, BudgetStatus},
    packed::Packed,
    polled,
};
use crate::{
    config::model::CobotConfig,
    domain::{Credential, Millis, PersonId, facts::Facts},
};
use api::Api;
use checkins::Desk;
use facts::Space;
use jiff::tz::TimeZone;
use rows::Rows;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use url::Url;

pub(crate) use fuzz::answer as fuzz_answer;

/// A space at Cobot. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct CobotCloud {
    api: Api,
    config: CobotConfig,
    around: Around,
    zone: TimeZone,
    space: Mutex<Option<Space>>,
    /// What was read last. Held while facts are read, so that two reads do not mix.
    rows: tokio::sync::Mutex<Option<Packed<Rows>>>,
    desk: Desk,
    /// Kinds of passes in use that were looked up one by one.
    looked_up: Mutex<HashMap<Box<str>, Box<str>>>,
}

impl CobotCloud {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] when `ca_file` cannot be used or no authority is known at all,
    /// [`ErrorKind::Unsupported`] for an address that would send the token in the clear, or a zone that is not known.
    pub fn new(config: &CobotConfig, around: Around) -> Result<Self, PlatformError> {
        let zone = TimeZone::get(&around.zone).map_err(|_| {
            let text = format!(
                "the time zone {:?} is not known; correct [site] zone",
                around.zone
            );
            PlatformError::new(ErrorKind::Unsupported, text)
        })?;
        Ok(Self {
            api: Api::new(config)?,
            config: config.clone(),
            around,
            zone,
            space: Mutex::default(),
            rows: tokio::sync::Mutex::default(),
            desk: Desk::default(),
            looked_up: Mutex::default(),
        })
    }

    /// With another budget than the vendor's usual one: for a space that was granted more, and for simulations.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.api.budget = budget;
        self
    }

    fn known_space(&self) -> Option<Space> {
        self.space.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn remember_space(&self, space: &Space) {
        *self.space.lock().unwrap_or_else(PoisonError::into_inner) = Some(space.clone());
    }
    fn looked_up(&self) -> HashMap<Box<str>, Box<str>> {
        self.looked_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
    fn remember_pass(&self, id: &str, kind: &str) {
        let mut all = self.looked_up.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.into(), kind.into());
    }

    async fn fetch_facts(&self, known: Option<&Known>) -> Result<Fetched, PlatformError> {
        let spans = self.spans().await?;
        let mut kept = self.rows.lock().await;
        // What will be read anew is let go before, so that it is not in memory twice.
        let before = kept.as_ref().map(Packed::open).transpose()?;
        let mut before = before.map(Rows::carried).unwrap_or_default();
        let rows = self.read_all(&mut before, &spans).await?;
        drop(before);
        self.forget_passes(&rows);
        self.settled(&mut kept, rows, known).await
    }

    async fn refresh_facts(&self, known: &Known, hints: &[Hint]) -> Result<Fetched, PlatformError> {
        let spans = self.spans().await?;
        let mut kept = self.rows.lock().await;
        if let Some(packed) = kept.as_ref() {
            // A copy is changed: what breaks off in the middle leaves what there was.
            let mut rows = packed.open()?;
            if self.patch(&mut rows, hints, &spans).await? {
                return self.settled(&mut kept, rows, Some(known)).await;
            }
        }
        drop(kept);
        self.fetch_facts(Some(known)).await
    }

    /// Facts of these rows, which are kept for the next hint.
    async fn settled(
        &self,
        kept: &mut Option<Packed<Rows>>,
        rows: Rows,
        known: Option<&Known>,
    ) -> Result<Fetched, PlatformError> {
        let space = self.space().await?;
        self.desk.learn(&rows);
        *kept = Some(Packed::of(&rows)?);
        let (facts, problems) = facts::translate(rows, &space);
        polled::settle(facts, problems, known, self.api.new.place())
    }

    /// Kinds of passes that are not in use any more need not be known.
    fn forget_passes(&self, rows: &Rows) {
        let mut all = self.looked_up.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|id, _| rows.sessions.iter().any(|it| it.pass.as_ref() == Some(id)));
    }
}

impl Platform for CobotCloud {
    fn place(&self) -> String {
        self.api.new.place().to_owned()
    }
    fn server_time(&self) -> Option<Millis> {
        self.api.new.server_time()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hints: false,
            check_ins: CheckIns::NowOnly,
            cards: true,
        }
    }
    fn fetch<'a>(&'a self, known: Option<&'a Known>) -> Reply<'a, Fetched> {
        Box::pin(self.fetch_facts(known))
    }
    fn wants_last(&self) -> bool {
        false // the rows that they were made of say more
    }
    fn refresh<'a>(&'a self, known: &'a Known, last: Facts, hints: &'a [Hint]) -> Reply<'a, Fetched> {
        drop(last);
        Box::pin(self.refresh_facts(known, hints))
    }
    fn hook(&self, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
        hooks::hear(hook, &self.config)
    }
    fn subscribe<'a>(&'a self, address: &'a Url) -> Reply<'a, ()> {
        Box::pin(self.subscribe_to_all(address))
    }
    fn survey(&self) -> Reply<'_, Survey> {
        Box::pin(self.try_everything())
    }
    fn budgets(&self) -> Vec<BudgetStatus> {
        self.api.budget.status()
    }
    fn wait_hint(&self, _: u64, _: Duration) -> Reply<'_, bool> {
        Box::pin(async {
            let text = "Cobot has nothing to wait for; it is polled, and web hooks tell of changes";
            Err(PlatformError::new(ErrorKind::Unsupported, text))
        })
    }
    fn check_in<'a>(&'a self, check_in: &'a CheckIn) -> Reply<'a, CheckInOutcome> {
        Box::pin(self.deliver(check_in))
    }
    fn assign_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(self.give_card(person, credential))
    }
    fn remove_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(self.take_card(person, credential))
    }
}
