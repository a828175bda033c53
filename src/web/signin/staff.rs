//! The staff: accounts and tokens as they are kept, sessions as they stand, and every way to be signed in.

use super::{
    password::Hasher,
    random,
    role::{Act, Role},
    sessions::Sessions,
    slow::Slow,
    who::{Actor, Who},
};
use crate::{
    clock::Clock,
    domain::{Millis, say::page as say},
    store::{AuditDraft, Store},
    web::problem::Problem,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use subtle::ConstantTimeEq;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// Where accounts and tokens stand among the documents.
const ROOM: &str = "staff";
/// The code for the first account holds for so long.
const CODE_HOLDS: Duration = Duration::from_secs(24 * 3600);
/// When a token was used last is written down this often.
const USED_EVERY: Millis = 3_600_000;

/// An account as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) role: Role,
    /// Argon2id in PHC's form.
    pub(super) password: String,
    /// Its password was made by the gateway: nothing works until it is changed.
    #[serde(default)]
    pub(super) must_change: bool,
    pub(super) created: Millis,
    pub(super) by: String,
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Token {
    /// SHA-256 of the secret.
    pub(super) sum: String,
    pub(super) acts: Vec<Act>,
    pub(super) created: Millis,
    pub(super) by: String,
    #[serde(default)]
    pub(super) used: Option<Millis>,
}

/// What may make the first account.
pub(super) struct First {
    code: Zeroizing<String>,
    until: Duration,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) sessions: Sessions,
    pub(super) slow: Slow,
    first: Option<First>,
}

/// The staff. Cheap to clone.
#[derive(Clone)]
pub struct Staff(pub(super) Arc<Inner>);

pub(super) struct Inner {
    store: Store,
    pub(super) clock: Clock,
    pub(super) hasher: Hasher,
    /// One change of accounts and tokens at a time.
    pub(super) changing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Changes when sessions or tokens ended: open streams look whether theirs did.
    ended: watch::Sender<u64>,
}

/// Somebody is signed in: the secret for the cookie.
pub struct SignedIn {
    /// For the cookie, and nowhere else.
    pub secret: Zeroizing<String>,
    /// Who it is.
    pub who: Who,
}

impl Staff {
    /// The staff that the store has. Blocks: not for async tasks.
    #[must_use]
    pub fn open(store: &Store, clock: &Clock) -> Self {
        let mut state = State::default();
        let documents = store.read().documents(ROOM).unwrap_or_else(|error| {
            tracing::error!(%error, "the staff's accounts cannot be read: nobody can sign in");
            Vec::new()
        });
        for (key, body) in documents {
            match key.split_once('/') {
                Some(("account", name)) => {
                    if let Ok(account) = serde_json::from_str(&body) {
                        state.accounts.insert(name.to_owned(), account);
                    }
                }
                Some(("token", name)) => {
                    if let Ok(token) = serde_json::from_str(&body) {
                        state.tokens.insert(name.to_owned(), token);
                    }
                }
                _ => {}
            }
        }
        Self(Arc::new(Inner {
            store: store.clone(),
            clock: clock.clone(),
            hasher: Hasher::default(),
            changing: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
            ended: watch::Sender::new(0),
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Duration {
        self.0.clock.monotonic()
    }

    /// Changes whenever a session or a token may have ended.
    #[must_use]
    pub fn ended(&self) -> watch::Receiver<u64> {
        self.0.ended.subscribe()
    }

    pub(super) fn tell_ended(&self) {
        self.0.ended.send_modify(|count| *count += 1);
    }

    /// Writes who did what. A trail that cannot be written is a fault that people see, and stops nobody: the doors go on
    /// with a full disk, and so do those who look after them.
    pub async fn audit(&self, actor: &Actor, action: &str, subject: &str, outcome: &str) {
        let draft = AuditDraft {
            at: self.0.clock.now().at,
            actor: actor.name.clone(),
            role: actor.role.map_or(String::new(), |role| role.name().to_owned()),
            action: action.to_owned(),
            subject: subject.to_owned(),
            outcome: outcome.to_owned(),
            address: actor.address.map_or(String::new(), |address| address.to_string()),
        };
        let store = self.0.store.clone();
        let done = tokio::task::spawn_blocking(move || store.audit(&draft)).await;
        if let Ok(Err(error)) = done {
            tracing::error!(%error, "the audit trail cannot be written");
        }
    }

    /// Writes or removes a document of the staff.
    pub(super) async fn keep<T: Serialize>(&self, key: String, body: Option<&T>) -> Result<(), Problem> {
        let body = body.and_then(|body| serde_json::to_string(body).ok());
        let store = self.0.store.clone();
        tokio::task::spawn_blocking(move || store.put_documents(ROOM, &[(&key, body.as_deref())]))
            .await
            .map_err(|error| Problem::failed(&error))?
            .map_err(|error| Problem::failed(&error))
    }

    /// The code with which the first account is made, while there is none: for root, and for the console. One that has
    /// expired is made anew.
    #[must_use]
    pub fn first_code(&self) -> Option<Zeroizing<String>> {
        let now = self.now();
        let mut state = self.state();
        if !state.accounts.is_empty() {
            return None;
        }
        if state.first.as_ref().is_none_or(|first| first.until <= now) {
            state.first = random::code().map(|code| First {
                code,
                until: now + CODE_HOLDS,
            });
        }
        state.first.as_ref().map(|first| first.code.clone())
    }

    /// Whether anybody has an account.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state().accounts.is_empty()
    }

    pub(super) fn slowed(&self, account: &str, address: IpAddr) -> Result<(), Problem> {
        let wait = self.state().slow.wait(account, address, self.now());
        if wait.is_zero() {
            return Ok(());
        }
        Err(Problem::slower(
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        ))
    }

    /// Uses the code up, if it is the one.
    pub(super) fn take_code(&self, given: &str, address: IpAddr) -> Result<(), Problem> {
        self.slowed("", address)?;
        let now = self.now();
        let mut state = self.state();
        let fits = state.first.as_ref().is_some_and(|first| {
            let (ours, theirs) = (random::typed(&first.code), random::typed(given));
            first.until > now && bool::from(ours.as_bytes().ct_eq(theirs.as_bytes()))
        });
        if fits && state.accounts.is_empty() {
            state.first = None;
            return Ok(());
        }
        state.slow.failed("", address, now);
        Err(Problem::forbidden(say::wrong_code()))
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// What whoever tries it may know: not whether there is such an account.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Zeroizing<String>,
        address: IpAddr,
    ) -> Result<SignedIn, Problem> {
        let name = name.trim().to_lowercase();
        self.slowed(&name, address)?;
        let kept = self.state().accounts.get(&name).cloned();
        let hash = kept.as_ref().map(|account| account.password.clone());
        let right = self.0.hasher.check(password, hash).await.map_err(|_| busy())?;
        let now = self.now();
        let actor = Actor::stranger(&name, address);
        // It may have been removed or changed while the hash was made.
        let account = self.state().accounts.get(&name).cloned();
        let Some(account) = account.filter(|account| right && Some(account) == kept.as_ref()) else {
            self.state().slow.failed(&name, address, now);
            self.audit(&actor, "session.begun", "", "refused").await;
            return Err(Problem::new(
                axum::http::StatusCode::UNAUTHORIZED,
                "wrong_password",
                "not signed in",
                say::wrong_password(),
            ));
        };
        self.state().slow.succeeded(&name, address);
        self.begin(&name, account.role, address).await
    }

    /// Begins a session of somebody who has proven who it is.
    pub(super) async fn begin(
        &self,
        account: &str,
        role: Role,
        address: IpAddr,
    ) -> Result<SignedIn, Problem> {
        let secret = random::secret().ok_or_else(|| Problem::failed(&"no random bytes"))?;
        let key = random::sum(&secret);
        let now = self.now();
        self.state().sessions.begin(key, account, role, now);
        let who = self
            .by_session(&secret, address)
            .ok_or_else(|| Problem::failed(&"the session ended at once"))?;
        self.audit(&who.actor(), "session.begun", "", "done").await;
        Ok(SignedIn { secret, who })
    }

    /// Whose session this is.
    pub(super) fn by_session(&self, secret: &str, address: IpAddr) -> Option<Who> {
        let key = random::sum(secret);
        let now = self.now();
        let mut state = self.state();
        let session = state.sessions.seen(&key, now)?.clone();
        let must_change = state
            .accounts
            .get(&session.account)
            .is_some_and(|account| account.must_change);
        let acts = if must_change {
            Vec::new()
        } else {
            session.role.acts()
        };
        Some(Who {
            name: session.account,
            role: Some(session.role),
            acts,
            must_change,
            address,
            session: Some(key),
        })
    }

    /// Whose token this is.
    pub(super) fn by_token(&self, secret: &str, address: IpAddr) -> Option<Who> {
        let sum = random::sum_text(secret);
        let now = self.0.clock.now().at;
        let mut state = self.state();
        // By the sum of a secret of 256 bits: how long the search takes says nothing about any secret.
        let (name, token) = state.tokens.iter_mut().find(|(_, token)| token.sum == sum)?;
        let due = token
            .used
            .is_none_or(|used| now.abs_diff(used) >= USED_EVERY.unsigned_abs());
        token.used = Some(now);
        let (name, acts, kept) = (name.clone(), token.acts.clone(), token.clone());
        drop(state);
        if due {
            let (staff, key) = (self.clone(), format!("token/{name}"));
            tokio::spawn(async move {
                let _turn = staff.0.changing.lock().await;
                // One that was revoked meanwhile stays revoked.
                if staff.state().tokens.values().any(|token| token.sum == kept.sum) {
                    let _ = staff.keep(key, Some(&kept)).await; // only when it was used
                }
            });
        }
        Some(Who {
            name: format!("token:{name}"),
            role: None,
            acts,
            must_change: false,
            address,
            session: None,
        })
    }

    /// Whether they may still do this, for a stream that has been open for long.
    #[must_use]
    pub fn still(&self, who: &Who, act: Act) -> bool {
        let state = self.state();
        match &who.session {
            Some(key) => state.sessions.holds(key, self.now()) && who.may(act),
            None => {
                let name = who.name.strip_prefix("token:").unwrap_or_default();
                state
                    .tokens
                    .get(name)
                    .is_some_and(|token| token.acts.contains(&act))
            }
        }
    }

    /// Ends this session.
    pub async fn sign_out(&self, who: &Who) {
        if let Some(key) = &who.session {
            self.state().sessions.end(key);
            self.tell_ended();
            self.audit(&who.actor(), "session.ended", "", "done").await;
        }
    }

    /// Ends every session of an account. How many there were.
    pub async fn sign_out_everywhere(&self, actor: &Actor, account: &str) -> usize {
        let count = self.state().sessions.end_all(account);
        self.tell_ended();
        self.audit(actor, "session.ended_everywhere", account, "done")
            .await;
        count
    }
}

pub(super) fn busy() -> Problem {
    Problem::slower(2)
}

impl Staff {
    /// Wrong tokens slow their own address down, and nobody else.
    pub(super) fn slowed_address(&self, kind: &str, address: IpAddr) -> Result<(), Problem> {
        self.slowed(&format!("{kind}{address}"), address)
    }

    pub(super) fn wrong_token(&self, kind: &str, address: IpAddr) {
        let now = self.now();
        self.state()
            .slow
            .failed(&format!("{kind}{address}"), address, now);
    }
}
