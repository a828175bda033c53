//! Who the gateway is: HTTP Basic, or OAuth2 with a refresh token that the platform may replace at each use.
//!
//! Access tokens live an hour (vendor: Authentication). Both tokens are in the vault before they are used: a refresh
//! token that was replaced and forgotten is a gateway that is locked out.

use super::WORDS;
use crate::{
    clock::Clock,
    config::model::SpacebringLogin,
    domain::secret::Secret,
    platform::{
        ErrorKind, PlatformError,
        http::Http,
        vault::{Kept, Vault},
    },
};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use tokio::sync::Mutex;

/// An access token is renewed so long before its end, milliseconds.
const EARLY: i64 = 60_000;
/// When the platform does not say how long an access token lives, milliseconds.
const LIFETIME: i64 = 3_600_000;
const ACCESS: &str = "spacebring-access";

/// The login with its tokens.
#[derive(Debug)]
pub(super) struct Login {
    how: SpacebringLogin,
    vault: Vault,
    clock: Clock,
    /// One renewal at a time: a second one would spend the refresh token of the first.
    turn: Mutex<()>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: Option<i64>,
    refresh_token: Option<String>,
}

impl Login {
    pub(super) fn new(how: SpacebringLogin, vault: Vault, clock: Clock) -> Self {
        Self {
            how,
            vault,
            clock,
            turn: Mutex::new(()),
        }
    }

    /// Whether tokens can be renewed.
    pub(super) const fn renews(&self) -> bool {
        matches!(self.how, SpacebringLogin::OAuth { .. })
    }

    /// Says who asks.
    pub(super) async fn sign(
        &self,
        http: &Http,
        request: RequestBuilder,
    ) -> Result<(RequestBuilder, Option<Secret>), PlatformError> {
        match &self.how {
            SpacebringLogin::Basic {
                client_id,
                client_secret,
            } => Ok((request.basic_auth(client_id, Some(client_secret.reveal())), None)),
            SpacebringLogin::OAuth { network, .. } => {
                let token = self.token(http, None).await?;
                let request = request
                    .bearer_auth(token.reveal())
                    .header("spacebring-network-id", network);
                Ok((request, Some(token)))
            }
        }
    }

    /// An access token that is not `refused`, renewed if it must be.
    pub(super) async fn token(&self, http: &Http, refused: Option<&Secret>) -> Result<Secret, PlatformError> {
        let _turn = self.turn.lock().await;
        let now = self.clock.now().at;
        let kept = self.vault.get(ACCESS).filter(|kept| {
            kept.until.is_none_or(|until| until.saturating_sub(EARLY) > now)
                && kept.secret.reveal().starts_with(&self.mark())
        });
        let kept = kept.filter(|kept| Some(&self.unmarked(&kept.secret)) != refused);
        if let Some(kept) = kept {
            return Ok(self.unmarked(&kept.secret));
        }
        let SpacebringLogin::OAuth { refresh_token, .. } = &self.how else {
            return Err(PlatformError::new(
                ErrorKind::Unauthorised,
                "HTTP Basic has no tokens",
            ));
        };
        let name = self.refresh_name();
        let newest = self.vault.get(&name).map(|kept| kept.secret);
        // A person may have put a new one into the configuration's file meanwhile, or it is the first start.
        let mut candidates: Vec<Secret> = newest.into_iter().collect();
        if !candidates.contains(refresh_token) {
            candidates.push(refresh_token.clone());
        }
        let mut refusal = None;
        for candidate in candidates {
            match self.renew(http, &candidate).await {
                Ok(token) => return self.keep(token, now, &name),
                Err(error) if matches!(error.kind, ErrorKind::Rejected { .. } | ErrorKind::Unauthorised) => {
                    refusal = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal
            .unwrap_or_else(|| PlatformError::new(ErrorKind::Unauthorised, "there is no refresh token")))
    }

    async fn renew(&self, http: &Http, refresh: &Secret) -> Result<Token, PlatformError> {
        let SpacebringLogin::OAuth {
            client_id,
            client_secret,
            ..
        } = &self.how
        else {
            return Err(PlatformError::new(
                ErrorKind::Unauthorised,
                "HTTP Basic has no tokens",
            ));
        };
        let what = "renew the access token (POST /oauth2/token)";
        let form = [
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.reveal()),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.reveal()),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = http
            .request(Method::POST, http.url(&["oauth2", "token"])?)
            .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        let answer = http.send(request, what).await?;
        if answer.status().is_success() {
            return http.json(answer, "the answer with the access token").await;
        }
        let mut error = http.refusal(answer, what).await;
        if matches!(error.kind, ErrorKind::Rejected { .. }) {
            let text = format!(
                "{}; the refresh token is spent or was revoked: authorise the gateway again and put the new one into the file that [cloud.spacebring] refresh_token names",
                error.text
            );
            error = PlatformError::new(ErrorKind::Unauthorised, text);
        }
        Err(error)
    }

    fn keep(&self, token: Token, now: i64, name: &str) -> Result<Secret, PlatformError> {
        let kept = |secret: String, until| Kept {
            secret: Secret::new(secret),
            until,
        };
        let lifetime = token
            .expires_in
            .map_or(LIFETIME, |seconds| seconds.saturating_mul(1_000));
        if let Some(refresh) = token.refresh_token.filter(|refresh| !refresh.is_empty()) {
            self.put(name, &kept(refresh, None));
        }
        let marked = format!("{}{}", self.mark(), token.access_token);
        self.put(ACCESS, &kept(marked, Some(now.saturating_add(lifetime))));
        Ok(Secret::new(token.access_token))
    }

    fn put(&self, name: &str, kept: &Kept) {
        if let Err(error) = self.vault.put(name, kept) {
            tracing::warn!(
                %error,
                "a token of Spacebring cannot be kept in the state directory; after a restart the gateway may be locked out: {}",
                WORDS.let_in
            );
        }
    }

    /// Names the refresh token that came from this very configuration: another client or a new token there starts anew.
    fn refresh_name(&self) -> String {
        format!("spacebring-refresh-{}", self.mark().trim_end_matches(':'))
    }

    fn mark(&self) -> String {
        let SpacebringLogin::OAuth {
            client_id,
            refresh_token,
            network,
            ..
        } = &self.how
        else {
            return String::new();
        };
        let mut hasher = SipHasher13::new();
        for part in [client_id.as_str(), refresh_token.reveal(), network.as_str()] {
            hasher.write(part.as_bytes());
            hasher.write_u8(0xFF);
        }
        format!("{:016x}:", hasher.finish())
    }

    fn unmarked(&self, secret: &Secret) -> Secret {
        let text = secret.reveal();
        Secret::new(text.strip_prefix(&self.mark()).unwrap_or(text).to_owned())
    }
}
