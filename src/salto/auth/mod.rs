//! Who the gateway is at SALTO KS: a system user with a password, or somebody's login with a code. Access tokens live an
//! hour; a refresh token is replaced at each use, so it stands in the vault before anything is done with its successor.
//!
//! | file | what |
//! | --- | --- |
//! | `pkce` | RFC 7636 |
//! | `life` | when a token is renewed, pure |
//! | `pending` | logins that are in a browser now |
//! | `identity` | requests to the identity server |

mod identity;
mod life;
mod pending;
mod pkce;

use super::{
    KsError, KsKind,
    client::{Bearer, TokenFuture},
};
use crate::{
    clock::Clock,
    config::model::{KsConfig, KsLogin},
    domain::secret::Secret,
    health::Health,
    platform::vault::{Kept, Vault},
};
use identity::{Given, Grant, Identity};
use life::{Fitness, Life};
use pending::{Begun, Pending};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use url::Url;

/// What an access token lives when KS does not say, seconds.
const LIFETIME: i64 = 3_600;
/// The fault of a login that has ended or never was.
pub const LOGIN_FAULT: &str = "ks_login";

/// Where a browser goes to log in.
#[derive(Clone, Debug)]
pub struct LoginAddress {
    /// The address at SALTO. It holds no secret, and is good for one login within a quarter of an hour.
    pub url: Url,
    /// Where SALTO sends the browser back to.
    pub redirect: Url,
    /// What comes back with it.
    pub state: Secret,
}

/// The tokens of one account. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: Identity,
    login: KsLogin,
    /// Which login the kept tokens belong to: of another client or user they are no use.
    mark: String,
    access_name: String,
    refresh_name: String,
    vault: Vault,
    clock: Clock,
    health: Health,
    /// One renewal at a time: a second one would spend the refresh token that the first has just replaced.
    held: tokio::sync::Mutex<Option<Held>>,
    pending: Mutex<Pending>,
    /// How often somebody has logged in since the start.
    logins: watch::Sender<u64>,
}

#[derive(Clone, Debug)]
struct Held {
    secret: Secret,
    life: Life,
}

impl Tokens {
    /// Prepares them; nothing is sent yet.
    ///
    /// # Errors
    /// `Tls` when the certificates cannot be read.
    pub(super) fn new(
        config: &KsConfig,
        vault: Vault,
        clock: Clock,
        health: Health,
    ) -> Result<Self, KsError> {
        let mark = mark(config);
        Ok(Self(Arc::new(Inner {
            identity: Identity::new(config)?,
            login: config.login.clone(),
            access_name: format!("ks access {mark}"),
            refresh_name: format!("ks refresh {mark}"),
            mark,
            vault,
            clock,
            health,
            held: tokio::sync::Mutex::new(None),
            pending: Mutex::default(),
            logins: watch::Sender::new(0),
        })))
    }

    /// Whether somebody logs in in a browser; else a system user's password is configured.
    #[must_use]
    pub fn by_code(&self) -> bool {
        matches!(self.0.login, KsLogin::Code { .. })
    }

    /// Names the login that this configuration means: what belongs to it is no use to another.
    pub(super) fn mark(&self) -> &str {
        &self.0.mark
    }

    /// Begins a login in a browser. `redirect`: where it should come back to, unless the configuration says.
    ///
    /// # Errors
    /// `Rejected` when a system user is configured, or nobody knows where the browser should come back to.
    pub fn begin(&self, redirect: Option<&Url>) -> Result<LoginAddress, KsError> {
        let KsLogin::Code { redirect_url } = &self.0.login else {
            return Err(KsError::new(
                KsKind::Rejected,
                "a system user is configured, so nobody logs in in a browser; leave out [ks] username and password for that",
            ));
        };
        let redirect = redirect_url.as_ref().or(redirect).cloned().ok_or_else(|| {
            KsError::new(
                KsKind::Rejected,
                "nobody knows where SALTO should send the browser back to; set [ks] redirect_url to the address that is registered there",
            )
        })?;
        let random = || pkce::unguessable().map_err(|words| KsError::new(KsKind::Tls, words));
        let (state, verifier) = (random()?, random()?);
        let url = self
            .0
            .identity
            .authorize(&redirect, &state, &pkce::challenge(&verifier))?;
        self.pending(|pending, now| {
            pending.begin(Begun {
                state: state.clone(),
                verifier,
                redirect: redirect.clone(),
                at: now,
            });
        });
        Ok(LoginAddress { url, redirect, state })
    }

    /// Ends a login with what the browser brought back.
    ///
    /// # Errors
    /// `Unauthorised` for a state that nobody waits for, or a code that SALTO does not redeem.
    pub async fn finish(&self, state: &str, code: &str) -> Result<(), KsError> {
        let begun = self.pending(|pending, now| pending.take(state, now));
        let Some(begun) = begun else {
            return Err(KsError::new(
                KsKind::Unauthorised,
                "this login was not begun here, was used already or took longer than a quarter of an hour; run `doorward ks connect` again",
            ));
        };
        let (tokens, code) = (self.clone(), Secret::new(code.to_owned()));
        // In a task of its own: what SALTO has given must be kept even if whoever asked goes away.
        let task = tokio::spawn(async move {
            let mut held = tokens.0.held.lock().await;
            let grant = Grant::Code {
                code: code.reveal(),
                verifier: &begun.verifier,
                redirect: &begun.redirect,
            };
            *held = Some(tokens.0.ask(grant).await?);
            tokens.0.logins.send_modify(|logins| *logins += 1);
            Ok(())
        });
        joined(task.await)
    }

    /// How often somebody has logged in since the start: whoever waits for that sees it change.
    #[must_use]
    pub fn logins(&self) -> u64 {
        *self.0.logins.borrow()
    }

    /// The same, for whoever goes on once somebody has logged in.
    pub(super) fn watch_logins(&self) -> watch::Receiver<u64> {
        self.0.logins.subscribe()
    }

    /// Forgets the login: the next request needs another.
    pub async fn forget(&self) {
        let mut held = self.0.held.lock().await;
        *held = None;
        self.0.forget().await;
    }

    fn pending<T>(&self, job: impl FnOnce(&mut Pending, std::time::Duration) -> T) -> T {
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        job(&mut pending, self.0.clock.monotonic())
    }

    async fn good(&self, refused: Option<&Secret>) -> Result<Secret, KsError> {
        {
            let mut held = self.0.held.lock().await;
            if held.is_none() {
                *held = self.0.kept().await;
            }
            if let Some(token) = self.0.usable(held.as_ref(), refused, Fitness::Good) {
                return Ok(token);
            }
        }
        let (tokens, refused) = (self.clone(), refused.cloned());
        // In a task of its own, as above: a request that is broken off must not lose the next refresh token.
        let task = tokio::spawn(async move { tokens.0.renewed(refused.as_ref()).await });
        joined(task.await)
    }
}

impl Bearer for Tokens {
    fn token<'a>(&'a self, refused: Option<&'a Secret>) -> TokenFuture<'a> {
        Box::pin(self.good(refused))
    }
}

impl Inner {
    /// The held token, if it is another than the refused one and at least so fit.
    fn usable(&self, held: Option<&Held>, refused: Option<&Secret>, least: Fitness) -> Option<Secret> {
        let held = held.filter(|held| refused != Some(&held.secret))?;
        let fitness = held.life.fitness(self.clock.now(), self.clock.monotonic());
        let fits = fitness == Fitness::Good || (fitness == Fitness::Due && least == Fitness::Due);
        fits.then(|| held.secret.clone())
    }

    async fn renewed(&self, refused: Option<&Secret>) -> Result<Secret, KsError> {
        let mut held = self.held.lock().await;
        // Whoever had the turn before may have renewed it already.
        if let Some(token) = self.usable(held.as_ref(), refused, Fitness::Good) {
            return Ok(token);
        }
        match self.another().await {
            Ok(new) => {
                let token = new.secret.clone();
                *held = Some(new);
                Ok(token)
            }
            Err(error) => {
                let passes = matches!(error.kind, KsKind::Unreachable | KsKind::Throttled { .. });
                let last = self.usable(held.as_ref(), refused, Fitness::Due);
                last.filter(|_| passes).ok_or(error)
            }
        }
    }

    /// Another access token: by the refresh token, else by the password.
    async fn another(&self) -> Result<Held, KsError> {
        let refresh = self.read(&self.refresh_name).await;
        if let Some(refresh) = refresh {
            match self.ask(Grant::Refresh(&refresh.secret)).await {
                // It never works again.
                Err(error) if error.kind == KsKind::Unauthorised => {
                    self.forget().await;
                    if matches!(self.login, KsLogin::Code { .. }) {
                        self.fault(&error);
                        return Err(error);
                    }
                }
                // The client itself: somebody has to look, and the login may still be good.
                Err(error) if error.kind == KsKind::Rejected => {
                    self.fault(&error);
                    return Err(error);
                }
                other => return other,
            }
        }
        let KsLogin::Password { username, password } = &self.login else {
            let error = KsError::new(
                KsKind::Unauthorised,
                "nobody has logged this gateway in at SALTO KS, or the login has ended; run `doorward ks connect`",
            );
            self.fault(&error);
            return Err(error);
        };
        let asked = self.ask(Grant::Password { username, password }).await;
        asked.inspect_err(|error| {
            if matches!(error.kind, KsKind::Unauthorised | KsKind::Rejected) {
                self.fault(error);
            }
        })
    }

    /// Asks, and keeps what is given before it is used.
    async fn ask(&self, grant: Grant<'_>) -> Result<Held, KsError> {
        let asked = self.clock.monotonic();
        let given = self.identity.ask(grant).await?;
        if !given.is_for_connect() {
            let words =
                "the login does not give access to Connect: ask SALTO for the scope user_api.full_access";
            return Err(KsError::new(KsKind::Rejected, words));
        }
        let held = Held {
            life: Life::given(given.expires_in.unwrap_or(LIFETIME), self.clock.now(), asked),
            secret: Secret::new(given.access_token.clone()),
        };
        self.keep(given, &held).await;
        self.health.clear(LOGIN_FAULT);
        Ok(held)
    }

    /// The refresh token first: without it the next start needs somebody to log in.
    async fn keep(&self, given: Given, held: &Held) {
        let (vault, names) = (
            self.vault.clone(),
            (self.refresh_name.clone(), self.access_name.clone()),
        );
        let access = Kept {
            secret: held.secret.clone(),
            until: held.life.until,
        };
        let written = tokio::task::spawn_blocking(move || {
            if let Some(token) = given.refresh_token.filter(|token| !token.is_empty()) {
                let refresh = Kept {
                    secret: Secret::new(token),
                    until: None,
                };
                vault.put(&names.0, &refresh)?;
            }
            vault.put(&names.1, &access)
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!(%error, "the login at SALTO KS cannot be kept; it lasts until the next start");
        }
    }

    async fn kept(&self) -> Option<Held> {
        let kept = self.read(&self.access_name).await?;
        Some(Held {
            secret: kept.secret,
            life: Life::kept(kept.until),
        })
    }

    async fn read(&self, name: &str) -> Option<Kept> {
        let (vault, name) = (self.vault.clone(), name.to_owned());
        tokio::task::spawn_blocking(move || vault.get(&name))
            .await
            .ok()
            .flatten()
    }

    async fn forget(&self) {
        let (vault, names) = (
            self.vault.clone(),
            [self.refresh_name.clone(), self.access_name.clone()],
        );
        let forgotten =
            tokio::task::spawn_blocking(move || names.iter().try_for_each(|name| vault.forget(name)));
        if let Ok(Err(error)) = forgotten.await {
            tracing::warn!(%error, "a token that is no use any more stays on disk");
        }
    }

    fn fault(&self, error: &KsError) {
        self.health
            .raise(LOGIN_FAULT, error.text.clone(), self.clock.now().at);
    }
}

/// Names whose tokens these are: another client, user or server starts anew.
fn mark(config: &KsConfig) -> String {
    use std::hash::Hasher;
    let user = match &config.login {
        KsLogin::Code { .. } => "",
        KsLogin::Password { username, .. } => username,
    };
    let mut hasher = siphasher::sip::SipHasher13::new();
    for part in [config.identity_url.as_str(), &config.client_id, user] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xFF);
    }
    format!("{:016x}", hasher.finish())
}

fn joined<T>(ended: Result<Result<T, KsError>, tokio::task::JoinError>) -> Result<T, KsError> {
    ended.unwrap_or_else(|_| Err(KsError::new(KsKind::Unreachable, "the login was broken off")))
}
