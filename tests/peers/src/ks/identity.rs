//! `/connect/token` and `/connect/authorize`: tokens for an hour, refresh tokens for one use, codes with PKCE.

use super::{
    reply::{Reply, Request},
    state::State,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The client that it knows.
pub const CLIENT: &str = "doorward-ks";
/// That client's secret.
pub const CLIENT_SECRET: &str = "ks-client-test-secret";
/// Who signs in: a user of KS with the role of a site administrator.
pub const USERNAME: &str = "gateway@example.org";
/// That user's password.
pub const PASSWORD: &str = "ks-user-test-password";
/// How long a token lasts, seconds.
pub const LASTS: i64 = 3_600;
/// How long a code lasts, seconds.
const CODE_LASTS: i64 = 300;
/// What a Connect client may ask for; everything else is `invalid_scope`.
const SCOPES: &[&str] = &["user_api.full_access", "openid", "profile", "offline_access"];

/// Tokens and codes that are about.
#[derive(Debug, Default)]
pub struct Identity {
    /// Access tokens and until when, Unix seconds.
    pub tokens: BTreeMap<String, i64>,
    /// Refresh tokens and their scopes.
    pub refresh: BTreeMap<String, String>,
    codes: BTreeMap<String, Code>,
    made: u64,
}

#[derive(Debug)]
struct Code {
    redirect: String,
    challenge: String,
    scope: String,
    until: i64,
}

pub(super) fn answer(state: &mut State, request: &Request) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        _ if state.faults.identity_away => Reply::empty(404),
        ("POST", "/connect/token") => token(state, request),
        ("GET", "/connect/authorize") => authorize(state, request, None),
        ("POST", "/connect/authorize") => authorize(state, request, Some(request.form())),
        (_, "/connect/token" | "/connect/authorize") => Reply::empty(405),
        _ => Reply::empty(404),
    }
}

fn refused(error: &str, description: &str) -> Reply {
    let mut body = json!({"error": error});
    if let (false, Some(fields)) = (description.is_empty(), body.as_object_mut()) {
        fields.insert("error_description".into(), json!(description));
    }
    Reply::json(400, &body)
}

fn token(state: &mut State, request: &Request) -> Reply {
    let now = state.now() / 1_000;
    if !request.is_form {
        return refused("invalid_request", "");
    }
    if client(request).as_deref() != Some(&format!("{CLIENT}:{CLIENT_SECRET}")) || state.faults.client_revoked
    {
        return refused("invalid_client", "");
    }
    let form: BTreeMap<String, String> = request.form().into_iter().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let scope = match field("grant_type") {
        "password" => {
            if let Some(refusal) = scope_refused(field("scope")) {
                return refusal;
            }
            if (field("username"), field("password")) != (USERNAME, PASSWORD) {
                return refused("invalid_grant", "invalid_username_or_password");
            }
            field("scope").to_owned()
        }
        "authorization_code" => {
            let Some(code) = state.identity.codes.remove(field("code")) else {
                return refused("invalid_grant", "");
            };
            let verifier = field("code_verifier");
            let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
            if code.until <= now
                || code.redirect != field("redirect_uri")
                || challenge != code.challenge
                || !(43..=128).contains(&verifier.len())
            {
                return refused("invalid_grant", "");
            }
            code.scope
        }
        // A refresh token is good for one use.
        "refresh_token" => match state.identity.refresh.remove(field("refresh_token")) {
            Some(scope) => scope,
            None => return refused("invalid_grant", ""),
        },
        _ => return refused("unsupported_grant_type", ""),
    };
    Reply::ok(&give(state, now, &scope)).with("cache-control", "no-store")
}

fn scope_refused(scope: &str) -> Option<Reply> {
    let mut scopes = scope.split_whitespace();
    let known = scopes.clone().all(|scope| SCOPES.contains(&scope));
    let enough = scopes.any(|scope| scope == "user_api.full_access");
    (!known || !enough).then(|| refused("invalid_scope", ""))
}

fn client(request: &Request) -> Option<String> {
    let basic = request.authorization.as_deref()?.strip_prefix("Basic ")?;
    String::from_utf8(STANDARD.decode(basic).ok()?).ok()
}

/// A token that looks like the real one: a JWT of the kind `at+jwt`, whose signature nobody here can check.
fn give(state: &mut State, now: i64, scope: &str) -> Value {
    state.identity.made += 1;
    let made = state.identity.made;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({"alg": "RS256", "typ": "at+jwt", "kid": "simulated"}));
    let body = part(&json!({
        "iss": "https://identity.example.org", "aud": "user_api", "client_id": CLIENT, "sub": "5d3b8a1e-identity",
        "iat": now, "exp": now + LASTS, "jti": made, "scope": scope.split(' ').collect::<Vec<_>>(),
    }));
    let sign = URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("{made} of the simulator").as_bytes()));
    let token = format!("{head}.{body}.{sign}");
    state.identity.tokens.insert(token.clone(), now + LASTS);
    let mut answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": LASTS, "scope": scope,
    });
    if let (true, Some(fields)) = (scope.contains("offline_access"), answer.as_object_mut()) {
        let refresh = format!("refresh-{made}-{}", state.set_by.unsigned_abs());
        state.identity.refresh.insert(refresh.clone(), scope.to_owned());
        fields.insert("refresh_token".into(), json!(refresh));
    }
    answer
}

impl State {
    /// Whether a token is good now.
    #[must_use]
    pub fn token_is_good(&self, token: &str) -> bool {
        let until = self.identity.tokens.get(token);
        until.is_some_and(|until| *until > self.now() / 1_000)
    }
}

/// The page where somebody signs in, and what comes of it: back to the client with a code.
fn authorize(state: &mut State, request: &Request, form: Option<Vec<(String, String)>>) -> Reply {
    let ask = |name: &str| request.parameter(name).unwrap_or_default();
    let redirect = ask("redirect_uri");
    if ask("client_id") != CLIENT || state.faults.client_revoked || !redirect.starts_with("http") {
        return page(400, "<h1>unauthorized_client</h1>");
    }
    let back = |more: &[(&str, &str)]| {
        let mut pairs: Vec<String> = more
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        if let Some(state) = request.parameter("state") {
            pairs.push(format!("state={}", encoded(&state)));
        }
        let mark = if redirect.contains('?') { '&' } else { '?' };
        Reply::empty(302).with("location", &format!("{redirect}{mark}{}", pairs.join("&")))
    };
    if ask("response_type") != "code" {
        return back(&[("error", "unsupported_response_type")]);
    }
    if ask("code_challenge").is_empty() || ask("code_challenge_method") != "S256" {
        return back(&[
            ("error", "invalid_request"),
            ("error_description", "code challenge required"),
        ]);
    }
    if scope_refused(&ask("scope")).is_some() {
        return back(&[("error", "invalid_scope")]);
    }
    let Some(form) = form else {
        return page(200, LOGIN);
    };
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    if field("cancel").is_some() {
        return back(&[("error", "access_denied")]);
    }
    if (field("username"), field("password")) != (Some(USERNAME), Some(PASSWORD)) {
        return page(200, LOGIN);
    }
    state.identity.made += 1;
    let code = format!("code-{}", state.identity.made);
    let kept = Code {
        redirect: redirect.clone(),
        challenge: ask("code_challenge"),
        scope: ask("scope"),
        until: state.now() / 1_000 + CODE_LASTS,
    };
    state.identity.codes.insert(code.clone(), kept);
    back(&[("code", &code)])
}

const LOGIN: &str = "<!doctype html><title>SALTO KS</title><form method=\"post\"><input name=\"username\" type=\"email\">\
<input name=\"password\" type=\"password\"><button>Sign in</button><button name=\"cancel\" value=\"1\">Cancel</button></form>";

fn page(code: u16, html: &str) -> Reply {
    Reply {
        body: html.as_bytes().to_vec(),
        ..Reply::empty(code)
    }
    .with("content-type", "text/html; charset=utf-8")
}

/// Percent encoding of a query's value.
pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
