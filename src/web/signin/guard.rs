//! Before every handler: where the request comes from, who it is, and whether it was meant.

use super::{
    csrf,
    staff::Staff,
    who::{Caller, Who},
};
use crate::{
    domain::say::page as say,
    web::{listen::Peer, problem::Problem},
};
use axum::{
    extract::{Extension, Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::net::IpAddr;

/// The cookie. Its prefix makes browsers take it over TLS only, from this very host, for every path.
pub(super) const COOKIE: &str = "__Host-doorward";

/// A cookie's value.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut found = pairs.filter_map(|pair| pair.trim().split_once('='));
    found.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// `Set-Cookie` for this secret; without one it takes the cookie away.
pub(super) fn set_cookie(secret: Option<&str>) -> HeaderValue {
    let attributes = "Path=/; Secure; HttpOnly; SameSite=Strict";
    let text = match secret {
        Some(secret) => format!("{COOKIE}={secret}; {attributes}"),
        None => format!("{COOKIE}=; Max-Age=0; {attributes}"),
    };
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The guard.
pub(super) async fn identify(
    State(staff): State<Staff>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = peer.ip().to_canonical();
    match who(&staff, &request, address) {
        Ok(who) => {
            request.extensions_mut().insert(Caller { who, address });
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn who(staff: &Staff, request: &Request, address: IpAddr) -> Result<Option<Who>, Problem> {
    let headers = request.headers();
    if let Some(given) = headers.get(header::AUTHORIZATION) {
        // A wrong token has its own count for each address: nobody signs in under this name.
        const TOKENS: &str = "\0tokens";
        staff.slowed_address(TOKENS, address)?;
        // The name of the scheme is in any case (RFC 9110, 11.1).
        let token = given.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
        let who = token.and_then(|token| staff.by_token(token.trim(), address));
        return match who {
            Some(who) => Ok(Some(who)),
            None => {
                staff.wrong_token(TOKENS, address);
                Err(Problem::unauthenticated())
            }
        };
    }
    if !csrf::is_meant(request.method(), headers) {
        return Err(Problem::forbidden(say::other_page(csrf::HEADER)));
    }
    Ok(cookie(headers, COOKIE).and_then(|secret| staff.by_session(secret, address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; __Host-doorward=xyz; b=2".parse().unwrap());
        assert_eq!(cookie(&headers, COOKIE), Some("xyz"));
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "doorward"), None);
        assert!(
            set_cookie(Some("s"))
                .to_str()
                .unwrap()
                .ends_with("HttpOnly; SameSite=Strict")
        );
    }
}
