//! Tokens by client credentials (facts: platforms.md 4.1). A token is kept in the vault until shortly before its end:
//! the token endpoint takes five requests a minute. Each purpose has a token of its own, because asking for one scope
//! that is not granted fails the whole call: a site that writes no cards still reads.

use super::client::Client;
use crate::{
    domain::{Millis, secret::Secret},
    platform::{ErrorKind, PlatformError, vault::Kept},
};
use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use std::time::Duration;
use url::form_urlencoded;

/// Before its end, a token is not used any more.
const MARGIN_MS: Millis = 120_000;
/// What a token lasts when the answer does not say (facts: platforms.md 4.1).
const USUAL_SECONDS: i64 = 3_600;
/// The wait after a 429 without `Retry-After`: the limit is counted by the minute.
const MINUTE: Duration = Duration::from_secs(60);
/// Where scopes are granted.
pub(super) const WHERE: &str = "in OfficeRnD under Settings > Data & Extensibility > Developer Tools > Applications, in the gateway's application";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Everything that facts need.
    Read,
    /// Posting check-ins.
    CheckIns,
    /// Writing card numbers.
    Cards,
    /// Setting up web hooks.
    Hooks,
}

impl Purpose {
    /// The scopes to ask for, and to grant.
    pub(super) const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Read => &[
                "flex.community.members.read",
                "flex.community.companies.read",
                "flex.community.memberships.read",
                "flex.community.visitors.read",
                "flex.community.checkins.read",
                "flex.space.bookings.read",
                "flex.space.resources.read",
                "flex.space.assignments.read",
                "flex.space.floors.read",
                "flex.space.locations.read",
                "flex.space.passes.read",
                "flex.billing.plans.read",
            ],
            Self::CheckIns => &["flex.community.checkins.create"],
            Self::Cards => &["flex.community.members.update"],
            Self::Hooks => &["flex.settings.webhooks.read", "flex.settings.webhooks.create"],
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::CheckIns => "check-ins",
            Self::Cards => "cards",
            Self::Hooks => "hooks",
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: String,
}

impl Client {
    fn kept_as(&self, purpose: Purpose) -> String {
        let config = self.config();
        format!(
            "officernd:{}:{}:{}",
            config.organization,
            config.client_id,
            purpose.word()
        )
    }

    /// A token for a purpose: the one in memory, the one on disk, or a new one. Callers at the same time wait for one
    /// and the same.
    pub(super) async fn token(&self, purpose: Purpose) -> Result<Secret, PlatformError> {
        let mut held = self.slot(purpose).lock().await;
        let name = self.kept_as(purpose);
        if held.is_none() {
            *held = self.around().vault.get(&name);
        }
        let now = self.around().clock.now().at;
        let lasts = |kept: &Kept| {
            kept.until
                .is_some_and(|until| until.saturating_sub(MARGIN_MS) > now)
        };
        if let Some(kept) = held.as_ref().filter(|kept| lasts(kept)) {
            return Ok(kept.secret.clone());
        }
        let fresh = self.ask(purpose).await?;
        if let Err(error) = self.around().vault.put(&name, &fresh) {
            // It works until the next start.
            tracing::warn!(%error, "a token of OfficeRnD cannot be kept on disk");
        }
        let secret = fresh.secret.clone();
        *held = Some(fresh);
        Ok(secret)
    }

    /// The platform did not accept this token: it is used no more. One that another caller fetched meanwhile stays.
    pub(super) async fn disown(&self, purpose: Purpose, token: &Secret) {
        let mut held = self.slot(purpose).lock().await;
        if held.as_ref().is_some_and(|kept| kept.secret == *token) {
            *held = None;
            let _ = self.around().vault.forget(&self.kept_as(purpose)); // a token that is no use does no harm on disk
        }
    }

    async fn ask(&self, purpose: Purpose) -> Result<Kept, PlatformError> {
        self.open()?;
        self.budget().take(&["tokens"]).await;
        let identity = self.identity();
        let config = self.config();
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &config.client_id)
            .append_pair("client_secret", config.client_secret.reveal())
            .append_pair("scope", &purpose.scopes().join(" "))
            .finish();
        let asked_at = self.around().clock.now().at;
        let request = identity
            .request(Method::POST, identity.url(&["oauth", "token"])?)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let what = "get a token (POST /oauth/token)";
        let answer = identity.send(request, what).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED => {}
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let refused: Refused = identity.json(answer, "the refusal").await.unwrap_or_default();
                return Err(no_token(identity.place(), purpose, &refused.error));
            }
            _ => {
                let error = identity.refusal(answer, what).await;
                if let ErrorKind::Throttled { retry_after } = error.kind {
                    self.budget().throttled("tokens", retry_after.unwrap_or(MINUTE));
                }
                return Err(error);
            }
        }
        let granted: Granted = identity.json(answer, "the token").await?;
        let lasts = granted.expires_in.unwrap_or(USUAL_SECONDS).clamp(0, 30 * 86_400);
        Ok(Kept {
            secret: Secret::new(granted.access_token),
            until: Some(asked_at.saturating_add(lasts * 1_000)),
        })
    }
}

fn no_token(place: &str, purpose: Purpose, error: &str) -> PlatformError {
    let text = if error == "invalid_scope" {
        format!(
            "{place} gives this gateway no token, because one of these scopes is not granted: {}; grant all of them {WHERE}",
            purpose.scopes().join(", ")
        )
    } else {
        format!(
            "{place} does not accept the client of this gateway; check [cloud.officernd] client_id and client_secret against those {WHERE}"
        )
    };
    PlatformError::new(ErrorKind::Unauthorised, text)
}
