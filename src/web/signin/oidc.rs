//! Signing in by the space's own identity provider: OpenID Connect, authorization code with PKCE and a nonce. The role comes
//! from the groups that the provider names; who is in none that has one is not let in. No account is kept here.

use super::{
    Caller,
    role::Role,
    staff::{SignedIn, Staff},
    who::Actor,
};
use crate::{
    config::model::OidcConfig,
    domain::say::page as say,
    platform::http::tls,
    web::{api::Gateway, problem::Problem},
};
use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    AccessToken, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl,
    Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use url::Url;

/// Where the provider sends the browser back to.
pub(super) const CALLBACK: &str = "/signin/oidc/callback";
/// Somebody has so long to sign in there.
const PATIENCE: Duration = Duration::from_secs(600);
/// Sign-ins under way.
const UNDER_WAY: usize = 64;
/// What the provider says about itself is asked for again after so long.
const KNOWN: Duration = Duration::from_secs(600);
/// For one request to the provider.
const REQUEST: Duration = Duration::from_secs(10);
/// The largest answer of a provider.
const LARGEST: usize = 1 << 20;

/// A sign-in that has begun.
struct Begun {
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    at: Duration,
}

#[derive(Default)]
struct Memory {
    begun: HashMap<String, Begun>,
    /// What the provider says about itself, when it was asked, and of which issuer that is.
    provider: Option<(Duration, CoreProviderMetadata, String)>,
}

/// The way over the provider.
#[derive(Clone)]
pub(super) struct Oidc {
    staff: Staff,
    gateway: Arc<dyn Gateway>,
    memory: Arc<Mutex<Memory>>,
}

/// Why a request to the provider did not go.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unreachable(String);

impl Oidc {
    pub(super) fn new(staff: &Staff, gateway: Arc<dyn Gateway>) -> Self {
        Self {
            staff: staff.clone(),
            gateway,
            memory: Arc::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration of the time, with where browsers come back to.
    fn config(&self) -> Option<(OidcConfig, Url)> {
        let config = self.gateway.config();
        let page = config.page.as_ref()?;
        let back = page.public_url.as_ref()?.join(CALLBACK).ok()?;
        Some((page.oidc.clone()?, back))
    }

    /// Whether there is a provider.
    pub(super) fn is_configured(&self) -> bool {
        self.config().is_some()
    }

    /// Where to send the browser, and the state that is to come back with it.
    pub(super) async fn begin(&self) -> Result<(Url, String), Problem> {
        let (config, back) = self.config().ok_or_else(none)?;
        let provider = self.provider(&config).await?;
        let client = CoreClient::from_provider_metadata(
            provider,
            ClientId::new(config.client_id.clone()),
            secret(&config),
        )
        .set_redirect_uri(RedirectUrl::from_url(back));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        );
        for scope in &config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        let at = self.staff.now();
        let mut memory = self.memory();
        memory
            .begun
            .retain(|_, begun| at.saturating_sub(begun.at) < PATIENCE);
        if memory.begun.len() >= UNDER_WAY {
            return Err(Problem::slower(60));
        }
        let begun = Begun { nonce, verifier, at };
        memory.begun.insert(state.secret().clone(), begun);
        Ok((url, state.into_secret()))
    }

    /// The browser is back, with a code and with the state that its cookie has as well.
    pub(super) async fn finish(
        &self,
        code: String,
        state: &str,
        caller: &Caller,
    ) -> Result<SignedIn, Problem> {
        let (config, back) = self.config().ok_or_else(none)?;
        let now = self.staff.now();
        let begun = self.memory().begun.remove(state);
        let begun = begun.filter(|begun| now.saturating_sub(begun.at) < PATIENCE);
        let begun = begun.ok_or_else(|| Problem::forbidden(say::login_too_late()))?;
        let claims = self.claims(&config, back, code, begun).await?;
        let name = format!("oidc:{}", name(&claims));
        let Some(role) = role(&config, &claims) else {
            let actor = Actor::stranger(&name, caller.address);
            self.staff.audit(&actor, "session.begun", "", "no role").await;
            return Err(Problem::forbidden(say::login_without_role()));
        };
        self.staff.begin(&name, role, caller.address).await
    }

    /// What the provider says about whoever signed in, once everything that it says has been checked.
    async fn claims(
        &self,
        config: &OidcConfig,
        back: Url,
        code: String,
        begun: Begun,
    ) -> Result<Value, Problem> {
        let provider = self.provider(config).await?;
        let userinfo = provider.userinfo_endpoint().map(|at| at.url().clone());
        let client = CoreClient::from_provider_metadata(
            provider,
            ClientId::new(config.client_id.clone()),
            secret(config),
        )
        .set_redirect_uri(RedirectUrl::from_url(back));
        let http = http(config)?;
        let send = |request| exchange(http.clone(), request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| refused(&error))?
            .set_pkce_verifier(begun.verifier)
            .request_async(&send)
            .await
            .map_err(|error| refused(&error))?;
        let token = answer.id_token().ok_or_else(|| refused(&"it sent no ID token"))?;
        let checked = token
            .claims(&client.id_token_verifier(), &begun.nonce)
            .map_err(|error| {
                // Its keys may be others by now: the next attempt asks for them.
                self.memory().provider = None;
                refused(&error)
            })?;
        let subject = checked.subject().to_string();
        // The signature holds: what the library does not know of it is read here.
        let mut claims = payload(&token.to_string()).ok_or_else(|| refused(&"its ID token is no JSON"))?;
        if claims.get(&config.claim).is_none()
            && let Some(at) = userinfo
        {
            self.add_userinfo(&http, at, answer.access_token(), &subject, &mut claims)
                .await?;
        }
        Ok(claims)
    }

    /// Some providers name groups only where one asks with the access token (OpenID Connect Core, 5.3).
    async fn add_userinfo(
        &self,
        http: &reqwest::Client,
        at: Url,
        token: &AccessToken,
        subject: &str,
        claims: &mut Value,
    ) -> Result<(), Problem> {
        let answer = http.get(at).bearer_auth(token.secret()).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        let more: Value = answer
            .map_err(|error| refused(&error.without_url()))?
            .json()
            .await
            .map_err(|error| refused(&error.without_url()))?;
        // 5.3.2: an answer about somebody else must not be used.
        if more.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(refused(&"its user information is about somebody else"));
        }
        if let (Some(all), Some(more)) = (claims.as_object_mut(), more.as_object()) {
            for (key, value) in more {
                all.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(())
    }

    async fn provider(&self, config: &OidcConfig) -> Result<CoreProviderMetadata, Problem> {
        let now = self.staff.now();
        if let Some((at, known, issuer)) = &self.memory().provider
            && now.saturating_sub(*at) < KNOWN
            && *issuer == config.issuer
        {
            return Ok(known.clone());
        }
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|error| refused(&error))?;
        let http = http(config)?;
        let send = |request| exchange(http.clone(), request);
        let found = CoreProviderMetadata::discover_async(issuer, &send)
            .await
            .map_err(|error| refused(&error))?;
        self.memory().provider = Some((now, found.clone(), config.issuer.clone()));
        Ok(found)
    }
}

fn none() -> Problem {
    Problem::missing(say::login_none())
}

/// For whoever tries it a few words; the cause is in the log.
fn refused(cause: &dyn std::fmt::Display) -> Problem {
    tracing::warn!(%cause, "signing in by the identity provider failed");
    Problem::new(
        StatusCode::BAD_GATEWAY,
        "provider",
        "not signed in",
        say::login_failed(),
    )
}

fn secret(config: &OidcConfig) -> Option<ClientSecret> {
    let secret = config.client_secret.as_ref()?;
    Some(ClientSecret::new(secret.reveal().to_owned()))
}

fn http(config: &OidcConfig) -> Result<reqwest::Client, Problem> {
    let tls = if config.issuer.starts_with("https:") {
        tls::client(config.ca_file.as_deref(), "[page.oidc] issuer")
    } else {
        tls::none() // this machine itself: the configuration takes no other
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.map_err(|error| refused(&error))?)
        .timeout(REQUEST)
        // A redirect could carry the secret elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| refused(&error))
}

async fn exchange(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, Unreachable> {
    let failed = |error: reqwest::Error| Unreachable(error.without_url().to_string());
    let request = reqwest::Request::try_from(request).map_err(failed)?;
    let mut answer = http.execute(request).await.map_err(failed)?;
    let mut out = axum::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        out = out.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(Unreachable("the answer is too large".into()));
        }
    }
    out.body(body).map_err(|error| Unreachable(error.to_string()))
}

/// The middle part of a token whose signature was checked.
fn payload(token: &str) -> Option<Value> {
    let part = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// How the trail calls them: an address that the provider vouches for, or the name that it has, or its own id.
fn name(claims: &Value) -> String {
    let text = |key: &str| {
        claims
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let vouched = claims.get("email_verified") == Some(&Value::Bool(true));
    let found = text("email")
        .filter(|_| vouched)
        // Whoever chooses what they are called may choose somebody else's address.
        .or_else(|| text("preferred_username").filter(|name| !name.contains('@')));
    let found = found.or_else(|| text("sub")).unwrap_or("unknown");
    found.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// The highest role that one of the groups has.
fn role(config: &OidcConfig, claims: &Value) -> Option<Role> {
    let groups: Vec<&str> = match claims.get(&config.claim)? {
        Value::String(one) => vec![one.as_str()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let roles = groups.into_iter().filter_map(|group| config.roles.get(group));
    roles.filter_map(|role| Role::from_name(role)).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_highest_role_of_the_groups_counts_and_none_lets_nobody_in() {
        let pairs = [("Desk", "desk"), ("Bosses", "manager")];
        let config = OidcConfig {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            scopes: Vec::new(),
            claim: "groups".into(),
            roles: pairs
                .map(|(group, role)| (group.to_owned(), role.to_owned()))
                .into(),
            ca_file: None,
        };
        let of = |groups: Value| role(&config, &json!({ "groups": groups }));
        assert_eq!(of(json!(["Desk", "Bosses", "x"])), Some(Role::Manager));
        assert_eq!(of(json!("Desk")), Some(Role::Desk));
        for none in [json!(["desk"]), json!([]), json!(7), Value::Null] {
            assert_eq!(of(none), None);
        }
        assert_eq!(
            name(&json!({ "email": "a@b", "sub": "7" })),
            "7",
            "nobody vouches for that address"
        );
        assert_eq!(
            name(&json!({ "email": "a@b", "email_verified": true, "sub": "7" })),
            "a@b"
        );
    }
}
