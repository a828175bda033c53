//! The adapter for OfficeRnD Flex, API v2 (facts: platforms.md section 4). For installers: docs/platforms/officernd.md.
//!
//! | file | what |
//! | --- | --- |
//! | `client` | one request: budget, token, refusals in words |
//! | `auth` | tokens and their scopes |
//! | `lists` | pages by cursor |
//! | `rows` | what is kept of OfficeRnD's objects |
//! | `pull` | all rows |
//! | `changes` | those that changed, or those that hints name |
//! | `patch` | putting these in place |
//! | `facts` | rows to facts |
//! | `checkins` | entries as check-ins, each once |
//! | `cards` | card numbers in a custom property |
//! | `hooks` | signed web hooks |
//! | `subscribe` | telling the platform where to send them |
//! | `survey` | every permission tried |
//! | `fuzz` | any answer, for the fuzzer |

mod auth;
mod cards;
mod changes;
mod checkins;
mod client;
mod facts;
mod fuzz;
mod hooks;
mod lists;
mod patch;
mod pull;
mod rows;
mod subscribe;
mod survey;
#[cfg(test)]
mod tests;

use super::{
    Around, BudgetStatus, Capabilities, CheckIn, CheckInOutcome, CheckIns, ErrorKind, Fetched, Heard, Hint,
    Hook, HookRefused, Known, Platform, PlatformError, Reply, Survey, polled,
};
use crate::{
    config::model::OfficeRndConfig,
    domain::{Credential, Millis, PersonId, facts::Facts},
};
use checkins::CheckInDesk;
use client::Client;
use facts::Site;
use jiff::tz::TimeZone;
use pull::{Kept, Pull, Quirks};
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

pub(crate) use fuzz::answer as fuzz_answer;

/// OfficeRnD Flex. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct OfficeRndCloud {
    client: Client,
    site: Site,
    desk: CheckInDesk,
    /// One reading at a time.
    state: Mutex<State>,
    /// One change of a card at a time: it is read, changed and written back.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    kept: Option<Kept>,
    quirks: Quirks,
}

impl OfficeRndCloud {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] when `ca_file` cannot be used or no authority is known at all,
    /// [`ErrorKind::Unsupported`] for an address that would send secrets in the clear.
    pub fn new(config: &OfficeRndConfig, around: &Around) -> Result<Self, PlatformError> {
        Ok(Self {
            client: Client::new(config, around)?,
            site: Site {
                location: config.location.clone(),
                cards: config.cards,
                zone: TimeZone::get(&around.zone).unwrap_or(TimeZone::UTC),
            },
            desk: CheckInDesk::default(),
            state: Mutex::default(),
            writing: Mutex::default(),
        })
    }

    /// Facts after a reading: everything, or what changed since the last one, as the budget allows.
    async fn read(&self, known: Option<&Known>) -> Result<Fetched, PlatformError> {
        let mut state = self.state.lock().await;
        let State { kept, quirks } = &mut *state;
        let mut pull = self.pull(quirks);
        let rows = match kept.as_ref().filter(|kept| pull.can_go_on(&kept.reading)) {
            Some(kept) => Some(kept.open()?),
            None => None,
        };
        let patch = match &rows {
            Some(rows) => pull.changed(rows).await?,
            None => None,
        };
        self.settle(kept, rows.zip(patch), &mut pull, known).await
    }

    /// Facts after reading what hints name.
    async fn look(&self, known: &Known, hints: &[Hint]) -> Result<Fetched, PlatformError> {
        let mut state = self.state.lock().await;
        let State { kept, quirks } = &mut *state;
        let mut pull = self.pull(quirks);
        let rows = match kept.as_ref().filter(|kept| kept.reading.span == pull.span()) {
            Some(kept) => Some(kept.open()?),
            None => None,
        };
        let patch = match &rows {
            Some(rows) => match pull.hinted(rows, hints).await? {
                None if pull.can_go_on(rows) => pull.changed(rows).await?,
                narrowed => narrowed,
            },
            None => None,
        };
        self.settle(kept, rows.zip(patch), &mut pull, Some(known)).await
    }

    fn pull<'p>(&'p self, quirks: &'p mut Quirks) -> Pull<'p> {
        Pull {
            client: &self.client,
            site: &self.site,
            quirks,
        }
    }

    /// Facts of the rows with what changed put in place, or of everything. What was kept is replaced when the new rows are
    /// whole, and not before.
    async fn settle(
        &self,
        kept: &mut Option<Kept>,
        changed: Option<(pull::Known, patch::Patch)>,
        pull: &mut Pull<'_>,
        known: Option<&Known>,
    ) -> Result<Fetched, PlatformError> {
        let current = match changed {
            Some((mut current, patch)) => {
                patch.apply(&mut current);
                let span = current.span;
                pull.fill(&mut current.rows, span).await?;
                current
            }
            None => pull.whole().await?,
        };
        self.desk.learn(&current.rows, &self.site);
        *kept = Some(Kept::of(&current)?);
        let now = self.client.around().clock.now().at;
        let (facts, problems) = facts::facts(current.rows, &self.site, current.span, now);
        polled::settle(facts, problems, known, self.client.place())
    }

    async fn card(
        &self,
        person: &PersonId,
        credential: &Credential,
        give: bool,
    ) -> Result<(), PlatformError> {
        let _turn = self.writing.lock().await;
        if give {
            let mut state = self.state.lock().await;
            let State { kept, quirks } = &mut *state;
            let known = match kept {
                Some(kept) => kept.open()?,
                None => {
                    let known = self.pull(quirks).whole().await?;
                    *kept = Some(Kept::of(&known)?);
                    known
                }
            };
            cards::free(&known.rows, &self.client, person, credential)?;
        }
        cards::change(&self.client, person, credential, give).await
    }
}

impl Platform for OfficeRndCloud {
    fn place(&self) -> String {
        self.client.place().to_owned()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hints: false,
            check_ins: CheckIns::Dated,
            cards: true,
        }
    }
    fn fetch<'a>(&'a self, known: Option<&'a Known>) -> Reply<'a, Fetched> {
        Box::pin(self.read(known))
    }
    fn wants_last(&self) -> bool {
        false // the rows that they were made of are here
    }
    fn refresh<'a>(&'a self, known: &'a Known, last: Facts, hints: &'a [Hint]) -> Reply<'a, Fetched> {
        drop(last);
        Box::pin(self.look(known, hints))
    }
    fn hook(&self, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
        hooks::hear(hook, subscribe::secret(&self.client).as_ref())
    }
    fn subscribe<'a>(&'a self, address: &'a Url) -> Reply<'a, ()> {
        Box::pin(subscribe::subscribe(&self.client, address))
    }
    fn survey(&self) -> Reply<'_, Survey> {
        Box::pin(survey::survey(&self.client, &self.site))
    }
    fn server_time(&self) -> Option<Millis> {
        self.client.server_time()
    }
    fn budgets(&self) -> Vec<BudgetStatus> {
        self.client.budget().status()
    }
    fn wait_hint(&self, _: u64, _: Duration) -> Reply<'_, bool> {
        Box::pin(async {
            let text = "OfficeRnD tells of changes by web hooks only";
            Err(PlatformError::new(ErrorKind::Unsupported, text))
        })
    }
    fn check_in<'a>(&'a self, check_in: &'a CheckIn) -> Reply<'a, CheckInOutcome> {
        Box::pin(self.desk.deliver(&self.client, &self.site, check_in))
    }
    fn assign_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(self.card(person, credential, true))
    }
    fn remove_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(self.card(person, credential, false))
    }
}
