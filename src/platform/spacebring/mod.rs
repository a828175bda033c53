//! Spacebring: memberships, companies, plans, subscriptions, resources, bookings and day passes of one location
//! (`docs/platforms/spacebring.md`).
//!
//! | file | what |
//! | --- | --- |
//! | `auth` | HTTP Basic, or OAuth2 with tokens in the vault |
//! | `client` | requests within the budget, pages, failures in words |
//! | `model` | what is read of the platform's objects |
//! | `hours` | opening hours: pure |
//! | `facts` | rows as facts: pure |
//! | `users` | which membership a user has: pure |
//! | `read` | a whole read |
//! | `refresh` | facts of before, patched by what hints name |
//! | `carrying` | cards in a membership's metadata |
//! | `hooks` | web hooks signed by Svix: pure |
//! | `survey` | what an installer learns |

mod auth;
mod carrying;
mod client;
mod facts;
mod fuzz;
mod hooks;
mod hours;
mod model;
mod read;
mod refresh;
mod survey;
mod users;

use super::{
    Around, BudgetStatus, Capabilities, CheckIn, CheckInOutcome, CheckIns, ErrorKind, Fetched, Heard, Hint,
    Hook, HookRefused, Known, Platform, PlatformError, Reply, Survey,
    budget::Budget,
    http::{Http, Words},
    polled,
};
use crate::{
    config::model::SpacebringConfig,
    domain::{Credential, Millis, PersonId, facts::Facts},
};
use auth::Login;
use client::Client;
use facts::{Draft, Site};
use read::{Balances, Window};
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::Mutex;
use users::Users;

pub(crate) use fuzz::answer as fuzz_answer;

/// Why entries stay here.
const NO_CHECK_INS: &str = "Spacebring's API checks in visitors and no members, so entries are not sent there; attendance stays in this gateway's journal";

const WORDS: Words = Words {
    accept: "application/json",
    contract: "Spacebring's API reference",
    compare: "if that goes on, tell whoever looks after this gateway's software",
    credential: "this client",
    let_in: "check [cloud.spacebring] client_id and the file that client_secret names (Spacebring: Network settings, Developers)",
    address: "[cloud.spacebring] url",
};

/// A location at Spacebring. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Spacebring {
    client: Client,
    site: Site,
    zone: String,
    /// What signs web hooks.
    hook_key: Option<ring::hmac::Key>,
    /// One read at a time: it keeps the balances and what the next refresh needs.
    memory: Mutex<Memory>,
    left_out: polled::LeftOut,
}

/// What a read leaves for the next one.
#[derive(Debug, Default)]
struct Memory {
    balances: Balances,
    last: Option<Last>,
}

/// What the facts of the last read do not say of themselves.
#[derive(Debug)]
struct Last {
    /// The times of their bookings.
    window: Window,
    /// Who of their people is of another location.
    strangers: BTreeSet<String>,
    /// Whose memberships they are.
    users: Users,
}

impl Spacebring {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] when `ca_file` cannot be used or no authority is known at all,
    /// [`ErrorKind::Unsupported`] for an address that would send secrets in the clear.
    pub fn new(config: &SpacebringConfig, around: &Around) -> Result<Self, PlatformError> {
        let http = Http::new(&config.url, &config.reach, WORDS)?;
        let hook_key = config.hook_secret.as_ref().and_then(hooks::key);
        if config.hook_secret.is_some() && hook_key.is_none() {
            tracing::warn!(
                "the file that [cloud.spacebring] hook_secret names holds no signing secret of Spacebring (whsec_…); web hooks are refused"
            );
        }
        let login = Login::new(config.login.clone(), around.vault.clone(), around.clock.clone());
        Ok(Self {
            client: Client::new(http, login, around.clock.clone(), config.allowance),
            site: Site {
                location: config.location.clone(),
                card_key: config.card_key.clone(),
                cards: config.cards,
            },
            zone: around.zone.clone(),
            hook_key,
            memory: Mutex::default(),
            left_out: polled::LeftOut::default(),
        })
    }

    /// The same within another budget, lane "requests": for tests that shall not wait.
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Self {
        Self {
            client: self.client.with_budget(budget),
            ..self
        }
    }

    async fn fetch_all(&self, known: Option<&Known>) -> Result<Fetched, PlatformError> {
        let mut memory = self.memory.lock().await;
        self.read(&mut memory, known).await
    }

    async fn refreshed(&self, known: &Known, last: Facts, hints: &[Hint]) -> Result<Fetched, PlatformError> {
        let mut memory = self.memory.lock().await;
        let patched = refresh::patched(&self.client, &self.site, &mut memory, last, hints).await?;
        let Some((draft, window)) = patched else {
            return self.read(&mut memory, Some(known)).await;
        };
        let (facts, problems, strangers, users) = draft.finish();
        memory.last = Some(Last {
            window,
            strangers,
            users,
        });
        self.left_out
            .part(facts, problems, hints, known, self.client.http.place())
    }

    async fn read(&self, memory: &mut Memory, known: Option<&Known>) -> Result<Fetched, PlatformError> {
        let mut draft = Draft::new(&self.site, self.client.now());
        let window = read::everything(&self.client, &mut draft, &self.site.location, &self.zone).await?;
        read::strangers(&self.client, &mut draft).await?;
        read::balances(&self.client, &mut draft, &mut memory.balances).await?;
        let (facts, problems, strangers, users) = draft.finish();
        memory.last = Some(Last {
            window,
            strangers,
            users,
        });
        self.left_out
            .whole(facts, problems, known, self.client.http.place())
    }
}

impl Platform for Spacebring {
    fn place(&self) -> String {
        self.client.http.place().to_owned()
    }
    fn server_time(&self) -> Option<Millis> {
        self.client.http.server_time()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hints: false,
            check_ins: CheckIns::Never(NO_CHECK_INS),
            cards: true,
        }
    }
    fn fetch<'a>(&'a self, known: Option<&'a Known>) -> Reply<'a, Fetched> {
        Box::pin(self.fetch_all(known))
    }
    fn refresh<'a>(&'a self, known: &'a Known, last: Facts, hints: &'a [Hint]) -> Reply<'a, Fetched> {
        Box::pin(self.refreshed(known, last, hints))
    }
    fn hook(&self, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
        hooks::heard(hook, self.hook_key.as_ref(), &self.site.location)
    }
    fn survey(&self) -> Reply<'_, Survey> {
        Box::pin(async {
            let hooks = self.hook_key.is_some();
            survey::survey(&self.client, &self.site, &self.zone, hooks).await
        })
    }
    fn budgets(&self) -> Vec<BudgetStatus> {
        self.client.budgets()
    }
    fn wait_hint(&self, _after: u64, _at_most: Duration) -> Reply<'_, bool> {
        Box::pin(async { Err(unsupported("Spacebring has nothing to wait for; it is polled")) })
    }
    fn check_in<'a>(&'a self, _check_in: &'a CheckIn) -> Reply<'a, CheckInOutcome> {
        Box::pin(async { Err(unsupported(NO_CHECK_INS)) })
    }
    fn assign_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(carrying::change(
            &self.client,
            &self.site,
            person,
            credential,
            true,
        ))
    }
    fn remove_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(carrying::change(
            &self.client,
            &self.site,
            person,
            credential,
            false,
        ))
    }
}

fn unsupported(text: &str) -> PlatformError {
    PlatformError::new(ErrorKind::Unsupported, text)
}
