//! The two addresses of signing in by the identity provider, and the cookie that ties them to one browser.

use super::{
    Caller, Staff,
    guard::cookie,
    oidc::{CALLBACK, Oidc},
    with_session,
};
use crate::{
    domain::say::page as say,
    web::{api::Gateway, problem::Problem},
};
use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use std::{collections::HashMap, sync::Arc};
use subtle::ConstantTimeEq;

/// Where the way begins.
pub(super) const BEGIN: &str = "/signin/oidc";
/// Lax, unlike the session's: the provider's redirect has to bring it back.
const COOKIE: &str = "__Host-doorward-oidc";

/// A redirect would still be the other site's doing, and browsers would leave the new cookie (SameSite=Strict) out: a page of
/// ours goes on by itself.
const GO_ON: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signed in</title>\
    <meta http-equiv=\"refresh\" content=\"0;url=/\"></head><body><p><a href=\"/\">Go on</a></p></body></html>\n";

pub(super) fn routes(staff: &Staff, gateway: Arc<dyn Gateway>) -> Router {
    Router::new()
        .route(BEGIN, get(begin))
        .route(CALLBACK, get(finish))
        .with_state(Oidc::new(staff, gateway))
}

fn set(answer: &mut Response, value: &str, seconds: u32) {
    let text = format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
}

async fn begin(State(oidc): State<Oidc>) -> Result<Response, Problem> {
    if !oidc.is_configured() {
        return Err(Problem::missing(say::login_none()));
    }
    let (url, state) = oidc.begin().await?;
    let mut answer = Redirect::to(url.as_str()).into_response();
    set(&mut answer, &state, 600);
    Ok(answer)
}

async fn finish(
    State(oidc): State<Oidc>,
    caller: Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let mut pairs: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let state = pairs.remove("state").unwrap_or_default();
    let ours = cookie(&headers, COOKIE).unwrap_or_default();
    if state.is_empty() || !bool::from(state.as_bytes().ct_eq(ours.as_bytes())) {
        return Err(Problem::forbidden(say::login_elsewhere()));
    }
    let code = pairs.remove("code");
    let code = code.ok_or_else(|| Problem::forbidden(say::login_refused()))?;
    let signed_in = oidc.finish(code, &state, &caller).await?;
    let mut answer = with_session(Html(GO_ON).into_response(), &signed_in);
    set(&mut answer, "", 0);
    Ok(answer)
}
