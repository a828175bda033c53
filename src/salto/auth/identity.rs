//! SALTO's identity server: where tokens are asked for, and what it means when there are none.

use crate::{
    config::model::KsConfig,
    domain::secret::Secret,
    platform::http::{Http, Words},
    salto::{KsError, KsKind, client::of_platform},
};
use reqwest::{Method, Response, StatusCode, header};
use serde::Deserialize;
use url::{Url, form_urlencoded::Serializer};

/// What the gateway asks for: KS has one coarse scope for the whole of Connect.
pub(super) const SCOPE: &str = "user_api.full_access";
/// The same where somebody logs in: a refresh token comes only with `offline_access` (OpenID Connect Core, section 11).
pub(super) const SCOPE_OF_LOGIN: &str = "openid profile offline_access user_api.full_access";
/// Of a refusal.
const MOST_BYTES: usize = 64 << 10;

const WORDS: Words = Words {
    accept: "application/json",
    contract: "an identity server (RFC 6749)",
    compare: "check [ks] identity_url",
    credential: "the client",
    let_in: "check [ks] client_id and client_secret",
    address: "[ks] identity_url",
};

/// What the identity server gives (RFC 6749, section 5.1).
#[derive(Deserialize)]
pub(super) struct Given {
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) expires_in: Option<i64>,
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

impl Given {
    /// Whether the token is for Connect at all. A server that does not say gave what was asked for (RFC 6749, section 5.1).
    pub(super) fn is_for_connect(&self) -> bool {
        let named = |scope: &str| scope.split_whitespace().any(|one| one == SCOPE);
        self.scope.as_deref().is_none_or(named)
    }
}

#[derive(Default, Deserialize)]
struct No {
    #[serde(default)]
    error: String,
}

/// What is shown for a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grant<'a> {
    /// A system user's password.
    Password { username: &'a str, password: &'a Secret },
    /// What the browser brought back.
    Code {
        code: &'a str,
        verifier: &'a Secret,
        redirect: &'a Url,
    },
    /// The refresh token.
    Refresh(&'a Secret),
}

impl Grant<'_> {
    fn fields(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Password { username, password } => vec![
                ("grant_type", "password"),
                ("username", username),
                ("password", password.reveal()),
                ("scope", SCOPE),
            ],
            Self::Code {
                code,
                verifier,
                redirect,
            } => vec![
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect.as_str()),
                ("code_verifier", verifier.reveal()),
            ],
            Self::Refresh(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token.reveal())],
        }
    }

    const fn what(&self) -> &'static str {
        match self {
            Self::Password { .. } => "log in as the system user",
            Self::Code { .. } => "redeem the login",
            Self::Refresh(_) => "renew its login",
        }
    }

    /// What to do when exactly this is not accepted.
    const fn next(&self) -> &'static str {
        match self {
            Self::Password { .. } => {
                "check [ks] username and password, and that the user accepted its invitation and needs no second factor"
            }
            Self::Code { .. } => {
                "the login took too long or was used already: run `doorward ks connect` again"
            }
            Self::Refresh(_) => "the login has ended: run `doorward ks connect`",
        }
    }
}

/// The connection to it.
#[derive(Debug)]
pub(super) struct Identity {
    http: Http,
    client_id: String,
    client_secret: Secret,
}

impl Identity {
    pub(super) fn new(config: &KsConfig) -> Result<Self, KsError> {
        let http =
            Http::new(&config.identity_url, &config.reach, WORDS).map_err(|error| of_platform(&error))?;
        Ok(Self {
            http,
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
        })
    }

    /// Where the browser goes (RFC 6749, section 4.1.1, with RFC 7636, section 4.3).
    pub(super) fn authorize(&self, redirect: &Url, state: &Secret, challenge: &str) -> Result<Url, KsError> {
        let mut url = self
            .http
            .url(&["connect", "authorize"])
            .map_err(|error| of_platform(&error))?;
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", redirect.as_str()),
            ("scope", SCOPE_OF_LOGIN),
            ("state", state.reveal()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url)
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// `Unauthorised` when exactly this grant is refused, and never works again; `Rejected` for what only a person can
    /// mend (client, scope); `Unreachable` for everything that may pass.
    pub(super) async fn ask(&self, grant: Grant<'_>) -> Result<Given, KsError> {
        let what = grant.what();
        let body = Serializer::new(String::new())
            .extend_pairs(grant.fields())
            .finish();
        let url = self
            .http
            .url(&["connect", "token"])
            .map_err(|error| of_platform(&error))?;
        let request = self
            .http
            .request(Method::POST, url)
            .basic_auth(&self.client_id, Some(self.client_secret.reveal()))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        let answer = self
            .http
            .send(request, what)
            .await
            .map_err(|error| of_platform(&error))?;
        if answer.status().is_success() {
            let given = self.http.json(answer, "the answer with the token").await;
            return given.map_err(|error| of_platform(&error));
        }
        Err(self.refusal(answer, &grant).await)
    }

    async fn refusal(&self, answer: Response, grant: &Grant<'_>) -> KsError {
        let (status, place, what) = (answer.status(), self.http.place().to_owned(), grant.what());
        if status == StatusCode::TOO_MANY_REQUESTS || !status.is_client_error() {
            return of_platform(&self.http.refusal(answer, what).await);
        }
        let body = self.http.body(answer, what, MOST_BYTES).await.unwrap_or_default();
        let no: No = serde_json::from_slice(&body).unwrap_or_default();
        let (kind, next) = meaning(&no.error, grant);
        let said = match no.error.as_str() {
            "" => format!("status {}", status.as_u16()),
            // Only RFC 6749's own words: whatever else stands there might repeat what was sent.
            word if word.len() <= 40 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                format!("\"{word}\"")
            }
            _ => format!("an error of its own, status {}", status.as_u16()),
        };
        KsError {
            status: Some(status.as_u16()),
            ..KsError::new(
                kind,
                format!("{place} answered {said}, so this gateway could not {what}; {next}"),
            )
        }
    }
}

/// What a refusal means (RFC 6749, section 5.2), and what to do.
fn meaning(error: &str, grant: &Grant<'_>) -> (KsKind, &'static str) {
    match error {
        "invalid_grant" => (KsKind::Unauthorised, grant.next()),
        "invalid_client" => (KsKind::Rejected, "check [ks] client_id and client_secret"),
        "invalid_scope" => (
            KsKind::Rejected,
            "the client may not use Connect: ask SALTO for the scope user_api.full_access",
        ),
        "unauthorized_client" | "unsupported_grant_type" => match grant {
            Grant::Password { .. } => (
                KsKind::Rejected,
                "SALTO has not granted this client a system user: leave out [ks] username and password, and log in with `doorward ks connect`",
            ),
            _ => (
                KsKind::Rejected,
                "ask SALTO to allow this client to log people in with a code and to renew that",
            ),
        },
        // Not an answer of an identity server: one that is being repaired, or another address. The grant may be good.
        "" => (
            KsKind::Unreachable,
            "it tries again by itself; if that goes on, check [ks] identity_url",
        ),
        _ => (
            KsKind::Rejected,
            "check [ks], and ask SALTO what the client may do",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_grant_ends_a_login() {
        let token = Secret::new("r".into());
        let refresh = Grant::Refresh(&token);
        let kind = |error| meaning(error, &refresh).0;
        assert_eq!(kind("invalid_grant"), KsKind::Unauthorised);
        assert_eq!(kind("invalid_client"), KsKind::Rejected);
        assert_eq!(kind(""), KsKind::Unreachable, "a page of a proxy is no refusal");
    }

    #[test]
    fn a_scope_that_is_not_named_is_the_one_asked_for() {
        let given = |text| serde_json::from_str::<Given>(text).unwrap().is_for_connect();
        assert!(given(r#"{"access_token":"a"}"#));
        assert!(given(
            r#"{"access_token":"a","scope":"openid user_api.full_access"}"#
        ));
        assert!(!given(r#"{"access_token":"a","scope":"openid profile"}"#));
    }
}
