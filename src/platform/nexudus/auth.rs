//! The gateway's login: an access token for seven days, a refresh token for fifteen that each use replaces
//! (facts: platforms.md 3.1). Both are kept, so that a restart costs no login.

use crate::{
    clock::Clock,
    domain::{Millis, secret::Secret},
    platform::{
        ErrorKind, PlatformError,
        budget::Budget,
        http::Http,
        vault::{Kept, Vault},
    },
};
use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

/// Names in the vault.
const ACCESS: &str = "nexudus access";
const REFRESH: &str = "nexudus refresh";
/// A token that ends this soon is renewed now: an hour.
const MARGIN: Millis = 3_600_000;
/// How long a refresh token lasts: fifteen days.
const REFRESH_LASTS: Millis = 15 * 86_400_000;
/// One refresh token is kept for each client (facts: platforms.md 3.1).
const CLIENT: &str = "doorward";

/// Who the gateway is, and what shows it.
#[derive(Debug)]
pub(super) struct Login {
    user: String,
    password: Secret,
    vault: Vault,
    clock: Clock,
    held: Mutex<Option<Kept>>,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: Option<i64>,
    refresh_token: Option<String>,
}

impl Login {
    pub(super) fn new(user: String, password: Secret, vault: Vault, clock: Clock) -> Self {
        Self {
            user,
            password,
            vault,
            clock,
            held: Mutex::new(None),
        }
    }

    /// A token that should work. `refused` is the one that just did not.
    pub(super) async fn token(
        &self,
        http: &Http,
        budget: &Budget,
        refused: Option<&Secret>,
    ) -> Result<Secret, PlatformError> {
        let mut held = self.held.lock().await;
        if held.is_none() {
            *held = self.vault.get(ACCESS);
        }
        if let Some(kept) = held.as_ref()
            && refused != Some(&kept.secret)
            && self.lasts(kept, MARGIN)
        {
            return Ok(kept.secret.clone());
        }
        let given = match self.vault.get(REFRESH).filter(|kept| self.lasts(kept, 0)) {
            None => self.by_password(http, budget).await?,
            Some(kept) => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", kept.secret.reveal()),
                ];
                match ask(http, budget, &fields).await {
                    Ok(given) => given,
                    // Used, replaced or revoked: it never works again.
                    Err(error) if error.kind == ErrorKind::Unauthorised => {
                        self.forget();
                        self.by_password(http, budget).await?
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        let kept = self.keep(given).await;
        *held = Some(kept.clone());
        Ok(kept.secret)
    }

    async fn by_password(&self, http: &Http, budget: &Budget) -> Result<Given, PlatformError> {
        let fields = [
            ("grant_type", "password"),
            ("username", self.user.as_str()),
            ("password", self.password.reveal()),
        ];
        ask(http, budget, &fields).await
    }

    fn lasts(&self, kept: &Kept, margin: Millis) -> bool {
        let now = self.clock.now();
        // A clock that guesses says nothing about an end: the platform will.
        !now.trusted
            || kept
                .until
                .is_none_or(|until| now.at.saturating_add(margin) < until)
    }

    fn forget(&self) {
        for name in [ACCESS, REFRESH] {
            if let Err(error) = self.vault.forget(name) {
                tracing::warn!(%error, "a token that is no use any more stays on disk");
            }
        }
    }

    /// Keeps both, the refresh token first: without it the next start needs the password.
    async fn keep(&self, given: Given) -> Kept {
        let now = self.clock.now();
        let until = |lasts: Millis| now.trusted.then(|| now.at.saturating_add(lasts));
        let access = Kept {
            secret: Secret::new(given.access_token),
            until: given
                .expires_in
                .and_then(|seconds| until(seconds.saturating_mul(1_000))),
        };
        let refresh = given.refresh_token.map(|token| Kept {
            secret: Secret::new(token),
            until: until(REFRESH_LASTS),
        });
        let (vault, kept) = (self.vault.clone(), access.clone());
        let written = tokio::task::spawn_blocking(move || {
            if let Some(refresh) = refresh {
                vault.put(REFRESH, &refresh)?;
            }
            vault.put(ACCESS, &kept)
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!(%error, "the login at Nexudus cannot be kept; it lasts until the next start");
        }
        access
    }
}

/// One request for a token.
async fn ask(http: &Http, budget: &Budget, fields: &[(&str, &str)]) -> Result<Given, PlatformError> {
    let what = "log in";
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    budget.take(&[super::api::REQUESTS]).await;
    let request = http
        .request(Method::POST, http.url(&["api", "token"])?)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("client_id", CLIENT)
        .body(body);
    let answer = http.send(request, what).await?;
    match answer.status() {
        StatusCode::OK => http.json(answer, "the answer to the login").await,
        StatusCode::CONFLICT => Err(super::api::throttled(http, budget, &answer, what)),
        // OAuth2 refuses a grant with 400 (RFC 6749, section 5.2).
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let text = format!(
                "{} does not accept the gateway's user and password, so this gateway could not log in; check [cloud.nexudus] user and password there, that the user may use the API, and that two-factor login is off for it",
                http.place()
            );
            Err(PlatformError::new(ErrorKind::Unauthorised, text))
        }
        _ => Err(http.refusal(answer, what).await),
    }
}
